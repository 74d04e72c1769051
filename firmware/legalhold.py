"""Legal holds: recordings that nobody may delete, neither a booth nor the server, until the hold is released. Pure.

A hold is a fact like any other: set on the server, in writing, and heard by every booth. Its release is one too, and is
named after it, so that the two mean the same in whatever order they come, and releasing twice is releasing once.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from firmware.known import Fact, FactKind

KINDS: Final = (FactKind.LEGAL_HOLD.value, FactKind.LEGAL_RELEASE.value)
_RELEASES: Final = uuid.UUID("3d1f2d0e-1c1b-5a0e-9a55-6c6567616c21")  # of this program, for the names of releases


def release_of(hold: str) -> str:
    """The id of the fact that releases a hold, given by its own id."""
    return str(uuid.uuid5(_RELEASES, hold))


def standing(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The holds that have not been released, in the order given."""
    every = {fact.id: fact for fact in facts if fact.kind.value in KINDS}
    return tuple(
        fact for fact in every.values() if fact.kind is FactKind.LEGAL_HOLD and release_of(fact.id) not in every
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What is held."""

    calls: frozenset[str]
    numbers: frozenset[str]

    @classmethod
    def by(cls, facts: Iterable[Fact]) -> "Held":
        """What some facts hold, given every one of KINDS."""
        holds = standing(facts)
        return cls(
            frozenset(fact.call for fact in holds if fact.call),
            frozenset(fact.number for fact in holds if not fact.call),
        )

    def covers(self, call: str, number: str) -> bool:
        """Whether the recordings of a call are to be kept. A call without a number is held by its id alone."""
        return call in self.calls or (bool(number) and number in self.numbers)
