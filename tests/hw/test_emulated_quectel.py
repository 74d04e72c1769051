"""The emulated EC25 on its AT port, met with bare hands."""

import re
from datetime import UTC, datetime

import pytest
import serial

from hw.emulated.gsm import GsmModem

CUSTOMER = "0312345601"


def test_it_echoes_until_it_is_told_not_to(modem, connect):
    host = connect(modem.at)
    host.send("AT+CSQ\r")
    assert host.until(r"OK\r\n") == "AT+CSQ\r\r\n+CSQ: 17,99\r\n\r\nOK\r\n"
    host.send("ATE0\r")
    assert host.until(r"OK\r\n") == "ATE0\r\r\nOK\r\n"
    host.send("AT\r")
    assert host.until(r"OK\r\n") == "\r\nOK\r\n"


def test_pyserial_can_open_it(modem):
    with serial.Serial(modem.at, 115200, timeout=2, exclusive=True) as port:
        port.write(b"ATE0\r")
        assert port.read_until(b"OK\r\n").endswith(b"\r\nOK\r\n")


def test_a_command_may_come_in_pieces_and_several_at_once(host, modem):
    host.send("AT+C")
    host.send("SQ\rAT+CPI")
    host.send("N?\r")
    assert host.answer() == ["+CSQ: 17,99", "OK"]
    assert host.answer() == ["+CPIN: READY", "OK"]
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


def test_a_sim_takes_its_time(exchange, tmp_path, connect):
    with GsmModem("quectel", exchange, tmp_path, sim_busy_for=0.3) as modem:
        host = connect(modem.at)
        host.ask("ATE0+CMEE=1")
        assert host.ask("AT+CPIN?") == ["+CME ERROR: 14"]
        host.until(r"\+CPIN: READY")
        assert host.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]


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
