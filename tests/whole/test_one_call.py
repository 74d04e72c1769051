"""One call, whole: from the first digit through a mock pin to the sealed recording and the next customer."""

import json
from dataclasses import fields, is_dataclass

import pytest

from firmware.callflow import IDLE, State
from firmware.redial import FactKind, Reason
from hw.emulated.exchange import FarEnd
from hw.emulated.speech import Tone

AGENT, CUSTOMER = 440, 1000  # Hz
FIRST = "0312345601"


def texts(part):
    """Every text in a view."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, tuple | list):
        for one in part:
            yield from texts(one)
    elif is_dataclass(part):
        for entry in fields(part):
            yield from texts(getattr(part, entry.name))


def says(*wanted):
    """A view that says all of `wanted` somewhere."""
    return lambda _scene, view: all(any(one in text for text in texts(view)) for one in wanted)


def dials(rig):
    """The numbers that the modem was told to call."""
    return [line.rpartition("D")[2].rstrip(";") for line in rig.modem.heard if line.endswith(";") and "D" in line]


def call(rig, booth, at, digits, *, key="1", more=""):
    """Hand-dial, be answered, hang up, key a result; returns the call's id."""
    rig.type(digits)
    at(booth, State.KEYING, lambda scene, _view: scene.body.digits == digits)
    rig.lift()
    rig.tap("A")
    scene = at(booth, State.TALKING)
    rig.replace()
    at(booth, State.WRAP_UP)
    rig.type(key + more)
    rig.tap("A")
    return scene.body.call.id


@pytest.mark.slow
def test_one_call(house, at, level, usual):
    rig, booth = house.install()
    rig.exchange.book[FIRST] = FarEnd(answers_after=0.5, voice=Tone(CUSTOMER))
    rig.handset.voice = Tone(AGENT)
    scene = at(booth, State.LIST, says("株式会社ミズホ設備"))
    assert len(scene.body.rows) == 5

    rig.type(FIRST)
    scene = at(booth, State.KEYING, says("株式会社ミズホ設備", "03-1234-5601"))
    assert scene.body.match.customer.name == "株式会社ミズホ設備"
    rig.lift()
    rig.tap("A")
    rig.modem.wait_for("ATD0312345601;")
    at(booth, State.TALKING)
    scene = at(booth, State.TALKING, lambda scene, _view: scene.body.seconds >= 5, patience=30)
    assert scene.header.recording == "on"
    assert rig.glow("recording") == "on"
    identity = scene.body.call.id
    rig.replace()
    scene = at(booth, State.WRAP_UP)
    talked = scene.body.call.talk
    rig.tap("1")
    at(booth, State.WRAP_UP, lambda scene, _view: scene.body.chosen is not None)
    rig.tap("A")
    scene = at(booth, State.PREVIEW)
    assert scene.body.customer.name == "青葉クリニック"
    assert dials(rig) == [FIRST]
    rig.modem.wait_for("AT+CHUP")

    heard = house.open(identity)
    assert heard.found.whole, heard.found.faults
    assert heard.found.seconds == pytest.approx(talked, abs=0.15)
    inside = slice(4000, -4000)
    assert usual(heard.agent[inside], AGENT) - level(heard.agent[inside], CUSTOMER) >= 60
    assert usual(heard.customer[inside], CUSTOMER) - level(heard.customer[inside], AGENT) >= 60
    assert usual(heard.agent[inside], AGENT) > -20
    assert usual(heard.customer[inside], CUSTOMER) > -20

    booth.stop()
    record = house.record(identity)
    assert record["result"]["code"] == "SALE"
    assert json.loads(json.dumps(record)) == record


@pytest.mark.slow
def test_the_same_customer_again_is_blocked_with_evidence_until_a_supervisor_lets_it_pass(house, at):
    rig, booth = house.install()
    at(booth, State.LIST)
    call(rig, booth, at, FIRST, key="4", more="2")
    at(booth, State.PREVIEW)
    rig.tap("D")
    at(booth, State.LIST)
    rig.type(FIRST)
    at(booth, State.KEYING)
    rig.lift()
    before = list(rig.modem.heard)
    rig.tap("A")
    scene = at(booth, State.BLOCKED, says("本人不在"))
    decision = scene.body.decision
    assert decision.reason is Reason.CALLED_RECENTLY
    assert decision.until is not None
    assert decision.evidence[0].agent == "07"
    assert not [line for line in rig.modem.heard[len(before) :] if "ATD" in line]

    rig.tap("0")
    at(booth, State.PIN_ENTRY)
    rig.type("111111")
    rig.tap("A")
    at(booth, State.PIN_ENTRY, lambda scene, _view: scene.body.wrong)
    rig.type(house.pin)
    rig.tap("A")
    at(booth, State.PIN_ENTRY, lambda scene, _view: scene.body.asking == "reason")
    rig.tap("3")
    rig.tap("A")
    at(booth, State.TALKING)
    assert dials(rig) == [FIRST, FIRST]
    rig.replace()
    at(booth, State.WRAP_UP)
    booth.stop()
    noted = [fact for fact in house.facts(FIRST) if fact.kind is FactKind.OVERRIDE]
    assert [fact.note for fact in noted] == ["cut-off"]


@pytest.mark.slow
def test_a_refusal_cannot_be_overridden(house, at):
    rig, booth = house.install()
    at(booth, State.LIST)
    call(rig, booth, at, FIRST, key="7")
    at(booth, State.PREVIEW)
    rig.tap("D")
    at(booth, State.LIST)
    rig.type(FIRST)
    rig.lift()
    rig.tap("A")
    scene = at(booth, State.BLOCKED)
    assert (scene.body.decision.reason, scene.body.decision.never) == (Reason.REFUSED, True)
    rig.tap("0")
    rig.tap("#")
    at(booth, State.BLOCKED, lambda scene, _view: scene.body.full)
    assert dials(rig) == [FIRST]


@pytest.mark.slow
def test_an_armed_call_waits_for_the_handset(house, at):
    rig, booth = house.install()
    at(booth, State.LIST)
    rig.tap("A")
    at(booth, State.ARMED)
    assert dials(rig) == []
    rig.lift()
    rig.modem.wait_for("ATD0312345601;")
    at(booth, State.TALKING)


def ways_to(rig, booth, at):
    """How to reach every state without a call, as acts from LIST."""

    def blocked():
        call(rig, booth, at, FIRST)
        rig.tap("D")
        at(booth, State.LIST)
        rig.type(FIRST)
        rig.lift()
        rig.tap("A")

    def wrapped():
        rig.lift()
        rig.tap("A")
        at(booth, State.TALKING)
        rig.replace()

    def out_of_order():
        rig.modem.registered = False

    return {
        State.LIST: lambda: None,
        State.KEYING: lambda: rig.type("03"),
        State.PREVIEW: lambda: rig.tap("D"),
        State.WHY: lambda: rig.hold("#"),
        State.BLOCKED: blocked,
        State.ARMED: lambda: rig.tap("A"),
        State.WRAP_UP: wrapped,
        State.RINGING_IN: lambda: rig.exchange.call_in("0312345602"),
        State.OUT_OF_ORDER: out_of_order,
        State.MENU: lambda: rig.hold("*"),
        State.PIN_ENTRY: lambda: (rig.hold("*"), at(booth, State.MENU), rig.tap("9")),
    }


# The caller has been put off meanwhile, and nobody lifted the handset in time.
RETURNS = {State.RINGING_IN: State.LIST, State.ARMED: State.LIST}


@pytest.mark.slow
@pytest.mark.parametrize("state", sorted(IDLE, key=lambda state: state.value), ids=lambda state: state.name)
def test_an_emergency_call_from_every_state_without_a_call(house, at, state):
    rig, booth = house.install()
    at(booth, State.LIST)
    ways_to(rig, booth, at)[state]()
    at(booth, state, patience=30)
    rig.hold("D")
    at(booth, State.KEYING, lambda scene, _view: scene.body.emergency)
    rig.type("119")
    at(booth, State.KEYING, lambda scene, _view: scene.body.emergency_number)
    rig.tap("A")
    rig.modem.wait_for("ATD119;", 5.0)
    scene = at(booth, State.TALKING)
    assert scene.body.call.emergency
    rig.tap("D")
    scene = at(booth, RETURNS.get(state, state))
    assert dials(rig)[-1] == "119"
