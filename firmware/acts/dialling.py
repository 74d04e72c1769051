"""From the wish to call to the dial: the guard, the warning, the handset, a supervisor's override."""

import uuid
from dataclasses import replace

from firmware.acts.act import Act
from firmware.callflow import Do, Place, State
from firmware.calls import Call
from firmware.gate import Target
from firmware.outcomes import (
    Armed,
    Cleared,
    LogInWanted,
    NotDialled,
    OverrideAsked,
    Refused,
    ResultOwed,
    Warned,
)
from firmware.parts import Parts
from firmware.redial import Decision, Fact, FactKind, Reason, Verdict
from firmware.scenery import Scenery
from firmware.screens.scene import CallBody
from firmware.store import CardError
from hw.contracts import Post
from hw.events import GONE, Cause, Event, Party

SOON = frozenset({State.LIST, State.KEYING, State.PREVIEW})


class Dialling:
    """Nothing is dialled here without a verdict of this very moment."""

    def __init__(self, parts: Parts, scenery: Scenery, post: Post) -> None:
        self._parts, self._scenery, self._post = parts, scenery, post
        self._target: Target | None = None
        self._decision: Decision | None = None
        self._armed: Target | None = None
        self._given = ""  # why a number off the list is dialled, as it was keyed

    def table(self) -> dict[Do, Act]:
        """The actions that are carried out here."""
        return {
            Do.ASK: self._ask,
            Do.ASK_LIFTED: self._ask_lifted,
            Do.DIAL: self._dial,
            Do.ASK_OVERRIDE: self._ask_override,
        }

    def grant(self, reason: str) -> Event | None:
        """A supervisor lets the blocked call pass the redial window, once; it is written down before it is used."""
        target, condition = self._parts.browsing.target, self._parts.condition
        if target is None:
            return None
        fact = Fact(
            id=str(uuid.uuid4()),
            kind=FactKind.OVERRIDE,
            number=target.number.key,
            at=self._parts.clock.now(),
            booth=self._parts.settings.booth,
            agent=condition.agent,
            note=reason,
        )
        try:
            self._parts.calls.add_fact(fact)
        except CardError:
            return Refused()
        self._given = self._given or "off-list"
        return self._judge(target, seen=True)  # the supervisor has seen more than any warning

    def _ask(self, _event: Event, place: Place) -> Event | None:
        if place.emergency:
            return self._judge(self._parts.keying.target()) if self._parts.keying.is_emergency_number else None
        seen = self._seen(place.state)
        if place.state is State.KEYING:
            self._given = self._parts.keying.take_reason()
        return self._judge(self._wanted(place.state), seen=seen)

    def _ask_lifted(self, _event: Event, _place: Place) -> Event | None:
        """Lifting the handset dials an emergency number at once; any other waits for A."""
        return self._judge(self._parts.keying.target()) if self._parts.keying.is_emergency_number else None

    def _wanted(self, state: State) -> Target | None:
        if state is State.KEYING:
            return self._parts.keying.target()
        if state is State.ARMED:
            return self._armed
        if state is State.LIST:
            customer = self._parts.browsing.chosen
            return Target(customer.number, customer) if customer else None
        return self._parts.browsing.target

    def _seen(self, state: State) -> bool:
        """Whether the screen shows the warning, so that this is the one more key that it wants."""
        match state:
            case State.KEYING:
                return self._parts.keying.warned
            case State.PREVIEW:
                return self._parts.browsing.warned
        return state is State.ARMED

    def _judge(self, target: Target | None, *, seen: bool = False) -> Event | None:
        if target is None:
            return None
        decision = self._decided(target)
        self._target, self._decision = target, decision
        if decision.reason is Reason.EMERGENCY:
            return Cleared()
        if decision.reason is Reason.RESULT_OWED:
            return ResultOwed()
        if self._parts.settings.agents and not self._parts.condition.agent:
            return LogInWanted()
        return self._verdict(target, decision, seen=seen)

    def look_ahead(self, place: Place) -> None:
        """Whom the screen shows may be called next: the server is asked early, so that the dial need not wait."""
        if place.state in SOON and not place.emergency:
            self._parts.gate.look_ahead(None if place.state is State.LIST else self._wanted(place.state))

    def _decided(self, target: Target) -> Decision:
        """The guard's word. Only a call that nothing else forbids waits for the server's."""
        owed = self._parts.condition.owed is not None
        decision = self._parts.gate.decide(target, owed=owed)
        if decision.verdict is Verdict.BLOCK and decision.reason is not Reason.CLAIMED:
            return decision
        hold = self._parts.gate.settle(target)
        return replace(self._parts.gate.decide(target, owed=owed), claim=hold)

    def _verdict(self, target: Target, decision: Decision, *, seen: bool) -> Event:
        if decision.verdict is Verdict.BLOCK:
            self._parts.browsing.look_at(target)
            return Refused()
        unexplained = decision.reason is Reason.OFF_LIST and not self._given  # whatever other warning was seen
        if decision.verdict is Verdict.WARN and (unexplained or not seen):
            return self._warn(target, decision)
        if self._parts.settings.hook.kind == "none" or self._parts.condition.lifted:
            return Cleared()
        self._armed = target
        self._scenery.armed = CallBody(
            Call("", target.number, target.customer), 0.0, history=self._parts.calls.history(target.number.key)
        )
        return Armed()

    def _warn(self, target: Target, decision: Decision) -> Warned:
        self._parts.keying.warn(decision)
        if target.customer is not None:
            self._parts.browsing.look_at(target)
            self._parts.browsing.warned = True
        return Warned()

    def _dial(self, _event: Event, place: Place) -> Event | None:
        parts, target, decision = self._parts, self._target, self._decision
        if target is None or decision is None:
            raise LookupError("a dial without a verdict")
        ringing, parts.condition.ringing = parts.condition.ringing, None
        if ringing is not None:  # whoever calls in must wait; the line will report that end, too
            parts.condition.echoes.expect()
        fault = parts.condition.fault
        if not place.line and fault is not None and fault.fault in GONE:
            parts.hardware.line.close()
            parts.hardware.line.open(self._post)
        self._scenery.script_page = 0
        try:
            parts.conversation.place(target, decision, parts.condition.agent, self._reason(target, decision))
        except CardError:
            parts.browsing.notice = "card-full"
            return NotDialled()
        if ringing is not None:
            parts.conversation.miss(ringing, parts.condition.agent, Cause.REJECTED, Party.NEAR)
        if target.customer is not None:
            parts.keying.previous = target.customer
            parts.browsing.follow(target.customer)
        return None

    def _reason(self, target: Target, decision: Decision) -> str:
        """Why a call to nobody on the list was made: the books want one."""
        if target.customer is not None:
            return ""
        return "service" if decision.reason is Reason.SERVICE_NUMBER else self._given or "off-list"

    def _ask_override(self, _event: Event, _place: Place) -> Event | None:
        target = self._parts.browsing.target
        if target is None or not self._parts.settings.supervisor.pin:
            return None
        decision = self._parts.gate.decide(target)
        if decision.reason is Reason.TIME_UNKNOWN:
            self._parts.pinpad.open("clock")
            return OverrideAsked()
        if decision.verdict is not Verdict.BLOCK or not decision.overridable:
            return None
        self._parts.pinpad.open("override")
        return OverrideAsked()
