"""One number: what the guard says of it now, what is known of it, and the lift of a refusal, in writing."""

import logging
import uuid
from collections.abc import Iterable

from sqlalchemy import Connection, select
from starlette.responses import Response

from firmware import numbers, wire
from firmware.known import FactKind
from firmware.text.catalogue import mark
from provisioning.server.bell import Topic
from provisioning.server.facts import HERE
from provisioning.server.keeping import holds
from provisioning.server.pages import knowledge, verdict
from provisioning.server.pages.call import held, standing, storyteller
from provisioning.server.pages.knowledge import Known
from provisioning.server.pages.lines import lines_of_number
from provisioning.server.pages.story import Pair
from provisioning.server.pages.visit import Refused, Visit, go
from provisioning.server.schema import call

MOST_CALLS = 50
SHORTEST = 5  # characters of a reason: "OK" says nothing to whoever asks in a year
A_TICK = 0.001  # seconds

log = logging.getLogger(__name__)


def number_page(visit: Visit) -> Response:
    """Everything about one number."""
    with visit.office.database.read() as connection:
        known = knowledge.of_number(connection, visit.path("number"))
        lines = lines_of_number(visit, connection, known.number, MOST_CALLS)
        shown, name = title(connection, known.number)
        somebodys = verdict.somebodys(connection, known.number)
        decision = verdict.now(visit, connection, known)
        holding = holds.of_number(connection, known.number)
    if not known.facts and not lines and not somebodys:
        raise Refused(mark("Nothing is known of this number."), 404, "/calls")
    teller = storyteller(visit)
    history = [Pair(teller.teller.evidence(one), teller.fact(one)) for one in known.newest_first]
    return visit.page(
        "number.html",
        here="calls",
        shown=shown,
        name=name,
        known=standing(visit, known),
        holds=held(visit, holding),
        said=verdict.told(decision, teller) if decision else None,
        unreadable=verdict.UNREADABLE,
        somebodys=somebodys,
        lines=lines,
        history=history,
    )


def lift_page(visit: Visit) -> Response:
    """The form."""
    return _form(visit, _barred(visit))


def lift(visit: Visit) -> Response:
    """A supervisor lifts what bars this number: a fact like any other, which every booth hears."""
    reason = visit.field("reason")
    known = _barred(visit)
    if len(reason) < SHORTEST:
        return _form(visit, known, reason, visit.text("Please write why, in {count} letters or more.", count=SHORTEST))
    with visit.office.database.write() as connection:
        known = knowledge.of_number(connection, known.number)  # another tab may have been faster
        for one in _lifts(known, visit.account.name, reason, visit.now, _from(visit)):
            visit.office.facts.add_within(connection, one)
    visit.office.bell.ring(Topic.FACTS)
    log.info("account %s lifted a refusal", visit.account.id)
    origin = _from(visit)
    return go(f"/calls/{origin}" if origin else f"/numbers/{known.number}", "lifted")


def _lifts(known: Known, who: str, reason: str, now: float, origin: str) -> Iterable[wire.Fact]:
    """What frees the number: a lift frees what is dated before it; what has no date wants one that names its call."""
    dated = [one.at for one in known.standing if one.at is not None]
    undated = {one.call for one in known.standing if one.at is None and one.call}
    if not known.standing:
        return
    at = max([now, *(when + A_TICK for when in dated)])  # a booth's clock may be ahead of ours
    named: list[str | None] = [*sorted(undated)]
    for of_call in named or [origin or next((one.call for one in known.standing if one.call), None)]:
        yield wire.Fact(
            id=str(uuid.uuid4()),
            kind=FactKind.LIFT.value,
            number=known.number,
            at=at,
            booth=HERE,
            agent=who,
            call=of_call,
            note=reason,
        )


def _form(visit: Visit, known: Known, reason: str = "", fault: str = "") -> Response:
    with visit.office.database.read() as connection:
        shown, name = title(connection, known.number)
    return visit.page(
        "lift.html",
        400 if fault else 200,
        here="calls",
        shown=shown,
        name=name,
        known=standing(visit, known),
        final=any(one.kind is FactKind.FINAL for one in known.standing),
        origin=_from(visit),
        reason=reason,
        fault=fault,
    )


def _barred(visit: Visit) -> Known:
    with visit.office.database.read() as connection:
        known = knowledge.of_number(connection, visit.path("number"))
    if not known.standing:
        nothing = mark("Nothing bars this number, or a supervisor has just lifted it.")
        raise Refused(nothing, 404, f"/numbers/{known.number}" if known.facts else "/calls")
    return known


def _from(visit: Visit) -> str:
    """The call on whose page the lift was begun, as an id and nothing else."""
    told = visit.field("call", 36) or visit.request.query_params.get("call", "")
    try:
        return str(uuid.UUID(told))
    except ValueError:
        return ""


def title(connection: Connection, number: str) -> tuple[str, str]:
    """How the number is written, and whose it is, as the latest call has it; before the first one, as it is usual."""
    wanted = (
        select(call.c.shown, call.c.customer).where(call.c.number == number).order_by(call.c.moment.desc()).limit(1)
    )
    row = connection.execute(wanted).one_or_none()
    return (row.shown, row.customer) if row else (numbers.keyed(number).shown, "")
