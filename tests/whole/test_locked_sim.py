"""A booth and a modem whose SIM wants its PIN: what crosses the line, and how many tries it costs."""

from dataclasses import replace

import pytest

from firmware.callflow import State
from firmware.desk.rig import Rig
from firmware.desk.running import RunningBooth
from firmware.tables import Secret

RIGHT, WRONG = "907564", "2580"


@pytest.fixture
def locked(house):
    """Switches a booth on whose device.toml has this PIN, or none."""

    def start(stored, **options):
        house.rig = Rig(house.directory, identity=house.identity, sim="SIM PIN", pin=RIGHT, **options)
        settings = house.rig.settings(house.pin)
        line = replace(settings.line, secrets={"pin": Secret(stored)} if stored else {})
        house.booth = RunningBooth(house.rig, replace(settings, line=line))
        return house.rig, house.booth

    return start


def given(rig):
    """The PINs that the modem was told, in order."""
    return [line.partition('"')[2].rstrip('"') for line in rig.modem.heard if line.startswith("AT+CPIN=")]


def says(trouble):
    return lambda scene, _view: scene.body.sim is not None and scene.body.sim.trouble == trouble


@pytest.mark.slow
def test_the_stored_pin_opens_the_line_and_no_one_need_do_anything(locked, at):
    rig, booth = locked(RIGHT)
    at(booth, State.LIST, lambda _scene, _view: given(rig))
    assert given(rig) == [RIGHT]


@pytest.mark.slow
def test_a_wrong_stored_pin_costs_one_try_however_often_the_booth_starts(locked, at, house):
    rig, booth = locked(WRONG)
    scene = at(booth, State.OUT_OF_ORDER, says("stored-wrong"))
    assert scene.body.sim.tries == 2
    for _ in range(2):
        booth.restart()
        at(booth, State.OUT_OF_ORDER, says("stored-wrong"))
    assert (given(rig), rig.modem.tries) == ([WRONG], 2)
    rig.tap("A")
    at(booth, State.PIN_ENTRY)
    rig.type(RIGHT)
    rig.tap("A")
    at(booth, State.LIST, lambda scene, _view: scene.body.notice == "sim-opened")
    assert given(rig) == [WRONG, RIGHT]
    booth.stop()
    for file in house.directory.glob("booth.db*"):
        assert RIGHT.encode() not in file.read_bytes()


@pytest.mark.slow
def test_help_is_called_past_a_locked_sim(locked, at):
    rig, booth = locked("")
    at(booth, State.OUT_OF_ORDER, says(""))
    rig.type("119")
    at(booth, State.KEYING)
    rig.lift()
    at(booth, State.TALKING)
    rig.replace()
    at(booth, State.OUT_OF_ORDER, says(""))
    assert given(rig) == []
