"""Refusals that stand: said, or implied by hanging up again and again. A newer lift frees them, and nothing else but
a term where the law of the place has one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from firmware.known import Fact, FactKind, Rules

IMPLIED: Final = "implied"  # a REFUSAL's note


@dataclass(frozen=True, slots=True)
class Terms:
    """How long refusals hold, in seconds, and for which product; by default for good and for everything."""

    explicit: float = inf
    implied: float = inf
    do_not_call: float = inf
    product: str = ""  # what is offered now; a refusal of another product does not touch it


FOR_GOOD: Final = Terms()


@dataclass(frozen=True, slots=True)
class Standing:
    """What bars a number, and until when (UTC seconds; infinite: until it is lifted)."""

    evidence: tuple[Fact, ...]
    until: float = inf


def do_not_call(facts: Sequence[Fact], terms: Terms = FOR_GOOD, now: float | None = None) -> Standing | None:
    """Requests never to be called that stand at `now`; an unknown time lets none lapse. They hold for every product."""
    return _lasting(standing(facts, FactKind.DO_NOT_CALL), terms.do_not_call, now)


def refused(facts: Sequence[Fact], rules: Rules, terms: Terms = FOR_GOOD, now: float | None = None) -> Standing | None:
    """The facts that are, alone or together, a refusal that stands at `now`; None if nobody has refused."""
    ours = [fact for fact in facts if covers(fact, terms.product)]
    said = standing(ours, FactKind.REFUSAL)
    explicit = _lasting([fact for fact in said if fact.note != IMPLIED], terms.explicit, now)
    implied = _lasting([fact for fact in said if fact.note == IMPLIED], terms.implied, now)
    return _longer(explicit, implied) or _implied(ours, rules, terms.implied, now)


def covers(fact: Fact, product: str) -> bool:
    """Whether what was said then holds for `product`: said of no product, or offering none, it holds for all."""
    return not fact.product or not product or fact.product == product


def standing(facts: Sequence[Fact], kind: FactKind) -> tuple[Fact, ...]:
    """The facts of one kind that no lift has freed."""
    lifts = [fact for fact in facts if fact.kind is FactKind.LIFT]
    return tuple(fact for fact in facts if fact.kind is kind and not any(_frees(lift, fact) for lift in lifts))


def _lasting(facts: Iterable[Fact], lasts: float, now: float | None) -> Standing | None:
    """Those of the facts that have not lapsed, and when the last of them will."""
    held = [fact for fact in facts if now is None or now < _end(fact, lasts)]
    return Standing(tuple(held), max(_end(fact, lasts) for fact in held)) if held else None


def _end(fact: Fact, lasts: float) -> float:
    return inf if fact.at is None else fact.at + lasts


def _longer(first: Standing | None, second: Standing | None) -> Standing | None:
    both = [one for one in (first, second) if one is not None]
    evidence = tuple(fact for one in both for fact in one.evidence)
    return Standing(evidence, max(one.until for one in both)) if both else None


def _implied(facts: Sequence[Fact], rules: Rules, lasts: float, now: float | None) -> Standing | None:
    """So many hang-ups are a refusal without words: from the one that makes them enough, it holds like any other."""
    counted = standing(facts, FactKind.COUNTED)
    for some, limit in [(counted, rules.gacha_limit), *_by_result(counted)]:
        full = [together for together in _runs(some, rules.gacha_window) if len(together) >= limit]
        held = [together for together in full if now is None or now < _run_end(together, lasts)]
        if held:
            most = max(held, key=lambda run: (len(run), _run_end(run, lasts)))
            return Standing(most, max(_run_end(run, lasts) for run in held))
    return None


def _run_end(together: Sequence[Fact], lasts: float) -> float:
    """When the refusal that these hang-ups are lapses: counted from the latest of them."""
    return max(_end(fact, lasts) for fact in together)


def _frees(lift: Fact, fact: Fact) -> bool:
    """A lift frees what is older, of its own number. Where a date is unknown, it must name the call it means."""
    if lift.number != fact.number:
        return False
    if lift.at is None or fact.at is None:
        return lift.call is not None and lift.call == fact.call
    return lift.at > fact.at


def _by_result(counted: Iterable[Fact]) -> list[tuple[list[Fact], int]]:
    """Facts of the same result, with the limit that their notes carry."""
    groups: dict[tuple[str, int], list[Fact]] = {}
    for fact in counted:
        if fact.note.isdecimal():
            groups.setdefault((fact.result or "", int(fact.note)), []).append(fact)
    return [(groups[key], key[1]) for key in sorted(groups)]


def _runs(facts: Sequence[Fact], span: float) -> list[tuple[Fact, ...]]:
    """The facts that lie within `span` seconds of each in turn; one of unknown date may lie in any of them."""
    undated = [fact for fact in facts if fact.at is None]
    dated = sorted((fact.at, fact.id, fact) for fact in facts if fact.at is not None)
    runs = [(*undated, *(fact for at, _, fact in dated if first <= at < first + span)) for first, _, _ in dated]
    return runs or ([tuple(undated)] if undated else [])
