"""A call's journal, opened and verified: what both sides said, and everything that is wrong with it."""

import wave
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pyrage
from pyrage import x25519

from firmware import journal
from firmware.journal import Closing, Ending, Fault, Flaw, Gap, JournalError, Record, Segment
from firmware.opus import PRE_SKIP, Decoder
from firmware.vault import call_of
from hw.contracts import FRAME_SECONDS, RATE
from provisioning import ogg

_DELAY = PRE_SKIP * RATE // 48_000  # samples by which a decoder is late
_BOTH = 4  # bytes of one sample of both ears


class RecordingError(Exception):
    """A journal of which nothing can be played."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What could be opened of a call, up to the first fault."""

    call: UUID
    agent: tuple[bytes, ...]  # Opus packets of 20 ms, the pre-roll first
    customer: tuple[bytes, ...]
    answer: int  # packets before the answer mark
    segments: int
    gaps: tuple[Gap, ...]
    ending: Ending | None  # None without a closing record
    faults: tuple[Fault, ...]

    @property
    def whole(self) -> bool:
        """Whether all is there that the booth wrote."""
        return not self.faults

    @property
    def seconds(self) -> float:
        """What was kept from the answer mark on."""
        return max(0, len(self.agent) - self.answer) * FRAME_SECONDS


def load(path: Path, identities: Sequence[x25519.Identity]) -> Recording:
    """Open a journal; raises RecordingError if it is none, or if none of the keys opens it."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise RecordingError(f"{path} cannot be read: {problem.strerror}") from problem
    reading = journal.read(data)
    if not reading.records:
        raise RecordingError(f"{path} holds no whole record: there is nothing to play")
    parts, faults = _open(reading.records, identities)
    if not parts:
        raise RecordingError(f"{path}: {faults[0].detail}")
    call = call_of(path) or parts[0].call
    good, found = journal.verify(call, parts, data, reading)
    return _assemble(call, parts, good, (*faults, *found))


def _open(
    records: Sequence[Record], identities: Sequence[x25519.Identity]
) -> tuple[list[Segment | Closing], list[Fault]]:
    """The opened records, as far as they can be opened."""
    parts: list[Segment | Closing] = []
    for number, record in enumerate(records):
        try:
            parts.append(journal.unpack(pyrage.decrypt(record.blob, identities)))
        except pyrage.DecryptError:
            hint = "sealed to another key, or changed" if parts else "the key does not open it: sealed to another key"
            return parts, [Fault(Flaw.DAMAGED, f"record {number}: {hint}")]
        except JournalError as problem:
            return parts, [Fault(Flaw.DAMAGED, f"record {number}: {problem}")]
    return parts, []


def _assemble(call: UUID, parts: Sequence[Segment | Closing], good: int, faults: tuple[Fault, ...]) -> Recording:
    segments = [part for part in parts if isinstance(part, Segment)][:good]
    closing = parts[-1] if isinstance(parts[-1], Closing) else None
    gaps = [Gap(segment.first, segment.left_out) for segment in segments if segment.left_out]
    if closing is not None and closing.gaps and good == closing.segments:
        gaps = list(closing.gaps)  # they include one at the very end
    return Recording(
        call=call,
        agent=tuple(packet for segment in segments for packet in segment.agent),
        customer=tuple(packet for segment in segments for packet in segment.customer),
        answer=segments[0].answer if segments else 0,
        segments=len(segments),
        gaps=tuple(gaps),
        ending=closing.ending if closing else None,
        faults=faults,
    )


def opus(recording: Recording) -> bytes:
    """A stereo Ogg Opus file, agent left and customer right, of the very packets that were recorded."""
    mark = f"{recording.answer * FRAME_SECONDS:.2f}"
    return ogg.mux(recording.agent, recording.customer, {"CALL": str(recording.call), "ANSWERED_AT": mark})


def write_wav(recording: Recording, path: Path) -> None:
    """The same as a stereo WAV file: 8 kHz, 16 bits."""
    left, right = decode(recording.agent), decode(recording.customer)
    both = array("h", bytes(_BOTH * len(left)))
    both[0::2], both[1::2] = left, right
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(both.tobytes())


def decode(packets: Iterable[bytes]) -> "array[int]":
    """The samples of one ear, its codec's delay taken off."""
    decoder = Decoder()
    return array("h", b"".join(map(decoder.decode, packets)))[_DELAY:]
