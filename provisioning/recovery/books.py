"""What a booth's database still tells of its calls; of one that is damaged or half written, as much as can be read.

It is read from a copy: to open it where it lies would write to the card, and to open it as unchangeable would leave out
what a power cut had left in its log.
"""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from firmware import mailbox

_LOGS: Final = ("", "-wal", "-journal")
_MEMO: Final = "memo "


@dataclass(frozen=True, slots=True)
class Line:
    """One call, as far as it is known."""

    id: str
    at: float | None  # UTC seconds
    agent: str
    number: str  # as it is shown
    name: str
    reading: str
    incoming: bool
    answered: bool
    talk: float
    cause: str
    by: str
    result: str  # code
    memos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Book:
    """One booth's."""

    booth: str  # what it calls itself; empty when nobody can say
    lines: tuple[Line, ...]
    whole: bool  # the database was read to its end


def read(database: Path) -> Book:
    """All calls that can be read, in their order. Raises OSError when the card does not give the file out."""
    with TemporaryDirectory(prefix="boothphone-") as scratch:
        copy = Path(scratch) / "copy.db"
        for end in _LOGS:
            source = database.with_name(database.name + end)
            if source.exists():
                shutil.copyfile(source, copy.with_name(copy.name + end))
        with closing(sqlite3.connect(copy)) as db:
            db.row_factory = sqlite3.Row
            return _book(db)


def _book(db: sqlite3.Connection) -> Book:
    lines: list[Line] = []
    booth, whole = "", True
    with suppress(sqlite3.DatabaseError):
        row = db.execute("SELECT value FROM note WHERE key = ?", (mailbox.NAME,)).fetchone()
        booth = str(row["value"]) if row else ""
    memos = _memos(db)
    for question in (_WITH_RESULTS, _CALLS):  # should tables beside the calls be lost, the calls are still told
        lines, whole = _lines(db, question, memos)
        if lines or whole:
            break
    return Book(booth, tuple(lines), whole)


def _lines(db: sqlite3.Connection, question: str, memos: dict[str, tuple[str, ...]]) -> tuple[list[Line], bool]:
    lines: list[Line] = []
    try:
        lines.extend(_line(dict(row), memos) for row in db.execute(question))
    except sqlite3.DatabaseError:
        return lines, False
    return lines, True


def _memos(db: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    with suppress(sqlite3.DatabaseError):
        for row in db.execute("SELECT call, name FROM mark WHERE name LIKE 'memo %' ORDER BY rowid"):
            found[row["call"]] = (*found.get(row["call"], ()), row["name"].removeprefix(_MEMO))
    return found


def _line(row: dict[str, Any], memos: dict[str, tuple[str, ...]]) -> Line:
    return Line(
        id=str(row["id"]),
        at=row.get("dated"),
        agent=str(row.get("agent") or ""),
        number=_shown(row),
        name=row.get("name") or "",
        reading=row.get("reading") or "",
        incoming=bool(row.get("incoming")),
        answered=bool(row.get("answered")),
        talk=float(row.get("talk") or 0.0),
        cause=row.get("cause") or "",
        by=row.get("party") or "",
        result=row.get("code") or "",
        memos=memos.get(str(row["id"]), ()),
    )


def _shown(row: dict[str, Any]) -> str:
    with suppress(ValueError, TypeError, AttributeError):
        shown = json.loads(row["detail"]).get("shown")
        if shown:
            return str(shown)
    return str(row.get("number") or "")


def by_recording(lines: tuple[Line, ...]) -> Iterator[tuple[str, Line]]:
    """Each call's recording and memos, by name, with the call."""
    for line in lines:
        yield line.id, line
        for memo in line.memos:
            yield memo, line


_CALLS: Final = "SELECT c.*, c.at AS dated FROM call c ORDER BY c.seq"
_WITH_RESULTS: Final = """
SELECT c.*, coalesce(c.at, c.monotonic + b.ahead) AS dated, u.name, u.reading, r.code
FROM call c
LEFT JOIN boot b ON b.id = c.boot
LEFT JOIN customer u ON u.id = c.customer
LEFT JOIN result r ON r.call = c.id AND r.version = c.version
ORDER BY c.seq
"""
