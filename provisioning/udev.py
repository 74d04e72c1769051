"""`booth-provision udev`: the rules that keep other programs away from a booth's modems, made from the table of known ones."""

import argparse
import sys
from collections.abc import Iterator
from typing import Final

from hw.modems.known import KNOWN, Kind, Known, Role

FILE: Final = "70-boothphone.rules"  # before 73-seat-late, which gives those ports tagged uaccess to whoever sits there
LINKS: Final = {Role.AT: "boothphone/at", Role.PCM: "boothphone/pcm"}

_HEAD: Final = """\
# Made by `booth-provision udev`; goes to /etc/udev/rules.d/70-boothphone.rules.
# ModemManager talks to every new serial port for some ten seconds; a booth's modems are not its business. Their ports are
# for the group dialout and for whoever sits at the machine, and USB never puts them to sleep. With several modems plugged
# in, the links below /dev/boothphone lead to one of them: the booth does not use them, people may.
ACTION=="remove", GOTO="boothphone_end"
SUBSYSTEM!="usb|tty|net|usbmisc", GOTO="boothphone_end"
SUBSYSTEMS=="usb", ATTRS{bInterfaceNumber}=="?*", ENV{.BOOTHPHONE_INTERFACE}="$attr{bInterfaceNumber}"
"""
_TAIL: Final = """\

ENV{ID_MM_DEVICE_IGNORE}!="1", GOTO="boothphone_end"
SUBSYSTEM!="usb", ENV{ID_MM_PORT_IGNORE}="1"
SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", TEST=="power/control", ATTR{power/control}="on"
SUBSYSTEM=="tty", GROUP="dialout", MODE="0660", TAG+="uaccess"
LABEL="boothphone_end"
"""
_EXAMPLES: Final = f"""\
examples:
  booth-provision udev | sudo tee /etc/udev/rules.d/{FILE}
  sudo udevadm control --reload && sudo udevadm trigger
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command line of `booth-provision udev`."""
    udev = commands.add_parser(
        "udev",
        help="print the udev rules for modems",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    udev.set_defaults(run=show)


def show(_: argparse.Namespace) -> int:
    """`udev`."""
    sys.stdout.write(rules())
    return 0


def rules() -> str:
    """The whole file."""
    return _HEAD + "".join(line for known in KNOWN for line in _of(known)) + _TAIL


def _of(known: Known) -> Iterator[str]:
    here = f'ATTRS{{idVendor}}=="{known.vid}", ATTRS{{idProduct}}=="{known.pid}"'
    yield f"\n# {known.name}\n"
    yield f'{here}, ENV{{ID_MM_DEVICE_IGNORE}}="1"\n'
    for number, role in known.roles.items():
        if role in LINKS and known.kind is not Kind.ADAPTER:
            of_interface = f'ENV{{.BOOTHPHONE_INTERFACE}}=="{number:02x}"'
            yield f'SUBSYSTEM=="tty", {here}, {of_interface}, SYMLINK+="{LINKS[role]}"\n'
