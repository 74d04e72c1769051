"""Where a server listens. All its processes take connections from the same queue, so none is lost when one of them goes."""

import socket
from typing import Self

WAITING = 512  # connections that may wait to be accepted: all booths come back at once after a power cut
AT_ONCE = 4  # connections that a process takes before it looks around: another one may have less to do


class Place(socket.socket):
    """A listening socket whose queue stays as long as it is: asyncio would shorten it to what it takes at once."""

    def listen(self, _: int = WAITING, /) -> None:
        """Take connections from now on."""
        super().listen(WAITING)

    @classmethod
    def bound(cls, host: str, port: int) -> Self:
        """A new one; port 0 is any that is free. Raises OSError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # Named by its protocol, or asyncio leaves Nagle on and every answer waits 40 ms for an acknowledgement.
        place = cls(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind((host, port))
            place.listen()
        except OSError:
            place.close()
            raise
        return place

    @property
    def address(self) -> str:
        """HOST:PORT by which others reach it."""
        host, port = self.getsockname()[:2]
        if host in {"0.0.0.0", "::"}:  # noqa: S104  (every address of this machine: then its name is what others know)
            host = socket.getfqdn()
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
