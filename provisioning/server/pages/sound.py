"""Recordings as a browser plays them: in ranges, or it knows neither length nor how to seek."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from uuid import UUID

from sqlalchemy import bindparam, select
from starlette.responses import Response, StreamingResponse

from firmware.text.catalogue import mark
from provisioning.server import archive
from provisioning.server.archive import OPUS
from provisioning.server.pages.visit import Refused, Visit
from provisioning.server.schema import recording

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a recording's bytes come from: the archive, or what has come in while it is on its way."""

    name: str
    size: int
    pieces: Callable[[range], Iterator[bytes]]


def recording_file(visit: Visit) -> Response:
    """One recording, or the part of it that was asked for. Who listens is logged."""
    source = _source(visit)
    if source is None:
        raise Refused(mark("There is no such recording here."), HTTPStatus.NOT_FOUND, "/calls")
    part = _asked(visit.request.headers.get("range", ""), source.size)
    if part is None:
        unsatisfied = {"content-range": f"bytes */{source.size}"}
        return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=unsatisfied)
    if part.start == 0 and visit.request.method == "GET":
        log.info("account %s listens to recording %s", visit.account.id, source.name)
    return _answer(visit, source, part)


def _source(visit: Visit) -> Source | None:
    with visit.office.database.read() as connection:
        row = connection.execute(_KNOWN, {"id": visit.path("recording")}).one_or_none()
    if row is None:
        return None
    name = f"{row.id}{OPUS}"
    try:
        if row.state in {"partial", "taken"}:
            heard = visit.office.live(UUID(row.id))
            size = sum(map(len, heard))
            return Source(name, size, partial(_part, heard)) if size else None
        size = archive.size(visit.office.archive, name)
    except FileNotFoundError:
        return None
    return Source(name, size, partial(archive.pieces, visit.office.archive, name))


def _answer(visit: Visit, source: Source, part: range) -> Response:
    headers = {
        "accept-ranges": "bytes",
        "content-length": str(len(part)),
        "content-disposition": f'inline; filename="{source.name}"',
        "cache-control": "private, no-store",
    }
    whole = len(part) == source.size and "range" not in visit.request.headers
    if not whole:
        headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{source.size}"
    status = HTTPStatus.OK if whole else HTTPStatus.PARTIAL_CONTENT
    body = source.pieces(part) if visit.request.method == "GET" else iter(())
    return StreamingResponse(body, status, headers, media_type="audio/ogg")


def _part(heard: Iterable[bytes], part: range) -> Iterator[bytes]:
    """Only those bytes of what is made anew each time: it may be an hour, and need not be in memory."""
    at = 0
    for page in heard:
        yield page[max(0, part.start - at) : max(0, part.stop - at)]
        at += len(page)
        if at >= part.stop:
            return


_KNOWN = select(recording.c.id, recording.c.state).where(recording.c.id == bindparam("id"))


def _asked(header: str, size: int) -> range | None:
    """The bytes of a Range header; all of them without one or with one that is not ours to read (RFC 9110, 14.2).

    >>> _asked("bytes=0-99", 500), _asked("bytes=400-", 500), _asked("bytes=-50", 500), _asked("bytes=500-", 500)
    (range(0, 100), range(400, 500), range(450, 500), None)
    >>> _asked("", 500), _asked("bytes=0-1,5-6", 500), _asked("bytes=9-3", 500), _asked("bytes=0-9999", 500)
    (range(0, 500), range(0, 500), range(0, 500), range(0, 500))
    """
    match = _RANGE.fullmatch(header)
    if not match or match.groups() == ("", ""):
        return range(size)
    first, last = match.groups()
    if not first:
        wanted = min(int(last), size)
        return range(size - wanted, size) if wanted else None
    start, stop = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return range(size)
    return range(start, stop) if start < size else None
