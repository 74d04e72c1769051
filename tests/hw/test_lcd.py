"""The LCD drivers, each against an emulated controller at the other end of its bus; and the controllers themselves."""

import importlib.util

import pytest
from gpiozero.pins.mock import MockFactory
from luma.core.interface.serial import spi
from PIL import Image, ImageChops, ImageDraw

from hw.contracts import Screen
from hw.emulated.bulb import Bulb, Lead
from hw.emulated.panel import Command, Ili9341Panel
from hw.errors import MisuseError, WiringError
from hw.lcd import Ili9341, Wires

SIZE = (320, 240)
TOLERANCE = 3  # the glass has six bits of each colour


def painted(seed=0):
    """A picture with a different colour everywhere."""
    ramp = Image.linear_gradient("L").resize(SIZE)
    other = ramp.transpose(Image.Transpose.ROTATE_180)
    picture = Image.merge("RGB", (ramp, Image.radial_gradient("L").resize(SIZE), other))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((10 + seed, 20, 70 + seed, 60), fill=(255, 0, 0))
    draw.text((100, 100 + seed), "03-1234-5678", fill=(255, 255, 255))
    return picture


def same(one, other):
    return all(high <= TOLERANCE for _, high in ImageChops.difference(one, other).getextrema())


def send(panel, command, data=b""):
    panel.output(24, 0)
    panel.writebytes([command])
    if data:
        panel.output(24, 1)
        panel.writebytes(data)


def woken():
    panel = Ili9341Panel()
    send(panel, Command.SLEEP_OUT)
    send(panel, Command.DISPLAY_ON)
    send(panel, Command.ACCESS, [0x28])
    return panel


def test_the_panel_is_black_until_woken():
    panel = Ili9341Panel()
    assert panel.picture().size == SIZE
    assert not panel.picture().getbbox()
    send(panel, Command.ACCESS, [0x28])
    send(panel, Command.WRITE, b"\xff" * 12)
    assert not panel.picture().getbbox()
    send(panel, Command.SLEEP_OUT)
    send(panel, Command.DISPLAY_ON)
    assert panel.picture().getbbox() == (0, 0, 4, 1)
    panel.output(25, 0)
    assert not panel.picture().getbbox()


def test_the_panel_fills_a_window_row_by_row_at_any_cut():
    for cut in range(19):
        panel, told = woken(), []
        panel.watch(lambda told=told: told.append(1))
        send(panel, Command.COLUMNS, [0x01, 0x0A, 0x01, 0x0B])  # 266 to 267
        send(panel, Command.PAGES, [0, 200, 0, 202])
        send(panel, Command.WRITE)
        panel.output(24, 1)
        pixels = bytes(range(100, 118))
        panel.writebytes(pixels[:cut])
        panel.picture()
        panel.writebytes(list(pixels[cut:]))
        assert panel.picture().getbbox() == (266, 200, 268, 203)
        assert panel.picture().getpixel((266, 200)) == (101, 101, 101)
        assert panel.picture().getpixel((267, 202)) == (113, 117, 117)
        assert len(told) == 1


def test_the_panel_begins_again_when_its_window_is_full_and_goes_on_when_told_to():
    panel = woken()
    send(panel, Command.COLUMNS, [0, 0, 0, 1])
    send(panel, Command.PAGES, [0, 0, 0, 0])
    send(panel, Command.WRITE, b"\x10" * 6 + b"\x80" * 3)
    assert [panel.picture().getpixel((x, 0)) for x in (0, 1)] == [(0x82,) * 3, (0x10,) * 3]
    send(panel, Command.CONTINUE, b"\x40" * 3)
    assert [panel.picture().getpixel((x, 0)) for x in (0, 1)] == [(0x82,) * 3, (0x41,) * 3]


@pytest.mark.parametrize(("access", "corner"), [(0x28, (0, 0)), (0x68, (0, 239)), (0xA8, (319, 0)), (0x08, (0, 0))])
def test_the_panel_mirrors_as_it_is_told(access, corner):
    panel = woken()
    send(panel, Command.ACCESS, [access])
    send(panel, Command.WRITE, b"\xff\0\0")
    assert panel.picture().getbbox() == (*corner, corner[0] + 1, corner[1] + 1)
    assert panel.picture().getpixel(corner) == (255, 0, 0)


def test_the_panel_swaps_red_and_blue_without_the_bit():
    panel = woken()
    send(panel, Command.ACCESS, [0x20])
    send(panel, Command.WRITE, b"\xff\0\0")
    assert panel.picture().getpixel((0, 0)) == (0, 0, 255)


@pytest.mark.parametrize("full_frame", [False, True])
def test_pictures_arrive(full_frame):
    panel = Ili9341Panel()
    screen: Screen = Ili9341(bus=panel.bus, full_frame=full_frame)
    assert screen.size == SIZE
    assert panel.picture().getbbox() is None
    for seed in (0, 1, 40):
        screen.show(painted(seed))
        assert same(panel.picture(), painted(seed))
    screen.close()
    assert panel.picture().getbbox() is None


def test_only_what_has_changed_is_sent():
    panel = Ili9341Panel()
    screen = Ili9341(bus=panel.bus)
    screen.show(painted())
    before = panel.received
    screen.show(painted())
    assert panel.received == before
    changed = painted()
    changed.putpixel((300, 200), (0, 0, 0))
    screen.show(changed)
    assert panel.received - before < 20
    assert same(panel.picture(), changed)
    screen.close()


def test_other_modes_are_converted_and_other_sizes_refused():
    panel = Ili9341Panel()
    screen = Ili9341(bus=panel.bus)
    screen.show(Image.new("L", SIZE, 255))
    assert panel.picture().getpixel((5, 5)) == (255, 255, 255)
    with pytest.raises(MisuseError):
        screen.show(Image.new("RGB", (240, 320)))
    screen.close()


def test_the_wires_of_a_pi_do_what_luma_asks_of_rpi_gpio():
    """The same pictures over gpiozero's pins for data/command and reset."""
    factory, panel = MockFactory(), Ili9341Panel(dc=24, rst=25)
    for pin in (24, 25):
        factory.pin(f"GPIO{pin}", pin_class=Lead, follow=lambda level, pin=pin: panel.output(pin, level))
    wires = Wires(factory)
    screen = Ili9341(bus=spi(spi=panel, gpio=wires, gpio_DC=24, gpio_RST=25))
    screen.show(painted())
    assert same(panel.picture(), painted())
    screen.close()
    wires.close()
    assert factory.pin("GPIO24").function == "input"


def test_the_backlight_is_lit_from_open_to_close():
    factory = MockFactory()
    bulb = Bulb(factory, 18)
    screen = Ili9341(bus=Ili9341Panel().bus, gpio_light=18, factory=factory)
    assert bulb.lit
    screen.close()
    assert not bulb.lit


def test_bad_wiring_is_named():
    with pytest.raises(WiringError, match="cannot run at 33000000 Hz"):
        Ili9341(speed=33_000_000)
    with pytest.raises(WiringError, match="LCD: GPIO99"):
        Ili9341(gpio_dc=99, factory=MockFactory())


@pytest.mark.skipif(importlib.util.find_spec("spidev") is not None, reason="there is an SPI here")
def test_without_spi_the_pins_are_given_back():
    factory = MockFactory()
    for _ in range(2):
        with pytest.raises(WiringError, match="spidev"):
            Ili9341(factory=factory)
