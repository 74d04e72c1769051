"""The talk path: handset ⇄ telephone line in 20 ms frames on one clock, with a tap for the recorder."""

import contextlib
import os
import threading
from array import array
from collections import deque
from dataclasses import dataclass
from functools import cache
from math import floor, inf, sqrt
from operator import mul
from time import monotonic

from hw.contracts import FRAME, FRAME_SECONDS, SILENCE, Audio, Sink
from hw.errors import MisuseError

PREFILL = 3  # frames held before an ear begins to speak: 60 ms cover a pause of the garbage collector or of USB
CAP = 10  # frames: 200 ms, beyond which the oldest goes; a talk with more delay than this is no talk
LATE = FRAME_SECONDS / 2  # a tick that starts later than this is counted
UNITY = 5
# Gain of each step in dB. Step 0 still speaks: a dead ear would be taken for a dead line.
STEPS = (-20, -15, -11, -7, -3, 0, 2, 4, 6, 8, 10)
EARED = 5  # frames: one in so many is looked at for a voice, so that a tick stays cheap
LOUD = 200  # root mean square of a frame in which somebody speaks: -44 dBFS, well above what a line hums by itself
VOICED = 2  # loud frames among those looked at that are a voice and no click: a fifth of a second
LONGEST_SOUND = 50  # frames waiting for the agent's ear: one second of clicks and tones
PATIENCE = 2.0  # seconds that stop() waits for a thread that sleeps for a fiftieth of one
URGENCY = -15  # nice value, where the system grants it


@dataclass(slots=True)
class Counts:
    """What happened on the path since it was started; all but `frames` should stay near nought."""

    frames: int = 0  # ticks done
    late: int = 0  # ticks that began more than half a frame late
    unplayed: int = 0  # ticks that only the sink heard, because the thread had been held up for more than 200 ms
    handset_underruns: int = 0  # ticks without a frame from a handset that had been speaking
    line_underruns: int = 0
    overflows: int = 0  # frames dropped because an ear was more than 200 ms ahead


class Nowhere:
    """An end at which nobody speaks and nobody listens."""

    def read(self) -> None:
        """Nothing is ever heard."""

    def write(self, frame: bytes) -> None:
        """Whatever is said is lost."""


class TalkPath:
    """Carries a talk between two ends, and both voices of each tick to the sink.

    It holds each end's frames back by 40 to 60 ms, writes silence when there is nothing, and never plays what is more
    than 200 ms late. Every tick is carried out, so a recording is as long as the talk. The sink hears what crossed the
    line: the agent as the customer got it, and the customer before volume and before sounds meant for the agent only.
    """

    def __init__(self, handset: Audio, line: Audio, sink: Sink | None = None) -> None:
        self.muted = False  # the agent's voice becomes silence, on the line and in the recording
        self.held = False  # silence both ways, and in the recording
        self.counts = Counts()
        self._handset, self._line, self._sink = handset, line, sink
        self._sounds: deque[bytes] = deque(maxlen=LONGEST_SOUND)
        self._level = UNITY
        self._scale: array[int] | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._ear = _Ear()
        self._due = inf  # when the next frame's time has come

    @property
    def owed(self) -> int:
        """How many frames' time has come without their being heard yet: none, unless the machine is busy."""
        return max(0, floor((monotonic() - self._due) / FRAME_SECONDS) + 1) if self._due < inf else 0

    @property
    def voice(self) -> bool | None:
        """Whether the line has carried a voice since listen(); None where it has carried no sound at all."""
        return self._ear.voice

    def listen(self) -> None:
        """Pay attention to a voice on the line from now on: what it carried before was ring-back."""
        self._ear = _Ear()

    @property
    def volume(self) -> int:
        """How loud the agent's ear is, 0 to 10; 5 is as it came. Neither the line nor the recording hear of it."""
        return self._level

    @volume.setter
    def volume(self, level: int) -> None:
        self._level = min(max(level, 0), len(STEPS) - 1)
        self._scale = None if self._level == UNITY else scale(STEPS[self._level])

    def ear(self, sound: bytes) -> None:
        """Let the agent alone hear a short sound (16-bit samples), mixed into the customer's voice."""
        self._sounds.extend(sound[at : at + FRAME].ljust(FRAME, b"\0") for at in range(0, len(sound), FRAME))

    def start(self) -> None:
        """Begin afresh: what either end heard before this moment is thrown away."""
        if self._thread is not None:
            raise MisuseError("the talk path runs already")
        self._stopping.clear()
        self._sounds.clear()
        self.counts = Counts()
        self._thread = threading.Thread(target=self._run, name="talkpath", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Be silent; harmless when the path is not running. The sink hears nothing after this returns."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)
            self._thread, self._due = None, inf

    # Everything below runs on the path's thread.

    def _run(self) -> None:
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), URGENCY)
        mouth, far = _Jitter(self._handset), _Jitter(self._line)
        self._due = monotonic() + FRAME_SECONDS
        while not self._stopping.wait(max(0.0, self._due - monotonic())):
            self.counts.late += monotonic() - self._due > LATE
            self._turn(mouth, far, max(0, self.owed - 1))
        for more in reversed(range(self.owed)):  # what is due is heard, so that the recording is as long as the talk
            self._turn(mouth, far, more)

    def _turn(self, mouth: "_Jitter", far: "_Jitter", owed: int) -> None:
        """One frame each way; so many after it are due already."""
        self._tick(mouth.take(owed), far.take(owed), played=owed < CAP)
        self._count(mouth, far)
        self._due += FRAME_SECONDS

    def _tick(self, voice: bytes, customer: bytes, *, played: bool) -> None:
        self._ear.hear(customer)
        agent = SILENCE if self.muted or self.held else voice
        if self.held:
            customer = SILENCE
        if played:
            self._line.write(agent)
            self._handset.write(self._for_the_ear(customer))
        self.counts.unplayed += not played
        if self._sink is not None:
            self._sink.hear(agent, customer)

    def _for_the_ear(self, customer: bytes) -> bytes:
        frame = mix(customer, self._sounds.popleft()) if self._sounds else customer
        table = self._scale
        if table is None or frame is SILENCE:
            return frame
        return array("h", map(table.__getitem__, array("h", frame))).tobytes()

    def _count(self, mouth: "_Jitter", far: "_Jitter") -> None:
        counts = self.counts
        counts.frames += 1
        counts.handset_underruns, counts.line_underruns = mouth.underruns, far.underruns
        counts.overflows = mouth.overflows + far.overflows


class _Ear:
    """Tells whether somebody speaks, from one frame in five."""

    def __init__(self) -> None:
        self._frames = self._looked = self._loud = 0

    @property
    def voice(self) -> bool | None:
        return self._loud >= VOICED if self._looked else None

    def hear(self, frame: bytes) -> None:
        """One frame of the line; the path's own silence says nothing."""
        if frame is SILENCE:
            return
        self._frames += 1
        if self._frames % EARED == 0:
            self._looked += 1
            self._loud += level(frame) >= LOUD


class _Jitter:
    """One end's frames, held back a little so that they can be given out evenly."""

    def __init__(self, end: Audio) -> None:
        self.underruns = self.overflows = 0
        self._end = end
        self._held: deque[bytes] = deque()
        self._speaking = False
        self._fetch()
        self._held.clear()  # stale: it would be delay for the whole talk

    def take(self, owed: int) -> bytes:
        """The next frame, or silence; as many more as are owed may wait without being too many."""
        self._fetch()
        while len(self._held) > CAP + owed:
            self._held.popleft()
            self.overflows += 1
        if not self._speaking and len(self._held) < PREFILL:
            return SILENCE
        self._speaking = bool(self._held)
        if self._held:
            return self._held.popleft()
        self.underruns += 1
        return SILENCE

    def _fetch(self) -> None:
        # Twice the cap is more than a device may hold; an end that never runs dry must not hold the path.
        for _ in range(2 * CAP):
            frame = self._end.read()
            if frame is None:
                break
            self._held.append(frame)


@cache
def scale(decibels: int) -> "array[int]":
    """Every 16-bit sample, louder or softer, clipped; negative ones are found from the end, as Python indexes."""
    factor = 10 ** (decibels / 20)
    samples = (*range(32768), *range(-32768, 0))
    return array("h", [min(max(round(sample * factor), -32768), 32767) for sample in samples])


def level(frame: bytes) -> float:
    r"""The root mean square of a frame's samples.

    >>> level(b"\x03\x00\xfd\xff"), level(bytes(320))
    (3.0, 0.0)
    """
    samples = array("h", frame)
    return sqrt(sum(map(mul, samples, samples)) / len(samples))


def mix(one: bytes, other: bytes) -> bytes:
    r"""Two frames at once, clipped rather than wrapped.

    >>> mix(b"\x01\x00\xff\x7f", b"\x02\x00\x01\x00")
    b'\x03\x00\xff\x7f'
    """
    both = zip(array("h", one), array("h", other), strict=True)
    return array("h", [min(max(a + b, -32768), 32767) for a, b in both]).tobytes()
