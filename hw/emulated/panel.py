"""An ILI9341 panel at the end of the wires: what it is sent over SPI becomes the picture that a person sees."""

import threading
from collections.abc import Callable, Sequence
from enum import IntEnum

from luma.core.interface.serial import spi
from PIL import Image
from PIL.Image import Transpose

WIDTH, HEIGHT = 320, 240  # as it is mounted in a booth
DEEP = bytes(value & 0xFC | value >> 6 for value in range(256))  # 6 bits of each byte reach the glass
DARK = (0, 0, 0)


class Command(IntEnum):
    """Those of the ILI9341 data sheet (V1.11, chapter 8) that change what a person would see here."""

    SOFTWARE_RESET = 0x01
    SLEEP_IN = 0x10
    SLEEP_OUT = 0x11
    DISPLAY_OFF = 0x28
    DISPLAY_ON = 0x29
    COLUMNS = 0x2A
    PAGES = 0x2B
    WRITE = 0x2C
    ACCESS = 0x36
    FORMAT = 0x3A
    CONTINUE = 0x3C


# Bits of ACCESS
MIRROR_PAGES, MIRROR_COLUMNS, EXCHANGE, BGR = 0x80, 0x40, 0x20, 0x08
BITS_18 = 0x06  # low bits of FORMAT: three bytes for a pixel


class Ili9341Panel:
    """The controller with its glass, and at once both ends of wire that luma asks for.

    It is an spidev (open, writebytes, close) and an RPi.GPIO (setup, output, cleanup) of which only two pins are
    soldered: data/command and reset. `bus` is luma's own SPI interface on the two. The glass is the usual one: its
    colours are right when the controller is told BGR, and it stands upright when rows and columns are exchanged.
    """

    LOW, HIGH, OUT = 0, 1, 0

    def __init__(self, dc: int = 24, rst: int = 25) -> None:
        self._dc, self._rst = dc, rst
        self._lock = threading.RLock()
        self._watchers: list[Callable[[], None]] = []
        self._glass = Image.new("RGB", (HEIGHT, WIDTH))  # the controller's own memory is upright
        self._data = False
        self._reset()
        self.received = 0  # bytes so far

    @property
    def bus(self) -> spi:
        """A luma serial interface that ends here."""
        return spi(spi=self, gpio=self, gpio_DC=self._dc, gpio_RST=self._rst)

    def watch(self, told: Callable[[], None]) -> None:
        """Have `told` called after every change of the picture, on the sender's thread; it must return at once."""
        self._watchers.append(told)

    def picture(self) -> Image.Image:
        """What a person sees now; black while it sleeps."""
        with self._lock:
            if not (self._awake and self._on):
                return Image.new("RGB", (WIDTH, HEIGHT), DARK)
            self._lay_down()
            return self._glass.transpose(Transpose.TRANSPOSE)

    def open(self, port: int, device: int) -> None:
        """Spidev's."""

    def close(self) -> None:
        """Spidev's."""

    def setup(self, pin: int, direction: int) -> None:
        """RPi.GPIO's."""

    def cleanup(self, pins: Sequence[int]) -> None:
        """RPi.GPIO's."""

    def output(self, pin: int, level: int) -> None:
        """RPi.GPIO's: a wire goes up or down."""
        with self._lock:
            if pin == self._dc:
                self._data = bool(level)
            elif pin == self._rst and not level:
                self._reset()

    def writebytes(self, values: Sequence[int]) -> None:
        """Spidev's: one transfer with chip select down."""
        with self._lock:
            self.received += len(values)
            changed = self._take(bytes(values)) if self._data else self._obey_all(values)
        if changed:
            for told in self._watchers:
                told()

    def _reset(self) -> None:
        self._command = 0
        self._parameters = b""
        self._awake = self._on = False
        self._access, self._format = 0, BITS_18
        self._columns, self._pages = (0, HEIGHT - 1), (0, WIDTH - 1)
        self._pixels = bytearray()

    def _obey_all(self, commands: Sequence[int]) -> bool:
        changed = [self._obey(command) for command in commands]
        return any(changed)

    def _obey(self, command: int) -> bool:
        """Begin a command; whether it changes the picture by itself."""
        if command != Command.CONTINUE:
            self._lay_down()
            self._pixels.clear()
        self._command, self._parameters = command, b""
        before = self._awake and self._on
        match command:
            case Command.SOFTWARE_RESET:
                self._reset()
            case Command.SLEEP_IN | Command.SLEEP_OUT:
                self._awake = command == Command.SLEEP_OUT
            case Command.DISPLAY_OFF | Command.DISPLAY_ON:
                self._on = command == Command.DISPLAY_ON
        return before != (self._awake and self._on)

    def _take(self, data: bytes) -> bool:
        """Parameters or pixels of the last command; whether they fill its window."""
        if self._command in (Command.WRITE, Command.CONTINUE):
            return self._paint(data)
        self._parameters += data
        match self._command, len(self._parameters):
            case (Command.COLUMNS, 4):
                self._columns = self._span()
            case (Command.PAGES, 4):
                self._pages = self._span()
            case (Command.ACCESS, 1):
                self._access = self._parameters[0]
            case (Command.FORMAT, 1):
                self._format = self._parameters[0] & 0x07
        return False

    def _span(self) -> tuple[int, int]:
        return int.from_bytes(self._parameters[:2]), int.from_bytes(self._parameters[2:])

    def _paint(self, data: bytes) -> bool:
        if self._format != BITS_18:
            raise ValueError("this panel is emulated with three bytes for a pixel only")
        self._pixels += data
        width, height = self._window()
        whole, full = False, width * height * 3
        while len(self._pixels) >= full:  # the pointer goes back to the window's first pixel
            self._lay_down()
            del self._pixels[:full]
            whole = True
        return whole

    def _window(self) -> tuple[int, int]:
        return self._columns[1] - self._columns[0] + 1, self._pages[1] - self._pages[0] + 1

    def _lay_down(self) -> None:
        """Put the pixels that have come so far on the glass, whole rows first, then what there is of the next."""
        width, height = self._window()
        pixels = bytes(self._pixels[: width * height * 3]).translate(DEEP)
        rows, left = divmod(len(pixels) // 3, width)
        left_edge, top = self._columns[0], self._pages[0]
        if rows:
            self._place(Image.frombytes("RGB", (width, rows), pixels[: rows * width * 3]), left_edge, top)
        if left:
            rest = pixels[rows * width * 3 :][: left * 3]
            self._place(Image.frombytes("RGB", (left, 1), rest), left_edge, top + rows)

    def _place(self, block: Image.Image, x: int, y: int) -> None:
        if not self._access & BGR:
            block = Image.merge("RGB", block.split()[::-1])
        if self._access & EXCHANGE:
            block, x, y = block.transpose(Transpose.TRANSPOSE), y, x
        if self._access & MIRROR_COLUMNS:
            block, x = block.transpose(Transpose.FLIP_LEFT_RIGHT), HEIGHT - x - block.width
        if self._access & MIRROR_PAGES:
            block, y = block.transpose(Transpose.FLIP_TOP_BOTTOM), WIDTH - y - block.height
        self._glass.paste(block, (x, y))
