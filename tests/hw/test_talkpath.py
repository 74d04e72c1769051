"""The talk path between two ends that are emulated by number: frame k carries k in its first four bytes."""

import queue
import struct
import threading
from array import array
from time import monotonic

import pytest

from hw import sounds
from hw.contracts import FRAME, FRAME_SECONDS, RATE, SILENCE
from hw.errors import MisuseError
from hw.jitter import CAP
from hw.levels import EARED, FLOOR, LOUD, Level, Meter, mix, scale
from hw.talkpath import STEPS, UNITY, TalkPath

LIMIT = 30.0  # seconds any of these tests may wait


class Tap:
    """An end (or a sink) that keeps all it is given, and speaks what is put into it."""

    def __init__(self):
        self.said, self.got = queue.SimpleQueue(), queue.SimpleQueue()
        self.burst = iter(())  # what comes first, in one tick however the threads are scheduled

    def read(self):
        try:
            return next(self.burst, None) or self.said.get_nowait()
        except queue.Empty:
            return None

    def write(self, frame):
        self.got.put(frame)

    def hear(self, agent, customer):
        self.got.put((agent, customer))

    def next(self, wanted=lambda frame: frame != SILENCE):
        while not wanted(frame := self.got.get(timeout=LIMIT)):
            pass
        return frame


class Metronome:
    """An end whose k-th frame is ready k frame times after its first read, on the monotonic clock; it never ends.

    `done` is set when it was told of the other end's frame `count`, or a later one.
    """

    def __init__(self, count):
        self.count, self.given, self.began = count, 0, None
        self.heard, self.done = [], threading.Event()

    def read(self):
        self.began = self.began or monotonic()
        if monotonic() < self.began + self.given * FRAME_SECONDS:
            return None
        self.given += 1
        return numbered(self.given)

    def write(self, frame):
        number = struct.unpack_from("<I", frame)[0]
        self.heard.append(number)
        if number >= self.count:
            self.done.set()


def numbered(number):
    return struct.pack("<I", number).ljust(FRAME, b"\1")


def level(value):
    return array("h", [value] * (FRAME // 2)).tobytes()


@pytest.fixture
def ends():
    return Tap(), Tap(), Tap()


@pytest.fixture
def path(ends):
    path = TalkPath(*ends)
    path.start()
    ends[0].got.get(timeout=LIMIT)  # the first tick is over: nothing said from now on is stale
    yield path
    path.stop()


def say(end, frame, times=6):
    for _ in range(times):
        end.said.put(frame)


class Tally:
    """A sink that keeps the numbers of the frames of either ear."""

    def __init__(self):
        self.ears = [], []

    def hear(self, *ears):
        for numbers, frame in zip(self.ears, ears, strict=True):
            numbers.append(struct.unpack_from("<I", frame)[0])


def check_nothing_lost(count, unplayed=None):
    """Both ends speak `count` frames. `unplayed`: how many ticks may come too late; any number if not told."""
    handset, line, sink = Metronome(count), Metronome(count), Tally()
    path = TalkPath(handset, line, sink)
    path.start()
    for end in (handset, line):
        assert end.done.wait(count * FRAME_SECONDS + LIMIT)
    path.stop()
    counts = path.counts
    for ear in sink.ears:
        check_all(ear, count, missing=0)
    for end in (handset, line):
        check_all(end.heard, count, missing=counts.unplayed)
    assert counts.overflows == counts.handset_underruns == counts.line_underruns == 0
    assert counts.frames >= count
    assert unplayed in (None, counts.unplayed)
    return counts


def check_all(numbers, count, missing):
    """In order, none twice, at least up to `count`, and none missing but the first, which is stale, and `missing`."""
    numbers = [number for number in numbers if number]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] >= count
    assert numbers[-1] - 1 - missing <= len(numbers) <= numbers[-1]


@pytest.mark.slow
def test_no_frame_is_lost_between_ends_on_one_clock():
    check_nothing_lost(round(2.5 / FRAME_SECONDS))


@pytest.mark.soak
@pytest.mark.timeout(700)
def test_no_frame_is_lost_in_ten_minutes():
    print(check_nothing_lost(round(600 / FRAME_SECONDS), unplayed=0))


@pytest.mark.usefixtures("path")
def test_both_voices_cross_and_the_sink_hears_them_in_one_tick(ends):
    handset, line, sink = ends
    say(handset, numbered(7)), say(line, numbered(9))
    assert line.next() == numbered(7)
    assert handset.next() == numbered(9)
    assert sink.next(lambda pair: SILENCE not in pair) == (numbered(7), numbered(9))


def test_a_voice_is_held_back_until_enough_is_there(ends, path):
    handset, line, _ = ends
    say(handset, numbered(1), 2)
    for _ in range(5):
        assert line.got.get(timeout=LIMIT) == SILENCE
    say(handset, numbered(2), 1)
    assert line.next() == numbered(1)
    assert path.counts.handset_underruns == 0


def test_silence_is_written_and_counted_when_an_end_runs_dry(ends, path):
    handset, line, _ = ends
    say(handset, numbered(1), 3)
    for _ in range(3):
        assert line.next() == numbered(1)
    assert line.got.get(timeout=LIMIT) == SILENCE
    assert handset.got.get(timeout=LIMIT) == SILENCE
    line.got.get(timeout=LIMIT)  # its tick's counts are in
    assert (path.counts.handset_underruns, path.counts.line_underruns) == (1, 0)


def test_the_oldest_goes_when_an_end_is_too_far_ahead(ends, path):
    handset, line, _ = ends
    handset.burst = iter([numbered(n) for n in range(1, 2 * CAP + 1)])
    first = struct.unpack_from("<I", line.next())[0]
    line.next()
    assert 1 <= path.counts.overflows <= CAP  # CAP on a quick machine; ticks that are owed may have their frames
    assert first == path.counts.overflows + 1


def test_what_is_due_is_heard_before_the_path_stops(ends, path):
    handset, line, _ = ends
    gate, real_write = threading.Event(), handset.write

    def stuck(frame):
        gate.wait(LIMIT)
        real_write(frame)

    assert path.owed <= CAP
    handset.write = stuck
    ends_at = monotonic() + LIMIT
    while (owed := path.owed) < 5:
        assert monotonic() < ends_at
        line.got.get(timeout=0.02) if not line.got.empty() else gate.wait(0.01)
    done = path.counts.frames
    gate.set()
    path.stop()
    assert path.counts.frames >= done + owed
    assert path.owed == 0


def test_what_was_heard_before_the_start_is_not_played(ends):
    handset, line, sink = ends
    say(handset, numbered(1), 5)
    path = TalkPath(handset, line, sink)
    path.start()
    line.got.get(timeout=LIMIT)
    say(handset, numbered(2))
    assert line.next() == numbered(2)
    path.stop()


def test_muted_means_silence_on_the_line_and_in_the_recording(ends, path):
    handset, line, sink = ends
    path.muted = True
    say(handset, numbered(7)), say(line, numbered(9))
    assert handset.next() == numbered(9)
    assert sink.next(lambda pair: pair[1] != SILENCE) == (SILENCE, numbered(9))
    path.stop()
    while not line.got.empty():
        assert line.got.get() == SILENCE


def test_held_means_silence_everywhere(ends, path):
    handset, line, sink = ends
    path.held = True
    say(handset, numbered(7)), say(line, numbered(9))
    for _ in range(12):
        assert sink.got.get(timeout=LIMIT) == (SILENCE, SILENCE)
    path.stop()
    for end in (handset, line):
        while not end.got.empty():
            assert end.got.get() == SILENCE
    assert path.counts.handset_underruns == path.counts.line_underruns == 1  # they were taken, and not kept for later


@pytest.mark.parametrize(("volume", "meant"), [(0, 100), (3, 447), (5, 1000), (10, 3162), (-4, 100), (99, 3162)])
def test_volume_changes_the_agents_ear_and_nothing_else(ends, path, volume, meant):
    handset, line, sink = ends
    path.volume = volume
    say(handset, level(1000)), say(line, level(1000))
    assert handset.next() == level(meant)
    assert line.next() == level(1000)
    assert sink.next(lambda pair: SILENCE not in pair) == (level(1000), level(1000))
    assert path.volume == min(max(volume, 0), 10)


@pytest.mark.usefixtures("path")
def test_middle_volume_passes_the_very_frame(ends):
    handset, line, _ = ends
    frame = numbered(3)
    say(line, frame)
    assert handset.next() == frame
    assert STEPS[UNITY] == 0


@pytest.mark.parametrize("decibels", STEPS)
def test_every_sample_is_scaled_and_clipped(decibels):
    table, factor = scale(decibels), 10 ** (decibels / 20)
    for sample in (-32768, -30000, -1000, -1, 0, 1, 1000, 30000, 32767):
        assert table[sample] == min(max(round(sample * factor), -32768), 32767)


def test_a_sound_for_the_ear_reaches_neither_line_nor_recording(ends, path):
    handset, line, sink = ends
    path.ear(level(50) + level(60)[:100])
    assert handset.next() == level(50)
    assert handset.next() == level(60)[:100].ljust(FRAME, b"\0")
    assert handset.got.get(timeout=LIMIT) == SILENCE
    path.stop()
    while not line.got.empty():
        assert line.got.get() == SILENCE
    while not sink.got.empty():
        assert sink.got.get() == (SILENCE, SILENCE)


@pytest.mark.parametrize("state", ["muted", "held"])
def test_a_sound_for_the_ear_is_heard_while_the_line_is_silent(ends, path, state):
    """A promise runs out while the customer is on hold: the agent hears the tick, and nobody else does."""
    handset, line, sink = ends
    setattr(path, state, True)
    path.ear(sounds.TICK)
    ear = [handset.next()] + [handset.got.get(timeout=LIMIT) for _ in range(len(sounds.TICK) // FRAME - 1)]
    assert b"".join(ear) == sounds.TICK
    path.stop()
    assert {line.got.get() for _ in range(line.got.qsize())} == {SILENCE}
    assert {sink.got.get() for _ in range(sink.got.qsize())} == {(SILENCE, SILENCE)}


def test_a_sound_is_mixed_into_the_customers_voice_and_clipped(ends, path):
    handset, line, _ = ends
    say(line, level(32000))
    handset.next()
    path.ear(level(5000))
    assert handset.next(lambda frame: frame != level(32000)) == level(32767)
    assert mix(level(-32000), level(-5000)) == level(-32768)


def test_the_path_can_be_started_again(ends):
    handset, line, sink = ends
    path = TalkPath(handset, line, sink)
    for number in (1, 2):
        path.start()
        with pytest.raises(MisuseError):
            path.start()
        line.got.get(timeout=LIMIT)
        say(handset, numbered(number))
        assert line.next() == numbered(number)
        path.stop()
        while not line.got.empty():
            line.got.get()
    path.stop()


def test_nothing_is_heard_after_stop(ends, path):
    _, _, sink = ends
    path.stop()
    while not sink.got.empty():
        sink.got.get()
    with pytest.raises(queue.Empty):
        sink.got.get(timeout=0.1)


@pytest.mark.slow
def test_a_stall_loses_nothing_of_the_recording_and_is_not_played_late():
    handset, line, sink = Metronome(150), Metronome(150), Tally()
    stall, count = threading.Event(), sink.hear

    def hear(*ears):
        count(*ears)
        if len(sink.ears[0]) == 20:
            stall.wait(0.1)  # five frames: made good at once
        if len(sink.ears[0]) == 60:
            stall.wait(0.5)  # twenty-five: all but the last ten are too old

    sink.hear = hear
    path = TalkPath(handset, line, sink)
    path.start()
    for end in (handset, line):
        assert end.done.wait(3 + LIMIT)
    path.stop()
    assert path.counts.unplayed >= 14
    assert path.counts.late >= 20
    assert path.counts.overflows == 0
    for ear in sink.ears:
        check_all(ear, 150, missing=0)
    for end in (handset, line):
        check_all(end.heard, 150, missing=path.counts.unplayed)
        assert len([number for number in end.heard if number]) <= end.heard[-1] - 14


@pytest.mark.parametrize("sound", [sounds.CLICK, sounds.REFUSED, sounds.TICK])
def test_sounds_are_whole_frames_with_soft_edges(sound):
    samples = array("h", sound)
    assert len(sound) % FRAME == 0
    assert samples[0] == samples[-1] == 0
    assert 1000 < max(samples) < 6000
    assert len(samples) < RATE


def heard_of(frames, *, before=()):
    """What an ear says of a voice after these frames of a line; `before`: what it carried until the answer."""
    path = TalkPath(Tap(), Tap())
    for frame in before:
        path._tick(SILENCE, frame, played=True)
    path.listen()
    for frame in frames:
        path._tick(SILENCE, frame, played=True)
    return path.voice


@pytest.mark.parametrize(
    ("frames", "voice"),
    [
        ([], None),
        ([SILENCE] * 500, None),  # no sound came from the line at all: nobody can say
        ([bytes(bytearray(FRAME))] * 500, False),  # it carried silence
        ([level(60)] * 500, False),  # and this is its own noise
        ([level(150), level(-150)] * 250, False),
        ([level(LOUD)] * 2 * EARED, True),
        ([level(60)] * 400 + [level(2000)] * 20 + [level(60)] * 80, True),  # one short word
        ([level(60)] * 400 + [level(9000)] * EARED + [level(60)] * 95, False),  # a click
    ],
)
def test_a_voice_on_the_line_is_noticed(frames, voice):
    assert heard_of(frames) is voice


def test_ring_back_is_no_voice():
    assert heard_of([level(0)] * 100, before=[level(5000)] * 100) is False


@pytest.mark.parametrize("state", ["muted", "held"])
def test_a_voice_is_noticed_whatever_the_agent_does(ends, path, state):
    setattr(path, state, True)
    path.listen()
    say(ends[1], level(3000), times=40)
    path._line.got.get(timeout=LIMIT)
    while path.voice is not True:
        path._line.got.get(timeout=LIMIT)


def test_both_ends_levels_are_told_whatever_the_agent_does(ends, path):
    handset, line, _ = ends
    assert path.levels.handset.rms == path.levels.line.peak == FLOOR
    path.muted = True  # who wonders whether the microphone works must see it move
    say(handset, level(3277), times=40), say(line, level(328), times=40)
    while (levels := path.levels).handset.rms < -21 or levels.line.rms < -41:
        line.got.get(timeout=LIMIT)
    assert -20.1 < levels.handset.peak < -19.9
    assert -40.1 < levels.line.peak < -39.9


def test_a_meter_tells_of_the_last_second_only():
    meter = Meter()
    for frame in [level(20000)] * 50 + [level(100)] * 25:
        meter.hear(frame)
    assert meter.level.peak > -5  # half a second of it is left
    for frame in [level(100)] * 25:
        meter.hear(frame)
    assert meter.level.peak < -50
    for _ in range(50):
        meter.hear(SILENCE)
    assert meter.level == Level(FLOOR, FLOOR)


class Card(Tap):
    """An end with a queue of its own."""

    dropped, underruns = 3, 2


def test_what_the_ends_count_themselves_is_told_when_the_path_has_stopped():
    for ends, told in (((Card(), Tap()), (2, 3)), ((Tap(), Card()), (0, 3)), ((Card(), Card()), (2, 6))):
        path = TalkPath(*ends)
        path.start()
        ends[0].got.get(timeout=LIMIT)
        path.stop()
        assert (path.counts.ear_gaps, path.counts.unsaid) == told
