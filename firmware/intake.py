"""How a register comes onto the disk: sorted in runs, merged, written beside the old one, put in its place at once."""

import fcntl
import hashlib
import os
import sqlite3
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, Literal

from firmware.store import CardError

RUN: Final = 250_000  # numbers sorted in memory at a time: some 20 MB
APPLICATION: Final = 0x424F5247  # "BORG", the booth's register: no other program's file is taken for one
PART: Final = ".part"
_AHEAD: Final = 1 << 16  # numbers of all runs together that the merge holds
_LEAST: Final = 512  # of each run, however many there are
_CODE: Final = "q"
_SIZE: Final = array(_CODE).itemsize

Step = Literal["read", "written"]
Watch = Callable[[Step, int], object]

_NUMBERS: Final = "CREATE TABLE number (number INTEGER PRIMARY KEY)"
_TITLE: Final = """
CREATE TABLE register (
    name TEXT NOT NULL, country TEXT NOT NULL, taken REAL NOT NULL, asof REAL NOT NULL, count INTEGER NOT NULL,
    digest TEXT NOT NULL
)"""


class Digest:
    """SHA-256 of a register's numbers in order: the same for every file and every booth that has the same numbers."""

    def __init__(self) -> None:
        self.count, self._sum = 0, hashlib.sha256()

    def add(self, numbers: list[int]) -> None:
        """The next numbers."""
        self.count += len(numbers)
        self._sum.update(array(_CODE, numbers).tobytes())

    def hex(self) -> str:
        """The sum so far."""
        return self._sum.hexdigest()


class Sorter:
    """Numbers in any order, given back in order and each once; at most `run` of them are in memory.

    What is more lies in a file without a name, which vanishes with us.
    """

    def __init__(self, directory: Path, run: int = RUN) -> None:
        self._run, self._held, self._runs, self._end = run, set[int](), list[tuple[int, int]](), 0
        self._spill = TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115 - closed by close()

    def add(self, numbers: Iterable[int]) -> None:
        """Some more numbers."""
        self._held.update(numbers)
        if len(self._held) >= self._run:
            self._spill_run()

    def _spill_run(self) -> None:
        rest = memoryview(array(_CODE, sorted(self._held)).tobytes())
        self._held.clear()
        start = self._end
        while rest:
            written = os.write(self._spill.fileno(), rest)
            self._end, rest = self._end + written, rest[written:]
        self._runs.append((start, self._end))

    def ordered(self) -> Iterator[list[int]]:
        """All numbers, some thousands at a time.

        Of each run the next few are held; whatever is not beyond the nearest end of those can have no smaller one after it.
        """
        if self._held:
            self._spill_run()
        few = max(_LEAST, _AHEAD // max(1, len(self._runs)))
        runs = [_Run(self._spill.fileno(), start, end, few) for start, end in self._runs]
        while runs := [run for run in runs if run.refill()]:
            bound = min(run.last for run in runs)
            due: list[int] = []
            for run in runs:
                due += run.until(bound)
            due.sort()  # sorted runs one after the other: these are merged, not sorted anew
            yield list(dict.fromkeys(due))

    @property
    def runs(self) -> int:
        """How many runs there are on the disk."""
        return len(self._runs)

    def close(self) -> None:
        """Let go of what lies on the disk."""
        self._spill.close()


class _Run:
    """One sorted run on the disk, without duplicates, read a few numbers at a time."""

    def __init__(self, file: int, start: int, end: int, few: int) -> None:
        self._file, self._next, self._end, self._few = file, start, end, few
        self._held = array(_CODE)

    def refill(self) -> bool:
        """Read on if all has been given; False when there is nothing left."""
        if not self._held and self._next < self._end:
            data = os.pread(self._file, min(self._few * _SIZE, self._end - self._next), self._next)
            if not data or len(data) % _SIZE:
                raise CardError("a sorted run on the disk has been cut short")
            self._held.frombytes(data)
            self._next += len(data)
        return bool(self._held)

    @property
    def last(self) -> int:
        """The greatest number held."""
        return self._held[-1]

    def until(self, bound: int) -> Sequence[int]:
        """The numbers held that are not beyond the bound; they are given once."""
        at = bisect_right(self._held, bound)
        due, self._held = self._held[:at], self._held[at:]
        return due


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Nobody else changes registers meanwhile; what a crash left of an earlier take is removed."""
    directory.mkdir(parents=True, exist_ok=True)
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CardError("another `booth register` is changing the registers: wait until it has ended") from None
        for stale in directory.glob(f"*{PART}*"):
            stale.unlink()
        yield
        os.fsync(file)
    finally:
        os.close(file)


def write(
    path: Path, numbers: Iterable[list[int]], *, name: str, country: str, taken: float, asof: float, watch: Watch
) -> None:
    """Put a register of these numbers in the place of the old one; raises CardError and leaves the old one."""
    part = path.with_name(path.name + PART)
    digest = Digest()
    try:
        with closing(_new(part)) as db, db:
            for some in numbers:
                db.executemany("INSERT INTO number VALUES (?)", zip(some, strict=True))
                digest.add(some)
                watch("written", digest.count)
            row = (name, country, taken, asof, digest.count, digest.hex())
            db.execute("INSERT INTO register VALUES (?, ?, ?, ?, ?, ?)", row)
        _flush(part)
        part.replace(path)
    except (sqlite3.DatabaseError, OSError) as problem:
        part.unlink(missing_ok=True)
        raise CardError(f"the register {name} could not be written, nothing was changed: {problem}") from problem


def _new(part: Path) -> sqlite3.Connection:
    """An empty register. Without a journal: a half-written part is thrown away, not repaired."""
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    db = sqlite3.connect(part)
    for statement in (
        "PRAGMA journal_mode = OFF",
        "PRAGMA synchronous = OFF",
        "PRAGMA locking_mode = EXCLUSIVE",
        f"PRAGMA application_id = {APPLICATION}",
        _NUMBERS,
        _TITLE,
    ):
        db.execute(statement)
    return db


def _flush(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
