"""Claims on their way to the server and back: a courier of their own, for a dial waits and a recording is long."""

import logging
from collections.abc import Callable

from firmware import wire
from firmware.clock import Clock
from firmware.store import Store
from firmware.syncing.link import Link

IDLE = 60.0  # seconds between two looks when nobody wakes us
LASTS = 120.0  # seconds for which a number is asked for; also after which a wish is too old to be told
log = logging.getLogger("sync")


class Leases:
    """Takes what the booth wants, and lets go of what it does not want any more."""

    def __init__(self, store: Store, link: Link, clock: Clock, *, heard: Callable[[], None]) -> None:
        self._store, self._link, self._clock, self._heard = store, link, clock, heard

    def turn(self) -> float:
        """One question to the server, or none; seconds to wait before the next."""
        row = self._store.row("SELECT * FROM claim WHERE state IN ('unwanted', 'wanted') ORDER BY state DESC LIMIT 1")
        if row is None:
            return IDLE
        now = self._clock.stamp()
        if row["state"] == "unwanted":
            self._ask(row["number"], 0.0)
            self._forget(row["number"], "unwanted")
        elif row["boot"] != now.boot or now.monotonic - row["asked"] > LASTS:
            self._forget(row["number"], "wanted")
        else:
            self._note(row["number"], self._ask(row["number"], LASTS))
        return 0.0

    def _ask(self, number: str, seconds: float) -> wire.Claimed:
        return self._link.post(wire.CLAIMS, wire.Claim(number=number, seconds=seconds), wire.Claimed)

    def _note(self, number: str, said: wire.Claimed) -> None:
        until = self._clock.stamp().monotonic + said.seconds
        with self._store.write(durable=False) as db:
            db.execute(
                "UPDATE claim SET state = ?, until = ?, holder = ? WHERE number = ? AND state = 'wanted'",
                ("granted" if said.granted else "held", until, said.holder, number),
            )
        self._heard()

    def _forget(self, number: str, state: str) -> None:
        with self._store.write(durable=False) as db:
            db.execute("DELETE FROM claim WHERE number = ? AND state = ?", (number, state))
