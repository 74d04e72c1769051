"""Where backups lie: one folder with the sealed recordings of all of them, and one folder for each backup.

    DEST/recordings/<uuid>.<hash>.journal    as booths sent them, sealed; each only once
    DEST/2026-11-30T12-00-00.000Z/           server.db, keys/…, and last of all manifest.json

A backup is made as `….part` and gets its name when all of it is on the disk: what was broken off is never taken for whole.
What plays is not kept: it is made of the journals again, so that without the keys a backup plays nothing either.
"""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from provisioning.server.commands import CommandError

FORMAT = 1
MANIFEST, DATABASE, KEYS, RECORDINGS = "manifest.json", "server.db", "keys", "recordings"
UNFINISHED = ".part"
KEY_FILES = ("*.key", "*.pem", "*.secret", "*.pub")
_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z")
_EXAMPLES = 20
_PIECE = 1024 * 1024


class File(msgspec.Struct, frozen=True):
    """What a file must be."""

    bytes: int
    sha256: str


class Recordings(msgspec.Struct):
    """The recordings of a backup."""

    count: int = 0
    bytes: int = 0
    lacking: int = 0  # which the server itself had not, or not as they were
    examples: list[str] = []  # of those

    def miss(self, name: str) -> None:
        """The server has not got it."""
        self.lacking += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(name)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds; it is written when all else is on the disk."""

    format: int
    made: float
    software: str
    engine: str
    rows: Mapping[str, int]
    files: Mapping[str, File]  # by path inside the backup
    recordings: Recordings


class Backup:
    """One whole backup."""

    def __init__(self, place: Path) -> None:
        self.place = place
        try:
            self.manifest = msgspec.json.decode((place / MANIFEST).read_bytes(), type=Manifest)
        except FileNotFoundError as problem:
            raise CommandError(f"{place} is no backup: it has no {MANIFEST}") from problem
        except msgspec.DecodeError as problem:
            raise CommandError(f"{place / MANIFEST} is damaged: {problem}") from problem
        if self.manifest.format != FORMAT:
            raise CommandError(f"{place} is of a newer version of this program (format {self.manifest.format})")

    @property
    def database(self) -> Path:
        """All rows, as a SQLite file."""
        return self.place / DATABASE

    @property
    def keys(self) -> list[Path]:
        """The key files, if the backup has them."""
        return [self.place / name for name in self.manifest.files if name.startswith(f"{KEYS}/")]

    @property
    def recordings(self) -> Path:
        """Where the sealed recordings are."""
        return self.place.parent / RECORDINGS

    def damage(self) -> Iterator[str]:
        """What is wrong with database and keys, a sentence each."""
        for name, told in self.manifest.files.items():
            path = self.place / name
            if not path.is_file():
                yield f"{path} is missing"
            elif described(path) != told:
                yield f"{path} has changed since the backup was made"


def whole(dest: Path) -> list[Path]:
    """The whole backups in DEST, oldest first."""
    return sorted(path.parent for path in dest.glob(f"*/{MANIFEST}") if _NAME.fullmatch(path.parent.name))


def find(source: Path) -> Backup:
    """The backup at SOURCE, or the newest one in it. Raises CommandError."""
    if (source / MANIFEST).exists():
        return Backup(source)
    found = whole(source) if source.is_dir() else []
    if not found:
        broken = f"; {source} has only one that was broken off" if list(source.glob(f"*{UNFINISHED}")) else ""
        raise CommandError(f"there is no backup in {source}{broken}")
    return Backup(found[-1])


@contextmanager
def alone(dest: Path) -> Iterator[None]:
    """Nobody else writes into DEST while the block lasts. Raises CommandError."""
    dest.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(dest / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as problem:
        raise CommandError(f"another backup is being written into {dest}") from problem
    finally:
        os.close(file)


def key_files(directory: Path) -> list[Path]:
    """What nobody can make again: without recordings.key nothing opens, without the API's key no booth knows the server."""
    return sorted(path for pattern in KEY_FILES for path in directory.glob(pattern) if path.is_file())


def described(path: Path) -> File:
    """Size and hash of a file."""
    found, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
            size += len(piece)
    return File(size, found.hexdigest())


def settle(path: Path) -> None:
    """What was written to a file or a folder is on the disk when this returns."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put(source: Path, target: Path) -> None:
    """A copy of a secret file, for its owner only, on the disk."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}{UNFINISHED}")
    part.unlink(missing_ok=True)
    with (
        source.open("rb") as read,
        os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as write,
    ):
        shutil.copyfileobj(read, write)
        write.flush()
        os.fsync(write.fileno())
    part.replace(target)
    settle(target.parent)


def finish(part: Path, manifest: Manifest) -> Path:
    """Give a backup its manifest and its name."""
    note = part / f"{MANIFEST}{UNFINISHED}"
    note.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    note.chmod(0o600)
    settle(note)
    note.replace(part / MANIFEST)
    settle(part)
    done = part.with_name(part.name.removesuffix(UNFINISHED))
    part.replace(done)
    settle(done.parent)
    return done
