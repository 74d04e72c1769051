"""Marks: what each key sets it takes back, and the record says which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.marks import NAMED, PROMISES, TICK_NAMES, TICKS, Marks

KEYS = "0123456789*#"


@given(st.lists(st.sampled_from(KEYS)), st.sampled_from(sorted(set(KEYS) - {"0"})))
def test_a_key_pressed_twice_changes_nothing(before, key):
    marks = Marks()
    for each in before:
        marks = marks.press(each)
    if key in PROMISES and marks.promise not in (None, PROMISES[key]):
        assert marks.press(key).press(key).promise is None  # the other promise is given up
    else:
        assert marks.press(key).press(key) == marks


def test_help_once_called_stays_called():
    assert "help" in Marks().press("0").press("0").named


@given(st.lists(st.sampled_from(KEYS), min_size=1))
def test_every_key_has_a_name_for_what_it_did(keys):
    marks = Marks()
    for key in keys:
        marks = marks.press(key)
    said = marks.name_of(keys[-1])
    known = {*NAMED.values(), *TICK_NAMES, "pause", "resume", "promise", *(f"promise-{n}" for n in (1, 3, 5))}
    assert said.removeprefix("-") in known


@pytest.mark.parametrize("key", TICKS)
def test_the_three_ticks_are_apart(key):
    assert sum(Marks().press(key).ticks) == 1
