"""A subscriber's line as the modem's relay sees it: loop current, tones, and one sound in each direction."""

from collections import deque
from collections.abc import Callable
from typing import Literal

from hw.contracts import SILENCE
from hw.emulated.analogoptions import AnalogCircumstances
from hw.emulated.analogtones import COUNTRIES, SPECIAL, Country, KeyEar, Sound, frames_in, key_sound, mixed
from hw.emulated.exchange import Exchange
from hw.emulated.farend import BUSY, UNASSIGNED, Progress

State = Literal["on-hook", "dead", "dial tone", "collecting", "setting up", "alerting", "talking", "cleared"]
Heard = Literal["", "dial tone", "ring-back", "busy", "special", "voice"]
Event = Literal["polarity", "loop break", "key begins", "key ends"]

PATIENCE = frames_in(1.5)  # after the last digit, for one more
DIAL_TONE_AFTER = frames_in(0.1)
LOOP_BREAK = frames_in(0.6)


class AnalogLine:
    """Off-hook it carries sound between the modem and the exchange, a frame at a time, and tells what tone it is.

    For the modem's thread only. `tell` gets the events with the key, or "".
    """

    def __init__(self, exchange: Exchange, around: AnalogCircumstances, tell: Callable[[Event, str], None]) -> None:
        self._exchange, self._around, self._tell = exchange, around, tell
        self._state: State = "on-hook"
        self._at = 0  # frames in this state
        self._tone: tuple[Heard, Sound | None] = ("", None)
        self._digits = ""
        self._ear = KeyEar()
        self._keys: deque[tuple[str, int]] = deque()  # that the far end presses, and frames left of each
        self._echo = SILENCE

    @property
    def off_hook(self) -> bool:
        """Whether loop current flows: the exchange sees us."""
        return self._state != "on-hook"

    @property
    def state(self) -> State:
        """How far the line is."""
        return self._state

    @property
    def heard(self) -> Heard:
        """What an ear on the line would call the present frame."""
        if self._state == "talking":
            return "voice"
        name, sound = self._tone
        return name if sound is not None and sound.sounds(self._at) else ""

    def seize(self) -> None:
        """Close the loop: answers a call that rings, else brings dial tone. Harmless when it is closed."""
        if self.off_hook:
            return
        if not self._around.line:
            self._enter("dead")
        elif self._exchange.answer():
            self._enter("talking")
        else:
            self._enter("dial tone", "dial tone", self._country.dial)

    def release(self) -> None:
        """Open the loop: whatever was is over."""
        if self.off_hook:
            self._enter("on-hook")
            self._exchange.release()

    def press(self, key: str) -> None:
        """The far end presses a key for 100 ms; nobody hears it before the answer."""
        self._keys.append((key, frames_in(0.1)))

    def follow(self, progress: Progress) -> None:
        """The exchange has moved."""
        if not self.off_hook or self._state in ("dead", "cleared"):
            return
        if progress.state == "alerting":
            self._enter("alerting", "ring-back", self._country.ring_back)
        elif progress.state == "talking" and self._state != "talking":
            self._enter("talking")
            self._reverse()
        elif progress.state == "idle" and not progress.ended_here:
            self._clear(progress.cause)

    def digit(self, key: str, *, pulses: bool = False) -> None:
        """A dialled digit reaches the exchange, or the far end once there is one."""
        if self._state == "talking":
            if not pulses:
                self._exchange.key(key)
        elif self._state in ("dial tone", "collecting") and (pulses or self._around.tone_dialling):
            self._digits += key
            self._enter("collecting")
            if self._digits in self._exchange.book:
                self._call()

    def carry(self, said: bytes) -> bytes:
        """20 ms: what is said goes out, what is heard comes back."""
        self._at += 1
        for key in self._ear.hear(said):
            self.digit(key)
        self._pass_time()
        self._exchange.uplink(said)
        return self._echoed(self._far_keys(self._downlink()), said)

    # The exchange's side.

    @property
    def _country(self) -> Country:
        return COUNTRIES[self._around.country]

    def _enter(self, state: State, heard: Heard = "", sound: Sound | None = None) -> None:
        self._state, self._at, self._tone = state, 0, (heard, sound)
        if state in ("on-hook", "dial tone"):
            self._digits = ""
            self._ear = KeyEar()
            self._keys.clear()

    def _call(self) -> None:
        number, self._digits = self._digits, ""
        if self._exchange.dial(number):
            self._enter("setting up")
        else:
            self._clear(BUSY)

    def _clear(self, cause: int) -> None:
        was_talking = self._state == "talking"
        if cause == UNASSIGNED and self._around.announces:
            self._enter("cleared", "special", SPECIAL)
        elif not was_talking or self._around.clearing == "busy":
            self._enter("cleared", "busy", self._country.busy)
        elif self._around.clearing == "silence":
            self._enter("cleared")
        else:
            if self._around.clearing == "loop break":
                self._tell("loop break", "")
            self._enter("cleared", "dial tone", self._country.dial)
        if was_talking:
            self._reverse()

    def _reverse(self) -> None:
        if self._around.polarity:
            self._tell("polarity", "")

    def _pass_time(self) -> None:
        if self._state == "collecting" and self._at > PATIENCE:
            self._call()
        elif self._state == "cleared" and self._tone[0] == "busy" and self._at > frames_in(self._around.busy_for):
            self._enter("cleared", "dial tone", self._country.dial)

    # Sound.

    def _downlink(self) -> bytes:
        if self._state == "talking":
            return self._exchange.downlink()
        _, sound = self._tone
        early = self._tone[0] == "dial tone" and self._at < DIAL_TONE_AFTER
        return SILENCE if sound is None or early else sound.frame(self._at)

    def _far_keys(self, frame: bytes) -> bytes:
        if self._state != "talking" or not self._keys:
            return frame
        key, left = self._keys.popleft()
        if left == frames_in(0.1):
            self._tell("key begins", key)
        if left > 1:
            self._keys.appendleft((key, left - 1))
        else:
            self._tell("key ends", key)
        return mixed(frame, key_sound(key).frame(left))

    def _echoed(self, frame: bytes, said: bytes) -> bytes:
        loss, before = self._around.echo_db, self._echo
        self._echo = said
        return frame if loss is None else mixed(frame, before, 10 ** (-loss / 20))
