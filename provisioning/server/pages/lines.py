"""Calls as lines of a table."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from firmware.screens.teller import Teller
from provisioning.server.pages.telling import Badge, caller, guard_badge, result_badge, talk_time
from provisioning.server.pages.visit import Visit
from provisioning.server.schema import booth, call, recording


@dataclass(frozen=True, slots=True)
class Line:
    """One call in the table."""

    id: str
    at: str
    customer: str
    number: str
    where: str  # booth and agent
    talk: str
    result: Badge
    due: str
    guard: Badge
    recording: str  # its state; "" without one
    incoming: bool
    sample: bool


def in_order(name: str) -> tuple[tuple[int, str], ...]:
    """What names of booths are sorted by: booth 10 comes after booth 9.

    >>> sorted(("10", "Window", "9", "Room 10", "Room 2"), key=in_order)
    ['9', '10', 'Room 2', 'Room 10', 'Window']
    """
    parts = enumerate(re.split(r"(\d+)", name))  # every other one is a number
    return tuple((int(part), "") if at % 2 else (0, part) for at, part in parts)


def booth_names(connection: Connection) -> dict[str, str]:
    """Every booth's name by its id, revoked ones too: their calls stay."""
    rows = connection.execute(select(booth.c.id, booth.c.name).order_by(booth.c.id)).all()
    return {row.id: row.name for row in sorted(rows, key=lambda row: in_order(row.name))}


class Lines:
    """Puts calls' rows into words for one visitor."""

    def __init__(self, visit: Visit, names: Mapping[str, str]) -> None:
        self._text, self._times, self._results = visit.text, visit.times, visit.office.results
        teller = Teller(self._text, self._times, self._results)
        self._names = {booth_id: teller.booth(name) for booth_id, name in names.items()}

    def line(self, row: Row[Any]) -> Line:
        """One call."""
        said, times = self._text, self._times
        return Line(
            id=row.id,
            at=times.moment(row.at),
            customer=row.customer or (said("not on a list") if not row.incoming else ""),
            number=caller(row.shown, row.hidden, said),
            where=" · ".join(filter(None, (self._names.get(row.booth, ""), row.agent))),
            talk=talk_time(row.talk, said, estimated=row.estimated) if row.answered else "",
            result=result_badge(self._results, row.result, said),
            due=times.moment(row.due) if row.due is not None else "",
            guard=guard_badge(row.verdict, said, overridden=row.overridden),
            recording=row.state if row.state and row.erased is None else "",
            incoming=row.incoming,
            sample=row.sample,
        )


def lines_of_number(visit: Visit, connection: Connection, number: str, most: int = 20) -> list[Line]:
    """The latest calls with one number, newest first."""
    say = Lines(visit, booth_names(connection))
    rows = connection.execute(LINES.where(call.c.number == number).order_by(*NEWEST_FIRST).limit(most))
    return [say.line(row) for row in rows]


LINES: Select[Any] = select(
    *(call.c.id, call.c.moment, call.c.at, call.c.booth, call.c.agent, call.c.shown, call.c.customer, call.c.talk),
    *(call.c.answered, call.c.result, call.c.due, call.c.verdict, call.c.overridden, call.c.incoming, call.c.sample),
    *(call.c.version, call.c.taken, call.c.estimated, call.c.hidden, recording.c.state, recording.c.erased),
).outerjoin_from(call, recording, recording.c.id == call.c.id)
NEWEST_FIRST = (call.c.moment.desc(), call.c.id.desc())
OLDEST_FIRST = (call.c.moment, call.c.id)
