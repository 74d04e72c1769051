"""Result codes as data. What follows from a code follows from its attributes, never from its name."""

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal, get_args

from firmware.known import TALK, FactKind
from hw.events import Cause, Party

Refusal = Literal["none", "implied", "counted", "explicit"]

OURS: Final = Path(__file__).with_name("results.toml")


@dataclass(frozen=True, slots=True)
class Result:
    """One result code (domain: アウトバウンド結果), as results.toml has it."""

    key: str  # two digits, keyed after 0
    code: str
    ja: str
    en: str
    kana: str  # half-width screens
    final: bool
    contact: bool  # a human answered
    right_party: bool | None
    talk: bool | None
    refusal: Refusal
    scope: str  # what a refusal or final result covers: number, record, campaign, tenant …
    box: int | None = None  # 1-9 among the nine commonest in wrap-up
    recall: int | None = None  # seconds until it may come up again by default
    asks: tuple[str, ...] = ()  # "when", "whom", "clear": what wrap-up must still ask
    limit: int | None = None  # so many of these on one number are an implied refusal
    attempt: bool = True  # False: the dial does not count as an attempt


class ResultsError(ValueError):
    """The file of result codes is wrong; `faults` has every fault, with its line."""

    def __init__(self, faults: Collection[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class Results:
    """The result codes of a booth."""

    def __init__(self, results: Collection[Result]) -> None:
        self.become(results)

    def become(self, results: Iterable[Result]) -> None:
        """Be another set of codes from now on, for everybody who holds this one."""
        self._all = tuple(results)
        self._by_key = {result.key: result for result in self._all}
        self._by_code = {result.code: result for result in self._all}

    def __iter__(self) -> Iterator[Result]:
        return iter(self._all)

    def by_key(self, key: str) -> Result | None:
        """The result with this two-digit key, if there is one."""
        return self._by_key.get(key)

    def by_code(self, code: str) -> Result | None:
        """The result with this code, if there is one."""
        return self._by_code.get(code)

    def boxes(self) -> tuple[Result, ...]:
        """The nine commonest, in the order of their keys."""
        boxed = [(result.box, result) for result in self._all if result.box is not None]
        return tuple(result for _, result in sorted(boxed, key=lambda pair: pair[0]))

    def suggest(
        self,
        cause: Cause,
        by: Party,
        answered: bool,
        talk: float,
        marks: Collection[str] = (),
    ) -> Result | None:
        """What the agent will most likely key, from how the call ended; `talk` in seconds since it was answered."""
        code = _after_talk(by, talk, marks) if answered else _UNANSWERED.get(cause)
        return None if code is None else self.by_code(code)


# Seconds within which a hang-up is one "at pick-up", and one in mid-pitch.
AT_ONCE, MID_PITCH = 4.0, 30.0

_UNANSWERED: Final = {
    Cause.BUSY: "BUSY",
    Cause.NO_ANSWER: "NOANS",
    Cause.NORMAL: "NOANS",  # we gave up
    Cause.DEAD_NUMBER: "DEAD",
    Cause.REJECTED: "REJCLI",
    Cause.NETWORK: "NETERR",
    Cause.FAILED: "NETERR",
    Cause.LOST: "NETERR",
}

# What was marked during the call, the gravest first.
_MARKED: Final = {"complaint": "CLAIM", "refusal": "REF", "bad-moment": "BADT"}


def _after_talk(by: Party, talk: float, marks: Collection[str]) -> str | None:
    for mark, code in _MARKED.items():
        if mark in marks:
            return code
    if by is not Party.FAR or talk >= MID_PITCH:
        return None
    return "GACHA0" if talk < AT_ONCE else "GACHAM"


def facts_of(result: Result, due: float | None = None) -> tuple[tuple[FactKind, str], ...]:
    """The facts that follow from a result, each with its note; `due` is when the customer asked to be called.

    Each kind comes at most once. A CALLBACK's fact carries `due` as well.
    """
    barred = result.scope == "tenant"
    alone = result.refusal == "explicit" or (result.refusal == "implied" and result.limit is None)
    follow = {
        FactKind.VOID: (not result.attempt, ""),
        FactKind.CONTACT: (result.contact, TALK if result.talk else ""),
        FactKind.DO_NOT_CALL: (alone and barred, ""),
        FactKind.REFUSAL: (alone and not barred, "" if result.refusal == "explicit" else "implied"),
        FactKind.COUNTED: (result.refusal != "none" and not alone, str(result.limit or "")),
        FactKind.FINAL: (result.final and result.scope == "number", ""),
        FactKind.CALLBACK: (due is not None and result.contact and result.refusal == "none" and not result.final, ""),
    }
    return tuple((kind, note) for kind, (is_so, note) in follow.items() if is_so)


def load(path: Path | None = None) -> Results:
    """The result codes in a file; ours if none is named. Raises ResultsError with every fault there is."""
    return parse((path or OURS).read_text(encoding="utf-8"))


def parse(text: str) -> Results:
    """The result codes in `text`. Raises ResultsError with every fault there is."""
    try:
        tables = tomllib.loads(text).get("result", [])
    except tomllib.TOMLDecodeError as error:
        raise ResultsError([str(error)]) from None
    heads = [text.count("\n", 0, head.end()) + 1 for head in re.finditer(r"^\s*\[\[result\]\]", text, re.MULTILINE)]
    if not isinstance(tables, list) or not tables or len(heads) != len(tables):
        raise ResultsError(["there must be a [[result]] for each result code"])
    places = [f"line {line} ({table.get('code', '?')})" for line, table in zip(heads, tables, strict=True)]
    faults = [f"{place}: {fault}" for place, table in zip(places, tables, strict=True) for fault in _faults(table)]
    faults += _clashes(tables, places)
    if faults:
        raise ResultsError(faults)
    return Results([Result(**(_DEFAULTS | table | {"asks": tuple(table.get("asks", ()))})) for table in tables])


_DEFAULTS: Final[dict[str, object]] = {"right_party": None, "talk": None, "refusal": "none", "scope": ""}
_KANA: Final = re.compile(r"[ァ-ヴー・()]{1,10}")
_ASKS: Final = {"when", "whom", "clear"}
_SCOPES: Final = {
    *("", "campaign", "number", "record", "number+record"),
    *("tenant", "tenant+product", "tenant-until-closed"),
}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 20


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_count(value: object, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_among(some: Collection[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value in some


_WANTED: Final[dict[str, tuple[Callable[[object], bool], str]]] = {
    "key": (lambda value: isinstance(value, str) and re.fullmatch(r"[0-9]{2}", value) is not None, "two digits"),
    "code": (lambda value: isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z0-9]*", value) is not None, "capitals"),
    "ja": (_is_text, "a short text"),
    "en": (_is_text, "a short text"),
    "kana": (lambda value: isinstance(value, str) and _KANA.fullmatch(value) is not None, "at most ten katakana"),
    "final": (_is_bool, "true or false"),
    "contact": (_is_bool, "true or false"),
    "right_party": (_is_bool, "true or false, or left out"),
    "talk": (_is_bool, "true or false, or left out"),
    "refusal": (_is_among(get_args(Refusal)), f"one of {', '.join(get_args(Refusal))}"),
    "scope": (_is_among(_SCOPES), f"one of {', '.join(sorted(filter(None, _SCOPES)))}"),
    "box": (lambda value: _is_count(value, 1) and value in range(1, 10), "1 to 9"),
    "recall": (_is_count, "seconds"),
    "asks": (lambda value: isinstance(value, list) and _ASKS.issuperset(map(str, value)), "of when, whom, clear"),
    "limit": (lambda value: _is_count(value, 1), "a count"),
    "attempt": (_is_bool, "true or false"),
}
_NEEDED: Final = ("key", "code", "ja", "en", "kana", "final", "contact")


def _faults(table: Mapping[str, object]) -> Iterator[str]:
    for name in _NEEDED:
        if name not in table:
            yield f"{name} is missing"
    for name, value in table.items():
        if name not in _WANTED:
            close = get_close_matches(name, _WANTED, n=1)
            yield f"no such attribute: {name}" + (f" (did you mean {close[0]}?)" if close else "")
        elif not _WANTED[name][0](value):
            yield f"{name} must be {_WANTED[name][1]}, not {value!r}"
    if table.get("limit") is not None and table.get("refusal", "none") not in ("implied", "counted"):
        yield "limit says nothing unless refusal is implied or counted"


def _clashes(tables: list[Mapping[str, object]], places: list[str]) -> Iterator[str]:
    for name in ("key", "code", "box"):
        first: dict[str, str] = {}
        for table, place in zip(tables, places, strict=True):
            value = repr(table.get(name))
            if name in table and first.setdefault(value, place) != place:
                yield f"{place}: {name} {value} is taken by {first[value]}"
    missing = set(range(1, 10)) - {table.get("box") for table in tables}
    if missing:
        yield f"no result has box {', '.join(map(str, sorted(missing)))}"
