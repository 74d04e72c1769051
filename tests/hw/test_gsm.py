"""The GSM line against a modem that says exactly what a test wants, in any order, on real pseudo-terminals."""

import random
import time
from dataclasses import replace

import pytest

from hw.contracts import FRAME, SILENCE
from hw.errors import MisuseError, WiringError
from hw.events import (
    Alerting,
    Answered,
    AudioFailed,
    CallEnded,
    Cause,
    Fault,
    Hidden,
    IncomingCall,
    LineLost,
    LineReady,
    Party,
    SecondCallRefused,
    SignalChanged,
    SimLocked,
    TimeHeard,
    ToneHeard,
)
from hw.gsm import GsmLine
from hw.modems.quectel import QUECTEL
from tests.hw.scripted import QUICK, WELL, Inbox, Scripted

NUMBER = "0312345601"
FAMILY = replace(QUECTEL, pace=QUICK)
NEAR = CallEnded(Cause.NORMAL, Party.NEAR)
FAR = CallEnded(Cause.NORMAL, Party.FAR, sure=False)


def clcc(state, *, incoming=False, index=1, number=NUMBER):
    return f'+CLCC: {index},{int(incoming)},{state},0,0,"{number}",129'


def ccinfo(state, *, incoming=False, index=1, number=NUMBER):
    return f'+QIND: "ccinfo",{index},{int(incoming)},{state},0,0,"{number}",129'


@pytest.fixture
def modem():
    with Scripted() as modem:
        yield modem


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def line(modem):
    line = GsmLine(modem.at, modem.pcm, FAMILY)
    yield line
    line.close()


@pytest.fixture
def ready(line, inbox):
    line.open(inbox.post)
    inbox.until(TimeHeard)
    return line


@pytest.fixture
def talking(ready, modem, inbox):
    ready.dial(NUMBER)
    modem.wait_for("ATD")
    modem.answers["AT+CLCC"] = (clcc(0), "OK")
    modem.say(ccinfo(0))
    assert inbox.next() == Answered()
    return ready


# Opening


def test_a_healthy_modem_is_ready(line, modem, inbox):
    line.open(inbox.post)
    assert [inbox.next() for _ in range(3)] == [LineReady("EC25", "TEST"), SignalChanged(3), TimeHeard(1795323662.0)]
    assert inbox.empty()
    greeting = [step.command for step in QUECTEL.greeting]
    assert modem.heard[: len(greeting)] == greeting


def test_a_port_that_is_not_there(tmp_path, inbox):
    line = GsmLine(str(tmp_path / "none"), str(tmp_path / "none"), FAMILY)
    line.open(inbox.post)
    assert inbox.next().fault is Fault.ABSENT
    line.dial(NUMBER)
    assert inbox.next().cause is Cause.FAILED
    line.close()


def test_a_port_that_somebody_else_has(line, modem, inbox):
    line.open(inbox.post)
    inbox.until(LineReady)
    other, theirs = GsmLine(modem.at, modem.pcm, FAMILY), Inbox()
    other.open(theirs.post)
    assert theirs.next().fault is Fault.ABSENT
    other.close()


def test_a_silent_modem(line, modem, inbox):
    modem.answers = {"": None}
    line.open(inbox.post)
    assert inbox.next().fault is Fault.SILENT
    assert inbox.empty()


def test_a_modem_that_talks_nonsense(line, modem, inbox):
    modem.answers = {"": ("\x7f#!wq\x80", "0K")}
    line.open(inbox.post)
    assert inbox.next().fault is Fault.GARBLED


def test_something_that_is_no_modem(line, modem, inbox):
    modem.answers = {"": ("ERROR",), "AT": ("ERROR",)}
    line.open(inbox.post)
    assert inbox.next().fault is Fault.GARBLED


def test_refusals_that_do_not_matter(line, modem, inbox):
    modem.answers |= dict.fromkeys(("AT+QAUDMOD", "AT+CCWA", "AT+COLP", "AT+QTONEDET", "AT+CGSN"), ("+CME ERROR: 4",))
    line.open(inbox.post)
    assert inbox.next() == LineReady("EC25", "TEST")


def test_a_modem_without_ccinfo_is_asked_for_dsci(line, modem, inbox):
    modem.answers['AT+QINDCFG="ccinfo"'] = ("ERROR",)
    line.open(inbox.post)
    inbox.until(TimeHeard)
    assert "AT^DSCI=1" in modem.heard
    line.dial(NUMBER)
    modem.wait_for("ATD")
    modem.answers["AT+CLCC"] = (clcc(2), "OK")
    modem.say(f"^DSCI: 1,0,7,0,{NUMBER},129", f"^DSCI: 1,0,3,0,{NUMBER},129")
    assert [inbox.next(), inbox.next()] == [Alerting(), Answered()]


@pytest.mark.parametrize(
    ("command", "answer", "fault"),
    [
        ("AT+CPIN?", ("+CME ERROR: 10",), Fault.NO_SIM),
        ("AT+CPIN?", ("+CPIN: NOT INSERTED", "OK"), Fault.NO_SIM),
        ("AT+CPIN?", ("+CME ERROR: 14",), Fault.NO_SIM),  # still busy when the patience is over
        ("AT+CPIN?", ("+CPIN: SIM PIN", "OK"), Fault.SIM_LOCKED),
        ("AT+CPIN?", ("+CPIN: SIM PUK", "OK"), Fault.SIM_LOCKED),
        ("AT+CPIN?", ("+CME ERROR: 11",), Fault.SIM_LOCKED),
        ("AT+CREG?", ("+CREG: 2,2", "OK"), Fault.NO_NETWORK),
        ("AT+QPCMV?", ("ERROR",), Fault.NO_VOICE),
    ],
)
def test_a_fault_that_can_be_cured_is_told_once_and_emergency_calls_still_go(
    line, modem, inbox, *, command, answer, fault
):
    well, modem.answers[command] = modem.answers[command], answer
    line.open(inbox.post)
    assert inbox.next().fault is fault
    if fault is Fault.SIM_LOCKED:
        assert inbox.next() == SimLocked("", None, puk="PUK" in answer[0])
    modem.wait_for(command, times=modem.count(command) + 2)
    line.dial("119")
    modem.wait_for("ATD119;")
    line.hang_up()
    assert inbox.next() == NEAR
    modem.answers[command] = well
    assert inbox.next() == LineReady("EC25", "TEST")


@pytest.mark.parametrize(
    ("pin", "counter", "given"),
    [
        ("+CPIN: SIM PIN", "3,10", True),
        ("+CPIN: SIM PIN", "2,10", True),
        ("+CPIN: SIM PIN", "1,10", False),  # the next wrong one would lock it for good
        ("+CPIN: SIM PUK", "0,10", False),
        ("+CPIN: READY", "3,10", False),
    ],
)
def test_a_pin_is_given_once_and_only_when_two_tries_are_left(line, modem, inbox, *, pin, counter, given):
    modem.answers |= {
        "AT+CPIN?": (pin, "OK"),
        'AT+QPINC="SC"': (f'+QPINC: "SC",{counter}', "OK"),
        "AT+QCCID": ("+QCCID: 8988100000000000001F", "OK"),
        "AT+CPIN=": ("+CME ERROR: 16",),
    }
    line.open(inbox.post)
    locked = SimLocked("8988100000000000001", int(counter[0]), puk="PUK" in pin)
    if "READY" not in pin:
        assert inbox.until(SimLocked) == locked
    line.unlock("1234")
    modem.wait_for("AT+CPIN?", times=modem.count("AT+CPIN?") + 2)
    if "READY" not in pin:
        assert inbox.until(SimLocked) == locked  # said again, whatever came of it
    assert modem.count('AT+CPIN="1234"') == given


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", '1234"', "１２３４"])
def test_what_is_no_pin_is_never_sent(line, modem, inbox, pin):
    line.open(inbox.post)
    with pytest.raises(MisuseError):
        line.unlock(pin)
    inbox.until(LineReady)
    assert not [command for command in modem.heard if command.startswith("AT+CPIN=")]


def test_a_sim_that_wakes_up_is_no_fault(line, modem, inbox):
    modem.answers["AT+CPIN?"] = ("+CME ERROR: 14",)
    line.open(inbox.post)
    modem.wait_for("AT+CPIN?")
    modem.answers["AT+CPIN?"] = WELL["AT+CPIN?"]
    modem.say("+CPIN: READY")
    assert inbox.next() == LineReady("EC25", "TEST")


@pytest.mark.usefixtures("ready")
def test_registration_lost_and_found_again(modem, inbox):
    modem.answers["AT+CREG?"] = ("+CREG: 2,0", "OK")
    modem.say("+CREG: 0")
    assert inbox.next() == LineLost(Fault.NO_NETWORK)
    modem.answers["AT+CREG?"] = WELL["AT+CREG?"]
    modem.say('+CREG: 1,"1A2B","00C3",7')
    assert inbox.next() == LineReady("EC25", "TEST")


@pytest.mark.usefixtures("ready")
def test_the_networks_time_comes_later(modem, inbox):
    modem.answers["AT+QLTS=2"] = ('+QLTS: "2026/11/22,14:01:03+36,0"', "OK")
    modem.say('+CTZV: "+36"')
    assert inbox.next() == TimeHeard(1795323663.0)


def test_a_call_left_over_from_before_is_hung_up(line, modem, inbox):
    modem.answers["AT+CLCC"] = (clcc(0), "OK")
    line.open(inbox.post)
    inbox.until(LineReady)
    assert modem.count("AT+CHUP") == 1


def test_news_that_comes_during_the_examination_is_looked_into(line, modem, inbox):
    modem.answers["AT+QPCMV?"] = None  # asked after the registration
    line.open(inbox.post)
    modem.wait_for("AT+QPCMV?")
    modem.answers |= {"AT+CREG?": ("+CREG: 2,0", "OK"), "AT+CEREG?": ("+CEREG: 2,0", "OK")}
    modem.answers["AT+QPCMV?"] = WELL["AT+QPCMV?"]
    modem.say("+CREG: 0", "+QPCMV: 0,0", "OK")
    while inbox.until(LineLost).fault is not Fault.NO_NETWORK:
        pass


# Outgoing calls


@pytest.mark.parametrize("answer", ["ERROR", "OK"])
def test_sound_that_may_still_be_on_is_switched_off_before_the_dial(modem, line, inbox, answer):
    modem.answers["AT+QPCMV=0"] = (answer,)
    line.open(inbox.post)
    inbox.until(TimeHeard)
    line.dial(NUMBER)
    modem.wait_for("ATD")
    placed = [command for command in modem.heard if command.startswith(("AT+QPCMV=", "ATD"))]
    again = ["AT+QPCMV=0"] if answer == "ERROR" else []
    assert placed == ["AT+QPCMV=0", *again, "AT+QPCMV=1,0", f"ATD{NUMBER};"]


def test_a_good_call(ready, modem, inbox):
    ready.dial(NUMBER)
    modem.wait_for(f"ATD{NUMBER};")
    placed = [command for command in modem.heard if command.startswith(("AT+QPCMV=", "ATD"))]
    assert placed == ["AT+QPCMV=0", "AT+QPCMV=1,0", f"ATD{NUMBER};"]
    modem.answers["AT+CLCC"] = (clcc(3), "OK")
    modem.say(ccinfo(2), ccinfo(3))
    assert inbox.next() == Alerting()
    modem.answers["AT+CLCC"] = (clcc(0), "OK")
    modem.say(ccinfo(0))
    assert inbox.next() == Answered()
    modem.answers["AT+CLCC"] = ("OK",)
    modem.say(ccinfo(-1), "NO CARRIER")
    assert inbox.next() == FAR
    assert inbox.empty()


def test_the_notice_before_the_ok_of_its_dial(ready, modem, inbox):
    modem.answers["ATD"] = (ccinfo(2), ccinfo(3), "OK")
    modem.answers["AT+CLCC"] = (clcc(3), "OK")
    ready.dial(NUMBER)
    assert inbox.next() == Alerting()


def test_a_modem_without_any_notices_is_watched_by_lists(ready, modem, inbox):
    modem.answers["AT+CLCC"] = (clcc(2), "OK")
    ready.dial(NUMBER)
    modem.wait_for("ATD")
    modem.answers["AT+CLCC"] = (clcc(3), "OK")
    assert inbox.next() == Alerting()
    modem.answers["AT+CLCC"] = (clcc(0), "OK")
    assert inbox.next() == Answered()
    modem.answers["AT+CLCC"] = ("OK",)
    assert inbox.next() == FAR


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("BUSY", Cause.BUSY),
        ("NO ANSWER", Cause.NO_ANSWER),
        ("NO DIALTONE", Cause.NETWORK),
        ("NO DIAL TONE", Cause.NETWORK),
        ("NO CARRIER", Cause.NETWORK),
    ],
)
def test_why_a_call_was_not_answered(ready, modem, inbox, *, word, cause):
    modem.answers["AT+CLCC"] = (clcc(2), "OK")
    ready.dial(NUMBER)
    modem.wait_for("ATD")
    modem.wait_for("AT+CLCC", times=modem.count("AT+CLCC") + 2)
    modem.answers["AT+CLCC"] = ("OK",)
    modem.say(ccinfo(-1), word)
    assert inbox.next().cause is cause
    assert inbox.empty()


@pytest.mark.slow
def test_why_a_call_was_not_answered_may_come_after_its_release(modem, inbox):
    patient = replace(FAMILY, pace=replace(FAMILY.pace, recheck=3.0))  # what the word has to come within
    line = GsmLine(modem.at, modem.pcm, patient)
    line.open(inbox.post)
    inbox.until(TimeHeard)
    modem.answers["AT+CLCC"] = (clcc(2), "OK")
    line.dial(NUMBER)
    modem.wait_for("ATD")
    modem.wait_for("AT+CLCC", times=modem.count("AT+CLCC") + 2)
    modem.answers["AT+CLCC"] = ("OK",)
    modem.say(ccinfo(-1))
    modem.wait_for("AT+CLCC", times=modem.count("AT+CLCC") + 1)
    modem.say("BUSY")
    assert inbox.next().cause is Cause.BUSY
    line.close()
    assert inbox.empty()


def test_it_rang_and_nobody_answered(ready, modem, inbox):
    modem.answers["AT+CLCC"] = (clcc(3), "OK")
    modem.answers["AT+CEER"] = ("+CEER: No answer from 0312345601", "OK")
    ready.dial(NUMBER)
    assert inbox.next() == Alerting()
    modem.answers["AT+CLCC"] = ("OK",)
    modem.say(ccinfo(-1), "NO CARRIER")
    assert inbox.next() == CallEnded(Cause.NO_ANSWER, Party.LINE, "No answer from …")


@pytest.mark.parametrize("word", ["BUSY", "NO CARRIER", "NO ANSWER"])
def test_a_result_word_instead_of_ok(ready, modem, inbox, word):
    modem.answers["ATD"] = (word,)
    ready.dial(NUMBER)
    assert isinstance(inbox.next(), CallEnded)
    assert inbox.empty()


def test_a_late_result_word_does_not_end_the_next_call(ready, modem, inbox):
    modem.answers["ATD"] = ("NO CARRIER", "OK")
    modem.answers["AT+CLCC"] = (clcc(2), "OK")
    ready.dial(NUMBER)
    modem.wait_for("AT+CLCC", times=3)
    modem.answers["AT+CLCC"] = (clcc(0), "OK")
    assert inbox.next() == Answered()


@pytest.mark.parametrize(
    ("final", "cause"), [("ERROR", Cause.FAILED), ("+CME ERROR: 30", Cause.NETWORK), ("+CME ERROR: 10", Cause.FAILED)]
)
def test_a_dial_that_the_modem_refuses(ready, modem, inbox, final, cause):
    modem.answers["ATD"] = (final,)
    ready.dial(NUMBER)
    assert inbox.next() == CallEnded(cause, Party.LINE, final)


@pytest.mark.usefixtures("modem")
def test_a_dial_that_is_a_request_to_the_network_and_no_call(ready, inbox):
    ready.dial("*21#")
    assert inbox.next().cause is Cause.FAILED


def test_near_hang_up(talking, modem, inbox):
    modem.gone_after = "AT+CHUP"
    talking.hang_up()
    assert inbox.next() == NEAR
    modem.say(ccinfo(-1), "NO CARRIER")
    assert inbox.empty()


def test_a_modem_that_does_not_understand_chup(talking, modem, inbox):
    modem.answers["AT+CHUP"] = ("ERROR",)
    modem.gone_after = "ATH"
    talking.hang_up()
    assert inbox.next() == NEAR


@pytest.mark.usefixtures("modem")
def test_a_modem_that_never_hangs_up_is_given_up(talking, inbox):
    talking.hang_up()
    assert inbox.next().cause is Cause.LOST
    assert inbox.next().fault is Fault.GARBLED


def test_hang_up_breaks_off_a_dial_whose_result_does_not_come(ready, modem, inbox):
    modem.answers["ATD"] = None
    ready.dial(NUMBER)
    modem.wait_for("ATD")
    ready.hang_up()
    modem.wait_for("AT+CHUP")
    assert "" in modem.heard  # the abort character came first
    assert inbox.next() == NEAR
    assert inbox.empty()


@pytest.mark.usefixtures("modem")
def test_hang_up_right_behind_the_dial(ready, inbox):
    for _ in range(5):
        ready.dial(NUMBER)
        ready.hang_up()
        assert inbox.next() == NEAR
    assert inbox.empty()


def test_notices_flow_while_a_dial_is_outstanding(ready, modem, inbox):
    modem.answers["ATD"] = None
    ready.dial(NUMBER)
    modem.wait_for("ATD")
    modem.say(ccinfo(3), ccinfo(0))
    assert [inbox.next(), inbox.next()] == [Alerting(), Answered()]
    lists = modem.count("AT+CLCC")
    modem.answers["AT+CLCC"] = (clcc(0), "OK")
    modem.say("OK")
    modem.wait_for("AT+CLCC", times=lists + 1)


def test_nothing_is_sent_while_a_dial_is_outstanding(ready, modem, inbox):
    modem.answers["ATD"] = None
    ready.dial(NUMBER)
    modem.wait_for("ATD")
    before = len(modem.heard)
    assert inbox.empty(0.8)  # longer than the idle time
    assert len(modem.heard) == before


def test_a_dial_without_any_result_ends_at_last(ready, modem, inbox):
    modem.answers["ATD"] = None
    ready.dial(NUMBER)
    assert isinstance(inbox.next(), CallEnded)
    assert inbox.empty()


def test_dialling_again_ends_the_call_in_the_way(talking, modem, inbox):
    talking.dial("119")
    modem.wait_for("AT+CHUP")
    modem.answers["AT+CLCC"] = ("OK",)
    assert inbox.next() == NEAR
    modem.wait_for("ATD119;")


@pytest.mark.usefixtures("talking")
def test_a_released_notice_that_the_list_denies(modem, inbox):
    modem.say(ccinfo(-1), "NO CARRIER")
    assert inbox.empty(0.3)


@pytest.mark.usefixtures("talking")
def test_a_refused_list_in_a_call_ends_nothing(modem, inbox):
    modem.answers["AT+CLCC"] = ("+CME ERROR: 100",)
    assert inbox.empty(0.5)
    modem.answers["AT+CLCC"] = ("+CLCC: 1,0,?,0,0", "OK")
    assert inbox.empty(0.5)
    modem.answers["AT+CLCC"] = ("OK",)
    assert inbox.next() == FAR


@pytest.mark.usefixtures("talking")
def test_a_data_call_in_the_list_is_not_ours(modem, inbox):
    modem.answers["AT+CLCC"] = ("+CLCC: 1,0,0,1,0", "OK")
    modem.say(ccinfo(-1))
    assert inbox.next() == FAR


@pytest.mark.parametrize("number", ["", "12a", "0312345601;", "ATH", "03 1234", "０３"])
def test_what_is_no_number_is_our_mistake(ready, number):
    with pytest.raises(MisuseError):
        ready.dial(number)


def test_a_line_that_was_never_opened_cannot_dial(line):
    with pytest.raises(MisuseError):
        line.dial(NUMBER)


def test_a_family_that_nobody_wrote():
    with pytest.raises(WiringError):
        GsmLine("a", "b", "semaphore")


# Incoming calls


def test_many_signs_of_one_incoming_call_make_one(ready, modem, inbox):
    modem.answers["AT+CLCC"] = (clcc(4, incoming=True, number=""), "OK")
    modem.say("RING", "+CRING: VOICE")
    assert inbox.next() == IncomingCall(None)
    modem.say(f'+CLIP: "{NUMBER}",129,,,,0', ccinfo(4, incoming=True), "+CRING: VOICE", f'+CLIP: "{NUMBER}",129')
    assert inbox.next() == IncomingCall(NUMBER)
    assert inbox.empty()
    ready.answer()
    modem.wait_for("ATA")
    modem.answers["AT+CLCC"] = (clcc(0, incoming=True), "OK")
    assert inbox.next() == Answered()
    modem.answers["AT+CLCC"] = ("OK",)
    modem.say(ccinfo(-1, incoming=True))
    assert inbox.next() == FAR


@pytest.mark.usefixtures("ready")
def test_a_withheld_number(modem, inbox):
    modem.answers["AT+CLCC"] = (clcc(4, incoming=True, number=""), "OK")
    modem.say("+CRING: VOICE", '+CLIP: "",128,,,,1')
    assert inbox.next() == IncomingCall(None)
    assert inbox.next() == IncomingCall(None, Hidden.WITHHELD)
    assert inbox.empty()


def test_a_caller_who_gives_up(ready, modem, inbox):
    modem.answers["AT+CLCC"] = (clcc(4, incoming=True), "OK")
    modem.say(ccinfo(4, incoming=True))
    assert inbox.next() == IncomingCall(NUMBER)
    modem.answers["AT+CLCC"] = ("OK",)
    assert inbox.next() == CallEnded(Cause.NO_ANSWER, Party.FAR)
    ready.answer()
    assert inbox.empty()
    assert modem.count("ATA") == 0


def test_refusing_a_caller(ready, modem, inbox):
    modem.answers["AT+CLCC"] = (clcc(4, incoming=True), "OK")
    modem.say(ccinfo(4, incoming=True))
    inbox.until(IncomingCall)
    modem.gone_after = "AT+CHUP"
    ready.hang_up()
    assert inbox.next() == NEAR


@pytest.mark.parametrize("answered", [True, False])
def test_who_rings_right_after_our_hang_up_is_somebody_else(modem, inbox, ready, *, answered):
    """The new call has the index of the old one; taken for it, it would be hung up."""
    modem.answers["AT+CLCC"] = (clcc(4, incoming=True), "OK")
    modem.say(ccinfo(4, incoming=True))
    inbox.until(IncomingCall)
    if answered:
        ready.answer()
        modem.wait_for("ATA")
        modem.answers["AT+CLCC"] = (clcc(0, incoming=True), "OK")
        modem.say(ccinfo(0, incoming=True))
        inbox.until(Answered)
    modem.answers["AT+CLCC"] = (clcc(4, incoming=True, number="0312345602"), "OK")
    ready.hang_up()
    assert inbox.until(CallEnded) == NEAR
    assert inbox.until(IncomingCall).number == "0312345602"
    assert (modem.count("AT+CHUP"), modem.count("ATH")) == (1, 0)


def test_who_rings_while_we_hang_up_and_is_sent_away_with_it_is_told_as_missed(talking, modem, inbox):
    modem.answers["AT+CHUP"] = ("RING", '+CLIP: "0312345602",129', "OK")
    modem.gone_after = "AT+CHUP"
    talking.hang_up()
    assert inbox.next() == SecondCallRefused("0312345602")
    assert inbox.next() == NEAR
    assert inbox.empty(0.2)


def test_who_rings_before_our_hang_up_got_its_turn_is_not_sent_away_with_it(talking, modem, inbox):
    modem.answers["AT+CLCC"] = None  # it says nothing for a while, and the far end is gone meanwhile
    modem.wait_for("AT+CLCC", times=modem.count("AT+CLCC") + 1)
    modem.answers["AT"] = ("RING", '+CLIP: "0312345602",129', "OK")
    talking.hang_up()
    modem.answers["AT+CLCC"] = (clcc(4, incoming=True, number="0312345602"), "OK")
    assert inbox.next() == NEAR
    assert inbox.until(IncomingCall).number == "0312345602"
    assert modem.count("AT+CHUP") == 0


def test_a_dial_that_comes_before_the_calm_work_after_a_call_is_not_disturbed_by_it(talking, modem, inbox):
    modem.answers["AT+QPCMV=0"] = None  # the first word after the call hangs, and the dial comes
    modem.gone_after = "AT+CHUP"
    talking.hang_up()
    assert inbox.until(CallEnded) == NEAR
    modem.wait_for("AT+QPCMV=0")
    stops = modem.count("AT+QPCMV=0")
    modem.answers["AT+QPCMV=0"] = ("OK",)
    talking.dial(NUMBER)
    modem.wait_for("ATD", times=2)
    modem.answers["AT+CLCC"] = (clcc(0), "OK")
    modem.say(ccinfo(0))
    assert inbox.until(Answered) == Answered()
    dialled = modem.heard.index(f"ATD{NUMBER};", modem.heard.index(f"ATD{NUMBER};") + 1)
    assert "AT+QPCMV=0" not in modem.heard[dialled:]
    assert modem.count("AT+QPCMV=0") >= stops


@pytest.mark.usefixtures("talking")
def test_a_second_caller_does_not_touch_the_first_call(modem, inbox):
    modem.answers["AT+CLCC"] = (clcc(0), clcc(5, incoming=True, index=2, number="0312345602"), "OK")
    modem.say('+CCWA: "0312345602",129,1', "RING", '+CLIP: "0312345602",129', ccinfo(5, incoming=True, index=2))
    assert inbox.next() == SecondCallRefused("0312345602")
    modem.wait_for("AT+CHLD=0")
    assert inbox.empty(0.4)
    assert modem.count("AT+CHLD=0") == 1
    modem.answers["AT+CLCC"] = ("OK",)
    assert inbox.next() == FAR


@pytest.mark.usefixtures("ready")
def test_a_fax_ring_is_no_call(modem, inbox):
    modem.say("+CRING: FAX")
    assert inbox.empty()


# Tones


def test_tones_go_one_by_one_with_the_command_that_is_understood(talking, modem):
    modem.answers["AT+QVTS"] = ("ERROR",)
    talking.send_tones("1#*")
    modem.wait_for('AT+VTS="*"')
    assert [command for command in modem.heard if command.startswith("AT+VTS")] == [f'AT+VTS="{key}"' for key in "1#*"]


def test_hang_up_does_not_wait_for_the_rest_of_the_tones(talking, modem, inbox):
    modem.answers["AT+CLCC"] = (clcc(0), "OK")
    talking.send_tones("0123456789" * 10)
    modem.wait_for("AT+QVTS", times=3)
    modem.gone_after = "AT+CHUP"
    talking.hang_up()
    assert inbox.next() == NEAR
    assert modem.count("AT+QVTS") < 100


@pytest.mark.usefixtures("talking")
def test_tones_heard(modem, inbox):
    modem.say("+QTONEDET: 53", "+QTONEDET: 35", "+QTONEDET: 7", "+QTONEDET: x")
    assert [inbox.next(), inbox.next()] == [ToneHeard("5"), ToneHeard("#")]
    assert inbox.empty()


def test_what_is_no_tone_is_our_mistake(talking):
    with pytest.raises(MisuseError):
        talking.send_tones("12x")


# Faults in mid-call and at rest


def test_unplugged_at_rest_and_back(ready, modem, inbox):
    modem.unplug()
    assert inbox.next().fault is Fault.UNPLUGGED
    ready.dial(NUMBER)
    assert inbox.next().cause is Cause.FAILED
    assert inbox.empty()


def test_unplugged_in_a_call(talking, modem, inbox):
    modem.unplug()
    assert [inbox.next().cause, inbox.next().fault] == [Cause.LOST, Fault.UNPLUGGED]
    assert talking.audio.read() is None
    talking.audio.write(SILENCE)


def test_unplugged_while_the_dial_is_outstanding(ready, modem, inbox):
    modem.answers["ATD"] = None
    ready.dial(NUMBER)
    modem.wait_for("ATD")
    modem.unplug()
    assert [inbox.next().cause, inbox.next().fault] == [Cause.LOST, Fault.UNPLUGGED]


@pytest.mark.usefixtures("ready")
def test_a_modem_that_falls_silent_at_rest(modem, inbox):
    modem.answers = {"": None}
    assert inbox.next().fault is Fault.SILENT


@pytest.mark.usefixtures("talking")
def test_a_modem_that_falls_silent_in_a_call(modem, inbox):
    modem.answers = {"": None}
    assert [inbox.next().cause, inbox.next().fault] == [Cause.LOST, Fault.SILENT]


@pytest.mark.usefixtures("talking")
def test_one_lost_answer_is_not_yet_silence(modem, inbox):
    modem.answers["AT+CLCC"] = None
    modem.wait_for("AT+CLCC", times=modem.count("AT+CLCC") + 2)
    modem.answers["AT+CLCC"] = (clcc(0), "OK")
    modem.say("OK")  # the late answer
    modem.wait_for("AT+CLCC", times=modem.count("AT+CLCC") + 3)
    assert inbox.empty()


def test_the_end_of_a_line_that_comes_late_is_no_sign_of_confusion(talking, modem, inbox):
    """Both markers were answered, with a line feed that came alone, and the modem was given up as silent."""
    modem.answers["AT+CLCC"] = None
    modem.lags = 0.02
    modem.wait_for("AT+CLCC", times=modem.count("AT+CLCC") + 2)
    modem.answers["AT+CLCC"] = (clcc(0), "OK")
    modem.wait_for("AT+CLCC", times=modem.count("AT+CLCC") + 3)
    assert inbox.empty()
    talking.hang_up()
    modem.wait_for("AT+CHUP")


def test_closing_hangs_up(talking, modem, inbox):
    talking.close()
    modem.wait_for("AT+CHUP")
    assert inbox.next().cause is Cause.LOST
    assert inbox.empty()


@pytest.mark.usefixtures("modem")
def test_open_close_open(line, inbox):
    for _ in range(3):
        line.open(inbox.post)
        inbox.until(LineReady)
        line.close()
    line.close()
    line.open(inbox.post)
    inbox.until(LineReady)


def test_commands_on_a_closed_line_do_no_harm(ready, inbox):
    ready.close()
    ready.answer()
    ready.hang_up()
    ready.send_tones("1")
    ready.dial(NUMBER)
    assert inbox.next().cause is Cause.FAILED


# Sound


def frame(number):
    return bytes([number, 0]) * (FRAME // 2)


def test_no_sound_without_a_call(ready, modem):
    assert ready.audio.read() is None
    ready.audio.write(SILENCE)
    assert modem.sound_heard(1, patience=0.05) == b""


def collect(audio, count, patience=30.0):
    frames, end = [], time.monotonic() + patience
    while len(frames) < count and time.monotonic() < end:
        got = audio.read()
        frames += [got] if got else []
    return frames


def test_sound_both_ways_whatever_the_cuts(talking, modem):
    stream = b"".join(frame(number) for number in range(1, 9))
    for start, end in ((0, 1), (1, 321), (321, 322), (322, 1001), (1001, len(stream))):
        modem.sound(stream[start:end])
    assert collect(talking.audio, 8) == [frame(number) for number in range(1, 9)]
    for number in range(1, 6):
        talking.audio.write(frame(number))
    assert modem.sound_heard(5 * FRAME) == stream[: 5 * FRAME]


def test_old_sound_is_dropped_and_stays_aligned(talking, modem):
    modem.sound(b"".join(frame(number) for number in range(1, 12)) + b"\x0c")
    assert len(collect(talking.audio, 1)) == 1
    assert 0 < talking.audio.carrier.skipped <= 2 * FRAME
    assert talking.audio.carrier.skipped % 2 == 0
    modem.sound(b"\x00" + frame(12)[2:])
    assert all(sound[1::2] == bytes(FRAME // 2) for sound in collect(talking.audio, 9))


def test_flow_control_stops_and_restarts_our_writing(talking, modem):
    modem.say("+QPCMV: 0,0")
    modem.wait_for("AT+CLCC", times=modem.count("AT+CLCC") + 2)  # the line has read on
    talking.audio.write(frame(1))
    assert modem.sound_heard(1, patience=0.05) == b""
    modem.say("+QPCMV: 1,0")
    modem.wait_for("AT+CLCC", times=modem.count("AT+CLCC") + 2)
    talking.audio.write(frame(2))
    assert modem.sound_heard(FRAME) == frame(2)


def test_a_port_that_takes_nothing_drops_whole_frames_and_goes_on(talking, modem):
    for number in range(1, 101):
        talking.audio.write(frame(number % 100 + 1))
    assert talking.audio.carrier.dropped > 0
    heard = modem.sound_heard(100 * FRAME, patience=0.3)
    talking.audio.write(frame(7))
    talking.audio.write(frame(7))
    heard += modem.sound_heard(3 * FRAME, patience=0.3)
    assert len(heard) % FRAME == 0
    assert all(len(set(heard[at : at + FRAME : 2])) == 1 for at in range(0, len(heard), FRAME))


@pytest.mark.parametrize("missing", ["the stream", "the port"])
def test_a_call_without_sound_goes_on(tmp_path, modem, inbox, missing):
    ready = GsmLine(modem.at, modem.pcm if missing == "the stream" else str(tmp_path / "none"), FAMILY)
    modem.answers["AT+QPCMV=1,0"] = ("ERROR",)
    ready.open(inbox.post)
    inbox.until(TimeHeard)
    modem.answers["AT+CLCC"] = (clcc(2), "OK")
    ready.dial(NUMBER)
    assert isinstance(inbox.next(), AudioFailed)
    modem.wait_for("ATD")
    modem.answers["AT+CLCC"] = (clcc(0), "OK")
    assert inbox.next() == Answered()
    ready.close()


def test_an_audio_port_that_comes_late_is_waited_for(tmp_path, modem, inbox):
    """After a plug the audio node may come seconds after the other one; the dial does not wait for it."""
    late = tmp_path / "audio"
    line = GsmLine(modem.at, str(late), FAMILY)
    line.open(inbox.post)
    inbox.until(TimeHeard)
    modem.answers["AT+CLCC"] = (clcc(2), "OK")
    line.dial(NUMBER)
    modem.wait_for("ATD")
    late.symlink_to(modem.pcm)
    modem.wait_for("AT+QPCMV=1,0")
    assert inbox.empty()
    line.close()


@pytest.mark.parametrize(
    ("final", "asked"),
    [("ERROR", 2), ("+CME ERROR: 3", 2), ("+CME ERROR: 30", 2), ("NO CARRIER", 1), ("+CME ERROR: 31", 1)],
)
def test_a_modem_just_plugged_in_may_refuse_to_dial_for_seconds(line, modem, inbox, final, asked):
    modem.answers["ATD"] = (final,)
    line.open(inbox.post)
    line.dial(NUMBER)
    modem.wait_for("ATD")
    modem.answers |= {"ATD": ("OK",), "AT+CLCC": (clcc(2), "OK")}
    if asked > 1:
        modem.wait_for("ATD", times=2)
        modem.answers["AT+CLCC"] = (clcc(0), "OK")
        assert isinstance(inbox.until(Answered), Answered)
    else:
        modem.answers["AT+CLCC"] = ("OK",)
        assert inbox.until(CallEnded).cause is Cause.NETWORK
    assert modem.count("ATD") == asked


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize("stray", [ccinfo(0), clcc(3)])
def test_a_call_that_turns_up_after_it_was_cancelled_is_hung_up(modem, inbox, stray):
    modem.answers["AT+CLCC"] = (clcc(0), "OK")
    modem.gone_after = "AT+CHUP"
    modem.say(stray)
    modem.wait_for("AT+CHUP")
    assert inbox.empty()


@pytest.mark.parametrize("word", ["PH-SIM PIN", "SIM PIN2", "SIM PUK", "PH-NET PIN"])
def test_what_is_not_the_sims_pin_never_gets_it(line, modem, inbox, word):
    modem.answers |= {"AT+CPIN?": (f"+CPIN: {word}", "OK"), 'AT+QPINC="SC"': ('+QPINC: "SC",3,10', "OK")}
    line.open(inbox.post)
    assert inbox.until(SimLocked).puk
    line.unlock("1234")
    assert inbox.until(SimLocked).puk
    assert modem.count("AT+CPIN=") == 0


@pytest.mark.parametrize("registered", ["+CREG: 2,10", "+CREG: 0,9", '+CREG: 2,1,"1A2B","03"', "+CREG: 2,5,1A2B,03"])
def test_every_way_of_being_registered(line, modem, inbox, registered):
    modem.answers["AT+CREG?"] = (registered, "OK")
    line.open(inbox.post)
    assert isinstance(inbox.next(), LineReady)


def test_the_audio_port_unplugged_in_a_call(talking, modem, inbox):
    modem.unplug_sound()
    assert talking.audio.read() is None
    talking.audio.write(SILENCE)
    assert isinstance(inbox.next(), AudioFailed)
    assert inbox.empty(0.3)


def test_a_frame_is_a_frame(talking):
    with pytest.raises(MisuseError):
        talking.audio.write(b"\0")


def test_old_sound_of_the_call_before_is_not_heard_in_the_next(talking, modem, inbox):
    modem.gone_after = "AT+CHUP"
    talking.hang_up()
    inbox.until(CallEnded)
    modem.sound(frame(1))
    modem.answers["AT+CLCC"] = (clcc(0), "OK")
    talking.dial(NUMBER)
    assert inbox.next() == Answered()
    assert talking.audio.read() is None


# Whatever a modem says

WORDS = (
    b"OK", b"ERROR", b"RING", b"BUSY", b"NO CARRIER", b"+CME ERROR: 14", b"+CREG: 1", b"+CPIN: READY", b"+QPCMV: 0,0",
    b"+CLCC: 1,0,0,0,0", b"+CLCC: 1,1,4,0,0", b'+QIND: "ccinfo",1,0,0,0,0,"",128', b'+QIND: "ccinfo",1,0,-1,0,0',
    b'+CLIP: "0312345601",129', b"+CRING: VOICE", b"+QTONEDET: 999", b"\xff\x00\x80", b"ERROR+CNUM: 1", b"\r", b"\n",
)  # fmt: skip


def ended_as_often_as_begun(events, dials):
    """Each dial and each caller has one CallEnded: a caller told again with the number is still the same."""
    begun, ended, ringing = dials, 0, False
    for event in events:
        if isinstance(event, IncomingCall):
            begun += not ringing
            ringing = True
        elif isinstance(event, CallEnded):
            ended, ringing = ended + 1, False
    return begun, ended


def check_nothing_breaks(chance, bursts):
    """Noise and orders in any order: the line is lost or lives, every call ends once; an error of ours fails the test."""
    events, dials = [], 0
    with Scripted() as modem:
        modem.answers |= {"AT+CHUP": ("OK", "NO CARRIER"), "ATA": ("NO CARRIER",)}
        line = GsmLine(modem.at, modem.pcm, FAMILY)
        for _ in range(bursts):
            if line._lost:
                line.open(events.append)
            noise = b"".join(
                chance.choice((b"\r\n", b"")) + chance.choice(WORDS) for _ in range(chance.randrange(1, 9))
            )
            modem.raw(noise + b"\r\n" * chance.randrange(2))
            order = chance.choice((line.hang_up, line.answer, lambda: line.send_tones("5"), line.dial, line.dial))
            dials += order == line.dial
            order(NUMBER) if order == line.dial else order()
            line.audio.read()
            modem.hear_more(chance.choice((0, 0, 1, 3)), unless=lambda: line._lost)
        line.close()
    begun, ended = ended_as_often_as_begun(events, dials)
    assert begun == ended
    return {"bursts": bursts, "calls": begun, "events": len(events)}


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_modem_says_every_call_ends_once(seed):
    check_nothing_breaks(random.Random(seed), 200)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_whatever_a_modem_says_for_long():
    print(check_nothing_breaks(random.Random(99), 4000))


# Latency


def test_the_dial_leaves_at_once(ready, modem, inbox):
    waits = []
    for _ in range(10):
        count = modem.count("ATD")
        began = time.monotonic()
        ready.dial(NUMBER)
        modem.wait_for("ATD", times=count + 1)
        waits.append(time.monotonic() - began)
        ready.hang_up()
        inbox.until(CallEnded)
    # The scripted modem looks every 10 ms at most; three commands through it, with two busy cores to spare.
    assert sorted(waits)[len(waits) // 2] < 0.05
