"""What the line saw of a call, in the words that result codes claim with `suggest`."""

from dataclasses import dataclass
from typing import Final

from hw.events import Cause, Party

# Seconds of talk within which a hang-up is one "at pick-up", and one in mid-pitch.
AT_ONCE, MID_PITCH = 4.0, 30.0

NO_ANSWER: Final = "no-answer"
REFUSAL: Final = "mark-refusal"
_UNANSWERED: Final = {
    Cause.BUSY: "busy",
    Cause.NO_ANSWER: NO_ANSWER,
    Cause.NORMAL: NO_ANSWER,  # we gave up
    Cause.DEAD_NUMBER: "dead",
    Cause.REJECTED: "rejected",
    Cause.NETWORK: "network",
    Cause.FAILED: "network",
    Cause.LOST: "network",
}
_MARKED: Final = ("complaint", "refusal", "bad-moment")  # the gravest first

UNANSWERED: Final = frozenset(_UNANSWERED.values())
WORDS: Final = frozenset(
    {*UNANSWERED, "hang-up-at-once", "hang-up-mid-pitch", "silence", *(f"mark-{mark}" for mark in _MARKED)}
)


@dataclass(frozen=True, slots=True)
class Sight:
    """How a call went, as far as no human had to key it."""

    cause: Cause
    by: Party
    answered: bool = False
    talk: float = 0.0  # seconds since it was answered
    marks: frozenset[str] = frozenset()
    voice: bool | None = None  # whether the customer's side carried one; None: nobody can say
    sure: bool = True  # False: `by` is what is likely, not what the network said


def word(sight: Sight) -> str | None:
    """The one word for it; None where nothing speaks for one result more than for another.

    >>> word(Sight(Cause.BUSY, Party.LINE)), word(Sight(Cause.NORMAL, Party.FAR, answered=True, talk=2.0))
    ('busy', 'hang-up-at-once')
    """
    if not sight.answered:
        return _UNANSWERED.get(sight.cause)
    for mark in _MARKED:
        if mark in sight.marks:
            return f"mark-{mark}"
    # Where nobody knows who it was, an end that has another cause speaks for the line.
    theirs = sight.by is Party.FAR and (sight.sure or sight.cause is Cause.NORMAL)
    hung_up = theirs and sight.talk < MID_PITCH
    if sight.voice is False and sight.by is not Party.LINE and sight.talk >= AT_ONCE:
        return "hang-up-at-once" if hung_up else "silence"
    if not hung_up:
        return None
    return "hang-up-at-once" if sight.talk < AT_ONCE else "hang-up-mid-pitch"
