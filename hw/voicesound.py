"""Both directions of a talk through a V.253 modem: frames for the talk path, coded and shielded bytes for the port."""

import threading
from array import array
from collections import deque
from collections.abc import Callable, Iterable

from hw.cadence import energy
from hw.coding import UNSIGNED, Coding
from hw.contracts import FRAME, FRAME_SECONDS, SILENCE
from hw.dle import shield
from hw.errors import MisuseError

LONGEST = 10  # frames, 200 ms: older sound is dropped, for a talk must not lag
CUSHION = 3  # frames of silence that the modem is given ahead: it must never run dry
RECENT = 15  # frames: what was sent may be heard again from the line for so long
STARVED = 0.03  # seconds that the talk path may be late before silence goes out instead
AHEAD = 5  # frames; what is said still earlier is dropped: silence has stood in for it, and the talk would lag


class VoiceSound:
    """Fulfils `contracts.Audio`; the talk path calls `read` and `write`, the line's worker the rest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._coding: Coding = UNSIGNED
        self._open = self._duplex = False
        self._heard = bytearray()
        self._said: deque[bytes] = deque()
        self._keys: deque[bytes] = deque()
        self._next_at = 0.0  # when the modem has played what it was given, less its cushion
        self._pressed_at = float("-inf")
        self._loudness: deque[float] = deque(maxlen=RECENT)
        self._odd = b""
        self.wake: Callable[[], None] = _nobody
        self.dropped = 0  # frames that the modem did not take in time
        self.skipped = 0  # frames heard that nobody fetched in time

    def begin(self, coding: Coding, now: float, *, duplex: bool) -> None:
        """The modem streams: nothing has been heard yet. Without `duplex` what is said goes nowhere."""
        with self._lock:
            self._clear()
            self._coding, self._open, self._duplex = coding, True, duplex
            self._next_at = now - CUSHION * FRAME_SECONDS

    def end(self) -> None:
        """Harmless when there is no stream."""
        with self._lock:
            self._open = False
            self._clear()

    def read(self) -> bytes | None:
        """The oldest frame heard, None when there is none yet or no call."""
        with self._lock:
            if len(self._heard) < FRAME:
                return None
            frame = bytes(self._heard[:FRAME])
            del self._heard[:FRAME]
            return frame

    def write(self, frame: bytes) -> None:
        """Say one frame; dropped, and counted, when the modem will not take it."""
        if len(frame) != FRAME:
            raise MisuseError(f"a frame is {FRAME} bytes")
        with self._lock:
            if not (self._open and self._duplex):
                return
            if len(self._said) >= LONGEST:
                self._said.popleft()
                self.dropped += 1
            self._said.append(frame)
        self.wake()

    def press(self, frames: Iterable[bytes]) -> None:
        """Say these, and not what the talk path says meanwhile: tones of keys."""
        with self._lock:
            if self._open and self._duplex:
                self._keys.extend(frames)

    def pressing(self, now: float) -> bool:
        """Whether tones of keys are being said, or may still come back from the line."""
        return bool(self._keys) or now - self._pressed_at < RECENT * FRAME_SECONDS

    @property
    def said(self) -> float:
        """The energy of the loudest frame lately sent: its echo may still come."""
        return max(self._loudness, default=0.0)

    def heard(self, data: bytes) -> bytes:
        """Take sound from the modem, and give it back as s16le."""
        data = self._odd + data
        if len(data) % self._coding.width:
            data, self._odd = data[:-1], data[-1:]
        else:
            self._odd = b""
        pcm = self._coding.decode(data)
        with self._lock:
            if self._open:  # a modem may go on for a moment after the end
                self._heard += pcm
            excess = len(self._heard) - LONGEST * FRAME
            if excess > 0:
                excess += -excess % FRAME
                del self._heard[:excess]
                self.skipped += excess // FRAME
        return pcm

    def starved(self) -> None:
        """The modem ran dry: give it a new cushion."""
        with self._lock:
            self._next_at -= FRAME_SECONDS

    def take(self, now: float) -> bytes:
        """What to send the modem now, coded and shielded; nothing when it has enough."""
        with self._lock:
            if not (self._open and self._duplex):
                return b""
            frame = self._due(now)
            if frame is None:
                return b""
            self._loudness.append(energy(array("h", frame)))
            self._next_at = max(self._next_at, now - 2 * LONGEST * FRAME_SECONDS) + FRAME_SECONDS
            return shield(self._coding.encode(frame))

    def _due(self, now: float) -> bytes | None:
        """The next frame, or silence when it is overdue."""
        if self._keys:
            self._said.clear()
            self._pressed_at = now
            return self._keys.popleft() if now >= self._next_at else None
        while self._said and now < self._next_at - AHEAD * FRAME_SECONDS:
            self._said.popleft()
            self.dropped += 1
        if self._said:
            return self._said.popleft()
        return SILENCE if now >= self._next_at + STARVED else None

    def _clear(self) -> None:
        self._heard.clear()
        self._said.clear()
        self._keys.clear()
        self._loudness.clear()
        self._odd = b""


def _nobody() -> None:
    """Whom a frame wakes before there is a worker."""
