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

    def waiting(self, recordings: int, size: int, pace: float, opens: float) -> None:
        """What recordings are left to go, how many bytes that is, and how they get on."""
        with self._lock:
            self._report = replace(self._report, recordings=recordings, bytes=size, pace=pace, opens=opens)

    def kept_back(self, count: int) -> bool:
        """How much the server would not have; whether that is another number than before."""
        with self._lock:
            before, self._report = self._report.kept_back, replace(self._report, kept_back=count)
            return before != count

    def utc(self) -> float | None:
        """What time it is by the server, if it has told since this machine's start."""
        now = self._clock.stamp()
        with self._lock:
            ahead = self._report.ahead() if self._report.boot == now.boot else None
        return now.utc if ahead is None else now.monotonic + ahead

    def news(self) -> Report | None:
        """The report, if it says anything that was not said before or not for long."""
        with self._lock:
            error, detail = self._error()
            made = replace(self._report, error=error, detail=detail)
            same = _news(made) == _news(self._written)
            old = monotonic() - self._written_at > OFTEN and made.monotonic != self._written.monotonic
            first = made.contact is not None and self._written.contact is None
            if same and not old and not first:
                return None
            self._written, self._written_at = made, monotonic()
            return made

    def _error(self) -> tuple[str, str]:
        for problem in self._troubles.values():
            return code_of(problem), str(problem)
        if self._report.kept_back:
            return "refused", f"the server will not have {self._report.kept_back} of our records or recordings"
        return "", ""


def _news(report: Report) -> Report:
    """What of it is worth writing down at once: not what moves with every byte."""
    return replace(report, contact=None, monotonic=0.0, bytes=0, pace=0.0, opens=float(report.opens > 0))


def code_of(problem: Trouble) -> str:
    """The word for screens."""
    return "card" if isinstance(problem, CardError) else problem.code
