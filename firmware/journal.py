"""The bytes of a recording: records on disk, and what is sealed inside them. No I/O, no keys.

On disk a call is one journal of records `[length u32 | crc32 u32 | blob]`, little-endian. The top bit of the length
marks the closing record, so that the booth, which cannot open its own blobs, knows which journals are closed. The
checksum covers the length too: a tail of zeros, as a power cut can leave it, is then no record.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import takewhile
from typing import Protocol
from uuid import UUID

PACKETS = 100  # per ear and segment: 2 s, which is what a power cut may cost
VERSION = 1
UNKNOWN = 0xFFFF_FFFF  # the frames of a journal that was closed by one who could not open it

_LENGTH = struct.Struct("<I")
_RECORD = struct.Struct("<II")
_CLOSING_BIT = 0x8000_0000
_HEAD = struct.Struct("<BB16sI")  # kind, version, call, index
_SEGMENT = struct.Struct("<IIIH")  # first frame, frame of the answer mark, frames left out just before, packets per ear
_CLOSING = struct.Struct("<BIII32sH")  # ending, frames, answer, talk, SHA-256 of all before, number of gaps
_GAP = struct.Struct("<II")
_PACKET = struct.Struct("<H")
_KIND_SEGMENT, _KIND_CLOSING = 1, 2
HEAD = _RECORD.size  # bytes before each blob


class JournalError(ValueError):
    """A plaintext that is no part of a recording."""


class Ending(Enum):
    """How a recording came to its end."""

    CLOSED = 1
    RECOVERED = 2  # closed at the next start: the booth lost power or crashed
    CUT_SHORT = 3  # the card was full or broken; the call went on


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that was not kept: recording was paused, or the disk could not follow."""

    at: int  # frames kept before it
    frames: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Up to two seconds of both ears."""

    call: UUID
    index: int
    first: int  # number of its first frame among the frames kept
    answer: int  # frame of the answer mark; what comes before it is pre-roll
    left_out: int  # frames not kept just before this segment
    agent: tuple[bytes, ...]
    customer: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Closing:
    """The last record: what there must be before it."""

    call: UUID
    segments: int
    ending: Ending
    frames: int  # kept, pre-roll included; UNKNOWN when recovered
    answer: int  # UNKNOWN when recovered
    talk: int  # frames from the answer mark to the end, gaps included; UNKNOWN when recovered
    sha256: bytes  # over all records before, as they lie on disk
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a journal, still sealed."""

    start: int
    end: int
    blob: bytes
    closing: bool
    sound: bool  # its checksum is right


@dataclass(frozen=True, slots=True)
class Reading:
    """What a journal holds, as far as one can tell without a key."""

    records: tuple[Record, ...]  # up to the first that is not sound
    whole: int  # bytes of them
    tail: int  # where the last sound record ends, even if there is damage before it
    ended: bool = False  # that last one is a closing record

    @property
    def closed(self) -> bool:
        """Whether the last record is a closing one."""
        return bool(self.records) and self.records[-1].closing


def record(blob: bytes, *, closing: bool = False) -> bytes:
    """The bytes that are appended to a journal for one sealed blob."""
    length = len(blob) | (_CLOSING_BIT if closing else 0)
    return _RECORD.pack(length, zlib.crc32(blob, zlib.crc32(_LENGTH.pack(length)))) + blob


def read(data: bytes) -> Reading:
    """The records of a journal, which may be torn or damaged at any byte.

    >>> reading = read(record(b"first") + record(b"second")[:-1])
    >>> [found.blob for found in reading.records], reading.whole
    ([b'first'], 13)
    """
    every = list(_walk(data))
    whole = tuple(takewhile(lambda found: found.sound, every))
    last = next((found for found in reversed(every) if found.sound), None)
    tail, ended = (last.end, last.closing) if last else (0, False)
    return Reading(whole, whole[-1].end if whole else 0, tail, ended)


def _walk(data: bytes) -> Iterator[Record]:
    at, closed = 0, False
    while at + _RECORD.size <= len(data) and not closed:
        length, checksum = _RECORD.unpack_from(data, at)
        start, closing = at + _RECORD.size, bool(length & _CLOSING_BIT)
        end = start + (length & ~_CLOSING_BIT)
        if end > len(data):
            return
        blob = data[start:end]
        sound = checksum == zlib.crc32(blob, zlib.crc32(_LENGTH.pack(length)))
        yield Record(at, end, blob, closing, sound)
        at, closed = end, closing and sound


class Data(Protocol):
    """Bytes that need not be in memory."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...


def record_at(data: Data, at: int, longest: int) -> Record | None:
    """The sound record of at most `longest` bytes that begins at `at`; None if there is none."""
    end = claimed_end(data, at)
    if not at + HEAD <= end <= min(len(data), at + HEAD + longest):
        return None
    length, checksum = _RECORD.unpack(data[at : at + HEAD])
    blob = data[at + HEAD : end]
    if checksum != zlib.crc32(blob, zlib.crc32(_LENGTH.pack(length))):
        return None
    return Record(at, end, blob, bool(length & _CLOSING_BIT), sound=True)


def claimed_end(data: Data, at: int) -> int:
    """Where the record at `at` ends if its length is right, which it may not be."""
    head = data[at : at + HEAD]
    if len(head) < HEAD:
        return at
    length, _ = _RECORD.unpack(head)
    return int(at + HEAD + (length & ~_CLOSING_BIT))


def digest(data: bytes, reading: Reading) -> bytes:
    """SHA-256 over all records but a closing one, which is what the closing record states."""
    return hashlib.sha256(data[: reading.records[-1].start if reading.closed else reading.whole]).digest()


def pack_segment(segment: Segment) -> bytes:
    """A segment's plaintext."""
    head = _HEAD.pack(_KIND_SEGMENT, VERSION, segment.call.bytes, segment.index)
    facts = _SEGMENT.pack(segment.first, segment.answer, segment.left_out, len(segment.agent))
    packets = (_PACKET.pack(len(packet)) + packet for packet in (*segment.agent, *segment.customer))
    return b"".join((head, facts, *packets))


def pack_closing(closing: Closing) -> bytes:
    """The closing record's plaintext."""
    head = _HEAD.pack(_KIND_CLOSING, VERSION, closing.call.bytes, closing.segments)
    end = closing.ending.value, closing.frames, closing.answer, closing.talk, closing.sha256, len(closing.gaps)
    return b"".join((head, _CLOSING.pack(*end), *(_GAP.pack(gap.at, gap.frames) for gap in closing.gaps)))


def unpack(plain: bytes) -> Segment | Closing:
    """The segment or closing record in a plaintext; raises JournalError for anything else."""
    try:
        kind, version, call, index = _HEAD.unpack_from(plain)
        if version != VERSION:
            raise JournalError(f"written by another version of the booth (format {version}, known is {VERSION})")
        if kind == _KIND_SEGMENT:
            return _unpack_segment(plain, UUID(bytes=call), index)
        if kind == _KIND_CLOSING:
            return _unpack_closing(plain, UUID(bytes=call), index)
    except struct.error as problem:
        raise JournalError(f"cut short: {problem}") from problem
    raise JournalError(f"a record of unknown kind {kind}")


def _unpack_segment(plain: bytes, call: UUID, index: int) -> Segment:
    first, answer, left_out, count = _SEGMENT.unpack_from(plain, _HEAD.size)
    at, packets = _HEAD.size + _SEGMENT.size, []
    for _ in range(2 * count):
        (size,) = _PACKET.unpack_from(plain, at)
        at += _PACKET.size + size
        packets.append(plain[at - size : at])
    if at != len(plain):
        raise JournalError(f"{len(plain)} bytes where {at} were told")
    return Segment(call, index, first, answer, left_out, tuple(packets[:count]), tuple(packets[count:]))


def _unpack_closing(plain: bytes, call: UUID, index: int) -> Closing:
    ending, frames, answer, talk, sha256, count = _CLOSING.unpack_from(plain, _HEAD.size)
    gaps = list(_GAP.iter_unpack(plain[_HEAD.size + _CLOSING.size :]))
    if len(gaps) != count:
        raise JournalError(f"{len(gaps)} gaps where {count} were told")
    try:
        how = Ending(ending)
    except ValueError as problem:
        raise JournalError(f"an ending of unknown kind {ending}") from problem
    return Closing(call, index, how, frames, answer, talk, sha256, tuple(Gap(at, length) for at, length in gaps))


class Flaw(Enum):
    """What can be wrong with a recording."""

    TORN = "torn"  # its last record is not whole
    DAMAGED = "damaged"  # bytes have changed
    FOREIGN = "foreign"  # a segment of another call
    SHUFFLED = "shuffled"  # segments in another order, or twice
    MISSING = "missing"  # segments were taken out
    OPEN = "open"  # no closing record


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing found wrong, in words."""

    flaw: Flaw
    detail: str


def verify(
    call: UUID, parts: Sequence[Segment | Closing], data: bytes, reading: Reading
) -> tuple[int, tuple[Fault, ...]]:
    """How many segments from the beginning on are in their place, and everything that is wrong.

    `parts` are the opened records of `reading`, which was read from `data`; fewer if not all could be opened.
    """
    segments = [part for part in parts if isinstance(part, Segment)]
    good, faults = _in_order(call, segments)
    found = list(faults)
    if reading.whole < len(data):
        found.append(_broken(data, reading))
    closing = parts[-1] if parts and isinstance(parts[-1], Closing) else None
    if len(parts) < len(reading.records):
        return good, tuple(found)
    if closing is None:
        found.append(
            Fault(Flaw.OPEN, "no closing record: the call goes on, or the booth crashed and has not started since")
        )
    else:
        found += _against(closing, call, segments, digest(data, reading))
    return good, tuple(found)


def _broken(data: bytes, reading: Reading) -> Fault:
    rest = len(data) - reading.whole
    if reading.tail > reading.whole or reading.closed:
        return Fault(Flaw.DAMAGED, f"record {len(reading.records)} is damaged, {rest} bytes are not used")
    return Fault(Flaw.TORN, f"the last record is torn: {rest} bytes after {reading.whole} whole ones")


def _in_order(call: UUID, segments: Sequence[Segment]) -> tuple[int, Sequence[Fault]]:
    indexes = [segment.index for segment in segments]
    for place, segment in enumerate(segments):
        if segment.call != call:
            return place, [Fault(Flaw.FOREIGN, f"segment {place} belongs to call {segment.call}")]
        if segment.index != place and place in indexes:
            return place, [Fault(Flaw.SHUFFLED, f"segment {segment.index} stands where segment {place} belongs")]
        if segment.index != place:
            return place, [Fault(Flaw.MISSING, f"segment {place} is missing: segment {segment.index} stands there")]
    return len(segments), []


def _against(closing: Closing, call: UUID, segments: Sequence[Segment], sha256: bytes) -> Iterator[Fault]:
    if closing.call != call:
        yield Fault(Flaw.FOREIGN, f"the closing record belongs to call {closing.call}")
    if closing.segments != len(segments):
        yield Fault(Flaw.MISSING, f"{len(segments)} segments where the closing record states {closing.segments}")
    if closing.sha256 != sha256:
        yield Fault(Flaw.DAMAGED, "the hash in the closing record does not match the segments")
