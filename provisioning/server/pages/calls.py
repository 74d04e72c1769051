"""The calls: filtered, newest first, a page at a time, new ones as they arrive."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, text
from starlette.responses import Response

from firmware.screens.teller import Teller
from provisioning.server.pages.filters import NO_RESULT, PERIODS, Filter
from provisioning.server.pages.lines import LINES, NEWEST_FIRST, OLDEST_FIRST, Line, Lines, booth_names
from provisioning.server.pages.telling import result_name
from provisioning.server.pages.visit import Visit
from provisioning.server.schema import call, call_list

PER_PAGE = 50


class Place(NamedTuple):
    """A call's place in time; pages begin behind one."""

    moment: float
    id: str

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """
        >>> Place.read("1795325520.5_3f2a"), Place.read("yesterday"), Place.read("nan_1")
        (Place(moment=1795325520.5, id='3f2a'), None, None)
        """
        moment, _, call_id = text.partition("_")
        try:
            at = float(moment)
        except ValueError:
            return None
        return cls(at, call_id) if call_id and abs(at) < 1e12 else None

    def __str__(self) -> str:
        return f"{self.moment!r}_{self.id}"


class _Turn(NamedTuple):
    """Which page: the one behind a place, the one before it, or the first."""

    before: Place | None
    after: Place | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page of calls, with the addresses of its neighbours ("" where there is none)."""

    lines: Sequence[Line]
    newer: str
    older: str
    first: bool
    seen: str  # changes whenever a line does


def calls_page(visit: Visit) -> Response:
    """The table with its filter."""
    query = visit.request.query_params
    chosen = Filter.asked(query)
    before, after = Place.read(query.get("before", "")), Place.read(query.get("after", ""))
    with visit.office.database.read() as connection:
        names = booth_names(connection)
        leaf = _leaf(visit, connection, chosen, _Turn(before, after), names)
        today = _today(visit, connection)
        choices = _choices(visit, connection, names)
    live = f"/calls/news?{chosen.query(seen=leaf.seen)}" if leaf.first else ""
    return visit.page("calls.html", filter=chosen, leaf=leaf, today=today, choices=choices, live=live, periods=PERIODS)


def _leaf(visit: Visit, connection: Connection, chosen: Filter, turn: _Turn, names: Mapping[str, str]) -> Leaf:
    """One more row than is shown tells whether there is more on that side."""
    wanted, before, after = _found(visit, chosen, visit.now), turn.before, turn.after
    if after:
        rows = _rows(connection, wanted.where(_newer(after)).order_by(*OLDEST_FIRST))
        more_newer, more_older = len(rows) > PER_PAGE, True
        rows = rows[-PER_PAGE:]
    else:
        wanted = wanted.where(_older(before)) if before else wanted
        rows = _rows(connection, wanted.order_by(*NEWEST_FIRST))
        more_newer, more_older = before is not None, len(rows) > PER_PAGE
        rows = rows[:PER_PAGE]
    say = Lines(visit, names)
    return Leaf(
        lines=[say.line(row) for row in rows],
        newer=f"/calls?{chosen.query(after=str(_place(rows[0])))}" if rows and more_newer else "",
        older=f"/calls?{chosen.query(before=str(_place(rows[-1])))}" if rows and more_older else "",
        first=not before and not more_newer,
        seen=_signature(rows),
    )


def _found(visit: Visit, chosen: Filter, now: float) -> Select[tuple[str]]:
    """The ids of the calls that fit; the records' weight is not touched."""
    office = visit.office
    return select(call.c.id).where(*chosen.conditions(office.zone, now, sqlite=office.database.sqlite))


def _rows(connection: Connection, ids: Select[tuple[str]]) -> list[Row[Any]]:
    """The first page of these and one more, newest first."""
    found = list(connection.scalars(ids.limit(PER_PAGE + 1)))
    return list(connection.execute(LINES.where(call.c.id.in_(found)).order_by(*NEWEST_FIRST)))


def newest(visit: Visit, chosen: Filter) -> str:
    """What the first page's `seen` is now."""
    with visit.office.database.read() as connection:
        wanted = _found(visit, chosen, visit.office.now()).order_by(*NEWEST_FIRST)
        return _signature(_rows(connection, wanted)[:PER_PAGE])


def _signature(rows: Iterable[Row[Any]]) -> str:
    """A new call, a new result, a recording that has come in: each gives another one."""
    told = [(row.id, row.version, row.taken, row.state) for row in rows]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _place(row: Row[Any]) -> Place:
    return Place(row.moment, row.id)


def _older(place: Place) -> ColumnElement[bool]:
    """Not as one tuple: with its first half alone the database finds the page by the index of any filter."""
    moment, same = call.c.moment <= place.moment, call.c.moment == place.moment
    return and_(moment, or_(~same, call.c.id < place.id))


def _newer(place: Place) -> ColumnElement[bool]:
    moment, same = call.c.moment >= place.moment, call.c.moment == place.moment
    return and_(moment, or_(~same, call.c.id > place.id))


def _today(visit: Visit, connection: Connection) -> str:
    """The day so far, its rates with how they are reckoned."""
    contact = [result.code for result in visit.office.results.values() if result.contact]
    no_attempt = [result.code for result in visit.office.results.values() if not result.attempt]
    counted = func.coalesce(call.c.result, "").not_in(no_attempt) & ~call.c.incoming
    office = visit.office
    today = Filter(period="today").conditions(office.zone, visit.now, sqlite=office.database.sqlite)
    wanted = select(func.count(), func.count().filter(call.c.result.in_(contact)))
    dials, contacts = connection.execute(wanted.select_from(call).where(counted, *today)).one()
    said = visit.text("Dials today: {count}", count=dials)
    if not dials:
        return said
    share = round(100 * contacts / dials)
    return visit.text("{dials} · a human answered: {count} ({share} %)", dials=said, count=contacts, share=share)


def _choices(visit: Visit, connection: Connection, names: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """What the filter's fields offer, each value with its word."""
    lists = set(connection.scalars(select(call_list.c.name).where(call_list.c.revision > 0)))
    lists |= set(_distinct(connection, "list_name"))
    results = [(code, result_name(result, visit.text)) for code, result in visit.office.results.items()]
    teller = Teller(visit.text, visit.times, visit.office.results)
    return {
        "list": [(name, name) for name in sorted(filter(None, lists))],
        "booth": [(key, teller.booth(name)) for key, name in names.items()],
        "agent": [(agent, agent) for agent in _distinct(connection, "agent") if agent],
        "result": [(NO_RESULT, visit.text("no result")), *results],
    }


def _distinct(connection: Connection, column: str) -> list[str]:
    """The different values of an indexed column, found by leaps and not by reading every call."""
    return [value for value in connection.scalars(text(_LEAPS.format(column=column))) if value is not None]


_LEAPS = """
WITH RECURSIVE found (value) AS (
    SELECT min({column}) FROM call
    UNION ALL
    SELECT (SELECT min({column}) FROM call WHERE {column} > found.value) FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found
"""
