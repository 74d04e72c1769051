"""A modem's audio port, against a pseudo-terminal that cuts and loses bytes."""

import os
import random
import threading
import tty
from array import array
from time import monotonic

import pytest

from hw.contracts import FRAME
from hw.emulated.speech import BUSY_TONE, RING_BACK, Speech, Tone
from hw.errors import AudioError, MisuseError
from hw.pcm import LONGEST_QUEUE, LOOKED, SURE, Alignment, PcmPort

LIMIT = 10.0
SECOND = 50  # frames


class Modem:
    """The other end of the port."""

    def __init__(self):
        self.fd, self._port = os.openpty()
        tty.setraw(self.fd)
        tty.setraw(self._port)
        self.path = os.ttyname(self._port)

    def say(self, data):
        os.write(self.fd, data)

    def hear(self, count):
        data = b""
        while len(data) < count:
            data += os.read(self.fd, count - len(data))
        return data

    def unplug(self):
        os.close(self.fd)
        os.close(self._port)
        self.fd = None


@pytest.fixture
def modem():
    modem = Modem()
    yield modem
    if modem.fd is not None:
        modem.unplug()


@pytest.fixture
def port(modem):
    port = PcmPort(modem.path, 115200)
    port.open()
    yield port
    port.close()


def heard(port):
    """The next frame, which is under way."""
    end = monotonic() + LIMIT
    while (frame := port.read()) is None:
        assert monotonic() < end
        threading.Event().wait(0.001)
    return frame


def test_frames_cross_both_ways_however_they_are_cut(modem, port):
    voice = b"".join(Speech(3).frame(n) for n in range(30))
    chance, at = random.Random(1), 0
    for number in range(30):
        while at < (number + 1) * FRAME:  # an odd byte is kept for the next time
            step = chance.choice([1, 7, 319, 321, 640])
            modem.say(voice[at : at + step])
            at += step
        assert heard(port) == voice[number * FRAME : (number + 1) * FRAME]
        port.write(voice[:FRAME])
        assert modem.hear(FRAME) == voice[:FRAME]
    assert (port.dropped, port.skipped, port.realigned) == (0, 0, 0)


def test_what_waits_too_long_goes_in_whole_samples(modem, port):
    modem.say(b"\1" + bytes(LONGEST_QUEUE + 3))
    end = monotonic() + LIMIT
    while not port.skipped:
        port.read()
        assert monotonic() < end
    assert port.skipped % 2 == 0


def test_a_port_that_is_gone_is_lost_and_says_nothing(modem, port):
    modem.unplug()
    end = monotonic() + LIMIT
    while not port.lost:
        assert port.read() is None
        assert monotonic() < end
    port.write(bytes(FRAME))
    with pytest.raises(AudioError):
        port.open()
    with pytest.raises(MisuseError):
        port.write(b"")


def test_a_byte_lost_in_mid_stream_is_made_good_within_seconds(modem, port):
    voice = b"".join(Speech(3).frame(n) for n in range(6 * SECOND))
    broken = voice[: SECOND * FRAME] + voice[SECOND * FRAME + 1 :]
    frames = []
    for at in range(0, len(broken) - FRAME, FRAME):
        modem.say(broken[at : at + FRAME])
        frames.append(port.read() if port.realigned else heard(port))
    while frames[-1] is None or frames[-1] not in voice:
        frames[-1] = port.read()
    assert port.realigned == 1
    assert b"".join(frame for frame in frames if frame)[-2 * SECOND * FRAME :] in voice


SOUNDS = [Speech(seed) for seed in (1, 3, 7, 11)] + [Tone(1000), Tone(440, -3.0), Tone(90, -50.0), RING_BACK, BUSY_TONE]


def alarms(data):
    alignment = Alignment()
    return [at for at in range(0, len(data) - FRAME, FRAME) if alignment.lost(data[at : at + FRAME])]


@pytest.mark.parametrize("sound", SOUNDS, ids=repr)
def test_sound_that_is_right_is_left_alone_and_a_shift_is_found(sound):
    data = b"".join(sound.frame(n) for n in range(20 * SECOND))
    assert alarms(data) == []
    assert alarms(data[1:])


def quiet(seed):
    chance = random.Random(seed)
    return array("h", [chance.randint(-3, 3) for _ in range(20 * SECOND * FRAME // 2)]).tobytes()


def noise(seed):
    return random.Random(seed).randbytes(20 * SECOND * FRAME)


def eight_bits(_seed):
    """A modem that knows eight bits and shifts them up."""
    samples = array("h", b"".join(Speech(1).frame(n) for n in range(20 * SECOND)))
    return array("h", [sample & -256 for sample in samples]).tobytes()


@pytest.mark.parametrize("data", [bytes(20 * SECOND * FRAME), quiet(1), noise(1), noise(2)[1:], eight_bits(1)], ids=len)
def test_no_sound_is_taken_for_a_shift_that_is_none(data):
    assert alarms(data) == []


def test_the_hum_of_a_line_shows_a_shift_too():
    assert alarms(quiet(2)[1:])[0] == (LOOKED * SURE - 1) * FRAME
