"""The server as a program: its commands, its end, and the days on which it is killed."""

import json
import random
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import uuid
from http.client import HTTPException
from pathlib import Path

import obstore
import pytest
from sqlalchemy import insert

from firmware import wire
from provisioning import cli, keys, recording
from provisioning.server import archive, parts, schema, tls
from provisioning.server.lock import Lock, TakenError
from provisioning.server.run import Server

VICTIM = Path(__file__).with_name("server_victim.py")
COMMAND = [sys.executable, "-m", "provisioning.cli"]


class Running:
    """A server in a process of its own."""

    def __init__(self, directory, port=0):
        place = f"127.0.0.1:{port}"
        command = [
            *COMMAND,
            "server",
            "run",
            "--data",
            directory,
            "--api",
            place,
            "--pages",
            "127.0.0.1:0",
            "--announce",
        ]
        self.log = (directory.parent / "log").open("ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log)
        assert select.select([self.process.stdout], [], [], 60)[0]
        self.told = json.loads(self.process.stdout.readline())

    @property
    def port(self):
        return int(self.told["api"].rpartition(":")[2])

    def end(self, how):
        self.process.send_signal(how)
        code = self.process.wait(30)
        self.process.stdout.close()
        self.log.close()
        return code

    def peak(self):
        """The most memory that the one process that serves has ever had, in bytes."""
        parent = self.process.pid
        (serving,) = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        status = Path(f"/proc/{serving}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


@pytest.fixture
def provision(capsys):
    """Does a command; its exit code and what it printed."""

    def run(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def directory(place, provision):
    assert provision("server", "init", "--data", place)[0] == 0
    return place


@pytest.fixture
def running(directory):
    """Starts servers in the directory, and ends what a test leaves behind."""
    started = []

    def start(port=0):
        started.append(Running(directory, port))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


@pytest.fixture
def enrolled(directory, provision, phone):
    """Enrols a booth with the server that runs in the directory."""

    def make():
        code, text, _ = provision("token", "new", "Booth 1", "--data", directory)
        assert code == 0
        one = phone(text.strip())
        assert one.enrol().status == 200
        return one

    return make


def test_init_makes_a_log_in_once(tmp_path, provision):
    directory = tmp_path / "server"
    code, out, _ = provision("server", "init", "--data", directory, "--administrator", "sato")
    name, password = re.fullmatch(r"administrator  (\S+)\npassword       (\S+)\n", out).groups()
    assert (code, name) == (0, "sato")
    assert len(password) >= 16
    kept = b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())
    assert password.encode() not in kept
    again = provision("server", "init", "--data", directory)
    assert (again[0], again[1]) == (1, "")
    assert "already" in again[2]


def test_secrets_are_the_owners_alone(directory):
    assert directory.stat().st_mode & 0o77 == 0
    for name in (parts.RECORDINGS_KEY, parts.SECRET, tls.KEY, tls.BACKUP):
        assert (directory / name).stat().st_mode & 0o77 == 0


@pytest.mark.parametrize(
    "command", [("server", "run"), ("server", "restored"), ("server", "new-key"), ("token", "list")]
)
def test_nothing_is_done_where_no_server_is(tmp_path, provision, command):
    code, _, err = provision(*command, "--data", tmp_path / "nowhere")
    assert code == 1
    assert "server init" in err
    assert not (tmp_path / "nowhere").exists()


def test_tokens_are_made_listed_and_taken_back(directory, provision):
    assert provision("token", "new", "Booth 1", "--data", directory)[0] == 1  # nobody knows yet where the server is
    url = "https://booths.example:8443"
    code, out, _ = provision("token", "new", "Booth 1", "--data", directory, "--url", url)
    token = wire.Token.read(out)
    assert (code, token.url, token.pin) == (0, url, ",".join(tls.pins(directory)))
    listed = provision("token", "list", "--data", directory)[1]
    assert "Booth 1" in listed
    assert "open" in listed
    assert token.secret not in listed
    assert provision("token", "revoke", "1", "--data", directory)[0] == 0
    assert "revoked" in provision("token", "list", "--data", directory)[1]
    assert provision("token", "revoke", "2", "--data", directory)[0] == 1


def test_the_backup_key_is_known_before_it_is_needed(directory, provision):
    _, backup = tls.pins(directory)
    code, out, _ = provision("server", "new-key", "--data", directory)
    assert code == 0
    assert backup in out
    assert tls.pins(directory)[0] == backup
    assert tls.pins(directory)[1] != backup
    server = Server(directory)  # the certificate fits the key, or this would fail
    assert server.pin == backup
    server.stop()


def test_after_a_restore_there_is_a_new_epoch(directory, provision):
    def epoch():
        opened = parts.Parts.open(directory)
        cursor = opened.facts.after("").cursor
        opened.close()
        return cursor

    before = epoch()
    assert epoch() == before
    assert provision("server", "restored", "--data", directory)[0] == 0
    assert epoch() != before


def test_only_one_server_works_in_a_directory(directory):
    with Lock(directory), pytest.raises(TakenError, match="another server"):
        Server(directory)
    Server(directory).stop()


@pytest.mark.parametrize("words", [("server", "--help"), ("server", "run", "--help"), ("token", "new", "--help")])
def test_help_teaches_by_example(capsys, words):
    with pytest.raises(SystemExit):
        cli.main(words)
    assert "examples:" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["8443", ":8443", "host:", "host:x", "host:65536"])
def test_a_place_is_host_and_port(place, capsys):
    with pytest.raises(SystemExit):
        cli.main(["server", "run", "--api", place])
    assert "HOST:PORT" in capsys.readouterr().err


def test_a_taken_port_is_said_in_words(directory, provision):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        code, _, err = provision("server", "run", "--data", directory, "--api", place, "--pages", "127.0.0.1:0")
    assert code == 1
    assert "Address already in use" in err


def test_the_archive_may_be_elsewhere_and_out_of_order(tmp_path, monkeypatch, phone, deck_of, call_id):
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv(archive.PLACE, str(elsewhere))
    server = Server(tmp_path / "server")
    server.start()
    try:
        one = phone(server.new_token("Booth"))
        one.enrol()
        whole = deck_of(tmp_path / "server").journal(call_id, 1)
        elsewhere.rmdir()
        elsewhere.write_text("no folder")
        answer = one.upload(call_id, whole)
        assert (answer.status, answer.error) == (503, "archive")
        assert one.offset(call_id) == (len(whole), False)  # nothing of it is lost
        elsewhere.unlink()
        elsewhere.mkdir()
        assert one.patch(call_id, len(whole), b"", whole).status == 204
        assert (elsewhere / f"{call_id}.journal").read_bytes() == whole
    finally:
        server.stop()


@pytest.mark.slow
def test_it_ends_when_told_and_sends_those_who_wait_home(running, directory, enrolled, part, deck_of):
    server = running()
    one = enrolled()
    number, agent, customer = "+81312345699", "OP-GEHEIM", "川口 秘密"
    one.post(wire.FACTS, wire.Facts(facts=(part(secret_fact(number, agent)),)), wire.Taken)
    one.post(wire.CALLS, wire.Calls(calls=(part(secret_call(number, agent, customer)),)), wire.Taken)
    call = uuid.uuid4()
    one.upload(call, deck_of(directory).journal(call, 2))
    cursor, answers = one.hear().cursor, []
    headers = one.signed("GET", f"{wire.FACTS}?cursor={cursor}&wait=40")
    waiting = threading.Thread(
        target=lambda: answers.append(one.plain("GET", f"{wire.FACTS}?cursor={cursor}&wait=40", headers=headers))
    )
    waiting.start()
    one.hear()  # one request more: the other one waits by now
    assert server.end(signal.SIGTERM) == 0
    waiting.join(20)
    assert answers[0].status == 200
    log = (directory.parent / "log").read_text()
    assert str(call) in log
    assert "Traceback" not in log
    assert not [word for word in (number, "0312345699", agent, customer, one.token.secret) if word in log]


def secret_fact(number, agent):
    return {"id": "f", "kind": "attempt", "number": number, "at": 1.0, "booth": "Booth 1", "agent": agent}


def secret_call(number, agent, customer):
    told = {"version": 1, "id": str(uuid.uuid4()), "agent": agent, "number": {"key": number}}
    return told | {"customer": {"name": customer, "reading": "", "row": 1, "list": {}}}


def test_every_death_in_an_intake_is_survived(tmp_path, deck_of, call_id):
    directory = tmp_path / "server"
    parts.make(directory)
    opened = parts.Parts.open(directory)
    with opened.database.write() as connection:
        connection.execute(insert(schema.booth).values(id="B", name="Booth", key=b"", enrolled=0.0))
    opened.close()
    journal = tmp_path / f"{call_id}.journal"
    journal.write_bytes(deck_of(directory).journal(call_id, 2))
    played = recording.opus(recording.load(journal, keys.load(directory / parts.RECORDINGS_KEY)))
    (tmp_path / "expected.opus").write_bytes(played)
    command = [sys.executable, VICTIM, directory, str(call_id), "B", journal]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    print(f"{int(done.stdout)} deaths")
    assert int(done.stdout) > 30


class Uploader(threading.Thread):
    """A booth that will have its recordings on the server, whatever happens there."""

    def __init__(self, one, journals):
        super().__init__(daemon=True)
        self.one, self.journals = one, journals
        self.acknowledged, self.progress = dict.fromkeys(journals, 0), threading.Semaphore(0)
        self.wrong = []

    def run(self):
        for name, whole in self.journals.items():
            while not self.sent(name, whole):
                pass

    def sent(self, name, whole):
        try:
            offset, complete = self.one.offset(name)
            if offset < self.acknowledged[name]:
                self.wrong.append(f"{name}: {self.acknowledged[name]} were acknowledged, {offset} are there")
            if complete:
                return True
            end = min(offset + 4000, len(whole))
            answer = self.one.patch(name, offset, whole[offset:end], whole if end == len(whole) else None)
        except (OSError, HTTPException, AssertionError):
            self.one.nonce = ""  # gone, or another one now
            return False
        if answer.status == 204:
            self.acknowledged[name] = end
            self.progress.release()
        return False


@pytest.mark.slow
@pytest.mark.parametrize("kills", [2, pytest.param(25, marks=pytest.mark.soak)])
def test_a_server_that_is_killed_loses_nothing_it_acknowledged(running, directory, enrolled, deck_of, kills):
    server = running()
    one = enrolled()
    deck, chance = deck_of(directory), random.Random(4)  # a fixed seed: the same moments, as far as a scheduler allows
    journals = {name: deck.journal(name, 3) for name in (uuid.uuid4() for _ in range(3 * kills))}
    uploader = Uploader(one, journals)
    uploader.start()
    for _ in range(kills):
        for _ in range(chance.randint(1, 10)):
            assert uploader.progress.acquire(timeout=30)
        server.end(signal.SIGKILL)
        server = running(server.port)
    uploader.join(100)
    assert not uploader.is_alive()
    assert uploader.wrong == []
    assert server.end(signal.SIGTERM) == 0
    opened = parts.Parts.open(directory)  # opens and draws what nobody had the time for
    opened.recordings.settle(30)
    for name, whole in journals.items():
        assert bytes(obstore.get(opened.archive, f"{name}.journal").bytes()) == whole
    with opened.database.read() as connection:
        assert {row.state for row in connection.execute(schema.recording.select())} == {"whole"}
    opened.close()
    assert list((directory / parts.INCOMING).iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("segments", [150, pytest.param(5400, marks=pytest.mark.soak)])
def test_the_server_does_not_grow_with_the_length_of_a_call(running, directory, enrolled, deck_of, segments):
    """Five minutes, or three hours, are joined and drawn in no more memory than half a minute."""
    server, deck = running(), deck_of(directory)
    one = enrolled()

    def upload(segments):
        call = uuid.uuid4()
        whole = deck.journal(call, segments)
        for start in range(0, len(whole), 250_000):
            end = min(start + 250_000, len(whole))
            assert one.patch(call, start, whole[start:end], whole if end == len(whole) else None).status == 204
        while (directory / parts.INCOMING / f"{call}.part").exists():  # not opened and drawn yet
            assert not select.select([], [], [], 0.02)[0]
        return server.peak()

    short = upload(15)
    long = upload(segments)
    print(f"peak {short >> 20} MB after half a minute of talk, {long >> 20} MB after {segments // 30}")
    assert long - short < 6_000_000  # as objects the packets of five minutes alone are more
    assert long < 120 * 1024 * 1024
    assert server.end(signal.SIGTERM) == 0
