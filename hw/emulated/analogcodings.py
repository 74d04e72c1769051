"""How a voice modem writes samples as bytes."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

FLIP = bytes(value ^ 0x80 for value in range(256))  # signed to unsigned, and back
BIAS, CLIP = 33, 8158  # of mu-law on 14 bits, ITU-T G.711


@dataclass(frozen=True)
class Coding:
    """One way to write sound: bytes for a sample, what stands for silence, and both translations of s16le."""

    name: str
    width: int
    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]


def _high_bytes(pcm: bytes) -> bytes:
    return pcm[1::2]


def _widened(high: bytes) -> bytes:
    pcm = bytearray(2 * len(high))
    pcm[1::2] = high
    return bytes(pcm)


def _to_unsigned(pcm: bytes) -> bytes:
    return _high_bytes(pcm).translate(FLIP)


def _from_unsigned(data: bytes) -> bytes:
    return _widened(data.translate(FLIP))


def _to_mu_law(pcm: bytes) -> bytes:
    table = _mu_law_codes()
    return bytes([table[value >> 2] for value in memoryview(pcm).cast("H")])


def _from_mu_law(data: bytes) -> bytes:
    table = _mu_law_values()
    return array("h", [table[code] for code in data]).tobytes()


def _same(pcm: bytes) -> bytes:
    return pcm


def _marked(pcm: bytes) -> bytes:
    """14 bits at the left of 16, and bit 0 set in every word, as measured on a CX93001."""
    return array("H", [(value & 0xFFFC) | 1 for value in memoryview(pcm).cast("H")]).tobytes()


@lru_cache(maxsize=1)
def _mu_law_values() -> tuple[int, ...]:
    """The sample that each code stands for, on 16 bits."""
    values = []
    for code in range(256):
        bits = ~code & 0xFF
        size = (((bits & 0x0F) << 1) + BIAS << (bits >> 4 & 7)) - BIAS
        values.append(-4 * size if bits & 0x80 else 4 * size)
    return tuple(values)


@lru_cache(maxsize=1)
def _mu_law_codes() -> bytes:
    """The code of each 14-bit sample, counted as an unsigned number."""
    return bytes(_mu_law_code(value - 16384 if value >= 8192 else value) for value in range(16384))


def _mu_law_code(sample: int) -> int:
    size = min(abs(sample), CLIP) + BIAS
    exponent = size.bit_length() - 6
    bits = (0x80 if sample < 0 else 0) | exponent << 4 | (size >> exponent + 1) & 0x0F
    return ~bits & 0xFF


UNSIGNED = Coding("unsigned", 1, _to_unsigned, _from_unsigned)
SIGNED = Coding("signed", 1, _high_bytes, _widened)
MU_LAW = Coding("mu-law", 1, _to_mu_law, _from_mu_law)
WIDE = Coding("16 bit", 2, _same, _same)
FOURTEEN = Coding("14 bit", 2, _marked, _marked)
