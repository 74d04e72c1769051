"""The server's database: SQLite by default, PostgreSQL where an office has one. Blocking; call it off the event loop."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import ConnectionPoolEntry

PATIENCE = 10.0  # seconds to wait for another process's write, such as `token new`
CONNECTIONS = 8  # readers at once; the server's threads wait for each other beyond that
_SEQUENCER = 0x626F_6F74  # the advisory lock under which facts get their numbers
_WRITING = {"writing": True, "durable": True}


class Database:
    """The engine with all its settings, opened once for each process.

    Every write is one transaction that takes its lock at the beginning: SQLite's default would let two of them read
    the same value and lose one of the two changes without an error.
    """

    def __init__(self, url: URL | str) -> None:
        # Errors must not quote what was written: names and numbers would reach the log.
        self._engine = create_engine(
            make_url(url), pool_size=CONNECTIONS, max_overflow=0, pool_timeout=PATIENCE, hide_parameters=True
        )
        self._one_writer = threading.Lock()  # SQLite lets waiting writers poll; a lock hands over at once
        self.sqlite = self._engine.dialect.name == "sqlite"
        if self.sqlite:
            event.listen(self._engine, "connect", _prepare)
            event.listen(self._engine, "begin", _begin)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only looks: everything in it is of the same moment."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """One transaction: all of it is on disk when the block has ended, or none.

        What is not durable waits for no disk: it survives our end, but a power cut only once something durable followed.
        """
        with ExitStack() as stack:
            if self.sqlite:
                stack.enter_context(self._one_writer)
            options = _WRITING | {"durable": durable}
            connection = stack.enter_context(self._engine.connect()).execution_options(**options)
            stack.enter_context(connection.begin())
            if not (durable or self.sqlite):
                connection.execute(text("SET LOCAL synchronous_commit TO off"))
            yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that may say what becomes of a row that is there already; both engines have the same words for it."""
        return sqlite.insert(table) if self.sqlite else postgresql.insert(table)

    def in_sequence(self, connection: Connection) -> None:
        """In a write: nobody else gives sequence numbers until its end, so that they become visible in their order."""
        if not self.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SEQUENCER})

    def upgrade(self) -> None:
        """Bring the tables to this program's version. Refuses (alembic's CommandError) a newer program's database."""
        config = Config()
        config.set_main_option("script_location", "provisioning.server:migrations")
        with self._one_writer, self._engine.connect().execution_options(**_WRITING) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


def at(path: Path) -> Database:
    """The database in the SQLite file `path`."""
    return Database(URL.create("sqlite", database=str(path)))


def _prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # no transactions behind our back: _begin says how each begins
    for pragma in (
        f"busy_timeout = {int(PATIENCE * 1000)}",
        "journal_mode = WAL",
        "synchronous = FULL",  # what was acknowledged survives a power cut
        "foreign_keys = ON",
        "recursive_triggers = ON",  # REPLACE would else delete past the triggers
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("writing", False):
        # Said each time: the connection keeps what it was told last.
        connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if options['durable'] else 'NORMAL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")
