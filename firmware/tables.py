"""A TOML table becomes a frozen dataclass; every fault is found in one go and named by its place."""

import difflib
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

Check = Callable[[Any], str]
"""Says what is wrong with a value and what to do, or nothing."""

_T = TypeVar("_T")


class Secret(str):
    """Text that must not be seen in a log: its repr is masked."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(…)" if self else "Secret()"


@dataclass(frozen=True, slots=True)
class Driver:
    """Which driver serves a device, and what it is to be made with: open_x(driver.kind, **driver.settings).

    `secrets` stand in the same table but are no business of the driver's: the booth uses them itself.
    """

    kind: str
    settings: Mapping[str, object] = field(default_factory=lambda: types.MappingProxyType({}))
    secrets: Mapping[str, Secret] = field(default_factory=lambda: types.MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Rule:
    """What is asked of a setting beyond its type; stands in the field's Annotated.

    A driver's `known` settings serve suggestions only: the driver has the last word on its own.
    """

    check: Check | None = None
    missing: str = ""  # what to write, when it is missing
    known: tuple[str, ...] = ()
    secrets: Mapping[str, Check] = field(default_factory=lambda: types.MappingProxyType({}))  # of a driver's table
    name: str = ""  # what the file calls it, where that differs


_PLAIN = Rule()


@dataclass(frozen=True, slots=True)
class _Setting:
    """One field of the shape, as the file sees it."""

    field: str
    name: str
    hint: Any
    rule: Rule
    optional: bool


class Reader:
    """Reads tables into dataclasses and collects what is wrong with them."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def read(self, table: Mapping[str, object], shape: type[_T], path: str = "") -> _T | None:
        """The dataclass, or None if anything in this table is wrong; then `faults` says what."""
        before = len(self.faults)
        known = {entry.name: entry for entry in _settings_of(shape)}
        for name in table:
            if name not in known:
                self._fault(path, name, "there is no such setting" + _hint(name, known))
        made = {}
        for name, entry in known.items():
            if name in table:
                made[entry.field] = self._value(table[name], entry, _join(path, name))
            elif not entry.optional:
                self._fault(path, name, "is missing" + (f": {entry.rule.missing}" if entry.rule.missing else ""))
        return shape(**made) if len(self.faults) == before else None

    def _fault(self, path: str, name: str, what: str) -> None:
        self.faults.append(f"{_join(path, name)}: {what}")

    def _value(self, given: object, entry: _Setting, path: str) -> object:
        hint, check = entry.hint, entry.rule.check
        if hint is Driver:
            return self._driver(given, entry.rule, path)
        if is_dataclass(hint):
            return self._table(given, hint, check, path)
        if get_origin(hint) is tuple and is_dataclass(get_args(hint)[0]):
            return self._array(given, get_args(hint)[0], path)
        wrong = _mistyped(given, hint)
        value = None if wrong else _converted(given, hint)
        wrong = wrong or (check(value) if check else "")
        if wrong:
            self.faults.append(f"{path}: {wrong}")
        return value

    def _table(self, given: object, shape: Any, check: Check | None, path: str) -> object:
        if not isinstance(given, dict):
            self.faults.append(f"{path}: must be a table, written [{path}]")
            return None
        made = self.read(given, shape, path)
        wrong = check(made) if check and made is not None else ""
        if wrong:
            self.faults.append(f"{path}: {wrong}")
        return made

    def _array(self, given: object, shape: Any, path: str) -> object:
        if isinstance(given, list) and all(isinstance(table, dict) for table in given):
            return tuple(self.read(table, shape, f"{path} {place}") for place, table in enumerate(given, 1))
        self.faults.append(f"{path}: must be written [[{path}]], once for each")
        return None

    def _driver(self, given: object, rule: Rule, path: str) -> Driver | None:
        if not isinstance(given, dict):
            self.faults.append(f"{path}: must be a table, written [{path}]")
            return None
        kind = given.get("kind")
        if not isinstance(kind, str) or not kind:
            self._fault(path, "kind", "is missing: which driver serves it" if "kind" not in given else _BAD_TEXT)
        known = ("kind", *rule.known, *rule.secrets)
        secrets = {name: value for name, value in given.items() if name in rule.secrets}
        for name, value in secrets.items():
            wrong = _mistyped(value, Secret) or rule.secrets[name](value)
            if wrong:
                self._fault(path, name, wrong)
        rest = {name: value for name, value in given.items() if name not in {"kind", *secrets}}
        for name, value in rest.items():
            near = difflib.get_close_matches(name, known, 1, cutoff=0.75)
            if name not in known and near:
                self._fault(path, name, f"there is no such setting (did you mean {near[0]}?)")
            elif not _is_plain(value):
                self._fault(path, name, "must be text, a number, true, false or a list of such")
        hidden = {name: Secret(value) for name, value in secrets.items()}
        return Driver(str(kind), types.MappingProxyType(rest), types.MappingProxyType(hidden))


_BAD_TEXT = "must be text in quotes"
_EXPECTED: dict[object, tuple[type | tuple[type, ...], str]] = {
    str: (str, _BAD_TEXT),
    Secret: (str, _BAD_TEXT),
    Path: (str, "must be a path in quotes"),
    bool: (bool, "must be true or false"),
    int: (int, "must be a whole number, without quotes"),
    float: ((int, float), "must be a number, without quotes"),
}


def _mistyped(given: object, hint: Any) -> str:
    """What is wrong with the type of a value; a value itself is named only where it is no secret."""
    if get_origin(hint) is Literal:
        words = get_args(hint)
        if given in words:
            return ""
        offered = " or ".join(f'"{word}"' for word in words)
        return f"must be {offered}, not {given!r}"
    if get_origin(hint) is tuple:
        right = isinstance(given, list) and not any(_mistyped(one, get_args(hint)[0]) for one in given)
        return "" if right else 'must be a list of texts: ["…", "…"]'
    wanted, otherwise = _EXPECTED[hint]
    right = isinstance(given, wanted) and (wanted is bool or not isinstance(given, bool))
    return "" if right and given not in (inf, -inf) and given == given else otherwise  # noqa: PLR0124  (NaN)


def _converted(given: Any, hint: Any) -> object:
    if hint in (Secret, Path):
        return hint(given)
    if get_origin(hint) is tuple:
        return tuple(given)
    return given


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(one, str | int | float | bool) for one in value)
    return isinstance(value, str | int | float | bool)


def _settings_of(shape: Any) -> list[_Setting]:
    hints = get_type_hints(shape, include_extras=True)
    found = []
    for entry in fields(shape):
        hint = hints[entry.name]
        rule = next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Rule)), _PLAIN)
        plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
        optional = entry.default is not MISSING or entry.default_factory is not MISSING
        found.append(_Setting(entry.name, rule.name or entry.name, plain, rule, optional))
    return found


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _hint(name: str, known: Sequence[str] | Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f" (did you mean {near[0]}?)" if near else ""
