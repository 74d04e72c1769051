"""What booth and sync leave for each other in the database, beside calls, facts and lists. Both processes import it."""

import json
import sqlite3
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from firmware.clock import Stamp
from firmware.store import Store

IDENTITY = Path("sync") / "identity.json"  # in the data directory; there from the enrolment on
NAME, SOFTWARE, FAULTS = "booth", "software", "faults"  # the booth's notes
FULL_IN = "card-full-in"  # the booth's: days until its card is full; empty: not foreseen
TARIFF = "tariff"  # the booth's: when recordings may go and how fast, as firmware.tariff writes it
REPORT, RESULTS = "sync-report", "results"  # sync's: the latter are the office's result codes, empty for our own
RULES = "rule-packs"  # sync's: the office's rule packs, a JSON list of TOML texts; empty for none
STALE = 180.0  # seconds without a word from the server after which it counts as out of reach


@dataclass(frozen=True, slots=True)
class Report:
    """How sync is getting on, for the booth's screen and for `booth-sync status`."""

    error: str = ""  # a word that firmware.screens.words can say; empty: all is well
    detail: str = ""  # the same in plain English, with more
    contact: float | None = None  # UTC seconds by the server's clock when it last answered
    boot: str = ""  # the same moment by this machine's
    monotonic: float = 0.0
    recordings: int = 0  # that wait, the one being made left out
    bytes: int = 0  # of them, roughly
    pace: float = 0.0  # bytes a second of recordings, at present; 0: none has gone yet
    opens: float = 0.0  # seconds until the line's hours for recordings begin; 0: they may go
    kept_back: int = 0  # things that the server will not have
    name: str = ""  # what the server calls this booth
    recipients: tuple[str, ...] = ()  # who the server says recordings are to be sealed to

    def fresh(self, now: Stamp) -> bool:
        """Whether the server has been heard since a few minutes, and nothing has gone wrong since."""
        return not self.error and self.boot == now.boot and now.monotonic - self.monotonic < STALE

    def ahead(self) -> float | None:
        """UTC minus this boot's clock, as the server tells it."""
        return None if self.contact is None else self.contact - self.monotonic


def enrolled(data: Path) -> bool:
    """Whether a server knows the booth of this data directory."""
    return (data / IDENTITY).exists()


def report(store: Store) -> Report:
    """The latest word of sync; an empty one before the first."""
    text = recalled(store, REPORT)
    if not text:
        return Report()
    known = {field.name for field in fields(Report)}
    kept = {name: value for name, value in json.loads(text).items() if name in known}
    return Report(**(kept | {"recipients": tuple(kept.get("recipients", ()))}))


def write_report(store: Store, said: Report) -> None:
    """Leave a word for the booth; not worth an fsync, for the next one comes soon."""
    with store.write(durable=False) as db:
        note(db, REPORT, json.dumps(asdict(said), ensure_ascii=False))


def recalled(store: Store, key: str) -> str:
    """A note, empty when there is none."""
    row = store.row("SELECT value FROM note WHERE key = ?", key)
    return "" if row is None else str(row["value"])


def note(db: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a note inside somebody's transaction."""
    db.execute(
        "INSERT INTO note (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def waiting(store: Store) -> dict[str, int]:
    """How many calls, facts and shifts wait for sync."""
    counts = store.rows("SELECT kind, count(DISTINCT ref) AS waiting FROM outbox GROUP BY kind")
    return {"call": 0, "fact": 0, "shift": 0} | {row["kind"]: row["waiting"] for row in counts}


def oldest(store: Store) -> float | None:
    """Since when the oldest of the waiting calls waits (UTC seconds), if there is one and the time was known."""
    row = store.row(_OLDEST)
    return None if row is None else row["dated"]


_OLDEST = """
SELECT coalesce(o.at, o.monotonic + b.ahead) AS dated
FROM outbox o LEFT JOIN boot b ON b.id = o.boot WHERE o.kind = 'call' ORDER BY o.id LIMIT 1
"""
