"""Recordings as a browser plays them: in ranges, or it knows neither length nor how to seek."""

import logging
import re
from collections.abc import Iterator
from http import HTTPStatus

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import ObjectStore
from sqlalchemy import select
from starlette.responses import Response, StreamingResponse

from firmware.text.catalogue import mark
from provisioning.server.archive import OPUS
from provisioning.server.pages.visit import Refused, Visit
from provisioning.server.schema import recording

PIECE = 256 * 1024  # bytes read from the archive at once
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")

log = logging.getLogger(__name__)


def recording_file(visit: Visit) -> Response:
    """One recording, or the part of it that was asked for. Who listens is logged."""
    name = visit.path("recording")
    with visit.office.database.read() as connection:
        known = connection.scalar(select(recording.c.id).where(recording.c.id == name))
    try:
        size = obstore.head(visit.office.archive, f"{known}{OPUS}")["size"] if known else 0
    except (FileNotFoundError, NotFoundError):
        size = 0
    if not size:
        raise Refused(mark("There is no such recording here."), HTTPStatus.NOT_FOUND, "/calls")
    part = _asked(visit.request.headers.get("range", ""), size)
    if part is None:
        return Response(
            status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers={"content-range": f"bytes */{size}"}
        )
    if part.start == 0 and visit.request.method == "GET":
        log.info("account %s listens to recording %s", visit.account.id, known)
    return _answer(visit, f"{known}{OPUS}", part, size)


def _answer(visit: Visit, name: str, part: range, size: int) -> Response:
    headers = {
        "accept-ranges": "bytes",
        "content-length": str(len(part)),
        "content-disposition": f'inline; filename="{name}"',
        "cache-control": "private, no-store",
    }
    whole = len(part) == size and "range" not in visit.request.headers
    if not whole:
        headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    status = HTTPStatus.OK if whole else HTTPStatus.PARTIAL_CONTENT
    body = _pieces(visit.office.archive, name, part) if visit.request.method == "GET" else iter(())
    return StreamingResponse(body, status, headers, media_type="audio/ogg")


def _pieces(archive: ObjectStore, name: str, part: range) -> Iterator[bytes]:
    for start in range(part.start, part.stop, PIECE):
        yield bytes(obstore.get_range(archive, name, start=start, end=min(part.stop, start + PIECE)))


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
