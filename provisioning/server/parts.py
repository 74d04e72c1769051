"""What a server is made of, opened from its directory."""

import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from alembic.util import CommandError
from obstore.store import ObjectStore
from sqlalchemy.exc import OperationalError

from provisioning import intact, keys
from provisioning.server import archive, environment, notes, tls, tokens
from provisioning.server.bell import Bell
from provisioning.server.booths import Booths, Terms
from provisioning.server.calls import Calls
from provisioning.server.claims import Claims
from provisioning.server.database import Database
from provisioning.server.facts import Facts
from provisioning.server.lists import Lists
from provisioning.server.operations.quotas import Quotas
from provisioning.server.recordings import Recordings
from provisioning.server.relay import Relay
from provisioning.server.uploads import Uploads

DATABASE, ARCHIVE, INCOMING = environment.FILE, "archive", "incoming"
RECORDINGS_KEY, SECRET = "recordings.key", "pages.secret"


class DatabaseAwayError(Exception):
    """The database does not answer, or not as it should; the text says which and why."""


def make(directory: Path) -> None:
    """Make what is not there yet of directory and keys. What is there stays."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (directory / RECORDINGS_KEY).exists():
        keys.make(directory / RECORDINGS_KEY)
    if not (directory / SECRET).exists():
        intact.create(directory / SECRET, secrets.token_bytes(32))
    tls.make(directory)


def open_database(directory: Path) -> Database:
    """The database, brought to this program's version: the environment's, else the directory's own.

    Raises EnvironmentWordError or DatabaseAwayError.
    """
    url = environment.database_url(directory)
    store = Database(url)
    try:
        store.upgrade()
    except OperationalError as problem:
        store.close()
        # The driver names host and user, never the password.
        raise DatabaseAwayError(f"the database {url} cannot be used: {str(problem.orig).strip()}") from problem
    except CommandError as problem:
        store.close()
        raise DatabaseAwayError(f"the database {url} is of another version of this program: {problem}") from problem
    return store


def _check_owner(store: Database, ours: Sequence[str]) -> None:
    """Servers that share a database must open each other's recordings. Raises DatabaseAwayError."""
    with store.write() as connection:
        owner = notes.get(connection, notes.OWNER)
        if owner is None:
            notes.put(store, connection, notes.OWNER, ours[-1])  # the oldest, which stays when there are newer ones
    if owner not in {None, *ours}:
        store.close()
        raise DatabaseAwayError(
            f"the database is that of servers with another {RECORDINGS_KEY}: copy their keys into this directory. "
            f"Only if that key is lost for good, delete '{notes.OWNER}' from the table server_note"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Shared by the booth API and the pages; every part may be used from any thread."""

    directory: Path
    database: Database
    archive: ObjectStore
    secret: bytes  # for the pages' forms
    pins: tuple[str, ...]
    bell: Bell
    relay: Relay  # not started: that is for one who serves
    booths: Booths
    facts: Facts
    claims: Claims
    calls: Calls
    lists: Lists
    recordings: Recordings
    quotas: Quotas
    now: Callable[[], float]

    @classmethod
    def open(cls, directory: Path, now: Callable[[], float] = time.time) -> Self:
        """Open everything that `make` has made."""
        identities = keys.load(directory / RECORDINGS_KEY)
        bell, store = Bell(), open_database(directory)
        if not store.sqlite:
            _check_owner(store, [str(identity.to_public()) for identity in identities])
        place = archive.open_archive(os.environ.get(archive.PLACE) or directory / ARCHIVE)
        pins = tls.pins(directory)
        # Only the first key: the others in the file are former ones, kept for what was sealed to them.
        terms = Terms((str(identities[0].to_public()),), pins)
        parts = cls(
            directory=directory,
            database=store,
            archive=place,
            secret=(directory / SECRET).read_bytes(),
            pins=pins,
            bell=bell,
            relay=Relay(store, bell),
            booths=Booths(store, bell, terms, now),
            facts=Facts(store, bell, now),
            claims=Claims(store, now),
            calls=Calls(store, bell, now),
            lists=Lists(store),
            recordings=Recordings(store, place, Uploads(directory / INCOMING), identities, bell, now=now),
            quotas=Quotas(store, directory, now),
            now=now,
        )
        parts.facts.prepare()
        parts.recordings.resume()
        return parts

    def new_token(self, name: str, url: str) -> str:
        """The enrolment string of a new token for a booth of that name; `url` is the booth API as booths reach it."""
        with self.database.write() as connection:
            secret = tokens.new(connection, name, self.now())
        return tokens.text(secret, url, self.pins)

    def reached_at(self, url: str) -> None:
        """Remember where booths reach the API, for `token new`."""
        with self.database.write() as connection:
            notes.put(self.database, connection, notes.URL, url)

    def close(self) -> None:
        """Wake whoever waits, and let go of the database."""
        self.bell.close()
        self.relay.close()
        self.recordings.close()
        self.database.close()
