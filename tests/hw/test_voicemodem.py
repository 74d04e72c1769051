"""The line on an analog modem, against the emulated ones: every model, every bug that is known of them."""

import queue
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from hw.contracts import FRAME, FRAME_SECONDS, SILENCE
from hw.emulated.analog import AnalogModem
from hw.emulated.exchange import Exchange, FarEnd
from hw.emulated.speech import Speech, Tone
from hw.errors import MisuseError, WiringError
from hw.events import (
    Alerting,
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
    ToneHeard,
)
from hw.modems.analog import MODELS
from hw.voicemodem import VoiceModem

GOOD, BUSY, DEAD, RINGS, LEAVES, SOON = (f"03123456{number:02}" for number in range(1, 7))
CALLER = "09012345601"
LIMIT = 30.0
BOOK = {
    GOOD: FarEnd(answers_after=1.2, voice=Tone(700)),
    SOON: FarEnd(answers_after=0.1, voice=Tone(700)),
    BUSY: FarEnd(outcome="busy"),
    DEAD: FarEnd(outcome="unassigned"),
    RINGS: FarEnd(outcome="no answer", rings_for=1.5),
    LEAVES: FarEnd(answers_after=1.2, voice=Tone(700), ends_after=0.6),
}
KNOWN = ("usr5637", "conexant", "zoom3095", "startech", "mt9234")


class Inbox:
    """What the line posted, in order."""

    def __init__(self):
        self._events = queue.SimpleQueue()
        self.post = self._events.put

    def next(self, patience=LIMIT):
        return self._events.get(timeout=patience)

    def until(self, kind):
        """The next of a kind; a line that is lost instead fails the test at once."""
        while True:
            event = self.next()
            if isinstance(event, kind):
                return event
            assert not isinstance(event, LineLost), event

    def quiet(self, patience=0.3):
        try:
            return self._events.get(timeout=patience) is None
        except queue.Empty:
            return True


def quick(model):
    """The same model in a hurry."""
    row = MODELS[model]
    return replace(row, pace=replace(row.pace, reply=2.0, on_hook=0.1, check=0.2, mute=1.5))


class Far:
    """A line and all that is behind it."""

    def __init__(self, exchange, modem, line):
        self.exchange, self.modem, self.line = exchange, modem, line
        self.inbox = Inbox()

    def ready(self):
        self.line.open(self.inbox.post)
        return self.inbox.until(LineReady)

    def talk(self, number=GOOD):
        """Open the line and have somebody answer."""
        self.ready()
        self.line.dial(number)
        return self.inbox.until(Answered)

    def keyed(self, digits):
        """Wait until the far end has heard these keys, talking on."""
        end = time.monotonic() + LIMIT
        while self.exchange.keyed != digits and time.monotonic() < end:
            converse(self.line.audio, Tone(1300), 10)
        assert self.exchange.keyed == digits

    def hang_up(self):
        self.line.hang_up()
        assert self.inbox.until(CallEnded) == CallEnded(Cause.NORMAL, Party.NEAR)
        self.exchange.wait_for("idle")


@contextmanager
def behind(directory, model="conexant", *, country="JP", handset="path", **options):
    with Exchange() as exchange, AnalogModem(model, exchange, directory, country=country.lower(), **options) as modem:
        exchange.book.update(BOOK)
        far = Far(exchange, modem, VoiceModem(modem.port, quick(model), country, handset))
        yield far
        far.line.close()


@pytest.fixture
def far(tmp_path):
    with behind(tmp_path) as far:
        yield far


def converse(audio, voice, frames):
    """Speak and listen in step with the clock; what was heard."""
    heard, wait, beat = [], queue.SimpleQueue(), time.monotonic()
    for number in range(frames):
        audio.write(voice.frame(number))
        while got := audio.read():
            heard.append(got)
        beat += FRAME_SECONDS
        try:
            wait.get(timeout=max(0.0, beat - time.monotonic()))
        except queue.Empty:
            pass
    return b"".join(heard)


def loudest(pcm, pitches):
    """Which of these pitches is the loudest in s16le sound."""
    samples = memoryview(pcm[: len(pcm) // FRAME * FRAME]).cast("h")

    def power(hertz):
        turn = complex(2.718281828459045 ** (2j * 3.141592653589793 * hertz / 8000))
        phase, total = 1 + 0j, 0j
        for one in samples:
            total += one * phase
            phase *= turn
        return abs(total)

    return max(pitches, key=power)


# A good call


@pytest.mark.slow
@pytest.mark.parametrize("model", KNOWN)
def test_a_call_through_every_model(tmp_path, model):
    """Found out what it is, dialled, talked both ways, keyed and hung up."""
    with behind(tmp_path, model) as far:
        far.line = VoiceModem(far.modem.port)
        assert far.ready().model
        far.line.dial(GOOD)
        assert far.inbox.next() == Alerting()
        assert far.inbox.next() == Answered(estimated=True)
        heard = converse(far.line.audio, Tone(1300), 40)
        assert loudest(heard[-20 * FRAME :], (400, 700, 1300)) == 700
        assert loudest(far.exchange.heard[-20 * FRAME :], (400, 700, 1300)) == 1300
        far.line.send_tones("15*#")
        far.keyed("15*#")
        far.hang_up()
        assert not far.modem.off_hook
        assert far.inbox.quiet()
        far.line.close()


def test_one_model_is_not_taken_for_another(tmp_path):
    titles = {}
    for model in KNOWN:
        (tmp_path / model).mkdir()
        with behind(tmp_path / model, model) as far:
            line = VoiceModem(far.modem.port)
            inbox = Inbox()
            line.open(inbox.post)
            titles[model] = inbox.until(LineReady).model
            line.close()
    # A Zoom and a StarTech say nothing but that they are Conexants.
    assert titles == {
        "usr5637": "USRobotics 5637",
        "mt9234": "Multi-Tech MT9234",
        **dict.fromkeys(("conexant", "zoom3095", "startech"), "Conexant CX930xx"),
    }


@pytest.mark.slow
def test_silence_is_sent_when_the_talk_path_gives_none_and_nothing_piles_up(far):
    far.talk(SOON)
    taken = far.modem.taken
    converse(far.line.audio, Tone(1300), 5)
    beat = queue.SimpleQueue()
    with pytest.raises(queue.Empty):
        beat.get(timeout=1.0)
    assert far.modem.taken - taken >= 7000
    said = far.exchange.heard[-20 * FRAME :]
    assert max(abs(one) for one in memoryview(said).cast("h")) < 300
    fetched = 0  # what nobody fetched does not pile up either
    while far.line.audio.read():
        fetched += 1
    assert fetched <= 11
    far.hang_up()
    assert far.line.audio.read() is None


def test_an_old_word_of_the_shielding_is_no_busy_tone(tmp_path):
    with behind(tmp_path, traps=True) as far:
        far.talk(SOON)
        assert far.inbox.quiet(0.5)
        far.hang_up()


# Calls that nobody takes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("country", "number", "cause"),
    [("JP", BUSY, Cause.BUSY), ("US", DEAD, Cause.DEAD_NUMBER), ("EU", RINGS, Cause.NO_ANSWER)],
)
def test_a_call_that_nobody_takes(tmp_path, country, number, cause):
    with behind(tmp_path, country=country) as far:
        far.ready()
        far.line.dial(number)
        end = far.inbox.next()
        if number == RINGS:
            assert end == Alerting()
            end = far.inbox.next()
        assert (end.cause, end.by) == (cause, Party.LINE)
        far.exchange.wait_for("idle")
        assert far.inbox.quiet()


@pytest.mark.slow
def test_without_codes_of_the_modem_our_own_ear_hears_it(tmp_path):
    deaf = replace(quick("conexant"), ends=frozenset())
    with behind(tmp_path) as far:
        far.line = VoiceModem(far.modem.port, deaf)
        far.ready()
        far.line.dial(LEAVES)
        far.inbox.until(Answered)
        assert far.inbox.next() == CallEnded(Cause.NORMAL, Party.FAR, "busy tone", sure=False)
        far.line.close()


# Who hung up


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "clearing"), [("usr5637", "busy"), ("mt9234", "dial tone"), ("conexant", "loop break")]
)
def test_the_far_end_hangs_up(tmp_path, model, clearing):
    with behind(tmp_path, model, clearing=clearing) as far:
        far.talk(LEAVES)
        end = far.inbox.until(CallEnded)
        assert (end.cause, end.by) == (Cause.NORMAL, Party.FAR)
        assert end.sure is ("'l'" in end.detail)
        assert far.inbox.quiet()
        far.exchange.wait_for("idle")


def test_an_exchange_that_reverses_the_line_says_when_it_is_answered(tmp_path):
    with behind(tmp_path, polarity=True) as far:
        assert far.talk() == Answered(estimated=False)
        far.hang_up()


@pytest.mark.slow
def test_our_own_voice_in_the_line_is_nobodys_answer(tmp_path):
    with behind(tmp_path, echo_db=10.0) as far:
        far.ready()
        far.exchange.book[RINGS] = FarEnd(outcome="no answer", rings_for=30)
        far.line.dial(RINGS)
        far.inbox.until(Alerting)
        converse(far.line.audio, Speech(3), 130)
        assert far.inbox.quiet(0.05)
        far.hang_up()


# Breaking off


@pytest.mark.parametrize("heard", ["AT+FCLASS=8", "AT+VLS", "ATDT", "AT+VTR"])
def test_hang_up_while_dialling(far, heard):
    far.ready()
    before = len(far.modem.heard)
    far.line.dial(GOOD)
    while not any(command.startswith(heard) for command in far.modem.heard[before:]):
        far.inbox.quiet(0.005)
    far.line.hang_up()
    assert far.inbox.until(CallEnded) == CallEnded(Cause.NORMAL, Party.NEAR)
    far.exchange.wait_for("idle")
    assert not far.modem.off_hook
    far.line.dial("119")
    far.exchange.wait_for("alerting")
    assert far.exchange.number == "119"
    far.hang_up()


def test_an_emergency_call_wins_over_the_call_in_its_way(far):
    far.talk(SOON)
    far.line.dial("119")
    assert far.inbox.next() == CallEnded(Cause.NORMAL, Party.NEAR)
    far.inbox.until(Answered)
    assert far.exchange.number == "119"
    far.hang_up()


def test_closing_puts_the_line_down(far):
    far.talk(SOON)
    far.line.close()
    assert far.inbox.until(CallEnded).cause is Cause.LOST
    far.exchange.wait_for("idle")
    assert not far.modem.off_hook
    far.ready()


# Incoming


@pytest.mark.parametrize("model", ["usr5637", "startech"])
def test_an_incoming_call_is_answered(tmp_path, model):
    with behind(tmp_path, model) as far:
        far.ready()
        far.exchange.call_in(CALLER, FarEnd(voice=Tone(700)))
        while far.inbox.until(IncomingCall).number is None:
            pass
        far.line.answer()
        assert far.inbox.next() == Answered(estimated=False)
        far.exchange.wait_for("talking")
        assert loudest(converse(far.line.audio, Tone(1300), 30)[-15 * FRAME :], (400, 700, 1300)) == 700
        far.hang_up()
        assert far.inbox.quiet()


@pytest.mark.parametrize(
    ("code", "hidden"), [("P", Hidden.WITHHELD), ("O", Hidden.UNAVAILABLE), ("C", Hidden.PAYPHONE)]
)
def test_why_a_number_is_not_shown(tmp_path, code, hidden):
    with behind(tmp_path, hidden_as=code) as far:
        far.ready()
        far.exchange.call_in(None, FarEnd())
        event = far.inbox.until(IncomingCall)
        if event.hidden is None:
            event = far.inbox.until(IncomingCall)
        assert event == IncomingCall(None, hidden)


@pytest.mark.slow
def test_a_caller_who_gives_up_before_all_of_the_number_came(tmp_path):
    with behind(tmp_path, caller_id="incomplete", ring_every=0.5) as far:
        far.ready()
        far.exchange.call_in(CALLER, FarEnd())
        assert far.inbox.until(IncomingCall) == IncomingCall(None)
        assert far.inbox.quiet(0.7)
        far.exchange.hang_up()
        assert far.inbox.next() == CallEnded(Cause.NO_ANSWER, Party.FAR)
        far.line.answer()
        assert far.inbox.quiet()


def test_refusing_a_call_takes_the_line_for_a_moment(far):
    far.ready()
    far.exchange.call_in(CALLER, FarEnd())
    far.inbox.until(IncomingCall)
    far.line.hang_up()
    assert far.inbox.until(CallEnded) == CallEnded(Cause.NORMAL, Party.NEAR)
    far.exchange.wait_for("idle")
    assert not far.modem.off_hook
    assert far.inbox.quiet()


@pytest.mark.slow
def test_a_modem_that_says_ok_and_does_not_take_the_line(tmp_path):
    with behind(tmp_path, "usr5637", misses_off_hook=1, ring_every=1.2) as far:
        far.ready()
        far.exchange.call_in(CALLER, FarEnd())
        far.inbox.until(IncomingCall)
        far.line.answer()
        far.inbox.until(Answered)
        far.exchange.wait_for("talking")
        assert far.inbox.quiet(1.5)
        far.hang_up()


@pytest.mark.slow
def test_a_modem_that_never_takes_the_line(tmp_path):
    with behind(tmp_path, "usr5637", misses_off_hook=99, ring_every=1.2) as far:
        far.ready()
        far.exchange.call_in(CALLER, FarEnd())
        far.inbox.until(IncomingCall)
        far.line.answer()
        far.inbox.until(Answered)
        assert far.inbox.until(CallEnded).cause is Cause.FAILED


def test_the_far_ends_key_is_heard_once(far):
    far.talk(SOON)
    far.modem.report("/5555~")
    assert far.inbox.next() == ToneHeard("5")
    far.modem.report("/#~")
    assert far.inbox.next() == ToneHeard("#")
    assert far.inbox.quiet(0.1)


# What is missing


@pytest.mark.slow
@pytest.mark.parametrize("model", ["usr5637", "conexant"])
def test_without_full_duplex_the_agent_talks_at_the_modems_jack(tmp_path, model):
    with behind(tmp_path, model, vtr=False) as far:
        far.ready()
        far.line.dial(GOOD)
        assert isinstance(far.inbox.next(), LineDegraded)
        far.inbox.until(Answered)
        heard = converse(far.line.audio, Tone(1300), 30)
        assert loudest(heard[-15 * FRAME :], (400, 700, 1300)) == 700
        far.line.send_tones("5")
        far.modem.wait_for("AT+VTS")
        far.keyed("5")
        far.hang_up()


def test_a_handset_at_the_modems_jack_by_choice(tmp_path):
    with behind(tmp_path, handset="jack") as far:
        far.talk(SOON)
        assert "AT+VTR" not in far.modem.heard
        assert len(converse(far.line.audio, SILENCE_VOICE, 30)) > 15 * FRAME
        far.hang_up()


class _Silence:
    def frame(self, _):
        return SILENCE


SILENCE_VOICE = _Silence()


def test_no_dial_tone_and_back(tmp_path):
    with behind(tmp_path, "usr5637", line=False) as far:
        far.ready()
        far.line.dial(GOOD)
        assert far.inbox.next() == CallEnded(Cause.NETWORK, Party.LINE, "no dial tone")
        assert far.inbox.next() == LineLost(Fault.NO_NETWORK, "no dial tone")
        far.line.dial(GOOD)
        assert far.inbox.next().cause is Cause.NETWORK
        far.modem.line = True
        assert isinstance(far.inbox.next(), LineReady)
        far.line.dial(SOON)
        far.inbox.until(Answered)
        far.hang_up()


def test_old_firmware_does_not_take_the_line(tmp_path):
    with behind(tmp_path, "usr5637", firmware="1.2.15") as far:
        far.line.open(far.inbox.post)
        event = far.inbox.next()
        assert event.fault is Fault.NO_VOICE
        assert "1.2.15" in event.detail


@pytest.mark.slow
def test_a_stream_that_stops_is_a_modem_that_is_gone(far):
    far.talk(SOON)
    far.modem.silent = True
    assert far.inbox.next().cause is Cause.LOST
    assert far.inbox.next().fault is Fault.SILENT
    far.modem.silent = False
    far.ready()


def test_a_stream_left_running_is_ended_when_the_line_is_opened(far):
    """The booth crashed in a call: the modem takes no commands until its stream ends."""
    far.talk(SOON)
    far.modem.wait_for("AT+VTR")
    other = VoiceModem(far.modem.port, quick("conexant"))
    far.line._worker.stop()
    far.line._session.telephone._port._wire.close()
    inbox = Inbox()
    other.open(inbox.post)
    assert isinstance(inbox.next(), LineReady)
    far.exchange.wait_for("idle")
    other.close()


# Our own mistakes


@pytest.mark.parametrize(
    "settings", [{"model": "acme"}, {"country": "XX"}, {"handset": "shoe"}], ids=["model", "country", "handset"]
)
def test_what_the_settings_may_say(settings):
    with pytest.raises(WiringError):
        VoiceModem("/nowhere", **settings)


def test_numbers_and_keys_that_are_none(far):
    far.ready()
    for number in ("", "0312345601;", "AT", "03-1234-5601", "\r", "0312345601@"):
        with pytest.raises(MisuseError):
            far.line.dial(number)
    with pytest.raises(MisuseError):
        far.line.send_tones("E")
    far.line.unlock("1234")
    assert far.inbox.quiet(0.05)


def test_a_port_that_is_not_there(tmp_path):
    line, inbox = VoiceModem(str(tmp_path / "nothing")), Inbox()
    line.open(inbox.post)
    assert inbox.next().fault is Fault.ABSENT
    line.dial(GOOD)
    assert inbox.next() == CallEnded(Cause.FAILED, Party.LINE, "there is no line")
    line.close()
