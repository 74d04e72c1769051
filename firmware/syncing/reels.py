"""The recordings on the card as sync sees them: journals that grow at their end, until a closing record ends them."""

import hashlib
import heapq
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from time import monotonic, time
from uuid import UUID

from firmware import journal

SUFFIX = ".journal"
PAGE = 64  # recordings that are looked at more closely: after months without a server there are thousands
TICK = 0.05  # seconds: a directory that changes twice in less may show one time stamp
LOOK = 60.0  # seconds after which the directory is read again although nothing in it seems to have changed
_CHUNK = 128 * 1024  # bytes looked at together; a segment has some 7 kB


class Reel:
    """One journal. Only whole records are ever shown, and only when they are on the card for good.

    What could vanish in a power cut, or be cut off after a crash, is not sent: the server would have something else
    than the card.
    """

    def __init__(self, path: Path, size: int = 0) -> None:
        self.path, self.name, self.size = path, path.stem, size
        self.ready = 0  # bytes that may be sent
        self.ended = False  # nothing more will come
        self._looked = False

    @property
    def whole(self) -> bool | None:
        """Whether its closing record is there; None before the first look."""
        return self.ended if self._looked else None

    def look(self) -> None:
        """See what has been recorded since. Raises OSError."""
        if self.ended:
            return
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if self._looked and size == self.size:
                return
            # The vault has written what is there, but its own fdatasync may still be to come.
            os.fdatasync(file.fileno())
            if size < self.ready:  # what was written last did not stay: the vault has taken it back
                self.ready = 0
            while not self.ended and self.ready < size:
                file.seek(self.ready)
                found = journal.read(file.read(min(_CHUNK, size - self.ready)))
                self.ready, self.ended = self.ready + found.tail, found.ended
                if not found.tail:
                    break
        self._looked, self.size = True, size

    def read(self, start: int, most: int) -> bytes:
        """Bytes from `start` on. Raises OSError."""
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(most)

    def sha256(self) -> bytes:
        """Of all that may be sent. Raises OSError."""
        found, left = hashlib.sha256(), self.ready
        with self.path.open("rb") as file:
            while left and (piece := file.read(min(left, _CHUNK))):
                found.update(piece)
                left -= len(piece)
        return found.digest()


class Shelf:
    """The newest reels in a directory, the newest first, and how much there is besides."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._order: tuple[Reel, ...] = ()
        self.others = self.bytes_of_others = 0  # that are not on this page
        self._stamp, self._at = 0, float("-inf")

    def changed(self) -> bool:
        """Whether there may be others than at the last look."""
        return not self._stamp or monotonic() - self._at > LOOK or self._seen() != self._stamp

    def present(self) -> set[str]:
        """The names of all recordings on the card."""
        return {name for _at, name, _size in self._journals(())}

    def doubt(self) -> None:
        """What was left out before may be wanted again."""
        self._at = float("-inf")

    def look(self, done: Collection[str]) -> None:
        """See what there is; recordings named in `done` are left alone."""
        self._stamp, self._at = self._seen(), monotonic()
        kept = {reel.name: reel for reel in self._order}
        found: list[tuple[float, str, int]] = []
        self.others = self.bytes_of_others = 0
        for entry in self._journals(done):
            heapq.heappush(found, entry)
            if len(found) > PAGE:
                self.others += 1
                self.bytes_of_others += heapq.heappop(found)[2]
        newest = sorted(found, reverse=True)
        self._order = tuple(kept.get(name) or Reel(self._path(name), size) for _at, name, size in newest)

    def __iter__(self) -> Iterator[Reel]:
        return iter(self._order)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}{SUFFIX}"

    def _journals(self, done: Collection[str]) -> Iterator[tuple[float, str, int]]:
        """When each was written last, its name and its size."""
        try:
            with os.scandir(self._directory) as entries:
                for entry in entries:
                    name = entry.name.removesuffix(SUFFIX)
                    if name != entry.name and name not in done and _is_uuid(name):
                        about = entry.stat()
                        yield about.st_mtime, name, about.st_size
        except OSError:  # no recording has been made yet, or the card is gone: then there is nothing to send
            return

    def _seen(self) -> int:
        """The directory's time stamp; 0 while something may change without changing it."""
        try:
            about = self._directory.stat()
        except OSError:
            return 0
        return about.st_mtime_ns if abs(time() - about.st_mtime) > TICK else 0


def _is_uuid(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
