"""One call list: its customers, the rows that were not taken and why, its booths; put away, restored, undone."""

import csv
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update
from starlette.responses import Response, StreamingResponse

from firmware.text.catalogue import Text, mark
from provisioning.server.bell import Topic
from provisioning.server.pages import lists
from provisioning.server.pages.uploads import assign
from provisioning.server.pages.visit import Refused, Visit, go
from provisioning.server.schema import assignment, call, call_list, list_row, rejected_row

PER_PAGE = 100  # customers
REJECTS = 200  # shown; the file has all
REASONS: dict[str, str] = {
    "torn": mark("the file ends in the middle of this row"),
    "empty-row": mark("the row is empty"),
    "broken-quotes": mark("a quotation mark is opened and not closed"),
    "unreadable": mark("the number or some letters cannot be read"),
    "duplicate": mark("line {line} has this number already"),
    "emergency": mark("this is an emergency number"),
    "service": mark("this is a public service number, no customer's"),
    "barred": mark("premium-rate numbers, numbers abroad and machines are not called"),
    "no-number": mark("there is no number"),
    "letters": mark("there are letters in the number"),
    "scientific": mark("a spreadsheet has rounded the number: format the column as text and export it again"),
    "too-short": mark("the number is too short"),
    "too-long": mark("the number is too long"),
    "local-only": mark("the area code is missing: upload again and give the area code"),
    "carrier-prefix": mark("the number begins with a carrier's prefix (00…, 122)"),
    "supplementary": mark("strings with * or # change the line's settings and are not dialled"),
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken."""

    line: int
    reason: str
    text: str


def list_page(visit: Visit) -> Response:
    """One list, whole or still being read."""
    with visit.office.database.read() as connection:
        row = lists.found(visit, connection)
        standing = lists.standing(visit, connection, row)
        assigned = frozenset(connection.scalars(select(assignment.c.booth).where(assignment.c.list == row.id)))
        choices = lists.booth_choices(visit, connection, assigned)
        rejects = list(_rejects(connection, row.id, visit.text, REJECTS))
        customers = _customers(visit, connection, row.id)
    upload = visit.office.uploads.of(row.id)
    running = upload is not None and not upload.ended.is_set()
    return visit.page(
        "list.html",
        list=standing,
        upload=upload if running else None,
        choices=choices,
        assigned=len(assigned),
        rejects=rejects,
        customers=customers[:PER_PAGE],
        more=customers[PER_PAGE - 1].row if len(customers) > PER_PAGE else None,
    )


def reject_said(reason: str, text: Text) -> str:
    """Why a row was not taken.

    >>> from firmware.text.catalogue import load
    >>> reject_said("duplicate:34", load("en")), reject_said("too-long", load("en"))
    ('line 34 has this number already', 'the number is too long')
    """
    word, _, line = reason.partition(":")
    return text(REASONS.get(word, word), line=line)


def rejects_file(visit: Visit) -> Response:
    """All rows that were not taken, as a table that a spreadsheet opens: correct them and upload them again."""
    with visit.office.database.read() as connection:
        row = lists.found(visit, connection)
        rejects = list(_rejects(connection, row.id, visit.text, None))
    heads = [visit.text("Line no."), visit.text("Why"), visit.text("The row as it stands in the file")]
    rows = [heads, *([str(one.line), one.reason, one.text] for one in rejects)]
    headers = {"content-disposition": 'attachment; filename="rejected.csv"'}
    return StreamingResponse(_csv(rows), headers=headers, media_type="text/csv; charset=utf-8")


def assign_list(visit: Visit) -> Response:
    """The booths that have this list from now on."""
    with visit.office.database.write() as connection:
        row = lists.found(visit, connection)
        if row.revision == 0:
            raise Refused(mark("The list is still being read. Please wait for its end."), 409, f"/lists/{row.id}")
        assign(connection, row.id, visit.fields("booth"))
    visit.office.bell.ring(Topic.LISTS)
    log.info("account %s assigned list %s to %d booths", visit.account.id, row.id, len(visit.fields("booth")))
    return go(f"/lists/{row.id}", "assigned")


def put_away(visit: Visit) -> Response:
    """No booth has it any more; everything stays."""
    return _removed(visit, visit.now, "put-away")


def restore(visit: Visit) -> Response:
    """The booths that had it have it again."""
    return _removed(visit, None, "restored")


def undo_page(visit: Visit) -> Response:
    """Really?"""
    with visit.office.database.read() as connection:
        row = lists.found(visit, connection)
        standing = lists.standing(visit, connection, row)
    return visit.page(
        "confirm.html",
        title=visit.text("Undo the upload of “{name}”?", name=row.name),
        lines=[
            visit.text(
                "Its {count} customers and all rejected rows go from the server and from the booths.",
                count=standing.total,
            ),
            visit.text("Your file is untouched: correct it and upload it again."),
        ],
        action=f"/lists/{row.id}/undo",
        does=visit.text("Undo the upload"),
        back=f"/lists/{row.id}",
    )


def undo(visit: Visit) -> Response:
    """As if it had never been uploaded. Once a call was made from it, it can only be put away."""
    with visit.office.database.write() as connection:
        row = lists.found(visit, connection)
        if connection.execute(select(call.c.id).where(call.c.list == row.id).limit(1)).first():
            called = mark("Calls were made from this list already. Put it away instead: it can then be restored.")
            raise Refused(called, 409, f"/lists/{row.id}")
        upload = visit.office.uploads.of(row.id)
        if upload is not None and not upload.ended.is_set():
            raise Refused(mark("The list is still being read. Please wait for its end."), 409, f"/lists/{row.id}")
        connection.execute(delete(call_list).where(call_list.c.id == row.id))
    visit.office.bell.ring(Topic.LISTS)
    log.info("account %s undid the upload of list %s", visit.account.id, row.id)
    return go("/lists", "undone")


def _removed(visit: Visit, when: float | None, done: str) -> Response:
    with visit.office.database.write() as connection:
        row = lists.found(visit, connection)
        connection.execute(update(call_list).where(call_list.c.id == row.id).values(removed=when))
    visit.office.bell.ring(Topic.LISTS)
    return go("/lists", done)


def _rejects(connection: Connection, list_id: str, text: Text, most: int | None) -> Iterator[Reject]:
    wanted = select(rejected_row).where(rejected_row.c.list == list_id).order_by(rejected_row.c.line).limit(most)
    for row in connection.execute(wanted):
        yield Reject(row.line, reject_said(row.reason, text), row.text)


def _customers(visit: Visit, connection: Connection, list_id: str) -> list[Any]:
    """One more than a page, to know whether there are more."""
    after = visit.request.query_params.get("after", "")
    begin = int(after) if after.isdecimal() and len(after) < 10 else 0
    wanted = select(list_row).where(list_row.c.list == list_id, list_row.c.row > begin)
    return list(connection.execute(wanted.order_by(list_row.c.row).limit(PER_PAGE + 1)))


def _csv(rows: list[list[str]]) -> Iterator[str]:
    """With the mark by which spreadsheets know UTF-8; a cell that would be a formula there is quoted as text."""
    yield "\ufeff"
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([f"'{cell}" if cell[:1] in ("=", "@") else cell for cell in row])
        yield line.getvalue()
