"""Retention on the server: recordings whose time is over are deleted, unless a legal hold keeps them.

The row knows before the files go, and keeps what it knew of the recording: nobody takes a deleted recording for a lost
one. A crash in between leaves a row that says so, whose files the next run removes.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, ObjectStore
from sqlalchemy import Row, bindparam, func, select, update

from firmware.known import DAY
from firmware.results import Result
from provisioning.server.archive import JOURNAL, OPUS
from provisioning.server.database import Database
from provisioning.server.keeping import holds
from provisioning.server.schema import call, recording

NO_RESULT: Final = ""  # of a call whose result nobody has keyed, or that has not come in


@dataclass(frozen=True, slots=True)
class Due:
    """A recording whose time is over."""

    id: str
    bytes: int
    code: str
    days: float  # the rule that it has outlived
    held: bool

    @property
    def why(self) -> str:
        """The rule, for the recording's row."""
        return f"{self.code or 'no result'} after {self.days:g} days"


class Retention:
    """Finds and deletes. Blocking."""

    def __init__(
        self, database: Database, archive: ObjectStore, codes: Iterable[Result], days: float | None = None
    ) -> None:
        """`codes` say how many days each result's recordings are kept; `days` counts for those that say nothing."""
        self._database, self._archive, self._otherwise = database, archive, days
        self._days: Mapping[str, float | None] = {code.code: code.archive for code in codes}

    def days(self, code: str) -> float | None:
        """How long recordings of calls with this result are kept; None: for good."""
        kept = self._days.get(code)
        return self._otherwise if kept is None else kept

    def due(self, now: float) -> list[Due]:
        """What is over at `now`, oldest first; held ones are among it and say so."""
        shortest = min((days for days in (*self._days.values(), self._otherwise) if days is not None), default=None)
        if shortest is None:
            return []
        with self._database.read() as connection:
            held = holds.held(connection)
            rows = connection.execute(_AGES, {"before": now - shortest * DAY}).all()
        return [one for row in rows if (one := self._judged(row, now, held.covers(row.call, row.number or "")))]

    def delete(self, one: Due, now: float) -> bool:
        """Delete a recording; False when a hold has come meanwhile, or another has deleted it."""
        with self._database.write() as connection:
            row = connection.execute(_ONE, {"id": one.id}).one_or_none()
            if row is None or holds.of_call(connection, row.call, row.number or ""):
                return False
            connection.execute(_mark(one.id, erased=now, erased_why=one.why))
        self._remove(one.id)
        return True

    def finish(self) -> int:
        """Remove the files that a crash has left of deleted recordings; how many recordings had some."""
        with self._database.read() as connection:
            left = [row.id for row in connection.execute(_LEFT)]
        for recording_id in left:
            self._remove(recording_id)
        return len(left)

    def _judged(self, row: Row[*tuple[Any, ...]], now: float, held: bool) -> Due | None:
        code = row.result or NO_RESULT
        days = self.days(code)
        if days is None or now - row.age_from < days * DAY:
            return None
        return Due(row.id, row.bytes, code, days, held)

    def _remove(self, recording_id: str) -> None:
        for name in (f"{recording_id}{OPUS}", f"{recording_id}{JOURNAL}"):
            with suppress(FileNotFoundError, NotFoundError):  # nothing could be opened, or a crash came just after
                obstore.delete(self._archive, name)
        if isinstance(self._archive, LocalStore) and self._archive.prefix is not None:
            _synced(str(self._archive.prefix))
        with self._database.write() as connection:
            connection.execute(_mark(recording_id, bytes=0, peaks=None))


def _synced(folder: str) -> None:
    """What was deleted stays so after a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def counted(due: Collection[Due]) -> Iterator[tuple[str, float, int, int, int]]:
    """By result code: its days, how many are over, their bytes, and how many of them are held."""
    for code in sorted({one.code for one in due}):
        some = [one for one in due if one.code == code]
        free = [one for one in some if not one.held]
        yield code, some[0].days, len(free), sum(one.bytes for one in free), len(some) - len(free)


def _mark(recording_id: str, **values: object) -> Any:
    return update(recording).where(recording.c.id == recording_id).values(values)


_TELL = recording.outerjoin(call, call.c.id == recording.c.call)
_HERE = recording.c.state.in_(("whole", "torn", "refused")) & recording.c.erased.is_(None)
_age = func.coalesce(call.c.moment, recording.c.taken, recording.c.begun)
_AGES = (
    select(recording.c.id, recording.c.call, recording.c.bytes, call.c.number, call.c.result, _age.label("age_from"))
    .select_from(_TELL)
    .where(_HERE & (_age <= bindparam("before")))
    .order_by(_age, recording.c.id)
)
_ONE = select(recording.c.call, call.c.number).select_from(_TELL).where(_HERE & (recording.c.id == bindparam("id")))
_LEFT = select(recording.c.id).where(recording.c.erased.is_not(None) & (recording.c.bytes > 0))
