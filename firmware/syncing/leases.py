"""Claims on their way to the server and back: a courier of their own, for a dial waits and a recording is long."""

import logging
import sqlite3
from collections.abc import Callable

from firmware import facts, wire
from firmware.clock import Clock
from firmware.store import Store
from firmware.syncing.downlink import understood
from firmware.syncing.link import Link

IDLE = 60.0  # seconds between two looks when nobody wakes us
LASTS = 120.0  # seconds for which a number is asked for; also after which a wish is too old to be told
log = logging.getLogger("sync")


class Leases:
    """Takes what the booth wants, and lets go of what it does not want any more.

    A number is let go when the server has all that this booth knows of it, for the next booth decides by that. Should
    it never come to that, the lease ends by itself.
    """

    def __init__(self, store: Store, link: Link, clock: Clock, *, heard: Callable[[], None]) -> None:
        self._store, self._link, self._clock, self._heard = store, link, clock, heard

    def turn(self) -> float:
        """One question to the server, or none; seconds to wait before the next. The uplink calls when it has delivered."""
        rest = IDLE
        for row in self._store.rows(_NEXT):
            left = self._left(row) if row["state"] == "unwanted" and row["owing"] else 0.0
            if left <= 0:
                self._serve(row)
                return 0.0
            rest = min(rest, left)
        return rest

    def _left(self, row: sqlite3.Row) -> float:
        """Seconds that the lease still runs; none if it is of before the last start, or the server never gave it."""
        now = self._clock.stamp()
        return row["until"] - now.monotonic if row["boot"] == now.boot else 0.0

    def _serve(self, row: sqlite3.Row) -> None:
        number, now = row["number"], self._clock.stamp()
        if row["state"] == "unwanted":
            if not row["owing"]:
                self._ask(number, 0.0)
            self._forget(number, "unwanted")
        elif row["boot"] != now.boot or now.monotonic - row["asked"] > LASTS:
            self._forget(number, "wanted")
        else:
            # It runs from before the question, so that it never seems to last longer here than there.
            self._note(number, self._ask(number, LASTS), now.monotonic)

    def _ask(self, number: str, seconds: float) -> wire.Claimed:
        return self._link.post(wire.CLAIMS, wire.Claim(number=number, seconds=seconds), wire.Claimed)

    def _note(self, number: str, said: wire.Claimed, asked: float) -> None:
        """What the server says. With the claim comes what others know: the booth never sees the one without the other."""
        known, stamp = tuple(understood(said.facts)), self._clock.stamp()
        with self._store.write(durable=False) as db:
            for fact in known:
                facts.append(db, fact, stamp, ours=False)
            state = "granted" if said.granted else "held"
            db.execute(_ANSWERED, (state, asked + said.seconds, said.holder, number))
        self._heard()

    def _forget(self, number: str, state: str) -> None:
        with self._store.write(durable=False) as db:
            db.execute("DELETE FROM claim WHERE number = ? AND state = ?", (number, state))


# Wishes first: somebody may be waiting.
_NEXT = """
SELECT c.*, EXISTS (
    SELECT 1 FROM outbox o JOIN fact f ON f.id = o.ref WHERE o.kind = 'fact' AND f.number = c.number
) AS owing
FROM claim c WHERE c.state IN ('unwanted', 'wanted') ORDER BY c.state DESC
"""

# What the booth has ceased to want meanwhile is still ours until then, and must be let go in due form.
_ANSWERED = """
UPDATE claim SET state = CASE state WHEN 'wanted' THEN ? ELSE state END, until = ?, holder = ? WHERE number = ?
"""
