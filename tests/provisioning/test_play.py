"""From two voices to a file that anybody can play: recorder, vault, `booth-provision play`, and outside judges."""

import queue
import re
import shutil
import subprocess
import wave
from math import tau
from uuid import UUID, uuid4

import numpy as np
import pytest

from firmware import journal
from firmware.recorder import Recorder
from firmware.vault import Vault
from hw.contracts import FRAME, RATE, SILENCE
from provisioning import cli, keys
from provisioning.opening import comments, viewed

AGENT, CUSTOMER = 440, 1000  # Hz
CALL = "3f2a0000-0000-4000-8000-000000000001"


@pytest.fixture
def key(tmp_path):
    file = tmp_path / "office.key"
    keys.make(file)
    return file


@pytest.fixture
def vault(tmp_path, key):
    public = re.search("age1[0-9a-z]+", key.read_text())[0]
    vault = Vault(tmp_path / "data" / "recordings", [public], queue.SimpleQueue().put)
    yield vault
    vault.close()


@pytest.fixture
def play(tmp_path, key, capsys):
    def run(call, *more):
        code = cli.main(
            ["play", str(call), "--key", str(key), "--data", str(tmp_path / "data"), "--out", str(tmp_path), *more]
        )
        return code, *capsys.readouterr()

    return run


def tone(hertz, frames):
    samples = (8000 * np.sin(tau * hertz * np.arange(frames * FRAME // 2) / RATE)).astype("<i2").tobytes()
    return [samples[at : at + FRAME] for at in range(0, len(samples), FRAME)]


def record(vault, frames, pre_roll=0, call=CALL, pause=0):
    """A call with a tone in each ear."""
    recorder = Recorder(vault, vault.post)
    recorder.listen()
    for customer in tone(CUSTOMER, pre_roll):
        recorder.hear(SILENCE, customer)
    recorder.start(call)
    for number, (agent, customer) in enumerate(zip(tone(AGENT, frames), tone(CUSTOMER, frames), strict=True)):
        if pause and number == frames // 2:
            recorder.pause()
            for _ in range(pause):
                recorder.hear(SILENCE, SILENCE)
            recorder.resume()
        recorder.hear(agent, customer)
    return recorder.stop().path


def ears(path):
    with wave.open(str(path)) as file:
        assert file.getnchannels() == 2
        rate = file.getframerate()
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    return rate, both[:, 0].astype(float), both[:, 1].astype(float)


def power(samples, rate, hertz):
    window = np.hanning(len(samples))
    return np.abs(np.sum(samples * window * np.exp(-1j * tau * hertz * np.arange(len(samples)) / rate))) ** 2


def check_apart(path, seconds):
    """Each ear holds its own tone and the other's at least 60 dB down; the length is as told."""
    rate, left, right = ears(path)
    assert len(left) / rate == pytest.approx(seconds, abs=0.15)
    middle = slice(rate, -rate)  # the codec settles in the first second
    for ear, own, other in ((left, AGENT, CUSTOMER), (right, CUSTOMER, AGENT)):
        assert power(ear[middle], rate, own) > 1e6 * power(ear[middle], rate, other)
        assert np.sqrt(np.mean(ear[middle] ** 2)) > 2000


def records_of(path):
    data = path.read_bytes()
    return [data[record.start : record.end] for record in journal.read(data).records]


def test_each_ear_holds_its_own_voice(vault, play, tmp_path):
    record(vault, 300, pre_roll=50)
    code, out, err = play("3f2a")
    assert (code, err) == (0, "")
    check_apart(tmp_path / f"{CALL}.wav", 7.0)
    assert "answered  0:01.00 after" in out
    assert "length    0:06.00 from the answer" in out
    assert "segments  4, hash right" in out
    assert "left out  nothing" in out


@pytest.mark.parametrize("judge", ["opusdec --quiet {} {}", "ffmpeg -v error -i {} -c:a pcm_s16le {}"])
def test_outside_decoders_hear_the_same(vault, play, tmp_path, judge):
    program, *rest = judge.split()
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    record(vault, 300)
    play(CALL)
    decoded = tmp_path / "decoded.wav"
    files = iter([tmp_path / f"{CALL}.opus", decoded])
    run = subprocess.run(
        [program, *(next(files) if part == "{}" else part for part in rest)], capture_output=True, check=True
    )
    assert run.stderr == b""
    check_apart(decoded, 6.0)


def test_opusinfo_finds_nothing_wrong(vault, play, tmp_path):
    if not shutil.which("opusinfo"):
        pytest.skip("opus-tools is not installed")
    record(vault, 500, pre_roll=50)
    play(CALL)
    run = subprocess.run(["opusinfo", tmp_path / f"{CALL}.opus"], capture_output=True, text=True, check=True)
    assert "WARNING" not in run.stdout + run.stderr
    assert "ANSWERED_AT=1.00" in run.stdout
    assert f"CALL={CALL}" in run.stdout
    assert re.search(r"Playback length: 0m:10\.99", run.stdout)
    assert re.search(r"Streams: *2, Coupled: *0", run.stdout)
    assert re.search(r"Original sample rate: *8000", run.stdout)


def test_the_answer_mark_is_where_the_agent_begins(vault, play, tmp_path):
    record(vault, 100, pre_roll=123)
    play(CALL)
    rate, left, right = ears(tmp_path / f"{CALL}.wav")
    (begins,) = np.flatnonzero(np.abs(left) > 1000)[:1]
    assert begins / rate == pytest.approx(2.46, abs=0.02)
    assert np.max(np.abs(right[: rate // 10])) > 1000


def test_a_pause_is_stated(vault, play, tmp_path, key):
    path = record(vault, 100, pause=75)
    code, out, _ = play(CALL)
    assert code == 0
    assert b"LEFT_OUT=1.50 s at 1.00 s" in (tmp_path / f"{CALL}.opus").read_bytes()
    with viewed(path) as data:  # as the server and the recovery of a card say it, before they have seen all of it
        said = comments(data, keys.load(key), UUID(CALL), 0)
    assert said["LEFT_OUT"] == "1.50 s at 1.00 s"
    assert "left out  0:01.50 at 0:01.00" in out
    assert "length    0:02.00" in out


def test_a_torn_file_plays_what_is_whole(vault, play, tmp_path):
    path = record(vault, 400)
    cut = sum(map(len, records_of(path)[:3])) + 500
    path.write_bytes(path.read_bytes()[:cut])
    code, out, err = play(path)
    assert code == 1
    assert "segments  3, NOT WHOLE" in out
    assert "torn: Its end is torn off; bytes of a record that is not whole: 500." in err
    assert "open: It has no end" in err
    check_apart(tmp_path / f"{CALL}.wav", 6.0)


def test_a_recovered_call_says_so(vault, play):
    path = record(vault, 150)
    path.write_bytes(b"".join(records_of(path)[:-1]))
    vault.recover()
    code, out, err = play(path)
    assert (code, err) == (0, "")
    assert "lost power or crashed" in out
    assert "length    0:03.00" in out


def test_segments_out_of_order_left_out_or_from_another_call_are_told(vault, play):
    path = record(vault, 500)
    foreign = records_of(record(vault, 500, call="77770000-0000-4000-8000-000000000001"))
    zero, one, two, three, four, end = records_of(path)
    for changed, told, segments in (
        ([zero, two, one, three, four, end], "shuffled: Segments in the wrong order: 1, from segment 1 on", 5),
        ([zero, one, three, four, end], "missing: Segments that are missing: 1, from segment 2 on", 4),
        ([zero, one, two, three, end], "count: Its end states another number of segments: 5, where 4 are", 4),
        (
            [zero, foreign[1], two, three, four, end],
            "foreign: Segments that belong to another call: 1, from record 1",
            4,
        ),
        ([zero, one, two, three, four, foreign[5]], "foreign-end: Its end belongs to another call", 5),
        (
            [zero, one[:-1] + b"!", two, three, four, end],
            "damaged: Bytes have changed; damaged records: 1, from record 1",
            4,
        ),
        ([zero, journal.record(b"no age"), two, three, four, end], "damaged: Bytes have changed", 4),
    ):
        path.write_bytes(b"".join(changed))
        code, out, err = play(path)
        assert (code, told in err) == (1, True), err
        assert f"segments  {segments}, NOT WHOLE" in out
    path.write_bytes(b"".join(foreign))
    code, out, err = play(path)
    assert (code, out) == (1, "")
    assert "Segments that belong to another call: 5, from record 0 on" in err


def test_silence_stands_for_what_is_lost(vault, play, tmp_path):
    path = record(vault, 500)
    zero, one, two, three, four, end = records_of(path)
    path.write_bytes(b"".join([zero, one, two[:-1] + b"!", three, four, end]))
    assert play(path)[0] == 1
    rate, left, right = ears(tmp_path / f"{CALL}.wav")
    assert len(left) / rate == pytest.approx(10.0, abs=0.1)
    for ear in (left, right):
        lost, rest = ear[int(4.3 * rate) : int(5.9 * rate)], (ear[rate : 4 * rate], ear[int(6.5 * rate) : 9 * rate])
        assert np.sqrt(np.mean(lost**2)) < 30
        assert all(np.sqrt(np.mean(part**2)) > 2000 for part in rest)


def test_a_wrong_key_is_refused_and_writes_nothing(vault, play, tmp_path):
    record(vault, 50)
    keys.make(tmp_path / "other.key")
    code, out, err = play(CALL, "--key", str(tmp_path / "other.key"))
    assert (code, out) == (1, "")
    assert "The key does not open it" in err
    assert not list(tmp_path.glob("*.wav"))


@pytest.mark.parametrize("content", [b"\x00" * 500, b"no journal at all, but long enough to look like one"])
def test_what_is_no_journal_is_refused(play, tmp_path, content):
    file = tmp_path / f"{CALL}.journal"
    file.write_bytes(content)
    code, _, err = play(file)
    assert code == 1
    assert "It holds no whole record" in err


def test_a_call_is_found_by_the_beginning_of_its_id(vault, play):
    record(vault, 5)
    record(vault, 5, call="3f2b0000-0000-4000-8000-000000000001")
    assert play("3F2A")[0] == 0
    assert "may be any of 3f2a0000-0000-4000-8000-000000000001, 3f2b" in play("3f2")[2]
    assert "no recording of a call 99" in play("99")[2]
    assert "no directory" in play("3f2a", "--data", "/nowhere")[2]


def test_the_reader_believes_the_name_of_the_file(vault, play):
    path = record(vault, 5)
    other = path.with_name(f"{uuid4()}.journal")
    path.rename(other)
    assert play(other)[0] == 1
    named = path.with_name("from-a-card.journal")
    other.rename(named)
    assert play(named)[0] == 0
