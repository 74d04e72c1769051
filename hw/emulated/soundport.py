"""The voice of a modem that has no port for it: a sound card is wired to its analog pins, or it is one itself (UAC)."""

import threading
import time
from collections import deque

from hw.contracts import FRAME_SECONDS, SILENCE
from hw.emulated.exchange import Exchange
from hw.emulated.voiceport import Spoilt, spoil
from hw.errors import AudioError

DEPTH = 50  # frames a sound card keeps for a late reader or a fast writer: 1 s


class SoundPort:
    """The modem's end: one frame in, one frame out, whenever the card's clock says so; silence between calls.

    `gaps` counts the frames for which nobody had anything to say in a call.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.muted = False
        self.spoilt: Spoilt = ""
        self.plugged = self.running = False
        self.gaps = 0
        self._exchange = exchange
        self._frames = 0

    def plug(self) -> None:
        """Appear, silent."""
        self.plugged = True

    def unplug(self) -> None:
        """Vanish."""
        self.plugged = self.running = False

    def run(self, wanted: bool) -> None:
        """Carry a call's voice, or nothing."""
        self.running = wanted and self.plugged

    def stop_flow(self, stopped: bool) -> None:
        """There is no flow control on wires."""

    def frame(self, said: bytes | None) -> bytes:
        """20 ms: what the host says, None is nothing, for what it hears."""
        if not self.running:
            return SILENCE
        self.gaps += said is None
        self._frames += 1
        heard = self._exchange.downlink()
        up, down = spoil(self.spoilt, self._frames, SILENCE if self.muted else said or SILENCE, heard)
        self._exchange.uplink(up)
        return down


class EmulatedCard:
    """The sound card as its driver meets it (contracts.Handset): a frame for each 20 ms of real time since it was opened.

    `lost` counts frames that were not fetched in time, `spilled` those for which there was no room.
    """

    def __init__(self, wire: SoundPort) -> None:
        self.lost = self.spilled = 0
        self._wire = wire
        self._lock = threading.Lock()
        self._opened: float | None = None
        self._ticks = 0
        self._to_say: deque[bytes] = deque()
        self._to_hear: deque[bytes] = deque()

    def open(self) -> None:
        """Begin to hear and speak. Raises AudioError when it is not plugged in."""
        if not self._wire.plugged:
            raise AudioError("no such sound card")
        with self._lock:
            self._to_say.clear()
            self._to_hear.clear()
            self._opened, self._ticks = time.monotonic(), 0

    @property
    def alive(self) -> bool:
        """Whether it is open and still there."""
        return self._wire.plugged and self._opened is not None

    def close(self) -> None:
        """Fall silent; harmless when not open."""
        self._opened = None

    def read(self) -> bytes | None:
        """The oldest frame heard, or None if none is due."""
        with self._lock:
            self._tick()
            return self._to_hear.popleft() if self._to_hear else None

    def write(self, frame: bytes) -> None:
        """Say one frame."""
        with self._lock:
            self._tick()
            if len(self._to_say) >= DEPTH:
                self.spilled += 1
            elif self.alive:
                self._to_say.append(frame)

    def _tick(self) -> None:
        if self._opened is None or not self._wire.plugged:
            return
        due = int((time.monotonic() - self._opened) / FRAME_SECONDS)
        late = due - self._ticks - DEPTH
        if late > 0:
            self.lost += late
            self._ticks += late
        while self._ticks < due:
            self._ticks += 1
            self._to_hear.append(self._wire.frame(self._to_say.popleft() if self._to_say else None))
        while len(self._to_hear) > DEPTH:
            self._to_hear.popleft()
            self.lost += 1
