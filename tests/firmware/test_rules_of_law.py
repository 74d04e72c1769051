"""Golden cases: one for each calling rule that the packs are made from, with its source in the test's name."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from firmware import results, rulepack
from firmware.known import Fact, FactKind, Rules
from firmware.numbers import parse
from firmware.redial import Callee, Decision, Listing, Reason, Verdict, decide
from firmware.results import facts_of
from firmware.rulebook import Rulebook

NUMBER = parse("03-1234-5601")
HOME = {"JP": "Asia/Tokyo", "US": "America/New_York", "FR": "Europe/Paris", "DE": "Europe/Berlin"} | {
    "GB": "Europe/London",
    "AU": "Australia/Sydney",
}
OPEN_HOUSE = Rules(
    sample_allowed=True,
    min_gap_any=0,
    min_gap_after_talk=0,
    min_gap_unanswered=0,
    max_per_day=99,
    max_unanswered_per_day=99,
)
"""A house that leaves everything to the pack."""


def at(text, pack="jp-sales"):
    """A moment by the callee's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=zone(pack)).timestamp()


def zone(pack):
    return ZoneInfo(HOME[rulepack.shipped()[pack].pack.region])


def ask(pack, when, *facts, house=OPEN_HOUSE, zones=None, registers=None, text="03-1234-5601", kin=(), **more):
    book = Rulebook(house, tuple(rulepack.shipped()[name] for name in pack.split("+")), **more)
    fresh = {name: Listing(when, listed=False) for name in book.registers}
    home = HOME[book.packs[0].pack.region]
    callee = Callee(zones or (home,), tuple(kin), fresh | (registers or {}))
    return decide(parse(text), facts, book, when, callee=callee)


def fact(kind, when, **more):
    return Fact(str(uuid.uuid4()), kind, NUMBER.key, when, "2", "OP07", **more)


def dial(when, note=None):
    call = str(uuid.uuid4())
    made = [fact(FactKind.ATTEMPT, when, call=call)]
    return made if note is None else [*made, fact(FactKind.CONTACT, when, call=call, note=note)]


def consent(when, **more):
    return fact(FactKind.CONSENT, when, note="letter of 1 March", **more)


def free(decision):
    return decision.verdict is Verdict.ALLOW


def blocked(decision: Decision, reason, until=None, rule=None):
    assert (decision.verdict, decision.reason) == (Verdict.BLOCK, reason)
    assert decision.until == until
    assert not decision.overridable
    assert rule is None or decision.rule.rule == rule
    return True


NOON = "2026-03-03T12:00"  # a Tuesday that is a holiday nowhere


def test_jp_1_specified_commercial_transactions_act_art_16_four_items_are_said_first():
    told = rulepack.shipped()["jp-sales"].disclosure
    assert told.opening == ("company", "agent", "goods", "purpose")
    assert Rulebook(packs=(rulepack.shipped()["jp-sales"],)).opening[:4] == told.opening


def test_jp_2_specified_commercial_transactions_act_art_17_no_re_solicitation():
    refusal = fact(FactKind.REFUSAL, at("2020-03-03T12:00"), result="REF")
    decision = ask("jp-sales", at(NOON), refusal)
    assert blocked(decision, Reason.REFUSED)
    assert decision.never
    assert decision.evidence == (refusal,)
    assert "17" in decision.rule.source.ja
    assert "17" in decision.rule.source.en


def test_jp_2_specified_commercial_transactions_act_art_17_another_product_is_another_matter():
    refusal = fact(FactKind.REFUSAL, at("2026-03-01T12:00"), product="water")
    assert ask("jp-sales", at(NOON), refusal, product="water").reason is Reason.REFUSED
    assert free(ask("jp-sales", at(NOON), refusal, product="roofs"))
    assert ask("jp-sales", at(NOON), refusal).reason is Reason.REFUSED, "nobody knows what is offered"
    told_of_nothing = replace(refusal, product="")
    assert ask("jp-sales", at(NOON), told_of_nothing, product="roofs").reason is Reason.REFUSED
    never = fact(FactKind.DO_NOT_CALL, at("2026-03-01T12:00"), product="water")
    assert ask("jp-sales", at(NOON), never, product="roofs").reason is Reason.DO_NOT_CALL


def test_jp_3_consumer_agency_guidance_what_is_said_as_a_refusal_bars_at_once():
    refusal = fact(FactKind.REFUSAL, at(NOON), result="REFT")
    assert ask("jp-sales", at(NOON) + 1, refusal).reason is Reason.REFUSED


def test_jp_4_reading_of_art_17_three_wordless_hang_ups_are_an_implied_refusal():
    hang_ups = [fact(FactKind.COUNTED, at(NOON) - days * 86400, result="GACHA0") for days in (9, 20, 30)]
    assert free(ask("jp-sales", at(NOON), *hang_ups[:2]))
    decision = ask("jp-sales", at(NOON), *hang_ups)
    assert blocked(decision, Reason.REFUSED, rule="refusal")
    assert "黙示" in decision.rule.source.ja


def test_jp_5_company_as_a_whole_another_operator_or_booth_does_not_cure_it():
    refusal = replace(fact(FactKind.REFUSAL, at("2026-03-01T12:00")), booth="9", agent="OP99")
    assert ask("jp-sales", at(NOON), refusal).reason is Reason.REFUSED


def test_jp_6_ministry_guideline_a_refusal_holds_until_a_supervisor_lifts_it():
    refusal = fact(FactKind.REFUSAL, at("2016-03-01T12:00"))
    assert ask("jp-sales", at(NOON), refusal).never
    assert free(ask("jp-sales", at(NOON), refusal, fact(FactKind.LIFT, at("2026-03-02T12:00"))))


def test_jp_7_act_on_specified_commercial_transactions_covers_consumers_the_pack_says_so():
    assert rulepack.shipped()["jp-sales"].pack.party == "consumer"
    assert rulepack.shipped()["jp-notice"].pack.party == "any"


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ("2026-03-03T08:59", "2026-03-03T09:00"),
        ("2026-03-03T20:00", "2026-03-04T09:00"),
        ("2026-03-06T20:00", "2026-03-09T09:00"),  # Friday evening
        ("2026-03-20T12:00", "2026-03-23T09:00"),  # the equinox, a Friday
        ("2026-05-02T12:00", "2026-05-07T09:00"),  # the golden week with its substitute holiday
        ("2026-12-31T20:00", "2027-01-04T09:00"),  # the year's end: Friday is New Year, then a weekend
    ],
)
def test_jp_8_circular_on_the_act_and_house_hours(when, opens):
    assert blocked(ask("jp-sales", at(when)), Reason.OUTSIDE_HOURS, at(opens), "hours")


@pytest.mark.parametrize("when", ["2026-03-03T09:00", "2026-03-03T19:59"])
def test_jp_8_circular_on_the_act_within_hours(when):
    assert free(ask("jp-sales", at(when)))


def test_jp_8_ordinance_on_money_lending_art_19_collection_from_8_to_21():
    assert free(ask("jp-collection", at("2026-03-01T08:00")))
    assert blocked(ask("jp-collection", at("2026-03-01T21:00")), Reason.OUTSIDE_HOURS, at("2026-03-02T08:00"))


def test_jp_11_no_national_register_but_one_can_be_asked():
    assert rulepack.shipped()["jp-sales"].register.names == ()
    own = rulepack.parse(rulepack.text_of("jp-sales") + '\n[register]\nnames = ["bar-association"]\n')
    callee = Callee(registers={"bar-association": Listing(at(NOON), listed=True)})
    decision = decide(NUMBER, [], Rulebook(OPEN_HOUSE, (own,)), at(NOON), callee=callee)
    assert blocked(decision, Reason.REGISTERED)


def test_jp_12_lenders_practice_three_calls_a_day_and_the_pack_is_off_until_named_as_unverified():
    calls = [one for hour in (9, 11, 13) for one in dial(at(f"2026-03-03T{hour:02}:00"))]
    assert free(ask("jp-collection", at("2026-03-03T15:00"), *calls[:2]))
    decision = ask("jp-collection", at("2026-03-03T15:00"), *calls)
    assert blocked(decision, Reason.TOO_OFTEN, at("2026-03-04T09:00"), "per-day")
    with pytest.raises(rulepack.RulePackError, match="have not been checked"):
        rulepack.chosen(["jp-collection"])
    assert rulepack.chosen(["jp-collection"], ["jp-collection"])


def test_jp_13_personal_information_act_art_21_recording_after_notice():
    assert Rulebook(packs=(rulepack.shipped()["jp-sales"],)).recording == "notice"


def test_us_1_47_cfr_64_1200_c_1_hours_where_the_called_party_is():
    here = {"zones": ("America/Los_Angeles",)}
    eight_in_new_york = at("2026-03-03T08:00", "us-sales")
    decision = ask("us-sales", eight_in_new_york, **here)
    assert blocked(decision, Reason.OUTSIDE_HOURS, eight_in_new_york + 3 * 3600)
    assert free(ask("us-sales", eight_in_new_york + 3 * 3600, **here))


def test_us_1_47_cfr_64_1200_c_1_unknown_zone_means_all_of_them():
    everywhere = ("America/New_York", "America/Los_Angeles", "Pacific/Honolulu")
    morning = at("2026-01-06T09:00", "us-sales")
    decision = ask("us-sales", morning, zones=everywhere)
    honolulu = datetime(2026, 1, 6, 8, tzinfo=ZoneInfo("Pacific/Honolulu")).timestamp()
    assert blocked(decision, Reason.OUTSIDE_HOURS, honolulu)
    assert free(ask("us-sales", honolulu, zones=everywhere))
    assert ask("us-sales", at("2026-01-06T21:00", "us-sales"), zones=everywhere).reason is Reason.OUTSIDE_HOURS


def test_us_2_47_cfr_64_1200_c_2_registry_copy_at_most_31_days_old():
    now = at(NOON, "us-sales")
    listed, fresh = Listing(now - 86400, listed=True), Listing(now - 30 * 86400, listed=False)
    assert blocked(ask("us-sales", now, registers={"us-dnc": listed}), Reason.REGISTERED)
    assert free(ask("us-sales", now, registers={"us-dnc": fresh}))
    old = Listing(now - 31 * 86400, listed=False)
    assert blocked(ask("us-sales", now, registers={"us-dnc": old}), Reason.REGISTER_STALE)
    assert free(ask("us-sales", now, consent(now - 86400), registers={"us-dnc": listed}))


def test_us_2_47_cfr_64_1200_d_company_list_holds_at_once_for_every_product():
    now = at(NOON, "us-sales")
    asked = fact(FactKind.REFUSAL, now - 1, product="water")
    assert ask("us-sales", now, asked, product="roofs").reason is Reason.REFUSED


def test_us_3_47_cfr_64_1200_d_4_three_items_are_said():
    assert rulepack.shipped()["us-sales"].disclosure.opening == ("agent", "company", "return-number")


def test_us_4_regulation_f_12_cfr_1006_14_b_2_i_a_seven_calls_in_seven_days():
    now = at("2026-03-10T15:00", "us-regf")
    calls = [one for hours in range(1, 8) for one in dial(now - hours * 20 * 3600)]
    assert free(ask("us-regf", now, *calls[:6]))
    decision = ask("us-regf", now, *calls)
    oldest = now - 140 * 3600
    assert blocked(decision, Reason.TOO_OFTEN, at("2026-03-11T19:00", "us-regf"), "7in7")
    assert oldest + 7 * 86400 == at("2026-03-11T19:00", "us-regf")
    assert len(decision.evidence) == 7
    other_numbers = [replace(one, number="+81312345602") for one in calls]
    assert ask("us-regf", now, kin=other_numbers).reason is Reason.TOO_OFTEN, "counted for the person"


def test_us_4_regulation_f_12_cfr_1006_14_b_2_i_b_the_day_of_the_conversation_is_day_1():
    talk = dial(at("2026-03-02T15:00", "us-regf"), "talk")  # a Monday
    sunday = at("2026-03-08T20:00", "us-regf")
    assert blocked(ask("us-regf", sunday, *talk), Reason.AFTER_TALK, at("2026-03-09T08:00", "us-regf"), "after-talk")
    assert free(ask("us-regf", at("2026-03-09T08:00", "us-regf"), *talk))


def test_us_4_regulation_f_12_cfr_1006_14_b_2_ii_consent_of_at_most_seven_days_lets_one_call_pass():
    talked = at("2026-03-02T15:00", "us-regf")
    asked = fact(FactKind.CALLBACK, talked, due=at("2026-03-04T15:00", "us-regf"))
    talk = dial(talked, "talk")
    assert ask("us-regf", at("2026-03-04T14:59", "us-regf"), *talk, asked).reason is Reason.AFTER_TALK
    assert free(ask("us-regf", at("2026-03-04T15:00", "us-regf"), *talk, asked))
    used = dial(at("2026-03-04T15:30", "us-regf"))
    assert ask("us-regf", at("2026-03-04T16:00", "us-regf"), *talk, asked, *used).reason is Reason.AFTER_TALK


def test_us_5_ftc_abandoned_calls_cannot_happen_without_a_dialler_every_dial_has_a_hand():
    """The share of abandoned calls is a dialler's; what a manual booth can do wrong is held back by UK-1's counter."""
    assert {counter.after for pack in rulepack.shipped().values() for counter in pack.frequency} >= {"abandoned"}


def test_uk_1_ofcom_persistent_misuse_policy_72_hours_after_an_abandoned_call():
    dropped = dial(at("2026-03-03T10:00", "uk-sales"), "abandoned")
    decision = ask("uk-sales", at("2026-03-05T12:00", "uk-sales"), *dropped)
    assert blocked(decision, Reason.AFTER_ABANDONED, at("2026-03-06T10:00", "uk-sales"), "after-abandoned")
    assert free(ask("uk-sales", at("2026-03-06T10:00", "uk-sales"), *dropped))


def test_uk_2_pecr_reg_21_tps_numbers_are_called_with_consent_only():
    now = at(NOON, "uk-sales")
    tps = {"tps": Listing(now, listed=True)}
    assert blocked(ask("uk-sales", now, registers=tps), Reason.REGISTERED, rule="register tps")
    assert free(ask("uk-sales", now, consent(now - 1), registers=tps))
    assert ask("uk-sales", now, consent(now - 9), fact(FactKind.WITHDRAWAL, now - 1), registers=tps).reason is (
        Reason.REGISTERED
    )
    assert not rulepack.shipped()["uk-sales"].pack.verified


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ("2026-03-03T09:59", "2026-03-03T10:00"),
        ("2026-03-03T13:00", "2026-03-03T14:00"),
        ("2026-03-03T20:00", "2026-03-04T10:00"),
        ("2026-03-07T12:00", "2026-03-09T10:00"),  # a Saturday
        ("2026-07-14T12:00", "2026-07-15T10:00"),  # the national day, a Tuesday
    ],
)
def test_fr_1_decree_2022_1313_hours(when, opens):
    assert blocked(ask("fr-sales", at(when, "fr-sales")), Reason.OUTSIDE_HOURS, at(opens, "fr-sales"))


def test_fr_1_decree_2022_1313_four_attempts_in_thirty_days():
    now = at("2026-03-31T11:00", "fr-sales")
    calls = [one for days in (1, 5, 9, 29) for one in dial(now - days * 86400)]
    assert free(ask("fr-sales", now, *calls[:3]))
    # The first of them leaves the window on the morning of the next day, at 11:00 by the clock of UTC.
    assert blocked(ask("fr-sales", now, *calls), Reason.TOO_OFTEN, now + 86400, "4in30")


def test_fr_1_decree_2022_1313_an_implied_refusal_holds_sixty_days():
    implied = fact(FactKind.REFUSAL, at(NOON, "fr-sales"), note="implied")
    decision = ask("fr-sales", at("2026-04-03T12:00", "fr-sales"), implied)
    # Sixty days later it is summer time, an hour later by the clock; that is a Saturday, and Monday opens at ten.
    assert blocked(decision, Reason.REFUSED, at("2026-05-04T10:00", "fr-sales"))
    assert not decision.never


def test_fr_2_law_2025_594_consent_from_11_august_2026():
    before, after = at("2026-08-10T19:59", "fr-sales"), at("2026-08-11T10:00", "fr-sales")
    assert free(ask("fr-sales", before))
    assert blocked(ask("fr-sales", after), Reason.NO_CONSENT, rule="consent")
    assert free(ask("fr-sales", after, consent(before)))
    assert ask("fr-sales", after, consent(before, due=after - 1)).reason is Reason.NO_CONSENT
    refusal = fact(FactKind.REFUSAL, after, result="REF")
    assert ask("fr-sales", after + 10 * 86400, consent(before), refusal).never, "never again after an objection"


def test_de_1_uwg_sections_7_and_7a_express_consent():
    now = at(NOON, "de-sales")
    assert blocked(ask("de-sales", now), Reason.NO_CONSENT)
    assert free(ask("de-sales", now, consent(now - 86400)))
    assert free(ask("de-sales", now, consent(None))), "a consent of unknown date is a consent"
    assert ask("de-sales", now, consent(now - 9), fact(FactKind.WITHDRAWAL, None)).reason is Reason.NO_CONSENT


def test_de_1_stgb_section_201_nothing_is_recorded_until_all_agree():
    assert Rulebook(packs=(rulepack.shipped()["de-sales"],)).recording == "all-party"


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ("2026-03-03T20:00", "2026-03-04T09:00"),
        ("2026-03-07T17:00", "2026-03-09T09:00"),  # Saturday evening
        ("2026-01-26T12:00", "2026-01-27T09:00"),  # Australia Day, a Monday
    ],
)
def test_au_1_industry_standard_2017_hours(when, opens):
    assert blocked(ask("au-sales", at(when, "au-sales")), Reason.OUTSIDE_HOURS, at(opens, "au-sales"))


def test_au_1_industry_standard_2017_saturday_until_17():
    assert free(ask("au-sales", at("2026-03-07T16:59", "au-sales")))


def test_au_1_industry_standard_2017_the_number_is_shown_and_reachable():
    pack = rulepack.shipped()["au-sales"]
    assert "return-number" in pack.disclosure.opening
    assert pack.cli.bar_prefix == ("1831",)


def test_cli_house_rule_184_is_barred_and_186_is_not():
    assert blocked(ask("jp-sales", at(NOON), text="184-03-1234-5601"), Reason.NUMBER_HIDDEN, rule="cli")
    assert free(ask("jp-sales", at(NOON), text="186-03-1234-5601"))
    assert decide(parse("184119"), [], Rulebook(packs=tuple(rulepack.shipped().values()))).reason is Reason.EMERGENCY


def test_cli_a_pack_may_have_the_number_shown_at_every_dial():
    wanted = rulepack.parse(rulepack.text_of("jp-sales").replace("[cli]", '[cli]\nforce_prefix = "186"'))
    book = Rulebook(packs=(wanted,))
    assert book.dialled(NUMBER) == "1860312345601"
    assert book.dialled(parse("186-03-1234-5601")) == "1860312345601"
    assert [book.dialled(parse(text)) for text in ("119", "184110", "#7119")] == ["119", "184110", "#7119"]


def test_two_packs_the_stricter_holds():
    late, evening = at("2026-03-03T20:30"), at("2026-03-04T09:00")
    assert free(ask("jp-collection", late))
    assert blocked(ask("jp-collection+jp-sales", late), Reason.OUTSIDE_HOURS, evening)
    assert blocked(ask("jp-sales+jp-collection", late), Reason.OUTSIDE_HOURS, evening)
    both = Rulebook(packs=(rulepack.shipped()["jp-sales"], rulepack.shipped()["de-sales"]))
    assert both.recording == "all-party"
    assert both.terms.product == "", "one of them lets a refusal hold for all products"


def test_callback_that_was_asked_for_lifts_the_window_for_one_attempt_and_no_law():
    talked = at(NOON)
    asked = fact(FactKind.CALLBACK, talked, due=talked + 3600)
    house = Rules(sample_allowed=True)
    assert ask("jp-sales", talked + 1800, *dial(talked, "talk"), asked, house=house).reason is Reason.CALLED_RECENTLY
    assert free(ask("jp-sales", talked + 3600, *dial(talked, "talk"), asked, house=house))
    evening = fact(FactKind.CALLBACK, talked, due=at("2026-03-03T20:30"))
    decision = ask("jp-sales", at("2026-03-03T20:30"), *dial(talked, "talk"), evening, house=house)
    assert blocked(decision, Reason.OUTSIDE_HOURS, at("2026-03-04T09:00"))
    four = [one for days in (1, 2, 3, 4) for one in dial(at("2026-03-31T11:00", "fr-sales") - days * 86400)]
    wish = fact(FactKind.CALLBACK, four[0].at, due=at("2026-03-31T10:30", "fr-sales"))
    assert ask("fr-sales", at("2026-03-31T11:00", "fr-sales"), *four, wish).reason is Reason.TOO_OFTEN


def test_campaign_cap_counts_dials_of_the_person_for_the_product():
    calls = [replace(one, product="water") for days in (3, 2) for one in dial(at(NOON) - days * 86400)]
    assert free(ask("jp-sales", at(NOON), *calls, product="water", attempts=3))
    assert blocked(ask("jp-sales", at(NOON), *calls, product="water", attempts=2), Reason.CAMPAIGN_FULL)
    assert free(ask("jp-sales", at(NOON), *calls, product="roofs", attempts=2))
    assert ask("jp-sales", at(NOON), *calls[1:], kin=calls[:1], attempts=2).reason is Reason.CAMPAIGN_FULL


def test_until_is_the_first_moment_at_which_nothing_blocks():
    house = Rules(sample_allowed=True)
    friday = at("2026-03-06T15:00")
    decision = ask("jp-sales", friday + 60, *dial(friday, "talk"), house=house)
    assert (decision.reason, decision.overridable) == (Reason.CALLED_RECENTLY, True)
    assert decision.until == at("2026-03-09T09:00"), "the window ends on Saturday, Monday is the first open day"


def test_an_unknown_time_blocks_where_hours_matter_and_a_known_refusal_still_says_so():
    book = Rulebook(OPEN_HOUSE, (rulepack.shipped()["fr-sales"],))
    assert decide(NUMBER, [], book, None).reason is Reason.TIME_UNKNOWN
    assert decide(NUMBER, [fact(FactKind.REFUSAL, 5.0, note="implied")], book, None).reason is Reason.REFUSED


def test_daylight_saving_hours_follow_the_clock_on_the_wall():
    """Summer time began on 29 March 2026 in Paris: 10:00 on Monday is 8:00 UTC, on the Friday before it was 9:00."""
    friday, monday = at("2026-03-27T10:00", "fr-sales"), at("2026-03-30T10:00", "fr-sales")
    assert monday - friday == timedelta(days=3).total_seconds() - 3600
    assert blocked(ask("fr-sales", monday - 1), Reason.OUTSIDE_HOURS, monday)
    assert free(ask("fr-sales", monday))


def test_jp_10_order_of_2023_a_refusal_on_a_call_that_came_in_is_a_refusal():
    """Calls that advertising has brought in count as solicitation when other goods are offered on them."""
    call = str(uuid.uuid4())
    kinds = dict(facts_of(results.load().by_code("REF")))
    came_in = [fact(kind, at("2026-03-01T12:00"), call=call, note=note) for kind, note in kinds.items()]
    assert FactKind.ATTEMPT not in kinds
    assert ask("jp-sales", at(NOON), *came_in).reason is Reason.REFUSED


def test_jp_14_osakas_plan_an_anti_sales_greeting_is_an_implied_refusal_by_its_attributes():
    assert dict(facts_of(results.load().by_code("ANTI")))[FactKind.REFUSAL] == "implied"
