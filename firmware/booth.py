"""The booth: one inbox, one thread: event → callflow.step → actions carried out → the screen."""

import logging
import queue
import time
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from firmware import callflow, quality
from firmware.acts.calling import Calling
from firmware.acts.dialling import Dialling
from firmware.acts.office import Office
from firmware.acts.wandering import Wandering
from firmware.acts.wrapping import Wrapping
from firmware.callflow import IN_CALL, Place, State
from firmware.display import Display
from firmware.keys import Keys
from firmware.keytones import KeyTonesHeard
from firmware.liaison import QUIET, Synced
from firmware.outcomes import TimedOut
from firmware.parts import Parts
from firmware.scenery import Scenery
from firmware.screens import views
from firmware.screens.scene import Scene
from firmware.screens.view import View
from firmware.signs import Signs
from firmware.store import CardError
from firmware.text.catalogue import Text, load
from firmware.vault import RecordingFailed
from firmware.watchdog import Watchdog
from hw.contracts import TextScreen
from hw.events import (
    GONE,
    AudioFailed,
    Event,
    Fault,
    HookLifted,
    HookReplaced,
    KeyHeld,
    KeyPressed,
    KeyReleased,
    LineDegraded,
    LineLost,
    LineReady,
    SignalChanged,
    SimLocked,
    TimeHeard,
)

log = logging.getLogger(__name__)
TURN = 1.0  # seconds after which the screen is looked at even when nothing happens
RESTARTS_WITHIN = 60.0  # seconds: a SIM7600 takes 20 to 30
Watcher = Callable[[Scene, View], None]


class Booth:
    """Takes what happens, one event after the other, on the thread that calls run()."""

    def __init__(self, parts: Parts, inbox: "queue.SimpleQueue[Event | None]", display: Display) -> None:
        self._parts, self._inbox, self._display = parts, inbox, display
        self._scenery = Scenery(parts)
        self._calling = Calling(parts, self._scenery)
        self._dialling = dialling = Dialling(parts, self._scenery, self.post)
        self._office = Office(parts, dialling, self.post, self._speak)
        wrapping = Wrapping(parts, self._calling)
        self._acts = dict(self._calling.table() | dialling.table() | self._office.table())
        self._acts |= wrapping.table() | Wandering(parts).table()
        self._place, self._keys, self._deadline = Place(), Keys(), float("inf")
        self._signs, self._watchdog = Signs(parts.hardware.lamps), Watchdog()
        self._watchers: list[Watcher] = []
        self._shown: View | None = None
        self._untidy = True
        self._text: Text = load("ja")
        self._speak(parts.condition.language)

    @property
    def place(self) -> Place:
        """Where the booth is; for watching, not for deciding."""
        return self._place

    def post(self, event: Event) -> None:
        """Hand in an event, from any thread."""
        self._inbox.put(event)

    def watch(self, watcher: Watcher) -> None:
        """Have `watcher` called with each new scene and view, on the booth's thread."""
        self._watchers.append(watcher)

    def stop(self) -> None:
        """End run() after what has been handed in already; from any thread."""
        self._inbox.put(None)

    def run(self) -> None:
        """Open the devices and serve until stop(). An error of ours ends it; systemd starts the booth again."""
        hardware = self._parts.hardware
        try:
            self._parts.liaison.open()
            hardware.line.open(self.post)
            hardware.hook.open(self.post)
            hardware.keypad.open(self.post)
            self._watchdog.ready()
            self._show()
            self._serve()
        finally:
            self._close()

    def _serve(self) -> None:
        while True:
            try:
                event = self._inbox.get(timeout=self._patience())
            except queue.Empty:
                self._rest()
                self._turn()
                continue
            if event is None:
                return
            self._hear(event)
            self._turn()

    def _patience(self) -> float:
        """Seconds until something is due even if nothing happens: the next full second, a time-out, a reconnection."""
        if self._parts.liaison.busy(self._place.state):
            return 0.001
        now = monotonic()
        waits = [TURN - time.time() % TURN, self._deadline - now]
        retry = self._parts.reconnect.wait(now)
        return max(0.001, min(waits if retry is None else [*waits, retry]))

    def _rest(self) -> None:
        """Nobody has done anything for a moment: the time for lists that came, and for the database's housekeeping."""
        if self._parts.liaison.busy(self._place.state):
            self._parts.liaison.work()
        elif (self._untidy or self._parts.calls.ailing) and self._place.state is State.LIST:
            self._untidy = not self._tidied()
        elif self._place.state in QUIET:
            self._parts.upkeep.turn()

    def _tidied(self) -> bool:
        """Whether the card took what it had refused before, and the housekeeping; if not, the next moment will do."""
        try:
            self._parts.conversation.write_ends()
            self._parts.calls.try_card()
            self._parts.calls.tidy()
        except CardError:
            return False
        return True

    def _turn(self) -> None:
        """What is due at this moment, then the screen."""
        now = monotonic()
        if now >= self._deadline:
            self._deadline = float("inf")
            self._step(TimedOut())
        if self._parts.reconnect.wait(now) == 0.0 and self._place.state not in IN_CALL:
            self._office.reopen()
        if self._place.state not in IN_CALL:
            self._office.unlock()
        self._parts.conversation.tick()
        self._parts.memo.tick()
        self._parts.menu.outcome = self._parts.soundtest.verdict() or self._parts.menu.outcome
        self._tell_faults()
        self._watchdog.alive()
        self._show()

    def _tell_faults(self) -> None:
        condition = self._parts.condition
        line = f"line:{condition.fault.fault.name}" if condition.fault else ""
        clock = "" if self._parts.clock.source else "time-unknown"
        self._parts.liaison.tell(line, clock)

    def _hear(self, event: Event) -> None:
        if isinstance(event, KeyPressed | KeyHeld | KeyReleased):
            for stroke in self._keys.hear(event, callflow.holds(self._place)):
                self._step(stroke)
                self._dialling.look_ahead(self._place)
        elif isinstance(event, Synced):
            with suppress(CardError):
                self._parts.liaison.heard()
        elif not self._parts.condition.echoes.swallows(event, dialled=self._parts.conversation.dialled):
            self._note(event)
            self._step(event)

    def _note(self, event: Event) -> None:
        """What is true of the booth from now on, whatever state it is in."""
        condition, parts = self._parts.condition, self._parts
        match event:
            case HookLifted() | HookReplaced():
                condition.lifted = isinstance(event, HookLifted)
            case LineReady() | LineLost() | SimLocked() | LineDegraded():
                self._note_line(event)
            case SignalChanged(bars):
                condition.signal = bars
            case TimeHeard(utc):
                parts.clock.hear(utc)
            case RecordingFailed():
                parts.conversation.recording_failed()
            case KeyTonesHeard():
                parts.conversation.note_key_tones(event)
            case AudioFailed(why):
                log.warning("no sound: %s", why)
                parts.conversation.sound_failed()

    def _note_line(self, event: LineReady | LineLost | SimLocked | LineDegraded) -> None:
        condition, parts = self._parts.condition, self._parts
        match event:
            case LineReady(model, operator):
                condition.model, condition.operator, condition.fault = model, operator, None
                condition.back_by = 0.0
                parts.reconnect.ready()
                self._sim_opened()
            case LineLost(fault):
                if condition.fault is None or condition.fault.fault is not self._to_show(event).fault:
                    condition.fault_since = parts.clock.now()
                condition.fault, condition.signal = self._to_show(event), None
                if fault in GONE:
                    parts.reconnect.lost(monotonic())
                    parts.sim.gone()
                    condition.impaired = ""
                elif fault is Fault.NO_NETWORK:  # which is looked for only once the SIM is open
                    self._sim_opened()
            case SimLocked():
                parts.sim.locked(event)
            case LineDegraded(why):
                log.warning("the line is impaired: %s", why)
                condition.impaired = why
                quality.note_degraded(parts.calls, why)

    def _to_show(self, lost: LineLost) -> LineLost:
        """What the agent is told: a modem that restarts leaves its socket, and nobody is to plug it in again for that."""
        condition = self._parts.condition
        if lost.fault is Fault.RESTARTING:
            condition.back_by = monotonic() + RESTARTS_WITHIN
        away = lost.fault in {Fault.ABSENT, Fault.UNPLUGGED} and monotonic() < condition.back_by
        return condition.fault if away and condition.fault else lost

    def _sim_opened(self) -> None:
        if self._parts.sim.opened():
            self._parts.browsing.notice = "sim-opened"

    def _step(self, event: Event) -> None:
        """Step the flow, and whatever outcome its actions have."""
        following: Event | None = event
        while following is not None:
            before = self._place
            self._place, actions = callflow.step(before, following)
            if self._place.state is not before.state:
                self._untidy = True
                self._keys.moved()
                self._parts.memo.stop()
                self._parts.soundtest.stop()
                self._deadline = monotonic() + callflow.TIMES.get(self._place.state, float("inf"))
            try:
                following = self._act(actions, following)
            except CardError:
                following = None
                self._place = callflow.missed(before, self._place)
                self._parts.browsing.notice = self._parts.menu.outcome = "card-full"

    def _act(self, actions: tuple[callflow.Do, ...], event: Event) -> Event | None:
        """Carry the actions out in order; an outcome ends the row."""
        for action in actions:
            outcome = self._acts[action](event, self._place)
            if outcome is not None:
                return outcome
        return None

    def _speak(self, language: str) -> None:
        """Show everything in `language` from now on."""
        characters = isinstance(self._parts.hardware.screen, TextScreen)
        self._text = load("ja_kana" if language == "ja" and characters else language)
        self._parts.condition.language = language
        self._parts.calls.remember("language", language)

    def _show(self) -> None:
        scene = self._scenery.scene(self._place)
        view = views.view(scene, self._text)
        self._signs.show(scene, ready=self._place.line)
        if view == self._shown:
            return
        self._shown = view
        self._display.show(view)
        for watcher in self._watchers:
            watcher(scene, view)

    def _close(self) -> None:
        hardware = self._parts.hardware
        hardware.keypad.close()
        hardware.hook.close()
        while self._place.state in IN_CALL:
            self._step(TimedOut() if self._place.state is State.HOOK_HELD else HookReplaced())
        hardware.line.close()
        hardware.handset.close()
        self._display.close()
        for lamp in hardware.lamps.values():
            lamp.close()
        self._parts.vault.close()
        self._parts.liaison.close()
        self._parts.calls.close()
        self._watchdog.stopping()
