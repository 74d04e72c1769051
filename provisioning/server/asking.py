"""What a booth asks, read from HTTP. Everything that comes in from outside is bounded and checked here."""

import base64
import binascii
import re
from http import HTTPStatus
from typing import TypeVar

import anyio
from starlette.requests import Request

from firmware import wire
from provisioning.server.recordings import Portion
from provisioning.server.refusals import Refused
from provisioning.server.signatures import Asked

LARGE = 128 * 1024  # bytes of a body that must wait for room in memory
LARGE_ONES = 4  # of those at once
SLOWEST = 60.0  # seconds for a body to arrive

_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]+):")
_M = TypeVar("_M", bound=wire.Message)


class Bodies:
    """Reads bodies; only a few large ones at once, so that many booths do not fill the memory."""

    def __init__(self) -> None:
        self._room = anyio.Semaphore(LARGE_ONES)

    async def read(self, request: Request) -> bytes:
        """The body. Raises Refused for one that is too large or takes for ever."""
        length = request.headers.get("content-length", str(wire.LONGEST_BODY))
        if not length.isdecimal() or int(length) > wire.LONGEST_BODY:
            raise _too_large()
        with anyio.move_on_after(SLOWEST):
            if int(length) <= LARGE:
                return await _read(request)
            async with self._room:
                return await _read(request)
        raise Refused(
            HTTPStatus.REQUEST_TIMEOUT, "slow", "the request took too long to arrive", {"Connection": "close"}
        )


async def _read(request: Request) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > wire.LONGEST_BODY:
            raise _too_large()
    return b"".join(pieces)


def _too_large() -> Refused:
    detail = f"a request may have {wire.LONGEST_BODY} bytes at most"
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "size", detail, {"Connection": "close"})


def asked(request: Request, body: bytes) -> Asked:
    """The request as its signature covers it."""
    query = request.scope["query_string"]
    target = request.scope["raw_path"] + (b"?" + query if query else b"")
    return Asked(request.method, target.decode("latin-1"), request.headers, body)


def message(body: bytes, kind: type[_M]) -> _M:
    """The message in a body. Raises Refused."""
    try:
        return wire.decode(body, kind)
    except wire.UnknownVersion as problem:
        raise Refused(HTTPStatus.UPGRADE_REQUIRED, "version", str(problem)) from problem
    except wire.NullCharacter as problem:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "text", str(problem)) from problem
    except wire.WireError as problem:
        raise Refused(HTTPStatus.BAD_REQUEST, "message", str(problem)) from problem


def portion(request: Request, body: bytes) -> Portion:
    """What a PATCH's headers say. Raises Refused."""
    told = request.headers
    complete, length, digest = told.get(wire.COMPLETE, ""), told.get(wire.LENGTH), told.get(wire.DIGEST)
    if complete not in {"?0", "?1"}:
        raise Refused(HTTPStatus.BAD_REQUEST, "headers", f"{wire.COMPLETE} must be ?0 or ?1")
    return Portion(
        offset=_whole(wire.OFFSET, told.get(wire.OFFSET, "")),
        data=body,
        last=complete == "?1",
        length=None if length is None else _whole(wire.LENGTH, length),
        digest=None if digest is None else _sha256(digest),
    )


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise Refused(HTTPStatus.BAD_REQUEST, "headers", f"{name} must be a number of bytes")
    return int(text)


def _sha256(text: str) -> bytes | None:
    """The sha-256 in a Repr-Digest (RFC 9530), None if it holds only other kinds. Raises Refused."""
    found = _DIGEST.search(text)
    if found is None:
        return None
    try:
        digest = base64.b64decode(found[1], validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != 32:
        raise Refused(HTTPStatus.BAD_REQUEST, "headers", f"{wire.DIGEST} holds no SHA-256")
    return digest


def wait(request: Request) -> float:
    """Seconds that a long-poll may last: what was asked for, within limits. Raises Refused."""
    try:
        return min(max(0.0, float(request.query_params.get("wait", "0"))), wire.LONGEST_WAIT)
    except ValueError as problem:
        raise Refused(HTTPStatus.BAD_REQUEST, "wait", "wait is a number of seconds") from problem
