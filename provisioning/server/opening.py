"""A sealed journal, opened segment by segment: what can be played, and everything that is wrong with it.

provisioning.recording does the same with a whole call in memory, for one who has a card in hand. Here many calls come
in at once, and one may last for hours.
"""

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast
from uuid import UUID

import pyrage
from pyrage import x25519

from firmware import journal
from firmware.journal import Closing, Fault, Flaw, JournalError, Record, Segment
from provisioning import ogg
from provisioning.ogg import OggError

LONGEST_PACKET = 1275  # RFC 6716, section 3.4


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment in its place."""

    segment: Segment
    packets: tuple[bytes, ...]  # both ears together, as Ogg has them


class Opening:
    """One pass through a journal. Iterate first; then `faults` says what was wrong."""

    def __init__(self, path: Path, call: UUID, identities: Sequence[x25519.Identity]) -> None:
        self._path, self._call, self._identities = path, call, identities
        self.faults: tuple[Fault, ...] = ()

    def __iter__(self) -> Iterator[Piece]:
        """The segments in their order, up to the first that is not in its place."""
        data = _view(self._path)
        reading = journal.read(data)
        parts: list[Segment | Closing] = []  # without their sound
        broken: list[Fault] = []
        in_place = True
        for number, record in enumerate(reading.records):
            try:
                part = self._open(record)
                packets = _joined(part)
            except (pyrage.DecryptError, JournalError, OggError) as problem:
                broken.append(_fault(number, problem))
                break
            if isinstance(part, Segment):
                in_place = in_place and part.call == self._call and part.index == number
                if in_place:
                    yield Piece(part, packets)
                part = replace(part, agent=(), customer=())
            parts.append(part)
        if not reading.records:
            broken.append(Fault(Flaw.DAMAGED, "not one whole record"))
        self.faults = (*broken, *journal.verify(self._call, parts, data, reading)[1])

    def _open(self, record: Record) -> Segment | Closing:
        return journal.unpack(pyrage.decrypt(bytes(record.blob), self._identities))


def _view(path: Path) -> bytes:
    """The file, of which only what is looked at is in memory. Nobody may cut it short meanwhile."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return b""
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return cast("bytes", memoryview(mapped))  # has all of bytes that firmware.journal asks of them


def _joined(part: Segment | Closing) -> tuple[bytes, ...]:
    """The packets of a segment as Ogg has them. Raises OggError for what no booth writes."""
    if isinstance(part, Closing):
        return ()
    if any(not packet or packet[0] & 3 or len(packet) > LONGEST_PACKET for packet in (*part.agent, *part.customer)):
        raise OggError("a packet that is not one single frame of Opus")
    return tuple(ogg.self_delimited(left) + right for left, right in zip(part.agent, part.customer, strict=True))


def _fault(number: int, problem: Exception) -> Fault:
    if isinstance(problem, pyrage.DecryptError):
        why = "sealed to another key, or changed" if number else "this server's key does not open it"
        return Fault(Flaw.DAMAGED, f"record {number}: {why}")
    return Fault(Flaw.DAMAGED, f"record {number}: {problem}")
