"""Whether SQLite's log may lack what somebody was told is safe.

Linux takes pages that it failed to write for written (see fsync(2)): the next fsync succeeds, and what is committed on top
of the missing pages is lost with them in a power cut. They are still in memory, so a checkpoint that begins the log anew
makes good for it; until then nobody may commit, of whichever process.
"""

import sqlite3
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

SUFFIX = "-doubt"  # of the file beside the database by which one process tells the others
AGAIN = 0.02  # seconds until a log that is kept busy is tried again


class Doubt:
    """Of one opening of the database at `path`. There is some at first: whether every fsync before succeeded nobody knows."""

    _failures: ClassVar[Counter[Path]] = Counter()  # of this process, whichever opening saw them

    def __init__(self, path: Path | str) -> None:
        self._path, self._told, self._log = Path(path), Path(f"{path}{SUFFIX}"), Path(f"{path}-wal")
        self._first = True
        self._good = 0  # the stamp of a mark that is made good for, and that the disk may not let go

    def __bool__(self) -> bool:
        return self._first or any(self._signs())

    def heard(self, problem: object) -> None:
        """Somebody failed with this; it may have been an fsync."""
        if getattr(problem, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_FSYNC:
            self._failures[self._path] += 1
            with suppress(OSError):  # the disk that failed may not take a name, either
                self._told.touch()

    def settle(self, connection: sqlite3.Connection, patience: float) -> None:
        """Before a write: if there is doubt have the log begin anew.

        Raises sqlite3.OperationalError where an fsync has failed and others keep the log busy for `patience` seconds.
        """
        ends = time.monotonic() + patience
        while self:
            signs = self._signs()
            if _begun_anew(connection):
                self._settled(signs)
                return
            if not any(signs):  # it was only caution
                return
            if time.monotonic() > ends:
                raise _busy()
            time.sleep(AGAIN)

    def check(self) -> None:
        """Before a commit: an fsync may have failed while the write waited for its turn. Raises sqlite3.OperationalError."""
        if any(self._signs()):
            raise _busy()

    def fold(self, connection: sqlite3.Connection, longest: int) -> None:
        """After a commit: have a log of more than `longest` bytes folded back. Never raises: what was committed is safe.

        SQLite would do it by itself, but within somebody's commit, and it keeps quiet about an fsync that fails there.
        """
        try:
            if self._log.stat().st_size > longest:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.DatabaseError as problem:
            self.heard(problem)
        except OSError:  # there is no log, or no disk
            return

    def _signs(self) -> tuple[int, int]:
        try:
            told = self._told.stat().st_mtime_ns
        except OSError:
            told = 0
        return self._failures[self._path], 0 if told == self._good else told

    def _settled(self, signs: tuple[int, int]) -> None:
        self._first = False
        if self._signs() == signs:  # else another has failed meanwhile
            self._failures.pop(self._path, None)
            self._good = signs[1]
            with suppress(OSError):
                self._told.unlink(missing_ok=True)


def fold_by_hand(connection: sqlite3.Connection, longest: int) -> None:
    """SQLite is to leave its log to `Doubt.fold`, and to give the room back that a long one took."""
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(f"PRAGMA journal_size_limit = {longest // 2}")


def _begun_anew(connection: sqlite3.Connection) -> bool:
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        busy: int = connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()[0]
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")
    return not busy


def _busy() -> sqlite3.OperationalError:
    problem = sqlite3.OperationalError(
        "the disk has failed, and its log has not begun anew yet: nothing can be made safe"
    )
    problem.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return problem
