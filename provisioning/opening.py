"""A sealed journal, opened segment by segment: what can be played, and everything that is wrong with it.

What is whole plays in its place, whatever stands around it; where something is missing there is silence of its length.
Of a call that lasted for hours no more than one segment is in memory.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from uuid import UUID

import pyrage
from pyrage import x25519

from firmware import journal
from firmware.journal import PACKETS, Closing, Gap, JournalError, Record, Segment
from firmware.opus import Encoder
from hw.contracts import FRAME_SECONDS, SILENCE
from provisioning import ogg
from provisioning.faults import Faults, Flaw
from provisioning.ogg import OggError

LONGEST_BLOB = 1024 * 1024  # bytes: a booth seals a hundredth of that at once
LONGEST_SILENCE = round(3600 / FRAME_SECONDS)  # frames to fill in at most: a few bytes must not become days
PIECE = 64 * 1024  # bytes read at once
TRIES = 1000  # places behind damage that are looked at, each of which might be where a record begins
_BEGINNING = b"age-encryption.org/"  # of every blob that a booth seals
_KEYLESS = "No matching keys found"  # pyrage's words


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment in its place, or the silence where some are missing."""

    segment: Segment
    packets: tuple[bytes, ...]  # both ears together, as Ogg has them


class View:
    """A file to look into, or its first so many bytes; it may grow, and even be cut short, meanwhile."""

    def __init__(self, file: int, size: int) -> None:
        self._file, self._size = file, size
        self._at, self._near = 0, b""  # what was read last: the next look is close to it

    def __len__(self) -> int:
        """Bytes that there are to see."""
        return self._size

    def __getitem__(self, part: slice, /) -> bytes:
        """Those bytes, or as many of them as there are."""
        start, end, _ = part.indices(self._size)
        if not self._at <= start <= end <= self._at + len(self._near):
            self._at, self._near = start, os.pread(self._file, min(max(end - start, PIECE), self._size - start), start)
        return self._near[start - self._at : end - self._at]

    def find(self, word: bytes, start: int) -> int:
        """Where `word` stands next from `start` on; -1 if nowhere."""
        while start < self._size:
            found = self[start : start + PIECE].find(word)
            if found >= 0:
                return start + found
            start += PIECE - len(word) + 1
        return -1

    def sha256(self, end: int) -> bytes:
        """Of all that comes before `end`."""
        found = hashlib.sha256()
        for at in range(0, end, PIECE):
            found.update(self[at : min(end, at + PIECE)])
        return found.digest()


@contextmanager
def viewed(path: Path, size: int | None = None) -> Iterator[View]:
    """A view of a file, or of its first `size` bytes, while the block lasts."""
    with path.open("rb") as file:
        yield View(file.fileno(), os.fstat(file.fileno()).st_size if size is None else size)


def comments(data: View, identities: Sequence[x25519.Identity], call: UUID, answer: int) -> Mapping[str, str]:
    """What the playable file says of itself: the call, where the answer is, and what the booth did not record.

    `answer` in frames. What was left out is cut, not silent: LEFT_OUT tells how long it was and where in the file.
    """
    said = {"CALL": str(call), "ANSWERED_AT": f"{answer * FRAME_SECONDS:.2f}"}
    closing = _closing(data, identities)
    gaps = closing.gaps if closing is not None and closing.call == call else ()
    return said | ({"LEFT_OUT": left_out(gaps)} if gaps else {})


def left_out(gaps: Iterable[Gap]) -> str:
    """Gaps as the playable file tells them.

    >>> left_out([Gap(150, 400)])
    '8.00 s at 3.00 s'
    """
    return "; ".join(f"{gap.frames * FRAME_SECONDS:.2f} s at {gap.at * FRAME_SECONDS:.2f} s" for gap in gaps)


def _closing(data: View, identities: Sequence[x25519.Identity]) -> Closing | None:
    """The closing record of a journal that is whole, found by the lengths alone."""
    at = start = 0
    while at < len(data) and (end := journal.claimed_end(data, at)) > at:
        start, at = at, end
    record = journal.record_at(data, start, LONGEST_BLOB)
    if record is None or not record.closing or record.end != len(data):
        return None
    try:
        part = journal.unpack(pyrage.decrypt(record.blob, identities))
    except (pyrage.DecryptError, JournalError):
        return None
    return part if isinstance(part, Closing) else None


class Opening:
    """One pass through a journal. Iterate first; everything else says then what was found.

    Without a `call` it is the one of the first part that opens.
    """

    def __init__(self, data: View, identities: Sequence[x25519.Identity], call: UUID | None = None) -> None:
        self.call, self._data, self._identities = call, data, identities
        self.faults = Faults()
        self.segments = self.frames = 0  # that were found; and with the silence between them
        self.gaps: list[Gap] = []  # what the booth itself left out
        self.closing: Closing | None = None
        self._silence = LONGEST_SILENCE
        self._end: Record | None = None

    def __iter__(self) -> Iterator[Piece]:
        """The segments in the order in which they were spoken."""
        wanted = 0
        aside: dict[int, Record] = {}  # all from the first on that is not in its place, by index
        for number, record in self._records():
            part = self._opened(number, record)
            if not isinstance(part, Segment):
                continue
            if part.index < wanted or part.index in aside:
                self.faults.add(Flaw.TWICE, part.index)
            elif part.index == wanted and not aside:
                wanted += 1
                yield self._piece(part)
            else:
                if aside and part.index < max(aside):
                    self.faults.add(Flaw.SHUFFLED, part.index)
                aside[part.index] = record
        for index in sorted(aside):
            part = journal.unpack(pyrage.decrypt(aside[index].blob, self._identities))
            assert isinstance(part, Segment)
            if index > wanted:
                yield from self._missing(wanted, part)
            wanted = index + 1
            yield self._piece(part)
        self._conclude(wanted)

    def _records(self) -> Iterator[tuple[int, Record]]:
        """All that are whole, with their numbers; what lies between them is damage."""
        at = number = 0
        while at < len(self._data):
            record = journal.record_at(self._data, at, LONGEST_BLOB)
            if record is None:
                begun, at = at, self._behind(at)
                self._hole(number, begun, at)
            else:
                yield number, record
                at = record.end
                if record.closing:
                    break
            number += 1
        if at < len(self._data):
            self.faults.add(Flaw.TRAILING, count=len(self._data) - at)

    def _behind(self, at: int) -> int:
        """Where the next whole record begins, or the end of all."""
        claimed = journal.claimed_end(self._data, at)
        if journal.record_at(self._data, claimed, LONGEST_BLOB):
            return claimed
        for _ in range(TRIES):
            found = self._data.find(_BEGINNING, at + journal.HEAD + 1)
            if found < 0:
                break
            at = found - journal.HEAD
            if journal.record_at(self._data, at, LONGEST_BLOB):
                return at
        return len(self._data)

    def _hole(self, number: int, begin: int, end: int) -> None:
        if end < len(self._data) or journal.claimed_end(self._data, begin) == end:
            self.faults.add(Flaw.DAMAGED, number)
        elif number:
            self.faults.add(Flaw.TORN, count=end - begin)
        else:
            self.faults.add(Flaw.NO_JOURNAL)

    def _opened(self, number: int, record: Record) -> Segment | Closing | None:
        """What is in a record, if it is of this call."""
        if record.closing:
            self._end = record
        try:
            part = journal.unpack(pyrage.decrypt(record.blob, self._identities))
            if isinstance(part, Segment):
                _check(part)
        except pyrage.DecryptError as problem:
            self.faults.add(Flaw.SEALED if str(problem) == _KEYLESS else Flaw.DAMAGED, number)
            return None
        except (JournalError, OggError):
            self.faults.add(Flaw.STRANGE, number)
            return None
        self.call = self.call or part.call
        if part.call != self.call:
            self.faults.add(Flaw.FOREIGN if isinstance(part, Segment) else Flaw.FOREIGN_END, number)
            return None
        if isinstance(part, Closing):
            self.closing = part
        return part

    def _piece(self, segment: Segment) -> Piece:
        self.segments += 1
        if segment.left_out:
            self.gaps.append(Gap(self.frames, segment.left_out))
        self.frames += len(segment.agent)
        return _joined(segment)

    def _missing(self, wanted: int, behind: Segment) -> Iterator[Piece]:
        """Silence of the length of all segments from `wanted` to the one before `behind`."""
        count = behind.index - wanted
        frames = behind.first - self.frames  # a pause, too, ends a segment: it may be shorter than two seconds
        if not 0 < frames <= count * PACKETS:
            frames = count * PACKETS
        if frames > self._silence:
            self.faults.add(Flaw.FAR, wanted, count)
            return
        self.faults.add(Flaw.MISSING, wanted, count)
        self._silence -= frames
        self.frames += frames
        for at in range(0, frames, PACKETS):
            ear = (_silence(),) * min(PACKETS, frames - at)
            yield _joined(replace(behind, left_out=0, agent=ear, customer=ear))

    def _conclude(self, segments: int) -> None:
        """What can be said only when all was seen."""
        sound = not self.faults
        if not len(self._data):
            self.faults.add(Flaw.EMPTY)
        elif self._end is None and Flaw.NO_JOURNAL not in self.faults:
            self.faults.add(Flaw.OPEN)
        if self.closing is None or self._end is None:
            return
        if self.closing.segments != segments:
            self.faults.add(Flaw.COUNT, segments, self.closing.segments)
        elif sound and self.closing.sha256 != self._data.sha256(self._end.start):
            self.faults.add(Flaw.HASH)
        if not self.segments and not self.faults:
            self.faults.add(Flaw.NO_SEGMENT)
        if self.closing.gaps and not self.faults:
            self.gaps = list(self.closing.gaps)  # they include one at the very end


def _check(segment: Segment) -> None:
    """Raises OggError for packets that no booth writes."""
    if not all(map(ogg.is_frame, (*segment.agent, *segment.customer))):
        raise OggError("a packet that is not one single frame of 20 ms")


def _joined(segment: Segment) -> Piece:
    both = zip(segment.agent, segment.customer, strict=True)
    return Piece(segment, tuple(ogg.self_delimited(left) + right for left, right in both))


@cache
def _silence() -> bytes:
    """A frame of it, as an encoder has it that has heard nothing else for a while."""
    encoder = Encoder()
    return [encoder.encode(SILENCE) for _ in range(PACKETS)][-1]
