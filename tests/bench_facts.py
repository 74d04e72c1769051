"""`make bench`, fifth part: the guard over millions of facts and a do-not-call register of millions, warm and cold.

Beside it, the same question as plain SQL over a well-indexed call log in the same run. Both are made up anew.
"""

import argparse
import os
import random
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from firmware import rulepack
from firmware.calls import Calls
from firmware.claims import Claims
from firmware.clock import Clock
from firmware.gate import Gate, Target
from firmware.known import Rules
from firmware.numbers import Kind, Number
from firmware.registers import Registers
from firmware.rulebook import InForce, Rulebook
from firmware.store import Store

NOW = datetime(2026, 3, 3, 3, tzinfo=UTC).timestamp()  # a Tuesday noon in Tokyo: every check is gone through
EACH = 4  # facts of one number, on average
REGISTER = "dnc"
PACK = rulepack.text_of("jp-sales") + f'\n[register]\nnames = ["{REGISTER}"]\nmax_age = "31d"\n'


def tell(what, seconds, target=""):
    """One line of the report."""
    ordered = sorted(1000 * one for one in seconds)
    worst = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    print(f"{what:<44} median {statistics.median(ordered):8.3f} ms   p99 {worst:8.3f} ms   {target}")


def key(place):
    """One of many numbers in a row, made up while this runs; nothing is dialled."""
    return f"+81{310_000_000 + place}"


def number(place):
    """It as the guard is asked about it."""
    return Number(key(place)[1:], key(place), key(place), Kind.ORDINARY)


def fill(path, count):
    """So many facts, in no order of numbers, as a booth's database holds them; bytes that they take."""
    Store(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        kept = db.execute(
            "SELECT name, type, sql FROM sqlite_master WHERE tbl_name = 'fact' AND type IN ('index', 'trigger') AND sql <> ''"
        ).fetchall()
        for name, kind, _sql in kept:
            db.execute(f"DROP {kind} {name}")
        before = path.stat().st_size
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA journal_mode = OFF")
        db.execute(_FILL, {"count": count, "numbers": count // EACH, "now": NOW})
        db.execute("PRAGMA cache_size = -500000")
        for _name, _kind, sql in kept:
            db.execute(sql)
        db.execute(_LOG)
        db.execute("CREATE INDEX call_log_number ON call_log (number, at)")
        log = db.execute("SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'call_log%'").fetchone()[0]
        db.execute("PRAGMA journal_mode = WAL")
    return path.stat().st_size - before - log


_FILL = """
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < :count)
INSERT INTO fact (id, kind, number, at, booth, agent, call, result, note)
SELECT
    printf('%08x-0000-4000-8000-%012x', n, n),
    CASE n % 16 WHEN 0 THEN 'refusal' WHEN 1 THEN 'counted' WHEN 2 THEN 'callback' WHEN 3 THEN 'contact'
        WHEN 4 THEN 'contact' WHEN 5 THEN 'contact' ELSE 'attempt' END,
    '+81' || (310000000 + (n * 2654435761) % :numbers),
    :now - (n % 400) * 21600.0 - 3600,
    n % 40, 'OP' || (n % 50),
    printf('%08x-0000-4000-9000-%012x', n, n),
    CASE n % 3 WHEN 0 THEN 'NOANS' WHEN 1 THEN 'ABS' END, ''
FROM n
"""
_LOG = """
CREATE TABLE call_log AS
SELECT number, at, kind = 'contact' AS answered, result, agent, booth FROM fact WHERE kind IN ('attempt', 'contact', 'refusal')
"""
_ASK = "SELECT at, answered, result, agent, booth FROM call_log WHERE number = ? ORDER BY at DESC"


def register(directory, count):
    """A register of so many numbers, as registers.py lays it down."""
    file = directory / "register.txt"
    with file.open("w", encoding="ascii") as lines:
        lines.writelines(f"{key(3 * place)}\n" for place in range(count))
    Registers(directory).take([file], REGISTER, "JP", NOW - 86400, lambda *_: None)
    file.unlink()


class Bench:
    """A gate over all of it."""

    def __init__(self, directory, facts, listed):
        self._path = directory / "booth.db"
        began = time.perf_counter()
        self.bytes = fill(self._path, facts)
        register(directory, listed)
        print(f"{facts:,} facts and {listed:,} numbers on a register made in {time.perf_counter() - began:.0f} s")
        clock = Clock("system", system=lambda: NOW)
        law = InForce(Rulebook(Rules(sample_allowed=True), (rulepack.parse(PACK),)))
        self.calls = Calls(self._path, "1", clock, law)
        self.registers = Registers(directory)
        self.gate = Gate(self.calls, clock, law, Claims(self.calls.store, clock, directory), self.registers)
        self._log = sqlite3.connect(self._path)
        self._files = [self._path, *(directory / "registers").glob("*.db")]
        self._numbers = facts // EACH
        self._draw = random.Random(5)

    def one(self):
        """A number that has facts."""
        return self._draw.randrange(self._numbers)

    def decided(self, target):
        """Seconds of one decision."""
        began = time.perf_counter()
        self.gate.decide(target)
        return time.perf_counter() - began

    def warm(self, count):
        """Seconds of the guard's decisions, and of the plain question about the same numbers."""
        ours, plain = [], []
        for place in [self.one() for _ in range(count)]:
            ours.append(self.decided(Target(number(place), None)))
            began = time.perf_counter()
            self._log.execute(_ASK, (key(place),)).fetchall()
            plain.append(time.perf_counter() - began)
        return ours, plain

    def cold(self, count):
        """The same with nothing in memory: neither SQLite's pages nor the kernel's."""
        ours, plain = [], []
        for place in [self.one() for _ in range(count)]:
            self.forget()
            ours.append(self.decided(Target(number(place), None)))
            self.forget()
            began = time.perf_counter()
            self._log.execute(_ASK, (key(place),)).fetchall()
            plain.append(time.perf_counter() - began)
        return ours, plain

    def forget(self):
        """Empty both caches of these files."""
        self.registers.close()
        self.calls.store.row("PRAGMA shrink_memory")
        self._log.execute("PRAGMA shrink_memory")
        for path in self._files:
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_bytes():
    """What this process has had read from the disk (Linux)."""
    told = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines())
    return int(told["read_bytes"])


def main():
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=10_000_000)
    parser.add_argument("--listed", type=int, default=10_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as directory:
        bench = Bench(Path(directory), options.facts, options.listed)
        print(f"bytes on disk per million facts: {bench.bytes / options.facts:,.1f} MB")
        bench.warm(500)
        ours, plain = bench.warm(5000)
        tell("guard, warm", ours, "(target p99 1 ms)")
        tell("  the plain SQL question", plain)
        print(f"  ratio of the medians {statistics.median(ours) / statistics.median(plain):.1f}")
        before = read_bytes()
        ours, plain = bench.cold(300)
        tell("guard, cold cache", ours, "(target p99 20 ms)")
        tell("  the plain SQL question, cold", plain)
        print(
            f"  ratio {statistics.median(ours) / statistics.median(plain):.1f}; {(read_bytes() - before) / 600e3:.0f} kB read each"
        )


if __name__ == "__main__":
    main()
