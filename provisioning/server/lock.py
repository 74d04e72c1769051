"""One server for each directory: two of them would hand out two nonces and write into the same uploads."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class TakenError(Exception):
    """Another server works in this directory."""


class Lock:
    """Held while the block lasts, and let go by the system however the process ends."""

    def __init__(self, directory: Path) -> None:
        self._path, self._file = directory / "server.lock", -1

    def __enter__(self) -> Self:
        """Raises TakenError."""
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            os.close(self._file)
            raise TakenError(f"another server works in {self._path.parent}: stop it first") from problem
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)
