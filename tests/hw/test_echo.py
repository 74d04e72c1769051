"""The echo canceller on a room that is made up: an echo 40 ms late, with a tail, and somebody who talks over it."""

import numpy as np
import pytest

from hw import wiring
from hw.contracts import FRAME, RATE
from hw.echo import AHEAD, EchoCanceller
from hw.emulated.speech import Speech
from hw.errors import WiringError

SECONDS = 12
LEARNT = 5 * RATE  # samples after which the room is known
DELAY = 320  # samples: 40 ms from the card's buffer through the air into the microphone


@pytest.fixture(scope="module")
def far():
    return voice(7)


def voice(seed):
    return np.frombuffer(b"".join(Speech(seed).frame(n) for n in range(50 * SECONDS)), "<i2").astype(float)


def echo_of(sound, delay=DELAY):
    """What the microphone gets of the loudspeaker: 10 dB less, late, and ringing on for 50 ms."""
    chance = np.random.default_rng(1)
    room = np.zeros(delay + 400)
    room[delay] = 0.3
    room[delay + 1 :] = 0.09 * chance.standard_normal(399) * np.exp(-np.arange(399) / 80)
    hum = 3 * chance.standard_normal(len(sound))
    return np.convolve(sound, room)[: len(sound)] + hum


def cleaned(microphone, far, waiting=0):
    """All of it through a new canceller; `waiting` frames are in the card's buffer before the first is heard."""
    canceller = EchoCanceller()
    played, heard = (np.clip(sound, -32768, 32767).astype("<i2").tobytes() for sound in (far, microphone))
    for _ in range(waiting):
        canceller.played(bytes(FRAME))
    out = []
    for at in range(0, len(heard), FRAME):
        canceller.played(played[at : at + FRAME])
        out.append(canceller.cleaned(heard[at : at + FRAME]))
    return np.frombuffer(b"".join(out), "<i2").astype(float)


def power(sound):
    return 10 * np.log10(np.mean(sound[LEARNT:] ** 2) + 1e-9)


@pytest.mark.parametrize(("delay", "waiting"), [(DELAY, 0), (DELAY, AHEAD - 1), (3 * DELAY, 0)])
def test_an_echo_goes_away(far, delay, waiting):
    microphone = echo_of(far, delay)
    less = power(microphone) - power(cleaned(microphone, far, waiting))
    print(f"echo after {1000 * delay // RATE} ms, {waiting} frames waiting: {less:.1f} dB less")
    assert less >= 15


def test_who_talks_over_it_is_heard_as_alone(far):
    near = 0.5 * voice(11)
    near[:LEARNT] = 0
    both = cleaned(echo_of(far) + near, far)[LEARNT:]
    alone = cleaned(near, 0 * far)[LEARNT:]
    likeness = np.dot(both, alone) / np.sqrt(np.dot(both, both) * np.dot(alone, alone))
    print(f"both at once: like the one alone to {likeness:.4f}, {power(both) - power(alone):+.2f} dB")
    assert likeness > 0.97
    assert abs(10 * np.log10(np.mean(both**2) / np.mean(alone**2))) < 1


def test_a_silent_loudspeaker_changes_no_voice(far):
    alone = cleaned(far, 0 * far)
    assert abs(power(alone) - power(far)) < 2


def test_what_was_under_way_is_forgotten():
    canceller = EchoCanceller()
    for _ in range(2 * AHEAD):
        canceller.played(b"\1" * FRAME)
    assert len(canceller._played) == AHEAD
    canceller.forget()
    assert len(canceller.cleaned(bytes(FRAME))) == FRAME


def test_without_the_library_the_booth_does_not_start():
    with pytest.raises(WiringError, match="libspeexdsp1"):
        EchoCanceller("libspeexdsp.so.99")


def test_device_toml_may_ask_for_it():
    pytest.importorskip("pyaudio", reason="PyAudio is not installed (the extra `device`)")
    card = wiring.open_handset("pyaudio", loudspeaker=True)
    assert card._echo
    with pytest.raises(WiringError, match="did you mean loudspeaker"):
        wiring.open_handset("pyaudio", loudspeeker=True)
