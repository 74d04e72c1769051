"""The lamps."""

from dataclasses import replace

import pytest

from firmware.screens.samples import SCENES
from firmware.signs import Signs, glows
from firmware.states import State

LIST = SCENES["list-middle"]


class Bulb:
    """A Lamp that remembers."""

    def __init__(self):
        self.shown = []

    def show(self, glow):
        self.shown.append(glow)

    def close(self):
        pass


def with_header(**header):
    return replace(LIST, header=replace(LIST.header, **header))


@pytest.mark.parametrize(
    ("scene", "ready", "lamp", "glow"),
    [
        (LIST, True, "line", "on"),
        (LIST, False, "line", "off"),
        (SCENES["ringing"], True, "line", "blink"),
        (with_header(recording="on"), True, "recording", "on"),
        (with_header(recording="paused"), True, "recording", "blink"),
        (with_header(recording="failed"), True, "recording", "off"),
        (with_header(recording="failed"), True, "sync", "blink"),
        (with_header(pending=2), True, "sync", "on"),
        (with_header(pending=0), True, "sync", "off"),
    ],
)
def test_each_lamp_says_what_it_is_for(scene, ready, lamp, glow):
    assert glows(scene, ready=ready)[lamp] == glow


def test_a_lamp_is_told_what_is_new_and_a_missing_one_nothing():
    bulb = Bulb()
    signs = Signs({"line": bulb})
    for ready in (True, True, False, False):
        signs.show(LIST, ready=ready)
    assert bulb.shown == ["on", "off"]


def test_every_state_has_its_glow():
    assert {scene.state for scene in SCENES.values() if glows(scene, ready=True)} == set(State)
