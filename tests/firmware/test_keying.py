"""Keying: every digit is compared with the list, and an emergency number needs no list."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware import emergency
from firmware.keying import HELP, LONGEST, REASONS, Keying
from firmware.numbers import Kind
from firmware.redial import Decision, Reason, Verdict
from firmware.screens.words import DIAL_REASONS

TOLL_FREE = Decision(Verdict.WARN, Reason.TOLL_FREE)
OFF_LIST = Decision(Verdict.WARN, Reason.OFF_LIST)


@pytest.fixture
def books(stage):
    stage.add_list()
    made = stage.books()
    yield made
    made.close()


@pytest.fixture
def keying(books):
    made = Keying(books, "JP", "03", confirmed=False)
    made.start(None)
    return made


def key(keying, digits):
    for digit in digits:
        keying.add(digit)
    return keying.body()


def test_each_digit_narrows_the_list(keying):
    assert len(key(keying, "03").matches) == 3
    assert [match.number.dialled for match in key(keying, "12345601").matches] == ["0312345601"]
    assert keying.body().match.kind == "customer"
    keying.erase()
    assert len(keying.body().matches) > 1


def test_the_previous_customer_is_pointed_out(keying, books):
    keying.previous = books.by_number("+81312345601")
    assert key(keying, "0312345601").match.kind == "previous"


def test_one_digit_off_the_shown_customer(keying, books):
    shown = books.by_number("+81312345601")
    keying.start(shown)
    body = key(keying, "0322345601")
    assert (body.match.kind, body.match.customer, body.match.wrong) == ("near", shown, 2)
    for slip in ("03123456011", "031234561", "0312345610", "0312435601"):  # one too many, one missing, two swapped
        keying.start(shown)
        assert key(keying, slip).match.kind in {"near", "other"}
    keying.start(shown)
    match = key(keying, "0322345699").match  # two off
    assert (match.kind, match.wrong, keying.first_match) == ("off-list", None, None)


def test_a_wrong_digit_is_pointed_out_at_its_own_key(keying, books):
    shown = books.by_number("+81312345601")
    keying.start(shown)
    assert key(keying, "0312").match.kind == "customer"
    body = key(keying, "9")
    assert (body.match.kind, body.match.customer, body.match.wrong) == ("wrong", shown, 4)
    assert keying.first_match == shown
    keying.erase()
    assert (keying.body().match.kind, keying.body().match.wrong) == ("customer", None)


def test_a_prefix_is_no_wrong_digit_and_is_counted(keying, books):
    keying.start(books.by_number("+81312345601"))
    assert key(keying, "1840312").match.kind == "customer"
    assert key(keying, "9").match.wrong == 7


def test_another_customer_than_the_shown_one_is_named(keying, books):
    shown, other = books.by_number("+81312345601"), books.by_number("+81312345602")
    keying.start(shown)
    body = key(keying, "0312345602")
    assert (body.match.kind, body.match.customer, body.match.wrong) == ("other", other, 9)
    assert keying.first_match == keying.target().customer == other
    keying.start(None)
    assert key(keying, "0312345602").match.kind == "customer"


def test_the_shown_one_of_two_with_one_number_is_meant(keying, books, stage):
    shown = books.by_number("+81312345601")
    stage.add_list()
    assert books.by_number("+81312345601") != shown
    keying.start(shown)
    assert key(keying, "0312345601").match.kind == "customer"
    assert keying.target().customer == shown


def test_nobody_was_shown_but_one_digit_is_off_somebody_on_a_list(keying):
    match = key(keying, "0312345691").match
    assert match.kind == "near"
    assert match.customer.number.dialled[match.wrong] != "0312345691"[match.wrong]


def test_a_number_off_the_lists_wants_a_reason(keying):
    key(keying, "0312345699")
    keying.warn(OFF_LIST)
    assert (keying.reason_wanted, keying.warned) == (True, False)
    assert not keying.give_reason("7")
    assert not keying.warned
    assert keying.give_reason("3")
    assert keying.warned
    assert keying.take_reason() == "off-list-missed"
    assert (keying.warned, keying.take_reason()) == (False, "")  # it was for one question


def test_a_last_digit_may_be_missing_once_a_was_pressed(keying, books):
    shown = books.by_number("+81312345601")
    keying.start(shown)
    assert key(keying, "031234560").match.kind == "customer"
    keying.warn(OFF_LIST)  # as where numbers have no fixed length
    assert (keying.body().match.kind, keying.body().match.wrong) == ("near", None)


def test_every_reason_has_its_words():
    assert set(REASONS) == set(DIAL_REASONS)


def test_before_the_first_digit_nobody_is_meant(keying):
    assert (keying.target(), keying.first_match) == (None, None)


@pytest.mark.parametrize("digits", ["110", "118", "119", "184119", "186110"])
def test_an_emergency_number_is_nobody_on_the_list(keying, digits):
    body = key(keying, digits)
    assert body.emergency_number
    target = keying.target()
    assert (target.number.kind, target.customer) == (Kind.EMERGENCY, None)


def test_a_warning_lasts_as_long_as_the_digits_it_is_about(keying):
    for change in (lambda: keying.add("1"), keying.erase, keying.erase_all, lambda: keying.start(None)):
        key(keying, "0312345699")
        for warning in (TOLL_FREE, OFF_LIST):
            keying.warn(warning)
            assert (keying.warned, keying.reason_wanted) == (warning is TOLL_FREE, warning is OFF_LIST)
        change()
        assert not keying.warned
        assert not keying.reason_wanted


def test_the_emergency_keypad_compares_nothing_and_gives_back_what_lay_below(keying):
    key(keying, "0312")
    keying.start_emergency()
    body = key(keying, "0312345601")
    assert (body.emergency, body.matches, body.match.kind) == (True, (), "none")
    keying.end_emergency()
    body = keying.body()
    assert (body.digits, body.emergency, len(body.matches)) == ("0312", False, 3)


def test_a_line_that_goes_away_takes_no_digit(keying):
    key(keying, "11")
    keying.only_emergency()
    assert key(keying, "9").emergency_number


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*"0123456789*#", "erase", "emergency", "end"]), max_size=40))
def test_no_keys_break_it(keying, keys):
    keying.start(None)
    for each in keys:
        {"erase": keying.erase, "emergency": keying.start_emergency, "end": keying.end_emergency}.get(
            each, lambda each=each: keying.add(each)
        )()
        body = keying.body()
        assert len(body.digits) <= LONGEST
        assert (keying.target() is None) == (body.digits == "")


def test_no_emergency_number_of_any_country_begins_with_the_key_of_a_reason():
    every = {*emergency.ANYWHERE, *(number for country in emergency.EMERGENCY.values() for number in country)}
    assert {number[0] for number in every} <= HELP
    assert not HELP & REASONS.keys()
