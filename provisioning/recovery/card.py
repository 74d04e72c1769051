"""What lies on a card: journals, wherever they are, and the databases beside them. Nothing here ever writes."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware import journal
from firmware.vault import SUFFIX
from provisioning.opening import LONGEST_BLOB
from provisioning.recovery.words import phrase

DATABASE: Final = "booth.db"
FOUND: Final = "lost+found"  # where a file system's repair puts files that have lost their names
_FOLDER: Final = "recordings"

RAW: Final = phrase(
    "{place} is a device or an image, not a folder. Mount it read-only first, for example:"
    " mount -o ro,noload /dev/sdX2 /mnt (a card) or mount -o ro,noload,loop card.img /mnt (an image);"
    " if it cannot be mounted, make an image with ddrescue and repair a copy of it with fsck"
)
NOWHERE: Final = phrase("{place} is not there")


class CardError(Exception):
    """There is nothing to look through; `said` is a phrase and `values` fill it in."""

    def __init__(self, said: str, **values: object) -> None:
        super().__init__(said.format(**values))
        self.said, self.values = said, values


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is a journal by its name, or by what it begins with."""

    path: Path
    size: int
    home: Path  # the booth's data directory


@dataclass(frozen=True, slots=True)
class Card:
    """All that was found, booth by booth."""

    journals: tuple[Found, ...]
    databases: tuple[Path, ...]
    unreadable: tuple[str, ...]  # folders that the card does not give out


def look(place: Path) -> Card:
    """Look through a folder and all below it, not following links. Raises CardError."""
    try:
        kind = place.stat().st_mode
    except OSError as problem:
        raise CardError(NOWHERE, place=place) from problem
    if not stat.S_ISDIR(kind):
        raise CardError(RAW, place=place)
    unreadable: list[str] = []
    journals, databases = [], []
    for path, size in _files(place, unreadable):
        if path.name == DATABASE:
            databases.append(path)
        elif path.suffix == SUFFIX or (path.parent.name == FOUND and _begins_like_one(path)):
            home = path.parent.parent if path.parent.name == _FOLDER else path.parent
            journals.append(Found(path, size, home))
    return Card(tuple(journals), tuple(databases), tuple(unreadable))


def _files(place: Path, unreadable: list[str]) -> Iterator[tuple[Path, int]]:
    def refused(problem: OSError) -> None:
        unreadable.append(str(problem.filename or place))

    for folder, below, names in os.walk(place, onerror=refused):
        below.sort()
        for name in sorted(names):
            path = Path(folder) / name
            try:
                known = path.lstat()
            except OSError as problem:
                refused(problem)
                continue
            if stat.S_ISREG(known.st_mode):
                yield path, known.st_size


def _begins_like_one(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            data = file.read(journal.HEAD + LONGEST_BLOB)
    except OSError:
        return False
    return journal.record_at(data, 0, LONGEST_BLOB) is not None
