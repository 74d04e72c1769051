"""The redial window: how long to leave a number alone after the calls it has had, and what opens it early."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from firmware.known import DAY, TALK, Fact, FactKind, Rules, newest_first


@dataclass(frozen=True, slots=True)
class _Touch:
    """One call that counts, put together from its facts."""

    at: float  # infinite where the date is unknown: it may have been this minute
    contact: bool
    gap: float
    facts: tuple[Fact, ...]


class Window:
    """Whether a number may be called again, at any moment. Calls in the future (a clock was put back) count too."""

    def __init__(self, facts: Sequence[Fact], rules: Rules) -> None:
        self._rules = rules
        self._touches = tuple(_touches(facts, rules))
        self._callback = _newest(facts, FactKind.CALLBACK)
        self._override = _newest(facts, FactKind.OVERRIDE)

    def holds(self, now: float) -> bool:
        """Whether the number must be left alone, unless something opens the window early."""
        if not self._touches:
            return False
        last = max(self._touches, key=lambda touch: (touch.at, touch.gap))
        return now < last.at + last.gap or self._full(now, contact=True) or self._full(now, contact=False)

    def asked_for(self, now: float) -> bool:
        """Whether the time has come at which the customer asked to be called, and nobody has called since."""
        callback = self._callback
        if callback is None or callback.due is None or not self._since(callback.due):
            return False
        agreed = -inf if callback.at is None else callback.at
        talked = any(touch.contact and touch.at > agreed for touch in self._touches if not _same_call(touch, callback))
        return callback.due <= now < callback.due + self._rules.callback_expires and not talked

    def overridden(self, now: float) -> bool:
        """Whether a supervisor's override still waits to be used."""
        at = None if self._override is None else self._override.at
        return at is not None and at <= now < at + self._rules.override_lasts and self._since(at)

    def opens(self, now: float) -> float | None:
        """The earliest moment from which the number may be called; None if that cannot be known."""
        return next((moment for moment in sorted(self._changes()) if moment > now and self._free(moment)), None)

    def evidence(self, now: float) -> tuple[Fact, ...]:
        """The facts of the calls that count now and of the callback that was agreed, newest first."""
        facts = {fact for touch in self._touches if now < touch.at + max(DAY, touch.gap) for fact in touch.facts}
        return newest_first(facts if self._callback is None else facts | {self._callback})

    def _free(self, moment: float) -> bool:
        return not self.holds(moment) or self.asked_for(moment) or self.overridden(moment)

    def _changes(self) -> Iterator[float]:
        """The moments at which a number that was held may become free."""
        for touch in self._touches:
            if touch.at < inf:
                yield from (touch.at + touch.gap, touch.at + DAY)
        if self._callback is not None and self._callback.due is not None:
            yield self._callback.due
        if self._override is not None and self._override.at is not None:
            yield self._override.at

    def _full(self, now: float, *, contact: bool) -> bool:
        limit = self._rules.max_per_day if contact else self._rules.max_unanswered_per_day
        return sum(touch.contact is contact and now < touch.at + DAY for touch in self._touches) >= limit

    def _since(self, moment: float) -> bool:
        """Whether nobody has called from `moment` on."""
        return all(touch.at < moment for touch in self._touches)


def _touches(facts: Sequence[Fact], rules: Rules) -> Iterator[_Touch]:
    calls: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.kind in (FactKind.ATTEMPT, FactKind.CONTACT, FactKind.VOID):
            calls.setdefault(fact.call or fact.id, []).append(fact)
    for together in calls.values():
        kinds = {fact.kind for fact in together}
        # Whoever has spoken to a human has called, even if another result of the call says that the network failed.
        if FactKind.CONTACT in kinds or FactKind.VOID not in kinds:
            yield _touch(tuple(together), rules)


def _touch(facts: tuple[Fact, ...], rules: Rules) -> _Touch:
    contacts = [fact for fact in facts if fact.kind is FactKind.CONTACT]
    gap = rules.min_gap_any if contacts else rules.min_gap_unanswered
    if any(fact.note == TALK for fact in contacts):
        gap = max(gap, rules.min_gap_after_talk)
    at = max((fact.at for fact in facts if fact.at is not None), default=inf)
    return _Touch(at, bool(contacts), gap, facts)


def _same_call(touch: _Touch, callback: Fact) -> bool:
    return callback.call is not None and any(fact.call == callback.call for fact in touch.facts)


def _newest(facts: Sequence[Fact], kind: FactKind) -> Fact | None:
    """The newest of a kind; among those without a date or of one moment, the last by id."""
    some = [fact for fact in facts if fact.kind is kind]
    return max(some, key=lambda fact: (-inf if fact.at is None else fact.at, fact.id), default=None)
