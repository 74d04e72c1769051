"""Command lines of a voice modem, taken apart, and the values that they set."""

import re
from dataclasses import dataclass

from hw.emulated.analogcodings import Coding
from hw.emulated.analogmodels import Format, Model

EXTENDED = re.compile(r"([+\-#*!][A-Z0-9]+)(=\?|\?|=[^;]*)?(?:;|$)", re.IGNORECASE)
BASIC = re.compile(r"([&\\%]?[A-Z])(\d*)", re.IGNORECASE)
REGISTER = re.compile(r"S(\d+)(?:=(\d*)|(\?))", re.IGNORECASE)

# Default and limits. V.253's, where no maker says otherwise; the timer +VIT is in seconds, +VRA and +VSD in 0.1 s.
VALUES = {
    "+VGR": ("128", "(0-255)"),
    "+VGT": ("128", "(0-255)"),
    "+VGM": ("128", "(0-255)"),
    "+VGS": ("128", "(0-255)"),
    "+VSD": ("128,50", "(0-255),(0-255)"),
    "+VIT": ("10", "(0-255)"),
    "+VRA": ("50", "(0-255)"),
    "+VRN": ("10", "(0-255)"),
    "+VNH": ("0", "(0-2)"),
    "+VCID": ("0", "(0-2)"),
    "+VDR": ("0,0", "(0-1),(0-255)"),
    "+VTD": ("10", "(0-255)"),
    "+VPR": ("0", "(0-255)"),
    "+VSP": ("0", "(0-1)"),
    "+IFC": ("2,2", "(0-2),(0-2)"),
    "+GCI": ("B5", "(00,04,42,59,B4,B5)"),
}
FLAGS = "EQV"
GAIN_STEP = 8
BASICS = {"E": "1", "V": "1", "Q": "0", "X": "4", "M": "1", "L": "2", "B": "1", "W": "0", "N": "1"}
REGISTERS = {0: 0, 1: 0, 6: 2, 7: 50, 8: 2, 11: 85}
ACTIONS = frozenset({"+VTX", "+VRX", "+VTR"})
IGNORED = frozenset({"&C", "&D", "&K", "&F", "&W", "&S", "\\N", "%C", "&H", "&R", "&I"})


@dataclass(frozen=True)
class Order:
    """One command of a line: `name` in capitals, `form` is "" (do), "?" (read), "=?" (test) or "=" with `value`."""

    name: str
    form: str = ""
    value: str = ""


def orders_in(line: str) -> list[Order] | None:
    """The commands behind the AT in a line, and whatever came before it is passed over (V.250, 5.2.1); None: an error."""
    begin = line.upper().find("AT")
    if begin < 0:
        return None
    rest = line[begin + 2 :].strip()
    orders: list[Order] = []
    while rest:
        if rest[0] in "dD":
            return [*orders, Order("D", "=", rest[1:].strip())]
        taken = _extended(rest) or _register(rest) or _basic(rest)
        if taken is None:
            return None
        order, rest = taken
        orders.append(order)
    return orders


def _extended(rest: str) -> tuple[Order, str] | None:
    found = EXTENDED.match(rest)
    if found is None:
        return None
    name, tail = found[1].upper(), found[2] or ""
    form = tail if tail in ("", "?", "=?") else "="
    return Order(name, form, tail[1:].strip() if form == "=" else ""), rest[found.end() :].lstrip("; ")


def _register(rest: str) -> tuple[Order, str] | None:
    found = REGISTER.match(rest)
    if found is None:
        return None
    return Order(f"S{int(found[1])}", found[3] or "=", found[2] or ""), rest[found.end() :].lstrip("; ")


def _basic(rest: str) -> tuple[Order, str] | None:
    found = BASIC.match(rest)
    if found is None:
        return None
    return Order(found[1].upper(), "=", found[2]), rest[found.end() :].lstrip("; ")


class Settings:
    """What the commands have set; a new one is a modem after power-on or ATZ."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.voice = False  # +FCLASS=8
        self.label = 0  # +VLS
        self.format: Format = next(one for one in model.formats if one.number == model.default)
        self.rate = 8000
        self.basic = dict(BASICS)
        self.registers = dict(REGISTERS)
        self._limits = {name: limits for name, (_, limits) in (VALUES | dict(model.own)).items()}
        self._values = {name: default for name, (default, _) in (VALUES | dict(model.own)).items()}

    @property
    def coding(self) -> Coding:
        """Of the chosen +VSM."""
        assert self.format.coding is not None
        return self.format.coding

    def restore(self, *, all_of_it: bool) -> None:
        """As after power-on: everything (ATZ), or the values of +V commands (+VIP)."""
        fresh = Settings(self._model)
        if all_of_it:
            vars(self).update(vars(fresh))
        else:
            self._values.update({name: value for name, value in fresh._values.items() if name.startswith("+V")})

    def number(self, name: str, at: int = 0) -> int:
        """A value as a number."""
        return int(self._values[name].split(",")[at])

    def turn(self, name: str, *, up: bool) -> None:
        """Change a gain by a step; it is remembered, and heard by nobody."""
        self._values[name] = str(max(0, min(255, self.number(name) + (GAIN_STEP if up else -GAIN_STEP))))

    def knows(self, name: str) -> bool:
        """Whether it is a value that can be set and read."""
        return name in self._values

    def exchange(self, order: Order) -> list[str] | None:
        """Set, read or test a value: the lines of the answer, None for ERROR."""
        if order.form == "=":
            return [] if self._set(order.name, order.value) else None
        if order.form == "?":
            return [self._values[order.name]]
        return [self._limits[order.name]] if order.form == "=?" else None

    def _set(self, name: str, value: str) -> bool:
        if name == "+GCI":
            if value.upper() not in self._limits[name].strip("()").split(","):
                return False
            self._values[name] = value.upper()
            return True
        limits = [part.strip("()") for part in self._limits[name].split(",")]
        values = value.split(",")
        if len(values) > len(limits) or not all(_within(*pair) for pair in zip(values, limits, strict=False)):
            return False
        kept = self._values[name].split(",")[len(values) :]
        self._values[name] = ",".join([*values, *kept])
        return True

    def compress(self, order: Order) -> list[str] | None:
        """+VSM: the list has other fields than the command that chooses from it."""
        if order.form == "=?":
            return [f"{one.number},{one.listed}" for one in self._model.formats]
        if order.form == "?":
            return [f"{self.format.number},{self.rate}" + ",0,0" * (self._model.set_fields == 4)]
        fields = order.value.split(",")
        if order.form != "=" or len(fields) > self._model.set_fields or not all(one.isdigit() for one in fields):
            return None
        numbers = [int(one) for one in fields]
        chosen = next((one for one in self._model.formats if one.number == numbers[0]), None)
        rate = numbers[1] if len(numbers) > 1 else 8000
        if chosen is None or chosen.coding is None or rate not in chosen.rates:
            return None
        self.format, self.rate = chosen, rate
        return []


def _within(value: str, limits: str) -> bool:
    low, _, high = limits.partition("-")
    return value.isdigit() and int(low) <= int(value) <= int(high)
