"""Where the guard is asked: gathers the facts, the rules and the time for one number, at the moment of dialling."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from firmware.calls import Calls
from firmware.claims import Claims
from firmware.clock import Clock
from firmware.customers import Customer
from firmware.known import Hold
from firmware.numbers import Kind, Number
from firmware.redial import Callee, Decision, Fact, Listing, Verdict, decide
from firmware.registers import RegisterError, Registers
from firmware.rulebook import InForce
from firmware.zones import zones_of

_STRICTER: Final = (Verdict.ALLOW, Verdict.WARN, Verdict.BLOCK)


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a call would reach: a number, and the customer it belongs to if the list knows one."""

    number: Number
    customer: Customer | None


class Gate:
    """Asks the redial guard about one number and one moment."""

    def __init__(
        self,
        calls: Calls,
        clock: Clock,
        law: InForce,
        claims: Claims,
        registers: Registers,
        *,
        zone: str = "Asia/Tokyo",
    ) -> None:
        """`zone` is the booth's own: what a number that tells no zone is taken to be in."""
        self._calls, self._clock, self._law, self._claims = calls, clock, law, claims
        self._registers, self._zone = registers, zone

    def decide(self, target: Target, *, owed: bool = False, override: bool = False) -> Decision:
        """The verdict for `target` right now; a result that is still owed blocks everyone else.

        `owed`: one is, whether or not the card could be told of it. For an emergency the card is not even asked.
        """
        if target.number.kind is Kind.EMERGENCY:
            return decide(target.number, (), self._law.book, self._clock.now(), override=override)
        owed = owed or self._calls.owed() is not None
        # A clock that has jumped may be right or wrong: what is forbidden in either case is forbidden.
        decisions: list[Decision] = []
        for doubt, late in (*((doubt, True) for doubt in self._clock.doubts), (0.0, False)):
            facts = self._calls.facts(target.number.key, doubt, late=late)
            decisions.append(self._decided(target, facts, owed=owed, override=override))
            if decisions[-1].verdict is Verdict.BLOCK:
                break
        return max(decisions, key=lambda one: _STRICTER.index(one.verdict))

    def _decided(self, target: Target, facts: tuple[Fact, ...], *, owed: bool, override: bool) -> Decision:
        """The verdict by such facts."""
        key = target.number.key
        return decide(
            target.number,
            (*facts, *self._claims.held(key)),
            self._law.book,
            self._clock.now(),
            callee=self._callee(target),
            on_list=target.customer is not None,
            owed=owed,
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
        callee, on_list = self._callee(target), target.customer is not None
        return decide(target.number, facts, self._law.book, moment, callee=callee, on_list=on_list)

    def _callee(self, target: Target) -> Callee:
        """Where the number may be, what its owner's other numbers know, and what the registers say."""
        key = target.number.key
        return Callee(zones_of(key, self._zone), self._kin(target), self._listings(key))

    def _kin(self, target: Target) -> tuple[Fact, ...]:
        customer = target.customer
        numbers = (customer.number, *customer.others) if customer is not None else ()
        others = {number.key for number in numbers} - {target.number.key}
        return tuple(fact for key in sorted(others) for fact in self._calls.facts(key))

    def _listings(self, key: str) -> dict[str, Listing]:
        """What the registers say; one that cannot be asked is as good as missing, and the guard then blocks."""
        found: dict[str, Listing] = {}
        for name in self._law.book.registers:
            with suppress(RegisterError):
                found |= {one.name: Listing(one.asof, on) for one, on in self._registers.look_up(key, (name,))}
        return found
