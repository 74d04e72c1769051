"""`make bench`, the card: what booth and sync write to it in an hour of talk, and how much memory both take together.

Booth, sync, server and modem are processes of their own. The shim of tests/crash stands between booth and sync and their
files and keeps a log of every write and of every wait for the disk; the disk itself is not waited for. Two calls, a short
and a long one, tell what talk costs and what a call costs besides; what is counted of each lasts from the handset's being
lifted until the server has all of it and the booth has put its books in order. Keys, hook, screen and handset are emulated
within the booth's process, and are in its memory.

Not seen is what SQLite maps into memory (booth.db-shm), and what a file system writes for itself: played back on ext4, each
fsync of a recording brings another 20 kB or so of its journal to the card.
"""

import argparse
import json
import os
import select
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from tests.crash import shim
from tests.crash.shim import Op, Page

# What booth and sync do not need is imported where it is used: it would count as theirs.

SAMPLE = Path(__file__).parents[1] / "firmware" / "desk" / "sample.ja.csv"
PATIENCE = 90.0  # seconds for whatever another process is to do
QUIET = 2.0  # seconds in which nobody writes anything: all is done
LOOK = 1.0  # seconds between two looks at memory, and of the booth for what the server has: in an office a minute
WARM = 4.0  # seconds of a first call, which is not counted: tables are made and pages come into memory
LONGER = 3  # times as long as the short call is the long one
PAGE, HOUR = 4096, 3600.0
FRAME, SEGMENT = 0.02, 2.0  # seconds of a packet, and of what a recording's segment holds
KINDS = ("recordings", "booth.db-wal", "booth.db", "others")
MEASURES = ("bytes", "pages", "waits")
WAITS = {Op.SYNC, Op.SYNC_DIRECTORY}
OURS = ("booth", "sync")
TARGET = 120.0  # megabytes
TOLD = Page()  # the shim writes there for as long as its process lives


# The processes.


def be_modem(directory):
    """The network and the modem: somebody who answers and speaks, until standard input ends."""
    from firmware.desk.rig import Rig
    from hw.emulated.exchange import FarEnd
    from tests.bench import Prepared

    with Rig(directory) as rig:
        rig.exchange.default = FarEnd(voice=Prepared())
        print(json.dumps([rig.modem.at, rig.modem.pcm]), flush=True)
        sys.stdin.read()


def be_booth(card, log, at, audio, recipients):
    """The booth and its agent: a call of so many seconds for each line that comes in."""
    from firmware import retention
    from firmware.desk.ear import Window
    from firmware.desk.rig import Rig
    from firmware.desk.running import RunningBooth
    from hw.gsm import GsmLine
    from tests.bench import Prepared

    retention.LOOK = LOOK
    rig = Rig(card)
    rig.modem.unplug()
    rig.hardware, rig.recipients = replace(rig.hardware, line=GsmLine(at, audio)), tuple(recipients.split())
    rig.handset.voice = Prepared()
    rig.handset.join(Window(lambda: None))  # an ear without one keeps two minutes of what it heard
    shim.arm(card, log, TOLD)
    running = RunningBooth(rig, rig.settings())
    try:
        home(running)
        print(json.dumps("home"), flush=True)
        for line in sys.stdin:
            call(rig, running, float(line))
    finally:
        running.stop()
        rig.close()


def home(running):
    """Wait for the list."""
    running.wait_for("the list", lambda scene, _view: scene.state.name == "LIST", PATIENCE)


def call(rig, running, seconds):
    """Calls whoever is next on the list, talks, keys a result and goes home; says so when the talk begins and when all is over."""

    def at(state, also=lambda _scene: True):
        return running.wait_for(
            state, lambda scene, _view: scene.state.name == state and also(scene), PATIENCE + seconds
        )

    rig.lift()
    rig.tap("A")
    print(json.dumps(at("TALKING").body.call.id), flush=True)
    at("TALKING", lambda scene: scene.body.seconds >= seconds)
    rig.replace()
    at("WRAP_UP")
    rig.tap("7")
    at("WRAP_UP", lambda scene: scene.body.chosen is not None)
    rig.tap("A")
    at("PREVIEW")
    rig.tap("D")
    home(running)
    print(json.dumps("home"), flush=True)


def be_sync(card, log):
    """booth-sync."""
    from firmware import sync

    shim.arm(card, log, TOLD)
    return sync.main(["run", "--data", str(card)])


class Child:
    """This program again, as something else; it ends when its standard input does."""

    def __init__(self, role, *words, library=None):
        command = [sys.executable, "-m", "tests.bench_card", "--be", role, *map(str, words)]
        if role == "sync":  # which reads no input
            command[2:3] = ["firmware.desk.leash", "tests.bench_card"]
        env = os.environ | ({"LD_PRELOAD": str(library)} if library else {})
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.role = role

    def say(self, line):
        """One line to it."""
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hear(self, seconds=PATIENCE):
        """The line it says within so many seconds; None if it says nothing."""
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return None
        line = self.process.stdout.readline()
        return json.loads(line) if line else sys.exit(f"{self.role} has died")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.stdout.close()


def memory(pid):
    """Megabytes resident, and the same with what processes share divided among them."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return tuple(int(text.split(f"{what}:")[1].split()[0]) / 1e3 for what in ("Rss", "Pss"))


# The log.


def kind(name):
    """Which of KINDS a file is."""
    return name if name in KINDS else "recordings" if name.startswith("recordings") else "others"


def tallied(entries, borders):
    """What was done between each two borders, which count entries: (kind, measure) → how much.

    A page that was written and not waited for before the border is taken to the disk by the kernel soon after.
    """
    found = []
    for start, end in borders:
        counts, dirty = Counter(), defaultdict(set)
        for entry in entries[start:end]:
            what = kind(entry.name)
            if entry.op is Op.WRITE:
                counts[what, "bytes"] += len(entry.data)
                last = entry.offset + len(entry.data) - 1
                dirty[what, entry.inode].update(range(entry.offset // PAGE, last // PAGE + 1))
            elif entry.op in WAITS:
                counts[what, "waits"] += 1
                counts[what, "pages"] += PAGE * len(dirty.pop((what, entry.inode), ()))
        for (what, _inode), pages in dirty.items():
            counts[what, "pages"] += PAGE * len(pages)
        found.append(counts)
    return found


class Bench:
    """A card with its booth and its sync, and their server."""

    def __init__(self, directory, stack):
        from firmware import listfile
        from firmware.calls import Calls
        from firmware.clock import Clock
        from provisioning import keys
        from provisioning.server.parts import RECORDINGS_KEY
        from tests.bench_server import Central

        self.card = directory / "card"
        self.card.mkdir()
        self.logs = {who: directory / f"{who}.log" for who in OURS}
        self.central = Central(directory / "server")
        stack.callback(self.central.close)
        self.central.enrol(self.card)
        self._identities = keys.load(self.central.directory / RECORDINGS_KEY)
        with closing(Calls(self.card / "booth.db", "desk", Clock("system"))) as books:
            books.add_list("bench", listfile.read(SAMPLE, "JP", "03").entries, sample=True)
        recipients, library = " ".join(self.central.recipients()), shim.build(directory)
        modem = stack.enter_context(Child("modem", directory / "network"))
        line = modem.hear()
        self.children = {
            "sync": stack.enter_context(Child("sync", self.card, self.logs["sync"], library=library)),
            "booth": stack.enter_context(
                Child("booth", self.card, self.logs["booth"], *line, recipients, library=library)
            ),
        }
        self.booth = self.children["booth"]
        assert self.booth.hear() == "home", "the booth does not start"

    def call(self, seconds):
        """One call: where its part of each log begins and ends, its id, and what both had in memory while it lasted."""
        before, seen = self._lengths(), []
        self.booth.say(seconds)
        name = self.booth.hear()
        while (said := self.booth.hear(LOOK)) is None:
            seen.append({who: memory(child.process.pid) for who, child in self.children.items()})
        assert said == "home", said
        self._settle(name)
        after = self._lengths()
        return {who: (before[who], after[who]) for who in OURS}, name, seen

    def entries(self, who):
        """All that somebody has done so far."""
        return list(shim.entries(self.logs[who]))

    def opened(self, name):
        """A recording as those hear it who have the key."""
        from provisioning import recording

        return recording.load(self.card / "recordings" / f"{name}.journal", self._identities)

    def _lengths(self):
        return {who: len(self.entries(who)) for who in OURS}

    def _settle(self, name):
        """Until everybody knows all of a call, and nobody writes any more."""
        self._appears(
            self.central.directory / "server.db", "SELECT 1 FROM recording WHERE id = ? AND state = 'whole'", name
        )
        self._appears(
            self.central.directory / "server.db", "SELECT 1 FROM call WHERE id = ? AND result IS NOT NULL", name
        )
        self._appears(self.card / "booth.db", "SELECT 1 FROM delivered WHERE recording = ?", name)
        self._appears(self.card / "booth.db", "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM outbox)")
        before, still = self._lengths(), time.monotonic()
        while time.monotonic() < still + QUIET:
            select.select([], [], [], 0.1)
            if (now := self._lengths()) != before:
                before, still = now, time.monotonic()

    @staticmethod
    def _appears(file, question, *values):
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as books:
            ends = time.monotonic() + PATIENCE
            while books.execute(question, values).fetchone() is None:
                assert time.monotonic() < ends, question
                select.select([], [], [], 0.05)


# The report.


def derived(short, long, lengths):
    """What a second of talk costs and what a call costs besides, from two calls: the line through two points."""
    slope = {what: (long[what] - short[what]) / (lengths[1] - lengths[0]) for what in short.keys() | long.keys()}
    return slope, {what: short[what] - cost * lengths[0] for what, cost in slope.items()}


def packets(recording):
    """Bytes of the Opus packets of both ears."""
    return sum(map(len, recording.agent)) + sum(map(len, recording.customer))


def tell_card(counts, recordings, calls):
    """What an hour of talk brings to the card; `counts` is (who, kind, measure) → how much, for each of the two calls."""
    lengths = [len(recording.agent) * FRAME for recording in recordings]
    slope, fixed = derived(*counts, lengths)
    raw = HOUR * (packets(recordings[1]) - packets(recordings[0])) / (lengths[1] - lengths[0])
    print(f"the card, from calls with {lengths[0]:.0f} s and {lengths[1]:.0f} s of sound")
    print(f"  {'':<20}{'an hour of talk':>33}   {'and each call':>30}")
    print(f"  {'':<20}{'written':>12}{'in pages':>13}{'fsyncs':>8}   {'written':>11}{'in pages':>12}{'fsyncs':>7}")
    every = [(who, what) for who in OURS for what in KINDS]
    for words, parts in {
        **{f"{who}: {what}": [(who, what)] for who, what in every},
        **{f"{who}, all": [one for one in every if one[0] == who] for who in OURS},
        "both": every,
    }.items():
        talk, each = [HOUR * one for one in summed(slope, parts)], summed(fixed, parts)
        if any(talk) or any(each):
            print(
                f"  {words:<20}{talk[0] / 1e6:9.2f} MB{talk[1] / 1e6:10.2f} MB{talk[2]:8.0f}"
                f"   {each[0] / 1e3:8.1f} kB{each[1] / 1e3:9.1f} kB{each[2]:7.1f}"
            )
    print(f"  {'Opus packets alone':<20}{raw / 1e6:9.2f} MB")
    times = HOUR / (lengths[1] - lengths[0])
    print(f"  one page and one fsync more in either call make {times * PAGE / 1e6:.2f} MB and {times:.0f} in the hour")

    def an_hour(parts):
        both = zip(summed(slope, parts), summed(fixed, parts), strict=True)
        return [HOUR * talk + calls * each for talk, each in both]

    written, pages, waits = an_hour(every)
    print(
        f"an hour of talk in {calls:g} calls, the hour and {calls:g} times each call:"
        f" {written / 1e6:.1f} MB written, {written / raw:.2f}x the Opus packets, {pages / 1e6:.1f} MB in pages of 4 KiB,"
        f" {pages / raw:.2f}x; {waits:.0f} fsyncs, {waits / HOUR * SEGMENT:.2f} for each segment of {SEGMENT:g} s"
    )
    shares = {f"{who} {what}": 100 * an_hour([(who, what)])[2] / waits for who, what in every}
    ordered = sorted(shares.items(), key=lambda one: -one[1])
    print(
        f"  of the fsyncs: {', '.join(f'{words} {share:.0f} %' for words, share in ordered if share > 0)}", flush=True
    )


def summed(costs, parts):
    """Bytes, bytes in pages and fsyncs of some (who, kind) together."""
    return [sum(costs[*part, measure] for part in parts) for measure in MEASURES]


def tell_memory(seen):
    """The most that both had together."""
    most = max(seen, key=lambda one: sum(rss for rss, _pss in one.values()))
    (booth, shared_booth), (sync, shared_sync) = (most[who] for who in OURS)
    print(
        f"resident memory during the talk: booth {booth:.0f} MB + sync {sync:.0f} MB = {booth + sync:.0f} MB"
        f" (target ≤ {TARGET:.0f} MB); what processes here share divided among them:"
        f" {shared_booth:.0f} + {shared_sync:.0f} = {shared_booth + shared_sync:.0f} MB",
        flush=True,
    )


def measure(directory, options):
    """Three calls, of which two count."""
    with ExitStack() as stack:
        bench = Bench(directory, stack)
        bench.call(WARM)
        borders, names, seen = zip(
            *(bench.call(one) for one in (options.seconds / LONGER, options.seconds)), strict=True
        )
        counts = [{}, {}]
        for who in OURS:
            for part, counted in zip(tallied(bench.entries(who), [one[who] for one in borders]), counts, strict=True):
                counted |= {(who, what, measure): part[what, measure] for what in KINDS for measure in MEASURES}
        tell_card(counts, [bench.opened(name) for name in names], options.calls)
        tell_memory([*seen[0], *seen[1]])


ROLES = {"modem": be_modem, "booth": be_booth, "sync": be_sync}


def main(argv=None):
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=90.0, help="of the long call; the short one has a third of them"
    )
    parser.add_argument("--calls", type=float, default=20.0, help="in an hour of talk")
    parser.add_argument("--be", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.be:
        role, directory, *words = options.be
        return ROLES[role](Path(directory), *words)
    if shutil.which("gcc") is None:
        print("what reaches the card: not measured: apt-get install gcc libc6-dev")
        return 0
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
