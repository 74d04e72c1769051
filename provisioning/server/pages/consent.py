"""Consents to be called, and that they were taken back: in writing, and each a fact that every booth hears."""

import logging
import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response

from firmware import wire
from firmware.known import FactKind
from firmware.text.catalogue import mark
from provisioning.server.bell import Topic
from provisioning.server.facts import HERE
from provisioning.server.pages import knowledge, verdict
from provisioning.server.pages.call import standing
from provisioning.server.pages.knowledge import Known
from provisioning.server.pages.number import A_TICK, SHORTEST, title
from provisioning.server.pages.visit import Refused, Visit, go

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was sent, and what is wrong with it."""

    reason: str = ""
    last: str = ""  # day
    fault: str = ""
    field: str = ""  # which the fault is in


EMPTY = Filled()


def consent_page(visit: Visit) -> Response:
    """The form for a new one."""
    return _form(visit, "consent.html", _somebody(visit))


def record(visit: Visit) -> Response:
    """Somebody has agreed to be called."""
    known, proof, last = _somebody(visit), visit.field("reason"), visit.field("last", 10)
    if len(proof) < SHORTEST:
        fault = visit.text("Please write what proves it, in {count} letters or more.", count=SHORTEST)
        return _form(visit, "consent.html", known, Filled(proof, last, fault, "reason"))
    try:
        due = _end(last, visit)
    except (ValueError, OverflowError):
        fault = visit.text("The last day must be a day from today on, or be left out.")
        return _form(visit, "consent.html", known, Filled(proof, last, fault, "last"))
    with visit.office.database.write() as connection:
        known = knowledge.of_number(connection, known.number)
        if (proof, due) not in {(one.note, one.due) for one in known.consents(visit.now)}:  # or another tab was faster
            at = max([visit.now, *(one.at + A_TICK for one in known.withdrawals if one.at is not None)])
            fact = _fact(visit, FactKind.CONSENT, known, at, note=proof, due=due)
            visit.office.facts.add_within(connection, fact)
    return _done(visit, known, "consented")


def withdrawal_page(visit: Visit) -> Response:
    """The form that ends all that stand."""
    return _form(visit, "withdrawal.html", _consenting(visit))


def withdraw(visit: Visit) -> Response:
    """It was taken back, or had been recorded by mistake."""
    known, reason = _consenting(visit), visit.field("reason")
    if len(reason) < SHORTEST:
        fault = visit.text("Please write why, in {count} letters or more.", count=SHORTEST)
        return _form(visit, "withdrawal.html", known, Filled(reason, "", fault, "reason"))
    with visit.office.database.write() as connection:
        known = knowledge.of_number(connection, known.number)
        held = known.consents(visit.now)
        if held:  # else another tab was faster
            at = max([visit.now, *(one.at for one in held if one.at is not None)])
            fact = _fact(visit, FactKind.WITHDRAWAL, known, at, note=reason)
            visit.office.facts.add_within(connection, fact)
    return _done(visit, known, "withdrawn")


def _somebody(visit: Visit) -> Known:
    """Whoever can be called can agree to it, known or not."""
    with visit.office.database.read() as connection:
        known = knowledge.of_number(connection, visit.path("number"))
        if not verdict.somebodys(connection, known.number):
            raise Refused(mark("This is no number that somebody can be called at."), 404, "/calls")
    return known


def _consenting(visit: Visit) -> Known:
    known = _somebody(visit)
    if not known.consents(visit.now):
        nothing = mark("No consent stands for this number, or it has just been withdrawn.")
        raise Refused(nothing, 404, f"/numbers/{known.number}")
    return known


def _end(last: str, visit: Visit) -> float | None:
    """The end of that day in the office's zone; None without one. Raises ValueError for a day that is over."""
    if not last:
        return None
    zone, day = ZoneInfo(visit.office.zone), date.fromisoformat(last)
    if day < datetime.fromtimestamp(visit.now, zone).date():
        raise ValueError(last)
    return datetime.combine(day + timedelta(days=1), time(), zone).timestamp()


def _fact(visit: Visit, kind: FactKind, known: Known, at: float, *, note: str, due: float | None = None) -> wire.Fact:
    return wire.Fact(
        id=str(uuid.uuid4()),
        kind=kind.value,
        number=known.number,
        at=at,
        booth=HERE,
        agent=visit.account.name,
        due=due,
        note=note,
    )


def _done(visit: Visit, known: Known, what: str) -> Response:
    visit.office.bell.ring(Topic.FACTS)
    log.info("account %s: a number's owner has %s", visit.account.id, what)
    return go(f"/numbers/{known.number}", what)


def _form(visit: Visit, template: str, known: Known, filled: Filled = EMPTY) -> Response:
    with visit.office.database.read() as connection:
        shown, name = title(connection, known.number)
    return visit.page(
        template,
        400 if filled.fault else 200,
        here="calls",
        shown=shown,
        name=name,
        known=standing(visit, known),
        today=datetime.fromtimestamp(visit.now, ZoneInfo(visit.office.zone)).date().isoformat(),
        filled=filled,
    )
