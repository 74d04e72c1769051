"""The stream that tells a browser once the first page of its filter has changed."""

import asyncio
import time
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from provisioning.server.bell import Topic
from provisioning.server.pages.calls import newest
from provisioning.server.pages.filters import Filter
from provisioning.server.pages.office import Office
from provisioning.server.pages.visit import Endpoint, Visit, recognised

LASTS = 50.0  # seconds; then the browser asks again, and whoever has logged out hears no more
CALM = 0.3  # seconds for what belongs together to come in: a call, its facts, its recording


def news(office: Office) -> Endpoint:
    """The endpoint."""

    def begin(request: Request) -> Visit | Response:
        return recognised(office, request)

    async def answer(request: Request) -> Response:
        visit = await run_in_threadpool(begin, request)
        if isinstance(visit, Response):
            return visit
        return StreamingResponse(_stream(visit), media_type="text/event-stream")

    return answer


async def _stream(visit: Visit) -> AsyncIterator[str]:
    """Says "changed" at most once: the browser reloads the page, and asks anew with what it then has seen."""
    query = visit.request.query_params
    chosen, seen, end = Filter.asked(query), query.get("seen", ""), time.monotonic() + LASTS
    yield "retry: 1000\n\n"
    with visit.office.bell.listen(Topic.CALLS, Topic.RECORDINGS) as listener:
        while await run_in_threadpool(newest, visit, chosen) == seen:
            if not await listener.rung(end - time.monotonic()):
                return
            await asyncio.sleep(CALM)
    yield "event: changed\ndata:\n\n"
