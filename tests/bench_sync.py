"""`make bench`, third part: from the end of a call to the supervisor who plays it, and to the next booth that knows.

Server and sync are processes of their own, as in an office; booth and emulated hardware run in this one.
"""

import argparse
import select
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from firmware import listfile
from firmware.callflow import State
from firmware.calls import Calls
from firmware.clock import Clock
from firmware.desk.office import SERVER, SYNC, Office
from firmware.desk.rig import Rig
from firmware.desk.running import RunningBooth

SAMPLE = Path(__file__).parents[1] / "firmware" / "desk" / "sample.ja.csv"
NUMBERS = [f"03123456{n:02}" for n in range(1, 60)]
PLAYABLE = "SELECT id FROM recording WHERE id = ? AND state = 'whole'"
KNOWN = "SELECT id FROM call WHERE id = ? AND result IS NOT NULL"
HEARD = "SELECT id FROM fact WHERE call = ? AND kind <> 'attempt'"


def tell(what, seconds, target=""):
    """One line of the report."""
    worst = sorted(seconds)[min(len(seconds) - 1, int(0.99 * len(seconds)))]
    print(f"{what:<52} median {1000 * statistics.median(seconds):6.0f} ms   p99 {1000 * worst:6.0f} ms   {target}")


def memory(pid):
    """Resident megabytes of a process, now and at most."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return tuple(int(status.split(f"{what}:")[1].split()[0]) / 1e3 for what in ("VmRSS", "VmHWM"))


def appears(file, question, *values, patience=60.0):
    """When a row was first seen in another process's database."""
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as books:
        ends = time.monotonic() + patience
        while books.execute(question, values).fetchone() is None:
            assert time.monotonic() < ends, question
            select.select([], [], [], 0.005)
    books.close()
    return time.monotonic()


class Bench:
    """An office with its booth, and a second booth that only listens."""

    def __init__(self, directory):
        self.card, self.other = directory / "card", directory / "other"
        for card in (self.card, self.other):
            card.mkdir()
        calls = Calls(self.card / "booth.db", "desk", Clock("system"))
        calls.add_list("bench", listfile.read(SAMPLE, "JP", "03").entries, sample=True)
        calls.close()
        self.office = Office(directory, self.card)
        self.office.prepare()
        self.office.open()
        self.listener = self._second_booth()
        self.rig = Rig(self.card)
        self.rig.recipients = self.office.recipients
        self.booth = RunningBooth(self.rig, self.rig.settings("246810"))
        self.at(State.LIST)

    def _second_booth(self):
        token = self.office._ask(SERVER, "token", "new", "second", "--url", self.office.cable.url).strip()
        run = [sys.executable, "-m", SYNC]
        subprocess.run([*run, "enrol", token, "--data", str(self.other)], check=True, capture_output=True)
        return subprocess.Popen([*run, "run", "--data", str(self.other)], stderr=subprocess.DEVNULL)

    def at(self, state, also=lambda _scene: True, patience=30.0):
        """Wait until the booth is there."""
        return self.booth.wait_for(state.name, lambda scene, _view: scene.state is state and also(scene), patience)

    def call(self, seconds):
        """One call that ends in a refusal: seconds from its end to playable, and from its result to both who hear."""
        self.rig.lift()
        self.rig.tap("A")
        call = self.at(State.TALKING, lambda scene: scene.body.seconds >= seconds).body.call.id
        ended = time.monotonic()
        self.rig.replace()
        playable = appears(self.office.server / "server.db", PLAYABLE, call) - ended
        self.at(State.WRAP_UP)
        self.rig.tap("7")
        self.at(State.WRAP_UP, lambda scene: scene.body.chosen is not None)
        keyed = time.monotonic()
        self.rig.tap("A")
        heard = appears(self.other / "booth.db", HEARD, call) - keyed
        known = appears(self.office.server / "server.db", KNOWN, call) - keyed
        self.at(State.PREVIEW)
        self.rig.tap("D")
        self.at(State.LIST)
        return playable, heard, known

    def close(self):
        """Put everything away."""
        self.booth.stop()
        self.rig.close()
        self.listener.terminate()
        self.listener.wait(20)
        self.office.close()


def main():
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=12)
    parser.add_argument("--talk", type=float, default=4.0, help="seconds of each call")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name))
        try:
            playable, heard, known = zip(*(bench.call(options.talk) for _ in range(options.calls)), strict=True)
            tell(f"call of {options.talk:.0f} s ends → plays on the server", playable)
            tell("refusal keyed → the next booth knows", heard, "target ≤ 1 s")
            tell("result keyed → the call stands on the server", known, "target ≤ 5 s")
            for what, pid in (
                ("sync", bench.office._children[SYNC].pid),
                ("sync of a booth that only listens", bench.listener.pid),
            ):
                now, most = memory(pid)
                print(f"{what}: {now:.0f} MB, at most {most:.0f} MB (target ≤ 40 MB)")
        finally:
            bench.close()


if __name__ == "__main__":
    main()
