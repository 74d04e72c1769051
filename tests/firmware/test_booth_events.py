"""The booth against the order of events: whatever comes when, no call is confused with another, and nothing kills it."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.callflow import IN_CALL, State
from firmware.keying import REASONS
from firmware.redial import Reason
from hw.events import (
    Alerting,
    Answered,
    AudioFailed,
    CallEnded,
    Cause,
    Fault,
    Hidden,
    HookLifted,
    HookReplaced,
    IncomingCall,
    KeyHeld,
    KeyPressed,
    KeyReleased,
    LineLost,
    LineReady,
    Party,
    SecondCallRefused,
    SignalChanged,
    SimLocked,
    TimeHeard,
    ToneHeard,
)

READY = LineReady("EC25")
CALLER = "0901234560"
ENDED = CallEnded(Cause.NORMAL, Party.FAR)
OURS = CallEnded(Cause.NORMAL, Party.NEAR)
GONE, NO_NETWORK = LineLost(Fault.UNPLUGGED), LineLost(Fault.NO_NETWORK)
FIRST, SECOND = "0312345601", "0312345602"


def held(key):
    return [KeyPressed(key), KeyHeld(key), KeyReleased(key)]


def why_dialled(stage):
    books = stage.books()
    reason = books.store.row("SELECT reason FROM call")["reason"]
    books.close()
    return reason


# An end belongs to one call.


def test_a_caller_put_off_for_an_emergency_does_not_end_it(stage):
    played = stage.play(
        held("D"), IncomingCall(CALLER), "119A", CallEnded(Cause.NORMAL, Party.NEAR), Alerting(), Answered()
    )
    assert played.wire.dials == ["119"]
    assert (played.state, played.last.body.call.number.dialled) == (State.TALKING, "119")


def test_a_caller_who_rang_the_moment_before_the_dial_does_not_end_it(stage):
    ring = [IncomingCall(None), IncomingCall(CALLER)]  # the number comes late
    played = stage.play("A", ring, OURS, Alerting())
    assert played.state is State.ALERTING
    played = stage.play(held("D"), "118A", ring, OURS, Alerting(), Answered())
    assert (played.state, played.wire.dials) == (State.TALKING, ["118"])


def test_what_is_told_late_of_an_aborted_call_is_not_the_next_ones(stage):
    late = [Alerting(), Answered(), OURS]
    played = stage.play("A", "D", "C", "A", late)
    assert played.wire.dials == [FIRST, SECOND]
    assert played.state is State.DIALLING
    assert State.TALKING not in played.states
    played = stage.play(held("D"), "110A", "D", held("D"), "119A", late, Answered())
    assert (played.state, played.last.body.call.number.dialled) == (State.TALKING, "119")


def test_the_number_of_a_refused_caller_does_not_ring_again(stage):
    played = stage.play(IncomingCall(None), "D", IncomingCall(CALLER), OURS)
    assert (played.state, played.wire.asked.count("hang up")) == (State.LIST, 1)
    played = stage.play(IncomingCall(None), "D", IncomingCall(CALLER), OURS, IncomingCall(CALLER))
    assert played.state is State.RINGING_IN


def test_both_ends_at_once_end_one_call_only(stage):
    played = stage.play("A", Answered(), ENDED, "D", "A")  # the agent hangs up when the customer has
    assert played.wire.dials == [FIRST]
    assert played.state is State.WRAP_UP  # later, and then nobody can be called
    played = stage.play("A", "1A", "A", Answered(), "D", ENDED)
    assert played.wire.dials[-1:] == [SECOND]
    assert played.state is State.WRAP_UP


def test_an_end_that_was_ours_is_not_waited_for_twice(stage):
    played = stage.play("A", Answered(), "D", OURS, "1A", "A", Answered(), ENDED)
    assert played.wire.dials == [FIRST, SECOND]
    assert played.state is State.WRAP_UP


def test_a_lost_line_owes_no_end(stage):
    played = stage.play("A", "D", GONE, READY, IncomingCall(CALLER), ENDED)
    assert played.states[-2:] == [State.RINGING_IN, State.LIST]


def test_an_impaired_line_ends_no_call(stage):
    for before in ([], [Alerting()], [Alerting(), Answered()]):
        played = stage.play(held("D"), "119A", before, NO_NETWORK)
        assert played.state in IN_CALL
    assert stage.play(held("D"), "119A", NO_NETWORK, CallEnded(Cause.NETWORK)).state is State.OUT_OF_ORDER
    assert stage.play("A", Answered(), GONE).state is State.WRAP_UP


# Coming in.


def test_the_handset_put_down_before_the_line_has_answered_ends_the_call(stage):
    played = stage.play(IncomingCall(CALLER), HookLifted(), HookReplaced(), Answered(), OURS, hook="cradle")
    assert played.wire.asked[1:3] == ["answer", "hang up"]
    assert played.state is State.LIST
    assert State.TALKING not in played.states


@pytest.mark.parametrize(
    ("how", "record"),
    [
        ([ENDED], ("NO_ANSWER", "FAR")),
        (["D", OURS], ("REJECTED", "NEAR")),
        ([CallEnded(Cause.LOST), GONE], ("LOST", "LINE")),
        ([GONE], ("LOST", "LINE")),
    ],
)
def test_why_a_call_was_not_taken_is_written_down(stage, how, record):
    stage.play(IncomingCall(CALLER), *how)
    books = stage.books()
    row = books.store.row("SELECT cause, party FROM call")
    books.close()
    assert (row["cause"], row["party"]) == record


def test_answering_twice_answers_once(stage):
    played = stage.play(IncomingCall(CALLER), "A", IncomingCall(CALLER), "A", HookLifted(), Answered())
    assert played.wire.asked.count("answer") == 1
    assert played.state is State.TALKING


def test_the_caller_gives_up_while_we_answer(stage):
    played = stage.play(IncomingCall(CALLER), "A", ENDED, "A")
    assert played.wire.asked.count("answer") == 1
    assert played.wire.dials == [FIRST]  # the last A was meant for the list


def test_an_emergency_call_while_a_call_is_being_answered(stage):
    played = stage.play(IncomingCall(CALLER), "A", held("D"), Answered(), "119", "A", OURS, Answered())
    assert played.wire.asked[1:4] == ["answer", "hang up", "dial 119"]
    assert (played.state, played.last.body.call.number.dialled) == (State.TALKING, "119")


def test_lifting_to_answer_a_caller_who_gave_up_does_not_place_an_armed_call(stage):
    played = stage.play("A", IncomingCall(CALLER), ENDED, HookLifted(), hook="cradle")
    assert (played.state, played.wire.dials) == (State.LIST, [])


def test_a_caller_below_the_emergency_keypad_rings_when_it_is_closed(stage):
    assert stage.play(held("D"), IncomingCall(CALLER), "D").state is State.RINGING_IN
    assert stage.play(held("D"), IncomingCall(CALLER), ENDED, "D").state is State.LIST


@pytest.mark.parametrize(("last", "notice"), [(ENDED, "missed"), ("D", "refused-call")])
def test_a_call_that_nobody_took_is_in_the_books(stage, last, notice):
    played = stage.play(IncomingCall(CALLER), last)
    assert played.last.body.notice == notice
    books = stage.books()
    waiting, _since = books.pending()
    assert (waiting, books.owed()) == (1, None)
    books.close()


def test_a_caller_put_off_by_an_emergency_call_is_in_the_books(stage):
    stage.play(IncomingCall(CALLER), held("D"), "119A", OURS, Answered(), ENDED)
    books = stage.books()
    assert books.pending()[0] == 2
    books.close()


# A second caller, who hears that the line is busy.

OTHER = SecondCallRefused(SECOND)


def records(stage):
    books = stage.books()
    found = [books.record(row["id"]) for row in books.store.rows("SELECT id FROM call ORDER BY seq")]
    books.close()
    return found


@pytest.mark.parametrize(
    ("before", "state"),
    [
        (["A"], State.DIALLING),
        (["A", Alerting()], State.ALERTING),
        (["A", Answered()], State.TALKING),
        (["A", Answered(), "9"], State.COMPLAINT),
        (["A", Answered(), "9", "D"], State.END_ASKED),
        ([IncomingCall(CALLER)], State.RINGING_IN),
        ([IncomingCall(CALLER), "A"], State.ANSWERING),
        ([held("D"), "119A", Answered()], State.TALKING),
        (["A", Answered(), ENDED], State.WRAP_UP),  # it is told late
        ([held("D"), "11"], State.KEYING),
        ([GONE], State.OUT_OF_ORDER),
    ],
)
def test_a_second_caller_is_in_the_books_and_disturbs_no_call(stage, before, state):
    undisturbed = type(stage)(stage.directory / "undisturbed")
    undisturbed.directory.mkdir()
    played = stage.play(before, OTHER)
    assert (played.state, played.wire.asked) == (state, undisturbed.play(before).wire.asked)
    missed = [one for one in records(stage) if one["incoming"] and one["number"]["dialled"] == SECOND]
    assert [(one["cause"], one["by"], one["answered"], one["hidden"]) for one in missed] == [
        ("BUSY", "LINE", False, None)
    ]
    assert missed[0]["customer"]["row"] == 2


def test_a_second_caller_is_shown_for_a_while_and_the_call_goes_on(stage):
    played = stage.play("A", Answered(), OTHER, "1")
    body = played.last.body
    assert (body.second.number.dialled, body.call.number.dialled, body.promise) == (SECOND, FIRST, 1)
    played = stage.play("A", "1A", "A", Answered(), OTHER, ENDED)
    assert (played.state, played.last.body.call.number.dialled) == (State.WRAP_UP, played.wire.dials[-1])


@pytest.mark.parametrize("hidden", [*Hidden, None])
def test_who_shows_no_number_is_told_by_the_reason(stage, hidden):
    played = stage.play(IncomingCall(None, hidden))
    assert (played.last.body.number, played.last.body.hidden) == (None, hidden)
    played = stage.play(IncomingCall(None, hidden), ENDED, "A", Answered(), SecondCallRefused(None, hidden))
    assert played.last.body.second.hidden is hidden
    name = hidden.name if hidden else None
    assert [one["hidden"] for one in records(stage) if one["incoming"]] == [name, name]


def test_a_number_that_was_told_is_not_forgotten_by_the_next_ring(stage):
    played = stage.play(IncomingCall(None), IncomingCall(FIRST), IncomingCall(None))
    assert played.last.body.customer.number.dialled == FIRST
    played = stage.play(IncomingCall(None, Hidden.PAYPHONE), IncomingCall(None))
    assert played.last.body.hidden is Hidden.PAYPHONE


def test_what_is_only_likely_is_marked_on_the_screen_and_in_the_books(stage):
    probably = CallEnded(Cause.NORMAL, Party.FAR, sure=False)
    played = stage.play("A", Answered(estimated=True), probably)
    talks = [scene.body.call for scene in played.scenes if scene.state is State.TALKING]
    assert all(call.estimated for call in talks)
    call = played.last.body.call
    assert (call.estimated, call.sure, call.by) == (True, False, Party.FAR)
    (record,) = records(stage)
    assert (record["estimated"], record["sure"], record["by"]) == (True, False, "FAR")
    assert played.last.body.suggested.code == "GACHA0"


# The line.


def test_an_emergency_number_half_keyed_survives_the_loss_of_the_line(stage):
    for lost in (GONE, NO_NETWORK):
        played = stage.play("11", lost, "9", "A", Answered())
        assert played.wire.dials == ["119"]
        assert played.state is State.TALKING


def test_a_modem_that_restarts_is_not_to_be_plugged_in_again(stage):
    restarts = LineLost(Fault.RESTARTING, "its sound has worn out")
    shown = [scene.body.fault for scene in stage.play(restarts, GONE, LineLost(Fault.ABSENT)).scenes[-3:]]
    assert shown == [Fault.RESTARTING] * 3
    assert stage.play(restarts, GONE, READY, GONE).last.body.fault is Fault.UNPLUGGED


def test_without_a_line_nobody_is_called_from_what_lay_below(stage):
    played = stage.play("D", held("D"), GONE, "D", "A")
    assert (played.state, played.wire.dials) == (State.OUT_OF_ORDER, [])
    played = stage.play("A", Answered(), GONE, "1A", "A")
    assert (played.state, played.wire.dials) == (State.OUT_OF_ORDER, [FIRST])


# Keys.


def test_fast_fingers_that_overlap_lose_no_key(stage):
    played = stage.play(KeyPressed("#"), KeyPressed("7"), KeyReleased("#"), KeyReleased("7"), "119")
    assert played.last.body.digits == "#7119"


def test_a_key_that_was_down_when_the_screen_changed_does_nothing_to_the_new_one(stage):
    played = stage.play(KeyPressed("D"), IncomingCall(CALLER), KeyReleased("D"))
    assert (played.state, played.wire.asked.count("hang up")) == (State.RINGING_IN, 0)
    played = stage.play("A", Answered(), KeyPressed("A"), ENDED, KeyReleased("A"))
    assert played.state is State.WRAP_UP  # and no result was saved


def test_holding_d_counts_however_often_the_screen_changes_meanwhile(stage):
    played = stage.play(KeyPressed("D"), IncomingCall(CALLER), KeyHeld("D"), KeyReleased("D"), "119A")
    assert played.wire.dials == ["119"]


def test_the_emergency_keypad_gives_the_keyed_digits_back(stage):
    body = stage.play("0312", held("D"), "11", "D").last.body
    assert (body.digits, body.emergency, len(body.matches)) == ("0312", False, 3)
    body = stage.play("0312", held("D"), "119A", Answered(), "D").last.body
    assert (body.digits, body.emergency) == ("0312", False)


# The guard.


def test_a_warning_is_shown_each_time(stage):
    off_list = "0312345699"
    assert stage.play(off_list, "A").wire.dials == []
    assert stage.play(off_list, "A", "D", off_list, "A").wire.dials == []
    assert stage.play(off_list, "A", "BB", "99", "A").wire.dials == []


@pytest.mark.parametrize("keys", ["A", "AA", "AAAAA", "A78*#A", "AB4A", "A7A8A"])
def test_a_number_off_the_list_is_not_dialled_without_a_reason(stage, keys):
    assert stage.play("0312345699", keys).wire.dials == []


@pytest.mark.parametrize(("key", "reason"), REASONS.items())
def test_the_key_of_a_reason_dials_and_is_kept_with_the_call(stage, key, reason):
    assert stage.play("0312345699", "A", key).wire.dials == ["0312345699"]
    assert why_dialled(stage) == reason


def test_who_was_on_the_list_when_a_warning_was_read_wants_a_reason_once_off_it(stage):
    def take_away(scene):
        warning = getattr(scene.body, "warning", None)
        if warning is not None and warning.reason is Reason.COMPLETED:
            books = stage.books()
            for known in books.lists():
                books.remove_list(known.id)
            books.close()

    completed = FIRST[1:]
    assert stage.play(completed, "A", "A").wire.dials == [FIRST]
    played = stage.play(SECOND[1:], "A", "A", watch=[take_away])
    assert played.wire.dials == []
    assert played.last.body.warning.reason is Reason.OFF_LIST
    assert stage.play(SECOND[1:], "A", "3").wire.dials == [SECOND]


@pytest.mark.parametrize(("keys", "whose"), [(SECOND, SECOND), ("0312345691", FIRST), ("0312345691A", FIRST)])
def test_details_of_another_customer_and_of_the_one_who_is_one_digit_off(stage, keys, whose):
    played = stage.play(keys, "C")
    assert (played.state, played.wire.dials) == (State.PREVIEW, [])
    assert played.last.body.customer.number.dialled == whose


def test_a_reason_waits_for_the_handset_even_below_an_emergency_keypad(stage):
    off_list = "0312345699"
    played = stage.play(off_list, "A", "8", "4", held("D"), "11", "D", hook="cradle")
    assert (played.state, played.wire.dials) == (State.ARMED, [])
    played = stage.play(off_list, "A", "4", held("D"), "11", "D", HookLifted(), hook="cradle")
    assert (played.wire.dials, why_dialled(stage)) == ([off_list], "off-list-told")


def test_an_emergency_number_is_dialled_past_the_question_for_a_reason(stage):
    assert stage.play("0312345699", "A", held("D"), "119", "A").wire.dials == ["119"]
    assert stage.play("171", "A").wire.dials == ["171"]


@pytest.mark.parametrize("number", ["110", "118", "119", "184119"])
def test_an_emergency_number_keyed_while_the_question_stands_is_the_one_that_is_dialled(stage, number):
    played = stage.play("0312345699", "A", number)
    assert (played.wire.dials, played.last.body.digits, played.last.body.emergency_number) == ([], number, True)
    assert stage.play("0312345699", "A", number, "A").wire.dials == [number]


def test_nobody_is_called_twice_by_pressing_twice(stage):
    played = stage.play("AA", CallEnded(Cause.BUSY), "AAAAAA")
    assert len(set(played.wire.dials)) == len(played.wire.dials)


def test_time_that_is_lost_while_the_call_is_armed_blocks_it(stage):
    stage.time = 1000.0  # nobody knows better
    played = stage.play("A", HookLifted(), hook="cradle")
    assert played.last.body.decision.reason is Reason.TIME_UNKNOWN
    assert played.wire.dials == []


def test_nobody_calls_before_logging_in_but_everybody_calls_for_help(stage):
    agents = '[[agent]]\nid = "07"\nname = "OP07"\npin = "AGENTS_PIN"\n'
    played = stage.play("A", "119", held("D"), "119A", more=agents)
    assert played.wire.dials == ["119"]
    played = stage.play("A", "07A", "1357A", "A", more=agents)
    assert played.wire.dials == [FIRST]


def test_an_aborted_emergency_call_finishes_nobody_elses_call(stage):
    stage.play("A", Answered(), ENDED, held("D"), "119A", "D")
    books = stage.books()
    assert books.owed().number.dialled == FIRST
    books.close()


# Sound.


def test_a_call_without_sound_says_so_until_it_ends(stage):
    played = stage.play("A", AudioFailed("no port"), Answered())
    assert played.last.body.deaf
    played = stage.play("A", "1A", "A", Answered())
    assert (played.state, played.last.body.deaf) == (State.TALKING, False)


def test_the_customer_is_recorded_even_where_the_handset_is_dead(stage):
    played = stage.play("A", Answered(), deaf=True)
    assert played.last.body.deaf
    assert list((stage.directory / "recordings").glob("*.journal"))


# Everything.

KEYS = st.sampled_from("0123456789*#ABCD")
STROKES = KEYS | KEYS.map(held) | st.builds(KeyPressed, KEYS) | st.builds(KeyReleased, KEYS) | st.builds(KeyHeld, KEYS)
TALES = st.sampled_from(
    [
        *(HookLifted(), HookReplaced(), Alerting(), Answered(), ENDED, OURS, CallEnded(Cause.BUSY), GONE, NO_NETWORK),
        *(
            OTHER,
            SecondCallRefused(None, Hidden.WITHHELD),
            Answered(estimated=True),
            IncomingCall(None, Hidden.PAYPHONE),
        ),
        *(LineLost(Fault.SIM_LOCKED), SimLocked("", 3), SimLocked("8981", 2), SimLocked("8981", 1), "1111A"),
        *(READY, IncomingCall(None), IncomingCall(CALLER), IncomingCall(FIRST), SignalChanged(3), ToneHeard("5")),
        *(AudioFailed("no"), TimeHeard(1795330100.0), "119A", "246810A", [*held("D"), "119A"], ["A", Answered()]),
        *([IncomingCall(None), "A", Answered()], [*held("*"), "3"], [*held("*"), "6"]),
    ]
)
numbered = itertools.count()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(STROKES | TALES, min_size=20, max_size=60),
    customers=st.booleans(),
    hook=st.sampled_from(["cradle", "none"]),
    full=st.booleans(),
)
def test_no_order_of_events_kills_the_booth(stage, events, customers, hook, full):
    stage.directory = stage.directory.parent / f"card-{next(numbered)}"
    stage.directory.mkdir()
    stage.listed = False
    played = stage.play(*events, customers=customers, hook=hook, full=full)
    dials = [number for number in played.wire.dials if number != "119"]
    assert full <= (not dials)
