"""What is known of a number: its facts, whether a refusal stands, and what the guard said of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from firmware.consent import consents
from firmware.known import Fact, FactKind, Hold, newest_first
from firmware.redial import Decision, Reason, Verdict
from firmware.refusal import refused, standing
from firmware.rulebook import HOUSE, Ruling
from firmware.rulepack import Words
from provisioning.server.schema import fact

_BARRING = (FactKind.DO_NOT_CALL, FactKind.REFUSAL, FactKind.FINAL)


@dataclass(frozen=True, slots=True)
class Known:
    """The facts of one number, oldest first."""

    number: str
    facts: tuple[Fact, ...]

    @property
    def standing(self) -> tuple[Fact, ...]:
        """What bars the number for good until it is lifted, newest first; empty if nothing does.

        The booths ask the same code; they may count hang-ups by stricter rules of their own.
        """
        barring = [one for kind in _BARRING for one in standing(self.facts, kind)]
        implied = refused(self.facts, HOUSE.rules)
        return newest_first({one.id: one for one in (*barring, *(implied.evidence if implied else ()))}.values())

    @property
    def lifts(self) -> tuple[Fact, ...]:
        """What supervisors have written when they lifted a refusal, newest first."""
        return newest_first(one for one in self.facts if one.kind is FactKind.LIFT)

    def consents(self, now: float) -> tuple[Fact, ...]:
        """The consents to be called that stand at `now`, as the guard sees it, newest first."""
        return consents(self.facts, now)

    @property
    def withdrawals(self) -> tuple[Fact, ...]:
        """Every word that a consent was taken back, newest first."""
        return newest_first(one for one in self.facts if one.kind is FactKind.WITHDRAWAL)

    @property
    def newest_first(self) -> tuple[Fact, ...]:
        """All of it."""
        return newest_first(self.facts)


def of_number(connection: Connection, number: str) -> Known:
    """All that the office knows of a number."""
    return Known(number, tuple(_facts(connection, fact.c.number == number)))


def of_call(connection: Connection, call_id: str) -> tuple[Fact, ...]:
    """The facts that follow from one call."""
    return tuple(_facts(connection, fact.c.call == call_id))


def by_ids(connection: Connection, ids: Iterable[str]) -> tuple[Fact, ...]:
    """The facts of some ids, newest first; those that have not come in yet are left out."""
    return newest_first(_facts(connection, fact.c.id.in_(list(ids))))


def told(connection: Connection, condition: ColumnElement[bool]) -> Iterator[tuple[Fact, str | None, float]]:
    """Facts with the booth (by id) that told each, and when it came in."""
    for row in connection.execute(select(fact).where(condition)):
        if row.kind in _KINDS:
            yield _fact(row), row.sender, row.taken


def _facts(connection: Connection, condition: ColumnElement[bool]) -> Sequence[Fact]:
    rows = connection.execute(select(fact).where(condition).order_by(fact.c.seq))
    return [_fact(row) for row in rows if row.kind in _KINDS]


_KINDS = {kind.value for kind in FactKind}  # a newer booth's kinds say nothing here yet


def _fact(row: Row[Any]) -> Fact:
    return Fact(
        id=row.id,
        kind=FactKind(row.kind),
        number=row.number,
        at=row.at,
        booth=row.booth,
        agent=row.agent,
        call=row.call,
        result=row.result,
        due=row.due,
        note=row.note,
        product=row.product,
    )


def decision(said: Any, evidence: tuple[Fact, ...]) -> Decision | None:
    """The guard's decision in a call's record; None if there is none, or a newer booth's that has no words here."""
    if not isinstance(said, dict):
        return None
    verdict = Verdict.__members__.get(str(said.get("verdict")))
    reason = Reason.__members__.get(str(said.get("reason")))
    if verdict is None or reason is None:
        return None
    looked = tuple(Reason[name] for name in said.get("considered", ()) if name in Reason.__members__)
    return Decision(
        verdict=verdict,
        reason=reason,
        until=said.get("until"),
        never=bool(said.get("never")),
        overridable=bool(said.get("overridable")),
        evidence=evidence,
        considered=looked,
        claim=next((hold for hold in Hold if hold.value == said.get("claim")), None),
        rule=_rule(said.get("rule")),
    )


def _rule(said: Any) -> Ruling | None:
    """The rule that decided, as the booth told it; None for an older booth's."""
    try:
        source = Words(ja=str(said["source"]["ja"]), en=str(said["source"]["en"]))
        return Ruling(str(said["pack"]), str(said["rule"]), source, int(said["most"]), float(said["span"]))
    except (TypeError, KeyError, ValueError):
        return None
