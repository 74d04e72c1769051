"""What a booth is answered: messages, and for every kind of failure a firmware.wire.Refusal, never a bare page."""

import errno
from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from obstore.exceptions import BaseError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from firmware import wire
from provisioning.server.archive import ArchiveError
from provisioning.server.recordings import Progress
from provisioning.server.refusals import Refused

JSON = "application/json"
UNKEPT = {"Cache-Control": "no-store"}
SOON = {"Retry-After": "5"}
_NO_HEADERS: Mapping[str, str] = {}


def answer(message: msgspec.Struct) -> Response:
    """A message."""
    return Response(wire.encode(message), media_type=JSON, headers=UNKEPT)


def told(progress: Progress) -> Response:
    """How far an upload is."""
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={**UNKEPT, **progress.headers()})


def refusal(status: int, error: str, detail: str, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
    """A no."""
    body = wire.encode(wire.Refusal(error=error, detail=detail))
    return Response(body, status, media_type=JSON, headers={**UNKEPT, **headers})


async def _refused(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Refused)
    return refusal(problem.status, problem.error, problem.detail, problem.headers)


async def _no_such(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    headers = problem.headers or _NO_HEADERS
    return refusal(problem.status_code, "path", f"nothing of the kind is done here: {problem.detail}", headers)


async def _busy(_: Request, __: Exception) -> Response:
    detail = "the server's database is busy or out of order; ask again"
    return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "database", detail, SOON)


async def _no_archive(_: Request, __: Exception) -> Response:
    detail = "the server's archive does not take recordings now; ask again"
    return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "archive", detail, SOON)


async def _disk(_: Request, problem: Exception) -> Response:
    if isinstance(problem, OSError) and problem.errno in {errno.ENOSPC, errno.EDQUOT}:
        return refusal(HTTPStatus.INSUFFICIENT_STORAGE, "disk-full", "the server's disk is full", SOON)
    return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "disk", "the server's disk is out of order", SOON)


async def _gone(_: Request, __: Exception) -> Response:
    return refusal(HTTPStatus.BAD_REQUEST, "cut", "the request did not arrive whole")


async def _our_fault(_: Request, __: Exception) -> Response:
    detail = "something is wrong in the server itself; its log says what"
    return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "server", detail)


HANDLERS: Mapping[int | type[Exception], ExceptionHandler] = {
    Refused: _refused,
    HTTPException: _no_such,
    OperationalError: _busy,
    NoConnectionError: _busy,
    ArchiveError: _no_archive,
    BaseError: _no_archive,
    OSError: _disk,
    ClientDisconnect: _gone,
    Exception: _our_fault,
}
