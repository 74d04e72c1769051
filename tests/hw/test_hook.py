"""The cradle switch: steadiness alone, then the driver on a mock pin with an emulated handset."""

import queue
import threading

import pytest
from gpiozero.pins.mock import MockFactory
from hypothesis import given
from hypothesis import strategies as st

from hw.contracts import Hook
from hw.emulated.cradle import HookSwitch
from hw.errors import MisuseError, WiringError
from hw.events import HookLifted, HookReplaced
from hw.hook import LOOK, STEADY, Cradle, NoHook, Steadiness

PIN = 26
SCANS = round(STEADY / LOOK)


def test_a_new_level_counts_after_it_has_lasted():
    steadiness = Steadiness(False)
    told = [steadiness.hear(True, at * LOOK) for at in range(2 * SCANS)]
    assert told.index(True) * LOOK == pytest.approx(STEADY)
    assert sum(told) == 1
    assert steadiness.calm


@given(st.booleans(), st.lists(st.integers(1, SCANS), max_size=40))
def test_no_flash_shorter_than_that_counts(start, flashes):
    steadiness, now = Steadiness(start), 0.0
    for length in flashes:
        for level in [*[not start] * length, start]:
            assert not steadiness.hear(level, now)
            now += LOOK
    assert steadiness.calm
    assert steadiness.level == start


@given(st.booleans(), st.lists(st.booleans(), max_size=60))
def test_after_any_rattle_the_last_level_wins(last, rattle):
    steadiness, now = Steadiness(False), 0.0
    for level in [*rattle, *[last] * (SCANS + 2)]:
        steadiness.hear(level, now)
        now += LOOK
    assert steadiness.level == last
    assert steadiness.calm


@pytest.mark.parametrize("lifted_high", [True, False])
def test_lifting_and_replacing(lifted_high):
    factory, inbox = MockFactory(), queue.SimpleQueue()
    handset = HookSwitch(factory, PIN, lifted_high)
    hook: Hook = Cradle(PIN, lifted_high, factory=factory)
    hook.open(inbox.put)
    assert inbox.get(timeout=0) == HookReplaced()
    for bounce in (False, True):
        handset.lift(bounce)
        assert inbox.get(timeout=20) == HookLifted()
        handset.replace(bounce)
        assert inbox.get(timeout=20) == HookReplaced()
    hook.close()
    assert inbox.empty()


def test_a_handset_that_is_up_at_the_start_is_told():
    factory, inbox = MockFactory(), queue.SimpleQueue()
    HookSwitch(factory, PIN).lift()
    hook = Cradle(PIN, factory=factory)
    hook.open(inbox.put)
    assert inbox.get(timeout=0) == HookLifted()
    hook.close()


def test_a_knock_on_the_desk_is_not_told():
    """Ten milliseconds off the hook; the lift that follows is the next thing heard."""
    factory, inbox = MockFactory(), queue.SimpleQueue()
    handset = HookSwitch(factory, PIN)
    hook = Cradle(PIN, factory=factory)
    hook.open(inbox.put)
    inbox.get(timeout=0)
    handset.knock()
    handset.lift()
    assert inbox.get(timeout=20) == HookLifted()
    hook.close()
    assert inbox.empty()


def test_a_closed_hook_gives_pin_and_thread_back():
    factory = MockFactory()
    hook = Cradle(PIN, factory=factory)
    for _ in range(2):
        hook.open(print)
        with pytest.raises(MisuseError):
            hook.open(print)
        with pytest.raises(WiringError, match="the hook"):
            Cradle(PIN, factory=factory).open(print)
        hook.close()
        hook.close()
        assert "hook" not in {thread.name for thread in threading.enumerate()}


def test_a_booth_with_a_headset_has_nothing_to_tell():
    inbox = queue.SimpleQueue()
    hook: Hook = NoHook()
    hook.open(inbox.put)
    hook.close()
    assert inbox.empty()
