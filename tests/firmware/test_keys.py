"""Taps and holds from key strokes, however the fingers overlap."""

from hypothesis import given
from hypothesis import strategies as st

from firmware.keys import Hold, Keys, Tap
from hw.events import KeyHeld, KeyPressed, KeyReleased

KEYS = "0123456789*#ABCD"
HOLDS = frozenset("*#BCD")


def play(keys, *strokes, holds=HOLDS):
    return [made for stroke in strokes for made in keys.hear(stroke, holds)]


def test_a_key_acts_when_it_goes_down_unless_it_can_be_held():
    assert play(Keys(), KeyPressed("5")) == [Tap("5")]
    assert play(Keys(), KeyPressed("D")) == []
    assert play(Keys(), KeyPressed("D"), KeyReleased("D")) == [Tap("D")]
    assert play(Keys(), KeyPressed("D"), KeyHeld("D"), KeyReleased("D")) == [Hold("D")]
    assert play(Keys(), KeyPressed("5"), KeyHeld("5"), KeyReleased("5")) == [Tap("5")]


def test_a_screen_that_changes_voids_the_tap_and_keeps_the_hold():
    keys = Keys()
    assert play(keys, KeyPressed("D")) == []
    keys.moved()
    assert play(keys, KeyReleased("D"), KeyPressed("5")) == [Tap("5")]
    assert play(keys, KeyPressed("D")) == []
    keys.moved()
    assert play(keys, KeyHeld("D"), KeyReleased("D")) == [Hold("D")]
    assert play(keys, KeyPressed("D"), KeyReleased("D")) == [Tap("D")]


@given(pressed=st.text(KEYS, max_size=12), overlap=st.booleans())
def test_every_key_that_went_down_is_heard_once_and_in_order(pressed, overlap):
    keys, strokes = Keys(), []
    for before, key in zip(["", *pressed], pressed, strict=False):
        late = overlap and before and before != key
        strokes += [KeyPressed(key), KeyReleased(before)] if late else [KeyReleased(before or key), KeyPressed(key)]
    strokes += [KeyReleased(pressed[-1])] if pressed else []
    assert play(keys, *strokes) == [Tap(key) for key in pressed]


@given(
    st.lists(
        st.builds(
            lambda made, key: made(key), st.sampled_from([KeyPressed, KeyHeld, KeyReleased]), st.sampled_from(KEYS)
        )
    )
)
def test_no_stroke_is_heard_more_often_than_it_was_made(strokes):
    heard = play(Keys(), *strokes)
    downs = [stroke.key for stroke in strokes if isinstance(stroke, KeyPressed)]
    assert len(heard) <= len(downs)
    for key in KEYS:
        assert sum(each.key == key for each in heard) <= downs.count(key)
