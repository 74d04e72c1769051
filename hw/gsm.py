"""A telephone line on an AT voice modem: one worker owns the port, lists of calls are the truth, notices are hints."""

import re
import threading
from time import monotonic

from hw import wiring
from hw.contracts import Audio, Handset, Post
from hw.errors import HardwareError, MisuseError, WiringError
from hw.events import GONE, CallEnded, Cause, Event, Fault, LineLost, LineReady, Party
from hw.linesound import LineSound, carrier
from hw.modems.family import Family
from hw.modems.generic import GENERIC, ODD
from hw.modems.huawei import HUAWEI
from hw.modems.quectel import QUECTEL, QUECTEL_UAC
from hw.modems.simcom import A7670, SIM800, SIM7600
from hw.phone import Phone
from hw.rescue import Remedy, Rescue
from hw.serialport import SerialPort
from hw.worker import Bell, Worker

FAMILIES = {family.name: family for family in (QUECTEL, QUECTEL_UAC, SIM7600, A7670, SIM800, HUAWEI, GENERIC, ODD)}
# A number that begins with * or # is a request to the network, not a call, but the modem says which.
DIALLABLE = re.compile(r"[0-9*#+]+")
TONES = re.compile(r"[0-9*#A-D]+")
MUTE = frozenset({Fault.SILENT, Fault.GARBLED})  # of the faults that end a session, those in which the modem is there
SIM_PIN = re.compile(r"[0-9]{4,8}")  # 3GPP TS 31.101, 9.5


def family_named(name: str) -> Family:
    """The table of a family of modems; WiringError for one that nobody wrote."""
    try:
        return FAMILIES[name]
    except KeyError:
        raise WiringError(f"no such modem family: {name} (known: {', '.join(FAMILIES)})") from None


def _card(name: str) -> Handset:
    return wiring.open_handset("pyaudio", input=name, output=name)


class GsmLine:
    """Fulfils `contracts.Line`: `port` takes AT commands, `audio` carries the sound.

    `audio` is a port, or for families whose sound is analog or UAC a sound card (by its name, or one that has yet to be
    opened); without it nothing is heard.
    """

    def __init__(self, port: str, audio: str | Handset = "", family: str | Family = "quectel") -> None:
        self._path = port
        self._family = family if isinstance(family, Family) else family_named(family)
        self._audio = LineSound(carrier(self._family.sound, audio, _card))
        self._post: Post | None = None
        self._phone: Phone | None = None
        self._worker: Worker | None = None
        self._bell: Bell | None = None
        self._rescue = Rescue(self._family.pace.rescue)
        self._gate = threading.Lock()  # between a dial just asked for and the line being lost
        self._lost = True
        self._dials = 0  # asked for, not yet taken up by the worker

    @property
    def audio(self) -> Audio:
        """Both directions of the talk; silent while there is no call."""
        return self._audio

    def open(self, post: Post) -> None:
        """Begin, or begin anew; what comes of it is posted: LineReady, or LineLost with the fault.

        After ABSENT, UNPLUGGED, SILENT or GARBLED nothing more comes until it is opened again. After the other faults
        the modem is still watched, and emergency calls can still be dialled.
        """
        self.close()
        self._post, self._bell = post, Bell()
        self._phone = phone = Phone(SerialPort(self._path, self._bell), self._family, self._audio, self._tell)
        self._worker = Worker("gsm line", phone.listen, lambda problem: self._fail(phone, problem), self._bell)
        with self._gate:
            self._lost, self._dials = False, 0
        self._worker.do(self._connect, self._phone, self._rescue.remedy(monotonic()))
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
        if self._worker and self._phone:
            self._worker.do(self._phone.answer)

    def hang_up(self) -> None:
        """End or refuse the call, or stop dialling; nothing happens when there is none."""
        if self._worker and self._phone:
            self._worker.do(self._phone.hang_up)

    def send_tones(self, digits: str) -> None:
        """Into the call, one after the other. MisuseError when one of them is no key."""
        if not TONES.fullmatch(digits):
            raise MisuseError("tones are 0-9, *, #, A-D")
        if self._worker and self._phone:
            self._worker.do(self._phone.send_tones, digits)

    def unlock(self, pin: str) -> None:
        """Give the SIM its PIN, once. MisuseError when it cannot be one: a wrong one costs one of three tries."""
        if not SIM_PIN.fullmatch(pin):
            raise MisuseError("a SIM's PIN has 4 to 8 digits")
        if self._worker and self._phone:
            self._worker.do(self._phone.unlock, pin)

    def close(self) -> None:
        """Hang up if need be and let the ports go; harmless when it is closed."""
        worker, phone, bell = self._worker, self._phone, self._bell
        self._worker = self._phone = self._bell = None
        if worker and phone and bell:
            worker.do(phone.leave)
            worker.stop()
            if not worker.alive:
                bell.close()

    def _connect(self, phone: Phone, remedy: Remedy) -> None:
        phone.connect(self._family.reset if remedy is Remedy.RESET else "")

    def _tell(self, event: Event) -> None:
        """Post an event, after noting what it says of a modem that may need rescue."""
        if isinstance(event, LineReady):
            self._rescue.ready()
        elif isinstance(event, LineLost):
            if event.fault in MUTE:
                self._rescue.silent(monotonic())
            elif event.fault not in GONE:
                self._rescue.ready()
        if self._post:
            self._post(event)

    def _dial(self, phone: Phone, number: str) -> None:
        with self._gate:
            self._dials -= 1
        phone.dial(number)

    def _fail(self, phone: Phone, problem: HardwareError) -> None:
        """On the worker's thread, which ends with it: dials that it will not come to are over."""
        with self._gate:
            self._lost, waiting = True, self._dials
        phone.lose(problem, waiting)
