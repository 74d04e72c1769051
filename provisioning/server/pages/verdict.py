"""What a booth would say of a number now: the guard itself, asked with the office's facts and packs, in the booths' words."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import JSONResponse, Response

from firmware import numbers
from firmware.known import Rules
from firmware.numbers import Kind, Number
from firmware.redial import Callee, Decision, Listing, Reason, decide
from firmware.rulebook import Rulebook
from firmware.rulepack import Pack, RulePackError
from firmware.screens.guarding import TITLES, TONES
from firmware.screens.reasons import REASONS
from firmware.screens.teller import Teller
from firmware.text.catalogue import mark
from firmware.text.times import Times
from firmware.zones import zones_of
from provisioning.server import packs
from provisioning.server.pages import knowledge, language
from provisioning.server.pages.knowledge import Known
from provisioning.server.pages.office import Office
from provisioning.server.pages.story import Pair, Storyteller
from provisioning.server.pages.telling import Badge
from provisioning.server.pages.visit import Refused, Visit

UNREADABLE = mark("The rule packs in force are of another version of this program, so nobody can say it here.")
_NOBODYS = frozenset({Kind.INVALID, Kind.EMERGENCY, Kind.SERVICE})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict in words."""

    badge: Badge
    said: str
    when: str  # "" for a number that may be called now
    rule: str
    source: str
    evidence: Sequence[Pair]
    free: bool  # then rule and source say nothing more


def told(decision: Decision, story: Storyteller) -> Said:
    """The guard's word as the booth's screen has it."""
    teller, text = story.teller, story.text
    return Said(
        badge=Badge(text(TITLES[decision.verdict]), TONES[decision.verdict]),
        said=teller.said(decision),
        when=teller.until(decision),
        rule=text(REASONS[decision.reason].rule),
        source=teller.source(decision),
        evidence=[Pair(teller.evidence(one), story.fact(one)) for one in decision.evidence],
        free=decision.reason is Reason.FREE,
    )


def now(visit: Visit, connection: Connection, known: Known) -> Decision | None:
    """What the guard says of the number at this moment; None if the packs in force cannot be read here.

    A booth may say no where this says yes: it has registers, packs of its own, and hears who else is about to call.
    """
    try:
        in_force = packs.in_force(connection)
    except RulePackError as problem:
        log.warning("the packs in force cannot be read: %s", problem.faults[0])
        return None
    number = _read(known.number, in_force)
    book = Rulebook(Rules(sample_allowed=True), in_force)
    registers = {name: Listing(visit.now, False) for name in book.registers}
    callee = Callee(zones_of(number.key, visit.office.zone), registers=registers)
    return decide(number, known.facts, book, visit.now, callee=callee)


def somebodys(connection: Connection, key: str) -> bool:
    """Whether `key` is a number that somebody may be called at, written as the guard knows it."""
    try:
        number = _read(key, packs.in_force(connection))
    except RulePackError:
        number = _read(key, ())
    return number.key == key and number.kind not in _NOBODYS


def verdict_file(visit: Visit) -> Response:
    """The same for programs, in both languages. Times are seconds since 1970 UTC."""
    with visit.office.database.read() as connection:
        known = knowledge.of_number(connection, visit.path("number"))
        if not known.facts and not somebodys(connection, known.number):
            raise Refused(mark("Nothing is known of this number."), 404, "/calls")
        decision = now(visit, connection, known)
    if decision is None:
        raise Refused(UNREADABLE, 503, f"/numbers/{known.number}")
    return JSONResponse(plain(decision, known.number, visit.office, visit.now), headers={"cache-control": "no-store"})


def plain(decision: Decision, number: str, office: Office, moment: float) -> dict[str, object]:
    """A verdict of that moment as plain data."""
    return {
        "number": number,
        "verdict": decision.verdict.name,
        "reason": decision.reason.name,
        "never": decision.never,
        "overridable": decision.overridable,
        "until": decision.until,
        **{one: _in_words(decision, office, moment, one) for one in language.LANGUAGES},
        "evidence": [
            {"at": one.at, "booth": one.booth, "agent": one.agent, "result": one.result, "kind": one.kind.value}
            for one in decision.evidence
        ],
    }


def _in_words(decision: Decision, office: Office, moment: float, wanted: language.Language) -> dict[str, str]:
    text = language.load(wanted)
    teller = Teller(text, Times(text, office.zone, moment), office.results)
    said = told(decision, Storyteller(text, teller, office.results))
    return {"said": said.said, "when": said.when, "rule": said.rule, "source": said.source}


def _read(key: str, in_force: Sequence[Pack]) -> Number:
    """The number as booths have it that go by these packs."""
    return numbers.keyed(key, in_force[0].pack.region if in_force else "JP")
