"""Calls that count, put together from the facts of a number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from firmware.known import ABANDONED, TALK, Fact, FactKind

_OF_CALLS = frozenset({FactKind.ATTEMPT, FactKind.CONTACT, FactKind.VOID})


@dataclass(frozen=True, slots=True)
class Touch:
    """One call that counts."""

    at: float  # infinite where the date is unknown: it may have been this minute
    dialled: bool  # by us; else they called
    contact: bool  # a human answered
    talk: bool  # it came to a conversation
    abandoned: bool  # we were gone before a word was said
    facts: tuple[Fact, ...]


def touches(facts: Sequence[Fact]) -> Iterator[Touch]:
    """The calls that the facts tell of; one that failed in the network is none."""
    calls: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.kind in _OF_CALLS:
            calls.setdefault(fact.call or fact.id, []).append(fact)
    for together in calls.values():
        kinds = {fact.kind for fact in together}
        # Whoever has spoken to a human has called, even if another result of the call says that the network failed.
        if FactKind.CONTACT in kinds or FactKind.VOID not in kinds:
            yield _touch(tuple(together))


def _touch(facts: tuple[Fact, ...]) -> Touch:
    notes = {fact.note for fact in facts if fact.kind is FactKind.CONTACT}
    return Touch(
        at=max((fact.at for fact in facts if fact.at is not None), default=inf),
        dialled=any(fact.kind is FactKind.ATTEMPT for fact in facts),
        contact=bool(notes),
        talk=TALK in notes,
        abandoned=ABANDONED in notes and TALK not in notes,
        facts=facts,
    )
