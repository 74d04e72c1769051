"""How loud a voice is: meters that look at one frame in five, and the arithmetic of samples."""

from array import array
from collections import deque
from dataclasses import dataclass
from functools import cache
from math import log10, sqrt
from operator import mul

from hw.contracts import FRAME, SILENCE

EARED = 5  # frames: one in so many is looked at, so that a tick stays cheap
LOOKS = 10  # so many looks are a second, over which a meter tells
LOUD = 200  # root mean square of a frame in which somebody speaks: -44 dBFS, well above what a line hums by itself
VOICED = 2  # loud frames among those looked at that are a voice and no click: a fifth of a second
FULL = 32768
FLOOR = -96.0  # dBFS of silence: less than one step of a sample
_NOTHING = (0, 0)


@dataclass(frozen=True, slots=True)
class Level:
    """Loudness over the last second, in dB of full scale."""

    rms: float = FLOOR
    peak: float = FLOOR


@dataclass(frozen=True, slots=True)
class Levels:
    """What came from either end: the agent before mute, the customer before hold and volume."""

    handset: Level
    line: Level


class Meter:
    """Follows one end's loudness, and tells whether somebody speaks there."""

    def __init__(self) -> None:
        self._turns = self._looked = self._loud = 0
        self._second: deque[tuple[int, int]] = deque(maxlen=LOOKS)

    @property
    def voice(self) -> bool | None:
        """Whether a voice has been heard; None where there has been no sound at all."""
        return self._loud >= VOICED if self._looked else None

    @property
    def level(self) -> Level:
        """How loud the last second was."""
        looks = tuple(self._second)
        if not looks:
            return Level()
        power = sum(power for power, _ in looks) / len(looks) / (FRAME // 2)
        return Level(decibels(sqrt(power)), decibels(max(peak for _, peak in looks)))

    def hear(self, frame: bytes) -> None:
        """One frame. SILENCE itself is the path's own: it lowers the level, but says nothing of the end."""
        self._turns += 1
        if self._turns % EARED:
            return
        if frame is SILENCE:
            self._second.append(_NOTHING)
            return
        samples = array("h", frame)
        power, lowest, highest = sum(map(mul, samples, samples)), min(samples), max(samples)
        self._second.append((power, max(highest, -lowest)))
        self._looked += 1
        self._loud += power >= LOUD * LOUD * len(samples)


def decibels(amplitude: float) -> float:
    """An amplitude in dB of full scale.

    >>> decibels(32768), round(decibels(16384), 1), decibels(0)
    (0.0, -6.0, -96.0)
    """
    return max(20 * log10(amplitude / FULL), FLOOR) if amplitude > 0 else FLOOR


@cache
def scale(decibels: int) -> "array[int]":
    """Every 16-bit sample, louder or softer, clipped; negative ones are found from the end, as Python indexes."""
    factor = 10 ** (decibels / 20)
    samples = (*range(32768), *range(-32768, 0))
    return array("h", [min(max(round(sample * factor), -32768), 32767) for sample in samples])


def mix(one: bytes, other: bytes) -> bytes:
    r"""Two frames at once, clipped rather than wrapped.

    >>> mix(b"\x01\x00\xff\x7f", b"\x02\x00\x01\x00")
    b'\x03\x00\xff\x7f'
    """
    both = zip(array("h", one), array("h", other), strict=True)
    return array("h", [min(max(a + b, -32768), 32767) for a, b in both]).tobytes()
