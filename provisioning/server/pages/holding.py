"""Legal holds: set and released on the page of a call or of a number, in writing; no booth deletes what is held."""

import logging
from dataclasses import dataclass

from sqlalchemy import Connection, select
from starlette.responses import Response

from firmware.known import Fact
from firmware.text.catalogue import mark
from provisioning.server.bell import Topic
from provisioning.server.keeping import holds
from provisioning.server.pages import knowledge
from provisioning.server.pages.call import held
from provisioning.server.pages.number import SHORTEST, title
from provisioning.server.pages.telling import caller
from provisioning.server.pages.visit import Refused, Visit, go
from provisioning.server.schema import call

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is held or released: one call, or all calls with a number."""

    page: str  # its address
    number: str
    call: str | None
    shown: str
    name: str


def hold_page(visit: Visit) -> Response:
    """The form."""
    return _form(visit, _subject(visit), "hold.html")


def hold(visit: Visit) -> Response:
    """Nobody deletes these recordings from now on: a fact like any other, which every booth hears."""
    subject, reason = _subject(visit), visit.field("reason")
    if len(reason) < SHORTEST:
        return _form(visit, subject, "hold.html", _short(visit), reason)
    with visit.office.database.write() as connection:
        fact = holds.new(subject.number, subject.call, visit.account.name, reason, visit.now)
        if reason not in {one.note for one in _own(connection, subject)}:  # else the button was pressed twice
            visit.office.facts.add_within(connection, fact)
    return _done(visit, subject, "held")


def release_page(visit: Visit) -> Response:
    """The form that ends what was set on this very call or number."""
    return _form(visit, _held(visit), "release.html")


def release(visit: Visit) -> Response:
    """The end of the hold: retention goes on where it was."""
    subject, reason = _held(visit), visit.field("reason")
    if len(reason) < SHORTEST:
        return _form(visit, subject, "release.html", _short(visit), reason)
    with visit.office.database.write() as connection:
        for one in _own(connection, subject):
            fact = holds.release(one, visit.account.name, reason, visit.now)
            visit.office.facts.add_within(connection, fact)
    return _done(visit, subject, "released")


def _done(visit: Visit, subject: Subject, what: str) -> Response:
    visit.office.bell.ring(Topic.FACTS)
    log.info("account %s: recordings are %s, of %s", visit.account.id, what, subject.call or "a number")
    return go(subject.page, what)


def _short(visit: Visit) -> str:
    return visit.text("Please write why, in {count} letters or more.", count=SHORTEST)


def _own(connection: Connection, subject: Subject) -> tuple[Fact, ...]:
    """What was set on the subject itself."""
    if subject.call is None:
        return holds.of_number(connection, subject.number)
    found = holds.of_call(connection, subject.call, subject.number)
    return tuple(one for one in found if one.call == subject.call)


def _held(visit: Visit) -> Subject:
    subject = _subject(visit)
    with visit.office.database.read() as connection:
        if not _own(connection, subject):
            nothing = mark("No legal hold stands here, or it has just been released.")
            raise Refused(nothing, 404, subject.page)
    return subject


def _subject(visit: Visit) -> Subject:
    with visit.office.database.read() as connection:
        if "call" in visit.request.path_params:
            return _call(visit, connection)
        number = visit.path("number")
        known = connection.execute(select(call.c.id).where(call.c.number == number).limit(1)).first()
        if known is None and not knowledge.of_number(connection, number).facts:
            raise Refused(mark("Nothing is known of this number."), 404, "/calls")
        shown, name = title(connection, number)
        return Subject(f"/numbers/{number}", number, None, shown, name)


def _call(visit: Visit, connection: Connection) -> Subject:
    wanted = select(call.c.id, call.c.number, call.c.shown, call.c.hidden, call.c.customer)
    row = connection.execute(wanted.where(call.c.id == visit.path("call"))).one_or_none()
    if row is None:
        raise Refused(
            mark("There is no such call here. If it has just ended, it may still be on its way."), 404, "/calls"
        )
    shown = caller(row.shown, row.hidden, visit.text)
    return Subject(f"/calls/{row.id}", row.number, row.id, shown, row.customer)


def _form(visit: Visit, subject: Subject, template: str, fault: str = "", reason: str = "") -> Response:
    with visit.office.database.read() as connection:
        standing = held(visit, _own(connection, subject))
    return visit.page(
        template,
        400 if fault else 200,
        here="calls",
        subject=subject,
        holds=standing,
        fault=fault,
        reason=reason,
    )
