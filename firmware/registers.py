"""Do-not-call registers on the booth's disk: one SQLite file each, asked at every dial with one indexed read."""

import re
import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware import intake
from firmware.intake import Digest, Sorter, Step, Watch
from firmware.registerfile import E164, TOLD, Fault, RegisterFile, RegisterFileError
from firmware.store import CardError

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
DAY: Final = 86400.0
_FILE, _REMOVED = ".db", ".db.removed"
_AT_A_TIME: Final = 50_000  # numbers, when all of them are read to check them


class RegisterError(CardError):
    """A register cannot be asked. Whether it lists a number is then unknown, which is never "it does not"."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"the register {name} {what}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Register:
    """A register on the disk."""

    name: str
    asof: float  # the day its file was true, UTC seconds: what its age is counted from
    count: int
    taken: float = 0.0  # when it was taken in, UTC seconds
    country: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of taking in a file."""

    register: Register
    rows: int  # lines that were numbers
    faulty: int  # lines that were none
    faults: tuple[Fault, ...]  # the first of them

    @property
    def duplicates(self) -> int:
        """Lines whose number had stood before."""
        return self.rows - self.register.count


class Registers:
    """The registers of one booth, in `data/registers`. A register is replaced whole, and the next question sees the new one.

    May be used on any thread, by one at a time.
    """

    def __init__(self, data: Path) -> None:
        self._directory, self._books = data / "registers", dict[str, _Book]()

    def names(self) -> tuple[str, ...]:
        """The registers there are, broken ones too."""
        found = (path.name.removesuffix(_FILE) for path in self._directory.glob(f"*{_FILE}"))
        return tuple(sorted(name for name in found if NAME.fullmatch(name)))

    def known(self) -> tuple[Register, ...]:
        """Every register. Raises RegisterError if one of them cannot be asked."""
        return tuple(map(self.register, self.names()))

    def register(self, name: str) -> Register:
        """One register; raises RegisterError if it is not there or cannot be asked."""
        return self._there(name).register

    def listed(self, key: str, names: Collection[str]) -> tuple[str, ...]:
        """Those of the named registers that list the number; see `look_up`."""
        return tuple(register.name for register, listed in self.look_up(key, names) if listed)

    def look_up(self, key: str, names: Collection[str]) -> tuple[tuple[Register, bool], ...]:
        """Each of the named registers, and whether it lists the number (a Number.key): both of one and the same file.

        A number that is not E.164 (an emergency or service number) is in none. A register that is not on the booth is
        left out; one that cannot be asked raises RegisterError.
        """
        number = E164.fullmatch(key)
        books = [self._book(name) for name in dict.fromkeys(names)]
        return tuple(
            (book.register, number is not None and book.lists(int(number[1]))) for book in books if book is not None
        )

    def check(self, name: str) -> None:
        """Read all of a register: raises RegisterError unless it holds just what was taken in."""
        self._there(name).check()

    def take(
        self,
        files: Sequence[Path],
        name: str,
        country: str,
        asof: float,
        progress: Watch,
        *,
        run: int = intake.RUN,
    ) -> Taken:
        """Put the numbers of these files in the place of the register's old ones, whatever their order and size.

        `progress` is told the step and how many numbers it has come to. Raises RegisterFileError (the files are no
        register) and CardError; then nothing has changed.
        """
        path, now = self._path(name), time.time()
        if asof > now + DAY:
            raise RegisterFileError(
                "the register's date lies in the future: say --asof YYYY-MM-DD, and see to the clock"
            )
        with intake.alone(self._directory), closing(Sorter(self._directory, run)) as sorter:
            read = _read(files, country, sorter, progress)
            _refuse(read)
            intake.write(path, sorter.ordered(), name=name, country=country, taken=now, asof=asof, watch=progress)
        faults = tuple(fault for file in read for fault in file.faults)[:TOLD]
        return Taken(self.register(name), sum(file.good for file in read), sum(file.faulty for file in read), faults)

    def remove(self, name: str) -> None:
        """Put a register aside; `restore` brings it back. One that was put aside before is gone then."""
        path = self._path(name)
        with intake.alone(self._directory):
            if not path.exists():
                raise RegisterError(name, "is not on this booth")
            path.replace(self._directory / f"{name}{_REMOVED}")
        self._forget(name)

    def restore(self, name: str) -> Register:
        """Bring back a register that was put aside."""
        path, aside = self._path(name), self._directory / f"{name}{_REMOVED}"
        with intake.alone(self._directory):
            if path.exists():
                raise RegisterError(name, "is there already: only what was removed can be restored")
            if not aside.exists():
                raise RegisterError(name, "was not put aside on this booth")
            aside.replace(path)
        return self.register(name)

    def close(self) -> None:
        """Let go of the files."""
        for name in tuple(self._books):
            self._forget(name)

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise RegisterError(name, "has no possible name: up to 32 of a-z, 0-9 and hyphens, such as tps")
        return self._directory / f"{name}{_FILE}"

    def _forget(self, name: str) -> None:
        book = self._books.pop(name, None)
        if book is not None:
            book.close()

    def _there(self, name: str) -> "_Book":
        book = self._book(name)
        if book is None:
            raise RegisterError(name, "is not on this booth: take it in with `booth register take`")
        return book

    def _book(self, name: str) -> "_Book | None":
        """The register's file, opened anew when another has taken its place; None if it is not on the booth."""
        path, book = self._path(name), self._books.get(name)
        try:
            found = path.stat()
        except FileNotFoundError:
            self._forget(name)
            return None
        except OSError as problem:
            raise RegisterError(name, f"cannot be read ({problem.strerror}): {_MEND}") from problem
        seal = (found.st_ino, found.st_mtime_ns, found.st_size)
        if book is None or book.seal != seal:
            self._forget(name)
            book = self._books[name] = _Book(path, name, seal)
        return book


class _Book:
    """One register's file, open for reading. It never changes in place, so SQLite need not look whether it did."""

    def __init__(self, path: Path, name: str, seal: tuple[int, int, int]) -> None:
        self._name, self.seal = name, seal
        with self._blaming_the_register():
            self._db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
        try:
            with self._blaming_the_register():
                self.register = self._title()
        except RegisterError:
            self._db.close()
            raise

    def _title(self) -> Register:
        self._db.execute("PRAGMA cell_size_check = ON")
        if self._pragma("application_id") != intake.APPLICATION:
            raise RegisterError(self._name, f"is no register of ours: {_MEND}")
        if self._pragma("page_count") * self._pragma("page_size") != self.seal[2]:
            raise RegisterError(self._name, f"has been cut short: {_MEND}")
        row = self._db.execute("SELECT name, asof, count, taken, country, digest FROM register").fetchone()
        if row is None:
            raise RegisterError(self._name, f"was never finished: {_MEND}")
        return Register(self._name, *row[1:])

    def _pragma(self, name: str) -> int:
        return int(self._db.execute(f"PRAGMA {name}").fetchone()[0])

    def lists(self, digits: int) -> bool:
        """Whether the number is in it: one indexed read."""
        try:
            found = self._db.execute("SELECT 1 FROM number WHERE number = ?", (digits,)).fetchone()
        except sqlite3.DatabaseError as problem:
            raise self._broken(problem) from problem
        return found is not None

    def check(self) -> None:
        """Every number, against the digest of what was taken in."""
        digest = Digest()
        with self._blaming_the_register():
            rows = self._db.execute("SELECT number FROM number ORDER BY number")
            while some := rows.fetchmany(_AT_A_TIME):
                digest.add([number for (number,) in some])
        if (digest.count, digest.hex()) != (self.register.count, self.register.digest):
            raise RegisterError(self._name, f"does not hold what was taken in: {_MEND}")

    @contextmanager
    def _blaming_the_register(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as problem:
            raise self._broken(problem) from problem

    def _broken(self, problem: sqlite3.DatabaseError) -> RegisterError:
        return RegisterError(self._name, f"cannot be read ({problem}): {_MEND}")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


_MEND: Final = "take its file in anew with `booth register take`"


def _read(files: Sequence[Path], country: str, sorter: Sorter, progress: Watch) -> list[RegisterFile]:
    read: list[RegisterFile] = []
    step: Step = "read"
    for path in files:
        file = RegisterFile(path, country)
        read.append(file)
        for numbers in file.pieces():
            sorter.add(numbers)
            progress(step, sum(one.good for one in read))
    return read


def _refuse(read: Sequence[RegisterFile]) -> None:
    """Raise for what is no register: it would say of everybody that he may be called."""
    good, faulty = sum(file.good for file in read), sum(file.faulty for file in read)
    reasons = "".join(f"\n{fault.file} line {fault.line}: {fault.reason}" for file in read for fault in file.faults[:3])
    if not good:
        raise RegisterFileError(f"no line is a telephone number, so nothing was changed{reasons}")
    if faulty > good:
        raise RegisterFileError(
            f"{faulty:,} of {good + faulty:,} lines are no telephone numbers, so nothing was changed{reasons}"
        )
