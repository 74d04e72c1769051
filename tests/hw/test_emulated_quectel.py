"""The emulated EC25, met with bare hands: file descriptors, bytes and a clock."""

import errno
import os
import queue
import re
import select
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import serial

from hw.contracts import FRAME, RATE, SILENCE
from hw.emulated.exchange import Exchange, FarEnd
from hw.emulated.quectel import QuectelModem
from hw.emulated.speech import Tone

CUSTOMER = "0312345601"
FINAL = r"\r\n(OK|ERROR|NO CARRIER|BUSY|\+CME ERROR: [^\r]*)\r\n"


class Host:
    """A serial port in the hands of a test."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.said = b""

    def send(self, text):
        os.write(self.fd, text.encode())

    def until(self, pattern, patience=2.0):
        """All that the modem said up to the end of `pattern`, which is taken off the input."""
        end = time.monotonic() + patience
        while not (found := re.search(pattern.encode(), self.said)):
            left = end - time.monotonic()
            assert left > 0, f"no {pattern} in {self.said}"
            if select.select([self.fd], [], [], left)[0]:
                self.said += os.read(self.fd, 4096)
        before, self.said = self.said[: found.end()], self.said[found.end() :]
        return before.decode()

    def ask(self, command):
        """The lines of the answer, the final result last."""
        self.send(command + "\r")
        return [line for line in self.until(FINAL).split("\r\n") if line]

    def quiet(self, seconds):
        """Nothing is said for so long."""
        return not self.said and not select.select([self.fd], [], [], seconds)[0]

    def close(self):
        os.close(self.fd)


@pytest.fixture
def exchange():
    with Exchange() as exchange:
        exchange.book[CUSTOMER] = FarEnd(answers_after=0.15, voice=Tone(1000))
        yield exchange


@pytest.fixture
def modem(exchange, tmp_path):
    with QuectelModem(exchange, tmp_path) as modem:
        yield modem


@pytest.fixture
def host(modem):
    host = Host(modem.at)
    host.ask("ATE0")
    yield host
    host.close()


@pytest.fixture
def sound(modem):
    sound = Host(modem.pcm)
    yield sound
    sound.close()


def strength(pcm, hz):
    """Amplitude of one frequency, full scale is 1."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2") / 32768
    window = np.blackman(len(samples))
    wave = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / RATE)
    return 2 * abs(np.sum(samples * window * wave)) / window.sum()


def talk(sound, voice, frames, piece=FRAME):
    """Both ways for so many frames: what is heard is the clock for what is said."""
    heard, said, unsaid = b"", 0, b""
    end = time.monotonic() + frames * 0.02 + 3
    while len(heard) < frames * FRAME:
        assert time.monotonic() < end, len(heard)
        if select.select([sound.fd], [], [], 1)[0]:
            heard += os.read(sound.fd, 4096)
        while said * FRAME < len(heard):
            unsaid += voice.frame(said)
            said += 1
        while len(unsaid) >= piece:
            os.write(sound.fd, unsaid[:piece])
            unsaid = unsaid[piece:]
    return heard


# Lines and answers.


def test_it_echoes_until_it_is_told_not_to(modem):
    host = Host(modem.at)
    host.send("AT+CSQ\r")
    assert host.until(r"OK\r\n") == "AT+CSQ\r\r\n+CSQ: 17,99\r\n\r\nOK\r\n"
    host.send("ATE0\r")
    assert host.until(r"OK\r\n") == "ATE0\r\r\nOK\r\n"
    host.send("AT\r")
    assert host.until(r"OK\r\n") == "\r\nOK\r\n"
    host.close()


def test_pyserial_can_open_it(modem):
    with serial.Serial(modem.at, 115200, timeout=2, exclusive=True) as port:
        port.write(b"ATE0\r")
        assert port.read_until(b"OK\r\n").endswith(b"\r\nOK\r\n")


def test_a_command_may_come_in_pieces_and_several_at_once(host, modem):
    host.send("AT+C")
    host.send("SQ\rAT+CPI")
    host.send("N?\r")
    assert "+CSQ: 17,99" in host.until(FINAL)
    assert "+CPIN: READY" in host.until(FINAL)
    assert modem.heard[-2:] == ["AT+CSQ", "AT+CPIN?"]


def test_several_commands_stand_on_one_line_until_one_fails(host):
    assert host.ask("AT+CLIP=1;+CRC=1;+CSQ") == ["+CSQ: 17,99", "OK"]
    assert host.ask("AT+CRC?;+NONSENSE;+CSQ") == ["+CRC: 1", "ERROR"]
    assert host.ask("ATE0V1Q0X4&D2S0=0") == ["OK"]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("AT+CGMI", ["Quectel"]),
        ("AT+CGMM", ["EC25"]),
        ("AT+CGMR", ["EC25EUXGAR08A05M1"]),
        ("AT+CGSN", ["001010123456784"]),
        ("AT+CIMI", ["001010123456789"]),
        ("ATI", ["Quectel", "EC25", "Revision: EC25EUXGAR08A05M1"]),
        ("at+cpin?", ["+CPIN: READY"]),
        ("AT+COPS=3,0;+COPS?", ['+COPS: 0,0,"BOOTHNET",7']),
        ("AT+CREG?", ["+CREG: 0,1"]),
        ("AT+CEREG=2;+CEREG?", ['+CEREG: 2,1,"1A2B","0123ABCD",7']),
        ("AT+QPCMV?", ["+QPCMV: 0,0"]),
        ("AT+QPCMV=?", ["+QPCMV: (0,1),(0-2)"]),
        ('AT+QGPSCFG="outport","none"', []),
        ('AT+QGPSCFG="outport"', ['+QGPSCFG: "outport","usbnmea"']),
        ('AT+QCFG="ims"', ['+QCFG: "ims",0,1']),
        ('AT+QINDCFG="ccinfo",1,0;+QINDCFG="ccinfo"', ['+QINDCFG: "ccinfo",1']),
        ("AT+QAUDMOD=3;+QAUDMOD?", ["+QAUDMOD: 3"]),
        ("AT+CCWA=0,0,1", []),
        ("AT+CVHU=0;+COLP=0;+CTZU=1;+CTZR=2;+QTONEDET=1;+CLVL=4;+QMIC=20000,15000;+CMUT=0;+VTD=2;^DSCI=1", []),
        ("AT+CLCC", []),
        ("AT+CPAS", ["+CPAS: 0"]),
        ("AT+CHUP", []),
        ("AT+CHUP=?", []),
        ("AT+QPINC?", ['+QPINC: "SC",3,10', '+QPINC: "P2",3,10']),
        ("ATZ", []),
    ],
)
def test_it_knows_its_commands(host, command, answer):
    assert host.ask(command) == [*answer, "OK"]


@pytest.mark.parametrize(
    "command", ["AT+NONSENSE", "AT+CLIP=7", "AT+QPCMV=1,9", 'AT+QCFG="nonsense"', "AT+VTS=5", "ATD;"]
)
def test_it_refuses_in_the_way_it_was_told_to(host, command):
    assert host.ask(command) == ["ERROR"]
    host.ask("AT+CMEE=1")
    assert re.fullmatch(r"\+CME ERROR: \d+", host.ask(command)[-1])
    host.ask("AT+CMEE=2")
    assert re.fullmatch(r"\+CME ERROR: [a-z ]+", host.ask(command)[-1])


def test_noise_is_not_answered(host, modem):
    host.send("hello\r\r\n\r")
    modem.wait_for("hello")
    assert host.quiet(0.1)


def test_numeric_results(host):
    host.send("ATV0\r")
    assert host.until("0\r") == "0\r"
    host.send("AT+CSQ\r")
    assert host.until("0\r") == "+CSQ: 17,99\r\n0\r"


def test_wait_for_says_what_came_instead(host, modem):
    host.ask("AT+CSQ")
    with pytest.raises(AssertionError, match="CSQ"):
        modem.wait_for("ATD", 0.05)


def test_the_log_has_every_line_either_way(host, modem):
    lines = []
    modem.log(lines.append)
    host.ask("AT+CSQ")
    assert lines == ["> AT+CSQ", "< +CSQ: 17,99", "< OK"]


# Outgoing calls.


def ccinfo(stat, number=CUSTOMER):
    return rf'\+QIND: "ccinfo",1,0,{stat},0,0,"{re.escape(number)}",129\r\n'


def test_a_call_from_dialling_to_hanging_up(host, exchange):
    host.ask('AT+QINDCFG="ccinfo",1,0')
    host.send(f"ATD{CUSTOMER};\r")
    assert host.until(ccinfo(2)).startswith("\r\nOK\r\n")
    host.until(ccinfo(3))
    assert host.ask("AT+CLCC") == [f'+CLCC: 1,0,3,0,0,"{CUSTOMER}",129', "OK"]
    host.until(ccinfo(0))
    assert host.ask("AT+CLCC;+CPAS") == [f'+CLCC: 1,0,0,0,0,"{CUSTOMER}",129', "+CPAS: 4", "OK"]
    assert host.ask("AT+CHUP") == ["OK"]
    assert "NO CARRIER" not in host.until(ccinfo(-1))
    assert host.quiet(0.1)
    assert host.ask("AT+CLCC") == ["OK"]
    assert exchange.state == "idle"


def test_dsci_has_numbers_of_its_own(host):
    host.ask("AT^DSCI=1")
    host.send(f"ATD{CUSTOMER};\r")
    for stat in (2, 7, 3):
        host.until(rf"\^DSCI: 1,0,{stat},0,{CUSTOMER},129\r\n")
    host.send("AT+CHUP\r")
    host.until(rf"\^DSCI: 1,0,6,0,{CUSTOMER},129\r\n")


def test_an_ep06_knows_no_ccinfo(exchange, tmp_path):
    with QuectelModem(exchange, tmp_path, ccinfo=False) as modem:
        host = Host(modem.at)
        host.ask("ATE0")
        assert host.ask('AT+QINDCFG="ccinfo",1,0') == ["ERROR"]
        assert host.ask("AT^DSCI=1") == ["OK"]
        host.close()


def test_urcs_can_come_before_the_ok_that_caused_them(host, modem):
    modem.early_urc = True
    host.ask('AT+QINDCFG="ccinfo",1,0')
    host.send(f"ATD{CUSTOMER};\r")
    assert '"ccinfo",1,0,2' in host.until("OK")


def test_with_colp_the_ok_waits_for_the_answer(host, exchange):
    host.ask("AT+COLP=1")
    host.send(f"ATD{CUSTOMER};\r")
    exchange.wait_for("alerting")
    assert host.quiet(0.05)
    host.until("OK")
    assert exchange.state == "talking"


def test_any_character_aborts_a_dial_that_waits(host, exchange):
    exchange.default = FarEnd(answers_after=10)
    host.ask("AT+COLP=1")
    host.send("ATD0312345602;\r")
    exchange.wait_for("alerting")
    host.send("x")
    host.until("NO CARRIER")
    assert host.ask("AT+CLCC") == ["OK"]


@pytest.mark.parametrize(
    ("outcome", "result", "cause"),
    [
        ("busy", "BUSY", "User busy"),
        ("no answer", "NO CARRIER", "No answer from user"),
        ("unassigned", "NO CARRIER", "No route/Unassigned number"),
        ("rejects", "NO CARRIER", "Call rejected"),
    ],
)
def test_a_call_that_fails_says_so(host, exchange, outcome, result, cause):
    exchange.default = FarEnd(outcome=outcome, rings_for=0.3)
    host.ask('AT+QINDCFG="ccinfo",1,0')
    assert host.ask("ATD0312345602;") == ["OK"]
    host.until(ccinfo(-1, "0312345602"))
    assert host.until(FINAL) == f"\r\n{result}\r\n"
    assert host.ask("AT+CEER") == [f"+CEER: {cause}", "OK"]


def test_the_far_end_hangs_up(host, exchange):
    exchange.default = FarEnd(answers_after=0, then="hangs up wordlessly", ends_after=0.1)
    assert host.ask("ATD0312345602;") == ["OK"]
    host.until("NO CARRIER")
    assert host.ask("AT+CLCC") == ["OK"]


@pytest.mark.parametrize("command", [f"ATD{CUSTOMER}", "ATD*31#", "ATD*31#;", "ATD#31#;"])
def test_what_looks_like_a_call_and_is_none(host, exchange, command):
    assert host.ask(command) == ["OK" if command.endswith("#;") else "NO CARRIER"]
    assert exchange.state == "idle"


@pytest.mark.parametrize("dialled", ["ATDT0312345601;", "ATD 03-1234-5601;", "ATD0312345601I;", "atd0312345601;"])
def test_ways_to_write_a_number(host, exchange, dialled):
    assert host.ask(dialled) == ["OK"]
    assert exchange.number == CUSTOMER


def test_one_call_at_a_time(host):
    host.ask(f"ATD{CUSTOMER};")
    assert host.ask("ATD0312345602;") == ["ERROR"]


@pytest.mark.parametrize("command", ["ATH", "AT+CHUP", "AT+QHUP=16,1"])
def test_ways_to_hang_up(host, exchange, command):
    host.ask(f"ATD{CUSTOMER};")
    assert host.ask(command) == ["OK"]
    assert exchange.state == "idle"


def test_ath_may_be_ignored(host, exchange):
    host.ask("AT+CVHU=1")
    host.ask(f"ATD{CUSTOMER};")
    assert host.ask("ATH") == ["OK"]
    assert exchange.state != "idle"


def test_tones_reach_the_far_end(host, exchange):
    host.ask(f"ATD{CUSTOMER};")
    exchange.wait_for("talking")
    for command in ('AT+VTS="5"', "AT+VTS=#", 'AT+QVTS="1"'):
        assert host.ask(command) == ["OK"]
    assert exchange.keyed == "5#1"


def test_a_data_call_in_the_list_is_no_call(host, modem):
    modem.data_call = True
    assert host.ask("AT+CLCC") == ['+CLCC: 1,0,0,1,0,"",128', "OK"]
    host.ask(f"ATD{CUSTOMER};")
    assert host.ask("AT+CLCC")[1].startswith("+CLCC: 2,0,")


# Incoming calls.


def test_somebody_calls_in(host, exchange):
    host.ask('AT+CLIP=1;+CRC=1;+QINDCFG="ccinfo",1,0')
    exchange.call_in("+81312345699")
    host.until(r'\+QIND: "ccinfo",1,1,4,0,0,"\+81312345699",145\r\n')
    host.until(r"\+CRING: VOICE\r\n")
    host.until(r'\+CLIP: "\+81312345699",145,,,,0\r\n')
    assert host.ask("AT+CLCC;+CPAS") == ['+CLCC: 1,1,4,0,0,"+81312345699",145', "+CPAS: 3", "OK"]
    assert host.ask("ATA") == ["OK"]
    host.until(r'"ccinfo",1,1,0')
    exchange.hang_up()
    host.until(r'"ccinfo",1,1,-1')
    host.until("NO CARRIER")


def test_a_caller_may_hide(host, exchange):
    host.ask("AT+CLIP=1")
    exchange.call_in(None)
    host.until(r"\r\nRING\r\n")
    host.until(r'\+CLIP: "",128,,,,1\r\n')
    assert host.ask("AT+CLCC") == ['+CLCC: 1,1,4,0,0,"",128', "OK"]


@pytest.mark.slow
def test_it_rings_every_five_seconds_until_the_caller_gives_up(host, modem, exchange):
    modem.late_clip = True
    host.ask("AT+CLIP=1")
    exchange.call_in(CUSTOMER, FarEnd(rings_for=5.5))
    host.until(r"\r\nRING\r\n")
    begun = time.monotonic()
    assert "RING" not in host.until(r"\r\nRING\r\n", 6)[:-10]
    assert time.monotonic() - begun == pytest.approx(5, abs=0.2)
    host.until(r"\+CLIP")
    host.until("NO CARRIER\r\n")
    assert host.quiet(0.2)


def test_the_ring_can_be_turned_off(host, exchange):
    host.ask('AT+CLIP=1;+QINDCFG="ring",0;+QINDCFG="ccinfo",1')
    exchange.call_in(CUSTOMER)
    host.until(r'"ccinfo",1,1,4[^\r]*\r\n')
    assert host.quiet(0.1)


def test_a_call_is_rejected(host, exchange):
    exchange.call_in(CUSTOMER)
    host.until("RING")
    assert host.ask("AT+QHUP=21,1") == ["OK"]
    assert exchange.state == "idle"


def test_there_is_nothing_to_answer(host):
    assert host.ask("ATA") == ["NO CARRIER"]


def test_nobody_reaches_a_modem_that_is_away(host, modem, exchange):
    modem.registered = False
    exchange.call_in(CUSTOMER)
    exchange.wait_for("idle")
    modem.unplug()
    exchange.call_in(CUSTOMER)
    exchange.wait_for("idle")
    assert host.said == b""


# SIM, network and time.


@pytest.mark.parametrize(("sim", "code"), [("NOT INSERTED", 10), ("SIM PIN", 11)])
def test_without_a_sim_only_emergency_calls_go_out(host, modem, exchange, sim, code):
    modem.sim = sim
    host.until("CPIN")
    host.ask("AT+CMEE=1")
    assert host.ask(f"ATD{CUSTOMER};") == [f"+CME ERROR: {code}"]
    assert host.ask("AT+CIMI") == [f"+CME ERROR: {code}"]
    for number in ("110", "118", "119"):
        assert host.ask(f"ATD{number};") == ["OK"]
        assert exchange.number == number
        host.ask("AT+CHUP")


def test_the_pin_is_asked_for_three_times(host, modem):
    modem.sim = "SIM PIN"
    host.until(r"\+CPIN: SIM PIN\r\n")
    host.ask("AT+CMEE=1")
    assert host.ask("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]
    assert host.ask('AT+CPIN="0000"') == ["+CME ERROR: 16"]
    assert host.ask("AT+QPINC")[0] == '+QPINC: "SC",2,10'
    assert host.ask('AT+CPIN="1234"') == ["OK"]
    host.until(r"\+CPIN: READY\r\n")
    modem.sim = "SIM PIN"
    for _ in range(3):
        host.ask("AT+CPIN=0000")
    host.until(r"\+CPIN: SIM PUK\r\n")
    assert host.ask("AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]


def test_a_sim_takes_its_time(exchange, tmp_path):
    with QuectelModem(exchange, tmp_path, sim_busy_for=0.3) as modem:
        host = Host(modem.at)
        host.ask("ATE0+CMEE=1")
        assert host.ask("AT+CPIN?") == ["+CME ERROR: 14"]
        host.until(r"\+CPIN: READY")
        assert host.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]
        host.close()


def test_registration_comes_and_goes(host, modem, exchange):
    host.ask("AT+CREG=2;+CEREG=1")
    host.ask(f"ATD{CUSTOMER};")
    modem.registered = False
    host.until(r"\+CREG: 2\r\n\r\n\+CEREG: 2\r\n")
    host.until("NO CARRIER")
    assert host.ask("AT+COPS?;+CREG?") == ["+COPS: 0", "+CREG: 2,2", "OK"]
    assert host.ask(f"ATD{CUSTOMER};") == ["NO CARRIER"]
    assert exchange.state == "idle"
    modem.registered = True
    host.until(r'\+CREG: 1,"1A2B","0123ABCD",7\r\n\r\n\+CEREG: 1\r\n')


def test_the_signal_changes(host, modem):
    host.ask('AT+QINDCFG="csq",1')
    modem.signal = 5
    host.until(r'\+QIND: "csq",5,99\r\n')
    assert host.ask("AT+CSQ")[0] == "+CSQ: 5,99"


def test_the_network_has_told_no_time(host):
    assert host.ask("AT+QLTS;+CCLK?") == ['+QLTS: ""', '+CCLK: "80/01/06,00:00:42+00"', "OK"]


def test_the_network_tells_the_time_and_it_ticks(host, modem):
    host.ask("AT+CTZR=2;+CTZU=3")
    modem.network_time = datetime(2026, 11, 10, 3, 4, 5, tzinfo=UTC).timestamp()
    host.until(r'\+CTZE: "\+36",0,"2026/11/10,12:04:05"\r\n')
    assert host.ask("AT+QLTS=2;+QLTS=1;+CCLK?") == [
        '+QLTS: "2026/11/10,12:04:05+36,0"',
        '+QLTS: "2026/11/10,03:04:05+36,0"',
        '+CCLK: "26/11/10,12:04:05+36"',
        "OK",
    ]
    assert 0 < modem.network_time - datetime(2026, 11, 10, 3, 4, 5, tzinfo=UTC).timestamp() < 1


# Voice.


def start_talking(host, exchange):
    host.ask(f"AT+QPCMV=0;+QPCMV=1,0;D{CUSTOMER};")
    exchange.wait_for("talking")


@pytest.mark.parametrize("piece", [FRAME, 123, 1600])
def test_voice_goes_both_ways_whatever_the_pieces(host, sound, exchange, piece):
    start_talking(host, exchange)
    heard = talk(sound, Tone(600), 75, piece)[25 * FRAME :]
    assert strength(heard, 1000) == pytest.approx(10 ** (-12 / 20), rel=0.05)
    assert strength(heard, 600) < 0.001
    assert strength(exchange.heard[25 * FRAME :], 600) > 0.2
    assert strength(exchange.heard[25 * FRAME :], 1000) < 0.001


def test_voice_is_real_time(host, sound, exchange):
    start_talking(host, exchange)
    talk(sound, Tone(600), 5)
    begun = time.monotonic()
    talk(sound, Tone(600), 50)
    assert time.monotonic() - begun == pytest.approx(1.0, abs=0.1)


def test_no_voice_without_a_call_or_unless_asked_for(host, sound, exchange):
    host.ask("AT+QPCMV=1,0")
    assert sound.quiet(0.1)
    host.ask("AT+QPCMV=0")
    host.ask(f"ATD{CUSTOMER};")
    exchange.wait_for("talking")
    assert sound.quiet(0.1)
    assert host.ask("AT+QPCMV=1,0") == ["OK"]
    assert not sound.quiet(0.2)
    host.ask("AT+CHUP")
    while not sound.quiet(0.06):
        os.read(sound.fd, 4096)


def test_ring_back_is_in_the_band(host, sound, exchange):
    exchange.default = FarEnd(answers_after=10)
    host.ask("AT+QPCMV=1,0;D0312345602;")
    exchange.wait_for("alerting")
    heard = talk(sound, Tone(600), 40)
    assert strength(heard[5 * FRAME :], 400) > 0.05
    assert exchange.heard == b""


def test_some_modems_have_no_voice_over_usb(host, modem):
    modem.voice = False
    assert host.ask("AT+QPCMV?") == ["ERROR"]
    assert host.ask("AT+QPCMV=1,0") == ["ERROR"]


def test_the_microphone_can_be_muted(host, sound, exchange):
    host.ask("AT+CMUT=1")
    start_talking(host, exchange)
    talk(sound, Tone(600), 25)
    assert set(exchange.heard) == {0}


def test_a_reader_who_is_late_does_not_stop_the_clock(host, modem, sound, exchange):
    start_talking(host, exchange)
    for _ in range(100):
        threading.Event().wait(0.02)
        if modem.sound.dropped > 10:
            break
    assert modem.sound.dropped > 10
    stale = os.read(sound.fd, 100_000)
    assert len(stale) <= 12 * FRAME


def test_a_writer_who_is_too_fast_is_asked_to_stop(host, sound, exchange):
    start_talking(host, exchange)
    os.write(sound.fd, bytes(30 * FRAME)[:4000])
    os.write(sound.fd, bytes(30 * FRAME)[:4000])
    talk(sound, Tone(600), 2)
    os.write(sound.fd, bytes(4000))
    host.until(r"\r\n\+QPCMV: 0,0\r\n")
    host.until(r"\r\n\+QPCMV: 1,0\r\n")


def test_flow_control_by_hand(host, modem, sound, exchange):
    start_talking(host, exchange)
    modem.flow(stop=True)
    host.until(r"\r\n\+QPCMV: 0,0\r\n")
    talk(sound, Tone(600), 10)
    assert host.quiet(0)
    assert modem.sound.held > 0
    modem.flow(stop=False)
    host.until(r"\r\n\+QPCMV: 1,0\r\n")


def test_voice_can_be_forgotten_after_a_call(host, modem, exchange):
    modem.forgets_pcm = True
    start_talking(host, exchange)
    host.ask("AT+CHUP")
    host.ask("AT")
    assert host.ask("AT+QPCMV?")[0] == "+QPCMV: 0,0"


# Bad days.


def hung_up(fd, patience=2.0):
    """Whether a reader of the port sees the cable pulled."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    end = time.monotonic() + patience
    while time.monotonic() < end:
        for _, what in poll.poll(100):
            if what & select.POLLHUP:
                try:
                    return os.read(fd, 4096) == b""
                except OSError as problem:
                    return problem.errno == errno.EIO
            os.read(fd, 4096)
    return False


def test_pulling_the_plug_is_seen_on_both_ports(host, sound, modem, exchange):
    start_talking(host, exchange)
    modem.unplug()
    assert hung_up(host.fd)
    assert hung_up(sound.fd)
    assert not os.path.lexists(modem.at)
    assert not os.path.lexists(modem.pcm)
    assert exchange.state == "idle"


def test_a_blocked_reader_is_woken_when_the_plug_is_pulled(modem):
    seen = queue.SimpleQueue()

    def read():
        with serial.Serial(modem.at, timeout=5) as port:
            seen.put("open")
            try:
                seen.put(port.read(1))
            except serial.SerialException as problem:
                seen.put(problem)

    reader = threading.Thread(target=read)
    reader.start()
    assert seen.get(timeout=2) == "open"
    modem.unplug()
    assert isinstance(seen.get(timeout=2), serial.SerialException)
    reader.join(2)


def test_plugged_in_again_it_has_forgotten_everything(host, modem):
    host.ask('AT+CMEE=1;+CLIP=1;+QPCMV=1,0;+QINDCFG="ccinfo",1')
    modem.unplug()
    modem.unplug()
    modem.plug()
    modem.plug()
    again = Host(modem.at)
    again.send("AT+CLIP?\r")
    assert again.until("OK") == "AT+CLIP?\r\r\n+CLIP: 0,1\r\n\r\nOK"
    again.ask("ATE0")
    assert again.ask('AT+QPCMV?;+QINDCFG="ccinfo";+CMEE?') == ["+QPCMV: 0,0", '+QINDCFG: "ccinfo",0', "+CMEE: 0", "OK"]
    again.close()


def test_voice_works_again_after_the_plug_was_pulled_in_a_call(host, modem, exchange):
    start_talking(host, exchange)
    modem.unplug()
    modem.plug()
    again, sound = Host(modem.at), Host(modem.pcm)
    again.ask("ATE0")
    start_talking(again, exchange)
    assert strength(talk(sound, Tone(600), 30), 1000) > 0.2
    again.close()
    sound.close()


def test_a_call_can_outlive_the_usb(host, modem, exchange):
    host.ask(f"ATD{CUSTOMER};")
    exchange.wait_for("talking")
    modem.unplug(call_survives=True)
    modem.plug()
    again = Host(modem.at)
    again.ask("ATE0")
    assert again.ask("AT+CLCC")[0].startswith("+CLCC: 1,0,0")
    again.close()


def test_the_voice_port_may_come_later(exchange, tmp_path):
    with QuectelModem(exchange, tmp_path, pcm_late=0.1) as modem:
        Host(modem.at).close()
        assert not os.path.lexists(modem.pcm)
        for _ in range(100):
            if modem.sound.port.plugged:
                break
            threading.Event().wait(0.02)
        Host(modem.pcm).close()


def test_silence(host, modem, exchange):
    modem.silent = True
    host.send("AT\r")
    modem.wait_for("AT", 1)
    exchange.call_in(CUSTOMER)
    assert host.quiet(0.15)
    modem.silent = False
    assert host.ask("AT+CSQ") == ["+CSQ: 17,99", "OK"]


def test_slowness_delays_answers_but_not_urcs(host, modem):
    modem.slow = 0.3
    begun = time.monotonic()
    host.send("AT+CSQ\rAT+CPIN?\r")
    modem.wait_for("AT+CSQ")
    modem.say("+QIND: SMS DONE")
    host.until("SMS DONE")
    assert time.monotonic() - begun < 0.25
    host.until(r"\+CSQ: 17,99\r\n\r\nOK")
    assert time.monotonic() - begun >= 0.3
    host.until(r"\+CPIN: READY\r\n\r\nOK")
    assert time.monotonic() - begun >= 0.6


def test_garbling_damages_some_bytes_either_way(host, modem):
    modem.garble = 0.2
    for _ in range(20):
        host.send("AT+CSQ\r")
    for _ in range(20):
        host.quiet(0.02)
        if select.select([host.fd], [], [], 0)[0]:
            host.said += os.read(host.fd, 4096)
    modem.garble = 0.0
    assert {line for line in modem.heard if line != "AT+CSQ"} - {"ATE0"}
    assert host.said != b"\r\n+CSQ: 17,99\r\n\r\nOK\r\n" * 20
    host.send("\r")
    host.said = b""
    host.send("AT+CPIN?\r")
    host.until(r"\+CPIN: READY\r\n\r\nOK\r\n")


def test_raw_lines_can_be_injected(host, modem):
    modem.say("+CREG: 5", '+CLIP: "","OK SHOP"')
    host.until(r'\r\n\+CREG: 5\r\n\r\n\+CLIP: "","OK SHOP"\r\n')


def test_a_wrong_option_is_refused(exchange, tmp_path):
    with pytest.raises(TypeError):
        QuectelModem(exchange, tmp_path, volice=True)


def test_nothing_is_left_behind(tmp_path):
    threads, files = set(threading.enumerate()), len(list(Path("/proc/self/fd").iterdir()))
    with Exchange() as exchange:
        for _ in range(3):
            with QuectelModem(exchange, tmp_path) as modem:
                host, sound = Host(modem.at), Host(modem.pcm)
                start_talking(host, exchange)
                talk(sound, Tone(600), 3)
                modem.unplug()
                modem.plug()
                host.close()
                sound.close()
    assert set(threading.enumerate()) == threads
    assert len(list(Path("/proc/self/fd").iterdir())) == files
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_call_costs_little(host, sound, exchange):
    """One call both ways, this test's own share included."""
    exchange.book[CUSTOMER] = FarEnd(answers_after=0.05, voice=Tone(1000))
    start_talking(host, exchange)
    talk(sound, Tone(600), 25)
    begun = time.process_time()
    talk(sound, Tone(600), 200)
    assert (time.process_time() - begun) / 4 < 0.10
    assert exchange.heard[-FRAME:] != SILENCE
