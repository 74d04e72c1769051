"""How long the booth keeps its own copies of recordings: never less than until the server has them.

A copy may go when the server's digest is the same, no legal hold covers its call, and either its days are over or the card
is short of room; then the oldest goes first. The row knows before the file goes, so that a crash in between leaves neither
a row that lies nor a file that nobody knows.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from firmware.clock import Clock
from firmware.facts import HOLDS, facts_in
from firmware.known import DAY
from firmware.legalhold import Held
from firmware.results import Results
from firmware.store import Store
from firmware.vault import Vault

LOOK: Final = 60.0  # seconds between two looks when there was nothing to do
AT_ONCE: Final = 200  # recordings taken note of together


@dataclass(frozen=True, slots=True)
class Terms:
    """What device.toml says."""

    days: float = 7.0  # after the server has it, for results whose code says nothing
    free: int = 1_000_000_000  # bytes that are to be free on the card


@dataclass(frozen=True, slots=True)
class Copy:
    """A recording on the card that the server has too."""

    name: str
    bytes: int
    since: float | None  # UTC seconds; None: not known
    code: str  # of its call's result; empty: none yet, or no such call
    held: bool


class Retention:
    """Deletes at most one copy each time it is asked. For the booth's thread, in quiet moments."""

    def __init__(self, store: Store, clock: Clock, vault: Vault, results: Results, terms: Terms) -> None:
        self._store, self._clock, self._vault = store, clock, vault
        self._results, self._terms = results, terms
        self._rests_until = float("-inf")

    @property
    def due(self) -> bool:
        """Whether it is worth asking."""
        return self._clock.monotonic() >= self._rests_until

    def step(self) -> bool:
        """Do one thing; False when there is nothing to do for a while. Raises CardError, OSError: nothing is lost then."""
        self._rests_until = self._clock.monotonic() + LOOK  # also when the card refuses
        done = self._finish() or self._take_note() or self._choose()
        if done:
            self._rests_until = float("-inf")
        return done

    def reclaimable(self) -> int:
        """Bytes of copies that may go as soon as room is wanted."""
        return sum(copy.bytes for copy in self.copies() if not copy.held)

    def copies(self) -> list[Copy]:
        """What the server has too, that which it has longest first."""
        held = Held.by(facts_in(self._store.rows(HOLDS)))
        return [_copy(row, held) for row in self._store.rows(_COPIES)]

    def _take_note(self) -> bool:
        """Recordings that the server has since the last look."""
        new = self._store.rows(_NEW, AT_ONCE)
        if not new:
            return False
        stamp = self._clock.stamp()
        rows = [(row["recording"], self._vault.size(row["recording"])) for row in new]
        with self._store.write() as db:
            db.executemany(
                "INSERT INTO delivered (recording, state, bytes, at, boot, monotonic) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (name, "gone" if size is None else "here", size or 0, stamp.utc, stamp.boot, stamp.monotonic)
                    for name, size in rows
                ],
            )
        return True

    def _choose(self) -> bool:
        """Mark the next copy that may go."""
        copies = [copy for copy in self.copies() if not copy.held]
        now = self._clock.now()
        chosen = next(((copy, "age") for copy in copies if self._over(copy, now)), None)
        if chosen is None and copies and self._vault.space() < self._terms.free:
            chosen = copies[0], "space"
        if chosen is None:
            return False
        copy, why = chosen
        with self._store.write() as db:
            db.execute(_GO, (why, copy.name))
        return True

    def _over(self, copy: Copy, now: float | None) -> bool:
        """Whether its days are over; while the time is not known, they are not."""
        known = self._results.by_code(copy.code)
        days = self._terms.days if known is None or known.keep is None else known.keep
        return now is not None and copy.since is not None and now - copy.since >= days * DAY

    def _finish(self) -> bool:
        """Delete what is marked; what may no longer go is not marked any more.

        All within one transaction: a server that has forgotten what it had is told to by sync in another one, so either
        this copy has gone before, or it stays.
        """
        row = self._store.row("SELECT recording FROM delivered WHERE state = 'going' AND state <> 'gone' LIMIT 1")
        if row is None:
            return False
        name = str(row["recording"])
        with self._store.write() as db:
            if _may_go(db, name):
                self._vault.erase(name)
                db.execute("UPDATE delivered SET state = 'gone' WHERE recording = ?", (name,))
            else:
                db.execute("UPDATE delivered SET state = 'here', why = '' WHERE recording = ?", (name,))
        return True


def _may_go(db: sqlite3.Connection, name: str) -> bool:
    row = db.execute(_GOING, (name,)).fetchone()
    return row is not None and not _covers(Held.by(facts_in(db.execute(HOLDS))), row)


def _copy(row: sqlite3.Row, held: Held) -> Copy:
    return Copy(row["recording"], row["bytes"], row["since"], row["code"] or "", _covers(held, row))


def _covers(held: Held, row: sqlite3.Row) -> bool:
    return held.covers(row["call"] or row["recording"], row["number"] or "")


def _tables() -> Sequence[str]:
    """A memo is a recording of its own, which its call's marks name."""
    return (
        "LEFT JOIN mark m ON m.name = 'memo ' || d.recording AND m.name > 'memo ' AND m.name < 'memo!'",
        "LEFT JOIN call c ON c.id = coalesce(m.call, d.recording)",
        "LEFT JOIN result r ON r.call = c.id AND r.version = c.version",
    )


_JOINED: Final = " ".join(_tables())
_NEW: Final = """
SELECT u.recording FROM upload u LEFT JOIN delivered d ON d.recording = u.recording
WHERE u.state = 'synced' AND u.digest <> '' AND d.recording IS NULL LIMIT ?
"""
_COPIES: Final = f"""
SELECT d.recording, d.bytes, coalesce(d.at, d.monotonic + b.ahead) AS since, c.id AS call, c.number, r.code
FROM delivered d JOIN upload u ON u.recording = d.recording AND u.state = 'synced' AND u.digest <> ''
LEFT JOIN boot b ON b.id = d.boot {_JOINED}
WHERE d.state = 'here' AND d.state <> 'gone' ORDER BY since IS NULL, since, d.recording
"""  # noqa: S608  (our own words)
_GOING: Final = f"""
SELECT d.recording, c.id AS call, c.number
FROM delivered d JOIN upload u ON u.recording = d.recording AND u.state = 'synced' AND u.digest <> '' {_JOINED}
WHERE d.recording = ? AND d.state = 'going'
"""  # noqa: S608
_GO: Final = """
UPDATE delivered SET state = 'going', why = ? WHERE recording = ? AND state = 'here'
"""
