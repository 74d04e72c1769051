"""Conflicts: two calls to one number that the guard would have kept from being two, had booths and server been in touch.

They are worked out when somebody looks, for what a booth was told while it was out of reach comes in late. The work is
bounded: the newest MOST calls that were dialled out of reach of the server, and what they touch.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter, itemgetter
from time import monotonic
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, Select, select

from firmware.known import DAY, Fact, FactKind, Hold, Rules
from firmware.numbers import Kind, Number
from firmware.redial import Decision, Reason, Verdict, decide
from firmware.rulebook import Rulebook
from provisioning.server.pages import knowledge
from provisioning.server.schema import call, conflict_seen, fact

SPAN = 90 * DAY  # seconds back
BADGE = 30 * DAY  # the same for the count in the navigation
MOST = 500
# Seconds: a claim brings all that the server has, and lasts so long at most.
LEASE = 120.0
RECENT = 2 * DAY  # calls older than that hold no number back by themselves
FACTS = 20_000  # of calls, at most
AGAIN = 30.0  # seconds between two counts

BOOK: Final = Rulebook(Rules(sample_allowed=True))
BARRED: Final = frozenset(
    {Reason.DO_NOT_CALL, Reason.REFUSED, Reason.DEAD_NUMBER, Reason.ON_HOLD, Reason.CALLED_RECENTLY}
)
_OF_CALLS: Final = frozenset({FactKind.ATTEMPT, FactKind.CONTACT, FactKind.VOID})


class Heard(NamedTuple):
    """A fact, who told it (a booth's id; None: the server made it), and when it came in."""

    fact: Fact
    sender: str | None
    taken: float


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of one number: all that was said, and the calls' facts by their dates."""

    said: list[Heard] = field(default_factory=list)
    calls: list[tuple[float, Heard]] = field(default_factory=list)

    def before(self, at: float) -> Iterator[Heard]:
        """What had happened then; of the calls what was not so long ago that it says nothing."""
        yield from (one for one in self.said if one.fact.at is not None and one.fact.at <= at)
        first = bisect_left(self.calls, at - RECENT, key=itemgetter(0))
        for when, one in self.calls[first:]:
            if when > at:
                return
            yield one


class Seen(NamedTuple):
    """Who has marked a pair as seen."""

    who: str
    at: float
    note: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two calls by their rows' beginnings, and what the guard would have said before the later one."""

    earlier: Row[Any]
    later: Row[Any]
    decision: Decision
    seen: Seen | None = None


class Tally:
    """How many conflicts nobody has looked at; every page shows it, so it is not worked out for every page."""

    def __init__(self) -> None:
        self._lock, self._count, self._fresh = threading.Lock(), 0, float("-inf")

    def count(self, connection: Connection, now: float) -> int:
        """As of some seconds ago at most."""
        with self._lock:
            if monotonic() > self._fresh:
                self._keep(conflicts(connection, now - BADGE), now)
            return self._count

    def note(self, found: Iterable[Conflict], now: float) -> None:
        """They have just been worked out."""
        with self._lock:
            self._keep(found, now)

    def forget(self) -> None:
        """It has changed."""
        with self._lock:
            self._fresh = float("-inf")

    def _keep(self, found: Iterable[Conflict], now: float) -> None:
        self._count = sum(one.seen is None and one.later.moment >= now - BADGE for one in found)
        self._fresh = monotonic() + AGAIN


def conflicts(connection: Connection, since: float) -> list[Conflict]:
    """All that there are, newest first."""
    apart = connection.execute(_apart(since)).all()
    if not apart:
        return []
    later = connection.execute(_in_touch_later(since)).all()
    known = _heard(connection, since, {row.number for row in apart})
    dialled = {row.id: row for row in (*apart, *later)}.values()
    blocked = [found for row in dialled if (found := _blocked(row, known[row.number]))]
    calls = _calls(connection, {one.call for _row, decision in blocked for one in decision.evidence if one.call})
    pairs: dict[tuple[str, str], Conflict] = {}
    for row, decision in blocked:
        pair = _pair(row, decision, calls)
        if pair is not None:
            pairs.setdefault((pair.earlier.id, pair.later.id), pair)
    seen = _seen(connection, [later for _earlier, later in pairs])
    marked = [replace(pair, seen=seen.get(names)) for names, pair in pairs.items()]
    return sorted(marked, key=lambda one: _order(one.later), reverse=True)


def _blocked(row: Row[Any], past: Past) -> tuple[Row[Any], Decision] | None:
    """What the guard would have said to this call by all that others knew; None if it would have let it pass.

    Nor does it count if what the booth did know blocks by itself: then its rules are laxer than those that we go by.
    """
    if row.at is None:
        return None
    evidence = _evidence(row.record)
    known: list[Fact] = []
    news: list[Fact] = []
    for one in past.before(row.at):
        if one.fact.call != row.id:
            (known if _knew(row, one, evidence) else news).append(one.fact)
    if not news:
        return None
    number = Number(row.number, row.number, row.shown, Kind.ORDINARY)
    decision = decide(number, (*known, *news), BOOK, row.at, override=row.overridden)
    if not _bars(decision) or _bars(decide(number, known, BOOK, row.at, override=row.overridden)):
        return None
    new = {one.id for one in news}
    return row, replace(decision, evidence=tuple(one for one in decision.evidence if one.id in new))


def _bars(decision: Decision) -> bool:
    return decision.verdict is Verdict.BLOCK and decision.reason in BARRED


def _knew(row: Row[Any], one: Heard, evidence: Sequence[str]) -> bool:
    """Whether the booth that dialled knew: by itself, as its decision shows, or because the server told it in time."""
    if one.sender == row.booth or one.fact.id in evidence:
        return True
    return bool(row.claim == Hold.GRANTED.value and one.taken < row.at - LEASE)


def _pair(row: Row[Any], decision: Decision, calls: Mapping[str, Row[Any]]) -> Conflict | None:
    """The call with the newest call that it should have known of, where one of the two was out of reach."""
    for one in decision.evidence:
        other = calls.get(one.call or "")
        if other is not None and other.booth != row.booth and Hold.OFFLINE.value in {row.claim, other.claim}:
            why = replace(decision, evidence=tuple(each for each in decision.evidence if each.call == other.id))
            earlier, later = sorted((other, row), key=_order)
            return Conflict(earlier, later, why)
    return None


_order = attrgetter("moment", "id")


class _Decision(msgspec.Struct):
    evidence: tuple[str, ...] = ()


class _Record(msgspec.Struct):
    """What of a call's record is needed here."""

    decision: _Decision | None = None


def _evidence(record: str) -> tuple[str, ...]:
    """The facts that the booth had decided by."""
    try:
        said = msgspec.json.decode(record, type=_Record).decision
    except msgspec.ValidationError:  # a newer booth's
        return ()
    return said.evidence if said else ()


_COLUMNS = (call.c.id, call.c.number, call.c.shown, call.c.booth, call.c.at, call.c.moment, call.c.claim)
_DIALLED = (*_COLUMNS, call.c.overridden, call.c.taken, call.c.record)
_OURS = ~call.c.incoming & ~call.c.emergency


def _apart(since: float) -> Select[Any]:
    """The newest calls that were dialled out of reach of the server."""
    apart = (call.c.claim == Hold.OFFLINE.value) & (call.c.moment >= since) & _OURS
    return select(*_DIALLED).where(apart).order_by(call.c.moment.desc()).limit(MOST)


def _in_touch_later(since: float) -> Select[Any]:
    """Calls of other booths with the same number before the server could tell of the first; some may come twice."""
    first = _apart(since).subquery("apart")
    untold = call.c.moment.between(first.c.moment, first.c.taken + LEASE)
    others = (call.c.number == first.c.number) & (call.c.booth != first.c.booth) & untold
    wanted = select(*_DIALLED).join(first, others).where(call.c.claim != Hold.OFFLINE.value, _OURS)
    return wanted.order_by(call.c.moment.desc()).limit(MOST)


def _heard(connection: Connection, since: float, numbers: Iterable[str]) -> dict[str, Past]:
    """What the office knows of some numbers; of their calls those around the ones out of reach."""
    kinds = [kind.value for kind in _OF_CALLS]
    first, near = _apart(since).subquery("apart"), call.alias("near")
    around = near.c.moment.between(first.c.moment - RECENT, first.c.moment + RECENT)
    calls = select(near.c.id).join(first, (near.c.number == first.c.number) & around).distinct().limit(FACTS)
    found = {number: Past() for number in numbers}
    for told in knowledge.told(connection, fact.c.number.in_(sorted(found)) & fact.c.kind.not_in(kinds)):
        found[told[0].number].said.append(Heard(*told))
    for told in knowledge.told(connection, fact.c.call.in_(calls) & fact.c.kind.in_(kinds)):
        if told[0].at is not None and told[0].number in found:
            found[told[0].number].calls.append((told[0].at, Heard(*told)))
    for past in found.values():
        past.calls.sort(key=itemgetter(0))
    return found


def _calls(connection: Connection, ids: Iterable[str]) -> dict[str, Row[Any]]:
    wanted: Select[Any] = select(*_COLUMNS).where(call.c.id.in_(sorted(ids)))
    return {row.id: row for row in connection.execute(wanted)}


def _seen(connection: Connection, later: Iterable[str]) -> dict[tuple[str, str], Seen]:
    rows = connection.execute(select(conflict_seen).where(conflict_seen.c.later.in_(sorted(later))))
    return {(row.earlier, row.later): Seen(row.who, row.at, row.note) for row in rows}
