"""How booth and sync wake each other: a datagram that says nothing. What has changed stands in the database.

The sockets are AF_UNIX and lie beside the database; nobody outside this box can reach them.
"""

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

BOOTH, SYNC = "booth.wake", "sync.wake"
_LOOK = 1.0  # seconds between two looks of a listener whether it is to end


class Bell:
    """Wakes whoever listens in `directory` under `name`; nobody there is nobody woken."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory, self._name = directory, name

    def ring(self) -> None:
        """From any thread; never waits. One that is still to be heard is as good as two."""
        with suppress(OSError), _Door(self._directory) as door, _datagrams() as ringing:
            ringing.setblocking(False)
            ringing.sendto(b"\0", door.address(self._name))


class Ear:
    """Hears the bell of `name` in `directory`; there is one ear for each name, and the last one counts."""

    def __init__(self, directory: Path, name: str) -> None:
        self._path = directory / name
        self._socket = _datagrams()
        self._path.unlink(missing_ok=True)  # of one who was killed
        with _Door(directory) as door:
            self._socket.bind(door.address(name))
        self._path.chmod(0o660)  # the other end runs as another user of the same group

    def wait(self, seconds: float) -> bool:
        """Whether it rang within `seconds`; several rings are one."""
        self._socket.settimeout(max(seconds, 0.001))
        try:
            self._socket.recv(1)
            self._socket.setblocking(False)
            while True:
                self._socket.recv(1)
        except TimeoutError:
            return False
        except BlockingIOError:
            return True

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()
        self._path.unlink(missing_ok=True)


class Listener:
    """An ear with a thread of its own, which calls `heard` for each ring and does nothing else."""

    def __init__(self, directory: Path, name: str, heard: Callable[[], None]) -> None:
        self._ear, self._heard, self._own = Ear(directory, name), heard, Bell(directory, name)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hear no more; harmless the second time."""
        if not self._over.is_set():
            self._over.set()
            self._own.ring()
            self._thread.join()
            self._ear.close()

    def _listen(self) -> None:
        while not self._over.is_set():
            if self._ear.wait(_LOOK) and not self._over.is_set():
                self._heard()


class _Door:
    """A directory by its descriptor: the whole path may be longer than the 107 bytes that a socket's address holds."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __enter__(self) -> Self:
        self._fd = os.open(self._directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._fd)

    def address(self, name: str) -> str:
        return f"/proc/self/fd/{self._fd}/{name}"


def _datagrams() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
