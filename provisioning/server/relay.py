"""The relay: what is news in one process rings the bell in all that share the database, on whatever machine they are.

Between processes there are only hints (NOTIFY on PostgreSQL, a counter that SQLite moves with every write). A hint may be
lost: then the tables, which are looked at every few seconds, say the same, only later.
"""

import logging
import os
import select
import sqlite3
import threading
from collections.abc import Collection, Hashable
from time import monotonic
from typing import Any, Final, Protocol, cast

import psycopg
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError

from provisioning.server.bell import Bell, Topic
from provisioning.server.database import Database

log = logging.getLogger(__name__)

LOOK = 3.0  # seconds after which a lost hint does no harm any more
PULSE = 0.05  # seconds between two looks at SQLite's counter
FIRST_PAUSE = 0.25  # seconds until a database that went away is tried again; then twice as long, up to LOOK
CHANNEL = "boothphone"

# What moves when there is news. Of the other topics only browsers hear, a few of them, who may look in vain.
_MARKS: Final = {
    Topic.FACTS: ("SELECT (SELECT value FROM server_note WHERE key = 'epoch'), (SELECT max(seq) FROM fact)",),
    Topic.LISTS: (
        "SELECT id, name, revision, sample, removed FROM list ORDER BY id",
        "SELECT list, booth FROM assignment ORDER BY list, booth",
    ),
}


class Relay:
    """A thread with a connection of its own. When that is lost it is made again, and everybody is woken."""

    def __init__(self, database: Database, bell: Bell) -> None:
        self._database, self._bell = database, bell
        self._lock, self._rung = threading.Lock(), set[Topic]()
        self._over = False
        self._marks: dict[Topic, int] = {}
        self._heard, self._nudge = os.pipe()
        for end in (self._heard, self._nudge):
            os.set_blocking(end, False)
        self._thread = threading.Thread(target=self._work, name="relay", daemon=True)

    def start(self) -> None:
        """Begin; returns at once, whether there is a database or not."""
        self._bell.join(self._tell)
        self._thread.start()

    def close(self) -> None:
        """End; what has just been rung here may stay untold."""
        self._over = True
        self._wake_up()
        if self._thread.ident is not None:
            self._thread.join(2 * LOOK)
        if not self._thread.is_alive():  # or it waits for a database that does not answer, and may still be nudged
            os.close(self._heard)
            os.close(self._nudge)

    def _tell(self, *topics: Topic) -> None:
        if self._database.sqlite:
            return  # the write itself was the hint
        with self._lock:
            self._rung.update(topics)
        self._wake_up()

    def _wake_up(self) -> None:
        try:
            os.write(self._nudge, b".")
        except BlockingIOError:
            pass  # it is awake, and has not come to read why

    def _work(self) -> None:
        pause = FIRST_PAUSE
        while not self._over:
            began = monotonic()
            try:
                self._attend()
            except (SQLAlchemyError, psycopg.Error, sqlite3.Error, OSError) as problem:
                log.warning("no news of other processes, the database is away: %s", type(problem).__name__)
            if monotonic() - began > LOOK:
                pause = FIRST_PAUSE
            if not self._over:
                self._rest(pause)
            pause = min(2 * pause, LOOK)

    def _rest(self, seconds: float) -> None:
        """Wait, but not beyond the end."""
        until = monotonic() + seconds
        while not self._over and (left := until - monotonic()) > 0:
            _readable([self._heard], left)
            _drained(self._heard)

    def _attend(self) -> None:
        """Pass hints both ways as long as the connection lasts."""
        with self._database.apart() as connection:
            ear: _Ear = _Counter(connection, self._heard) if self._database.sqlite else _Wire(connection, self._heard)
            state, looked = ear.state(), monotonic()
            self._bell.wake(*self._moved(connection, set(Topic)))
            while not self._over:
                hinted = set(ear.wait(looked + LOOK - monotonic()))
                rung = self._taken()
                if rung:
                    ear.tell(rung)
                if monotonic() - looked >= LOOK:
                    before, state, looked = state, ear.state(), monotonic()
                    hinted |= set(Topic) if state != before else set()
                # What was rung here may have hidden another process's news behind it.
                self._bell.wake(*self._moved(connection, hinted | (rung & _MARKS.keys())))

    def _taken(self) -> set[Topic]:
        with self._lock:
            rung, self._rung = self._rung, set()
        return rung

    def _moved(self, connection: DBAPIConnection, topics: Collection[Topic]) -> list[Topic]:
        """Those of which there is news since the last time. Look first and wake then: whoever wakes finds all of it."""
        moved = [topic for topic in topics if topic not in _MARKS]
        for topic in _MARKS.keys() & set(topics):
            mark = hash(tuple(tuple(_rows(connection, question)) for question in _MARKS[topic]))
            if mark != self._marks.get(topic):
                self._marks[topic] = mark
                moved.append(topic)
        return moved


class _Ear(Protocol):
    """How one engine lets a process hear that others have written."""

    def wait(self, seconds: float) -> Collection[Topic]:
        """Topics of which there may be news; nothing when the time is over or somebody nudged."""
        ...

    def tell(self, topics: Collection[Topic]) -> None:
        """Hint at news to the others."""
        ...

    def state(self) -> Hashable:
        """Something that changes whenever anybody writes."""
        ...


class _Counter:
    """SQLite: a counter that differs when another connection has written. It does not say what."""

    def __init__(self, connection: DBAPIConnection, nudged: int) -> None:
        self._connection, self._nudged = connection, nudged
        self._known = self.state()

    def wait(self, seconds: float) -> Collection[Topic]:
        until = monotonic() + seconds
        while (left := until - monotonic()) > 0:
            if _readable([self._nudged], min(left, PULSE)):
                _drained(self._nudged)
                break
            before, self._known = self._known, self.state()
            if self._known != before:
                return (Topic.FACTS,)
        return ()

    def tell(self, topics: Collection[Topic]) -> None:
        """The write was the hint."""

    def state(self) -> Hashable:
        return _rows(self._connection, "PRAGMA data_version")[0]


class _Wire:
    """PostgreSQL: LISTEN and NOTIFY."""

    def __init__(self, connection: DBAPIConnection, nudged: int) -> None:
        self._connection, self._nudged = connection, nudged
        self._driver = cast("psycopg.Connection[Any]", connection)
        self._driver.autocommit = True
        self._driver.execute(f"LISTEN {CHANNEL}")

    def wait(self, seconds: float) -> Collection[Topic]:
        line = self._driver.pgconn
        line.consume_input()
        found = {topic for note in iter(line.notifies, None) for topic in self._named(note.be_pid, note.extra)}
        if found or seconds <= 0:
            return found
        if line.socket in _readable([line.socket, self._nudged], seconds):
            return self.wait(0)
        _drained(self._nudged)
        return ()

    def tell(self, topics: Collection[Topic]) -> None:
        self._driver.execute("SELECT pg_notify(%s, %s)", (CHANNEL, " ".join(topic.value for topic in topics)))

    def state(self) -> Hashable:
        return _rows(self._connection, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text")[0]

    def _named(self, sender: int, told: bytes) -> list[Topic]:
        """The topics that another process names; a newer program may name more than are known here."""
        known = {topic.value.encode(): topic for topic in Topic}
        return [known[word] for word in told.split() if word in known and sender != self._driver.info.backend_pid]


def _rows(connection: DBAPIConnection, question: str) -> list[tuple[Hashable, ...]]:
    cursor = connection.cursor()
    try:
        cursor.execute(question)
        return [tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()


def _readable(files: Collection[int], seconds: float) -> Collection[int]:
    poll = select.poll()  # select.select knows only the first thousand files of a process
    for file in files:
        poll.register(file, select.POLLIN)
    return [file for file, _ in poll.poll(max(0.0, 1000 * seconds))]


def _drained(pipe: int) -> None:
    try:
        os.read(pipe, 4096)
    except BlockingIOError:
        pass
