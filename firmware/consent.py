"""Consents to be called: given with proof, for a product or for all, until a day or until they are withdrawn."""

from collections.abc import Sequence

from firmware.known import Fact, FactKind, newest_first
from firmware.refusal import covers


def consents(facts: Sequence[Fact], now: float | None, product: str = "") -> tuple[Fact, ...]:
    """The consents to be called about `product` that stand at `now`, newest first.

    With the time unknown, one that has an end counts as ended.
    """
    withdrawn = [fact for fact in facts if fact.kind is FactKind.WITHDRAWAL]
    return newest_first(
        fact
        for fact in facts
        if fact.kind is FactKind.CONSENT
        and covers(fact, product)
        and (fact.due is None or (now is not None and now < fact.due))
        and not any(_overtakes(one, fact) for one in withdrawn)
    )


def _overtakes(withdrawal: Fact, consent: Fact) -> bool:
    """A withdrawal is heeded unless the consent is known to be newer."""
    return withdrawal.at is None or consent.at is None or withdrawal.at >= consent.at
