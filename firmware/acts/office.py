"""PINs, the menu and the line's own upkeep."""

from collections.abc import Callable
from typing import Literal, cast

from firmware.acts.act import Act, plain
from firmware.acts.dialling import Dialling
from firmware.callflow import Do, Place
from firmware.keys import Tap
from firmware.menu import Wish
from firmware.outcomes import Left, LogInWanted, PinAccepted, PinWanted
from firmware.parts import Parts
from firmware.pinpad import Granted
from hw.contracts import Post
from hw.events import Event


class Office:
    """Acts on the PIN pad and the menu."""

    def __init__(self, parts: Parts, dialling: Dialling, post: Post, speak: Callable[[str], None]) -> None:
        self._parts, self._dialling, self._post, self._speak = parts, dialling, post, speak

    def table(self) -> dict[Do, Act]:
        """The actions that are carried out here."""
        pinpad, menu = self._parts.pinpad, self._parts.menu
        return {
            Do.OPEN_PIN: self._open_pin,
            Do.PIN_KEY: self._pin_key,
            Do.PIN_ERASE: plain(pinpad.erase),
            Do.PIN_DONE: self._pin_done,
            Do.OPEN_MENU: plain(menu.open),
            Do.MENU_KEY: self._menu_key,
            Do.MENU_CHOOSE: lambda _e, _p: self._grant(menu.choose()),
            Do.MENU_UP: plain(lambda: menu.move(-1)),
            Do.MENU_DOWN: plain(lambda: menu.move(1)),
            Do.MENU_BACK: lambda _e, _p: menu.back(),
            Do.REOPEN: self._try_now,
        }

    def reopen(self) -> None:
        """Open the line again, whatever became of it."""
        self._parts.reconnect.tried()
        line = self._parts.hardware.line
        line.close()
        line.open(self._post)

    def _try_now(self, _event: Event, _place: Place) -> Event | None:
        """What a person can do for the line: key the PIN of a locked SIM, else have it opened again."""
        if self._parts.sim.keyable:
            self._parts.pinpad.open("sim")
            return PinWanted()
        if self._parts.sim.trouble != "checking":
            self.reopen()
        return None

    def unlock(self) -> None:
        """Give the SIM its PIN if that is the booth's to do, and not while somebody telephones for help."""
        pin = self._parts.sim.due()
        if pin is not None:
            self._parts.hardware.line.unlock(pin)

    def _open_pin(self, event: Event, _place: Place) -> None:
        if isinstance(event, LogInWanted):
            self._parts.pinpad.open("log-in")

    def _pin_key(self, event: Event, _place: Place) -> None:
        if isinstance(event, Tap):
            self._parts.pinpad.add(event.key)

    def _pin_done(self, _event: Event, _place: Place) -> Event | None:
        granted = self._parts.pinpad.done()
        if granted is None:
            return None
        if granted.purpose == "override":
            return self._dialling.grant(granted.reason)
        self._carry_out(granted)
        return PinAccepted()

    def _carry_out(self, granted: Granted) -> None:
        browsing = self._parts.browsing
        if granted.purpose == "log-in":
            self._parts.calls.log_in(granted.agent)
            self._parts.condition.agent = granted.agent
            self._parts.calls.remember("agent", granted.agent)
            browsing.notice = "logged-in"
        elif granted.pin:
            self._parts.hardware.line.unlock(granted.pin)
        elif granted.utc is not None:
            taken = self._parts.clock.hear(granted.utc, "keyed")
            refused = "clock-refused" if granted.utc < self._parts.clock.floor else "clock-far"
            browsing.notice = "clock-set" if taken else refused

    def _menu_key(self, event: Event, _place: Place) -> Event | None:
        if isinstance(event, Tap):
            return self._grant(self._parts.menu.key(event.key))
        return None

    def _grant(self, wish: Wish | None) -> Event | None:
        """Carry out what the menu could not do itself."""
        if wish is None:
            return None
        match wish.what:
            case "log":
                return self._log()
            case "supervisor":
                return self._set_clock()
            case "list":
                self._parts.browsing.choose_list(int(wish.value))
                return Left() if self._parts.menu.page == "lists" else None
            case "breaks":
                self._break(wish.value)
            case "volume":
                self._parts.conversation.louder(1 if wish.value == "louder" else -1)
            case "language":
                self._speak(cast(Literal["ja", "en"], wish.value))
            case "audio":
                self._parts.menu.outcome = self._parts.soundtest.start()
        return None

    def _log(self) -> Event | None:
        condition, calls = self._parts.condition, self._parts.calls
        if not self._parts.settings.agents:
            self._parts.menu.outcome = "no-log-in"
            return None
        if not condition.agent:
            self._parts.pinpad.open("log-in")
            return PinWanted()
        if condition.break_code:
            self._break("")
        calls.log_out(condition.agent)
        calls.remember("agent", "")
        condition.agent, self._parts.browsing.notice = "", "logged-out"
        return Left()

    def _set_clock(self) -> Event | None:
        if not self._parts.settings.supervisor.pin:
            self._parts.menu.outcome = "no-supervisor-pin"
            return None
        self._parts.pinpad.open("clock")
        return PinWanted()

    def _break(self, code: str) -> None:
        condition, calls, menu = self._parts.condition, self._parts.calls, self._parts.menu
        if condition.break_code:
            calls.break_ends(condition.agent)
            condition.break_code, menu.outcome = "", "break-over"
            return
        calls.break_begins(condition.agent, code)
        condition.break_code, menu.outcome = code, "on-break"
