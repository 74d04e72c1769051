"""What each make of emulated modem says, met with bare hands."""

import os
import select
import threading
import time
from pathlib import Path

import pytest

from hw.contracts import FRAME, SILENCE
from hw.emulated.exchange import FarEnd
from hw.emulated.gsm import GsmModem
from hw.emulated.makes import MAKES
from hw.emulated.session import Setting

CUSTOMER = "0312345601"
STEADY = FarEnd(answers_after=0.3, then="hangs up wordlessly", ends_after=0.2)
ROW = rf'\+CLCC: 1,{{}},{{}},0,0,"{CUSTOMER}",129'


def dial(host, number=CUSTOMER):
    host.send(f"ATD{number};\r")
    host.until(r"\r\nOK\r\n")


def said_in_order(host, *patterns):
    for pattern in patterns:
        host.until(rf"\r\n{pattern}\r\n")


def frames(fd, count, patience=20.0):
    """So many bytes of voice as `count` frames have."""
    heard, end = b"", time.monotonic() + patience
    while len(heard) < count * FRAME:
        assert time.monotonic() < end
        if select.select([fd], [], [], 0.1)[0]:
            heard += os.read(fd, 4096)
    return heard


@pytest.mark.parametrize("make", MAKES)
def test_every_make_calls_is_called_and_hangs_up(bring, exchange, make):
    modem, host = bring(make)
    exchange.book[CUSTOMER] = FarEnd(answers_after=0.05)
    host.send(f"ATD{CUSTOMER};\r")
    exchange.wait_for("talking")
    host.send("AT+CHUP\r")
    exchange.wait_for("idle")
    assert exchange.call_in(CUSTOMER)
    host.until(r"\r\nRING\r\n")
    host.send("ATA\r")
    exchange.wait_for("talking")
    host.send("AT+CHUP\r")
    exchange.wait_for("idle")
    host.said = b""
    host.send("AT+CGMM\r")
    host.until(modem.model)


@pytest.mark.parametrize(
    ("make", "command", "answer"),
    [
        ("quectel-uac", "AT+QPCMV=1,2;+QPCMV?", ["+QPCMV: 1,2"]),
        ("quectel-uac", 'AT+QCFG="usbcfg"', ['+QCFG: "usbcfg",0x2C7C,0x0125,1,1,1,1,1,1,1']),
        ("quectel", "AT+QCCID", ["+QCCID: 8988100000000000001F"]),
        ("quectel", "AT+CIREG?", ["+CIREG: 0,1,1"]),
        ("sim7600", "AT+CGMI;+CGMM", ["SIMCOM INCORPORATED", "SIMCOM_SIM7600G-H"]),
        ("sim7600", "AT+CGMR", ["+CGMR: LE20B05SIM7600G22"]),
        ("sim7600", "AT+CPCMREG=?", ["+CPCMREG: (0-1)"]),
        ("sim7600", "AT+CPCMREG?", ["+CPCMREG: 0"]),
        ("sim7600", "AT+CLCC=?", ["+CLCC: (0-1)"]),
        ("sim7600", "AT+CSCLK=0;+CLCC=1;+CLCC?", ["+CLCC: 1"]),
        ("sim7600", "AT+CNSMOD=1;+CEREG=2;+AUTOCSQ=1,1;+DDET=1;+CPCMFRM=0;+CPCMREG=0;+COUTGAIN=8;+CMICGAIN=3", []),
        ("sim7600", "AT+CICCID", ["+ICCID: 8988100000000000001F"]),
        ("sim7600", "AT+SPIC", ["+SPIC: 3,3,10,10"]),
        ("a7670", "AT+CGMM;+CGMR", ["A7670E-FASE", "+CGMR: A011B07A7670M7"]),
        ("sim800", "AT+CGMI", ["SIMCOM_Ltd"]),
        ("sim800", "AT+IPR=115200;+MORING=1;+CLCC=1;+DDET=1;+CLTS=1", []),
        ("sim800", 'AT+EXUNSOL="SQ",1;+CMIC=0,10;+ECHO=0,96,253,16388', []),
        ("sim800", "AT+CCID", ["8988100000000000001F"]),
        ("huawei", "AT+CGMI;+CGMM;+CGMR", ["huawei", "E1550", "11.609.20.00.00"]),
        ("huawei", "AT^CVOICE?", ["^CVOICE:0,8000,16,20"]),
        ("huawei", "AT^CURC=1;+CSSN=1,1;^DDTMFCFG=0,1;+CLVL=1;+CLVL=5;^U2DIAG=0", []),
        ("huawei", "AT^CPIN?", ["^CPIN: READY,,10,3,10,3"]),
        ("huawei", "AT^ICCID?", ["^ICCID: 8988100000000000001F"]),
        ("huawei", "AT^SYSINFO", ["^SYSINFO:2,3,0,5,1,,4"]),
        ("huawei", "AT^GETPORTMODE", ["^GETPORTMODE: TYPE: WCDMA: huawei,MDM:0,DIAG:1,PCUI:2"]),
        ("generic", "AT+CEREG?;+CPINR", ["+CEREG: 0,1", *(f"+CPINR: SIM {code}" for code in
            ("PIN,3,3", "PUK,10,10", "PIN2,3,3", "PUK2,10,10"))]),
        ("generic", 'AT+CSIM=10,"0020000100"', ['+CSIM: 4,"63C3"']),
        ("generic", 'AT+CLCK="SC",2', ["+CLCK: 0"]),
        ("odd", "AT+CGMI", ["ZTE INCORPORATED"]),
    ],
)  # fmt: skip
def test_they_know_their_commands(bring, make, command, answer):
    _, host = bring(make)
    assert host.ask(command) == [*answer, "OK"]


@pytest.mark.parametrize(
    ("make", "command"),
    [
        ("generic", "AT+CLCC=1"),
        ("generic", "AT+QPCMV=1,0"),
        ("generic", "AT^CVOICE?"),
        ("sim800", "AT+CEREG?"),
        ("sim800", "AT+CPCMREG=0"),
        ("quectel", "AT+CLCC=1"),
        ("sim7600", "AT+CPCMFRM=1"),
    ],
)
def test_they_know_no_others(bring, make, command):
    _, host = bring(make)
    assert host.ask(command)[-1] == "ERROR"


def test_huawei_has_words_for_errors(bring):
    modem, host = bring("huawei")
    host.send("AT+CEREG?\r")
    host.until("\r\nCOMMAND NOT SUPPORT\r\n")
    host.send("AT+CLIP=1,2,3\r")
    host.until("\r\nTOO MANY PARAMETERS\r\n")
    modem.wordy_errors = False
    assert host.ask("AT+VTS=5") == ["ERROR"]


def test_a_call_on_a_huawei_stick(bring, exchange):
    exchange.book[CUSTOMER] = STEADY
    _, host = bring("huawei")
    dial(host)
    said_in_order(host, r"\^ORIG:1,0", r"\^CONF:1", r"\^CONN:1,0", r"\^CEND:1,0,25,16")


@pytest.mark.parametrize(
    ("outcome", "end"),
    [("busy", "0,25,17"), ("no answer", "0,25,19"), ("unassigned", "0,25,1"), ("rejects", "0,25,21")],
)
def test_a_huawei_stick_gives_the_cause(bring, exchange, outcome, end):
    exchange.default = FarEnd(outcome=outcome, answers_after=0.1, rings_for=0.1)
    modem, host = bring("huawei")
    dial(host, "0312345602")
    assert "BUSY" not in host.until(rf"\r\n\^CEND:1,{end}\r\n")
    modem.cend_twice = True
    dial(host, "0312345602")
    assert ("BUSY" if outcome == "busy" else "NO CARRIER") in host.until(rf"\^CEND:1,{end}\r\n")


def test_a_congested_network_has_a_cause_of_its_own(bring, exchange):
    exchange.default = FarEnd(outcome="unassigned", answers_after=0.1, cause=42)
    _, host = bring("huawei")
    dial(host, "0312345602")
    host.until(r"\^CEND:1,0,25,42\r\n")


def test_a_huawei_call_that_ends_here_before_the_answer_has_no_cause(bring, exchange):
    exchange.default = FarEnd(answers_after=20)
    _, host = bring("huawei")
    dial(host, "0312345602")
    host.until(r"\^CONF:1")
    assert host.ask("ATH") == ["OK"]
    assert exchange.state == "alerting"
    assert host.ask("AT+CHUP") == ["OK"]
    host.until(r"\r\n\^CEND:1,0,29\r\n")


def test_a_huawei_call_that_ends_here_counts_its_seconds(bring):
    _, host = bring("huawei")
    dial(host)
    host.until(r"\^CONN:1,0\r\n")
    host.ask("AT+CHUP")
    host.until(r"\r\n\^CEND:1,[01],29,16\r\n")


def test_somebody_calls_a_huawei_stick_and_gives_up(bring, exchange):
    _, host = bring("huawei")
    host.ask("AT+CLIP=1")
    exchange.call_in(CUSTOMER)
    said_in_order(host, "RING", rf'\+CLIP: "{CUSTOMER}",129,,,,0')
    exchange.hang_up()
    host.until(r"\^CEND:1,0,25,16\r\n")
    exchange.call_in(CUSTOMER)
    host.until("CLIP.*\r\n")
    assert host.ask("ATA") == ["OK"]
    host.until(r"\^CONN:1,0\r\n")


def test_huawei_voice_begins_when_it_is_asked_for_in_a_call(bring, exchange, connect):
    modem, host = bring("huawei")
    sound = connect(modem.pcm)
    assert host.ask("AT^DDSETEX=2") == ["OK"]
    exchange.default = FarEnd(answers_after=20)
    dial(host, "0312345602")
    exchange.wait_for("alerting")
    host.until(r"\^CONF:1\r\n")
    assert sound.quiet(0.1)
    assert host.ask("AT^DDSETEX=2") == ["OK"]
    assert len(frames(sound.fd, 3)) >= 3 * FRAME  # the ring-back tone is in the band
    host.ask("AT+CHUP")
    while not sound.quiet(0.06):
        os.read(sound.fd, 4096)


def test_only_quectel_asks_to_stop_sending_voice(bring, exchange, connect):
    modem, host = bring("huawei")
    sound = connect(modem.pcm)
    dial(host)
    exchange.wait_for("talking")
    host.until(r"CONN:1,0\r\n")
    host.ask("AT^DDSETEX=2")
    frames(sound.fd, 2)
    while not modem.sound.spilled:
        os.write(sound.fd, bytes(FRAME)) if select.select([], [sound.fd], [], 0.01)[1] else None
    modem.flow(stop=True)
    assert host.quiet(0.05)
    assert modem.sound.held == 0


def test_huawei_sends_one_tone_at_a_time(bring, exchange):
    _, host = bring("huawei")
    dial(host)
    exchange.wait_for("talking")
    assert host.ask("AT^DTMF=1,5")[-1] == "OK"
    assert host.ask("AT^DTMF=1,22")[-1] == "OK"
    assert exchange.keyed == "52"
    host.send("AT^DTMF=1,A\r")
    host.until("TOO MANY PARAMETERS")
    assert host.ask("AT^DTMF=2,5")[-1] == "ERROR"


def test_huawei_notices_can_be_turned_off(bring, exchange):
    modem, host = bring("huawei")
    modem.signal = 9
    host.until(r"\^RSSI:9\r\n")
    host.ask("AT^CURC=0")
    dial(host)
    exchange.wait_for("talking")
    assert host.ask("AT+CLCC") == [f'+CLCC: 1,0,0,0,0,"{CUSTOMER}",129', "OK"]


def test_huawei_noise(bring):
    _, host = bring("huawei", noise=0.02)
    said_in_order(host, r"\^BOOT:\d+,0,0,0,\d+", r"\^MODE:5,4", r"\^DSFLOWRPT:[0-9A-F,]+", r"\^RSSI:17")


def test_a_call_on_a_sim7600(bring, exchange):
    exchange.book[CUSTOMER] = STEADY
    _, host = bring("sim7600")
    host.ask("AT+CLCC=1")
    dial(host)
    said_in_order(host, ROW.format(0, 2), ROW.format(0, 3), ROW.format(0, 0), "VOICE CALL: BEGIN")
    said_in_order(host, ROW.format(0, 6), r"VOICE CALL: END: 00000\d", "NO CARRIER")


def test_a_sim7600_has_no_seconds_for_a_call_that_nobody_answered(bring, exchange):
    exchange.default = FarEnd(outcome="busy", answers_after=0.1)
    _, host = bring("sim7600")
    dial(host, "0312345602")
    said_in_order(host, "VOICE CALL: END", "BUSY")


def test_a_sim7600_tells_of_missed_calls(bring, exchange):
    modem, host = bring("sim7600")
    modem.network_time = 0
    exchange.call_in(CUSTOMER)
    host.until("RING")
    exchange.hang_up()
    said_in_order(host, "VOICE CALL: END", rf"MISSED_CALL: 09:00AM {CUSTOMER}", "NO CARRIER")


def test_sim7600_voice_waits_for_the_answer_and_a_moment_longer(bring, exchange, connect):
    modem, host = bring("sim7600", pcm_settle=0.4)
    sound = connect(modem.pcm)
    exchange.default = FarEnd(answers_after=20)
    dial(host, "0312345602")
    exchange.wait_for("alerting")
    assert host.ask("AT+CPCMREG=1") == ["ERROR"]
    exchange.change("answers")
    host.until("VOICE CALL: BEGIN\r\n")
    assert host.ask("AT+CPCMREG=1") == ["ERROR"]
    modem.pcm_settle = 0.0
    assert host.ask("AT+CPCMREG=1") == ["OK"]
    assert frames(sound.fd, 3)
    assert host.ask("AT+CPCMREG=0,1") == ["OK"]
    while not sound.quiet(0.06):
        os.read(sound.fd, 4096)


def test_a_sim7600_hears_tones_and_signal(bring, exchange):
    modem, host = bring("sim7600")
    host.ask("AT+DDET=1;+AUTOCSQ=1,1")
    dial(host)
    exchange.wait_for("talking")
    exchange.press("5")
    host.until(r"\r\r\n\+RXDTMF: 5\r\r\n")
    modem.signal = 4
    host.until(r"\r\n\+CSQ: 4,99\r\n")


@pytest.mark.parametrize(("make", "command"), [("sim7600", "AT+CRESET"), ("generic", "AT+CFUN=1,1")])
def test_a_reset_takes_the_ports_away_and_brings_them_back(bring, connect, make, command):
    modem, host = bring(make, reset_for=0.1)
    assert host.ask(command)[-1] == "OK"
    gone = select.poll()
    gone.register(host.fd, 0)
    assert gone.poll(20_000)[0][1] & select.POLLHUP
    end = time.monotonic() + 20
    while not modem.plugged:
        assert time.monotonic() < end
        select.select([], [], [], 0.01)
    again = connect(modem.at)
    again.send("AT\r")
    assert again.until("OK").endswith("AT\r\r\nOK")
    again.close()


def test_boot_notices(exchange, tmp_path, connect):
    with GsmModem("sim7600", exchange, tmp_path) as modem:
        said_in_order(connect(modem.at), "RDY", r"\+CPIN: READY", "SMS DONE", "PB DONE")


def test_a_sim800_finds_the_speed_by_the_first_line(exchange, tmp_path, connect):
    with GsmModem("sim800", exchange, tmp_path) as modem:
        host = connect(modem.at)
        host.send("AT\r")
        modem.wait_for("AT")
        said_in_order(host, "RDY", r"\+CFUN: 1", r"\+CPIN: READY", "Call Ready", "SMS Ready")
        assert host.quiet(0.05)
        assert "OK" in host.ask("AT")


def test_a_call_on_a_sim800(bring, exchange):
    exchange.book[CUSTOMER] = STEADY
    _, host = bring("sim800")
    host.ask("AT+MORING=1;+CLCC=1")
    dial(host)
    row = ROW + ',""'
    said_in_order(host, row.format(0, 2), "MO RING", row.format(0, 3), "MO CONNECTED", row.format(0, 0))
    said_in_order(host, row.format(0, 6), "NO CARRIER")


def test_a_sim800_without_asking_tells_only_the_end(bring, exchange):
    exchange.default = FarEnd(outcome="busy", answers_after=0.1)
    _, host = bring("sim800")
    dial(host, "0312345602")
    assert host.until("BUSY\r\n") == "\r\nBUSY\r\n"
    host.ask("ATX2")
    dial(host, "0312345602")
    host.until("NO CARRIER\r\n")


def test_a_sim800_tells_tones_signal_and_time(bring, exchange):
    modem, host = bring("sim800")
    host.ask('AT+DDET=1;+CLTS=1;+EXUNSOL="SQ",1')
    dial(host)
    exchange.wait_for("talking")
    exchange.press("#")
    said_in_order(host, r"\+DTMF: #")
    modem.signal = 3
    said_in_order(host, r"\+CSQN: 3,0")
    modem.network_time = 0
    said_in_order(host, r'\*PSUTTZ: 1970,01,01,00,00,00,"\+36",0', "DST: 0")


def test_a_sim800_without_network(bring):
    modem, host = bring("sim800")
    modem.registered = False
    host.send(f"ATD{CUSTOMER};\r")
    host.until("NO DIALTONE\r\n")
    modem.unserved = "NO DIAL TONE"
    host.send(f"ATD{CUSTOMER};\r")
    host.until("NO DIAL TONE\r\n")


def test_a_generic_modem_tells_only_the_end_and_lists_the_call(bring, exchange):
    exchange.default = FarEnd(answers_after=0.05)
    _, host = bring("generic")
    dial(host, "0312345602")
    exchange.wait_for("talking")
    assert host.ask("AT+CLCC") == ['+CLCC: 1,0,0,0,0,"0312345602",129', "OK"]
    exchange.hang_up()
    assert host.until("NO CARRIER\r\n") == "\r\nNO CARRIER\r\n"


def test_an_odd_modem_answers_no_dial(bring, exchange):
    exchange.default = FarEnd(answers_after=20)
    _, host = bring("odd")
    host.send("ATD0312345602;\r")
    exchange.wait_for("alerting")
    assert host.quiet(0.05)
    assert host.ask("AT+CLCC") == ['+CLCC: 1,0,3,0,0,"0312345602",129', "OK"]
    exchange.change("answers")
    assert host.until(r"CONNECT\r\n") == "\r\nCONNECT\r\n"
    assert host.ask("AT+CHUP") == ["OK"]
    assert host.until(r"HANGUP: 1\r\n") == "\r\nHANGUP: 1\r\n"
    host.send("ATD;\r")
    host.until("ERROR")


@pytest.mark.parametrize("make", [name for name, make in MAKES.items() if make.voice == "card"])
def test_a_card_carries_the_voice(bring, exchange, make):
    modem, host = bring(make)
    assert modem.pcm == ""
    if make == "quectel-uac":
        host.ask("AT+QPCMV=1,2")
    host.send(f"ATD{CUSTOMER};\r")
    exchange.wait_for("talking")
    modem.card.open()
    heard, end = set(), time.monotonic() + 20
    while not (heard - {SILENCE} and any(exchange.heard)):
        assert time.monotonic() < end
        modem.card.write(b"\x01\x02" * (FRAME // 2))
        select.select([], [], [], 0.01)
        heard.add(modem.card.read())
    modem.card.close()
    assert modem.card.read() is None


def test_each_make_has_settings_that_it_would_accept():
    for make in MAKES.values():
        for setting in make.settings.values():
            assert isinstance(setting, Setting)
        assert make.circumstances({})["model"]


def test_an_unknown_make_is_refused(exchange, tmp_path):
    with pytest.raises(ValueError, match="nonsuch"):
        GsmModem("nonsuch", exchange, tmp_path)


@pytest.mark.parametrize("make", MAKES)
def test_nothing_is_left_behind(exchange, tmp_path, connect, make):
    threads, files = set(threading.enumerate()), len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(2):
        with GsmModem(make, exchange, tmp_path, reset_for=0.01) as modem:
            host = connect(modem.at)
            host.send(f"AT\rAT+CFUN=1\rATD{CUSTOMER};\r")
            exchange.wait_for("talking")
            modem.restart()
            exchange.wait_for("idle")
            host.close()
    exchange.close()
    assert set(threading.enumerate()) == threads
    assert len(list(Path("/proc/self/fd").iterdir())) == files
    assert not list(tmp_path.iterdir())
