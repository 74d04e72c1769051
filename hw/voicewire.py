"""The serial port of a voice modem, which takes sound only as fast as it plays it."""

import os
import termios

from hw.errors import PortLost
from hw.serialport import SerialPort

LONGEST_QUEUE = 1600  # bytes that may wait in the system for the modem; more would be a talk that lags


class VoiceWire(SerialPort):
    """Fulfils `voiceport.Stream`; for the one thread that owns it."""

    def offer(self, data: bytes) -> int:
        """How many of these bytes were taken, at once."""
        port = self._opened()
        try:
            return os.write(port.fileno(), data) if port.out_waiting < LONGEST_QUEUE else 0
        except BlockingIOError:
            return 0
        except (OSError, termios.error) as problem:
            raise PortLost(getattr(problem, "strerror", "") or "write failed") from problem

    def close(self) -> None:
        """Harmless when it is closed or gone; what still waits for the modem is dropped, or it would wait for that."""
        if self._port:
            try:
                self._port.reset_output_buffer()
            except (OSError, termios.error):  # it is gone already
                pass
        super().close()
