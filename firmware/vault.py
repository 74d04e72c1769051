"""The vault: sealed recordings on the card, written by a thread of their own."""

import contextlib
import errno
import hashlib
import os
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pyrage

from firmware import journal
from firmware.journal import UNKNOWN, Closing, Ending, Segment
from hw.contracts import FRAME_SECONDS, Post
from hw.events import Event

SUFFIX = ".journal"
QUEUE_SECONDS = 60.0  # a card may stand still this long, say while it tidies up, before a call loses its recording
PATIENCE = 5.0  # seconds to wait for what is queued when the booth stops

Task = Callable[[], None]


class VaultError(Exception):
    """The vault was set up wrongly: a recipient that is no age public key."""


@dataclass(frozen=True, slots=True)
class RecordingFailed(Event):
    """The rest of this call is not recorded; what was written before is whole. Posted at most once a call."""

    why: str
    full: bool = False  # the card has no room left, as opposed to being broken


@dataclass(frozen=True, slots=True)
class Sealed:
    """A recording that is over and on the disk."""

    call: str
    path: Path
    segments: int
    frames: int  # kept, pre-roll included
    talk_seconds: float  # from the answer mark to the end, pauses included
    sha256: str  # of the journal as it lies on the disk; empty if it could not be closed
    complete: bool  # nothing of the call is missing but what was paused
    gaps: tuple[tuple[float, float], ...] = ()  # seconds kept before each stretch that was left out, and its length


@dataclass(frozen=True, slots=True)
class Recovered:
    """A recording that a crash had left open."""

    call: str
    path: Path
    segments: int
    cut: int  # bytes of a torn record that were cut off
    closed: bool  # False: the card would not even take the closing record


class JournalFile:
    """One journal on disk, open for appending. What append() returned from survives a power cut."""

    def __init__(self, path: Path, seal: Callable[[bytes], bytes], written: Callable[[], object]) -> None:
        self.path, self._seal, self._written = path, seal, written
        self.size = 0
        self._hash = hashlib.sha256()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @property
    def sha256(self) -> bytes:
        """The hash of all that was written or taken over."""
        return self._hash.digest()

    def made_known(self) -> None:
        """Make the file's name survive a power cut."""
        _make_known(self.path.parent)

    def continue_after(self, data: bytes) -> None:
        """Take over `data`, with which the file begins, and cut off what follows."""
        self._hash.update(data)
        self.size = len(data)
        os.ftruncate(self._file, self.size)

    def append(self, part: Segment | Closing) -> None:
        """Seal and write one record; on OSError the file is as it was before."""
        closing = isinstance(part, Closing)
        plain = journal.pack_closing(part) if isinstance(part, Closing) else journal.pack_segment(part)
        data = journal.record(self._seal(plain), closing=closing)
        try:
            self._write(data)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.size)
                os.fdatasync(self._file)
            raise
        self.size += len(data)
        self._hash.update(data)
        self._written()

    def close(self) -> None:
        """Let go of the file; harmless the second time."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, data: bytes) -> None:
        at = 0
        while at < len(data):  # a card that is nearly full takes a part first and refuses the rest
            at += os.pwrite(self._file, data[at:], self.size + at)
        os.fdatasync(self._file)


class Vault:
    """Keeps recordings in `directory`, sealed to `recipients` (age public keys, so that the booth itself cannot open them).

    All writing is done on one thread, in the order asked for.
    """

    def __init__(
        self,
        directory: Path,
        recipients: Sequence[str],
        post: Post,
        written: Callable[[], object] = lambda: None,
        *,
        reserve: int = 0,
    ) -> None:
        """`written` is called, on the vault's thread, whenever one more segment is on the disk.

        With fewer than `reserve` bytes left on the card nothing is recorded: calls and facts are still to be written down.
        """
        self.reserve = reserve
        self.seal_to(recipients)
        with contextlib.suppress(OSError):  # then each recording says that it has failed, and calls go on
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory, self.post, self._written = directory, post, written
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="vault", daemon=True)
        self._thread.start()

    def seal_to(self, recipients: Sequence[str]) -> None:
        """Whom segments are sealed to from now on; raises VaultError, and changes nothing, for what are no keys."""
        if not recipients:
            raise VaultError("no recipient: recordings would be sealed to nobody")
        try:
            self._recipients = [pyrage.x25519.Recipient.from_str(text) for text in dict.fromkeys(recipients)]
        except pyrage.RecipientError as problem:
            raise VaultError(f"a recipient is no age public key (age1…): {problem}") from problem

    @property
    def alive(self) -> bool:
        """Whether anybody still writes; False after close() or after a bug of ours."""
        return self._thread.is_alive()

    @property
    def behind(self) -> bool:
        """Whether more waits to be written than may wait."""
        return self._tasks.qsize() * FRAME_SECONDS >= QUEUE_SECONDS

    def do(self, task: Task) -> None:
        """Have something done on the vault's thread; returns at once."""
        self._tasks.put(task)

    def path(self, call: UUID) -> Path:
        """Where a call's journal lies."""
        return self.directory / f"{call}{SUFFIX}"

    def create(self, call: UUID) -> JournalFile:
        """A new journal; on the vault's thread. Raises OSError, also if the call has one already."""
        self.check_room()
        path = self.path(call)
        if path.exists():
            raise FileExistsError(f"{path.name} exists already")
        file = JournalFile(path, self._seal, self._written)
        try:
            file.made_known()
        except OSError:
            file.close()
            raise
        return file

    def space(self) -> int:
        """Bytes left on the card; none on one that cannot be read."""
        try:
            card = os.statvfs(self.directory)
        except OSError:
            return 0
        return card.f_bavail * card.f_frsize

    def check_room(self) -> None:
        """Raises OSError when less is left than the database needs to go on without any recording, or if nobody can say."""
        card = os.statvfs(self.directory)
        if card.f_bavail * card.f_frsize < self.reserve:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def size(self, recording: str) -> int | None:
        """Bytes of a journal on the card, by its name; None when there is none."""
        try:
            return (self.directory / f"{recording}{SUFFIX}").stat().st_size
        except OSError:
            return None

    def erase(self, recording: str) -> None:
        """Delete a journal; gone for good when this returns. Harmless when it is gone already. Raises OSError."""
        (self.directory / f"{recording}{SUFFIX}").unlink(missing_ok=True)
        _make_known(self.directory)

    def recover(self) -> list[Recovered]:
        """Close what a crash left open: cut torn tails, append closing records. For the start, before any call."""
        _make_known(self.directory)  # of one that the crash came upon before its name was sure
        found = (self._recover(self.path(call), call) for call in self.calls())
        return [recovered for recovered in found if recovered is not None]

    def calls(self) -> list[UUID]:
        """All that have a journal here."""
        journals = sorted(self.directory.glob(f"*{SUFFIX}"))
        return [call for path in journals if (call := call_of(path)) is not None]

    def look(self, call: UUID) -> Recovered:
        """A journal of which nothing need be cut. Raises OSError."""
        reading = journal.read(self.path(call).read_bytes())
        return Recovered(str(call), self.path(call), len(reading.records) - reading.closed, 0, reading.closed)

    def close(self) -> None:
        """Write what is queued, for at most a few seconds, and end."""
        self._tasks.put(None)
        self._thread.join(PATIENCE)

    def _recover(self, path: Path, call: UUID) -> Recovered | None:
        data = path.read_bytes()
        reading = journal.read(data)
        if reading.closed and reading.tail == len(data):
            return None
        # Damage with whole records after it is no torn tail: what is there stays for those who can open it.
        kept = data[: reading.tail]
        file = JournalFile(path, self._seal, self._written)
        try:
            file.continue_after(kept)
            closed = reading.closed or self._close_for(file, call, len(reading.records))
        finally:
            file.close()
        return Recovered(str(call), path, len(reading.records), len(data) - len(kept), closed)

    def _close_for(self, file: JournalFile, call: UUID, segments: int) -> bool:
        end = Closing(call, segments, Ending.RECOVERED, UNKNOWN, UNKNOWN, UNKNOWN, file.sha256)
        try:
            file.append(end)
        except (
            OSError
        ):  # no room for half a kilobyte: the journal is readable without it, and the next start tries again
            return False
        return True

    def _seal(self, plain: bytes) -> bytes:
        sealed: bytes = pyrage.encrypt(plain, self._recipients)
        return sealed

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()


def _make_known(directory: Path) -> None:
    """Make what was done to the names in a directory survive a power cut."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def call_of(path: Path) -> UUID | None:
    """The call that a journal is named by; None if it is named by none."""
    try:
        return UUID(path.stem)
    except ValueError:
        return None
