"""What a modem was told since it was plugged in; all of it is forgotten when the plug is pulled."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from hw.emulated.command import Command

# Error numbers of 3GPP TS 27.007, 9.2.1, with their verbose text.
NOT_ALLOWED, NOT_SUPPORTED, PHONE_LOCKED, NO_SIM, PIN_WANTED, PUK_WANTED, SIM_BUSY = 3, 4, 5, 10, 11, 12, 14
SIM_FAILED, WRONG_PASSWORD, NO_SERVICE, WRONG_PARAMETERS, WAIT = 13, 16, 30, 50, 515
ERRORS = {
    NOT_ALLOWED: "operation not allowed",
    NOT_SUPPORTED: "operation not supported",
    PHONE_LOCKED: "PH-SIM PIN required",
    NO_SIM: "SIM not inserted",
    PIN_WANTED: "SIM PIN required",
    PUK_WANTED: "SIM PUK required",
    SIM_FAILED: "SIM failure",
    SIM_BUSY: "SIM busy",
    WRONG_PASSWORD: "incorrect password",
    NO_SERVICE: "no network service",
    WRONG_PARAMETERS: "incorrect parameters",
    WAIT: "Please wait, init or command processing in progress.",
}


class RefusedError(Exception):
    """The modem will not do it; `code` is the +CME ERROR."""

    def __init__(self, code: int) -> None:
        super().__init__(ERRORS[code])
        self.code = code


@dataclass(frozen=True)
class Setting:
    """A command that only keeps what it is told: its value at power-on and what it takes, as `=?` shows it.

    `shown` follows the value in the answer to `?`, where the network adds its part.
    """

    value: str
    takes: str
    shown: str = ""

    def allows(self, arguments: list[str]) -> bool:
        """Whether the arguments are within the ranges; ranges at the end may be left out."""
        ranges = re.findall(r"\(([^)]*)\)", self.takes)
        return 0 < len(arguments) <= len(ranges) and all(map(_within, arguments, ranges))


def _within(argument: str, limits: str) -> bool:
    """Whether a number is in a list like `0-2,5`; words are compared as they are."""
    for limit in limits.split(","):
        low, _, high = limit.partition("-")
        if argument.isdigit() and low.isdigit() and int(low) <= int(argument) <= int(high or low):
            return True
        if argument == limit:
            return True
    return False


# What every modem of 27.007 keeps.
SETTINGS = {
    "+CCWA": Setting("0", "(0,1),(0-2),(1-255)"),
    "+CFUN": Setting("1", "(0,1,4),(0,1)"),
    "+CLIP": Setting("0", "(0,1)", ",1"),
    "+CLIR": Setting("0", "(0-2)", ",4"),
    "+CLVL": Setting("3", "(0-5)"),
    "+CMEE": Setting("0", "(0-2)"),
    "+CMUT": Setting("0", "(0,1)"),
    "+COLP": Setting("0", "(0,1)", ",0"),
    "+CRC": Setting("0", "(0,1)"),
    "+CREG": Setting("0", "(0-2)"),
    "+CSCS": Setting("GSM", "(GSM,IRA,UCS2)"),
    "+CSSN": Setting("0,0", "(0,1),(0,1)"),
    "+CTZR": Setting("0", "(0-2)"),
    "+CTZU": Setting("0", "(0,1,3)"),
    "+CVHU": Setting("0", "(0-2)"),
    "+VTD": Setting("3", "(0-255)"),
}
# And what those for LTE keep besides.
LTE_SETTINGS = {
    "+CEREG": Setting("0", "(0-2)"),
    "+CIREG": Setting("0", "(0-2)"),
}


@dataclass
class Session:
    """The present values of all settings."""

    settings: Mapping[str, Setting] = field(default_factory=lambda: SETTINGS)
    defaults: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    echo: bool = True
    verbose: bool = True
    quiet: bool = False
    values: dict[str, str] = field(init=False)
    named: dict[str, dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As after power-on."""
        self.echo, self.verbose, self.quiet = True, True, False
        self.values = {name: kept.value for name, kept in self.settings.items()}
        self.named = {name: dict(kept) for name, kept in self.defaults.items()}

    def on(self, name: str) -> bool:
        """Whether a setting is known here and its first number is not 0."""
        return not self.values.get(name, "0").startswith("0")

    def indicates(self, name: str) -> bool:
        """Whether +QINDCFG asks for this indication."""
        kept = self.named["+QINDCFG"]
        return kept["all"] == "1" and kept[name] == "1"

    def keep(self, command: Command) -> list[str]:
        """Do what a command with a Setting asks."""
        setting = self.settings[command.name]
        if command.how == "=?":
            return [f"{command.name}: {setting.takes}"]
        if command.how == "?":
            value = self.values[command.name]
            return [f'{command.name}: "{value}"' if value.isalpha() else f"{command.name}: {value}{setting.shown}"]
        if command.how != "=" or not setting.allows(command.arguments):
            raise RefusedError(WRONG_PARAMETERS)
        self.values[command.name] = ",".join(command.arguments)
        return []

    def keep_named(self, command: Command) -> list[str]:
        """Do what a command asks whose first argument is the setting's name."""
        kept = self.named[command.name]
        if command.how != "=" or not command.arguments:
            return [f'{command.name}: "{name}",({value})' for name, value in kept.items()]
        name, *values = command.arguments
        name = name.lower()
        if name not in kept:
            raise RefusedError(WRONG_PARAMETERS)
        if not values:
            return [f'{command.name}: "{name}",{kept[name]}']
        # +QINDCFG's last argument says whether to keep it for ever; this modem forgets.
        kept[name] = values[0] if command.name == "+QINDCFG" else command.text.split(",", 1)[1]
        return []
