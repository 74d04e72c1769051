r"""How a modem writes a sample of sound: 8 bits, linear or companded (ITU-T G.711), or 16. Pure, and quick by tables.

Everything else in the house is signed 16-bit little-endian.

>>> ULAW.silence, UNSIGNED.decode(b"\x80\xff").hex()
(b'\xff', '0000007f')
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

BIAS, CLIP = 132, 32635  # of G.711's mu-law, on 16-bit samples
FLIP = bytes(byte ^ 0x80 for byte in range(256))


@dataclass(frozen=True, slots=True)
class Coding:
    """One way to write samples; `width` bytes each."""

    name: str
    width: int
    silence: bytes
    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]


def _widen(data: bytes) -> bytes:
    """8 signed bits become the upper ones of 16."""
    wide = bytearray(2 * len(data))
    wide[1::2] = data
    return bytes(wide)


def _from_unsigned(data: bytes) -> bytes:
    return _widen(data.translate(FLIP))


def _to_unsigned(pcm: bytes) -> bytes:
    return _to_signed(pcm).translate(FLIP)


def _to_signed(pcm: bytes) -> bytes:
    return bytes(map(_rounded().__getitem__, array("H", pcm)))


def _from_ulaw(data: bytes) -> bytes:
    low, high = _expanded()
    wide = bytearray(2 * len(data))
    wide[0::2], wide[1::2] = data.translate(low), data.translate(high)
    return bytes(wide)


def _to_ulaw(pcm: bytes) -> bytes:
    return bytes(map(_compressed().__getitem__, array("H", pcm)))


def _as_it_is(pcm: bytes) -> bytes:
    return pcm


@cache
def _rounded() -> bytes:
    """Every 16-bit sample, rounded to 8 signed bits; cut off, it would carry a hum of half a step."""
    return bytes(min((sample + 128) >> 8, 127) & 0xFF for sample in _samples())


@cache
def _compressed() -> bytes:
    return bytes(map(_ulaw, _samples()))


@cache
def _expanded() -> tuple[bytes, bytes]:
    """The lower and the upper byte of each mu-law byte's sample."""
    samples = [_linear(byte) & 0xFFFF for byte in range(256)]
    return bytes(sample & 0xFF for sample in samples), bytes(sample >> 8 for sample in samples)


def _samples() -> list[int]:
    """Every 16-bit sample, as its two bytes count them."""
    return [*range(32768), *range(-32768, 0)]


def _ulaw(sample: int) -> int:
    size = min(abs(sample), CLIP) + BIAS
    segment = size.bit_length() - 8
    return ~((0x80 if sample < 0 else 0) | segment << 4 | (size >> segment + 3) & 0x0F) & 0xFF


def _linear(byte: int) -> int:
    inverse = ~byte & 0xFF
    size = (((inverse & 0x0F) << 3) + BIAS << (inverse >> 4 & 7)) - BIAS
    return -size if inverse & 0x80 else size


UNSIGNED = Coding("8-bit unsigned", 1, b"\x80", _to_unsigned, _from_unsigned)
SIGNED = Coding("8-bit signed", 1, b"\0", _to_signed, _widen)
ULAW = Coding("mu-law", 1, b"\xff", _to_ulaw, _from_ulaw)
LINEAR = Coding("16-bit", 2, b"\0\0", _as_it_is, _as_it_is)
