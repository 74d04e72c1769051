"""Enrolment tokens: one booth each, for a while, and only a hash of the secret is kept."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from firmware import wire
from provisioning.server.refusals import Refused
from provisioning.server.schema import token

LASTS = 7 * 86400.0  # seconds from the desk to the booth
SECRET_BYTES = 32


class Standing(Enum):
    """What may be done with a token."""

    OPEN = "open"
    SPENT = "spent"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Token:
    """One token, without its secret."""

    id: int
    name: str
    created: float
    expires: float
    standing: Standing
    spent_by: str | None  # the booth


def new(connection: Connection, name: str, now: float, lasts: float = LASTS) -> str:
    """Make a token for a booth of that name; its secret, which can never be had again."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    values = {"secret": hashed(secret), "name": name, "created": now, "expires": now + lasts}
    connection.execute(insert(token).values(values))
    return secret


def every(connection: Connection, now: float) -> Sequence[Token]:
    """All tokens, the newest first."""
    return [_token(row, now) for row in connection.execute(select(token).order_by(token.c.id.desc()))]


def revoke(connection: Connection, token_id: int, now: float) -> bool:
    """Take a token back; False if there is none such, or a booth has spent it (then revoke the booth)."""
    open_one = (token.c.id == token_id) & token.c.spent_by.is_(None)
    return connection.execute(update(token).where(open_one).values(revoked=now)).rowcount > 0


def usable(connection: Connection, secret: str, now: float) -> Token:
    """The token of a secret, spent or not. Raises Refused for one that was never given out, is too old or revoked."""
    digest = hashed(secret)
    row = connection.execute(select(token).where(token.c.secret == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.secret, digest):
        raise Refused(HTTPStatus.FORBIDDEN, "token", "this token is not one of this server's; check that it is whole")
    found = _token(row, now)
    if found.standing is Standing.REVOKED:
        raise Refused(HTTPStatus.FORBIDDEN, "token-revoked", "this token was taken back; ask for a new one")
    if found.standing is Standing.EXPIRED:
        raise Refused(HTTPStatus.FORBIDDEN, "token-expired", "this token is too old; ask for a new one")
    return found


def spend(connection: Connection, token_id: int, booth_id: str) -> None:
    """Nobody else can use it from now on."""
    connection.execute(update(token).where(token.c.id == token_id).values(spent_by=booth_id))


def text(secret: str, url: str, pins: Sequence[str]) -> str:
    """What a technician carries to the booth; `url` is the booth API as booths reach it."""
    return str(wire.Token(url, ",".join(pins), secret))


def hashed(secret: str) -> str:
    """What is kept of a secret. It is random and long, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: Row[*tuple[Any, ...]], now: float) -> Token:
    return Token(row.id, row.name, row.created, row.expires, _standing(row, now), row.spent_by)


def _standing(row: Row[*tuple[Any, ...]], now: float) -> Standing:
    if row.revoked is not None:
        return Standing.REVOKED
    if row.spent_by is not None:
        return Standing.SPENT
    return Standing.OPEN if now < row.expires else Standing.EXPIRED
