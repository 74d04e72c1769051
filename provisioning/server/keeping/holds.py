"""Legal holds on the server: what is held, and who set or released it."""

import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection

from firmware import legalhold, wire
from firmware.known import Fact, FactKind
from firmware.legalhold import Held
from provisioning.server.facts import HERE
from provisioning.server.pages import knowledge
from provisioning.server.schema import fact

_OURS = fact.c.kind.in_(legalhold.KINDS)


def held(connection: Connection) -> Held:
    """Everything that is held now."""
    return Held.by(_told(connection, _OURS))


def of_call(connection: Connection, call_id: str, number: str) -> tuple[Fact, ...]:
    """The holds that keep the recordings of one call, be they set on the call or on its number."""
    wanted = fact.c.call == call_id
    if number:
        wanted = wanted | ((fact.c.number == number) & fact.c.call.is_(None))
    return _standing(connection, wanted)


def of_number(connection: Connection, number: str) -> tuple[Fact, ...]:
    """The holds on all calls with a number."""
    return _standing(connection, (fact.c.number == number) & fact.c.call.is_(None))


def new(number: str, call_id: str | None, who: str, reason: str, at: float) -> wire.Fact:
    """A hold on one call, or on all calls with the number."""
    return wire.Fact(
        id=str(uuid.uuid4()),
        kind=FactKind.LEGAL_HOLD.value,
        number=number,
        at=at,
        booth=HERE,
        agent=who,
        call=call_id,
        note=reason,
    )


def release(hold: Fact, who: str, reason: str, at: float) -> wire.Fact:
    """The end of one hold."""
    return wire.Fact(
        id=legalhold.release_of(hold.id),
        kind=FactKind.LEGAL_RELEASE.value,
        number=hold.number,
        at=at,
        booth=HERE,
        agent=who,
        call=hold.call,
        note=reason,
    )


def _standing(connection: Connection, wanted: ColumnElement[bool]) -> tuple[Fact, ...]:
    return legalhold.standing(_told(connection, _OURS & wanted))


def _told(connection: Connection, wanted: ColumnElement[bool]) -> Sequence[Fact]:
    return [one for one, _sender, _taken in knowledge.told(connection, wanted)]
