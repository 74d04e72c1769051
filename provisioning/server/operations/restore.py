"""A server out of a backup. All of it is looked at before anything is changed, and the rows come last.

So a restore that was broken off leaves a server without rows, into which the next one goes again.
"""

import secrets
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from obstore.store import ObjectStore

from provisioning.server import archive, database, notes, parts, tls
from provisioning.server.commands import CommandError
from provisioning.server.database import Database
from provisioning.server.lock import Lock
from provisioning.server.operations import shelf, snapshot
from provisioning.server.operations.backup import Sealed, sealed
from provisioning.server.operations.progress import Progress
from provisioning.server.operations.shelf import Backup, File

FAULTS_TOLD = 10
NEEDED = (parts.RECORDINGS_KEY, parts.SECRET, tls.KEY, tls.BACKUP)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a server is to be."""

    directory: Path
    database: Callable[[], Database]
    archive: Callable[[], ObjectStore]


@dataclass(frozen=True, slots=True)
class Wish:
    """How far a restore may go."""

    replace: bool = False  # put aside the server that is there
    damaged: bool = False  # take what is right of a backup that is not right as a whole
    look_only: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    recordings: int
    lost: int  # rows whose recordings the backup has not got: booths will be asked for them
    aside: Path | None  # where the server is that was there before


def restore(backup: Backup, target: Target, wish: Wish, told: Progress) -> Outcome:
    """Verify, then restore. Raises CommandError, and TakenError while a server works there."""
    if wish.look_only:
        with _own_rows(backup, None, wish) as rows:
            count, lost = _verified(backup, rows, wish, told)
        return Outcome(count, lost, None)
    target.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Lock(target.directory):
        strangers = _strangers(backup, target)
        if strangers and not wish.replace:
            raise CommandError(
                f"nothing was changed: there is a server already ({', '.join(strangers)}); restore into an empty"
                " directory and database, or say --replace to put this one aside"
            )
        with _own_rows(backup, target.directory, wish) as rows:
            _, lost = _verified(backup, rows, wish, told)
            aside = _put_aside(target) if strangers else None
            _put_keys(backup, target.directory)
            count = _put_recordings(backup, rows, target, told)
            _put_rows(rows, target, told)
    return Outcome(count, lost, aside)


def _strangers(backup: Backup, target: Target) -> list[str]:
    """What of another server is in the way."""
    found = [
        path.name
        for path in (target.directory / key.name for key in backup.keys)
        if path.exists() and shelf.described(path) != backup.manifest.files[f"{shelf.KEYS}/{path.name}"]
    ]
    if not backup.keys:
        missing = [name for name in NEEDED if not (target.directory / name).exists()]
        if missing:
            raise CommandError(
                f"nothing was changed: this backup was made without keys; put {', '.join(missing)} into"
                f" {target.directory} first"
            )
    with closing(target.database()) as store, store.read() as connection:
        full = snapshot.occupied(connection)
    if full and not store.sqlite:
        raise CommandError(
            f"nothing was changed: the database is in use (there is something in {', '.join(full)}); make a new, empty"
            " one and name it to this command"
        )
    return found + full


@contextmanager
def _own_rows(backup: Backup, near: Path | None, wish: Wish) -> Iterator[Path]:
    """The backup's rows in a file of our own, of this program's version. Raises CommandError for a damaged backup."""
    faults = list(backup.damage())
    if faults and not wish.damaged:
        raise CommandError("nothing was changed: " + "; ".join(faults[:FAULTS_TOLD]))
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=near) as folder:
        rows = Path(folder) / shelf.DATABASE
        shutil.copyfile(backup.database, rows)
        try:
            with closing(database.at(rows)) as store:
                store.upgrade()
        except sqlite3.DatabaseError as problem:
            raise CommandError(f"nothing was changed: {backup.database} is damaged: {problem}") from problem
        yield rows


def _verified(backup: Backup, rows: Path, wish: Wish, told: Progress) -> tuple[int, int]:
    """Look at every recording. How many are right and how many are not there; our own rows are told of those."""
    count, faults, examples = 0, 0, list[str]()
    with closing(sqlite3.connect(rows)) as own, own:
        own.execute("UPDATE recording SET bytes = 0 WHERE state = 'partial'")
        for one in sealed(rows):
            path = backup.recordings / one.kept
            right = path.is_file() and shelf.described(path) == File(one.bytes, one.sha256)
            if not right:
                faults += 1
                examples += [f"{path.name} {'is damaged' if path.is_file() else 'is missing'}"][: FAULTS_TOLD - faults]
                own.execute(_COMES_AGAIN, (one.id,))
            count += right
            told("recordings looked at", count + faults, backup.manifest.recordings.count)
        own.execute(_TO_BE_OPENED)
        own.execute("REPLACE INTO server_note (key, value) VALUES (?, ?)", (notes.EPOCH, secrets.token_hex(8)))
    if faults > backup.manifest.recordings.lacking and not wish.damaged:
        raise CommandError(
            f"nothing was changed: of the backup's recordings {faults} are not right ({'; '.join(examples)}); with"
            " --damaged all others are restored, and booths are asked for these"
        )
    return count, faults


# What plays is not in the backup: the server makes it of the journals again, little by little.
_TO_BE_OPENED = "UPDATE recording SET state = 'taken' WHERE sha256 IS NOT NULL AND erased IS NULL"
_COMES_AGAIN = "UPDATE recording SET state = 'partial', bytes = 0, sha256 = NULL, taken = NULL WHERE id = ?"


def _put_aside(target: Target) -> Path:
    """Nothing is deleted: what was there goes into a folder of its own."""
    aside = target.directory / f"before-{time.time():.0f}"
    aside.mkdir(mode=0o700)
    wanted = [parts.DATABASE, f"{parts.DATABASE}-wal", f"{parts.DATABASE}-shm"]
    names = {*wanted, *(path.name for path in shelf.key_files(target.directory))}
    for path in (target.directory / name for name in sorted(names)):
        if path.exists():
            path.rename(aside / path.name)
    shelf.settle(target.directory)
    return aside


def _put_keys(backup: Backup, directory: Path) -> None:
    for path in backup.keys:
        shelf.put(path, directory / path.name)


def _put_recordings(backup: Backup, rows: Path, target: Target, told: Progress) -> int:
    """Into the archive, sealed."""
    store, count = target.archive(), 0
    for one in sealed(rows):
        path = backup.recordings / one.kept
        if not _is_kept(store, one):
            copy = rows.parent / one.name  # one of its own: the archive may give the very file another name
            shelf.put(path, copy)
            archive.put(store, one.name, copy)
            copy.unlink()
        count += 1
        told("recordings", count, backup.manifest.recordings.count)
    archive.settle(store)
    return count


def _is_kept(store: ObjectStore, one: Sealed) -> bool:
    """Whether it is there from an earlier try, or because the archive outlived the rest."""
    try:
        return archive.size(store, one.name) == one.bytes
    except FileNotFoundError:
        return False


def _put_rows(rows: Path, target: Target, told: Progress) -> None:
    """In one transaction, with the new epoch: booths begin anew and offer again all that they have."""
    with (
        closing(target.database()) as store,
        closing(database.at(rows)) as own,
        own.read() as source,
        store.write() as connection,
    ):
        snapshot.copy(source, connection, lambda table, count: told(f"rows of {table}", count))
