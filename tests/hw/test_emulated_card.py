"""The voice of modems that speak through a sound card."""

import os
import shutil
import subprocess
import threading
import time

import numpy as np
import pytest

from hw.contracts import FRAME, RATE, SILENCE
from hw.emulated.soundport import DEPTH
from hw.emulated.speech import Tone
from hw.emulated.wiredcard import FORMAT, PulseCard, WiredCard
from hw.errors import AudioError

CUSTOMER = "0312345601"
PATIENCE = 30.0


def strength(pcm, hz):
    """Amplitude of one frequency, 1.0 is full scale."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2") / 32768
    return 2 * abs(np.mean(samples * np.exp(-2j * np.pi * hz * np.arange(len(samples)) / RATE)))


def eventually(wanted):
    """Wait until it is so."""
    end = time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


@pytest.fixture
def modem(bring, exchange):
    """A SIM800 in a call with a tone of 1000 Hz."""
    modem, host = bring("sim800")
    host.send(f"ATD{CUSTOMER};\r")
    exchange.wait_for("talking")
    eventually(lambda: modem.sound.running)
    return modem


def test_a_card_keeps_real_time_and_both_directions_apart(modem, exchange):
    modem.card.open()
    begun, heard = time.monotonic(), []
    while len(heard) < 40:
        modem.card.write(Tone(600).frame(len(heard)))
        while (frame := modem.card.read()) is None:
            threading.Event().wait(0.004)
        heard.append(frame)
    assert time.monotonic() - begun > 0.75
    assert strength(b"".join(heard), 1000) > 0.2
    assert strength(exchange.heard[5 * FRAME :], 600) > 0.2
    assert strength(exchange.heard, 1000) < 0.02


def test_a_card_does_not_wait_for_who_is_late(modem):
    modem.card.open()
    for _ in range(DEPTH + 5):
        modem.card.write(SILENCE)
    assert modem.card.spilled >= 1
    eventually(lambda: modem.card.read() is not None)


def test_a_card_is_silent_between_calls_and_goes_with_the_plug(modem, exchange):
    modem.card.open()
    assert modem.card.alive
    exchange.hang_up()
    eventually(lambda: not modem.sound.running)
    modem.card.close()
    modem.card.open()
    eventually(lambda: modem.card.read() == SILENCE)
    modem.unplug()
    assert not modem.card.alive
    assert modem.card.read() is None
    with pytest.raises(AudioError):
        modem.card.open()


def test_wires_can_be_any_two_pipes(modem, exchange):
    (uplink, mouth), (ear, downlink) = os.pipe(), os.pipe()
    with WiredCard(modem.sound, uplink, downlink) as card:
        heard = b""
        for n in range(50):
            os.write(mouth, Tone(600).frame(n))
            heard += os.read(ear, FRAME)
        os.close(mouth)
        assert strength(heard, 1000) > 0.2
        assert strength(exchange.heard[10 * FRAME :], 600) > 0.2
        os.close(ear)
        eventually(lambda: card.dropped)
    for end in (uplink, downlink):
        os.close(end)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A sound server with two null sinks."""
    if not shutil.which("pulseaudio"):
        pytest.skip("pulseaudio is not installed")
    for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "PULSE_RUNTIME_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path / 'sound'}")
    modules = [f"module-null-sink sink_name={name} rate=8000 channels=1" for name in ("mouth", "ear")]
    modules.append(f"module-native-protocol-unix socket={tmp_path / 'sound'} auth-anonymous=1")
    options = "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"
    command = ["pulseaudio", *options, *(f"--load={module}" for module in modules)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as pulse:
        try:
            eventually(lambda: subprocess.run(["pactl", "info"], capture_output=True, check=False).returncode == 0)
            yield
        finally:
            pulse.kill()


@pytest.mark.slow
@pytest.mark.sound
@pytest.mark.usefixtures("server")
def test_a_card_inside_a_sound_server(modem, exchange):
    play = ["pacat", "--device=mouth", *FORMAT]
    record = ["parec", "--device=ear.monitor", *FORMAT]
    with (
        PulseCard(modem.sound, "mouth", "ear"),
        subprocess.Popen(play, stdin=subprocess.PIPE) as mouth,
        subprocess.Popen(record, stdout=subprocess.PIPE) as ear,
    ):
        mouth.stdin.write(b"".join(Tone(600).frame(n) for n in range(500)))
        mouth.stdin.flush()
        eventually(lambda: strength(ear.stdout.read(25 * FRAME), 1000) > 0.2)
        eventually(lambda: strength(exchange.heard[-25 * FRAME :], 600) > 0.2)
        mouth.kill()
        ear.kill()
