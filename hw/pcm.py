"""A modem's audio port: raw signed 16-bit little-endian at 8 kHz, 20 ms at a time, never waiting."""

import os
import select
import termios
import threading

import serial

from hw.contracts import FRAME
from hw.errors import AudioError, MisuseError

LONGEST_QUEUE = 10 * FRAME  # 200 ms; older sound is dropped, for a talk must not lag
GULP = 4096
GULPS = 8  # then the talk path has waited long enough, whatever the port still holds


class PcmPort:
    """Fulfils `contracts.Audio`; open only while there is a call.

    The talk path reads and writes on its thread while the line opens and closes on its own: one short lock, because a
    closed descriptor's number may already be somebody else's file.
    """

    def __init__(self, path: str, rate: int) -> None:
        self._path, self._rate = path, rate
        self._lock = threading.Lock()
        self._port: serial.Serial | None = None
        self._heard = bytearray()
        self._unsent = b""
        self._flowing = True
        self.lost = False  # the port went away in mid-call
        self.dropped = 0  # frames that the modem would not take
        self.skipped = 0  # bytes heard that nobody fetched in time

    def open(self) -> None:
        """Begin with nothing heard: old sound belongs to an old call. AudioError when the port cannot be had."""
        try:
            port = serial.Serial(self._path, self._rate, timeout=0, exclusive=True)
            port.reset_input_buffer()
        except (OSError, termios.error) as problem:
            raise AudioError("the modem's audio port cannot be opened") from problem
        with self._lock:
            self._shut()
            self._port, self._flowing, self.lost = port, True, False

    def close(self) -> None:
        """Harmless when it is closed."""
        with self._lock:
            self._shut()

    def flow(self, go: bool) -> None:
        """What the modem's flow control says."""
        self._flowing = go

    def read(self) -> bytes | None:
        """The oldest frame heard, None when there is none yet or no call."""
        with self._lock:
            if self._port:
                self._fetch(self._port.fileno())
            if len(self._heard) < FRAME:
                return None
            frame = bytes(self._heard[:FRAME])
            del self._heard[:FRAME]
            return frame

    def write(self, frame: bytes) -> None:
        """Say one frame; dropped, and counted, when the modem will not take it now."""
        if len(frame) != FRAME:
            raise MisuseError(f"a frame is {FRAME} bytes")
        with self._lock:
            if not self._port:
                return
            if not self._flowing or not self._send(self._port.fileno(), frame):
                self.dropped += 1

    def _fetch(self, fd: int) -> None:
        try:
            # pyserial sets VMIN to 0, so an empty read means "hung up" only if the port said that it has something.
            for _ in range(GULPS):
                if not select.select([fd], [], [], 0)[0]:
                    break
                data = os.read(fd, GULP)
                if not data:
                    raise AudioError("hung up")
                self._heard += data
        except BlockingIOError:
            pass
        except (OSError, AudioError):
            self._vanish()
        excess = len(self._heard) - LONGEST_QUEUE
        if excess > 0:
            excess += excess % 2  # whole samples: an odd byte lost is loud noise for the rest of the call
            del self._heard[:excess]
            self.skipped += excess

    def _send(self, fd: int, frame: bytes) -> bool:
        """Whether the frame was taken: the rest of the one before goes first, so that no sample is ever cut."""
        try:
            if self._unsent:
                self._unsent = self._unsent[os.write(fd, self._unsent) :]
            if self._unsent:
                return False
            self._unsent = frame[os.write(fd, frame) :]
        except BlockingIOError:
            return False
        except OSError:
            self._vanish()
            return False
        return True

    def _vanish(self) -> None:
        self._shut()
        self.lost = True

    def _shut(self) -> None:
        if self._port:
            try:
                self._port.reset_output_buffer()  # else closing may wait half a minute for a modem that takes nothing
            except (OSError, termios.error):  # it is gone already
                pass
            self._port.close()
        self._port, self._unsent = None, b""
        self._heard.clear()
