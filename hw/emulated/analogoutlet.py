"""The last piece of the way to the host: a small buffer, and a cable that may cut."""

import time
from typing import Protocol

from hw.emulated.port import Port

ROOM = 8192  # bytes that wait for a host that does not read; then they are lost
UNREAD = 4000  # bytes that the host has been given and not read: the modem's own buffer fills
GAP = 0.002  # seconds between the pieces of what was cut


class Cutting(Protocol):
    """Whether what is written is cut after every DLE."""

    cuts: bool


class Outlet:
    """Bytes go out in order, as the host takes them; for the port's own thread."""

    def __init__(self, port: Port, cable: Cutting) -> None:
        self._port, self._cable = port, cable
        self._waiting = bytearray()
        self._cut_until = 0.0

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self._cut_until = 0.0

    def put(self, data: bytes) -> bool:
        """Send bytes; False, and they are lost, when too many wait already."""
        if len(self._waiting) + len(data) > ROOM:
            return False
        self._waiting += data
        self.flush()
        return True

    def flush(self) -> None:
        """Send what waits, as far as it goes."""
        while self._waiting and time.monotonic() >= self._cut_until and self._port.unread < UNREAD:
            end = self._waiting.find(0x10) + 1 if self._cable.cuts else 0
            piece = bytes(self._waiting[: end or len(self._waiting)])
            written = self._port.write(piece)
            del self._waiting[:written]
            if written < len(piece):
                return
            if end and self._waiting:
                self._cut_until = time.monotonic() + GAP
                self._port.at(self._cut_until, self.flush)
