"""One call's recording while it lasts: two ears encoded, cut into segments, sealed. Lives on the vault's thread."""

import errno
import os
from collections.abc import Sequence
from concurrent.futures import Future
from uuid import UUID

from firmware.journal import PACKETS, Closing, Ending, Gap, Segment
from firmware.keytones import KeyTones, KeyTonesHeard
from firmware.opus import Encoder
from firmware.vault import JournalFile, RecordingFailed, Sealed, Vault
from hw.contracts import FRAME_SECONDS, SILENCE

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Tape:
    """Takes frames; `sealed` is told when the closing record is on the disk, or when there will be none.

    The first OSError ends the recording but nothing else: what was written stays whole, RecordingFailed is posted
    unless `failed` was set before, and later frames are let go.
    """

    def __init__(self, vault: Vault, call: UUID) -> None:
        self.call, self.path = call, vault.path(call)
        self.failed = False  # set by whoever finds out first; the recorder may, when the card stands still
        self.sealed: Future[Sealed] = Future()
        self._vault = vault
        self._file: JournalFile | None = None
        self._agent, self._customer = Encoder(), Encoder()
        self._packets: list[tuple[bytes, bytes]] = []
        self._written = self._segments = self._answer = self._left_out = 0
        self._gaps: list[Gap] = []
        self._tones = KeyTones()

    def begin(self, pre_roll: Sequence[bytes], late: int = 0) -> None:
        """Create the journal; `pre_roll` is what the customer's side carried before the answer mark, but for `late` frames."""
        self._answer = len(pre_roll) + late
        try:
            self._file = self._vault.create(self.call)
        except OSError as problem:
            self._fail(problem)
        for customer in pre_roll:
            self.hear(SILENCE, customer)

    def hear(self, agent: bytes, customer: bytes) -> None:
        """Keep one frame of each ear."""
        if self._file is None:
            return
        self._packets.append((self._agent.encode(agent), self._customer.encode(customer)))
        self._tell_tones(self._tones.hear(customer))
        if len(self._packets) == PACKETS:
            self.flush()

    def flush(self) -> None:
        """Write what there is as a segment of its own, so that a power cut cannot take it."""
        if self._file is None or not self._packets:
            return
        agent, customer = zip(*self._packets, strict=True)
        segment = Segment(self.call, self._segments, self._written, self._answer, self._left_out, agent, customer)
        try:
            self._vault.check_room()
            self._file.append(segment)
        except OSError as problem:
            self._fail(problem)
            return
        self._written += len(self._packets)
        self._segments, self._left_out = self._segments + 1, 0
        self._packets.clear()

    def leave_out(self, frames: int) -> None:
        """State that `frames` were not kept here."""
        self.flush()
        self._gaps.append(Gap(self._written, frames))
        self._left_out += frames
        self._tell_tones(self._tones.skip(frames))

    def close(self, talk: int) -> None:
        """Write the closing record; `talk` frames have passed since the answer mark."""
        self.flush()
        self._tell_tones(self._tones.end())
        sha256 = ""
        if self._file is not None:
            sha256 = self._finish(Ending.CUT_SHORT if self.failed else Ending.CLOSED, talk)
        seconds, complete = round(talk * FRAME_SECONDS, 2), bool(sha256) and not self.failed
        gaps = tuple((round(gap.at * FRAME_SECONDS, 2), round(gap.frames * FRAME_SECONDS, 2)) for gap in self._gaps)
        sealed = Sealed(str(self.call), self.path, self._segments, self._written, seconds, sha256, complete, gaps)
        self.sealed.set_result(sealed)

    def _tell_tones(self, span: tuple[int, int] | None) -> None:
        """Where the far end pressed keys, told by the time since the answer mark."""
        if span is not None:
            start, end = (round((at - self._answer) * FRAME_SECONDS, 2) for at in span)
            self._vault.post(KeyTonesHeard(str(self.call), start, round(end - start, 2)))

    def _finish(self, ending: Ending, talk: int) -> str:
        """Close the journal and return its hash; empty if the card would not take the closing record."""
        file, self._file = self._file, None
        assert file is not None
        frames, gaps = self._written, tuple(self._gaps)
        try:
            file.append(Closing(self.call, self._segments, ending, frames, self._answer, talk, file.sha256, gaps))
        except OSError as problem:
            self._report(problem)
            return ""
        finally:
            file.close()
        return file.sha256.hex()

    def _fail(self, problem: OSError) -> None:
        """Give up, and close the journal with what is in it if the card takes so much."""
        self._report(problem)
        self._packets.clear()
        if self._file is not None:
            self._finish(Ending.CUT_SHORT, max(0, self._written - self._answer))

    def _report(self, problem: OSError) -> None:
        if not self.failed:
            self.failed = True
            why = os.strerror(problem.errno) if problem.errno else str(problem)
            self._vault.post(RecordingFailed(why, full=problem.errno in FULL))
