"""Counted rules: no more than so many calls in a span of time, or none for so long after a certain one. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import Final

from firmware.hours import midnight_after
from firmware.known import DAY, Fact, FactKind, newest_first
from firmware.rulepack import Counter
from firmware.spans import seconds
from firmware.touches import Touch, touches

_COUNTED: Final[dict[str, Callable[[Touch], bool]]] = {
    "attempt": lambda touch: touch.dialled,
    "contact": lambda touch: touch.contact,
    "conversation": lambda touch: touch.talk,
    "abandoned": lambda touch: touch.abandoned,
}


class Frequency:
    """One counter over the calls of a number, or of a person's numbers. A call in the future (clock put back) counts."""

    def __init__(self, counter: Counter, facts: Sequence[Fact], zones: Sequence[str]) -> None:
        self._counter, self._zones = counter, zones
        self._touches = tuple(touches(facts))
        which = _COUNTED[counter.after or counter.count]
        self._counted = sorted((touch for touch in self._touches if which(touch)), key=lambda touch: -touch.at)
        self._asked = tuple(self._consents(facts))

    def holds(self, now: float) -> bool:
        """Whether the number must be left alone at `now`."""
        return now < self._until() and not any(first <= now < last for first, last in self._asked)

    def opens(self, now: float) -> float | None:
        """The first moment after `now` from which it may be called; None if that cannot be known."""
        ends = {self._until(), *(first for first, _last in self._asked)}
        free = (moment for moment in sorted(ends) if now < moment < inf and not self.holds(moment))
        return next(free, None)

    def evidence(self) -> tuple[Fact, ...]:
        """The facts of the calls that make it hold, newest first."""
        held = self._counted[: max(self._counter.max, 1)]
        return newest_first(fact for touch in held for fact in touch.facts)

    def _until(self) -> float:
        """When what was counted is few enough again."""
        if self._counter.after:
            return max(map(self._after, self._counted), default=-inf)
        if len(self._counted) < self._counter.max:
            return -inf
        return self._counted[self._counter.max - 1].at + seconds(self._counter.window)

    def _after(self, touch: Touch) -> float:
        span = seconds(self._counter.window)
        if self._counter.first_day_counts and touch.at < inf:
            return midnight_after(self._zones, touch.at, int(span // DAY))
        return touch.at + span

    def _consents(self, facts: Iterable[Fact]) -> Iterator[tuple[float, float]]:
        """When an asked-for callback frees one call: from its time on, for as long as the rule admits after the asking."""
        lasts = seconds(self._counter.consent)
        for fact in facts:
            if fact.kind is not FactKind.CALLBACK or fact.at is None or fact.due is None:
                continue
            used = any(touch.at >= fact.due for touch in self._touches)
            if lasts and not used:
                yield fact.due, fact.at + lasts
