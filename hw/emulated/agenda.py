"""What is to happen when: a thread that is there only while something is planned."""

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable

Action = Callable[[], None]
PATIENCE = 5.0  # seconds that close() waits; an action takes milliseconds


class Agenda:
    """Runs actions at their time, one after the other, each on the same thread and without any lock held."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._news = threading.Condition()
        self._now: deque[Action] = deque()
        self._later: list[tuple[float, int, Action, object]] = []
        self._order = itertools.count()
        self._clerk: threading.Thread | None = None

    def soon(self, action: Action) -> None:
        """Run `action` after those asked for before."""
        with self._news:
            self._now.append(action)
            self._wake()

    def after(self, seconds: float, action: Action, of: object = None) -> None:
        """Run `action` in `seconds`, unless it is forgotten before; `of` is what it belongs to."""
        with self._news:
            heapq.heappush(self._later, (time.monotonic() + seconds, next(self._order), action, of))
            self._wake()

    def forget(self, of: object = None) -> None:
        """Drop what was planned for later, or only what belongs to `of`; what was asked for soon stays."""
        with self._news:
            self._later = [] if of is None else [plan for plan in self._later if plan[3] is not of]
            heapq.heapify(self._later)
            self._news.notify_all()

    def close(self) -> None:
        """Forget all plans and wait until the thread has ended; the agenda may be used again afterwards."""
        self.forget()
        clerk = self._clerk
        if clerk is not None and clerk is not threading.current_thread():
            clerk.join(PATIENCE)

    def _wake(self) -> None:
        if self._clerk is None:
            self._clerk = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._clerk.start()
        self._news.notify_all()

    def _work(self) -> None:
        while (action := self._next()) is not None:
            action()

    def _next(self) -> Action | None:
        """The next thing to do when its time has come; None ends the thread, as nothing is left."""
        with self._news:
            while not self._now:
                if not self._later:
                    self._clerk = None
                    return None
                wait = self._later[0][0] - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._later)[2]
                self._news.wait(wait)
            return self._now.popleft()
