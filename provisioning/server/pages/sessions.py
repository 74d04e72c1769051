"""Who is logged in. The browser holds a random token, the database only its hash."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select

from provisioning.server.schema import administrator, session

LASTS = 12 * 3600.0  # seconds: a long working day
COOKIE = "boothphone-session"
VISITOR = "boothphone-visitor"  # before log-in: what the log-in form's token is bound to


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in."""

    id: int
    name: str
    language: str


@dataclass(frozen=True, slots=True)
class Session:
    """One log-in; every form it sends carries `csrf`."""

    id: str
    csrf: str
    account: Account


def begin(connection: Connection, account: int, now: float) -> str:
    """Log an account in; what the browser is to hold. Old log-ins are tidied away."""
    token = secrets.token_urlsafe(32)
    connection.execute(delete(session).where(session.c.expires <= now))
    row = {"id": _hash(token), "administrator": account, "csrf": secrets.token_urlsafe(24), "created": now}
    connection.execute(insert(session).values(row | {"expires": now + LASTS}))
    return token


def find(connection: Connection, token: str, now: float) -> Session | None:
    """The log-in that a browser's token stands for."""
    found = connection.execute(_FOUND, {"id": _hash(token), "now": now}).one_or_none()
    if found is None:
        return None
    return Session(found.id, found.csrf, Account(found.administrator, found.name, found.language))


def end(connection: Connection, session_id: str) -> None:
    """Log out."""
    connection.execute(delete(session).where(session.c.id == session_id))


def end_others(connection: Connection, one: Session) -> None:
    """Log the account out everywhere else."""
    others = (session.c.administrator == one.account.id) & (session.c.id != one.id)
    connection.execute(delete(session).where(others))


def visitor_csrf(secret: bytes, visitor: str) -> str:
    """The token of a form that is sent before anybody is logged in, bound to a cookie of its own."""
    return hmac.new(secret, b"visitor " + visitor.encode(), hashlib.sha256).hexdigest()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


_FOUND = (
    select(session.c.id, session.c.csrf, session.c.administrator, administrator.c.name, administrator.c.language)
    .join(administrator)
    .where(session.c.id == bindparam("id"), session.c.expires > bindparam("now"))
)
