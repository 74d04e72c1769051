"""Result codes as data. What follows from a code follows from its attributes, never from its name."""

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal, get_args

from firmware.known import ABANDONED, HOLD, TALK, FactKind
from firmware.refusal import IMPLIED
from firmware.seen import NO_ANSWER, UNANSWERED, WORDS, Sight, word

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
    later: int | None = None  # the same from the second in a row on
    most: int | None = None  # after so many of these in a list, the customer comes up no more
    asks: tuple[str, ...] = ()  # "when", "whom", "clear": what wrap-up must still ask
    suggest: tuple[str, ...] = ()  # what the line saw that speaks for it: seen.WORDS
    limit: int | None = None  # so many of these on one number are an implied refusal
    hold: bool = False  # True: nobody calls the number again until a supervisor lifts it
    attempt: bool = True  # False: the dial does not count as an attempt
    keep: int | None = None  # days that a booth keeps its copy of the recording after the server has it
    archive: int | None = None  # days that the server keeps the recording


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

    def claiming(self, seen: str | None) -> Result | None:
        """The result that `seen`, one of seen.WORDS, speaks for, if a code claims it."""
        return next((result for result in self._all if seen in result.suggest), None)

    def suggest(self, sight: Sight) -> Result | None:
        """What the agent will most likely key, from how the call went."""
        return self.claiming(word(sight))


# Scopes that cover a number whatever is offered; any other refusal is of the product that was offered.
_EVERY_PRODUCT: Final = frozenset({"tenant", "tenant-until-closed", "number", "number+record"})
_BARRING: Final = frozenset({FactKind.REFUSAL, FactKind.DO_NOT_CALL})
NO: Final = "no"  # an answer to "was there a clear answer?"


def refuses(result: Result, clear: str) -> bool:
    """Whether the customer said a clear no to what the result itself does not call a refusal."""
    return clear == NO and result.refusal != "explicit"


def of_every_product(result: Result, kind: FactKind) -> bool:
    """Whether a fact that follows from a result holds whatever is offered."""
    return kind in _BARRING and result.scope in _EVERY_PRODUCT


def facts_of(
    result: Result, due: float | None = None, clear: str = "", *, dropped: bool = False
) -> tuple[tuple[FactKind, str], ...]:
    """The facts that follow from a result, each with its note.

    `due` is when the customer asked to be called, `clear` whether the answer was, `dropped` that we were gone at once.
    Each kind comes at most once. A CALLBACK's fact carries `due` as well.
    """
    no, barred = refuses(result, clear), result.scope == "tenant"
    alone = result.refusal == "explicit" or (result.refusal == "implied" and result.limit is None)
    said = no or result.refusal == "explicit"
    asked = due is not None and result.contact and result.refusal == "none" and not (result.final or no)
    follow = {
        FactKind.VOID: (not result.attempt, ""),
        FactKind.CONTACT: (result.contact, TALK if result.talk else ABANDONED if dropped else ""),
        FactKind.DO_NOT_CALL: (alone and barred, ""),
        FactKind.REFUSAL: (no or (alone and not barred), "" if said else IMPLIED),
        FactKind.COUNTED: (result.refusal != "none" and not alone, str(result.limit or "")),
        FactKind.FINAL: (result.hold or (result.final and result.scope == "number"), HOLD if result.hold else ""),
        FactKind.CALLBACK: (asked, ""),
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
    return Results([Result(**(_DEFAULTS | table | _tuples(table))) for table in tables])


def _tuples(table: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(table[name]) for name in ("asks", "suggest") if name in table}


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


def _are_of(some: Collection[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(isinstance(one, str) and one in some for one in value)


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
    "later": (_is_count, "seconds"),
    "most": (lambda value: _is_count(value, 1), "a count"),
    "asks": (_are_of(_ASKS), "of when, whom, clear"),
    "suggest": (_are_of(WORDS), f"of {', '.join(sorted(WORDS))}"),
    "limit": (lambda value: _is_count(value, 1), "a count"),
    "hold": (_is_bool, "true or false"),
    "attempt": (_is_bool, "true or false"),
    "keep": (_is_count, "days"),
    "archive": (lambda value: _is_count(value, 1), "days, one at least"),
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
    if table.get("later") is not None and table.get("recall") is None:
        yield "later says nothing without recall"
    yield from _unfit(table)


def _unfit(table: Mapping[str, object]) -> Iterator[str]:
    """What the code claims to be suggested for and cannot be: what nobody answered is kept without anyone's word."""
    claims = table.get("suggest")
    claimed = set(filter(UNANSWERED.__contains__, map(str, claims))) if isinstance(claims, list) else set()
    if claimed and table.get("contact"):
        yield f"{', '.join(sorted(claimed))} speaks for no result with contact: nobody answered"
    if NO_ANSWER in claimed and (table.get("final") or table.get("asks") or table.get("refusal", "none") != "none"):
        yield f"{NO_ANSWER} is kept without asking: its result can be neither final nor a refusal, and asks nothing"


def _clashes(tables: list[Mapping[str, object]], places: list[str]) -> Iterator[str]:
    for name in ("key", "code", "box"):
        first: dict[str, str] = {}
        for table, place in zip(tables, places, strict=True):
            value = repr(table.get(name))
            if name in table and first.setdefault(value, place) != place:
                yield f"{place}: {name} {value} is taken by {first[value]}"
    yield from _claimed_twice(tables, places)
    missing = set(range(1, 10)) - {table.get("box") for table in tables}
    if missing:
        yield f"no result has box {', '.join(map(str, sorted(missing)))}"


def _claimed_twice(tables: list[Mapping[str, object]], places: list[str]) -> Iterator[str]:
    first: dict[str, str] = {}
    for table, place in zip(tables, places, strict=True):
        claims = table.get("suggest")
        for claim in map(str, claims) if isinstance(claims, list) else ():
            if first.setdefault(claim, place) != place:
                yield f"{place}: suggest {claim} is taken by {first[claim]}"
