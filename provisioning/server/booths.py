"""The booths: how they become known, who they are, and how they say they are."""

import base64
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from firmware import results, rulepack, wire
from firmware.forecast import FURTHEST
from provisioning.server import notes, quarantine, tokens
from provisioning.server.bell import Bell, Topic
from provisioning.server.database import Database
from provisioning.server.refusals import Refused
from provisioning.server.schema import booth
from provisioning.server.signatures import Asked, Signatures, verifies
from provisioning.server.tokens import Standing

SEEN_EVERY = 10.0  # seconds between two notes that a booth was heard
LONGEST_NAME = 60
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Booth:
    """Who asks."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What every booth is told about the server."""

    recipients: tuple[str, ...]  # age public keys that recordings are sealed to
    pins: tuple[str, ...]


class Booths:
    """Enrols and recognises booths. Blocking."""

    def __init__(self, database: Database, bell: Bell, terms: Terms, now: Callable[[], float] = time.time) -> None:
        self._database, self._bell, self._terms, self._now = database, bell, terms, now
        self._lock = threading.Lock()
        self._noted: dict[str, float] = {}  # when it was last written down that a booth was heard
        self._software = version("boothphone")
        self.signatures = Signatures()

    def nonce(self) -> wire.Nonce:
        """What booths sign with until the next start."""
        return wire.Nonce(nonce=self.signatures.nonce, time=self._now())

    def enrol(self, wish: wire.Enrol) -> wire.Enrolled:
        """Make a booth known against its token, under a new key where it was known before. Raises Refused.

        The same key with the same token gets the same answer again: the first one may have been lost on its way.
        """
        key = _key(wish.key)
        with self._database.write() as connection:
            token = tokens.usable(connection, wish.secret, self._now())
            if token.standing is Standing.SPENT:
                return self._again(connection.execute(_BY_ID, {"id": token.spent_by}).one(), key)
            name = (token.name or wish.name).strip()[:LONGEST_NAME] or "booth"
            former = _former(connection, wish)
            one = Booth(former or str(uuid.uuid4()), name)
            if former:
                renewed = {"name": name, "key": key, "enrolled": self._now(), "revoked": None}
                connection.execute(update(booth).where(booth.c.id == former).values(renewed))
            else:
                connection.execute(insert(booth).values(id=one.id, name=one.name, key=key, enrolled=self._now()))
            tokens.spend(connection, token.id, one.id)
        self._bell.ring(Topic.BOOTHS)
        return self._enrolled(one)

    def recognise(self, asked: Asked) -> Booth:
        """Who signed a request. Raises Refused for a stranger, a revoked booth, a bad or an old signature."""
        with self._database.read() as connection:
            row = connection.execute(_BY_ID, {"id": asked.booth}).one_or_none()
        if row is None:
            raise Refused(HTTPStatus.FORBIDDEN, "unknown-booth", "this server does not know this booth: enrol it again")
        self.signatures.check(asked, row.key)
        if row.revoked is not None:
            raise Refused(
                HTTPStatus.FORBIDDEN, "revoked", "this booth is revoked: a supervisor no longer lets it sync; ask there"
            )
        self._note(row.id)
        return Booth(row.id, row.name)

    def expected(self, asked: Asked) -> None:
        """Whether it is worth reading this request's body. Raises Refused."""
        self.signatures.check_nonce(asked)
        with self._database.read() as connection:
            known = connection.execute(_BY_ID, {"id": asked.booth}).one_or_none()
        if known is None:
            raise Refused(HTTPStatus.FORBIDDEN, "unknown-booth", "this server does not know this booth: enrol it again")

    def report(self, one: Booth, status: wire.Status) -> wire.Wanted:
        """Keep how a booth says it is; what it should know in turn."""
        values = {**_columns(status, self._now()), **quarantine.columns(status)}
        with self._database.write() as connection:
            connection.execute(update(booth).where(booth.c.id == one.id).values(values))
            codes, packs = office_results(connection), office_rules(connection)
            retry = quarantine.wish(connection, one.id)
        self._bell.ring(Topic.BOOTHS)
        return wire.Wanted(
            time=self._now(),
            name=one.name,
            recipients=self._terms.recipients,
            pins=self._terms.pins,
            results="" if status.results in {"", wire.tag_of(codes)} else codes,
            rules="" if status.rules in {"", wire.tag_of(packs)} else packs,
            software=self._software,
            retry=retry,
        )

    def revoke(self, booth_id: str, *, revoked: bool = True) -> None:
        """Refuse a booth from now on, or let it in again."""
        when = self._now() if revoked else None
        with self._database.write() as connection:
            connection.execute(update(booth).where(booth.c.id == booth_id).values(revoked=when))
        self._bell.ring(Topic.BOOTHS)

    def _again(self, row: Row[*tuple[Any, ...]], key: bytes) -> wire.Enrolled:
        if row.key != key:
            raise Refused(HTTPStatus.FORBIDDEN, "token-spent", "this token has been used already; ask for a new one")
        return self._enrolled(Booth(row.id, row.name))

    def _enrolled(self, one: Booth) -> wire.Enrolled:
        return wire.Enrolled(
            booth=one.id,
            name=one.name,
            recipients=self._terms.recipients,
            time=self._now(),
            pins=self._terms.pins,
        )

    def _note(self, booth_id: str) -> None:
        now = self._now()
        with self._lock:
            if abs(now - self._noted.get(booth_id, 0.0)) < SEEN_EVERY:
                return
            self._noted[booth_id] = now
        with self._database.write() as connection:
            connection.execute(update(booth).where(booth.c.id == booth_id).values(seen=now))


def _former(connection: Connection, wish: wire.Enrol) -> str:
    """Which booth this was before, by its former key; empty for one that is new here or cannot prove it."""
    row = connection.execute(_BY_ID, {"id": wish.former}).one_or_none() if wish.former else None
    signed = wire.renewal_text(wish.former, wish.secret, wish.key)
    return wish.former if row is not None and verifies(row.key, wish.proof, signed) else ""


_BY_ID = select(booth.c.id, booth.c.name, booth.c.key, booth.c.revoked).where(booth.c.id == bindparam("id"))


def _columns(status: wire.Status, now: float) -> dict[str, object]:
    """What a booth's row says of how it is."""
    return {
        "seen": now,
        "software": status.software[:100],
        "pending_calls": _within(status.pending_calls, 2**31),
        "pending_recordings": _within(status.pending_recordings, 2**31),
        "pending_bytes": _within(status.pending_bytes, 2**63),
        "pace": max(0.0, status.pace),
        "opens": now + status.opens if status.opens > 0 else None,
        "oldest": status.oldest,
        "free_bytes": _within(status.free_bytes, 2**63),
        "full_in": None if status.full_in is None else min(max(0.0, status.full_in), FURTHEST),
        "faults": [fault[:200] for fault in status.faults[:50]],
    }


def _within(number: int, limit: int) -> int:
    """What a column can hold."""
    return max(0, min(number, limit - 1))


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:  # also for what is not ASCII
        key = b""
    if len(key) != _KEY_BYTES:
        raise Refused(HTTPStatus.BAD_REQUEST, "key", "the booth's key is not an Ed25519 public key in base64")
    return key


def office_results(connection: Connection) -> str:
    """The result codes of this office, as results.toml has them; ours until it has made its own."""
    return notes.get(connection, notes.RESULTS) or results.OURS.read_text(encoding="utf-8")


def office_rules(connection: Connection) -> str:
    """The rule packs that hold on every booth besides its own, as rulepack.parse_all reads them."""
    return notes.get(connection, notes.RULES) or rulepack.NONE
