"""Up: what bars a number first, for other booths wait for it; then facts, calls and shifts by turns, and how we are.

Recordings go another way.
"""

from collections.abc import Callable, Iterator, Mapping
from time import monotonic

from firmware import wire
from firmware.syncing.backoff import Backoff
from firmware.syncing.faults import Refused, Unintelligible
from firmware.syncing.link import Link
from firmware.syncing.outbox import Outbox, Parcel

IDLE = 20.0  # seconds between two looks when nobody calls
MINUTE = 60.0
FEW = 4  # things that are so small together that the server takes them at any time
_POST = {"fact": wire.FACTS, "call": wire.CALLS, "shift": wire.SHIFTS}
_MESSAGE: Mapping[str, Callable[..., wire.Message]] = {
    "fact": lambda raw: wire.Facts(facts=raw),
    "call": lambda raw: wire.Calls(calls=raw),
    "shift": lambda raw: wire.Shifts(shifts=raw),
}


class Uplink:
    """Does the most urgent thing there is, one request a time."""

    def __init__(
        self,
        link: Link,
        outbox: Outbox,
        *,
        status: Callable[[], wire.Status],
        wanted: Callable[[wire.Wanted], None],
        delivered: Callable[[], None],
    ) -> None:
        self._link, self._outbox = link, outbox
        self._status, self._wanted, self._delivered = status, wanted, delivered
        self._kinds = list(_POST)
        self._said: wire.Status | None = None
        self._said_at = float("-inf")
        # While the server has its hands full, what waited then waits, and only what is newer goes.
        self._turn, self._rests_until, self._waits = Backoff(), float("-inf"), 0

    def turn(self) -> float:
        """One request, or a look that finds nothing to do."""
        self._link.greet()  # before anything is read: what has no date yet may get one
        if monotonic() - self._said_at > MINUTE and self._tell_status():
            return 0.0
        sent = False
        for parcel in self._parcels(self._waits if self._left else 0):
            if not self._left and self._send(parcel):
                return 0.0
            sent |= self._send(parcel.newest(FEW))  # it is not our turn: what has just happened goes all the same
        if sent or self._tell_status():
            return 0.0
        return min(self._outbox.rest(IDLE), self._left or IDLE)

    def _parcels(self, beyond: int) -> Iterator[Parcel]:
        """What may go next. Kinds take turns: a call that has just ended does not wait for the facts of weeks."""
        if barring := self._outbox.barring(beyond):
            yield barring
        for kind in tuple(self._kinds):
            if parcel := self._outbox.parcel(kind, beyond):
                self._kinds.remove(kind)
                self._kinds.append(kind)
                yield parcel

    def introduce(self) -> None:
        """Say with the next turn how we are: the server may be another program now, with other keys and wishes."""
        self._said = None

    @property
    def _left(self) -> float:
        """Seconds until it is our turn."""
        return max(0.0, self._rests_until - monotonic())

    def _send(self, parcel: Parcel) -> bool:
        """False where it is not our turn yet."""
        try:
            taken = self._link.post(_POST[parcel.kind], _MESSAGE[parcel.kind](parcel.raw), wire.Taken)
        except Refused as problem:
            if problem.my_turn_comes:
                self._rests_until = monotonic() + self._turn.failed(problem.after)
                self._waits = self._outbox.latest()
                return False
            if not problem.of_content:
                raise
            self._outbox.unwelcome(parcel, str(problem))
            return True
        if len(parcel.seals) > FEW:
            self._turn.worked()
        self._outbox.delivered(parcel, taken.ids, taken.refused)
        if not set(taken.ids) | set(taken.refused):
            raise Unintelligible("the server took nothing of what it was sent, and does not say why")
        self._delivered()
        return True

    def _tell_status(self) -> bool:
        """Once a minute, and when anything has changed."""
        now = monotonic()
        status = self._status()
        same = self._said is not None and _coarse(status) == _coarse(self._said)
        if same and now - self._said_at < MINUTE:
            return False
        wanted = self._link.post(wire.STATUS, status, wire.Wanted)
        self._said, self._said_at = status, now
        self._wanted(wanted)
        return True


def _coarse(status: wire.Status) -> object:
    """What of a status is worth telling at once."""
    waits = status.pending_calls, status.pending_recordings, status.opens > 0, status.pace > 0
    return waits, status.faults, status.free_bytes >> 27, status.kept_back
