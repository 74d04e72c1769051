"""Claims: for a moment a number belongs to one booth, so that two agents do not call one customer in the same second.

The server grants them, sync asks for them, and a booth that is cut off from both calls by what it knows itself.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from firmware import mailbox, wake
from firmware.clock import Clock
from firmware.known import Fact, FactKind, Hold
from firmware.numbers import Kind, Number
from firmware.store import CardError, Store

WAIT = 0.3  # seconds that a dial waits for an answer that is still to come
_LOOK = 0.005  # seconds between two looks for it
# A claim that ends sooner is asked for again: the server must hear of the dial while the number is still ours.
SPARE = 10.0  # seconds
FREE: Final = frozenset({Kind.EMERGENCY, Kind.SERVICE, Kind.INVALID})
"""Numbers that are nobody's customer."""


class Claims:
    """Asks for one number at a time, and lets the last one go."""

    def __init__(self, store: Store, clock: Clock, data: Path) -> None:
        self._store, self._clock = store, clock
        self._enrolled, self._bell = mailbox.enrolled(data), wake.Bell(data, wake.SYNC)
        self._wanted = ""

    def want(self, number: Number | None) -> None:
        """This number may be dialled soon; None: none may. What was wanted before is let go."""
        key = number.key if number is not None and number.kind not in FREE else ""
        if key == self._wanted or not self._enrolled:
            return
        with suppress(CardError), self._store.write(durable=False) as db:
            db.execute("UPDATE claim SET state = 'unwanted' WHERE number <> ?", (key,))
            if key:
                now = self._clock.stamp()
                db.execute(
                    "INSERT OR REPLACE INTO claim (number, state, boot, asked) VALUES (?, 'wanted', ?, ?)",
                    (key, now.boot, now.monotonic),
                )
        self._wanted = key
        self._bell.ring()

    def settle(self, number: Number) -> Hold:
        """What stands now, at the moment of dialling; waits WAIT at most, and only while the server can be heard."""
        if not self._enrolled or number.kind in FREE:
            return Hold.ALONE
        if not mailbox.report(self._store).fresh(self._clock.stamp()):
            return Hold.OFFLINE
        if self._row(number.key) is None:
            self._wanted = ""  # it has run out, or nobody saw it coming
            self.want(number)
        ends = monotonic() + WAIT
        while (standing := self._standing(number.key)) is None and monotonic() < ends:
            sleep(_LOOK)
        return standing or Hold.OFFLINE

    def held(self, key: str) -> tuple[Fact, ...]:
        """Who else is about to call, as something that the guard goes by."""
        row = self._row(key)
        if row is None or row["state"] != "held":
            return ()
        now, utc = self._clock.stamp(), self._clock.now()
        due = None if utc is None else utc + row["until"] - now.monotonic
        return (Fact(f"claim {key}", FactKind.CLAIM, key, utc, row["holder"], "", due=due),)

    def _standing(self, key: str) -> Hold | None:
        row = self._row(key)
        return Hold(row["state"]) if row is not None and row["state"] != "wanted" else None

    def _row(self, key: str) -> sqlite3.Row | None:
        now = self._clock.stamp()
        return self._store.row(_ROW, key, now.boot, now.monotonic + SPARE, now.monotonic)


_ROW = """
SELECT state, until, holder FROM claim
WHERE number = ? AND boot = ?
AND (state = 'wanted' OR (state = 'granted' AND until > ?) OR (state = 'held' AND until > ?))
"""
