"""The outbox as messages: what waits, in the order in which others need it, and taken off when the server has it."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from firmware import mailbox, record, wire
from firmware.store import Store

MOST = 100  # things in one message
_ROOM = wire.LONGEST_BODY // 2  # bytes of them; the rest of a message is little
_INFINITY = 1 << 62


@dataclass(frozen=True, slots=True)
class Parcel:
    """Things of one kind, ready to be sent."""

    kind: str
    raw: tuple[msgspec.Raw, ...]
    seals: tuple[tuple[str, int], ...]  # of each: its id and the version that is being sent


class Outbox:
    """Reads what the booth has posted. What the server will not have waits for the next start, and blocks nothing."""

    def __init__(self, store: Store, booth: str) -> None:
        self._store, self._booth = store, booth
        self._refused: dict[tuple[str, str], int] = {}
        self._most = MOST

    def parcel(self, kind: str) -> Parcel | None:
        """The next things of `kind` to send: facts oldest first, for they build on one another; calls newest first."""
        raw: list[msgspec.Raw] = []
        seals: list[tuple[str, int]] = []
        size = 0
        for row in self._waiting(kind):
            ref, version = row["ref"], row["version"]
            made = _MAKE[kind](self._store, ref, self._booth)
            if raw and size + len(made) > _ROOM:
                break
            size += len(made)
            raw.append(msgspec.Raw(made))
            seals.append((ref, version))
        return Parcel(kind, tuple(raw), tuple(seals)) if raw else None

    def delivered(self, parcel: Parcel, ids: Iterable[str], refused: Iterable[str]) -> None:
        """Take off what the server has; what it refused is not offered again before the next start."""
        taken = set(ids)
        done = [(parcel.kind, ref, version) for ref, version in parcel.seals if ref in taken]
        if done:
            with self._store.write() as db:
                db.executemany("DELETE FROM outbox WHERE kind = ? AND ref = ? AND version <= ?", done)
        self._set_aside(parcel, set(refused) - taken)
        self._most = MOST

    def unwelcome(self, parcel: Parcel) -> None:
        """The server will not have the parcel as a whole: find out which thing in it is to blame."""
        if len(parcel.seals) > 1:
            self._most = max(1, len(parcel.seals) // 4)
        else:
            self._set_aside(parcel, {ref for ref, _version in parcel.seals})

    @property
    def refused(self) -> int:
        """How many things the server would not have."""
        return len(self._refused)

    def _waiting(self, kind: str) -> Sequence[sqlite3.Row]:
        rows = self._store.rows(_NEXT[kind], kind, MOST + len(self._refused))
        free = [row for row in rows if self._refused.get((kind, row["ref"]), -1) < row["version"]]
        return free[: self._most]

    def _set_aside(self, parcel: Parcel, refs: set[str]) -> None:
        self._refused |= {(parcel.kind, ref): version for ref, version in parcel.seals if ref in refs}


def offer_again(db: sqlite3.Connection) -> None:
    """Put all that this booth has ever had to tell back into the outbox, and all recordings on their way again.

    For a server that has forgotten: one restored from a backup, or another one.
    """
    for statement in _AGAIN:
        db.execute(statement)


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
    return mailbox.recalled(store, mailbox.NAME) or otherwise


_MAKE: Final = {"fact": _fact, "call": _call, "shift": _shift}

_OLD_FIRST = """
SELECT ref, max(version) AS version FROM outbox WHERE kind = ? GROUP BY ref ORDER BY min(id) LIMIT ?
"""
_NEXT: Final = {"fact": _OLD_FIRST, "shift": _OLD_FIRST, "call": _OLD_FIRST.replace("min(id)", "max(id) DESC")}

_FACT = """
SELECT f.*, coalesce(f.at, f.monotonic + b.ahead) AS dated FROM fact f LEFT JOIN boot b ON b.id = f.boot WHERE f.id = ?
"""
_SHIFT = """
SELECT s.id, s.kind, s.agent, s.code, coalesce(s.at, s.monotonic + b.ahead) AS at, s.boot, s.monotonic
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
)
