"""The tables on disk and the tables in schema.py are the same, and a newer program's are left alone."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateTable

from provisioning.server import database, notes, schema


@pytest.fixture
def store(tmp_path):
    store = database.at(tmp_path / "server.db")
    store.upgrade()
    yield store
    store.close()


def test_the_steps_lead_to_the_schema(store):
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


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


def test_nothing_points_nowhere(store):
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(insert(schema.claim).values(number="1", booth="nobody", fence=1, expires=0.0))


def test_an_error_quotes_nothing_that_was_written(store):
    row = dict.fromkeys(("id", "booth", "agent", "number", "shown", "record"), "") | {"customer": "川口 一郎"}
    numbers = dict.fromkeys(("moment", "version", "taken"), 0)
    with pytest.raises(IntegrityError) as caught, store.write() as connection:
        connection.execute(insert(schema.call).values(row | numbers))
    assert "川口" not in str(caught.value)


def test_what_is_on_disk_survives_a_power_cut(store):
    with store.write() as connection:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_what_need_not_survive_a_power_cut_waits_for_no_disk_and_what_follows_does(store):
    for durable, value in ((False, 1), (True, 2), (False, 1)):
        with store.write(durable=durable) as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == value
            notes.put(store, connection, "last", str(durable))
    with store.read() as connection:
        assert notes.get(connection, "last") == "False"


def test_every_table_has_a_form_on_postgresql():
    for table in schema.metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=postgresql.dialect()))
