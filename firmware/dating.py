"""When things happened: a record's boot and monotonic time, and what is known of that boot's offset by now.

Two dates are told. For people it is the best one known. The guard must never free a number because a clock was wrong: for it
a record happened as late as it may have, and never after one that was written later.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from firmware.clock import Clock
from firmware.store import CardError, Store

BOUND: Final = "bound"  # the source of a boot whose time nobody ever learnt: it was over before the next one began
_NEWS: Final = 1.0  # seconds by which an offset must have changed to be written down again


def date_boot(store: Store, clock: Clock) -> None:
    """Once the time is known, note how far it is ahead of this boot's clock: that dates what was written before.

    On a full card nothing is noted, and what has no date counts as new, which is the strict side.
    """
    stamp, latest = clock.stamp(), clock.latest
    if stamp.utc is None or latest is None:
        return
    ahead = stamp.utc - stamp.monotonic
    noted = store.row("SELECT ahead, source, latest FROM boot WHERE id = ?", stamp.boot)
    first = noted is None or noted["latest"] is None
    if not first and _is_same(noted, ahead, clock.source, latest):
        return
    with suppress(CardError), store.write() as db:
        db.execute(_NOTE, (stamp.boot, ahead, clock.source, latest))
        if first:
            db.execute(_BOUNDS, {"boot": stamp.boot, "began": latest, "source": BOUND})


def _is_same(noted: sqlite3.Row | None, ahead: float, source: str, latest: float) -> bool:
    if noted is None or noted["source"] != source:
        return False
    return bool(abs(noted["ahead"] - ahead) < _NEWS and abs(noted["latest"] - latest) < _NEWS)


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the guard's dates are counted by at one moment."""

    boot: str
    offset: float | None  # of this boot; None: the time is not known
    doubt: float  # seconds by which the present time may be ahead of the truth
    late: bool = True  # date earlier boots' records as late as they may have been; else by the best that is known

    @classmethod
    def of(cls, clock: Clock, doubt: float | None = None, *, late: bool = True) -> "Calendar":
        """At this moment; with a doubt that is not the clock's own, if one is given."""
        stamp = clock.stamp()
        offset = None if stamp.utc is None else stamp.utc - stamp.monotonic
        return cls(stamp.boot, offset, clock.doubt if doubt is None else doubt, late)

    def dates(self, rows: Sequence[sqlite3.Row]) -> list[float | None]:
        """The dates of some facts of one number, in the order in which they were written.

        Each row tells `at`, `boot`, `monotonic`, `dated` by the best that is known, and `latest` of its boot. Within this boot the time between two moments is
        known for certain. What was written earlier or elsewhere moves with the present time as far as that is in doubt: its
        age is what has certainly passed.
        """
        dates = [self._date(row) for row in rows]
        bound: float | None = None
        for place in reversed(range(len(rows))):
            known = dates[place]
            if rows[place]["boot"] is None or known is None:
                continue
            bound = known if bound is None else min(bound, known)
            dates[place] = bound
        return dates

    def _date(self, row: sqlite3.Row) -> float | None:
        if row["boot"] is not None and row["boot"] == self.boot:
            return row["at"] if self.offset is None else float(row["monotonic"] + self.offset)
        known = row["dated"]
        if self.late and row["boot"] is not None and row["latest"] is not None:
            known = row["monotonic"] + row["latest"]
        return None if known is None else float(known + self.doubt)


_NOTE: Final = """
INSERT INTO boot (id, ahead, source, latest) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET ahead = excluded.ahead, source = excluded.source, latest = excluded.latest
"""
_UNDATED: Final = """
SELECT boot, max(monotonic) AS last FROM (
    SELECT boot, monotonic FROM call WHERE at IS NULL
    UNION ALL SELECT boot, monotonic FROM fact WHERE at IS NULL AND boot IS NOT NULL
    UNION ALL SELECT boot, monotonic FROM result WHERE at IS NULL
    UNION ALL SELECT boot, monotonic FROM mark WHERE at IS NULL
    UNION ALL SELECT boot, monotonic FROM shift WHERE at IS NULL
) GROUP BY boot
"""
_BOUNDS: Final = f"""
INSERT INTO boot (id, ahead, source, latest)
SELECT u.boot, :began - u.last, :source, :began - u.last FROM ({_UNDATED}) u
WHERE u.boot <> :boot AND u.boot NOT IN (SELECT id FROM boot)
"""  # noqa: S608  (our own words)
