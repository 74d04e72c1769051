"""A whole booth without hardware: emulated devices, each at the far end of the driver that a real booth has."""

import json
import resource
import secrets
import time
from pathlib import Path
from typing import Any, Literal, Self

import pyrage
from gpiozero.pins.mock import MockFactory

from firmware.clock import Clock
from firmware.desk.ear import BrowserHandset
from firmware.desk.fingers import Fingers
from firmware.desk.modems import FIRST, MODEMS, FarModem, Kind
from firmware.desk.timepiece import Timepiece
from firmware.desk.words import LAMPS, Language
from firmware.hardware import Hardware
from firmware.pin import hash_pin
from firmware.settings import Settings, parse
from firmware.tables import Driver
from hw.contracts import Glow, Hook, Screen, TextScreen
from hw.emulated.bulb import Bulb
from hw.emulated.cable import Tap
from hw.emulated.characters import Hd44780Panel
from hw.emulated.cradle import HookSwitch
from hw.emulated.exchange import Exchange
from hw.emulated.gsm import GsmModem
from hw.emulated.matrix import Matrix
from hw.emulated.panel import Ili9341Panel
from hw.hook import Cradle, NoHook
from hw.keypad import MatrixKeypad
from hw.lamp import Led
from hw.lcd import Hd44780, Ili9341

HookKind = Literal["cradle", "none"]
ScreenKind = Literal["ili9341", "hd44780"]

# GPIO numbers, as in the example of device.toml.
ROWS, COLUMNS = (5, 6, 13, 19), (12, 16, 20, 21)
CRADLE = 17
LAMP_PINS = dict(zip(LAMPS, (22, 27, 4), strict=True))
HELD = 1.3  # seconds that a held key stays down; one second counts as held
FULL = 16_384  # bytes beyond which a full card takes nothing, in any file

DEVICE = """\
booth = "desk"
language = "{language}"
data = {data}

[line]
kind = "{kind}"
{line}

[handset]
kind = "emulated"

[keypad]
kind = "matrix"
rows = {rows}
columns = {columns}

[hook]
kind = "{hook}"

[screen]
kind = "{screen}"

[recording]
recipients = {recipients}

[campaign]
packs = {packs}

[supervisor]
pin = "{pin}"

[[agent]]
id = "07"
name = "OP07"

[script]
pages = {script}
"""
SCRIPTS: dict[Language, tuple[str, ...]] = {
    "ja": (
        "「○○社の△△と申します。」",
        "「新しくご利用いただけるサービスのご案内です。3分ほどお時間を頂戴できますでしょうか。」",
        "「いつお切りいただいても結構です。」",
    ),
    "en": (
        "“This is N. of the X company.”",
        "“It is about a new service. May I have three minutes of your time?”",
        "“You may hang up whenever you like.”",
    ),
}


class Rig:
    """The devices of one booth, and the hands of the person before it.

    `hardware` holds the near ends, the drivers; a booth that stops closes them, and `power_on` makes new ones. The far
    ends stay: exchange, modem, matrix, switch, panel, bulbs, handset. Options that have no name here are the first modem's.
    """

    def __init__(
        self,
        directory: Path,
        *,
        language: Language = "ja",
        screen: ScreenKind = "ili9341",
        hook: HookKind = "cradle",
        identity: pyrage.x25519.Identity | None = None,
        modem: str = FIRST,
        **options: Any,
    ) -> None:
        """`directory` is the card: everything that the booth keeps. `identity` opens its recordings.

        `modem` is one of MODEMS.
        """
        self.directory, self.language, self.screen_kind, self.hook_kind = directory, language, screen, hook
        self.identity = identity or pyrage.x25519.Identity.generate()
        self.recipients: tuple[str, ...] = (str(self.identity.to_public()),)
        self.packs: list[str] = []  # rule packs; none: the demonstration works at any hour
        self.timepiece = Timepiece()
        self.card_full = False
        self._pins = MockFactory()
        self.matrix = Matrix(self._pins, ROWS, COLUMNS)
        self.fingers = Fingers(self.matrix)
        self.switch = HookSwitch(self._pins, CRADLE)
        self.bulbs = {name: Bulb(self._pins, pin) for name, pin in LAMP_PINS.items()}
        self.panel = Ili9341Panel() if screen == "ili9341" else Hd44780Panel()
        self.handset = BrowserHandset()
        self.exchange = Exchange()
        self._ports = directory / "ports"
        self._ports.mkdir(parents=True, exist_ok=True)
        self._taps: list[Tap] = []
        self.modem_name = modem
        self.modem: FarModem = self.kind.plugged(self.exchange, self._ports, **{"network_time": time.time(), **options})
        self.hardware = self._near_ends()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Put everything away; the booth must have stopped."""
        self.empty_card()
        self._close_near_ends()
        self.modem.close()
        self.exchange.close()
        self._pins.close()

    def power_on(self) -> None:
        """Drivers that know nothing of what was before; the booth that had the old ones must have stopped."""
        self._close_near_ends()
        self.hardware = self._near_ends()

    # The modem.

    @property
    def kind(self) -> Kind:
        """What sort of modem is plugged in."""
        return MODEMS[self.modem_name]

    @property
    def line(self) -> Driver:
        """The [line] of device.toml for the modem that is plugged in."""
        return self.kind.line_of(self.modem)

    def change_modem(self, name: str) -> None:
        """Pull the modem out and plug in another of MODEMS, which knows no trouble yet; the booth must have stopped."""
        kind = MODEMS[name]
        self._close_near_ends()
        self.modem.close()
        self.modem_name, told = name, self.timepiece.now() if self.timepiece.right else None
        self.modem = kind.plugged(self.exchange, self._ports, network_time=told)
        for tap in self._taps:
            self.modem.log(tap)
        self.hardware = self._near_ends()

    def listen_in(self, tap: Tap) -> None:
        """Tell `tap` every line between booth and modem, `> ` or `< ` before it; also when the modem is another one."""
        self._taps.append(tap)
        self.modem.log(tap)

    # What the booth is made of besides.

    def device_toml(self, pin_hash: str) -> str:
        """The settings of this booth as a file, with the supervisor's hashed PIN."""
        return DEVICE.format(
            language=self.language,
            data=json.dumps(str(self.directory)),
            kind=self.line.kind,
            line="\n".join(f"{name} = {json.dumps(value)}" for name, value in self.line.settings.items()),
            rows=list(ROWS),
            columns=list(COLUMNS),
            hook=self.hook_kind,
            screen=self.screen_kind,
            recipients=json.dumps(self.recipients),
            pin=pin_hash,
            packs=json.dumps(self.packs),
            script=json.dumps(SCRIPTS[self.language], ensure_ascii=False),
        )

    def settings(self, pin: str | None = None, more: str = "") -> Settings:
        """The settings of this booth, with a random PIN if left out; `more` is added to device.toml as it is."""
        return parse(self.device_toml(hash_pin(pin or random_pin())) + more)

    def clock(self) -> Clock:
        """The clock of a booth that starts now."""
        return self.timepiece.booth_clock()

    # What a person does at the booth.

    def press(self, key: str) -> None:
        """Put a finger on a key and leave it there; returns at once."""
        self.matrix.press(key)

    def release(self, key: str) -> None:
        """Take the finger off; returns at once."""
        self.matrix.release(key)

    def tap(self, keys: str) -> None:
        """Press keys one after the other; returns when the keypad has felt that the last one is up."""
        for key in keys:
            self.fingers.press(key)
            self.fingers.release(key)

    def type(self, digits: str) -> None:
        """Key a number."""
        self.tap(digits)

    def hold(self, key: str, seconds: float = HELD) -> None:
        """Keep a key down for a while; returns when it is up."""
        self.press(key)
        time.sleep(seconds)
        self.release(key)

    def lift(self) -> None:
        """Take the handset up."""
        self.switch.lift()

    def replace(self) -> None:
        """Put the handset down."""
        self.switch.replace()

    # What a person sees.

    def glow(self, lamp: str) -> Glow:
        """How a lamp of words.LAMPS glows."""
        return self.bulbs[lamp].glow

    # Troubles.

    def unplug(self) -> None:
        """Pull the modem's plug."""
        self.modem.unplug()

    def plug(self) -> None:
        """Plug the modem in again."""
        self.modem.plug()

    def set_clock(self, year: int) -> None:
        """No source of time any more. A booth that knows the time goes on knowing it until it is started again."""
        self.timepiece.set_year(year)
        self._tell_time(None)

    def restore_clock(self) -> None:
        """NTP and the network tell the time again; a running booth hears of it."""
        self.timepiece.restore()
        self._tell_time(time.time())

    def advance(self, seconds: float) -> None:
        """Let time go by for everybody who knows it; a running booth follows."""
        self.timepiece.advance(seconds)
        self._tell_time(self.timepiece.now())

    def fill_card(self) -> None:
        """From now on the kernel refuses to write to the card. It does so for every file of this process."""
        self.card_full = True
        _limit_files(FULL)

    def empty_card(self) -> None:
        """There is room on the card again."""
        self.card_full = False
        _limit_files(resource.getrlimit(resource.RLIMIT_FSIZE)[1])

    def _tell_time(self, utc: float | None) -> None:
        """By the network, if it is one that tells the time."""
        if isinstance(self.modem, GsmModem):
            self.modem.network_time = utc

    def _near_ends(self) -> Hardware:
        hook: Hook = NoHook() if self.hook_kind == "none" else Cradle(CRADLE, factory=self._pins)
        return Hardware(
            line=self.kind.near_end(self.modem),
            handset=self.handset,
            keypad=MatrixKeypad(ROWS, COLUMNS, factory=self._pins),
            hook=hook,
            screen=self._screen(),
            lamps={name: Led(pin, factory=self._pins) for name, pin in LAMP_PINS.items()},
        )

    def _screen(self) -> Screen | TextScreen:
        return Ili9341(bus=self.panel.bus) if isinstance(self.panel, Ili9341Panel) else Hd44780(bus=self.panel)

    def _close_near_ends(self) -> None:
        near = self.hardware
        for device in (near.keypad, near.hook, near.line, near.handset, near.screen, *near.lamps.values()):
            device.close()


def random_pin() -> str:
    """Six digits for a supervisor."""
    return f"{secrets.randbelow(10**6):06d}"


def _limit_files(size: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
