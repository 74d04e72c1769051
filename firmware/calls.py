"""The booth's memory in SQLite: call lists, calls, facts, outbox."""

from dataclasses import dataclass

from firmware.numbers import Number
from hw.events import Cause, Party


@dataclass(frozen=True, slots=True)
class Badge:
    """What a list row says of a customer's state.

    `kind` is one of "new", "callback" (value: due, UTC seconds), "absent"/"noanswer" (value: how often), "gacha"
    (value: callable from), "refused", "done", "called" (value: callable from), "dead".
    """

    kind: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class CallList:
    """A list of customers."""

    id: int
    name: str
    sample: bool
    done: int  # customers in a final state
    total: int


@dataclass(frozen=True, slots=True)
class Customer:
    """One row of a list."""

    id: int
    list_id: int
    row: int  # 1-based, as in the file: "No. 34"
    name: str
    reading: str  # kana
    number: Number
    others: tuple[Number, ...] = ()
    identifier: str = ""  # second identifier (birth date, part of an address …), shown masked
    note: str = ""
    badge: Badge = Badge("new")


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
    result: str | None = None
