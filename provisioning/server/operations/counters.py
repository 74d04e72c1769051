"""How many requests each process of a server has answered, where any of them can read it.

Each process has a small file of its own, which it holds locked as long as it lives; nobody reads one whose owner is gone.
"""

import fcntl
import mmap
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = "counters"
LISTENERS: Final = ("api", "pages")
CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")
_CELLS = len(LISTENERS) * len(CLASSES)
_BYTES = 8 * _CELLS


class Counters:
    """One process's own."""

    def __init__(self, directory: Path) -> None:
        folder = directory / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        for _ in of_all(directory):
            pass  # what the dead left is gone now, whether anybody ever asks or not
        self._path, fresh = folder / str(os.getpid()), folder / f".{os.getpid()}"
        self._file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_SH)
        os.ftruncate(self._file, 0)
        os.ftruncate(self._file, _BYTES)
        fresh.replace(self._path)  # only now: nobody takes it for that of a process that is gone
        self._map = mmap.mmap(self._file, _BYTES)
        self._cells = memoryview(self._map).cast("Q")
        self._lock = threading.Lock()

    def count(self, listener: str, status: int) -> None:
        """One more answer."""
        cell = LISTENERS.index(listener) * len(CLASSES) + min(max(status // 100, 1), 5) - 1
        with self._lock:
            self._cells[cell] += 1

    def around(self, listener: str, app: ASGIApp) -> ASGIApp:
        """The application, every answer of which is counted."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            async def heard(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self.count(listener, message["status"])
                await send(message)

            await app(scope, receive, heard)

        return counted

    def close(self) -> None:
        """Nothing is counted any more."""
        self._path.unlink(missing_ok=True)
        self._cells.release()
        self._map.close()
        os.close(self._file)


def of_all(directory: Path) -> Iterator[tuple[str, str, str, int]]:
    """Process, listener, class of answer and how many, of all who live; files of the dead are removed."""
    for path in sorted((directory / FOLDER).glob("[0-9]*")):
        with suppress(FileNotFoundError), path.open("r+b") as file:
            if _is_gone(file.fileno()):
                path.unlink(missing_ok=True)
                continue
            cells = memoryview(file.read(_BYTES)).cast("Q")
            for place, many in enumerate(cells):
                yield path.name, LISTENERS[place // len(CLASSES)], CLASSES[place % len(CLASSES)], many


def _is_gone(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
