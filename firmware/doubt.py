"""Whether SQLite's log may lack what somebody was told is safe.

Linux takes pages that it failed to write for written (see fsync(2)): the next fsync succeeds, and what is committed on top
of the missing pages is lost with them in a power cut. They are still in memory, so a checkpoint that begins the log anew
makes good for it; until then nobody may commit, of whichever process.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path

SUFFIX = "-doubt"  # of the file beside the database by which one process tells the others


class Doubt:
    """Of one opening of the database at `path`. There is some at first: whether every fsync before succeeded nobody knows."""

    def __init__(self, path: Path | str) -> None:
        self._told, self._own, self._heard = Path(f"{path}{SUFFIX}"), True, False

    def __bool__(self) -> bool:
        return self._own or self._grave

    @property
    def _grave(self) -> bool:
        return self._heard or self._told.exists()

    def heard(self, problem: object) -> None:
        """Somebody failed with this; it may have been an fsync."""
        if getattr(problem, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_FSYNC:
            self._own = self._heard = True
            with suppress(OSError):  # the disk that failed may not take a name, either
                self._told.touch()

    def settle(self, connection: sqlite3.Connection, patience: float) -> None:
        """Before a write: if there is doubt have the log begin anew.

        Raises sqlite3.OperationalError where an fsync has failed and readers keep the log for `patience` seconds.
        """
        if not self:
            return
        grave = self._grave
        (before,) = connection.execute("PRAGMA busy_timeout").fetchone()
        connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000) if grave else 0}")
        try:
            busy = connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()[0]
        finally:
            connection.execute(f"PRAGMA busy_timeout = {before}")
        if not busy:
            self._settled()
        elif grave:
            problem = sqlite3.OperationalError(
                "the disk failed, and its log is kept busy: nothing is safe to write now"
            )
            problem.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise problem

    def _settled(self) -> None:
        self._own = self._heard = False
        with suppress(OSError):
            self._told.unlink(missing_ok=True)
