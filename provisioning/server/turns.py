"""Turns: when many booths bring the backlog of weeks at once, a few are served and the others are told when to come again.

What is small is never made to wait: the call that has just ended, a refusal, a claim.
"""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from time import monotonic

import anyio

from firmware import wire
from provisioning.server.refusals import Refused

LARGE = 16 * 1024  # bytes of a request that counts as a backlog's
PLACES = 6  # to wait in; whoever finds none is sent away
SOONEST, LATEST = 1, 60  # seconds after which to come again


class Turns:
    """So many at once. Used in the event loop."""

    def __init__(self, at_once: int, places: int = PLACES) -> None:
        self._room, self._at_once, self._places = anyio.Semaphore(at_once), at_once, places
        self.here, self.sent_away = 0, 0  # at work and waiting
        self._sent_lately, self._takes = 0.0, 0.1  # how many are away and will come again; seconds of one turn

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait for a turn and have it while the block lasts. Raises Refused where too many wait already."""
        if self.here >= self._at_once + self._places:
            raise self._later()
        self.here += 1
        try:
            async with self._room:
                began = monotonic()
                yield
                self._takes += 0.1 * (monotonic() - began - self._takes)
                self._sent_lately = max(0.0, self._sent_lately - 1)
        finally:
            self.here -= 1

    def _later(self) -> Refused:
        self.sent_away += 1
        self._sent_lately += 1
        wait = self._takes * (self.here + self._sent_lately) / self._at_once
        after = max(SOONEST, min(math.ceil(wait), LATEST))
        detail = "many booths bring what has waited, and they take turns; come again"
        return Refused(HTTPStatus.SERVICE_UNAVAILABLE, wire.QUEUE, detail, {"Retry-After": str(after)})
