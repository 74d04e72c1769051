"""Booths work on while the server is restarted again and again: nothing is lost, nothing doubled, nobody notices a reload."""

import hashlib
import threading
import time
import uuid
from contextlib import closing
from http.client import HTTPException

import obstore
import pytest
from sqlalchemy import select as chosen

from firmware import wire
from provisioning import cli
from provisioning.server import parts, schema
from provisioning.server.operations.cli import open_archive
from tests.places import Files
from tests.provisioning.conftest import Deck, raw, recipient_of
from tests.provisioning.programs import PATIENCE, Program
from tests.provisioning.travellers import Traveller

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
REST = 0.2  # seconds between two calls of a booth: enough is under way at every moment all the same


class Worker(threading.Thread):
    """A booth that does one call after the other, and asks again whatever failed."""

    def __init__(self, token, deck):
        super().__init__(name="booth")
        self.phone, self._deck = Traveller(token), deck
        assert self.phone.enrol().status == 200
        self.over, self.calls, self.failures, self.problem = threading.Event(), {}, 0, None

    def run(self):
        try:
            while not self.over.is_set():
                self.call(uuid.uuid4())
                self.over.wait(REST)
        except Exception as problem:  # noqa: BLE001  (it is raised where somebody looks)
            self.problem = problem

    def call(self, call):
        fact = {"id": str(uuid.uuid4()), "kind": "called", "number": "+81312345601", "at": 1e9, "booth": "b"}
        told = {"version": 1, "id": str(call), "agent": "07", "number": {"key": "+81312345601"}}
        self.until_taken(lambda: self.phone.tell(fact | {"agent": "07", "call": str(call)}))
        self.until_taken(lambda: self.phone.post(wire.CALLS, wire.Calls(calls=(raw(told),)), wire.Taken))
        whole = self._deck.journal(call, segments=2)
        self.until_taken(lambda: self.upload(call, whole))
        self.calls[str(call)] = hashlib.sha256(whole).hexdigest()

    def upload(self, call, whole):
        """On from where it is, in two portions."""
        there, complete = self.phone.offset(call)
        if not complete and there < len(whole) // 2:
            assert self.phone.patch(call, there, whole[there : len(whole) // 2]).status == 204
            there = len(whole) // 2
        if not complete:
            assert self.phone.patch(call, there, whole[there:], whole).status == 204

    def until_taken(self, work):
        ends, pause = time.monotonic() + PATIENCE, threading.Event()
        while True:
            try:
                return work()
            except (OSError, HTTPException, AssertionError):  # cut, refused, or "not now"
                assert time.monotonic() < ends
                self.failures += 1
                pause.wait(0.05)

    def done(self, many):
        """Wait for so many more calls."""
        wanted, ends, pause = len(self.calls) + many, time.monotonic() + PATIENCE, threading.Event()
        while len(self.calls) < wanted:
            assert self.problem is None
            assert time.monotonic() < ends
            pause.wait(0.05)


@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_booths_work_through_restarts(tmp_path, capsys, times):
    directory, booths = tmp_path / "server", []
    with Files().place():
        assert cli.main(["server", "init", "--data", str(directory), "--announce"]) == 0
        program = Program(directory)
        deck = Deck(recipient_of(directory))
        for number in range(3):
            capsys.readouterr()
            assert cli.main(["token", "new", f"Booth {number}", "--data", str(directory)]) == 0
            booths.append(Worker(capsys.readouterr().out.strip(), deck))
            booths[-1].start()
        try:
            for _ in range(times):
                program.reload()
                booths[0].done(1)
            assert sum(booth.failures for booth in booths) == 0  # nobody noticed
            for _ in range(times):
                program.restart()
                booths[0].done(1)
        finally:
            for booth in booths:
                booth.over.set()
            for booth in booths:
                booth.join(PATIENCE)
            program.stop()
        assert [booth.problem for booth in booths] == [None] * 3
        done = {call: digest for booth in booths for call, digest in booth.calls.items()}
        store = parts.open_database(directory)
        with closing(store), store.read() as connection:
            calls = list(connection.scalars(chosen(schema.call.c.id)))
            facts = list(connection.scalars(chosen(schema.fact.c.call)))
            kept = dict(connection.execute(chosen(schema.recording.c.id, schema.recording.c.sha256)).all())
        archive = open_archive(directory)
        assert sorted(calls) == sorted(facts) == sorted(done)
        assert kept == done
        for call, digest in done.items():
            assert hashlib.sha256(bytes(obstore.get(archive, f"{call}.journal").bytes())).hexdigest() == digest
        print(f"{times} reloads and {times} restarts: {len(done)} calls, none lost, none doubled")
        assert cli.main(["server", "check", "--hashes", "--data", str(directory)]) == 0
