"""A serial port that never waits longer than it is told, and says PortLost when it goes away."""

import contextlib
import fcntl
import os
import select
import termios

import serial

from hw.errors import ModemTimeout, PortLost
from hw.worker import Bell

GULP = 4096


class SerialPort:
    """Fulfils `atport.Wire`; for the one thread that owns it."""

    def __init__(self, path: str, bell: Bell, rate: int = 115200) -> None:
        self._path, self._bell, self._rate = path, bell, rate
        self._port: serial.Serial | None = None

    def open(self) -> None:
        """Raise PortLost when there is no such port or somebody else has it."""
        try:
            self._port = serial.Serial(self._path, self._rate, timeout=0, write_timeout=1, exclusive=True)
            self._port.reset_input_buffer()
            fcntl.ioctl(self._port.fileno(), termios.TIOCEXCL)  # pyserial's own lock keeps out only who asks for it
        except (OSError, termios.error) as problem:  # pyserial's own error is an OSError
            why = os.strerror(problem.errno) if isinstance(problem, OSError) and problem.errno else "in use"
            raise PortLost(f"cannot open the modem's port: {why}") from problem

    def close(self) -> None:
        """Harmless when it is closed or gone."""
        if self._port:
            with contextlib.suppress(OSError):  # gone
                fcntl.ioctl(self._port.fileno(), termios.TIOCNXCL)
            self._port.close()
            self._port = None

    def hear(self, patience: float, *, heed_bell: bool = False) -> bytes:
        """What came in, after waiting for it at most `patience` seconds; nothing when the bell rang or nothing came."""
        port = self._opened()
        sources: list[Bell | serial.Serial] = [port, self._bell] if heed_bell else [port]
        ready, _, _ = select.select(sources, [], [], patience)
        if self._bell in ready:
            self._bell.hush()
        return self._read(port) if port in ready else b""

    def say(self, data: bytes) -> None:
        """Send it all. ModemTimeout when the modem takes no more, PortLost when it is gone."""
        try:
            self._opened().write(data)
        except serial.SerialTimeoutException:
            raise ModemTimeout("the modem takes no more bytes") from None
        except OSError as problem:
            raise PortLost(problem.strerror or "write failed") from problem

    def _read(self, port: serial.Serial) -> bytes:
        try:
            data = os.read(port.fileno(), GULP)
        except BlockingIOError:
            return b""
        except OSError as problem:
            raise PortLost(problem.strerror or "read failed") from problem
        if not data:
            raise PortLost("the port was hung up")
        return data

    def _opened(self) -> serial.Serial:
        if self._port is None:
            raise PortLost("the port is closed")
        return self._port
