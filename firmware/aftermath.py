"""What a result makes of a customer's row and of the record's numbers, inside the transaction that keeps it."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from firmware.customers import Badge
from firmware.numbers import Kind
from firmware.results import Result, refuses

_BEHIND: Final = 100  # ranks from here on: numbers that are this record's but lead to nobody
_NOT: Final = "not "  # stands before the key of a number that was never this record's, so that nobody finds it by it


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that has got its result."""

    customer: int
    number: str  # the key
    result: Result
    clear: str = ""  # the answer to "was there a clear answer?"
    due: float | None = None  # what the customer asked for
    now: float | None = None


def after_call(db: sqlite3.Connection, call: Ended) -> None:
    """Write what has become of the customer."""
    row = db.execute("SELECT badge, value FROM customer WHERE id = ?", (call.customer,)).fetchone()
    no = refuses(call.result, call.clear)
    others = _set_aside_by(db, call)
    if others and not no:
        badge, final, due = Badge("new"), False, None
    else:
        due = _due(db, call)
        badge = Badge("refused") if no else badge_after(call.result, Badge(row["badge"], row["value"]), call.due, due)
        final = no or call.result.final or (call.due is None and _enough(db, call))  # a time asked for is kept
    db.execute(
        "UPDATE customer SET badge = ?, value = ?, final = ?, due = ? WHERE id = ?",
        (badge.kind, badge.value, final, due, call.customer),
    )


def badge_after(result: Result, before: Badge, due: float | None, again: float | None) -> Badge:
    """What the row says after a result, by the result's attributes."""
    if result.final and result.refusal in ("implied", "explicit"):
        return Badge("refused")
    if result.final:
        return Badge("done" if result.contact else "dead")
    if due is not None:
        return Badge("callback", due)
    if result.refusal == "counted":
        return Badge("gacha", again)
    if result.contact and result.right_party is not False:
        return Badge("called", again)
    kind = "absent" if result.contact else "noanswer"
    return Badge(kind, 1 + (before.value or 0) if before.kind == kind else 1)


def set_aside(db: sqlite3.Connection, customer: int, key: str, *, wrong: bool) -> bool:
    """Put one of a record's numbers behind its others; whether there are others that may be called.

    `wrong`: it was never this record's. It stays to be seen, and no key of the booth dials it for this record again.
    """
    rows = db.execute("SELECT rank, key FROM number WHERE customer = ? ORDER BY rank", (customer,)).fetchall()
    mine = [row["rank"] for row in rows if row["key"].removeprefix(_NOT) == key]
    good = [row["rank"] for row in rows if row["rank"] < _BEHIND and row["key"] != key and not _is_wrong(row["key"])]
    if wrong:
        db.execute(_STRIKE, (_NOT + key, Kind.INVALID.name, customer, key))
    if good:
        behind = max(_BEHIND, *(row["rank"] + 1 for row in rows))
        moves = [*((rank, behind + place) for place, rank in enumerate(mine) if rank < _BEHIND)]
        moves += [(rank, place) for place, rank in enumerate(good)]
        for rank, place in moves:
            db.execute("UPDATE number SET rank = ? WHERE customer = ? AND rank = ?", (place, customer, rank))
    return bool(good)


def _is_wrong(key: str) -> bool:
    return key.startswith(_NOT)


def inherit(db: sqlite3.Connection, old: int, new: int) -> None:
    """What was set aside in list `old` is so in list `new`, which has come in its place."""
    for row in db.execute(_ASIDE, (old, _NOT, _BEHIND)).fetchall():
        key = row["key"].removeprefix(_NOT)
        for same in db.execute(_SAME, (new, row["name"], row["reading"], key)).fetchall():
            set_aside(db, same["id"], key, wrong=_is_wrong(row["key"]))


_STRIKE = """
UPDATE number SET dialled = '', key = ?, detail = json_set(detail, '$.kind', ?) WHERE customer = ? AND key = ?
"""
_ASIDE = """
SELECT DISTINCT n.key, c.name, c.reading FROM customer c JOIN number n ON n.customer = c.id
WHERE c.list = ?1 AND (substr(n.key, 1, length(?2)) = ?2 OR n.rank >= ?3)
"""
_SAME = """
SELECT DISTINCT c.id FROM customer c JOIN number n ON n.customer = c.id
WHERE c.list = ? AND c.name = ? AND c.reading = ? AND n.key = ?
"""


def _set_aside_by(db: sqlite3.Connection, call: Ended) -> bool:
    """Put aside what the result says leads to nobody; whether the record has another number to go on with."""
    result = call.result
    if not result.final or result.refusal != "none":
        return False
    if result.scope == "record":
        for row in db.execute("SELECT DISTINCT key FROM number WHERE customer = ?", (call.customer,)).fetchall():
            set_aside(db, call.customer, row["key"].removeprefix(_NOT), wrong=True)
        return False
    wrong = result.scope == "number+record"
    return (wrong or result.scope == "number") and set_aside(db, call.customer, call.number, wrong=wrong)


def _due(db: sqlite3.Connection, call: Ended) -> float | None:
    """When the customer comes up again: when they asked for, else by the code's own time."""
    if call.due is not None:
        return call.due
    recall = call.result.recall
    if call.result.later is not None and _before(db, call) == call.result.code:
        recall = call.result.later
    return None if recall is None or call.now is None else call.now + recall


def _before(db: sqlite3.Connection, call: Ended) -> str | None:
    """The result of the number's last call but this one."""
    rows = db.execute(_RESULTS, (call.number,)).fetchmany(2)
    return str(rows[1]["code"]) if len(rows) > 1 else None


def _enough(db: sqlite3.Connection, call: Ended) -> bool:
    """Whether the list's records have had so many of this result on this number that they come up no more."""
    most = call.result.most
    if most is None:
        return False
    return int(db.execute(_COUNT, (call.number, call.result.code, call.customer)).fetchone()["times"]) >= most


_LATEST = "call c JOIN result r ON r.call = c.id AND r.version = c.version"
_RESULTS = f"SELECT r.code FROM {_LATEST} WHERE c.number = ? ORDER BY c.seq DESC"  # noqa: S608  (our own words)
_COUNT = f"""
SELECT count(*) AS times FROM {_LATEST} JOIN customer u ON u.id = c.customer JOIN list l ON l.id = u.list
JOIN (SELECT m.id, m.uuid FROM list m JOIN customer o ON o.list = m.id WHERE o.id = ?3) AS mine
WHERE c.number = ?1 AND r.code = ?2 AND (l.id = mine.id OR (l.uuid = mine.uuid AND l.uuid <> ''))
"""  # noqa: S608
