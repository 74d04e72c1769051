"""What the server keeps refusing is kept back, with its reason, so that the rest goes on. Nothing is deleted."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from firmware.store import Store

STRIKES: Final = 3  # refusals in a row after which it is kept back
RETRIED: Final = "sync-retried"  # a note: the last wish of the server's that was obeyed
MOST: Final = 20  # that are told one by one


@dataclass(frozen=True, slots=True)
class KeptBack:
    """One thing that the server will not have."""

    kind: str  # call, fact, shift, recording
    id: str
    reason: str  # the server's
    since: float | None  # UTC seconds


def count(store: Store) -> int:
    """How many are kept back."""
    row = store.row("SELECT count(*) AS some FROM kept_back WHERE held = 1")
    return 0 if row is None else int(row["some"])


def some(store: Store, most: int = MOST) -> tuple[KeptBack, ...]:
    """What is kept back, the oldest first, but no more than `most`."""
    rows = store.rows(_SOME, most)
    return tuple(KeptBack(row["kind"], row["ref"], row["reason"], row["since"]) for row in rows)


def release(db: sqlite3.Connection, ref: str = "") -> int:
    """Have it, or with no name everything, offered once more: the next refusal keeps it back again. How many that are."""
    return db.execute(_RELEASE + " AND (? = '' OR ref = ?)", (STRIKES - 1, ref, ref)).rowcount


def release_after_update(db: sqlite3.Connection, programs: str) -> int:
    """Another version of booth or server may agree on what was refused before."""
    return db.execute(_RELEASE + " AND programs <> ?", (STRIKES - 1, programs)).rowcount


_RELEASE = "UPDATE kept_back SET held = 0, strikes = ?, due = 0 WHERE held = 1"
_SOME = "SELECT * FROM kept_back WHERE held = 1 ORDER BY coalesce(since, 0), kind, ref LIMIT ?"
