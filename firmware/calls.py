"""The booth's memory: the life of each call, from the moment before its dial to its result, on disk at every step."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from firmware import aftermath, record, redial
from firmware.clock import Clock, Stamp
from firmware.customers import Badge, CallList, Customer, Customers, number_from, number_text
from firmware.dating import date_boot
from firmware.facts import Facts, PastCall, append, new_id, post
from firmware.known import Fact, FactKind
from firmware.logbook import Logbook
from firmware.numbers import Number
from firmware.redial import Decision
from firmware.results import Result, facts_of, of_every_product
from firmware.rulebook import InForce
from firmware.store import Store
from hw.errors import MisuseError
from hw.events import Cause, Hidden, Party

__all__ = ["Badge", "Call", "CallList", "Calls", "Customer", "PastCall"]

# Seconds within which a call that somebody answered and that we end is one that we have dropped (UK-1).
DROPPED = 2.0
FLOOR = "floor"  # the note that keeps the time of the latest record, a lower bound of the time after a power cut


@dataclass(frozen=True, slots=True)
class Call:
    """One call from the first dial to its result."""

    id: str  # UUID, also the recording's name
    number: Number
    customer: Customer | None
    emergency: bool = False
    incoming: bool = False
    answered: bool = False
    talk: float = 0.0  # seconds from the answer mark
    cause: Cause | None = None  # None while it lasts
    by: Party | None = None
    sure: bool = True  # False: `by` is what is likely
    estimated: bool = False  # the line cannot tell when somebody answers: `talk` is about right
    hidden: Hidden | None = None  # why somebody who came in showed no number
    result: str | None = None
    voice: bool | None = None  # whether the customer's side carried one; None: nobody can say, or nobody remembers


class Calls(Customers, Facts, Logbook):
    """Everything the booth remembers, in one file. What a method was asked to write is on the card when it returns.

    Every method may raise CardError: then nothing of what it was asked has been written. What is then told of a call
    whose beginning could not be written (an emergency is dialled all the same) is passed over; only `finish` wants it.
    """

    def __init__(
        self,
        path: Path | str,
        booth: str,
        clock: Clock,
        law: InForce | None = None,
        written: Callable[[], object] = lambda: None,
    ) -> None:
        """`law` is what the guard goes by; `written` is called whenever something that others want to know is on the card."""
        store = Store(path, written)
        self.law = law or InForce()
        Customers.__init__(self, store, self.law, clock)
        Facts.__init__(self, store, booth, clock)
        Logbook.__init__(self, store, clock)
        clock.raise_floor(float(self.recall(FLOOR) or 0))

    def begin(self, call: Call, decision: Decision | None, agent: str, reason: str = "") -> None:
        """Write down a call before its dial, with the guard's word and the attempt that others must know of.

        A call to nobody on a list must have a reason, unless it is an emergency or came in.
        """
        stamp = self._clock.stamp()
        said = None if decision is None else json.dumps(redial.written(decision), ensure_ascii=False)
        with self._store.write() as db:
            db.execute(
                "INSERT INTO call (id, customer, number, detail, agent, reason, emergency, incoming, hidden, decision,"
                " at, boot, monotonic) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(call.id, call.customer and call.customer.id, call.number.key, number_text(call.number)),
                    *(agent, reason, call.emergency, call.incoming, call.hidden.name if call.hidden else "", said),
                    *(stamp.utc, stamp.boot, stamp.monotonic),
                ),
            )
            if not call.emergency and not call.incoming:
                attempt = new_id(call.id, FactKind.ATTEMPT, 0)
                fact = Fact(
                    *(attempt, FactKind.ATTEMPT, call.number.key, stamp.utc, self._booth, agent, call.id),
                    product=self.law.book.product,
                )
                append(db, fact, stamp, ours=True)
            self._note_floor(db, stamp)

    def answered(self, call_id: str, *, estimated: bool = False) -> None:
        """The answer mark; a second one counts no more. `estimated`: the line has guessed it."""
        stamp = self._clock.stamp()
        with self._store.write() as db:
            changed = db.execute(
                "UPDATE call SET answered = 1, estimated = ? WHERE id = ? AND answered = 0", (estimated, call_id)
            )
            if changed.rowcount:
                _mark(db, call_id, "answered", 0.0, stamp)

    def mark(self, call_id: str, name: str, seconds: float | None) -> None:
        """Something the agent marked, `seconds` after the answer mark; None if it is not of the talk."""
        stamp = self._clock.stamp()
        with self._store.write() as db:
            _mark(db, call_id, name, seconds, stamp)

    def ended(
        self,
        call_id: str,
        cause: Cause,
        by: Party,
        talk: float,
        recording: dict[str, object] | None = None,
        *,
        sure: bool = True,
    ) -> None:
        """The call is over; a second end counts no more. Where no result is owed, it is now in the outbox."""
        stamp = self._clock.stamp()
        with self._store.write() as db:
            row = db.execute("SELECT * FROM call WHERE id = ? AND cause IS NULL", (call_id,)).fetchone()
            if row is None:
                return
            db.execute(
                "UPDATE call SET cause = ?, party = ?, sure = ?, talk = ?, recording = coalesce(?, recording)"
                " WHERE id = ?",
                (cause.name, by.name, sure, talk, recording and json.dumps(recording), call_id),
            )
            _mark(db, call_id, "ended", talk if row["answered"] else None, stamp)
            if row["emergency"] or (row["incoming"] and not row["answered"]):
                post(db, "call", call_id, 0, stamp)
            self._note_floor(db, stamp)

    def recorded(self, call_id: str, recording: dict[str, object], talk: float | None = None) -> None:
        """Add what is known of the recording later, such as what a restart has found of a lost call's."""
        with self._store.write() as db:
            db.execute(
                "UPDATE call SET recording = ?, talk = coalesce(?, talk) WHERE id = ?",
                (json.dumps(recording), talk, call_id),
            )

    def lacks_recording(self, call_id: UUID) -> bool:
        """Whether this is a call, and its books know of no recording."""
        return self._store.row("SELECT 1 FROM call WHERE id = ? AND recording IS NULL", str(call_id)) is not None

    def finish(
        self, call_id: str, result: Result, *, due: float | None = None, whom: str = "", clear: str = "", note: str = ""
    ) -> None:
        """Keep the result: the call, the customer, the facts that follow and the outbox, in one transaction.

        The same again changes nothing. Another result later counts in place of the first, but takes no fact back.
        """
        stamp = self._clock.stamp()
        said = (result.code, due, whom, clear, note)
        with self._store.write() as db:
            row = db.execute("SELECT * FROM call WHERE id = ? AND cause IS NOT NULL", (call_id,)).fetchone()
            if row is None:
                raise MisuseError("a result for a call that is unknown or still lasts")
            before = db.execute(_RESULT, (call_id,)).fetchone()
            if before is not None and tuple(before) == said:
                return
            version = row["version"] + 1
            db.execute("UPDATE call SET version = ? WHERE id = ?", (version, call_id))
            db.execute(
                "INSERT INTO result (call, version, code, due, whom, clear, note, at, boot, monotonic)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (call_id, version, *said, stamp.utc, stamp.boot, stamp.monotonic),
            )
            self._draw_consequences(db, row, result, stamp)
            post(db, "call", call_id, version, stamp)
            self._note_floor(db, stamp)

    def owed(self) -> Call | None:
        """The call whose result must be keyed before the next: over, and neither an emergency nor a missed one."""
        row = self._store.row(_OWED)
        return None if row is None else self._call(row)

    def close_lost(self) -> tuple[Call, ...]:
        """At start: calls that a crash or power cut left open are over, lost by the line; their results are owed."""
        lost = [row["id"] for row in self._store.rows("SELECT id FROM call WHERE cause IS NULL ORDER BY seq")]
        for call_id in lost:
            self.ended(call_id, Cause.LOST, Party.LINE, 0.0)
        return tuple(self.call(call_id) for call_id in lost)

    def call(self, call_id: str) -> Call:
        """One call as it now stands."""
        row = self._store.row(f"{_CALL} WHERE c.id = ?", call_id)
        if row is None:
            raise MisuseError("no such call")
        return self._call(row)

    def record(self, call_id: str) -> dict[str, object]:
        """All that is known of a call, as plain data for JSON: what the server will be told."""
        date_boot(self._store, self._clock)
        return record.whole(self._store, call_id, self._booth)

    def _call(self, row: sqlite3.Row) -> Call:
        return Call(
            id=row["id"],
            number=number_from(row["detail"]),
            customer=None if row["customer"] is None else self.customer(row["customer"]),
            emergency=bool(row["emergency"]),
            incoming=bool(row["incoming"]),
            answered=bool(row["answered"]),
            talk=row["talk"],
            cause=None if row["cause"] is None else Cause[row["cause"]],
            by=None if row["party"] is None else Party[row["party"]],
            sure=bool(row["sure"]),
            estimated=bool(row["estimated"]),
            hidden=Hidden.__members__.get(row["hidden"]),
            result=row["code"],
        )

    def _draw_consequences(self, db: sqlite3.Connection, row: sqlite3.Row, result: Result, stamp: Stamp) -> None:
        """What the result that has just been written means for number and customer."""
        said = db.execute(_RESULT, (row["id"],)).fetchone()
        for kind, why in facts_of(result, said["due"], said["clear"], dropped=_dropped(row)):
            fact = Fact(
                id=new_id(row["id"], kind, row["version"] + 1),
                kind=kind,
                number=row["number"],
                at=stamp.utc,
                booth=self._booth,
                agent=row["agent"],
                call=row["id"],
                result=result.code,
                due=said["due"] if kind is FactKind.CALLBACK else None,
                note=why,
                product="" if of_every_product(result, kind) else self.law.book.product,
            )
            append(db, fact, stamp, ours=True)
        if row["customer"] is not None:
            ended = aftermath.Ended(
                row["customer"], row["number"], result, clear=said["clear"], due=said["due"], now=stamp.utc
            )
            aftermath.after_call(db, ended)

    def _note_floor(self, db: sqlite3.Connection, stamp: Stamp) -> None:
        # A keyed time is no bound: one slip of a finger into a later year would bar the true time for good.
        if stamp.utc is not None and not self._clock.keyed:
            db.execute(
                "INSERT INTO note (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (FLOOR, repr(self._clock.earliest())),
            )


_CALL = "SELECT c.*, r.code FROM call c LEFT JOIN result r ON r.call = c.id AND r.version = c.version"
_OWED = f"""{_CALL}
WHERE c.version = 0 AND c.emergency = 0 AND (c.incoming = 0 OR c.answered = 1) AND c.cause IS NOT NULL
ORDER BY c.seq LIMIT 1"""
_RESULT = "SELECT code, due, whom, clear, note FROM result WHERE call = ? ORDER BY version DESC LIMIT 1"


def _dropped(row: sqlite3.Row) -> bool:
    ours = row["answered"] and not row["incoming"] and row["party"] == Party.NEAR.name
    return bool(ours) and row["talk"] < DROPPED


def _mark(db: sqlite3.Connection, call_id: str, name: str, seconds: float | None, stamp: Stamp) -> None:
    db.execute(
        "INSERT INTO mark (call, name, seconds, at, boot, monotonic) SELECT id, ?, ?, ?, ?, ? FROM call WHERE id = ?",
        (name, seconds, stamp.utc, stamp.boot, stamp.monotonic, call_id),
    )
