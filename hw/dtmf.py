"""Tones of a telephone's keys, as sound for a line that takes none as a command (ITU-T Q.23, Q.24)."""

import math
from array import array
from functools import cache

from hw.contracts import FRAME, RATE
from hw.errors import MisuseError

LOW = (697, 770, 852, 941)
HIGH = (1209, 1336, 1477, 1633)
KEYS = ("123A", "456B", "789C", "*0#D")
PITCHES = {key: (low, high) for low, row in zip(LOW, KEYS, strict=True) for key, high in zip(row, HIGH, strict=True)}

TONE, GAP = 5, 4  # frames: 100 ms and 80 ms; Q.24 (NTT) wants at least 50 and 30, answering machines more
# Q.24 lets a receiver expect -3 to -24 dBm a tone; the line's full scale is about +3 dBm, and both tones add up. The
# higher one is a little louder, because long lines weaken it more.
LOW_PEAK, HIGH_PEAK = 6500, 8000
EDGE = RATE * 3 // 1000  # samples of a soft edge: a hard one clicks


def tones(digits: str) -> list[bytes]:
    """Frames of 20 ms that press the keys one after the other, with a pause after each. MisuseError for no key."""
    unknown = set(digits) - set(PITCHES)
    if unknown:
        raise MisuseError("tones are 0-9, *, #, A-D")
    return [frame for digit in digits for frame in _pressed(digit)]


@cache
def _pressed(digit: str) -> tuple[bytes, ...]:
    low, high = (math.tau * hertz / RATE for hertz in PITCHES[digit])
    length = TONE * FRAME // 2
    samples = array("h", [0]) * ((TONE + GAP) * FRAME // 2)
    for n in range(length):
        edge = min(1.0, (n + 1) / EDGE, (length - n) / EDGE)
        samples[n] = round(edge * (LOW_PEAK * math.sin(low * n) + HIGH_PEAK * math.sin(high * n)))
    pcm = samples.tobytes()
    return tuple(pcm[at : at + FRAME] for at in range(0, len(pcm), FRAME))
