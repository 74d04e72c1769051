"""The booth on a card that is full, broken or gone: it goes on, says so, forgets nothing, and reaches 119."""

import threading

import pytest

from firmware import numbers
from firmware.callflow import State
from firmware.calls import Call
from firmware.conversation import Conversation
from firmware.hardware import Hardware
from firmware.recorder import Recorder
from firmware.redial import Decision, Reason, Verdict
from firmware.rulebook import InForce
from firmware.vault import Vault
from hw.emulated.handset import EmulatedHandset
from hw.events import Answered, CallEnded, Cause, IncomingCall, KeyHeld, KeyPressed, KeyReleased, Party

ENDED = CallEnded(Cause.NORMAL, Party.FAR)
FIRST, SECOND = "0312345601", "0312345602"
AGENTS = '[[agent]]\nid = "07"\nname = "OP07"\npin = "AGENTS_PIN"\n'


def held(key):
    return [KeyPressed(key), KeyHeld(key), KeyReleased(key)]


HELP = [held("D"), "119A", Answered()]


@pytest.mark.parametrize(
    "keys",
    [
        ["CCC", "B", held("B"), held("C")],
        [held("*"), "5", "1"],
        [held("*"), "4", "1122"],
        [held("*"), "2", "1", "1"],
        [held("*"), "3", "CCBB", "D", "6", "CB", "D", "7", "1", "C"],
        [held("*"), "8", "C1A", "DD", "C"],
        [held("*"), "1", "07A", "0000A", "1357A"],
        [held("*"), "9", "000000A", "246810A", "20261123A", "1200A", "C"],
        ["D", "1234", "#", "D", "D", "C"],
    ],
    ids=["list", "language", "volume", "break", "pages", "usb", "log-in", "clock", "preview"],
)
def test_a_full_card_hinders_nobody_and_is_shown(stage, keys):
    played = stage.play(*keys, full=True, more=AGENTS)
    assert played.last.header.recording == "failed"
    assert stage.play(*keys, HELP, full=True, more=AGENTS).wire.dials == ["119"]


@pytest.mark.parametrize("hook", ["cradle", "none"])
def test_a_full_card_dials_nobody_but_for_help(stage, hook):
    played = stage.play(FIRST, "A", "C", "A", "DD", HELP, full=True, hook=hook)
    assert played.wire.dials == ["119"]
    assert played.last.header.recording == "failed"


def test_a_call_that_comes_in_on_a_full_card_is_shown_and_put_off(stage):
    played = stage.play(IncomingCall("0901234560"), "A", full=True)
    assert (played.state, "answer" in played.wire.asked) == (State.RINGING_IN, False)
    assert stage.play(IncomingCall("0901234560"), "A", "D", full=True).state is State.LIST


def test_a_quiet_moment_on_a_full_card_is_no_trouble_and_is_used_when_there_is_room(stage):
    def relieve(scene):
        if scene.state is State.LIST and scene.header.recording == "failed":
            stage.empty_card()

    played = stage.play(IncomingCall("0901234560"), ENDED, full=True, idle=1.3)
    assert (played.state, played.last.header.recording) == (State.LIST, "failed")
    stage.play("A", "D", full=False)
    played = stage.play(IncomingCall("0901234560"), "D", full=True, watch=[relieve], idle=1.3)
    assert played.last.header.recording == "off"


def test_a_result_that_a_full_card_refused_is_owed_until_it_is_saved(stage):
    """An emergency call in between, written down when there is room, changes nothing about that."""

    def fill(scene):
        if scene.state is State.TALKING and not scene.body.call.emergency:
            stage.fill_card()

    def relieve(scene):
        if scene.state is State.TALKING and scene.body.call.emergency:
            stage.empty_card()

    call = ["A", Answered(), ENDED, "1A"]
    played = stage.play(call, "D", "CA", watch=[fill])
    assert (played.state, played.wire.dials) == (State.WRAP_UP, [FIRST])  # the next customer must wait
    played = stage.play("A", "1A", "A", Answered(), ENDED, "1A", HELP, ENDED, "A", watch=[fill, relieve])
    assert [scene for scene in played.scenes if scene.state is State.WRAP_UP and scene.body.card_full]
    assert played.state is State.PREVIEW
    books = stage.books()
    assert (books.owed(), books.pending()[0]) == (
        None,
        2,
    )  # the emergency call could not be written down when it was made
    books.close()


def test_an_aborted_call_that_a_full_card_refused_is_owed(stage):
    def fill(scene):
        if scene.state is State.DIALLING:
            stage.fill_card()

    played = stage.play("A", "D", "CA", watch=[fill])
    assert (played.state, played.wire.dials) == (State.WRAP_UP, [FIRST])


@pytest.mark.parametrize("spoil", ["full", "torn", "newer", "no room for the folder"])
def test_a_booth_that_cannot_use_its_card_still_calls_for_help_and_nobody_else(stage, spoil):
    stage.play(customers=False)
    database = stage.directory / "booth.db"
    if spoil == "torn":
        database.write_bytes(b"no database" * 999)
    elif spoil == "newer":
        calls = stage.books()
        calls.store.rows("PRAGMA user_version = 999")
        calls.close()
    elif spoil == "no room for the folder":
        stage.directory = database / "below-a-file"
    elif spoil == "full":
        for left in stage.directory.glob("booth.db*"):
            left.unlink()
        stage.fill_card()
    played = stage.play(SECOND, "A1A", held("D"), "119A", Answered(), customers=False, full=spoil == "full")
    assert played.wire.dials == ["119"]
    assert (played.state, played.last.header.recording) == (State.TALKING, "failed")


def test_a_call_left_open_by_a_crash_on_a_full_card_does_not_keep_the_booth_from_starting(stage):
    stage.add_list()
    calls = stage.books()
    calls.begin(Call("5d2c1b0a-9f8e-4d7c-8b6a-5a4f3e2d1c0b", numbers.parse(FIRST), None), None, "", "off-list")
    calls.close()
    recordings = stage.directory / "recordings"
    recordings.mkdir()
    (recordings / "3f2b8a1e-0d5c-4c3e-9b7a-1f0e2d3c4b5a.journal").write_bytes(b"torn")
    stage.fill_card()
    assert stage.play(HELP, full=True).wire.dials == ["119"]


def test_a_wrong_pin_counts_on_a_full_card_too(stage):
    wrong = [held("*"), "9", "000000A" * 5, "246810A"]
    played = stage.play(*wrong, full=True)
    assert played.last.body.locked > 0
    assert played.last.body.asking == "pin"


def test_a_card_that_is_slow_to_close_a_recording_does_not_lengthen_the_talk(stage, wire, recipient):
    events = [].append
    vault = Vault(stage.directory, [recipient], events)
    books = stage.books()
    hardware = Hardware(wire, EmulatedHandset(), None, None, None)
    talk = Conversation(hardware, Recorder(vault, events), books, events, law=InForce(), record_emergency=False)
    call = Call("7b0b0d0e-0000-4000-8000-000000000001", numbers.parse(FIRST), None, incoming=True)
    talk.take(call, Decision(Verdict.ALLOW, Reason.FREE), "")
    talk.answered()
    vault.do(lambda: threading.Event().wait(0.8))
    talk.keep_recording()
    assert talk.end(ENDED).talk < 0.5
    assert books.record(call.id)["talk"] < 0.5
    vault.close()
    books.close()
