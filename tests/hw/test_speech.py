"""What is heard on an emulated line."""

import numpy as np
import pytest

from hw.contracts import FRAME, RATE
from hw.emulated.speech import BUSY_TONE, RING_BACK, Speech, Tone


def sound(voice, seconds, start=0):
    """Samples of a voice, full scale is 1."""
    pcm = b"".join(voice.frame(n) for n in range(start, start + round(seconds * 50)))
    return np.frombuffer(pcm, "<i2") / 32768


def strongest(samples):
    """Frequency of the strongest line, in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.argmax(spectrum) * RATE / len(samples)


def frames_loudness(samples):
    """Root mean square of each 20 ms."""
    return np.sqrt(np.mean(samples.reshape(-1, FRAME // 2) ** 2, axis=1))


@pytest.mark.parametrize("voice", [Tone(440), Speech(3), RING_BACK, BUSY_TONE])
def test_every_frame_is_20_ms_for_ever(voice):
    assert {len(voice.frame(n)) for n in (0, 1, 49, 50, 1000, 180_000)} == {FRAME}


@pytest.mark.parametrize("hz", [300, 437, 1000, 3400])
def test_a_tone_is_pure_and_has_no_step_between_frames(hz):
    samples = sound(Tone(hz, -12), 3.0)
    assert strongest(samples) == pytest.approx(hz, abs=0.5)
    spectrum = np.abs(np.fft.rfft(samples * np.blackman(len(samples)))) ** 2
    line = round(hz * len(samples) / RATE)
    beside = np.concatenate([spectrum[: line - 5], spectrum[line + 6 :]]).sum()
    assert 10 * np.log10(spectrum.sum() / beside) > 60


def test_a_tone_has_the_level_it_was_given():
    assert 20 * np.log10(np.max(np.abs(sound(Tone(1000, -20), 1.0)))) == pytest.approx(-20, abs=0.1)


def test_a_person_always_says_the_same_and_two_do_not():
    assert [Speech(5).frame(n) for n in range(300)] == [Speech(5).frame(n) for n in range(300)]
    assert [Speech(5).frame(n) for n in range(300)] != [Speech(6).frame(n) for n in range(300)]


@pytest.mark.parametrize("seed", range(1, 9))
def test_speech_is_loud_enough_and_never_clips(seed):
    samples = sound(Speech(seed), 8.0)
    assert 0.2 < np.max(np.abs(samples)) < 0.97
    assert -26 < 20 * np.log10(np.sqrt(np.mean(samples**2))) < -12


@pytest.mark.parametrize("seed", range(1, 5))
def test_speech_has_syllables_and_breaths(seed):
    loudness = frames_loudness(sound(Speech(seed), 4.0))
    silent = loudness < 0.002
    assert 0.05 < silent.mean() < 0.5
    voiced = loudness > 0.3 * loudness.max()
    syllables = np.count_nonzero(np.diff(voiced.astype(int)) == 1)
    assert 6 < syllables < 32  # in four seconds


def test_speech_is_of_a_voice_with_pitch():
    samples = sound(Speech(2), 4.0)
    energy = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    assert energy[(hertz > 80) & (hertz < 1500)].sum() > 5 * energy[hertz > 2000].sum()


def test_ring_back_is_400_hz_one_second_in_three():
    samples = sound(RING_BACK, 6.0)
    loudness = frames_loudness(samples)
    assert (loudness > 0).mean() == pytest.approx(1 / 3, abs=0.02)
    assert loudness[:50].mean() > 0.05
    assert not loudness[50:150].any()
    first = samples[:RATE]
    assert strongest(first) == pytest.approx(400, abs=1)
    spectrum = np.abs(np.fft.rfft(first))
    assert spectrum[400 + 16] > 0.2 * spectrum[400]  # the beat


def test_busy_is_400_hz_every_half_second():
    loudness = frames_loudness(sound(BUSY_TONE, 2.0)).reshape(4, 25)
    assert (loudness.mean(axis=1) > 0.05).tolist() == [True, False, True, False]
