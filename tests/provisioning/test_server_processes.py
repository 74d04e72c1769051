"""Several processes on one database: nothing is lost or won twice between them, and what one is told all tell."""

import itertools
import json
import multiprocessing
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import msgspec
import psycopg
import pytest
from sqlalchemy import func, insert
from sqlalchemy import select as chosen

from firmware import wire
from firmware.syncing.faults import SyncError
from firmware.syncing.identity import Counter
from firmware.syncing.link import Channel, Link
from provisioning.server import environment, parts, schema, tls, tokens
from provisioning.server.bell import Bell, Topic
from provisioning.server.database import Database
from provisioning.server.facts import Facts
from provisioning.server.pages import passwords
from provisioning.server.parts import DatabaseAwayError
from provisioning.server.run import Server
from tests.provisioning import racers

PATIENCE = 100  # seconds for what takes a few of them on a machine with nothing else to do

pytestmark = pytest.mark.timeout(300)


def wait_for(condition):
    """Until it holds; what it gives."""
    ends, pause = time.monotonic() + PATIENCE, threading.Event()
    while not (found := condition()):
        assert time.monotonic() < ends
        pause.wait(0.02)
    return found


# The database under them


@pytest.fixture(scope="module")
def others():
    """Two other processes that do what they are told."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def store(database_url):
    """A database with eight booths in it."""
    with closing(Database(database_url)) as store:
        store.upgrade()
        with store.write() as connection:
            connection.execute(insert(schema.server_note).values(key=racers.COUNT, value="0"))
            for name in "ABCDEFGH":
                connection.execute(insert(schema.booth).values(id=name, name=f"Booth {name}", key=b"", enrolled=0.0))
        Facts(store, Bell()).prepare()
        yield store


def together(others, work, *arguments):
    """Both processes at it, with an argument of its own each; what comes of it, not waited for."""
    return [others.submit(work, *own) for own in arguments]


def counted(store):
    with store.read() as connection:
        return int(
            connection.scalar(chosen(schema.server_note.c.value).where(schema.server_note.c.key == racers.COUNT))
        )


def test_two_hundred_increments_by_two_processes_are_two_hundred(store, database_url, others):
    for done in together(others, racers.increments, *[(database_url, 4, 25, True)] * 2):
        done.result(PATIENCE)
    assert counted(store) == 200


def test_whoever_does_not_write_alone_loses_some(postgresql, others):
    """What the lock is for, or the test before would pass without it."""
    url = postgresql.new()
    with closing(Database(url)) as store:
        with store.write() as connection:
            connection.execute(insert(schema.server_note).values(key=racers.COUNT, value="0"))
        for done in together(others, racers.increments, *[(url, 4, 25, False)] * 2):
            done.result(PATIENCE)
        assert counted(store) < 200
    postgresql.drop(url)


@pytest.mark.parametrize("each", [75, pytest.param(1500, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_a_reader_misses_no_fact_of_two_processes(store, database_url, others, each):
    """Readers go on from the last number that they saw, as booths do, while 8 threads in two processes write."""
    writing = together(others, racers.tell, (database_url, "A", 4, each), (database_url, "B", 4, each))
    written, log = threading.Event(), Facts(store, Bell())

    def follow(_):
        found, cursor, last = [], "", False
        while not last:
            last = written.is_set()  # before the look, which then sees all
            while (news := log.after(cursor)).facts:
                found += [json.loads(bytes(raw))["id"] for raw in news.facts]
                cursor = news.cursor
        return found

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(follow, number) for number in range(2)]
        told = {name for done in writing for name in done.result(14 * PATIENCE)}
        written.set()
        found = [one.result(PATIENCE) for one in readers]
    assert len(told) == 8 * each
    for heard in found:
        assert len(told - set(heard)) == 0
        assert len(heard) == len(told)
    print(f"{len(told)} facts of two processes, missed by two readers: 0")


@pytest.mark.parametrize("numbers", [25, pytest.param(500, marks=pytest.mark.soak)])
def test_of_eight_booths_at_two_processes_one_gets_each_number(store, database_url, others, numbers):
    wanted = [f"+8131234{number:04}" for number in range(numbers)]
    racing = together(others, racers.claims, (database_url, "ABCD", wanted), (database_url, "EFGH", wanted))
    won = [number for done in racing for numbers in done.result(PATIENCE) for number in numbers]
    assert sorted(won) == wanted
    with store.read() as connection:
        assert connection.scalar(chosen(func.max(schema.claim.c.fence))) == 1


# Servers of several processes


OPTIONS = ("--processes", "2", "--announce")


class Pair:
    """A server of two processes that is a process of its own."""

    def __init__(self, directory, url):
        self.directory, self.url = directory, url
        parts.make(directory)
        shared = {} if url.startswith("sqlite") else {environment.DATABASE: url}
        words = {name: word for name, word in os.environ.items() if name != environment.DATABASE} | shared
        places = ["--api", "127.0.0.1:0", "--pages", "127.0.0.1:0"]
        self.log = directory.parent / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "provisioning.cli", "server", "run", "--data", directory, *places, *OPTIONS],
                env=words,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert select.select([self.process.stdout], [], [], PATIENCE)[0], self.text()
        self.told = json.loads(self.process.stdout.readline())
        self.store = Database(url)

    def token(self, name):
        """The enrolment string for a new booth."""
        with self.store.write() as connection:
            secret = tokens.new(connection, name, time.time())
        return tokens.text(secret, self.told["api"], tls.pins(self.directory))

    def workers(self):
        """The numbers of those that serve, or are about to."""
        kept = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(number) for number in kept.split()}

    def text(self):
        return self.log.read_text(errors="replace")

    def end(self):
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.store.close()
        return code


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def pair(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp(request.param) / "server"
    url = f"sqlite:///{directory / environment.FILE}"
    pair = Pair(directory, request.getfixturevalue("postgresql").new() if request.param == "postgresql" else url)
    yield pair
    assert pair.end() == 0
    assert "Traceback" not in pair.text()
    assert "Fatal" not in pair.text()


@pytest.fixture(scope="module")
def booths(pair, phone):
    """As many as a test needs at most."""
    made = [phone(pair.token(f"Booth {number}")) for number in range(8)]
    for one in made:
        assert one.enrol().status == 200
    return made


_beginnings = itertools.count(1)  # of counters: lines of one booth never meet


@pytest.fixture
def lines(booths, tmp_path):
    """Connections that are kept, as a real booth has them; which process it came to is known by its nonce."""
    made = []

    def open_one(booth=0, unlike=()):
        """Of a booth; to another process than those."""
        one = booths[booth]
        while True:
            channel = Channel(one.token.url, one.token.pin.split(","), PATIENCE)
            made.append(channel)
            beginning = next(_beginnings)
            (tmp_path / f"{beginning}").write_text(f"{beginning}000000")
            link = Link(channel, one.id, one.key, Counter(tmp_path / f"{beginning}"))
            link.greet()
            if link._nonce not in [other._nonce for other in unlike]:
                return link
            threading.Event().wait(0.05)  # the other process may be just beginning

    yield open_one
    for channel in made:
        channel.close()


def tell(link, *facts):
    raws = tuple(msgspec.Raw(json.dumps(fact).encode()) for fact in facts)
    return link.post(wire.FACTS, wire.Facts(facts=raws), wire.Taken)


def latest(link):
    cursor = ""
    while (news := link.get(f"{wire.FACTS}?cursor={cursor}", wire.News)).facts:
        cursor = news.cursor
    return news.cursor


@contextmanager
def waiting(link):
    """A long-poll that is under way when the block begins; what it heard, and when."""
    cursor = latest(link)
    lists = link.get(wire.LISTS, wire.Lists).tag
    heard = {}

    def listen():
        heard["news"] = link.get(f"{wire.FACTS}?cursor={cursor}&lists={lists}&wait=50", wire.News, wait=50)
        heard["at"] = time.monotonic()

    thread = threading.Thread(target=listen)
    thread.start()
    yield heard
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_what_one_process_is_told_is_heard_at_the_other(lines):
    here = lines(0)
    there = lines(1, unlike=[here])
    fact = racers.fact()
    with waiting(there) as heard:
        begun = time.monotonic()
        tell(here, fact)
    assert [json.loads(bytes(raw))["id"] for raw in heard["news"].facts] == [fact["id"]]
    print(f"heard at the other process after {1000 * (heard['at'] - begun):.0f} ms")
    assert heard["at"] - begun < 10  # and not at the long-poll's own end


def test_a_fact_of_which_no_hint_came_is_heard_all_the_same(pair, lines):
    """Written by somebody who rings no bell, as by a process that died between its commit and its word."""
    there, fact = lines(0), racers.fact()
    with waiting(there) as heard:
        begun = time.monotonic()
        Facts(pair.store, Bell()).take(there._booth, [json.dumps(fact).encode()])
    assert [json.loads(bytes(raw))["id"] for raw in heard["news"].facts] == [fact["id"]]
    assert heard["at"] - begun < 20


def test_a_list_that_another_process_hands_out_is_heard(pair, lines, booths):
    there, name = lines(2), str(uuid.uuid4())
    with waiting(there) as heard, pair.store.write() as connection:
        row = {"id": name, "name": name, "revision": 1, "created": 0.0}
        connection.execute(insert(schema.call_list).values(row))
        connection.execute(insert(schema.assignment).values(list=name, booth=booths[2].id))
    assert heard["news"].lists == there.get(wire.LISTS, wire.Lists).tag


def test_booths_that_race_at_two_processes_never_both_win(lines):
    first = lines(0)
    links = [first, lines(1, unlike=[first]), *[lines(number) for number in range(2, 8)]]
    numbers = [f"+8131234{number:04}" for number in range(15)]

    def race(link):
        wishes = [wire.Claim(number=number, seconds=600) for number in numbers]
        return [link.post(wire.CLAIMS, wish, wire.Claimed).granted for wish in wishes]

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(race, links))
    assert [sum(those) for those in zip(*won, strict=True)] == [1] * len(numbers)


def test_a_request_that_was_signed_for_one_process_is_good_once_and_there_alone(lines, booths):
    here = lines(0)
    there = lines(0, unlike=[here])
    headers = booths[0].signed("GET", wire.LISTS, counter=here._counter.next(), nonce=here._nonce)
    answers = [link.channel.exchange("GET", wire.LISTS, b"", headers) for link in (here, here, there)]
    assert [answer.status for answer in answers] == [200, 401, 401]
    errors = [wire.decode(bytes(answer.body), wire.Refusal).error for answer in answers[1:]]
    assert errors == ["counter", "nonce"]


def test_a_log_in_holds_at_every_process_and_tries_are_counted_together(pair):
    with pair.store.write() as connection:
        row = {"name": "tanaka", "password": passwords.hashed("correct horse"), "language": "en", "created": 0.0}
        connection.execute(insert(schema.administrator).values(row))

    def ask(method, path, **more):
        """On a connection of its own: whichever process takes it."""
        with httpx.Client(base_url=pair.told["pages"], cookies=jar) as one:
            answer = one.request(method, path, **more)
            jar.update(one.cookies)
            return answer

    def log_in(password):
        form = ask("GET", "/log-in").text
        csrf = form.partition('name="csrf" value="')[2].partition('"')[0]
        return ask("POST", "/log-in", data={"csrf": csrf, "name": "tanaka", "password": password, "next": "/booths"})

    jar = httpx.Cookies()
    assert log_in("correct horse").status_code == 303
    assert [ask("GET", "/booths").status_code for _ in range(8)] == [200] * 8
    jar = httpx.Cookies()
    assert [log_in("wrong").status_code for _ in range(6)] == [403] * 5 + [429]


class Crowd:
    """Booths that tell facts without a pause while something happens to the server."""

    def __init__(self, links):
        self.over, self.acknowledged, self.failed = threading.Event(), [], []
        self._pool = ThreadPoolExecutor(len(links))
        self._done = [self._pool.submit(self._work, link) for link in links]

    def _work(self, link):
        while not self.over.is_set():
            fact = racers.fact()
            try:
                assert tell(link, fact).refused == {}
                self.acknowledged.append(fact["id"])
            except SyncError as problem:
                self.failed.append(problem)
            self.over.wait(0.02)  # the others want the processor, too

    def stop(self):
        self.over.set()
        for done in self._done:
            done.result(PATIENCE)
        self._pool.shutdown()


@contextmanager
def working(lines):
    crowd = Crowd([lines(number) for number in range(6)])
    try:
        wait_for(lambda: len(crowd.acknowledged) > 5)
        yield crowd
        more = len(crowd.acknowledged) + 20
        wait_for(lambda: len(crowd.acknowledged) > more)
    finally:
        crowd.stop()


def all_there(pair, crowd):
    with pair.store.read() as connection:
        rows = list(connection.scalars(chosen(schema.fact.c.id)))
    assert set(crowd.acknowledged) <= set(rows)


def test_new_processes_take_over_and_nobody_is_refused(pair, lines):
    before = pair.workers()
    with waiting(lines(7)) as heard, working(lines) as crowd:
        pair.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(now := pair.workers()) == 2 and not now & before)
    assert crowd.failed == []
    assert not heard["news"].reset
    all_there(pair, crowd)
    print(f"{len(crowd.acknowledged)} facts told during a graceful restart, none refused")


def test_a_process_that_dies_is_replaced_and_what_it_said_holds(pair, lines):
    before = pair.workers()
    victim = min(before)
    with working(lines) as crowd:
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: len(now := pair.workers()) == 2 and victim not in now)
    assert len(crowd.failed) <= 12  # those at the dead one, and hardly anybody else
    all_there(pair, crowd)
    lines(1, unlike=[lines(0)])  # the new one serves


@pytest.mark.soak
def test_a_process_that_says_nothing_any_more_is_replaced(pair, lines):
    before = pair.workers()
    stuck = max(before)
    os.kill(stuck, signal.SIGSTOP)
    ends, pause = time.monotonic() + 4 * PATIENCE, threading.Event()
    while stuck in (now := pair.workers()) or len(now) < 2:
        assert time.monotonic() < ends
        pause.wait(0.2)
    lines(1, unlike=[lines(0)])


def test_a_new_process_that_cannot_begin_leaves_the_old_ones_at_work(pair, lines):
    if not pair.store.sqlite:
        pytest.skip("the same on every engine")
    before, said = pair.workers(), len(pair.text())
    certificate = pair.directory / tls.CERTIFICATE
    away = certificate.rename(certificate.with_suffix(".away"))
    try:
        pair.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "goes on" in pair.text()[said:])
        wait_for(lambda: pair.workers() == before)
    finally:
        away.rename(certificate)
    assert lines(0).get(wire.LISTS, wire.Lists).lists == ()


def test_a_database_that_cuts_every_connection_is_found_again(pair, lines):
    if pair.store.sqlite:
        pytest.skip("SQLite has no connections that somebody could cut")
    here = lines(0)
    there = lines(1, unlike=[here])
    with psycopg.connect(pair.url.replace("+psycopg", ""), autocommit=True) as connection:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        assert len(connection.execute(cut).fetchall()) > 2  # among them those who listen
    fact = racers.fact()
    with waiting(there) as heard:
        tell(here, fact)
    assert [json.loads(bytes(raw))["id"] for raw in heard["news"].facts] == [fact["id"]]


# Servers on several machines


@pytest.fixture
def machines(postgresql, tmp_path, monkeypatch):
    """Starts servers with directories of their own on one database; the second has a copy of the first one's keys."""
    url = postgresql.new()
    monkeypatch.setenv(environment.DATABASE, url)
    started = []

    def start(name, keys_of=None):
        if keys_of is not None:
            shutil.copytree(tmp_path / keys_of, tmp_path / name, ignore=shutil.ignore_patterns("incoming", "archive"))
        server = Server(tmp_path / name)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()
    postgresql.drop(url)


def test_servers_on_two_machines_are_one(machines, phone):
    first = machines("first")
    second = machines("second", keys_of="first")
    here = phone(first.new_token("Booth 1"))
    assert here.enrol().status == 200
    there = phone(second.new_token("not used"))
    there.id, there.key, there.counter = here.id, here.key, here.counter  # the same booth, at the other machine
    fact = racers.fact()
    cursor, heard = there.latest(), []
    listening = threading.Thread(target=lambda: heard.append(there.hear(cursor, wait=50)))
    listening.start()
    wait_for(lambda: second.parts.bell.audience(Topic.FACTS))
    here.tell(fact)
    listening.join(PATIENCE)
    assert [json.loads(bytes(raw))["id"] for raw in heard[0].facts] == [fact["id"]]
    assert here.post(wire.CLAIMS, wire.Claim(number="+81312345601"), wire.Claimed).granted
    other = phone(second.new_token("Booth 2"))
    assert other.enrol().status == 200
    assert not other.post(wire.CLAIMS, wire.Claim(number="+81312345601"), wire.Claimed).granted


def test_a_machine_with_other_keys_is_not_let_in(machines):
    machines("first")
    with pytest.raises(DatabaseAwayError, match="copy their keys"):
        machines("stranger")
    machines("second", keys_of="first")
