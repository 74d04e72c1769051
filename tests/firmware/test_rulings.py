"""A verdict names its rule whole: the pack, the rule in it, where it stands in the law, and its figures."""

import uuid

import pytest

from firmware import rulepack
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
    lasting = fact(FactKind.CONSENT, NOON - DAY)
    assert ask(wanted, lasting, fact(FactKind.WITHDRAWAL, NOON - DAY - 1)).verdict is Verdict.ALLOW
    assert ask(wanted, lasting, fact(FactKind.WITHDRAWAL, NOON - DAY)).reason is Reason.NO_CONSENT


def test_what_is_no_pack_rule_blocks_all_the_same():
    assert ask([], house=Rules()).verdict is Verdict.BLOCK
    owed = ask([], owed=True)
    assert (owed.verdict, owed.reason) == (Verdict.BLOCK, Reason.RESULT_OWED)
