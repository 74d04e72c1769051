"""What the environment says of the server's places, so that no secret stands in a file or on a command line."""

import os
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

DATABASE = "BOOTH_DATABASE_URL"  # a PostgreSQL database that several processes and machines may share
FILE = "server.db"  # in the server's directory, without that word
_POSTGRESQL = {"postgres", "postgresql", "postgresql+psycopg"}
_EXAMPLE = "postgresql://booth:…@db.example/boothphone"


class EnvironmentWordError(Exception):
    """A word in the environment makes no sense; the text says what to do, and never a secret."""


def database_url(directory: Path, words: Mapping[str, str] = os.environ) -> URL:
    """Where the database is: what the environment says, else a SQLite file in `directory`. Raises EnvironmentWordError.

    >>> database_url(Path("/srv/booths"), {}).database
    '/srv/booths/server.db'
    >>> str(database_url(Path(), {DATABASE: "postgres://booth:secret@db.example/boothphone"}))
    'postgresql+psycopg://booth:***@db.example/boothphone'
    """
    text = words.get(DATABASE, "").strip()
    if not text:
        return URL.create("sqlite", database=str(directory / FILE))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # its own words may quote a password
        raise EnvironmentWordError(f"{DATABASE} is no address of a database: it looks like {_EXAMPLE}") from None
    if url.drivername == "sqlite":
        raise EnvironmentWordError(
            f"{DATABASE} names SQLite: leave it out, and the server keeps {FILE} in its directory"
        )
    if url.drivername not in _POSTGRESQL:
        raise EnvironmentWordError(f"{DATABASE} names {url.drivername}: only PostgreSQL is known, {_EXAMPLE}")
    if not url.database:
        raise EnvironmentWordError(f"{DATABASE} names no database after the host: it looks like {_EXAMPLE}")
    return url.set(drivername="postgresql+psycopg")
