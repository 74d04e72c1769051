"""A telephone line on a V.253 analog voice modem, with its sound through the same serial port.

How it dials: the line is taken, the digits are dialled with `;` behind them, so that the modem comes back at once, and
full duplex begins straight away. The agent hears ring-back, announcements and the first word as on any telephone; a
modem left to judge by itself (dial without `;`) is deaf until it believes in an answer, seconds late. Where a modem
refuses the `;`, it is left to judge. What became of the call is told by its codes and by our own ear (`hw.cadence`),
whichever comes first; an answer is therefore `estimated`, and an end by the far side not `sure`.

Where full duplex is missing, or with `handset="jack"`, the agent talks on a telephone at the modem's own jack, and the
line's sound is for the record only.
"""

import re
import threading
from collections.abc import Callable
from typing import Literal

from hw.analogphone import AnalogPhone
from hw.cadence import COUNTRIES
from hw.contracts import Audio, Post
from hw.errors import HardwareError, MisuseError, WiringError
from hw.events import CallEnded, Cause, Party
from hw.modems.analog import MODELS, AnalogModel
from hw.voicesetup import Setup
from hw.voicesound import VoiceSound
from hw.voicewire import VoiceWire
from hw.worker import Bell, Worker

DIALLABLE = re.compile(r"[0-9*#+]+")
TONES = re.compile(r"[0-9*#A-D]+")


class VoiceModem:
    """Fulfils `contracts.Line`: `port` takes commands and carries the sound.

    `model` is a name of `hw.modems.analog.MODELS` or "auto"; `country` (JP, US, EU) says which tones to expect.
    """

    def __init__(
        self,
        port: str,
        model: str | AnalogModel = "auto",
        country: str = "JP",
        handset: Literal["path", "jack"] = "path",
    ) -> None:
        if isinstance(model, str) and model != "auto" and model not in MODELS:
            raise WiringError(f"no such model of analog modem: {model} (known: auto, {', '.join(MODELS)})")
        if country not in COUNTRIES:
            raise WiringError(f"no tones are known for {country} (known: {', '.join(COUNTRIES)})")
        if handset not in ("path", "jack"):
            raise WiringError(f"handset is path or jack, not {handset}")
        chosen = MODELS.get(model) if isinstance(model, str) else model
        self._path = port
        self._setup = Setup(chosen, country, jack=handset == "jack")
        self._sound = VoiceSound()
        self._post: Post | None = None
        self._phone: AnalogPhone | None = None
        self._worker: Worker | None = None
        self._bell: Bell | None = None
        self._gate = threading.Lock()  # between a dial just asked for and the line being lost
        self._lost = True
        self._dials = 0  # asked for, not yet taken up by the worker

    @property
    def audio(self) -> Audio:
        """Both directions of the talk; silent while there is no call."""
        return self._sound

    def open(self, post: Post) -> None:
        """Begin, or begin anew; what comes of it is posted: LineReady, or LineLost with the fault.

        After ABSENT, UNPLUGGED, SILENT or GARBLED nothing more comes until it is opened again. With NO_NETWORK (no dial
        tone) the line is watched; with NO_VOICE it can at least be dialled on, and is asked again now and then.
        """
        self.close()
        self._post, self._bell = post, Bell()
        self._sound.wake = self._bell.ring
        self._phone = phone = AnalogPhone(self._setup, VoiceWire(self._path, self._bell), self._sound, post)
        self._worker = Worker("analog line", phone.listen, lambda problem: self._fail(phone, problem), self._bell)
        with self._gate:
            self._lost, self._dials = False, 0
        self._worker.do(phone.connect)
        self._worker.start()

    def dial(self, number: str) -> None:
        """Place a call; one that is in its way is hung up. MisuseError when it is no number."""
        if not DIALLABLE.fullmatch(number):
            raise MisuseError("a number has only digits, *, # and +")
        if not self._post:
            raise MisuseError("the line was never opened")
        with self._gate:
            if self._worker and self._phone and self._worker.alive and not self._lost:
                self._dials += 1
                self._worker.do(self._dial, self._phone, number)
                return
        self._post(CallEnded(Cause.FAILED, Party.LINE, "there is no line"))

    def answer(self) -> None:
        """Take the incoming call; nothing happens when the caller has just given up."""
        self._ask(AnalogPhone.answer)

    def hang_up(self) -> None:
        """End or refuse the call, or stop dialling; nothing happens when there is none."""
        self._ask(AnalogPhone.hang_up)

    def send_tones(self, digits: str) -> None:
        """Into the call, one after the other. MisuseError when one of them is no key."""
        if not TONES.fullmatch(digits):
            raise MisuseError("tones are 0-9, *, #, A-D")
        self._ask(AnalogPhone.send_tones, digits)

    def unlock(self, pin: str) -> None:
        """Nothing: an analog line has no SIM."""

    def close(self) -> None:
        """Hang up if need be and let the port go; harmless when it is closed."""
        worker, phone, bell = self._worker, self._phone, self._bell
        self._worker = self._phone = self._bell = None
        if worker and phone and bell:
            worker.do(phone.leave)
            worker.stop()
            if not worker.alive:
                bell.close()

    def _ask(self, task: Callable[..., None], *args: object) -> None:
        if self._worker and self._phone:
            self._worker.do(task, self._phone, *args)

    def _dial(self, phone: AnalogPhone, number: str) -> None:
        with self._gate:
            self._dials -= 1
        phone.dial(number)

    def _fail(self, phone: AnalogPhone, problem: HardwareError) -> None:
        """On the worker's thread, which ends with it: dials that it will not come to are over."""
        with self._gate:
            self._lost, waiting = True, self._dials
        phone.lose(problem, waiting)
