"""What is remembered of how calls sounded, and what the line complained of."""

import json

import pytest

from firmware.callflow import State
from firmware.calls import Calls
from firmware.clock import Clock
from firmware.quality import LINE, SOUND, WINDOW, lines, note_degraded, note_sound
from hw.events import (
    Answered,
    CallEnded,
    Cause,
    Fault,
    KeyHeld,
    KeyPressed,
    KeyReleased,
    LineDegraded,
    LineLost,
    LineReady,
)
from hw.talkpath import Counts

MENU = [KeyPressed("*"), KeyHeld("*"), KeyReleased("*")]
WHY = "the modem has no full duplex: talk on the handset at its own jack"


@pytest.fixture
def books(tmp_path):
    kept = Calls(tmp_path / "booth.db", "3", Clock("system"))
    yield kept
    kept.close()


def test_the_last_calls_sound_and_the_sums_are_kept(books):
    for underruns in (0, 2, 5):
        note_sound(books, Counts(frames=100, late=1, line_underruns=underruns, line_adjusted=3))
    kept = json.loads(books.recall(SOUND))
    assert (kept["calls"], kept["last"]["line_underruns"], kept["sums"]["line_underruns"]) == (3, 5, 7)
    assert (kept["sums"]["frames"], kept["sums"]["late"]) == (300, 3)
    assert lines(books, "") == (("gaps", "5/7"),)  # what nobody hears is no gap


def test_what_was_mended_long_ago_is_no_news(books):
    note_sound(books, Counts(overflows=900))
    for _ in range(WINDOW):
        note_sound(books, Counts(overflows=1))
    kept = json.loads(books.recall(SOUND))
    assert (kept["calls"], kept["sums"]["overflows"]) == (1, 1)


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"calls": "many", "sums": 7}', '{"sums": []}'])
def test_a_note_that_cannot_be_read_is_begun_anew(books, spoilt):
    books.remember(SOUND, spoilt)
    books.remember(LINE, spoilt)
    assert lines(books, "")[1:] == ()
    note_sound(books, Counts(overflows=1))
    note_degraded(books, WHY)
    assert json.loads(books.recall(SOUND))["sums"]["overflows"] == 1
    assert json.loads(books.recall(LINE)) == {"degraded": 1, "last": WHY}


def test_an_impaired_line_is_counted_shown_and_forgotten_with_the_modem(stage):
    played = stage.play(LineDegraded(WHY), "A", Answered())
    assert (played.state, played.last.body.impaired) == (State.TALKING, True)
    played = stage.play(LineDegraded(WHY), LineReady("EC25"), CallEnded(Cause.NORMAL), MENU, "3")
    said = dict(reversed(played.last.body.status))
    assert said["impaired"] == ""
    assert "gaps" in said
    assert WHY in " ".join(value for name, value in played.last.body.status if not name)
    played = stage.play(LineDegraded(WHY), LineLost(Fault.UNPLUGGED), LineReady("EC25"), MENU, "3")
    assert "impaired" not in dict(played.last.body.status)
    kept = stage.books()
    assert json.loads(kept.recall(LINE))["degraded"] == 3
    assert json.loads(kept.recall(SOUND))["calls"] == 1
    kept.close()


def test_a_full_card_forgets_the_sound_and_nothing_else(stage):
    played = stage.play(LineDegraded(WHY), "119A", Answered(), CallEnded(Cause.NORMAL), full=True)
    assert (played.wire.dials, played.state) == (["119"], State.LIST)
