"""The whole record of one call as plain data, ready for JSON."""

import json
import sqlite3

from firmware.store import Store
from hw.errors import MisuseError

VERSION = 1


def whole(store: Store, call_id: str, booth: str) -> dict[str, object]:
    """Everything that is known of a call. Times are UTC seconds, null where the booth never learnt the time."""
    row = store.row(_CALL, call_id)
    if row is None:
        raise MisuseError("no such call")
    results = [dict(entry) for entry in store.rows(_RESULTS, call_id)]
    return {
        "version": VERSION,
        "id": row["id"],
        "booth": booth,
        "agent": row["agent"],
        "reason": row["reason"],
        "emergency": bool(row["emergency"]),
        "incoming": bool(row["incoming"]),
        "number": json.loads(row["detail"]),
        "customer": _customer(row),
        "decision": _parsed(row["decision"]),
        "begun": {"at": row["dated"], "boot": row["boot"], "monotonic": row["monotonic"]},
        "hidden": row["hidden"] or None,
        "answered": bool(row["answered"]),
        "estimated": bool(row["estimated"]),
        "cause": row["cause"],
        "by": row["party"],
        "sure": bool(row["sure"]),
        "talk": row["talk"],
        "marks": [dict(mark) for mark in store.rows(_MARKS, call_id)],
        "recording": _parsed(row["recording"]),
        "result": results[-1] if results else None,
        "earlier_results": results[:-1],
        "facts": [dict(fact) for fact in store.rows(_FACTS, call_id)],
    }


_CALL = """
SELECT c.*, coalesce(c.monotonic + b.ahead, c.at) AS dated,
    u.name, u.reading, u.row, u.list, l.name AS list_name, l.sample, coalesce(l.uuid, '') AS list_uuid
FROM call c
LEFT JOIN boot b ON b.id = c.boot
LEFT JOIN customer u ON u.id = c.customer
LEFT JOIN list l ON l.id = u.list
WHERE c.id = ?
"""

_MARKS = """
SELECT m.name, m.seconds, coalesce(m.monotonic + b.ahead, m.at) AS at, m.boot, m.monotonic
FROM mark m LEFT JOIN boot b ON b.id = m.boot WHERE m.call = ? ORDER BY m.rowid
"""

_RESULTS = """
SELECT r.version, r.code, r.due, r.whom, r.clear, r.note, coalesce(r.monotonic + b.ahead, r.at) AS at,
    r.boot, r.monotonic
FROM result r LEFT JOIN boot b ON b.id = r.boot WHERE r.call = ? ORDER BY r.version
"""

_FACTS = "SELECT id, kind, result, due FROM fact WHERE call = ? ORDER BY seq"


def _customer(row: sqlite3.Row) -> dict[str, object] | None:
    if row["customer"] is None:
        return None
    return {
        "id": row["customer"],
        "name": row["name"],
        "reading": row["reading"],
        "row": row["row"],
        "list": {"id": row["list"], "name": row["list_name"], "sample": bool(row["sample"]), "uuid": row["list_uuid"]},
    }


def _parsed(text: str | None) -> object:
    return None if text is None else json.loads(text)
