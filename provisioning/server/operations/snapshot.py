"""All rows of one database in another, as they were at one moment, whichever engines the two stand on."""

from collections.abc import Callable, Mapping

from sqlalchemy import JSON, Connection, Integer, Table, bindparam, delete, func, insert, select

from provisioning.server.schema import metadata, server_note

LEFT_OUT = frozenset({"session"})  # whoever was logged in logs in again
AT_ONCE = 100  # rows in memory; the largest are a quarter of a megabyte

Told = Callable[[str, int], None]


def copy(source: Connection, target: Connection, told: Told) -> Mapping[str, int]:
    """Copy every row inside two transactions; how many there were, by table. `told` hears how far it is."""
    hold_still(source)
    return {
        table.name: _copy_table(table, source, target, told)
        for table in metadata.sorted_tables
        if table.name not in LEFT_OUT
    }


def hold_still(connection: Connection) -> None:
    """All that this transaction reads is of one moment; say it first. SQLite is so by itself."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def occupied(connection: Connection) -> list[str]:
    """The tables in which something is, but for the names that every server has."""
    tables = (table for table in metadata.sorted_tables if table.name != server_note.name)
    return [table.name for table in tables if connection.execute(select(table).limit(1)).first() is not None]


def _copy_table(table: Table, source: Connection, target: Connection, told: Told) -> int:
    if table is server_note:
        target.execute(delete(table))  # a new database has named its epoch already
    put = insert(table).values({column.name: _parameter(table, column.name) for column in table.columns})
    count = 0
    rows = source.execute(select(table).execution_options(yield_per=AT_ONCE)).mappings()
    for batch in rows.partitions():
        target.execute(put, [dict(row) for row in batch])
        count += len(batch)
        told(table.name, count)
    _go_on_counting(table, target)
    return count


def _parameter(table: Table, name: str) -> object:
    kind = table.columns[name].type
    # Without this a NULL would arrive as JSON's own null.
    return bindparam(name, type_=JSON(none_as_null=True) if isinstance(kind, JSON) else kind)


def _go_on_counting(table: Table, target: Connection) -> None:
    """PostgreSQL counts apart from the rows; SQLite looks at them."""
    key = next(iter(table.primary_key.columns))
    if target.dialect.name != "postgresql" or not isinstance(key.type, Integer) or key.autoincrement is False:
        return
    sequence = target.scalar(select(func.pg_get_serial_sequence(table.name, key.name)))
    highest = target.scalar(select(func.max(key)))
    if sequence is not None and highest is not None:
        target.execute(select(func.setval(sequence, highest)))
