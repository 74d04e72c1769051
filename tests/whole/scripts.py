"""What the two people of one call are going to do, drawn by lot."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from hw.emulated.exchange import FarEnd
from hw.emulated.speech import Speech

NUMBERS = tuple(f"03123456{n:02}" for n in range(1, 100))
CALLERS = tuple(f"09012345{n}" for n in range(601, 699))
FOREVER = 60.0


@dataclass(frozen=True)
class Script:
    """One call. `act` is what the booth's side does: wait, hang up `after` seconds of talk, give up `after` seconds of
    dialling; of a call that comes in, after `ring` seconds: answer, answer and hang up `after` seconds, or refuse.
    """

    far: FarEnd
    act: Literal["wait", "hang up", "give up", "answer", "refuse"] = "wait"
    after: float = 0.0
    incoming: bool = False
    ring: float = 0.0
    number: str = ""

    def __str__(self) -> str:
        far = self.far
        return (
            f"{'from' if self.incoming else 'to'} somebody who {far.outcome} after {far.answers_after:.2f}, ends after"
            f" {far.ends_after or 0:.2f}, rings for {far.rings_for:.2f}; we {self.act} (ring {self.ring:.2f}, after"
            f" {self.after:.2f})"
        )


@dataclass(frozen=True)
class Lot:
    """The times of one call, in seconds."""

    answers: float
    talk: float  # until they hang up
    ours: float  # until we do
    soon: float
    voice: Speech

    @classmethod
    def draw(cls, chance: Random, *, analog: bool) -> "Lot":
        """On an analog line they speak for about a second at least: a voice is all that tells of an answer."""
        answers, soon = chance.triangular(0.1, 1.5, 0.3), chance.uniform(0.1, 0.6)
        talk = chance.uniform(0.9, 1.4) if analog else chance.uniform(0.1, 1.2)
        return cls(answers, talk, chance.uniform(0.1, 1.0), soon, Speech(chance.randrange(1, 5)))

    def talks(self, *, ends: bool) -> FarEnd:
        """Somebody who answers, and hangs up or not."""
        return FarEnd(answers_after=self.answers, voice=self.voice, ends_after=self.talk if ends else None)

    def fails(self, outcome: Literal["busy", "unassigned", "rejects"]) -> Script:
        """A call that comes to nothing."""
        return Script(FarEnd(answers_after=self.soon, outcome=outcome))

    def rings(self, seconds: float, **how: object) -> Script:
        """Nobody is at home."""
        return replace(Script(FarEnd(outcome="no answer", rings_for=seconds)), **how)


# What may happen, and how often on a radio line and on an analog one: there, only time tells that a caller has given up.
KINDS: tuple[tuple[int, int, Callable[[Lot], Script]], ...] = (
    (22, 5, lambda lot: Script(lot.talks(ends=True))),
    (22, 20, lambda lot: Script(lot.talks(ends=False), "hang up", lot.ours)),
    (6, 3, lambda lot: Script(lot.talks(ends=True), "hang up", lot.talk)),  # both at once
    (8, 6, lambda lot: lot.fails("busy")),
    (6, 6, lambda lot: lot.fails("unassigned")),
    (6, 4, lambda lot: lot.fails("rejects")),
    (6, 4, lambda lot: lot.rings(0.3 + lot.soon)),
    (8, 8, lambda lot: lot.rings(FOREVER, act="give up", after=lot.soon)),
    (5, 4, lambda lot: Script(lot.talks(ends=True), "answer", 0.0, True, lot.soon)),
    (5, 36, lambda lot: Script(lot.talks(ends=False), "hang up", lot.ours, True, lot.soon)),
    (3, 1, lambda lot: Script(FarEnd(rings_for=0.3 + lot.soon), "wait", 0.0, True)),
    (3, 3, lambda lot: Script(FarEnd(), "refuse", 0.0, True, lot.soon)),
)


def drawn(chance: Random, *, analog: bool) -> Script:
    """One call."""
    (kind,) = chance.choices(KINDS, [row[analog] for row in KINDS])
    script = kind[2](Lot.draw(chance, analog=analog))
    return replace(script, number=chance.choice(CALLERS if script.incoming else NUMBERS))
