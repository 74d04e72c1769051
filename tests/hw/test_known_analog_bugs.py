"""Every bug that analog voice modems and their lines are known for, met by the driver.

CASES has each option of the emulated modems, on the models that have it, and what a person does with such a modem.
"""

import time
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pytest

from hw.contracts import FRAME
from hw.emulated.analogoptions import AnalogCircumstances
from hw.emulated.cable import Cable
from hw.emulated.exchange import FarEnd
from hw.emulated.speech import Tone
from hw.events import (
    Answered,
    CallEnded,
    Cause,
    Fault,
    Hidden,
    IncomingCall,
    LineDegraded,
    LineLost,
    LineReady,
    Party,
)
from hw.modems.analog import MODELS
from tests.hw.lines import (
    BUSY,
    CALLER,
    DEAD,
    EAR,
    GOOD,
    LIMIT,
    MOUTH,
    RINGS,
    Inbox,
    a_talk,
    analog_line,
    clear,
    converse,
    crossing,
    parting,
    talking,
    until,
)

LATER, LEAVES, MUTE = "0312345610", "0312345611", "0312345612"
BOOK = {
    LATER: FarEnd(answers_after=1.6, voice=Tone(EAR)),  # long enough for a ring-back
    LEAVES: FarEnd(answers_after=0.1, voice=Tone(EAR), ends_after=0.4),
    MUTE: FarEnd(answers_after=0.1, then="hangs up wordlessly", ends_after=60),
    RINGS: FarEnd(outcome="no answer", rings_for=1.2),
}


def spry(name, **changes):
    """A model's row with less patience; `changes` are to the row itself."""
    row = MODELS[name]
    return replace(row, **{"pace": replace(row.pace, reply=2.0, on_hook=0.1, check=0.2, mute=1.5), **changes})


# What a person does


def opened(far, inbox):
    """The line is good from the first word."""
    far.line.open(inbox.post)
    event = inbox.next()
    assert isinstance(event, LineReady), event


def well(far, inbox):
    """A good call with keys, and another."""
    opened(far, inbox)
    a_talk(far, inbox, keys="5#")
    a_talk(far, inbox)
    assert not far.modem.off_hook


def one_talk(far, inbox):
    """A good call."""
    opened(far, inbox)
    a_talk(far, inbox, keys="5#")


def pulses_only(far, inbox):
    """An exchange that knows no tones lets its dial tone go on: the call comes to nothing, once, and is not a talk."""
    opened(far, inbox)
    far.line.dial(GOOD)
    *_, end = inbox.of_call()
    assert (end.cause, end.by) == (Cause.NETWORK, Party.LINE)
    assert inbox.quiet(0.2)
    assert not far.modem.off_hook


def hung_up_by_them(far, inbox):
    """They hang up, and it is heard; who it was is only likely, unless the exchange breaks the loop."""
    opened(far, inbox)
    talking(far, inbox, LEAVES)
    *_, end = inbox.of_call()
    assert (end.cause, end.by, end.sure) == (Cause.NORMAL, Party.FAR, far.modem.clearing == "loop break")
    far.exchange.wait_for("idle")
    assert inbox.quiet(0.3)
    assert not far.modem.off_hook
    a_talk(far, inbox)


def hung_up_unheard(far, inbox):
    """They hang up, and nothing whatever tells of it: the call lasts until we hang up."""
    opened(far, inbox)
    talking(far, inbox, LEAVES)
    far.exchange.wait_for("idle")
    assert inbox.quiet(0.5)
    parting(far, inbox)
    a_talk(far, inbox)


@dataclass(frozen=True)
class NotTaken:
    """A call that nobody takes, told once and as why."""

    number: str
    cause: Cause

    def __call__(self, far, inbox):
        opened(far, inbox)
        far.line.dial(self.number)
        *_, end = inbox.of_call()
        assert (end.cause, end.by) == (self.cause, Party.LINE)
        far.exchange.wait_for("idle")
        assert inbox.quiet(0.1)
        a_talk(far, inbox)


def answered_by_the_exchanges_word(far, inbox):
    """The exchange reverses the line at the answer: then it is no guess."""
    opened(far, inbox)
    far.line.dial(LATER)
    assert inbox.until(Answered) == Answered(estimated=False)
    parting(far, inbox)


def an_echo_is_no_answer(far, inbox):
    """What we say comes back while it rings: nobody has answered, nor hung up."""
    opened(far, inbox)
    far.line.dial(RINGS)
    converse(far.line.audio, Tone(MOUTH), 40)
    *_, end = inbox.of_call()
    assert end.cause is Cause.NO_ANSWER
    a_talk_in_the_echo(far, inbox)


def a_talk_in_the_echo(far, inbox):
    """Our own voice is louder in the line than theirs may be, and ends nothing."""
    talking(far, inbox)
    end, heard = time.monotonic() + LIMIT, b""
    while not clear(heard, EAR, 1000):
        assert time.monotonic() < end
        heard = b"".join(converse(far.line.audio, Tone(MOUTH), 15))[-8 * FRAME :]
    far.line.send_tones("5" * 9)
    until(lambda: far.exchange.keyed, far)
    far.modem.report("/5~")  # the modem hears our own key in the echo
    assert inbox.quiet(0.3)
    until(lambda: far.exchange.keyed == "5" * 9, far)
    parting(far, inbox)


def no_dial_tone(far, inbox):
    """The wire is out: said of the call and of the line, and watched until it is back."""
    opened(far, inbox)
    far.line.dial(GOOD)
    end = inbox.next()
    assert (end.cause, end.by) == (Cause.NETWORK, Party.LINE)
    assert inbox.next() == LineLost(Fault.NO_NETWORK, "no dial tone")
    far.modem.line = True
    assert isinstance(inbox.next(), LineReady)
    a_talk(far, inbox)


def old_firmware(far, inbox):
    """Says OK and stays on-hook: named, and with advice, before anybody dials."""
    far.line.open(inbox.post)
    event = inbox.next()
    assert (event.fault, far.modem.firmware in event.detail) == (Fault.NO_VOICE, True)


def rings_on(far, inbox):
    """The line was not taken though the modem said so: it is taken again, and they talk."""
    opened(far, inbox)
    far.exchange.call_in(CALLER, FarEnd(voice=Tone(EAR)))
    inbox.until(IncomingCall)
    far.line.answer()
    inbox.until(Answered)
    far.exchange.wait_for("talking")
    crossing(far)
    parting(far, inbox)


def rings_for_ever(far, inbox):
    """It never takes the line: told as a failure of ours, not as a talk."""
    opened(far, inbox)
    far.exchange.call_in(CALLER, FarEnd())
    inbox.until(IncomingCall)
    far.line.answer()
    assert inbox.until(CallEnded).cause is Cause.FAILED


def told_that_it_is_taken(far, inbox):
    """The modem's own H after it took the line is no end of the call."""
    opened(far, inbox)
    talking(far, inbox)
    far.modem.report("H")
    assert inbox.quiet(0.3)
    crossing(far)
    parting(far, inbox)


def only_recorded(far, inbox):
    """No full duplex: said so once; the agent talks at the modem's jack, we record, and keys go by command."""
    opened(far, inbox)
    for degraded in (True, False) if far.modem.records_on else (True,):
        far.line.dial(GOOD)
        event = inbox.next()
        assert isinstance(event, LineDegraded) is degraded, event
        while not isinstance(event, Answered):
            assert not isinstance(event, CallEnded | LineLost), event
            event = inbox.next()
        heard, end = b"", time.monotonic() + LIMIT
        while not clear(heard, EAR, MOUTH):
            assert time.monotonic() < end
            heard = b"".join(converse(far.line.audio, Tone(MOUTH), 15))[-8 * FRAME :]
        far.line.send_tones("15*#")
        until(lambda: far.exchange.keyed == "15*#", far)
        parting(far, inbox)


def stops_at_once(far, inbox):
    """However many DLEs the modem wants, and whatever its word for the end: a hang-up is one, and no step is lost."""
    opened(far, inbox)
    for _ in range(2):
        talking(far, inbox)
        crossing(far)
        lost = far.modem.heard.count("AT")
        parting(far, inbox)
        assert far.modem.heard.count("AT") == lost
        assert not far.modem.off_hook


def nothing_is_said(far, inbox):
    """Longer silence than the modem's own watches allow ends nothing: they are off."""
    opened(far, inbox)
    talking(far, inbox, MUTE)
    assert [one for one in far.modem.heard if one.startswith(("AT+VSD=0,0", "AT+VSD=128,0"))]
    assert "AT+VIT=0" in far.modem.heard
    assert inbox.quiet(5.6)  # +VSD is five seconds by default
    parting(far, inbox)


def rings(far, inbox):
    """Somebody calls; told with their number; answered; talk."""
    opened(far, inbox)
    far.exchange.call_in(CALLER, FarEnd(voice=Tone(EAR)))
    while inbox.until(IncomingCall).number != CALLER:
        pass
    far.line.answer()
    assert inbox.next() == Answered(estimated=False)
    crossing(far)
    parting(far, inbox)


def nobody_known(far, inbox):
    """Who calls is not told, or only in part: it is a call all the same."""
    opened(far, inbox)
    far.exchange.call_in(CALLER, FarEnd(voice=Tone(EAR)))
    assert inbox.next() == IncomingCall(None)
    far.line.answer()
    inbox.until(Answered)
    crossing(far)
    parting(far, inbox)


def hides(far, inbox):
    """Why there is no number is told in the exchange's letter."""
    opened(far, inbox)
    far.exchange.call_in(None, FarEnd())
    event = inbox.until(IncomingCall)
    if event.hidden is None:
        event = inbox.until(IncomingCall)
    meant = {"P": Hidden.WITHHELD, "O": Hidden.UNAVAILABLE, "C": Hidden.PAYPHONE}[far.modem.hidden_as]
    assert event == IncomingCall(None, meant)


def the_other_phone_is_lifted(far, inbox):
    """The telephone on the modem's own jack joins in, and is put down: where its code is no end, the talk goes on."""
    opened(far, inbox)
    talking(far, inbox)
    far.modem.lift(True)
    assert inbox.quiet(0.3)
    far.modem.lift(False)
    assert inbox.quiet(0.3)
    crossing(far)
    parting(far, inbox)


def falls_silent(far, inbox):
    """Not a word in the middle of a talk: the call is lost, the line is silent, and later all is well."""
    opened(far, inbox)
    talking(far, inbox)
    far.modem.silent = True
    assert inbox.of_call()[-1].cause is Cause.LOST
    assert inbox.until(LineLost).fault is Fault.SILENT
    far.modem.silent = False
    opened(far, inbox)
    a_talk(far, inbox)


# The table


@dataclass(frozen=True)
class Case:
    """A model with bugs, what is done with it, and what the driver's row is changed to."""

    model: str
    bugs: dict[str, Any]
    play: Any = well
    row: dict[str, Any] = field(default_factory=dict)

    def __str__(self):
        told = "-".join(
            f"{name}={value}" if isinstance(value, int | str) else name for name, value in self.bugs.items()
        )
        return f"{self.model}-{told}-{getattr(self.play, '__name__', 'not_taken')}"


JUDGED = {"dials": ("ATDT{number}",)}  # the modem itself is left to judge of the answer
SOON = {"pace": replace(spry("conexant").pace, unheard=0.5)}  # until nothing heard is taken for an answer
RECORDS = {"vtr": False}
CASES = [
    # The cable (modems.md 4.5, 4.6)
    Case("conexant", {"cable": Cable(cut=3)}),
    Case("mt9234", {"cuts": True, "traps": True}),
    Case("conexant", {"slow": 0.02}, one_talk),
    # The line (4.4, 4.6)
    Case("conexant", {"line": False, "no_dial_tone": "NO DIALTONE"}, no_dial_tone),
    *(
        Case(model, {"clearing": clearing}, hung_up_by_them)
        for model, clearing in (("usr5637", "dial tone"), ("conexant", "loop break"))
    ),
    Case("conexant", {"clearing": "silence"}, hung_up_unheard),
    Case("conexant", {"polarity": True}, answered_by_the_exchanges_word),
    Case("conexant", {"announces": True}, NotTaken(DEAD, Cause.DEAD_NUMBER)),
    Case("conexant", {"announces": False}, NotTaken(DEAD, Cause.BUSY)),
    Case("usr5637", {"echo_db": 10.0}, an_echo_is_no_answer),
    Case("conexant", {"clock_ppm": 200.0}, one_talk),
    # Dialling (4.4)
    Case("usr5637", {"answer_word": "VCON"}, one_talk, JUDGED),
    Case("conexant", {"tone_dialling": False}, pulses_only),
    Case("conexant", {"guess": "never"}, one_talk),  # not left to judge
    # The relay (4.1, 4.3, 4.6, 4.7)
    Case("usr5637", {"firmware": "1.2.15"}, old_firmware),
    Case("usr5637", {"misses_off_hook": 1, "ring_every": 1.2}, rings_on),
    Case("usr5637", {"misses_off_hook": 99, "ring_every": 1.2}, rings_for_ever),
    Case("usr5637", {"self_confirms": True}, told_that_it_is_taken),
    Case("usr5637", {**RECORDS, "records_on": (5,), "vts_digits": False, "vts_pairs": True}, only_recorded),
    Case("conexant", {**RECORDS, "vts_zero_pairs": True, "vts_digits": True}, only_recorded),
    Case("zoom3095", {**RECORDS, "stop_dles": 3}, only_recorded),
    # Streams (4.5)
    Case("zoom3095", {"stop_dles": 3}, stops_at_once),
    Case("usr5637", {"traps": True}, one_talk),
    Case("conexant", {"budget": 30400}, one_talk),
    Case("mt9234", {"can_ends": False}, one_talk),
    Case("usr5637", {"stream_word": "VCON"}, stops_at_once),
    Case("conexant", {"silence_ends": True}, nothing_is_said, SOON),
    # Somebody calls (4.7)
    Case("conexant", {"rings_as_event": True}, rings),
    Case("startech", {"caller_id": "whole", "caller_id_spaces": False, "caller_name": "OK SHOP"}, rings),
    Case("usr5637", {"caller_id_spaces": True, "caller_name": "BUSY"}, rings),
    *(Case("conexant", {"caller_id": caller_id}, nobody_known) for caller_id in ("incomplete", "none")),
    *(Case("conexant", {"hidden_as": letter}, hides) for letter in "POC"),
    # The phone on its own jack (4.6)
    Case("conexant", {"phone_codes": "Pp", "phone_voice": Tone(MOUTH)}, the_other_phone_is_lifted),
]
# What takes longer, and the same on other models.
MORE = [
    Case("conexant", {"country": "us"}, hung_up_by_them),
    Case("usr5637", {"line": False, "no_dial_tone": "NO DIAL TONE"}, no_dial_tone),
    Case("conexant", {"clearing": "busy", "busy_for": 0.6}, hung_up_by_them),
    Case("conexant", {"guess": "early"}, NotTaken(BUSY, Cause.BUSY), JUDGED),
    Case("usr5637", {"silent": False}, falls_silent),
    Case("conexant", {"answer_word": "OK"}, one_talk, JUDGED),
    Case("mt9234", {"silence_code": "q"}, nothing_is_said, SOON),
    Case("usr5637", {"cable": Cable(cut=1)}),
    Case("mt9234", {"cable": Cable(merge=0.05)}),
    Case("conexant", {"country": "eu"}, hung_up_by_them),
    Case("startech", {"clearing": "busy"}, hung_up_by_them),
    Case("conexant", {"clock_ppm": -200.0}),
    *(Case(model, {"stop_dles": 3}, stops_at_once) for model in ("usr5637", "mt9234")),
    *(Case(model, {"stream_word": "VCON"}, stops_at_once) for model in ("conexant", "zoom3095")),
    Case("conexant", {"rings_as_event": False}, rings),
    *(Case(model, {"traps": True}, hung_up_by_them) for model in ("conexant", "startech")),
    *(Case(model, {"misses_off_hook": 1, "ring_every": 1.2}, rings_on) for model in ("conexant", "mt9234")),
]


@pytest.mark.parametrize("case", [*CASES, *(pytest.param(case, marks=pytest.mark.soak) for case in MORE)], ids=str)
def test_a_known_bug(case, tmp_path):
    inbox, bugs = Inbox(), dict(case.bugs)
    country = bugs.pop("country", "jp").upper()
    with analog_line(case.model, tmp_path, model=spry(case.model, **case.row), country=country, **bugs) as far:
        far.exchange.book.update(BOOK)
        case.play(far, inbox)


def test_no_bug_is_forgotten():
    known = {name for case in CASES + MORE for name in case.bugs}
    assert {bug.name for bug in fields(AnalogCircumstances)} - known == set()
