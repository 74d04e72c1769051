"""The server's database: SQLite by default, PostgreSQL where an office has one. Blocking; call it off the event loop."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, cast

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from firmware.doubt import Doubt, fold_by_hand
from provisioning import intact

PATIENCE = 10.0  # seconds to wait for another's write, be it of another process
BACKSTOP = 4 * 1024 * 1024  # bytes of SQLite's log after which it is folded back
CONNECTIONS = 8  # of one process; its threads wait for each other beyond that
# Advisory locks of PostgreSQL: of whoever writes alone, and under which facts get their numbers.
_WRITER, _SEQUENCER = 0x626F_6F73, 0x626F_6F74
_WRITING = {"writing": True, "durable": True}
# A process that stopped in the middle, or lost its network, must not hold up the others for ever.
_POSTGRESQL = (
    f"SET lock_timeout TO {int(PATIENCE * 1000)}",
    "SET idle_in_transaction_session_timeout TO 60000",
    # What was acknowledged survives a power cut, whatever the office has set for its other databases.
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
)


class Database:
    """The engine with all its settings, opened once for each process.

    Every write is one transaction that takes its lock at the beginning: the engines' defaults would let two of them read
    the same value and lose one of the two changes without an error.
    """

    def __init__(self, url: URL | str) -> None:
        url = make_url(url)
        self.sqlite = url.get_backend_name() == "sqlite"
        # A connection may have died since it was used last, for example when PostgreSQL was started again.
        more: dict[str, Any] = {} if self.sqlite else {"pool_pre_ping": True, "connect_args": _CONNECT}
        self._looking = {} if self.sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        # Errors must not quote what was written: names and numbers would reach the log.
        self._engine = create_engine(
            url, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=PATIENCE, hide_parameters=True, **more
        )
        self._one_writer = threading.Lock()  # SQLite lets waiting writers poll; a lock hands over at once
        self._doubt = Doubt(url.database or "")
        event.listen(self._engine, "connect", self._prepare_sqlite if self.sqlite else _prepare_postgresql)
        if self.sqlite:
            event.listen(self._engine, "begin", _begin)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only looks: everything in it is of the same moment."""
        with self._engine.connect() as connection, connection.execution_options(**self._looking).begin():
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True, alone: bool = True) -> Iterator[Connection]:
        """One transaction: all of it is on disk when the block has ended, or none.

        What is not durable waits for no disk: it survives our end, but a power cut only once something durable followed.
        `alone`: nobody else writes alone meanwhile, so that what was read may be relied on. Without it every statement
        must be right by itself (SQLite knows only one writer in any case).
        """
        with ExitStack() as stack:
            if self.sqlite:
                stack.enter_context(self._one_writer)
                stack.enter_context(self._wary())
            options = _WRITING | {"durable": durable}
            connection = stack.enter_context(self._engine.connect()).execution_options(**options)
            with connection.begin():
                if not self.sqlite:
                    _begin_postgresql(connection, durable=durable, alone=alone)
                yield connection
                if self.sqlite:
                    self._doubt.check()
            if self.sqlite:
                self._doubt.fold(_driver(connection), BACKSTOP)

    @contextmanager
    def _wary(self) -> Iterator[None]:
        """After an fsync that failed SQLite's log begins anew, before anything is committed on top of what it may lack."""
        try:
            if self._doubt:
                with self.apart() as connection:
                    self._doubt.settle(cast(sqlite3.Connection, connection), PATIENCE)
            yield
        except OperationalError as problem:
            self._doubt.heard(problem.orig)
            raise
        except sqlite3.DatabaseError as problem:  # said as SQLAlchemy says it, for those who know only that
            self._doubt.heard(problem)
            raise OperationalError("a write", None, problem) from problem

    def _prepare_sqlite(self, connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        _set_up_sqlite(connection)
        # What a disk failed to keep when it was asked to may be in the log's cached pages still: it is written once more.
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.OperationalError as problem:  # a full disk is read all the same
            self._doubt.heard(problem)

    @contextmanager
    def apart(self) -> Iterator[DBAPIConnection]:
        """The driver's own connection, outside of the pool: for one who listens for what others write."""
        lent = self._engine.raw_connection()
        connection = lent.dbapi_connection
        assert connection is not None  # it is new
        lent.detach()
        with closing(connection):
            yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that may say what becomes of a row that is there already; both engines have the same words for it."""
        return sqlite.insert(table) if self.sqlite else postgresql.insert(table)

    def in_sequence(self, connection: Connection) -> None:
        """In a write: nobody else gives sequence numbers until its end, so that they become visible in their order."""
        if not self.sqlite:
            connection.execute(_LOCKED, {"key": _SEQUENCER})

    def upgrade(self) -> None:
        """Bring the tables to this program's version. Refuses (alembic's CommandError) a newer program's database."""
        with self.write() as connection:
            command.upgrade(_steps(connection), "head")
        file = self._engine.url.database
        if self.sqlite and file and file != ":memory:":  # SQLite says nothing when the disk does not take a file's name
            intact.settle(Path(file).parent)

    def downgrade(self, revision: str) -> None:
        """Bring the tables back to an older program's version, "base" for none at all; what it knows not is lost."""
        with self.write() as connection:
            command.downgrade(_steps(connection), revision)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


def at(path: Path) -> Database:
    """The database in the SQLite file `path`."""
    return Database(URL.create("sqlite", database=str(path)))


def _steps(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "provisioning.server:migrations")
    config.attributes["connection"] = connection
    return config


def _prepare_postgresql(connection: psycopg.Connection, _: ConnectionPoolEntry) -> None:
    for statement in _POSTGRESQL:
        connection.execute(statement)
    connection.commit()


def _begin_postgresql(connection: Connection, *, durable: bool, alone: bool) -> None:
    if not durable:
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
    if alone:
        connection.execute(_LOCKED, {"key": _WRITER})


_LOCKED = text("SELECT pg_advisory_xact_lock(:key)")
_CONNECT = {
    "application_name": "boothphone",
    "connect_timeout": 10,
    # Whatever hangs because the network went away ends within half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


def _driver(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.dbapi_connection)


def _set_up_sqlite(connection: sqlite3.Connection) -> None:
    connection.isolation_level = None  # no transactions behind our back: _begin says how each begins
    for pragma in (
        f"busy_timeout = {int(PATIENCE * 1000)}",
        "journal_mode = WAL",
        "synchronous = FULL",  # what was acknowledged survives a power cut
        "foreign_keys = ON",
        "recursive_triggers = ON",  # REPLACE would else delete past the triggers
    ):
        connection.execute(f"PRAGMA {pragma}")
    fold_by_hand(connection, BACKSTOP)
    if connection.execute("PRAGMA journal_mode").fetchone()[0] not in {"wal", "memory"}:
        # SQLite keeps quiet about a disk that failed just then, and in its old mode a power cut can undo a commit.
        raise sqlite3.OperationalError("the disk does not take the database's log")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("writing", False):
        # Said each time: the connection keeps what it was told last.
        connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if options['durable'] else 'NORMAL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")
