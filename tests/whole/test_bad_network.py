"""The worst network there is, and a server that is killed in between: nothing lost, nothing doubled, no wrong byte."""

import contextlib
import hashlib
import json
import os
import random
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from provisioning.server import tokens
from provisioning.server.parts import DATABASE, RECORDINGS_KEY, make, open_database
from provisioning.server.tls import pins
from tests.whole.faults import Line

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

HERE = Path(__file__).parents[2]
VICTIM = Path(__file__).with_name("uplink_victim.py")
ENDLESS = "it never ended"
QUICK = 0.7  # seconds of patience: with the 15 of a booth ten thousand uploads would wait for hours


class Program:
    """The server in a process of its own, from the source in `source`; always at the same port."""

    def __init__(self, directory, source=HERE):
        self.directory, self.source, self.port, self.kills = directory, source, 0, Counter()
        make(directory)
        open_database(directory).close()
        began = time.monotonic()
        self.up()
        # As long as things take on this machine now: a booth that gives up too soon only makes more work.
        self.patience = min(max(QUICK, 0.4 * (time.monotonic() - began)), 6.0)

    @property
    def environment(self):
        return os.environ | {"PYTHONPATH": str(self.source)}

    def up(self):
        """Start it; returns when it listens."""
        words = ["--data", str(self.directory), "--api", f"127.0.0.1:{self.port}", "--pages", "127.0.0.1:0"]
        with (self.directory / "log").open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "provisioning.cli", "server", "run", "--announce", *words],
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.source,
                env=self.environment,
                start_new_session=True,
            )
        if not (said := self._child.stdout.readline()):
            self.end()
            raise AssertionError(self.log)
        self.port = int(json.loads(said)["api"].rpartition(":")[2])

    def kill(self):
        """All its processes, as a power cut does it; and start it again."""
        os.killpg(self._child.pid, signal.SIGKILL)
        self._let_go()
        self.kills["all"] += 1
        self.up()

    def kill_one(self):
        """Only a process that serves, as the kernel does it for want of memory; the first one replaces it by itself."""
        own = self._child.pid
        children = Path(f"/proc/{own}/task/{own}/children").read_text(encoding="ascii").split()
        if children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(children[0]), signal.SIGKILL)
                self.kills["one"] += 1

    def stop(self):
        """As an administrator does it."""
        self._child.send_signal(signal.SIGTERM)
        self._let_go()

    def end(self):
        """Whatever is left of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._let_go()

    def _let_go(self):
        self._child.wait(20)
        self._child.stdout.close()

    @property
    def log(self):
        return (self.directory / "log").read_text(encoding="utf-8")

    @property
    def recipient(self):
        return re.search("age1[0-9a-z]+", (self.directory / RECORDINGS_KEY).read_text(encoding="utf-8"))[0]

    def tokens(self, count):
        """What technicians bring to so many booths."""
        with closing(open_database(self.directory)) as database, database.write() as connection:
            secrets = [tokens.new(connection, f"Booth {number}", time.time()) for number in range(1, count + 1)]
        url = f"https://127.0.0.1:{self.port}"
        return [tokens.text(secret, url, pins(self.directory)) for secret in secrets]


class Floor:
    """All booths on a bad line, in two processes."""

    def __init__(self, directory, program, line, *, uploads, booths, seed, longest):
        self.cards = [directory / f"card{number}" for number in range(booths)]
        shares = [uploads // booths + (number < uploads % booths) for number in range(booths)]
        rows = [
            [str(card), token, seed * 1000 + number, share]
            for number, (card, token, share) in enumerate(zip(self.cards, program.tokens(booths), shares, strict=True))
        ]
        plan = {"line": line.url, "recipient": program.recipient, "patience": program.patience, "longest": longest}
        self.troubles = Counter()
        self._children = [
            subprocess.Popen(
                [sys.executable, str(VICTIM), json.dumps(plan | {"booths": rows[part::2]})],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=program.source,
                env=program.environment,
                text=True,
            )
            for part in range(2)
        ]

    @property
    def busy(self):
        return any(child.poll() is None for child in self._children)

    def end(self):
        """What is wrong with how the processes ended."""
        found = []
        for child in self._children:
            out, err = child.communicate(timeout=20)
            if child.returncode:
                found.append(f"a process of booths ended with {child.returncode}: {err}")
            else:
                self.troubles.update(json.loads(out.splitlines()[-1])["troubles"])
        return found

    def close(self):
        for child in self._children:
            if child.poll() is None:
                child.kill()
                child.communicate()


def caught(found):
    """What of all that was found is the build's fault, and not that of a machine with too much to do."""
    return [] if ENDLESS in found else [one for one in found if not one.startswith(("never happened", "a process"))]


def rows(file, question):
    """What is in an SQLite file."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as books:
        books.row_factory = sqlite3.Row
        return books.execute(question).fetchall()


def wrong(directory, cards):
    """Everything in which server and cards do not agree; the judge uses none of the code that it judges."""
    found = []
    database, archive = directory / DATABASE, directory / "archive"
    recordings = {row["id"]: row for row in rows(database, "SELECT * FROM recording")}
    calls = {row["id"]: row for row in rows(database, "SELECT * FROM call")}
    kept = {path.name for path in archive.iterdir()}
    ours, facts = set(), []
    for card in cards:
        books = card / "booth.db"
        if not books.exists():
            found.append(f"{card.name} never began")
            continue
        for row in rows(books, "SELECT id, version FROM call"):
            ours.add(row["id"])
            found += _wrong_call(row, calls.get(row["id"]))
        for file in (card / "recordings").iterdir():
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            found += _wrong_recording(file.stem, digest, recordings.get(file.stem), archive)
        found += [f"still in the outbox: {tuple(row)}" for row in rows(books, "SELECT kind, ref, version FROM outbox")]
        found += [
            f"upload {row['recording']}: {row['state']} {row['problem']}"
            for row in rows(books, "SELECT * FROM upload WHERE state <> 'synced'")
        ]
        facts += [row["id"] for row in rows(books, "SELECT id FROM fact WHERE boot IS NOT NULL")]
    if set(calls) != ours or set(recordings) != ours:
        found.append("the server has calls or recordings that no booth made, or lacks some")
    if kept != {f"{call}{end}" for call in ours for end in (".journal", ".opus")}:
        found.append("the archive holds something else than one journal and one Ogg Opus file for each call")
    if sorted(row["id"] for row in rows(database, "SELECT id FROM fact")) != sorted(facts):
        found.append("facts are lost or doubled")
    found += [f"left in incoming: {path.name}" for path in (directory / "incoming").iterdir()]
    return found


def _wrong_call(card, server):
    if server is None:
        return [f"call {card['id']} is not on the server"]
    told = json.loads(server["record"])["result"]
    if (server["version"], told["version"], told["code"]) != (card["version"], card["version"], server["result"]):
        return [f"call {card['id']}: result {server['version']} on the server, {card['version']} on the card"]
    return []


def _wrong_recording(name, digest, row, archive):
    if row is None:
        return [f"recording {name} is not on the server"]
    if (row["state"], row["sha256"], row["problem"]) != ("whole", digest, ""):
        return [f"recording {name}: {row['state']} {row['problem']}, digest right: {row['sha256'] == digest}"]
    with contextlib.suppress(FileNotFoundError):
        if hashlib.sha256((archive / f"{name}.journal").read_bytes()).hexdigest() == digest:
            return []
    return [f"recording {name}: other bytes in the archive, or none"]


def storm(directory, *, uploads, booths=6, kills=None, seed=1, source=HERE, lasts=240.0, longest=9, **line):
    """Send so many recordings through the worst; what is wrong then. `kills`: connections between two deaths of the server,
    at least and at most, and how often it dies.

    Should a kind of fault not have happened to them, more booths come, twice at most. Prints the figures.
    """
    began = time.monotonic()
    directory.mkdir(exist_ok=True)
    program = Program(directory / "server", source)
    network = Line(program.port, program.directory, seed, patience=program.patience, **line)
    fate, floors = Fate(program, kills, seed), []
    try:
        for turn in range(3):
            place = directory / f"floor{turn}"
            floors.append(
                Floor(place, program, network, uploads=uploads, booths=booths, seed=seed + 100 * turn, longest=longest)
            )
            found = brave(floors[-1], network, fate, began + lasts)
            network.settle()
            if found or not network.missing:
                break
        settled(program.directory)
        program.stop()
        found += wrong(program.directory, [card for floor in floors for card in floor.cards])
        # No fault here changes a byte: whoever has to begin anew has been sent, or has written, what was not meant.
        refused = network.statuses["PATCH 422"]
        found += [f"{refused} digests refused"] if refused > network.spoilt else []
        found += [f"a fault in the server: {line}" for line in program.log.splitlines() if "Traceback" in line]
        found += [f"a fault in the line: {fault}" for fault in network.own_faults]
        took, every = time.monotonic() - began, uploads * len(floors)
        print(
            f"\n{every} uploads by {booths * len(floors)} booths in {took:.0f} s ({every / took:.1f}/s),"
            f" server killed {dict(program.kills)}, {network.connections} connections,"
            f" {sum(network.happened.values())} faults {dict(network.happened)}, answers {dict(network.statuses)},"
            f" troubles of the booths {dict(floors[-1].troubles)}: wrong {len(found)}"
        )
        return found + [f"never happened: {kind}" for kind in network.missing]
    finally:
        for floor in floors:
            floor.close()
        network.close()
        program.end()


def brave(floor, network, fate, until):
    """Until all booths have delivered everything, while the server is killed; what is wrong with that already."""
    while floor.busy:
        if time.monotonic() > until:
            return [ENDLESS]
        fate.come(network.connections)
        select.select([], [], [], 0.02)
    return floor.end()


class Fate:
    """Kills the server."""

    def __init__(self, program, kills, seed):
        self._program, self._chance, self._kills = program, random.Random(seed), kills
        self._due = self._chance.randrange(*kills[:2]) if kills else float("inf")

    def come(self, connections):
        """With so many connections since the beginning."""
        if connections >= self._due and self._program.kills.total() < self._kills[2]:
            one = self._program.kills["all"] and self._chance.random() < 0.3
            (self._program.kill_one if one else self._program.kill)()
            self._due = connections + self._chance.randrange(*self._kills[:2])


def settled(directory, patience=30.0):
    """Wait until the server has opened all that it took: it goes on with that when nobody brings anything any more."""
    left, until = None, 0.0
    while names := list((directory / "incoming").iterdir()):
        if left is None or len(names) < left:
            left, until = len(names), time.monotonic() + patience
        if time.monotonic() > until:
            return
        select.select([], [], [], 0.05)


SAMPLE = {"uploads": 60, "kills": (15, 40, 2), "every": 30_000, "often": 0.3, "through": 1.0}


def test_every_fault_and_a_killed_server(tmp_path):
    """Each kind of fault at least once."""
    assert storm(tmp_path, **SAMPLE) == []


@pytest.fixture
def fast(tmp_path):
    """A directory in memory, where there is one: no power is cut here, and the disk would set the pace."""
    memory = Path("/dev/shm")
    place = memory / f"storm-{os.getpid()}" if os.access(memory, os.W_OK) else tmp_path
    place.mkdir(exist_ok=True)
    yield place
    shutil.rmtree(place)


@pytest.mark.soak
@pytest.mark.parametrize("kills", [None, (150, 500, 1000)], ids=["stands", "killed"])
def test_ten_thousand_uploads(fast, kills):
    assert storm(fast, uploads=10_000, booths=16, kills=kills, seed=2, lasts=3000.0, longest=60) == []


# Builds that are wrong in one place. A judge that does not see them is worthless.

OFFSET = ("if offset != size:", "if offset > size:")
APPEND = (
    "os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600",
    "os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600",
)
DIGEST = ("if found != portion.digest:", "if False:")
FORGETS = "        self._outbox.delivered(parcel, [ref for ref, _ in parcel.seals], {})\n"
SETTLES = "        if last:\n            with self._store.write() as db:\n                db.execute(_DONE, (reel.name, 0, ''))\n"
BROKEN = {
    "the server appends, and trusts the booth with the offset": {"provisioning/server/uploads.py": (OFFSET, APPEND)},
    "it does not look at the digest either": {
        "provisioning/server/uploads.py": (OFFSET, APPEND),
        "provisioning/server/recordings.py": (DIGEST,),
    },
    "an older record replaces a newer one": {
        "provisioning/server/calls.py": (("where=(new.version > call.c.version) | dated", "where=new.version >= 0"),)
    },
    "the outbox is emptied before the answer": {
        "firmware/syncing/uplink.py": (
            ("        try:\n            taken =", FORGETS + "        try:\n            taken ="),
        )
    },
    "an upload counts as done when it is sent": {
        "firmware/syncing/haul.py": (
            ("        self._there.pop(reel.name, None)  #", SETTLES + "        self._there.pop(reel.name, None)  #"),
            ("        if reel.name in self._synced or", "        if reel.name in _synced(self._store) or"),
        )
    },
}


def broken(place, changes):
    """A copy of the source, with these changes."""
    for room in ("firmware", "hw", "provisioning"):
        shutil.copytree(HERE / room, place / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name, edits in changes.items():
        file = place / name
        text = file.read_text(encoding="utf-8")
        for old, new in edits:
            assert text.count(old) == 1, f"{name} has changed: say anew how to break it"
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")
    return place


@pytest.mark.soak
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_build_is_caught(tmp_path, name):
    source = broken(tmp_path / "source", BROKEN[name])
    found = storm(tmp_path, **SAMPLE, source=source)
    print(caught(found)[:3])
    assert caught(found)


@pytest.mark.soak
def test_a_byte_that_rots_on_the_server(tmp_path):
    """It begins anew; whoever does not look at the digest keeps the wrong byte."""
    size = {"uploads": 24, "booths": 2, "spoil": 3, "often": 0.02, "through": 1.0}
    assert caught(storm(tmp_path / "right", **size)) == []
    source = broken(tmp_path / "source", {"provisioning/server/recordings.py": (DIGEST,)})
    assert caught(storm(tmp_path / "wrong", **size, source=source))


def test_the_broken_builds_can_still_be_made(tmp_path):
    for number, changes in enumerate(BROKEN.values()):
        broken(tmp_path / str(number), changes)
