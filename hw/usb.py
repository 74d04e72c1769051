"""What is plugged into the USB ports, read from sysfs: devices, their interfaces, and the serial ports and cards behind.

Serial ports are numbered in the order in which they appear, so ttyUSB2 is another one after each re-plug. What stays is
the device's VID:PID, the number of the interface, and the socket it is plugged into ("1-1.2": bus 1, port 1, port 2).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SYSFS = Path("/sys")
DEV = Path("/dev")
SOCKET = re.compile(r"\d+-\d+(\.\d+)*")
TTY = re.compile(r"tty[A-Z]+\d+")
CARD = re.compile(r"card\d+")


@dataclass(frozen=True, slots=True)
class Card:
    """A sound card: `number` is ALSA's for now, `name` the short one that it keeps, such as Android."""

    number: int
    name: str

    @property
    def alsa(self) -> str:
        """What is found in PortAudio's name of it and of no other card."""
        return f"(hw:{self.number},"


@dataclass(frozen=True, slots=True)
class Interface:
    """One function of a device: `usb_class` is what USB calls it (0xff: the maker's own), `driver` empty for none."""

    number: int
    usb_class: int
    driver: str = ""
    ttys: tuple[str, ...] = ()
    cards: tuple[Card, ...] = ()


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """One device; vid and pid are four hexadecimal digits in small letters."""

    vid: str
    pid: str
    path: str  # the socket, such as 1-1.2
    maker: str = ""
    product: str = ""
    serial: str = field(default="", repr=False)  # of some modems it is the IMEI
    interfaces: tuple[Interface, ...] = ()

    @property
    def ident(self) -> str:
        """VID:PID as everybody writes it."""
        return f"{self.vid}:{self.pid}"

    @property
    def ttys(self) -> tuple[str, ...]:
        """All its serial ports, by interface."""
        return tuple(tty for interface in self.interfaces for tty in interface.ttys)

    @property
    def cards(self) -> tuple[Card, ...]:
        """All its sound cards."""
        return tuple(dict.fromkeys(card for interface in self.interfaces for card in interface.cards))

    def tty(self, number: int) -> str:
        """The serial port of an interface, empty when there is none (yet)."""
        return next((tty for one in self.interfaces if one.number == number for tty in one.ttys), "")


def devices(sysfs: Path = SYSFS) -> tuple[UsbDevice, ...]:
    """All that is plugged in, hubs too, by socket; empty where there is no USB. What vanishes meanwhile is left out."""
    found = (_device(path) for path in _inside(sysfs / "bus/usb/devices") if SOCKET.fullmatch(path.name))
    return tuple(
        sorted(filter(None, found), key=lambda device: [int(part) for part in re.findall(r"\d+", device.path)])
    )


def socket_of(port: str, sysfs: Path = SYSFS) -> str:
    """The USB socket behind a serial port or a link to one; empty when there is none."""
    tty = Path(port).resolve().name
    return next((device.path for device in devices(sysfs) if tty in device.ttys), "")


def cards(sysfs: Path = SYSFS) -> tuple[Card, ...]:
    """All sound cards, wherever they are."""
    found = (_card(path) for path in _inside(sysfs / "class/sound") if CARD.fullmatch(path.name))
    return tuple(sorted(filter(None, found), key=lambda card: card.number))


def _device(path: Path) -> UsbDevice | None:
    vid, pid = _word(path / "idVendor"), _word(path / "idProduct")
    if not (vid and pid):
        return None
    parts = (_interface(inner) for inner in _inside(path) if inner.name.startswith(f"{path.name}:"))
    return UsbDevice(
        vid=vid.lower(),
        pid=pid.lower(),
        path=path.name,
        maker=_word(path / "manufacturer"),
        product=_word(path / "product"),
        serial=_word(path / "serial"),
        interfaces=tuple(sorted(filter(None, parts), key=lambda interface: interface.number)),
    )


def _interface(path: Path) -> Interface | None:
    number, usb_class = _hex(path / "bInterfaceNumber"), _hex(path / "bInterfaceClass")
    if number is None or usb_class is None:
        return None
    # usbserial puts ttyUSB2 right below the interface, cdc_acm its ttyACM0 below `tty`.
    names = (inner.name for inner in (*_inside(path), *_inside(path / "tty")))
    sound = (_card(inner) for inner in _inside(path / "sound") if CARD.fullmatch(inner.name))
    return Interface(
        number=number,
        usb_class=usb_class,
        driver=_driver(path),
        ttys=tuple(sorted({name for name in names if TTY.fullmatch(name)})),
        cards=tuple(card for card in sound if card),
    )


def _driver(path: Path) -> str:
    try:
        return (path / "driver").readlink().name
    except OSError:
        return ""


def _card(path: Path) -> Card | None:
    number = path.name.removeprefix("card")
    return Card(int(number), _word(path / "id") or path.name) if number.isdigit() else None


def _hex(path: Path) -> int | None:
    try:
        return int(_word(path), 16)
    except ValueError:
        return None


def _word(path: Path) -> str:
    """The text of an attribute; empty when it is not there, or not any more."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _inside(path: Path) -> Iterator[Path]:
    try:
        yield from sorted(path.iterdir())
    except OSError:
        return
