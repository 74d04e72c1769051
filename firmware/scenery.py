"""What there is to show: the parts' bodies under one header."""

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from time import monotonic

from firmware import quality
from firmware.callflow import Place, State
from firmware.parts import Parts
from firmware.screens.scene import (
    Body,
    CallBody,
    Header,
    ListBody,
    OutOfOrderBody,
    RingingBody,
    Scene,
    SimBody,
)
from firmware.store import CardError
from firmware.text.times import days
from hw.events import Fault, LineLost

MEGABYTE = 1_000_000


class Scenery:
    """Makes the scene of any moment; changes nothing."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.script_page = 0
        self._bodies: dict[State, Callable[[], Body]] = {
            State.LIST: self._list,
            State.KEYING: parts.keying.body,
            State.PREVIEW: parts.browsing.preview_body,
            State.WHY: parts.browsing.blocked_body,
            State.BLOCKED: parts.browsing.blocked_body,
            State.ARMED: self._armed,
            State.WRAP_UP: lambda: parts.wrapup.body(memo=parts.memo.running),
            State.RINGING_IN: self._ringing,
            State.ANSWERING: self._ringing,
            State.OUT_OF_ORDER: self._out_of_order,
            State.MENU: self._menu,
            State.PIN_ENTRY: parts.pinpad.body,
        }
        self.armed: CallBody | None = None

    def scene(self, place: Place) -> Scene:
        """Everything a screen may show now; what the card does not tell is left out, and the screen says so."""
        try:
            body = self._bodies.get(place.state, lambda: self._conversation(place))()
        except CardError:
            body = ListBody(None, notice="card-full")
        return Scene(place.state, self._header(), body, tuple(self._parts.results))

    def _conversation(self, place: Place) -> Body:
        script, line = self._parts.settings.script.pages, self._parts.condition.model
        asked = place.state is State.END_ASKED
        impaired = bool(self._parts.condition.impaired)
        return self._parts.conversation.body(script, self.script_page, line=line, asked=asked, impaired=impaired)

    def _waiting(self) -> int:
        try:
            return self._parts.calls.pending()[0]
        except CardError:
            return 0

    def _header(self) -> Header:
        parts, waiting = self._parts, self._waiting()
        recording = "failed" if parts.calls.ailing else parts.conversation.recording
        return Header(
            now=parts.clock.now(),
            zone=parts.settings.zone,
            pending=waiting,
            synced=parts.liaison.synced(waiting),
            signal=parts.condition.signal,
            recording=recording,
            agent=parts.condition.agent,
            card=parts.upkeep.scarce,
        )

    def _list(self) -> Body:
        body = self._parts.browsing.list_body(self._parts.condition.owed or self._parts.calls.owed())
        scarce = self._parts.upkeep.scarce
        if body.notice or scarce is None:
            return body
        return replace(body, notice="card-soon" if scarce else "card-full")

    def _armed(self) -> Body:
        if self.armed is None:
            raise LookupError("nothing is armed")
        return self.armed

    def _ringing(self) -> Body:
        call = self._parts.condition.ringing
        if call is None:
            return RingingBody(None, None)
        calls, customer = self._parts.calls, call.customer
        same = calls.same_name(customer) if customer else 0
        known = call.number if call.number.key else None
        history = calls.history(call.number.key) if known else ()
        return RingingBody(known, customer, history, same, hidden=call.hidden)

    def _out_of_order(self) -> Body:
        condition = self._parts.condition
        lost = condition.fault or LineLost(Fault.SILENT)
        wait = self._parts.reconnect.wait(monotonic())
        scroll, sim = self._parts.browsing.scroll, self._parts.sim
        locked = lost.fault is Fault.SIM_LOCKED and sim.lock is not None
        card = SimBody(sim.trouble, sim.left, sim.keyable) if locked else None
        return OutOfOrderBody(lost.fault, lost.detail, condition.fault_since, wait or 0.0, scroll, card)

    def _menu(self) -> Body:
        return self._parts.menu.body(self._status, self._parts.conversation.volume, self._parts.soundtest.progress)

    def _status(self) -> tuple[tuple[str, str | float], ...]:
        """The status page: names of statuswords.STATUS, values as they are; a number is a moment."""
        parts, condition = self._parts, self._parts.condition
        return (
            ("sync", str(self._waiting())),
            *parts.liaison.lines(),
            ("card", f"{parts.vault.space() // MEGABYTE} MB"),
            ("card-full-in", "unknown" if parts.upkeep.days is None else days(parts.upkeep.days)),
            ("modem", condition.model or "-"),
            ("network", condition.operator or "-"),
            *quality.lines(parts.calls, condition.impaired),
            ("clock", parts.clock.source or "-"),
            ("agent", condition.agent or "-"),
            ("version", version("boothphone")),
        )
