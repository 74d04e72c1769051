"""Call lists as booths get them: which ones, and their rows."""

import hashlib
from collections.abc import Iterator
from http import HTTPStatus

import msgspec
from sqlalchemy import bindparam, select

from firmware import wire
from provisioning.server.booths import Booth
from provisioning.server.database import Database
from provisioning.server.refusals import Refused
from provisioning.server.schema import assignment, call_list, list_row

AT_ONCE = 1000  # rows in memory at a time


class Lists:
    """What is assigned to a booth. Blocking."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def names(self, one: Booth) -> wire.Lists:
        """All lists that this booth should have."""
        with self._database.read() as connection:
            rows = connection.execute(_ASSIGNED, {"booth": one.id}).all()
        names = [wire.ListName(id=row.id, name=row.name, revision=row.revision, sample=row.sample) for row in rows]
        return wire.Lists(lists=tuple(names), tag=hashlib.sha256(msgspec.json.encode(names)).hexdigest()[:16])

    def head(self, one: Booth, list_id: str) -> wire.ListRows:
        """A list of this booth's, without its rows. Raises Refused for any other."""
        row = None
        if "\0" not in list_id:  # a database would not even look for it
            with self._database.read() as connection:
                row = connection.execute(_ONE, {"booth": one.id, "list": list_id}).one_or_none()
        if row is None:
            raise Refused(HTTPStatus.NOT_FOUND, "list", "there is no such list for this booth")
        return wire.ListRows(id=row.id, name=row.name, revision=row.revision, sample=row.sample, rows=())

    def whole(self, head: wire.ListRows) -> Iterator[bytes]:
        """A wire.ListRows in pieces: a list may be long, and the server must stay small.

        If the list is changed meanwhile, it breaks off in the middle of the JSON: nobody takes half of each for a whole.
        """
        before, _, after = wire.encode(head).partition(b'"rows":[]')
        yield before + b'"rows":['
        last = -1
        while rows := self._rows(head, last):
            yield (b"," if last >= 0 else b"") + b",".join(map(msgspec.json.encode, rows))
            last = rows[-1].row
        if rows is not None:
            yield b"]" + after

    def _rows(self, head: wire.ListRows, after: int) -> list[wire.Row] | None:
        """The next rows; None if the list is another one now."""
        with self._database.read() as connection:
            revision = connection.scalar(select(call_list.c.revision).where(call_list.c.id == head.id))
            if revision != head.revision:
                return None
            rows = connection.execute(_ROWS, {"list": head.id, "after": after}).all()
        return [
            wire.Row(
                row=row.row,
                name=row.name,
                reading=row.reading,
                numbers=tuple(row.numbers),
                identifier=row.identifier,
                note=row.note,
            )
            for row in rows
        ]


_ASSIGNED = (
    select(call_list)
    .join(assignment, assignment.c.list == call_list.c.id)
    .where(assignment.c.booth == bindparam("booth"), call_list.c.removed.is_(None))
    .order_by(call_list.c.created, call_list.c.id)
)
_ONE = _ASSIGNED.where(call_list.c.id == bindparam("list"))
_ROWS = (
    select(list_row)
    .where(list_row.c.list == bindparam("list"), list_row.c.row > bindparam("after"))
    .order_by(list_row.c.row)
    .limit(AT_ONCE)
)
