"""The outbox as messages: what waits, in the order in which others need it, and taken off when the server has it.

Facts that bar a number go first, however long ago they happened: until the server has them, another booth may call. Then
what is newest, for it is what others work with, and behind it page by page what has waited longest.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import msgspec

from firmware import mailbox, record, wire
from firmware.mailbox import note, recalled
from firmware.store import Store
from firmware.syncing.strikes import Strikes, Thing

MOST = 100  # things in one message
ERA = "era"  # a note: changes whenever a server has forgotten what it had
_ROOM = wire.LONGEST_BODY // 2  # bytes of them; the rest of a message is little


@dataclass(frozen=True, slots=True)
class Parcel:
    """Things of one kind, ready to be sent."""

    kind: str
    raw: tuple[msgspec.Raw, ...]
    seals: tuple[tuple[str, int], ...]  # of each: its id and the version that is being sent
    era: str  # in which it was made

    def newest(self, few: int) -> "Parcel":
        """So many things of it: those that happened last."""
        part = slice(-few, None) if self.kind == "fact" else slice(few)
        return Parcel(self.kind, self.raw[part], self.seals[part], self.era)


class Outbox:
    """Reads what the booth has posted. What the server will not have is offered again later, and blocks nothing."""

    def __init__(self, store: Store, booth: str, strikes: Strikes) -> None:
        self._store, self._booth, self._strikes = store, booth, strikes
        self._most = MOST
        self._looked = 0  # up to this row of the outbox no fact is left that bars a number

    def barring(self, beyond: int = 0) -> Parcel | None:
        """Facts that bar a number, the oldest first."""
        last = self.latest()
        rows = self._rows(_BARRING, "fact", max(beyond, self._looked))
        if not rows:
            self._looked = last
        return self._made("fact", [(row["ref"], row["version"]) for row in rows])

    def parcel(self, kind: str, beyond: int = 0) -> Parcel | None:
        """The next things of `kind` to send: the newest page, facts in their order; `beyond`: newer ones than that row."""
        newest: dict[str, int] = {}
        for row in self._rows(_NEWEST, kind, beyond):
            newest.setdefault(row["ref"], row["version"])
        ordered = list(newest.items())
        return self._made(kind, ordered[::-1] if kind == "fact" else ordered)

    def _made(self, kind: str, things: Iterable[tuple[str, int]]) -> Parcel | None:
        now = era(self._store)
        raw: list[msgspec.Raw] = []
        seals: list[tuple[str, int]] = []
        size = 0
        for ref, version in things:
            made = _MAKE[kind](self._store, ref, self._booth)
            if raw and size + len(made) > _ROOM:
                break
            size += len(made)
            raw.append(msgspec.Raw(made))
            seals.append((ref, version))
        return Parcel(kind, tuple(raw), tuple(seals), now) if raw else None

    def delivered(self, parcel: Parcel, ids: Iterable[str], refused: Mapping[str, str]) -> None:
        """Take off what the server has; what it refused, and why, is counted."""
        taken = set(ids)
        done = [(parcel.kind, ref, version) for ref, version in parcel.seals if ref in taken]
        if done:
            self._take_off(done, parcel.era)
        struck = {
            thing: refused[thing[1]] for thing in _things(parcel) if thing[1] in refused and thing[1] not in taken
        }
        if struck:
            self._strikes.strike(struck)
        self._most = MOST

    def _take_off(self, done: Sequence[Thing], made_in: str) -> None:
        with self._store.write() as db:
            if era(self._store) != made_in:  # who took it is gone, and it is offered to another already
                return
            db.executemany("DELETE FROM outbox WHERE kind = ? AND ref = ? AND version <= ?", done)
            db.executemany("DELETE FROM kept_back WHERE kind = ? AND ref = ? AND version <= ?", done)

    def unwelcome(self, parcel: Parcel, reason: str) -> None:
        """The server will not have the parcel as a whole: find out which thing in it is to blame."""
        if len(parcel.seals) > 1:
            self._most = max(1, len(parcel.seals) // 4)
        else:
            self._strikes.strike(dict.fromkeys(_things(parcel), reason))

    def rest(self, longest: float) -> float:
        """Seconds until something that was refused is to be offered again; at most `longest`."""
        return self._strikes.rest(longest)

    def latest(self) -> int:
        """The last row of the outbox."""
        row = self._store.row("SELECT coalesce(max(id), 0) AS last FROM outbox")
        return 0 if row is None else int(row["last"])

    def _rows(self, question: str, kind: str, beyond: int) -> Sequence[sqlite3.Row]:
        return self._store.rows(question, kind, beyond, *self._strikes.now(), self._most)


def _things(parcel: Parcel) -> list[Thing]:
    return [(parcel.kind, ref, version) for ref, version in parcel.seals]


def era(store: Store) -> str:
    """Changes when a server forgets: what it took before that says nothing of what it has now."""
    return recalled(store, ERA)


def offer_again(db: sqlite3.Connection) -> None:
    """Put all that this booth has ever had to tell back into the outbox, and all recordings on their way again.

    For a server that has forgotten: one restored from a backup, or another one.
    """
    for statement in _AGAIN:
        db.execute(statement)
    note(db, ERA, str(uuid4()))


def _fact(store: Store, ref: str, _booth: str) -> bytes:
    row = store.row(_FACT, ref)
    assert row is not None  # facts never go
    return wire.encode(
        wire.Fact(
            id=row["id"],
            kind=row["kind"],
            number=row["number"],
            at=row["dated"],
            booth=row["booth"],
            agent=row["agent"],
            call=row["call"],
            result=row["result"],
            due=row["due"],
            note=row["note"],
            product=row["product"],
        )
    )


def _call(store: Store, ref: str, booth: str) -> bytes:
    return msgspec.json.encode(record.whole(store, ref, booth))


def _shift(store: Store, ref: str, booth: str) -> bytes:
    row = store.row(_SHIFT, ref)
    assert row is not None  # shifts never go
    return msgspec.json.encode({"booth": booth, **dict(row)})


def booth_name(store: Store, otherwise: str) -> str:
    """What this booth calls itself on its records."""
    return recalled(store, mailbox.NAME) or otherwise


_MAKE: Final = {"fact": _fact, "call": _call, "shift": _shift}

_NEWEST: Final = """
SELECT o.ref, o.version FROM outbox o
WHERE o.kind = ? AND o.id > ? AND NOT EXISTS (
    SELECT 1 FROM kept_back k
    WHERE k.kind = o.kind AND k.ref = o.ref AND k.version >= o.version AND (k.held = 1 OR (k.boot = ? AND k.due > ?))
) ORDER BY o.id DESC LIMIT ?
"""
_BARRING: Final = _NEWEST.replace("outbox o", "outbox o JOIN fact f ON f.id = o.ref").replace(
    ") ORDER BY o.id DESC", ") AND f.kind IN ('do-not-call', 'refusal', 'withdrawal', 'final', 'counted') ORDER BY o.id"
)
"""Facts that bar a number, or make it more likely that one is barred: the guard's FactKind by value."""

_FACT = """
SELECT f.*, coalesce(f.monotonic + b.ahead, f.at) AS dated FROM fact f LEFT JOIN boot b ON b.id = f.boot WHERE f.id = ?
"""
_SHIFT = """
SELECT s.id, s.kind, s.agent, s.code, coalesce(s.monotonic + b.ahead, s.at) AS at, s.boot, s.monotonic
FROM shift s LEFT JOIN boot b ON b.id = s.boot WHERE s.id = ?
"""

_AGAIN: Final = (
    """INSERT OR IGNORE INTO outbox (kind, ref, version, at, boot, monotonic)
    SELECT 'fact', id, 1, at, boot, monotonic FROM fact WHERE boot IS NOT NULL ORDER BY seq""",
    """INSERT OR IGNORE INTO outbox (kind, ref, version, at, boot, monotonic)
    SELECT 'call', id, version, at, boot, monotonic FROM call
    WHERE version > 0 OR (cause IS NOT NULL AND (emergency = 1 OR (incoming = 1 AND answered = 0))) ORDER BY seq""",
    """INSERT OR IGNORE INTO outbox (kind, ref, version, at, boot, monotonic)
    SELECT 'shift', id, 1, at, boot, monotonic FROM shift""",
    """UPDATE upload SET state = 'open', sent = 0, digest = '', problem = ''
    WHERE recording NOT IN (SELECT recording FROM delivered WHERE state = 'gone')""",
    "DELETE FROM delivered WHERE state <> 'gone'",
    "DELETE FROM kept_back",  # another server may have them
)
