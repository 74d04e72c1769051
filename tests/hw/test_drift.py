"""Clocks that differ by up to 200 ppm, for one simulated hour (`make soak`) or two minutes of it.

How a discontinuity is measured. A sine of w radians a sample obeys x[n+1] = 2 cos(w) x[n] - x[n-1] for ever: what is left
of that, in dB of full scale, is what no undisturbed sine could make. Speech obeys nothing so simple: there the second
difference may exceed what the same 20 ms undisturbed, and a sample more either side, can make at most by -40 dBFS.
"""

import random
import struct
from dataclasses import dataclass, field
from itertools import pairwise
from math import cos, log10, pi, tau

import numpy as np
import pytest

from hw.contracts import FRAME, FRAME_SECONDS, RATE, SILENCE
from hw.emulated.speech import Speech
from hw.jitter import PREFILL, QUIET, SAMPLES, Jitter, stretched
from hw.talkpath import TalkPath

LOUDEST_STEP = 10 ** (-40 / 20)
LEEWAY = 0.02
STALL = 0.015  # seconds that one frame in 500 is late on top: a pause of the garbage collector, or of USB
UNEVEN, LAG = 0.012, 0.004  # seconds by which frames, and ticks, may come late at any time
TARGET = (PREFILL - 0.5) * FRAME_SECONDS + UNEVEN / 2 + LAG / 2  # from the moment at which a frame should have come

SAMPLE_SECONDS, HOUR = 120, 3600
sizes = pytest.mark.parametrize(
    "seconds", [SAMPLE_SECONDS, pytest.param(HOUR, marks=[pytest.mark.soak, pytest.mark.timeout(600)])]
)


def sine(hertz, loud=-6.0):
    """One second, as frames: whole hertz, so that it goes on without a step when it is begun again."""
    peak = 32767 * 10 ** (loud / 20)
    return cut(np.round(peak * np.sin(tau * hertz * np.arange(RATE) / RATE)).astype("<i2").tobytes())


def cut(pcm):
    return [pcm[at : at + FRAME] for at in range(0, len(pcm), FRAME)]


def speech():
    return [Speech(7).frame(number) for number in range(300)]


@dataclass
class World:
    """What time it is."""

    now: float = 0.0


@dataclass
class Sender:
    """Speaks frame k when its own clock says k frame times, or a little later."""

    world: World
    song: list
    ppm: float
    chance: random.Random
    given: int = 0
    ahead: int = 0  # frames that come before their time
    told: list = field(default_factory=list)
    _due: float = 0.0

    def __post_init__(self):
        self.period = FRAME_SECONDS * (1 + self.ppm * 1e-6)
        self._next()

    def _next(self):
        late = self.chance.random() * UNEVEN + (STALL if self.chance.random() < 1 / 500 else 0.0)
        self._due = max(self._due, (self.given + 1 - self.ahead) * self.period + late)

    def read(self):
        if self.world.now < self._due:
            return None
        frame = self.song[self.given % len(self.song)]
        self.given += 1
        self._next()
        return frame

    def write(self, frame):
        self.told.append(frame)


class Watched(Jitter):
    """A jitter buffer that keeps account of how long each frame waited."""

    def __init__(self, sender, prefill=PREFILL):
        super().__init__(sender.read, prefill)
        self.sender, self.waited, self.said, self.from_ = sender, [], [], []

    def take(self, owed=0):
        before = self.adjusted
        frame = super().take(owed)
        if frame is SILENCE:
            return frame
        begins = self.sender.given * SAMPLES - len(self._held) // 2 - SAMPLES  # give or take the one that was adjusted
        self.waited.append(self.sender.world.now - (begins / SAMPLES + 1 - self.sender.ahead) * self.sender.period)
        self.said.append(frame)
        if self.adjusted > before:
            self.from_.append((len(self.said) - 1, begins))
        return frame


def heard(song, ppm, seconds, seed=1):
    """One stream through one buffer, taken by a perfect clock that a busy machine reads late."""
    chance = random.Random(seed)
    world = World()
    buffer = Watched(Sender(world, song, ppm, chance))
    began = chance.random() * FRAME_SECONDS
    for tick in range(round(seconds / FRAME_SECONDS)):
        world.now = began + tick * FRAME_SECONDS + chance.random() * LAG
        buffer.take()
    return buffer


def check_in_time(buffer):
    assert (buffer.overflows, buffer.underruns) == (0, 0)
    shortest, longest = delays(buffer)
    assert shortest >= TARGET - LEEWAY
    assert longest <= TARGET + LEEWAY
    assert abs(np.mean(buffer.waited) - TARGET) < LEEWAY / 2


def delays(buffer):
    """The least and the greatest delay of any second, in seconds: a tick that comes late is no delay yet."""
    means = np.convolve(buffer.waited, np.ones(50) / 50, "valid")
    return means.min(), means.max()


def told(buffer):
    return "{:.1f} to {:.1f} ms".format(*(1000 * delay for delay in delays(buffer)))


def samples(frames):
    return np.frombuffer(b"".join(frames), "<i2").astype(float) / 32768


def dbfs(amplitude):
    return 20 * log10(max(amplitude, 1e-6))


def left_of_sine(frames, hertz):
    """The largest thing that a sine could not have made, in dBFS."""
    voice = samples(frames)
    return dbfs(np.abs(voice[2:] - 2 * cos(tau * hertz / RATE) * voice[1:-1] + voice[:-2]).max())


def second(voice):
    return np.abs(np.diff(voice, 2)).max()


@sizes
@pytest.mark.parametrize("ppm", [-200, 200])
@pytest.mark.parametrize(("hertz", "loud"), [(300, 0), (1000, -6), (2500, -12)])  # louder than any voice there
def test_a_sine_keeps_its_time_and_has_no_step(ppm, hertz, loud, seconds):
    buffer = heard(sine(hertz, loud), ppm, seconds)
    check_in_time(buffer)
    assert buffer.adjusted >= abs(ppm) * 1e-6 * seconds * RATE - 2 * SAMPLES
    step = left_of_sine(buffer.said, hertz)
    print(
        f"{ppm:+} ppm, {seconds} s, {hertz} Hz: waited {told(buffer)}, {buffer.adjusted} frames adjusted, largest step {step:.1f} dBFS"
    )
    assert step < -40


@sizes
@pytest.mark.parametrize("ppm", [-200, 200])
def test_speech_keeps_its_time_and_has_no_step(ppm, seconds):
    song = speech()
    buffer = heard(song, ppm, seconds)
    check_in_time(buffer)
    source, worst = samples(song), 0.0
    assert buffer.from_
    for place, begins in buffer.from_:
        made = second(samples(buffer.said[place - 1 : place + 2])[SAMPLES - 2 : 2 * SAMPLES + 2])
        undisturbed = source[np.arange(begins - 3, begins + SAMPLES + 4) % len(source)]
        worst = max(worst, made - second(undisturbed))
    assert worst < LOUDEST_STEP
    print(f"{ppm:+} ppm, {seconds} s of speech: {buffer.adjusted} frames adjusted, worst excess {dbfs(worst):.1f} dBFS")


@pytest.mark.parametrize("ppm", [-200, 200])
def test_a_pause_is_waited_for(ppm):
    loud, pause = sine(300)[:45], [SILENCE[:-1] + b"\0"] * 5
    buffer = heard(loud + pause, ppm, SAMPLE_SECONDS)
    assert buffer.adjusted > 50
    assert max(np.abs(samples([buffer.said[place]])).max() for place, _ in buffer.from_) <= 1.05 * QUIET / 32768


def test_clocks_that_agree_leave_every_frame_as_it_was():
    song = sine(997)
    buffer = heard(song, 0, SAMPLE_SECONDS)
    assert buffer.adjusted == 0
    assert set(buffer.said) <= set(song)


def test_a_sample_that_is_simply_left_out_is_seen():
    """The measure itself: without interpolation there would be a step far above -40 dBFS."""
    pcm = b"".join(sine(1000))
    assert left_of_sine([pcm], 1000) < -80
    assert left_of_sine([pcm[: RATE // 2] + pcm[RATE // 2 + 2 :]], 1000) > -20


def test_a_burst_is_worked_off_sample_by_sample():
    """After 80 ms too many came at once, no queue is emptied: the delay is back where it was after a while."""
    world = World()
    sender = Sender(world, sine(300), 0, random.Random(1))
    buffer = Watched(sender)
    for tick in range(round(60 / FRAME_SECONDS)):
        world.now = tick * FRAME_SECONDS
        sender.ahead = 4 if tick > 500 else 0
        buffer.take()
    assert max(buffer.waited) > TARGET + 0.06
    assert abs(buffer.waited[-1] - TARGET) < LEEWAY
    assert buffer.overflows == buffer.underruns == 0
    assert left_of_sine(buffer.said, 300) < -40


@pytest.mark.parametrize("step", [1, -1])
def test_stretching_meets_the_next_frame_where_it_begins(step):
    ramp = [10 * number for number in range(SAMPLES + 2)]
    made = struct.unpack(f"<{SAMPLES}h", stretched(ramp, step))
    assert made[0] == ramp[0]
    assert ramp[SAMPLES + step] - made[-1] in {9, 10, 11}
    assert all(8 <= later - earlier <= 12 for earlier, later in pairwise(made))


def test_stretching_clips_rather_than_wraps():
    loud = [32767 if number % 7 < 4 else -32768 for number in range(SAMPLES + 2)]
    made = np.frombuffer(stretched(loud, 1), "<i2")
    assert len(made) == SAMPLES
    assert abs(int(made.max()) - 32767) + abs(int(made.min()) + 32768) == 0


# The whole path: the line's clock, the handset's and the machine's all differ.


class Modem(Sender):
    """A line with an uplink queue that its own clock empties: what no driver can see."""

    waiting = 0.0
    lowest, highest = 1e9, 0.0
    _at = None

    def write(self, _frame):
        if self._at is not None and self.given > 50:
            self.waiting -= (self.world.now - self._at) / self.period
        self._at = self.world.now
        self.waiting += 1
        if self.given > 3000:  # a minute, in which the path finds the line's pace
            self.lowest, self.highest = min(self.lowest, self.waiting), max(self.highest, self.waiting)


class Ear(list):
    """A recorder that counts."""

    frames = 0

    def hear(self, _agent, _customer):
        self.frames += 1


@sizes
@pytest.mark.parametrize(("line_ppm", "handset_ppm"), [(200, -200), (-200, 200), (0, 200), (-150, 0)])
def test_the_path_follows_the_line_and_fits_the_handset_to_it(line_ppm, handset_ppm, seconds):
    chance, world, recorder = random.Random(3), World(), Ear()
    line = Modem(world, sine(440), line_ppm, chance)
    handset = Sender(world, sine(300), handset_ppm, chance)
    path = TalkPath(handset, line, recorder)
    mouth, far = Watched(handset), Watched(line)
    path._due = chance.random() * FRAME_SECONDS
    while path._due < seconds:
        world.now = path._due + chance.random() * LAG
        path._turn(mouth, far, 0)
    counts = path.counts
    assert counts.overflows == counts.handset_underruns == counts.line_underruns == 0
    assert counts.line_adjusted == 0
    check_in_time(mouth)
    check_in_time(far)
    assert abs(recorder.frames * line.period - seconds) < 0.1
    assert line.highest - line.lowest < 0.5
    print(
        f"line {line_ppm:+}, handset {handset_ppm:+} ppm, {seconds} s: the handset's frames waited "
        f"{told(mouth)}, the line's {told(far)}; the modem's uplink queue moved by "
        f"{1000 * FRAME_SECONDS * (line.highest - line.lowest):.1f} ms; {counts.handset_adjusted} frames adjusted"
    )
    assert left_of_sine(mouth.said, 300) < -40
    assert left_of_sine(far.said, 440) < -80  # the line's sound is never touched


def test_the_measure_of_a_sine_is_exact():
    assert dbfs(abs(2 * cos(pi / 3) - 1)) < -100
