"""Echo cancellation for a loudspeaker: what the ear is told is taken out of what the microphone hears.

By libspeexdsp through ctypes, which Debian has for every Raspberry Pi. Measured against LiveKit's audio processing
module on the same sound, an echo of 40 to 120 ms: 28 to 31 dB less of a voice against 56, and 44 to 51 dB less of a
noise against 42, for 40 microseconds a frame against 250 and no Python package against three of 30 MB.
"""

import ctypes
import weakref
from collections import deque

from hw.contracts import FRAME, RATE, SILENCE
from hw.errors import WiringError

LIBRARY = "libspeexdsp.so.1"
TAIL = RATE // 5  # samples: an echo may come so long after its sound was given to the card
AHEAD = 3  # frames, the card's own buffer less one: an echo never comes before its sound, so this may not be more
_SET_RATE = 24  # SPEEX_ECHO_SET_SAMPLING_RATE, in speex/speex_echo.h


class EchoCanceller:
    """Learns how the loudspeaker sounds in the microphone, and goes on learning. One for each pair of the two.

    `played` and `cleaned` may be called on two threads: each frame to the card goes into a short queue, and each frame
    from the microphone takes one out, so that both are 20 ms of the same card's clock. Raises WiringError when the
    library is not there: a booth with a loudspeaker and no canceller would let the customer hear themselves.
    """

    def __init__(self, library: str = LIBRARY) -> None:
        self._speex = _load(library)
        self._state = self._speex.speex_echo_state_init(FRAME // 2, TAIL)
        weakref.finalize(self, self._speex.speex_echo_state_destroy, self._state)
        self._speex.speex_echo_ctl(self._state, _SET_RATE, ctypes.byref(ctypes.c_int(RATE)))
        self._played: deque[bytes] = deque(maxlen=AHEAD)
        self._clean = ctypes.create_string_buffer(FRAME)

    def forget(self) -> None:
        """Nothing is under way from the loudspeaker any more; what has been learnt of the room stays."""
        self._played.clear()

    def played(self, frame: bytes) -> None:
        """The card has been given this to play."""
        self._played.append(frame)

    def cleaned(self, heard: bytes) -> bytes:
        """What the microphone heard, without the loudspeaker."""
        played = self._played.popleft() if self._played else SILENCE
        self._speex.speex_echo_cancellation(self._state, heard, played, self._clean)
        return self._clean.raw


def _load(library: str) -> ctypes.CDLL:
    try:
        speex = ctypes.CDLL(library)
    except OSError as problem:
        raise WiringError(
            f"loudspeaker = true needs {library} (Debian: apt install libspeexdsp1): {problem}"
        ) from problem
    speex.speex_echo_state_init.restype = ctypes.c_void_p
    speex.speex_echo_state_init.argtypes = [ctypes.c_int, ctypes.c_int]
    speex.speex_echo_state_destroy.restype = None
    speex.speex_echo_state_destroy.argtypes = [ctypes.c_void_p]
    speex.speex_echo_ctl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    speex.speex_echo_cancellation.restype = None
    speex.speex_echo_cancellation.argtypes = [ctypes.c_void_p, *[ctypes.c_char_p] * 3]
    return speex
