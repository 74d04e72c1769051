"""The booths: how each is, tokens for new ones, and the end of one that was lost."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.responses import Response

from firmware.forecast import SOON
from firmware.screens.teller import Teller
from firmware.screens.words import FAULTS, NOTICES
from firmware.text.catalogue import Text, mark
from hw.events import Fault
from provisioning.server import tokens
from provisioning.server.bell import Topic
from provisioning.server.pages.keptback import fault, kept_back
from provisioning.server.pages.lines import LINES, NEWEST_FIRST, in_order
from provisioning.server.pages.room import Room
from provisioning.server.pages.telling import result_badge
from provisioning.server.pages.visit import Refused, Visit, go
from provisioning.server.pages.waiting import NOTHING, SILENT, UNBROKEN, size, waiting
from provisioning.server.schema import booth, call, recording
from provisioning.server.tokens import LASTS, Standing

HOUR, DAY = 3600.0, 86400.0
MORE_FAULTS: Mapping[str, str] = {
    "card-full": NOTICES["card-full"],
    "time-unknown": mark("The booth does not know the time"),
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """How one booth is, in words."""

    id: str
    name: str
    state: str
    tone: str
    headline: str
    detail: str
    foot: str
    seen: str
    pending: str
    free: str
    faults: tuple[str, ...]
    software: str
    revoked: bool
    live: str  # the id of a call of which sound is coming in while it is still on


@dataclass(frozen=True, slots=True)
class Promise:
    """A token that no booth has used yet."""

    id: int
    name: str
    until: str


def booths_page(visit: Visit) -> Response:
    """Every booth."""
    with visit.office.database.read() as connection:
        rows = sorted(connection.execute(select(booth)), key=_in_order)
        last = {row.id: _last_call(visit, connection, row.id) for row in rows if row.revoked is None}
        live, room = _live(visit, connection), Room.seen(connection, visit.now)
        promised = [
            _promise(visit, one) for one in tokens.every(connection, visit.now) if one.standing is Standing.OPEN
        ]
    healths = [health(visit, row, last.get(row.id, ""), live.get(row.id, ""), room) for row in rows]
    known = [one for one in healths if not one.revoked]
    troubled = sum(one.tone == "bad" for one in known)
    quiet = sum(one.tone == "warn" for one in known)
    parts = [visit.text("Booths: {count}", count=len(known))]
    parts += [visit.text("without contact: {count}", count=quiet)] if quiet else []
    return visit.page(
        "booths.html",
        booths=healths,
        kept=tuple(kept_back(visit, (row for row in rows if row.revoked is None))),
        tokens=promised,
        summary=" · ".join(parts),
        room=room.said(visit.text),
        scarce=room.scarce,
        trouble=visit.text("Need attention: {count}", count=troubled) if troubled else "",
        token_days=round(LASTS / DAY),
    )


def health(visit: Visit, row: Row[Any], last_call: str, live: str, room: Room) -> Health:
    """One booth's row in words."""
    text, times = visit.text, visit.times
    faults = tuple(
        filter(
            None,
            (
                *(fault_said(word, text) for word in row.faults),
                _scarce(row, text),
                room.warning(row.id, text),
                *fault(row, text),
            ),
        )
    )
    state, tone = _state(row, faults, visit.now)
    pending = waiting(row, text, times)
    return Health(
        id=row.id,
        name=Teller(text, times, visit.office.results).booth(row.name),
        state=text(state),
        tone=tone,
        headline=times.ago(row.seen) if row.seen is not None else "—",
        detail=faults[0] if faults else _synced(row, pending, text),
        foot=last_call or text("No call yet"),
        seen=times.ago(row.seen) if row.seen is not None else text("never"),
        pending=pending,
        free=_free(row, text),
        faults=faults,
        software=row.software,
        revoked=row.revoked is not None,
        live=live,
    )


def fault_said(word: str, text: Text) -> str:
    """A booth's word for what is wrong with it, in a sentence; a word that is not known here as it is.

    >>> from firmware.text.catalogue import load
    >>> fault_said("line:NO_SIM", load("en")), fault_said("tea-cold", load("en"))
    ('No SIM card', 'tea-cold')
    """
    name = word.removeprefix("line:")
    if name in Fault.__members__:
        return text(FAULTS[Fault[name]].said)
    return text(MORE_FAULTS.get(word, word))


def new_token(visit: Visit) -> Response:
    """A token, shown this once."""
    name = visit.field("name", 40)
    if not name:
        raise Refused(mark("Give the booth a name, so that you know it again."), back="/booths")
    with visit.office.database.write() as connection:
        secret = tokens.new(connection, name, visit.now)
    visit.office.bell.ring(Topic.BOOTHS)
    log.info("account %s made an enrolment token", visit.account.id)
    until = visit.text("Good until {when}.", when=visit.times.moment(visit.now + LASTS))
    shown = Teller(visit.text, visit.times, visit.office.results).booth(name)
    return visit.page("token.html", name=shown, string=visit.office.enrolment(secret), until=until)


def take_token_back(visit: Visit) -> Response:
    """Nobody can use it from now on."""
    with visit.office.database.write() as connection:
        taken = tokens.revoke(connection, visit.request.path_params["token"], visit.now)
    if not taken:
        spent = mark("A booth has used this token already. If it should not sync, revoke the booth.")
        raise Refused(spent, back="/booths")
    return go("/booths", "token-gone")


def revoke_page(visit: Visit) -> Response:
    """Really?"""
    row = _one(visit)
    return visit.page(
        "confirm.html",
        title=visit.text("Revoke {name}?", name=Teller(visit.text, visit.times, {}).booth(row.name)),
        lines=[
            visit.text(
                "The server will refuse this booth: it gets no lists and no news, and its calls no longer arrive."
            ),
            visit.text("What is here already stays. Calls that have not been synced stay sealed on its card."),
            visit.text("You can undo this on the page of the booths; the booth then goes on where it stopped."),
        ],
        action=f"/booths/{row.id}/revoke",
        does=visit.text("Revoke"),
        back="/booths",
    )


def revoke(visit: Visit) -> Response:
    """The booth is refused from now on."""
    row = _one(visit)
    visit.office.booths.revoke(row.id)
    log.info("account %s revoked booth %s", visit.account.id, row.id)
    return go("/booths", "revoked")


def admit(visit: Visit) -> Response:
    """The undo of a revocation."""
    row = _one(visit)
    visit.office.booths.revoke(row.id, revoked=False)
    log.info("account %s let booth %s in again", visit.account.id, row.id)
    return go("/booths", "admitted")


def _one(visit: Visit) -> Row[Any]:
    with visit.office.database.read() as connection:
        row = connection.execute(select(booth).where(booth.c.id == visit.path("booth"))).one_or_none()
    if row is None:
        raise Refused(mark("There is no such booth."), 404, "/booths")
    return row


def _in_order(row: Row[Any]) -> tuple[object, ...]:
    return row.revoked is not None, in_order(row.name), row.id


def _promise(visit: Visit, one: tokens.Token) -> Promise:
    name = Teller(visit.text, visit.times, {}).booth(one.name)
    return Promise(one.id, name, visit.text("Good until {when}.", when=visit.times.moment(one.expires)))


def _last_call(visit: Visit, connection: Connection, booth_id: str) -> str:
    wanted = LINES.where(call.c.booth == booth_id).order_by(*NEWEST_FIRST).limit(1)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        return ""
    result = result_badge(visit.office.results, row.result, visit.text).said
    return " · ".join(filter(None, (visit.times.moment(row.at), row.agent, result)))


def _live(visit: Visit, connection: Connection) -> dict[str, str]:
    """By booth: the call whose recording has begun to come in, but whose record has not, since nobody keyed a result yet."""
    coming = (recording.c.state == "partial") & (recording.c.begun > visit.now - HOUR) & call.c.id.is_(None)
    wanted = select(recording.c.booth, recording.c.call).outerjoin(call, call.c.id == recording.c.call).where(coming)
    return {row.booth: row.call for row in connection.execute(wanted.order_by(recording.c.begun))}


def _state(row: Row[Any], faults: Iterable[str], now: float) -> tuple[str, str]:
    if row.revoked is not None:
        return mark("revoked"), ""
    if row.seen is None:
        return mark("not seen yet"), "warn"
    if any(faults):
        return mark("needs attention"), "bad"
    if now - row.seen > SILENT:
        return mark("no contact"), "warn"
    return mark("in contact"), "good"


def _synced(row: Row[Any], pending: str, text: Text) -> str:
    """What is on the server, and what is not."""
    if row.free_bytes is None:
        return text("It has not told how it is yet")
    return text("Not yet synced: {what}", what=pending) if pending != NOTHING else text("All synced")


def _free(row: Row[Any], text: Text) -> str:
    """What is left on the card, and how long it lasts by what the booth has measured."""
    if row.free_bytes is None:
        return text("unknown")
    free = size(row.free_bytes, text)
    if row.full_in is None:
        return free
    if row.full_in <= 0:
        return text("{size}, full", size=free)
    return text("{size}, full in {span}", size=free, span=_days(row.full_in, text))


def _scarce(row: Row[Any], text: Text) -> str:
    """A warning a week before the card is full; when it is, the booth says so itself."""
    if row.full_in is None or not 0 < row.full_in < SOON:
        return ""
    return text("Its card will be full in {span}", span=_days(row.full_in, text))


def _days(left: float, text: Text) -> str:
    """Whole days, for there is no promise in a part of one.

    >>> from firmware.text.catalogue import load
    >>> [" ".join(_days(left, load("en")).split()) for left in (5.9, 1.9, 0.4)]
    ['5 days', '1 day', 'less than a day']
    """
    if left >= 2:
        return text("{days} days", days=int(left)).replace(" ", UNBROKEN)
    return text("1 day").replace(" ", UNBROKEN) if left >= 1 else text("less than a day")
