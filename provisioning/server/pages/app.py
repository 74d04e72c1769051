"""The supervisor's pages as one application: every address, and who may see it."""

import time
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from obstore.store import ObjectStore
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from firmware import listfile, results
from firmware.text.catalogue import mark
from provisioning.server.bell import Bell
from provisioning.server.booths import Booths, office_results
from provisioning.server.database import Database
from provisioning.server.facts import Facts
from provisioning.server.operations.measures import health
from provisioning.server.pages import (
    booths,
    call,
    calllist,
    calls,
    conflicts,
    consent,
    holding,
    keptback,
    lists,
    login,
    news,
    number,
    printing,
    sound,
    verdict,
)
from provisioning.server.pages.gate import HERE, Gate
from provisioning.server.pages.office import Live, Office
from provisioning.server.pages.throttle import Throttle
from provisioning.server.pages.uploads import Uploads
from provisioning.server.pages.visit import Page, Refused, Visit, endpoint, go

ACCOUNT_TRIES, ADDRESS_TRIES = 5, 30  # that cost nothing
LARGEST = listfile.LARGEST + 1_000_000  # bytes of one request: a call list and the form around it

PAGES: dict[str, Page] = {
    "/": lambda _: go("/booths"),
    "/account": login.account_page,
    "/booths": booths.booths_page,
    "/booths/{booth}/revoke": booths.revoke_page,
    "/calls": calls.calls_page,
    "/calls/{call}": call.call_page,
    "/calls/{call}/hold": holding.hold_page,
    "/calls/{call}/release": holding.release_page,
    "/conflicts": conflicts.conflicts_page,
    "/lists": lists.lists_page,
    "/lists/{list}": calllist.list_page,
    "/lists/{list}/rejected.csv": calllist.rejects_file,
    "/lists/{list}/undo": calllist.undo_page,
    "/numbers/{number}": number.number_page,
    "/numbers/{number}/consent": consent.consent_page,
    "/numbers/{number}/hold": holding.hold_page,
    "/numbers/{number}/release": holding.release_page,
    "/numbers/{number}/lift": number.lift_page,
    "/numbers/{number}/verdict.json": verdict.verdict_file,
    "/numbers/{number}/withdrawal": consent.withdrawal_page,
    "/recordings/{recording}.opus": sound.recording_file,
}
FORMS: dict[str, Page] = {
    "/account/language": login.choose_language,
    "/account/password": login.change_password,
    "/booths/tokens": booths.new_token,
    "/booths/tokens/{token:int}/revoke": booths.take_token_back,
    "/booths/{booth}/admit": booths.admit,
    "/booths/{booth}/retry": keptback.retry,
    "/booths/{booth}/revoke": booths.revoke,
    "/calls/{call}/hold": holding.hold,
    "/calls/{call}/release": holding.release,
    "/conflicts/{earlier}/{later}/seen": conflicts.mark_seen,
    "/conflicts/{earlier}/{later}/unseen": conflicts.mark_unseen,
    "/lists": lists.upload,
    "/lists/{list}/assign": calllist.assign_list,
    "/lists/{list}/put-away": calllist.put_away,
    "/lists/{list}/restore": calllist.restore,
    "/lists/{list}/undo": calllist.undo,
    "/log-out": login.log_out,
    "/numbers/{number}/consent": consent.record,
    "/numbers/{number}/hold": holding.hold,
    "/numbers/{number}/release": holding.release,
    "/numbers/{number}/lift": number.lift,
    "/numbers/{number}/withdrawal": consent.withdraw,
}


def make(
    database: Database,
    archive: ObjectStore,
    *,
    bell: Bell,
    booths: Booths,
    facts: Facts,
    enrolment: Callable[[str], str],
    secret: bytes,
    live: Live = lambda _: (),
    zone: str = "Asia/Tokyo",
    hosts: Collection[str] = HERE,
    now: Callable[[], float] = time.time,
) -> Starlette:
    """The pages, ready to be served.

    `live` gives what has come in of a recording that is on its way; `enrolment` makes of a token's secret the string that a booth is given; `secret` is random and the same after a
    restart; `hosts` are the names, without port, that browsers may know the server by.
    """
    with database.read() as connection:
        codes = results.parse(office_results(connection))
    office = Office(
        database=database,
        archive=archive,
        bell=bell,
        booths=booths,
        facts=facts,
        uploads=Uploads(database, bell, now),
        live=live,
        enrolment=enrolment,
        secret=secret,
        zone=zone,
        results={result.code: result for result in codes},
        accounts=Throttle(database, secret, "account", ACCOUNT_TRIES),
        addresses=Throttle(database, secret, "address", ADDRESS_TRIES),
        now=now,
    )
    gate = Middleware(Gate, hosts=hosts, largest=LARGEST)
    app = Starlette(routes=_routes(office), middleware=[gate], exception_handlers={404: _nowhere(office)})
    app.state.office = office
    return app


def _routes(office: Office) -> list[Route]:
    page = partial(endpoint, office)
    return [
        Route("/static/{name}", printing.static),
        Route("/log-in", page(login.log_in_page, before_log_in=True), methods=["GET"]),
        Route("/log-in", page(login.log_in, before_log_in=True), methods=["POST"]),
        Route("/healthz", health(office.database, office.archive), methods=["GET"]),
        Route("/calls/news", news.news(office)),
        *(Route(path, page(one), methods=["GET"]) for path, one in PAGES.items()),
        *(Route(path, page(one), methods=["POST"]) for path, one in FORMS.items()),
    ]


def _nowhere(office: Office) -> Callable[[Request, Exception], Awaitable[Response]]:
    answer = endpoint(office, _no_such_page)

    async def nowhere(request: Request, _: Exception) -> Response:
        return await answer(request)

    return nowhere


def _no_such_page(_: Visit) -> Response:
    raise Refused(mark("There is no such page."), 404)
