"""Where key tones are heard in a talk: that there were some, and how long, never which. Somebody keys a card number.

Only the spans are kept, so that they can be found in the recording and muted. Pure, and cheap enough for every call: every
other frame is looked at, and most of those only for half the tones.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, sin, tau
from operator import mul
from typing import Final

from hw.contracts import FRAME, FRAME_SECONDS, RATE
from hw.dtmf import HIGH, LOW
from hw.events import Event

NAME: Final = "key-tones"  # what the call's record calls such a span; its length in seconds follows
EVERY: Final = 2  # frames, of which one is looked at: a key's tone lasts for three at least
APART: Final = 2.0  # seconds of other sound that end a span: within it somebody keys digit after digit
_LENGTH: Final = FRAME // 2
_QUIETEST: Final = 100.0**2  # mean square of a frame: some 50 dB under full scale
_SHARE: Final = 0.6  # of a frame's power that its two tones must have: a voice has many more
_LEAST: Final = 0.08  # of it that the weaker of the two must have


@dataclass(frozen=True, slots=True)
class KeyTonesHeard(Event):
    """The far end pressed keys, from so many seconds after the answer mark on; posted when they have ended."""

    call: str
    start: float
    seconds: float


class KeyTones:
    """Hears one ear, frame by frame; `spans` are seconds of what was heard, begin and end."""

    def __init__(self) -> None:
        self._at = 0
        self._begun = self._last = -1

    def hear(self, frame: bytes) -> tuple[int, int] | None:
        """One frame of 20 ms; a span that is over by now, in frames."""
        at, self._at = self._at, self._at + 1
        if at % EVERY == 0 and is_key(frame):
            if self._begun < 0:
                self._begun = max(0, at - EVERY + 1)
            self._last = at + EVERY
        over = self._begun >= 0 and (at - self._last) * FRAME_SECONDS > APART
        return self.end() if over else None

    def skip(self, frames: int) -> tuple[int, int] | None:
        """So much was not heard, since the recording stood still; a span ends there."""
        span = self.end()
        self._at += frames
        return span

    def end(self) -> tuple[int, int] | None:
        """The span that was going on, if one was."""
        if self._begun < 0:
            return None
        span = self._begun, min(self._last, self._at)
        self._begun = self._last = -1
        return span


def is_key(frame: bytes) -> bool:
    """Whether a frame holds the two tones of a key and little else.

    >>> from hw.dtmf import tones
    >>> [is_key(frame) for frame in tones("5")[1:7]]
    [True, True, True, True, False, False]
    """
    samples = array("h", frame)
    power: float = sum(map(mul, samples, samples)) / _LENGTH
    if power < _QUIETEST:
        return False
    low: float = max(_power(samples, wave) for wave in _LOW)
    if low < _LEAST * power:
        return False
    high: float = max(_power(samples, wave) for wave in _HIGH)
    return high >= _LEAST * power and low + high >= _SHARE * power


def _power(samples: Sequence[int], wave: tuple[Sequence[float], Sequence[float]]) -> float:
    """The mean square of that pitch in the samples (a Goertzel filter's answer, as two sums)."""
    real, imaginary = (float(sum(map(mul, samples, part))) for part in wave)
    return 2 * (real * real + imaginary * imaginary) / _LENGTH**2


def _wave(hertz: int) -> tuple[Sequence[float], Sequence[float]]:
    turn = tau * hertz / RATE
    return tuple(cos(turn * n) for n in range(_LENGTH)), tuple(sin(turn * n) for n in range(_LENGTH))


_LOW: Final = tuple(map(_wave, LOW))
_HIGH: Final = tuple(map(_wave, HIGH))
