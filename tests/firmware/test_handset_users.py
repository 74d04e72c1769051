"""The voice memo and the sound test: both open the handset, and neither leaves it open or a recording running."""

import threading

import pyrage
import pytest

from firmware import numbers
from firmware.calls import Call
from firmware.memo import Memo
from firmware.recorder import Recorder
from firmware.screens import words
from firmware.soundtest import DELAY, HEARD, Mirror, SoundTest
from firmware.vault import Vault
from hw.contracts import FRAME, SILENCE
from hw.emulated.handset import EmulatedHandset
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


def test_a_memo_that_the_books_refuse_leaves_nothing_running(memo, handset, books, recorder):
    memo.toggle(CALL.id)
    books.store.freeze()
    memo.stop()
    assert (memo.running, handset.opened, recorder.stop()) == (False, 0, None)


def test_the_sound_test_ends_by_being_stopped_or_started_anew(handset):
    test = SoundTest(handset)
    test.stop()
    assert test.start() == "audio-running"
    assert test.start() == "audio-running"
    assert test.verdict() is None
    test.stop()
    assert (handset.opened, test.verdict()) == (0, None)


def test_without_a_handset_the_sound_test_fails_in_words(handset):
    handset.broken = True
    test = SoundTest(handset)
    assert test.start() == "audio-failed"
    assert test.verdict() is None
    assert {"audio-failed", "audio-running", "audio-ok"} <= set(words.OUTCOMES)


def test_the_mirror_says_back_what_it_heard_and_how_loud():
    mirror = Mirror()
    assert mirror.level < HEARD
    loud = b"\x00\x20" * (FRAME // 2)
    mirror.write(loud)
    assert mirror.level > HEARD
    heard = [mirror.read() for _ in range(DELAY) if mirror.write(SILENCE) is None]
    assert heard.count(loud) == 0  # a second is not over
    mirror.write(SILENCE)
    assert mirror.read() == loud
