"""A server with a booth, calls and a backup, for the tests of what keeps a server well."""

import json
import shutil
import sqlite3
import uuid
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from firmware import wire
from provisioning import cli
from provisioning.server.run import Server
from tests.places import Files


@dataclass
class Office:
    """A server that runs, with a booth, its calls, and a backup of all that."""

    server: Server
    booth: object
    dest: Path
    deck: object
    calls: dict = field(default_factory=dict)

    @property
    def directory(self):
        return self.server.parts.directory

    def work(self, count):
        """Calls with their facts and recordings, as a booth tells of them."""
        for _ in range(count):
            call = uuid.uuid4()
            self.booth.tell(fact(call))
            assert self.booth.post(wire.CALLS, wire.Calls(calls=(raw(told(call)),)), wire.Taken).ids
            journal = self.deck.journal(call, segments=2)
            assert self.booth.upload(call, journal).status == 204
            self.calls[str(call)] = journal
        self.server.parts.recordings.settle(30)


@pytest.fixture(scope="module")
def office(phone, deck_of, tmp_path_factory):
    """One for all tests that leave it as it is, on files."""
    with opened(phone, deck_of, tmp_path_factory) as made:
        yield made


@pytest.fixture
def growing(phone, deck_of, tmp_path_factory):
    """One for a test that goes on with it."""
    with opened(phone, deck_of, tmp_path_factory) as made:
        yield made


@contextmanager
def opened(phone, deck_of, tmp_path_factory):
    """An office while it is open."""
    with Files().place():
        server = Server(tmp_path_factory.mktemp("office"))
        server.start()
        booth = phone(server.new_token("Booth 1"))
        assert booth.enrol().status == 200
        made = Office(server, booth, tmp_path_factory.mktemp("backups"), deck_of(server.parts.directory))
        made.work(2)
        assert cli.main(["server", "backup", str(made.dest), "--data", str(made.directory)]) == 0
        yield made
        server.stop()


@pytest.fixture
def copied(office, tmp_path):
    """Copies of the server's directory, which is not at work there, and of the backup; for those who change things."""
    shutil.copytree(office.dest, tmp_path / "backups")
    shutil.copytree(office.directory, tmp_path / "source")
    (tmp_path / "source" / "server.db-wal").unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(office.directory / "server.db")) as here,
        closing(sqlite3.connect(tmp_path / "source" / "server.db")) as there,
    ):
        here.backup(there)
    return tmp_path / "source", tmp_path / "backups"


def raw(thing):
    return msgspec.Raw(json.dumps(thing).encode())


def fact(call):
    number = {"id": str(uuid.uuid4()), "kind": "called", "number": "+81312345601", "at": 1e9, "booth": "Booth 1"}
    return number | {"agent": "07", "call": str(call)}


def told(call):
    number = {"key": "+81312345601", "shown": "03-1234-5601"}
    return {"version": 1, "id": str(call), "agent": "07", "number": number, "answered": True, "talk": 4.0}
