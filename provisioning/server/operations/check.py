"""Whether every row has its file and every file its row, with the right bytes. The server may run meanwhile.

What looks wrong is looked at once more before it is told: a recording may have come in, or its time may have been over,
between a look at the archive and a look at the rows. Names wait in a file, never in memory.
"""

import hashlib
import re
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import obstore
from obstore.store import ObjectStore
from sqlalchemy import Row, select

from provisioning import keys
from provisioning.keys import KeyFileError
from provisioning.server import archive, parts, tls
from provisioning.server.archive import JOURNAL, OPUS
from provisioning.server.database import Database
from provisioning.server.operations.faults import Fault, Kind
from provisioning.server.operations.progress import Progress
from provisioning.server.schema import recording
from provisioning.server.uploads import LOCKS, PART

ASIDE = "aside/"  # in the archive: what was put there by a mending
LONG = 3600.0  # seconds after which nothing is under way any more
AT_ONCE = 500
_OURS = re.compile(rf"[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}(?:{re.escape(OPUS)}|{re.escape(JOURNAL)})")
_PLAYS = {"whole", "torn"}


@dataclass(frozen=True, slots=True)
class Place:
    """What is looked at."""

    directory: Path
    database: Database
    archive: ObjectStore

    @property
    def incoming(self) -> Path:
        """What has not arrived whole."""
        return self.directory / parts.INCOMING


def faults(place: Place, told: Progress, *, hashes: bool, now: float | None = None) -> Iterator[Fault]:
    """Everything that is wrong; with `hashes` every byte of the sealed recordings is read."""
    now = time.time() if now is None else now
    yield from _keys(place.directory)
    yield from _database(place.database)
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(Path(folder) / "names.db")) as names:
        names.isolation_level = None
        names.execute("CREATE TABLE file (name TEXT PRIMARY KEY, bytes INTEGER, row INTEGER DEFAULT 0) WITHOUT ROWID")
        _listed(place.archive, names, told, now)
        for count, row in enumerate(_rows(place.database)):
            names.execute("UPDATE file SET row = 1 WHERE name IN (?, ?)", (f"{row.id}{JOURNAL}", f"{row.id}{OPUS}"))
            for fault in _of_row(place, row, names, hashes=hashes, now=now):
                if _still(place, row):
                    yield fault
            told("recordings", count)
        for (name,) in names.execute("SELECT name FROM file WHERE row = 0 ORDER BY name"):
            if not _row(place.database, name.partition(".")[0]):
                yield Fault(Kind.NO_ROW, name)
    yield from _leftovers(place, now)


def _keys(directory: Path) -> Iterator[Fault]:
    for name in (parts.RECORDINGS_KEY, parts.SECRET, tls.KEY, tls.BACKUP):
        path = directory / name
        if not path.is_file():
            yield Fault(Kind.KEY, str(path))
        elif stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield Fault(Kind.KEY, str(path), f"{stat.S_IMODE(path.stat().st_mode):o}")
    try:
        keys.load(directory / parts.RECORDINGS_KEY)
    except KeyFileError as problem:
        yield Fault(Kind.KEY, parts.RECORDINGS_KEY, str(problem))


def _database(store: Database) -> Iterator[Fault]:
    """What SQLite finds in its own file. PostgreSQL keeps its files itself."""
    if not store.sqlite:
        return
    with store.read() as connection:
        for (said,) in connection.exec_driver_sql("PRAGMA integrity_check(20)"):
            if said != "ok":
                yield Fault(Kind.DATABASE, "server.db", said)
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(20):
            yield Fault(Kind.DATABASE, "server.db", f"{row[0]} {row[1]} → {row[2]}")


def _listed(store: ObjectStore, names: sqlite3.Connection, told: Progress, now: float) -> None:
    """Write down what the archive has; what is younger than an hour may be on its way to its row."""
    count = 0
    for some in obstore.list(store, chunk_size=AT_ONCE):
        old = [(one["path"], one["size"], int(now - one["last_modified"].timestamp() < LONG)) for one in some]
        ours = [one for one in old if not one[0].startswith(ASIDE)]
        names.execute("BEGIN")
        names.executemany("INSERT OR REPLACE INTO file (name, bytes, row) VALUES (?, ?, ?)", ours)
        names.execute("COMMIT")
        count += len(ours)
        told("files in the archive", count)


def _rows(store: Database) -> Iterator[Row[Any]]:
    """All recordings, page by page: a look that lasts for hours must not hold up the database."""
    last = ""
    while True:
        with store.read() as connection:
            page = connection.execute(_ALL.where(recording.c.id > last).order_by(recording.c.id).limit(AT_ONCE)).all()
        yield from page
        if len(page) < AT_ONCE:
            return
        last = page[-1].id


def _row(store: Database, name: str) -> Row[Any] | None:
    with store.read() as connection:
        return connection.execute(_ALL.where(recording.c.id == name)).one_or_none()


def _still(place: Place, row: Row[Any]) -> bool:
    """Whether the row says now what it said then."""
    return _row(place.database, row.id) == row


def _of_row(place: Place, row: Row[Any], names: sqlite3.Connection, *, hashes: bool, now: float) -> Iterator[Fault]:
    if row.erased is not None:
        left = [name for name in (f"{row.id}{JOURNAL}", f"{row.id}{OPUS}") if _size(place, name, names) is not None]
        if left and now - row.erased > LONG:
            yield Fault(Kind.NOT_GONE, row.id)
    elif row.state == "partial":
        part = place.incoming / f"{row.id}{PART}"
        if row.bytes > (part.stat().st_size if part.exists() else 0):
            yield Fault(Kind.CUT_SHORT, row.id)
    elif fault := _of_journal(place, row, names, hashes=hashes):
        yield fault
    elif row.state == "taken":
        if now - (row.taken or 0.0) > LONG:
            yield Fault(Kind.UNOPENED, row.id)
    elif row.state in _PLAYS and _size(place, f"{row.id}{OPUS}", names) is None:
        yield Fault(Kind.NO_SOUND, row.id)
    elif row.state in _PLAYS and not row.drawn and now - (row.taken or 0.0) > LONG:
        yield Fault(Kind.NO_WAVEFORM, row.id)


def _of_journal(place: Place, row: Row[Any], names: sqlite3.Connection, *, hashes: bool) -> Fault | None:
    name = f"{row.id}{JOURNAL}"
    size = _size(place, name, names)
    if size is None:
        return Fault(Kind.NO_JOURNAL, row.id)
    if size != row.bytes:
        return Fault(Kind.WRONG_SIZE, row.id, f"{size} ≠ {row.bytes}")
    if hashes:
        found = hashlib.sha256()
        for piece in archive.pieces(place.archive, name, range(size)):
            found.update(piece)
        if found.hexdigest() != row.sha256:
            return Fault(Kind.WRONG_HASH, row.id)
    return None


def _size(place: Place, name: str, names: sqlite3.Connection) -> int | None:
    """Of a file, from the list, and if it is not there from the archive itself."""
    listed = names.execute("SELECT bytes FROM file WHERE name = ?", (name,)).fetchone()
    if listed is not None:
        return int(listed[0])
    try:
        return archive.size(place.archive, name)
    except FileNotFoundError:
        return None


def _leftovers(place: Place, now: float) -> Iterator[Fault]:
    """Files of uploads that nobody goes on with."""
    if not place.incoming.is_dir():
        return
    for path in sorted(place.incoming.iterdir()):
        if path.name == LOCKS or now - path.stat().st_mtime < LONG:
            continue
        row = _row(place.database, path.name.partition(".")[0])
        over = row is None or row.erased is not None or row.state not in {"taken", "partial"}
        if over or (row is not None and row.state == "partial" and path.suffix != PART):
            yield Fault(Kind.LEFTOVER, path.name)


_ALL = select(
    *(recording.c.id, recording.c.state, recording.c.bytes, recording.c.sha256, recording.c.taken, recording.c.erased),
    recording.c.peaks.is_not(None).label("drawn"),
)
