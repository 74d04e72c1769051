"""What every telephone line must do, run over each family of modem, over each sort of cable, against the emulated exchange.

A new line joins by one entry in lines.LINES. The ordinary run has one of each nature on a good cable, and a few calls of every line
on each bad one; `make soak` has everything over everything. With BOOTH_REAL_LINE=/dev/ttyUSB2[,/dev/ttyUSB1] the checks that place no
call run over a real modem as well.
"""

import os
import queue
import time
from contextlib import suppress

import pytest

from hw.contracts import FRAME, SILENCE
from hw.emulated.cable import Cable
from hw.emulated.exchange import FarEnd
from hw.emulated.speech import Tone
from hw.errors import MisuseError
from hw.events import (
    Alerting,
    Answered,
    AudioFailed,
    CallEnded,
    Cause,
    Event,
    Fault,
    Hidden,
    IncomingCall,
    LineLost,
    LineReady,
    Party,
    SecondCallRefused,
    SimLocked,
    TimeHeard,
    ToneHeard,
)
from hw.gsm import FAMILIES, GsmLine
from tests.hw.lines import (
    ANALOG,
    BUSY,
    CALLER,
    DEAD,
    GOOD,
    GSM,
    LATE,
    LATE_WORDLESS,
    LIMIT,
    LINES,
    MID_PITCH,
    REJECTS,
    RINGS,
    WORDLESS,
    Inbox,
    converse,
    gsm_line,
    loudness,
)

REAL = os.environ.get("BOOTH_REAL_LINE", "")
# Sound at the dial, once placed and once active; lists and nothing else; and an analog one. The others share these.
NATURES = frozenset({"quectel", "huawei", "sim7600", "generic", "conexant"})
CABLES = {
    "in pieces": {"cut": 3},
    "in lumps": {"merge": 0.05},
    "slow": {"baud": 20_000},  # twice what the sound of an analog modem takes each way
}


def cases(lines):
    """One line of each nature on a good cable; in the full run every line on every cable."""
    return [
        pytest.param(
            (name, cable),
            id=f"{name}, {cable}" if cable else name,
            marks=() if name in NATURES and not cable else pytest.mark.soak,
        )
        for name in lines
        for cable in (None, *CABLES)
    ]


def far_side(case, directory):
    """A line, the far side and the cable between."""
    name, cable = case
    return LINES[name](directory, Cable(**CABLES[cable]) if cable else None)


@pytest.fixture(params=cases(LINES))
def far(request, tmp_path):
    with far_side(request.param, tmp_path) as far:
        yield far


@pytest.fixture(params=cases(GSM))
def radio(request, tmp_path):
    """The same, of those with a SIM and a network."""
    with far_side(request.param, tmp_path) as far:
        yield far


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def line(far, inbox):
    far.line.open(inbox.post)
    inbox.until(LineReady)
    return far.line


@pytest.fixture
def talking(line, inbox):
    line.dial(GOOD)
    inbox.until(Answered)
    return line


@pytest.fixture(params=[*LINES, *(["real"] if REAL else [])])
def any_line(request, tmp_path):
    if request.param == "real":
        port, _, audio = REAL.partition(",")
        line = GsmLine(port, audio or port)
        yield line
        line.close()
    else:
        with LINES[request.param](tmp_path) as far:
            yield far.line


# Harmless: also on a real modem


def test_opening_says_at_last_what_the_line_is_worth(any_line, inbox):
    any_line.open(inbox.post)
    event = inbox.next()
    assert isinstance(event, LineReady | LineLost)
    if isinstance(event, LineReady):
        assert event.model


def test_it_can_be_opened_again_and_again(any_line, inbox):
    for _ in range(3):
        any_line.open(inbox.post)
        assert isinstance(inbox.next(), LineReady | LineLost)
        any_line.close()
        any_line.close()
        while not inbox.quiet(0.05):
            pass


def test_without_a_call_there_is_nothing_to_hear_hang_up_or_answer(any_line, inbox):
    any_line.open(inbox.post)
    inbox.next()
    any_line.hang_up()
    any_line.answer()
    any_line.send_tones("1")
    assert any_line.audio.read() is None
    any_line.audio.write(SILENCE)
    assert inbox.quiet()


@pytest.mark.parametrize("number", ["", "0312345601;", "AT", "03-1234-5601", "\r"])
def test_what_is_no_number_is_our_mistake(any_line, inbox, number):
    any_line.open(inbox.post)
    with pytest.raises(MisuseError):
        any_line.dial(number)


# Calls


def hung_up_by_the_far_end(inbox):
    """The call ends so; whether the line is sure of it depends on what the network tells."""
    (end,) = inbox.of_call()
    return (end.cause, end.by) == (Cause.NORMAL, Party.FAR)


def test_a_good_call(far, line, inbox):
    line.dial(LATE)
    inbox.until(Alerting)
    assert inbox.until(Answered).estimated is far.analog
    far.exchange.wait_for("talking")
    assert far.exchange.number == LATE
    line.hang_up()
    assert inbox.of_call() == [CallEnded(Cause.NORMAL, Party.NEAR)]
    far.exchange.wait_for("idle")
    assert inbox.quiet()


@pytest.mark.parametrize(
    ("number", "causes"),
    [
        (BUSY, {Cause.BUSY}),
        (RINGS, {Cause.NO_ANSWER}),
        (DEAD, {Cause.DEAD_NUMBER, Cause.NETWORK}),  # most modems do not tell these two apart
        (REJECTS, {Cause.REJECTED, Cause.BUSY, Cause.NO_ANSWER}),
    ],
)
def test_a_call_that_nobody_takes(far, line, inbox, number, causes):
    line.dial(number)
    *before, end = inbox.of_call()
    assert end.cause in causes or (far.mumbles and end.cause is Cause.NETWORK)
    assert not any(isinstance(event, Answered) for event in before)
    assert number not in end.detail
    assert inbox.quiet()


@pytest.mark.parametrize("number", [WORDLESS, MID_PITCH])
def test_the_far_end_hangs_up(far, line, inbox, number):
    """On an analog line only an ear can tell that somebody was there: it must have rung first."""
    line.dial(LATE_WORDLESS if far.analog else number)
    inbox.until(Answered)
    assert hung_up_by_the_far_end(inbox)
    assert inbox.quiet()


def test_hang_up_while_dialling_and_while_it_rings(far, line, inbox):
    for number in (GOOD, RINGS):
        line.dial(number)
        if number == RINGS:
            inbox.until(Alerting)
        line.hang_up()
        assert inbox.of_call()[-1] == CallEnded(Cause.NORMAL, Party.NEAR)
        far.exchange.wait_for("idle")
    assert inbox.quiet()


def test_the_next_call_works_after_every_kind_of_end(line, inbox):
    for number in (BUSY, GOOD, DEAD, WORDLESS, GOOD):
        line.dial(number)
        if number == GOOD:
            inbox.until(Answered)
            line.hang_up()
        assert isinstance(inbox.of_call()[-1], CallEnded)


def test_an_emergency_call_wins_over_the_call_in_its_way(far, talking, inbox):
    talking.dial("119")
    assert inbox.of_call() == [CallEnded(Cause.NORMAL, Party.NEAR)]
    inbox.until(Answered)
    assert far.exchange.number == "119"


def test_a_dial_need_not_wait_until_the_line_is_ready(far, inbox):
    """Who dials for help while the modem is still being greeted must not be hung up as a call left over."""
    for _ in range(3):
        far.line.open(inbox.post)
        far.line.dial("119")
        inbox.until(Answered)
        assert far.exchange.state == "talking"
        far.line.hang_up()
        assert inbox.until(CallEnded).by is Party.NEAR
        far.line.close()


def test_tones_reach_the_far_end(far, talking, inbox):
    talking.send_tones("15*#")
    end = time.monotonic() + LIMIT
    while far.exchange.keyed != "15*#" and time.monotonic() < end:
        assert inbox.quiet(0.05)
    assert far.exchange.keyed == "15*#"


# Incoming


def test_an_incoming_call_with_its_number(far, line, inbox):
    far.exchange.call_in(CALLER, FarEnd())
    while inbox.until(IncomingCall).number is None:
        pass
    line.answer()
    inbox.until(Answered)
    far.exchange.hang_up()
    assert hung_up_by_the_far_end(inbox)


def test_an_incoming_call_without_number(far, line, inbox):
    far.exchange.call_in(None, FarEnd())
    assert inbox.until(IncomingCall).number is None
    far.exchange.hang_up()
    *before, end = inbox.of_call()
    assert end == CallEnded(Cause.NO_ANSWER, Party.FAR)
    assert set(before) <= {IncomingCall(None, Hidden.WITHHELD)}  # the reason, where it came with the second ring
    line.answer()
    assert inbox.quiet()


def test_refusing_an_incoming_call(far, line, inbox):
    far.exchange.call_in(CALLER, FarEnd())
    inbox.until(IncomingCall)
    line.hang_up()
    assert inbox.of_call()[-1] == CallEnded(Cause.NORMAL, Party.NEAR)
    far.exchange.wait_for("idle")


# Sound


def test_both_voices_cross_in_step(far, talking):
    heard = converse(talking.audio, Tone(1300), 60)
    assert 50 <= len(heard) <= 72  # 60 frames, and what was under way at both ends
    tail = b"".join(heard[20:])
    assert loudness(tail, 700) > 1000 * loudness(tail, 1300)
    said = far.exchange.heard[-40 * FRAME :]
    assert len(said) >= 30 * FRAME
    assert loudness(said, 1300) > 1000 * loudness(said, 700)


def test_no_sound_outlives_its_call(talking, inbox):
    converse(talking.audio, Tone(1300), 5)
    talking.hang_up()
    inbox.of_call()
    assert talking.audio.read() is None


# Faults


def lost(inbox, *faults):
    """The line is lost for one of `faults`; a call that was there is told to be over first."""
    event = inbox.until(LineLost, patience=30)
    assert event.fault in faults, event


def test_unplugged_at_rest_and_back(far, line, inbox):
    far.modem.unplug()
    lost(inbox, Fault.UNPLUGGED)
    assert inbox.quiet()
    line.open(inbox.post)
    lost(inbox, Fault.ABSENT)
    line.dial(GOOD)
    assert inbox.of_call() == [CallEnded(Cause.FAILED, Party.LINE, "there is no line")]
    far.modem.plug()
    line.open(inbox.post)
    inbox.until(LineReady)
    line.dial(GOOD)
    inbox.until(Answered)


@pytest.mark.parametrize("moment", ["dialling", "alerting", "talking", "hanging up", "ringing in"])
def test_unplugged_at_any_moment_of_a_call_and_back(far, line, inbox, moment):
    if moment == "ringing in":
        far.exchange.call_in(CALLER, FarEnd())
        inbox.until(IncomingCall)
    else:
        line.dial(RINGS if moment == "alerting" else GOOD)
    if moment in {"talking", "hanging up"}:
        inbox.until(Answered)
    elif moment == "alerting":
        inbox.until(Alerting)
    if moment == "hanging up":
        line.hang_up()
    far.modem.unplug()
    ends = inbox.of_call()
    # A dial that the line had not come to has failed; a call that had been hung up may be over already.
    assert (
        ends[-1].cause in {Cause.LOST, Cause.FAILED if moment == "dialling" else Cause.LOST} or moment == "hanging up"
    )
    lost(inbox, Fault.UNPLUGGED)
    assert line.audio.read() is None
    line.audio.write(SILENCE)
    far.modem.plug()
    line.open(inbox.post)
    inbox.until(LineReady)
    line.dial(GOOD)
    inbox.until(Answered)
    line.hang_up()
    assert inbox.of_call()[-1] == CallEnded(Cause.NORMAL, Party.NEAR)


def test_a_call_that_outlived_the_cable_is_not_left_talking_to_nobody(far, talking, inbox):
    far.modem.unplug(call_survives=True)
    assert inbox.of_call()[-1].cause is Cause.LOST
    lost(inbox, Fault.UNPLUGGED)
    far.modem.plug()
    talking.open(inbox.post)
    inbox.until(LineReady)
    far.exchange.wait_for("idle")


@pytest.mark.slow
def test_mute_in_a_call_and_back(far, talking, inbox):
    far.modem.silent = True
    assert inbox.of_call(15)[-1].cause is Cause.LOST
    lost(inbox, Fault.SILENT)
    far.modem.silent = False
    talking.open(inbox.post)
    inbox.until(LineReady)


@pytest.mark.slow
def test_garbled_in_a_call_and_back(far, talking, inbox):
    far.modem.garble = 0.7
    assert inbox.of_call(30)[-1].cause in {Cause.LOST, Cause.NORMAL}
    far.modem.garble = 0.0
    talking.open(inbox.post)
    inbox.until(LineReady)
    talking.dial(GOOD)
    inbox.until(Answered)


@pytest.mark.slow
def test_mute_from_the_beginning(far, inbox):
    far.modem.silent = True
    far.line.open(inbox.post)
    lost(inbox, Fault.SILENT)


@pytest.mark.slow
def test_a_slow_modem_is_still_a_line(far, inbox):
    far.modem.slow = 0.05
    far.line.open(inbox.post)
    inbox.until(LineReady)
    far.line.dial(GOOD)
    inbox.until(Answered)
    far.line.hang_up()
    assert inbox.of_call()[-1] == CallEnded(Cause.NORMAL, Party.NEAR)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("attribute", "bad", "good", "fault"),
    [
        ("sim", "NOT INSERTED", "READY", Fault.NO_SIM),
        ("sim", "SIM PIN", "READY", Fault.SIM_LOCKED),
        ("registered", False, True, Fault.NO_NETWORK),
    ],
)
def test_a_fault_that_can_be_cured_without_opening_again(radio, inbox, *, attribute, bad, good, fault):
    setattr(radio.modem, attribute, bad)
    radio.line.open(inbox.post)
    lost(inbox, fault)
    setattr(radio.modem, attribute, good)
    inbox.until(LineReady)


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.sound.asked])
def test_without_voice_a_call_still_goes_out(name, tmp_path, inbox):
    with gsm_line(name, tmp_path) as far:
        far.modem.voice = False
        far.line.open(inbox.post)
        lost(inbox, Fault.NO_VOICE)
        far.modem.voice = True
        inbox.until(LineReady)
        far.modem.voice = False
        far.line.dial("119")
        heard = {AudioFailed, Answered}
        while heard:  # which comes first depends on when the family begins its sound
            heard.discard(type(inbox.next()))


def test_flow_control_holds_our_voice_and_lets_it_go(tmp_path, inbox):
    with gsm_line("quectel", tmp_path) as far:
        far.line.open(inbox.post)
        far.line.dial(GOOD)
        inbox.until(Answered)
        converse(far.line.audio, Tone(1300), 10)
        far.modem.flow(True)
        converse(far.line.audio, Tone(1300), 10)
        before = len(far.exchange.heard)
        far.modem.flow(False)
        converse(far.line.audio, Tone(1300), 20)
        assert len(far.exchange.heard) > before


@pytest.mark.parametrize("name", [*(name for name, family in FAMILIES.items() if family.tone_heard), *ANALOG])
def test_the_far_ends_key_is_heard(name, tmp_path, inbox):
    with LINES[name](tmp_path) as far:
        far.line.open(inbox.post)
        far.line.dial(GOOD)
        inbox.until(Answered)
        far.exchange.wait_for("talking")
        far.exchange.press("5")
        assert inbox.until(ToneHeard) == ToneHeard("5")


def test_the_networks_time_is_told(radio, inbox):
    radio.modem.network_time = 1795323662.0
    since = time.monotonic()
    radio.line.open(inbox.post)
    assert 1795323660 < inbox.until(TimeHeard).utc < 1795323665 + time.monotonic() - since


def test_a_second_caller_is_told_and_sent_away_and_the_first_call_goes_on(radio, inbox):
    radio.line.open(inbox.post)
    radio.line.dial(GOOD)
    inbox.until(Answered)
    radio.exchange.wait_for("talking")
    radio.modem.ccwa_anyway = True
    radio.exchange.call_in(CALLER, FarEnd(), waiting=True)
    assert inbox.until(SecondCallRefused).number == CALLER
    assert radio.exchange.state == "talking"
    radio.line.hang_up()
    assert inbox.until(CallEnded) == CallEnded(Cause.NORMAL, Party.NEAR)


@pytest.mark.parametrize(
    ("why", "hidden"), [("withheld", "WITHHELD"), ("unavailable", "UNAVAILABLE"), ("payphone", "PAYPHONE")]
)
def test_why_a_number_is_hidden(radio, inbox, *, why, hidden):
    radio.line.open(inbox.post)
    inbox.until(LineReady)
    radio.exchange.call_in(None, FarEnd(), hidden=why)
    event = inbox.until(IncomingCall)
    while event.hidden is None:
        event = inbox.until(IncomingCall)
    assert event == IncomingCall(None, Hidden[hidden])


@pytest.mark.parametrize("name", GSM)
def test_a_locked_sim_is_opened_by_its_pin_and_asked_first_how_often_it_may_be_tried(name, tmp_path, inbox):
    with gsm_line(name, tmp_path) as far:
        far.modem.sim = "SIM PIN"
        far.line.open(inbox.post)
        assert inbox.until(SimLocked) == SimLocked("8988100000000000001", 3)
        far.line.unlock("9999")
        assert inbox.until(SimLocked).tries == 2
        far.line.unlock("1234")
        inbox.until(LineReady)
        assert sum(line.startswith("AT+CPIN=") for line in far.modem.heard) == 2


# Cables


@pytest.mark.parametrize(
    ("name", "cable"),
    [  # in the ordinary run each line on one of them
        pytest.param(name, cable, marks=() if turn % len(CABLES) == place else pytest.mark.soak)
        for turn, name in enumerate(LINES)
        for place, cable in enumerate(CABLES)
    ],
)
def test_calls_over_every_sort_of_cable(name, cable, tmp_path, inbox):
    with far_side((name, cable), tmp_path) as far:
        far.line.open(inbox.post)
        inbox.until(LineReady)
        far.line.dial(LATE)
        inbox.until(Answered)
        far.line.hang_up()
        assert inbox.until(CallEnded) == CallEnded(Cause.NORMAL, Party.NEAR)
        far.exchange.wait_for("idle")
        far.exchange.call_in(CALLER, FarEnd())
        inbox.until(IncomingCall)
        far.line.answer()
        inbox.until(Answered)
        far.exchange.hang_up()
        assert inbox.until(CallEnded).by is Party.FAR


@pytest.mark.slow
@pytest.mark.parametrize("name", LINES)
def test_a_cable_that_loses_bytes_costs_calls_but_never_the_line(name, tmp_path, inbox):
    with far_side((name, None), tmp_path) as far:
        far.line.open(inbox.post)
        inbox.until(LineReady)
        far.modem.cable.loss = 0.02
        far.line.dial(GOOD)
        ended = False
        with suppress(queue.Empty):
            while not ended:
                ended = isinstance(inbox.until(Event, patience=2.0), CallEnded)
        if not ended:  # the answer may have been lost, and so may what says that it is over
            far.line.hang_up()
            inbox.until(CallEnded)
        far.modem.cable.loss = 0.0
        far.line.open(inbox.post)
        inbox.until(LineReady)
        far.line.dial(LATE)
        inbox.until(Answered)
