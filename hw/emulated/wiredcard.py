"""A sound card between two file descriptors, or inside a sound server: for a driver that insists on a real card."""

import os
import select
import subprocess
import threading
import time
from typing import Self

from hw.contracts import FRAME, FRAME_SECONDS
from hw.emulated.soundport import DEPTH, SoundPort

PIECE = 4096
PATIENCE = 5.0  # seconds that close() waits for its thread and its children
FORMAT = ("--rate=8000", "--channels=1", "--format=s16le", "--raw", "--latency-msec=20")


class WiredCard:
    """Carries a modem's voice from and to two file descriptors (s16le 8 kHz), 20 ms at a time, from open() to close().

    `uplink` is read, `downlink` written; neither is closed. `dropped` counts frames that nobody took, `spilled` bytes for
    which there was no room.
    """

    def __init__(self, wire: SoundPort, uplink: int, downlink: int) -> None:
        self.dropped = self.spilled = 0
        self._wire, self._uplink, self._downlink = wire, uplink, downlink
        self._waiting = bytearray()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="emulated card", daemon=True)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def open(self) -> None:
        """Begin; once only."""
        os.set_blocking(self._uplink, False)
        os.set_blocking(self._downlink, False)
        self._thread.start()

    def close(self) -> None:
        """Fall silent for good."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            due = max(due + FRAME_SECONDS, time.monotonic() - DEPTH * FRAME_SECONDS)
            self._listen(due)
            said = bytes(self._waiting[:FRAME]) if len(self._waiting) >= FRAME else None
            del self._waiting[: len(said or b"")]
            self._say(self._wire.frame(said))

    def _listen(self, due: float) -> None:
        """Take in what comes until the next frame is due."""
        open_end = [self._uplink]
        while (left := due - time.monotonic()) > 0:
            if not select.select(open_end, [], [], left)[0]:
                return
            came = os.read(self._uplink, PIECE)
            if not came:
                open_end = []  # nobody will say anything any more
            self._waiting += came
            if len(self._waiting) > DEPTH * FRAME:
                self.spilled += len(self._waiting) - DEPTH * FRAME
                del self._waiting[: -DEPTH * FRAME]

    def _say(self, frame: bytes) -> None:
        try:
            taken = os.write(self._downlink, frame)
        except (BlockingIOError, BrokenPipeError):
            taken = 0
        self.dropped += taken < FRAME


class PulseCard:
    """A card made of two null sinks of a PulseAudio server, which must be there.

    The host plays into the sink `mouth` and records from the monitor of the sink `ear`; parec and pacat are the wires.
    """

    def __init__(self, wire: SoundPort, mouth: str, ear: str) -> None:
        self._wire, self._mouth, self._ear = wire, mouth, ear
        self._children: list[subprocess.Popen[bytes]] = []
        self._card: WiredCard | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def open(self) -> None:
        """Begin. Raises OSError when PulseAudio's programs are not installed."""
        said = subprocess.Popen(["parec", f"--device={self._mouth}.monitor", *FORMAT], stdout=subprocess.PIPE)
        self._children.append(said)
        heard = subprocess.Popen(["pacat", f"--device={self._ear}", *FORMAT], stdin=subprocess.PIPE)
        self._children.append(heard)
        assert said.stdout is not None
        assert heard.stdin is not None
        self._card = WiredCard(self._wire, said.stdout.fileno(), heard.stdin.fileno())
        self._card.open()

    def close(self) -> None:
        """Take the wires off; harmless when it is not open."""
        if self._card is not None:
            self._card.close()
        for child in self._children:
            child.terminate()
            child.wait(PATIENCE)
            for pipe in filter(None, (child.stdin, child.stdout)):
                pipe.close()
        self._children, self._card = [], None
