"""One call: who, how it went, what the guard had said, and what was said."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.responses import Response

from firmware.journal import PACKETS
from firmware.known import Fact, FactKind
from firmware.redial import Reason
from firmware.screens.reasons import REASONS
from firmware.screens.teller import Teller
from firmware.text.catalogue import Text, mark
from firmware.text.times import duration
from hw.contracts import FRAME_SECONDS
from provisioning import faults
from provisioning.faults import SAID, Flaw
from provisioning.server.keeping import holds
from provisioning.server.pages import knowledge
from provisioning.server.pages.knowledge import Known
from provisioning.server.pages.lines import booth_names, lines_of_number
from provisioning.server.pages.story import Moment, Pair, Storyteller
from provisioning.server.pages.telling import Badge, caller, guard_badge
from provisioning.server.pages.visit import Refused, Visit
from provisioning.server.schema import call, memo, recording

PLAYABLE = {"whole", "torn"}
SEGMENT = PACKETS * FRAME_SECONDS  # seconds; a pause may have ended one sooner


@dataclass(frozen=True, slots=True)
class Sound:
    """What there is to hear, or why there is nothing."""

    source: str  # address, "" if nothing plays
    state: Badge
    reason: str  # why it does not play, or not whole
    seconds: float = 0.0
    answer: float = 0.0
    peaks: str = ""  # base64, agent and customer in turn
    moments: Sequence[Moment] = ()
    arriving: bool = False


@dataclass(frozen=True, slots=True)
class Guard:
    """What the guard said before the dial."""

    badge: Badge
    why: Sequence[Pair]
    evidence: Sequence[Pair]
    checks: Sequence[str]
    overrides: Sequence[str]


def call_page(visit: Visit) -> Response:
    """Everything that is known of one call."""
    with visit.office.database.read() as connection:
        row = connection.execute(select(call).where(call.c.id == visit.path("call"))).one_or_none()
        if row is None and (going := _going_on(connection, visit.path("call"))):
            return visit.page("live.html", recording=going.id, begun=visit.times.moment(going.begun))
        if row is None:
            raise Refused(
                mark("There is no such call here. If it has just ended, it may still be on its way."), 404, "/calls"
            )
        record: Mapping[str, Any] = json.loads(row.record)
        known = knowledge.of_number(connection, row.number)
        guard = _guard(visit, connection, row, record)
        names = booth_names(connection)
        same = lines_of_number(visit, connection, row.number, 6) if row.number else []
        others = [one for one in same if one.id != row.id]
        sounds = _sounds(visit, connection, row, record)
        holding = holds.of_call(connection, row.id, row.number)
    teller = storyteller(visit)
    return visit.page(
        "call.html",
        call=row,
        shown=caller(row.shown, row.hidden, visit.text),
        at=visit.times.moment(row.at),
        booth=teller.teller.booth(names.get(row.booth, "")),
        result=teller.result(row.result),
        course=list(teller.course(record)),
        earlier=teller.earlier(record),
        guard=guard,
        known=standing(visit, known),
        holds=held(visit, holding),
        others=others[:5],
        sound=sounds[0],
        memos=sounds[1:],
    )


def _going_on(connection: Connection, call_id: str) -> Row[Any] | None:
    """The recording of a call that has no record yet: it is still on, or its result has not been keyed."""
    return connection.execute(select(recording).where(recording.c.id == call_id)).one_or_none()


def storyteller(visit: Visit) -> Storyteller:
    """Who says what a record means, to this visitor."""
    teller = Teller(visit.text, visit.times, visit.office.results)
    return Storyteller(visit.text, teller, visit.office.results)


def standing(visit: Visit, known: Known) -> dict[str, object]:
    """Whether the number is barred for good now, which lifts there have been, and which consents stand."""
    teller = storyteller(visit)
    barring = [Pair(teller.teller.evidence(one), teller.fact(one)) for one in known.standing]
    lifts = [Pair(teller.teller.evidence(one), one.note) for one in known.lifts]
    consents = [Pair(teller.teller.evidence(one), teller.fact(one)) for one in known.consents(visit.now)]
    return {"number": known.number, "barring": barring, "lifts": lifts, "consents": consents}


def held(visit: Visit, found: Sequence[Fact]) -> list[dict[str, str]]:
    """Legal holds for a page: when and who, why, and whether they were set on the call or on its number."""
    teller = storyteller(visit).teller
    return [{"name": teller.evidence(one), "said": one.note, "of": "call" if one.call else "number"} for one in found]


def _guard(visit: Visit, connection: Connection, row: Row[Any], record: Mapping[str, Any]) -> Guard:
    said = record.get("decision")
    ids = said.get("evidence", ()) if isinstance(said, dict) else ()
    decision = knowledge.decision(said, knowledge.by_ids(connection, ids))
    teller, text = storyteller(visit), visit.text
    overrides = [one for one in knowledge.of_call(connection, row.id) if one.kind is FactKind.OVERRIDE]
    evidence = decision.evidence if decision else ()
    overrides += [one for one in evidence if one.kind is FactKind.OVERRIDE]
    return Guard(
        badge=guard_badge(row.verdict, text, overridden=row.overridden),
        why=list(teller.why(decision)) if decision else [],
        evidence=[Pair(teller.teller.evidence(one), teller.fact(one)) for one in evidence],
        checks=[_check(reason, text) for reason in decision.considered] if decision else [],
        overrides=[" · ".join(filter(None, (teller.teller.evidence(one), teller.override(one)))) for one in overrides],
    )


def _check(reason: Reason, text: Text) -> str:
    return text(REASONS[reason].rule)


def _sounds(visit: Visit, connection: Connection, row: Row[Any], record: Mapping[str, Any]) -> list[Sound]:
    """The call's recording first, then the agent's memos."""
    memos = select(memo.c.recording).where(memo.c.call == row.id)
    mine = (recording.c.call == row.id) | recording.c.id.in_(memos)
    found = {one.id: one for one in connection.execute(select(recording).where(mine).order_by(recording.c.begun))}
    main = found.pop(row.id, None)
    first = sound(visit, main, record) if main else Sound("", *_missing(row, record, visit.text))
    return [first, *(sound(visit, one, {}) for one in found.values())]


def sound(visit: Visit, row: Row[Any], record: Mapping[str, Any]) -> Sound:
    """One recording, as far as it is here."""
    plays = row.state in PLAYABLE and row.erased is None
    state, reason = _recording_said(row, visit.text) if row.erased is None else _erased(row, visit)
    return Sound(
        source=f"/recordings/{row.id}.opus" if plays else "",
        state=state,
        reason=reason,
        seconds=row.seconds,
        answer=row.answer_seconds,
        peaks=base64.b64encode(row.peaks).decode() if plays and row.peaks else "",
        moments=_moments(visit, row, record) if plays else (),
        arriving=row.state in {"partial", "taken"},
    )


def _moments(visit: Visit, row: Row[Any], record: Mapping[str, Any]) -> list[Moment]:
    """What was marked, and where silence stands for what is missing, in the order in which they are heard."""
    marked = storyteller(visit).moments(record, row.answer_seconds)
    for one in faults.read(row.problem):
        if one.flaw is Flaw.MISSING:
            begins, lasts = one.at * SEGMENT, round(one.count * SEGMENT)
            said = visit.text("missing: about {seconds} s", seconds=lasts)
            marked.append(Moment(begins, duration(begins - row.answer_seconds), said, "warn"))
    return sorted(marked)


def _recording_said(row: Row[Any], text: Text) -> tuple[Badge, str]:
    said = {
        "whole": (Badge(mark("✓ sealed and verified"), "good"), ""),
        "torn": (Badge(mark("not whole"), "warn"), mark("Something is missing; what is whole can be heard.")),
        "refused": (Badge(mark("cannot be opened"), "bad"), mark("Nothing of the recording can be opened.")),
        "partial": (Badge(mark("still arriving"), "warn"), mark("The recording is on its way: {size} kB are here.")),
        "taken": (Badge(mark("being opened"), "warn"), mark("The recording is here and is being opened.")),
    }
    badge, why = said[row.state]
    reason = text(why, size=round(row.bytes / 1000)) if why else ""
    wrong = (text(SAID[fault.flaw], at=fault.at, count=fault.count) for fault in faults.read(row.problem))
    return Badge(text(badge.said), badge.tone), " ".join(filter(None, (reason, *wrong)))


def _erased(row: Row[Any], visit: Visit) -> tuple[Badge, str]:
    gone = visit.text(
        "Its time was over ({rule}); it was deleted {when}.", rule=row.erased_why, when=visit.times.moment(row.erased)
    )
    return Badge(visit.text("deleted"), ""), gone


def _missing(row: Row[Any], record: Mapping[str, Any], text: Text) -> tuple[Badge, str]:
    """Why there is nothing to hear."""
    if not row.answered:
        return Badge(""), text("Nobody answered, so nothing was recorded.")
    if row.emergency:
        return Badge(""), text("Emergency calls are not recorded.")
    if record.get("recording"):
        expected = text("The booth has {length} of it sealed on its card and sends it as soon as it can.")
        length = duration((record["recording"] or {}).get("talk") or row.talk)
        return Badge(text("not here yet"), "warn"), expected.format(length=length)
    return Badge(text("not recorded"), "bad"), text(
        "The booth could not record this call; its card was full or broken."
    )
