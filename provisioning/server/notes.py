"""Small things that the server keeps by name."""

from sqlalchemy import Connection, select

from provisioning.server.database import Database
from provisioning.server.schema import server_note

BACKED_UP = "backed-up"  # when the last backup was made, in seconds
EPOCH = "epoch"  # the line of facts; a restored backup begins another
KEYS = "keys"  # public halves of those that open recordings, when last it was tried
OWNER = "owner"  # public half of the first key of the servers that share the database
RESULTS = "results"  # the office's result codes, as results.toml has them
RULES = "rules"  # the office's rule packs, as a JSON list of texts
URL = "url"  # of the booth API, as booths were last told


def get(connection: Connection, key: str) -> str | None:
    """What is kept under a name."""
    return connection.execute(select(server_note.c.value).where(server_note.c.key == key)).scalar_one_or_none()


def put(database: Database, connection: Connection, key: str, value: str) -> None:
    """Keep something, in the place of what was kept under that name."""
    statement = database.insert(server_note).values(key=key, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
