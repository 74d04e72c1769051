"""What each family of modems says and wants, line by line as its makers and users have written it down.

The modem is scripted: it says exactly what a manual or a report has, so a test is a sentence of one of those.
"""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from hw.callrows import CallRow, CallState, cend, clcc, voice_call
from hw.errors import UnexpectedReply
from hw.events import (
    Alerting,
    Answered,
    AudioFailed,
    CallEnded,
    Cause,
    Fault,
    IncomingCall,
    LineDegraded,
    LineLost,
    LineReady,
    Party,
    SecondCallRefused,
    SignalChanged,
    SimLocked,
    ToneHeard,
)
from hw.gsm import FAMILIES, GsmLine
from tests.hw.scripted import QUICK, WELL, Inbox, Scripted

NUMBER, OTHER = "0312345601", "09012345602"
NEAR = CallEnded(Cause.NORMAL, Party.NEAR)
VOICES = {"AT^CVOICE?": ("^CVOICE:0,8000,16,20", "OK"), "AT+CPCMREG=?": ("+CPCMREG: (0-1)", "OK")}
EMPTY = {"AT+CLCC": ("OK",), "AT+CLCC=1": ("OK",)}


def listed(state, *, incoming=0, index=1, number=NUMBER):
    """The answer to AT+CLCC with one call."""
    return (f'+CLCC: {index},{incoming},{state},0,0,"{number}",129', "OK")


class SilentCard:
    """A sound card on which nobody speaks."""

    alive = True

    def open(self): ...

    def close(self): ...

    def read(self): ...

    def write(self, frame): ...


class Bench:
    """One scripted modem, the line on it, and what the line has posted."""

    def __init__(self, modem, name, pace=QUICK, **sound):
        family = FAMILIES[name]
        quick = replace(family.sound, after=min(family.sound.after, 0.01), again=0.02, **sound)
        self.modem, self.inbox = modem, Inbox()
        modem.answers |= VOICES | EMPTY
        audio = SilentCard() if quick.via == "card" else modem.pcm
        self.line = GsmLine(modem.at, audio, replace(family, pace=pace, sound=quick))

    def open(self):
        self.line.open(self.inbox.post)
        self.inbox.until(LineReady)
        self.inbox.until(SignalChanged)

    def says(self, *lines):
        self.modem.say(*lines)

    def lists(self, answer):
        self.modem.answers["AT+CLCC"] = answer

    def talk(self, *news):
        """A call that has been answered, told by the family's own notices."""
        self.open()
        self.lists(listed(2))
        self.line.dial(NUMBER)
        self.modem.wait_for("ATD")
        self.lists(listed(0))
        self.says(*news)
        self.inbox.until(Answered)

    def end(self, *news):
        """The far end hangs up."""
        self.lists(("OK",))
        self.says(*news)
        return self.inbox.until(CallEnded)


@contextmanager
def bench(name, **how):
    """A line of this family."""
    with Scripted() as modem:
        made = Bench(modem, name, **how)
        yield made
        made.line.close()


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_makes_its_modem_ready_and_calls(name):
    with bench(name) as at:
        at.talk()
        assert at.modem.count(f"ATD{NUMBER};") == 1
        assert at.end().by is Party.FAR
        at.lists(listed(2))
        at.line.dial(NUMBER)
        at.modem.wait_for("ATD", times=2)
        at.modem.gone_after = "AT+CHUP"
        at.line.hang_up()
        assert at.inbox.until(CallEnded) == NEAR


# Huawei (modems.md 1)


def test_huawei_a_good_call_by_its_own_notices():
    with bench("huawei") as at:
        at.open()
        at.lists(listed(2))
        at.line.dial(NUMBER)
        at.modem.wait_for("AT^DDSETEX=2")
        assert at.modem.heard.index("AT^DDSETEX=2") > at.modem.heard.index(f"ATD{NUMBER};")
        at.modem.wait_for("AT+CLVL=5")
        at.says("^ORIG:1,0", "^CONF:1")
        at.lists(listed(3))
        at.inbox.until(Alerting)
        at.lists(listed(0))
        at.says("^CONN:1,0")
        at.inbox.until(Answered)
        assert at.end("^CEND:1,37,29,16") == CallEnded(Cause.NORMAL, Party.FAR, sure=True)


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        ("^CEND:1,0,25,17", Cause.BUSY),
        ("^CEND: 1, 0, 29, 19", Cause.NO_ANSWER),
        ("^CEND:1,0,255,1", Cause.DEAD_NUMBER),
        ("^CEND:1,0,22,21", Cause.REJECTED),
        ("^CEND:1,0,21,34", Cause.NETWORK),
        ("^CEND:1,0,21,169", Cause.NETWORK),
    ],
)
def test_huawei_a_set_up_that_fails_gives_the_networks_cause(end, cause):
    with bench("huawei") as at:
        at.open()
        at.lists(listed(2))
        at.line.dial(NUMBER)
        at.modem.wait_for("ATD")
        at.says("^ORIG:1,0")
        at.lists(("OK",))
        at.says("BUSY", end)  # two ends are told, one is meant
        ended = at.inbox.until(CallEnded)
        assert (ended.cause, ended.by) == (cause, Party.LINE)
        assert at.inbox.empty(0.2)


def test_huawei_an_answered_call_that_the_network_drops_is_lost_not_hung_up():
    with bench("huawei") as at:
        at.talk("^ORIG:1,0", "^CONN:1,0")
        assert at.end("^CEND:1,3,21,41") == CallEnded(Cause.LOST, Party.LINE)


def test_huawei_an_early_cancel_whose_end_is_never_told():
    """CHUP before ^ORIG: ^CEND may never come, and CHLD would make it deaf."""
    with bench("huawei") as at:
        at.open()
        at.lists(listed(2))
        at.line.dial(NUMBER)
        at.modem.wait_for("ATD")
        at.modem.gone_after = "AT+CHUP"
        at.line.hang_up()
        assert at.inbox.until(CallEnded) == NEAR
        assert at.modem.count("AT+CHLD") == at.modem.count("ATH") == 0


@pytest.mark.parametrize("answer", [("^CVOICE:1,8000,16,20", "OK"), ("ERROR",), ("^CVOICE:", "OK")])
def test_huawei_a_stick_without_voice(answer):
    with bench("huawei") as at:
        at.modem.answers["AT^CVOICE?"] = answer
        at.line.open(at.inbox.post)
        assert at.inbox.until(LineLost).fault is Fault.NO_VOICE


@pytest.mark.parametrize(("firmware", "usable"), [("11.609.20.00.00", True), ("21.157.31.00.00", False)])
def test_huawei_a_firmware_without_voice_is_told_whatever_it_says(firmware, usable):
    with bench("huawei") as at:
        at.modem.answers["AT+CGMR"] = (firmware, "OK")
        at.line.open(at.inbox.post)
        event = at.inbox.next()
        assert isinstance(event, LineReady) is usable
        if not usable:
            assert (event.fault, "firmware 21" in event.detail) == (Fault.NO_VOICE, True)


def test_huawei_without_ddsetex_the_call_goes_on_and_nobody_is_left_to_guess_why_it_is_silent():
    with bench("huawei") as at:
        at.modem.answers["AT^DDSETEX=2"] = ("ERROR",)
        at.open()
        at.lists(listed(2))
        at.line.dial("119")
        assert "DDSETEX" in at.inbox.until(AudioFailed).why


def test_huawei_one_tone_a_command_with_the_calls_index():
    with bench("huawei") as at:
        at.open()
        at.lists(listed(0, index=2))
        at.line.dial(NUMBER)
        at.inbox.until(Answered)
        at.line.send_tones("1#")
        at.modem.wait_for("AT^DTMF=2,#")
        assert [one for one in at.modem.heard if one.startswith("AT^DTMF")] == ["AT^DTMF=2,1", "AT^DTMF=2,#"]
        at.says("^DDTMF:5")
        assert at.inbox.until(ToneHeard).digit == "5"


def test_huawei_answers_first_and_asks_for_the_sound_then():
    with bench("huawei") as at:
        at.open()
        at.lists(listed(4, incoming=1, number=OTHER))
        at.says("RING", f'+CLIP: "{OTHER}",161,,,,0')
        assert at.inbox.until(IncomingCall).number in {None, OTHER}
        at.line.answer()
        at.modem.wait_for("AT^DDSETEX=2")
        assert at.modem.heard.index("AT^DDSETEX=2") > at.modem.heard.index("ATA")
        at.lists(listed(0, incoming=1, number=OTHER))
        at.says("^CONN:1,0")
        at.inbox.until(Answered)


def test_huawei_a_second_caller_is_told_and_left_alone():
    """Ending one of two calls kills the voice of the other: so no CHLD, ever."""
    with bench("huawei") as at:
        at.talk("^ORIG:1,0", "^CONN:1,0")
        at.lists((*listed(0)[:1], f'+CLCC: 2,1,5,0,0,"{OTHER}",129', "OK"))
        at.says("RING")
        assert at.inbox.until(SecondCallRefused).number == OTHER
        asked = at.modem.count("AT+CLCC")
        at.modem.wait_for("AT+CLCC", times=asked + 3)
        assert at.modem.count("AT+CHLD") == 0


def test_huawei_periodic_chatter_is_nobodys_business():
    with bench("huawei") as at:
        at.open()
        at.says("^RSSI:17", "^MODE:5,4", "^BOOT:12345678,0,0,0,77", "^DSFLOWRPT:0,0,0,0,0,0,0", "^HCSQ:1,2", "^STIN:1")
        assert at.inbox.empty(0.2)
        at.lists(listed(2))
        at.line.dial(NUMBER)
        at.modem.wait_for("ATD")


@pytest.mark.parametrize(
    ("line", "cause"),
    [("^CEND:1,37,29,16", 16), ("^CEND: 1,37,29", None), ("^CEND:1,37,29,", None), ("^CEND:1, 0, 104, 17", 17)],
)
def test_huawei_the_end_of_a_call_with_and_without_cause(line, cause):
    assert cend(line) == CallRow(1, None, CallState.RELEASED, cause=cause)


# SIMCom SIM7600, A7670 (2.2)


def test_sim7600_sound_is_asked_for_only_once_the_call_is_active():
    with bench("sim7600") as at:
        at.open()
        at.lists(listed(2))
        at.line.dial(NUMBER)
        at.modem.wait_for("ATD")
        at.says('+CLCC: 1,0,3,0,0,"0312345601",129')
        at.inbox.until(Alerting)
        assert at.modem.count("AT+CPCMREG=1") == 0
        at.lists(listed(0))
        at.says("VOICE CALL: BEGIN")
        at.inbox.until(Answered)
        at.modem.wait_for("AT+CPCMREG=1")
        off = at.modem.count("AT+CPCMREG=0")
        assert at.end("VOICE CALL: END: 000041").by is Party.FAR
        at.modem.wait_for("AT+CPCMREG=0", times=off + 1)
        assert at.modem.count("AT+CRESET") == 0


def test_sim7600_a_refused_sound_is_tried_again_and_cured_by_a_reset_after_the_call():
    with bench("sim7600") as at:
        at.modem.answers["AT+CPCMREG=1"] = ("ERROR",)
        at.talk("VOICE CALL: BEGIN")
        at.modem.wait_for("AT+CPCMREG=1", times=2)
        at.modem.answers["AT+CPCMREG=1"] = ("OK",)
        at.inbox.until(LineDegraded)
        assert at.modem.count("AT+CRESET") == 0  # never in a call
        at.end("VOICE CALL: END: 000003")
        at.modem.wait_for("AT+CRESET")


def test_sim7600_nothing_is_said_into_a_stream_that_has_not_begun():
    """It would wait in the port, and all that is said after it would be late."""
    early, said = b"\x01\x02" * 160, b"\x03\x04" * 160
    with bench("sim7600") as at:
        at.modem.answers["AT+CPCMREG=1"] = ("ERROR",)
        at.talk("VOICE CALL: BEGIN")
        at.modem.wait_for("AT+CPCMREG=1", times=2)
        at.line.audio.write(early)
        at.modem.answers["AT+CPCMREG=1"] = ("OK",)
        at.inbox.until(LineDegraded)
        at.line.audio.write(said)
        assert at.modem.sound_heard(len(said)) == said


def test_sim7600_a_sound_that_is_never_granted_is_told():
    with bench("sim7600", tries=3) as at:
        at.modem.answers["AT+CPCMREG=1"] = ("ERROR",)
        at.talk("VOICE CALL: BEGIN")
        assert "CPCMREG" in at.inbox.until(AudioFailed).why
        assert at.modem.count("AT+CPCMREG=1") == 3


def test_sim7600_an_end_without_an_id_is_confirmed_by_the_list():
    """A URC of the call before must not end this one."""
    with bench("sim7600") as at:
        at.talk("VOICE CALL: BEGIN")
        asked = at.modem.count("AT+CLCC")
        at.says("VOICE CALL: END: 000041")
        at.modem.wait_for("AT+CLCC", times=asked + 2)
        assert at.inbox.empty(0.2)
        assert at.end("VOICE CALL: END: 000042").by is Party.FAR


def test_sim7600_a_call_list_urc_that_says_disconnected():
    with bench("sim7600") as at:
        at.talk("VOICE CALL: BEGIN")
        assert at.end('+CLCC: 1,0,6,0,0,"0312345601",129', "NO CARRIER").by is Party.FAR
        assert at.inbox.empty(0.2)


def test_sim7600_a_tone_with_its_odd_line_end():
    with bench("sim7600") as at:
        at.talk("VOICE CALL: BEGIN")
        at.says("\r+RXDTMF: 8\r")
        assert at.inbox.until(ToneHeard).digit == "8"


def test_sim7600_a_missed_call_line_is_no_answer_to_anything():
    with bench("sim7600") as at:
        at.open()
        at.says(f"MISSED_CALL: 11:01AM {OTHER}")
        assert at.inbox.empty(0.2)


@pytest.mark.parametrize(("firmware", "told"), [("A011B01A7670M7", True), ("A011B07A7670M7", False)])
def test_a7670_a_firmware_that_drops_calls_is_told(firmware, told):
    with bench("a7670") as at:
        at.modem.answers["AT+CGMR"] = (f"+CGMR: {firmware}", "OK")
        at.line.open(at.inbox.post)
        at.inbox.until(LineReady)
        event = at.inbox.next()
        assert isinstance(event, LineDegraded) is told
        assert not told or "B07" in event.why


@pytest.mark.parametrize("line", ["VOICE CALL: BEGIN", "VOICE CALL: END", "VOICE CALL: END: 000041"])
def test_a_voice_call_line_has_no_id(line):
    assert voice_call(line).index is None


@pytest.mark.parametrize("line", ["VOICE CALL:", "VOICE CALL: GONE", "VOICE CALL: END: x"])
def test_a_voice_call_line_that_was_cut(line):
    with pytest.raises(UnexpectedReply):
        voice_call(line)


# SIM800 (2.1)


def test_sim800_its_own_words_for_ringing_and_answered():
    with bench("sim800") as at:
        at.open()
        at.lists(listed(2))
        at.line.dial(NUMBER)
        at.modem.wait_for("ATD")
        at.lists(listed(3))
        at.says("MO RING")
        at.inbox.until(Alerting)
        at.lists(listed(0))
        at.says("MO CONNECTED")
        at.inbox.until(Answered)
        at.says("+DTMF: 5")
        assert at.inbox.until(ToneHeard).digit == "5"


def test_sim800_the_first_word_is_lost_and_so_it_is_never_a_dial():
    with bench("sim800") as at:
        at.line.open(at.inbox.post)
        at.line.dial("119")
        at.modem.wait_for("ATD119;")
        assert at.modem.heard[0] == "AT"


def test_sim800_what_it_says_at_power_on_and_of_its_power_is_no_fault():
    with bench("sim800") as at:
        at.says("RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready")
        at.open()
        at.says("+CMTE: 1", "+CSQN: 17,0")
        assert at.inbox.empty(0.2)
        at.says("UNDER-VOLTAGE WARNNING")
        assert "power supply" in at.inbox.until(LineDegraded).why
        at.lists(listed(2))
        at.line.dial(NUMBER)
        at.modem.wait_for("ATD")


def test_sim800_a_call_that_a_poll_sees_before_any_ring():
    """The list has it as incoming already, so a driver that waits for +CLIP would never ring."""
    with bench("sim800") as at:
        at.open()
        at.says(f'+CLCC: 1,1,4,0,0,"{OTHER}",129,""')
        at.lists(listed(4, incoming=1, number=OTHER))
        assert at.inbox.until(IncomingCall) == IncomingCall(OTHER)
        at.says("RING", f'+CLIP: "{OTHER}",129,"",0,"",0')
        assert at.inbox.empty(0.2)


@pytest.mark.parametrize("tail", ["", ',""', ',"",129', ',"",,0', ',"",128,""', ',"0312345601",129,"",,0'])
def test_a_row_of_the_list_with_any_tail(tail):
    assert clcc(f"+CLCC: 1,0,0,0,0{tail}").state is CallState.ACTIVE
    assert clcc(f"+CLCC:1,0,6,0,0{tail}").state is CallState.RELEASED


# The odd ones


def test_odd_a_dial_that_is_answered_with_nothing():
    with bench("odd") as at:
        at.open()
        at.modem.answers["ATD"] = None
        at.lists(listed(2))
        at.line.dial(NUMBER)
        at.modem.wait_for("ATD")
        at.lists(listed(0))
        at.says("CONNECT")
        at.inbox.until(Answered)
        assert at.end("HANGUP: 1").by is Party.FAR
        assert at.inbox.empty(0.2)


def test_odd_a_dial_that_comes_to_nothing():
    with bench("odd") as at:
        at.open()
        at.modem.answers["ATD"] = None
        at.lists(listed(2))
        at.line.dial(NUMBER)
        at.modem.wait_for("AT+CLCC", times=3)
        assert at.end("BUSY", "HANGUP: 1").cause is Cause.BUSY


def test_odd_hanging_up_while_nothing_has_been_said_yet():
    with bench("odd") as at:
        at.open()
        at.modem.answers["ATD"] = None
        at.lists(listed(2))
        at.line.dial(NUMBER)
        at.modem.wait_for("ATD")
        at.modem.gone_after = "AT+CHUP"
        at.line.hang_up()
        assert at.inbox.until(CallEnded) == NEAR


def test_odd_lists_that_never_have_a_call():
    with bench("odd") as at:
        at.open()
        at.modem.answers["ATD"] = None
        at.line.dial(NUMBER)
        at.modem.wait_for("AT+CLCC", times=at.modem.count("AT+CLCC") + 5)
        assert at.inbox.empty()
        at.says("CONNECT")
        at.inbox.until(Answered)
        at.modem.wait_for("AT+CLCC", times=at.modem.count("AT+CLCC") + 5)
        assert at.inbox.empty()
        at.says("HANGUP: 1")
        assert at.inbox.until(CallEnded).by is Party.FAR


# The SIM's PIN (0.4)


@pytest.mark.parametrize(
    ("name", "command", "answer", "tries"),
    [
        ("quectel", 'AT+QPINC="SC"', '+QPINC: "SC",3,10', 3),
        ("sim7600", "AT+SPIC", "+SPIC: 2,10,0,10", 2),
        ("huawei", "AT^CPIN?", "^CPIN: SIM PIN,,10,3,10,3", 3),
        ("generic", "AT+CPINR", "+CPINR: SIM PIN,3,3", 3),
        ("generic", 'AT+CSIM=10,"0020000100"', '+CSIM: 4,"63C2"', 2),
        ("generic", 'AT+CSIM=10,"0020000100"', '+CSIM: 4,"6983"', 0),
        ("quectel", "AT+NONE", "", None),
    ],
)
def test_the_tries_that_are_left_are_read_from_each_makers_counter(name, command, answer, tries):
    with bench(name) as at:
        at.modem.answers |= dict.fromkeys(("AT+QPINC", "AT+CSIM", "AT+SPIC", "AT+CPINR", "AT^CPIN?"), ("ERROR",))
        at.modem.answers |= {"AT+CPIN?": ("+CPIN: SIM PIN", "OK"), command: (answer, "OK")}
        at.line.open(at.inbox.post)
        assert at.inbox.until(SimLocked).tries == tries


@pytest.mark.parametrize("name", FAMILIES)
def test_looking_at_a_locked_sim_never_gives_it_anything(name):
    with bench(name) as at:
        at.modem.answers["AT+CPIN?"] = ("+CPIN: SIM PIN", "OK")
        at.line.open(at.inbox.post)
        at.inbox.until(SimLocked)
        at.modem.wait_for("AT+CPIN?", times=at.modem.count("AT+CPIN?") + 2)
        assert at.modem.count("AT+CPIN=") == 0


@pytest.mark.parametrize(
    "early", [("+CME ERROR: 14",), ("+CME ERROR: 515",), ("+CPIN: NOT READY", "OK"), ("+CPIN: READY",)]
)
def test_a_sim_that_is_busy_or_answers_without_an_ok_is_asked_again(early):
    with bench("generic") as at:
        at.modem.answers["AT+CPIN?"] = early
        at.line.open(at.inbox.post)
        at.modem.wait_for("AT+CPIN?")
        at.modem.answers["AT+CPIN?"] = WELL["AT+CPIN?"]
        at.says("+CPIN: READY")
        assert isinstance(at.inbox.next(), LineReady)


# A modem that falls silent (1.7.4)


@pytest.mark.parametrize(("name", "reset"), [("quectel", "AT+CFUN=1,1"), ("sim7600", "AT+CRESET")])
def test_a_modem_that_stays_silent_is_reset(name, reset):
    with bench(name, pace=replace(QUICK, rescue=0.0)) as at:
        at.modem.answers |= {"ATE0": None, "AT": None}
        for resets in (0, 1):  # at the second attempt it is due
            at.line.open(at.inbox.post)
            assert at.inbox.until(LineLost).fault is Fault.SILENT
            at.modem.wait_for(reset, times=resets)
        assert at.modem.count(reset) == 1
        at.modem.answers |= {"ATE0": ("OK",), "AT": ("OK",)}
        for _ in range(2):
            at.line.open(at.inbox.post)
            at.inbox.until(LineReady)
        assert at.modem.count(reset) == 1


def test_a_modem_that_has_come_to_itself_is_not_reset():
    with bench("quectel", pace=replace(QUICK, rescue=0.0)) as at:
        at.modem.answers |= {"ATE0": None, "AT": None}
        at.line.open(at.inbox.post)
        assert at.inbox.until(LineLost).fault is Fault.SILENT
        at.modem.answers |= {"ATE0": ("OK",), "AT": ("OK",)}
        at.open()
        at.modem.answers |= dict.fromkeys(("AT", "AT+CPIN?"), None)
        at.says("+CPIN: READY")  # a reason to look, and the first sign that it is silent once more
        assert at.inbox.until(LineLost).fault is Fault.SILENT
        assert at.modem.count("AT+CFUN=1,1") == 0


# In-band tones


def test_tones_that_no_command_sends_go_in_band():
    with bench("quectel") as at:
        at.modem.answers |= {"AT+QVTS": ("ERROR",), "AT+VTS": ("ERROR",)}
        at.talk()
        at.line.send_tones("5")
        at.modem.wait_for("AT+VTS")
        silence, said = bytes(320), b""
        while not any(said):
            at.line.audio.write(silence)
            said = at.modem.sound_heard(320)
        assert any(said)


# A second caller (0.7)


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("quectel", f'+QIND: "ccinfo",2,1,-1,0,0,"{OTHER}",129'),
        ("quectel", f"^DSCI: 2,1,6,0,{OTHER},129"),
        ("sim7600", f'+CLCC: 2,1,6,0,0,"{OTHER}",129'),
    ],
)
def test_somebody_whom_the_network_sent_away_is_told_by_the_end_of_their_call(name, gone):
    with bench(name) as at:
        at.talk()
        at.says(gone)
        assert at.inbox.until(SecondCallRefused) == SecondCallRefused(OTHER)
        at.says(*listed(0)[:1], "VOICE CALL: END: 000001")
        assert at.inbox.empty(0.2)
        at.end()


def test_the_end_of_somebody_who_waited_is_no_second_news():
    with bench("quectel") as at:
        at.talk()
        at.lists((*listed(0)[:1], f'+CLCC: 2,1,5,0,0,"{OTHER}",129', "OK"))
        at.says(f'+CCWA: "{OTHER}",129,1')
        assert at.inbox.until(SecondCallRefused) == SecondCallRefused(OTHER)
        at.modem.wait_for("AT+CHLD=0")
        at.lists(listed(0))
        asked = at.modem.count("AT+CLCC")
        at.modem.wait_for("AT+CLCC", times=asked + 1)
        at.says(f'+QIND: "ccinfo",2,1,-1,0,0,"{OTHER}",129')  # later than the list that lacks it
        assert at.inbox.empty(0.2)
        at.says(f'+QIND: "ccinfo",2,1,-1,0,0,"{OTHER}",129')
        assert at.inbox.until(SecondCallRefused) == SecondCallRefused(OTHER)


# What is known when a modem falls silent


def test_a_call_whose_end_is_known_is_not_called_lost_because_its_modem_falls_silent():
    with bench("quectel") as at:
        at.open()
        at.lists(listed(2))
        at.line.dial(NUMBER)
        at.modem.wait_for("AT+CLCC", times=at.modem.count("AT+CLCC") + 2)
        at.modem.answers |= {"AT+CEER": None, "AT": None}
        at.lists(("OK",))
        at.says("BUSY", '+QIND: "ccinfo",1,0,-1,0,0,"0312345601",129')
        assert at.inbox.until(CallEnded) == CallEnded(Cause.BUSY, Party.LINE)
        assert at.inbox.until(LineLost).fault is Fault.SILENT


def test_a_modem_just_plugged_in_that_has_no_service_yet_is_asked_again():
    with bench("quectel") as at:
        at.modem.answers["ATD"] = ("+CME ERROR: 30",)
        at.line.open(at.inbox.post)
        at.line.dial(NUMBER)
        at.modem.wait_for("ATD")
        at.modem.answers["ATD"] = ("OK",)
        at.lists(listed(0))
        at.inbox.until(Answered)
