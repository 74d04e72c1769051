"""The guard: who must not be called, until when, and what no key on this booth can change."""

import random
import uuid
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.numbers import Kind, Number, keyed, parse
from firmware.redial import Decision, Fact, FactKind, Reason, Rulebook, Rules, Verdict, decide

NOW = 1_800_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
RULES = Rulebook(Rules(sample_allowed=True))
NUMBER = parse("03-1234-5601")
EMERGENCY = parse("119")

ids = iter(range(1, 1_000_000))


def fact(kind: FactKind, at: float | None, **more: object) -> Fact:
    name = str(uuid.UUID(int=next(ids)))
    return Fact(name, kind, NUMBER.key, at, booth="2", agent="OP07", **more)


def unanswered(at: float | None) -> list[Fact]:
    return [fact(FactKind.ATTEMPT, at, call=f"call at {at}")]


def answered(at: float | None, note: str = "") -> list[Fact]:
    return [*unanswered(at), fact(FactKind.CONTACT, at, call=f"call at {at}", note=note)]


def talked(at: float | None) -> list[Fact]:
    return answered(at, "talk")


def ask(facts: Sequence[Fact], now: float | None = NOW, rules: Rulebook = RULES, **more: object) -> Decision:
    return decide(NUMBER, facts, rules, now, **more)


def test_nothing_known_is_free_and_says_what_was_looked_at() -> None:
    decision = ask([])
    assert (decision.verdict, decision.reason) == (Verdict.ALLOW, Reason.FREE)
    assert decision.considered[0] is Reason.EMERGENCY
    assert decision.considered[-1] is Reason.FREE
    assert decision.considered.index(Reason.REFUSED) < decision.considered.index(Reason.CALLED_RECENTLY)


def test_an_emergency_number_passes_everything() -> None:
    facts = [fact(FactKind.DO_NOT_CALL, NOW), fact(FactKind.REFUSAL, None), *talked(NOW)]
    for number in (EMERGENCY, parse("184110"), keyed("118")):
        decision = decide(number, facts, Rulebook(Rules()), None, on_list=False, owed=True)
        assert (decision.verdict, decision.reason) == (Verdict.ALLOW, Reason.EMERGENCY)


def test_a_help_line_passes_too() -> None:
    decision = decide(parse("#7119"), talked(NOW), Rulebook(Rules()), None, on_list=False, owed=True)
    assert (decision.verdict, decision.reason) == (Verdict.ALLOW, Reason.SERVICE_NUMBER)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("*21*0312345601#", Reason.INVALID_NUMBER),
        ("00330312345601", Reason.INVALID_NUMBER),
        ("12", Reason.INVALID_NUMBER),
        ("0990123456", Reason.BARRED_CLASS),
        ("0180991234", Reason.BARRED_CLASS),
        ("02012345678", Reason.BARRED_CLASS),
        ("01012025550123", Reason.BARRED_CLASS),
    ],
)
def test_what_may_not_be_dialled_at_all(text: str, reason: Reason) -> None:
    for override in (False, True):
        decision = decide(keyed(text), [], RULES, NOW, override=override)
        assert (decision.verdict, decision.reason, decision.overridable) == (Verdict.BLOCK, reason, False)
        assert decision.considered[-1] is reason


def test_calls_abroad_are_opened_by_the_rules_alone() -> None:
    assert decide(keyed("01012025550123"), [], Rulebook(Rules(international=True)), NOW).verdict is Verdict.ALLOW
    assert decide(keyed("0990123456"), [], Rulebook(Rules(international=True)), NOW).verdict is Verdict.BLOCK


def test_a_sample_number_never_reaches_a_real_line() -> None:
    assert ask([], rules=Rulebook(Rules())).reason is Reason.SAMPLE_NUMBER
    assert ask([], rules=Rulebook(Rules()), override=True).reason is Reason.SAMPLE_NUMBER


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0120123456", Reason.TOLL_FREE),
        ("0570012345", Reason.SHARED_COST),
        ("0111234567", Reason.UNCERTAIN),
        ("312345601", Reason.COMPLETED),
    ],
)
def test_warnings(text: str, reason: Reason) -> None:
    decision = decide(keyed(text), [], RULES, NOW)
    assert (decision.verdict, decision.reason) == (Verdict.WARN, reason)


def test_off_list_warns_first() -> None:
    decision = decide(parse("0120123456"), [], RULES, NOW, on_list=False)
    assert (decision.verdict, decision.reason) == (Verdict.WARN, Reason.OFF_LIST)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (FactKind.REFUSAL, Reason.REFUSED),
        (FactKind.DO_NOT_CALL, Reason.DO_NOT_CALL),
        (FactKind.FINAL, Reason.DEAD_NUMBER),
    ],
)
@pytest.mark.parametrize("at", [NOW - 3000 * DAY, NOW - 1, NOW + DAY, None])
def test_a_refusal_stands_for_good(kind: FactKind, reason: Reason, at: float | None) -> None:
    refusal = fact(kind, at, result="REF")
    later = [fact(FactKind.CALLBACK, NOW - 1, due=NOW), fact(FactKind.OVERRIDE, NOW), *answered(NOW - 9 * DAY)]
    for now in (NOW, None):
        decision = ask([refusal, *later], now, owed=True, override=True)
        assert (decision.verdict, decision.reason) == (Verdict.BLOCK, reason)
        assert (decision.never, decision.overridable, decision.until) == (True, False, None)
        assert decision.evidence == (refusal,)


def test_only_a_newer_lift_frees_a_refusal() -> None:
    refusal = fact(FactKind.REFUSAL, NOW - DAY)
    assert ask([refusal, fact(FactKind.LIFT, NOW - DAY - 1)]).reason is Reason.REFUSED
    assert ask([refusal, fact(FactKind.LIFT, NOW - DAY)]).reason is Reason.REFUSED
    assert ask([refusal, fact(FactKind.LIFT, None)]).reason is Reason.REFUSED
    assert ask([refusal, fact(FactKind.LIFT, NOW - DAY + 1)]).reason is Reason.FREE
    again = fact(FactKind.REFUSAL, NOW - 1)
    assert ask([refusal, fact(FactKind.LIFT, NOW - HOUR), again]).evidence == (again,)


def test_a_refusal_of_unknown_date_is_lifted_by_naming_its_call() -> None:
    refusal = fact(FactKind.REFUSAL, None, call="the call")
    assert ask([refusal, fact(FactKind.LIFT, NOW)]).reason is Reason.REFUSED
    assert ask([refusal, fact(FactKind.LIFT, NOW, call="another")]).reason is Reason.REFUSED
    assert ask([refusal, fact(FactKind.LIFT, NOW, call="the call")]).reason is Reason.FREE


def counted(at: float | None, note: str = "", result: str = "GACHA0") -> Fact:
    return fact(FactKind.COUNTED, at, note=note, result=result)


def test_the_third_wordless_hang_up_is_a_refusal() -> None:
    hang_ups = [counted(NOW - days * DAY) for days in (30, 60, 90)]
    assert ask(hang_ups[:2]).reason is Reason.FREE
    decision = ask(hang_ups)
    assert (decision.reason, decision.never, decision.evidence) == (Reason.REFUSED, True, tuple(hang_ups))


def test_the_second_hang_up_in_mid_pitch_is_a_refusal() -> None:
    assert ask([counted(NOW - 9 * DAY, "2", "GACHAM")]).reason is Reason.FREE
    assert ask([counted(NOW - days * DAY, "2", "GACHAM") for days in (9, 40)]).reason is Reason.REFUSED
    mixed = [counted(NOW - 9 * DAY, "2", "GACHAM"), counted(NOW - 40 * DAY, "2", "GATE")]
    assert ask(mixed).reason is Reason.FREE
    assert ask([*mixed, counted(NOW - 50 * DAY)]).reason is Reason.REFUSED


def test_the_ladder_counts_within_its_window_and_stands_afterwards() -> None:
    spread = [counted(NOW - days * DAY) for days in (1, 100, 181)]
    assert ask(spread).reason is Reason.FREE
    together = [counted(NOW - days * DAY) for days in (900, 1000, 1079)]
    assert ask(together).reason is Reason.REFUSED
    assert ask([*together, fact(FactKind.LIFT, NOW - 800 * DAY)]).reason is Reason.FREE
    assert ask([*spread[:2], counted(None)]).reason is Reason.REFUSED


def test_an_owed_result_comes_before_the_next_customer() -> None:
    decision = ask(talked(NOW), None, owed=True, override=True)
    assert (decision.reason, decision.overridable) == (Reason.RESULT_OWED, False)


def test_an_unknown_time_blocks_and_no_pin_helps() -> None:
    decision = ask([], None, override=True)
    assert (decision.verdict, decision.reason) == (Verdict.BLOCK, Reason.TIME_UNKNOWN)
    assert not decision.overridable


@pytest.mark.parametrize(
    ("call", "gap"), [(unanswered, 30 * MINUTE), (answered, HOUR), (talked, DAY)], ids=["unanswered", "contact", "talk"]
)
def test_the_gap_follows_from_how_the_last_call_went(call: object, gap: float) -> None:
    facts = call(NOW)
    decision = ask(facts, NOW + 3 * MINUTE)
    assert (decision.verdict, decision.reason) == (Verdict.BLOCK, Reason.CALLED_RECENTLY)
    assert (decision.until, decision.overridable, decision.never) == (NOW + gap, True, False)
    assert set(decision.evidence) == set(facts)
    assert ask(facts, NOW + gap - 1).verdict is Verdict.BLOCK
    assert ask(facts, NOW + gap).verdict is Verdict.ALLOW


def test_two_answered_calls_a_day_are_enough() -> None:
    facts = [*answered(NOW - 5 * HOUR), *answered(NOW - 2 * HOUR)]
    assert ask(facts[:2]).verdict is Verdict.ALLOW
    assert ask(facts).until == NOW - 5 * HOUR + DAY


def test_three_unanswered_calls_a_day_are_enough() -> None:
    facts = [one for hours in (9, 6, 3) for one in unanswered(NOW - hours * HOUR)]
    assert ask(facts[:2]).verdict is Verdict.ALLOW
    assert ask(facts).until == NOW - 9 * HOUR + DAY
    assert ask([*facts[:2], *answered(NOW - 3 * HOUR)]).verdict is Verdict.ALLOW


def test_a_network_failure_is_no_attempt() -> None:
    failed = [*unanswered(NOW), fact(FactKind.VOID, NOW, call=f"call at {NOW}", result="NETERR")]
    assert ask(failed, NOW + 1).reason is Reason.FREE
    assert ask([*failed, *answered(NOW)], NOW + 1).reason is Reason.CALLED_RECENTLY


def test_a_callback_that_was_asked_for_frees_one_call() -> None:
    due = NOW + 2 * HOUR
    facts = [*talked(NOW), fact(FactKind.CALLBACK, NOW + MINUTE, due=due, call=f"call at {NOW}", result="CB")]
    before = ask(facts, NOW + HOUR)
    assert (before.reason, before.until) == (Reason.CALLED_RECENTLY, due)
    assert before.evidence[0].due == due
    assert ask(facts, due).reason is Reason.FREE
    assert ask([*facts, *unanswered(due + 1)], due + 2).until == due + 1 + 30 * MINUTE
    assert ask([*facts, *talked(due + 1)], due + HOUR).until == due + 1 + DAY
    assert ask([*facts, fact(FactKind.REFUSAL, NOW)], due).reason is Reason.REFUSED


def test_a_callback_lapses() -> None:
    callback = fact(FactKind.CALLBACK, NOW - 10 * DAY, due=NOW - 4 * DAY)
    assert ask([*unanswered(NOW - 5 * DAY), callback]).reason is Reason.FREE
    long = Rulebook(Rules(sample_allowed=True, min_gap_unanswered=20 * DAY))
    assert ask([*unanswered(NOW - 5 * DAY), callback], rules=long).reason is Reason.CALLED_RECENTLY
    assert ask([*unanswered(NOW - 5 * DAY), callback], NOW - DAY - 1, rules=long).reason is Reason.FREE


def test_a_later_talk_takes_an_earlier_callbacks_place() -> None:
    callback = fact(FactKind.CALLBACK, NOW - DAY, due=NOW, call="another")
    assert ask([callback, *unanswered(NOW - 20 * MINUTE)]).reason is Reason.FREE
    assert ask([callback, *talked(NOW - 20 * MINUTE)]).reason is Reason.CALLED_RECENTLY


def test_an_override_lets_exactly_the_window_pass() -> None:
    facts = talked(NOW - MINUTE)
    decision = ask(facts, override=True)
    assert (decision.verdict, decision.reason) == (Verdict.ALLOW, Reason.OVERRIDDEN)
    assert set(decision.evidence) == set(facts)
    assert ask([], override=True).reason is Reason.FREE


def test_an_override_fact_frees_one_call_for_ten_minutes() -> None:
    facts = [*talked(NOW - MINUTE), fact(FactKind.OVERRIDE, NOW, note="2")]
    assert ask(facts).reason is Reason.OVERRIDDEN
    assert ask(facts, NOW + 599).reason is Reason.OVERRIDDEN
    assert ask(facts, NOW + 600).reason is Reason.CALLED_RECENTLY
    assert ask(facts, NOW - 1).reason is Reason.CALLED_RECENTLY
    assert ask([*facts, *unanswered(NOW + 1)], NOW + 2).reason is Reason.CALLED_RECENTLY


def test_a_call_in_the_future_still_counts() -> None:
    decision = ask(talked(NOW + 40 * DAY))
    assert (decision.reason, decision.until) == (Reason.CALLED_RECENTLY, NOW + 41 * DAY)


def test_a_call_of_unknown_date_may_have_been_this_minute() -> None:
    decision = ask(unanswered(None))
    assert (decision.reason, decision.until, decision.overridable) == (Reason.CALLED_RECENTLY, None, True)
    assert ask([*unanswered(None), fact(FactKind.OVERRIDE, NOW)]).reason is Reason.CALLED_RECENTLY
    assert ask(unanswered(None), override=True).reason is Reason.OVERRIDDEN


def test_a_call_in_and_its_result_count_as_contact() -> None:
    assert ask([fact(FactKind.CONTACT, NOW - MINUTE, call="they called us")]).until == NOW - MINUTE + HOUR


def test_a_fact_that_comes_back_from_the_server_counts_once() -> None:
    facts = [counted(NOW - 9 * DAY), counted(NOW - 8 * DAY)]
    assert ask(facts * 3).reason is Reason.FREE


PATIENT = settings(deadline=None)  # a busy machine is no fault
DATES = st.integers(-400, 400).map(lambda steps: NOW + steps * 900)
TIMES = st.none() | DATES


@st.composite
def some_facts(draw: st.DrawFn, *, dated: bool = False, kinds: Sequence[FactKind] = tuple(FactKind)) -> list[Fact]:
    times = DATES if dated else TIMES
    return [
        Fact(
            id=str(number),
            kind=draw(st.sampled_from(kinds)),
            number=NUMBER.key,
            at=draw(times),
            booth="1",
            agent="OP01",
            call=draw(st.sampled_from([None, "a", "b", "c"])),
            result=draw(st.sampled_from([None, "GACHA0", "GACHAM"])),
            due=draw(times),
            note=draw(st.sampled_from(["", "talk", "2", "implied"])),
        )
        for number in range(draw(st.integers(0, 8)))
    ]


@st.composite
def some_number(draw: st.DrawFn) -> Number:
    kind = draw(st.sampled_from([kind for kind in Kind if kind is not Kind.SERVICE]))
    flags = {flag: draw(st.booleans()) for flag in ("uncertain", "sample", "zero_restored")}
    return Number("0312345601", "+81312345601", "03-1234-5601", kind, **flags)


FLAGS = st.fixed_dictionaries({"on_list": st.booleans(), "owed": st.booleans(), "override": st.booleans()})


@PATIENT
@given(some_facts(), TIMES, FLAGS, st.sampled_from(["110", "118", "119", "184119", "186110"]))
def test_emergency_is_always_free(facts: list[Fact], now: float | None, flags: dict[str, bool], digits: str) -> None:
    decision = decide(keyed(digits), facts, Rulebook(Rules()), now, **flags)
    assert (decision.verdict, decision.reason) == (Verdict.ALLOW, Reason.EMERGENCY)


@PATIENT
@given(some_facts(), TIMES, FLAGS, some_number(), st.data())
def test_no_refusal_is_ever_lost(
    facts: list[Fact], now: float | None, flags: dict[str, bool], number: Number, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from([FactKind.REFUSAL, FactKind.DO_NOT_CALL]))
    refusal = fact(kind, data.draw(TIMES), call="x")
    older = [one for one in facts if one.kind is not FactKind.LIFT or _not_newer(one, refusal)]
    together = data.draw(st.permutations([*older, refusal]))
    decision = decide(number, together, RULES, now, **flags)
    assert decision.verdict is Verdict.BLOCK or number.kind is Kind.EMERGENCY


def _not_newer(lift: Fact, refusal: Fact) -> bool:
    return lift.at is None or refusal.at is None or lift.at <= refusal.at


@PATIENT
@given(some_facts(), TIMES, FLAGS, some_number(), st.integers())
def test_the_order_of_facts_does_not_matter(
    facts: list[Fact], now: float | None, flags: dict[str, bool], number: Number, seed: int
) -> None:
    shuffled = random.Random(seed).sample(facts, len(facts))
    assert decide(number, facts, RULES, now, **flags) == decide(number, shuffled, RULES, now, **flags)


WINDOW = (FactKind.ATTEMPT, FactKind.CONTACT, FactKind.VOID, FactKind.CALLBACK, FactKind.OVERRIDE)


@PATIENT
@given(some_facts(dated=True, kinds=WINDOW), st.integers(-400, 400))
def test_until_is_the_first_moment_at_which_the_same_question_is_allowed(facts: list[Fact], steps: int) -> None:
    now = NOW + steps * 900
    decision = ask(facts, now)
    if decision.reason is not Reason.CALLED_RECENTLY:
        return
    assert decision.until is not None
    assert decision.until > now
    assert ask(facts, decision.until).reason is not Reason.CALLED_RECENTLY
    for share in (0.25, 0.5, 0.999):
        assert ask(facts, now + share * (decision.until - now)).reason is Reason.CALLED_RECENTLY
    assert ask(facts, decision.until - 0.5).reason is Reason.CALLED_RECENTLY


@PATIENT
@given(some_facts(), TIMES, some_number(), st.booleans(), st.booleans())
def test_an_override_changes_nothing_but_the_window(
    facts: list[Fact], now: float | None, number: Number, on_list: bool, owed: bool
) -> None:
    without = decide(number, facts, RULES, now, on_list=on_list, owed=owed)
    with_it = decide(number, facts, RULES, now, on_list=on_list, owed=owed, override=True)
    if without.overridable:
        assert with_it.reason is Reason.OVERRIDDEN
    else:
        assert with_it == without


@PATIENT
@given(some_facts(), TIMES, FLAGS, some_number())
def test_a_decision_is_coherent(facts: list[Fact], now: float | None, flags: dict[str, bool], number: Number) -> None:
    decision = decide(number, facts, RULES, now, **flags)
    dated = [one.at for one in decision.evidence if one.at is not None]
    assert dated == sorted(dated, reverse=True)
    assert not (decision.never and (decision.overridable or decision.until is not None))
    assert decision.overridable == (decision.reason is Reason.CALLED_RECENTLY)
    looked = [reason for reason in decision.considered if reason is not Reason.CALLED_RECENTLY]
    assert decision.reason in (*looked, Reason.CALLED_RECENTLY, Reason.OVERRIDDEN)
