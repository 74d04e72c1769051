"""The sound card, against a PulseAudio server with a null sink that the test starts itself."""

import os
import queue
import shutil
import subprocess
import sys
from math import tau
from time import monotonic

import numpy as np
import pytest

pytest.importorskip("pyaudio", reason="PyAudio is not installed (the extra `device`)")

from hw.audio import CUSHION, SoundCard
from hw.contracts import FRAME, FRAME_SECONDS, RATE, SILENCE
from hw.errors import AudioError, MisuseError
from hw.jitter import CAP
from hw.talkpath import TalkPath

pytestmark = pytest.mark.sound
LIMIT = 20.0  # seconds; a null sink needs two before it takes anything


class Singer:
    """A line that sings without end, on the monotonic clock, and keeps what it is told."""

    def __init__(self, hertz):
        samples = (8000 * np.sin(tau * hertz * np.arange(RATE) / RATE)).astype("<i2").tobytes()
        self.song = [samples[at : at + FRAME] for at in range(0, len(samples), FRAME)]
        self.told, self.sung, self.began = queue.SimpleQueue(), 0, monotonic()

    def read(self):
        if monotonic() < self.began + self.sung * FRAME_SECONDS:
            return None
        self.sung += 1
        return self.song[self.sung % len(self.song)]

    def write(self, frame):
        self.told.put(frame)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home: no sound server, no cookies."""
    for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "PULSE_RUNTIME_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path / 'sound'}")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    return tmp_path


@pytest.fixture
def server(home):
    """A sound server with one sink that nobody hears; recording from it gives what was played."""
    if not shutil.which("pulseaudio"):
        pytest.skip("pulseaudio is not installed")
    modules = (
        "module-null-sink sink_name=ear rate=8000 channels=1",
        f"module-native-protocol-unix socket={home / 'sound'} auth-anonymous=1",
    )
    options = "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"
    command = ["pulseaudio", *options, *(f"--load={module}" for module in modules)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as pulse:
        try:
            end = monotonic() + LIMIT
            while subprocess.run(["pactl", "info"], capture_output=True, check=False).returncode:
                assert monotonic() < end
                assert pulse.poll() is None
            yield pulse
        finally:
            pulse.kill()


def share(samples, hertz):
    """How much of a sound's power is in one tone."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    place = round(hertz * len(samples) / RATE)
    return spectrum[place - 3 : place + 4].sum() / spectrum[1:].sum()


def clear_half_second(chunks, hertz):
    """Wait for half a second in which the tone, and hardly anything else, is heard."""
    heard, end = b"", monotonic() + LIMIT
    while monotonic() < end:
        heard = (heard + next(chunks))[-RATE:]
        samples = np.frombuffer(heard, "<i2").astype(float)
        if len(heard) == RATE and samples.std() > 3000 and share(samples, hertz) > 0.99:
            return True
    return False


@pytest.mark.slow
@pytest.mark.usefixtures("server")
def test_a_voice_comes_out_of_the_card_and_goes_into_it(capfd):
    card, line = SoundCard("pulse", "pulse"), Singer(440)
    card.open()
    path = TalkPath(card, line)
    path.start()
    monitor = [
        "parec",
        "--device=ear.monitor",
        "--rate=8000",
        "--channels=1",
        "--format=s16le",
        "--raw",
        "--latency-msec=40",
    ]
    with subprocess.Popen(monitor, stdout=subprocess.PIPE) as judge:
        assert clear_half_second(iter(lambda: judge.stdout.read(FRAME), b""), 440)  # out: an outside program hears it
        judge.terminate()
    assert clear_half_second(
        iter(lambda: line.told.get(timeout=LIMIT), None), 440
    )  # in: the sink is the microphone too
    path.stop()
    card.close()
    card.close()
    assert card.read() is None
    assert capfd.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.usefixtures("server")
def test_a_card_opens_again_after_it_was_closed():
    card = SoundCard()
    for _ in range(2):
        card.open()
        with pytest.raises(MisuseError):
            card.open()
        end = monotonic() + LIMIT
        while card.read() is None:
            assert monotonic() < end
        card.close()


# A process of its own, because PortAudio may go on spinning behind a card that went away.
UNPLUGGED = """
import os, signal, sys
from time import monotonic
from hw.audio import SoundCard
from hw.errors import AudioError
card = SoundCard()
card.open()
print(card.alive, flush=True)
os.kill(int(sys.argv[1]), signal.SIGKILL)
while card.alive:
    pass
print(card.read() is None or "stale", flush=True)
began = monotonic()
card.close()
print(monotonic() - began < 2, card.alive, flush=True)
try:
    card.open()
except AudioError as problem:
    print(problem, flush=True)
os._exit(0)
"""


@pytest.mark.slow
def test_a_card_that_went_away_is_noticed_and_can_be_closed(server):
    command = [sys.executable, "-c", UNPLUGGED, str(server.pid)]
    run = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, timeout=LIMIT
    )
    alive, _, closed, again = run.stdout.splitlines()
    assert (alive, closed) == ("True", "True False")
    assert "must start again" in again or "does not open" in again


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("card", "told"),
    [
        (SoundCard(input="Jabra"), "there is no microphone 'Jabra'; present: .*'pulse'"),
        (SoundCard(input="pulse", output="Jabra"), "there is no earpiece 'Jabra'; present: .*'pulse'"),
        (SoundCard(input="u"), "several are called microphone 'u'; present: .*'pulse', .*'default'"),
    ],
)
def test_a_wrong_name_is_refused_with_those_there_are(card, told, capfd):
    with pytest.raises(AudioError, match=told):
        card.open()
    assert capfd.readouterr().err == ""
    card.close()


@pytest.mark.usefixtures("home")
def test_without_a_sound_server_the_error_is_plain():
    if os.path.exists("/dev/snd"):  # noqa: PTH110
        pytest.skip("this machine has a sound card of its own")
    with pytest.raises(AudioError, match=r"microphone 'default' does not open: .* no sound device is present at all"):
        SoundCard().open()


def test_the_queues_are_bounded_and_the_oldest_goes():
    card = SoundCard()
    frames = [bytes([number]) * FRAME for number in range(CAP + 3)]
    for frame in frames:
        card._hear(frame, 160, {}, 0)
        card.write(frame)
    assert card.dropped == 6
    assert [card.read() for _ in range(CAP + 1)] == [*frames[3:], None]
    assert card._speak(None, 160, {}, 0)[0] == frames[3]


def test_the_card_is_fed_only_when_enough_waits():
    card = SoundCard()
    card.write(b"\1" * FRAME)
    assert card._speak(None, 160, {}, 0)[0] == SILENCE
    card.write(b"\2" * FRAME)
    assert card._speak(None, 160, {}, 0)[0] == b"\1" * FRAME
    assert card._speak(None, 160, {}, 0)[0] == b"\2" * FRAME
    assert card.underruns == 0
    assert card._speak(None, 160, {}, 0)[0] == SILENCE
    assert card.underruns == 1


@pytest.mark.usefixtures("server")
def test_the_card_holds_as_much_as_usb_needs_and_begins_afresh_each_time():
    card = SoundCard("pulse", "pulse")
    for _ in range(2):
        card.open()
        assert (card.dropped, card.underruns) == (0, 0)
        assert all(stream.get_output_latency() >= CUSHION for stream in card._streams[1:])
        for _ in range(CAP + 3):
            card.write(SILENCE)
        card.close()


@pytest.mark.usefixtures("server")
def test_two_cards_are_open_at_once_and_the_second_opens_quickly():
    """The handset's and the line's: the second is opened when somebody has answered and waits to be heard."""
    handset, line = SoundCard("pulse", "pulse"), SoundCard("default", "default")
    handset.open()
    took = []
    for _ in range(3):
        began = monotonic()
        line.open()
        took.append(monotonic() - began)
        assert line.alive
        line.close()
        assert not line.alive
        assert handset.alive
    handset.close()
    print(f"the line's card opens in {1000 * min(took):.0f} ms")
    assert min(took) < 1


@pytest.mark.parametrize("ppm", [-200, 200])
def test_a_card_whose_clock_differs_is_fed_without_a_gap(ppm):
    """Ten minutes: the path writes every 20 ms, the card takes by its own clock."""
    card, tone = SoundCard(), Singer(440).song
    taken = 0
    for tick in range(round(600 / FRAME_SECONDS)):
        card.write(tone[tick % len(tone)])
        while (taken + 1) * (1 + ppm * 1e-6) <= tick + 0.5:
            card._speak(None, 160, {}, 0)
            taken += 1
    assert (card.dropped, card.underruns) == (0, 0)
    assert card.adjusted >= 700


def test_a_loudspeaker_is_not_heard_by_its_own_microphone():
    pytest.importorskip("ctypes").CDLL("libspeexdsp.so.1")
    card = SoundCard(loudspeaker=True)
    noise = np.random.default_rng(1).integers(-8000, 8000, 400 * FRAME // 2).astype("<i2")
    echo = np.concatenate([np.zeros(320), noise[:-320] * 0.3]).astype("<i2").tobytes()
    heard = []
    for at in range(0, len(echo), FRAME):
        card.write(noise.tobytes()[at : at + FRAME])
        card._speak(None, 160, {}, 0)
        card._hear(echo[max(0, at - FRAME) : max(0, at - FRAME) + FRAME], 160, {}, 0)  # the queue has held it for 20 ms
        heard.append(card.read())
    last = np.frombuffer(b"".join(heard[-50:]), "<i2").astype(float)
    assert last.std() < 0.1 * np.frombuffer(echo, "<i2").std()
