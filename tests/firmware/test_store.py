"""The file on the card: durable, upgraded by steps, and refused when it is newer than the program."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from firmware.store import CardError, NewerDatabaseError, Store
from hw.errors import HardwareError

ROOT = Path(__file__).parents[2]


def test_the_file_is_set_up_for_a_card_that_loses_power(tmp_path: Path) -> None:
    store = Store(tmp_path / "booth.db")
    assert store.row("PRAGMA journal_mode")[0] == "wal"
    assert store.row("PRAGMA foreign_keys")[0] == 1
    with store.write() as db:
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    with store.write(durable=False) as db:
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 1  # NORMAL
    tables = store.rows("SELECT name, strict FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    assert len(tables) > 8
    assert [row["name"] for row in tables if not row["strict"]] == []
    store.close()


def test_a_transaction_is_whole_or_not_at_all(tmp_path: Path) -> None:
    store = Store(tmp_path / "booth.db")

    def half() -> None:
        with store.write() as db:
            db.execute("INSERT INTO note VALUES ('a', '1')")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert store.rows("SELECT * FROM note") == []
    with store.write() as db:
        db.execute("INSERT INTO note VALUES ('a', '2')")
    assert store.row("SELECT value FROM note")["value"] == "2"
    store.close()


def test_two_processes_write_in_turn_and_read_at_any_time(tmp_path: Path) -> None:
    booth, sync = Store(tmp_path / "booth.db"), Store(tmp_path / "booth.db")
    with booth.write() as db:
        db.execute("INSERT INTO note VALUES ('a', '1')")
        assert sync.rows("SELECT * FROM note") == []  # not before it is committed
    assert len(sync.rows("SELECT * FROM note")) == 1
    with sync.write() as db:
        db.execute("DELETE FROM note")
    booth.tidy()
    assert booth.rows("SELECT * FROM note") == []
    booth.close()
    sync.close()


def test_a_database_newer_than_the_program_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "booth.db"
    Store(path).close()
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version = 999")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(NewerDatabaseError, match="is of version 999, this program knows"):
        Store(path)
    assert path.read_bytes() == before


def test_calls_from_before_certainty_was_asked_for_are_sure(tmp_path: Path) -> None:
    path = tmp_path / "booth.db"
    raw = sqlite3.connect(path)
    for step in sorted((ROOT / "firmware" / "schema").glob("000[1-4].sql")):
        raw.executescript(step.read_text(encoding="utf-8"))
    raw.execute("PRAGMA user_version = 4")
    raw.execute(
        "INSERT INTO call (id, number, detail, agent, reason, emergency, incoming, boot, monotonic, answered, cause, party)"
        " VALUES ('1', '', '{}', '07', 'incoming', 0, 1, 'b', 0, 1, 'NORMAL', 'FAR')"
    )
    raw.commit()
    raw.close()
    store = Store(path)
    row = store.row("SELECT * FROM call")
    assert (row["answered"], row["estimated"], row["sure"], row["hidden"]) == (1, 0, 1, "")
    store.close()


def test_what_is_no_database_is_the_cards_fault(tmp_path: Path) -> None:
    (tmp_path / "booth.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(CardError):
        Store(tmp_path / "booth.db")
    with pytest.raises(CardError):
        Store(tmp_path / "nowhere" / "booth.db")
    assert issubclass(CardError, HardwareError)


def test_a_full_card_takes_nothing_back_and_works_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "booth.db")
    with store.write() as db:
        db.execute("INSERT INTO note VALUES ('a', 'kept')")
    pages = store.row("PRAGMA page_count")[0]
    store.rows(f"PRAGMA max_page_count = {pages}")  # as full as a card can be

    def fill() -> None:
        with store.write() as db:
            db.execute("INSERT INTO note VALUES ('b', ?)", ("x" * 100_000,))

    with pytest.raises(CardError):
        fill()
    assert [row["value"] for row in store.rows("SELECT value FROM note")] == ["kept"]
    store.rows(f"PRAGMA max_page_count = {pages + 100}")
    fill()
    store.close()


WRITER = """
    import sys, uuid
    from firmware.calls import Call, Calls
    from firmware.clock import RELEASED, Clock
    from firmware.numbers import Kind, Number
    from firmware.results import load
    from hw.events import Cause, Party

    number = Number("0312345601", "+81312345601", "03-1234-5601", Kind.ORDINARY)
    calls = Calls(sys.argv[1], "3", Clock("system", system=lambda: RELEASED + 86400))
    calls.close_lost()
    result = load().by_code("REF")
    while True:
        call = Call(str(uuid.uuid4()), number, None)
        calls.begin(call, None, "07", "test")
        calls.answered(call.id)
        calls.ended(call.id, Cause.NORMAL, Party.FAR, 3.0)
        calls.finish(call.id, result)
        print(call.id, flush=True)
"""


def write_until_killed(path: Path, count: int) -> list[str]:
    """What a booth has acknowledged before it was killed in the middle of whatever it did."""
    program = [sys.executable, "-c", textwrap.dedent(WRITER), str(path)]
    with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) as booth:
        assert booth.stdout is not None
        said = [booth.stdout.readline().strip() for _ in range(count)]
        os.kill(booth.pid, signal.SIGKILL)
        said += [line.strip() for line in booth.stdout if line.endswith("\n")]
    assert all(said), "the booth ended by itself"
    return said


def prove_nothing_is_lost(path: Path, kills: int) -> int:
    acknowledged: set[str] = set()
    for kill in range(kills):
        acknowledged |= set(write_until_killed(path, count=3 + 7 * kill % 23))
        store = Store(path)
        assert store.row("PRAGMA integrity_check")[0] == "ok"
        assert store.rows("PRAGMA foreign_key_check") == []
        finished = {row["id"] for row in store.rows("SELECT id FROM call WHERE version = 1")}
        refused = {row["call"] for row in store.rows("SELECT call FROM fact WHERE kind = 'refusal'")}
        waiting = {row["ref"] for row in store.rows("SELECT ref FROM outbox WHERE kind = 'call'")}
        store.close()
        assert acknowledged <= finished
        assert finished == refused == waiting  # one transaction: all three or none
    return len(acknowledged)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_the_booth_is_killed(tmp_path: Path) -> None:
    assert prove_nothing_is_lost(tmp_path / "booth.db", kills=4) > 20


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost_in_sixty_kills(tmp_path: Path) -> None:
    acknowledged = prove_nothing_is_lost(tmp_path / "booth.db", kills=60)
    print(f"{acknowledged} calls acknowledged over 60 kills, none lost")
