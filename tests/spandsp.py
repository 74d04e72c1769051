"""The public library spandsp as a judge of our tones, through ctypes (Debian: libspandsp2)."""

import ctypes
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int16, c_size_t, c_void_p, create_string_buffer

LIBRARY = "libspandsp.so.2"
REPORT = CFUNCTYPE(None, c_void_p, c_int, c_int, c_int)


def _library():
    library = ctypes.CDLL(LIBRARY)
    for name, result, *arguments in (
        ("dtmf_rx_init", c_void_p, c_void_p, c_void_p, c_void_p),
        ("dtmf_rx", c_int, c_void_p, POINTER(c_int16), c_int),
        ("dtmf_rx_get", c_size_t, c_void_p, c_char_p, c_int),
        ("dtmf_rx_free", c_int, c_void_p),
        ("super_tone_rx_make_descriptor", c_void_p, c_void_p),
        ("super_tone_rx_add_tone", c_int, c_void_p),
        ("super_tone_rx_add_element", c_int, c_void_p, c_int, c_int, c_int, c_int, c_int),
        ("super_tone_rx_free_descriptor", c_int, c_void_p),
        ("super_tone_rx_init", c_void_p, c_void_p, c_void_p, REPORT, c_void_p),
        ("super_tone_rx", c_int, c_void_p, POINTER(c_int16), c_int),
        ("super_tone_rx_free", c_int, c_void_p),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _samples(pcm):
    return (c_int16 * (len(pcm) // 2)).from_buffer_copy(pcm)


def keys(pcm):
    """The DTMF digits in s16le sound at 8 kHz."""
    library = _library()
    receiver = library.dtmf_rx_init(None, None, None)
    digits = ""
    for at in range(0, len(pcm), 320):
        samples = _samples(pcm[at : at + 320])
        library.dtmf_rx(receiver, samples, len(samples))
        found = create_string_buffer(129)
        library.dtmf_rx_get(receiver, found, 128)
        digits += found.value.decode()
    library.dtmf_rx_free(receiver)
    return digits


class Cadences:
    """A detector of tones with their cadence: each is a list of (hertz, other hertz or 0, shortest, longest) in ms.

    A pause has 0 hertz; the longest may be 0 for no limit.
    """

    def __init__(self, **tones):
        self._library = _library()
        self._names, self._heard = [], []
        self._descriptor = self._library.super_tone_rx_make_descriptor(None)
        for name, elements in tones.items():
            tone = self._library.super_tone_rx_add_tone(self._descriptor)
            assert tone == len(self._names)
            self._names.append(name)
            for element in elements:
                self._library.super_tone_rx_add_element(self._descriptor, tone, *element)
        self._report = REPORT(self._told)  # kept: C holds only its address
        self._receiver = self._library.super_tone_rx_init(None, self._descriptor, self._report, None)

    def _told(self, _user, code, _level, _delay):
        if code >= 0:
            self._heard.append(self._names[code])

    def hear(self, pcm):
        """The names of the tones told in this s16le sound, in order."""
        samples = _samples(pcm)
        done = 0
        while done < len(samples):
            rest = (c_int16 * (len(samples) - done)).from_buffer(samples, 2 * done)
            left = self._library.super_tone_rx(self._receiver, rest, len(rest))
            done = len(samples) - left if left else len(samples)
            if left == len(rest):
                break
        return list(self._heard)

    def close(self):
        """Free what C holds."""
        self._library.super_tone_rx_free(self._receiver)
        self._library.super_tone_rx_free_descriptor(self._descriptor)
