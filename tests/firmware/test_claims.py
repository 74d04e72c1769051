"""Claims as the booth sees them: rows that sync answers, a wait that is short, and none at all without a server."""

import json
import threading

import pytest

from firmware import mailbox, wake
from firmware.calls import Calls
from firmware.claims import SPARE, Claims
from firmware.clock import RELEASED, Clock
from firmware.customers import Customer
from firmware.gate import Gate, Target
from firmware.known import Hold, Rules
from firmware.mailbox import Report
from firmware.numbers import keyed, parse
from firmware.redial import Reason, Verdict
from firmware.registers import Registers
from firmware.rulebook import InForce, Rulebook

NUMBER, OTHER, POLICE = parse("03-1234-5601"), parse("03-1234-5602"), parse("110")
NOW = RELEASED + 86400.0


class Booth:
    """The books of a booth whose sync is this test."""

    def __init__(self, data, *, enrolled=True):
        self.monotonic = 1000.0
        self.clock = Clock(
            "synchronised", system=lambda: NOW, synchronised=lambda: True, monotonic=lambda: self.monotonic, boot="now"
        )
        if enrolled:
            (data / mailbox.IDENTITY).parent.mkdir()
            (data / mailbox.IDENTITY).write_text(json.dumps({}), encoding="utf-8")
        self.calls = Calls(data / "booth.db", "b3", self.clock)
        self.store = self.calls.store
        self.ear = wake.Ear(data, wake.SYNC)
        self.claims = Claims(self.store, self.clock, data)
        self.gate = Gate(
            self.calls, self.clock, InForce(Rulebook(Rules(sample_allowed=True))), self.claims, Registers(data)
        )

    def in_touch(self):
        mailbox.write_report(self.store, Report(contact=NOW, boot="now", monotonic=self.monotonic))

    def wishes(self):
        return [(row["number"], row["state"]) for row in self.store.rows("SELECT * FROM claim ORDER BY number")]

    def answer(self, state, seconds=120.0, holder=""):
        """What sync writes down."""
        with self.store.write() as db:
            db.execute(
                "UPDATE claim SET state = ?, until = ?, holder = ? WHERE state = 'wanted'",
                (state, self.monotonic + seconds, holder),
            )

    def close(self):
        self.ear.close()
        self.calls.close()


@pytest.fixture
def booth(tmp_path):
    made = Booth(tmp_path)
    yield made
    made.close()


def decided(booth, number=NUMBER):
    return booth.gate.decide(Target(number, Customer(1, 1, 1, "川口", "", number)))


def test_a_number_in_sight_is_asked_for_and_the_last_one_let_go(booth):
    booth.claims.want(NUMBER)
    assert booth.ear.wait(0)
    booth.claims.want(NUMBER)
    assert not booth.ear.wait(0)
    booth.claims.want(OTHER)
    assert booth.wishes() == [(NUMBER.key, "unwanted"), (OTHER.key, "wanted")]
    booth.claims.want(None)
    assert {state for _, state in booth.wishes()} == {"unwanted"}


@pytest.mark.parametrize("number", [POLICE, keyed("0312", "JP", "03")])
def test_nobody_asks_for_what_is_no_customers(booth, number):
    booth.in_touch()
    booth.claims.want(number)
    assert booth.claims.settle(number) is Hold.ALONE
    assert booth.wishes() == []


def test_a_booth_without_a_server_asks_nobody(tmp_path):
    booth = Booth(tmp_path, enrolled=False)
    booth.claims.want(NUMBER)
    assert booth.claims.settle(NUMBER) is Hold.ALONE
    assert booth.wishes() == []
    booth.close()


def test_a_server_that_is_not_heard_is_not_waited_for(booth):
    booth.claims.want(NUMBER)
    assert booth.claims.settle(NUMBER) is Hold.OFFLINE
    booth.in_touch()
    booth.monotonic += mailbox.STALE + 1
    assert booth.claims.settle(NUMBER) is Hold.OFFLINE


def test_an_answer_in_time_is_waited_for_and_a_late_one_is_not(booth):
    booth.in_touch()
    booth.claims.want(NUMBER)
    answering = threading.Timer(0.05, booth.answer, ("granted",))
    answering.start()
    assert booth.claims.settle(NUMBER) is Hold.GRANTED
    answering.join()
    booth.claims.want(OTHER)
    assert booth.claims.settle(OTHER) is Hold.OFFLINE


def test_a_claim_that_is_about_to_run_out_is_asked_for_again(booth):
    booth.in_touch()
    booth.claims.want(NUMBER)
    booth.answer("granted", seconds=120)
    assert booth.claims.settle(NUMBER) is Hold.GRANTED
    booth.monotonic += 120 - SPARE  # it would end before the server has heard of the dial
    booth.in_touch()
    assert booth.claims.settle(NUMBER) is Hold.OFFLINE
    assert booth.wishes() == [(NUMBER.key, "wanted")]


def test_what_another_booth_has_is_not_dialled_until_it_lets_go(booth):
    booth.in_touch()
    booth.claims.want(NUMBER)
    booth.answer("held", seconds=40, holder="7")
    decision = decided(booth)
    assert (decision.verdict, decision.reason, decision.overridable) == (Verdict.BLOCK, Reason.CLAIMED, False)
    assert decision.until == NOW + 40
    assert [fact.booth for fact in decision.evidence] == ["7"]
    assert decided(booth, OTHER).verdict is Verdict.ALLOW
    booth.monotonic += 41
    assert decided(booth).verdict is Verdict.ALLOW


def test_a_claim_of_before_the_last_start_says_nothing(booth):
    booth.in_touch()
    booth.claims.want(NUMBER)
    booth.answer("held", holder="7")
    with booth.store.write() as db:
        db.execute("UPDATE claim SET boot = 'before'")
    assert decided(booth).verdict is Verdict.ALLOW
