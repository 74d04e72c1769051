"""What booths keep back because the server refused it, in words; and another try for it."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from starlette.responses import Response

from firmware.screens.teller import Teller
from firmware.text.catalogue import Text, mark
from provisioning.server import quarantine
from provisioning.server.bell import Topic
from provisioning.server.pages.visit import Refused, Visit, go
from provisioning.server.schema import booth

KINDS = {
    "call": mark("Call record"),
    "fact": mark("Fact about a number"),
    "shift": mark("Shift entry"),
    "recording": mark("Recording"),
}
REASONS = (
    mark("another booth has told of this call"),
    mark("this recording is another booth's"),
    mark("the server has this recording already, but with other bytes"),
    mark("the bytes here are not those of the digest: send all anew"),
    mark("a call is named by a UUID"),
    mark("a part with a null character"),
    mark("a part that is not UTF-8"),
    mark("a fact without id, kind or number"),
    mark("a shift without an id"),
)
"""What this server says to booths, as far as it is always the same."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that a booth keeps back."""

    kind: str
    id: str
    since: str
    reason: str
    told: bool  # the reason is in the reader's language


@dataclass(frozen=True, slots=True)
class Kept:
    """What one booth keeps back."""

    booth: str  # its id
    name: str
    count: str
    things: tuple[Thing, ...]
    more: str  # how many are not named
    asked: str  # that another try has been asked for, and when


def fault(row: Row[Any], text: Text) -> tuple[str, ...]:
    """What a booth's row has to say of it among its faults."""
    return (text("Kept back: {count}", count=row.kept_back),) if row.kept_back else ()


def kept_back(visit: Visit, rows: Iterable[Row[Any]]) -> Iterator[Kept]:
    """Each booth that keeps something back."""
    text, times = visit.text, visit.times
    for row in rows:
        if not row.kept_back:
            continue
        things = tuple(
            Thing(
                kind=text(KINDS.get(one.kind, one.kind)),
                id=one.id,
                since=times.moment(one.since) if one.since is not None else text("unknown"),
                reason=text(one.reason) if one.reason in REASONS else one.reason,
                told=one.reason in REASONS or text.language == "en",
            )
            for one in quarantine.reasons(row.reasons)
        )
        more = max(0, row.kept_back - len(things))
        yield Kept(
            booth=row.id,
            name=Teller(text, times, {}).booth(row.name),
            count=text("Kept back: {count}", count=row.kept_back),
            things=things,
            more=text("and {count} more", count=more) if more else "",
            asked=text("Asked for again: {when}", when=times.moment(row.retry)) if row.retry else "",
        )


def retry(visit: Visit) -> Response:
    """The booth offers all of it once more, with its next contact."""
    database, wanted = visit.office.database, visit.path("booth")
    with database.write() as connection:
        known = connection.scalar(select(booth.c.id).where(booth.c.id == wanted))
        if known is not None:
            quarantine.retry(connection, known, visit.now)
    if known is None:
        raise Refused(mark("There is no such booth."), 404, "/booths")
    visit.office.bell.ring(Topic.BOOTHS)
    log.info("account %s asked booth %s for what it keeps back", visit.account.id, known)
    return go("/booths", "asked-again")
