"""The call lists: which there are, how far each is, and the upload of another."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from sqlalchemy import Connection, Row, case, func, select
from starlette.datastructures import UploadFile
from starlette.responses import Response

from firmware.screens.teller import Teller
from firmware.text.catalogue import mark
from provisioning.server.pages.lines import in_order
from provisioning.server.pages.visit import Refused, Visit, go
from provisioning.server.schema import assignment, booth, call, call_list, list_row, rejected_row

AT_ONCE = 2.0  # seconds in which a short list is read while the browser waits
LONGEST_NAME = 100
FAULTS: dict[str, str] = {
    "encoding": mark("The file's letters are in no known encoding. Save it as “CSV UTF-8” and upload it again."),
    "no-header": mark(
        "The first line must name the columns, a name (氏名) and a telephone number (電話番号) at least."
    ),
    "empty": mark("The file is empty."),
    "too-large": mark("The file is larger than 64 MB. Split it, and upload the parts as lists of their own."),
    "workbook": mark("This is a workbook. Open it and save it as CSV."),
    "binary": mark("This is no text file. Save the list as CSV."),
    "broken": mark("The reading broke off. Nothing was kept; please upload the file again."),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One list and how far it is."""

    id: str
    name: str
    sample: bool
    made: str
    total: int
    called: int
    done: int
    rejected: int
    booths: tuple[str, ...]
    reading: bool
    away: str  # when it was put away


def lists_page(visit: Visit) -> Response:
    """All lists."""
    return page(visit)


def page(visit: Visit, fault: str = "", status: int = 200) -> Response:
    """All lists, and what was wrong with the upload that was just tried."""
    with visit.office.database.read() as connection:
        rows = connection.execute(select(call_list).order_by(call_list.c.created.desc(), call_list.c.id)).all()
        standings = [standing(visit, connection, row) for row in rows]
        choices = booth_choices(visit, connection)
    return visit.page(
        "lists.html",
        status,
        lists=[one for one in standings if not one.away],
        away=[one for one in standings if one.away],
        choices=choices,
        fault=fault,
    )


def booth_choices(
    visit: Visit, connection: Connection, chosen: frozenset[str] = frozenset()
) -> list[tuple[str, str, bool]]:
    """The booths that a list may be given to: id, name, whether it has it."""
    teller = Teller(visit.text, visit.times, visit.office.results)
    rows = connection.execute(select(booth.c.id, booth.c.name).where(booth.c.revoked.is_(None)).order_by(booth.c.id))
    ordered = sorted(rows, key=lambda row: in_order(row.name))
    return [(row.id, teller.booth(row.name), row.id in chosen) for row in ordered]


def standing(visit: Visit, connection: Connection, row: Row[Any]) -> Standing:
    """How far one list is. A customer is done when the latest keyed result closes the record."""
    called, done = _progress(visit, connection, row)
    teller = Teller(visit.text, visit.times, visit.office.results)
    names = select(booth.c.name).join(assignment, assignment.c.booth == booth.c.id).where(assignment.c.list == row.id)
    return Standing(
        id=row.id,
        name=row.name,
        sample=row.sample,
        made=visit.times.moment(row.created),
        total=_count(connection, list_row, row.id),
        called=called,
        done=done,
        rejected=_count(connection, rejected_row, row.id),
        booths=tuple(teller.booth(name) for name in sorted(connection.scalars(names), key=in_order)),
        reading=row.revision == 0,
        away=visit.times.moment(row.removed) if row.removed is not None else "",
    )


def upload(visit: Visit) -> Response:
    """A file was sent: read it, here or on its own page if it is long."""
    file = visit.file("file")
    if file is None:
        return page(visit, visit.text("Choose a file first."), 400)
    area_code = visit.field("area-code", 6)
    if area_code and not (area_code.isascii() and area_code.isdecimal() and area_code.startswith("0")):
        return page(visit, visit.text("An area code is written with its zero, such as 03."), 400)
    name = visit.field("name", LONGEST_NAME) or _stem(file) or visit.text("Call list")
    begun = visit.office.uploads.begin(_copied(file), name, area_code=area_code, booths=visit.fields("booth"))
    begun.ended.wait(AT_ONCE)
    if begun.fault and begun.ended.is_set():
        return page(visit, visit.text(FAULTS.get(begun.fault, FAULTS["broken"])), 400)
    return go(f"/lists/{begun.list}")


def found(visit: Visit, connection: Connection) -> Row[Any]:
    """The list in the address. Raises Refused."""
    row = connection.execute(select(call_list).where(call_list.c.id == visit.path("list"))).one_or_none()
    if row is None:
        begun = visit.office.uploads.of(visit.path("list"))
        gone = FAULTS.get(begun.fault) if begun else None
        raise Refused(gone or mark("There is no such list. Perhaps its upload was undone."), 404, "/lists")
    return row


def _progress(visit: Visit, connection: Connection, row: Row[Any]) -> tuple[int, int]:
    final = [result.code for result in visit.office.results.values() if result.final]
    closed = case((call.c.result.in_(final), call.c.list_row))
    wanted = select(func.count(call.c.list_row.distinct()), func.count(closed.distinct()))
    called, done = connection.execute(wanted.where(call.c.list == row.id)).one()
    return called, done


def _count(connection: Connection, table: Any, list_id: str) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(table.c.list == list_id)) or 0


def _stem(file: UploadFile) -> str:
    """A name from the file's; browsers may send a whole path."""
    stem = PurePath((file.filename or "").replace("\\", "/")).stem.strip()[:LONGEST_NAME]
    return stem if stem.isprintable() else ""


def _copied(file: UploadFile) -> Path:
    """The upload in a file of its own, which the reading program may open."""
    with tempfile.NamedTemporaryFile(prefix="boothphone-list-", delete=False) as copy:
        shutil.copyfileobj(file.file, copy)
    return Path(copy.name)
