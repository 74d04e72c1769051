"""What is known of numbers, from all booths in one order. Facts are only ever added.

A booth asks for what comes after its cursor, `epoch:seq`. The sequence is given under one lock, so that whoever has
read up to a number has missed nothing below it.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, func, select

from firmware import wire
from firmware.known import SERVER, FactKind
from provisioning.server import notes
from provisioning.server.bell import Bell, Topic
from provisioning.server.database import Database
from provisioning.server.parcels import named, text_of
from provisioning.server.schema import fact

HERE = SERVER  # the booth of facts that are made here
MOST = 500  # facts in one answer
LONGEST = 8000  # characters of one fact
NAME = 255  # characters of what facts are found by: no index holds much more


class Facts:
    """The log of facts. Blocking."""

    def __init__(self, database: Database, bell: Bell, now: Callable[[], float] = time.time) -> None:
        self._database, self._bell, self._now = database, bell, now

    def take(self, sender: str, raws: Sequence[msgspec.Raw]) -> wire.Taken:
        """Keep what a booth tells; what is here already is as good as taken. On disk when this returns."""
        good: list[tuple[wire.Fact, str]] = []
        refused: dict[str, str] = {}
        for place, raw in enumerate(raws):
            try:
                good.append((_checked(raw), text_of(raw, LONGEST)))
            except wire.WireError as problem:
                refused[named(raw, place)] = str(problem)
        self._keep([self._row(one, text, sender) for one, text in good])
        return wire.Taken(ids=tuple(one.id for one, _ in good), refused=refused)

    def add(self, one: wire.Fact) -> None:
        """Keep a fact that is made here, such as the lift of a refusal, and wake all booths."""
        self._keep([self._row(one, wire.encode(one).decode("utf-8"), None)])

    def add_within(self, connection: Connection, one: wire.Fact) -> None:
        """The same inside somebody's write; ring Topic.FACTS after it."""
        self._insert(connection, [self._row(one, wire.encode(one).decode("utf-8"), None)])

    def after(self, cursor: str) -> wire.News:
        """The facts after a cursor; an empty cursor begins at the beginning."""
        with self._database.read() as connection:
            epoch = epoch_of(connection)
            latest = connection.scalar(select(func.max(fact.c.seq))) or 0
            seq = _seq(cursor, epoch)
            if seq is not None and seq <= latest:
                rows = connection.execute(
                    select(fact.c.seq, fact.c.raw).where(fact.c.seq > seq).order_by(fact.c.seq).limit(MOST)
                ).all()
                told = tuple(_numbered(row.raw, row.seq) for row in rows)
                return wire.News(cursor=f"{epoch}:{rows[-1].seq if rows else seq}", facts=told)
        if seq is not None:  # the booth has seen more than there is: this is a backup
            epoch = self.begin_epoch(instead_of=epoch)
        return wire.News(cursor=f"{epoch}:0", facts=(), reset=True)

    def begin_epoch(self, instead_of: str | None = None) -> str:
        """After a restore: all booths begin anew and offer again what they have. The name of the epoch.

        `instead_of`: unless somebody else has begun one since then.
        """
        with self._database.write() as connection:
            present = notes.get(connection, notes.EPOCH)
            if instead_of is not None and present is not None and present != instead_of:
                return present
            epoch = secrets.token_hex(8)
            notes.put(self._database, connection, notes.EPOCH, epoch)
        self._bell.ring(Topic.FACTS)
        return epoch

    def prepare(self) -> None:
        """For a new database: name the first epoch."""
        with self._database.write() as connection:
            if notes.get(connection, notes.EPOCH) is None:
                notes.put(self._database, connection, notes.EPOCH, secrets.token_hex(8))

    def _keep(self, rows: Sequence[dict[str, object]]) -> None:
        if not rows:
            return
        with self._database.write(alone=False) as connection:
            added = self._insert(connection, rows)
        if added:
            self._bell.ring(Topic.FACTS)

    def _insert(self, connection: Connection, rows: Sequence[dict[str, object]]) -> int:
        self._database.in_sequence(connection)
        statement = self._database.insert(fact).on_conflict_do_nothing(index_elements=["id"])
        return sum(connection.execute(statement, row).rowcount for row in rows)

    def _row(self, one: wire.Fact, text: str, sender: str | None) -> dict[str, object]:
        return msgspec.structs.asdict(one) | {"raw": text, "sender": sender, "taken": self._now()}


def of_number(connection: Connection, number: str) -> tuple[msgspec.Raw, ...]:
    """The newest facts of one number as a booth hears them, oldest first."""
    newest = select(fact.c.seq, fact.c.raw).where(fact.c.number == number).order_by(fact.c.seq.desc()).limit(MOST)
    return tuple(_numbered(row.raw, row.seq) for row in reversed(connection.execute(newest).all()))


def epoch_of(connection: Connection) -> str:
    """The name of the present line of facts."""
    epoch = notes.get(connection, notes.EPOCH)
    assert epoch is not None  # see prepare()
    return epoch


def _checked(raw: msgspec.Raw) -> wire.Fact:
    """A booth's fact. Kinds that are not known here may be known to other booths.

    What opens a number is made on the server only: a stolen booth must not free anybody to be called, nor any recording
    to be deleted.
    """
    one: wire.Fact = wire.read(raw, wire.Fact)
    if one.kind in _OPENS:
        raise wire.WireError(_OPENS[one.kind])
    if not (one.id and one.kind and one.number):
        raise wire.WireError("a fact without id, kind or number")
    if any(len(text) > NAME for text in (one.id, one.number, one.call or "")):
        raise wire.WireError(f"a fact whose id, number or call has more than {NAME} characters")
    return one


_OPENS: Final = {
    FactKind.LIFT.value: "a refusal is lifted on the server, not by a booth",
    FactKind.CONSENT.value: "a consent is recorded on the server, with its proof, not by a booth",
    FactKind.LEGAL_HOLD.value: "a legal hold is set on the server, not by a booth",
    FactKind.LEGAL_RELEASE.value: "a legal hold is released on the server, not by a booth",
}


def _seq(cursor: str, epoch: str) -> int | None:
    """Where a cursor stands; None if it is of another epoch."""
    if not cursor:
        return 0
    named, _, seq = cursor.rpartition(":")
    return int(seq) if named == epoch and seq.isdecimal() and len(seq) < 19 else None


def _numbered(raw: str, seq: int) -> msgspec.Raw:
    return msgspec.Raw(f'{raw[:-1]},"seq":{seq}}}'.encode())
