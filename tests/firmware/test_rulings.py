"""A verdict names its rule whole: the pack, the rule in it, where it stands in the law, and its figures."""

import uuid

import pytest

from firmware import rulepack
from firmware.consent import consents
from firmware.known import Fact, FactKind, Rules
from firmware.numbers import Kind, Number, parse
from firmware.redial import Callee, Listing, Reason, Verdict, decide
from firmware.rulebook import Rulebook, Ruling
from firmware.rulepack import Words

NUMBER = parse("03-1234-5601")
DAY = 86400.0
NOON = 1772506800.0  # Tuesday, 3 March 2026, noon in Tokyo
HOUSE = Rules(sample_allowed=True)
LAW = Words(ja="その法律", en="the Act")
OWN = Words(ja="第1条", en="art. 1")
HEAD = rulepack.Head(id="own", version="1", region="JP", purpose="sales", law=LAW, verified=True)


def pack(name="own", **tables):
    return rulepack.Pack(pack=rulepack.Head(**(dict(_fields(HEAD)) | {"id": name})), **tables)


def _fields(head):
    return ((name, getattr(head, name)) for name in head.__dataclass_fields__)


def fact(kind, at, **more):
    return Fact(str(uuid.uuid4()), kind, NUMBER.key, at, "2", "OP07", **more)


def ask(packs, *facts, now=NOON, number=NUMBER, house=HOUSE, callee=None, product="", attempts=0, **more):
    book = Rulebook(house, tuple(packs), product, attempts)
    return decide(number, facts, book, now, callee=callee or Callee(), **more)


def own(source):
    """With a source of its own, and with none: then the pack's law stands."""
    return [(rulepack.NOWHERE, LAW), (source, source)]


@pytest.mark.parametrize(("source", "stands"), own(OWN))
def test_a_counter_names_itself_and_its_figures(source, stands):
    counter = rulepack.Counter(id="two", max=2, window="7d", source=source)
    dials = [fact(FactKind.ATTEMPT, NOON - days * DAY) for days in (2, 3)]
    decision = ask([pack(frequency=(counter,))], *dials)
    assert (decision.reason, decision.rule) == (Reason.TOO_OFTEN, Ruling("own", "two", stands, 2, 7 * DAY))
    assert decision.evidence == tuple(dials)
    rest = rulepack.Counter(id="rest", after="conversation", window="72h", source=source)
    talk = fact(FactKind.CONTACT, NOON - DAY, note="talk")
    decision = ask([pack(frequency=(rest,))], talk)
    assert (decision.reason, decision.rule) == (Reason.AFTER_TALK, Ruling("own", "rest", stands, 0, 3 * DAY))


@pytest.mark.parametrize(("source", "stands"), own(OWN))
def test_hours_consent_prefix_and_register_name_themselves(source, stands):
    cases = {
        Reason.OUTSIDE_HOURS: (pack(hours=rulepack.Hours(source=source)), Ruling("own", "hours", stands)),
        Reason.NO_CONSENT: (
            pack(consent=rulepack.Consent(required=True, source=source)),
            Ruling("own", "consent", stands),
        ),
        Reason.REGISTER_STALE: (
            pack(register=rulepack.Register(names=("tps",), max_age="28d", source=source)),
            Ruling("own", "register tps", stands, span=28 * DAY),
        ),
    }
    for reason, (one, rule) in cases.items():
        decision = ask([one])
        assert (decision.verdict, decision.reason, decision.rule) == (Verdict.BLOCK, reason, rule)
    listed = Callee(registers={"tps": Listing(NOON, listed=True)})
    decision = ask([cases[Reason.REGISTER_STALE][0]], callee=listed)
    assert (decision.reason, decision.rule) == (Reason.REGISTERED, cases[Reason.REGISTER_STALE][1])
    hidden = Number("1840312345601", NUMBER.key, "184 03-1234-5601", Kind.ORDINARY, "184")
    decision = ask([pack(cli=rulepack.Cli(bar_prefix=("184",), source=source))], number=hidden)
    assert (decision.reason, decision.rule) == (Reason.NUMBER_HIDDEN, Ruling("own", "cli", stands))


def test_refusals_name_the_packs_rule_and_the_ladder_its_own():
    told = rulepack.Refusals(source=OWN, gacha_source=Words(ja="解釈", en="a reading"))
    never, said = fact(FactKind.DO_NOT_CALL, NOON - DAY), fact(FactKind.REFUSAL, NOON - DAY)
    hung_up = [fact(FactKind.COUNTED, NOON - days * DAY) for days in (1, 2, 3)]
    assert ask([pack(refusal=told)], never).rule == Ruling("own", "refusal", OWN)
    assert ask([pack(refusal=told)], said).rule == Ruling("own", "refusal", OWN)
    assert ask([pack(refusal=told)], *hung_up).rule == Ruling("own", "refusal", told.gacha_source)
    assert ask([], never).rule is None


def test_a_request_never_to_be_called_lapses_only_where_every_pack_says_so():
    short, longer = (pack(name, refusal=rulepack.Refusals(dnc_days=days)) for name, days in (("a", 3), ("b", 9)))
    never = fact(FactKind.DO_NOT_CALL, NOON)
    assert ask([short], never, now=NOON + 3 * DAY - 1).until == NOON + 3 * DAY
    assert ask([short], never, now=NOON + 3 * DAY).verdict is Verdict.ALLOW
    assert ask([short, longer], never, now=NOON + 3 * DAY).until == NOON + 9 * DAY
    assert ask([short], fact(FactKind.DO_NOT_CALL, None), now=NOON + 3 * DAY).never
    assert ask([short], never, now=None).reason is Reason.DO_NOT_CALL


def test_the_window_names_the_pack_that_narrows_it_and_else_the_house():
    dial = fact(FactKind.ATTEMPT, NOON - 60)
    wide, narrow = pack("wide"), pack("narrow", redial=rulepack.Redial(min_gap_unanswered="2h", source=OWN))
    assert ask([wide], dial).rule is None
    decision = ask([wide, narrow], dial)
    assert (decision.until, decision.rule) == (NOON - 60 + 7200, Ruling("narrow", "redial", OWN))
    passed = ask([wide, narrow], dial, override=True)
    assert (passed.reason, passed.rule, passed.evidence) == (Reason.OVERRIDDEN, decision.rule, (dial,))


def test_of_two_packs_that_are_closed_the_one_that_is_closed_longer_is_named():
    evening, tomorrow = (
        pack(name, hours=rulepack.Hours(all_days=(hours,), source=source))
        for name, hours, source in (("a", "18:00-20:00", OWN), ("b", "09:00-11:00", LAW))
    )
    for packs in ((evening, tomorrow), (tomorrow, evening)):
        decision = ask(packs)
        assert decision.rule.pack == "b"
        assert decision.until is None, "they are never open together"


def test_a_claim_and_the_campaigns_cap_show_their_evidence():
    claim = fact(FactKind.CLAIM, NOON, due=NOON + 60)
    assert ask([], claim).evidence == (claim,)
    dials = [fact(FactKind.ATTEMPT, NOON - days * DAY) for days in (5, 9)]
    assert ask([], *dials, attempts=2).evidence == tuple(dials)


def test_a_consent_is_for_its_product_until_its_day_and_until_it_is_withdrawn():
    wanted = [pack(consent=rulepack.Consent(required=True))]
    consent = fact(FactKind.CONSENT, NOON - DAY, product="water", due=NOON)
    assert ask(wanted, consent, product="water", now=NOON - 1).verdict is Verdict.ALLOW
    assert ask(wanted, consent, product="water").reason is Reason.NO_CONSENT
    assert ask(wanted, consent, product="roofs", now=NOON - 1).reason is Reason.NO_CONSENT
    assert ask(wanted, consent, product="water", now=None).reason is Reason.NO_CONSENT
    assert consents([consent], NOON - 1) == (consent,), "asked about no product, it is one of any"
    lasting = fact(FactKind.CONSENT, NOON - DAY)
    assert ask(wanted, lasting, fact(FactKind.WITHDRAWAL, NOON - DAY - 1)).verdict is Verdict.ALLOW
    assert ask(wanted, lasting, fact(FactKind.WITHDRAWAL, NOON - DAY)).reason is Reason.NO_CONSENT


def test_what_is_no_pack_rule_blocks_all_the_same():
    assert ask([], house=Rules()).verdict is Verdict.BLOCK
    owed = ask([], owed=True)
    assert (owed.verdict, owed.reason) == (Verdict.BLOCK, Reason.RESULT_OWED)


def terms(**days):
    return pack(refusal=rulepack.Refusals(**days))


def test_a_refusal_in_words_lapses_where_the_law_has_a_term_and_not_a_moment_sooner():
    said = fact(FactKind.REFUSAL, NOON, result="REF")
    one = [terms(explicit_days=60)]
    assert ask(one, said, now=NOON + 60 * DAY - 1).until == NOON + 60 * DAY
    assert ask(one, said, now=NOON + 60 * DAY).verdict is Verdict.ALLOW
    assert ask(one, said, now=None).reason is Reason.REFUSED
    assert ask(one, fact(FactKind.REFUSAL, NOON, note="implied"), now=NOON + 900 * DAY).never, "no term of its own"
    both = ask([terms(explicit_days=60, implied_days=90)], said, fact(FactKind.REFUSAL, NOON, note="implied"))
    assert (both.until, len(both.evidence)) == (NOON + 90 * DAY, 2)


def test_hang_ups_that_are_a_refusal_lapse_with_the_last_of_them():
    hung_up = [fact(FactKind.COUNTED, NOON - days * DAY) for days in (2, 1, 0)]
    one = [terms(implied_days=30)]
    decision = ask(one, *hung_up, now=NOON + 30 * DAY - 1)
    assert (decision.reason, decision.until, decision.never) == (Reason.REFUSED, NOON + 30 * DAY, False)
    assert ask(one, *hung_up, now=NOON + 30 * DAY).verdict is Verdict.ALLOW
    assert ask(one, *hung_up, now=None).reason is Reason.REFUSED
    assert ask([], *[fact(FactKind.COUNTED, None) for _ in range(3)]).never, "all without a date"
    assert ask([], *[fact(FactKind.COUNTED, None) for _ in range(2)]).verdict is Verdict.ALLOW


def test_of_several_runs_of_hang_ups_the_fullest_is_the_evidence():
    early = [fact(FactKind.COUNTED, NOON - days * DAY) for days in (800, 790, 780)]
    late = [fact(FactKind.COUNTED, NOON - days * DAY) for days in (400, 390, 380, 370)]
    assert ask([], *early, *late).evidence == tuple(reversed(late))
    assert ask([], *late, *early).evidence == tuple(reversed(late))
    decision = ask([terms(implied_days=600)], *early, *late)
    assert (decision.evidence, decision.until) == (tuple(reversed(late)), NOON + 230 * DAY)


def test_when_a_number_is_free_is_told_without_the_supervisors_word():
    shut = pack(hours=rulepack.Hours(all_days=("18:00-20:00",)))
    talk = [fact(FactKind.ATTEMPT, NOON - 60, call="a"), fact(FactKind.CONTACT, NOON - 60, call="a", note="talk")]
    plain, let_pass = ask([shut], *talk), ask([shut], *talk, override=True)
    assert (plain.reason, plain.until) == (Reason.OUTSIDE_HOURS, NOON + DAY + 6 * 3600)
    assert (let_pass.reason, let_pass.until) == (plain.reason, plain.until)


def test_a_pack_that_is_never_open_is_stricter_than_one_that_will_be():
    later, never = pack("later", hours=rulepack.Hours(all_days=("18:00-20:00",))), pack("never", hours=rulepack.Hours())
    for packs in ((later, never), (never, later)):
        decision = ask(packs)
        assert (decision.until, decision.rule.pack) == (None, "never")


def test_the_newest_word_counts_and_one_without_a_date_is_the_oldest():
    """Of two callbacks and of two overrides; both orders of their names, for a name decides among equals."""
    for dated, undated in (("a", "b"), ("b", "a")):
        dial = Fact("z", FactKind.ATTEMPT, NUMBER.key, NOON - 60, "2", "OP07", call="earlier")
        wish = Fact(dated, FactKind.CALLBACK, NUMBER.key, NOON - 50, "2", "OP07", due=NOON - 10)
        old = Fact(undated, FactKind.CALLBACK, NUMBER.key, None, "2", "OP07", due=NOON + 900)
        assert ask([], dial, wish, old).verdict is Verdict.ALLOW
        word = Fact(dated, FactKind.OVERRIDE, NUMBER.key, NOON - 50, "2", "SV")
        lost = Fact(undated, FactKind.OVERRIDE, NUMBER.key, None, "2", "SV")
        assert ask([], dial, word, lost).reason is Reason.OVERRIDDEN


def test_a_callback_that_names_no_call_is_outlived_by_any_talk_since():
    wish = fact(FactKind.CALLBACK, NOON - 7200, due=NOON - 10)
    talk = fact(FactKind.CONTACT, NOON - 3600, note="talk")
    assert ask([], wish, talk).reason is Reason.CALLED_RECENTLY


def test_a_number_on_hold_and_one_that_reaches_nobody_say_different_things():
    held = fact(FactKind.FINAL, NOON - DAY, result="EMERG", note="hold")
    dead = fact(FactKind.FINAL, NOON - DAY, result="DEAD")
    for known, reason in ((held, Reason.ON_HOLD), (dead, Reason.DEAD_NUMBER)):
        decision = ask([], known)
        assert (decision.verdict, decision.reason, decision.never) == (Verdict.BLOCK, reason, True)
        assert (decision.evidence, decision.rule) == ((known,), None)
        assert ask([], known, fact(FactKind.LIFT, NOON - 60)).verdict is Verdict.ALLOW
    both = ask([], held, dead)
    assert (both.reason, both.evidence) == (Reason.DEAD_NUMBER, (dead,))


def test_of_the_persons_other_numbers_refusals_count_and_calls_only_where_the_rule_says_so():
    other = {"number": "+81312345602"}
    dials = [Fact(str(place), FactKind.ATTEMPT, at=NOON - DAY, booth="2", agent="OP07", **other) for place in range(2)]
    kin = Callee(kin=tuple(dials))
    for key, verdict in (("number", Verdict.ALLOW), ("person", Verdict.BLOCK)):
        counter = rulepack.Counter(id="two", max=2, window="7d", key=key)
        assert ask([pack(frequency=(counter,))], callee=kin).verdict is verdict
    refused = Fact("r", FactKind.REFUSAL, at=NOON - DAY, booth="2", agent="OP07", **other)
    lift = fact(FactKind.LIFT, NOON - 60)
    assert ask([], lift, callee=Callee(kin=(refused,))).reason is Reason.REFUSED
