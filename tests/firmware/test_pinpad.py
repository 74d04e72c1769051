"""PIN entry: who is let in, and how often one may be wrong."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.pin import FREE_TRIES, Tries, hash_pin
from firmware.pinpad import REASONS, PinPad
from firmware.settings import Agent
from firmware.sim import SimPin

SUPERVISOR, AGENT = "246810", "1357"
HASHES = {pin: hash_pin(pin) for pin in (SUPERVISOR, AGENT)}
AGENTS = (Agent(id="07", name="OP07", pin=HASHES[AGENT]), Agent(id="08", name="OP08"))


class Keypad:
    """A pad with its clock."""

    def __init__(self, supervisor=HASHES[SUPERVISOR]):
        self.now = 0.0
        self.tries = {whose: Tries(None, lambda _count: None, 0.0) for whose in ("", "07", "08")}
        self.sim = SimPin("", "boot", None, lambda _note: None, cost=2)
        self.pad = PinPad(supervisor, AGENTS, "Asia/Tokyo", self.tries, lambda: self.now, sim=self.sim)

    def open(self, purpose):
        self.pad.open(purpose)
        return self

    def key(self, digits):
        for digit in digits:
            self.pad.add(digit)
        return self.pad.done()


def test_an_override_wants_the_pin_and_one_of_five_reasons():
    keypad = Keypad().open("override")
    assert keypad.key(SUPERVISOR) is None
    assert keypad.key("6") is None
    assert keypad.pad.body().wrong
    granted = keypad.key("3")
    assert (granted.purpose, granted.reason) == ("override", REASONS["3"])


def test_the_clock_is_keyed_after_the_pin():
    keypad = Keypad().open("clock")
    for digits in (SUPERVISOR, "20261399", "20261123", "2561"):
        assert keypad.key(digits) is None
    granted = keypad.key("0915")
    assert datetime.fromtimestamp(granted.utc, ZoneInfo("Asia/Tokyo")) == datetime(
        2026, 11, 23, 9, 15, tzinfo=ZoneInfo("Asia/Tokyo")
    )


@pytest.mark.parametrize("date", ["00010101", "99991231", "00000000", "2026112", ""])
def test_impossible_dates_are_no_trouble(date):
    keypad = Keypad().open("clock")
    keypad.key(SUPERVISOR)
    keypad.key(date)
    keypad.key("0000")
    assert keypad.pad.body().asking in {"date", "time"}


def test_an_agent_without_a_pin_keys_the_number_alone():
    assert Keypad().open("log-in").key("08").agent == "08"
    assert Keypad().open("log-in").key("99") is None


def test_after_five_wrong_pins_the_right_one_must_wait():
    keypad = Keypad().open("override")
    for _ in range(FREE_TRIES):
        keypad.key("000000")
    assert keypad.pad.body().locked == 60.0
    assert keypad.key(SUPERVISOR) is None
    assert keypad.pad.body().asking == "pin"
    keypad.now = 60.0
    keypad.key(SUPERVISOR)
    assert keypad.pad.body().asking == "reason"


def test_whoever_knows_one_pin_does_not_clear_the_count_of_another():
    keypad = Keypad()
    for _ in range(FREE_TRIES - 1):
        keypad.open("override").key("000000")
    assert keypad.open("log-in").key("07") is None
    assert keypad.key(AGENT).agent == "07"
    keypad.open("override").key("000000")
    assert keypad.pad.body().locked > 0


def test_leaving_and_coming_back_gives_no_more_tries():
    keypad = Keypad()
    for _ in range(FREE_TRIES):
        keypad.open("clock").key("000000")
        keypad.open("override")
    assert keypad.pad.body().locked > 0


def test_without_a_supervisors_pin_nobody_is_one():
    keypad = Keypad(supervisor="").open("override")
    assert keypad.key("") is None
    assert keypad.key("000000") is None
    assert keypad.pad.body().asking == "pin"


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(["override", "log-in", "clock"]), st.lists(st.text("0123456789", max_size=12), max_size=4))
def test_no_digits_let_anybody_in_by_chance(purpose, entries):
    keypad = Keypad().open(purpose)
    for digits in entries:
        granted = keypad.key(digits)
        assert granted is None or granted.agent == "08" or SUPERVISOR in entries or AGENT in entries


def test_a_pin_is_never_on_the_screen():
    keypad = Keypad().open("override")
    for digit in "2468":
        keypad.pad.add(digit)
    body = keypad.pad.body()
    assert (body.dots, body.keyed) == (4, "")
