"""A floor of booths that were without a server for weeks: all they have comes in, once, and live calls notice nothing."""

import json
import os
import random
import resource
import select
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from firmware import numbers, results, sync, wire
from firmware.calls import Call, Calls
from firmware.clock import Clock
from firmware.store import Store
from firmware.syncing.identity import Wallet
from hw.events import Cause, Party
from tests import crowd

pytestmark = pytest.mark.slow

CREW = Path(__file__).with_name("sync_crew.py")
CODES = {result.code: result for result in results.load()}
KINDS = ("SALE", "ABS", "ABS", "SALE", "ABS", "ABS", "SALE", "ABS", "CB", "REF")  # of ten calls
DAY = 86400.0


class Office(crowd.Central):
    """A server that can be away, and comes back at the same address."""

    def __init__(self, directory):
        super().__init__(directory)
        self.port = int(self.told["api"].rpartition(":")[2])

    def away(self):
        """It ends."""
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()

    def back(self):
        """And starts again."""
        at = ("--api", f"127.0.0.1:{self.port}", "--pages", "127.0.0.1:0", "--data", str(self.directory))
        command = [sys.executable, "-m", "provisioning.cli", "server", "run", "--announce", *at]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.told = json.loads(self.process.stdout.readline())

    def one(self, question):
        """A figure of its database."""
        with closing(sqlite3.connect(f"file:{self.directory / 'server.db'}?mode=ro", uri=True, timeout=30)) as books:
            return books.execute(question).fetchone()[0]

    def memory(self):
        """Its resident megabytes, at most, with those of the processes that it has made."""
        return sum(_peak(pid) for pid in (self.process.pid, *_children(self.process.pid))) / 1e3


def _children(pid):
    return map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split())


def _peak(pid):
    """The most memory that a process had, in kB."""
    return int(Path(f"/proc/{pid}/status").read_text(encoding="ascii").split("VmHWM:")[1].split()[0])


def samples(file):
    """All rows of one call of each kind, as a booth writes them down itself: by result, table by table."""
    made = {}
    with closing(Calls(file, "sample", Clock("system"))) as books:
        for place, code in enumerate(dict.fromkeys(KINDS)):
            call = Call(str(uuid.uuid4()), numbers.parse(f"03-1234-56{place:02}"), None)
            books.begin(call, None, "07", "off-list")
            books.answered(call.id)
            books.ended(call.id, Cause.NORMAL, Party.FAR, 3.0)
            books.finish(call.id, CODES[code], due=time.time() + DAY if code == "CB" else None)
            made[code] = call.id
    of = {table: f"SELECT * FROM {table} WHERE call = ?" for table in ("mark", "result", "fact")}
    of |= {
        "call": "SELECT * FROM call WHERE id = ?",
        "outbox": "SELECT * FROM outbox WHERE ref = ?1 OR ref IN (SELECT id FROM fact WHERE call = ?1) ORDER BY id",
    }
    order = ("call", "mark", "result", "fact", "outbox")
    with closing(sqlite3.connect(file)) as db:
        db.row_factory = sqlite3.Row
        return {
            code: [(table, dict(row)) for table in order for row in db.execute(of[table], (call,))]
            for code, call in made.items()
        }


class Card:
    """A booth's card after weeks without a server."""

    def __init__(self, data, name, seed):
        self.data, self.name, self._chance = data, name, random.Random(seed)
        data.mkdir()
        Store(data / "booth.db").close()
        self.calls, self.facts, self.recordings = [], 0, 0

    def fill(self, kinds, calls, deck, every):
        """So many calls over the weeks, and of some of them a recording."""
        with closing(sqlite3.connect(self.data / "booth.db", isolation_level=None)) as db:
            db.execute("PRAGMA synchronous = OFF")
            db.execute("BEGIN")
            for n in range(calls):
                self.calls.append(self._new())
                self._copy(db, kinds[KINDS[n % len(KINDS)]], self.calls[-1], (calls - n) * 60 * DAY / calls)
            db.execute("COMMIT")
            self.facts = db.execute("SELECT count(*) FROM fact").fetchone()[0]
        (self.data / "recordings").mkdir()
        for call in self.calls[::every]:
            journal = deck.journal(uuid.UUID(call), 2)
            (self.data / "recordings" / f"{call}.journal").write_bytes(journal)
            self.recordings += 1

    def _new(self):
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def _copy(self, db, rows, call, ago):
        """The same call once more, earlier, with names and a number of its own."""
        old, number = rows[0][1]["number"], numbers.parse(f"03{self._chance.randrange(30_000_000, 59_999_999):08}").key
        names = {rows[0][1]["id"]: call} | {row["id"]: self._new() for table, row in rows if table == "fact"}
        for table, row in rows:
            made = row | {
                column: names.get(row[column], row[column]) for column in ("id", "call", "ref") if column in row
            }
            made |= {"number": number, "detail": str(row.get("detail")).replace(old, number)}
            made["at"] = None if row["at"] is None else row["at"] - ago
            left_out = {"seq", "id"} if table == "outbox" else {"seq"}
            made = {name: value for name, value in made.items() if name in row and name not in left_out}
            holes = ", ".join("?" * len(made))
            db.execute(f"INSERT INTO {table} ({', '.join(made)}) VALUES ({holes})", tuple(made.values()))

    def owing(self):
        """What waits for the server."""
        with closing(sqlite3.connect(f"file:{self.data / 'booth.db'}?mode=ro", uri=True)) as books:
            synced = books.execute("SELECT count(*) FROM upload WHERE state = 'synced'").fetchone()[0]
            outbox, kept = (
                books.execute(f"SELECT count(*) FROM {one}").fetchone()[0] for one in ("outbox", "kept_back")
            )
        return outbox + kept + self.recordings - synced


class Floor:
    """Two booths where people are at work meanwhile: one claims and tells, the other hears."""

    def __init__(self, directory, office):
        texts = crowd.new_tokens(office, ["at work", "listens"])
        self._at_work, self._listens = (
            crowd.Booth(directory / name, text, name) for name, text in zip(("work", "ear"), texts, strict=True)
        )
        self._over, self._told = threading.Event(), {}
        self.claims, self.heard = [], []
        self._threads = [threading.Thread(target=self._work), threading.Thread(target=self._listen)]

    def open(self):
        for thread in self._threads:
            thread.start()

    def _work(self):
        chance = random.Random(1)
        while not self._over.wait(0.2):
            number = numbers.parse(f"03{chance.randrange(30_000_000, 59_999_999):08}")
            began = time.monotonic()
            self._at_work.claim(number)
            self.claims.append(time.monotonic() - began)
            fact = wire.Fact(id=str(uuid.uuid4()), kind="attempt", number=number.key, at=None, booth="w", agent="")
            self._told[fact.id] = time.monotonic()
            message = wire.Facts(facts=(wire.encode(fact),))
            self._at_work.link.ask("POST", wire.FACTS, b'{"version":1,"facts":[' + message.facts[0] + b"]}")

    def _listen(self):
        cursor = ""
        while not self._over.is_set():
            query = f"{wire.FACTS}?cursor={cursor}&lists=x&wait=5"
            news = self._listens.link.get(query, wire.News, wait=5)
            cursor = news.cursor
            for raw in news.facts:
                began = self._told.pop(wire.read(raw, wire.Fact).id, None)
                if began is not None:
                    self.heard.append(time.monotonic() - began)

    def close(self):
        self._over.set()
        for thread in self._threads:
            thread.join(30)
        for booth in (self._at_work, self._listens):
            booth.link.channel.close()


class Crew:
    """The daemons of all cards, in processes of some each."""

    def __init__(self, cards, together):
        groups = [cards[at : at + together] for at in range(0, len(cards), together)]
        command = [sys.executable, str(CREW), "15"]
        self._processes = [
            subprocess.Popen(
                [*command, *(str(card.data) for card in group)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=CREW.parents[2],
            )
            for group in groups
        ]

    def alive(self):
        return all(process.poll() is None for process in self._processes)

    def close(self):
        """Send all home; the most memory that one of the processes had, in megabytes."""
        said = [process.communicate(timeout=60)[0] for process in self._processes]
        assert [process.returncode for process in self._processes] == [0] * len(said)
        return max(int(text) for text in said) / 1e3


@pytest.mark.parametrize(
    ("booths", "calls", "every"),
    [
        (20, 20, 10),
        pytest.param(20, 9000, 100, marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
def test_weeks_without_a_server_come_in_once_and_disturb_nobody(tmp_path, deck_of, booths, calls, every):
    together = 1 if calls > 1000 else 10  # processes as on booths, or fewer that start faster
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    office = Office(tmp_path / "server")
    deck = deck_of(office.directory)
    cards = [Card(tmp_path / str(n), str(n), seed=n) for n in range(booths)]
    kinds = samples(tmp_path / "sample.db")
    for card, token in zip(cards, crowd.new_tokens(office, [card.name for card in cards]), strict=True):
        card.fill(kinds, calls, deck, every)
        assert sync.main(["enrol", token, "--data", str(card.data)]) == 0
    floor = Floor(tmp_path, office)
    office.away()
    crew = Crew(cards, together)
    office.back()
    began = time.monotonic()
    floor.open()
    try:
        while any(card.owing() for card in cards):
            assert crew.alive()
            assert time.monotonic() - began < 150 + booths * calls / 60
            select.select([], [], [], 0.2 if calls < 100 else 2.0)
        took = time.monotonic() - began
    finally:
        floor.close()
        memory = crew.close()
    ids = {call for card in cards for call in card.calls}
    facts = sum(card.facts for card in cards)
    print(
        f"\n{booths} booths x {calls} calls: {len(ids)} calls, {facts} facts in {took:.1f} s;"
        f" claims p50 {1000 * crowd.share(floor.claims, 0.5):.0f} ms, p99 {1000 * crowd.share(floor.claims, 0.99):.0f} ms"
        f" of {len(floor.claims)}; news p50 {1000 * crowd.share(floor.heard, 0.5):.0f} ms,"
        f" p99 {1000 * crowd.share(floor.heard, 0.99):.0f} ms of {len(floor.heard)};"
        f" server {office.memory():.0f} MB, a sync process {memory:.0f} MB at most; load {os.getloadavg()[0]:.1f}"
    )
    owners = {Wallet(card.data).identity().booth: card for card in cards}
    with closing(sqlite3.connect(office.directory / "server.db")) as books:
        found = books.execute("SELECT id, booth, result FROM call").fetchall()
        told = books.execute("SELECT count(*), count(DISTINCT id) FROM fact WHERE booth <> 'w'").fetchone()
        whole = books.execute("SELECT count(*) FROM recording WHERE state = 'whole'").fetchone()[0]
    office.close()
    assert len(found) == len(ids)
    assert all(call in ids and result for call, _booth, result in found)
    assert {booth: sum(one == booth for _call, one, _result in found) for booth in owners} == {
        booth: len(card.calls) for booth, card in owners.items()
    }
    assert told == (facts, facts)
    assert whole == sum(card.recordings for card in cards)
    assert floor.claims
    assert floor.heard
