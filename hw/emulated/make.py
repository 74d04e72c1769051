"""What distinguishes one make of modem from another, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hw.emulated import calling, identity, network, simcard
from hw.emulated.exchange import BUSY, Progress
from hw.emulated.interpreter import Handler, Interpreter, Tables
from hw.emulated.session import LTE_SETTINGS, SETTINGS, Setting

# What every modem of 27.007 understands.
COMMANDS: dict[str, Handler] = {**calling.COMMANDS, **identity.COMMANDS, **network.COMMANDS, **simcard.COMMANDS}
LTE_COMMANDS = {**COMMANDS, **network.LTE_COMMANDS}
LTE = {**SETTINGS, **LTE_SETTINGS}


def always(_: Interpreter) -> bool:
    """Nothing stands in the way."""
    return True


def result(_: Interpreter, progress: Progress) -> list[str]:
    """The final result that tells of an end which the far end or the network made."""
    if progress.state != "idle" or progress.ended_here or progress.second or progress.tone:
        return []
    return ["BUSY" if progress.cause == BUSY and not progress.incoming else "NO CARRIER"]


def sim_news(modem: Interpreter, what: str) -> list[str]:
    """What the SIM waits for now, as most modems tell it unasked."""
    if what != "sim":
        return []
    return ["+CPIN: NOT READY" if modem.around.sim == "NOT INSERTED" else f"+CPIN: {modem.around.sim}"]


@dataclass(frozen=True, kw_only=True)
class Make:
    """One make: its tables, and what it says by itself.

    `firmware` may contain `{model}`; `flawed` has the firmware of those with a certain bug. `news` tells how a call goes
    on, beside RING and +CLIP; `changes` that "signal", "time", "sim" or "registration" did, beside +CREG and +CTZR.
    `voice` is carried on a serial "port" or by a sound "card" while `carries` and a call say so; with `flow` it asks the
    host to stop and to go on. `boot` is said after
    power-on and `noise` again and again, with `{sim}` and `{signal}`. `dial_answered`: ATD has a final result.
    """

    maker: str
    model: str
    firmware: str
    flawed: Mapping[str, str] = field(default_factory=dict)
    tables: Tables
    settings: Mapping[str, Setting] = field(default_factory=lambda: SETTINGS)
    named: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    news: Callable[[Interpreter, Progress], list[str]] = result
    changes: Callable[[Interpreter, str], list[str]] = sim_news
    rings: Callable[[Interpreter], bool] = always
    voice: Literal["port", "card"] = "port"
    carries: Callable[[Interpreter], bool] = always
    flow: bool = False
    boot: tuple[str, ...] = ()
    noise: tuple[str, ...] = ()
    dial_answered: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    def circumstances(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options of Circumstances: those given, else the make's own."""
        chosen = {"maker": self.maker, "model": self.model, **self.options, **options}
        flawed = [firmware for bug, firmware in self.flawed.items() if chosen.get(bug)]
        firmware = (flawed or [self.firmware])[0].format(model=chosen["model"])
        return {"firmware": firmware, **chosen}
