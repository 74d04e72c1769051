"""The journal's bytes: round trips, every cut, every changed byte, and everything verify() must notice."""

import contextlib
import hashlib
import struct
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import journal
from firmware.journal import Closing, Ending, Flaw, Gap, JournalError, Segment

CALL = UUID("00000000-0000-4000-8000-000000000001")
OTHER = UUID("00000000-0000-4000-8000-000000000002")


def segment(index, call=CALL):
    return Segment(call, index, 2 * index, 1, 0, (b"a%d" % index, b""), (b"c", b"long" * 300))


def journal_of(parts, **changes):
    """An unsealed journal of these segments, closed, with changes to the closing record."""
    data = b"".join(journal.record(journal.pack_segment(one)) for one in parts)
    closing = Closing(CALL, len(parts), Ending.CLOSED, 6, 1, 5, hashlib.sha256(data).digest(), (Gap(2, 50),))
    return data + journal.record(journal.pack_closing(replace(closing, **changes)), closing=True)


def verdict(data, call=CALL):
    reading = journal.read(data)
    parts = [journal.unpack(record.blob) for record in reading.records]
    good, faults = journal.verify(call, parts, data, reading)
    return good, [fault.flaw for fault in faults]


def resigned(parts, **changes):
    return verdict(journal_of(parts, **changes))


WHOLE = journal_of([segment(0), segment(1), segment(2)])


def test_segments_and_closing_records_survive_the_bytes():
    for part in (segment(7), replace(segment(0), agent=(), customer=(), left_out=99)):
        assert journal.unpack(journal.pack_segment(part)) == part
    for ending in Ending:
        closing = Closing(CALL, 3, ending, 1, 2, 3, bytes(range(32)), (Gap(1, 2), Gap(3, 4)))
        assert journal.unpack(journal.pack_closing(closing)) == closing


def test_a_whole_journal_has_no_fault():
    assert verdict(WHOLE) == (3, [])
    assert journal.read(WHOLE).closed
    assert journal.read(WHOLE).whole == len(WHOLE)


def test_torn_at_every_byte_the_whole_records_stay():
    ends = [0, *(record.end for record in journal.read(WHOLE).records)]
    for cut in range(len(WHOLE)):
        reading = journal.read(WHOLE[:cut])
        assert reading.whole == reading.tail == max(end for end in ends if end <= cut)
        good, flaws = verdict(WHOLE[:cut])
        assert good == min(sum(end <= cut for end in ends) - 1, 3)
        assert flaws == ([Flaw.OPEN] if cut in ends else [Flaw.TORN, Flaw.OPEN])


def test_any_changed_byte_is_noticed():
    ends = [record.end for record in journal.read(WHOLE).records]
    for place in range(len(WHOLE)):
        spoilt = WHOLE[:place] + bytes([WHOLE[place] ^ 0x10]) + WHOLE[place + 1 :]
        good, flaws = verdict(spoilt)
        assert good == min(sum(end <= place for end in ends), 3)
        assert set(flaws) & {Flaw.DAMAGED, Flaw.TORN}


@pytest.mark.parametrize("tail", [bytes(8), bytes(4096), b"\xff" * 64])
def test_a_tail_that_a_power_cut_leaves_is_no_record(tail):
    opened = WHOLE[: journal.read(WHOLE).records[-1].start]
    reading = journal.read(opened + tail)
    assert (reading.whole, reading.tail, reading.closed) == (len(opened), len(opened), False)


def test_damage_in_the_middle_is_told_from_a_torn_tail():
    first = journal.read(WHOLE).records[0]
    spoilt = WHOLE[: first.end - 1] + b"!" + WHOLE[first.end :]
    reading = journal.read(spoilt)
    assert (reading.whole, reading.tail, reading.records) == (0, len(WHOLE), ())


def test_shuffled_repeated_missing_and_foreign_segments_are_told_apart():
    zero, one, two = map(segment, range(3))
    assert resigned([zero, two, one]) == (1, [Flaw.SHUFFLED])
    assert resigned([zero, zero, one]) == (1, [Flaw.SHUFFLED])
    assert resigned([zero, two]) == (1, [Flaw.MISSING])
    assert resigned([one, two]) == (0, [Flaw.MISSING])
    assert resigned([zero, segment(1, OTHER), two]) == (1, [Flaw.FOREIGN])


def test_the_closing_record_must_fit():
    two = [segment(0), segment(1)]
    assert resigned(two, segments=3) == (2, [Flaw.MISSING])
    assert resigned(two, sha256=bytes(32)) == (2, [Flaw.DAMAGED])
    assert resigned(two, call=OTHER) == (2, [Flaw.FOREIGN])
    assert verdict(WHOLE, OTHER) == (0, [Flaw.FOREIGN, Flaw.FOREIGN])


def test_a_segment_exchanged_for_another_of_the_same_place_is_noticed():
    other = replace(segment(1), customer=(b"quite", b"different"))
    sha256 = hashlib.sha256(b"".join(journal.record(journal.pack_segment(segment(n))) for n in range(3))).digest()
    assert resigned([segment(0), other, segment(2)], sha256=sha256) == (3, [Flaw.DAMAGED])


def test_segments_taken_out_before_the_closing_record_are_noticed():
    records = journal.read(WHOLE).records
    for gone in range(3):
        start, end = records[gone].start, records[gone].end
        good, flaws = verdict(WHOLE[:start] + WHOLE[end:])
        assert good == gone
        assert Flaw.MISSING in flaws


def test_nothing_counts_after_the_closing_record():
    assert verdict(WHOLE + journal.record(journal.pack_segment(segment(3)))) == (3, [Flaw.DAMAGED])


@given(st.binary(max_size=300))
def test_whatever_is_read_only_a_journal_error_comes_out(noise):
    journal.read(noise)
    head = struct.pack("<BB16sI", noise[0] % 3 if noise else 1, journal.VERSION, CALL.bytes, 0)
    for plain in (noise, head + noise):
        with contextlib.suppress(JournalError):
            journal.unpack(plain)


def test_another_version_is_refused_by_name():
    with pytest.raises(JournalError, match="another version"):
        journal.unpack(b"\x01\x09" + journal.pack_segment(segment(0))[2:])
