"""Recordings: taken in piece by piece, checked, kept, acknowledged; provisioning.server.opener makes them play.

The order is what makes it safe: the bytes on the disk, the archive, the row, and only then is the booth told. A server
that dies anywhere between finds the upload as it was and does the rest again, with the same outcome.
"""

import base64
import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from typing import Any
from uuid import UUID

from obstore.store import ObjectStore
from pyrage import x25519
from sqlalchemy import Row, bindparam, select, update

from firmware import wire
from provisioning.opening import Opening, viewed
from provisioning.server import archive as store
from provisioning.server import notes
from provisioning.server.bell import Bell, Topic
from provisioning.server.booths import Booth
from provisioning.server.database import Database
from provisioning.server.opener import FAILURES, TAKEN, Opener, joined
from provisioning.server.refusals import Refused
from provisioning.server.schema import memo, recording
from provisioning.server.together import Together
from provisioning.server.uploads import Uploads

log = logging.getLogger(__name__)

PARTIAL = "partial"
_Change = tuple[Booth, UUID, Mapping[str, object]]


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
        self._opener = Opener(database, archive, uploads, identities, bell)
        self._taken = Together(self._settle, FAILURES)

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
        with self._opener.stepping_back(), self._uploads.alone(name):
            row = self._row(one, name)
            if row is not None and row.state != PARTIAL:
                return _again(row, portion)
            at_once = portion.last and portion.offset == 0
            offset = self._uploads.append(name, portion.offset, portion.data, known=not at_once)
            if portion.last:
                found = hashlib.sha256(portion.data).digest() if at_once else self._uploads.sha256(name)
                return self._finish(one, name, offset, found, portion)
            self._keep((one, name, {"state": PARTIAL, "bytes": offset}), durable=False)  # the file itself says it
        return Progress(offset)

    def live(self, name: UUID) -> Iterable[bytes]:
        """What is here so far of a recording that is on its way, as an Ogg Opus file; nothing if nothing plays.

        It may be gone through more than once and is the same each time, whatever comes in meanwhile.
        """
        return _Live(self._uploads, name, self._identities)

    def resume(self) -> None:
        """At start: finish what a crash had left, and open what there is a key for now."""
        keys = " ".join(sorted(str(identity.to_public()) for identity in self._identities))
        with self._database.write() as connection:
            if notes.get(connection, notes.KEYS) != keys:
                notes.put(self._database, connection, notes.KEYS, keys)
                sealed = recording.c.problem.contains("sealed ") & recording.c.erased.is_(None)
                connection.execute(update(recording).where(sealed).values(state=TAKEN))
        for name in self._uploads.every():
            with self._database.read() as connection:
                row = connection.execute(_ONE, {"id": str(name)}).one_or_none()
            if row is not None and row.state not in {PARTIAL, TAKEN}:
                self._opener.draw(name)
        self._opener.start()

    def settle(self, patience: float) -> None:
        """Wait until all that came in so far is opened and drawn."""
        if not self._opener.settle(patience):
            raise TimeoutError("recordings are still being opened")

    def close(self) -> None:
        """Leave what is not opened to the next start."""
        self._opener.close()

    def _row(self, one: Booth, name: UUID) -> Row[*tuple[Any, ...]] | None:
        with self._database.read() as connection:
            row = connection.execute(_ONE, {"id": str(name)}).one_or_none()
        if row is not None and row.booth != one.id:
            raise Refused(HTTPStatus.FORBIDDEN, "foreign", "this recording is another booth's")
        return row

    def _finish(self, one: Booth, name: UUID, size: int, found: bytes, portion: Portion) -> Progress:
        if portion.length not in {None, size}:
            raise Refused(HTTPStatus.BAD_REQUEST, "length", f"{size} bytes are here, {portion.length} were announced")
        if found != portion.digest:
            # No later portion can repair the bytes before it: the draft calls such an upload failed. It begins anew.
            self._uploads.set_aside(name)
            self._keep((one, name, {"state": PARTIAL, "bytes": 0}))
            headers = Progress(0).headers()
            raise Refused(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "digest",
                "the bytes here are not those of the digest: send all anew",
                headers,
            )
        store.put(self._archive, f"{name}{store.JOURNAL}", self._uploads.part(name))
        self._taken.do((one, name, {"state": TAKEN, "bytes": size, "sha256": found.hex(), "taken": self._now()}))
        log.info("recording %s of booth %s is here", name, one.id)
        self._opener.open(name)
        return Progress(size, found.hex())

    def _settle(self, taken: Sequence[_Change]) -> None:
        """All of these are in the archive: make that safe, and then their rows."""
        store.settle(self._archive)
        self._keep(*taken)

    def _keep(self, *changes: _Change, durable: bool = True) -> None:
        with self._database.write(durable=durable) as connection:
            for one, name, values in changes:
                call = connection.scalar(_CALL, {"id": str(name)}) or str(name)
                first = {"id": str(name), "booth": one.id, "call": call, "begun": self._now()}
                statement = self._database.insert(recording).values(first | dict(values))
                connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=dict(values)))
        self._bell.ring(Topic.RECORDINGS)


class _Live:
    """The first so many bytes of an upload, opened anew each time."""

    def __init__(self, uploads: Uploads, name: UUID, identities: Sequence[x25519.Identity]) -> None:
        self._part, self._name, self._identities = uploads.part(name), name, identities
        self._size = uploads.offset(name)

    def __iter__(self) -> Iterator[bytes]:
        if not self._size:
            return
        with viewed(self._part, self._size) as data:
            pieces = iter(Opening(data, self._identities, self._name))
            if (first := next(pieces, None)) is not None:
                yield from joined(self._name, chain([first], pieces))


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
_CALL = select(memo.c.call).where(memo.c.recording == bindparam("id"))
