"""A backup of a server that goes on serving: rows of one moment, then the recordings that they speak of, then the keys."""

import hashlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from obstore.store import ObjectStore

from provisioning.server import archive, database, notes
from provisioning.server.archive import JOURNAL
from provisioning.server.database import Database
from provisioning.server.operations import shelf, snapshot
from provisioning.server.operations.progress import Progress
from provisioning.server.operations.shelf import Backup, Manifest, Recordings


@dataclass(frozen=True, slots=True)
class Sealed:
    """A recording that must be in the archive as the booth sent it."""

    id: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """Of its file in the archive."""
        return f"{self.id}{JOURNAL}"

    @property
    def kept(self) -> str:
        """Of its file among the backups: should other bytes ever come in under the same name, both are kept."""
        return f"{self.id}.{self.sha256[:16]}{JOURNAL}"


def make(
    store: Database, kept: ObjectStore, directory: Path, dest: Path, *, keys: bool, told: Progress, software: str
) -> Backup:
    """Make a backup in DEST. Raises CommandError; what was broken off is no backup, and the next one goes on from it."""
    with shelf.alone(dest):
        for broken in dest.glob(f"*{shelf.UNFINISHED}"):
            shutil.rmtree(broken)
        now = time.time()
        part = dest / f"{_name(now)}{shelf.UNFINISHED}"
        part.mkdir(mode=0o700)
        rows = _rows(store, part / shelf.DATABASE, told)
        found = _recordings(part / shelf.DATABASE, kept, dest / shelf.RECORDINGS, told)
        for path in shelf.key_files(directory) if keys else ():
            shelf.put(path, part / shelf.KEYS / path.name)
        files = {
            str(path.relative_to(part)): shelf.described(path) for path in sorted(part.rglob("*")) if path.is_file()
        }
        made = Manifest(
            format=shelf.FORMAT,
            made=now,
            software=software,
            engine="sqlite" if store.sqlite else "postgresql",
            rows=rows,
            files=files,
            recordings=found,
        )
        done = shelf.finish(part, made)
    with store.write() as connection:
        notes.put(store, connection, notes.BACKED_UP, f"{now:.0f}")
    return Backup(done)


def sealed(place: Path) -> Iterator[Sealed]:
    """The recordings that a backup's rows, in the SQLite file `place`, speak of, and whose files there must be."""
    with closing(_looked_at(place)) as rows:
        for row in rows.execute("SELECT id, bytes, sha256 FROM recording WHERE sha256 IS NOT NULL AND erased IS NULL"):
            yield Sealed(*row)


def prune(dest: Path, keep: int, told: Progress) -> tuple[int, int]:
    """Remove all but the newest backups, and recordings that none of those speaks of; how many of each.

    So what retention has deleted leaves the backups too, as the last backup goes that was made before.
    """
    with shelf.alone(dest):
        old = shelf.whole(dest)[:-keep]
        for one in old:
            (one / shelf.MANIFEST).unlink()  # from now on it is none, however far we come
            shutil.rmtree(one)
        gone = 0
        with ExitStack() as stack:
            left = shelf.whole(dest) if old else []
            kept = [stack.enter_context(closing(_looked_at(one / shelf.DATABASE))) for one in left]
            for path in (dest / shelf.RECORDINGS).glob(f"*{JOURNAL}") if old else ():
                if not any(_speaks_of(rows, path) for rows in kept):
                    path.unlink()
                    gone += 1
                    told("recordings that no backup needs any more", gone)
    return len(old), gone


def _speaks_of(rows: sqlite3.Connection, path: Path) -> bool:
    name, _, begun = path.stem.partition(".")
    found = rows.execute("SELECT * FROM recording WHERE id = ?", (name,)).fetchone()
    # An older version's backup knows of no deletion.
    return found is not None and (found["sha256"] or "").startswith(begun) and not dict(found).get("erased")


def _rows(store: Database, place: Path, told: Progress) -> Mapping[str, int]:
    """All rows in one file that needs no other file beside it."""
    with closing(database.at(place)) as copy:
        copy.upgrade()
        with store.read() as source, copy.write() as target:
            counted = snapshot.copy(source, target, lambda table, count: told(f"rows of {table}", count))
    with closing(sqlite3.connect(place)) as file:
        file.execute("PRAGMA journal_mode = DELETE")
    place.chmod(0o600)
    shelf.settle(place)
    return counted


def _recordings(place: Path, store: ObjectStore, folder: Path, told: Progress) -> Recordings:
    """Fetch what the folder lacks."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = Recordings()
    for one in sealed(place):
        if is_there(folder / one.kept, one) or _fetched(store, one, folder):
            found.count, found.bytes = found.count + 1, found.bytes + one.bytes
        else:
            found.miss(one.id)
        told("recordings", found.count + found.lacking)
    shelf.settle(folder)
    return found


def is_there(path: Path, one: Sealed) -> bool:
    """A file has its name only when all of it was right."""
    return path.is_file() and path.stat().st_size == one.bytes


def _fetched(store: ObjectStore, one: Sealed, folder: Path) -> bool:
    """False when the archive has it not, or not as it was. Raises ArchiveError."""
    try:
        size = archive.size(store, one.name)
    except FileNotFoundError:
        return False
    part, found = folder / f"{one.kept}{shelf.UNFINISHED}", hashlib.sha256()
    with part.open("wb") as file:
        for piece in archive.pieces(store, one.name, range(size)):
            file.write(piece)
            found.update(piece)
        file.flush()
        os.fsync(file.fileno())
    if (size, found.hexdigest()) != (one.bytes, one.sha256):
        part.unlink()
        return False
    part.chmod(0o600)
    part.replace(folder / one.kept)
    return True


def _name(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H-%M-%S.") + f"{int(now * 1000) % 1000:03}Z"


def _looked_at(place: Path) -> sqlite3.Connection:
    """A finished backup's rows: nothing is written, not even beside them."""
    rows = sqlite3.connect(f"{place.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    rows.row_factory = sqlite3.Row
    return rows
