"""Rule packs: one place's calling rules as data, read from TOML and refused whole with every fault and its line.

The shipped packs lie in firmware/rules; their sources stand beside each rule. What is not checked against a source says
`verified = false`, and a booth uses such a pack only where device.toml names it once more as unverified.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal

from firmware.spans import Span, day_fault, minutes, opening_fault, span_fault
from firmware.tables import Reader, Rule

COUNTRIES: Final = ("AU", "CA", "DE", "FR", "GB", "IE", "JP", "KR", "NZ", "US")
"""Where packs may be from; each has a calendar of holidays."""


def _not_negative(value: float) -> str:
    return "must not be negative" if value < 0 else ""


def _identity(text: str) -> str:
    right = re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text)
    return "" if right else 'must be small letters, digits and hyphens, such as "jp-sales"'


def _country(code: str) -> str:
    return "" if code in COUNTRIES else f"must be one of {', '.join(COUNTRIES)}"


def _filled(text: str) -> str:
    return "" if text.strip() else "must not be empty"


def _among(*words: str) -> Rule:
    def check(given: tuple[str, ...]) -> str:
        strange = [word for word in given if word not in words]
        return f"{strange[0]!r} is not known; there are {', '.join(words)}" if strange else ""

    return Rule(check=check)


Lasting = Annotated[str, Rule(check=span_fault)]
Open = Annotated[tuple[str, ...], Rule(check=opening_fault)]
Count = Annotated[int, Rule(check=_not_negative)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One thing said in both languages."""

    ja: Annotated[str, Rule(check=_filled, missing="in Japanese")]
    en: Annotated[str, Rule(check=_filled, missing="in English")]


NOWHERE: Final = Words(ja=" ", en=" ")
"""No source of its own: the pack's law stands for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What pack it is."""

    id: Annotated[str, Rule(check=_identity, missing='such as "jp-sales"')]
    version: Annotated[str, Rule(check=_filled, missing='such as "2026.1"')]
    region: Annotated[str, Rule(check=_country, missing='whose rules these are, such as "JP"')]
    purpose: Literal["sales", "notice", "survey", "debt", "aftercare"]
    party: Literal["consumer", "business", "any"] = "consumer"
    law: Annotated[Words, Rule(missing='the law in both languages: { ja = "…", en = "…" }')]
    verified: Annotated[bool, Rule(missing="true once every rule has been checked against its source")]
    checked: Annotated[str, Rule(check=day_fault)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When a call may be made, by the clock of whoever is called; outside no key on the booth helps."""

    all_days: Open = ()  # in place of the other four
    mon_fri: Open = ()
    sat: Open = ()
    sun: Open = ()
    holiday: Open = ()  # of the pack's region, whatever day of the week it is
    legal_outer: Open = ("00:00-24:00",)
    source: Words = NOWHERE

    @property
    def week(self) -> tuple[tuple[Span, ...], ...]:
        """The opening hours of Monday to Sunday and of a holiday, in this order."""
        texts = (*(self.mon_fri,) * 5, self.sat, self.sun, self.holiday)
        return tuple(tuple(map(minutes, self.all_days or one)) for one in texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redial:
    """The house's window, narrowed; what is left out is as the house has it. Spans, and counts in 24 hours."""

    min_gap_any: Lasting = ""
    min_gap_after_talk: Lasting = ""
    min_gap_unanswered: Lasting = ""
    max_per_day: Count = 0
    max_unanswered_per_day: Count = 0
    source: Words = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """How far and how long a refusal holds; no days: until a supervisor lifts it."""

    explicit_days: Count = 0
    implied_days: Count = 0
    dnc_days: Count = 0
    per_product: bool = True  # said of one product, it leaves the others alone; else it holds for all
    gacha_limit: Count = 0  # so many wordless hang-ups are an implied refusal; 0: as the house has it
    gacha_window_days: Count = 0
    source: Words = NOWHERE
    gacha_source: Words = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """No more than `max` of something in any `window`; or, with `after`, no call for so long after it."""

    id: Annotated[str, Rule(check=_identity)]
    count: Literal["attempt", "contact", "conversation"] = "attempt"
    after: Literal["", "conversation", "abandoned"] = ""
    max: Count = 0
    window: Annotated[str, Rule(check=span_fault, missing='such as "7d"')]
    first_day_counts: bool = False  # with `after`: the day it happened on, whole, is day 1
    key: Literal["number", "person"] = "number"
    consent: Lasting = ""  # a callback asked for within so long frees one call; "": the rule admits none
    source: Words = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Whether a number may be called only with its owner's consent, and from which day on (callee's calendar)."""

    required: bool = False
    required_from: Annotated[str, Rule(check=day_fault)] = ""
    source: Words = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Do-not-call registers that must be at hand, and how old they may be."""

    names: Annotated[tuple[str, ...], Rule(missing='their names, such as ["tps"]')]
    max_age: Lasting = "31d"
    source: Words = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Cli:
    """Our own number: which prefixes hide it and are barred, and which one shows it and is dialled."""

    bar_prefix: tuple[str, ...] = ()
    force_prefix: str = ""
    source: Words = NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Taping:
    """Recording: after notice, only once all have agreed, or not at all."""

    consent: Literal["notice", "all-party", "off"] = "notice"
    source: Words = NOWHERE


ITEMS: Final = ("company", "agent", "goods", "purpose", "return-number", "minutes", "free-to-hang-up", "recording")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What is said before anything else: what the law asks for, and what courtesy does."""

    opening: Annotated[tuple[str, ...], _among(*ITEMS)] = ()
    courtesy: Annotated[tuple[str, ...], _among(*ITEMS)] = ()
    source: Words = NOWHERE


NO_REGISTER: Final = Register(names=())
ALWAYS: Final = Hours(all_days=("00:00-24:00",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One pack whole."""

    pack: Annotated[Head, Rule(missing="what pack this is")]
    hours: Hours = ALWAYS
    redial: Redial = Redial()
    refusal: Refusals = Refusals()
    frequency: tuple[Counter, ...] = ()
    consent: Consent = Consent()
    register: Register = NO_REGISTER
    cli: Cli = Cli()
    recording: Taping = Taping()
    disclosure: Disclosure = Disclosure()

    @property
    def id(self) -> str:
        """Its name."""
        return self.pack.id

    def law(self, source: Words) -> Words:
        """Where a rule stands: its own source, or else the pack's law."""
        return self.pack.law if source == NOWHERE else source


class RulePackError(ValueError):
    """The pack is wrong as a whole; `faults` has every fault with its line."""

    def __init__(self, faults: Collection[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


def parse(text: str) -> Pack:
    r"""The pack in `text`. Raises RulePackError with every fault and its line.

    >>> parse('[hours]\nmon_fri = ["9-20"]')
    Traceback (most recent call last):
        ...
    firmware.rulepack.RulePackError: line 1: pack: is missing: what pack this is
    line 2: hours.mon_fri: must be a list of hours such as ["09:00-12:00", "13:00-20:00"]
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise RulePackError([f"this is no TOML: {problem}"]) from None
    reader = Reader()
    pack = reader.read(table, Pack)
    faults = reader.faults if pack is None else [*reader.faults, *_between(pack)]
    if pack is None or faults:
        lines = _lines(text)
        raise RulePackError([f"line {_line(lines, fault)}: {fault}" for fault in faults])
    return pack


@cache
def shipped() -> Mapping[str, Pack]:
    """The packs that the program came with, by id."""
    files = (entry.name for entry in _RULES.iterdir() if entry.name.endswith(".toml"))
    packs = [parse((_RULES / name).read_text(encoding="utf-8")) for name in sorted(files)]
    return {pack.id: pack for pack in packs}


def text_of(pack: str) -> str:
    """A shipped pack as it is written."""
    return (_RULES / f"{pack}.toml").read_text(encoding="utf-8")


_RULES: Final = resources.files("firmware") / "rules"


def chosen(names: Sequence[str], unverified: Collection[str] = ()) -> tuple[Pack, ...]:
    """The packs of these names: shipped ones by id, an office's own by the path of a file (….toml).

    One that is not verified must stand in `unverified` too. Raises RulePackError with every fault of all of them.
    """
    found: list[Pack] = []
    faults: list[str] = []
    for name in names:
        try:
            pack = _named(name)
        except RulePackError as error:
            faults += [f"{name}: {fault}" for fault in error.faults]
            continue
        found.append(pack)
        if not pack.pack.verified and pack.id not in unverified:
            faults.append(
                f'{name}: its rules have not been checked; to use it all the same: unverified = ["{pack.id}"]'
            )
    if faults:
        raise RulePackError(faults)
    return tuple(found)


UNREADABLE: Final = Pack(
    pack=Head(
        id="unreadable",
        version="0",
        region="JP",
        purpose="sales",
        law=Words(
            ja="会社の規則パックを読み込めません。ブースの更新が必要です",
            en="The office's rule packs cannot be read: the booth must be renewed",
        ),
        verified=True,
    ),
    hours=Hours(),
)
"""What holds in place of packs that this program does not understand: it is never open."""
NONE: Final = "[]"
"""No packs, as `parse_all` reads them."""


@lru_cache(maxsize=4)
def parse_all(text: str) -> tuple[Pack, ...]:
    """The packs of a JSON list of texts, as they go from server to booth. Raises RulePackError: all of them or none."""
    try:
        texts = json.loads(text)
    except ValueError:
        texts = None
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        raise RulePackError(["this is no list of rule packs"])
    return joined((), (parse(one) for one in texts))


def joined(first: Iterable[Pack], then: Iterable[Pack]) -> tuple[Pack, ...]:
    """Both sets; where both have a pack of one id, the second's."""
    return tuple({pack.id: pack for pack in (*first, *then)}.values())


def _named(name: str) -> Pack:
    if name.endswith(".toml"):
        try:
            return parse(Path(name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as problem:
            raise RulePackError([f"cannot be read: {problem}"]) from None
    ours = shipped()
    if name not in ours:
        near = difflib.get_close_matches(name, ours, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(ours)}"
        raise RulePackError([f"there is no such rule pack ({hint})"])
    return ours[name]


def _between(pack: Pack) -> Iterator[str]:
    """What is wrong between values that are each right."""
    ids = [counter.id for counter in pack.frequency]
    for place, counter in enumerate(pack.frequency, 1):
        if counter.id in ids[: place - 1]:
            yield f"frequency {place}.id: {counter.id!r} is taken"
        if not counter.after and counter.max == 0:
            yield f"frequency {place}.max: must be 1 or more, or nobody could ever be called"
        if counter.after and counter.max:
            yield f"frequency {place}.max: says nothing beside after"
    yield from _beyond(pack.hours)


def _beyond(hours: Hours) -> Iterator[str]:
    outer = list(map(minutes, hours.legal_outer))
    for name in ("all_days", "mon_fri", "sat", "sun", "holiday"):
        spans = map(minutes, getattr(hours, name))
        if not all(any(low <= first and last <= high for low, high in outer) for first, last in spans):
            yield f"hours.{name}: must lie within legal_outer: a house rule may only narrow the law"


_HEADING: Final = re.compile(r"\s*(\[\[?)\s*([\w.-]+)\s*\]\]?")
_SETTING: Final = re.compile(r"\s*([\w-]+)\s*=")


def _lines(text: str) -> dict[str, int]:
    """Where each table and setting stands: "frequency 2.max" → line."""
    found: dict[str, int] = {}
    count: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if heading := _HEADING.match(line):
            table = heading[2]
            if heading[1] == "[[":
                count[table] = count.get(table, 0) + 1
                table = f"{table} {count[table]}"
            found.setdefault(table, number)
        elif setting := _SETTING.match(line):
            found.setdefault(f"{table}.{setting[1]}" if table else setting[1], number)
    return found


def _line(lines: Mapping[str, int], fault: str) -> int:
    """The line that a fault is about: its own, or that of the nearest table around it."""
    path = fault.partition(": ")[0]
    while path:
        if path in lines:
            return lines[path]
        path = path.rpartition(".")[0]
    return 1
