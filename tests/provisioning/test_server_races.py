"""Several at one recording: threads, processes of one machine, and those that died in the middle."""

import hashlib
import subprocess
import sys
import threading
import uuid
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from provisioning import keys
from provisioning.server import opener, parts, schema
from provisioning.server.booths import Booth
from provisioning.server.parts import Parts
from provisioning.server.recordings import Portion
from provisioning.server.refusals import Refused
from provisioning.server.together import Together
from provisioning.server.uploads import Uploads

ONE = Booth("B", "Booth")
HOLDING = """
import sys
from pathlib import Path
from uuid import UUID
from provisioning.server.uploads import Uploads
with getattr(Uploads(Path(sys.argv[1])), sys.argv[2])(UUID(sys.argv[3])) as mine:
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Processes that hold a recording: `holder("alone", name)`."""
    started = []

    def hold(how, name, folder=tmp_path / "server" / parts.INCOMING):
        command = [sys.executable, "-c", HOLDING, folder, how, str(name)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield hold
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def opened(place):
    """Opens the server's parts, as each of its processes does, and closes them."""
    parts.make(place)
    every = []

    def another():
        every.append(Parts.open(place))
        return every[-1]

    first = another()
    with first.database.write() as connection:
        connection.execute(insert(schema.booth).values(id=ONE.id, name=ONE.name, key=b"", enrolled=0.0))
    yield another
    for each in every:
        each.close()


def take(of, call, whole, offset=0):
    """All of a recording from there on, in one portion."""
    digest = hashlib.sha256(whole).digest()
    return of.recordings.take(ONE, call, Portion(offset, whole[offset:], last=True, length=None, digest=digest))


def state(of, call):
    with of.database.read() as connection:
        rows = connection.execute(schema.recording.select().where(schema.recording.c.id == str(call))).all()
    return rows[0].state if rows else None


def test_another_process_at_work_keeps_us_away(opened, deck_of, holder, place, call_id):
    one, whole = opened(), deck_of(place).journal(call_id, 1)
    other = holder("alone", call_id)
    with pytest.raises(Refused) as refusal:
        take(one, call_id, whole)
    assert refusal.value.status == 423
    other.kill()  # what it held is free at once
    other.wait()
    assert take(one, call_id, whole).digest


def test_of_many_writers_in_threads_and_processes_one_writes(opened, deck_of, place, call_id):
    servers, whole = (opened(), opened()), deck_of(place).journal(call_id, 2)

    def write(at):
        try:
            return servers[at % 2].recordings.take(
                ONE, call_id, Portion(0, whole[:5000], last=False, length=None, digest=None)
            )
        except Refused as problem:
            return int(problem.status)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(write, range(8)))
    assert sum(not isinstance(one, int) for one in answers) == 1
    assert {one for one in answers if isinstance(one, int)} <= {409, 423}
    assert (place / parts.INCOMING / f"{call_id}.part").read_bytes() == whole[:5000]


@pytest.mark.everywhere
def test_a_recording_is_acknowledged_first_and_opened_afterwards(opened, deck_of, holder, place, call_id):
    one, whole = opened(), deck_of(place).journal(call_id, 3)
    other = holder("opening", call_id)
    assert take(one, call_id, whole).digest == hashlib.sha256(whole).hexdigest()
    one.recordings.settle(20)
    assert state(one, call_id) == "taken"
    assert b"".join(one.recordings.live(call_id)).startswith(b"OggS")  # it can be heard all the same
    other.kill()
    other.wait()
    third = opened()  # as after a start
    third.recordings.settle(20)
    assert state(third, call_id) == "whole"
    assert not (place / parts.INCOMING / f"{call_id}.part").exists()


def test_what_a_dead_process_left_is_opened_by_another(opened, deck_of, holder, place, monkeypatch):
    monkeypatch.setattr(opener, "SWEEP", 0.05)
    call_id = uuid.uuid4()
    one, whole = opened(), deck_of(place).journal(call_id, 3)
    other = holder("opening", call_id)
    take(one, call_id, whole)
    one.recordings.settle(20)
    assert state(one, call_id) == "taken"
    rung, ring = threading.Event(), one.bell.ring
    monkeypatch.setattr(one.bell, "ring", lambda *topics: (ring(*topics), rung.set()))
    other.kill()
    while state(one, call_id) == "taken":
        assert rung.wait(20)
        rung.clear()
    assert state(one, call_id) == "whole"


def test_a_server_that_forgets_while_it_draws_opens_what_is_brought_again(opened, deck_of, place, monkeypatch, call_id):
    """As after a backup was put back beneath it."""
    one, whole, twice = opened(), deck_of(place).journal(call_id, 3), []

    class Slow(opener.Waveform):
        def hear(self, *ears):
            super().hear(*ears)
            if not twice:
                twice.append(call_id)
                with one.database.write() as connection:
                    connection.execute(delete(schema.recording))
                progress = one.recordings.progress(ONE, call_id)
                assert progress.offset == len(whole)
                assert take(one, call_id, whole, progress.offset).digest

    monkeypatch.setattr(opener, "Waveform", Slow)
    take(one, call_id, whole)
    one.recordings.settle(20)
    assert twice
    assert state(one, call_id) == "whole"
    assert not list((place / parts.INCOMING).iterdir())


def test_two_processes_open_each_recording_once(opened, deck_of, place, monkeypatch):
    """Neither opens what the other has begun; both begin with all of them."""
    first, made, lock = opened(), [], threading.Lock()
    done = opener.Opener._opened

    def counted(self, name):
        with lock:
            made.append(name)
        return done(self, name)

    monkeypatch.setattr(opener.Opener, "_opened", counted)
    deck, calls = deck_of(place), [uuid.uuid4() for _ in range(12)]
    for call in calls:
        take(first, call, deck.journal(call, 2))
    first.recordings.settle(20)
    made.clear()
    with first.database.write() as connection:
        connection.execute(update(schema.recording).values(state="taken"))
    both = [opened(), opened()]
    for each in both:
        each.recordings.settle(20)
    assert sorted(made) == sorted(calls)
    assert {state(first, call) for call in calls} == {"whole"}


def test_what_was_sealed_to_another_key_opens_when_the_key_comes(opened, deck_of, place, call_id, tmp_path):
    one, theirs = opened(), tmp_path / "theirs"
    theirs.mkdir()
    keys.make(theirs / parts.RECORDINGS_KEY)
    whole = deck_of(theirs).journal(call_id, 2)
    take(one, call_id, whole)
    one.recordings.settle(20)
    assert state(one, call_id) == "refused"
    again = opened()
    again.recordings.settle(20)
    assert state(again, call_id) == "refused"
    with (place / parts.RECORDINGS_KEY).open("a") as file:
        file.write((theirs / parts.RECORDINGS_KEY).read_text())
    after = opened()
    after.recordings.settle(20)
    assert state(after, call_id) == "whole"
    assert not list((place / parts.INCOMING).iterdir())


def test_locks_are_of_one_recording_alone(tmp_path):
    uploads, (one, other) = Uploads(tmp_path / "incoming"), (uuid.uuid4(), uuid.uuid4())
    with uploads.alone(one), uploads.alone(other), uploads.opening(one) as opening:
        assert opening
        with uploads.opening(one) as again:
            assert not again
        with pytest.raises(Refused), uploads.alone(one):
            pass
    with uploads.alone(one):
        pass
    assert not list(Path(tmp_path / "incoming").iterdir())


def test_whoever_comes_during_a_round_shares_the_next():
    rounds, may, began = [], threading.Semaphore(0), threading.Semaphore(0)

    def work(batch):
        began.release()
        assert may.acquire(timeout=20)
        rounds.append(sorted(batch))
        if 13 in batch:
            raise OSError(13)

    together = Together(work, (OSError,))
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(together.do, 1)
        assert began.acquire(timeout=20)
        rest = [pool.submit(together.do, number) for number in (2, 13, 3)]
        while len(together._waiting) < 3:
            assert not first.done()
        for _ in range(5):  # the first round, the second, and three to see whose fault it was
            may.release()
        first.result(20)
        failures = [each.exception(20) for each in rest]
    assert rounds[:2] == [[1], [2, 3, 13]]
    assert [type(problem) for problem in failures] == [type(None), OSError, type(None)]


def test_after_a_fault_of_our_own_nobody_waits_for_ever():
    may, began = threading.Semaphore(0), threading.Semaphore(0)

    def work(batch):
        began.release()
        assert may.acquire(timeout=20)
        return 1 / (2 - len(batch))

    together = Together(work, (OSError,))
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(together.do, 1)
        assert began.acquire(timeout=20)
        rest = [pool.submit(together.do, number) for number in (2, 3)]
        while len(together._waiting) < 2:
            assert not first.done()
        may.release(2)
        first.result(20)
        failures = {type(each.exception(20)) for each in rest}
    assert failures == {ZeroDivisionError, CancelledError}
