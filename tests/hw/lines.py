"""The lines to try: a driver, an emulated modem behind it, the exchange behind that, and ears for what comes of it."""

import queue
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hw.contracts import FRAME, FRAME_SECONDS, Line
from hw.emulated.analog import AnalogModem
from hw.emulated.cable import Cable
from hw.emulated.exchange import Exchange, FarEnd
from hw.emulated.gsm import GsmModem
from hw.emulated.makes import MAKES
from hw.emulated.speech import Tone
from hw.events import Answered, CallEnded, Cause, Event, LineLost, Party, SignalChanged, TimeHeard
from hw.gsm import FAMILIES, GsmLine
from hw.voicemodem import AUTO, VoiceModem

GOOD, BUSY, DEAD, RINGS, REJECTS, WORDLESS, MID_PITCH, LATE, LATE_WORDLESS = (
    f"03123456{number:02}" for number in range(1, 10)
)
CALLER = "09012345601"
EAR, MOUTH = 700, 1300  # Hz: the voice of the far end in the book, and ours
NEAR = CallEnded(Cause.NORMAL, Party.NEAR)
LIMIT = 30.0  # seconds for anything to happen
ANALOG_MODELS = ("usr5637", "conexant", "zoom3095", "startech", "mt9234")
BOOK = {
    GOOD: FarEnd(answers_after=0.1, voice=Tone(EAR)),
    BUSY: FarEnd(outcome="busy"),
    DEAD: FarEnd(outcome="unassigned"),
    RINGS: FarEnd(outcome="no answer", rings_for=0.5),
    REJECTS: FarEnd(outcome="rejects"),
    WORDLESS: FarEnd(answers_after=0.1, then="hangs up wordlessly", ends_after=0.3),
    MID_PITCH: FarEnd(answers_after=0.1, then="hangs up mid-pitch", ends_after=0.4),
    LATE: FarEnd(answers_after=3.5, voice=Tone(EAR)),  # long enough for a ring-back to be told from a click
    LATE_WORDLESS: FarEnd(answers_after=3.5, then="hangs up wordlessly", ends_after=3.0),
    "119": FarEnd(answers_after=0.1),
}


class Inbox:
    """What a line posted, in order."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.post = self._events.put

    def next(self) -> Event:
        return self._events.get(timeout=LIMIT)

    def until(self, kind: type[Event], patience: float = LIMIT) -> Any:
        """The next event of a kind; what comes before is passed over."""
        end = time.monotonic() + patience
        while True:
            event = self._events.get(timeout=max(0.01, end - time.monotonic()))
            if isinstance(event, kind):
                return event

    def of_call(self, patience: float = LIMIT) -> list[Event]:
        """Everything up to and with the end of the call, without news of signal and time."""
        events: list[Event] = []
        while not (events and isinstance(events[-1], CallEnded)):
            event = self._events.get(timeout=patience)
            if not isinstance(event, SignalChanged | TimeHeard):
                events.append(event)
        return events

    def quiet(self, patience: float = 0.3) -> bool:
        """Whether nothing more comes of any call for so long."""
        end = time.monotonic() + patience
        while (left := end - time.monotonic()) > 0:
            try:
                event = self._events.get(timeout=left)
            except queue.Empty:
                return True
            if not isinstance(event, SignalChanged | TimeHeard):
                return False
        return True


@dataclass
class FarSide:
    """A line and what is behind it: the exchange, and the cable between."""

    line: Line
    exchange: Exchange
    modem: Any
    analog: bool = False

    @property
    def mumbles(self) -> bool:
        """Whether it tells that a call came to nothing, but never why."""
        return not self.analog and self.modem.make in (MAKES["odd"], MAKES["generic"])


def impatient(name):
    """A family's table, with less patience than on a real network."""
    family = FAMILIES[name]
    pace = family.pace
    return replace(
        family, pace=replace(pace, reply=1.0, ping=0.5, poll=min(pace.poll, 1.0), check=0.5, sim=3.0, settle=2.0)
    )


@contextmanager
def gsm_line(name, directory, cable=None, family=None, **options):
    with Exchange() as exchange, GsmModem(name, exchange, directory, cable=cable, **options) as modem:
        exchange.book.update(BOOK)
        line = GsmLine(modem.at, modem.card or modem.pcm, family or impatient(name))
        yield FarSide(line, exchange, modem)
        line.close()


@contextmanager
def analog_line(name, directory, cable=None, model=AUTO, country="JP", **options):
    options["country"] = country.lower()
    with Exchange() as exchange, AnalogModem(name, exchange, directory, cable=cable or Cable(), **options) as modem:
        exchange.book.update(BOOK)
        line = VoiceModem(modem.port, model, country)
        yield FarSide(line, exchange, modem, analog=True)
        line.close()


GSM = {name: partial(gsm_line, name) for name in FAMILIES}
ANALOG = {name: partial(analog_line, name) for name in ANALOG_MODELS}
LINES = GSM | ANALOG


def loudness(pcm: bytes, hertz: float) -> float:
    """Power of one frequency in s16le at 8 kHz, by Goertzel's recurrence."""
    samples = memoryview(pcm).cast("h")
    omega = 2 * 3.141592653589793 * hertz / 8000
    real = sum(sample * _cosine(omega * n) for n, sample in enumerate(samples))
    imaginary = sum(sample * _cosine(omega * n - 1.5707963267948966) for n, sample in enumerate(samples))
    return (real * real + imaginary * imaginary) / max(1, len(samples)) ** 2


def _cosine(angle: float) -> float:
    return complex(2.718281828459045 ** (1j * angle)).real


def converse(audio, voice, frames):
    """Speak `voice` and listen, both in step with the clock; what was heard from now on."""
    heard = []
    while audio.read():
        pass
    beat, wait = time.monotonic(), queue.SimpleQueue()
    for number in range(frames):
        audio.write(voice.frame(number))
        while got := audio.read():
            assert len(got) == FRAME
            heard.append(got)
        beat += FRAME_SECONDS
        try:
            wait.get(timeout=max(0.0, beat - time.monotonic()))
        except queue.Empty:
            pass
    return heard


# What a person does with a line, and what must come of it


def until(true, far):
    """Wait for something; the line must go on meanwhile."""
    end = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < end, far.modem.heard
        converse(far.line.audio, Tone(MOUTH), 2)


def crossing(far):
    """Both voices cross, clean of each other, before long."""
    end, heard, said = time.monotonic() + LIMIT, b"", b""
    while not (clear(heard, EAR, MOUTH) and clear(said, MOUTH, EAR)):
        assert time.monotonic() < end, (len(heard), len(said))
        heard = b"".join(converse(far.line.audio, Tone(MOUTH), 15))[-8 * FRAME :]
        said = far.exchange.heard[-8 * FRAME :]


def clear(pcm, wanted, other):
    """One pitch, and next to nothing of the other."""
    return len(pcm) >= 4 * FRAME and loudness(pcm, wanted) > 1e4 and loudness(pcm, wanted) > 300 * loudness(pcm, other)


def talking(far, inbox, number=GOOD):
    """A call goes through; nothing ends meanwhile."""
    far.line.dial(number)
    while not isinstance(event := inbox.next(), Answered):
        assert not isinstance(event, CallEnded | LineLost), event
    far.exchange.wait_for("talking")


def parting(far, inbox):
    """We hang up: it ends once, by us."""
    far.line.hang_up()
    assert inbox.of_call()[-1] == NEAR
    far.exchange.wait_for("idle")
    assert inbox.quiet(0.05)


def a_talk(far, inbox, keys=""):
    """A good call with both voices and keys."""
    talking(far, inbox)
    crossing(far)
    if keys:
        far.line.send_tones(keys)
        until(lambda: far.exchange.keyed == keys, far)
    parting(far, inbox)
