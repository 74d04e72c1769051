"""What can befall the emulated EC25."""

import errno
import os
import queue
import select
import threading
import time

import pytest
import serial

from hw.emulated.gsm import GsmModem

CUSTOMER = "0312345601"


def hung_up(fd, patience=30.0):
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
    host.ask(f"AT+QPCMV=1,0;D{CUSTOMER};")
    exchange.wait_for("talking")
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
    assert seen.get(timeout=20) == "open"
    modem.unplug()
    assert isinstance(seen.get(timeout=20), serial.SerialException)
    reader.join(2)


def test_plugged_in_again_it_has_forgotten_everything(host, modem, connect):
    host.ask('AT+CMEE=1;+CLIP=1;+QPCMV=1,0;+QINDCFG="ccinfo",1')
    modem.unplug()
    modem.unplug()
    modem.plug()
    modem.plug()
    again = connect(modem.at)
    again.send("AT+CLIP?\r")
    assert again.until("OK") == "AT+CLIP?\r\r\n+CLIP: 0,1\r\n\r\nOK"
    again.ask("ATE0")
    assert again.ask('AT+QPCMV?;+QINDCFG="ccinfo";+CMEE?') == ["+QPCMV: 0,0", '+QINDCFG: "ccinfo",0', "+CMEE: 0", "OK"]
    again.close()


def test_a_call_can_outlive_the_usb(host, modem, exchange, connect):
    host.ask(f"ATD{CUSTOMER};")
    exchange.wait_for("talking")
    modem.unplug(call_survives=True)
    modem.plug()
    again = connect(modem.at)
    again.ask("ATE0")
    assert again.ask("AT+CLCC")[0].startswith("+CLCC: 1,0,0")
    again.close()


def test_the_voice_port_may_come_later(exchange, tmp_path, connect):
    with GsmModem("quectel", exchange, tmp_path, pcm_late=0.1) as modem:
        connect(modem.at)
        assert not os.path.lexists(modem.pcm)
        for _ in range(100):
            if modem.sound.port.plugged:
                break
            threading.Event().wait(0.02)
        connect(modem.pcm)


def test_silence(host, modem, exchange):
    modem.silent = True
    host.send("AT\r")
    modem.wait_for("AT", 1)
    exchange.call_in(CUSTOMER)
    assert host.quiet(0.15)
    modem.silent = False
    assert host.ask("AT+CSQ") == ["+CSQ: 17,99", "OK"]


def test_slowness_delays_answers_but_not_urcs(host, modem):
    modem.slow = 1.0
    begun = time.monotonic()
    host.send("AT+CSQ\rAT+CPIN?\r")
    modem.wait_for("AT+CSQ")
    modem.say("+QIND: SMS DONE")
    assert "+CSQ" not in host.until("SMS DONE")
    host.until(r"\+CSQ: 17,99\r\n\r\nOK")
    assert time.monotonic() - begun >= 1.0
    host.until(r"\+CPIN: READY\r\n\r\nOK")
    assert time.monotonic() - begun >= 2.0


def test_garbling_damages_some_bytes_either_way(host, modem):
    modem.garble = 0.2
    for _ in range(20):
        host.send("AT+CSQ\r")
    ends = time.monotonic() + 30
    while len(modem.heard) < 8 and time.monotonic() < ends:  # a damaged CR joins two commands to one
        if select.select([host.fd], [], [], 0.02)[0]:
            host.said += os.read(host.fd, 4096)
    modem.garble = 0.0
    assert {line for line in modem.heard if line != "AT+CSQ"} - {"ATE0"}
    assert host.said != b"\r\n+CSQ: 17,99\r\n\r\nOK\r\n" * 20
    host.send("\rATV1\r")  # what it heard may have been an ATV0
    host.said = b""
    host.send("AT+CPIN?\r")
    host.until(r"\+CPIN: READY\r\n\r\nOK\r\n")


def test_raw_lines_can_be_injected(host, modem):
    modem.say("+CREG: 5", '+CLIP: "","OK SHOP"')
    host.until(r'\r\n\+CREG: 5\r\n\r\n\+CLIP: "","OK SHOP"\r\n')


def test_a_wrong_option_is_refused(exchange, tmp_path):
    with pytest.raises(TypeError):
        GsmModem("quectel", exchange, tmp_path, volice=True)
