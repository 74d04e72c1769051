"""Refusals that stand: said, or implied by hanging up again and again. Only a newer lift frees them."""

from collections.abc import Iterable, Sequence

from firmware.known import Fact, FactKind, Rules


def standing(facts: Sequence[Fact], kind: FactKind) -> tuple[Fact, ...]:
    """The facts of one kind that no lift has freed."""
    lifts = [fact for fact in facts if fact.kind is FactKind.LIFT]
    return tuple(fact for fact in facts if fact.kind is kind and not any(_frees(lift, fact) for lift in lifts))


def refusals(facts: Sequence[Fact], rules: Rules) -> tuple[Fact, ...]:
    """The facts that are, alone or together, a refusal; none if nobody has refused."""
    return standing(facts, FactKind.REFUSAL) or _implied(facts, rules)


def _implied(facts: Sequence[Fact], rules: Rules) -> tuple[Fact, ...]:
    """So many hang-ups are a refusal without words. It hangs on no clock: once reached, time does not undo it."""
    counted = standing(facts, FactKind.COUNTED)
    for some, limit in [(counted, rules.gacha_limit), *_by_result(counted)]:
        together = _densest(some, rules.gacha_window)
        if len(together) >= limit:
            return together
    return ()


def _frees(lift: Fact, fact: Fact) -> bool:
    """A lift frees what is older. Where a date is unknown, it must name the call it means."""
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


def _densest(facts: Sequence[Fact], span: float) -> tuple[Fact, ...]:
    """The most facts that may lie within `span` seconds; one of unknown date may lie in any of them."""
    undated = [fact for fact in facts if fact.at is None]
    dated = sorted((fact.at, fact.id, fact) for fact in facts if fact.at is not None)
    runs = [[fact for at, _, fact in dated if first <= at < first + span] for first, _, _ in dated]
    return (*undated, *max(runs, key=len, default=[]))
