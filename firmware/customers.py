"""The call lists in the store: who comes next, who has this number, and what a row says of a customer."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from firmware import refusal
from firmware.clock import Clock
from firmware.facts import facts_of_number
from firmware.known import FactKind
from firmware.numbers import Kind, Number
from firmware.rulebook import InForce
from firmware.slips import slips
from firmware.store import Store

_PREFIXES = ("184", "186")  # hide or show our number: no part of whom we call


class Entry(Protocol):
    """What a customer is made of; firmware.listfile reads such from a file."""

    @property
    def row(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def reading(self) -> str: ...

    @property
    def numbers(self) -> tuple[Number, ...]: ...

    @property
    def identifier(self) -> str: ...

    @property
    def note(self) -> str: ...


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


class Customers:
    """The lists on this booth. A removed list keeps its rows, for its calls and for undo, and is found no more."""

    def __init__(self, store: Store, law: InForce, clock: Clock) -> None:
        self._store, self._law, self._clock = store, law, clock

    def add_list(self, name: str, entries: Sequence[Entry], sample: bool = False) -> int:
        """Take in a list, in one transaction; its id. An entry without a number is a misuse of ours."""
        with self._store.write() as db:
            added = db.execute("INSERT INTO list (name, sample, total) VALUES (?, ?, ?)", (name, sample, len(entries)))
            list_id = int(added.lastrowid or 0)
            for position, entry in enumerate(entries):
                add_customer(db, list_id, position, entry)
        return list_id

    def lists(self) -> tuple[CallList, ...]:
        """Every list that has not been removed, in the order they came."""
        return tuple(
            CallList(row["id"], row["name"], bool(row["sample"]), row["done"], row["total"])
            for row in self._store.rows(_LISTS)
        )

    def remove_list(self, list_id: int) -> None:
        """Put a list out of sight."""
        self._set_removed(list_id, removed=True)

    def restore_list(self, list_id: int) -> None:
        """Undo remove_list."""
        self._set_removed(list_id, removed=False)

    def _set_removed(self, list_id: int, *, removed: bool) -> None:
        with self._store.write() as db:
            db.execute("UPDATE list SET removed = ? WHERE id = ?", (removed, list_id))

    def rename(self, list_id: int, name: str) -> None:
        """Give a list another name."""
        with self._store.write() as db:
            db.execute("UPDATE list SET name = ? WHERE id = ?", (name, list_id))

    def customers(self, list_id: int, first: int, count: int) -> tuple[Customer, ...]:
        """The customers at positions first, first + 1 …, fewer at the end of the list."""
        return self._load(_PAGE, list_id, first, first + count)

    def customer(self, customer_id: int) -> Customer | None:
        """One customer, of a removed list too."""
        found = self._load("SELECT * FROM customer WHERE id = ?", customer_id)
        return found[0] if found else None

    def size(self, list_id: int) -> int:
        """How many customers a list has; 0 for no such list."""
        row = self._store.row("SELECT total FROM list WHERE id = ?", list_id)
        return 0 if row is None else int(row["total"])

    def position(self, customer_id: int) -> int:
        """Where in its list a customer stands, from 0. Raises KeyError."""
        row = self._store.row("SELECT position FROM customer WHERE id = ?", customer_id)
        if row is None:
            raise KeyError(customer_id)
        return int(row["position"])

    def next_due(self, list_id: int, after: int, now: float | None) -> int | None:
        """The position of the next customer who may be called, searched from `after` + 1 round to `after`.

        Left out are final and refused ones, and those not due yet; with the time unknown, all that have a due time.
        """
        until = 0.0 if now is None else now
        for low, high in ((after + 1, self.size(list_id)), (0, after + 1)):
            while rows := self._store.rows(_NEXT, list_id, low, high, until, _AHEAD):
                free = (row for row in rows if not row["doubtful"] or self._barred(row["key"]) is None)
                found = next(free, None)
                if found is not None:
                    return int(found["position"])
                low = int(rows[-1]["position"]) + 1  # noqa: PLW2901  (the loop's own bound moves on)
        return None

    def matching(self, digits: str, limit: int = 3) -> tuple[Customer, ...]:
        """Customers with a number that begins with what has been keyed, a 184 or 186 in front not counted."""
        plain = _plain(digits)
        if not plain:
            return ()
        return self._load(_MATCHING, plain, plain + "~", limit)  # "~" sorts behind every digit, * # and +

    def by_number(self, key: str, prefer: int | None = None) -> Customer | None:
        """Whose number this is (Number.key): in list `prefer` if it is there, else in the newest list."""
        found = self._load(_BY_NUMBER, key, prefer)
        return found[0] if found else None

    def misdialled(self, digits: str) -> Customer | None:
        """Whose number lies one slip of the finger from these digits, in the newest list that has one."""
        near = tuple(slips(digits) | slips(_plain(digits)))
        found = self._load(_AMONG.format(",".join("?" * len(near))), *near)
        return found[0] if found else None

    def same_name(self, customer: Customer) -> int:
        """How many others in the list have this name."""
        row = self._store.row(_SAME_NAME, customer.list_id, customer.name, customer.id)
        return 0 if row is None else int(row["others"])

    def _load(self, question: str, *values: str | float | None) -> tuple[Customer, ...]:
        rows = self._store.rows(question, *values)
        numbers = self._numbers([row["id"] for row in rows])
        told = self._told({all_of[0].key for all_of in numbers.values()})
        return tuple(_customer(row, numbers[row["id"]], told) for row in rows)

    def _numbers(self, ids: Sequence[int]) -> dict[int, list[Number]]:
        numbers: dict[int, list[Number]] = {customer: [] for customer in ids}
        wanted = ",".join("?" * len(ids))
        asked = f"SELECT customer, detail FROM number WHERE customer IN ({wanted}) ORDER BY customer, rank"  # noqa: S608
        for row in self._store.rows(asked, *ids):
            numbers[row["customer"]].append(number_from(row["detail"]))
        return numbers

    def _told(self, keys: Iterable[str]) -> dict[str, Badge]:
        """What the facts say of these numbers; it stands above what the list's own last result said."""
        told = {}
        for key in keys:
            doubtful = self._store.row(_DOUBTFUL, key) is not None
            badge = self._barred(key) if doubtful else None
            if badge is not None:
                told[key] = badge
        return told

    def _barred(self, key: str) -> Badge | None:
        facts, book, now = facts_of_number(self._store, key), self._law.book, self._clock.now()
        if refusal.do_not_call(facts, book.terms, now) or refusal.refused(facts, book.rules, book.terms, now):
            return Badge("refused")
        return Badge("dead") if refusal.standing(facts, FactKind.FINAL) else None


def number_text(number: Number) -> str:
    """A number as the store keeps it."""
    return json.dumps(asdict(number) | {"kind": number.kind.name}, ensure_ascii=False)


def number_from(text: str) -> Number:
    """The number that number_text wrote."""
    fields = json.loads(text)
    return Number(**(fields | {"kind": Kind[fields["kind"]]}))


_LISTS = """
SELECT id, name, sample, total,
    (SELECT count(*) FROM customer c WHERE c.list = list.id AND c.final = 1) AS done
FROM list WHERE removed = 0 ORDER BY id
"""

_PAGE = "SELECT * FROM customer WHERE list = ? AND position >= ? AND position < ? ORDER BY position"

# Numbers of which there is anything that may bar them; whether it does is for refusal.py to say.
_DOUBTFUL = "SELECT 1 FROM fact WHERE number = ? AND kind IN ('refusal', 'do-not-call', 'counted', 'final') LIMIT 1"

_AHEAD = 20  # candidates looked at together
_NEXT = f"""
SELECT c.position, n.key, EXISTS ({_DOUBTFUL.replace("?", "n.key")}) AS doubtful
FROM customer c JOIN number n ON n.customer = c.id AND n.rank = 0
WHERE c.list = ? AND c.position >= ? AND c.position < ? AND c.final = 0 AND (c.due IS NULL OR c.due <= ?)
ORDER BY c.position LIMIT ?
"""  # noqa: S608

_MATCHING = """
SELECT DISTINCT c.* FROM number n JOIN customer c ON c.id = n.customer JOIN list l ON l.id = c.list
WHERE n.dialled >= ? AND n.dialled < ? AND l.removed = 0 ORDER BY n.dialled, c.id LIMIT ?
"""

_BY_NUMBER = """
SELECT c.* FROM number n JOIN customer c ON c.id = n.customer JOIN list l ON l.id = c.list
WHERE n.key = ? AND l.removed = 0 ORDER BY c.list IS ? DESC, c.list DESC, n.rank, c.position LIMIT 1
"""

_AMONG = """
SELECT c.* FROM number n JOIN customer c ON c.id = n.customer JOIN list l ON l.id = c.list
WHERE n.dialled IN ({}) AND l.removed = 0 ORDER BY c.list DESC, c.position, n.rank LIMIT 1
"""

_SAME_NAME = "SELECT count(*) AS others FROM customer WHERE list = ? AND name = ? AND id <> ?"


def add_customer(db: sqlite3.Connection, list_id: int, position: int, entry: Entry) -> None:
    """Write one customer into a list inside somebody's transaction."""
    added = db.execute(
        "INSERT INTO customer (list, position, row, name, reading, identifier, note) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (list_id, position, entry.row, entry.name, entry.reading, entry.identifier, entry.note),
    )
    if not entry.numbers:
        raise ValueError(f"row {entry.row} has no number")
    db.executemany(
        "INSERT INTO number (customer, rank, dialled, key, detail) VALUES (?, ?, ?, ?, ?)",
        [
            (added.lastrowid, rank, _plain(number.dialled), number.key, number_text(number))
            for rank, number in enumerate(entry.numbers)
        ],
    )


def _plain(digits: str) -> str:
    return digits[3:] if digits.startswith(_PREFIXES) else digits


def _customer(row: sqlite3.Row, numbers: Sequence[Number], told: Mapping[str, Badge]) -> Customer:
    return Customer(
        id=row["id"],
        list_id=row["list"],
        row=row["row"],
        name=row["name"],
        reading=row["reading"],
        number=numbers[0],
        others=tuple(numbers[1:]),
        identifier=row["identifier"],
        note=row["note"],
        badge=told.get(numbers[0].key) or Badge(row["badge"], row["value"]),
    )
