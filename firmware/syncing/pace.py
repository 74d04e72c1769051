"""How large the next piece of a recording is and when it may go: a limit is a bucket that holds one piece."""

from collections.abc import Callable
from math import exp
from time import monotonic

PIECE, LEAST = 256 * 1024, 8 * 1024  # bytes of a recording in one request; less on a line that is slow or breaks often
QUICK = 2.0  # seconds that a piece should take: what breaks is sent again, and what is slow must not seem to stand
HEAD = 1000  # bytes of a request's headers and its answer
_LATELY = 120.0  # seconds over which the speed is averaged


class Pace:
    """For one thread. `limit`: bytes a second, 0 for as fast as it goes; it may be changed at any time."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now, self.limit = now, 0.0
        self._piece, self._free, self._since = PIECE, 0.0, now()
        self._mean = self._known = 0.0  # of the speed; and how much of that is more than the nothing it began with
        self.lately = 0.0  # bytes a second, as it goes at present

    @property
    def piece(self) -> int:
        """Bytes of the next piece, at most: of a limited line no more than one second."""
        return min(self._piece, max(int(self.limit), LEAST)) if self.limit else self._piece

    def wait(self) -> float:
        """Seconds until a piece may go."""
        return max(0.0, self._free - self._now()) if self.limit else 0.0

    def going(self, count: int) -> None:
        """So many bytes go now; whether they arrive or not, they have used the line."""
        if self.limit:
            self._free = max(self._free, self._now()) + (count + HEAD) / self.limit
        self._piece = max(self._piece // 2, LEAST)  # what gets through undoes it

    def arrived(self, count: int, seconds: float) -> None:
        """They took so long."""
        quick = int(count / max(seconds, 0.001) * QUICK)
        grown = self._piece * 2 if count < LEAST else min(self._piece * 4, quick)
        self._piece = max(LEAST, min(grown, PIECE))
        now = self._now()
        passed = max(now - self._since, 0.001)
        share = 1.0 - exp(-passed / _LATELY)
        self._mean += share * (count / passed - self._mean)
        self._known += share * (1.0 - self._known)
        self.lately = self._mean / self._known
        self._since = now

    def rested(self) -> None:
        """There was nothing to do: that time does not count."""
        self._since = self._now()
