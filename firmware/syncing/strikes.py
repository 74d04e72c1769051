"""Refusals of contents are counted: a thing that is refused three times in a row, and over a time, is kept back."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from firmware.clock import Clock
from firmware.quarantine import STRIKES
from firmware.store import Store

# Seconds after the first and the second refusal: bytes may be spoilt on the way, and servers are renewed.
WAITS: Final = (2.0, 28.0)
LONGEST_REASON: Final = 300
RECORDING: Final = "recording"

Thing = tuple[str, str, int]
"""Kind, name, and the version that was offered."""


class Strikes:
    """The count for each thing, on the card, so that a restart does not begin anew."""

    def __init__(
        self, store: Store, clock: Clock, utc: Callable[[], float | None], programs: Callable[[], str] = lambda: ""
    ) -> None:
        """`utc`: what time it is, if known; `programs`: the versions of both sides."""
        self._store, self._clock, self._utc, self._programs = store, clock, utc, programs

    def strike(self, reasons: Mapping[Thing, str], *, final: bool = False) -> None:
        """The server will not have these, and why. `final`: and asking again cannot help."""
        with self._store.write() as db:
            for thing, reason in reasons.items():
                self._strike(db, thing, reason, STRIKES if final else 1)

    def forgive(self, things: Sequence[Thing]) -> None:
        """The server has taken these."""
        with self._store.write(durable=False) as db:
            db.executemany("DELETE FROM kept_back WHERE kind = ? AND ref = ? AND version <= ?", things)

    def resting(self, kind: str = RECORDING) -> set[str]:
        """The names that are not to be offered now."""
        rows = self._store.rows(_RESTING, kind, *self.now())
        return {row["ref"] for row in rows}

    def rest(self, longest: float) -> float:
        """Seconds until the next thing is to be offered again; at most `longest`."""
        boot, now = self.now()
        row = self._store.row(_NEXT_DUE, boot, now)
        return longest if row is None or row["due"] is None else min(longest, row["due"] - now)

    def known(self) -> set[str]:
        """The names of recordings that were refused before."""
        return {row["ref"] for row in self._store.rows("SELECT ref FROM kept_back WHERE kind = ?", RECORDING)}

    def now(self) -> tuple[str, float]:
        """This boot, and the seconds since: what `due` is compared with."""
        stamp = self._clock.stamp()
        return stamp.boot, stamp.monotonic

    def _strike(self, db: sqlite3.Connection, thing: Thing, reason: str, count: int) -> None:
        kind, ref, version = thing
        boot, monotonic = self.now()
        row = db.execute("SELECT version, strikes FROM kept_back WHERE kind = ? AND ref = ?", (kind, ref)).fetchone()
        before = row["strikes"] if row and row["version"] == version else 0
        strikes = min(before + count, STRIKES)
        due = monotonic + WAITS[strikes - 1] if strikes < STRIKES else 0.0
        values = (version, strikes, reason[:LONGEST_REASON], strikes == STRIKES, boot, due, self._programs())
        db.execute(_STRUCK, (kind, ref, *values, self._utc()))


_RESTING: Final = "SELECT ref FROM kept_back WHERE kind = ? AND (held = 1 OR (boot = ? AND due > ?))"
_NEXT_DUE: Final = "SELECT min(due) AS due FROM kept_back WHERE held = 0 AND boot = ? AND due > ?"
_STRUCK = """
INSERT INTO kept_back (kind, ref, version, strikes, reason, held, boot, due, programs, since)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (kind, ref) DO UPDATE SET version = excluded.version, strikes = excluded.strikes, reason = excluded.reason,
    held = excluded.held, boot = excluded.boot, due = excluded.due, programs = excluded.programs,
    since = coalesce(since, excluded.since)
"""
