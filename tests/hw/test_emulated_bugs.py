"""Every bug of the makes can be switched on, and does what it is said to do."""

import os
import re
import select
import time
from array import array
from dataclasses import fields
from pathlib import Path

import pytest

from hw.contracts import FRAME
from hw.emulated.bugs import Bugs
from hw.emulated.cable import Cable
from hw.emulated.exchange import FarEnd
from hw.emulated.gsm import GsmModem

CUSTOMER, SECOND = "0312345601", "0312345602"
SLOW = FarEnd(answers_after=20)


def test_every_bug_is_tried_somewhere():
    tried = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_emulated_*.py"))
    assert [bug.name for bug in fields(Bugs) if not re.search(rf"\b{bug.name}\b", tried)] == []


def test_every_bug_is_explained():
    assert [bug.name for bug in fields(Bugs) if not re.search(rf"^ +{bug.name} ", Bugs.__doc__, re.MULTILINE)] == []


def dial(host, number=CUSTOMER):
    host.send(f"ATD{number};\r")
    host.until(r"OK\r+\n")


def back(modem, host):
    """Wait until the modem has gone, which its port shows, and come back."""
    gone = select.poll()
    gone.register(host.fd, 0)
    assert gone.poll(20_000)
    end = time.monotonic() + 20
    while not modem.plugged:
        assert time.monotonic() < end
        select.select([], [], [], 0.01)


# How it writes.


@pytest.mark.parametrize(
    ("bug", "command", "written"),
    [
        ({"no_blank": True}, "AT+CSQ", "\r\n+CSQ: 17,99\r\nOK\r\n"),
        ({"crcrlf": True}, "AT+CSQ", "\r\r\n+CSQ: 17,99\r\r\n\r\r\nOK\r\r\n"),
        ({"no_space": True}, "AT+CREG?", "\r\n+CREG:0,1\r\n\r\nOK\r\n"),
        ({"urc_in_reply": "^RSSI:9"}, "AT+CSQ", "\r\n+CSQ: 17,99\r\n\r\n^RSSI:9\r\n\r\nOK\r\n"),
        ({"glued_cnum": True}, "AT+CNUM", '\r\nERROR+CNUM: ,"09012345600",129\r\n\r\nOK\r\n'),
        ({"wordy_errors": True}, "AT+X", "\r\nCOMMAND NOT SUPPORT\r\n"),
        ({"lacks": ("+CHUP",)}, "AT+CHUP=?", "\r\nERROR\r\n"),
    ],
)
def test_replies_are_written_wrongly(bring, bug, command, written):
    modem, host = bring("generic")
    for name, value in bug.items():
        setattr(modem, name, value)
    host.send(f"{command}\r")
    assert host.until(written.replace("+", r"\+").replace("^", r"\^").replace("?", r"\?")) == written


def test_a_pin_state_without_a_final_result(bring):
    _, host = bring("generic", cpin_no_ok=True)
    host.send("AT+CPIN?\r")
    assert host.until("READY\r\n") == "\r\n+CPIN: READY\r\n"
    assert host.quiet(0.05)


@pytest.mark.parametrize(
    ("row", "end"),
    [
        ("whole", f',"{CUSTOMER}",129'),
        ("no number", ""),
        ("empty number", ',"",129'),
        ("empty name", f',"{CUSTOMER}",129,""'),
        ("empty name and validity", f',"{CUSTOMER}",129,"",,0'),
    ],
)
def test_rows_of_the_call_list(bring, exchange, row, end):
    _, host = bring("generic", clcc_row=row)
    dial(host)
    exchange.wait_for("talking")
    assert host.ask("AT+CLCC") == [f"+CLCC: 1,0,0,0,0{end}", "OK"]


def test_a_caller_can_have_a_treacherous_name(bring, exchange):
    _, host = bring("generic", alpha="OK SHOP")
    host.ask("AT+CLIP=1")
    exchange.call_in(CUSTOMER)
    host.until(rf'\+CLIP: "{CUSTOMER}",129,,,"OK SHOP",0\r\n')
    assert host.ask("AT+CLCC") == [f'+CLCC: 1,1,4,0,0,"{CUSTOMER}",129,"OK SHOP"', "OK"]


# How it answers commands.


def test_a_sim800_with_a_fixed_speed_says_at_once_that_it_is_there(exchange, tmp_path, connect):
    with GsmModem("sim800", exchange, tmp_path, autobaud=False) as modem:
        host = connect(modem.at)
        host.until(r"\r\nRDY\r\n[\s\S]*SMS Ready\r\n")
        assert host.ask("AT")[-1] == "OK"


def test_a_late_answer_is_taken_for_the_next_ones(bring):
    modem, host = bring("generic", withholds="AT+CSQ")
    host.send("AT+CSQ\r")
    modem.wait_for("AT+CSQ")
    assert host.quiet(0.05)
    modem.withholds = ""
    host.send("AT+NONSENSE\r")
    assert host.answer() == ["+CSQ: 17,99", "OK"]
    assert host.answer() == ["ERROR"]


@pytest.mark.parametrize(
    ("make", "news", "cure"),
    [("huawei", "RSSI:9", "AT+CFUN=1,1"), ("sim7600", "CREG: 2", "AT+CRESET"), ("quectel", "CREG: 2", "AT+CFUN=1,1")],
)
def test_wedged_it_answers_nothing_but_talks_until_it_is_reset(bring, connect, make, news, cure):
    modem, host = bring(make, reset_for=0.05, noise=0.0)
    host.ask("AT+CREG=1")
    modem.wedged = "commands"
    host.send("AT\r" if make == "sim7600" else "AT\rAT+CRESET\r")  # which the others do not know
    modem.signal, modem.registered = 9, False
    assert news in host.until(news)
    host.send(f"{cure}\r")
    back(modem, host)
    assert modem.wedged == ""
    again = connect(modem.at)
    assert again.ask("AT")[-1] == "OK"
    again.close()


@pytest.mark.parametrize("wedged", ["all", "dead"])
def test_wedged_altogether_it_says_nothing_and_a_new_plug_helps(bring, connect, wedged):
    modem, host = bring("huawei")
    modem.wedged = wedged
    host.send("AT\r" if wedged == "all" else "AT+CFUN=1,1\r")
    modem.wait_for("AT")
    modem.signal = 9
    modem.say("+CREG: 1")
    assert host.quiet(0.3)
    modem.unplug()
    modem.plug()
    again = connect(modem.at)
    assert again.ask("AT")[-1] == "OK"
    again.close()


def test_a_command_can_wedge_it(bring):
    modem, host = bring("generic", wedges_on="AT+CSQ")
    assert host.ask("AT+CPIN?")[-1] == "OK"
    host.send("AT+CSQ\rAT\r")
    modem.wait_for("AT+CSQ")
    assert host.quiet(0.05)
    assert modem.wedged == "commands"


def test_qhup_wedges_an_ep06(bring, exchange):
    _, host = bring("quectel", qhup_wedges=True)
    dial(host)
    assert host.ask("AT+QHUP=16,1") == ["OK"]
    exchange.wait_for("idle")
    host.send("AT\r")
    assert host.quiet(0.05)


def test_ending_one_call_during_the_set_up_wedges_a_huawei_stick(bring, exchange):
    exchange.default = FarEnd(answers_after=20, outcome="busy")
    modem, host = bring("huawei", chld_wedges=True)
    dial(host, SECOND)
    host.until(r"\^ORIG:1,0\r\n")
    host.send("AT+CHLD=11\rAT\r")
    modem.wait_for("AT+CHLD")
    assert host.quiet(0.05)
    exchange.hang_up()
    host.until(r"\^CEND:1,0")


def test_ath_may_leave_a_voice_call(bring, exchange):
    modem, host = bring("generic", ath_ignored=True)
    dial(host)
    exchange.wait_for("talking")
    assert host.ask("ATH") == ["OK"]
    assert exchange.state == "talking"
    modem.lacks, modem.ath_ignored = ("+CHUP",), False
    assert host.ask("AT+CHUP") == ["ERROR"]
    assert host.ask("ATH") == ["OK"]
    assert exchange.state == "idle"


def test_the_ok_of_a_dial_can_take_long_while_notices_go_on(bring):
    _, host = bring("huawei", dial_ok_after=0.5)
    host.send(f"ATD{CUSTOMER};\r")
    begun = time.monotonic()
    told = host.until(r"\r\nOK\r\n")
    assert time.monotonic() - begun > 0.4
    assert "^ORIG:1,0" in told
    assert "^CONN:1,0" in told


def test_notices_can_come_before_the_ok_of_whatever_caused_them(bring, exchange):
    _, host = bring("huawei", early_urc=True, ccwa_anyway=True)
    host.send(f"ATD{CUSTOMER};\r")
    assert host.until(r"OK\r\n") == "\r\n^ORIG:1,0\r\n\r\nOK\r\n"
    host.until(r"CONN:1,0\r\n")
    exchange.call_in(SECOND, waiting=True)
    host.until(r"\+CCWA.*\r\n")
    host.send("AT+CHLD=2\r")
    assert host.until(r"OK\r\n") == "\r\n^CONN:2,0\r\n\r\nOK\r\n"
    host.send("AT+CHUP\r")
    assert host.until(r"OK\r\n").startswith("\r\n^CEND:2,")
    exchange.hang_up()
    exchange.wait_for("idle")
    host.until("CEND:1.*\r\n")
    assert host.ask("AT+CHUP") == ["OK"]
    exchange.call_in(CUSTOMER)
    host.until("RING\r\n")
    host.send("ATA\r")
    assert host.until(r"OK\r\n") == "\r\n^CONN:1,0\r\n\r\nOK\r\n"


def test_some_commands_are_slower_than_others(bring):
    modem, host = bring("generic", slow=30.0, slow_on="AT+CCWA")
    assert host.ask("AT+CSQ")[-1] == "OK"
    host.send("AT+CCWA=0,0,1\r")
    modem.wait_for("AT+CCWA")
    assert host.quiet(0.05)


def test_any_character_aborts_a_dial_without_its_ok(bring, exchange):
    exchange.default = SLOW
    _, host = bring("huawei", dial_ok_after=30.0)
    host.send(f"ATD{SECOND};\r")
    host.until(r"\^CONF:1\r\n")
    host.send("\r")
    host.until(r"NO CARRIER\r\n")
    assert exchange.state == "idle"
    assert host.ask("AT+CLCC") == ["OK"]


def test_a_dial_that_fails_before_its_ok_has_one_final_result(bring, exchange):
    exchange.default = FarEnd(outcome="busy", answers_after=0.1)
    _, host = bring("generic", dial_ok_after=30.0)
    host.send(f"ATD{SECOND};\r")
    assert host.until("BUSY\r\n") == "\r\nBUSY\r\n"
    assert host.ask("AT+CLCC") == ["OK"]


def test_tones_too_near_to_each_other_are_swallowed(bring, exchange):
    _, host = bring("generic", tone_gap=60.0)
    dial(host)
    exchange.wait_for("talking")
    assert host.ask("AT+VTS=1") == ["OK"]
    assert host.ask("AT+VTS=2") == ["OK"]
    assert exchange.keyed == "1"


# SIM and network.


@pytest.mark.parametrize(("says", "told"), [(515, "+CME ERROR: 515"), (13, "+CME ERROR: 13"), (10, "+CME ERROR: 10")])
def test_a_sim_that_wakes_says_many_things(bring, says, told):
    _, host = bring("generic", sim_busy_for=60.0, sim_busy_says=says)
    host.ask("AT+CMEE=1")
    assert host.ask("AT+CPIN?") == [told]
    assert host.ask("AT+CIMI") == ["+CME ERROR: 14"]


def test_a_sim_may_be_not_ready(bring):
    _, host = bring("sim800", sim_busy_for=60.0, sim_busy_says="NOT READY")
    assert host.ask("AT+CPIN?") == ["+CPIN: NOT READY", "OK"]


def test_sim_data_come_later_than_ready(bring):
    modem, host = bring("generic", sim="SIM PIN", sim_data_late=60.0)
    host.ask("AT+CPIN=1234")
    host.until(r"\+CPIN: READY\r\n")
    assert host.ask("AT+CIMI") == ["ERROR"]
    modem.sim_data_late = 0.0
    assert host.ask("AT+CIMI")[-1] == "OK"


@pytest.mark.parametrize(
    ("make", "command", "counted"),
    [
        ("quectel", "AT+QPINC", ['+QPINC: "SC",2,10', '+QPINC: "P2",3,10']),
        ("huawei", "AT^CPIN?", ["^CPIN: SIM PIN,2,10,2,10,3"]),
        ("sim7600", "AT+SPIC", ["+SPIC: 2,3,10,10"]),
        ("sim800", "AT+SPIC", ["+SPIC: 2,3,10,10"]),
        ("generic", 'AT+CSIM=10,"0020000100"', ['+CSIM: 4,"63C2"']),
        ("quectel", "AT+QCCID", ["+QCCID: 8988100000000000001F"]),
        ("huawei", "AT^ICCID?", ["^ICCID: 8988100000000000001F"]),
        ("generic", "AT+CCID", ["+CCID: 8988100000000000001F"]),
        ("odd", "AT+ICCID", ["+ICCID: 8988100000000000001F"]),
    ],
)
def test_a_locked_sim_counts_and_has_a_number(bring, make, command, counted):
    _, host = bring(make, sim="SIM PIN")
    assert host.ask("AT+CPIN=9999") == ["ERROR"]
    assert host.ask(command) == [*counted, "OK"]


def test_the_puk_opens_a_blocked_sim_and_a_restart_locks_it_again(bring, connect):
    modem, host = bring("generic", sim="SIM PIN")
    for _ in range(3):
        host.ask("AT+CPIN=0000")
    host.until("SIM PUK\r\n")
    assert host.ask('AT+CSIM=10,"0020000100"')[0] == '+CSIM: 4,"6983"'
    assert host.ask("AT+CPIN=1234") == ["ERROR"]
    assert host.ask('AT+CPIN="00000000","5555"') == ["ERROR"]
    assert host.ask("AT+CPINR")[1] == "+CPINR: SIM PUK,9,10"
    assert host.ask('AT+CPIN="12345678","5555"') == ["OK"]
    host.until(r"\+CPIN: READY\r\n")
    modem.unplug()
    modem.plug()
    again = connect(modem.at)
    assert "+CPIN: SIM PIN" in again.ask("AT+CPIN?")
    assert again.ask("AT+CPIN=5555")[-1] == "OK"
    again.close()


def test_the_first_calls_after_a_plug_may_fail(bring, exchange):
    modem, host = bring("generic", calls_fail_for=60.0)
    assert host.ask(f"ATD{CUSTOMER};") == ["ERROR"]
    modem.calls_fail_for = 0.0
    dial(host)
    exchange.wait_for("talking")


def test_the_radio_can_be_turned_off(bring):
    _, host = bring("generic")
    assert host.ask("AT+CFUN=4;+CFUN?;+CREG?") == ["+CFUN: 4", "+CREG: 0,2", "OK"]
    assert host.ask(f"ATD{CUSTOMER};") == ["NO CARRIER"]
    assert host.ask("AT+CFUN=1;+CREG?") == ["+CREG: 0,1", "OK"]


# Calls.


def test_a_call_can_be_in_the_list_long_before_it_rings(bring, exchange):
    _, host = bring("sim800", ring_late=0.3)
    host.ask("AT+CLIP=1")
    exchange.call_in(CUSTOMER)
    assert host.ask("AT+CLCC") == [f'+CLCC: 1,1,4,0,0,"{CUSTOMER}",129,""', "OK"]
    host.until(rf'\r\nRING\r\n\r\n\+CLIP: "{CUSTOMER}",129,,,,0\r\n')


def test_rings_can_be_nearer_to_each_other(bring, exchange):
    _, host = bring("generic", ring_every=0.05)
    exchange.call_in(CUSTOMER)
    for _ in range(3):
        host.until(r"\r\nRING\r\n")


@pytest.mark.parametrize(("why", "validity"), [("withheld", 1), ("unavailable", 2), ("payphone", 3)])
def test_a_caller_may_hide_for_three_reasons(bring, exchange, why, validity):
    _, host = bring("sim7600")
    host.ask("AT+CLIP=1")
    exchange.call_in(CUSTOMER, hidden=why)
    host.until(rf'\+CLIP: "",128,,,,{validity}\r\n')
    assert exchange.hidden == why


def test_a_firmware_drops_every_call(bring, exchange):
    exchange.default = SLOW
    _, host = bring("a7670", volte_drops=True)
    assert host.ask("AT+CGMR")[0].endswith("B01A7670M7")
    host.ask("AT+CLCC=1")
    dial(host, SECOND)
    host.until(rf'\+CLCC: 1,0,2,0,0,"{SECOND}",129\r\n\r\n\+CLCC: 1,0,6,')
    assert exchange.keyed == ""


def test_a_sim7600_may_know_no_list_as_a_notice(bring):
    _, host = bring("sim7600", clcc_urc=False)
    assert host.ask("AT+CLCC=1") == ["ERROR"]
    dial(host)
    assert "+CLCC" not in host.until("VOICE CALL: BEGIN\r\n")
    assert host.ask("AT+CLCC")[0].startswith("+CLCC: 1,0,0")


def test_the_end_of_a_voice_call_may_have_no_seconds(bring, exchange):
    _, host = bring("sim7600", vague_end=True)
    dial(host)
    host.until("BEGIN\r\n")
    exchange.hang_up()
    assert "END\r\n" in host.until("NO CARRIER")


def test_the_notices_of_a_huawei_stick_may_have_to_be_turned_on(bring, exchange):
    _, host = bring("huawei", curc_off=True)
    dial(host)
    exchange.wait_for("talking")
    assert host.ask("AT^CURC=1") == ["OK"]
    exchange.hang_up()
    host.until(r"\^CEND:1")


def test_a_huawei_stick_may_not_say_that_it_rings(bring):
    _, host = bring("huawei", no_conf=True)
    dial(host)
    assert "CONF" not in host.until(r"\^CONN:1,0\r\n")


@pytest.mark.parametrize(
    ("bug", "end"),
    [({"cend": "short"}, "25"), ({"cend": "empty cause"}, "25,"), ({"cend_status": 255}, "255,16")],
)
def test_ends_of_a_huawei_call(bring, exchange, bug, end):
    _, host = bring("huawei", **bug)
    dial(host)
    host.until("CONN.*\r\n")
    exchange.hang_up()
    host.until(rf"\^CEND:1,0,{end}\r\n")


def test_a_huawei_call_cancelled_early_has_no_end(bring, exchange):
    exchange.default = FarEnd(answers_after=20, outcome="busy")
    _, host = bring("huawei", early_chup_no_cend=True)
    dial(host, SECOND)
    host.until(r"\^ORIG:1,0\r\n")
    assert host.ask("AT+CHUP") == ["OK"]
    exchange.wait_for("idle")
    assert host.ask("AT+CLCC") == ["OK"]
    assert host.quiet(0.05)


def test_a_huawei_firmware_says_it_has_voice_and_has_none(bring, exchange, connect):
    modem, host = bring("huawei", mute_firmware=True)
    sound = connect(modem.pcm)
    assert host.ask("AT+CGMR;^CVOICE?") == ["21.157.41.00.00", "^CVOICE:0,8000,16,20", "OK"]
    dial(host)
    assert host.ask("AT^DDSETEX=2")[-1] == "OK"
    exchange.wait_for("talking")
    exchange.hang_up()
    assert "CONN" not in host.until(r"\^CEND:1")
    assert sound.quiet(0.05)


# A second caller.


def talking(host, exchange):
    dial(host)
    exchange.wait_for("talking")


def test_a_second_caller_is_refused(bring, exchange):
    _, host = bring("quectel")
    host.ask('AT+CCWA=1,1,1;+QINDCFG="ccinfo",1')
    talking(host, exchange)
    assert exchange.call_in(SECOND, waiting=True)
    assert not exchange.call_in("0312345603", waiting=True)
    host.until(rf'\+CCWA: "{SECOND}",129,1,,0\r\n')
    assert host.ask("AT+CLCC")[1:] == [f'+CLCC: 2,1,5,0,0,"{SECOND}",129', "OK"]
    assert host.ask("AT+CHLD=0") == ["OK"]
    host.until(r'"ccinfo",2,1,-1')
    assert exchange.state == "talking"
    assert len(exchange.calls) == 1


def test_nobody_waits_when_it_was_turned_off_unless_the_modem_does_not_care(bring, exchange):
    modem, host = bring("sim7600")
    host.ask("AT+CCWA=0,0,1;+CLIP=1")
    talking(host, exchange)
    exchange.call_in(SECOND, waiting=True)
    end = time.monotonic() + 20
    while len(exchange.calls) > 1:
        assert time.monotonic() < end
        select.select([], [], [], 0.01)
    host.until("BEGIN\r\n")
    modem.ccwa_anyway = modem.rings_second = True
    exchange.call_in(SECOND, waiting=True, hidden="payphone")
    host.until(r'\+CCWA: "",128,1,,3\r\n\r\nRING\r\n\r\n\+CLIP: "",128,,,,3\r\n')


def test_who_waits_rings_when_the_first_call_ends(bring, exchange):
    _, host = bring("huawei", ccwa_anyway=True)
    host.ask("AT+CLIP=1")
    talking(host, exchange)
    exchange.call_in(SECOND, waiting=True)
    host.until(r"\+CCWA.*\r\n")
    exchange.hang_up()
    host.until(rf'\^CEND:1,[\s\S]*\r\nRING\r\n\r\n\+CLIP: "{SECOND}"')
    exchange.hang_up()
    host.until(r"\^CEND:2,0,25,16\r\n")


def test_who_waits_may_give_up(bring, exchange):
    _, host = bring("huawei", ccwa_anyway=True)
    talking(host, exchange)
    exchange.call_in(SECOND, waiting=True)
    host.until(r"\+CCWA.*\r\n")
    exchange.hang_up(second=True)
    host.until(r"\^CEND:2,0,25,16\r\n")
    assert exchange.state == "talking"


@pytest.mark.parametrize("bug", [False, True])
def test_the_voice_of_a_held_call_survives_unless_the_stick_is_a_huawei(bring, exchange, connect, bug):
    modem, host = bring("huawei", ccwa_anyway=True, held_kills_voice=bug)
    sound = connect(modem.pcm)
    talking(host, exchange)
    host.ask("AT^DDSETEX=2")
    exchange.call_in(SECOND, waiting=True)
    host.until(r"\+CCWA.*\r\n")
    assert host.ask("AT+CHLD=2")[-1] == "OK"
    assert [call.state for call in exchange.calls] == ["held", "talking"]
    exchange.hang_up(second=True)
    host.until(r"\^CEND:1.*\r\n")
    exchange.wait_for("talking")
    while not sound.quiet(0):
        os.read(sound.fd, 4096)
    assert (loudest(sound.fd, 10) == 0) is bug


def test_one_call_of_two_can_be_ended(bring, exchange):
    _, host = bring("generic", ccwa_anyway=True)
    talking(host, exchange)
    exchange.call_in(SECOND, waiting=True)
    host.until(r"\+CCWA.*\r\n")
    assert host.ask("AT+CHLD=13") == ["ERROR"]
    assert host.ask("AT+CHLD=1") == ["OK"]
    assert host.ask("AT+CLCC") == [f'+CLCC: 2,1,0,0,0,"{SECOND}",129', "OK"]
    assert host.ask("AT+CHLD=2;+CLCC")[0].startswith("+CLCC: 2,1,1")
    assert host.ask("AT+CHLD=2;+CHLD=12") == ["OK"]
    assert exchange.state == "idle"


# Sound.


def loudest(fd, count, patience=20.0):
    """The peak of the next `count` frames of voice."""
    heard, end = b"", time.monotonic() + patience
    while len(heard) < count * FRAME:
        assert time.monotonic() < end
        if select.select([fd], [], [], 0.1)[0]:
            heard += os.read(fd, 4096)
    return max(map(abs, array("h", heard[: len(heard) // 2 * 2])))


def sound_of_a_call(host, sound):
    """Frames of the downlink of one call, with the refusals of AT+CPCMREG=1 before it."""
    dial(host)
    host.until("BEGIN\r\n")
    refused = 0
    while host.ask("AT+CPCMREG=1") != ["OK"]:
        refused += 1
    while not sound.quiet(0):
        os.read(sound.fd, 4096)
    heard = b""
    while len(heard) < 20 * FRAME:
        select.select([sound.fd], [], [], 1)
        heard += os.read(sound.fd, 4096)
        os.write(sound.fd, b"\x01\x10" * (FRAME // 2))
    host.ask("AT+CPCMREG=0;+CHUP")
    host.until("END.*\r\n")
    return refused, [heard[at : at + FRAME] for at in range(0, len(heard), FRAME)]


@pytest.mark.parametrize("how", ["choppy", "no downlink", "no uplink"])
def test_the_sound_wears_out_and_only_a_reset_helps(bring, exchange, connect, how):
    modem, host = bring("sim7600", wears_out=how, pcm_settle=0.0, reset_for=0.05)
    sound = connect(modem.pcm)
    refused, fresh = sound_of_a_call(host, sound)
    assert refused == 0
    assert all(any(frame) for frame in fresh)
    refused, worn = sound_of_a_call(host, sound)
    assert refused == 1
    silent = sum(not any(frame) for frame in worn)
    assert {"choppy": 5 <= silent <= 15, "no downlink": silent == len(worn), "no uplink": silent == 0}[how]
    assert any(exchange.heard) is (how != "no uplink")
    host.ask("AT+CRESET")
    back(modem, host)
    host, sound = connect(modem.at), connect(modem.pcm)
    host.ask("ATE0")
    assert sound_of_a_call(host, sound)[0] == 0


def test_gps_sentences_come_out_of_the_voice_port(bring, connect):
    modem, host = bring("quectel", nmea=True)
    sound = connect(modem.pcm)
    sound.until(r"\$GPRMC")
    host.ask('AT+QGPSCFG="outport","none"')
    while select.select([sound.fd], [], [], 1.1)[0]:
        os.read(sound.fd, 4096)


def test_a_voice_port_can_stall_and_go_on(bring, exchange, connect):
    modem, host = bring("quectel")
    sound = connect(modem.pcm)
    host.ask(f"AT+QPCMV=1,0;D{CUSTOMER};")
    exchange.wait_for("talking")
    modem.sound.stall(True)
    end = time.monotonic() + 20
    while select.select([], [sound.fd], [], 0.1)[1]:
        assert time.monotonic() < end
        os.write(sound.fd, bytes(FRAME))
    modem.sound.stall(False)
    assert select.select([], [sound.fd], [], 20)[1]
    os.write(sound.fd, bytes(FRAME))


def test_voice_comes_in_pieces_through_a_cable_that_cuts(bring, exchange, connect):
    modem, host = bring("quectel", pcm_cable=Cable(cut=99))
    sound = connect(modem.pcm)
    host.ask(f"AT+QPCMV=1,0;D{CUSTOMER};")
    exchange.wait_for("talking")
    assert loudest(sound.fd, 20) > 5000
    sizes = set()
    while not any(size % 2 for size in sizes):
        select.select([sound.fd], [], [], 1)
        sizes.add(len(os.read(sound.fd, 4096)))
