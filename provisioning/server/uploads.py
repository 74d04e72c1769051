"""Recordings on their way in: one `.part` file each, and how far it is here is its size, nothing else.

An offset that is kept beside the bytes can disagree with them after a crash; the size of the file cannot. A byte is
acknowledged only when it is on the disk.
"""

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

from firmware import wire
from provisioning.server.refusals import Refused

PART, ASIDE, DRAFT = ".part", ".wrong", ".draft"
LARGEST = 512 * 1024 * 1024  # bytes: two days and nights of talk
_PIECE = 256 * 1024


class Uploads:
    """The folder of what has not arrived whole. Blocking; only one server may use it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._lock = folder, threading.Lock()
        self._busy: set[UUID] = set()
        self._name_is_known()  # of files that a crash left behind, too

    @contextmanager
    def alone(self, name: UUID) -> Iterator[None]:
        """Nobody else works on this upload; raises Refused where somebody does already."""
        with self._lock:
            if name in self._busy:
                raise Refused(HTTPStatus.LOCKED, "busy", "another request is at work on this recording; ask again")
            self._busy.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(name)

    def part(self, name: UUID) -> Path:
        """Where the bytes are."""
        return self._folder / f"{name}{PART}"

    def draft(self, name: UUID) -> Path:
        """Where something may be made of them."""
        return self._folder / f"{name}{DRAFT}"

    def offset(self, name: UUID) -> int:
        """How many bytes are here."""
        try:
            return self.part(name).stat().st_size
        except FileNotFoundError:
            return 0

    def append(self, name: UUID, offset: int, data: bytes) -> int:
        """Put bytes at `offset`, which must be the end; the new offset, when they are on the disk. Inside `alone`."""
        size = self.offset(name)
        if offset != size:
            detail = f"the next byte is number {size}, not {offset}"
            raise Refused(HTTPStatus.CONFLICT, "offset", detail, {wire.OFFSET: str(size), wire.COMPLETE: "?0"})
        if size + len(data) > LARGEST:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "size", f"a recording may have {LARGEST} bytes at most")
        if data or not size:
            self._write(name, size, data)
        return size + len(data)

    def sha256(self, name: UUID) -> bytes:
        """Of all that is here."""
        found = hashlib.sha256()
        with self.part(name).open("rb") as file:
            while piece := file.read(_PIECE):
                found.update(piece)
        return found.digest()

    def set_aside(self, name: UUID) -> None:
        """Begin anew; what was here stays beside for a look, until the recording is whole or fails again."""
        self.part(name).replace(self._folder / f"{name}{ASIDE}")
        self._name_is_known()

    def forget(self, name: UUID) -> None:
        """All of it is elsewhere now."""
        for path in (self.draft(name), self._folder / f"{name}{ASIDE}", self.part(name)):
            path.unlink(missing_ok=True)

    def every(self) -> list[UUID]:
        """What is on its way."""
        return [UUID(path.stem) for path in self._folder.glob(f"*{PART}")]

    def _write(self, name: UUID, at: int, data: bytes) -> None:
        fresh = not at
        file = os.open(self.part(name), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            left = memoryview(data)
            while left:  # a disk that is nearly full takes a part first and refuses the rest; the part is right
                written = os.pwrite(file, left, at)
                at, left = at + written, left[written:]
            os.fdatasync(file)
        finally:
            os.close(file)
        if fresh:
            self._name_is_known()

    def _name_is_known(self) -> None:
        """Make the names in the folder survive a power cut."""
        directory = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
