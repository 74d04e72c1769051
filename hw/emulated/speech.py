"""What is heard on an emulated line: tones, speech-like voices and the exchange's own signals, in frames of 20 ms."""

import math
import random
import threading
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Protocol

from hw.contracts import FRAME, RATE

SAMPLES = FRAME // 2
PHRASES = 3  # in a loop of speech: 5 to 8 s, long enough not to sound like a machine

# Formants (Hz) of the five Japanese vowels, a man's; a seed moves them all up or down.
VOWELS = ((750, 1150, 2500), (300, 2200, 2900), (320, 1300, 2300), (480, 1900, 2500), (480, 850, 2400))
BANDWIDTHS = (80, 100, 160)
WEIGHTS = (0.7, 0.45, 0.25)
PULSE, HISS = 3.5, 0.2  # what drives them: vocal cords and breath
CLOSING = 0.75  # the cords do not snap shut: it takes the edge off


class Voice(Protocol):
    """Anything that sounds on a line."""

    def frame(self, n: int) -> bytes:
        """The n-th 20 ms of it: FRAME bytes, s16le mono at 8 kHz. It goes on for ever."""
        ...


@dataclass(frozen=True)
class Tone:
    """A sine of whole hertz; its peak is `level_dbfs` under full scale. Frame n+1 continues frame n without a step."""

    hz: int
    level_dbfs: float = -12.0

    def frame(self, n: int) -> bytes:
        """The n-th 20 ms."""
        second = _second_of_tone(self.hz, self.level_dbfs)
        return second[n % len(second)]


@dataclass(frozen=True)
class Speech:
    """Somebody talking: syllables of pulses through formants, phrases and breaths. A seed is a person, always the same."""

    seed: int = 1

    def frame(self, n: int) -> bytes:
        """The n-th 20 ms; the first round of the loop is made as it is asked for."""
        return _utterance(self.seed).frame(n)


@dataclass(frozen=True)
class Signal:
    """A tone of the exchange with its cadence, in seconds; `beat` is the frequency that modulates it, or 0."""

    hz: int
    on: float
    off: float
    beat: int = 0

    def frame(self, n: int) -> bytes:
        """The n-th 20 ms."""
        period = _period_of_signal(self)
        return period[n % len(period)]


# Japan's: 400 Hz; ring-back is modulated by 15 to 20 Hz, 1 s in 3; busy is half a second in one.
RING_BACK = Signal(400, on=1.0, off=2.0, beat=16)
BUSY_TONE = Signal(400, on=0.5, off=0.5)


@lru_cache(maxsize=32)
def _second_of_tone(hz: int, level_dbfs: float) -> tuple[bytes, ...]:
    peak = 32767 * 10 ** (level_dbfs / 20)
    return _frames(peak * math.sin(math.tau * hz * n / RATE) for n in range(RATE))


@lru_cache(maxsize=4)
def _period_of_signal(signal: Signal) -> tuple[bytes, ...]:
    def sample(n: int) -> float:
        if n >= signal.on * RATE:
            return 0.0
        depth = 0.5 - 0.5 * math.cos(math.tau * signal.beat * n / RATE) if signal.beat else 1.0
        return 6000 * depth * math.sin(math.tau * signal.hz * n / RATE)

    return _frames(sample(n) for n in range(round((signal.on + signal.off) * RATE)))


def _frames(samples: Iterator[float]) -> tuple[bytes, ...]:
    pcm = array("h", map(round, samples)).tobytes()
    return tuple(pcm[at : at + FRAME] for at in range(0, len(pcm), FRAME))


@lru_cache(maxsize=32)
def _utterance(seed: int) -> "_Utterance":
    return _Utterance(seed)


class _Utterance:
    """The loop of one person's speech, made frame by frame: a call must not wait until all of it is there."""

    def __init__(self, seed: int) -> None:
        self._unsaid: Iterator[float] | None = _talk(random.Random(seed))  # noqa: S311 - a voice, no secret
        self._said: list[bytes] = []
        self._one_at_a_time = threading.Lock()

    def frame(self, n: int) -> bytes:
        with self._one_at_a_time:
            while self._unsaid is not None and n >= len(self._said):
                self._say_on(self._unsaid)
            return self._said[n % len(self._said)]

    def _say_on(self, unsaid: Iterator[float]) -> None:
        samples = array("h", (round(32000 * math.tanh(loud)) for loud in islice(unsaid, SAMPLES)))
        if len(samples) == SAMPLES:
            self._said.append(samples.tobytes())
        else:
            self._unsaid = None  # the rest of a frame is in a breath: nobody misses it


@dataclass
class _Resonator:
    """One formant: a band of the throat that rings. Its gain at the peak is about one."""

    weight: float
    bandwidth: int
    gain: float = 0.0
    feed: float = 0.0
    back: float = 0.0
    last: float = 0.0
    before: float = 0.0

    def tune(self, hz: float) -> None:
        radius = math.exp(-math.pi * self.bandwidth / RATE)
        angle = math.tau * hz / RATE
        self.feed, self.back = 2 * radius * math.cos(angle), -radius * radius
        self.gain = self.weight * (1 - radius) * math.sqrt(1 - 2 * radius * math.cos(2 * angle) + radius * radius)

    def ring(self, push: float) -> float:
        self.last, self.before = self.gain * push + self.feed * self.last + self.back * self.before, self.last
        return self.last


def _talk(chance: random.Random) -> Iterator[float]:
    """Samples, about -0.7 to 0.7, of a few phrases with a breath after each."""
    person = chance.uniform(0.95, 1.2)
    pitch = chance.uniform(95, 220)
    throat = [_Resonator(weight, width) for weight, width in zip(WEIGHTS, BANDWIDTHS, strict=True)]
    for _ in range(PHRASES):
        syllables = chance.randint(5, 9)
        for spoken in range(syllables):
            sinking = pitch * (1.12 - 0.25 * spoken / syllables)
            yield from _syllable(chance, throat, sinking, person)
        yield from (
            sum([formant.ring(0.0) for formant in throat]) for _ in range(round(chance.uniform(0.3, 0.9) * RATE))
        )


def _syllable(chance: random.Random, throat: list[_Resonator], pitch: float, person: float) -> Iterator[float]:
    for formant, hz in zip(throat, chance.choice(VOWELS), strict=True):
        formant.tune(hz * person)
    length = round(chance.uniform(0.12, 0.22) * RATE)
    hiss = round(chance.uniform(0.0, 0.04) * RATE)
    stress = chance.uniform(0.6, 1.0)
    to_pulse = flow = 0.0
    for n in range(length):
        if n < hiss:
            push = chance.uniform(-HISS, HISS)
        elif to_pulse <= 0:
            push, to_pulse = PULSE, to_pulse + RATE / (pitch * chance.uniform(0.98, 1.02))
        else:
            push = 0.0
        to_pulse -= 1
        flow = CLOSING * flow + push * stress * math.sin(math.pi * n / length)
        yield throat[0].ring(flow) + throat[1].ring(flow) + throat[2].ring(flow)
