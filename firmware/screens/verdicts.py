"""Samples of the guard's verdicts by rule packs: one for each reason that a pack or the campaign can give."""

from dataclasses import replace

from firmware.known import Fact, FactKind
from firmware.redial import Decision, Reason, Verdict
from firmware.rulebook import Ruling
from firmware.rulepack import Words, shipped

HOUR, DAY = 3600.0, 86400.0


def _law(name: str, rule: str, reason: Reason) -> Decision:
    """A block by a rule of a shipped pack, with the source that stands there."""
    pack = shipped()[name]
    counters = {counter.id: counter.source for counter in pack.frequency}
    source: Words = counters.get(rule) or getattr(pack, rule).source
    return replace(_BLOCK, reason=reason, rule=Ruling(name, rule, pack.law(source)))


_BLOCK = Decision(Verdict.BLOCK, Reason.FREE)


def verdicts(number: str, now: float) -> dict[str, Decision]:
    """Each by name, for a number (Number.key) at `now` (UTC seconds)."""
    dials = tuple(
        Fact(f"v{day}", FactKind.ATTEMPT, number, now - day * DAY, "2", "OP07", result="NOANS") for day in range(1, 8)
    )
    talk = Fact("v8", FactKind.CONTACT, number, now - 2 * DAY, "4", "OP12", result="WARM", note="talk")
    return _counted(dials, talk, now) | _standing() | {
        "hours": replace(_law("jp-sales", "hours", Reason.OUTSIDE_HOURS), until=now + 43 * HOUR),
        "campaign": replace(_BLOCK, reason=Reason.CAMPAIGN_FULL, evidence=dials[:3]),
    }  # fmt: skip


def _counted(dials: tuple[Fact, ...], talk: Fact, now: float) -> dict[str, Decision]:
    dropped = replace(talk, note="abandoned", result="NOANS")
    return {
        "often": replace(_law("us-regf", "7in7", Reason.TOO_OFTEN), until=now + 4 * HOUR, evidence=dials),
        "after-talk": replace(_law("us-regf", "after-talk", Reason.AFTER_TALK), until=now + 5 * DAY, evidence=(talk,)),
        "after-abandoned": replace(
            _law("uk-sales", "after-abandoned", Reason.AFTER_ABANDONED), until=now + DAY, evidence=(dropped,)
        ),
    }


def _standing() -> dict[str, Decision]:
    return {
        "consent": _law("fr-sales", "consent", Reason.NO_CONSENT),
        "registered": _law("uk-sales", "register", Reason.REGISTERED),
        "register-stale": _law("uk-sales", "register", Reason.REGISTER_STALE),
        "hidden": _law("jp-sales", "cli", Reason.NUMBER_HIDDEN),
    }
