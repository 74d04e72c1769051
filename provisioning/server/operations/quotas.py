"""How much may come in: a booth that went mad, or was stolen, must not fill the disk on which all others stand.

Over a quota nothing is lost: the booth keeps what it has, is told why and when to ask again, and goes on by itself.
"""

import shutil
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import msgspec
from sqlalchemy import Connection, func, select

from provisioning.server import notes
from provisioning.server.booths import Booth
from provisioning.server.database import Database
from provisioning.server.refusals import Refused
from provisioning.server.schema import recording

NOTE = "quotas"
GIGABYTE = 1_000_000_000
DAY = 86400.0
FRESH = 15.0  # seconds for which a sum is not worked out again
LATER = {"Retry-After": "900"}


class Limits(msgspec.Struct, frozen=True):
    """Bytes of sealed recordings, and of free disk. Eight hours of talk are about 65 MB."""

    booth_day: int = 20 * GIGABYTE  # what one booth may send in 24 hours: ten months' talk of one that was offline
    archive: int = 2000 * GIGABYTE  # of all recordings together
    disk_free: int = GIGABYTE // 2  # what stays free for the database


class Quotas:
    """Asked before bytes are taken in. Blocking."""

    def __init__(self, database: Database, directory: Path, now: Callable[[], float] = time.time) -> None:
        self._database, self._directory, self._now = database, directory, now
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._limits, self._whole = Limits(), 0
        self._days: dict[str, int] = {}

    def admit(self, one: Booth, size: int) -> None:
        """Whether so many more bytes of recordings may come. Raises Refused, with the time to ask again."""
        if not size:
            return  # nothing comes: it may be the end of what is here
        with self._lock:
            if time.monotonic() - self._looked > FRESH:
                self._look()
            if self._whole + size > self._limits.archive:
                raise _full(
                    "the server's archive is full: its quota is used up; recordings wait in the booth", "archive-full"
                )
            used = self._days.get(one.id, 0)
            if used + size > self._limits.booth_day:
                detail = "this booth has sent as much as it may in 24 hours; the rest waits in the booth"
                raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "booth-quota", detail, LATER)
            if shutil.disk_usage(self._directory).free - size < self._limits.disk_free:
                raise _full("the server's disk is nearly full; recordings wait in the booth", "disk-full")
            self._days[one.id] = used + size
            self._whole += size

    def _look(self) -> None:
        with self._database.read() as connection:
            self._limits = limits(connection)
            self._whole = whole(connection)
            self._days = of_day(connection, self._now())
        self._looked = time.monotonic()


def limits(connection: Connection) -> Limits:
    """Those in force."""
    text = notes.get(connection, NOTE)
    return msgspec.json.decode(text, type=Limits) if text else Limits()


def put(database: Database, connection: Connection, new: Limits) -> None:
    """Have them in force within moments, in all processes."""
    notes.put(database, connection, NOTE, msgspec.json.encode(new).decode())


def whole(connection: Connection) -> int:
    """Bytes of all recordings, those on their way too."""
    return int(connection.scalar(select(func.sum(recording.c.bytes)).where(recording.c.erased.is_(None))) or 0)


def of_day(connection: Connection, now: float) -> dict[str, int]:
    """Bytes by booth of the recordings that began to come within 24 hours."""
    wanted = select(recording.c.booth, func.sum(recording.c.bytes)).where(recording.c.begun > now - DAY)
    return {booth: int(size or 0) for booth, size in connection.execute(wanted.group_by(recording.c.booth))}


def _full(detail: str, error: str) -> Refused:
    return Refused(HTTPStatus.INSUFFICIENT_STORAGE, error, detail, LATER)
