"""Key tones of the far end: found in what was recorded, told as spans, and never which keys."""

import queue
import uuid
from array import array
from math import sin, tau

import pytest

from firmware.keytones import EVERY, KeyTones, KeyTonesHeard, is_key
from firmware.opus import Decoder, Encoder
from firmware.recorder import Recorder
from firmware.vault import Vault
from hw.contracts import FRAME_SECONDS, SILENCE
from hw.dtmf import KEYS, tones
from hw.emulated.speech import Speech
from hw.events import Answered
from hw.levels import mix

SECOND = 50  # frames
DIGITS = "0312345601"


def softer(frame, by):
    return array("h", [one // by for one in array("h", frame)]).tobytes()


def spans(frames):
    ear = KeyTones()
    found = [span for frame in frames if (span := ear.hear(frame))]
    return [*found, *filter(None, [ear.end()])]


@pytest.mark.parametrize("digit", "".join(KEYS))
def test_every_key_is_heard_loud_and_soft_and_through_a_codec(digit):
    encoder, decoder = Encoder(), Decoder()
    heard = tones(digit)
    for frames in (heard, [softer(one, 40) for one in heard], [decoder.decode(encoder.encode(one)) for one in heard]):
        assert spans(frames)


def test_a_row_of_digits_is_one_span_and_it_is_where_it_was():
    frames = [SILENCE] * (3 * SECOND) + tones(DIGITS) + [SILENCE] * (4 * SECOND) + tones("5") + [SILENCE]
    (first, second) = spans(frames)
    assert first[0] == pytest.approx(3 * SECOND, abs=EVERY)
    assert first[1] == pytest.approx(3 * SECOND + len(tones(DIGITS)), abs=6)
    assert second[0] == pytest.approx(3 * SECOND + len(tones(DIGITS)) + 4 * SECOND, abs=EVERY)


def test_they_are_heard_while_somebody_talks_softly():
    talk = [softer(Speech(1).frame(n), 8) for n in range(len(tones(DIGITS)))]
    assert spans([mix(tone, voice) for tone, voice in zip(tones(DIGITS), talk, strict=True)])


def test_a_voice_is_no_key_and_neither_are_silence_and_the_lines_own_tones():
    assert [seed for seed in range(12) if any(is_key(Speech(seed).frame(n)) for n in range(8 * SECOND))] == []
    assert spans([SILENCE] * SECOND) == []
    for hertz in ((400,), (350, 440), (440, 480), (1100,), (2100,)):  # ring-back, dial tone, busy, fax
        assert spans(sine(hertz, SECOND)) == [], hertz


def sine(pitches, count):
    samples = [round(sum(6000 * sin(tau * hertz * n / 8000) for hertz in pitches)) for n in range(160 * count)]
    return [array("h", samples[at : at + 160]).tobytes() for at in range(0, len(samples), 160)]


def test_a_recording_tells_where_they_are_from_the_answer_on(tmp_path, recipient):
    """With ring-back before the answer, and a pause in between: the time is that of the talk."""
    posted = queue.SimpleQueue()
    vault = Vault(tmp_path / "recordings", [recipient], posted.put)
    recorder, call = Recorder(vault, posted.put), str(uuid.uuid4())
    recorder.listen()
    for frame in sine((400,), SECOND):
        recorder.hear(SILENCE, frame)
    recorder.start(call)
    for frame in [SILENCE] * SECOND + tones("12") + [SILENCE] * SECOND:
        recorder.hear(SILENCE, frame)
    recorder.pause()
    for frame in tones("999"):  # nothing of this is kept, so there is nothing to find
        recorder.hear(SILENCE, frame)
    recorder.resume()
    for frame in [SILENCE] * SECOND + tones("3"):
        recorder.hear(SILENCE, frame)
    sealed = recorder.stop()
    vault.close()
    first, second = posted.get(timeout=20), posted.get(timeout=20)
    assert posted.empty()
    assert (type(first), first.call, second.call) == (KeyTonesHeard, call, call)
    assert first.start == pytest.approx(1.0, abs=0.05)
    assert first.seconds == pytest.approx(len(tones("12")) * FRAME_SECONDS, abs=0.12)
    pause = len(tones("999")) * FRAME_SECONDS
    assert second.start == pytest.approx(2.0 + len(tones("12")) * FRAME_SECONDS + pause + 1.0, abs=0.05)
    assert sealed.gaps == ((1.0 + 2.0 + round(len(tones("12")) * FRAME_SECONDS, 2), round(pause, 2)),)


def test_they_are_in_the_calls_books_without_the_digits(stage):
    stage.play("A", Answered(), idle=0.5)
    calls = stage.books()
    (row,) = calls.store.rows("SELECT id FROM call")
    calls.close()
    stage.play(KeyTonesHeard(row["id"], 3.0, 1.62), KeyTonesHeard(str(uuid.uuid4()), 1.0, 1.0), "D")
    calls = stage.books()
    marks = {mark["name"]: mark["seconds"] for mark in calls.record(row["id"])["marks"]}
    calls.close()
    assert marks["key-tones 1.62"] == 3.0
