"""booth-sync as systemd sees it: a process that says it is ready and alive, goes when told, stays small and is discreet."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from firmware import mailbox, numbers, results, rulepack, sync, tariff, wake, wire
from firmware.calls import Call, Calls
from firmware.clock import Clock
from firmware.screens import statuswords
from firmware.store import Store
from firmware.syncing import faults
from firmware.syncing.identity import Wallet
from firmware.syncing.link import Channel, Link, read
from firmware.tariff import Tariff
from hw.events import Cause, Party
from provisioning.cli import main as provision
from provisioning.server import notes
from provisioning.server.run import Server
from provisioning.server.schema import booth

MEGABYTE = 1024
LARGEST = 42 * MEGABYTE  # kB; 40 on a booth: an editable install brings 2 MB of finders along
CODES = {result.code: result for result in results.load()}

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path / "server")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def card(tmp_path, server):
    """The data directory of an enrolled booth with a few calls."""
    data = tmp_path / "card"
    data.mkdir()
    with closing(Calls(data / "booth.db", "b3", Clock("system"))) as books:
        for n in range(20):
            call = Call(str(uuid.uuid4()), numbers.parse(f"03-1234-56{n:02}"), None)
            books.begin(call, None, "0707", "off-list")
            books.answered(call.id)
            books.ended(call.id, Cause.NORMAL, Party.FAR, 3.0)
            books.finish(call.id, CODES["SALE"], note="株式会社ミズホ設備")
    assert sync.main(["enrol", server.new_token("Booth 3"), "--data", str(data)]) == 0
    return data


@pytest.fixture
def systemd(tmp_path):
    """What systemd would hear."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(10)
        yield ear


@pytest.fixture
def daemon(card):
    """Starts the daemon; it must have gone at the end."""
    started = []

    def start(*before, **environment):
        command = [sys.executable, "-m", "firmware.sync", *before, "run", "--data", str(card)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | environment)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def heard_until(ear, wanted):
    """Everything that systemd is told, up to `wanted`."""
    said = []
    while not said or said[-1] != wanted:
        said.append(ear.recv(4096).decode())
    return said


def until(true, patience=30.0):
    ends = time.monotonic() + patience
    while not true():
        assert time.monotonic() < ends, "it never came true"
        select.select([], [], [], 0.02)


def waits(card):
    with closing(Store(card / "booth.db")) as store:
        return sum(mailbox.waiting(store).values())


def memory(process, what="VmRSS"):
    """How much it takes, in kB."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(status.split(f"{what}:")[1].split()[0])


def test_it_is_ready_alive_and_goes_when_told(daemon, systemd, tmp_path):
    process = daemon(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="1000000")
    assert "READY=1" in heard_until(systemd, "READY=1")
    heard_until(systemd, "STATUS=in touch with the server")
    for _ in range(2):
        heard_until(systemd, "WATCHDOG=1")
    process.send_signal(signal.SIGTERM)
    heard_until(systemd, "STOPPING=1")
    assert process.wait(20) == 0  # its long-poll would last longer
    assert process.stderr.read().count("Traceback") == 0


def test_it_stays_small(daemon, card):
    process = daemon()
    until(lambda: waits(card) == 0)
    print(f"RSS {memory(process)} kB, at most {memory(process, 'VmHWM')} kB")
    assert memory(process, "VmHWM") < LARGEST


def test_its_log_is_discreet(daemon, card, server):
    process = daemon("--verbose")
    until(lambda: waits(card) == 0)
    server.parts.booths.revoke(_booth(server))
    with closing(Calls(card / "booth.db", "b3", Clock("system"))) as books:
        books.log_in("0707")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=10)
    for secret in ("12345", "ミズホ", "0707", _key(card)):
        assert secret not in said


def _booth(server):
    with server.parts.database.read() as connection:
        return connection.exec_driver_sql("SELECT id FROM booth").scalar_one()


def _key(card):
    return (card / "sync" / "key").read_text(encoding="ascii").strip()


def test_there_is_one_for_each_booth(daemon, card):
    """The system starts one; a technician may try another by hand."""
    first = daemon()
    until(lambda: waits(card) == 0)
    second = daemon()
    assert second.wait(10) == 1
    assert "running for this booth already" in second.stderr.read()
    assert first.poll() is None
    first.kill()  # what is killed keeps no lock
    first.wait()
    third = daemon()
    until((card / "sync.wake").exists)
    assert third.poll() is None


def test_another_version_of_the_protocol_gets_a_clear_refusal(card):
    wallet = Wallet(card)
    identity = wallet.identity()
    link = Link(Channel(identity.url, identity.pins), identity.booth, wallet.key(), wallet.counter())
    with pytest.raises(faults.Refused, match="version 2") as caught:
        read(link.ask("POST", wire.CALLS, b'{"version": 2, "calls": []}'), wire.Taken)
    assert caught.value.code == "unknown-version"
    link.channel.close()


def office_rules(server, text):
    """What the office has put in force, whoever has checked it."""
    with server.parts.database.write() as connection:
        notes.put(server.parts.database, connection, notes.RULES, text)


def asked_again(card, fault):
    """Something changes in the booth: sync tells the server, and hears what it should know in turn."""
    with closing(Store(card / "booth.db")) as store, store.write() as db:
        mailbox.note(db, mailbox.FAULTS, json.dumps([fault]))
    wake.Bell(card, wake.SYNC).ring()


def has(card):
    """The office's rule packs as the booth will find them."""
    with closing(Store(card / "booth.db")) as store:
        return mailbox.recalled(store, mailbox.RULES)


def told(process, wanted):
    """The line of its log in which `wanted` stands."""
    return next(line for line in process.stderr if wanted in line)


def test_the_offices_rule_packs_are_kept_and_the_booth_is_woken(daemon, card, server):
    ear = wake.Ear(card, wake.BOOTH)
    provision(["server", "rules", "jp-sales", "fr-sales", "--data", str(server.parts.directory)])
    daemon()
    until(lambda: has(card))
    assert [pack.id for pack in rulepack.parse_all(has(card))] == ["jp-sales", "fr-sales"]
    assert ear.wait(10)
    provision(["server", "rules", "--none", "--yes", "--data", str(server.parts.directory)])
    asked_again(card, "line:UNPLUGGED")
    until(lambda: has(card) == rulepack.NONE)
    ear.close()


def test_rule_packs_that_this_version_cannot_read_are_left_and_the_last_good_ones_stay(daemon, card, server):
    good, newer = rulepack.text_of("jp-sales"), rulepack.text_of("fr-sales") + "[weather]\nfine = true\n"
    office_rules(server, json.dumps([good]))
    process = daemon()
    until(lambda: has(card) == json.dumps([good]))
    for fault, bad in (("a", json.dumps([good, newer])), ("b", json.dumps([good, "[pack"])), ("c", "no list")):
        office_rules(server, bad)
        asked_again(card, fault)
        assert "rule packs are not for this version" in told(process, "rule packs")
        assert has(card) == json.dumps([good])
    office_rules(server, json.dumps([rulepack.text_of("fr-sales")]))
    asked_again(card, "d")
    until(lambda: has(card) != json.dumps([good]))
    assert [pack.id for pack in rulepack.parse_all(has(card))] == ["fr-sales"]


def test_the_server_hears_how_much_waits_and_when_the_lines_hours_begin(daemon, card, server):
    now = datetime.now(ZoneInfo("Asia/Tokyo"))
    hours = "-".join(f"{now + timedelta(hours=later):%H:%M}" for later in (2, 3))
    with closing(Store(card / "booth.db")) as store, store.write() as db:
        mailbox.note(db, mailbox.TARIFF, tariff.written(Tariff(hours=hours)))
    (card / "recordings").mkdir()
    (card / "recordings" / f"{uuid.uuid4()}.journal").write_bytes(bytes(70_000))
    daemon()

    def told():
        wake.Bell(card, wake.SYNC).ring()
        with server.parts.database.read() as connection:
            return connection.execute(booth.select().where(booth.c.pending_recordings == 1)).one_or_none()

    until(told)
    assert told().pending_bytes == 70_000
    assert 0 < told().opens - told().seen <= 7200


def test_the_help_teaches(capsys):
    with pytest.raises(SystemExit):
        sync.main(["--help"])
    said = capsys.readouterr().out
    for step in ("token new", "booth-sync enrol 'booth1:", "booth-sync run", "booth-sync status"):
        assert step in said


def test_every_fault_has_words_on_the_screen():
    """All but those that only the one at the keyboard can see."""
    kinds = [kind for kind in vars(faults).values() if isinstance(kind, type) and issubclass(kind, faults.SyncError)]
    codes = {kind.code for kind in kinds} | set(faults._BY_ERROR.values()) | set(faults._BY_STATUS.values())
    assert codes - {"bad-token", "spent-token", "running"} <= set(statuswords.SYNC_ERRORS)
    assert set(statuswords.SYNC_ERRORS) <= codes | {"refused", "card"}
