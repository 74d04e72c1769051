"""The table of drivers: what it knows, and how it refuses what it does not."""

import sys
from importlib import import_module

import pytest
from gpiozero.pins.mock import MockFactory

from hw import wiring
from hw.contracts import Hook, Keypad, Lamp
from hw.errors import WiringError

ALL = (wiring.LINES, wiring.HANDSETS, wiring.KEYPADS, wiring.HOOKS, wiring.SCREENS, wiring.LAMPS)


@pytest.mark.parametrize("place", [place for table in ALL for place in table.values() if "audio" not in place])
def test_every_driver_is_where_the_table_says(place):
    module, _, name = place.partition(":")
    assert callable(getattr(import_module(module), name))


def test_what_the_table_knows_is_made():
    factory = MockFactory()
    keypad: Keypad = wiring.open_keypad("matrix", rows=[5, 6, 13, 19], columns=[12, 16, 20, 21], factory=factory)
    hook: Hook = wiring.open_hook("cradle", pin=26, factory=factory)
    lamp: Lamp = wiring.open_lamp("led", pin=17, factory=factory)
    keypad.open(print)
    lamp.show("on")
    for device in (keypad, hook, lamp, wiring.open_hook("none"), wiring.open_lamp("none")):
        device.close()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: wiring.open_line("gms"), "no such line: gms (did you mean gsm?); known are analog, gsm"),
        (lambda: wiring.open_handset("zzz"), "no such handset: zzz; known are pyaudio"),
        (lambda: wiring.open_hook("emulated"), "no such hook: emulated; known are cradle, none"),
        (
            lambda: wiring.open_screen("ili9340"),
            "no such screen: ili9340 (did you mean ili9341?); known are hd44780, ili9341",
        ),
        (lambda: wiring.open_hook("cradle"), "hook cradle: setting pin is missing"),
        (lambda: wiring.open_hook("none", pin=3), "hook none: no such setting: pin"),
        (
            lambda: wiring.open_keypad("matrix", rows=[1], colums=[2]),
            "keypad matrix: no such setting: colums (did you mean columns?); setting columns is missing",
        ),
        (
            lambda: wiring.open_keypad("matrix", rows=[1], columns=[2]),
            "keypad: 1 rows and 1 columns do not make 16 keys",
        ),
    ],
)
def test_what_it_does_not_know_is_refused_in_plain_words(made, said):
    with pytest.raises(WiringError) as refused:
        made()
    assert str(refused.value) == said


def test_a_module_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(wiring.HANDSETS, "pyaudio", "no_such_sound_system.here:SoundCard")
    with pytest.raises(WiringError, match="handset pyaudio needs the Python module no_such_sound_system"):
        wiring.open_handset("pyaudio")


def test_a_driver_of_our_own_that_is_missing_is_our_bug(monkeypatch):
    monkeypatch.setitem(wiring.HOOKS, "cradle", "hw.no_such_driver:Cradle")
    with pytest.raises(ModuleNotFoundError):
        wiring.open_hook("cradle", pin=1)
    assert "hw.no_such_driver" not in sys.modules
