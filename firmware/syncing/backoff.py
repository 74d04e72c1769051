"""How long to leave a server alone that did not answer: 1, 2, 4 … 60 s, so that a floor of booths is no storm."""

import random
from collections.abc import Callable

FIRST, LONGEST = 1.0, 60.0  # seconds
_JITTER = 0.5  # the share of a wait that is left to chance


class Backoff:
    """Counts the failures since the last success."""

    def __init__(
        self, chance: Callable[[], float] = random.random, *, first: float = FIRST, longest: float = LONGEST
    ) -> None:
        """`first` and `longest` are waits in seconds."""
        self._chance, self._first, self._longest, self._failures = chance, first, longest, 0

    def failed(self, least: float = 0.0) -> float:
        """Seconds to wait before the next try: at least half of 1, 2, 4 … 60.

        `least`: what the server asked for; it is never earlier than that, and by chance somewhat later.

        >>> backoff = Backoff(chance=lambda: 0.0)
        >>> [backoff.failed() for _ in range(8)]
        [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
        """
        full = min(self._longest, self._first * 2.0**self._failures)
        self._failures = min(self._failures + 1, 16)
        chance = _JITTER * self._chance()
        return max(full * (1.0 - chance), least * (1.0 + chance))

    def worked(self) -> None:
        """It answered: the next failure is the first again."""
        self._failures = 0
