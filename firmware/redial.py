"""The redial guard: facts + rules + now → Decision. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from firmware import hours, refusal
from firmware.consent import consents
from firmware.frequency import Frequency
from firmware.known import HOLD, Fact, FactKind, Rules, newest_first
from firmware.numbers import Kind, Number
from firmware.refusal import Standing
from firmware.rulebook import HOUSE, Rulebook, Ruling
from firmware.rulepack import Counter, Pack
from firmware.spans import seconds
from firmware.verdict import Callee, Decision, Listing, Reason, Verdict, written
from firmware.window import Window

__all__ = [
    "Callee",
    "Decision",
    "Fact",
    "FactKind",
    "Listing",
    "Reason",
    "Rulebook",
    "Rules",
    "Verdict",
    "decide",
    "written",
]


UNSPECIFIED: Final = Callee()
_STEPS: Final = (
    64  # moments looked at for the first free one: packs that are never open together must not hold up the screen
)


def decide(
    number: Number,
    facts: Sequence[Fact],
    book: Rulebook = HOUSE,
    now: float | None = None,
    *,
    callee: Callee = UNSPECIFIED,
    on_list: bool = True,
    owed: bool = False,
    override: bool = False,
) -> Decision:
    """May this number be called now? The first check that has something to say decides.

    `facts` is all that is known of the number, in any order; `now` is None when the time is unknown; `owed` says that
    an earlier call's result has not been keyed; `override` is a supervisor's word for this one call. A block's `until`
    is the first moment at which nothing blocks any more, so far as is known today.
    """
    known = tuple({fact.id: fact for fact in facts}.values())  # our own facts come back from the server
    question = _Question(number, known, book, now, callee, on_list=on_list, owed=owed, override=override)
    decision = _first(question)
    if decision.verdict is Verdict.BLOCK and decision.until is not None:
        return replace(decision, until=_free_from(replace(question, override=False), decision.until))
    return decision


def _first(question: "_Question") -> Decision:
    """The first check that has something to say."""
    looked: list[Reason] = []
    for reason, check in _CHECKS:
        looked.append(reason)
        decision = check(question)
        if decision is not None:
            return replace(decision, considered=tuple(dict.fromkeys((*looked, decision.reason))))
    return Decision(Verdict.ALLOW, Reason.FREE, considered=tuple(dict.fromkeys((*looked, Reason.FREE))))


def _free_from(question: "_Question", moment: float) -> float | None:
    """The first moment, `moment` or later, at which nothing blocks; None if that cannot be known."""
    for _ in range(_STEPS):
        decision = _first(replace(question, now=moment))
        if decision.verdict is not Verdict.BLOCK:
            return moment
        if decision.until is None:
            return None
        moment = decision.until
    return None


@dataclass(frozen=True, slots=True)
class _Question:
    """All that a check may look at."""

    number: Number
    facts: tuple[Fact, ...]
    book: Rulebook
    now: float | None
    callee: Callee
    on_list: bool
    owed: bool
    override: bool


_Check = Callable[[_Question], Decision | None]


def _kind(verdict: Verdict, reason: Reason, kind: Kind) -> _Check:
    return lambda question: Decision(verdict, reason) if question.number.kind is kind else None


def _barred(question: _Question) -> Decision | None:
    kind = question.number.kind
    abroad = kind is Kind.INTERNATIONAL and not question.book.rules.international
    return Decision(Verdict.BLOCK, Reason.BARRED_CLASS) if abroad or kind in (Kind.PREMIUM, Kind.MACHINE) else None


def _sample(question: _Question) -> Decision | None:
    real = question.number.sample and not question.book.rules.sample_allowed
    return Decision(Verdict.BLOCK, Reason.SAMPLE_NUMBER) if real else None


def _hidden(question: _Question) -> Decision | None:
    for pack in question.book.packs:
        if question.number.dialled.startswith(pack.cli.bar_prefix):
            rule = Ruling(pack.id, "cli", pack.law(pack.cli.source))
            return Decision(Verdict.BLOCK, Reason.NUMBER_HIDDEN, rule=rule)
    return None


def _do_not_call(question: _Question) -> Decision | None:
    found = refusal.do_not_call(_of_person(question), question.book.terms, question.now)
    return _standing(Reason.DO_NOT_CALL, found, question.book.of_refusals(implied=False))


def _refused(question: _Question) -> Decision | None:
    book = question.book
    found = refusal.refused(_of_person(question), book.rules, book.terms, question.now)
    counted = found is not None and all(fact.kind is FactKind.COUNTED for fact in found.evidence)
    return _standing(Reason.REFUSED, found, book.of_refusals(implied=counted))


def _of_person(question: _Question) -> tuple[Fact, ...]:
    """What is known of all the person's numbers: whoever has refused on one has not been asked on another."""
    return tuple({fact.id: fact for fact in (*question.facts, *question.callee.kin)}.values())


def _dead(question: _Question) -> Decision | None:
    found = [fact for fact in refusal.standing(question.facts, FactKind.FINAL) if fact.note != HOLD]
    return _standing(Reason.DEAD_NUMBER, Standing(tuple(found)) if found else None, None)


def _on_hold(question: _Question) -> Decision | None:
    found = [fact for fact in refusal.standing(question.facts, FactKind.FINAL) if fact.note == HOLD]
    return _standing(Reason.ON_HOLD, Standing(tuple(found)) if found else None, None)


def _standing(reason: Reason, found: Standing | None, rule: Ruling | None) -> Decision | None:
    if found is None:
        return None
    never = found.until == inf
    evidence = newest_first(found.evidence)
    return Decision(Verdict.BLOCK, reason, None if never else found.until, never, evidence=evidence, rule=rule)


def _registered(question: _Question) -> Decision | None:
    """On a register that must be heeded, without consent."""
    for pack, name in _registers(question):
        known = question.callee.registers.get(name)
        if known is not None and known.listed and not _consents(question):
            return Decision(Verdict.BLOCK, Reason.REGISTERED, rule=_of_register(pack, name))
    return None


def _stale(question: _Question) -> Decision | None:
    """Whether nobody can say that the number is on no register: the copy is missing or too old."""
    for pack, name in _registers(question):
        known, oldest = question.callee.registers.get(name), seconds(pack.register.max_age)
        aged = known is not None and question.now is not None and oldest and question.now >= known.asof + oldest
        if (known is None or aged) and not _consents(question):
            return Decision(Verdict.BLOCK, Reason.REGISTER_STALE, rule=_of_register(pack, name))
    return None


def _registers(question: _Question) -> Iterable[tuple[Pack, str]]:
    return ((pack, name) for pack in question.book.packs for name in pack.register.names)


def _of_register(pack: Pack, name: str) -> Ruling:
    return Ruling(pack.id, f"register {name}", pack.law(pack.register.source), span=seconds(pack.register.max_age))


def _consent(question: _Question) -> Decision | None:
    """Whether the law wants a consent that nobody has."""
    for pack in question.book.packs:
        if _wants_consent(pack, question) and not _consents(question):
            rule = Ruling(pack.id, "consent", pack.law(pack.consent.source))
            return Decision(Verdict.BLOCK, Reason.NO_CONSENT, rule=rule)
    return None


def _wants_consent(pack: Pack, question: _Question) -> bool:
    first = pack.consent.required_from
    if not first or question.now is None:  # an unknown time blocks by itself
        return pack.consent.required
    return pack.consent.required or hours.latest_date(question.callee.zones, question.now).isoformat() >= first


def _consents(question: _Question) -> tuple[Fact, ...]:
    return consents(question.facts, question.now, question.book.product)


def _owed(question: _Question) -> Decision | None:
    return Decision(Verdict.BLOCK, Reason.RESULT_OWED) if question.owed else None


def _time(question: _Question) -> Decision | None:
    return Decision(Verdict.BLOCK, Reason.TIME_UNKNOWN) if question.now is None else None


def _outside_hours(question: _Question) -> Decision | None:
    return _strictest(_closed(question, pack) for pack in question.book.packs)


def _closed(question: _Question, pack: Pack) -> Decision | None:
    now, week, holiday, zones = _now(question), pack.hours.week, question.book.holidays(pack), question.callee.zones
    if hours.is_open(week, holiday, zones, now):
        return None
    rule = Ruling(pack.id, "hours", pack.law(pack.hours.source))
    until = hours.opens(week, holiday, zones, now)
    return Decision(Verdict.BLOCK, Reason.OUTSIDE_HOURS, until=until, rule=rule)


def _counted(question: _Question) -> Decision | None:
    packs = question.book.packs
    return _strictest(_too_often(question, pack, counter) for pack in packs for counter in pack.frequency)


_COUNTED: Final = {"conversation": Reason.AFTER_TALK, "abandoned": Reason.AFTER_ABANDONED, "": Reason.TOO_OFTEN}


def _too_often(question: _Question, pack: Pack, counter: Counter) -> Decision | None:
    now, facts = _now(question), _of_person(question) if counter.key == "person" else question.facts
    frequency = Frequency(counter, facts, question.callee.zones)
    if not frequency.holds(now):
        return None
    rule = Ruling(pack.id, counter.id, pack.law(counter.source), counter.max, seconds(counter.window))
    evidence, until = frequency.evidence(), frequency.opens(now)
    return Decision(Verdict.BLOCK, _COUNTED[counter.after], until=until, evidence=evidence, rule=rule)


def _strictest(blocks: Iterable[Decision | None]) -> Decision | None:
    """The one that blocks longest."""
    found = [block for block in blocks if block is not None]
    return max(found, key=lambda block: inf if block.until is None else block.until, default=None)


def _now(question: _Question) -> float:
    assert question.now is not None  # _time comes first
    return question.now


def _window(question: _Question) -> Decision | None:
    now, window = _now(question), Window(question.facts, question.book.rules)
    if not window.closed(now) or question.override or window.overridden(now):
        return None
    until, evidence, rule = window.opens(now), window.evidence(now), question.book.of_window()
    return Decision(Verdict.BLOCK, Reason.CALLED_RECENTLY, until, overridable=True, evidence=evidence, rule=rule)


def _overridden(question: _Question) -> Decision | None:
    """The window is closed, yet nothing has blocked: a supervisor's word let it pass, and is more than any warning."""
    now, window = _now(question), Window(question.facts, question.book.rules)
    if not window.closed(now):
        return None
    rule = question.book.of_window()
    return Decision(Verdict.ALLOW, Reason.OVERRIDDEN, evidence=window.evidence(now), rule=rule)


def _claimed(question: _Question) -> Decision | None:
    now = _now(question)
    held = [fact for fact in question.facts if fact.kind is FactKind.CLAIM and fact.due is not None and now < fact.due]
    until = max((fact.due for fact in held if fact.due is not None), default=None)
    return Decision(Verdict.BLOCK, Reason.CLAIMED, until=until, evidence=newest_first(held)) if held else None


def _full(question: _Question) -> Decision | None:
    """The campaign's cap counts dials for the product, of the person and not of the number alone."""
    cap = question.book.attempts
    facts = _of_person(question)
    failed = {fact.call for fact in facts if fact.kind is FactKind.VOID and fact.call}
    dials = [
        fact
        for fact in facts
        if fact.kind is FactKind.ATTEMPT and refusal.covers(fact, question.book.product) and fact.call not in failed
    ]
    if not cap or len(dials) < cap:
        return None
    return Decision(Verdict.BLOCK, Reason.CAMPAIGN_FULL, evidence=newest_first(dials))


def _off_list(question: _Question) -> Decision | None:
    return None if question.on_list else Decision(Verdict.WARN, Reason.OFF_LIST)


def _completed(question: _Question) -> Decision | None:
    return Decision(Verdict.WARN, Reason.COMPLETED) if question.number.completed else None


def _uncertain(question: _Question) -> Decision | None:
    return Decision(Verdict.WARN, Reason.UNCERTAIN) if question.number.uncertain else None


# The order is the engine's (domain: "first block wins"); a warning is given only when nothing blocks.
_CHECKS: Final[tuple[tuple[Reason, _Check], ...]] = (
    (Reason.EMERGENCY, _kind(Verdict.ALLOW, Reason.EMERGENCY, Kind.EMERGENCY)),
    (Reason.SERVICE_NUMBER, _kind(Verdict.ALLOW, Reason.SERVICE_NUMBER, Kind.SERVICE)),
    (Reason.INVALID_NUMBER, _kind(Verdict.BLOCK, Reason.INVALID_NUMBER, Kind.INVALID)),
    (Reason.BARRED_CLASS, _barred),
    (Reason.SAMPLE_NUMBER, _sample),
    (Reason.NUMBER_HIDDEN, _hidden),
    (Reason.DO_NOT_CALL, _do_not_call),
    (Reason.REFUSED, _refused),
    (Reason.DEAD_NUMBER, _dead),
    (Reason.ON_HOLD, _on_hold),
    (Reason.REGISTERED, _registered),
    (Reason.REGISTER_STALE, _stale),
    (Reason.NO_CONSENT, _consent),
    (Reason.RESULT_OWED, _owed),
    (Reason.TIME_UNKNOWN, _time),
    (Reason.OUTSIDE_HOURS, _outside_hours),
    (Reason.TOO_OFTEN, _counted),
    (Reason.CALLED_RECENTLY, _window),
    (Reason.CLAIMED, _claimed),
    (Reason.CAMPAIGN_FULL, _full),
    (Reason.CALLED_RECENTLY, _overridden),
    (Reason.OFF_LIST, _off_list),
    (Reason.TOLL_FREE, _kind(Verdict.WARN, Reason.TOLL_FREE, Kind.TOLL_FREE)),
    (Reason.SHARED_COST, _kind(Verdict.WARN, Reason.SHARED_COST, Kind.SHARED_COST)),
    (Reason.COMPLETED, _completed),
    (Reason.UNCERTAIN, _uncertain),
)
