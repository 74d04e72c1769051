"""Recordings from their first byte to a file that plays, whatever is cut, torn, doubled or foreign."""

import base64
import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import obstore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from firmware import journal, wire
from firmware.opus import PRE_SKIP
from hw.contracts import FRAME, FRAME_SECONDS
from provisioning import faults, keys, recording
from provisioning.server import schema
from provisioning.server.booths import Booth
from provisioning.server.recordings import Portion
from provisioning.server.uploads import ASIDE
from provisioning.server.waveform import BUCKETS
from tests.provisioning.broken import BROKEN, flip

ORDER = st.lists(st.sampled_from(range(3)), max_size=4)  # of two segments and a closing record
SOMEWHERE = st.integers(0, 1000)  # thousandths: sealed blobs are never of one size


@pytest.fixture(scope="module")
def taking(server, shared):
    """Takes portions in without a network between."""
    return partial(server.parts.recordings.take, Booth(shared.id, "Booth"))


class Shelf:
    """What became of recordings on the server."""

    def __init__(self, server, card):
        self._parts, self._card = server.parts, card

    def row(self, name):
        """What the database says when all is opened; None if nothing."""
        self._parts.recordings.settle(20)
        table = schema.recording
        with self._parts.database.read() as connection:
            return connection.execute(select(table).where(table.c.id == str(name))).one_or_none()

    def kept(self, name):
        """What the archive holds when all is opened; None if nothing."""
        self._parts.recordings.settle(20)
        try:
            return bytes(obstore.get(self._parts.archive, name).bytes())
        except FileNotFoundError:
            return None

    def peaks(self, name):
        """The waveform, once it is drawn."""
        return self.row(name).peaks

    def incoming(self, name):
        """What is left in the folder of uploads when all is done."""
        self._parts.recordings.settle(20)
        return sorted(path.name for path in (self._parts.directory / "incoming").glob(f"{name}*"))

    def heard(self, name):
        """What can be listened to while it still comes in."""
        return b"".join(self._parts.recordings.live(name))

    def played(self, name, whole):
        """What `booth-provision play` makes of a journal."""
        return recording.opus(self.loaded(name, whole))

    def loaded(self, name, whole):
        """A journal as `booth-provision play` finds it on a card."""
        path = self._card / f"{name}.journal"
        path.write_bytes(whole)
        return recording.load(path, keys.load(self._parts.directory / "recordings.key"))


@pytest.fixture(scope="module")
def shelf(server, tmp_path_factory):
    return Shelf(server, tmp_path_factory.mktemp("card"))


def digest_of(answer):
    return base64.b64decode(answer.headers[wire.DIGEST].removeprefix("sha-256=:").removesuffix(":"))


@pytest.mark.everywhere
def test_a_recording_comes_in_and_plays(booth, deck, call_id, shelf):
    one, whole = booth(), deck.journal(call_id, 3)
    assert one.offset(call_id) == (0, False)
    answer = one.upload(call_id, whole)
    assert (answer.status, answer.headers[wire.COMPLETE], answer.headers[wire.OFFSET]) == (204, "?1", str(len(whole)))
    assert digest_of(answer) == hashlib.sha256(whole).digest()
    assert one.offset(call_id) == (len(whole), True)
    found = shelf.row(call_id)
    assert (found.state, found.problem, found.bytes, found.call) == ("whole", "", len(whole), str(call_id))
    assert (found.seconds, found.answer_seconds) == (6.0, 1.0)
    assert found.sha256 == hashlib.sha256(whole).hexdigest()
    assert shelf.kept(f"{call_id}.journal") == whole
    assert shelf.kept(f"{call_id}.opus") == shelf.played(call_id, whole)
    assert shelf.incoming(call_id) == []


def test_the_waveform_shows_both_ears(booth, deck, call_id, shelf):
    booth().upload(call_id, deck.journal(call_id, 9))
    peaks = shelf.peaks(call_id)
    assert len(peaks) == 2 * BUCKETS
    agent, customer = peaks[0::2], peaks[1::2]
    assert 5 < max(agent) < max(customer)  # the customer's tone is the louder one
    assert min(customer[100:]) > max(agent)


def test_a_short_recording_has_as_many_buckets_as_frames(booth, deck, call_id, shelf):
    booth().upload(call_id, deck.journal(call_id, 1))
    assert len(shelf.peaks(call_id)) == 2 * journal.PACKETS


def test_segments_come_while_the_call_is_still_on(booth, deck, call_id, shelf):
    one, records = booth(), deck.records(call_id, 4)
    sent = 0
    for number, each in enumerate(records[:-1], 1):
        answer = one.patch(call_id, sent, each)
        sent += len(each)
        assert (answer.status, answer.headers[wire.COMPLETE]) == (204, "?0")
        assert one.offset(call_id) == (sent, False)
        assert (shelf.row(call_id).state, shelf.row(call_id).bytes, shelf.row(call_id).sha256) == (
            "partial",
            sent,
            None,
        )
        heard = shelf.heard(call_id)
        so_far = shelf.played(call_id, b"".join(records[:number]))
        assert heard == so_far
    assert one.patch(call_id, sent, records[-1], b"".join(records)).status == 204
    assert shelf.row(call_id).state == "whole"


def test_nothing_is_heard_of_nothing(booth, deck, call_id, shelf):
    assert shelf.heard(call_id) == b""
    booth().patch(call_id, 0, deck.journal(call_id, 1)[:100])
    assert shelf.heard(call_id) == b""


@pytest.mark.everywhere
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_an_upload_goes_on_after_every_cut(shared, deck, data, shelf):
    """The booth is cut off anywhere, forgets everything, asks how far it is, and goes on."""
    call = uuid.uuid4()
    whole = deck.journal(call, 1)
    cuts = sorted(1 + at * (len(whole) - 2) // 1000 for at in data.draw(st.sets(SOMEWHERE, max_size=4)))
    for end in [*cuts, len(whole)]:
        offset, complete = shared.offset(call)
        assert not complete
        last = end == len(whole)
        assert shared.patch(call, offset, whole[offset:end], whole if last else None).status == 204
        if data.draw(st.booleans()):  # the answer was lost: the same once more
            again = shared.patch(call, offset, whole[offset:end], whole if last else None)
            assert again.status == (204 if last else 409)
    assert shared.offset(call) == (len(whole), True)
    assert shelf.kept(f"{call}.journal") == whole


def test_the_end_may_come_without_bytes(booth, deck, call_id, shelf):
    one, whole = booth(), deck.journal(call_id, 1)
    one.patch(call_id, 0, whole)
    assert one.patch(call_id, len(whole), b"", whole).status == 204
    assert shelf.row(call_id).state == "whole"


def test_a_wrong_offset_is_told_the_right_one(booth, deck, call_id):
    one, whole = booth(), deck.journal(call_id, 1)
    one.patch(call_id, 0, whole[:100])
    for offset in (0, 99, 101, 10**12):
        answer = one.patch(call_id, offset, whole[100:])
        assert (answer.status, answer.error, answer.headers[wire.OFFSET]) == (409, "offset", "100")
    assert one.patch(uuid.uuid4(), 5, b"x").headers[wire.OFFSET] == "0"


@pytest.mark.everywhere
def test_wrong_bytes_begin_anew_and_nothing_half_is_seen(booth, deck, call_id, shelf):
    one, whole = booth(), deck.journal(call_id, 2)
    bad = whole[:500] + b"?" + whole[501:]
    answer = one.patch(call_id, 0, bad, whole)
    assert (answer.status, answer.error, answer.headers[wire.OFFSET]) == (422, "digest", "0")
    assert one.offset(call_id) == (0, False)
    assert shelf.row(call_id).state == "partial"
    assert shelf.kept(f"{call_id}.opus") is shelf.kept(f"{call_id}.journal") is None
    assert shelf.incoming(call_id) == [f"{call_id}{ASIDE}"]  # a card may have lost what the server still had
    assert one.upload(call_id, whole).status == 204
    assert (shelf.row(call_id).state, shelf.incoming(call_id)) == ("whole", [])


def test_a_complete_recording_takes_no_more(booth, deck, call_id, shelf):
    one, whole = booth(), deck.journal(call_id, 1)
    one.upload(call_id, whole)
    for portion in ((len(whole), b"x"), (0, b"x"), (len(whole), b"x", whole + b"x"), (0, b"other", b"other")):
        answer = one.patch(call_id, *portion)
        assert (answer.status, answer.error, answer.headers[wire.COMPLETE]) == (409, "complete", "?1")
    assert shelf.kept(f"{call_id}.journal") == whole


@pytest.mark.everywhere
def test_a_recording_belongs_to_its_booth(booth, deck, call_id):
    one, other, whole = booth(), booth(), deck.journal(call_id, 1)
    one.patch(call_id, 0, whole[:10])
    for answer in (other.patch(call_id, 10, whole[10:], whole), other.patch(call_id, 0, b"")):
        assert (answer.status, answer.error) == (403, "foreign")
    assert other.ask("HEAD", f"{wire.RECORDINGS}/{call_id}").status == 403
    assert one.patch(call_id, 10, whole[10:], whole).status == 204


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {wire.OFFSET: "0"},
        {wire.OFFSET: "0", wire.COMPLETE: "yes"},
        {wire.OFFSET: "-1", wire.COMPLETE: "?0"},
        {wire.OFFSET: "１", wire.COMPLETE: "?0"},
        {wire.OFFSET: "0", wire.COMPLETE: "?0", wire.LENGTH: "x"},
        {wire.OFFSET: "0", wire.COMPLETE: "?1"},
        {wire.OFFSET: "0", wire.COMPLETE: "?1", wire.DIGEST: "md5=:AAAA:"},
        {wire.OFFSET: "0", wire.COMPLETE: "?1", wire.DIGEST: "sha-256=:AAAA:"},
        {
            wire.OFFSET: "0",
            wire.COMPLETE: "?1",
            wire.DIGEST: f"sha-256=:{base64.b64encode(bytes(32)).decode()}:",
            wire.LENGTH: "7",
        },
    ],
)
def test_the_headers_must_make_sense(booth, call_id, headers):
    one = booth()
    latin = {name: value.encode("utf-8").decode("latin-1") for name, value in headers.items()}
    answer = one.ask("PATCH", f"{wire.RECORDINGS}/{call_id}", b"x", latin)
    assert answer.status == 400
    assert answer.error in {"headers", "digest", "length"}


@pytest.mark.everywhere
def test_two_writers_at_one_place_leave_one_mark(booth, deck, call_id, shelf):
    one, whole = booth(), deck.journal(call_id, 2)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: one.patch(call_id, 0, whole[:9000]), range(6)))
    assert sorted({answer.status for answer in answers} - {409, 423}) == [204]
    assert sum(answer.status == 204 for answer in answers) == 1
    assert one.offset(call_id) == (9000, False)
    assert one.patch(call_id, 9000, whole[9000:], whole).status == 204
    assert shelf.kept(f"{call_id}.journal") == whole


def test_one_at_work_keeps_the_others_away(server, booth, deck, call_id):
    one, whole = booth(), deck.journal(call_id, 1)
    with server.parts.recordings._uploads.alone(call_id):
        answer = one.upload(call_id, whole)
        assert (answer.status, answer.error) == (423, "busy")
    assert one.upload(call_id, whole).status == 204


def test_many_booths_at_once(booth, deck, shelf):
    booths = [booth() for _ in range(6)]
    calls = {one: uuid.uuid4() for one in booths}
    whole = {one: deck.journal(calls[one], 2) for one in booths}
    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(lambda one: one.upload(calls[one], whole[one]).status, booths))
    assert statuses == [204] * 6
    assert all(shelf.kept(f"{calls[one]}.journal") == whole[one] for one in booths)


# What is wrong with a journal: it is kept all the same, and what is whole plays.


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_kept_and_said(booth, deck, call_id, shelf, name):
    case = BROKEN[name]
    one, whole = booth(), case.make(deck, call_id)
    answer = one.upload(call_id, whole)
    assert (answer.status, answer.headers[wire.COMPLETE]) == (204, "?1")
    assert digest_of(answer) == hashlib.sha256(whole).digest()
    found = shelf.row(call_id)
    assert [(fault.flaw, fault.at, fault.count) for fault in faults.read(found.problem)] == list(case.faults)
    assert (found.state, round(found.seconds / FRAME_SECONDS)) == (case.state, case.frames)
    assert shelf.kept(f"{call_id}.journal") == whole
    assert shelf.incoming(call_id) == []
    assert shelf.kept(f"{call_id}.opus") == (shelf.played(call_id, whole) if case.frames else None)


@pytest.mark.parametrize("name", BROKEN)
def test_a_card_in_hand_plays_the_same(deck, call_id, shelf, name):
    case = BROKEN[name]
    whole = case.make(deck, call_id)
    if not case.frames:
        with pytest.raises(recording.RecordingError) as refusal:
            shelf.loaded(call_id, whole)
        assert all(faults.Fault(*fault).detail in str(refusal.value) for fault in case.faults)
        return
    found = shelf.loaded(call_id, whole)
    assert [(fault.flaw, fault.at, fault.count) for fault in found.faults] == list(case.faults)
    assert len(found.agent) == len(found.customer) == case.frames
    assert len(recording.decode(found.agent)) == max(0, case.frames * FRAME // 2 - PRE_SKIP // 6)


@settings(max_examples=40, deadline=None)
@given(damage=st.tuples(ORDER, st.lists(SOMEWHERE, max_size=2), st.just(1000) | SOMEWHERE))
def test_no_journal_whatever_breaks_the_server(taking, deck, shelf, damage):
    """Shuffled, flipped and cut anywhere: kept, with what is wrong in words."""
    order, flips, end = damage
    call = uuid.uuid4()
    records = deck.records(call, 2)
    whole = b"".join(records[at] for at in order)
    if whole:
        for at in flips:
            whole = flip(whole, at * (len(whole) - 1) // 1000)
        whole = whole[: len(whole) * end // 1000]
    digest = hashlib.sha256(whole).digest()
    progress = taking(call, Portion(0, whole, last=True, length=None, digest=digest))
    assert progress.digest == digest.hex()
    found = shelf.row(call)
    assert (found.state == "whole") == (found.problem == "") == (whole == b"".join(records))
