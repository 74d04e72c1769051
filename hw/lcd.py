"""The booth's two sorts of LCD, both on luma.lcd: 320×240 pixels over SPI, or 4 rows of 20 characters over I²C."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from luma.core import framebuffer
from luma.core.error import Error as LumaError
from luma.core.interface.serial import pcf8574, spi
from luma.lcd.const import hd44780 as hd44780_data
from luma.lcd.device import hd44780, ili9341
from PIL.Image import Image

from hw.errors import HardwareError, MisuseError, WiringError
from hw.pins import Claim, Factory

SPEED = 32_000_000  # Hz; a whole picture takes 58 ms on the wire, and above it some panels show wrong colours
SPEEDS = [round(1e6 * mhz) for mhz in (0.5, 1, 2, 4, 8, 16, 20, 24, 28, 32, 36, 40, 44, 48, 50, 52)]  # luma's own list
SEGMENTS = 25  # a 5×5 grid of which only changed parts are sent
COLUMNS, ROWS = 20, 4
HALF_WIDTH = range(0xFF61, 0xFFA0)  # ｡ to ﾟ, in the order of the character ROM
HALF_WIDTH_ROM = 0xA1
UNLIKE_ASCII = "\\~"  # where ROM A00 has ¥ and →
UNKNOWN = ord("?")


class Wires:
    """What luma asks of RPi.GPIO, on gpiozero's pins: RPi.GPIO itself does not know the Pi 5."""

    LOW, HIGH, OUT = False, True, "output"

    def __init__(self, factory: Factory = None) -> None:
        self._factory = factory
        self._claims: dict[int, Claim] = {}

    def setup(self, pin: int, direction: str) -> None:
        """Take a pin and drive it low."""
        self._claims[pin] = Claim("LCD", [pin], self._factory)
        self._claims[pin].pins[0].output_with_state(direction != self.OUT)

    def output(self, pin: int, level: bool) -> None:
        """Drive a pin that was set up."""
        self._claims[pin].pins[0].state = level

    def cleanup(self, pins: int | Sequence[int]) -> None:
        """Give pins back; harmless when they were given back before."""
        for pin in [pins] if isinstance(pins, int) else pins:
            if pin in self._claims:
                self._claims.pop(pin).release()

    def close(self) -> None:
        """Give all pins back."""
        self.cleanup(tuple(self._claims))


class Ili9341:
    """A Screen of 320×240 pixels.

    `show` returns when the picture is on the wire: 60 ms for a whole one, 2 to 10 ms for a changed line of text. The
    caller is therefore a thread that may wait.
    """

    size = (320, 240)

    def __init__(
        self,
        *,
        port: int = 0,
        device: int = 0,
        gpio_dc: int = 24,
        gpio_rst: int = 25,
        gpio_light: int | None = None,
        speed: int = SPEED,
        full_frame: bool = False,
        bgr: bool = False,
        factory: Factory = None,
        bus: Any = None,
    ) -> None:
        """`bus` is a ready luma serial interface in place of port … speed.

        `full_frame` sends every picture whole, for panels that keep stray pixels; `bgr` is for panels that show red
        as blue; `gpio_light` is the backlight's pin where it is not wired to be always lit.
        """
        if speed not in SPEEDS:
            raise WiringError(f"LCD ili9341: SPI cannot run at {speed} Hz, only at {', '.join(map(str, SPEEDS))}")
        self._wires = Wires(factory)
        light = {"backlight": _always_lit} if gpio_light is None else {"gpio": self._wires, "gpio_LIGHT": gpio_light}
        frames = framebuffer.full_frame() if full_frame else framebuffer.diff_to_previous(num_segments=SEGMENTS)
        try:
            wire = bus or spi(
                gpio=self._wires, port=port, device=device, bus_speed_hz=speed, gpio_DC=gpio_dc, gpio_RST=gpio_rst
            )
            self._device = ili9341(wire, framebuffer=frames, bgr=bgr, **light)
        except (LumaError, OSError, ImportError) as problem:
            self._wires.close()
            raise WiringError(f"LCD ili9341 on SPI {port}.{device}: {problem}") from problem

    def show(self, picture: Image) -> None:
        """Send what has changed since the last picture."""
        if picture.size != self.size:
            raise MisuseError(f"a picture of {picture.size} for a screen of {self.size}")
        try:
            self._device.display(picture.convert("RGB"))
        except (LumaError, OSError) as problem:
            raise HardwareError(f"LCD ili9341: {problem}") from problem

    def close(self) -> None:
        _switch_off(self._device)
        self._wires.close()


class Hd44780:
    """A TextScreen of 20×4 characters with ROM A00 behind a PCF8574, as such displays are sold in Japan.

    Text is ASCII and half-width katakana with split voicing marks (ｶﾞ). A character takes 1.5 ms at 100 kHz, a row of
    changed ones a further 1.5 ms, so a whole screen takes some 130 ms; only what has changed is written.
    """

    def __init__(self, address: int = 0x27, port: int = 1, bus: Any = None) -> None:
        """`bus` is an open SMBus in place of the port."""
        try:
            wire = pcf8574(bus=bus, port=port, address=address)
            self._device = hd44780(wire, width=COLUMNS, height=ROWS, selected_font="A00")
        except (LumaError, OSError, ImportError) as problem:
            raise WiringError(f"LCD hd44780 at {address:#04x} on I2C {port}: {problem}") from problem
        self._shown: list[list[int | None]] = [[ord(" ")] * COLUMNS for _ in range(ROWS)]  # None: not known

    def write(self, rows: Sequence[str]) -> None:
        """Show four rows; what is shorter is filled up, what is longer is cut."""
        if len(rows) > ROWS:
            raise MisuseError(f"{len(rows)} rows for a screen of {ROWS}")
        try:
            for row, text in enumerate([*rows, *[""] * (ROWS - len(rows))]):
                self._write_row(row, [rom_code(letter) for letter in text.ljust(COLUMNS)[:COLUMNS]])
        except (LumaError, OSError) as problem:
            raise HardwareError(f"LCD hd44780: {problem}") from problem

    def close(self) -> None:
        _switch_off(self._device)

    def _write_row(self, row: int, codes: list[int]) -> None:
        shown = self._shown[row]
        for changed, run in groupby(range(COLUMNS), lambda column: codes[column] != shown[column]):
            if changed:
                self._write_run(row, list(run), codes)

    def _write_run(self, row: int, run: list[int], codes: list[int]) -> None:
        start, end = run[0], run[-1] + 1
        self._shown[row][start:end] = [None] * len(run)  # until it is written, for writing may fail
        self._device.command(hd44780_data.DDRAMADDR | hd44780_data.LINES[row] + start)
        self._device.data(codes[start:end])
        self._shown[row][start:end] = codes[start:end]


def rom_code(letter: str) -> int:
    r"""The code of a letter in character ROM A00, "?" if it has none.

    >>> [hex(rom_code(letter)) for letter in "Aｱﾞ¥\\"]
    ['0x41', '0xb1', '0xde', '0x5c', '0x3f']
    """
    code = ord(letter)
    if " " <= letter <= "}" and letter not in UNLIKE_ASCII:
        return code
    if code in HALF_WIDTH:
        return HALF_WIDTH_ROM + code - HALF_WIDTH.start
    return int(hd44780_data.FONTDATA["mappings"][0].get(code, UNKNOWN))


def _always_lit(lit: bool) -> None:
    """Backlight without a wire: luma wants one."""


def _switch_off(device: Any) -> None:
    try:
        device.cleanup()
    except (LumaError, OSError):
        pass  # it is gone already, and dark
    device.persist = True  # luma cleans up once more when Python ends; there is nothing left to switch off then
