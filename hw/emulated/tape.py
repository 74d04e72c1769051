"""A bounded record of what was heard."""

import threading
from collections import deque

from hw.contracts import FRAME_SECONDS


class Tape:
    """Keeps the last `seconds` of frames, for a test to measure; any thread may write and read."""

    def __init__(self, seconds: float = 120.0) -> None:
        self._frames: deque[bytes] = deque(maxlen=round(seconds / FRAME_SECONDS))
        self._lock = threading.Lock()

    def put(self, frame: bytes) -> None:
        """One frame more; the oldest falls off."""
        with self._lock:
            self._frames.append(frame)

    def wipe(self) -> None:
        """Begin anew."""
        with self._lock:
            self._frames.clear()

    @property
    def pcm(self) -> bytes:
        """Everything kept, oldest first."""
        with self._lock:
            return b"".join(self._frames)
