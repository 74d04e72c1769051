"""The tables on disk and the tables in schema.py are the same, and a newer program's are left alone."""

import json
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import func, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from provisioning import cli
from provisioning.server import database, environment, notes, schema


@pytest.fixture
def store(database_url):
    store = database.Database(database_url)
    store.upgrade()
    yield store
    store.close()


def differences(store):
    """Between the tables that are there and those of schema.py."""

    def compared(item, _name, kind, _reflected, _other):
        wanted = getattr(item, "_ddl_if", None) if kind == "index" else None
        return wanted is None or store.sqlite == (wanted.dialect == "sqlite")

    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": compared, "compare_type": True})
        return compare_metadata(context, schema.metadata)


def test_the_steps_lead_to_the_schema(store):
    assert differences(store) == []


def test_the_comparison_sees_what_is_missing(store):
    with store.write() as connection:
        connection.exec_driver_sql("DROP INDEX ix_fact_number_seq")
        connection.exec_driver_sql("ALTER TABLE booth DROP COLUMN software")
    assert [found[0] for found in differences(store)] == ["add_column", "add_index"]


NOTE = "a note, 「メモ」"
_ROWS = {  # one for each table, in an order in which nothing points nowhere
    "server_note": {"key": "kept", "value": "1"},
    "administrator": {"id": 1, "name": "sato", "password": "$argon2id$"},
    "session": {"id": "S", "administrator": 1, "csrf": "c", "expires": 2e9},
    "booth": {"id": "B", "name": "Booth 1", "key": b"\x00\xff"},
    "token": {"id": 1, "secret": "s", "name": "Booth 1", "expires": 2e9, "spent_by": "B"},
    "list": {"id": "L", "name": "十一月"},
    "list_row": {"list": "L", "row": 2, "name": "川口", "reading": "カワグチ", "numbers": ["03-1234-5601"], "keys": []},
    "rejected_row": {"list": "L", "line": 3, "reason": "empty", "text": "x"},
    "assignment": {"list": "L", "booth": "B"},
    "call": {"id": "C", "agent": "OP07", "number": "+81312345601", "shown": "03-1234-5601", "version": 1, "note": NOTE},
    "memo": {"recording": "M", "call": "C"},
    "recording": {"id": "C", "call": "C", "state": "whole", "bytes": 7},
    "shift": {"id": "H", "kind": "in", "agent": "OP07", "raw": "{}"},
    "fact": {"id": "F", "kind": "refusal", "number": "+81312345601", "agent": "OP07", "product": "水"},
    "claim": {"number": "+81312345601", "fence": 3, "expires": 5.0},
}
_TOLD = {"decision": {"claim": "granted"}, "estimated": True, "sure": False, "hidden": "PRIVATE"}
_AGAIN = {  # what an older version has no column for is in these
    "call": {"record": json.dumps(_TOLD), "claim": "granted", "estimated": True, "sure": False, "hidden": "PRIVATE"},
    "fact": {"raw": json.dumps({"product": "水"}), "booth": "Booth 1", "sender": "B"},
}
# Only what a newer version has made is lost on the way back.
_LOST = {"conflict_seen"}


def filled(store):
    """A row in every table that an old version knows."""
    with store.write() as connection:
        for table in schema.metadata.sorted_tables:
            if table.name not in _ROWS:
                continue
            needed = [column for column in table.c if not (column.nullable or column.server_default)]
            row = {column.name: "B" if column.name == "booth" else 1.5 for column in needed if column.name != "seq"}
            connection.execute(insert(table).values(row | _ROWS[table.name] | _AGAIN.get(table.name, {})))


def content(store):
    with store.read() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in schema.metadata.sorted_tables
        }


def test_whoever_goes_back_to_the_first_version_and_returns_keeps_what_was_told(store):
    filled(store)
    before = content(store)
    assert {name for name, rows in before.items() if rows} == _ROWS.keys()
    store.downgrade("0001")
    with store.read() as connection:
        assert connection.scalar(text("SELECT note FROM call")) == NOTE
        assert not {"conflict_seen", "log_in_try"} & set(inspect(connection).get_table_names())
    store.upgrade()
    assert content(store) == before
    assert differences(store) == []
    with pytest.raises(DBAPIError, match="only ever added"), store.write() as connection:
        connection.execute(update(schema.fact).values(note="changed"))


def test_whoever_goes_all_the_way_back_begins_anew(store):
    filled(store)
    store.downgrade("base")
    with store.read() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    store.upgrade()
    assert differences(store) == []
    assert not any(content(store).values())


def test_a_second_start_changes_nothing(store):
    with store.write() as connection:
        connection.execute(insert(schema.server_note).values(key="kept", value="1"))
    store.upgrade()
    with store.read() as connection:
        assert connection.scalar(select(schema.server_note.c.value)) == "1"


def test_a_newer_programs_database_is_refused(store):
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CommandError, match="9999"):
        store.upgrade()


def test_two_that_start_at_once_make_the_tables_once(postgresql, tmp_path):
    for url in (postgresql.new(tables=False), f"sqlite:///{tmp_path / 'new.db'}"):
        stores = [database.Database(url) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: one.upgrade(), stores))
        assert differences(stores[0]) == []
        for one in stores:
            one.close()


def test_nothing_points_nowhere(store):
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(insert(schema.claim).values(number="1", booth="nobody", fence=1, expires=0.0))


def test_an_error_quotes_nothing_that_was_written(store):
    row = dict.fromkeys(("id", "booth", "agent", "number", "shown", "record"), "") | {"customer": "川口 一郎"}
    numbers = dict.fromkeys(("moment", "version", "taken"), 0)
    with pytest.raises(IntegrityError) as caught, store.write() as connection:
        connection.execute(insert(schema.call).values(row | numbers))
    assert "川口" not in str(caught.value)


def setting(store, connection):
    """What the engine does at a commit: 1, 2 on SQLite; off, on, ... on PostgreSQL."""
    return connection.exec_driver_sql("PRAGMA synchronous" if store.sqlite else "SHOW synchronous_commit").scalar()


def test_what_is_on_disk_survives_a_power_cut(store):
    with store.write() as connection:
        assert setting(store, connection) == (2 if store.sqlite else "on")
        if store.sqlite:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_what_need_not_survive_a_power_cut_waits_for_no_disk_and_what_follows_does(store):
    for durable in (False, True, False):
        with store.write(durable=durable) as connection:
            assert setting(store, connection) == ((1, 2) if store.sqlite else ("off", "on"))[durable]
            notes.put(store, connection, "last", str(durable))
    with store.read() as connection:
        assert notes.get(connection, "last") == "False"


@pytest.mark.parametrize(("office", "ours"), [("off", "on"), ("remote_apply", "remote_apply")])
def test_an_office_may_be_stricter_with_its_disk_but_not_laxer(postgresql, office, ours):
    url = postgresql.new()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET synchronous_commit TO {office}")
    store = database.Database(url)
    with store.write() as connection:
        assert setting(store, connection) == ours
    store.close()


def test_a_look_writes_nothing_and_is_of_one_moment(store):
    with store.read() as looking:
        assert looking.scalar(select(func.count()).select_from(schema.server_note)) == 0
        with store.write() as connection:
            notes.put(store, connection, "new", "1")
        assert looking.scalar(select(func.count()).select_from(schema.server_note)) == 0
    with store.read() as looking:
        assert notes.get(looking, "new") == "1"


def test_a_database_that_was_away_is_used_again(postgresql):
    url = postgresql.new()
    store = database.Database(url)
    with store.write() as connection:
        notes.put(store, connection, "kept", "1")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'boothphone'"
        )
    with store.read() as connection:
        assert notes.get(connection, "kept") == "1"
    store.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://booth:s3cret@127.0.0.1:1/booths", "cannot be used"),
        ("postgres://booth:s3cret@/booths?host=/nowhere", "cannot be used"),
        ("postgresql://booth:s3cret@db.example:port/booths", "no address"),
        ("mysql://booth:s3cret@db.example/booths", "only PostgreSQL"),
        ("postgresql://booth:s3cret@db.example", "names no database"),
        ("sqlite:///s3cret.db", "leave it out"),
    ],
)
def test_a_database_that_cannot_be_is_named_without_its_password(tmp_path, monkeypatch, capsys, address, said):
    monkeypatch.setenv(environment.DATABASE, address)
    assert cli.main(["server", "init", "--data", str(tmp_path / "server")]) == 1
    told = capsys.readouterr()
    assert said in told.err
    assert "s3cret" not in told.out + told.err


def test_a_newer_programs_database_is_named(postgresql, tmp_path, monkeypatch, capsys):
    url = postgresql.new()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    monkeypatch.setenv(environment.DATABASE, url)
    assert cli.main(["server", "init", "--data", str(tmp_path / "server")]) == 1
    assert "another version" in capsys.readouterr().err
