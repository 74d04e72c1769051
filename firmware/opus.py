"""Opus through libopus itself: one mono voice at 8 kHz, a packet every 20 ms."""

import ctypes
import weakref
from functools import cache

from hw.contracts import FRAME, RATE

BITRATE = 12_000  # bits a second and ear: a ceiling, silence takes far less
COMPLEXITY = 5  # 10 costs twice the time for nothing that a telephone voice could show
FRAME_SAMPLES = FRAME // 2
PRE_SKIP = 312  # samples at 48 kHz by which the decoder's output is late (RFC 7845), for this rate and application

# From opus_defines.h.
_APPLICATION_VOIP = 2048
_SET_BITRATE = 4002
_SET_COMPLEXITY = 4010
_LONGEST_PACKET = 1275  # RFC 6716, section 3.4


class OpusError(Exception):
    """libopus is missing, or refused what it was given."""


@cache
def library() -> ctypes.CDLL:
    """libopus, loaded once; raises OpusError with advice when it is not installed."""
    try:
        lib = ctypes.CDLL("libopus.so.0")
    except OSError as problem:
        raise OpusError(f"recording needs libopus: install the Debian package libopus0 ({problem})") from problem
    number, pointer, text = ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p
    for name, result, arguments in (
        ("opus_encoder_create", pointer, [number, number, number, ctypes.POINTER(number)]),
        ("opus_decoder_create", pointer, [number, number, ctypes.POINTER(number)]),
        ("opus_encoder_destroy", None, [pointer]),
        ("opus_decoder_destroy", None, [pointer]),
        ("opus_encoder_ctl", number, [pointer, number, number]),
        ("opus_encode", number, [pointer, text, number, pointer, number]),
        ("opus_decode", number, [pointer, text, number, pointer, number, number]),
        ("opus_strerror", text, [number]),
    ):
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


class Encoder:
    """One ear of one call; it remembers, so it must live for the whole call."""

    def __init__(self, bitrate: int = BITRATE, complexity: int = COMPLEXITY) -> None:
        self._lib, failure = library(), ctypes.c_int()
        self._state = self._lib.opus_encoder_create(RATE, 1, _APPLICATION_VOIP, ctypes.byref(failure))
        _check(failure.value)
        weakref.finalize(self, self._lib.opus_encoder_destroy, self._state)
        for request, value in ((_SET_BITRATE, bitrate), (_SET_COMPLEXITY, complexity)):
            _check(self._lib.opus_encoder_ctl(self._state, request, value))
        self._packet = ctypes.create_string_buffer(_LONGEST_PACKET)

    def encode(self, frame: bytes) -> bytes:
        """The packet of one 20 ms frame."""
        if len(frame) != FRAME:
            raise OpusError(f"a frame has {FRAME} bytes, not {len(frame)}")
        size = _check(self._lib.opus_encode(self._state, frame, FRAME_SAMPLES, self._packet, _LONGEST_PACKET))
        return ctypes.string_at(self._packet, size)


class Decoder:
    """The way back, for listening and for tests."""

    def __init__(self) -> None:
        self._lib, failure = library(), ctypes.c_int()
        self._state = self._lib.opus_decoder_create(RATE, 1, ctypes.byref(failure))
        _check(failure.value)
        weakref.finalize(self, self._lib.opus_decoder_destroy, self._state)
        self._samples = ctypes.create_string_buffer(FRAME)

    def decode(self, packet: bytes) -> bytes:
        """The 20 ms frame of one packet; raises OpusError when it is none."""
        lib, size = self._lib, len(packet)
        count = _check(lib.opus_decode(self._state, packet, size, self._samples, FRAME_SAMPLES, 0))
        return ctypes.string_at(self._samples, 2 * count)


def _check(result: int) -> int:
    if result < 0:
        raise OpusError(f"libopus: {library().opus_strerror(result).decode()}")
    return result
