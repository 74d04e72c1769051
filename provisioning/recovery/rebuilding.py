"""One journal made into a file that anybody can play, as far as it opens."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from pyrage import x25519

from firmware.journal import Gap
from firmware.vault import call_of
from hw.contracts import FRAME_SECONDS
from provisioning import faults, ogg
from provisioning.faults import Fault, Flaw
from provisioning.opening import Opening, comments, viewed
from provisioning.recovery.card import Found

SOUND: Final = ".opus"
_PART: Final = ".part"
_SCRATCH: Final = ".sealed.part"
_BLOCK: Final = 4096  # bytes: what a card reads at once, and what one of its faults takes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one journal."""

    name: str  # the recording's: the call's or the memo's id
    seconds: float  # of the whole file; 0: nothing of it plays
    answer: float  # where in the file the answer mark is
    gaps: tuple[tuple[float, float], ...]  # seconds into the file, and how many were left out there by the booth itself
    faults: tuple[Fault, ...]

    @property
    def plays(self) -> bool:
        """Whether anything does."""
        return self.seconds > 0

    @property
    def sealed_to_another(self) -> bool:
        """Whether it is the key that is wrong, and not the recording."""
        return not self.plays and any(fault.flaw is Flaw.SEALED for fault in self.faults)

    def plain(self) -> dict[str, object]:
        """As the ledger keeps it."""
        return {
            "name": self.name,
            "seconds": self.seconds,
            "answer": self.answer,
            "gaps": [list(gap) for gap in self.gaps],
            "faults": faults.plain(self.faults),
        }


def rebuild(one: Found, identities: Sequence[x25519.Identity], folder: Path) -> Outcome:
    """Open a journal and write it into `folder`, whole or not at all. Raises OSError.

    A file that is there already is replaced by one that plays for longer, and left by a shorter one.
    """
    scratch = folder / _SCRATCH
    try:
        copy(one.path, one.size, scratch)
        return _rebuild(one.path, scratch, identities, folder)
    finally:
        scratch.unlink(missing_ok=True)


def copy(path: Path, size: int, scratch: Path) -> int:
    """A copy of the journal, still sealed; how many bytes the card did not give out, for which there are zeros.

    One bad block must not take the rest with it, and a card that dies while its file is looked at directly would end us.
    """
    lost = 0
    source = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        with scratch.open("wb") as out:
            for at in range(0, size, _BLOCK):
                want = min(_BLOCK, size - at)
                try:
                    block = os.pread(source, want, at)
                except OSError:
                    block, lost = bytes(want), lost + want
                out.write(block)
    finally:
        os.close(source)
    return lost


def _rebuild(path: Path, scratch: Path, identities: Sequence[x25519.Identity], folder: Path) -> Outcome:
    with viewed(scratch) as data:
        opening = Opening(data, identities, call_of(path))
        pieces = iter(opening)
        first = next(pieces, None)
        if first is None:
            return Outcome(path.stem, 0.0, 0.0, (), opening.faults.told)
        call = opening.call or first.segment.call
        name = str(call)
        part = folder / f"{name}{SOUND}{_PART}"
        said = comments(data, identities, call, first.segment.answer)
        _write(part, ogg.pages((packet for piece in chain([first], pieces) for packet in piece.packets), said))
        if not _is_longer(folder / f"{name}{SOUND}", part):
            part.replace(folder / f"{name}{SOUND}")
        part.unlink(missing_ok=True)
        gaps = tuple(_seconds(gap) for gap in opening.gaps)
        answer = first.segment.answer * FRAME_SECONDS
        return Outcome(name, opening.frames * FRAME_SECONDS, answer, gaps, opening.faults.told)


def _write(path: Path, pages: Iterable[bytes]) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as out:
        out.writelines(pages)
        out.flush()
        os.fsync(out.fileno())


def _is_longer(there: Path, part: Path) -> bool:
    """Whether what is there already has more of the call, as of two copies of a card one may."""
    return there.exists() and there.stat().st_size > part.stat().st_size


def _seconds(gap: Gap) -> tuple[float, float]:
    return gap.at * FRAME_SECONDS, gap.frames * FRAME_SECONDS


def remembered(kept: dict[str, object]) -> Outcome:
    """What the ledger keeps. Raises ValueError, KeyError or TypeError for what it would not keep."""
    gaps = kept["gaps"]
    assert isinstance(gaps, list)
    return Outcome(
        name=str(kept["name"]),
        seconds=float(str(kept["seconds"])),
        answer=float(str(kept["answer"])),
        gaps=tuple((float(at), float(length)) for at, length in gaps),
        faults=tuple(faults.read(str(kept["faults"]))),
    )
