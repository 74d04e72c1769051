"""How sync stands with the server: what its couriers found, put together for the booth's screen."""

import threading
from dataclasses import replace
from time import monotonic

from firmware import wire
from firmware.clock import Clock
from firmware.mailbox import Report
from firmware.store import CardError
from firmware.syncing.courier import Trouble

OFTEN = 30.0  # seconds after which a mere word from the server is worth writing down again


class Standing:
    """Couriers tell it from their threads; the daemon's own thread asks."""

    def __init__(self, before: Report, clock: Clock) -> None:
        self._lock, self._clock = threading.Lock(), clock
        self._report, self._written, self._written_at = before, before, float("-inf")
        self._troubles: dict[str, Trouble] = {}
        self._refused = 0

    def trouble(self, who: str, problem: Trouble) -> bool:
        """A courier failed; whether that is new."""
        with self._lock:
            before = self._troubles.get(who)
            self._troubles[who] = problem
            return before is None or code_of(before) != code_of(problem)

    def fine(self, who: str) -> bool:
        """A courier got through; whether it had failed before."""
        with self._lock:
            return self._troubles.pop(who, None) is not None

    def heard(self, utc: float) -> None:
        """The server has answered, and told its time."""
        now = self._clock.stamp()
        with self._lock:
            self._report = replace(self._report, contact=utc, boot=now.boot, monotonic=now.monotonic)

    def wanted(self, wanted: wire.Wanted) -> None:
        """What the server says of this booth."""
        self.heard(wanted.time)
        with self._lock:
            self._report = replace(self._report, name=wanted.name, recipients=wanted.recipients)

    def waiting(self, recordings: int, refused: int) -> None:
        """What is left to do, and what the server would not have."""
        with self._lock:
            self._report, self._refused = replace(self._report, recordings=recordings), refused

    def news(self) -> Report | None:
        """The report, if it says anything that was not said before or not for long."""
        with self._lock:
            error, detail = self._error()
            made = replace(self._report, error=error, detail=detail)
            same = replace(made, contact=None, monotonic=0.0) == replace(self._written, contact=None, monotonic=0.0)
            old = monotonic() - self._written_at > OFTEN and made.monotonic != self._written.monotonic
            first = made.contact is not None and self._written.contact is None
            if same and not old and not first:
                return None
            self._written, self._written_at = made, monotonic()
            return made

    def _error(self) -> tuple[str, str]:
        for problem in self._troubles.values():
            return code_of(problem), str(problem)
        if self._refused:
            return "refused", f"the server would not have {self._refused} of our records"
        return "", ""


def code_of(problem: Trouble) -> str:
    """The word for screens."""
    return "card" if isinstance(problem, CardError) else problem.code
