"""Keeps small books in the booth's or the server's database while one wait for the disk fails; then the power is cut.

    python -m tests.crash.ledgers DIRECTORY WHICH SEED

with the shim preloaded. Every case is a fork; what was acknowledged and is gone is printed, one line of JSON for each.
"""

import json
import os
import random
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path

from sqlalchemy.exc import OperationalError

from firmware.mailbox import note
from firmware.store import CardError, Store
from provisioning.server import database
from tests.crash.powercut import Cut, Disk
from tests.crash.shim import Fate, Page, arm, entries

STEPS = 14
SHORT = 8192  # bytes of a log that is folded back
_MADE = "CREATE TABLE ledger (line TEXT PRIMARY KEY)"


class Booth:
    """The booth's database, through several openings as booth and sync have them."""

    name = "booth.db"

    def __init__(self, directory):
        self._path = directory / self.name
        self._stores = [Store(self._path), Store(self._path)]

    def write(self, line, which, *, durable):
        """One line, by one of two programs."""
        with self._stores[which].write(durable=durable) as db:
            note(db, line, "x")

    def look(self, chance):
        """What both do between writes: fold the log back, or start once more."""
        if chance.random() < 0.5:
            chance.choice(self._stores).tidy()
        elif chance.random() < 0.5:
            self._stores.append(Store(self._path))

    def close(self):
        """Let go of them."""
        for store in self._stores:
            store.close()

    def has(self, line):
        """Whether it is there."""
        return self._stores[0].row("SELECT 1 FROM note WHERE key = ?", line) is not None


class Server:
    """The server's database, through a pool whose connections come as they are needed."""

    name = "server.db"

    def __init__(self, directory):
        self._books = [database.at(directory / self.name) for _ in range(2)]
        self._held = ExitStack()
        with self._books[0].read() as connection:
            made = connection.exec_driver_sql("SELECT 1 FROM sqlite_schema").scalar()
        if not made:
            with self._books[0].write() as connection:
                connection.exec_driver_sql(_MADE)

    def write(self, line, which, *, durable):
        """One line, by one of two processes."""
        with self._books[which].write(durable=durable) as connection:
            connection.exec_driver_sql("INSERT INTO ledger VALUES (?)", (line,))

    def look(self, chance):
        """Somebody begins to read, so that the next one gets another connection; or all readers end."""
        if chance.random() < 0.7:
            connection = self._held.enter_context(self._books[0].read())
            if chance.random() < 0.3:
                connection.exec_driver_sql("SELECT count(*) FROM ledger").scalar()
                self._held.close()
        else:
            self._held.close()

    def close(self):
        """Let go of it."""
        for books in self._books:
            books.close()

    def has(self, line):
        """Whether it is there."""
        with self._books[0].read() as connection:
            return connection.exec_driver_sql("SELECT 1 FROM ledger WHERE line = ?", (line,)).scalar() is not None


class Readers(Server):
    """The same while readers stay, so that a log that has grown long cannot be folded back whole."""

    def __init__(self, directory):
        database.BACKSTOP = SHORT
        super().__init__(directory)

    def look(self, chance):
        """Somebody reads from now on, or all readers end."""
        if chance.random() < 0.7:
            connection = self._held.enter_context(self._books[0].read())
            if chance.random() < 0.5:
                connection.exec_driver_sql("SELECT count(*) FROM ledger").scalar()
        else:
            self._held.close()


KEEPERS = {"booth": Booth, "server": Server, "readers": Readers}
SCRIPTS = {  # one who has only read has the log begin anew with its first write, on top of what was not waited for
    ("server", 0): ("look", (1, True), (1, False), (0, True), (1, True)),
}


def steps(which, seed):
    """What is done in a life: by chance, but for those that lost lines once."""
    yield from SCRIPTS.get((which, seed), ())
    chance = random.Random(seed)
    while True:
        way, who, durable = chance.random(), chance.randrange(2), chance.random() < 0.6
        yield "look" if way < 0.4 else "together" if way > 0.85 else (who, durable)


def keep(which, place, page, seed, at):
    """The life of a process that is killed; tells of each line that is safe."""
    chance = random.Random(seed)
    arm(place / "books", place / "log", page, Fate.FAIL, at, only=".db")
    books = None
    for step, what in enumerate(islice(steps(which, seed), STEPS)):
        with suppress(CardError, OperationalError):  # of the disk: whoever asked hears of it
            if books is None:
                books = KEEPERS[which](place / "books")
            if what == "look":
                books.look(chance)
            elif what == "together":  # one waits for the other
                with ThreadPoolExecutor(2) as both:
                    for who in range(2):
                        both.submit(written, books, place, f"line {step}.{who}", who, durable=True)
            else:
                who, durable = what
                written(books, place, f"line {step}", who, durable=durable)


def written(books, place, line, who, *, durable):
    """One line, and what is told of it."""
    books.write(line, who, durable=durable)
    if durable:
        with (place / "told").open("a") as told:
            told.write(f"{line}\n")


def lost(which, place, disk):
    """What was told to be safe, and is gone after a power cut."""
    told = place / "told"
    lines = told.read_text().splitlines() if told.exists() else []
    disk.play(entries(place / "log")).put(Cut.STRICT)
    books = KEEPERS[which](place / "books")
    return [line for line in lines if not books.has(line)]


def main(directory, which, seed):
    """Every point, until none is hit any more."""
    at, hit, made = 0, True, Path(directory) / "made"
    made.mkdir()
    KEEPERS[which](made).close()
    while hit:
        at += 1
        place, page = Path(directory) / f"{which}-{seed}-{at}", Page()
        shutil.copytree(made, place / "books")
        disk = Disk(place / "books")
        child = os.fork()
        if not child:
            try:
                keep(which, place, page, seed, at)
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0, "the keeper of the books died"
        hit = page.hit
        print(json.dumps({"at": at, "hit": hit, "lost": lost(which, place, disk)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
