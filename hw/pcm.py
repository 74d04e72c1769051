"""A modem's audio port: raw signed 16-bit little-endian at 8 kHz, 20 ms at a time, never waiting."""

import os
import select
import termios
import threading
from array import array
from operator import mul, sub

import serial

from hw.contracts import FRAME
from hw.errors import AudioError, MisuseError

LONGEST_QUEUE = 10 * FRAME  # 200 ms; older sound is dropped, for a talk must not lag
GULP = 4096
GULPS = 8  # then the talk path has waited long enough, whatever the port still holds
LOOKED = 10  # frames: one in so many is looked at for a lost byte
SURE = 5  # looks in a row, a second, that must agree
FAR_LESS = 4  # times the power of what changes from sample to sample: a voice a byte off is noise at full scale


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
        self.realigned = 0  # bytes left out because one had been lost before
        self._alignment, self._astray = Alignment(), False

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
            self.dropped = self.skipped = self.realigned = 0
            self._alignment, self._astray = Alignment(), False

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
            if self._astray and self._heard:
                del self._heard[:1]
                self._astray = False
            if len(self._heard) < FRAME:
                return None
            frame = bytes(self._heard[:FRAME])
            del self._heard[:FRAME]
            if self._alignment.lost(frame):
                self.realigned += 1
                self._astray = True
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


class Alignment:
    """Notices that a byte of 16-bit sound was lost, by its noise: the same bytes, one further on, are far smoother.

    What a voice's samples have in their low bytes then stands in the high ones. A silent line says nothing.
    """

    def __init__(self) -> None:
        self._frames = self._agreed = 0

    def lost(self, frame: bytes) -> bool:
        """Whether this is the frame after which it is sure: a byte has to be left out now."""
        self._frames += 1
        if self._frames % LOOKED or not any(frame):
            return False
        as_it_is, beside = array("h", frame), array("h", frame[1:-1])
        # Eight bits shifted up are no fault: beside them lies nothing below zero.
        doubted = min(beside) < 0 and _roughness(as_it_is) > FAR_LESS * _roughness(beside)
        self._agreed = self._agreed + 1 if doubted else 0
        if self._agreed < SURE:
            return False
        self._agreed = 0
        return True


def _roughness(samples: "array[int]") -> int:
    """The power of what changes from sample to sample."""
    steps = tuple(map(sub, samples[1:], samples))
    return sum(map(mul, steps, steps))
