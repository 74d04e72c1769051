"""The modem's second port: raw voice in both directions, 20 ms at a time."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from hw.contracts import FRAME, FRAME_SECONDS, SILENCE
from hw.emulated.cable import Cable
from hw.emulated.exchange import Exchange
from hw.emulated.port import Port

# In bytes of s16le at 8 kHz.
START = 3 * FRAME  # speech is taken from here on, so that uneven writers make no gaps
STOP_AT = 25 * FRAME  # half a second waits: ask the host to stop
GO_AT = 5 * FRAME
ROOM = 50 * FRAME  # more than this is dropped
UNREAD = 10 * FRAME  # nobody has read for 200 ms: the line does not wait
CATCH_UP = 25  # frames; a clock that slept longer leaves the rest out


CHOPS = 5  # frames of sound, then so many of silence

Spoilt = Literal["", "choppy", "no downlink", "no uplink", "dead"]


def spoil(how: Spoilt, n: int, up: bytes, down: bytes) -> tuple[bytes, bytes]:
    """What is left of the n-th frames either way."""
    if how in ("no uplink", "dead"):
        up = SILENCE
    if how in ("no downlink", "dead") or (how == "choppy" and n // CHOPS % 2):
        down = SILENCE
    return up, down


class VoicePort:
    """Carries the call's sound between the exchange and whoever has the port open, while it is told to run.

    `gaps` counts how often the speech to send ran dry, `dropped` the frames that nobody read, `spilled`
    the bytes for which there was no room, and `held` the bytes that came although the host had been asked to stop.
    """

    def __init__(
        self, exchange: Exchange, link: Path, flow: Callable[[bool], None] | None, cable: Cable | None = None
    ) -> None:
        self.port = Port(link, self._hear, cable)
        self.muted = False
        self.spoilt: Spoilt = ""
        self.gaps = self.dropped = self.spilled = self.held = 0
        self._exchange, self._flow = exchange, flow
        self._waiting = bytearray()
        self._running = self._flowing = self._stopped = self._by_hand = False
        self._next = 0.0
        self._frames = 0

    def plug(self) -> None:
        """Appear, silent."""
        if not self.port.plugged:
            self._waiting.clear()
            self._running = self._flowing = self._stopped = self._by_hand = False
            self.port.plug()

    def unplug(self) -> None:
        """Vanish."""
        self.port.unplug()

    def run(self, wanted: bool) -> None:
        """Start or stop the clock; harmless when it is so already."""
        self.port.do(self._run, wanted)

    def stop_flow(self, stopped: bool) -> None:
        """The host has been asked by hand to send nothing, or to go on: the backlog does not undo that."""
        self.port.do(self._stop_flow, stopped)

    def stall(self, stalled: bool) -> None:
        """Take nothing from the host any more, so that its writes fill the line and fail; or go on."""
        self.port.stall(stalled)

    def _run(self, wanted: bool) -> None:
        if wanted and not self._running:
            self._next = time.monotonic() + FRAME_SECONDS
            self.port.at(self._next, self._tick)
        if wanted != self._running:
            self._waiting.clear()
            self._flowing, self._stopped = False, self._by_hand
        self._running = wanted

    def _stop_flow(self, stopped: bool) -> None:
        self._stopped = self._by_hand = stopped

    def _hear(self, data: bytes) -> None:
        if not self._running:
            return  # as a real port between calls: taken, and gone
        if self._stopped:
            self.held += len(data)
        self._waiting += data
        if len(self._waiting) > ROOM:
            self.spilled += len(self._waiting) - ROOM
            del self._waiting[ROOM:]

    def _tick(self) -> None:
        if not self._running:
            return
        now = time.monotonic()
        if now - self._next > CATCH_UP * FRAME_SECONDS:
            self._next = now
        while self._next <= now:
            self._next += FRAME_SECONDS
            self._one_frame()
        self._control_flow()
        self.port.at(self._next, self._tick)

    def _one_frame(self) -> None:
        self._frames += 1
        said, heard = self._said(), self._exchange.downlink()
        said, heard = spoil(self.spoilt, self._frames, SILENCE if self.muted else said, heard)
        self._exchange.uplink(said)
        if self.port.unread > UNREAD or self.port.write(heard) < FRAME:
            self.dropped += 1

    def _said(self) -> bytes:
        if not self._flowing and len(self._waiting) < START:
            return SILENCE
        self._flowing = len(self._waiting) >= FRAME
        if not self._flowing:
            self.gaps += 1
            return SILENCE
        frame = bytes(self._waiting[:FRAME])
        del self._waiting[:FRAME]
        return frame

    def _control_flow(self) -> None:
        if self._flow is None:
            return
        if not self._stopped and len(self._waiting) > STOP_AT:
            self._stopped = True
            self._flow(True)
        elif self._stopped and not self._by_hand and len(self._waiting) < GO_AT:
            self._stopped = False
            self._flow(False)
