"""Calls through the emulated EC25, as its AT port tells them."""

import re
import time

import pytest

from hw.emulated.exchange import FarEnd
from hw.emulated.gsm import GsmModem

CUSTOMER = "0312345601"


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


def test_an_ep06_knows_no_ccinfo(exchange, tmp_path, connect):
    with GsmModem("quectel", exchange, tmp_path, ccinfo=False) as modem:
        host = connect(modem.at)
        host.ask("ATE0")
        assert host.ask('AT+QINDCFG="ccinfo",1,0') == ["ERROR"]
        assert host.ask("AT^DSCI=1") == ["OK"]


def test_urcs_can_come_before_the_ok_that_caused_them(host, modem):
    modem.early_urc = True
    host.ask('AT+QINDCFG="ccinfo",1,0')
    host.send(f"ATD{CUSTOMER};\r")
    assert '"ccinfo",1,0,2' in host.until("OK")


def test_with_colp_the_ok_waits_for_the_answer(host, exchange):
    host.ask("AT+COLP=1")
    host.send(f"ATD{CUSTOMER};\r")
    exchange.wait_for("alerting")
    assert host.quiet(0.05) or exchange.state == "talking"
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
    assert host.answer() == [result]
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
    assert time.monotonic() - begun > 4.5
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
