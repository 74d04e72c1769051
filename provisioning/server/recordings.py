"""Recordings: taken in piece by piece, checked, opened, made playable.

The order is what makes it safe: the bytes on the disk, the archive, the row, the waveform, and only then is the upload
forgotten. A server that dies anywhere between finds the upload as it was and does the rest again, with the same outcome.
"""

import base64
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from typing import Any
from uuid import UUID

from obstore.store import ObjectStore
from pyrage import x25519
from sqlalchemy import Row, bindparam, select, update

from firmware import wire
from hw.contracts import FRAME_SECONDS
from provisioning import ogg
from provisioning.server import archive as store
from provisioning.server.bell import Bell, Topic
from provisioning.server.booths import Booth
from provisioning.server.database import Database
from provisioning.server.opening import Opening, Piece
from provisioning.server.refusals import Refused
from provisioning.server.schema import memo, recording
from provisioning.server.uploads import Uploads
from provisioning.server.waveform import Waveform

log = logging.getLogger(__name__)

PARTIAL, WHOLE, TORN, REFUSED = "partial", "whole", "torn", "refused"


@dataclass(frozen=True, slots=True)
class Portion:
    """What one PATCH brings."""

    offset: int
    data: bytes
    last: bool
    length: int | None  # of the whole, if the booth says so
    digest: bytes | None  # SHA-256 of the whole; with the last one


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recording is here."""

    offset: int
    digest: str | None = None  # SHA-256 in hex, once it is all here

    def headers(self) -> Mapping[str, str]:
        """As the booth is told."""
        told = {wire.OFFSET: str(self.offset), wire.COMPLETE: "?1" if self.digest else "?0"}
        if self.digest:
            told |= {wire.LENGTH: str(self.offset)}
            told[wire.DIGEST] = f"sha-256=:{base64.b64encode(bytes.fromhex(self.digest)).decode('ascii')}:"
        return told


class Recordings:
    """Takes recordings in. Blocking."""

    def __init__(
        self,
        database: Database,
        archive: ObjectStore,
        uploads: Uploads,
        identities: Sequence[x25519.Identity],
        bell: Bell,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._archive, self._uploads = database, archive, uploads
        self._identities, self._bell, self._now = identities, bell, now
        # Decoding takes three times as long as all the rest, so the booth does not wait for it, nor anybody who listens.
        self._painter = ThreadPoolExecutor(1, "waveform")
        self._over = False

    def progress(self, one: Booth, name: UUID) -> Progress:
        """How far it is. Raises Refused for another booth's."""
        row = self._row(one, name)
        if row is not None and row.state != PARTIAL:
            return Progress(row.bytes, row.sha256)
        return Progress(self._uploads.offset(name))

    def take(self, one: Booth, name: UUID, portion: Portion) -> Progress:
        """Keep a portion; with the last one, finish. On disk when this returns. Raises Refused."""
        if portion.last and portion.digest is None:
            raise Refused(HTTPStatus.BAD_REQUEST, "digest", f"the last portion needs a {wire.DIGEST} of sha-256")
        with self._uploads.alone(name):
            row = self._row(one, name)
            if row is not None and row.state != PARTIAL:
                return _again(row, portion)
            offset = self._uploads.append(name, portion.offset, portion.data)
            if portion.last:
                return self._finish(one, name, offset, portion)
            self._keep(one, name, {"state": PARTIAL, "bytes": offset})
        return Progress(offset)

    def live(self, name: UUID) -> Iterator[bytes]:
        """What is here so far of a recording that is on its way, as an Ogg Opus file; nothing if nothing plays."""
        part = self._uploads.part(name)
        if not self._uploads.offset(name):
            return iter(())
        pieces = iter(Opening(part, name, self._identities))
        first = next(pieces, None)
        return iter(()) if first is None else _pages(name, chain([first], pieces))

    def resume(self) -> None:
        """At start: finish what a crash had left of recordings that were here whole."""
        for name in self._uploads.every():
            with self._database.read() as connection:
                row = connection.execute(_ONE, {"id": str(name)}).one_or_none()
            if row is not None and row.state != PARTIAL:
                self._painter.submit(self._paint, name).add_done_callback(_tell)

    def settle(self, patience: float) -> None:
        """Wait until the waveforms of all that came in so far are drawn."""
        self._painter.submit(int).result(patience)

    def close(self) -> None:
        """Leave undrawn waveforms to the next start."""
        self._over = True
        self._painter.shutdown(cancel_futures=True)

    def _row(self, one: Booth, name: UUID) -> Row[*tuple[Any, ...]] | None:
        with self._database.read() as connection:
            row = connection.execute(_ONE, {"id": str(name)}).one_or_none()
        if row is not None and row.booth != one.id:
            raise Refused(HTTPStatus.FORBIDDEN, "foreign", "this recording is another booth's")
        return row

    def _finish(self, one: Booth, name: UUID, size: int, portion: Portion) -> Progress:
        if portion.length not in {None, size}:
            raise Refused(HTTPStatus.BAD_REQUEST, "length", f"{size} bytes are here, {portion.length} were announced")
        found = self._uploads.sha256(name)
        if found != portion.digest:
            # No later portion can repair the bytes before it: the draft calls such an upload failed. It begins anew.
            self._uploads.set_aside(name)
            self._keep(one, name, {"state": PARTIAL, "bytes": 0})
            headers = Progress(0).headers()
            raise Refused(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "digest",
                "the bytes here are not those of the digest: send all anew",
                headers,
            )
        values = self._opened(name)
        store.keep(self._archive, f"{name}{store.JOURNAL}", self._uploads.part(name))
        self._keep(one, name, values | {"bytes": size, "sha256": found.hex(), "taken": self._now()})
        log.info("recording %s of booth %s: %s", name, one.id, values["state"])
        self._painter.submit(self._paint, name).add_done_callback(_tell)
        return Progress(size, found.hex())

    def _opened(self, name: UUID) -> dict[str, object]:
        """Make the recording playable as far as it can be opened; what its row will say."""
        opening, frames = Opening(self._uploads.part(name), name, self._identities), Frames()
        pieces = frames.counted(opening)
        first = next(pieces, None)
        if first is not None:
            draft = self._uploads.draft(name)
            with draft.open("wb") as out:
                out.writelines(_pages(name, chain([first], pieces)))
            store.keep(self._archive, f"{name}{store.OPUS}", draft)
        problem = "; ".join(fault.detail for fault in opening.faults)
        if first is None:
            problem = problem or "not one segment: nothing was recorded"
        return {
            "state": REFUSED if first is None else TORN if problem else WHOLE,
            "seconds": frames.count * FRAME_SECONDS,
            "answer_seconds": first.segment.answer * FRAME_SECONDS if first else 0.0,
            "problem": problem,
        }

    def _paint(self, name: UUID) -> None:
        """Draw the waveform; then nothing of the upload is needed any more."""
        ears = Waveform()
        for piece in Opening(self._uploads.part(name), name, self._identities):
            if self._over:
                return
            ears.hear(piece.segment.agent, piece.segment.customer)
        self._update(name, {"peaks": ears.peaks()})
        self._uploads.forget(name)

    def _update(self, name: UUID, values: Mapping[str, object]) -> None:
        with self._database.write() as connection:
            connection.execute(update(recording).where(recording.c.id == str(name)).values(dict(values)))
        self._bell.ring(Topic.RECORDINGS)

    def _keep(self, one: Booth, name: UUID, values: Mapping[str, object]) -> None:
        with self._database.write() as connection:
            call = connection.scalar(select(memo.c.call).where(memo.c.recording == str(name))) or str(name)
            first = {"id": str(name), "booth": one.id, "call": call, "begun": self._now()}
            statement = self._database.insert(recording).values(first | dict(values))
            connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=dict(values)))
        self._bell.ring(Topic.RECORDINGS)


class Frames:
    """Counts the frames of the pieces that go by."""

    def __init__(self) -> None:
        self.count = 0

    def counted(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """The same pieces."""
        for piece in pieces:
            self.count += len(piece.packets)
            yield piece


def _tell(drawing: Future[None]) -> None:
    """What went wrong with a waveform goes to the log; the next start tries again."""
    if not drawing.cancelled() and (problem := drawing.exception()) is not None:
        log.error("a waveform could not be drawn", exc_info=problem)


def _pages(name: UUID, pieces: Iterator[Piece]) -> Iterator[bytes]:
    """An Ogg Opus file; `pieces` holds at least one."""
    first = next(pieces)
    mark = f"{first.segment.answer * FRAME_SECONDS:.2f}"
    packets = (packet for piece in chain([first], pieces) for packet in piece.packets)
    return ogg.pages(packets, {"CALL": str(name), "ANSWERED_AT": mark})


def _again(row: Row[*tuple[Any, ...]], portion: Portion) -> Progress:
    """A portion of what is here already: the answer to it may have been lost on its way."""
    done = Progress(row.bytes, row.sha256)
    same = portion.digest is not None and portion.digest.hex() == row.sha256
    if not same or portion.offset + len(portion.data) != row.bytes:
        raise Refused(HTTPStatus.CONFLICT, "complete", "this recording is complete already", done.headers())
    return done


_ONE = select(recording.c.booth, recording.c.state, recording.c.bytes, recording.c.sha256).where(
    recording.c.id == bindparam("id")
)
