"""/metrics in Prometheus's text format, and /healthz. All but the counters of requests is read from the database, so that it
does not matter which process is asked. No name, number or person is in it; booths' names only if somebody wants them.
"""

import asyncio
import re
import shutil
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from anyio import to_thread
from obstore.exceptions import BaseError
from obstore.store import ObjectStore
from sqlalchemy import Connection, Row, func, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from firmware.forecast import SOON
from provisioning.server import archive, notes
from provisioning.server.archive import ArchiveError
from provisioning.server.database import Database
from provisioning.server.operations import counters
from provisioning.server.schema import booth, call, fact, recording, shift

TEXT = "text/plain; version=0.0.4; charset=utf-8"
LATE = 180.0  # seconds; a booth tells how it is about once a minute
FRESH = 5.0  # seconds for which health and figures are not asked again
FRONT = "boothphone"
_WORD = re.compile(r"[A-Za-z0-9:_.-]{1,60}")
_NOWHERE = "boothphone.nowhere"


@dataclass(frozen=True, slots=True)
class Family:
    """One figure, with its values by their labels."""

    name: str
    kind: str
    meaning: str
    values: Sequence[tuple[dict[str, str], float]]

    def lines(self) -> Iterator[str]:
        """As Prometheus reads it."""
        name = f"{FRONT}_{self.name}"
        yield f"# HELP {name} {self.meaning}"
        yield f"# TYPE {name} {self.kind}"
        for labels, value in self.values:
            said = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            yield f"{name}{{{said}}} {value:.17g}" if said else f"{name} {value:.17g}"


class Measures:
    """The figures and the health of one server. Blocking, but for `app`."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        directory: Path,
        *,
        names: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._archive, self._directory = database, store, directory
        self._names, self._now = names, now

    def text(self) -> str:
        """All figures."""
        return "".join(f"{line}\n" for family in self._families() for line in family.lines())

    def app(self) -> Starlette:
        """Both addresses, for a listener of their own."""
        metrics = _Kept(self.text)

        async def told(_: Request) -> Response:
            return Response(await metrics.value(), media_type=TEXT)

        return Starlette(routes=[Route("/metrics", told), Route("/healthz", health(self._database, self._archive))])

    def _families(self) -> Iterator[Family]:
        now = self._now()
        with self._database.read() as connection:
            yield from _of_booths(connection, now, names=self._names)
            yield from _of_recordings(connection)
            yield from _of_rows(connection)
            last = notes.get(connection, notes.BACKED_UP)
        if last is not None:
            yield _one("backup_timestamp_seconds", "When the last backup was made.", float(last))
        free = shutil.disk_usage(self._directory).free
        yield _one("disk_free_bytes", "Free where the server's directory is.", free)
        yield Family(
            "requests_total", "counter", "Answers by each process since it began.", list(_answers(self._directory))
        )


def healthy(database: Database, store: ObjectStore) -> bool:
    """Whether database and archive answer."""
    try:
        with database.read() as connection:
            connection.execute(select(1))
        archive.size(store, _NOWHERE)
    except FileNotFoundError:
        return True
    except (SQLAlchemyError, ArchiveError, BaseError, OSError):
        return False
    return True


def health(database: Database, store: ObjectStore) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint /healthz: yes or no, and nothing else."""
    kept = _Kept(partial(healthy, database, store))

    async def told(_: Request) -> Response:
        if await kept.value():
            return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})
        return PlainTextResponse(
            "out of order\n", HTTPStatus.SERVICE_UNAVAILABLE, headers={"Cache-Control": "no-store"}
        )

    return told


class _Kept:
    """What is not worked out more often than every few seconds, however many ask."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work, self._lock = work, asyncio.Lock()
        self._value: Any = None
        self._at = float("-inf")

    async def value(self) -> Any:
        """What it was a moment ago at most."""
        async with self._lock:
            if time.monotonic() - self._at > FRESH:
                self._value = await to_thread.run_sync(self._work)
                self._at = time.monotonic()
            return self._value


def _one(name: str, meaning: str, value: float) -> Family:
    return Family(name, "gauge", meaning, [({}, value)])


def _of_booths(connection: Connection, now: float, *, names: bool) -> Iterator[Family]:
    rows = connection.execute(select(booth).where(booth.c.revoked.is_(None))).all()
    states = Counter("never" if row.seen is None else "late" if now - row.seen > LATE else "seen" for row in rows)
    kinds = [({"state": state}, states[state]) for state in ("seen", "late", "never")]
    revoked = connection.scalar(select(func.count()).where(booth.c.revoked.is_not(None))) or 0
    yield Family("booths", "gauge", "Booths by when they were last heard.", [*kinds, ({"state": "revoked"}, revoked)])
    faults = Counter(fault if _WORD.fullmatch(fault) else "other" for row in rows for fault in set(row.faults))
    yield Family(
        "booth_faults", "gauge", "Booths that tell of a fault.", [({"fault": one}, faults[one]) for one in faults]
    )
    yield from _waiting(rows, now)
    full = sum(row.full_in is not None and row.full_in < SOON for row in rows)
    yield _one("booths_full_soon", f"Booths whose card will be full within {SOON:g} days.", full)
    yield _one(
        "kept_back", "Things that booths keep back because the server refused them.", sum(row.kept_back for row in rows)
    )
    if names:
        seen = [({"booth": row.name, "id": row.id}, row.seen) for row in rows if row.seen is not None]
        yield Family("booth_seen_timestamp_seconds", "gauge", "When a booth was last heard.", seen)


def _waiting(rows: Sequence[Row[Any]], now: float) -> Iterator[Family]:
    """What booths have not delivered yet."""
    for what, meaning in (
        ("calls", "Calls that booths have not delivered yet."),
        ("recordings", "Recordings that booths have not delivered yet."),
        ("bytes", "Bytes of the recordings that booths have not delivered yet, roughly."),
    ):
        yield _one(f"booth_pending_{what}", meaning, sum(getattr(row, f"pending_{what}") for row in rows))
    oldest = max((now - row.oldest for row in rows if row.oldest is not None), default=0.0)
    yield _one("booth_oldest_pending_seconds", "Age of the oldest thing not delivered.", max(0.0, oldest))


def _of_recordings(connection: Connection) -> Iterator[Family]:
    kept = recording.c.erased.is_(None)
    wanted = (
        select(recording.c.state, func.count(), func.sum(recording.c.bytes)).where(kept).group_by(recording.c.state)
    )
    rows = connection.execute(wanted).all()
    by_state = [({"state": state}, count) for state, count, _ in rows]
    yield Family("recordings", "gauge", "Recordings by state; torn and refused ones are damaged.", by_state)
    sizes = [({"state": state}, float(size or 0)) for state, _, size in rows]
    yield Family("recording_bytes", "gauge", "Bytes of sealed recordings by state.", sizes)
    erased = connection.scalar(select(func.count()).where(recording.c.erased.is_not(None))) or 0
    yield _one("recordings_erased", "Recordings whose time was over.", erased)


def _of_rows(connection: Connection) -> Iterator[Family]:
    for name, table in (("calls", call), ("shifts", shift)):
        count = connection.scalar(select(func.count()).select_from(table)) or 0
        yield _one(name, f"{name.capitalize()} that are here.", count)
    yield _one("facts", "Sequence number of the newest fact.", connection.scalar(select(func.max(fact.c.seq))) or 0)


def _answers(directory: Path) -> Iterator[tuple[dict[str, str], float]]:
    for process, listener, kind, many in counters.of_all(directory):
        yield {"process": process, "listener": listener, "status": kind}, many


def _escaped(text: str) -> str:
    r"""A label's value.

    >>> print(_escaped('a"b'))
    a\"b
    """
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
