"""A call over a modem that is told neither when the far end answers nor who hangs up: the record says what it guesses."""

import pytest

from firmware.callflow import State
from hw.emulated.exchange import FarEnd
from hw.emulated.speech import Tone

FIRST = "0312345601"


@pytest.mark.slow
def test_a_talk_over_an_analog_line_is_recorded_as_what_is_known_of_it(house, at):
    rig, booth = house.install(modem="conexant")
    rig.exchange.book[FIRST] = FarEnd(answers_after=1.5, voice=Tone(1000), then="hangs up mid-pitch", ends_after=5.0)
    at(booth, State.LIST, lambda scene, _view: scene.body.rows)
    rig.type(FIRST)
    at(booth, State.KEYING, lambda scene, _view: scene.body.digits == FIRST)
    rig.lift()
    rig.tap("A")
    scene = at(booth, State.TALKING, patience=60)
    assert scene.body.call.estimated
    scene = at(booth, State.WRAP_UP, patience=60)
    booth.stop()
    record = house.record(scene.body.call.id)
    assert (record["answered"], record["estimated"]) == (True, True)
    assert (record["cause"], record["by"], record["sure"]) == ("NORMAL", "FAR", False)
    assert 2.0 < record["talk"] < 12.0
