"""What the line still says of calls that are over for the booth. Pure.

The line tells the end of every call exactly once, in the order of the calls. Whoever hangs up does not wait for that:
the next call may have begun when the end of the last one is told, and must not take it for its own.

>>> echoes = Echoes()
>>> echoes.expect()
>>> [echoes.swallows(event, dialled=True) for event in (Answered(), CallEnded(Cause.NORMAL), Answered())]
[True, True, False]
"""

from hw.events import Alerting, Answered, CallEnded, Cause, Event, IncomingCall, ToneHeard

__all__ = ["Cause", "Echoes"]

OF_CALLS = (IncomingCall, Alerting, Answered, ToneHeard, CallEnded)


class Echoes:
    """Counts the ends that are yet to be told of calls that nobody waits for."""

    def __init__(self) -> None:
        self._ends = 0

    def expect(self) -> None:
        """A call was hung up or put off; until its end is told, all that is said of calls is said of it."""
        self._ends += 1

    def forget(self) -> None:
        """The line went away, and what it had to say is said."""
        self._ends = 0

    def swallows(self, event: Event, *, dialled: bool) -> bool:
        """Whether `event` speaks of such a call. `dialled`: a call of our own has begun.

        Whoever rang just before our dial is put off by the line, which tells their end before it tells anything of ours.
        """
        if not isinstance(event, OF_CALLS):
            return False
        if isinstance(event, IncomingCall) and dialled and not self._ends:
            self._ends = 1
            return True
        if not self._ends:
            return False
        self._ends -= isinstance(event, CallEnded)
        return True
