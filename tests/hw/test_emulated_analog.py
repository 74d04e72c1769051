"""The emulated voice modems, with a bare port in the hands of a test."""

import ctypes
import math
import os
import select
import threading
import time
from array import array

import pytest

from hw.contracts import FRAME, SILENCE
from hw.emulated.analog import AnalogModem
from hw.emulated.analogmodels import MODELS
from hw.emulated.analogtones import KeyEar, key_sound
from hw.emulated.exchange import FarEnd
from hw.emulated.speech import Speech, Tone
from tests import spandsp

CUSTOMER, BUSY, NOBODY, DEAD = "0312345601", "0312345602", "0312345603", "0312345604"
END = r"\r\n(OK|VCON|CONNECT|ERROR|NO CARRIER|BUSY|NO DIAL ?TONE|NO ANSWER)\r\n"
ALL_KEYS = "0123456789*#ABCD"
DLE = 0x10
CODINGS = {
    "conexant": {"unsigned": 130, "signed": 0, "mu-law": 131, "14 bit": 133},
    "usr5637": {"unsigned": 128, "16 bit": 129, "mu-law": 131},
}


class Caller:
    """A host that speaks V.253, knowing nothing that it was not told."""

    def __init__(self, host):
        self.host = host

    def ask(self, command, end=END):
        """The lines of the answer, the result last."""
        self.host.send(command + "\r")
        return self.rest(end)

    def rest(self, end=END):
        """What is answered now."""
        return [line for line in self.host.until(end).replace("\r", "\n").split("\n") if line]

    def all_ok(self, *commands):
        for command in commands:
            assert self.ask(command)[-1] in ("OK", "VCON"), command

    def write(self, data):
        while data:
            if not select.select([], [self.host.fd], [], 5)[1]:
                raise AssertionError("the modem takes nothing")
            data = data[os.write(self.host.fd, data) :]

    def sound(self, until, patience=20.0):
        """Sound and events from now on, until `until(sound, events)`: asked after each event, and each read."""
        sound, events, raw = bytearray(), "", self.host.said
        end = time.monotonic() + patience
        shielded = False
        while not until(sound, events):
            for at, byte in enumerate(raw, 1):
                event = shielded and byte != DLE
                if event:
                    events += chr(byte)
                elif shielded or byte != DLE:
                    sound.append(byte)
                shielded = byte == DLE and not shielded
                if event and until(sound, events):
                    self.host.said = raw[at:]
                    return bytes(sound), events
            self.host.said = b""
            assert time.monotonic() < end, (len(sound), events)
            if not until(sound, events):
                raw = os.read(self.host.fd, 4096) if select.select([self.host.fd], [], [], 0.2)[0] else b""
        return bytes(sound), events

    def bytes_of(self, count):
        return self.sound(lambda sound, _: len(sound) >= count)[0]

    def event(self, code, patience=20.0):
        return self.sound(lambda _, events: code in events, patience)[1]

    def stop(self, code=b"^", shield=b"\x10"):
        self.write(shield + code)
        self.host.until("\x10\x03\r\n(OK|VCON)\r\n")


def strength(pcm, hz):
    """How much of the energy of s16le is at one frequency, 0 to 1."""
    samples = array("h", pcm)
    total = sum(value * value for value in samples) or 1
    angles = [math.tau * hz * n / 8000 for n in range(len(samples))]
    sine = sum(value * math.sin(angle) for value, angle in zip(samples, angles, strict=True))
    cosine = sum(value * math.cos(angle) for value, angle in zip(samples, angles, strict=True))
    return 2 * (sine * sine + cosine * cosine) / len(samples) / total


def widened(data):
    """Unsigned bytes as s16le."""
    return array("h", [byte - 128 << 8 for byte in data]).tobytes()


def narrow(pcm):
    """S16le as unsigned bytes."""
    return bytes((value >> 8) + 128 for value in array("h", pcm))


def spoken(exchange):
    """What the far end has heard since somebody spoke."""
    pcm = exchange.heard
    first = next((at for at in range(0, len(pcm), FRAME) if any(pcm[at : at + FRAME])), len(pcm))
    return pcm[first:]


def eventually(condition, patience=20.0):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it never came"
        threading.Event().wait(0.01)


@pytest.fixture
def model():
    return "conexant"


@pytest.fixture
def options():
    return {}


@pytest.fixture
def pace():
    """How many times as fast as in life the modem's clock goes."""
    return 1


@pytest.fixture
def modem(model, options, pace, exchange, tmp_path):
    exchange.book |= {
        CUSTOMER: FarEnd(answers_after=0.3, voice=Tone(1000)),
        BUSY: FarEnd(outcome="busy"),
        NOBODY: FarEnd(outcome="no answer"),
        DEAD: FarEnd(outcome="unassigned"),
    }
    with AnalogModem(model, exchange, tmp_path, **{"clock_ppm": (pace - 1) * 1e6, **options}) as modem:
        yield modem


@pytest.fixture
def caller(modem, connect):
    caller = Caller(connect(modem.port))
    assert caller.ask("ATE0")[-1] == "OK"
    return caller


@pytest.fixture
def voice(caller):
    caller.all_ok("AT+FCLASS=8", "AT+VIT=0", "AT+VSD=0,0", "AT+VRA=8;+VRN=3")
    return caller


@pytest.fixture
def talking(voice, exchange):
    """A call that was answered here, without a stream yet."""
    assert exchange.call_in(CUSTOMER, FarEnd(voice=Tone(1000)))
    voice.host.until("R")
    voice.all_ok("AT+VLS=1")
    exchange.wait_for("talking")
    return voice


def option(**options):
    return pytest.mark.parametrize("options", [options], ids=[" ".join(options)])


def model_is(*names):
    return pytest.mark.parametrize("model", names)


class TestCommands:
    @pytest.mark.parametrize(
        ("model", "about"),
        [
            ("usr5637", {"ATI0": "5601", "ATI3": "U.S. Robotics 56K FAX USB V1.2.23", "ATI7": "1.2.23"}),
            ("conexant", {"ATI0": "56000", "ATI3": "CX93001-EIS_V0.2013-V92"}),
            ("zoom3095", {"ATI": "56000", "ATI3": "CX93001"}),
            ("startech", {"ATI0": "56000", "ATI3": "CX93001"}),
            ("mt9234", {"ATI": "MT9234"}),
        ],
    )
    def test_it_says_what_it_is(self, caller, about):
        for command, text in about.items():
            answer = caller.ask(command)
            assert text in "".join(answer[:-1])
            assert answer[-1] == "OK"
        assert "8" in caller.ask("AT+FCLASS=?")[0].split(",")

    def test_a_line_is_obeyed_up_to_its_fault(self, caller):
        assert caller.ask("ATV1X3M0+VGT=100;+VSM=?;+FCLASS=8") == ["ERROR"]  # +VSM belongs to voice mode
        assert caller.ask("AT+VGT?") == ["100", "OK"]
        assert caller.ask("AT+FCLASS?") == ["0", "OK"]
        for unknown in ("AT+VXY=1", "AT#CLS=8", "ATE5", "AT+VGR=256", "AT+VSD=1,2,3", "AT+GCI=99", "ATS7=300"):
            assert caller.ask(unknown) == ["ERROR"]
        assert caller.ask("AT+GCI=00;S7=30;&C1") == ["OK"]
        assert caller.ask("ATS7?") == ["030", "OK"]

    def test_what_stands_before_at_is_passed_over(self, caller):
        assert caller.ask("\x80~AT+FCLASS?") == ["0", "OK"]

    def test_echo_words_and_silence(self, caller):
        assert caller.ask("ATE1") == ["OK"]
        assert caller.ask("AT") == ["AT", "OK"]
        caller.host.send("ATE0V0\r")
        caller.host.until("0\r")
        caller.host.send("AT+NO\r")
        caller.host.until("4\r")
        caller.host.send("ATQ1\r")
        assert caller.host.quiet(0.2)

    def test_a_reset_forgets_everything(self, voice, modem):
        voice.all_ok("AT+VLS=1", "ATZ", "ATE0")
        assert voice.ask("AT+FCLASS?") == ["ATE0", "0", "OK"][1:]
        assert voice.ask("AT+VIT?") == ["10", "OK"]
        assert not modem.off_hook

    @model_is("usr5637")
    def test_two_fields_choose_a_coding_of_a_usr(self, voice):
        assert voice.ask("AT+VSM?") == ["129,8000", "OK"]
        assert '131,"8-BIT ULAW",(8000)' in voice.ask("AT+VSM=?")
        voice.all_ok("AT+VSM=128,8000", "AT+VSM=131,8000", "AT+VSM=129,11025")
        for wrong in ("131,7200", "131,8000,0,0", "128,9600", "1,8000", "132,8000"):
            assert voice.ask(f"AT+VSM={wrong}") == ["ERROR"]

    def test_the_list_of_a_conexant_has_other_fields_than_the_choice(self, voice):
        assert '131,"Mu-Law",8,0,8000,0,0' in voice.ask("AT+VSM=?")
        assert voice.ask("AT+VSM=131,8,0,8000") == ["ERROR"]
        voice.all_ok("AT+VSM=131,8000,0,0", "AT+VSM=130")
        assert voice.ask("AT+VSM?") == ["130,8000,0,0", "OK"]

    @model_is(*MODELS)
    def test_every_model_lists_its_lines(self, voice):
        rows = voice.ask("AT+VLS=?")
        assert [row.split(",")[0] for row in rows[:-1]] == list("01234567")
        assert voice.ask("AT+VLS=20") == ["ERROR"]
        assert voice.ask("AT+VLS?") == ["0", "OK"]

    def test_streams_need_voice_mode_and_a_line_and_have_no_test_form(self, caller):
        for command in ("AT+VTR", "AT+VLS=1", "AT+VSM=?", "AT+VTS=1"):
            assert caller.ask(command) == ["ERROR"]
        caller.all_ok("AT+FCLASS=8")
        for command in ("AT+VTR", "AT+VRX", "AT+VTX", "AT+VTR=?"):
            assert caller.ask(command) == ["ERROR"]

    @option(vtr=False)
    def test_some_have_no_duplex(self, voice):
        voice.all_ok("AT+VLS=1")
        assert voice.ask("AT+VTR") == ["ERROR"]
        assert voice.ask("AT+VRX") == ["CONNECT"]

    def test_only_a_conexant_has_its_own_commands(self, caller, exchange, tmp_path, connect):
        caller.all_ok("AT-SCID=1;+VCID=1;-STE=3")
        with AnalogModem("usr5637", exchange, tmp_path) as other:
            assert Caller(connect(other.port)).ask("AT-STE=3")[-1] == "ERROR"


class TestDialling:
    @pytest.fixture
    def pace(self):
        return 4

    @pytest.mark.parametrize(("model", "word"), [("conexant", "OK"), ("usr5637", "VCON")])
    def test_an_answer_is_guessed_from_the_ring_back_that_ceased(self, voice, exchange, word):
        exchange.book[CUSTOMER] = FarEnd(answers_after=0.1, voice=Tone(1000))  # in the first burst of ring-back
        assert voice.ask(f"ATDT{CUSTOMER}") == ["RINGING", word]
        assert len(exchange.heard) > 0.7 * 16000  # +VRA=8: so much of the call had gone by

    def test_a_pause_of_the_ring_back_is_taken_for_an_answer_when_vra_is_too_short(self, voice, exchange):
        assert voice.ask(f"ATDT{NOBODY}") == ["RINGING", "OK"]
        assert exchange.state == "alerting"

    @option(guess="early")
    def test_a_modem_that_guesses_too_soon(self, voice, exchange):
        voice.all_ok("AT+VRA=100")
        assert voice.ask(f"ATDT{NOBODY}") == ["RINGING", "OK"]
        assert exchange.state == "alerting"

    @option(guess="never")
    def test_a_modem_that_never_notices(self, voice, exchange):
        voice.all_ok("ATS7=3")
        assert voice.ask(f"ATDT{CUSTOMER}") == ["RINGING", "NO CARRIER"]
        assert exchange.state == "idle"

    def test_nobody_answers(self, voice, exchange):
        voice.all_ok("AT+VRA=50", "ATS7=4")
        assert voice.ask(f"ATDT{NOBODY}") == ["RINGING", "RINGING", "NO ANSWER"]
        exchange.wait_for("idle")

    @pytest.mark.parametrize("number", [BUSY, DEAD])
    def test_busy_is_heard(self, voice, modem, number):
        assert voice.ask(f"ATDT{number}") == ["BUSY"]
        assert not modem.off_hook

    def test_no_ring_back_at_all_is_an_answer_too(self, voice, exchange):
        exchange.book[CUSTOMER] = FarEnd(answers_after=0.0, voice=Tone(1000))
        begun = time.monotonic()
        voice.all_ok(f"ATDT{CUSTOMER}")
        assert time.monotonic() - begun > 3.0 / 4  # +VRN
        voice.all_ok("ATH", "AT+VRN=0")
        assert voice.ask(f"ATDT{NOBODY}") == ["OK"]  # and no RINGING before it

    def test_with_a_semicolon_it_does_not_wait(self, voice, exchange, modem):
        voice.all_ok(f"ATDT{NOBODY};")
        exchange.wait_for("alerting")
        assert modem.off_hook
        voice.all_ok("ATH")
        assert exchange.state == "idle"

    @pytest.mark.parametrize(
        ("model", "word"), [("conexant", "NO DIALTONE"), ("usr5637", "NO DIAL TONE")], ids=["one word", "two words"]
    )
    @option(line=False)
    def test_a_wire_with_no_exchange(self, voice, modem, word):
        assert voice.ask(f"ATDT{CUSTOMER}") == [word]
        assert not modem.off_hook

    @option(line=False)
    def test_dialling_blindly_into_a_dead_wire_ends_as_an_answer(self, voice):
        assert voice.ask(f"ATX1DT{CUSTOMER}") == ["OK"]

    def test_any_character_ends_it(self, voice, exchange, modem):
        voice.host.send(f"ATDT{NOBODY}\r")
        exchange.wait_for("alerting")
        assert voice.ask("")[-1] == "NO CARRIER"
        exchange.wait_for("idle")
        assert not modem.off_hook

    @option(tone_dialling=False)
    def test_an_old_exchange_counts_pulses(self, voice, exchange):
        assert voice.ask(f"ATDT{CUSTOMER};") == ["OK"]
        assert exchange.state == "idle"
        voice.all_ok("ATH", "ATDP0312345601;")
        exchange.wait_for("talking")

    def test_a_wrong_number_is_no_number(self, voice):
        assert voice.ask("ATD0312ABX") == ["ERROR"]

    def test_without_voice_mode_it_looks_for_another_modem(self, caller, exchange):
        caller.all_ok("ATS7=2")
        assert caller.ask(f"ATDT{CUSTOMER}") == ["RINGING", "NO CARRIER"]
        exchange.wait_for("idle")


class TestCodings:
    @pytest.fixture
    def pace(self):
        return 3

    @pytest.mark.parametrize(
        ("model", "coding"), [(name, coding) for name, codings in CODINGS.items() for coding in codings]
    )
    def test_sound_goes_both_ways_in_every_coding(self, talking, modem, exchange, model, coding):
        form = next(one for one in MODELS[model].formats if one.number == CODINGS[model][coding])
        talking.all_ok(f"AT+VSM={form.number},8000")
        modem.budget = 0
        assert talking.ask("AT+VTR") == ["CONNECT"]
        tone = b"".join(Tone(500).frame(n) for n in range(50))
        talking.write(form.coding.encode(tone).replace(b"\x10", b"\x10\x10"))
        heard = form.coding.decode(talking.bytes_of(8000 * form.coding.width)[: 8000 * form.coding.width])
        assert strength(heard[1600:], 1000) > 0.98
        eventually(lambda: len(spoken(exchange)) >= 9600)
        assert strength(spoken(exchange)[320:6400], 500) > 0.98
        talking.stop()
        talking.all_ok("AT+VLS=0")
        assert exchange.state == "idle"


class TestStreams:
    def test_its_clock_goes_whatever_the_host_does(self, talking):
        talking.ask("AT+VTR")
        begun = time.monotonic()
        talking.bytes_of(16000)
        assert 1.8 < time.monotonic() - begun < 4.0
        talking.stop()

    @option(clock_ppm=100000.0)
    def test_its_clock_may_be_a_fast_one(self, talking):
        talking.ask("AT+VTR")
        begun = time.monotonic()
        talking.bytes_of(17600)
        assert time.monotonic() - begun > 1.8

    @model_is("conexant", "zoom3095")
    def test_a_literal_dle_may_be_cut_off_its_shield(self, talking, modem, exchange):
        talking.ask("AT+VTR")
        sound = bytes((DLE, 0x62, DLE, DLE, 0x1A, 0x90)) * 400
        shielded = sound.replace(b"\x10", b"\x10\x10")
        for cut in range(1, 12):
            talking.write(shielded[: 40 * cut + cut])
            shielded = shielded[40 * cut + cut :]
        talking.write(shielded)
        eventually(lambda: modem.taken == len(sound))
        assert modem.codes == []
        eventually(lambda: sound in narrow(exchange.heard))

    def test_sub_stands_for_two(self, talking, modem, exchange):
        talking.ask("AT+VTR")
        talking.write(bytes((DLE, 0x1A, 0x90)) * 500)
        eventually(lambda: modem.taken == 1500)
        eventually(lambda: bytes((DLE, DLE, 0x90)) * 300 in narrow(exchange.heard))

    def test_a_dle_that_was_not_doubled_is_a_command(self, talking, modem):
        talking.ask("AT+VTR")
        talking.write(b"\x80\x10\x62" * 20 + b"\x80\x10^")  # a driver that does not shield ends its own stream
        talking.host.until("\x10\x03\r\nOK\r\n")
        assert modem.codes == [0x62] * 20 + [ord("^")]
        assert modem.taken == 21

    @option(traps=True, cuts=True)
    def test_a_literal_dle_before_a_b_is_no_busy_tone(self, talking):
        talking.ask("AT+VTR")
        _, events = talking.sound(lambda sound, _: sound.count(b"\x10b") > 3)
        assert "b" not in events
        talking.stop()

    @model_is("zoom3095")
    def test_a_zoom_wants_three(self, talking, modem):
        talking.ask("AT+VTR")
        talking.write(b"\x10^")
        eventually(lambda: modem.codes == [ord("^")])
        talking.bytes_of(1600)
        assert modem.streaming
        talking.stop(shield=b"\x10\x10\x10")
        assert not modem.streaming
        assert talking.ask("AT+VRX") == ["CONNECT"]
        talking.write(b"\x10!")
        talking.bytes_of(800)
        talking.stop(b"!", shield=b"\x10\x10\x10")

    def test_an_end_of_its_own_leaves_an_ok_behind(self, talking, modem):
        modem.silence_ends = True
        talking.all_ok("AT+VSD=0,5")
        modem.exchange.change("goes silent")
        talking.ask("AT+VRX")
        assert talking.event("\x03").endswith("s\x03")
        assert talking.rest() == ["OK"]

    def test_playing_ends_when_all_is_said(self, talking, exchange):
        assert talking.ask("AT+VTX") == ["CONNECT"]
        sound = bytes(range(0x20, 0xF0)) * 20
        talking.write(sound + b"\x10\x03")
        assert talking.rest() == ["OK"]
        assert sound in narrow(exchange.heard)
        talking.ask("AT+VTX")
        begun = time.monotonic()
        talking.write(sound * 12 + b"\x10\x18")
        assert talking.rest() == ["OK"]
        assert time.monotonic() - begun < 4  # six seconds of sound were thrown away

    def test_a_gain_is_turned_by_codes(self, talking):
        talking.ask("AT+VTX")
        talking.write(b"\x10u\x10u\x10\x03")
        assert talking.rest() == ["OK"]
        assert talking.ask("AT+VGT?") == ["144", "OK"]
        talking.ask("AT+VRX")
        talking.write(b"\x10d")
        talking.stop(b"!")
        assert talking.ask("AT+VGR?") == ["120", "OK"]

    def test_the_host_may_ask_what_waits(self, talking):
        talking.ask("AT+VTX")
        talking.write(b"\x10p" + b"\x90" * 1000 + b"\x10?")
        talking.host.until(r"\x10XBNUM=1000\x10\.")

    @pytest.mark.parametrize("accident", [{"cut": 3}, {"merge": 0.05}], ids=["in pieces", "in lumps"])
    def test_a_bad_cable_changes_no_byte(self, talking, modem, accident):
        talking.ask("AT+VTR")
        for name, value in accident.items():
            setattr(modem.cable, name, value)
        sound = bytes(range(1, 256)) * 16
        talking.write(sound.replace(b"\x10", b"\x10\x10"))
        heard, _ = talking.sound(lambda sound, _: len(sound) > 8000)
        assert strength(widened(heard), 1000) > 0.98
        eventually(lambda: modem.taken == len(sound))
        assert modem.codes == []
        talking.stop()

    def test_a_pause_holds_the_sound_back(self, talking, exchange):
        talking.ask("AT+VTX")
        talking.write(b"\x10p" + b"\x90" * 1600 + b"\x10\x00")
        talking.host.quiet(0.3)
        assert b"\x90" not in narrow(exchange.heard)
        talking.write(b"\x10r\x10\x03")
        assert talking.rest() == ["OK"]
        assert b"\x90" * 1600 in narrow(exchange.heard)

    def test_a_host_that_says_too_little(self, talking):
        talking.ask("AT+VTR")
        talking.write(b"\x90" * 800)
        assert talking.event("u").count("u") == 1

    def test_a_host_that_says_too_much(self, talking):
        talking.all_ok("AT+IFC=0,0")
        talking.ask("AT+VTX")
        talking.write(b"\x90" * 12000)
        assert "o" in talking.event("o")
        assert talking.ask("\x10\x18")[-1] == "OK"
        talking.all_ok("AT+IFC=1,1")
        talking.ask("AT+VTX")
        talking.write(b"\x90" * 6000)
        talking.host.until("\x13")
        talking.host.until("\x11")

    def test_a_host_that_does_not_listen_loses_sound_and_is_told(self, talking, modem):
        talking.ask("AT+VTR")
        eventually(lambda: modem.lost > 0)
        _, events = talking.sound(lambda _, events: "o" in events)
        assert "b" not in events

    @pytest.mark.parametrize("limit", [1, 0])
    def test_the_inactivity_timer_ends_more_than_the_stream(self, talking, exchange, limit):
        talking.all_ok(f"AT+VIT={limit}")
        talking.ask("AT+VRX")
        if limit:
            talking.event("\x03")
            assert talking.rest() == ["NO CARRIER"]
            assert talking.ask("AT+FCLASS?") == ["0", "OK"]
            assert exchange.state == "idle"
        else:
            talking.bytes_of(12000)
            talking.stop(b"!")

    def test_a_nul_keeps_the_timer_quiet(self, talking, modem):
        talking.all_ok("AT+VIT=2")
        talking.ask("AT+VRX")
        for _ in range(6):
            talking.bytes_of(4000)
            talking.write(b"\x10\0")
        assert modem.streaming

    @model_is("usr5637")
    def test_a_usr_records_silence_before_vls_5(self, talking):
        talking.all_ok("AT+VSM=128,8000")
        talking.ask("AT+VRX")
        assert set(talking.bytes_of(1600)) == {0x80}
        talking.stop(b"!")
        talking.all_ok("AT+VLS=5")
        talking.ask("AT+VRX")
        assert strength(widened(talking.bytes_of(1600)), 1000) > 0.9

    def test_fourteen_bits_both_ways_are_too_much_for_a_conexant(self, talking):
        talking.all_ok("AT+VSM=133,8000")
        talking.ask("AT+VTR")
        talking.write(b"\x00\x7f" * 3000)
        _, events = talking.sound(lambda sound, _: len(sound) > 16000)
        assert events.count("u") > 200

    @option(echo_db=20.0)
    def test_the_line_gives_back_what_is_said(self, talking, exchange):
        exchange.change("goes silent")
        talking.ask("AT+VTR")
        talking.write(narrow(b"".join(Tone(500, -3.0).frame(n) for n in range(50))).replace(b"\x10", b"\x10\x10"))
        heard, _ = talking.sound(lambda sound, _: sound.count(b"\x80") < len(sound) - 2000)
        loud = max(abs(byte - 128) for byte in heard)
        assert 7 <= loud <= 11  # 90 of 128, 20 dB less

    def test_the_rest_of_a_stream_that_nobody_ended_is_still_there(self, talking, modem, connect):
        talking.ask("AT+VTR")
        talking.host.close()
        again = Caller(connect(modem.port))
        again.host.send("AT\r")
        again.bytes_of(800)
        again.stop()
        assert again.ask("AT") == ["OK"]


class TestEvents:
    @pytest.fixture
    def pace(self):
        return 3

    def test_busy_tone_stays_until_on_hook(self, talking, modem, exchange):
        talking.ask("AT+VTR")
        exchange.hang_up()
        assert "d" not in talking.event("b")
        assert strength(widened(talking.bytes_of(400)), 400) > 0.9
        talking.stop()
        assert modem.off_hook
        exchange.call_in(CUSTOMER)  # who hears the busy tone too
        exchange.wait_for("idle")
        talking.all_ok("AT+VLS=0", "ATH")
        assert not modem.off_hook

    @pytest.mark.parametrize(
        ("options", "events"),
        [
            ({"clearing": "dial tone"}, "d"),
            ({"clearing": "loop break"}, "ld"),
            ({"busy_for": 2.5}, "bd"),
            ({"clearing": "silence", "polarity": True}, "L"),
        ],
        ids=["dial tone", "loop break", "busy and then dial tone", "polarity"],
    )
    def test_exchanges_clear_in_different_ways(self, talking, exchange, events):
        talking.ask("AT+VTR")
        exchange.hang_up()
        came = talking.sound(lambda _, came: all(code in came for code in events))[1]
        assert came.replace("u", "") == events

    @pytest.mark.parametrize(
        ("options", "tones"),
        [
            ({"country": "jp"}, ((400,), ())),
            ({"country": "us"}, ((350, 440), (440, 480))),
            ({"country": "eu"}, ((425,), (425,))),
        ],
        ids=["jp", "us", "eu"],
    )
    def test_tones_are_the_countrys(self, voice, exchange, tones):
        dial, ring_back = tones
        voice.all_ok("AT+VLS=1")
        voice.ask("AT+VTR")
        tone = widened(voice.bytes_of(2400)[-1600:])
        assert sum(strength(tone, hz) for hz in dial) > 0.95
        voice.stop()
        voice.all_ok("AT+VTS={0,10}3,1,2,3,4,5,6,0,3")
        voice.ask("AT+VTR")
        exchange.wait_for("alerting")
        voice.event("r")
        tone = widened(voice.bytes_of(800))
        assert not ring_back or sum(strength(tone, hz) for hz in ring_back) > 0.9

    def test_a_number_that_does_not_exist_is_announced(self, voice):
        voice.all_ok(f"ATDT{DEAD};")
        voice.ask("AT+VTR")
        assert "J" in voice.event("J")

    def test_keys_come_in_brackets(self, talking, exchange):
        talking.ask("AT+VTR")
        exchange.press("5")
        exchange.press("#")
        _, events = talking.sound(lambda _, events: events.count("~") == 2)
        assert events.replace("u", "") == "/55~/##~"

    def test_keys_are_not_told_when_the_host_does_not_want_them(self, talking, modem, exchange):
        talking.ask("AT+VTR")
        talking.write(b"\x10/")
        eventually(lambda: modem.codes == [ord("/")])
        exchange.press("5")
        _, events = talking.sound(lambda sound, _: len(sound) > 4000)
        assert "5" not in events

    @model_is("usr5637")
    def test_a_usr_confirms_itself(self, voice):
        assert voice.ask("AT+VLS=1") == ["OK"]
        assert voice.event("H") == "H"

    @pytest.mark.parametrize(("model", "codes"), [("usr5637", "Hh"), ("conexant", "Pp")])
    def test_the_phone_on_the_jack(self, voice, modem, model, codes):
        if model == "conexant":
            voice.all_ok("AT-STE=3")
        modem.lift()
        voice.event(codes[0])
        assert modem.off_hook
        modem.lift(False)
        voice.event(codes[1])
        assert not modem.off_hook

    def test_a_call_over_the_jack_can_be_recorded(self, voice, modem, exchange):
        modem.phone_voice = Tone(600)
        voice.all_ok("AT+VRA=100", f"ATDT{CUSTOMER};", "AT+VLS=3")
        modem.lift()
        exchange.wait_for("talking")
        voice.ask("AT+VRX")
        voice.bytes_of(1600)
        both = widened(voice.bytes_of(1600))
        assert strength(both, 600) > 0.3
        assert strength(both, 1000) > 0.3
        assert strength(exchange.heard[-3200:], 600) > 0.9
        voice.stop(b"!")
        modem.lift(False)
        voice.all_ok("AT+VLS=0")
        assert exchange.state == "idle"

    def test_one_that_waits_and_one_made_up(self, talking, modem, exchange):
        talking.ask("AT+VTR")
        assert exchange.call_in("0312345605", waiting=True)
        talking.event("w")
        modem.report("b")
        talking.event("b")
        assert exchange.state == "talking"


class TestKeys:
    @pytest.mark.parametrize(
        ("model", "taken"),
        [
            ("conexant", {"5": "5", "1,2,#": "12#", "{5,12}": "5", "[770,1336,12]": "5", "[0,900,20]": ""}),
            ("usr5637", {"5": None, "[770,1336,12]": "5", "[0,900,20]": None, "[900,900,20]": ""}),
            ("mt9234", {"[941,1633,12]": "D", "[941,1477,12]": "#", "!": ""}),
        ],
    )
    def test_forms_of_vts(self, talking, exchange, taken):
        for value, keys in taken.items():
            before = exchange.keyed
            assert talking.ask(f"AT+VTS={value}")[-1:] == ["ERROR" if keys is None else "OK"]
            assert exchange.keyed == before + (keys or ""), value

    def test_keys_in_the_sound_reach_the_far_end(self, talking, exchange):
        talking.ask("AT+VTR")
        keys = {"1": (697, 1209), "0": (941, 1336), "#": (941, 1477), "9": (852, 1477)}
        for low, high in keys.values():
            tone = [
                20 * (math.sin(math.tau * low * n / 8000) + math.sin(math.tau * high * n / 8000)) for n in range(640)
            ]
            sound = bytes(round(value) + 128 for value in tone) + b"\x80" * 560
            talking.write(sound.replace(b"\x10", b"\x10\x10"))
        eventually(lambda: exchange.keyed == "10#9")

    def test_keys_dial_where_there_is_a_dial_tone(self, voice, exchange):
        voice.all_ok("AT+VLS=1", "AT+VTS=0,3,1,2,3,4,5,6,0,1")
        exchange.wait_for("talking")
        assert exchange.number == CUSTOMER


class TestIncoming:
    @pytest.fixture
    def options(self):
        return {"ring_every": 0.5}

    def test_who_calls_is_told_between_two_rings(self, caller, modem, exchange):
        caller.all_ok("AT+VCID=1")
        modem.caller_name = "OFFICE"
        assert exchange.call_in(CUSTOMER)
        said = caller.host.until("RING(.|\n)*NAME(.|\n)*RING")
        assert f"NMBR = {CUSTOMER}" in said
        assert "NAME = OFFICE" in said
        assert said.index("RING") < said.index("DATE = ") < said.index("TIME = ") < said.index("NMBR")
        exchange.hang_up()
        caller.host.said = b""
        assert caller.ask("AT")[-1] == "OK"

    @pytest.mark.parametrize(("hidden", "letter"), [("withheld", "P"), ("unavailable", "O"), ("payphone", "C")])
    @model_is("startech")
    def test_a_number_that_is_not_shown(self, caller, exchange, hidden, letter):
        caller.all_ok("AT+VCID=1")
        assert exchange.call_in(None, hidden=hidden)
        assert f"NMBR={letter}\r\n" in caller.host.until("NMBR.*\n")

    def test_a_block_that_breaks_off(self, caller, modem, exchange):
        modem.caller_id = "incomplete"
        caller.all_ok("AT+VCID=1")
        assert exchange.call_in(CUSTOMER)
        said = caller.host.until("RING(.|\n)*TIME(.|\n)*RING")
        assert "NMBR" not in said

    def test_raw_and_cadence(self, caller, exchange):
        caller.all_ok("AT+VCID=2", "AT+VDR=1,5")
        assert exchange.call_in(CUSTOMER)
        said = caller.host.until("MESG = [0-9A-F]+\r\n")
        message = bytes.fromhex(said.split("MESG = ")[1].strip())
        assert sum(message) & 0xFF == 0
        assert CUSTOMER.encode() in message
        assert "DRON=2\r\n" in said

    @pytest.mark.parametrize(("model", "ring"), [("conexant", "\x10R"), ("usr5637", "\r\nRING\r\n")])
    def test_a_ring_in_voice_mode(self, voice, exchange, ring):
        assert exchange.call_in(CUSTOMER)
        voice.host.until(ring)
        voice.all_ok("ATA")
        exchange.wait_for("talking")

    @option(misses_off_hook=1, ring_every=0.3)
    def test_a_relay_that_misses(self, voice, exchange):
        assert exchange.call_in(CUSTOMER)
        voice.host.until("R")
        assert voice.ask("AT+VLS=1") == ["OK"]
        voice.host.until("\x10R")
        assert exchange.state == "ringing"
        voice.all_ok("AT+VLS=0", "AT+VLS=1")
        exchange.wait_for("talking")

    @option(firmware="1.2.20", ring_every=0.3)
    @model_is("usr5637")
    def test_an_old_usr_stays_on_hook(self, voice, modem, exchange):
        assert "1.2.20" in "".join(voice.ask("ATI7"))
        assert exchange.call_in(CUSTOMER)
        voice.host.until("RING")
        assert voice.ask("AT+VLS=1") == ["OK"]
        voice.host.until("RING")
        assert not modem.off_hook
        voice.all_ok("ATH1")
        exchange.wait_for("talking")

    def test_a_caller_finds_a_line_that_is_taken_busy(self, voice, modem, exchange):
        voice.all_ok("AT+VLS=1")
        exchange.call_in(CUSTOMER)
        exchange.wait_for("idle")
        assert modem.off_hook


class TestBadDays:
    def test_unplugged_in_a_call(self, talking, modem, exchange, connect):
        talking.ask("AT+VTR")
        modem.unplug()
        assert not modem.plugged
        exchange.wait_for("idle")
        modem.plug()
        again = Caller(connect(modem.port))
        assert again.ask("ATE0")[-1] == "OK"
        assert again.ask("AT+FCLASS?") == ["0", "OK"]

    def test_it_rings_when_it_is_plugged_in_late(self, modem, exchange, connect):
        modem.unplug()
        exchange.call_in(CUSTOMER)
        exchange.wait_for("idle")
        modem.plug()
        exchange.call_in(CUSTOMER)
        Caller(connect(modem.port)).host.until("RING")

    def test_silent_slow_and_garbled(self, caller, modem):
        modem.silent = True
        caller.host.send("AT+GMI\r")
        modem.wait_for("AT+GMI")
        assert caller.host.quiet(0.2)
        modem.silent, modem.slow = False, 0.4
        begun = time.monotonic()
        assert caller.ask("AT") == ["OK"]
        assert time.monotonic() - begun > 0.35
        modem.slow, modem.garble = 0.0, 1.0
        caller.host.send("AT\r")
        caller.host.quiet(0.2)
        modem.garble = 0.0
        caller.host.said = b""
        assert caller.ask("\rAT")[-1] in ("OK", "ERROR")

    def test_what_is_said_can_be_logged(self, caller, modem):
        lines = []
        modem.log(lines.append)
        caller.ask("AT+GMI")
        assert lines[0] == "> AT+GMI"
        assert "< OK" in lines

    def test_no_thread_is_left(self, exchange, tmp_path, connect):
        before = threading.active_count()
        with AnalogModem("mt9234", exchange, tmp_path) as modem:
            caller = Caller(connect(modem.port))
            caller.all_ok("ATE0", "AT+FCLASS=8", "AT+VLS=1")
            caller.ask("AT+VTR")
            caller.bytes_of(1600)
        exchange.close()
        eventually(lambda: threading.active_count() <= before)


class TestKeyEar:
    @pytest.mark.parametrize("milliseconds", [(50, 50), (70, 40), (200, 100)])
    def test_it_hears_what_spandsp_dials(self, milliseconds):
        assert heard_by_ear(dialled_by_spandsp(ALL_KEYS, *milliseconds)) == ALL_KEYS

    def test_spandsp_hears_the_far_ends_keys(self):
        sound = b"".join(key_sound(key).frame(n) if n < 5 else SILENCE for key in ALL_KEYS for n in range(10))
        assert spandsp.keys(sound) == ALL_KEYS

    @pytest.mark.parametrize("peak", [300, 1000, 16000])
    @pytest.mark.parametrize("skew", [0.99, 1.0, 1.01])
    def test_level_and_pitch_may_be_off_a_little(self, peak, skew):
        for key, low, high in (("1", 697, 1209), ("D", 941, 1633), ("6", 770, 1477)):
            angles = (math.tau * skew * n / 8000 for n in range(960))
            tone = [round(peak * (math.sin(low * angle) + math.sin(high * angle))) for angle in angles]
            assert heard_by_ear(array("h", [*tone, *bytes(800)]).tobytes()) == key

    @pytest.mark.parametrize("people", [4, pytest.param(100, marks=pytest.mark.soak)])
    def test_a_voice_has_no_keys_in_it(self, people):
        """Six seconds of each."""
        for seed in range(1, people + 1):
            ear, voice = KeyEar(), Speech(seed)
            assert "".join(ear.hear(voice.frame(n)) for n in range(300)) == "", seed


def dialled_by_spandsp(keys, on, off):
    """S16le of the keys, each so many milliseconds long and with a pause behind it."""
    library = ctypes.CDLL(spandsp.LIBRARY)
    library.dtmf_tx_init.restype = ctypes.c_void_p
    sender = ctypes.c_void_p(library.dtmf_tx_init(None, None, None))
    library.dtmf_tx_set_timing(sender, on, off)
    library.dtmf_tx_put(sender, keys.encode(), -1)
    samples = (ctypes.c_int16 * (8 * (on + off + 1) * len(keys)))()
    count = library.dtmf_tx(sender, samples, len(samples))
    library.dtmf_tx_free(sender)
    return bytes(samples)[: 2 * count] + SILENCE


def heard_by_ear(pcm):
    ear = KeyEar()
    return "".join(ear.hear(pcm[at : at + FRAME]) for at in range(0, len(pcm) - FRAME + 1, FRAME))
