"""What is known of a number, in the store: facts and earlier calls, whichever booth they come from."""

import math
import sqlite3
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace

from firmware.clock import Clock, Stamp
from firmware.dating import Calendar, date_boot
from firmware.known import Fact, FactKind
from firmware.store import Store

# Attempts before which a booth's history of a number is not looked through again for other booths' calls.
_LOOKED_AT = 60


@dataclass(frozen=True, slots=True)
class PastCall:
    """One earlier call to a customer's number, for history and evidence."""

    at: float | None
    booth: str
    agent: str
    result: str | None  # code
    whom: str = ""
    talk: float = 0.0
    due: float | None = None
    estimated: bool = False  # the line could not tell when somebody answered: `talk` is about right


class Facts:
    """Facts and history of numbers. Facts are only ever added: the database itself refuses the rest."""

    def __init__(self, store: Store, booth: str, clock: Clock) -> None:
        self._store, self._booth, self._clock = store, booth, clock

    def facts(self, key: str, doubt: float | None = None, *, late: bool = True) -> tuple[Fact, ...]:
        """All that is known of a number, oldest first; dated as the guard wants it, see firmware.dating.

        `doubt`: seconds by which to take the present time to be ahead; without it, as far as it may be. `late`: date what
        was written in earlier boots as late as it may have been, else by the best that is known.
        """
        date_boot(self._store, self._clock)
        calendar, rows = Calendar.of(self._clock, doubt, late=late), self._store.rows(_FACTS, key)
        return tuple(_strictly(row, at, calendar) for row, at in zip(rows, calendar.dates(rows), strict=True))

    def add_fact(self, fact: Fact) -> None:
        """Append a fact; one that is there already is left as it is. One of ours goes to the outbox."""
        stamp = self._clock.stamp()
        with self._store.write() as db:
            append(db, fact, stamp, ours=fact.booth == self._booth)

    def history(self, key: str, limit: int = 3) -> tuple[PastCall, ...]:
        """The latest calls with a number, newest first, other booths' included."""
        date_boot(self._store, self._clock)
        here = [_past(row, self._booth) for row in self._store.rows(_HISTORY, key, limit)]
        rows = self._store.rows(_ELSEWHERE, key, _LOOKED_AT)
        elsewhere = _calls_of([_fact(row) for row in rows])
        # What has no date comes first: it must not fall out of sight behind what has one.
        merged = sorted([*here, *elsewhere], key=lambda call: math.inf if call.at is None else call.at, reverse=True)
        return tuple(merged[:limit])


def facts_of_number(store: Store, key: str) -> tuple[Fact, ...]:
    """All that is known of a number, oldest first, dated as far as the boots are."""
    return tuple(_fact(row) for row in store.rows(_FACTS, key))


def facts_in(rows: Iterable[sqlite3.Row]) -> tuple[Fact, ...]:
    """The facts that a question such as HOLDS finds."""
    return tuple(map(_fact, rows))


def append(db: sqlite3.Connection, fact: Fact, stamp: Stamp, *, ours: bool) -> None:
    """Write a fact inside somebody's transaction. An own fact of unknown date keeps its stamp, to be dated later."""
    boot, monotonic = (stamp.boot, _moment(fact, stamp)) if ours else (None, None)
    added = db.execute(
        "INSERT INTO fact (id, kind, number, at, boot, monotonic, booth, agent, call, result, due, note, product)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(fact.id, fact.kind.value, fact.number, fact.at, boot, monotonic),
            *(fact.booth, fact.agent, fact.call, fact.result, fact.due, fact.note, fact.product),
        ),
    ).rowcount
    if ours and added:
        post(db, "fact", fact.id, 1, stamp)


def _moment(fact: Fact, stamp: Stamp) -> float:
    """When a fact of ours happened by this boot's clock: as a rule now, unless it says that it is older."""
    since = 0.0 if fact.at is None or stamp.utc is None else stamp.utc - fact.at
    return stamp.monotonic - since


def post(db: sqlite3.Connection, kind: str, ref: str, version: int, stamp: Stamp) -> None:
    """Put something into the outbox inside somebody's transaction."""
    db.execute(
        "INSERT INTO outbox (kind, ref, version, at, boot, monotonic) VALUES (?, ?, ?, ?, ?, ?)",
        (kind, ref, version, stamp.utc, stamp.boot, stamp.monotonic),
    )


def new_id(call: str, kind: FactKind, version: int) -> str:
    """The id of a fact that follows from a call: the same each time it is worked out."""
    return str(uuid.uuid5(uuid.UUID(call), f"{kind.value}/{version}"))


HOLDS = """
SELECT f.*, f.at AS dated FROM fact f WHERE f.kind IN ('legal-hold', 'legal-release') ORDER BY f.seq
"""
"""Every legal hold and every release of one."""

_FACTS = """
SELECT f.*, coalesce(f.monotonic + b.ahead, f.at) AS dated, b.latest
FROM fact f LEFT JOIN boot b ON b.id = f.boot
WHERE f.number = ? ORDER BY f.seq
"""

_HISTORY = """
SELECT coalesce(c.monotonic + b.ahead, c.at) AS dated, c.agent, c.talk, c.estimated, r.code, r.whom, r.due
FROM call c
LEFT JOIN boot b ON b.id = c.boot
LEFT JOIN result r ON r.call = c.id AND r.version = c.version
WHERE c.number = ? ORDER BY c.seq DESC LIMIT ?
"""

_ELSEWHERE = """
SELECT f.*, f.at AS dated FROM fact f
WHERE f.number = ? AND f.call IS NOT NULL AND NOT EXISTS (SELECT 1 FROM call c WHERE c.id = f.call)
    AND f.kind NOT IN ('legal-hold', 'legal-release')
ORDER BY f.seq DESC LIMIT ?
"""


def _strictly(row: sqlite3.Row, at: float | None, calendar: Calendar) -> Fact:
    """A fact as the guard goes by it: what opens a number at a given time opens it when that has certainly come."""
    fact = replace(_fact(row), at=at)
    if fact.kind is FactKind.CALLBACK and fact.due is not None:
        return replace(fact, due=fact.due + calendar.doubt)
    return fact


def _fact(row: sqlite3.Row) -> Fact:
    return Fact(
        id=row["id"],
        kind=FactKind(row["kind"]),
        number=row["number"],
        at=row["dated"],
        booth=row["booth"],
        agent=row["agent"],
        call=row["call"],
        result=row["result"],
        due=row["due"],
        note=row["note"],
        product=row["product"],
    )


def _past(row: sqlite3.Row, booth: str) -> PastCall:
    return PastCall(
        at=row["dated"],
        booth=booth,
        agent=row["agent"],
        result=row["code"],
        whom=row["whom"] or "",
        talk=row["talk"],
        due=row["due"],
        estimated=bool(row["estimated"]),
    )


def _calls_of(newest_first: list[Fact]) -> list[PastCall]:
    """Other booths' calls, as far as their facts tell of them."""
    calls: dict[str, PastCall] = {}
    for fact in reversed(newest_first):
        assert fact.call is not None  # the query's condition
        known = calls.get(fact.call, PastCall(fact.at, fact.booth, fact.agent, None))
        result = fact.result or known.result
        due = fact.due if fact.kind is FactKind.CALLBACK else known.due
        calls[fact.call] = PastCall(known.at, fact.booth, fact.agent, result, due=due)
    return list(reversed(calls.values()))
