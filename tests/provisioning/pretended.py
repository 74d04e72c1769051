"""What a booth in a container has in place of hardware: mock pins under its own drivers, and a modem, another process.

The booth's unit stays as it is. A drop-in puts a sitecustomize.py in front of its program, which calls `begin`; from then on
a pipe moves fingers and handset, and a file says where the booth is.
"""

import fcntl
import json
import os
import shutil
import signal
import sys
import termios
import threading
from functools import partial
from pathlib import Path

import sdnotify
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from firmware import __main__ as program
from firmware.desk.fingers import Fingers
from firmware.desk.rig import COLUMNS, CRADLE, ROWS
from hw import wiring
from hw.emulated.characters import Hd44780Panel
from hw.emulated.cradle import HookSwitch
from hw.emulated.exchange import Exchange, FarEnd
from hw.emulated.gsm import GsmModem
from hw.emulated.matrix import Matrix
from hw.lcd import Hd44780

PLACE = Path("/run/pretended")  # root's, read-only to the booth: a pipe takes bytes all the same
HANDS, SCENE = PLACE / "hands", Path("/var/lib/boothphone/scene")
MAKE = "sim7600"


def screen():
    """The LCD of characters, on a bus that is emulated."""
    return Hd44780(bus=Hd44780Panel())


def begin():
    """Before `booth` begins."""
    Device.pin_factory = pins = MockFactory()
    fingers, cradle = Fingers(Matrix(pins, ROWS, COLUMNS)), HookSwitch(pins, CRADLE)
    wiring.HANDSETS["emulated"] = "hw.emulated.handset:EmulatedHandset"
    wiring.SCREENS["emulated"] = f"{__name__}:screen"
    program.compose = partial(_composed, program.compose)
    threading.Thread(target=_obey, args=(fingers, cradle), daemon=True).start()


def _composed(compose, settings, hardware):
    booth = compose(settings, hardware, sample_allowed=True)
    booth.watch(_show)
    return booth


def _show(scene, _view):
    body, header, new = scene.body, scene.header, SCENE.with_suffix(".new")
    call = getattr(body, "call", None)
    told = {"life": os.environ["INVOCATION_ID"], "state": scene.state.name, "call": call.id if call else ""}
    told |= {"seconds": getattr(body, "seconds", 0.0), "owed": bool(getattr(body, "owed", None))}
    told |= {"chosen": bool(getattr(body, "chosen", None)), "signal": header.signal}
    told |= {"synced": header.synced and not header.pending, "dated": header.now is not None}
    new.write_text(json.dumps(told))
    new.replace(SCENE)


def _obey(fingers, cradle):
    while True:
        with HANDS.open() as orders:
            for order in map(str.strip, orders):
                if order in {"lift", "replace"}:
                    getattr(cradle, order)()
                else:
                    fingers.press(order)
                    fingers.release(order)


def modem():
    """A modem at two ports, which belong to `dialout` as udev would have it; its far end answers at once and speaks."""
    os.mkfifo(HANDS)
    HANDS.chmod(0o666)
    exchange = Exchange()
    exchange.default = FarEnd(answers_after=0.5)
    with GsmModem(MAKE, exchange, PLACE) as plugged:
        for port in (plugged.at, plugged.pcm):
            shutil.chown(os.path.realpath(port), "root", "dialout")
            Path(port).chmod(0o660)
        sdnotify.SystemdNotifier().notify("READY=1")
        signal.pause()


def released():
    """As a real port is when who had it has died: an emulated one stays open at its other side, and so remembers."""
    for port in PLACE.glob("modem-*"):
        opened = os.open(port, os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(opened, termios.TIOCNXCL)
        os.close(opened)


if __name__ == "__main__":
    {"modem": modem, "released": released}[sys.argv[1]]()
