"""The modems that a desk can plug in: each a far end on pseudo-terminals, and what device.toml says of the line behind it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from firmware.tables import Driver
from hw import wiring
from hw.contracts import Handset, Line
from hw.emulated.analog import AnalogModem
from hw.emulated.exchange import Exchange
from hw.emulated.gsm import GsmModem

FarModem = GsmModem | AnalogModem
CARD: Final = "emulated"  # what device.toml calls a sound card that only this process has
_PORTS = {"port", "audio"}


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of modem: its name in Japanese and English, the emulated device, and its line in device.toml.

    `dials` is how a command begins that dials `{number}`.
    """

    words: tuple[str, str]
    make: Callable[..., FarModem]
    line: Driver
    dials: str

    @property
    def has_sim(self) -> bool:
        """Whether a SIM is in it; otherwise its line is a pair of wires."""
        return self.line.kind == "gsm"

    def plugged(self, exchange: Exchange, ports: Path, *, network_time: float | None, **options: Any) -> FarModem:
        """Such a modem, plugged in; a radio network tells the time (UTC seconds), a pair of wires does not."""
        told = {"network_time": network_time} if self.has_sim else {}
        modem = self.make(exchange, ports, **(told | options))
        modem.plug()
        return modem

    def line_of(self, modem: FarModem) -> Driver:
        """The [line] of device.toml for such a modem at its ports."""
        audio = modem.pcm or (CARD if _card(modem) else "")
        return replace(
            self.line, settings={**self.line.settings, "port": modem.at, **({"audio": audio} if audio else {})}
        )

    def near_end(self, modem: FarModem) -> Line:
        """The driver that a booth with this device.toml has; a sound card is handed over instead of named."""
        line, card = self.line_of(modem), _card(modem)
        return wiring.open_line(line.kind, **{**line.settings, **({"audio": card} if card else {})})


def _card(modem: FarModem) -> Handset | None:
    """The sound card to which the modem's voice is wired, or which it is itself (UAC)."""
    return modem.card if isinstance(modem, GsmModem) else None


def _gsm(make: str, japanese: str, english: str) -> Kind:
    return Kind((japanese, english), partial(GsmModem, make), Driver("gsm", {"family": make}), "ATD{number};")


def _analog(model: str, name: str) -> Kind:
    line = Driver("analog", {"model": model})
    return Kind((f"{name}（アナログ回線）", f"{name} (analog line)"), partial(AnalogModem, model), line, "ATDT{number}")


MODEMS: Final[Mapping[str, Kind]] = {
    "quectel": _gsm("quectel", "Quectel EC25（LTE）", "Quectel EC25 (LTE)"),
    "quectel-uac": _gsm("quectel-uac", "Quectel EC25、UAC（LTE）", "Quectel EC25 as a sound card (LTE)"),
    "sim7600": _gsm("sim7600", "SIMCom SIM7600（LTE）", "SIMCom SIM7600 (LTE)"),
    "a7670": _gsm("a7670", "SIMCom A7670（LTE）", "SIMCom A7670 (LTE)"),
    "sim800": _gsm("sim800", "SIMCom SIM800L（2G、音声はアナログ）", "SIMCom SIM800L (2G, analog sound)"),
    "huawei": _gsm("huawei", "Huawei E1550（3G スティック）", "Huawei E1550 (3G stick)"),
    "generic": _gsm("generic", "規格 27.007 どおりのモデム", "A modem by the book (3GPP 27.007)"),
    "odd": _gsm("odd", "ZTE K3565-Z（3G、独自の応答）", "ZTE K3565-Z (3G, words of its own)"),
    "usr5637": _analog("usr5637", "USR5637"),
    "conexant": _analog("conexant", "Conexant CX93001"),
    "zoom3095": _analog("zoom3095", "Zoom 3095"),
    "startech": _analog("startech", "StarTech USB56KEMH2"),
    "mt9234": _analog("mt9234", "Multi-Tech MT9234ZBA"),
}
FIRST: Final = "quectel"  # until another one is asked for


def name_of(line: Driver) -> str:
    """Which modem a [line] of device.toml is about; the first one for a line that no desk has written."""
    said = Driver(line.kind, {name: value for name, value in line.settings.items() if name not in _PORTS})
    return next((name for name, kind in MODEMS.items() if kind.line == said), FIRST)
