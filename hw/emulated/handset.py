"""A handset with an agent who talks and an ear that keeps what it heard."""

import time

from hw.contracts import FRAME_SECONDS
from hw.emulated.speech import Speech, Voice
from hw.emulated.tape import Tape
from hw.errors import AudioError

DEPTH = 50  # frames a sound card of this kind keeps for a late reader: 1 s


class EmulatedHandset:
    """A Handset whose microphone delivers one frame for each 20 ms of real time since it was opened.

    `voice` may be exchanged at any time; `lost` counts the frames that nobody fetched in time.
    """

    def __init__(self, voice: Voice | None = None) -> None:
        self.voice: Voice = voice or Speech(7)
        self.lost = 0
        self.plugged = True  # False: its card is not there, or was pulled out
        self._ear = Tape()
        self._opened: float | None = None
        self._spoken = 0

    def open(self) -> None:
        """Begin to hear and speak. Raises AudioError when it is not plugged in."""
        if not self.plugged:
            raise AudioError("no such sound card")
        self._opened, self._spoken = time.monotonic(), 0

    @property
    def alive(self) -> bool:
        """Whether it is open and its card still there."""
        return self.plugged and self._opened is not None

    def close(self) -> None:
        """Fall silent; harmless when not open."""
        self._opened = None

    def read(self) -> bytes | None:
        """The oldest frame spoken, or None if none is due."""
        if self._opened is None or not self.plugged:
            return None
        due = int((time.monotonic() - self._opened) / FRAME_SECONDS)
        if self._spoken >= due:
            return None
        late = due - self._spoken - DEPTH
        if late > 0:
            self.lost += late
            self._spoken += late
        self._spoken += 1
        return self.voice.frame(self._spoken - 1)

    def write(self, frame: bytes) -> None:
        """One frame to the ear."""
        if self._opened is not None:
            self._ear.put(frame)

    @property
    def heard(self) -> bytes:
        """The last two minutes of what came to the ear, s16le 8 kHz."""
        return self._ear.pcm
