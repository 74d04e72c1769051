"""The voice memo and the sound test: both open the handset, and neither leaves it open or a recording running."""

import threading
from array import array
from time import monotonic

import pyrage
import pytest

from firmware import numbers
from firmware.calls import Call
from firmware.memo import Memo
from firmware.recorder import Recorder
from firmware.screens import words
from firmware.soundtest import DELAY, TONES, Mirror, SoundTest, power_at
from firmware.vault import Vault
from hw.contracts import FRAME, SILENCE
from hw.emulated.handset import EmulatedHandset
from hw.emulated.speech import Speech, Tone
from hw.errors import AudioError
from hw.events import Cause, Party

CALL = Call("5d2c1b0a-9f8e-4d7c-8b6a-5a4f3e2d1c0b", numbers.parse("03-1234-5601"), None)


class Handset(EmulatedHandset):
    """Counts how often it is open, and can be broken."""

    def __init__(self):
        super().__init__()
        self.opened, self.broken, self.spoken = 0, False, threading.Event()

    def open(self):
        if self.broken:
            raise AudioError("no sound card")
        self.opened += 1
        assert self.opened == 1, "opened twice"
        super().open()

    def close(self):
        self.opened = 0
        super().close()

    def read(self):
        frame = super().read()
        if frame is not None:
            self.spoken.set()
        return frame


@pytest.fixture
def handset():
    return Handset()


@pytest.fixture
def books(stage):
    made = stage.books()
    made.begin(CALL, None, "07", "off-list")
    made.ended(CALL.id, Cause.NORMAL, Party.FAR, 1.0)
    yield made
    made.close()


@pytest.fixture
def told():
    return []


@pytest.fixture
def recorder(tmp_path, told):
    vault = Vault(tmp_path / "recordings", [str(pyrage.x25519.Identity.generate().to_public())], told.append)
    yield Recorder(vault, told.append)
    vault.close()


@pytest.fixture
def memo(handset, recorder, books):
    return Memo(handset, recorder, books)


def marks(books):
    return [mark["name"] for mark in books.record(CALL.id)["marks"]]


def test_a_memo_is_sealed_and_named_in_the_calls_books(memo, handset, books, tmp_path):
    memo.toggle(CALL.id)
    assert memo.running
    assert handset.spoken.wait(2)
    memo.toggle(CALL.id)
    assert (memo.running, handset.opened) == (False, 0)
    name = next(mark for mark in marks(books) if mark.startswith("memo ")).removeprefix("memo ")
    assert (tmp_path / "recordings" / f"{name}.journal").stat().st_size > 0


def test_stopping_twice_is_stopping_once(memo, books):
    memo.stop()
    memo.toggle(CALL.id)
    memo.stop()
    memo.stop()
    assert sum(mark.startswith("memo ") for mark in marks(books)) == 1


def test_a_memo_after_a_memo_is_another_one(memo, books):
    for _ in range(2):
        memo.toggle(CALL.id)
        memo.stop()
    named = [mark for mark in marks(books) if mark.startswith("memo ")]
    assert len(set(named)) == 2


def test_without_a_handset_there_is_no_memo_and_nothing_runs(memo, handset, recorder, books):
    handset.broken = True
    memo.toggle(CALL.id)
    assert not memo.running
    assert recorder.stop() is None
    assert not [mark for mark in marks(books) if mark.startswith("memo ")]


def test_the_books_know_of_a_memo_before_it_is_on_the_card(memo, handset, books, tmp_path):
    memo.toggle(CALL.id)  # and the power goes
    (name,) = (mark.removeprefix("memo ") for mark in marks(books) if mark.startswith("memo "))
    assert handset.spoken.wait(2)
    memo.stop()
    assert [path.stem for path in (tmp_path / "recordings").glob("*.journal")] == [name]


def test_a_memo_that_the_books_refuse_leaves_nothing_running(memo, handset, books, recorder):
    books.store.freeze()
    memo.toggle(CALL.id)
    assert (memo.running, handset.opened, recorder.stop()) == (False, 0, None)


def test_the_sound_test_ends_by_being_stopped_or_started_anew(handset):
    test = SoundTest(handset)
    test.stop()
    assert (test.progress, test.verdict()) == (None, None)
    assert test.start() == "audio-tone"
    assert test.start() == "audio-tone"
    assert test.verdict() == "audio-tone"
    assert 0 < test.progress.left <= test.progress.lasts == 20
    test.stop()
    assert (handset.opened, test.verdict(), test.progress) == (0, None, None)


def test_without_a_handset_the_sound_test_fails_in_words(handset):
    handset.broken = True
    test = SoundTest(handset)
    assert test.start() == "audio-failed"
    assert test.verdict() is None


def test_a_card_that_is_pulled_out_ends_the_sound_test(handset):
    test = SoundTest(handset)
    test.start()
    handset.plugged = False
    assert test.verdict() == "audio-failed"
    assert (handset.opened, test.verdict()) == (0, None)


@pytest.mark.slow
def test_the_whole_sound_test_hears_a_voice(handset):
    """In real time, all 20 seconds, as an agent has it."""
    test, said, end = SoundTest(handset), [], monotonic() + 60
    said.append(test.start())
    while (word := test.verdict()) is not None:
        assert monotonic() < end
        if word != said[-1]:
            said.append(word)
        handset.spoken.clear()
        handset.spoken.wait(0.05)
    assert said == ["audio-tone", "audio-speak", "audio-ok"]
    assert handset.opened == 0
    assert power_at(1000, array("h", handset.heard[FRAME * 20 : FRAME * 30])) > 1000  # the tone was in the ear


def heard(agent, *, coupling=0.0, late=3):
    """A mirror after 20 seconds of an agent: frames, or None for silence; `coupling` of the ear gets into the mouth."""
    mirror, ear = Mirror(), [SILENCE] * late
    for number in range(1000):
        voice = array("h", agent(number) if number >= TONES else SILENCE)
        back = array("h", ear[-late])
        both = [min(max(round(one + coupling * other), -32768), 32767) for one, other in zip(voice, back, strict=True)]
        mirror.write(array("h", both).tobytes())
        ear.append(mirror.read())
        assert mirror.read() is None  # one for one
    return mirror


def speaking(loudness):
    """A voice that comes to about -17 dBFS at 1, and breathes."""
    return lambda number: array(
        "h", [min(max(round(loudness * sample), -32768), 32767) for sample in array("h", Speech(7).frame(number))]
    ).tobytes()


@pytest.mark.parametrize(
    ("loudness", "coupling", "word"),
    [
        (0.5, 0.0, "audio-ok"),
        (0.5, 0.05, "audio-echo"),
        (0.0, 0.0, "audio-silent"),
        (0.001, 0.0, "audio-silent"),
        (0.0, 0.1, "audio-loop"),
        (0.08, 0.0, "audio-quiet"),
        (6.0, 0.0, "audio-clipped"),
    ],
)
def test_the_sound_test_says_plainly_what_it_heard(loudness, coupling, word):
    mirror = heard(speaking(loudness), coupling=coupling)
    assert mirror.verdict() == word
    assert word in words.OUTCOMES


def test_a_hum_at_the_tones_pitch_is_not_the_tone():
    mirror = Mirror()
    for number in range(1000):
        mirror.write(Tone(1000, -30.0).frame(number))
    assert not mirror.tone_back


def test_the_mirror_plays_three_tones_and_says_back_what_it_heard_a_second_late():
    mirror = Mirror()
    played = []
    for number in range(TONES + 2 * DELAY):
        mirror.write(number.to_bytes(2, "little") * (FRAME // 2))
        played.append(mirror.read())
    loud = [power_at(1000, array("h", frame)) > 1000 for frame in played[:TONES]]
    assert [loud[second * 50 + 25] for second in range(6)] == [True, False] * 3
    assert played[TONES : TONES + DELAY] == [SILENCE] * DELAY
    assert played[TONES + DELAY] == TONES.to_bytes(2, "little") * (FRAME // 2)
