"""Call lists that the server has sent: taken in a few rows at a time while nobody needs the booth, shown when whole."""

import logging
import sqlite3
from dataclasses import dataclass

from firmware import aftermath, wire
from firmware.customers import add_customer
from firmware.listfile import Entry, RowError, callable_numbers
from firmware.store import Store

SLICE = 25  # rows taken in at once: some 20 ms on a Pi, in which no key is answered
log = logging.getLogger("booth")


@dataclass(frozen=True, slots=True)
class Change:
    """A list of the booth that has been replaced, or put away; ids of ours, 0 for none."""

    old: int
    new: int


class Arrivals:
    """Works through the inbox. Every step is one transaction, and can be broken off anywhere."""

    def __init__(self, store: Store, country: str, area_code: str) -> None:
        self._store, self._country, self._area_code = store, country, area_code

    @property
    def some(self) -> bool:
        """Whether there is anything to do."""
        return self._store.row(_NEXT) is not None or self._store.row(_UNWANTED) is not None

    def step(self) -> Change | None:
        """Do a little; what has changed for the agent, if anything. Raises CardError."""
        arrival = self._store.row(_NEXT)
        if arrival is not None:
            rows = self._store.rows(_ROWS, arrival["id"], SLICE)
            if not rows:
                return self._show(arrival)
            self._take(arrival, rows)
            return None
        return self._put_away()

    def _take(self, arrival: sqlite3.Row, rows: list[sqlite3.Row]) -> None:
        entries = [entry for row in rows if (entry := self._entry(row["row"])) is not None]
        # What is not durable yet is taken in again after a power cut: rows and customers go together.
        with self._store.write(durable=False) as db:
            made = arrival["list"] or self._begin(db, arrival)
            total = db.execute("SELECT total FROM list WHERE id = ?", (made,)).fetchone()["total"]
            for position, entry in enumerate(entries, total):
                add_customer(db, made, position, entry)
            db.execute("UPDATE list SET total = ? WHERE id = ?", (total + len(entries), made))
            left_out = len(rows) - len(entries)
            db.execute("UPDATE arrival SET left_out = left_out + ? WHERE id = ?", (left_out, arrival["id"]))
            last = rows[-1]["place"]
            db.execute("DELETE FROM arrived_row WHERE arrival = ? AND place <= ?", (arrival["id"], last))

    def _begin(self, db: sqlite3.Connection, arrival: sqlite3.Row) -> int:
        added = db.execute(
            "INSERT INTO list (name, sample, total, removed, uuid) VALUES (?, ?, 0, 1, ?)",
            (arrival["name"], arrival["sample"], arrival["uuid"]),
        )
        db.execute("UPDATE arrival SET list = ? WHERE id = ?", (added.lastrowid, arrival["id"]))
        return int(added.lastrowid or 0)

    def _entry(self, text: str) -> Entry | None:
        """The customer of one row; None if this booth cannot call any of its numbers."""
        try:
            row: wire.Row = wire.read(text.encode("utf-8"), wire.Row)
            numbers, remarks = callable_numbers(row.numbers, self._country, self._area_code)
        except (wire.WireError, RowError):
            return None
        name = row.name or row.reading or numbers[0].shown
        return Entry(row.row, name, row.reading, numbers, row.identifier, row.note, remarks)

    def _show(self, arrival: sqlite3.Row) -> Change | None:
        """All is there: the new list takes the old one's place, and what has become of its customers goes along."""
        old = int(arrival["old"] or 0)
        with self._store.write() as db:
            new = int(arrival["list"] or self._begin(db, arrival))
            aftermath.inherit(db, old, new)
            db.execute(_INHERIT, {"old": old, "new": new})
            db.execute("UPDATE list SET removed = 1 WHERE id = ?", (old,))
            db.execute(
                "UPDATE list SET removed = 0, name = ? WHERE id = ? AND ? = 1",
                (arrival["name"], new, arrival["wanted"]),
            )
            db.execute(
                "UPDATE assigned SET list = ?, revision = ?, left_out = ? WHERE uuid = ?",
                (new, arrival["revision"], arrival["left_out"], arrival["uuid"]),
            )
            db.execute("DELETE FROM arrival WHERE id = ?", (arrival["id"],))
        if arrival["left_out"]:
            log.warning("list %s: %d rows have no number that can be called", arrival["uuid"], arrival["left_out"])
        return Change(old, new) if arrival["wanted"] else None  # put away before, it stays so

    def _put_away(self) -> Change | None:
        """Bring the lists that are shown, and their names, in line with those that are wanted."""
        row = self._store.row(_UNWANTED)
        if row is None:
            return None
        with self._store.write() as db:
            db.execute(
                "UPDATE list SET removed = ?, name = ? WHERE id = ?", (1 - row["wanted"], row["name"], row["list"])
            )
        return Change(row["list"], row["list"] if row["wanted"] else 0)


_NEXT = """
SELECT a.id, a.uuid, a.revision, a.list, a.left_out, s.name, s.sample, s.wanted, s.list AS old
FROM arrival a JOIN assigned s ON s.uuid = a.uuid WHERE a.complete = 1 ORDER BY a.id LIMIT 1
"""
_ROWS = "SELECT place, row FROM arrived_row WHERE arrival = ? ORDER BY place LIMIT ?"
_UNWANTED = """
SELECT s.list, s.name, s.wanted FROM assigned s JOIN list l ON l.id = s.list
WHERE l.removed = s.wanted OR l.name <> s.name LIMIT 1
"""
_INHERIT = """
UPDATE customer SET badge = o.badge, value = o.value, final = o.final, due = o.due
FROM (
    SELECT m.key, c.badge, c.value, c.final, c.due FROM customer c JOIN number m ON m.customer = c.id AND m.rank = 0
    WHERE c.list = :old AND c.badge <> 'new'
) AS o JOIN number n ON n.key = o.key AND n.rank = 0
WHERE customer.id = n.customer AND customer.list = :new
"""
