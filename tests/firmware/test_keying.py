"""Keying: every digit is compared with the list, and an emergency number needs no list."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.keying import LONGEST, Keying
from firmware.numbers import Kind
from firmware.redial import Decision, Reason, Verdict

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
    assert (body.match.kind, body.match.customer) == ("near", shown)
    keying.start(shown)
    assert key(keying, "0322345611").match.kind == "off-list"
    keying.start(shown)
    assert key(keying, "03123456011").match.kind == "off-list"  # a digit too many


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
        keying.warn(OFF_LIST)
        assert keying.warned
        change()
        assert not keying.warned


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
