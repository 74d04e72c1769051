"""The lamp on a mock pin, seen through an emulated bulb."""

import queue
import threading

import pytest
from gpiozero.pins.mock import MockFactory

from hw.contracts import Lamp
from hw.emulated.bulb import Bulb
from hw.errors import WiringError
from hw.lamp import Led, NoLamp

PIN = 17


def blinkers():
    return [thread for thread in threading.enumerate() if "blink" in repr(getattr(thread, "_target", ""))]


@pytest.mark.parametrize("active_high", [True, False])
def test_on_and_off(active_high):
    factory = MockFactory()
    bulb = Bulb(factory, PIN, active_high)
    lamp: Lamp = Led(PIN, active_high, factory=factory)
    assert not bulb.lit
    lamp.show("on")
    assert (bulb.lit, bulb.glow) == (True, "on")
    lamp.show("off")
    assert (bulb.lit, bulb.glow) == (False, "off")
    lamp.close()


def test_blinking_until_told_otherwise():
    factory, told = MockFactory(), queue.SimpleQueue()
    bulb = Bulb(factory, PIN)
    bulb.watch(told.put)
    lamp = Led(PIN, factory=factory)
    lamp.show("blink")
    lamp.show("blink")
    assert [told.get(timeout=20) for _ in range(4)] == [True, False, True, False]
    assert bulb.glow == "blink"
    lamp.show("on")
    assert bulb.lit
    assert not blinkers()
    lamp.close()


def test_a_closed_lamp_is_dark_and_leaves_no_thread():
    factory = MockFactory()
    bulb = Bulb(factory, PIN)
    lamp = Led(PIN, factory=factory)
    lamp.show("blink")
    assert blinkers()
    lamp.close()
    lamp.close()
    assert not blinkers()
    assert not bulb.lit
    Led(PIN, factory=factory).close()


def test_wrong_pins_are_refused():
    factory = MockFactory()
    lamp = Led(PIN, factory=factory)
    with pytest.raises(WiringError, match="already in use"):
        Led(PIN, factory=factory)
    with pytest.raises(WiringError, match="99"):
        Led(99, factory=factory)
    with pytest.raises(RuntimeError, match="before the bulb"):
        Bulb(factory, PIN)
    lamp.close()


def test_the_lamp_that_was_not_fitted():
    lamp: Lamp = NoLamp()
    lamp.show("blink")
    lamp.close()
