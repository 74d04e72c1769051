"""The redial guard: facts + rules + now → Decision. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final

from firmware import refusal
from firmware.known import Fact, FactKind, Hold, Rules, newest_first
from firmware.numbers import Kind, Number
from firmware.window import Window

__all__ = ["Decision", "Fact", "FactKind", "Reason", "Rules", "Verdict", "decide"]


class Verdict(Enum):
    """What the guard says."""

    ALLOW = auto()
    WARN = auto()  # one more key
    BLOCK = auto()


class Reason(Enum):
    """Why; the screens have words for each in every language."""

    FREE = auto()
    EMERGENCY = auto()
    SERVICE_NUMBER = auto()
    INVALID_NUMBER = auto()
    BARRED_CLASS = auto()  # premium, international, 020
    SAMPLE_NUMBER = auto()  # an example number on a real line
    DO_NOT_CALL = auto()
    REFUSED = auto()
    DEAD_NUMBER = auto()  # dead, changed, a fax: nobody to reach there
    TIME_UNKNOWN = auto()
    CALLED_RECENTLY = auto()
    CLAIMED = auto()  # another booth is about to call it
    RESULT_OWED = auto()  # the last call's result has not been keyed
    OFF_LIST = auto()  # WARN: nobody in the list has this number
    TOLL_FREE = auto()  # WARN: a business desk
    SHARED_COST = auto()  # WARN: extra charge
    UNCERTAIN = auto()  # WARN: not in any allocated range
    OVERRIDDEN = auto()  # ALLOW: a supervisor let it pass


@dataclass(frozen=True, slots=True)
class Decision:
    """The guard's answer for one number at one moment."""

    verdict: Verdict
    reason: Reason
    until: float | None = None  # callable again at (UTC seconds); None: unknown or never, see `never`
    never: bool = False  # only a supervisor's lift on the server frees it
    overridable: bool = False  # by a supervisor's PIN on this booth
    evidence: tuple[Fact, ...] = ()  # newest first
    considered: tuple[Reason, ...] = field(default=())  # every reason that was looked at, in order
    claim: Hold | None = None  # how the booth stood with the number when it was dialled


def decide(
    number: Number,
    facts: Sequence[Fact],
    rules: Rules,
    now: float | None,
    *,
    on_list: bool = True,
    owed: bool = False,
    override: bool = False,
) -> Decision:
    """May this number be called now? The first check that has something to say decides.

    `facts` is all that is known of the number, in any order; `now` is None when the time is unknown; `owed` says that
    an earlier call's result has not been keyed; `override` is a supervisor's word for this one call.
    """
    known = tuple({fact.id: fact for fact in facts}.values())  # our own facts come back from the server
    question = _Question(number, known, rules, now, on_list=on_list, owed=owed, override=override)
    looked: list[Reason] = []
    for reason, check in _CHECKS:
        looked.append(reason)
        decision = check(question)
        if decision is not None:
            return replace(decision, considered=tuple(looked))
    return Decision(Verdict.ALLOW, Reason.FREE, considered=(*looked, Reason.FREE))


def written(said: Decision) -> dict[str, object]:
    """The guard's word with its evidence, as plain data for the call's record."""
    return {
        "verdict": said.verdict.name,
        "reason": said.reason.name,
        "until": said.until,
        "never": said.never,
        "overridable": said.overridable,
        "considered": [reason.name for reason in said.considered],
        "evidence": [fact.id for fact in said.evidence],
        "claim": said.claim.value if said.claim else "",
    }


@dataclass(frozen=True, slots=True)
class _Question:
    """All that a check may look at."""

    number: Number
    facts: tuple[Fact, ...]
    rules: Rules
    now: float | None
    on_list: bool
    owed: bool
    override: bool


_Check = Callable[[_Question], Decision | None]


def _kind(verdict: Verdict, reason: Reason, kind: Kind) -> _Check:
    return lambda question: Decision(verdict, reason) if question.number.kind is kind else None


def _barred(question: _Question) -> Decision | None:
    kind = question.number.kind
    abroad = kind is Kind.INTERNATIONAL and not question.rules.international
    return Decision(Verdict.BLOCK, Reason.BARRED_CLASS) if abroad or kind in (Kind.PREMIUM, Kind.MACHINE) else None


def _sample(question: _Question) -> Decision | None:
    real = question.number.sample and not question.rules.sample_allowed
    return Decision(Verdict.BLOCK, Reason.SAMPLE_NUMBER) if real else None


def _do_not_call(question: _Question) -> Decision | None:
    return _for_good(Reason.DO_NOT_CALL, refusal.standing(question.facts, FactKind.DO_NOT_CALL))


def _refused(question: _Question) -> Decision | None:
    return _for_good(Reason.REFUSED, refusal.refusals(question.facts, question.rules))


def _dead(question: _Question) -> Decision | None:
    return _for_good(Reason.DEAD_NUMBER, refusal.standing(question.facts, FactKind.FINAL))


def _for_good(reason: Reason, evidence: Sequence[Fact]) -> Decision | None:
    return Decision(Verdict.BLOCK, reason, never=True, evidence=newest_first(evidence)) if evidence else None


def _owed(question: _Question) -> Decision | None:
    return Decision(Verdict.BLOCK, Reason.RESULT_OWED) if question.owed else None


def _time(question: _Question) -> Decision | None:
    return Decision(Verdict.BLOCK, Reason.TIME_UNKNOWN) if question.now is None else None


def _window(question: _Question) -> Decision | None:
    now = question.now
    assert now is not None  # _time comes first
    window = Window(question.facts, question.rules)
    if not window.holds(now) or window.asked_for(now):
        return None
    evidence = window.evidence(now)
    if question.override or window.overridden(now):
        return Decision(Verdict.ALLOW, Reason.OVERRIDDEN, evidence=evidence)
    return Decision(Verdict.BLOCK, Reason.CALLED_RECENTLY, until=window.opens(now), overridable=True, evidence=evidence)


def _claimed(question: _Question) -> Decision | None:
    now = question.now
    assert now is not None  # _time comes first
    held = [fact for fact in question.facts if fact.kind is FactKind.CLAIM and fact.due is not None and now < fact.due]
    until = max((fact.due for fact in held if fact.due is not None), default=None)
    return Decision(Verdict.BLOCK, Reason.CLAIMED, until=until, evidence=newest_first(held)) if held else None


def _off_list(question: _Question) -> Decision | None:
    return None if question.on_list else Decision(Verdict.WARN, Reason.OFF_LIST)


def _uncertain(question: _Question) -> Decision | None:
    return Decision(Verdict.WARN, Reason.UNCERTAIN) if question.number.uncertain else None


# The order is the engine's (domain: "first block wins"); a warning is given only when nothing blocks.
_CHECKS: Final[tuple[tuple[Reason, _Check], ...]] = (
    (Reason.EMERGENCY, _kind(Verdict.ALLOW, Reason.EMERGENCY, Kind.EMERGENCY)),
    (Reason.SERVICE_NUMBER, _kind(Verdict.ALLOW, Reason.SERVICE_NUMBER, Kind.SERVICE)),
    (Reason.INVALID_NUMBER, _kind(Verdict.BLOCK, Reason.INVALID_NUMBER, Kind.INVALID)),
    (Reason.BARRED_CLASS, _barred),
    (Reason.SAMPLE_NUMBER, _sample),
    (Reason.DO_NOT_CALL, _do_not_call),
    (Reason.REFUSED, _refused),
    (Reason.DEAD_NUMBER, _dead),
    (Reason.RESULT_OWED, _owed),
    (Reason.TIME_UNKNOWN, _time),
    (Reason.CALLED_RECENTLY, _window),
    (Reason.CLAIMED, _claimed),
    (Reason.OFF_LIST, _off_list),
    (Reason.TOLL_FREE, _kind(Verdict.WARN, Reason.TOLL_FREE, Kind.TOLL_FREE)),
    (Reason.SHARED_COST, _kind(Verdict.WARN, Reason.SHARED_COST, Kind.SHARED_COST)),
    (Reason.UNCERTAIN, _uncertain),
)
