"""Every bug that GSM modems are known for, met by the driver: it does no harm, or it is told as what it is.

CASES has each switch of the emulated modems' bugs, on the makes that have it, and what a person does with such a modem.
"""

import time
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pytest

from hw.contracts import FRAME
from hw.dtmf import PITCHES
from hw.emulated.bugs import Bugs
from hw.emulated.cable import Cable
from hw.emulated.exchange import FarEnd
from hw.emulated.speech import Tone
from hw.events import (
    Alerting,
    Answered,
    AudioFailed,
    CallEnded,
    Cause,
    Fault,
    Hidden,
    IncomingCall,
    LineDegraded,
    LineLost,
    LineReady,
    Party,
    SecondCallRefused,
    SignalChanged,
    SimLocked,
)
from tests.hw.lines import (
    BUSY,
    CALLER,
    EAR,
    GOOD,
    LIMIT,
    MOUTH,
    NEAR,
    RINGS,
    Inbox,
    a_talk,
    clear,
    crossing,
    gsm_line,
    impatient,
    loudness,
    parting,
    talking,
    until,
)

SETS_UP, LEAVES = "0312345610", "0312345611"
BOOK = {
    SETS_UP: FarEnd(outcome="busy", answers_after=60),  # long in the network, and nobody is alerted
    LEAVES: FarEnd(answers_after=0.1, ends_after=0.3),
}


def hasty(name, **pace):
    """A family's table with hardly any patience; what the reference asks for between two commands stays.

    A silent modem is reset at the second try, and has time to come back before it would be again.
    """
    family = impatient(name)
    quick = {"poll": min(family.pace.poll, 0.3), "recheck": 0.1, "idle": 0.5, "check": 0.2, "rescue": 1.5} | pace
    return replace(
        family, pace=replace(family.pace, **quick), sound=replace(family.sound, again=min(family.sound.again, 0.2))
    )


# What a person does


def opened(far, inbox):
    """The line is good from the first word."""
    far.line.open(inbox.post)
    event = inbox.next()
    assert isinstance(event, LineReady), event


def truth(far, inbox, number=BUSY, cause=Cause.BUSY):
    """A call that comes to nothing is told, once and truthfully."""
    far.line.dial(number)
    *_, end = inbox.of_call()
    assert end.by is Party.LINE, end
    assert end.cause is cause or far.mumbles, end
    assert inbox.quiet(0.05)


def called(far, inbox, rings=1):
    """Somebody calls in: told, perhaps once more with the number; answered; they hang up."""
    far.exchange.call_in(CALLER, FarEnd(voice=Tone(EAR)))
    told = [inbox.until(IncomingCall)]
    while told[-1].number is None:
        told.append(inbox.until(IncomingCall))
    assert told in ([IncomingCall(CALLER)], [IncomingCall(None), IncomingCall(CALLER)])
    assert inbox.quiet(0.3 if rings > 1 else 0.01)
    far.line.answer()
    inbox.until(Answered)
    far.exchange.hang_up()
    (end,) = inbox.of_call()
    assert (end.cause, end.by) == (Cause.NORMAL, Party.FAR)
    assert inbox.quiet(0.05)


def a_day(far, inbox):
    """All that a booth's line does."""
    opened(far, inbox)
    a_talk(far, inbox, keys="1#")
    truth(far, inbox)
    called(far, inbox)
    a_talk(far, inbox)


def two_calls(far, inbox):
    """As good the second time as the first."""
    opened(far, inbox)
    a_talk(far, inbox, keys="00*")
    a_talk(far, inbox)


def rung_often(far, inbox):
    """Many rings are one call."""
    opened(far, inbox)
    called(far, inbox, rings=9)
    a_talk(far, inbox)


def taken_before_it_rings(far, inbox):
    """Somebody is in the list, and no ring has come yet: it is a call all the same."""
    opened(far, inbox)
    called(far, inbox)
    assert inbox.quiet(0.3)
    a_talk(far, inbox)


def keys_in_band(far, inbox):
    """The modem sends no tones: so the far end hears ours in the sound."""
    opened(far, inbox)
    talking(far, inbox)
    crossing(far)
    far.line.send_tones("5" * 9)
    low, high = PITCHES["5"]
    until(
        lambda: (
            clear(far.exchange.heard[-4 * FRAME :], low, MOUTH)
            and loudness(far.exchange.heard[-4 * FRAME :], high) > 1e4
        ),
        far,
    )
    parting(far, inbox)


def without_sound(far, inbox):
    """The call goes on, and that it is dumb is told."""
    opened(far, inbox)
    far.line.dial("119")
    awaited = {Answered, AudioFailed}
    while awaited:
        awaited.discard(type(inbox.next()))
    parting(far, inbox)


def back(far, inbox, *faults):
    """Open the line again and again, as the booth does, until it is ready; it was lost for one of `faults`."""
    end = time.monotonic() + LIMIT
    assert inbox.until(LineLost).fault in faults
    while True:
        assert time.monotonic() < end, far.modem.heard[-5:]
        far.line.open(inbox.post)
        while isinstance(event := inbox.next(), SignalChanged | LineDegraded):
            pass
        if isinstance(event, LineReady):
            return
        assert isinstance(event, LineLost)


def falls_silent(far, inbox, wedged):
    """It is deaf in the middle of a talk: that is told, it is reset, and works again."""
    opened(far, inbox)
    talking(far, inbox)
    far.modem.wedged = wedged
    assert inbox.of_call()[-1].cause is Cause.LOST
    back(far, inbox, Fault.SILENT)
    assert [one for one in far.modem.heard if one == "AT+CFUN=1,1"]
    far.exchange.wait_for("idle")
    a_talk(far, inbox)


def deaf_to_commands(far, inbox):
    """Notices go on, but no command is answered."""
    falls_silent(far, inbox, "commands")


def deaf_and_mute(far, inbox):
    """Not a word."""
    falls_silent(far, inbox, "all")


def dead_until_replugged(far, inbox):
    """No command helps: it stays silent however often it is opened, until it gets new power."""
    opened(far, inbox)
    far.modem.wedged = "dead"
    assert inbox.until(LineLost).fault is Fault.SILENT
    for _ in range(2):
        far.line.open(inbox.post)
        assert inbox.until(LineLost).fault is Fault.SILENT
    far.modem.unplug()
    far.modem.plug()
    opened(far, inbox)
    a_talk(far, inbox)


def wedged_by_the_question_why(far, inbox):
    """How the call ended was known before: it is told so, and then that the modem is silent."""
    opened(far, inbox)
    far.line.dial(BUSY)
    assert inbox.of_call()[-1].cause is Cause.BUSY
    back(far, inbox, Fault.SILENT)
    a_talk(far, inbox)


def an_answer_comes_late(far, inbox):
    """A list of calls stays in the modem's buffer until the next command: nobody takes it for another's answer."""
    opened(far, inbox)
    talking(far, inbox)
    asked = far.modem.heard.count("AT")
    far.modem.withholds = "AT+CLCC"
    until(lambda: far.modem.heard.count("AT") > asked, far)
    far.modem.withholds = ""
    far.line.send_tones("1#")
    until(lambda: far.exchange.keyed == "1#", far)
    parting(far, inbox)
    a_talk(far, inbox)


def cancelled_while_the_dial_waits(far, inbox):
    """The OK of the dial does not come, and the person has thought better of it."""
    opened(far, inbox)
    for number, state in ((RINGS, "alerting"), (GOOD, "talking")):
        far.exchange.book[RINGS] = FarEnd(outcome="no answer", rings_for=60)
        far.line.dial(number)
        far.exchange.wait_for(state)
        parting(far, inbox)
    far.modem.dial_ok_after, far.modem.withholds = 0.0, ""
    a_talk(far, inbox)


def cancelled_early(far, inbox):
    """Before the far end is alerted the call is cancelled: over at once, and the next one works."""
    opened(far, inbox)
    for _ in range(2):
        far.line.dial(SETS_UP)
        far.exchange.wait_for("dialling")
        parting(far, inbox)
    a_talk(far, inbox)


def wakes(far, inbox):
    """A SIM that is only slow is no fault."""
    opened(far, inbox)
    a_talk(far, inbox)


def wakes_too_late(far, inbox):
    """What takes too long is told, and that it came after all."""
    far.line.open(inbox.post)
    assert inbox.next().fault is Fault.NO_SIM
    assert isinstance(inbox.next(), LineReady)
    a_talk(far, inbox)


def unlocked(far, inbox):
    """Its data come late after the PIN."""
    far.modem.sim = "SIM PIN"
    far.line.open(inbox.post)
    inbox.until(SimLocked)
    far.line.unlock("1234")
    inbox.until(LineReady)
    a_talk(far, inbox)


def dialled_at_once(far, inbox):
    """The first call after a plug would fail: it goes out a moment later, and only once."""
    opened(far, inbox)
    far.modem.unplug()
    assert inbox.until(LineLost).fault is Fault.UNPLUGGED
    far.modem.plug()
    far.line.open(inbox.post)
    far.line.dial(GOOD)
    told = [inbox.next()]
    while not isinstance(told[-1], Answered):
        assert not isinstance(told[-1], CallEnded | LineLost)
        told.append(inbox.next())
    far.line.hang_up()
    told += inbox.of_call()
    assert told[-1] == NEAR
    if not any(isinstance(event, LineReady) for event in told):  # the call went before the look at the network
        inbox.until(LineReady)
    a_talk(far, inbox)


def no_network(far, inbox):
    """A call that the network does not take is told as that, an emergency call goes out, and all is well again later."""
    opened(far, inbox)
    far.modem.registered = False
    assert inbox.until(LineLost).fault is Fault.NO_NETWORK
    far.line.dial(GOOD)
    (end,) = inbox.of_call()
    assert (end.cause, end.by) == (Cause.NETWORK, Party.LINE)
    talking(far, inbox, "119")
    parting(far, inbox)
    far.modem.registered = True
    inbox.until(LineReady)
    a_talk(far, inbox)


def a_second_caller(far, inbox):
    """Told once and sent away; the talk goes on with both voices."""
    opened(far, inbox)
    talking(far, inbox)
    for why in ("", "payphone"):
        far.exchange.call_in(CALLER, FarEnd(), waiting=True, hidden=why)
        told = inbox.until(SecondCallRefused)
        assert (told.number, told.hidden) in {(CALLER, None), (None, Hidden.PAYPHONE), (None, None)}
        if far.modem.held_kills_voice:
            far.exchange.hang_up(second=True)
        until(lambda: len(far.exchange.calls) == 1, far)
        assert inbox.quiet(0.7)
    crossing(far)
    parting(far, inbox)
    a_talk(far, inbox)


def sent_away_by_the_network(far, inbox):
    """Nobody waits, for call waiting is off: all that the modem says is that another call is over."""
    opened(far, inbox)
    talking(far, inbox)
    for number in (CALLER, None):
        far.exchange.call_in(number, FarEnd(), waiting=True)
        assert inbox.until(SecondCallRefused).number == number
        assert inbox.quiet(0.4)
    crossing(far)
    parting(far, inbox)
    a_talk(far, inbox)


def a_second_caller_who_stays(far, inbox):
    """Whoever waits when the talk ends rings then."""
    opened(far, inbox)
    talking(far, inbox)
    far.exchange.call_in(CALLER, FarEnd(), waiting=True)
    inbox.until(SecondCallRefused)
    far.line.hang_up()
    assert inbox.until(CallEnded) == NEAR
    inbox.until(IncomingCall)
    far.line.answer()
    inbox.until(Answered)
    far.exchange.wait_for("talking")
    parting(far, inbox)


def a_firmware_that_drops_calls(far, inbox):
    """It is named, and every call ends once."""
    opened(far, inbox)
    assert "B07" in inbox.until(LineDegraded).why
    for _ in range(2):
        truth(far, inbox, GOOD, Cause.NETWORK)


def a_firmware_without_voice(far, inbox):
    """It is named, whatever the modem says; an emergency call still goes out and ends."""
    far.line.open(inbox.post)
    event = inbox.next()
    assert (event.fault, "firmware 21" in event.detail) == (Fault.NO_VOICE, True)
    talking(far, inbox, "119")
    parting(far, inbox)


@dataclass(frozen=True)
class Ends:
    """Ends of calls as a stick tells them: whether it is sure who hung up, and why a call came to nothing."""

    sure: bool
    cause: Cause

    def __call__(self, far, inbox):
        opened(far, inbox)
        talking(far, inbox, LEAVES)
        assert inbox.of_call() == [CallEnded(Cause.NORMAL, Party.FAR, sure=self.sure)]
        truth(far, inbox, cause=self.cause)
        talking(far, inbox)
        parting(far, inbox)


def alerted(far, inbox):
    """That it rings is told before the answer."""
    opened(far, inbox)
    far.exchange.book[GOOD] = FarEnd(answers_after=1.0, voice=Tone(EAR))
    far.line.dial(GOOD)
    inbox.until(Alerting)
    inbox.until(Answered)
    parting(far, inbox)


def its_ear_comes_late(far, inbox):
    """Dialled before the audio node is there: the sound begins when it comes, and nothing is called broken."""
    opened(far, inbox)
    talking(far, inbox)
    crossing(far)
    parting(far, inbox)


def its_ear_never_comes(far, inbox):
    """The call goes on without sound, told once."""
    without_sound(far, inbox)
    far.line.dial(GOOD)
    inbox.until(Answered)
    parting(far, inbox)


def worn_out(far, inbox):
    """A sound that was refused at first is told as degraded; the call goes on, then the modem is reset and is as new."""
    opened(far, inbox)
    if far.modem.wears_out:
        a_talk(far, inbox)
    for _ in range(1 if far.modem.wears_out else 2):
        resets = far.modem.heard.count("AT+CRESET")
        far.line.dial(GOOD)
        inbox.until(Answered)
        inbox.until(LineDegraded)
        assert far.exchange.state == "talking"
        assert far.modem.heard.count("AT+CRESET") == resets  # never in a call
        parting_of_the_worn(far, inbox)
        assert far.modem.heard.count("AT+CRESET") == resets + 1
        if far.modem.wears_out:
            a_talk(far, inbox)


def parting_of_the_worn(far, inbox):
    """We hang up, and the modem goes away and comes back; nobody is asked to dial meanwhile."""
    far.line.hang_up()
    assert inbox.until(CallEnded) == NEAR
    assert inbox.until(LineLost).fault is Fault.RESTARTING
    back(far, inbox, Fault.UNPLUGGED)


def no_satellites(far, inbox):
    """What comes out of the same port as the voice between calls is never heard in one, nor after a new plug."""
    opened(far, inbox)
    for _ in range(2):
        talking(far, inbox)
        heard, end = b"", time.monotonic() + 1.2  # sentences come every second
        while time.monotonic() < end:
            while frame := far.line.audio.read():
                heard += frame
            assert inbox.quiet(0.01)
        assert len(heard) > 20 * FRAME
        assert b"$GP" not in heard
        crossing(far)
        parting(far, inbox)
        far.modem.unplug()
        inbox.until(LineLost)
        far.modem.plug()
        opened(far, inbox)


# The table


@dataclass(frozen=True)
class Case:
    """A make with bugs, what is done with it, and commands that must never be sent to it."""

    make: str
    bugs: dict[str, Any]
    play: Any = a_day
    never: tuple[str, ...] = ()
    pace: dict[str, float] = field(default_factory=dict)

    def __str__(self):
        told = (f"{name}={value}" if not isinstance(value, Cable) else name for name, value in self.bugs.items())
        return f"{self.make}-{'-'.join(told)}-{getattr(self.play, '__name__', 'ends')}"


BADLY_WRITTEN = {"no_blank": True, "crcrlf": True, "no_space": True}
OPTIONAL = ("+CVHU", "+CTZU", "+CTZR", "+COLP", "+CRC", "+CCWA", "+CGSN", "+CEER", "+CCLK", "+CLCC=")
SECOND = {"ccwa_anyway": True, "rings_second": True}
BRIEF = {"ping": 0.2, "reply": 0.5}  # until a modem is called silent
WEARS = ("choppy", "no downlink", "no uplink")
ODD_PIECES = (("quectel", 3), ("huawei", 99), ("sim7600", 7))
CASES = [
    # How it writes (modems.md 0.1)
    Case("generic", {"no_blank": True}),
    Case("huawei", {"crcrlf": True}),
    Case("sim7600", {"no_space": True}),
    Case("quectel", BADLY_WRITTEN),
    Case("huawei", {"glued_cnum": True}, never=("AT+CNUM",)),
    Case("odd", {"cpin_no_ok": True}, two_calls),
    Case("huawei", {"urc_in_reply": "^RSSI:9"}),
    Case("quectel", {"urc_in_reply": '+QIND: "csq",9,99'}),
    Case("generic", {"urc_in_reply": "+CREG: 1"}),
    Case("huawei", {"wordy_errors": True, "lacks": OPTIONAL}),
    Case("sim800", {"clcc_row": "no number"}),
    Case("quectel", {"clcc_row": "empty number"}),
    Case("sim7600", {"clcc_row": "empty name"}),
    Case("huawei", {"clcc_row": "empty name and validity"}),
    Case("sim7600", {"alpha": "OK SHOP"}),
    # How it answers commands (0.3, 0.7, 1.7, 3)
    Case("generic", {"lacks": ("+CHUP",)}),
    Case("generic", {"lacks": (*OPTIONAL, "+CLIP")}),
    Case("quectel", {"lacks": ("+QVTS", "+QINDCFG")}),
    Case("sim7600", {"lacks": ("+VTS",)}, keys_in_band),
    Case("huawei", {"lacks": ("^DDSETEX",)}, without_sound),
    Case("huawei", {"withholds": ""}, an_answer_comes_late),
    Case("quectel", {"withholds": "AT+CSQ"}, two_calls),
    Case("quectel", {"withholds": "ATD"}, cancelled_while_the_dial_waits),
    Case("huawei", {"wedged": ""}, deaf_to_commands, pace=BRIEF),
    Case("quectel", {"wedged": "", "reset_for": 0.6}, deaf_and_mute, pace=BRIEF),
    Case("huawei", {"wedged": ""}, dead_until_replugged, pace=BRIEF),
    Case("quectel", {"wedges_on": "AT+CEER"}, wedged_by_the_question_why, pace=BRIEF),
    Case("quectel", {"qhup_wedges": True}, never=("AT+QHUP",)),
    Case("huawei", {"chld_wedges": True}, cancelled_early, never=("AT+CHLD",)),
    Case("huawei", {"ath_ignored": True}),
    Case("quectel", {"dial_ok_after": 0.8}),
    *(Case(make, {"dial_ok_after": 30.0}, cancelled_while_the_dial_waits) for make in ("quectel", "generic")),
    *(Case(make, {"early_urc": True}) for make in ("huawei", "quectel")),
    Case("generic", {"slow_on": "AT+CCWA", "slow": 1.5}, two_calls),
    Case("sim800", {"autobaud": True}),
    Case("sim800", {"autobaud": True}, dialled_at_once),
    Case("quectel", {"tone_gap": 0.12}, two_calls),
    Case("huawei", {"tone_gap": 0.18}, two_calls),
    Case("sim800", {"unserved": "NO DIALTONE"}, no_network),
    Case("generic", {"unserved": "NO CARRIER"}, no_network),
    # SIM and network (0.4, 0.6)
    *(Case("generic", {"sim_busy_for": 0.4, "sim_busy_says": says}, wakes) for says in (10, 13, 14, 515)),
    Case("sim800", {"sim_busy_for": 0.4, "sim_busy_says": "NOT READY"}, wakes),
    Case("quectel", {"sim_busy_for": 1.5}, wakes_too_late, pace={"sim": 0.3}),
    Case("quectel", {"sim_data_late": 1.0}, unlocked),
    *(Case(make, {"calls_fail_for": 1.0}, dialled_at_once) for make in ("huawei", "quectel")),
    # Calls (1.3 to 1.7, 2, 3)
    Case("huawei", {"late_clip": True}),
    Case("sim7600", {"ring_every": 0.05}, rung_often),
    *(Case(make, {"ring_late": 0.6}, taken_before_it_rings) for make in ("sim800", "quectel", "huawei")),
    *(Case(make, {"data_call": True}) for make in ("quectel", "huawei")),
    Case("generic", {"ccwa_anyway": True}, a_second_caller),
    Case("sim7600", SECOND, a_second_caller),
    Case("huawei", {**SECOND, "held_kills_voice": True}, a_second_caller, never=("AT+CHLD",)),
    *(Case(make, {"ccwa_anyway": False}, sent_away_by_the_network) for make in ("quectel", "sim7600")),
    Case("quectel", {"ccinfo": False}, sent_away_by_the_network),
    Case("huawei", {"ccwa_anyway": True, "ring_every": 0.3}, a_second_caller_who_stays, never=("AT+CHLD",)),
    Case("a7670", {"volte_drops": True}, a_firmware_that_drops_calls),
    Case("quectel", {"ccinfo": False}),
    Case("sim7600", {"clcc_urc": False}),
    Case("sim7600", {"vague_end": True}),
    Case("huawei", {"curc_off": True}, alerted, pace={"poll": 20.0}),  # by notices alone
    Case("huawei", {"no_conf": True}),
    Case("huawei", {"cend": "whole"}, Ends(sure=True, cause=Cause.BUSY)),
    *(Case("huawei", {"cend": cend}, Ends(sure=False, cause=Cause.NETWORK)) for cend in ("short", "empty cause")),
    Case("huawei", {"cend": "short", "cend_twice": True}, Ends(sure=False, cause=Cause.BUSY)),
    Case("huawei", {"cend_twice": True}, Ends(sure=True, cause=Cause.BUSY)),
    Case("huawei", {"cend_status": 255}, Ends(sure=True, cause=Cause.BUSY)),
    Case("huawei", {"early_chup_no_cend": True}, cancelled_early),
    Case("huawei", {"mute_firmware": True}, a_firmware_without_voice),
    # Sound (1.8, 2.2, 3)
    Case("quectel", {"forgets_pcm": True}, two_calls),
    *(Case(make, {"pcm_late": 0.9}, its_ear_comes_late) for make in ("huawei", "quectel", "sim7600")),
    Case("huawei", {"pcm_late": 60.0}, its_ear_never_comes),
    Case("sim7600", {"pcm_settle": 0.5, "reset_for": 0.1}, worn_out),
    *(Case("sim7600", {"wears_out": how, "reset_for": 0.1}, worn_out) for how in WEARS),
    Case("quectel", {"nmea": True}, no_satellites),
    *(Case(make, {"pcm_cable": Cable(cut=cut)}, two_calls) for make, cut in ODD_PIECES),
]
# The same on other makes.
MORE = [
    *(Case(make, BADLY_WRITTEN) for make in ("sim800", "a7670", "huawei")),
    Case("sim7600", {"urc_in_reply": "+CSQ: 9,99"}),
    *(Case(make, {"alpha": "OK SHOP"}) for make in ("generic", "quectel")),
    Case("generic", {"ath_ignored": True}),
    Case("sim7600", {"dial_ok_after": 0.8}, two_calls),
    *(Case(make, {"early_urc": True}) for make in ("sim7600", "sim800", "generic")),
    Case("generic", {"tone_gap": 0.12}, two_calls),
    *(Case(make, {"late_clip": True}) for make in ("generic", "quectel")),
    Case("huawei", {"ring_every": 0.05}, rung_often),
    Case("generic", {"data_call": True}),
    *(Case(make, {"ccwa_anyway": True}, a_second_caller) for make in ("quectel", "a7670")),
    Case("sim800", SECOND, a_second_caller),
    Case("sim800", {"ccwa_anyway": False}, sent_away_by_the_network),
    *(Case(make, {"calls_fail_for": 1.0}, dialled_at_once) for make in ("sim7600", "generic", "quectel-uac")),
    *(Case(make, {"wedged": ""}, deaf_and_mute, pace=BRIEF) for make in ("generic", "sim800", "quectel-uac")),
]


@pytest.mark.parametrize("case", [*CASES, *(pytest.param(case, marks=pytest.mark.soak) for case in MORE)], ids=str)
def test_a_known_bug(case, tmp_path):
    inbox = Inbox()
    with gsm_line(case.make, tmp_path, family=hasty(case.make, **case.pace), **case.bugs) as far:
        far.exchange.book.update(BOOK)
        case.play(far, inbox)
        assert [line for line in far.modem.heard if line.startswith(case.never or "\n")] == []


def test_no_bug_is_forgotten():
    assert {bug.name for bug in fields(Bugs)} - {name for case in CASES for name in case.bugs} == set()
