"""What +VTS is to play: keys, or groups of two frequencies with a duration."""

import re
from typing import Protocol

from hw.contracts import SILENCE
from hw.emulated.analogtones import Sound, frames_in, key_sound

PART = re.compile(r"\[(\d*),(\d*),(\d*)\]|\{([0-9*#A-D]),(\d*)\}|([0-9*#A-D!])", re.IGNORECASE)
GAP = frames_in(0.06)  # between keys
FLASH = frames_in(0.5)


class Understanding(Protocol):
    """Which of the forms this modem takes."""

    vts_digits: bool
    vts_pairs: bool
    vts_zero_pairs: bool


def tones_in(value: str, understood: Understanding, key_length: int) -> list[bytes] | None:
    """Frames to say one after the other; None for a string that this modem answers with ERROR.

    `key_length` is +VTD's, in 10 ms.
    """
    frames: list[bytes] = []
    at = 0
    while at < len(value):
        found = PART.match(value, at)
        if found is None:
            return None
        sound = _sound(found, understood, key_length)
        if sound is None:
            return None
        frames += sound
        at = found.end() + (value[found.end() : found.end() + 1] == ",")
    return frames or None


def _sound(found: re.Match[str], understood: Understanding, key_length: int) -> list[bytes] | None:
    low, high, length, key, held, bare = found.groups()
    if low is not None:
        both = int(low or 0) and int(high or 0)
        if not understood.vts_pairs or not (both or understood.vts_zero_pairs):
            return None
        hertz = tuple(sorted({int(hz) for hz in (low, high) if hz and int(hz)}))
        return _frames(Sound(((hertz, 1.0),)), int(length or key_length))
    if not understood.vts_digits:
        return None
    if bare == "!":
        return [SILENCE] * FLASH
    sign = (key or bare).upper()
    return _frames(key_sound(sign), int(held or key_length)) + [SILENCE] * GAP


def _frames(sound: Sound, hundredths: int) -> list[bytes]:
    return [sound.frame(n) for n in range(frames_in(hundredths / 100))]
