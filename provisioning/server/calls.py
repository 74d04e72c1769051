"""Calls and shifts as booths tell them. The record is kept as it came; columns are drawn from it for the pages."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from firmware import record, wire
from firmware.redial import Reason
from provisioning.server.bell import Bell, Topic
from provisioning.server.booths import Booth
from provisioning.server.database import Database
from provisioning.server.parcels import named, text_of
from provisioning.server.schema import call, memo, recording, shift

LONGEST = 256 * 1024  # characters of one record
LONGEST_TALK = 1e7  # seconds; what says more is nonsense, and must not spoil a sum
FOUND_BY = 255  # characters of a text that an index holds: PostgreSQL refuses rows whose index would be longer
MEMO = "memo "  # what the mark of a voice memo begins with; the recording's name follows


# What a column holds on every engine.
_Whole = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class _List(msgspec.Struct):
    uuid: str = ""
    name: str = ""
    sample: bool = False


class _Customer(msgspec.Struct):
    name: str = ""
    reading: str = ""
    row: _Whole | None = None
    list: _List = msgspec.field(default_factory=_List)


class _Number(msgspec.Struct):
    key: str
    shown: str = ""


class _Decision(msgspec.Struct):
    verdict: str
    reason: str
    claim: str = ""


class _Begun(msgspec.Struct):
    at: float | None = None


class _Result(msgspec.Struct):
    code: str
    version: _Whole
    due: float | None = None
    note: str = ""


class _Mark(msgspec.Struct):
    name: str


class Record(msgspec.Struct, kw_only=True):
    """What the pages need of firmware.record.whole."""

    version: int
    id: str
    agent: str
    number: _Number
    reason: str = ""
    emergency: bool = False
    incoming: bool = False
    customer: _Customer | None = None
    decision: _Decision | None = None
    begun: _Begun = msgspec.field(default_factory=_Begun)
    answered: bool = False
    cause: str | None = None
    by: str | None = None
    sure: bool = True
    talk: float = 0.0
    estimated: bool = False
    hidden: str | None = None
    marks: tuple[_Mark, ...] = ()
    result: _Result | None = None


class Shift(msgspec.Struct):
    """What the pages need of a log-in, a log-out or a break."""

    id: str
    kind: str
    agent: str
    code: str = ""
    at: float | None = None


class Calls:
    """Takes in what booths tell of their calls. Blocking."""

    def __init__(self, database: Database, bell: Bell, now: Callable[[], float] = time.time) -> None:
        self._database, self._bell, self._now = database, bell, now
        self._put = _put(database)

    def take(self, one: Booth, raws: Sequence[msgspec.Raw]) -> wire.Taken:
        """Keep records; an older or the same result changes nothing. On disk when this returns."""
        ids: list[str] = []
        refused: dict[str, str] = {}
        with self._database.write() as connection:
            for place, raw in enumerate(raws):
                try:
                    ids.append(self._take(connection, one, raw))
                except wire.WireError as problem:
                    refused[named(raw, place)] = str(problem)
        if ids:
            self._bell.ring(Topic.CALLS)
        return wire.Taken(ids=tuple(ids), refused=refused)

    def take_shifts(self, one: Booth, raws: Sequence[msgspec.Raw]) -> wire.Taken:
        """Keep log-ins, log-outs and breaks; the same again changes nothing."""
        ids: list[str] = []
        refused: dict[str, str] = {}
        keep = self._database.insert(shift).on_conflict_do_nothing(index_elements=["id"])
        with self._database.write() as connection:
            for place, raw in enumerate(raws):
                try:
                    row = _shift(raw)
                except wire.WireError as problem:
                    refused[named(raw, place)] = str(problem)
                    continue
                connection.execute(keep, row | {"booth": one.id, "taken": self._now()})
                ids.append(str(row["id"]))
        return wire.Taken(ids=tuple(ids), refused=refused)

    def _take(self, connection: Connection, one: Booth, raw: msgspec.Raw) -> str:
        text = text_of(raw, LONGEST)
        told: Record = wire.read(raw, Record)
        _check(told)
        owner = connection.scalar(select(call.c.booth).where(call.c.id == told.id))
        if owner not in {None, one.id}:
            raise wire.WireError("another booth has told of this call")
        taken = self._now()
        row = _columns(told) | {"booth": one.id, "record": text, "taken": taken}
        connection.execute(self._put, row | {"moment": taken if told.begun.at is None else told.begun.at})
        _keep_memos(connection, self._database, told.id, told.marks)
        return told.id


def _check(told: Record) -> None:
    """Raises WireError."""
    if told.version != record.VERSION:
        raise wire.WireError(
            f"a record of version {told.version} is not known here (known: {record.VERSION}): renew the server"
        )
    if not _is_uuid(told.id):
        raise wire.WireError("a call is named by a UUID")


def _columns(told: Record) -> dict[str, object]:
    customer, decision, result = told.customer or _Customer(), told.decision, told.result
    return {
        "id": told.id,
        "at": told.begun.at,
        "agent": told.agent[:FOUND_BY],
        "number": told.number.key[:FOUND_BY],
        "shown": told.number.shown or told.number.key,
        "customer": customer.name,
        "reading": customer.reading,
        "list": customer.list.uuid[:FOUND_BY],
        "list_name": customer.list.name[:FOUND_BY],
        "list_row": customer.row,
        "sample": customer.list.sample,
        "emergency": told.emergency,
        "incoming": told.incoming,
        "why": told.reason,
        "result": result.code[:FOUND_BY] if result else None,
        "due": result.due if result else None,
        "note": result.note if result else "",
        "version": result.version if result else 0,
        "answered": told.answered,
        "cause": told.cause,
        "party": told.by,
        "sure": told.sure,
        "talk": min(max(0.0, told.talk), LONGEST_TALK),
        "estimated": told.estimated,
        "hidden": told.hidden or "",
        "verdict": decision.verdict if decision else None,
        "reason": decision.reason if decision else None,
        "overridden": decision is not None and decision.reason == Reason.OVERRIDDEN.name,
        "claim": decision.claim[:FOUND_BY] if decision else "",
    }


def _put(database: Database) -> sqlite.Insert | postgresql.Insert:
    """Insert, or replace by a higher version; by the same one if only now the time is known."""
    insert = database.insert(call)
    new = insert.excluded
    dated = (new.version == call.c.version) & call.c.at.is_(None) & new.at.is_not(None)
    changed = {column.name: new[column.name] for column in call.c if column.name not in {"id", "booth", "moment"}}
    return insert.on_conflict_do_update(
        index_elements=["id"],
        set_=changed | {"moment": func.coalesce(new.at, call.c.moment)},
        where=(new.version > call.c.version) | dated,
    )


def _keep_memos(connection: Connection, database: Database, call_id: str, marks: Iterable[_Mark]) -> None:
    names = (mark.name.removeprefix(MEMO) for mark in marks if mark.name.startswith(MEMO))
    for name in filter(_is_uuid, names):
        statement = database.insert(memo).values(recording=name, call=call_id)
        connection.execute(statement.on_conflict_do_nothing(index_elements=["recording"]))
        connection.execute(_BELONGS, {"memo": name, "to": call_id})


_BELONGS = update(recording).where(recording.c.id == bindparam("memo")).values(call=bindparam("to"))


def _shift(raw: msgspec.Raw) -> dict[str, object]:
    text = text_of(raw, LONGEST)
    told: Shift = wire.read(raw, Shift)
    if not 0 < len(told.id) <= FOUND_BY:
        raise wire.WireError(f"a shift is named by 1 to {FOUND_BY} characters")
    return msgspec.structs.asdict(told) | {"raw": text}


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
