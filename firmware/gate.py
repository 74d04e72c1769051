"""Where the guard is asked: gathers the facts, the rules and the time for one number, at the moment of dialling."""

from dataclasses import dataclass

from firmware.calls import Calls
from firmware.claims import Claims
from firmware.clock import Clock
from firmware.customers import Customer
from firmware.known import Hold
from firmware.numbers import Kind, Number
from firmware.redial import Decision, Rules, decide


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a call would reach: a number, and the customer it belongs to if the list knows one."""

    number: Number
    customer: Customer | None


class Gate:
    """Asks the redial guard about one number and one moment."""

    def __init__(self, calls: Calls, clock: Clock, rules: Rules, claims: Claims) -> None:
        self._calls, self._clock, self._rules, self._claims = calls, clock, rules, claims

    def decide(self, target: Target, *, owed: bool = False, override: bool = False) -> Decision:
        """The verdict for `target` right now; a result that is still owed blocks everyone else.

        `owed`: one is, whether or not the card could be told of it. For an emergency the card is not even asked.
        """
        key, free = target.number.key, target.number.kind is Kind.EMERGENCY
        return decide(
            target.number,
            () if free else (*self._calls.facts(key), *self._claims.held(key)),
            self._rules,
            self._clock.now(),
            on_list=target.customer is not None,
            owed=owed or not (free or self._calls.owed() is None),
            override=override,
        )

    def settle(self, target: Target) -> Hold:
        """How the booth stands with a number that it is about to dial; waits a moment for the server's word."""
        return self._claims.settle(target.number)

    def look_ahead(self, target: Target | None) -> None:
        """Whom the agent may be about to call."""
        self._claims.want(target.number if target is not None else None)

    def foresee(self, target: Target, moment: float) -> Decision:
        """What the verdict will be at `moment` (UTC seconds), so far as is known today."""
        facts = self._calls.facts(target.number.key)
        return decide(target.number, facts, self._rules, moment, on_list=target.customer is not None)
