"""The booth's database: one SQLite file in WAL mode that the phone and the sync process share."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib import resources
from pathlib import Path

from firmware.doubt import Doubt, fold_by_hand
from hw.errors import HardwareError

PATIENCE = 5.0  # seconds to wait for the other process; its transactions take milliseconds
CACHE = 1024  # KiB of pages in memory; the kernel has the others, and each program counts its own
# Bytes of log after which it is folded back behind a commit; `tidy` does it at a quiet moment long before, so that the two
# extra fsyncs do not stand between a key and its dial.
BACKSTOP = 16 * 1024 * 1024
_CARD = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_BUSY,
}
_MODES = ("wal", "memory")

Value = str | float | int | bytes | None


class CardError(HardwareError):
    """The card is full, read-only, broken or kept busy for too long: what was asked has not been written."""


class NewerDatabaseError(HardwareError):
    """The database was written by a newer program; this one must not touch it."""


class Store:
    """The file. Every write is one `BEGIN IMMEDIATE` transaction, on disk when `write` has ended.

    It may be opened on one thread and used on another, but by one at a time. `ailing` says that the card refused what was
    to be written last.
    """

    def __init__(self, path: Path | str, written: Callable[[], object] = lambda: None) -> None:
        """`written` is called after each durable transaction."""
        self._written, self.ailing = written, False
        self._doubt = Doubt(path)
        with _blaming_the_card():
            self._db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
            with ExitStack() as undo:
                undo.callback(self._db.close)
                self._prepare(str(path))
                undo.pop_all()

    def _prepare(self, path: str) -> None:
        newest = len(_steps())
        found = self._version()
        if found > newest:
            raise NewerDatabaseError(
                f"{path} is of version {found}, this program knows {newest}: install the newer program again"
            )
        if self._db.execute("PRAGMA journal_mode = WAL").fetchone()[0] not in _MODES:
            # SQLite keeps quiet about a card that failed just then, and in its old mode a power cut can undo a commit.
            raise CardError("the card does not take the database's log")
        # What a card failed to keep when it was asked to may be in the log's cached pages still: it is written once more.
        with suppress(CardError):  # a full card is read all the same
            self.tidy()
        self._db.execute(f"PRAGMA cache_size = -{CACHE}")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute("PRAGMA recursive_triggers = ON")  # REPLACE would else delete past the triggers
        fold_by_hand(self._db, BACKSTOP)
        if found < newest:
            self._upgrade()

    def _upgrade(self) -> None:
        with self.write() as db:
            for number, text in enumerate(_steps()[self._version() :], self._version() + 1):
                for statement in _statements(text):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {number}")

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is on the card when the block has ended, or none. Raises CardError.

        What is not durable costs no fsync: it survives our end, but a power cut only once something durable followed.
        """
        before = self._db.total_changes
        try:
            with _blaming_the_card():
                self._doubt.settle(self._db, PATIENCE)
                with self._transaction(durable=durable):
                    yield self._db
                self._doubt.fold(self._db, BACKSTOP)
        except CardError as problem:
            self.ailing = True
            self._doubt.heard(problem.__cause__)
            raise
        self.ailing = self.ailing and self._db.total_changes == before  # what wrote nothing tells nothing
        if durable:
            self._written()

    @contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[None]:
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._doubt.check()
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:  # it failed, and a full card has not rolled back by itself
                self._db.execute("ROLLBACK")

    def rows(self, question: str, *values: Value) -> list[sqlite3.Row]:
        """Every row of the answer. Raises CardError."""
        with _blaming_the_card():
            return self._db.execute(question, values).fetchall()

    def row(self, question: str, *values: Value) -> sqlite3.Row | None:
        """The first row of the answer."""
        with _blaming_the_card():
            answer: sqlite3.Row | None = self._db.execute(question, values).fetchone()
            return answer

    def tidy(self) -> None:
        """Fold the log back into the file; for a moment when nobody waits. Never waits for the other process."""
        try:
            with _blaming_the_card():
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except CardError as problem:
            self._doubt.heard(problem.__cause__)
            raise

    def freeze(self) -> None:
        """Take nothing any more: every write raises CardError from now on."""
        self._db.execute("PRAGMA query_only = ON")
        self.ailing = True

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


@contextmanager
def _blaming_the_card() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as problem:
        if getattr(problem, "sqlite_errorcode", 0) & 0xFF in _CARD:
            raise CardError(str(problem)) from problem
        raise


def _steps() -> Sequence[str]:
    """The numbered SQL files, oldest first."""
    folder = resources.files("firmware") / "schema"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text(encoding="utf-8") for name in names]


def _statements(text: str) -> Iterator[str]:
    """Statement by statement: sqlite3's executescript would commit behind our back."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
