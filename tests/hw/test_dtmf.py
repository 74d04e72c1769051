"""The tones of the keys, as spandsp and the limits of ITU-T Q.24 hear them."""

import math
from array import array

import pytest

from hw.contracts import FRAME, RATE
from hw.dtmf import PITCHES, tones
from hw.emulated.speech import Speech
from hw.errors import MisuseError
from hw.talkpath import mix
from tests.spandsp import keys

ALL = "0123456789*#ABCD"


def samples(digits):
    return array("h", b"".join(tones(digits)))


def power(sound, hertz):
    omega = math.tau * hertz / RATE
    real = sum(one * math.cos(omega * n) for n, one in enumerate(sound))
    imaginary = sum(one * math.sin(omega * n) for n, one in enumerate(sound))
    return 2 * math.hypot(real, imaginary) / len(sound)


def test_spandsp_hears_every_key():
    assert keys(b"".join(tones(ALL))) == ALL


@pytest.mark.parametrize("digits", ["1", "55555", "0312345601", "*#*#", "DCBA"])
def test_spandsp_hears_a_row_of_keys(digits):
    assert keys(b"".join(tones(digits))) == digits


def test_spandsp_hears_them_through_somebody_talking_softly():
    softly = [bytes(array("h", [one // 16 for one in array("h", Speech(1).frame(n))])) for n in range(9 * len(ALL))]
    assert keys(b"".join(mix(tone, voice) for tone, voice in zip(tones(ALL), softly, strict=True))) == ALL


@pytest.mark.parametrize("digit", ALL)
def test_pitch_level_and_twist_are_within_the_limits(digit):
    sound = samples(digit)[80:720]
    low, high = (power(sound, pitch) for pitch in PITCHES[digit])
    assert 0 <= 20 * math.log10(high / low) <= 4
    for other in {697, 770, 852, 941, 1209, 1336, 1477, 1633} - set(PITCHES[digit]):
        assert power(sound, other) < 0.1 * low
    assert max(abs(one) for one in sound) < 16384  # 6 dB of room: it must not be clipped anywhere on its way


def test_a_tone_lasts_100_ms_with_soft_edges_and_a_pause_of_80():
    sound = samples("5")
    assert len(sound) == RATE * 180 // 1000
    assert not any(sound[RATE // 10 :])
    assert abs(sound[0]) < 100
    assert max(abs(one) for one in sound[RATE // 10 - 4 : RATE // 10]) < 3000


def test_whole_frames_one_key_after_the_other():
    assert all(len(frame) == FRAME for frame in tones("159D"))
    assert tones("15") == tones("1") + tones("5")
    assert tones("") == []


@pytest.mark.parametrize("digits", ["E", "1 2", "+", "a"])
def test_what_is_no_key_is_our_mistake(digits):
    with pytest.raises(MisuseError):
        tones(digits)
