"""The booth API over HTTP: reads, recognises, and answers in firmware.wire's words, also when it says no."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import TypeVar
from uuid import UUID

import msgspec
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from firmware import wire
from provisioning.server import answers, asking
from provisioning.server.answers import answer
from provisioning.server.asking import Bodies
from provisioning.server.bell import Topic
from provisioning.server.booths import Booth
from provisioning.server.operations import logs
from provisioning.server.parts import Parts
from provisioning.server.recordings import Portion, Progress
from provisioning.server.refusals import Refused
from provisioning.server.turns import LARGE, Turns

log = logging.getLogger(__name__)

# Answers with news in a second. All booths wait for the same facts: without a measure a thousand of them keep the server
# busy with nothing else, and claims, for which agents wait, come seconds late. Half as many booths hear within a second.
NEWS = 100.0
AT_ONCE = 2  # backlogs being taken in: that is work, and others want to be heard meanwhile
FINISHING = 16  # recordings being finished: they wait for the disk, and the more of them the fewer flushes for each

_M = TypeVar("_M", bound=wire.Message)
Work = Callable[["Visit"], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of a booth that is who it says."""

    booth: Booth
    request: Request
    body: bytes

    def message(self, kind: type[_M]) -> _M:
        """What the booth says. Raises Refused."""
        return asking.message(self.body, kind)

    def name(self, what: str = "id") -> UUID:
        """The UUID in the path. Raises Refused."""
        try:
            return UUID(self.request.path_params[what])
        except ValueError as problem:
            raise Refused(HTTPStatus.NOT_FOUND, "name", "this is named by no UUID") from problem


class Api:
    """The endpoints. What blocks runs on threads; only waiting is done in the event loop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._bodies = Bodies()
        self._finishing, self._backlogs = Turns(FINISHING), Turns(AT_ONCE)

    def app(self) -> Starlette:
        """The application."""
        get, post = ["GET"], ["POST"]
        routes = [
            Route(wire.NONCE, self._nonce, methods=get),
            Route(wire.ENROL, self._enrol, methods=post),
            Route(wire.FACTS, self._news, methods=get),
            Route(wire.FACTS, self._signed(self._take_facts), methods=post),
            Route(wire.CALLS, self._signed(self._take_calls), methods=post),
            Route(wire.SHIFTS, self._signed(self._take_shifts), methods=post),
            Route(wire.LISTS, self._signed(self._lists), methods=get),
            Route(f"{wire.LISTS}/{{id}}", self._signed(self._list), methods=get),
            Route(wire.STATUS, self._signed(self._status), methods=post),
            Route(wire.CLAIMS, self._signed(self._claim), methods=post),
            Route(f"{wire.RECORDINGS}/{{id}}", self._signed(self._progress), methods=["HEAD"]),
            Route(f"{wire.RECORDINGS}/{{id}}", self._portion, methods=["PATCH"]),
        ]
        app = Starlette(routes=routes, exception_handlers=answers.HANDLERS)
        app.router.redirect_slashes = False  # a booth goes nowhere else: its signature is of one path
        return app

    async def _nonce(self, _: Request) -> Response:
        return answer(self._parts.booths.nonce())

    async def _enrol(self, request: Request) -> Response:
        wish = asking.message(await self._bodies.read(request), wire.Enrol)
        return answer(await to_thread.run_sync(self._parts.booths.enrol, wish))

    async def _news(self, request: Request) -> Response:
        visit = await self._visit(request)
        ends, lists = monotonic() + asking.wait(request), request.query_params.get("lists", "")
        with self._parts.bell.listen(Topic.FACTS, Topic.LISTS) as listener:
            if lists:  # it has been answered before
                await self._turn(min(ends - monotonic(), 2 * self._round))
            news = await to_thread.run_sync(self._heard, visit)
            while not (news.facts or news.reset or news.lists != lists) and await listener.rung(ends - monotonic()):
                await self._turn(self._round)
                news = await to_thread.run_sync(self._heard, visit)
        log.debug("booth %s hears %s facts", visit.booth.id, len(news.facts))
        return answer(news)

    @property
    def _round(self) -> float:
        """Seconds in which all who listen can be answered."""
        return self._parts.bell.audience(Topic.FACTS) / NEWS

    async def _turn(self, longest: float) -> None:
        """Wait a little, by chance; what comes meanwhile goes along."""
        await asyncio.sleep(random.random() * longest)  # noqa: S311  (jitter)

    def _heard(self, visit: Visit) -> wire.News:
        news = self._parts.facts.after(visit.request.query_params.get("cursor", ""))
        return msgspec.structs.replace(news, lists=self._parts.lists.names(visit.booth).tag)

    async def _portion(self, request: Request) -> Response:
        visit = await self._visit(request)
        name, portion = visit.name(), asking.portion(request, visit.body)
        logs.bind(call=str(name))
        async with self._finishing.taken() if portion.last else nullcontext():
            progress = await to_thread.run_sync(self._bring, visit.booth, name, portion)
        return answers.told(progress)

    def _bring(self, booth: Booth, name: UUID, portion: Portion) -> Progress:
        self._parts.quotas.admit(booth, len(portion.data))
        return self._parts.recordings.take(booth, name, portion)

    def _take_facts(self, visit: Visit) -> Response:
        return answer(self._parts.facts.take(visit.booth.id, visit.message(wire.Facts).facts))

    def _take_calls(self, visit: Visit) -> Response:
        return answer(self._parts.calls.take(visit.booth, visit.message(wire.Calls).calls))

    def _take_shifts(self, visit: Visit) -> Response:
        return answer(self._parts.calls.take_shifts(visit.booth, visit.message(wire.Shifts).shifts))

    def _lists(self, visit: Visit) -> Response:
        return answer(self._parts.lists.names(visit.booth))

    def _list(self, visit: Visit) -> Response:
        head = self._parts.lists.head(visit.booth, visit.request.path_params["id"])
        return StreamingResponse(self._parts.lists.whole(head), media_type=answers.JSON)

    def _status(self, visit: Visit) -> Response:
        return answer(self._parts.booths.report(visit.booth, visit.message(wire.Status)))

    def _claim(self, visit: Visit) -> Response:
        return answer(self._parts.claims.ask(visit.booth, visit.message(wire.Claim)))

    def _progress(self, visit: Visit) -> Response:
        return answers.told(self._parts.recordings.progress(visit.booth, visit.name()))

    def _signed(self, work: Work) -> Endpoint:
        """An endpoint for recognised booths: recognising and work on one thread."""

        async def endpoint(request: Request) -> Response:
            body = await self._expected_body(request)
            async with self._backlogs.taken() if len(body) > LARGE else nullcontext():
                return await to_thread.run_sync(lambda: work(self._recognised(request, body)))

        return endpoint

    async def _visit(self, request: Request) -> Visit:
        body = await self._expected_body(request)
        visit = await to_thread.run_sync(self._recognised, request, body)
        logs.bind(booth=visit.booth.id)
        return visit

    def _recognised(self, request: Request, body: bytes) -> Visit:
        booth = self._parts.booths.recognise(asking.asked(request, body))
        logs.bind(booth=booth.id)
        return Visit(booth, request, body)

    async def _expected_body(self, request: Request) -> bytes:
        """The body; that of a stranger is not even read."""
        if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
            return b""
        await to_thread.run_sync(self._parts.booths.expected, asking.asked(request, b""))
        return await self._bodies.read(request)
