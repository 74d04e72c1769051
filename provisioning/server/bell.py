"""The bell: wakes those who wait for news in the event loop, from whatever thread the news comes.

Each process has one; provisioning.server.relay has them ring together.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum


class Topic(Enum):
    """What there can be news of."""

    FACTS = "facts"
    CALLS = "calls"
    RECORDINGS = "recordings"
    BOOTHS = "booths"
    LISTS = "lists"


def _to_nobody(*_: Topic) -> None:
    """Where no other process is."""


class Bell:
    """Rung after the commit, never before: whoever is woken must find what is new.

    Listen first and look then; what happens between a look and the wait is heard.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: defaultdict[Topic, dict[asyncio.Event, asyncio.AbstractEventLoop]] = defaultdict(dict)
        self._pass_on: Callable[..., None] = _to_nobody
        self.closed = False

    def ring(self, *topics: Topic) -> None:
        """There is news of this process; from any thread."""
        self.wake(*topics)
        self._pass_on(*topics)

    def wake(self, *topics: Topic) -> None:
        """There is news, whosever; only this process is told."""
        with self._lock:
            waiting = (pair for topic in topics for pair in self._waiting[topic].items())
            # Who is awake already need not be woken: a thousand of them would be the most of a server's work.
            for event, loop in [pair for pair in waiting if not pair[0].is_set()]:
                loop.call_soon_threadsafe(event.set)

    def join(self, pass_on: Callable[..., None]) -> None:
        """From now on `pass_on` is called with what is rung here, on the thread that rings: it must not block."""
        self._pass_on = pass_on

    def audience(self, topic: Topic) -> int:
        """How many listen."""
        return len(self._waiting[topic])

    @contextmanager
    def listen(self, *topics: Topic) -> Iterator["Listener"]:
        """Hear of `topics` while the block lasts; inside the event loop."""
        event, loop = asyncio.Event(), asyncio.get_running_loop()
        with self._lock:
            for topic in topics:
                self._waiting[topic][event] = loop
        try:
            yield Listener(self, event)
        finally:
            with self._lock:
                for topic in topics:
                    del self._waiting[topic][event]

    def close(self) -> None:
        """The server ends: nobody is kept waiting."""
        self.closed = True
        self.wake(*Topic)


class Listener:
    """One who listens."""

    def __init__(self, bell: Bell, event: asyncio.Event) -> None:
        self._bell, self._event = bell, event

    async def rung(self, seconds: float) -> bool:
        """Wait for news, at most so long; whether there is any since the last time."""
        if self._bell.closed:
            return False
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        self._event.clear()
        return not self._bell.closed
