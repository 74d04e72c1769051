"""After an fsync that failed: nobody commits until the log has begun anew, of whichever process."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from firmware import store
from firmware.doubt import SUFFIX, Doubt
from firmware.mailbox import note, recalled
from firmware.store import CardError, Store
from provisioning.server import database

LONG = 200_000  # bytes
LINE = "x" * 30_000


@pytest.fixture
def card(tmp_path):
    with closing(Store(tmp_path / "booth.db")) as store:
        yield store


@pytest.fixture
def mark(tmp_path):
    """What another process leaves when its fsync fails."""
    return tmp_path / f"booth.db{SUFFIX}"


def failed():
    """As SQLite says it."""
    problem = sqlite3.OperationalError("disk I/O error")
    problem.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    return problem


def kept(card, mark, text):
    """A write during which another process fails."""
    with card.write() as db:
        note(db, "line", text)
        mark.touch()


def entered(books, mark):
    """The same on the server."""
    with books.write() as connection:
        connection.exec_driver_sql("INSERT INTO ledger VALUES ('1')")
        mark.touch()


def test_a_write_that_was_waiting_meanwhile_is_not_committed(card, mark):
    with pytest.raises(CardError, match="begun anew"):
        kept(card, mark, "1")
    assert recalled(card, "line") == ""
    with card.write() as db:  # the next one has the log begin anew
        note(db, "line", "2")
    assert recalled(card, "line") == "2"
    assert not mark.exists()


def test_a_mark_that_cannot_be_taken_away_does_not_stop_the_booth(card, mark):
    mark.mkdir()  # nothing unlinks a folder
    for text in ("1", "2"):
        with card.write() as db:
            note(db, "line", text)
    assert recalled(card, "line") == "2"
    assert mark.exists()


def test_the_server_does_the_same(tmp_path):
    with closing(database.at(tmp_path / "server.db")) as books:
        with books.write() as connection:
            connection.exec_driver_sql("CREATE TABLE ledger (line TEXT)")
        mark = Path(f"{tmp_path / 'server.db'}{SUFFIX}")
        with pytest.raises(OperationalError, match="begun anew"):
            entered(books, mark)
        with books.write() as connection:
            connection.exec_driver_sql("INSERT INTO ledger VALUES ('2')")
        with books.read() as connection:
            assert connection.exec_driver_sql("SELECT line FROM ledger").scalars().all() == ["2"]
        assert not mark.exists()


def test_a_failure_is_known_to_all_openings_even_if_the_disk_takes_no_name(tmp_path):
    one, other = Doubt(tmp_path / "away" / "booth.db"), Doubt(tmp_path / "away" / "booth.db")
    one.heard(failed())
    with pytest.raises(sqlite3.OperationalError):
        other.check()


def test_a_log_that_readers_keep_is_waited_for_and_then_nothing_is_taken_in(card, tmp_path):
    path = tmp_path / "booth.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM note").fetchone()
        with card.write() as db:
            note(db, "line", "1")
        doubt = Doubt(path)
        with closing(sqlite3.connect(path)) as connection:
            doubt.settle(connection, 0.1)  # only caution: others may read as long as they like
            doubt.heard(failed())
            with pytest.raises(sqlite3.OperationalError, match="begun anew"):
                doubt.settle(connection, 0.1)
            reader.execute("COMMIT")
            doubt.settle(connection, 0.1)
        doubt.check()
        assert not doubt


def test_another_error_raises_no_doubt(tmp_path):
    doubt = Doubt(tmp_path / "booth.db")
    doubt.heard(sqlite3.OperationalError("database is locked"))
    doubt.check()


def test_what_is_no_database_is_said_as_sqlalchemy_says_it(tmp_path):
    (tmp_path / "server.db").write_bytes(b"no database, " * 200)
    with closing(database.at(tmp_path / "server.db")) as books, pytest.raises(OperationalError), books.write():
        pass


def test_a_log_that_has_grown_long_is_folded_back_behind_the_commit_and_gives_its_room_back(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "BACKSTOP", LONG)
    monkeypatch.setattr(database, "BACKSTOP", LONG)
    with closing(Store(tmp_path / "booth.db")) as card, closing(database.at(tmp_path / "server.db")) as books:
        with books.write() as connection:
            connection.exec_driver_sql("CREATE TABLE ledger (line TEXT)")
        longest = {"booth.db": 0, "server.db": 0}
        for _ in range(40):
            with card.write(durable=False) as db:
                note(db, "line", LINE)
            with books.write(durable=False) as connection:
                connection.exec_driver_sql("INSERT INTO ledger VALUES (?)", (LINE,))
            for name, most in longest.items():
                longest[name] = max(most, (tmp_path / f"{name}-wal").stat().st_size)
    assert all(LONG < most < 2 * LONG for most in longest.values()), longest


def test_a_fold_that_fails_raises_doubt_and_no_error(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "BACKSTOP", 0)
    with closing(Store(tmp_path / "booth.db")) as card:
        with card.write() as db:
            note(db, "line", "1")
        broken = Broken(failed())
        card._doubt.fold(broken, 0)
        assert card._doubt
        assert broken.asked == ["PRAGMA wal_checkpoint(PASSIVE)"]
        with card.write() as db:  # has the log begin anew
            note(db, "line", "2")
        assert not card._doubt


class Broken:
    """A connection whose disk fails."""

    def __init__(self, problem):
        self._problem, self.asked = problem, []

    def execute(self, statement):
        self.asked.append(statement)
        raise self._problem
