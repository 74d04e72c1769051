"""The system clock of a booth on a desk: right, moved, or as it is on a Pi that nobody has told the time."""

import time
from datetime import UTC, datetime

from firmware.clock import Clock


class Timepiece:
    """A clock that NTP keeps right until somebody sets it wrong. Any thread may ask."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self.right = True  # NTP vouches for it

    def now(self) -> float:
        """Seconds since 1970 UTC, as this clock has it."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Time goes by, and NTP with it."""
        self._ahead += seconds

    def set_year(self, year: int) -> None:
        """It stands at the beginning of `year` and nobody vouches for it."""
        self._ahead = datetime(year, 1, 1, tzinfo=UTC).timestamp() - time.time()
        self.right = False

    def restore(self) -> None:
        """NTP has set it right."""
        self._ahead, self.right = 0.0, True

    def booth_clock(self) -> Clock:
        """What a booth that starts now makes of it."""
        return Clock("synchronised", system=self.now, synchronised=lambda: self.right)
