"""Recordings on their way in: one `.part` file each, and how far it is here is its size, nothing else.

An offset that is kept beside the bytes can disagree with them after a crash; the size of the file cannot. A byte is
acknowledged only when it is on the disk.

The folder is one machine's: where several share a database, whatever spreads the booths over them must send a booth's
requests always to the same one, or else a recording begins anew wherever it comes to.
"""

import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

from firmware import wire
from provisioning.server.refusals import Refused

PART, ASIDE, DRAFT, COPY, LOCKS = ".part", ".wrong", ".draft", ".copy", ".locks"
LARGEST = 512 * 1024 * 1024  # bytes: two days and nights of talk
_PIECE = 256 * 1024
_FLOCK = struct.Struct("@hhqqi4x")  # struct flock of Linux with 64 bits: kind, whence, start, length, process
_OPENED = 1 << 62  # where the bytes begin that stand for opening; those before stand for sending


class Uploads:
    """The folder of what has not arrived whole. Blocking; several processes of one machine may use it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._name_is_known()  # of files that a crash left behind, too

    @contextmanager
    def alone(self, name: UUID) -> Iterator[None]:
        """Nobody else takes in bytes of this recording; raises Refused where somebody does already."""
        with self._locked(name.int >> 66) as mine:
            if not mine:
                raise Refused(HTTPStatus.LOCKED, "busy", "another request is at work on this recording; ask again")
            yield

    @contextmanager
    def opening(self, name: UUID) -> Iterator[bool]:
        """Nobody else opens this recording, if it is True."""
        with self._locked(_OPENED | name.int >> 66) as mine:
            yield mine

    @contextmanager
    def _locked(self, place: int) -> Iterator[bool]:
        """One byte of the file of locks, for each recording another one, far behind its end.

        The lock belongs to this opening of the file: it keeps out threads as well as processes, and goes with us.
        """
        file = os.open(self._folder.with_suffix(LOCKS), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0))
        except (BlockingIOError, PermissionError):  # either may be said (fcntl(2))
            os.close(file)
            yield False
            return
        try:
            yield True
        finally:
            os.close(file)

    def part(self, name: UUID) -> Path:
        """Where the bytes are."""
        return self._folder / f"{name}{PART}"

    def draft(self, name: UUID) -> Path:
        """Where something may be made of them."""
        return self._folder / f"{name}{DRAFT}"

    def copy(self, name: UUID) -> Path:
        """Where what the archive keeps may be put to look at it."""
        return self._folder / f"{name}{COPY}"

    def offset(self, name: UUID) -> int:
        """How many bytes are here."""
        try:
            return self.part(name).stat().st_size
        except FileNotFoundError:
            return 0

    def append(self, name: UUID, offset: int, data: bytes, *, known: bool = True) -> int:
        """Put bytes at `offset`, which must be the end; the new offset, when they are on the disk. Inside `alone`.

        Without `known` the file may have lost its name after a power cut: that is for one who gives it another at once.
        """
        size = self.offset(name)
        if offset != size:
            detail = f"the next byte is number {size}, not {offset}"
            raise Refused(HTTPStatus.CONFLICT, "offset", detail, {wire.OFFSET: str(size), wire.COMPLETE: "?0"})
        if size + len(data) > LARGEST:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "size", f"a recording may have {LARGEST} bytes at most")
        # Even if it is nothing: whoever wrote what is here may have crashed, or failed, before the disk had it.
        self._write(name, size, data)
        if known:
            self._name_is_known()
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
        for path in (self.draft(name), self._folder / f"{name}{ASIDE}", self.copy(name), self.part(name)):
            path.unlink(missing_ok=True)

    def every(self) -> list[UUID]:
        """What is on its way."""
        return [UUID(path.stem) for path in self._folder.glob(f"*{PART}")]

    def _write(self, name: UUID, at: int, data: bytes) -> None:
        file = os.open(self.part(name), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        end, left = at, memoryview(data)
        try:
            while left:  # a disk that is nearly full takes a part first and refuses the rest
                written = os.pwrite(file, left, end)
                end, left = end + written, left[written:]
            os.fdatasync(file)
        except OSError:
            os.ftruncate(file, at)  # the disk may never get what it refused once, and nobody would hear of it again
            raise
        finally:
            os.close(file)

    def _name_is_known(self) -> None:
        """Make the names in the folder survive a power cut."""
        directory = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
