"""`make bench`, fourth part: do-not-call registers of millions of numbers, beside the plain tool at the same work.

The file is made up anew each time: numbers of no country in particular, in random order, each once.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from firmware.registers import Registers

ROOT = Path(__file__).parents[1]
TAKER = ROOT / "tests" / "firmware" / "register_victim.py"
NAME, CODE, COUNTRY = "tps", "44", "GB"
LEAST, BEYOND = 10**9, 10**10  # ten digits behind the country's code
TABLE = "CREATE TABLE n (number INTEGER PRIMARY KEY)"


def tell(what, seconds, target=""):
    """One line of the report."""
    ordered = sorted(1e6 * one for one in seconds)
    worst = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    print(f"{what:<44} median {statistics.median(ordered):8.1f} µs   p99 {worst:8.1f} µs   {target}")


def register_file(path, count, seed=11):
    """Write so many numbers, one per line, and give some that are in the file and some that are not."""
    draw = np.random.default_rng(seed)
    step = (BEYOND - LEAST) // count
    numbers = LEAST + np.arange(count, dtype=np.int64) * step + draw.integers(0, step - 1, count)
    known = [int(number) for number in draw.choice(numbers, min(count, 20_000), replace=False)]
    draw.shuffle(numbers)
    with path.open("w", encoding="ascii") as file:
        for some in np.array_split(numbers, max(1, count // 100_000)):
            file.write("".join(f"0{number}\n" for number in some.tolist()))
    taken = set(known)
    absent = [number + 1 for number in known if number + 1 not in taken]  # a step is never used up to its end
    return known, absent


def register_taken(directory, file):
    """Seconds and peak bytes of one take, in a process of its own."""
    began = time.perf_counter()
    told = subprocess.run(
        [sys.executable, str(TAKER), str(directory), str(file), "--country", COUNTRY],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, said = time.perf_counter() - began, json.loads(told.stdout)
    return seconds, said["count"], said["peak"]


def plainly_imported(directory, file, *, ordered=False):
    """Seconds and bytes on disk of `sqlite3`'s own import of the same file into an indexed table."""
    database = directory / "plain.db"
    database.unlink(missing_ok=True)
    source = f'"|sort -u {file}"' if ordered else str(file)
    words = ["sqlite3", str(database), TABLE, ".mode csv", f".import {source} n"]
    began = time.perf_counter()
    subprocess.run(words, env={**os.environ, "LC_ALL": "C"}, check=True)
    seconds, size = time.perf_counter() - began, database.stat().st_size
    database.unlink()
    return seconds, size


def register_lookups(directory, numbers, expected):
    """Seconds of each question when it is asked again, so that the system has the file in memory."""
    took = []
    with closing(Registers(directory)) as registers:
        for number in [*numbers, *numbers]:
            key = f"+{CODE}{number}"
            began = time.perf_counter()
            listed = registers.listed(key, (NAME,))
            took.append(time.perf_counter() - began)
            assert listed == expected
    return took[len(numbers) :]


def register_lookups_cold(directory, numbers, expected):
    """Seconds of each question to a register that was just opened, nothing of it being in memory."""
    took, path = [], directory / "registers" / f"{NAME}.db"
    file = os.open(path, os.O_RDONLY)
    for number in numbers:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        with closing(Registers(directory)) as registers:
            began = time.perf_counter()
            listed = registers.listed(f"+{CODE}{number}", (NAME,))
            took.append(time.perf_counter() - began)
        assert listed == expected
    os.close(file)
    return took


def register_report(directory, count):
    """Everything about registers, printed; and what a test may look at."""
    file = directory / "register.txt"
    known, absent = register_file(file, count)
    seconds, taken, peak = register_taken(directory, file)
    assert taken == count
    size = (directory / "registers" / f"{NAME}.db").stat().st_size
    print(
        f"register of {count:,} numbers taken in: {seconds:.1f} s, {count / seconds:,.0f} rows/s, at most {peak / 1e6:.0f} MB"
    )
    print(f"  on disk {size / 1e6:.1f} MB, {size / count:.1f} bytes each")
    plain, plain_size = plainly_imported(directory, file)
    print(
        f"  sqlite3 .import of the same file: {plain:.1f} s, {count / plain:,.0f} rows/s,"
        f" on disk {plain_size / 1e6:.1f} MB: the take is {plain / seconds:.2f} times as fast"
    )
    sorting, _ = plainly_imported(directory, file, ordered=True)
    print(f"  sort -u, then sqlite3 .import: {sorting:.1f} s: the take is {sorting / seconds:.2f} times as fast")
    warm = register_lookups(directory, known, (NAME,)), register_lookups(directory, absent, ())
    tell("register asked, the number is in it", warm[0], "target p99 < 100 µs")
    tell("register asked, the number is not in it", warm[1], "target p99 < 100 µs")
    some = random.Random(3).sample(known, min(len(known), 300))
    cold = register_lookups_cold(directory, some, (NAME,))
    tell("  just opened, nothing of it in memory", cold, "target p99: a few ms")
    return {"size": size, "peak": peak, "warm": warm, "cold": cold}


def main():
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", type=int, default=10_000_000, help="numbers of the register")
    options = parser.parse_args()
    if not shutil.which("sqlite3"):
        sys.exit("sqlite3 is missing: `make test` installs it")
    build = ROOT / "build"  # on a disk: what lies in memory cannot be cold
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as name:
        register_report(Path(name), options.numbers)


if __name__ == "__main__":
    main()
