"""What is heard on a subscriber's line, by country, and an ear for the sixteen keys."""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import mul

from hw.contracts import FRAME, FRAME_SECONDS, RATE, SILENCE

SAMPLES = FRAME // 2
PEAK = 6000  # of a tone of the exchange
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYS = ("123A", "456B", "789C", "*0#D")
SPECIAL_PARTS = (950, 1400, 1800)  # Hz of the special information tone, ITU-T E.180: 330 ms each


@dataclass(frozen=True)
class Sound:
    """A tone with its cadence: parts of (hertz together, seconds), over and over. No hertz is a pause.

    The hertz are whole ones; `beat` is the frequency that swells the tone, or 0.
    """

    parts: tuple[tuple[tuple[int, ...], float], ...]
    beat: int = 0

    def frame(self, n: int) -> bytes:
        """The n-th 20 ms."""
        period = _period(self)
        return period[n % len(period)]

    def sounds(self, n: int) -> bool:
        """Whether the n-th frame has a tone in it rather than a pause."""
        return self.frame(n) != SILENCE

    @property
    def frames(self) -> int:
        """How many frames a period has."""
        return len(_period(self))


@dataclass(frozen=True)
class Country:
    """The signals of an exchange, and the seconds from one ring to the next."""

    dial: Sound
    ring_back: Sound
    busy: Sound
    ring_every: float


SPECIAL = Sound((*(((hz,), 0.34) for hz in SPECIAL_PARTS), ((), 0.98)))

# ITU-T E.180 supplement 2: "Various tones used in national networks". Europe is what most of it uses (425 Hz).
COUNTRIES = {
    "jp": Country(
        Sound((((400,), 1.0),)),
        Sound((((400,), 1.0), ((), 2.0)), beat=16),
        Sound((((400,), 0.5), ((), 0.5))),
        ring_every=3.0,
    ),
    "us": Country(
        Sound((((350, 440), 1.0),)),
        Sound((((440, 480), 2.0), ((), 4.0))),
        Sound((((480, 620), 0.5), ((), 0.5))),
        ring_every=6.0,
    ),
    "eu": Country(
        Sound((((425,), 1.0),)),
        Sound((((425,), 1.0), ((), 4.0))),
        Sound((((425,), 0.5), ((), 0.5))),
        ring_every=5.0,
    ),
}


def key_sound(key: str) -> Sound:
    """The two tones of a key of 0-9 * # A-D. ValueError for another."""
    for row, keys in zip(ROWS, KEYS, strict=True):
        if key and key in keys:
            return Sound((((row, COLUMNS[keys.index(key)]), 1.0),))
    raise ValueError(f"no such key: {key!r}")


def mixed(one: bytes, other: bytes, loudness: float = 1.0) -> bytes:
    """Two frames of s16le as one, the `other` made as much louder, within the limits of 16 bits."""
    both = zip(memoryview(one).cast("h"), memoryview(other).cast("h"), strict=True)
    return array("h", [max(-32768, min(32767, round(a + loudness * b))) for a, b in both]).tobytes()


def loudest(frame: bytes) -> int:
    """The peak of a frame of s16le."""
    samples = memoryview(frame).cast("h")
    return max(*samples, -min(samples))


@lru_cache(maxsize=64)
def _period(sound: Sound) -> tuple[bytes, ...]:
    pcm = array("h")
    for hertz, seconds in sound.parts:
        pcm.extend(round(_sample(hertz, sound.beat, n)) for n in range(round(seconds * RATE)))
    whole = pcm.tobytes()
    return tuple(whole[at : at + FRAME] for at in range(0, len(whole) - FRAME + 1, FRAME))


def _sample(hertz: tuple[int, ...], beat: int, n: int) -> float:
    depth = 0.5 - 0.5 * math.cos(math.tau * beat * n / RATE) if beat else 1.0
    return PEAK * depth * sum(math.sin(math.tau * hz * n / RATE) for hz in hertz) / max(1, len(hertz))


class KeyEar:
    """Hears keys in sound: the energy at eight frequencies, in windows of 20 ms every 10 ms (a harder ear than ITU-T Q.24 wants)."""

    QUIETEST = SAMPLES * 150.0**2  # energy of a window: about -40 dBFS
    SHARE = 0.7  # of all the energy that the two tones must have: a voice has more than two, and a key may be 1 % off
    TWIST = 6.3  # 8 dB between the two
    RIVAL = 0.3  # of the best tone's energy, for the next best in its group
    ENOUGH = 3  # windows with the same key make a key, and as many without make its end

    def __init__(self) -> None:
        self._before = array("h", bytes(FRAME // 2))
        self._held: str | None = None
        self._candidate: str | None = None
        self._count = 0

    def hear(self, frame: bytes) -> str:
        """The keys that began in this frame of s16le, mostly none."""
        samples = self._before + array("h", frame)
        half = SAMPLES // 2
        self._before = samples[-half:]
        return "".join(self._judge(_key_in(samples[at : at + SAMPLES])) for at in (0, half))

    def _judge(self, key: str | None) -> str:
        self._count = self._count + 1 if key == self._candidate else 1
        self._candidate = key
        if self._count < self.ENOUGH or key == self._held:
            return ""
        self._held = key
        return key or ""


def _key_in(samples: Sequence[int]) -> str | None:
    total = sum(map(mul, samples, samples))
    if total < KeyEar.QUIETEST:
        return None
    row, column = (_strongest(samples, group) for group in (ROWS, COLUMNS))
    if row is None or column is None:
        return None
    (low, low_energy), (high, high_energy) = row, column
    twist = low_energy / high_energy
    if low_energy + high_energy < KeyEar.SHARE * total or not 1 / KeyEar.TWIST < twist < KeyEar.TWIST:
        return None
    return KEYS[ROWS.index(low)][COLUMNS.index(high)]


def _strongest(samples: Sequence[int], group: tuple[int, ...]) -> tuple[int, float] | None:
    ordered = sorted(((_energy(samples, hz), hz) for hz in group), reverse=True)
    (best, hz), (second, _) = ordered[:2]
    return (hz, best) if best > 0 and second < KeyEar.RIVAL * best else None


def _energy(samples: Sequence[int], hz: int) -> float:
    """Of one frequency in a window, in the unit of the sum of squares."""
    sine, cosine = _wave(hz)
    in_phase, across = sum(map(mul, samples, sine)), sum(map(mul, samples, cosine))
    return 2 / SAMPLES * float(in_phase * in_phase + across * across)


@lru_cache(maxsize=8)
def _wave(hz: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    steps = [math.tau * hz * n / RATE for n in range(SAMPLES)]
    return tuple(map(math.sin, steps)), tuple(map(math.cos, steps))


def frames_in(seconds: float) -> int:
    """How many frames of 20 ms these seconds are."""
    return round(seconds / FRAME_SECONDS)
