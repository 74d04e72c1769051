"""The recorder: what is kept, in which order, and that nothing can hold up the talk path."""

import queue
import threading
from uuid import UUID, uuid4

import pyrage
import pytest

from firmware import journal
from firmware.journal import Ending, Gap
from firmware.opus import Decoder
from firmware.recorder import PRE_ROLL, Recorder
from firmware.vault import QUEUE_SECONDS, RecordingFailed, Vault
from hw.contracts import FRAME, FRAME_SECONDS, SILENCE
from hw.errors import MisuseError

KEY = pyrage.x25519.Identity.generate()
LOUD = (b"\x00\x20" * 8 + b"\x00\xe0" * 8) * (FRAME // 32)  # 500 Hz


@pytest.fixture
def inbox():
    return queue.SimpleQueue()


@pytest.fixture
def vault(tmp_path, inbox):
    vault = Vault(tmp_path / "recordings", [str(KEY.to_public())], inbox.put)
    yield vault
    vault.close()


@pytest.fixture
def recorder(vault, inbox):
    return Recorder(vault, inbox.put)


def hear(recorder, frames, agent=SILENCE, customer=SILENCE):
    for _ in range(frames):
        recorder.hear(agent, customer)


def parts_of(path):
    data = path.read_bytes()
    reading = journal.read(data)
    parts = [journal.unpack(pyrage.decrypt(record.blob, [KEY])) for record in reading.records]
    assert journal.verify(UUID(path.stem), parts, data, reading) == (len(parts) - 1, ())
    return parts[:-1], parts[-1]


def loudness(packets):
    decoder = Decoder()
    return [max(memoryview(decoder.decode(packet)).cast("h")) > 2000 for packet in packets]


def test_a_call_is_kept_from_the_pre_roll_to_the_end(recorder, inbox):
    recorder.listen()
    hear(recorder, 30, agent=LOUD, customer=LOUD)
    call = str(uuid4())
    recorder.start(call)
    assert recorder.recording
    hear(recorder, 220, agent=LOUD)
    sealed = recorder.stop()
    assert (sealed.call, sealed.segments, sealed.frames, sealed.complete) == (call, 3, 250, True)
    assert sealed.talk_seconds == 4.4
    assert recorder.talk == pytest.approx(4.4)
    assert not recorder.recording
    segments, closing = parts_of(sealed.path)
    assert [(one.index, one.first, len(one.agent), one.answer) for one in segments] == [
        (0, 0, 100, 30),
        (1, 100, 100, 30),
        (2, 200, 50, 30),
    ]
    assert (closing.ending, closing.frames, closing.answer, closing.talk) == (Ending.CLOSED, 250, 30, 220)
    assert {len(one.agent) - len(one.customer) for one in segments} == {0}
    assert inbox.empty()


def test_frames_that_are_late_at_the_answer_belong_before_it(recorder):
    recorder.listen()
    hear(recorder, 30, customer=LOUD)
    recorder.start(str(uuid4()), late=20)
    hear(recorder, 20, agent=LOUD, customer=LOUD)
    hear(recorder, 50, agent=LOUD)
    sealed = recorder.stop()
    assert (sealed.frames, sealed.talk_seconds) == (100, 1.0)
    segments, closing = parts_of(sealed.path)
    assert (closing.answer, closing.talk) == (50, 50)
    assert not any(loudness([packet for one in segments for packet in one.agent])[:50])


def test_the_pre_roll_holds_ten_seconds_of_the_customers_side_only(recorder):
    recorder.listen()
    hear(recorder, 100, agent=LOUD, customer=LOUD)
    hear(recorder, PRE_ROLL - 20, agent=LOUD)
    recorder.start(str(uuid4()))
    hear(recorder, 1)
    segments, closing = parts_of(recorder.stop().path)
    assert closing.answer == PRE_ROLL
    agent = [packet for one in segments for packet in one.agent]
    customer = [packet for one in segments for packet in one.customer]
    assert not any(loudness(agent))
    assert all(loudness(customer)[2:18])
    assert not any(loudness(customer)[24:])


def test_nothing_is_kept_before_listening_and_nothing_survives_a_discard(recorder, vault):
    hear(recorder, 10, customer=LOUD)
    recorder.listen()
    hear(recorder, 10, customer=LOUD)
    recorder.discard()
    hear(recorder, 10, customer=LOUD)
    assert list(vault.directory.iterdir()) == []
    recorder.start(str(uuid4()))
    hear(recorder, 5)
    assert recorder.stop().frames == 5


def test_a_pause_is_left_out_and_stated(recorder):
    recorder.start(str(uuid4()))
    hear(recorder, 30)
    recorder.pause()
    recorder.pause()
    assert not recorder.recording
    hear(recorder, 70, agent=LOUD, customer=LOUD)
    recorder.resume()
    recorder.resume()
    hear(recorder, 20)
    recorder.pause()
    hear(recorder, 5, agent=LOUD)
    sealed = recorder.stop()
    segments, closing = parts_of(sealed.path)
    assert closing.gaps == (Gap(30, 70), Gap(50, 5))
    assert [(one.first, one.left_out, len(one.agent)) for one in segments] == [(0, 0, 30), (30, 70, 20)]
    assert (sealed.frames, sealed.talk_seconds, sealed.complete) == (50, 2.5, True)
    assert not any(loudness(packet for one in segments for packet in one.agent))


def test_what_was_said_before_a_pause_is_on_the_disk_during_it(recorder, vault):
    recorder.start(call := str(uuid4()))
    hear(recorder, 10)
    recorder.pause()
    written = threading.Event()
    vault.do(written.set)
    assert written.wait(5)
    assert len(journal.read(vault.path(UUID(call)).read_bytes()).records) == 1
    assert recorder.stop().complete


def test_calls_follow_each_other(recorder):
    paths = []
    for frames in (120, 0, 7):
        recorder.listen()
        hear(recorder, 3)
        recorder.start(str(uuid4()))
        assert recorder.talk == 0
        hear(recorder, frames)
        sealed = recorder.stop()
        assert (sealed.frames, sealed.complete) == (frames + 3, True)
        paths.append(sealed.path)
    for path, frames in zip(paths, (123, 3, 10), strict=True):
        assert parts_of(path)[1].frames == frames


def test_misuse_is_refused(recorder):
    assert recorder.stop() is None
    recorder.pause(), recorder.resume(), recorder.discard()
    recorder.start(str(uuid4()))
    with pytest.raises(MisuseError):
        recorder.start(str(uuid4()))
    with pytest.raises(MisuseError):
        recorder.discard()
    assert recorder.stop() is not None
    assert recorder.stop() is None
    with pytest.raises(ValueError, match="badly formed"):
        recorder.start("not a call")


def test_a_card_that_stands_still_holds_up_nobody_and_is_reported_once(recorder, vault, inbox):
    stuck, freed = threading.Event(), threading.Event()
    recorder.start(str(uuid4()))
    hear(recorder, 100)
    vault.do(lambda: (stuck.set(), freed.wait(30)))
    assert stuck.wait(5)
    hear(recorder, round(QUEUE_SECONDS / FRAME_SECONDS) + 500)
    assert inbox.get(timeout=20) == RecordingFailed("the card does not keep up")
    assert inbox.empty()
    assert recorder.talk == pytest.approx(QUEUE_SECONDS + 12)
    freed.set()
    sealed = recorder.stop()
    segments, closing = parts_of(sealed.path)
    assert (sealed.complete, closing.ending) == (False, Ending.CUT_SHORT)
    assert sum(len(one.agent) for one in segments) >= QUEUE_SECONDS / FRAME_SECONDS
    assert inbox.empty()


def test_a_short_standstill_costs_nothing(recorder, vault, inbox):
    freed = threading.Event()
    recorder.start(str(uuid4()))
    vault.do(lambda: freed.wait(30))
    hear(recorder, round(30 / FRAME_SECONDS))
    freed.set()
    sealed = recorder.stop()
    assert (sealed.frames, sealed.complete) == (1500, True)
    assert inbox.empty()


def test_until_all_agree_nothing_of_either_voice_is_kept_not_even_the_pre_roll(recorder, inbox, tmp_path):
    recorder.listen()
    hear(recorder, 30, agent=LOUD, customer=LOUD)
    call = str(uuid4())
    recorder.ask()
    hear(recorder, 120, agent=LOUD, customer=LOUD)
    assert not recorder.recording
    assert not list(tmp_path.rglob("*.journal"))
    recorder.agree(call)
    hear(recorder, 50, customer=LOUD)
    sealed = recorder.stop()
    segments, closing = parts_of(sealed.path)
    assert sum(len(segment.customer) for segment in segments) == 50
    assert closing.gaps == (Gap(0, 120),)
    assert (segments[0].answer, closing.talk) == (0, 170)
    assert inbox.empty()


def test_a_call_on_which_nobody_agrees_leaves_no_recording(recorder, tmp_path):
    recorder.listen()
    hear(recorder, 30, customer=LOUD)
    recorder.ask()
    hear(recorder, 500, agent=LOUD, customer=LOUD)
    assert recorder.stop() is None
    assert not list(tmp_path.rglob("*.journal"))
    with pytest.raises(MisuseError):
        recorder.agree(str(uuid4()))
    recorder.listen()
    recorder.start(str(uuid4()))
    hear(recorder, 5)
    assert recorder.stop().complete


def test_what_was_said_before_all_agreed_is_not_kept_because_it_comes_late(recorder):
    recorder.ask()
    hear(recorder, 100, agent=LOUD, customer=LOUD)
    recorder.agree(str(uuid4()), 7)
    hear(recorder, 7, agent=LOUD, customer=LOUD)
    hear(recorder, 50)
    segments, closing = parts_of(recorder.stop().path)
    assert closing.gaps == (Gap(0, 107),)
    assert sum(len(segment.agent) for segment in segments) == 50
    assert not any(loudness([*segments[0].agent, *segments[0].customer]))
