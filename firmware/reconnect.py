"""When to open a lost line again: after 1, 2, 4 … 60 seconds. Drivers never retry; this is the one policy. Pure.

>>> policy = Reconnect()
>>> [policy.lost(now=0.0) or policy.wait(0.0) for _ in range(8)]
[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
>>> policy.ready(); policy.wait(0.0) is None
True
"""

FIRST, LONGEST = 1.0, 60.0


class Reconnect:
    """Counts the failures in a row; moments are monotonic seconds."""

    def __init__(self) -> None:
        self._delay = 0.0
        self._due: float | None = None

    def lost(self, now: float) -> None:
        """The line was lost, or could not be opened."""
        self._delay = min(max(FIRST, self._delay * 2), LONGEST)
        self._due = now + self._delay

    def tried(self) -> None:
        """The line is being opened; what comes of it will be heard."""
        self._due = None

    def ready(self) -> None:
        """The line works again."""
        self._delay, self._due = 0.0, None

    def wait(self, now: float) -> float | None:
        """Seconds until the next try, 0 when it is due; None when none is planned."""
        return None if self._due is None else max(0.0, self._due - now)
