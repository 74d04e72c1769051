"""/metrics and /healthz: figures that add up whoever is asked, and nothing about anybody."""

import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from obstore.store import MemoryStore, S3Store

from firmware import wire
from provisioning import cli
from provisioning.server import database
from provisioning.server.operations import counters
from provisioning.server.operations.measures import healthy
from provisioning.server.run import Server
from tests.places import Files
from tests.provisioning.programs import Program
from tests.provisioning.travellers import Phone, Traveller

SAMPLE = re.compile(r'(boothphone_[a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)+)\})? (-?[0-9.e+]+)')
NAME = "印印のブース"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    made = tmp_path_factory.mktemp("fleet") / "server"
    with Files().place():
        assert cli.main(["server", "init", "--data", str(made), "--announce"]) == 0
        yield made


@pytest.fixture(scope="module")
def fleet(directory):
    made = Program(directory, "--metrics", "127.0.0.1:0", "--name-booths", "--log", "json")
    yield made
    made.stop()


def figures(text):
    """Every sample, strictly read: each has its HELP and TYPE, none comes twice."""
    found, told = {}, set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# "):
            _, kind, name, rest = line.split(" ", 3)
            assert (kind, name) not in told
            assert rest
            told.add((kind, name))
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        assert {("HELP", name), ("TYPE", name)} <= told
        key = (name.removeprefix("boothphone_"), *sorted(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', labels or "")))
        assert key not in found
        found[key] = float(value)
    return found


def test_figures_add_up_over_all_processes(fleet, directory, capsys, deck_of, part):
    assert cli.main(["token", "new", NAME, "--data", str(directory)]) == 0
    one = Traveller(capsys.readouterr().out.strip())
    assert one.enrol().status == 200
    status = {
        "software": "",
        "pending_calls": 3,
        "pending_recordings": 2,
        "pending_bytes": 4_200,
        "oldest": 1e9,
        "free_bytes": 10**9,
    }
    one.post(wire.STATUS, wire.Status(**status, faults=("card-full", NAME)), wire.Wanted)
    call, deck = uuid.uuid4(), deck_of(directory)
    told = {"version": 1, "id": str(call), "agent": NAME, "number": {"key": "+81312345601"}}
    one.post(wire.CALLS, wire.Calls(calls=(part(told),)), wire.Taken)
    assert one.upload(call, deck.journal(call)).status == 204
    with ThreadPoolExecutor(8) as crowd:  # both processes have something to do
        assert {answer.status for answer in crowd.map(lambda _: Phone.plain(one, "GET", wire.NONCE), range(60))} == {
            200
        }
    text = httpx.get(fleet.told["metrics"], timeout=30).text
    found = figures(text)
    assert found["booths", ("state", "seen")] == 1
    assert (found["booth_pending_calls",], found["booth_pending_recordings",], found["calls",]) == (3, 2, 1)
    assert found["booth_pending_bytes",] == 4_200
    assert found["booth_oldest_pending_seconds",] > 1e8
    assert found["booth_faults", ("fault", "card-full")] == found["booth_faults", ("fault", "other")] == 1
    assert sum(value for (name, *_), value in found.items() if name == "recordings") == 1
    assert found["disk_free_bytes",] > 0
    answered = {key: value for key, value in found.items() if key[0] == "requests_total" and ("listener", "api") in key}
    good = [value for key, value in answered.items() if ("status", "2xx") in key]
    assert len(good) == 2  # processes
    assert sum(good) == one.good + 60
    # Its name was asked for; nothing else of anybody is there.
    assert text.count(NAME) == 1
    assert ("booth_seen_timestamp_seconds", ("booth", NAME), ("id", one.id)) in found
    assert "12345601" not in text


def test_only_those_who_live_are_counted(fleet, directory):
    (directory / "counters" / "4194305").write_bytes(bytes(80))  # of a process that was killed
    text = httpx.get(fleet.told["metrics"].replace("/metrics", "/healthz"), timeout=30).text
    assert text == "ok\n"
    processes = {process for process, *_ in counters.of_all(directory)}
    assert len(processes) == 2
    assert "4194305" not in processes
    assert not (directory / "counters" / "4194305").exists()


def test_the_log_is_lines_of_json(fleet):
    events = [json.loads(line) for line in fleet.log.read_text().splitlines()]
    assert any("booth API at" in event["message"] for event in events)
    assert NAME not in fleet.log.read_text()


def test_the_pages_say_whether_all_is_well_and_no_figures(tmp_path):
    with Files().place():
        server = Server(tmp_path / "server")
    server.start()
    try:
        answer = httpx.get(f"{server.pages_url}/healthz", timeout=30)
        assert (answer.status_code, answer.text) == (200, "ok\n")
        assert httpx.get(f"{server.pages_url}/metrics", timeout=30).status_code in {303, 404}
    finally:
        server.stop()


def test_without_an_archive_or_a_database_it_is_not_well(tmp_path):
    store = database.at(tmp_path / "server.db")
    store.upgrade()
    assert healthy(store, MemoryStore())
    retries = {"max_retries": 0}
    nobody = S3Store(
        "bucket", endpoint="http://127.0.0.1:9", access_key_id="a", secret_access_key="b",
        client_options={"allow_http": True}, retry_config=retries,
    )  # fmt: skip
    assert not healthy(store, nobody)
    store.close()
    (tmp_path / "server.db").unlink()
    (tmp_path / "server.db").mkdir()
    broken = database.at(tmp_path / "server.db")
    assert not healthy(broken, MemoryStore())
    broken.close()
