"""A sysfs and a /dev of a test's own: USB devices appear and vanish in them as the kernel would have it."""

import itertools
import shutil
from pathlib import Path

OURS = "ff"  # the class of an interface that is the maker's own affair


class Sockets:
    """The USB sockets of a machine; `sysfs` and `dev` are what a finder reads."""

    def __init__(self, root):
        self.sysfs, self.dev = root / "sys", root / "dev"
        for place in ("bus/usb/devices", "class/sound", "devices/usb1"):
            (self.sysfs / place).mkdir(parents=True)
        self.dev.mkdir()
        self._ttys, self._cards = itertools.count(), itertools.count(1)

    def plug(self, path, ident, *, ttys=None, cards=None, plain=(), **words):
        """A device in socket `path`.

        `ttys`: number of an interface and the port (of an emulated modem, say) that its tty leads to, "" for a tty that
        leads nowhere. `cards`: number of an interface and the name of its sound card. `plain`: further interfaces.
        `words`: attributes of the device, such as product. Returns the names of the ttys by interface.
        """
        vid, pid = ident.split(":")
        device = self._link(path, {"idVendor": vid, "idProduct": pid, **words})
        named = {number: self._tty(device, number, end) for number, end in (ttys or {}).items()}
        for number, name in (cards or {}).items():
            self._card(self._interface(device, number, "01", "snd-usb-audio"), name)
        for number in plain:
            self._interface(device, number, OURS, "")
        return named

    def unplug(self, path):
        """The device, its ttys and its cards are gone."""
        link = self.sysfs / "bus/usb/devices" / path
        for tty in link.resolve().glob("*:*/ttyUSB*"):
            (self.dev / tty.name).unlink(missing_ok=True)
        for card in (self.sysfs / "class/sound").iterdir():
            if path in card.readlink().parts:
                card.unlink()
        shutil.rmtree(link.resolve())
        link.unlink()

    def _link(self, path, words):
        device = self.sysfs / "devices/usb1" / path
        device.mkdir()
        for name, text in words.items():
            (device / name).write_text(f"{text}\n")
        (self.sysfs / "bus/usb/devices" / path).symlink_to(Path("../../../devices/usb1") / path)
        return device

    def _interface(self, device, number, usb_class, driver):
        inner = device / f"{device.name}:1.{number}"
        inner.mkdir(exist_ok=True)
        (inner / "bInterfaceNumber").write_text(f"{number:02x}\n")
        (inner / "bInterfaceClass").write_text(f"{usb_class}\n")
        if driver:
            drivers = self.sysfs / "bus/usb/drivers" / driver
            drivers.mkdir(parents=True, exist_ok=True)
            (inner / "driver").symlink_to(drivers)
        return inner

    def _tty(self, device, number, end):
        name = f"ttyUSB{next(self._ttys)}"
        (self._interface(device, number, OURS, "option") / name).mkdir()
        if end:
            (self.dev / name).symlink_to(end)
        return name

    def _card(self, interface, name):
        number = next(self._cards)
        card = interface / "sound" / f"card{number}"
        card.mkdir(parents=True)
        (card / "id").write_text(f"{name}\n")
        (self.sysfs / "class/sound" / card.name).symlink_to(card)
