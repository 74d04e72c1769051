"""A modem whose voice is a sound card (UAC, or wired to analog pins), through the real driver of sound cards."""

import contextlib
import time

import pytest

pytest.importorskip("pyaudio", reason="PyAudio is not installed (the extra `device`)")

from hw.contracts import FRAME, FRAME_SECONDS
from hw.emulated.exchange import Exchange, FarEnd
from hw.emulated.gsm import GsmModem
from hw.emulated.speech import Tone
from hw.emulated.wiredcard import PulseCard
from hw.events import Answered, AudioFailed, CallEnded
from hw.gsm import GsmLine
from tests.hw.scripted import Inbox
from tests.hw.test_emulated_card import server, strength

__all__ = ["server"]
pytestmark = [pytest.mark.slow, pytest.mark.sound]
CUSTOMER = "0312345601"
LIMIT = 30.0  # seconds; a null sink needs two before it takes anything


def clear(pcm, hertz):
    """Whether the last half second is that tone."""
    return len(pcm) >= 25 * FRAME and strength(pcm[-25 * FRAME :], hertz) > 0.2


@contextlib.contextmanager
def modem_on_a_card(directory, monkeypatch, make):
    """The card's two sides are two null sinks; the driver knows it as any card that ALSA offers."""
    monkeypatch.setenv("PULSE_SINK", "mouth")
    monkeypatch.setenv("PULSE_SOURCE", "ear.monitor")
    with Exchange() as exchange, GsmModem(make, exchange, directory) as modem, PulseCard(modem.sound, "mouth", "ear"):
        exchange.book[CUSTOMER] = FarEnd(answers_after=0.2, voice=Tone(1000))
        yield exchange, modem


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("make", ["quectel-uac", "sim800"])
def test_both_voices_cross_a_real_card(tmp_path, monkeypatch, make):
    with modem_on_a_card(tmp_path, monkeypatch, make) as (exchange, modem):
        line, inbox = GsmLine(modem.at, "pulse", make), Inbox()
        line.open(inbox.post)
        line.dial(CUSTOMER)
        inbox.until(Answered)
        heard, end, said = b"", time.monotonic() + LIMIT, 0
        while not (clear(heard, 1000) and clear(exchange.heard, 600)):
            assert time.monotonic() < end, "a voice did not come through"
            frame = line.audio.read()
            if frame is None:
                inbox.empty(FRAME_SECONDS / 4)
                continue
            heard += frame
            line.audio.write(Tone(600).frame(said))
            said += 1
        line.hang_up()
        inbox.until(CallEnded)
        assert line.audio.read() is None
        line.close()


def test_without_a_card_the_call_goes_on_and_says_so(tmp_path):
    with Exchange() as exchange, GsmModem("quectel-uac", exchange, tmp_path) as modem:
        exchange.book[CUSTOMER] = FarEnd(answers_after=0.2)
        line, inbox = GsmLine(modem.at, "Android", "quectel-uac"), Inbox()
        line.open(inbox.post)
        line.dial(CUSTOMER)
        inbox.until(Answered)
        assert "Android" in inbox.until(AudioFailed).why
        line.close()
