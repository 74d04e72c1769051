"""The redial window: how long to leave a number alone after the calls it has had, and what opens it early."""

from collections.abc import Iterator, Sequence
from math import inf

from firmware.known import DAY, Fact, FactKind, Rules, newest_first
from firmware.touches import Touch, touches


class Window:
    """Whether a number may be called again, at any moment. Calls in the future (a clock was put back) count too."""

    def __init__(self, facts: Sequence[Fact], rules: Rules) -> None:
        self._rules = rules
        self._touches = tuple(touches(facts))
        self._callback = _newest(facts, FactKind.CALLBACK)
        self._override = _newest(facts, FactKind.OVERRIDE)

    def holds(self, now: float) -> bool:
        """Whether the number must be left alone, unless something opens the window early."""
        if not self._touches:
            return False
        last = max(self._touches, key=lambda touch: (touch.at, self._gap(touch)))
        return now < last.at + self._gap(last) or self._full(now, contact=True) or self._full(now, contact=False)

    def closed(self, now: float) -> bool:
        """Whether the number must be left alone at `now`, but for a supervisor's word."""
        return self.holds(now) and not self.asked_for(now)

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
        facts = {fact for touch in self._touches if now < touch.at + max(DAY, self._gap(touch)) for fact in touch.facts}
        return newest_first(facts if self._callback is None else facts | {self._callback})

    def _free(self, moment: float) -> bool:
        return not self.closed(moment) or self.overridden(moment)

    def _changes(self) -> Iterator[float]:
        """The moments at which a number that was held may become free."""
        for touch in self._touches:
            if touch.at < inf:
                yield from (touch.at + self._gap(touch), touch.at + DAY)
        if self._callback is not None and self._callback.due is not None:
            yield self._callback.due
        if self._override is not None and self._override.at is not None:
            yield self._override.at

    def _full(self, now: float, *, contact: bool) -> bool:
        limit = self._rules.max_per_day if contact else self._rules.max_unanswered_per_day
        return sum(touch.contact is contact and now < touch.at + DAY for touch in self._touches) >= limit

    def _gap(self, touch: Touch) -> float:
        if not touch.contact:
            return self._rules.min_gap_unanswered
        return max(self._rules.min_gap_any, self._rules.min_gap_after_talk if touch.talk else 0.0)

    def _since(self, moment: float) -> bool:
        """Whether nobody has called from `moment` on."""
        return all(touch.at < moment for touch in self._touches)


def _same_call(touch: Touch, callback: Fact) -> bool:
    return callback.call is not None and any(fact.call == callback.call for fact in touch.facts)


def _newest(facts: Sequence[Fact], kind: FactKind) -> Fact | None:
    """The newest of a kind; among those without a date or of one moment, the last by id."""
    some = [fact for fact in facts if fact.kind is kind]
    return max(some, key=lambda fact: (-inf if fact.at is None else fact.at, fact.id), default=None)
