"""The call flow's table, checked as a whole."""

import itertools

import pytest

from firmware import callflow, outcomes
from firmware.callflow import EMERGENCY_KEYING, IDLE, IN_CALL, SPEAKING, TABLE, TIMES, Do, Place, State, step
from firmware.keys import Hold, Tap
from firmware.outcomes import Cleared, Outcome, TimedOut
from hw.events import (
    Alerting,
    Answered,
    CallEnded,
    Cause,
    Fault,
    HookLifted,
    HookReplaced,
    IncomingCall,
    LineLost,
    LineReady,
    SecondCallRefused,
)

KEYS = "0123456789*#ABCD"
LOST = LineLost(Fault.UNPLUGGED)
ENDED = CallEnded(Cause.NORMAL)
OUTCOMES = [
    made()
    for made in vars(outcomes).values()
    if isinstance(made, type) and issubclass(made, Outcome) and made is not Outcome
]
EVENTS = [
    *(Tap(key) for key in KEYS),
    *(Hold(key) for key in KEYS),
    *(HookLifted(), HookReplaced(), Alerting(), Answered(), ENDED, IncomingCall("0312345601"), LOST, LineReady("EC25")),
    SecondCallRefused("0312345602"),
    TimedOut(),
    *OUTCOMES,
]
GUARD = (outcomes.Cleared, outcomes.Armed, outcomes.Warned, outcomes.Refused, outcomes.ResultOwed)


def everywhere():
    """Every place that can be reached, with the events that lead from each to the next."""
    seen, waiting, ways = {Place()}, [Place()], []
    while waiting:
        place = waiting.pop()
        for event in EVENTS:
            after, actions = step(place, event)
            ways.append((place, event, after, actions))
            if after not in seen and len(after.below) <= 4:
                seen.add(after)
                waiting.append(after)
    return seen, ways


PLACES, WAYS = everywhere()


def test_every_state_is_reachable():
    assert {place.state for place in PLACES} == set(State)


def test_every_action_is_somewhere_asked_for():
    asked = {do for row in [*TABLE.values(), *EMERGENCY_KEYING.values()] for do in row.do}
    assert asked == set(Do)


def test_handset_down_leads_home_or_to_wrap_up_from_every_call():
    for place in PLACES:
        if place.state in IN_CALL:
            after, _ = step(place, HookReplaced())
            if after.state is State.HOOK_HELD:  # a complaint: the line is held for its seconds, then the same
                after, _ = step(after, TimedOut())
            ended = {State.WRAP_UP} if place.state in SPEAKING else {State.LIST, State.OUT_OF_ORDER}
            assert after.state in (IDLE if place.emergency else ended), place


def test_no_way_out_of_a_talk_loses_the_recording():
    for place, event, after, actions in WAYS:
        if place.state in SPEAKING and after.state not in SPEAKING:
            assert Do.KEEP_RECORDING in actions, (place, event)
            assert actions.index(Do.KEEP_RECORDING) < actions.index(Do.END_CALL)


def test_no_way_from_talking_to_dialling_skips_wrap_up():
    """Followed through every event, a talk's end is always WRAP_UP, unless it was an emergency call."""
    for place, event, after, _ in WAYS:
        if place.state in SPEAKING and after.state not in SPEAKING and not place.emergency:
            assert after.state is State.WRAP_UP, (place, event)
    for place, event, after, _ in WAYS:
        if after.state is State.DIALLING and place.state is State.WRAP_UP:
            pytest.fail(f"{event} dials from wrap-up")


def test_a_second_call_is_written_down_everywhere_and_moves_nothing():
    seen = set()
    for place, event, after, actions in WAYS:
        if isinstance(event, SecondCallRefused):
            assert (after, actions) == (place, (Do.MISS_SECOND,)), place
            seen.add((place.state, place.emergency))
    assert {state for state, _ in seen} == set(State)
    assert (State.KEYING, True) in seen


def test_nothing_but_a_verdict_dials():
    for place, event, _, actions in WAYS:
        if Do.DIAL in actions:
            assert isinstance(event, Cleared), (place, event)
            assert actions == (Do.DIAL,)


def test_the_key_of_a_reason_asks_the_guard_and_dials_nothing():
    after, actions = step(Place(State.KEYING), outcomes.Reasoned())
    assert (after.state, actions) == (State.KEYING, (Do.ASK,))
    for place, event, after, actions in WAYS:
        if isinstance(event, outcomes.Reasoned) and (place.state is not State.KEYING or place.emergency):
            assert (after, actions) == (place, ()), place


def test_the_guard_is_asked_where_its_answers_are_understood():
    for place, _, _, actions in WAYS:
        if Do.ASK in actions and not place.emergency:
            for answer in GUARD:
                if place.state is State.ARMED and answer is outcomes.Warned:
                    continue  # the warning has been seen before anything is armed
                assert (place.state, answer) in TABLE, (place, answer)


def test_an_emergency_number_can_be_keyed_and_dialled_from_every_state_without_a_call():
    for place in PLACES:
        if place.state in IDLE and not place.emergency:
            above, actions = step(place, Hold("D"))
            assert (above.state, above.emergency) == (State.KEYING, True), place
            assert Do.OPEN_EMERGENCY in actions
            for digit in "119":
                above, actions = step(above, Tap(digit))
                assert actions == (Do.KEY_DIGIT,)
            above, actions = step(above, Tap("A"))
            assert actions == (Do.ASK,)
            assert step(above, Cleared())[0].state is State.DIALLING


def test_leaving_the_emergency_keypad_returns_to_what_was_below():
    for place in PLACES:
        if place.state in IDLE and not place.emergency:
            after, _ = step(step(place, Hold("D"))[0], Tap("D"))
            assert after == place, place


def test_an_emergency_call_returns_to_what_was_below_and_owes_nothing():
    for place, event in itertools.product(
        [Place(State.WRAP_UP), Place(State.MENU), Place(State.PIN_ENTRY)], [ENDED, LOST]
    ):
        talking = place
        for act in (Hold("D"), Cleared(), Answered()):
            talking, _ = step(talking, act)
        after, actions = step(talking, event)
        assert after.state is place.state
        assert Do.OPEN_WRAP_UP not in actions


def test_without_a_line_home_is_out_of_order():
    for place, event, after, _ in WAYS:
        if after.state is State.LIST:
            assert after.line, (place, event)
        if after.state is State.OUT_OF_ORDER:
            assert not after.line, (place, event)


def test_times_belong_to_states_that_hear_them():
    for state in TIMES:
        assert (state, TimedOut) in TABLE


def test_a_key_that_is_tapped_or_held_is_told_apart_only_where_both_mean_something():
    assert callflow.holds(Place(State.LIST)) == frozenset("*#BCD")
    assert callflow.holds(Place(State.TALKING)) == frozenset("AB")
    assert callflow.holds(Place(State.DIALLING)) == frozenset()


def test_a_caller_who_gave_up_meanwhile_is_not_returned_to():
    place, _ = step(Place(State.PREVIEW), IncomingCall("0312345601"))
    place, _ = step(place, Hold("D"))
    place, actions = step(place, ENDED)
    assert actions == (Do.MISS,)
    assert step(place, Tap("D"))[0].state is State.PREVIEW
