"""Down: what other booths have learnt of numbers, and the lists that this booth is to work through."""

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from urllib.parse import quote, urlencode

import msgspec

from firmware import facts, wire
from firmware.clock import Clock
from firmware.known import Fact, FactKind
from firmware.mailbox import note, recalled
from firmware.store import Store
from firmware.syncing.link import Link
from firmware.syncing.outbox import offer_again

CURSOR = "sync-cursor"  # a note: up to where we have heard
SHORTEST = 25.0  # seconds of a long-poll; up to LONGEST_WAIT, by chance, so that booths do not ask in step
SLICE = 500  # rows written together: the booth must not wait for us
_TOO_SOON = 1.0  # an answer with nothing in it that came sooner: the server does not wait, so we do
log = logging.getLogger("sync")


class _ListRows(wire.Message, frozen=True):
    """wire.ListRows with its rows left as they are: the booth reads them."""

    id: str
    name: str
    revision: int
    sample: bool
    rows: tuple[msgspec.Raw, ...]


class Downlink:
    """Asks for news and writes it down; the booth is woken when there is some."""

    def __init__(
        self, store: Store, link: Link, clock: Clock, *, heard: Callable[[], None], forgotten: Callable[[], None]
    ) -> None:
        self._store, self._link, self._clock = store, link, clock
        self._heard, self._forgotten = heard, forgotten
        self._lists = ""  # the tag of the lists that we have taken in

    def turn(self) -> float:
        """One question; seconds to wait before the next."""
        began = monotonic()
        # Should this one fail, the next is answered at once: it is the word that the server is back.
        lists, self._lists = self._lists, ""
        news = self._ask(lists)
        self._lists = self._ask_lists() if news.lists != lists else lists
        idle = not (news.facts or news.reset) and news.lists == lists
        return _TOO_SOON if idle and monotonic() - began < _TOO_SOON else 0.0

    def _ask(self, lists: str) -> wire.News:
        cursor = recalled(self._store, CURSOR)
        wait = random.uniform(SHORTEST, wire.LONGEST_WAIT)  # noqa: S311  (jitter)
        query = urlencode({"cursor": cursor, "lists": lists, "wait": f"{wait:.0f}"})
        news = self._link.get(f"{wire.FACTS}?{query}", wire.News, wait=wait)
        self._take(news, anew=news.reset or not cursor)
        return news

    def _take(self, news: wire.News, *, anew: bool) -> None:
        """Write down what is new; `anew`: from an epoch that we had not heard of.

        Its server may have come from a backup, even one that took things from us before we first heard its news: all
        is offered to it again.
        """
        known = tuple(understood(news.facts))
        stamp = self._clock.stamp()
        # No fsync: a power cut takes facts and cursor together, and they are asked for again.
        with self._store.write(durable=False) as db:
            for fact in known:
                facts.append(db, fact, stamp, ours=False)
            note(db, CURSOR, news.cursor)
            if anew:
                offer_again(db)
        if news.facts:
            self._heard()
        if anew:
            log.info("the server has a new epoch: everything is offered to it again")
            self._forgotten()

    def _ask_lists(self) -> str:
        """Take in what should be here now; its tag."""
        wanted = self._link.get(wire.LISTS, wire.Lists)
        changed = self._assign(wanted.lists)
        for entry in wanted.lists:
            if self._is_missing(entry):
                self._fetch(entry)
                changed = True
        if changed:
            self._heard()
        return wanted.tag

    def _assign(self, wanted: Sequence[wire.ListName]) -> bool:
        """Write down which lists this booth should have; whether that is news."""
        have = {row["uuid"]: (row["name"], row["wanted"]) for row in self._store.rows("SELECT * FROM assigned")}
        want = {entry.id: (entry.name, 1) for entry in wanted}
        gone = [uuid for uuid, (_name, still) in have.items() if still and uuid not in want]
        new = [entry for entry in wanted if have.get(entry.id) != want[entry.id]]
        if not gone and not new:
            return False
        with self._store.write() as db:
            db.executemany("UPDATE assigned SET wanted = 0 WHERE uuid = ?", [(uuid,) for uuid in gone])
            db.executemany(_ASSIGN, [(entry.id, entry.name, entry.sample) for entry in new])
        return True

    def _is_missing(self, entry: wire.ListName) -> bool:
        taken = self._store.row("SELECT list, revision FROM assigned WHERE uuid = ?", entry.id)
        if taken is not None and taken["list"] is not None and taken["revision"] == entry.revision:
            return False
        arrived = "SELECT 1 FROM arrival WHERE uuid = ? AND revision = ? AND complete = 1"
        return self._store.row(arrived, entry.id, entry.revision) is None

    def _fetch(self, entry: wire.ListName) -> None:
        """Take a list in as it is, a slice at a time; it counts when all of it is there."""
        found = self._link.get(f"{wire.LISTS}/{quote(entry.id, safe='')}", _ListRows)
        with self._store.write() as db:
            db.execute("DELETE FROM arrival WHERE uuid = ? AND complete = 0", (entry.id,))
            db.execute("DELETE FROM arrival WHERE uuid = ? AND revision = ?", (entry.id, found.revision))
            added = db.execute("INSERT INTO arrival (uuid, revision) VALUES (?, ?)", (entry.id, found.revision))
        arrival = added.lastrowid
        for first in range(0, len(found.rows), SLICE):
            rows = enumerate(found.rows[first : first + SLICE], first)
            with self._store.write(durable=False) as db:
                db.executemany(
                    "INSERT INTO arrived_row (arrival, place, row) VALUES (?, ?, ?)",
                    [(arrival, place, bytes(raw).decode("utf-8")) for place, raw in rows],
                )
        with self._store.write() as db:
            db.execute("UPDATE arrival SET complete = 1 WHERE id = ?", (arrival,))


def understood(raw: Sequence[msgspec.Raw]) -> Iterator[Fact]:
    """The facts that this program understands; a newer server's others are left out, which the log says."""
    for one in raw:
        try:
            said: wire.Fact = wire.read(one, wire.Fact)
            kind = FactKind(said.kind)
        except ValueError as problem:
            log.warning("a fact was left out: %s", problem)
            continue
        yield Fact(
            id=said.id,
            kind=kind,
            number=said.number,
            at=said.at,
            booth=said.booth,
            agent=said.agent,
            call=said.call,
            result=said.result,
            due=said.due,
            note=said.note,
            product=said.product,
        )


_ASSIGN = """
INSERT INTO assigned (uuid, name, sample, wanted) VALUES (?, ?, ?, 1)
ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, wanted = 1
"""
