"""Brakes on guessing: after some tries that failed, the next one must wait, for ever longer.

>>> throttle = Throttle(free=2)
>>> [throttle.wait("name", now=at) for at in (0.0, 1.0, 2.0, 33.0)]
[0.0, 0.0, 29.0, 0.0]
"""

from dataclasses import dataclass
from threading import Lock

FIRST, LONGEST = 30.0, 900.0  # seconds
FORGOTTEN = 3600.0  # seconds after which a name starts afresh
MOST = 10_000  # names remembered


@dataclass(slots=True)
class _Tries:
    count: int = 0
    latest: float = 0.0


class Throttle:
    """Counts the tries of each name (an account, an address); `free` of them cost nothing."""

    def __init__(self, free: int) -> None:
        self._free, self._lock = free, Lock()
        self._tries: dict[str, _Tries] = {}

    def wait(self, name: str, *, now: float) -> float:
        """Seconds that `name` must wait; 0 lets it try, and counts the try as failed until `succeeded` says better."""
        with self._lock:
            tries = self._tries.setdefault(name, _Tries())
            if now - tries.latest > FORGOTTEN:
                tries.count = 0
            over = tries.count - self._free
            pause = min(LONGEST, FIRST * 2.0**over) if over >= 0 else 0.0
            left = tries.latest + pause - now
            if left > 0:
                return left
            tries.count, tries.latest = tries.count + 1, now
            self._prune(now)
            return 0.0

    def succeeded(self, name: str) -> None:
        """Forget the tries of `name`."""
        with self._lock:
            self._tries.pop(name, None)

    def forgive(self, name: str) -> None:
        """The latest try of `name` was a good one; those before it still count."""
        with self._lock:
            if name in self._tries:
                self._tries[name].count -= 1

    def _prune(self, now: float) -> None:
        if len(self._tries) > MOST:
            self._tries = {name: tries for name, tries in self._tries.items() if now - tries.latest < FORGOTTEN}
