"""The exchange and its far ends."""

import queue
import threading
import time

import pytest

from hw.contracts import FRAME, SILENCE
from hw.emulated.exchange import Exchange, FarEnd
from hw.emulated.speech import BUSY_TONE, RING_BACK, Tone

CUSTOMER = "0312345601"


@pytest.fixture
def exchange():
    with Exchange() as exchange:
        yield exchange
    assert not [thread for thread in threading.enumerate() if thread.name == "exchange"]


@pytest.fixture
def told(exchange):
    """Everything the exchange told, in order."""
    told = queue.SimpleQueue()
    exchange.listen(told.put)
    return told


def states(told, count):
    """The next `count` states that were told."""
    return [told.get(timeout=20).state for _ in range(count)]


def next_end(told):
    """What was told of the end of the call."""
    while (progress := told.get(timeout=20)).state != "idle":
        pass
    return progress


def test_a_call_is_dialled_rings_and_is_answered(exchange, told):
    assert (exchange.state, exchange.number) == ("idle", None)
    assert exchange.dial(CUSTOMER)
    assert exchange.number == CUSTOMER
    assert not exchange.incoming
    assert states(told, 3) == ["dialling", "alerting", "talking"]
    assert exchange.release()
    assert exchange.state == "idle"
    assert next_end(told).ended_here


def test_the_far_end_answers_when_it_said(exchange):
    exchange.book[CUSTOMER] = FarEnd(answers_after=0.4)
    begun = time.monotonic()
    exchange.dial(CUSTOMER)
    exchange.wait_for("talking")
    assert time.monotonic() - begun >= 0.4


@pytest.mark.parametrize(
    ("outcome", "cause", "rings"),
    [("busy", 17, False), ("unassigned", 1, False), ("rejects", 21, True), ("no answer", 19, True)],
)
def test_an_outcome_has_its_cause(exchange, told, outcome, cause, rings):
    exchange.book[CUSTOMER] = FarEnd(outcome=outcome, rings_for=0.3)
    exchange.dial(CUSTOMER)
    assert states(told, 1) == ["dialling"]
    assert not rings or states(told, 1) == ["alerting"]
    end = told.get(timeout=20)
    assert (end.state, end.cause, end.ended_here, end.number) == ("idle", cause, False, CUSTOMER)


def test_the_network_gives_up_on_one_who_answers_too_late(exchange, told):
    exchange.default = FarEnd(answers_after=5.0, rings_for=0.2)
    exchange.dial(CUSTOMER)
    assert next_end(told).cause == 19


@pytest.mark.parametrize("then", ["hangs up wordlessly", "hangs up mid-pitch"])
def test_some_hang_up_by_themselves(exchange, told, then):
    exchange.default = FarEnd(answers_after=0.05, then=then, ends_after=0.3, voice=Tone(600))
    exchange.dial(CUSTOMER)
    exchange.wait_for("talking")
    assert (exchange.downlink() == SILENCE) == (then == "hangs up wordlessly")
    end = next_end(told)
    assert (end.cause, end.ended_here) == (16, False)


def test_what_the_booth_hears_follows_the_call(exchange):
    exchange.book[CUSTOMER] = FarEnd(answers_after=10, voice=Tone(600))
    assert exchange.downlink() == SILENCE
    exchange.dial(CUSTOMER)
    exchange.wait_for("alerting")
    assert [exchange.downlink() for _ in range(3)] == [RING_BACK.frame(n) for n in range(3)]
    exchange.change("answers")
    assert [exchange.downlink() for _ in range(3)] == [Tone(600).frame(n) for n in range(3)]
    exchange.change("goes silent")
    assert exchange.downlink() == SILENCE
    exchange.change("speaks")
    assert exchange.downlink() == Tone(600).frame(0)


def test_a_busy_line_sounds_busy_until_it_is_released(exchange):
    exchange.book[CUSTOMER] = FarEnd(outcome="busy", answers_after=5)
    exchange.dial(CUSTOMER)
    assert exchange.downlink() == BUSY_TONE.frame(0)


def test_the_far_end_hears_the_booth_from_the_answer_on(exchange):
    exchange.default = FarEnd(answers_after=0.1)
    exchange.dial(CUSTOMER)
    exchange.uplink(b"\1" * FRAME)
    exchange.wait_for("talking")
    for n in range(3100):
        exchange.uplink(n.to_bytes(2, "little") * (FRAME // 2))
    assert len(exchange.heard) == 3100 * FRAME
    exchange.release()
    assert len(exchange.heard) == 3100 * FRAME
    exchange.dial(CUSTOMER)
    assert exchange.heard == b""


def test_tones_reach_only_one_who_answered(exchange):
    exchange.default = FarEnd(answers_after=10)
    exchange.dial(CUSTOMER)
    assert not exchange.key("5")
    exchange.change("answers")
    assert exchange.key("5")
    assert exchange.key("#")
    assert exchange.keyed == "5#"


def test_somebody_calls_in_and_is_answered(exchange, told):
    assert exchange.call_in(CUSTOMER)
    assert (exchange.state, exchange.number, exchange.incoming) == ("ringing", CUSTOMER, True)
    assert exchange.answer()
    assert states(told, 2) == ["ringing", "talking"]
    exchange.hang_up()
    assert next_end(told).incoming


def test_a_caller_gives_up(exchange, told):
    exchange.call_in(None, FarEnd(rings_for=0.2))
    assert exchange.number is None
    end = next_end(told)
    assert (end.number, end.incoming, end.cause, end.ended_here) == (None, True, 16, False)
    assert not exchange.answer()


def test_a_line_has_one_call_at_a_time(exchange):
    assert exchange.dial(CUSTOMER)
    assert not exchange.dial("0312345602")
    assert not exchange.call_in("0312345603")
    assert exchange.number == CUSTOMER


@pytest.mark.parametrize(("what", "cause"), [("busy", 17), ("unassigned", 1), ("rejects", 21), ("hangs up", 16)])
def test_the_desk_changes_the_outcome(exchange, told, what, cause):
    exchange.default = FarEnd(answers_after=10)
    exchange.dial(CUSTOMER)
    exchange.wait_for("alerting")
    exchange.change(what)
    assert next_end(told).cause == cause


def test_the_desk_lets_it_ring(exchange, told):
    exchange.default = FarEnd(answers_after=0.3, rings_for=0.6)
    exchange.dial(CUSTOMER)
    exchange.change("no answer")
    assert states(told, 3) == ["dialling", "alerting", "idle"]


@pytest.mark.parametrize("what", ["answers", "speaks", "goes silent", "busy", "hangs up"])
def test_changes_that_make_no_sense_are_passed_over(exchange, what):
    exchange.change(what)
    assert exchange.state == "idle"


@pytest.mark.parametrize("dialled", ["184" + CUSTOMER, "186" + CUSTOMER, "+81" + CUSTOMER[1:], "184+81" + CUSTOMER[1:]])
def test_the_book_is_found_however_the_number_is_written(exchange, dialled):
    exchange.book[CUSTOMER] = FarEnd(answers_after=0.0)
    exchange.default = FarEnd(answers_after=10)
    exchange.dial(dialled)
    exchange.wait_for("talking", 1)
    assert exchange.number == dialled


def test_an_observer_can_leave_and_may_act_on_the_call(exchange, told):
    gone = []
    exchange.listen(gone.append)()
    exchange.listen(lambda progress: progress.state == "talking" and exchange.hang_up())
    exchange.dial(CUSTOMER)
    assert states(told, 4) == ["dialling", "alerting", "talking", "idle"]
    assert not gone


def test_many_threads_leave_it_in_order(exchange, told):
    exchange.default = FarEnd(answers_after=0.0)

    def use():
        for _ in range(50):
            exchange.dial(CUSTOMER)
            exchange.downlink()
            exchange.release()

    users = [threading.Thread(target=use) for _ in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join(10)
    exchange.close()
    before = "idle"
    following = {"idle": {"dialling"}, "dialling": {"alerting", "talking", "idle"}, "alerting": {"talking", "idle"}}
    following["talking"] = {"idle"}
    while not told.empty():
        state = told.get().state
        assert state in following[before]
        before = state
    assert before == "idle"


def test_a_caller_has_a_reason_to_hide(exchange, told):
    assert exchange.call_in(None)
    assert told.get(timeout=20).hidden == exchange.hidden == "withheld"
    exchange.hang_up()
    assert exchange.hidden == ""
    exchange.call_in(CUSTOMER, hidden="payphone")
    assert (exchange.number, exchange.hidden) == (None, "payphone")


def test_a_call_may_fail_for_any_cause(exchange, told):
    exchange.default = FarEnd(outcome="rejects", answers_after=0.05, cause=42)
    exchange.dial(CUSTOMER)
    assert next_end(told).cause == 42


def test_the_far_end_presses_a_key(exchange, told):
    exchange.press("5")
    exchange.dial(CUSTOMER)
    exchange.wait_for("talking")
    exchange.press("#")
    told_tones = []
    while "#" not in told_tones:
        told_tones.append(told.get(timeout=20).tone)
    assert "5" not in told_tones


@pytest.fixture
def second(exchange, told):
    """A second caller waits while the first call talks."""
    exchange.dial(CUSTOMER)
    assert not exchange.call_in("0312345602", waiting=True)
    exchange.wait_for("talking")
    assert exchange.call_in("0312345602", waiting=True)
    assert not exchange.call_in("0312345603", waiting=True)
    while (progress := told.get(timeout=20)).state != "waiting":
        assert not progress.second
    assert (progress.index, progress.second, progress.number) == (2, True, "0312345602")
    return progress


def shape(exchange):
    """Index and state of each call."""
    return [(call.index, call.state) for call in exchange.calls]


@pytest.mark.usefixtures("second")
def test_a_second_caller_is_refused_or_gives_up(exchange, told):
    assert exchange.release_second()
    assert not exchange.release_second()
    end = next_end(told)
    assert (end.second, end.ended_here, end.cause) == (True, True, 21)
    assert shape(exchange) == [(1, "talking")]
    exchange.call_in("0312345602", FarEnd(rings_for=0.05), waiting=True)
    end = next_end(told)
    assert (end.second, end.ended_here) == (True, False)
    assert exchange.state == "talking"


@pytest.mark.usefixtures("second")
def test_who_waits_rings_after_the_first_call(exchange, told):
    exchange.hang_up()
    assert next_end(told).index == 1
    assert told.get(timeout=20).state == "ringing"
    assert shape(exchange) == [(2, "ringing")]
    assert exchange.answer()
    assert exchange.state == "talking"


@pytest.mark.usefixtures("second")
def test_two_calls_take_turns(exchange):
    assert exchange.switch()
    assert shape(exchange) == [(1, "held"), (2, "talking")]
    assert exchange.switch()
    assert shape(exchange) == [(1, "talking"), (2, "held")]
    exchange.hang_up()
    assert (shape(exchange), exchange.state) == ([(2, "held")], "held")
    assert exchange.switch()
    assert exchange.state == "talking"
    assert exchange.switch()
    assert exchange.state == "held"
    exchange.release()
    assert not exchange.switch()


@pytest.mark.usefixtures("second")
def test_a_far_end_can_leave_while_it_is_held(exchange, told):
    exchange.switch()
    exchange.hang_up(second=True)
    end = next_end(told)
    assert (end.index, end.second) == (1, True)
    assert shape(exchange) == [(2, "talking")]
