"""`make bench`: how fast and how heavy the booth is, beside the raw operation, all in one run.

Everything runs in this one process, the emulated hardware too; processor time is therefore counted by thread, and the
memory shown is an upper bound for the booth alone.
"""

import argparse
import json
import os
import queue
import statistics
import tempfile
import threading
import time
from pathlib import Path

from gpiozero.pins.mock import MockFactory

from firmware import listfile, opus, rulepack
from firmware.callflow import State
from firmware.calls import Calls
from firmware.claims import Claims
from firmware.clock import Clock
from firmware.desk.rig import Rig
from firmware.desk.running import RunningBooth
from firmware.gate import Gate, Target
from firmware.known import Fact, FactKind, Rules
from firmware.registers import Registers
from firmware.rulebook import InForce, Rulebook
from hw.contracts import SILENCE
from hw.emulated.matrix import Matrix
from hw.emulated.speech import Speech
from hw.events import KeyPressed, KeyReleased
from hw.keypad import MatrixKeypad

SAMPLE = Path(__file__).parents[1] / "firmware" / "desk" / "sample.ja.csv"
FIRST = "0312345601"
OURS = ("booth", "display", "talkpath", "vault", "modem", "gsm", "line", "keypad", "hook", "pcm")
"""Threads of the booth itself; the others are the emulation's or this program's."""


def spread(seconds):
    """Median and 99th percentile in milliseconds."""
    ordered = sorted(1000 * one for one in seconds)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


def tell(what, seconds, target="", lost=0):
    """One line of the report."""
    if not seconds:
        print(f"{what:<44} not measured: other machines on this host had the processor all the time")
        return
    median, worst = spread(seconds)
    left_out = f" ({lost} left out: the host was busy)" if lost else ""
    print(f"{what:<44} median {median:8.3f} ms   p99 {worst:8.3f} ms   {target}{left_out}")


def stolen():
    """Hundredths of a second that other machines on this host have taken from us (Linux, /proc/stat)."""
    return int(Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=9)[8])


class Stopwatch:
    """Seconds of one thing done `count` times. A virtual machine's figures mean nothing while another one has the processor."""

    def __init__(self, count):
        self._count, self.kept, self.lost = count, [], 0

    def __iter__(self):
        """Turns, until there are enough that count."""
        while len(self.kept) < self._count and self.lost < 2 * self._count:
            self.begin()
            yield len(self.kept) + self.lost

    def begin(self):
        """What comes now is what counts."""
        self._before = stolen()

    def note(self, seconds):
        """What this turn took."""
        if stolen() == self._before:
            self.kept.append(seconds)
        else:
            self.lost += 1


def threads_time():
    """Processor seconds of each thread, by name."""
    spent = {}
    for thread in threading.enumerate():
        if thread.ident and thread.is_alive():
            used = time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
            spent[thread.name] = spent.get(thread.name, 0.0) + used
    return spent


def memory():
    """Resident megabytes of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Prepared:
    """A voice made beforehand: making it up is no work of the booth's, but its talk path would be charged with it."""

    def __init__(self):
        voice = Speech(7)
        self._frames = [voice.frame(n) for n in range(500)]

    def frame(self, n):
        """The n-th 20 ms."""
        return self._frames[n % len(self._frames)]


class Bench:
    """One booth on one rig."""

    def __init__(self, directory, rig=None):
        calls = Calls(directory / "booth.db", "desk", Clock("system"))
        calls.add_list("bench", listfile.read(SAMPLE, "JP", "03").entries, sample=True)
        calls.close()
        self.rig = rig or Rig(directory)
        self.booth = RunningBooth(self.rig, self.rig.settings("246810"))
        self.drawn, self.dialled = threading.Event(), threading.Event()
        self.drawn_at = self.dialled_at = 0.0
        self.rig.panel.watch(self._drawn)
        self.rig.modem.log(self._heard)
        self.at(State.LIST)

    def _drawn(self):
        self.drawn_at = time.monotonic()
        self.drawn.set()

    def _heard(self, line):
        if "ATD" in line and not self.dialled.is_set():
            self.dialled_at = time.monotonic()
            self.dialled.set()

    def at(self, state, also=lambda _scene: True, patience=30.0):
        """Wait until the booth is there."""
        return self.booth.wait_for(state.name, lambda scene, _view: scene.state is state and also(scene), patience)

    def keys_to_frames(self, count):
        """Seconds from a finger on a key to the frame on the panel, settled between strokes."""
        watch = Stopwatch(count)
        for stroke in watch:
            key = FIRST[stroke % 10]
            self.drawn.clear()
            watch.begin()
            began = time.monotonic()
            self.rig.press(key)
            assert self.drawn.wait(20)
            watch.note(self.drawn_at - began)
            self.rig.release(key)
            self._settle()
            if stroke % 10 == 9:
                self.rig.tap("D")
                self.at(State.LIST)
                self._settle()
        if self.booth.scene.state is State.KEYING:
            self.rig.tap("D")
        self.at(State.LIST)
        return watch

    def _settle(self):
        while self.drawn.wait(0.1):
            self.drawn.clear()

    def key_to_dial(self, count):
        """Seconds from the key A, as the keypad reports it, to `ATD` on the wire."""
        watch = Stopwatch(count)
        self.rig.lift()
        for _ in watch:
            for digit in FIRST:
                self.booth.booth.post(KeyPressed(digit))
            self.at(State.KEYING, lambda scene: scene.body.digits == FIRST)
            self._settle()  # a finger needs longer from one key to the next than a frame does
            self.dialled.clear()
            watch.begin()
            began = time.monotonic()
            self.booth.booth.post(KeyPressed("A"))
            assert self.dialled.wait(20)
            watch.note(self.dialled_at - began)
            self.booth.booth.post(KeyReleased("A"))
            self.at(State.TALKING)
            self.rig.tap("D")
            self.at(State.WRAP_UP)
            self.rig.advance(3 * 86400)
            self.rig.tap("5")
            self.rig.tap("A")
            self.at(State.PREVIEW)
            self.rig.tap("D")
            self.at(State.LIST)
        self.rig.replace()
        return watch

    def a_call(self, seconds):
        """Share of one core that each thread takes during a recorded call, and the talk path's counts."""
        self.rig.handset.voice = Prepared()
        self.rig.lift()
        self.rig.type(FIRST)
        self.rig.tap("A")
        self.at(State.TALKING)
        before, began = threads_time(), time.monotonic()
        self.at(State.TALKING, lambda scene: scene.body.seconds >= seconds, seconds + 10)
        lasted = time.monotonic() - began
        spent = {name: used - before.get(name, 0.0) for name, used in threads_time().items()}
        return {name: 100 * used / lasted for name, used in spent.items()}

    def close(self):
        """Put everything away."""
        self.booth.stop()
        self.rig.close()


def guard(count, directory):
    """Seconds for one decision with facts, beside one bare SQL question for the same facts."""
    clock = Clock("system")
    calls = Calls(directory / "guard.db", "desk", clock)
    entries = listfile.read(SAMPLE, "JP", "03").entries
    calls.add_list("guard", entries, sample=True)
    target = Target(entries[0].numbers[0], None)
    for number in range(20):
        calls.add_fact(
            Fact(f"00000000-0000-4000-8000-{number:012d}", FactKind.ATTEMPT, target.number.key, number * 9e4, "2", "07")
        )
    gate = Gate(
        calls,
        clock,
        InForce(Rulebook(Rules(sample_allowed=True), tuple(rulepack.shipped().values()))),
        Claims(calls.store, clock, directory),
        Registers(directory),
    )
    decided, asked = [], []
    for _ in range(count):
        began = time.perf_counter()
        gate.decide(target)
        decided.append(time.perf_counter() - began)
        began = time.perf_counter()
        calls.facts(target.number.key)
        asked.append(time.perf_counter() - began)
    calls.close()
    return decided, asked


def flushes(count, directory):
    """Seconds of one bare 4 KiB write with fdatasync on the same disk: a dial waits for at least one."""
    took = []
    with (directory / "flush").open("wb", buffering=0) as file:
        for _ in range(count):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return took


def debounce(count):
    """Seconds from a finger on a key to the keypad's report of it."""
    pins, took, reports = MockFactory(), [], queue.SimpleQueue()
    matrix = Matrix(pins, (5, 6, 13, 19), (12, 16, 20, 21))
    keypad = MatrixKeypad((5, 6, 13, 19), (12, 16, 20, 21), factory=pins)
    keypad.open(lambda event: reports.put((time.monotonic(), event)))
    for _ in range(count):
        began = time.monotonic()
        matrix.press("A", bounce=True)
        took.append(reports.get(timeout=2)[0] - began)
        matrix.release("A")
        reports.get(timeout=2)
    keypad.close()
    pins.close()
    return took


def encoders(seconds, frame=lambda _n: SILENCE):
    """Share of one core of two bare libopus encoders at the same work."""
    ears = (opus.Encoder(), opus.Encoder())
    began = time.process_time()
    for n in range(int(seconds * 50)):
        for ear in ears:
            ear.encode(frame(n))
    return 100 * (time.process_time() - began) / seconds


def main():
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--talk", type=float, default=20.0, help="seconds of recorded call to measure")
    parser.add_argument("--strokes", type=int, default=120, help="key strokes to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = options.directory = Path(name)
        decided, asked = guard(2000, directory)
        bench = Bench(directory)
        try:
            measure(bench, options, decided, asked)
        finally:
            bench.close()


def measure(bench, options, decided, asked):
    """The figures that need a running booth."""
    watch = bench.keys_to_frames(options.strokes)
    tell("key down → frame on the panel", watch.kept, "target p99 ≤ 50 ms", watch.lost)
    tell("finger on a bouncing key → report", debounce(options.strokes))
    watch = bench.key_to_dial(60)
    tell("key A reported → ATD on the wire", watch.kept, "target p99 ≤ 20 ms", watch.lost)
    tell("  one bare write with fdatasync, same disk", flushes(options.strokes, options.directory))
    tell("guard decision, 20 facts", decided)
    tell("  the bare SQL question for the same facts", asked, f"ratio {sum(decided) / sum(asked):.1f}")
    shares = bench.a_call(options.talk)
    ours = {name: share for name, share in shares.items() if name.lower().startswith(OURS)}
    total, bare = sum(ours.values()), encoders(options.talk)
    print(
        f"one recorded call: {total:.2f} % of a core (target ≤ 5 %), {total / bare:.1f}x two bare encoders on silence: {bare:.2f} %"
    )
    print(f"  by thread: {json.dumps({name: round(share, 2) for name, share in sorted(ours.items())})}")
    others = {name: round(share, 2) for name, share in sorted(shares.items()) if name not in ours}
    print(f"  the emulation and this program: {json.dumps(others)}")
    print(f"resident memory, emulation included: {memory():.0f} MB (target ≤ 90 MB for the booth)")


if __name__ == "__main__":
    main()
