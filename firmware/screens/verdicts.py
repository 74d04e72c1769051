"""Samples of the guard's verdicts by rule packs: one for each reason that a pack or the campaign can give."""

from dataclasses import replace

from firmware.known import Fact, FactKind
from firmware.redial import Decision, Reason, Verdict
from firmware.rulebook import Ruling
from firmware.rulepack import Words, shipped

HOUR, DAY = 3600.0, 86400.0


def _law(pack: str, rule: str, source: Words, most: int = 0, span: float = 0.0) -> Ruling:
    return Ruling(pack, rule, shipped()[pack].law(source), most, span)


def verdicts(number: str, now: float) -> dict[str, Decision]:
    """Each by name, for a number (Number.key) at `now` (UTC seconds)."""
    packs = shipped()
    dials = tuple(
        Fact(f"v{day}", FactKind.ATTEMPT, number, now - day * DAY, "2", "OP07", result="NOANS") for day in range(1, 8)
    )
    talk = Fact("v8", FactKind.CONTACT, number, now - 2 * DAY, "4", "OP12", result="WARM", note="talk")
    japan, france, britain, debt = (packs[name] for name in ("jp-sales", "fr-sales", "uk-sales", "us-regf"))
    seven, rest = debt.frequency
    block = Decision(Verdict.BLOCK, Reason.FREE)
    return {
        "hours": replace(
            block,
            reason=Reason.OUTSIDE_HOURS,
            until=now + 43 * HOUR,
            rule=_law("jp-sales", "hours", japan.hours.source),
        ),
        "often": replace(
            block,
            reason=Reason.TOO_OFTEN,
            until=now + 4 * HOUR,
            evidence=dials,
            rule=_law("us-regf", "7in7", seven.source, 7, 7 * DAY),
        ),
        "after-talk": replace(
            block,
            reason=Reason.AFTER_TALK,
            until=now + 5 * DAY,
            evidence=(talk,),
            rule=_law("us-regf", "after-talk", rest.source, span=7 * DAY),
        ),
        "after-abandoned": replace(
            block,
            reason=Reason.AFTER_ABANDONED,
            until=now + DAY,
            evidence=(replace(talk, note="abandoned", result="NOANS"),),
            rule=_law("uk-sales", "after-abandoned", britain.frequency[0].source),
        ),
        "consent": replace(block, reason=Reason.NO_CONSENT, rule=_law("fr-sales", "consent", france.consent.source)),
        "registered": replace(
            block, reason=Reason.REGISTERED, rule=_law("uk-sales", "register tps", britain.register.source)
        ),
        "register-stale": replace(
            block, reason=Reason.REGISTER_STALE, rule=_law("uk-sales", "register tps", britain.register.source)
        ),
        "hidden": replace(block, reason=Reason.NUMBER_HIDDEN, rule=_law("jp-sales", "cli", japan.cli.source)),
        "campaign": replace(block, reason=Reason.CAMPAIGN_FULL, evidence=dials[:3]),
    }
