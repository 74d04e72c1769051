"""The guard at the very moment: where a window, a counter or a callback ends, and where one of them has no date."""

import uuid

import pytest

from firmware.known import Fact, FactKind, Rules
from firmware.numbers import parse
from firmware.redial import Reason, Verdict, decide
from firmware.rulebook import Rulebook
from firmware.rulepack import Counter, Head, Pack, Words

NUMBER = parse("03-1234-5601")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
NOON = 1772506800.0  # Tuesday, 3 March 2026, noon in Tokyo
LAW = Words(ja="法", en="law")
HEAD = Head(id="own", version="1", region="JP", purpose="sales", law=LAW, verified=True)
OPEN_HOUSE = Rules(
    sample_allowed=True,
    min_gap_any=0,
    min_gap_after_talk=0,
    min_gap_unanswered=0,
    max_per_day=99,
    max_unanswered_per_day=99,
)
HOUSE = Rules(sample_allowed=True)


def fact(kind, at, **more):
    return Fact(str(uuid.uuid4()), kind, NUMBER.key, at, "2", "OP07", **more)


def dial(at, **more):
    return fact(FactKind.ATTEMPT, at, **more)


def talk(at, **more):
    return fact(FactKind.CONTACT, at, note="talk", **more)


def ask(*facts, house=HOUSE, counter=None, now=NOON, **more):
    packs = () if counter is None else (Pack(pack=HEAD, frequency=(counter,)),)
    return decide(NUMBER, facts, Rulebook(house, packs), now, **more)


ONE = Counter(id="one", max=1, window="7d")
REST = Counter(id="rest", after="conversation", window="7d", first_day_counts=True, consent="24h")


def counted(*facts, counter, **more):
    return ask(*facts, counter=counter, house=OPEN_HOUSE, **more)


def test_a_counted_call_without_a_date_blocks_and_nobody_knows_until_when():
    for counter, known in ((ONE, dial(None)), (REST, talk(None))):
        decision = counted(known, counter=counter)
        assert (decision.verdict, decision.until, decision.evidence) == (Verdict.BLOCK, None, (known,))


def test_a_counter_ends_at_its_moment():
    assert counted(dial(NOON - 7 * DAY), counter=ONE).verdict is Verdict.ALLOW
    assert counted(dial(NOON - 7 * DAY + 1), counter=ONE).until == NOON + 1


def test_a_rest_shows_the_last_conversation_only():
    newest = talk(NOON - DAY)
    assert counted(talk(NOON - 3 * DAY), newest, counter=REST).evidence == (newest,)


def test_a_consent_to_be_called_lets_one_call_pass_from_its_time_until_it_lapses():
    spoken = talk(NOON - DAY, call="a")
    asked = fact(FactKind.CALLBACK, NOON - DAY, due=NOON - HOUR, call="a")
    assert counted(spoken, asked, counter=REST, now=NOON - HOUR).verdict is Verdict.ALLOW
    assert counted(spoken, asked, counter=REST, now=NOON - 1).verdict is Verdict.ALLOW
    lapsed = counted(spoken, asked, counter=REST)
    assert (lapsed.reason, lapsed.until) == (Reason.AFTER_TALK, 1772982000.0)
    assert lapsed.until > NOON, "never a moment that has gone by"
    used = dial(NOON - HOUR)
    assert counted(spoken, asked, used, counter=REST, now=NOON - HOUR).reason is Reason.AFTER_TALK


def test_where_the_house_leaves_no_gap_there_is_none():
    just_now = fact(FactKind.CONTACT, NOON - 0.5)
    assert ask(just_now, house=OPEN_HOUSE).verdict is Verdict.ALLOW


def test_an_override_of_the_very_moment_of_a_call_was_for_that_call():
    assert ask(dial(NOON - MINUTE), fact(FactKind.OVERRIDE, NOON - MINUTE)).reason is Reason.CALLED_RECENTLY
    assert ask(dial(NOON - MINUTE), fact(FactKind.OVERRIDE, NOON - MINUTE + 1)).reason is Reason.OVERRIDDEN


def test_an_override_dated_ahead_of_a_clock_put_back_opens_then():
    decision = ask(talk(NOON - MINUTE), fact(FactKind.OVERRIDE, NOON + 600))
    assert (decision.reason, decision.until) == (Reason.CALLED_RECENTLY, NOON + 600)


def test_an_override_that_has_lapsed_is_no_moment_to_wait_for():
    spoken = talk(NOON - 2 * HOUR)
    decision = ask(spoken, fact(FactKind.OVERRIDE, NOON - HOUR))
    assert decision.until == NOON - 2 * HOUR + DAY


@pytest.mark.parametrize(("late", "reason"), [(-1.0, Reason.FREE), (0.0, Reason.CALLED_RECENTLY)])
def test_a_callback_lapses_at_its_moment(late, reason):
    house = Rules(sample_allowed=True, min_gap_unanswered=30 * DAY)
    wish = fact(FactKind.CALLBACK, NOON - 5 * DAY, due=NOON - 3 * DAY)
    assert ask(dial(NOON - 5 * DAY), wish, house=house, now=NOON + late).reason is reason


def test_a_callback_of_unknown_date_is_outlived_by_any_talk_that_is_not_its_own():
    wish = fact(FactKind.CALLBACK, None, due=NOON - 10, call="a")
    own = talk(NOON - HOUR, call="a")
    assert ask(own, wish).verdict is Verdict.ALLOW
    assert ask(talk(NOON - HOUR, call="b"), wish).reason is Reason.CALLED_RECENTLY


def test_what_is_a_day_old_is_no_evidence_any_more():
    old, new = dial(NOON - DAY), dial(NOON - MINUTE)
    assert ask(old, new).evidence == (new,)
    nearly = dial(NOON - DAY + 1)
    assert ask(nearly, new).evidence == (new, nearly)


def test_only_a_callback_is_a_wish_to_be_called():
    consent = fact(FactKind.CONSENT, NOON - HOUR, due=NOON - MINUTE)
    assert counted(talk(NOON - DAY), consent, counter=REST).reason is Reason.AFTER_TALK
    wish = fact(FactKind.CALLBACK, NOON - HOUR, due=NOON - MINUTE)
    assert counted(talk(NOON - DAY), wish, counter=REST).verdict is Verdict.ALLOW
    undated = fact(FactKind.CALLBACK, None, due=NOON - MINUTE)
    assert counted(talk(NOON - DAY), undated, counter=REST).reason is Reason.AFTER_TALK
