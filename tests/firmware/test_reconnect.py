"""The one policy of trying again."""

from hypothesis import given
from hypothesis import strategies as st

from firmware.reconnect import FIRST, LONGEST, Reconnect


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_the_wait_grows_and_is_bounded(moments):
    policy, before = Reconnect(), 0.0
    for now in moments:
        policy.lost(now)
        wait = policy.wait(now)
        assert FIRST <= round(wait, 6) <= LONGEST
        assert round(wait, 6) >= before
        before = round(wait, 6)


def test_nothing_is_planned_while_it_is_tried_or_works():
    policy = Reconnect()
    policy.lost(0.0)
    policy.lost(0.0)
    assert policy.wait(100.0) == 0.0
    policy.tried()
    assert policy.wait(100.0) is None
    policy.lost(100.0)
    assert policy.wait(100.0) == 4.0
    policy.ready()
    assert policy.wait(100.0) is None
    policy.lost(200.0)
    assert policy.wait(200.0) == FIRST
