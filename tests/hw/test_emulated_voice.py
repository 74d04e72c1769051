"""Voice through the emulated EC25, measured."""

import os
import select
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from hw.contracts import FRAME, RATE, SILENCE
from hw.emulated.exchange import Exchange, FarEnd
from hw.emulated.gsm import GsmModem
from hw.emulated.speech import Tone

CUSTOMER = "0312345601"


def strength(pcm, hz):
    """Amplitude of one frequency, full scale is 1."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2") / 32768
    window = np.blackman(len(samples))
    wave = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / RATE)
    return 2 * abs(np.sum(samples * window * wave)) / window.sum()


def usual(pcm, hz):
    """Amplitude of one frequency in the middle one of all tenths of a second: a busy machine may have let some slip."""
    size = 5 * FRAME
    return np.median([strength(pcm[at : at + size], hz) for at in range(0, len(pcm) - size + 1, size)])


def talk(sound, voice, frames, piece=FRAME):
    """Both ways for so many frames: what is heard is the clock for what is said."""
    heard, said, unsaid = b"", 0, b""
    end = time.monotonic() + frames * 0.02 + 30
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


def start_talking(host, exchange):
    host.ask(f"AT+QPCMV=0;+QPCMV=1,0;D{CUSTOMER};")
    exchange.wait_for("talking")


@pytest.mark.parametrize("piece", [FRAME, 123, 1600])
def test_voice_goes_both_ways_whatever_the_pieces(host, sound, exchange, piece):
    start_talking(host, exchange)
    heard = talk(sound, Tone(600), 75, piece)[25 * FRAME :]
    assert usual(heard, 1000) == pytest.approx(10 ** (-12 / 20), rel=0.05)
    assert usual(heard, 600) < 0.001
    assert usual(exchange.heard[25 * FRAME :], 600) > 0.2
    assert usual(exchange.heard[25 * FRAME :], 1000) < 0.001


def test_voice_is_real_time(host, sound, exchange):
    start_talking(host, exchange)
    talk(sound, Tone(600), 5)
    begun = time.monotonic()
    talk(sound, Tone(600), 50)
    assert time.monotonic() - begun > 0.9


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
    ends = time.monotonic() + 30
    while not modem.sound.held:  # on its way through the pseudo-terminal
        assert time.monotonic() < ends
        select.select([], [], [], 0.01)
    modem.flow(stop=False)
    host.until(r"\r\n\+QPCMV: 1,0\r\n")


def test_voice_can_be_forgotten_after_a_call(host, modem, exchange):
    modem.forgets_pcm = True
    host.ask('AT+QINDCFG="ccinfo",1')
    start_talking(host, exchange)
    host.send("AT+CHUP\r")
    host.until('"ccinfo",1,0,-1')
    host.until("\r\n")
    assert host.ask("AT+QPCMV?")[0] == "+QPCMV: 0,0"


def test_voice_works_again_after_the_plug_was_pulled_in_a_call(host, modem, exchange, connect):
    start_talking(host, exchange)
    modem.unplug()
    modem.plug()
    again, sound = connect(modem.at), connect(modem.pcm)
    again.ask("ATE0")
    start_talking(again, exchange)
    assert usual(talk(sound, Tone(600), 30), 1000) > 0.2
    sound.close()


def test_nothing_is_left_behind(tmp_path, connect):
    threads, files = set(threading.enumerate()), len(list(Path("/proc/self/fd").iterdir()))
    with Exchange() as exchange:
        for _ in range(3):
            with GsmModem("quectel", exchange, tmp_path) as modem:
                host, sound = connect(modem.at), connect(modem.pcm)
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
