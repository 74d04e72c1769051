"""What was taken in is opened here: joined to a file that plays, then drawn. Booths wait for none of it.

A row says what there is to do, so that whatever a crash cut short is done again, by this process or another one; done
twice it would come to the same.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from uuid import UUID

from obstore.exceptions import BaseError
from obstore.store import ObjectStore
from pyrage import x25519
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError

from hw.contracts import FRAME_SECONDS
from provisioning import faults, ogg
from provisioning.opening import Opening, Piece, comments, viewed
from provisioning.server import archive as store
from provisioning.server.archive import ArchiveError
from provisioning.server.bell import Bell, Topic
from provisioning.server.database import Database
from provisioning.server.schema import recording
from provisioning.server.uploads import Uploads
from provisioning.server.waveform import Waveform

log = logging.getLogger(__name__)

TAKEN, WHOLE, TORN, REFUSED = "taken", "whole", "torn", "refused"
FAILURES = (ArchiveError, BaseError, OSError, SQLAlchemyError)  # of the world: they pass
SWEEP = 30.0  # seconds after which one looks for what other processes or failures have left
CALM = 0.05  # seconds after the last upload in which the next one is likely to come
LONGEST_REST = 0.2  # seconds: between two pieces many others may have been opened, each with rests of its own
SHARE = 4  # while uploads come in, rest so many times as long as was worked: both need the interpreter


class Opener:
    """Opens on a thread of its own, one recording after the other."""

    def __init__(
        self,
        database: Database,
        archive: ObjectStore,
        uploads: Uploads,
        identities: Sequence[x25519.Identity],
        bell: Bell,
    ) -> None:
        self._database, self._archive, self._uploads = database, archive, uploads
        self._identities, self._bell = identities, bell
        self._to_open: deque[UUID] = deque()
        self._to_draw: deque[UUID] = deque()
        self._seen: set[UUID] = set()
        self._news = threading.Condition()
        self._idle = True
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="opener", daemon=True)
        self._uploading, self._last_upload = 0, 0.0

    def start(self) -> None:
        """Begin with what is there already."""
        with self._database.read() as connection:
            self._to_open.extend(map(UUID, connection.scalars(_TAKEN)))
            self._to_draw.extend(map(UUID, connection.scalars(_UNDRAWN)))
        self._thread.start()

    def open(self, name: UUID) -> None:
        """Here is one more."""
        with self._news:
            self._to_open.append(name)
            self._news.notify_all()

    def draw(self, name: UUID) -> None:
        """What is open lacks its picture, or is to be tidied up."""
        with self._news:
            self._to_draw.append(name)
            self._news.notify_all()

    @contextmanager
    def stepping_back(self) -> Iterator[None]:
        """A booth is being served meanwhile."""
        with self._news:
            self._uploading += 1
        try:
            yield
        finally:
            with self._news:
                self._uploading -= 1
                self._last_upload = time.monotonic()

    def settle(self, patience: float) -> bool:
        """Wait until there is nothing to do; whether that came."""
        with self._news:
            return self._news.wait_for(lambda: self._idle and not (self._to_open or self._to_draw), patience)

    def close(self) -> None:
        """Leave the rest to the next start."""
        self._over.set()
        with self._news:
            self._news.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        while not self._over.is_set():
            with self._news:
                self._idle = True
                self._news.notify_all()
                told = self._news.wait_for(lambda: self._over.is_set() or self._to_open or self._to_draw, SWEEP)
                self._idle = False
            if self._to_open:
                self._safely(self._open, self._to_open.popleft())
            elif self._to_draw:
                self._safely(self._draw, self._to_draw.popleft())
            elif not told:
                self._safely(self._sweep)

    def _safely(self, work: Callable[..., None], *of: UUID) -> None:
        """Whatever is wrong with one recording, the others are opened."""
        try:
            work(*of)
        except FAILURES as problem:
            log.warning("a recording could not be opened now, it is tried again: %s", type(problem).__name__)
        except Exception:  # a mistake of ours; ending here, it would keep all the others unheard
            log.exception("a recording could not be opened")

    def _sweep(self) -> None:
        """Open what was nobody's the last time, too: of a process that died, or from when the archive was away."""
        with self._database.read() as connection:
            taken = set(map(UUID, connection.scalars(_TAKEN)))
        self._to_open.extend(sorted(taken & self._seen))
        self._seen = taken

    def _open(self, name: UUID) -> None:
        with self._uploads.opening(name) as mine:
            if mine and self._state(name) == TAKEN:
                self._update(name, TAKEN, self._opened(name))
        if mine:
            self._to_draw.append(name)

    def _opened(self, name: UUID) -> Mapping[str, object]:
        """Make the recording playable as far as it can be opened; what its row will say."""
        with self._journal(name) as path, viewed(path) as data:
            opening = Opening(data, self._identities, name)
            pieces = self._gently(opening)
            first = next(pieces, None)
            if first is not None:
                draft = self._uploads.draft(name)
                with draft.open("wb") as out:
                    said = comments(data, self._identities, name, first.segment.answer)
                    out.writelines(joined(name, chain([first], pieces), said))
                    out.flush()
                    os.fdatasync(out.fileno())
                store.keep(self._archive, f"{name}{store.OPUS}", draft)
                draft.unlink()
        state = REFUSED if first is None else TORN if opening.faults else WHOLE
        log.info("recording %s: %s", name, state)
        return {
            "state": state,
            "seconds": opening.frames * FRAME_SECONDS,
            "answer_seconds": first.segment.answer * FRAME_SECONDS if first else 0.0,
            "problem": faults.plain(opening.faults.told),
            "peaks": None,
        }

    def _draw(self, name: UUID) -> None:
        """Draw the waveform; then nothing of the upload is needed any more."""
        with self._uploads.opening(name) as mine:
            # After a start it is asked for twice.
            if not mine or (self._undrawn(name) and not self._drawn(name)):
                return
            state = self._state(name)
            if state in {WHOLE, TORN, REFUSED}:
                self._uploads.forget(name)
        if state == TAKEN:  # the server came from a backup and got it anew, while nobody else might open it
            self._to_open.append(name)

    def _drawn(self, name: UUID) -> bool:
        """Whether that came to its end."""
        state, peaks = self._state(name), self._peaks(name)
        if peaks is not None and state is not None:
            self._update(name, state, {"peaks": peaks})
        return peaks is not None

    def _peaks(self, name: UUID) -> bytes | None:
        """The waveform; None if the server ends. What is to be opened meanwhile goes first: somebody waits for that."""
        ears = Waveform()
        with self._journal(name) as path, viewed(path) as data:
            for piece in self._gently(Opening(data, self._identities, name)):
                ears.hear(piece.segment.agent, piece.segment.customer)
                while self._to_open and not self._over.is_set():
                    self._safely(self._open, self._to_open.popleft())
                if self._over.is_set():
                    return None
        return ears.peaks()

    @contextmanager
    def _journal(self, name: UUID) -> Iterator[Path]:
        if (part := self._uploads.part(name)).exists():
            yield part
            return
        with store.at_hand(self._archive, f"{name}{store.JOURNAL}", self._uploads.copy(name)) as path:
            yield path

    def _gently(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """The same, little by little while booths are served."""
        began = time.monotonic()
        for piece in pieces:
            yield piece
            if self._uploading or time.monotonic() - self._last_upload < CALM:
                self._over.wait(min(SHARE * (time.monotonic() - began), LONGEST_REST))
            began = time.monotonic()

    def _state(self, name: UUID) -> str | None:
        with self._database.read() as connection:
            state: str | None = connection.scalar(_STATE, {"id": str(name)})
        return state

    def _undrawn(self, name: UUID) -> bool:
        with self._database.read() as connection:
            return connection.scalar(_UNDRAWN.where(recording.c.id == str(name))) is not None

    def _update(self, name: UUID, state: str, values: Mapping[str, object]) -> None:
        row = (recording.c.id == str(name)) & (recording.c.state == state)
        with self._database.write(durable=False) as connection:  # if it is lost, it is done again
            connection.execute(update(recording).where(row).values(dict(values)))
        self._bell.ring(Topic.RECORDINGS)


def joined(name: UUID, pieces: Iterator[Piece], said: Mapping[str, str] | None = None) -> Iterator[bytes]:
    """An Ogg Opus file, page by page; `pieces` holds at least one, `said` is what the file says of itself."""
    first = next(pieces)
    mark = f"{first.segment.answer * FRAME_SECONDS:.2f}"
    packets = (packet for piece in chain([first], pieces) for packet in piece.packets)
    return ogg.pages(packets, said or {"CALL": str(name), "ANSWERED_AT": mark})


_STATE = select(recording.c.state).where(recording.c.id == bindparam("id"), recording.c.erased.is_(None))
_TAKEN = (
    select(recording.c.id).where(recording.c.state == TAKEN, recording.c.erased.is_(None)).order_by(recording.c.taken)
)
_UNDRAWN = select(recording.c.id).where(
    recording.c.state.in_([WHOLE, TORN]), recording.c.peaks.is_(None), recording.c.erased.is_(None)
)
