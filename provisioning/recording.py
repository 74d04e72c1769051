"""A call's journal with all of it in memory, for one who has a card in hand: what both sides said, and what is wrong."""

import wave
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from pyrage import x25519

from firmware.journal import Ending, Gap
from firmware.opus import PRE_SKIP, Decoder
from firmware.vault import call_of
from hw.contracts import FRAME_SECONDS, RATE
from provisioning import ogg
from provisioning.faults import Fault
from provisioning.opening import Opening, left_out, viewed

_DELAY = PRE_SKIP * RATE // 48_000  # samples by which a decoder is late
_BOTH = 4  # bytes of one sample of both ears


class RecordingError(Exception):
    """A journal of which nothing can be played."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What could be opened of a call, with silence where something is missing."""

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
    """Open a journal; raises RecordingError if nothing in it can be played, for example for lack of the key."""
    try:
        with viewed(path) as data:
            opening = Opening(data, identities, call_of(path))
            pieces = [piece.segment for piece in opening]
    except OSError as problem:
        raise RecordingError(f"{path} cannot be read: {problem.strerror}") from problem
    faults = opening.faults.told
    if opening.call is None or not pieces:
        raise RecordingError(" ".join([f"{path}: nothing can be played.", *(fault.detail for fault in faults)]))
    return Recording(
        call=opening.call,
        agent=tuple(packet for piece in pieces for packet in piece.agent),
        customer=tuple(packet for piece in pieces for packet in piece.customer),
        answer=pieces[0].answer,
        segments=opening.segments,
        gaps=tuple(opening.gaps),
        ending=opening.closing.ending if opening.closing else None,
        faults=faults,
    )


def opus(recording: Recording) -> bytes:
    """A stereo Ogg Opus file, agent left and customer right, of the very packets that were recorded."""
    said = {"CALL": str(recording.call), "ANSWERED_AT": f"{recording.answer * FRAME_SECONDS:.2f}"}
    if recording.gaps:
        said["LEFT_OUT"] = left_out(recording.gaps)
    return ogg.mux(recording.agent, recording.customer, said)


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
