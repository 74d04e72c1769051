"""What an exchange says in tones, by our ear and by spandsp's; a person talking is none of it."""

import math
import time
from array import array

import pytest

from hw.cadence import AMERICA, COUNTRIES, EUROPE, JAPAN, Cadence, Sound, explained
from hw.contracts import FRAME, RATE, SILENCE
from hw.emulated.speech import BUSY_TONE, RING_BACK, Signal, Speech, Tone
from tests.spandsp import Cadences

LEVEL = 3000
# For spandsp: the pitches in Hz (0: no second one), then seconds on and off.
JUDGED = {
    "JP": {"busy": (400, 0, 0.5, 0.5), "ring-back": (400, 0, 1.0, 2.0)},
    "US": {"busy": (480, 620, 0.5, 0.5), "ring-back": (440, 480, 2.0, 4.0)},
    "EU": {"busy": (425, 0, 0.5, 0.5), "ring-back": (425, 0, 1.0, 4.0)},
}


def sine(hertz, n, level=LEVEL):
    return sum(level * math.sin(math.tau * pitch * n / RATE) for pitch in hertz)


def played(*parts, level=LEVEL):
    """Sound of tones and pauses: (hertz.., seconds) one after the other, as s16le."""
    samples = array("h")
    for *hertz, seconds in parts:
        samples.extend(round(sine(hertz, n, level)) for n in range(round(seconds * RATE)))
    return samples.tobytes()


def frames(pcm):
    return [pcm[at : at + FRAME] for at in range(0, len(pcm) - FRAME + 1, FRAME)]


def voice(voice, seconds):
    return [voice.frame(n) for n in range(round(seconds * 50))]


def heard(ear, frames):
    """Every sound that was recognised, with its time in seconds."""
    return [(sound, n / 50) for n, frame in enumerate(frames, 1) if (sound := ear.hear(frame))]


def names(ear, frames):
    """The sounds in order, each once."""
    return list(dict.fromkeys(sound for sound, _ in heard(ear, frames)))


def test_japans_tones():
    assert names(Cadence(JAPAN), voice(BUSY_TONE, 5)) == [Sound.BUSY]
    assert names(Cadence(JAPAN), voice(RING_BACK, 10)) == [Sound.RING_BACK]
    assert names(Cadence(JAPAN), voice(Tone(400), 4)) == [Sound.RING_BACK, Sound.DIAL_TONE]


@pytest.mark.parametrize("beat", [15, 16, 20])
@pytest.mark.parametrize("hertz", [390, 400, 410])
def test_ring_back_however_modulated(beat, hertz):
    assert names(Cadence(JAPAN), voice(Signal(hertz, 1.0, 2.0, beat), 10)) == [Sound.RING_BACK]


@pytest.mark.parametrize(
    ("country", "hertz", "on", "off", "sound"),
    [
        (AMERICA, (480, 620), 0.5, 0.5, Sound.BUSY),
        (AMERICA, (480, 620), 0.25, 0.25, Sound.CONGESTION),
        (AMERICA, (440, 480), 2.0, 4.0, Sound.RING_BACK),
        (AMERICA, (350, 440), 8.0, 0.0, Sound.DIAL_TONE),
        (EUROPE, (425,), 0.5, 0.5, Sound.BUSY),
        (EUROPE, (425,), 0.25, 0.25, Sound.CONGESTION),
        (EUROPE, (425,), 1.0, 4.0, Sound.RING_BACK),
        (JAPAN, (480, 620), 0.5, 0.5, Sound.BUSY),  # a call abroad
        (JAPAN, (440, 480), 2.0, 4.0, Sound.RING_BACK),
    ],
)
@pytest.mark.parametrize(("wrong", "level"), [(0.97, 500), (1.0, 500), (1.03, 5000)])
def test_the_tones_of_other_countries(*, country, hertz, on, off, sound, wrong, level):
    pitches = [pitch * (1 + (wrong - 1) / 2) for pitch in hertz]
    pcm = played(*[(*pitches, on * wrong), (0, off * wrong)] * math.ceil(12 / (on + off)), level=level)
    assert names(Cadence(country), frames(pcm)) == [sound]


@pytest.mark.parametrize("country", COUNTRIES.values(), ids=lambda country: country.name)
@pytest.mark.parametrize(
    ("step", "pitches"),
    [(0.33, (950, 1400, 1800)), (0.274, (914, 1371, 1777)), (0.38, (985, 1429, 1777)), (0.274, (985, 1371, 1777))],
)
def test_the_information_tone(country, step, pitches):
    pcm = played((1.0,), *[(pitch, step) for pitch in pitches], (1.0,))
    assert names(Cadence(country), frames(pcm)) == [Sound.SIT]


def test_ring_back_that_comes_no_more():
    ring = voice(RING_BACK, 7)
    assert names(Cadence(JAPAN), ring + [SILENCE] * 200) == [Sound.RING_BACK, Sound.CEASED]
    ((_, rang), *_, (_, ceased)) = heard(Cadence(JAPAN), ring[:50] + [SILENCE] * 200)
    assert ceased - 1.0 == pytest.approx(2.5, abs=0.15)
    assert rang < 0.9


def test_a_ring_of_which_only_the_end_was_heard():
    ring = voice(RING_BACK, 1.0)
    assert names(Cadence(JAPAN), ring[25:] + [SILENCE] * 200) == [Sound.RING_BACK, Sound.CEASED]
    assert names(Cadence(JAPAN), ring[42:] + [SILENCE] * 200) == []


def test_a_ring_that_the_modem_heard():
    ear = Cadence(JAPAN)
    ear.rang()
    assert names(ear, [SILENCE] * 300) == [Sound.CEASED]


def test_somebody_answers_in_the_middle_of_ring_back():
    events = heard(Cadence(JAPAN), voice(RING_BACK, 6.4) + voice(Speech(4), 2))
    assert events[-1][0] is Sound.VOICE
    assert events[-1][1] < 7.2


def test_our_own_echo_is_nobodys_voice():
    def echo(ear, said):
        return [
            ear.hear(bytes(array("h", [one // 4 for one in array("h", frame)])), said) for frame in voice(Speech(2), 9)
        ]

    loud = max(sum(one * one for one in array("h", frame)) for frame in voice(Speech(2), 9))
    assert not any(echo(Cadence(JAPAN), loud))
    assert Sound.VOICE in echo(Cadence(JAPAN), 0.0)


@pytest.mark.parametrize("country", COUNTRIES.values(), ids=lambda country: country.name)
@pytest.mark.parametrize("answered", [False, True])
def test_speech_is_no_tone(country, answered):
    for seed in range(4):
        ear = Cadence(country)
        if answered:
            ear.answered()
        assert names(ear, voice(Speech(seed), 20)) == ([] if answered else [Sound.VOICE])


@pytest.mark.soak
@pytest.mark.parametrize("country", COUNTRIES.values(), ids=lambda country: country.name)
def test_an_hour_of_speech_is_no_tone(country):
    for seed in range(100, 280):
        ear = Cadence(country)
        ear.answered()
        assert not heard(ear, voice(Speech(seed), 20))


def test_busy_tone_after_a_talk_and_under_the_rustle_of_8_bits():
    ear = Cadence(JAPAN)
    ear.answered()
    rough = [bytes(array("h", [one // 256 * 256 for one in array("h", frame)])) for frame in voice(BUSY_TONE, 5)]
    events = heard(ear, voice(Speech(7), 8) + rough)
    assert {sound for sound, _ in events} == {Sound.BUSY}
    assert len(events) >= 3
    assert events[0][1] - 8 < 1.7


def judge(country):
    """Spandsp's detector of a country's tones: on, off and on again, each a quarter shorter or longer."""
    tones = {}
    for name, (hertz, other, on, off) in JUDGED[country].items():
        sounding = (hertz, other, round(750 * on), round(1250 * on))
        tones[name] = [sounding, (0, 0, round(750 * off), round(1250 * off)), sounding][: 3 if name == "busy" else 2]
    return Cadences(**tones)


def told(country, name):
    """A quarter of a minute of the tone; Japan's as the emulated exchange makes it, the others plain."""
    if country == "JP":
        return b"".join(voice(BUSY_TONE if name == "busy" else RING_BACK, 15))
    hertz, other, on, off = JUDGED[country][name]
    return played(*[(hertz, *([other] if other else []), on), (0, off)] * math.ceil(15 / (on + off)))


@pytest.mark.parametrize(
    ("country", "name"),
    [(country, name) for country in JUDGED for name in JUDGED[country] if (country, name) != ("US", "ring-back")],
)
def test_spandsp_agrees(country, name):
    """But for America's ring-back, whose two pitches spandsp does not resolve (its bins are 62.5 Hz wide)."""
    pcm = told(country, name)
    outside = judge(country)
    assert set(outside.hear(pcm)) == {name}
    outside.close()
    ours = names(Cadence(COUNTRIES[country]), frames(pcm))
    assert ours == [Sound.BUSY if name == "busy" else Sound.RING_BACK]


def test_spandsp_agrees_that_speech_is_neither():
    outside = judge("JP")
    assert outside.hear(b"".join(voice(Speech(1), 10))) == []
    outside.close()


def test_a_frame_costs_little():
    """A hundredth of the 20 ms that it lasts, on a slow machine and in a good moment."""
    best = math.inf
    for _ in range(5):
        ear, speech = Cadence(JAPAN), voice(Speech(1), 4)
        ear.answered()
        begin = time.process_time()
        for frame in speech:
            ear.hear(frame)
        best = min(best, (time.process_time() - begin) / len(speech))
    assert best < 0.0004


def test_what_a_pair_explains():
    samples = array("h", played((400, 0.02)))
    whole = sum(one * one for one in samples)
    assert explained(samples, (385, 415)) > 0.97 * whole
    assert explained(samples, (914, 985)) < 0.05 * whole
