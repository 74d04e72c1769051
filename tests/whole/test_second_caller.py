"""Somebody calls in while the booth talks to somebody else: the talk goes on, and the books know who it was."""

import pytest

from firmware.callflow import State
from hw.emulated.exchange import FarEnd
from hw.events import Party

FIRST, SECOND = "0312345601", "0901234560"


@pytest.mark.slow
@pytest.mark.parametrize("hidden", ["", "withheld", "payphone"])
def test_a_second_caller_disturbs_no_talk_and_is_not_lost(house, at, hidden):
    rig, booth = house.install(ccwa_anyway=True, rings_second=True)
    rig.exchange.book[FIRST] = FarEnd(answers_after=0.2, then="speaks")
    at(booth, State.LIST, lambda scene, _view: scene.body.rows)
    rig.type(FIRST)
    at(booth, State.KEYING, lambda scene, _view: scene.body.digits == FIRST)
    rig.lift()
    rig.tap("A")
    at(booth, State.TALKING)
    assert rig.exchange.call_in(SECOND, hidden=hidden, waiting=True)
    scene = at(booth, State.TALKING, lambda scene, _view: scene.body.second is not None)
    assert scene.body.call.number.dialled == FIRST
    rig.replace()
    at(booth, State.WRAP_UP, lambda scene, _view: scene.body.call.by is Party.NEAR)
    booth.stop()
    missed, ours = sorted(records(house), key=lambda one: not one["incoming"])
    assert (missed["incoming"], missed["answered"], missed["cause"]) == (True, False, "BUSY")
    assert (missed["number"]["dialled"], missed["hidden"]) == ("" if hidden else SECOND, hidden.upper() or None)
    assert (ours["number"]["dialled"], ours["answered"], ours["by"], ours["sure"]) == (FIRST, True, "NEAR", True)


def records(house):
    """What the booth knows of its calls."""
    books = house.books()
    found = [books.record(row["id"]) for row in books.store.rows("SELECT id FROM call ORDER BY seq")]
    books.close()
    return found
