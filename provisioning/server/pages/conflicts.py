"""Conflicts: pairs of calls to one customer while a booth was out of reach, side by side, to be looked into and marked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select
from starlette.responses import Response

from firmware.known import Hold
from firmware.screens.teller import Teller
from firmware.text.catalogue import mark
from firmware.text.times import Times
from provisioning.server.pages.lines import LINES, Line, Lines, booth_names
from provisioning.server.pages.splits import SPAN, Conflict, conflicts
from provisioning.server.pages.telling import ending
from provisioning.server.pages.visit import Refused, Visit, go
from provisioning.server.schema import call, conflict_seen

PER_PAGE = 25
LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two calls."""

    line: Line
    ended: str
    apart: bool  # out of reach of the server


@dataclass(frozen=True, slots=True)
class Pair:
    """One conflict in words."""

    path: str  # of its forms
    number: str  # Number.key
    name: str
    why: str
    sides: Sequence[Side]
    seen: str = ""  # when and by whom
    note: str = ""


def conflicts_page(visit: Visit) -> Response:
    """Those that nobody has looked at first, then the others."""
    with visit.office.database.read() as connection:
        found = conflicts(connection, visit.now - SPAN)
        visit.office.conflicts.note(found, visit.now)
        fresh = [one for one in found if one.seen is None]
        seen = sorted(
            (one for one in found if one.seen), key=lambda one: one.seen.at if one.seen else 0.0, reverse=True
        )
        page = _page(visit, len(fresh))
        shown, put_by = fresh[page * PER_PAGE :][:PER_PAGE], seen[:PER_PAGE]
        say = _Sayer(visit, connection, (*shown, *put_by))
    return visit.page(
        "conflicts.html",
        pairs=[say.pair(one) for one in shown],
        seen=[say.pair(one) for one in put_by],
        count=len(fresh),
        newer=page or None,
        older=page + 2 if len(fresh) > (page + 1) * PER_PAGE else None,
        longest=LONGEST_NOTE,
    )


def mark_seen(visit: Visit) -> Response:
    """A supervisor has looked into it. The first note stays; who wants another takes the mark back first."""
    earlier, later = _named(visit)
    values = {"earlier": earlier, "later": later, "who": visit.account.name, "at": visit.now}
    statement = visit.office.database.insert(conflict_seen).values(values | {"note": visit.field("note", LONGEST_NOTE)})
    with visit.office.database.write() as connection:
        _check(connection, earlier, later)
        connection.execute(statement.on_conflict_do_nothing(index_elements=["earlier", "later"]))
    visit.office.conflicts.forget()
    return go("/conflicts", "seen")


def mark_unseen(visit: Visit) -> Response:
    """It was not what it seemed."""
    earlier, later = _named(visit)
    one = (conflict_seen.c.earlier == earlier) & (conflict_seen.c.later == later)
    with visit.office.database.write() as connection:
        connection.execute(delete(conflict_seen).where(one))
    visit.office.conflicts.forget()
    return go("/conflicts", "unseen")


def _named(visit: Visit) -> tuple[str, str]:
    return visit.path("earlier"), visit.path("later")


def _check(connection: Connection, earlier: str, later: str) -> None:
    """Raises Refused unless they are calls of two booths to one number."""
    rows = connection.execute(select(call.c.number, call.c.booth).where(call.c.id.in_([earlier, later]))).all()
    if len({row.number for row in rows}) != 1 or len({row.booth for row in rows}) != 2:
        raise Refused(mark("There is no such pair of calls."), 404, "/conflicts")


def _page(visit: Visit, count: int) -> int:
    """Which page was asked for, from 0; the last one if there are not so many."""
    asked = visit.request.query_params.get("page", "")
    wanted = int(asked) - 1 if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 0
    return max(0, min(wanted, (count - 1) // PER_PAGE))


class _Sayer:
    """Puts conflicts into words for one visitor."""

    def __init__(self, visit: Visit, connection: Connection, shown: Iterable[Conflict]) -> None:
        self._visit = visit
        self._lines = Lines(visit, booth_names(connection))
        self._rows = _rows(connection, {row.id for one in shown for row in (one.earlier, one.later)})

    def pair(self, one: Conflict) -> Pair:
        """One conflict. How long ago is told as of the later call: that is what its agent would have read."""
        visit, later = self._visit, self._rows[one.later.id]
        teller = Teller(visit.text, Times(visit.text, visit.office.zone, one.later.at), visit.office.results)
        sides = [self._side(one.earlier), self._side(one.later)]
        return Pair(
            path=f"/conflicts/{one.earlier.id}/{one.later.id}",
            number=one.later.number,
            name=later.customer or self._rows[one.earlier.id].customer,
            why=teller.why(one.decision),
            sides=sides,
            seen=f"{visit.times.moment(one.seen.at)} {one.seen.who}" if one.seen else "",
            note=one.seen.note if one.seen else "",
        )

    def _side(self, one: Row[Any]) -> Side:
        row = self._rows[one.id]
        return Side(
            line=self._lines.line(row),
            ended=ending(row.cause, row.party, self._visit.text, sure=row.sure),
            apart=one.claim == Hold.OFFLINE.value,
        )


def _rows(connection: Connection, ids: set[str]) -> Mapping[str, Row[Any]]:
    wanted = LINES.add_columns(call.c.cause, call.c.party, call.c.sure).where(call.c.id.in_(sorted(ids)))
    return {row.id: row for row in connection.execute(wanted)}
