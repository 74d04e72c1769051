"""A 20×4 character LCD at the end of an I²C bus: PCF8574 expander, HD44780 controller with ROM A00, and its glass."""

import errno
import threading
from collections.abc import Callable
from functools import cache

from luma.lcd.const import hd44780 as rom
from PIL import Image, ImageDraw

COLUMNS, ROWS = 20, 4
STARTS = (0x00, 0x40, 0x14, 0x54)  # where each row begins in the controller's memory of two lines
FIRST_LINE, SECOND_LINE = range(0x28), range(0x40, 0x68)

RS, ENABLE, LIGHT = 0x01, 0x04, 0x08  # pins of the expander; the upper four carry a nibble

OWN = 0xE000  # rows() shows the eight glyphs of the user as private characters from here
A00 = {code: chr(code) for code in range(0x20, 0x7E)} | {code: chr(0xFF61 + code - 0xA1) for code in range(0xA1, 0xE0)}
A00 |= {0x5C: "¥", 0x7E: "→", 0x7F: "←", 0xFF: "█"} | {code: chr(OWN + code % 8) for code in range(0x10)}

BACK, DARK, DOT, GHOST = (150, 186, 40), (70, 88, 24), (28, 40, 16), (142, 177, 38)


class Hd44780Panel:
    """An SMBus with one such display on it. Bytes for other addresses are not acknowledged, as on a real bus."""

    def __init__(self, address: int = 0x27) -> None:
        self._address = address
        self._lock = threading.RLock()
        self._watchers: list[Callable[[], None]] = []
        self._pins = 0
        self._four_bits = False  # the controller wakes with eight
        self._upper: int | None = None  # the first half of a byte
        self._memory = {at: 0x20 for line in (FIRST_LINE, SECOND_LINE) for at in line}
        self._glyphs = bytearray(64)
        self._at, self._step, self._drawing = 0, 1, False  # drawing: the next data are dots of a user's glyph
        self._on = False
        self.plugged = True
        self.written = 0  # characters so far

    def watch(self, told: Callable[[], None]) -> None:
        """Have `told` called after every change, on the sender's thread; it must return at once."""
        self._watchers.append(told)

    @property
    def lit(self) -> bool:
        """Whether the backlight is on."""
        return bool(self._pins & LIGHT)

    def rows(self) -> list[str]:
        """The four rows that a person reads; blank while the display is off."""
        with self._lock:
            codes = self._codes()
        return ["".join(A00.get(code, "�") for code in row) for row in codes]

    def picture(self, scale: int = 4) -> Image.Image:
        """The glass with its dots; `scale` is how many pixels a dot takes each way."""
        with self._lock:
            codes, glyphs, lit = self._codes(), bytes(self._glyphs), self.lit
        size = ((COLUMNS * 6 + 5) * scale, (ROWS * 9 + 5) * scale)
        picture = Image.new("RGB", size, BACK if lit else DARK)
        for row, line in enumerate(codes):
            for column, code in enumerate(line):
                dots = _own(glyphs, code) if code < 0x10 else _printed(code)
                picture.paste(_cell(dots, scale, lit), ((column * 6 + 3) * scale, (row * 9 + 3) * scale))
        return picture

    def write_byte(self, address: int, value: int) -> None:
        """Smbus2's: one byte to the expander, which puts it on its pins."""
        if address != self._address or not self.plugged:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        with self._lock:
            before, self._pins = self._pins, value
            falls = before & ENABLE and not value & ENABLE
            changed = self._latch(before >> 4, bool(before & RS)) if falls else False
            changed = changed or bool((before ^ value) & LIGHT)
        if changed:
            for told in self._watchers:
                told()

    def close(self) -> None:
        """Smbus2's."""

    def _codes(self) -> list[list[int]]:
        blank = [0x20] * COLUMNS
        return [[self._memory[start + x] for x in range(COLUMNS)] if self._on else blank for start in STARTS]

    def _latch(self, nibble: int, data: bool) -> bool:
        """Take four bits; whether they change what is shown."""
        if not self._four_bits:
            return self._obey(nibble << 4) if not data else False
        if self._upper is None:
            self._upper = nibble
            return False
        value, self._upper = self._upper << 4 | nibble, None
        return self._store(value) if data else self._obey(value)

    def _obey(self, value: int) -> bool:
        """Do an instruction: the highest bit that is set says which (data sheet, table 6).

        Shifts (bit 5) are left out: a display of four rows is not shifted.
        """
        match value.bit_length():
            case 8:
                self._at, self._drawing = value & 0x7F, False
            case 7:
                self._at, self._drawing = value & 0x3F, True
            case 6:
                self._four_bits = not value & 0x10
            case 4:
                self._on = bool(value & 0x04)
                return True
            case 3:
                self._step = 1 if value & 0x02 else -1
            case 2:
                self._at, self._drawing = 0, False
            case 1:
                self._memory = dict.fromkeys(self._memory, 0x20)
                self._at, self._step, self._drawing = 0, 1, False
                return True
        return False

    def _store(self, value: int) -> bool:
        if self._drawing:
            self._glyphs[self._at] = value & 0x1F
            self._at = (self._at + self._step) % len(self._glyphs)
            return True
        self.written += 1
        changed = self._memory.get(self._at) != value
        if self._at in self._memory:
            self._memory[self._at] = value
        self._at = _neighbour(self._at, self._step)
        return changed and self._on


def _neighbour(at: int, step: int) -> int:
    """The address after or before; the end of one line is followed by the start of the other."""
    around = [*FIRST_LINE, *SECOND_LINE]
    return around[(around.index(at) + step) % len(around)] if at in around else at


def _own(glyphs: bytes, code: int) -> frozenset[tuple[int, int]]:
    start = code % 8 * 8
    return frozenset((x, y) for y in range(8) for x in range(5) if glyphs[start + y] & 0x10 >> x)


@cache
def _printed(code: int) -> frozenset[tuple[int, int]]:
    """The dots of a glyph as luma.lcd has copied them from the ROM."""
    metrics = rom.FONTDATA["metrics"][0]
    table = Image.frombytes("1", metrics["table_size"], rom.FONTDATA["fonts"][0])
    width, height = metrics["cell_size"]
    down, right = divmod((code - metrics["index"].start) * width, table.width)
    return frozenset((x, y) for y in range(8) for x in range(5) if table.getpixel((right + x, down * height + y)))


def _cell(dots: frozenset[tuple[int, int]], scale: int, lit: bool) -> Image.Image:
    """One character as the glass shows it: with the light on, even empty dots can be made out."""
    back, ghost = (BACK, GHOST) if lit else (DARK, DARK)
    cell = Image.new("RGB", (5 * scale, 8 * scale), back)
    draw = ImageDraw.Draw(cell)
    side = max(1, scale - 1) - 1
    for x in range(5):
        for y in range(8):
            corner = (x * scale, y * scale)
            draw.rectangle((*corner, corner[0] + side, corner[1] + side), fill=DOT if (x, y) in dots else ghost)
    return cell
