"""The recordings on the card as sync sees them: journals that grow at their end, until a closing record ends them."""

import hashlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from uuid import UUID

from firmware import journal

SUFFIX = ".journal"
_LOOK = 128 * 1024  # bytes looked at together; a segment has some 7 kB


class Reel:
    """One journal. Only whole records are ever shown: what may still be cut off after a crash is not sent."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.stem
        self.ready = 0  # bytes that may be sent
        self.ended = False  # nothing more will come
        self._looked = False

    @property
    def whole(self) -> bool | None:
        """Whether its closing record is there; None before the first look."""
        return self.ended if self._looked else None

    def look(self) -> None:
        """See what has been recorded since. Raises OSError."""
        self._looked = True
        while not self.ended:
            found = journal.read(self.read(self.ready, _LOOK))
            self.ready, self.ended = self.ready + found.tail, found.ended
            if not found.tail:
                return

    def read(self, start: int, most: int) -> bytes:
        """Bytes from `start` on. Raises OSError."""
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(most)

    def sha256(self) -> bytes:
        """Of all that may be sent. Raises OSError."""
        found, left = hashlib.sha256(), self.ready
        with self.path.open("rb") as file:
            while left and (piece := file.read(min(left, _LOOK))):
                found.update(piece)
                left -= len(piece)
        return found.digest()


class Shelf:
    """All reels in a directory, the newest first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._reels: dict[str, Reel] = {}
        self._order: tuple[Reel, ...] = ()

    def look(self, settled: Collection[str]) -> None:
        """See what there is; recordings named in `settled` are left alone."""
        found: dict[str, tuple[float, Path]] = {}
        try:
            with os.scandir(self._directory) as entries:
                for entry in entries:
                    name = entry.name.removesuffix(SUFFIX)
                    if name != entry.name and name not in settled and _is_uuid(name):
                        found[name] = entry.stat().st_mtime, Path(entry.path)
        except OSError:  # no recording has been made yet, or the card is gone: then there is nothing to send
            found = {}
        newest = sorted(found, key=lambda name: found[name][0], reverse=True)
        self._reels = {name: self._reels.get(name) or Reel(found[name][1]) for name in newest}
        self._order = tuple(self._reels.values())

    def __iter__(self) -> Iterator[Reel]:
        return iter(self._order)


def _is_uuid(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
