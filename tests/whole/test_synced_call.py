"""One call, whole, as far as the server: what was said in the booth plays there, and the next booth knows."""

import hashlib
import subprocess
import time
import wave

import numpy as np
import pytest

from firmware import wire
from firmware.callflow import State
from firmware.redial import Reason
from firmware.screens.scene import MenuBody
from hw.emulated.exchange import FarEnd
from hw.emulated.speech import Tone
from provisioning.cli import main as provision

AGENT, CUSTOMER = 440, 1000  # Hz
FIRST = "0312345601"
KEY = "+81312345601"
CONSENT_FIRST = """
[pack]
id = "house"
version = "1"
region = "JP"
purpose = "sales"
verified = true
law = { ja = "社内規則", en = "House rules" }
[consent]
required = true
"""

pytestmark = pytest.mark.slow


def decoded(ogg, directory):
    """Both ears of an Ogg Opus file, as opus-tools decode it."""
    file, out = directory / "served.opus", directory / "served.wav"
    file.write_bytes(ogg)
    subprocess.run(["opusdec", "--quiet", "--rate", "8000", file, out], check=True, capture_output=True)
    with wave.open(str(out), "rb") as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, 8000)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(float)
    return samples[0::2], samples[1::2]


def talk(rig, booth, at, seconds=1.0):
    """Call the first customer and be answered; the call's id."""
    rig.exchange.book[FIRST] = FarEnd(answers_after=0.3, voice=Tone(CUSTOMER))
    rig.handset.voice = Tone(AGENT)
    at(booth, State.LIST, lambda scene, _view: scene.body.rows)
    rig.lift()
    rig.tap("A")
    scene = at(booth, State.TALKING, lambda scene, _view: scene.body.seconds >= seconds, patience=seconds + 30)
    return scene.body.call.id


def hang_up(rig, booth, at, key="1"):
    """End the call and key its result; when that was."""
    rig.replace()
    at(booth, State.WRAP_UP)
    rig.tap(key)
    at(booth, State.WRAP_UP, lambda scene, _view: scene.body.chosen is not None)
    keyed = time.monotonic()
    rig.tap("A")
    return keyed


def test_a_call_is_on_the_server_and_the_next_booth_knows(  # noqa: PLR0917  (fixtures)
    central, branch, at, level, usual, until, card, tmp_path
):
    one, other = branch("one"), branch("other")
    for place in (one, other):
        central.enrol(place.directory)
        central.sync(place.directory)
    rig, booth = one.install()
    call = talk(rig, booth, at, seconds=4.5)
    until(lambda: central.rows("SELECT 1 FROM recording WHERE id = ? AND bytes > 0", call))  # it listens seconds behind
    keyed = hang_up(rig, booth, at, key="7")

    heard = "SELECT 1 FROM fact WHERE number = ? AND kind = 'refusal'"
    until(lambda: card(other.directory, heard, KEY))
    print(f"the other booth knows after {time.monotonic() - keyed:.2f} s")
    row = until(lambda: central.call(call))
    kept = until(lambda: central.recording(call))
    print(f"call and recording are there after {time.monotonic() - keyed:.2f} s")
    assert (row["result"], row["number"], row["list_name"]) == ("REF", KEY, "sample.ja")
    journal = one.directory / "recordings" / f"{call}.journal"
    assert journal.exists()
    assert kept["sha256"] == hashlib.sha256(journal.read_bytes()).hexdigest()
    assert (kept["state"], kept["problem"]) == ("whole", "")
    at(booth, State.PREVIEW, lambda scene, _view: scene.header.synced and not scene.header.pending)
    state = "SELECT state, digest FROM upload WHERE recording = ?"
    assert [tuple(found) for found in card(one.directory, state, call)] == [("synced", kept["sha256"])]

    agent, customer = decoded(central.kept(f"{call}.opus"), tmp_path)
    inside = slice(int(kept["answer_seconds"] * 8000) + 4000, -4000)
    agent, customer = agent[inside], customer[inside]
    assert usual(agent, AGENT) - level(agent, CUSTOMER) >= 60
    assert usual(customer, CUSTOMER) - level(customer, AGENT) >= 60
    assert min(usual(agent, AGENT), usual(customer, CUSTOMER)) > -20

    rig, booth = other.install()
    at(booth, State.LIST)
    rig.type(FIRST)
    rig.lift()
    rig.tap("A")
    scene = at(booth, State.BLOCKED)
    assert (scene.body.decision.reason, scene.body.decision.never) == (Reason.REFUSED, True)
    assert scene.body.decision.evidence[0].call == call
    lift = wire.Fact(
        id="lift", kind="lift", number=KEY, at=time.time(), booth="server", agent="SV", note="asked for it"
    )
    central.server.parts.facts.add(lift)
    at(booth, State.BLOCKED, lambda scene, _view: scene.body.decision.reason is Reason.CALLED_RECENTLY)


def test_a_server_that_is_off_for_the_whole_call_misses_nothing(central, branch, at, until):
    place = branch("one")
    central.enrol(place.directory)
    rig, booth = place.install()
    central.down()
    central.sync(place.directory)
    call = talk(rig, booth, at)
    hang_up(rig, booth, at)
    at(booth, State.PREVIEW, lambda scene, _view: scene.header.pending == 1 and not scene.header.synced)
    rig.tap("D")
    at(booth, State.LIST)
    rig.hold("*")
    at(booth, State.MENU)
    rig.tap("3")
    seen = ("server", "server-down")
    at(booth, State.MENU, lambda scene, _view: isinstance(scene.body, MenuBody) and seen in scene.body.status)
    assert not booth.died
    central.up()
    kept = until(lambda: central.recording(call))
    assert kept["state"] == "whole"
    assert until(lambda: central.call(call))["result"] == "SALE"
    at(booth, State.MENU, lambda scene, _view: scene.header.synced, patience=30)


def test_the_server_tells_a_booth_the_time_that_nobody_else_knows(central, branch, at):
    place = branch("one")
    central.enrol(place.directory)
    _rig, booth = place.install(before=lambda rig: rig.set_clock(1970))
    at(booth, State.LIST, lambda scene, _view: scene.header.now is None)
    central.sync(place.directory)
    scene = at(booth, State.LIST, lambda scene, _view: scene.header.now is not None, patience=30)
    assert scene.header.now == pytest.approx(time.time(), abs=5)


def test_two_booths_and_one_customer(central, branch, at, until, card):
    places = branch("one"), branch("other")
    for place in places:
        central.enrol(place.directory, central.token(place.directory.name))
        central.sync(place.directory)
    (one, first), (other, second) = (place.install() for place in places)
    asked = "SELECT state FROM claim WHERE number = ?"
    for booth in (first, second):
        at(booth, State.LIST, lambda scene, _view: scene.body.rows and scene.header.synced)
    one.tap("D")
    at(first, State.PREVIEW)
    until(lambda: [row["state"] for row in card(places[0].directory, asked, KEY)] == ["granted"])
    other.lift()
    other.tap("A")
    scene = at(second, State.BLOCKED)
    decision = scene.body.decision
    assert (decision.reason, decision.overridable) == (Reason.CLAIMED, False)
    assert [fact.booth for fact in decision.evidence] == ["one"]
    assert not [line for line in other.modem.heard if line.startswith("ATD")]

    one.tap("D")  # the agent at the first booth goes back to the list: the number is free again
    at(first, State.LIST)
    until(lambda: not card(places[0].directory, asked, KEY))
    other.tap("D")
    at(second, State.LIST)
    other.exchange.book[FIRST] = FarEnd(answers_after=0.3, voice=Tone(CUSTOMER))
    until(lambda: not [row for row in card(places[1].directory, asked, KEY) if row["state"] == "held"])
    other.tap("A")
    call = at(second, State.TALKING).body.call.id
    assert places[1].books().record(call)["decision"]["claim"] == "granted"


def test_a_call_without_the_servers_word_says_so(central, branch, at):
    place = branch("one")
    central.enrol(place.directory)
    rig, booth = place.install()
    call = talk(rig, booth, at, seconds=0)
    hang_up(rig, booth, at)
    at(booth, State.PREVIEW)
    booth.stop()
    assert place.record(call)["decision"]["claim"] == "offline"


def test_lists_come_from_the_server_change_and_go(central, branch, at):
    place = branch("one")
    central.enrol(place.directory)
    central.sync(place.directory)
    rig, booth = place.install(lists=())
    at(booth, State.LIST, lambda scene, _view: scene.body.list is None)
    rows = [(f"顧客{n}", f"03-1234-56{n:02}") for n in range(100)]
    given = central.give_list("春", rows[:60])
    scene = at(booth, State.LIST, lambda scene, _view: scene.body.list is not None, patience=30)
    assert (scene.body.list.name, scene.body.list.total) == ("春", 60)
    assert scene.body.notice == "list-changed"
    for _ in range(3):
        rig.tap("C")
    at(booth, State.LIST, lambda scene, _view: scene.body.rows[scene.body.chosen].name == "顧客3")
    central.give_list("春の改訂", rows[2:], revision=2, identity=given)
    scene = at(booth, State.LIST, lambda scene, _view: scene.body.list.name == "春の改訂", patience=30)
    assert scene.body.list.total == 98
    assert scene.body.rows[scene.body.chosen].name == "顧客3"
    central.take_list(given)
    at(booth, State.LIST, lambda scene, _view: scene.body.list is None, patience=30)


def test_the_offices_result_codes_reach_the_agent(central, branch, at, tmp_path, capsys):
    place, codes = branch("one"), tmp_path / "codes.toml"
    central.enrol(place.directory)
    rig, booth = place.install()
    where = ["--data", str(central.directory)]
    capsys.readouterr()
    assert provision(["server", "results", *where]) == 0
    text = capsys.readouterr().out
    codes.write_text(text.replace('ja = "成約"', "ja = 7"), encoding="utf-8")
    assert provision(["server", "results", str(codes), *where]) == 1
    assert "ja must be a short text" in capsys.readouterr().err
    codes.write_text(text.replace('ja = "成約"', 'ja = "ご契約"'), encoding="utf-8")
    assert provision(["server", "results", str(codes), *where]) == 0
    central.sync(place.directory)
    at(booth, State.LIST, lambda scene, _view: scene.results[0].ja == "ご契約")
    talk(rig, booth, at)
    rig.replace()
    at(booth, State.WRAP_UP, lambda _scene, view: "ご契約" in str(view))
    assert provision(["server", "results", "--ours", *where]) == 0


def test_the_offices_rules_reach_the_guard_while_it_runs_and_hold_after_a_restart(central, branch, at, tmp_path):
    place, pack = branch("one"), tmp_path / "house.toml"
    pack.write_text(CONSENT_FIRST, encoding="utf-8")
    central.enrol(place.directory)
    rig, booth = place.install()
    at(booth, State.LIST, lambda scene, _view: scene.body.rows)
    rig.hold("#")
    at(booth, State.WHY, lambda scene, _view: scene.body.decision.reason is Reason.FREE)
    assert provision(["server", "rules", str(pack), "--data", str(central.directory)]) == 0
    central.sync(place.directory)
    scene = at(booth, State.WHY, lambda scene, _view: scene.body.decision.reason is Reason.NO_CONSENT)
    assert scene.body.decision.rule.pack == "house"

    written = {"number": KEY, "booth": "server", "agent": "SV"}
    consent = wire.Fact(id="consent", kind="consent", at=time.time(), note="letter of 1 March", **written)
    central.server.parts.facts.add(consent)
    at(booth, State.WHY, lambda scene, _view: scene.body.decision.reason is Reason.FREE)
    withdrawal = wire.Fact(id="withdrawal", kind="withdrawal", at=time.time(), note="by telephone", **written)
    central.server.parts.facts.add(withdrawal)
    at(booth, State.WHY, lambda scene, _view: scene.body.decision.reason is Reason.NO_CONSENT)

    central.down()
    place.close()
    rig, booth = place.install(lists=())
    at(booth, State.LIST, lambda scene, _view: scene.body.rows)
    rig.lift()
    rig.tap("A")
    assert at(booth, State.BLOCKED).body.decision.reason is Reason.NO_CONSENT
    assert not [line for line in rig.modem.heard if line.startswith("ATD")]
