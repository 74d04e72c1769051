"""What the two people of one call are going to do, drawn by lot."""

from dataclasses import dataclass
from typing import Literal

from hw.emulated.exchange import FarEnd
from hw.emulated.speech import Speech

NUMBERS = tuple(f"03123456{n:02}" for n in range(1, 100))
CALLERS = tuple(f"09012345{n}" for n in range(601, 699))
FOREVER = 60.0


@dataclass(frozen=True)
class Plan:
    """One call. `act` is what the booth's side does: wait, hang up `after` seconds of talk, give up `after` seconds of
    dialling; of a call that comes in after `ring` seconds of ringing: answer (and wait, or hang up `after`) or refuse.
    """

    number: str
    far: FarEnd
    act: Literal["wait", "hang up", "give up", "answer", "refuse"] = "wait"
    after: float = 0.0
    incoming: bool = False
    ring: float = 0.0

    def __str__(self):
        far = self.far
        way = "from" if self.incoming else "to"
        return (
            f"{way} somebody who {far.outcome} after {far.answers_after:.2f}, ends after {far.ends_after or 0:.2f}, rings for"
            f" {far.rings_for:.2f}; we {self.act} (ring {self.ring:.2f}, after {self.after:.2f})"
        )


# How often, on a radio line and on an analog one: there, only the end of all ringing tells that a caller has given up.
ODDS = {
    "they hang up": (22, 6),
    "we hang up": (22, 22),
    "both hang up": (6, 3),
    "busy": (8, 8),
    "no answer": (6, 4),
    "unassigned": (6, 6),
    "rejects": (6, 4),
    "we give up": (8, 8),
    "caller hangs up": (5, 6),
    "we hang up on caller": (5, 30),
    "caller gives up": (3, 1),
    "caller is refused": (3, 3),
}


def plan(chance, *, analog):
    """One call; on an analog line the far end speaks for a second at least, for its voice is all that tells an answer."""
    kind = chance.choices(list(ODDS), [odds[analog] for odds in ODDS.values()])[0]
    answers = chance.triangular(0.1, 1.5, 0.3)
    talk = chance.uniform(0.9, 1.4) if analog else chance.uniform(0.1, 1.2)
    soon = chance.uniform(0.1, 0.6)
    voice = Speech(chance.randrange(1, 5))
    number, caller = chance.choice(NUMBERS), chance.choice(CALLERS)

    def talks(ends_after):
        return FarEnd(answers_after=answers, voice=voice, ends_after=ends_after)

    match kind:
        case "they hang up":
            return Plan(number, talks(talk))
        case "we hang up":
            return Plan(number, talks(None), "hang up", talk)
        case "both hang up":
            return Plan(number, talks(talk), "hang up", talk)
        case "busy" | "unassigned" | "rejects":
            return Plan(number, FarEnd(answers_after=soon, outcome=kind))
        case "no answer":
            return Plan(number, FarEnd(outcome="no answer", rings_for=0.3 + soon))
        case "we give up":
            return Plan(number, FarEnd(outcome="no answer", rings_for=FOREVER), "give up", soon)
        case "caller hangs up":
            return Plan(caller, FarEnd(voice=voice, ends_after=talk), "answer", 0.0, True, soon)
        case "we hang up on caller":
            return Plan(caller, FarEnd(voice=voice), "hang up", talk, True, soon)
        case "caller gives up":
            return Plan(caller, FarEnd(rings_for=0.3 + soon), "wait", 0.0, True)
    return Plan(caller, FarEnd(), "refuse", 0.0, True, soon)
