"""The talk path: handset ⇄ telephone line in 20 ms frames on one clock, with a tap for the recorder."""

import contextlib
import os
import threading
from array import array
from collections import deque
from dataclasses import dataclass
from math import floor, inf
from time import monotonic
from typing import Protocol, runtime_checkable

from hw.contracts import FRAME, FRAME_SECONDS, SILENCE, Audio, Sink
from hw.errors import MisuseError
from hw.jitter import CAP, Jitter
from hw.levels import Levels, Meter, mix, scale

LATE = FRAME_SECONDS / 2  # a tick that starts later than this is counted
PULL = 6.25e-6  # of a frame's time, for each sample that the line is ahead: 200 ppm at 4 ms
FURTHEST = 1e-3  # the path's clock follows the line's no further than this: two cheap crystals differ by less
UNITY = 5
# Gain of each step in dB. Step 0 still speaks: a dead ear would be taken for a dead line.
STEPS = (-20, -15, -11, -7, -3, 0, 2, 4, 6, 8, 10)
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
    handset_adjusted: int = 0  # frames made of a sample more or less, because clocks differ; harmless
    line_adjusted: int = 0
    ear_gaps: int = 0  # times the handset's card wanted a frame and had none, where it counts them
    unsaid: int = 0  # frames that the handset's card or the line's port had to drop, where they count them
    realigned: int = 0  # bytes of the line's sound left out because one before them was lost


@runtime_checkable
class Dropping(Protocol):
    """An end that counts the frames it could not pass on since it was opened."""

    @property
    def dropped(self) -> int: ...


@runtime_checkable
class Counting(Dropping, Protocol):
    """An end with a queue of its own, which may run dry."""

    @property
    def underruns(self) -> int: ...


@runtime_checkable
class Realigning(Protocol):
    """An end that has to find the samples among the bytes."""

    @property
    def realigned(self) -> int: ...


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

    The line's clock is the path's clock, as soon as the line carries sound: the ticks follow it, so that neither the
    customer's voice nor what is said to the line ever needs a correction. The handset's frames are fitted to it.
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
        self._meters = Meter(), Meter()  # the handset's, the line's
        self._due = inf  # when the next frame's time has come

    @property
    def owed(self) -> int:
        """How many frames' time has come without their being heard yet: none, unless the machine is busy."""
        return max(0, floor((monotonic() - self._due) / FRAME_SECONDS) + 1) if self._due < inf else 0

    @property
    def voice(self) -> bool | None:
        """Whether the line has carried a voice since listen(); None where it has carried no sound at all."""
        return self._meters[1].voice

    def listen(self) -> None:
        """Pay attention to a voice on the line from now on: what it carried before was ring-back."""
        self._meters = self._meters[0], Meter()

    @property
    def levels(self) -> Levels:
        """How loud either end has been in the last second: cheap enough to be asked at any time."""
        handset, line = self._meters
        return Levels(handset.level, line.level)

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
        mouth, far = Jitter(self._handset.read), Jitter(self._line.read)
        self._due = monotonic() + FRAME_SECONDS
        while not self._stopping.wait(max(0.0, self._due - monotonic())):
            self.counts.late += monotonic() - self._due > LATE
            self._turn(mouth, far, max(0, self.owed - 1))
        for more in reversed(range(self.owed)):  # what is due is heard, so that the recording is as long as the talk
            self._turn(mouth, far, more)
        self._count_ends()

    def _turn(self, mouth: Jitter, far: Jitter, owed: int) -> None:
        """One frame each way; so many after it are due already."""
        self._tick(mouth.take(owed), far.take(owed), played=owed < CAP)
        self._count(mouth, far)
        self._due += FRAME_SECONDS * (1 - min(max(PULL * far.excess, -FURTHEST), FURTHEST))

    def _tick(self, voice: bytes, customer: bytes, *, played: bool) -> None:
        for meter, frame in zip(self._meters, (voice, customer), strict=True):
            meter.hear(frame)
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

    def _count(self, mouth: Jitter, far: Jitter) -> None:
        counts = self.counts
        counts.frames += 1
        counts.handset_underruns, counts.line_underruns = mouth.underruns, far.underruns
        counts.overflows = mouth.overflows + far.overflows
        counts.handset_adjusted, counts.line_adjusted = mouth.adjusted, far.adjusted

    def _count_ends(self) -> None:
        if isinstance(self._handset, Counting):
            self.counts.ear_gaps = self._handset.underruns
        if isinstance(self._line, Realigning):
            self.counts.realigned = self._line.realigned
        self.counts.unsaid = sum(end.dropped for end in (self._handset, self._line) if isinstance(end, Dropping))
