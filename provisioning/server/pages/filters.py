"""Which calls a supervisor wants to see, as the page's address says it."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_

from firmware.text.catalogue import mark
from provisioning.server.schema import call

NO_RESULT = "none"
WORDS = 8  # of a search; each is looked for in every call
PERIODS: dict[str, str] = {
    "": mark("Any time"),
    "today": mark("Today"),
    "yesterday": mark("Yesterday"),
    "week": mark("Last 7 days"),
    "month": mark("Last 30 days"),
}
_DAYS = {"today": (0, 0), "yesterday": (1, 1), "week": (6, 0), "month": (29, 0)}  # days ago: first, last
_NOISE = re.compile(r"[\s\-ー−‐()]+")
_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}


@dataclass(frozen=True, slots=True)
class Filter:
    """What narrows the calls; "" leaves all. `since` and `until` are days, "2026-11-22", both included."""

    text: str = ""
    list: str = ""
    booth: str = ""
    agent: str = ""
    result: str = ""
    period: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> "Filter":
        """The filter in an address; what cannot be understood is left out."""
        said = {each.name: query.get(each.name, "").strip()[:200] for each in fields(cls)}
        said["period"] = said["period"] if said["period"] in PERIODS else ""
        return cls(**said | {name: said[name] if _day(said[name]) else "" for name in ("since", "until")})

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return self != Filter()

    @property
    def dated(self) -> bool:
        """Whether days were chosen by hand."""
        return bool(self.since or self.until)

    def query(self, **more: str) -> str:
        """As the query of an address, with what else belongs there."""
        said = {each.name: getattr(self, each.name) for each in fields(self)} | more
        return urlencode({name: value for name, value in said.items() if value})

    def conditions(self, zone: str, now: float, *, sqlite: bool) -> Sequence[ColumnElement[bool]]:
        """What a call must fulfil, for the database."""
        equal = {call.c.list_name: self.list, call.c.booth: self.booth, call.c.agent: self.agent}
        found: list[ColumnElement[bool]] = [column == wanted for column, wanted in equal.items() if wanted]
        if self.result:
            found.append(call.c.result.is_(None) if self.result == NO_RESULT else call.c.result == self.result)
        begin, end = self._between(ZoneInfo(zone), now)
        found += [call.c.moment >= begin] if begin is not None else []
        found += [call.c.moment < end] if end is not None else []
        return found + [
            _holds(word, sqlite=sqlite) for word in unicodedata.normalize("NFKC", self.text).split()[:WORDS]
        ]

    def _between(self, zone: ZoneInfo, now: float) -> tuple[float | None, float | None]:
        today = datetime.fromtimestamp(now, zone).date()
        first, last = _day(self.since), _day(self.until)
        if self.period in _DAYS and not self.dated:
            first, last = (today - timedelta(days=days) for days in _DAYS[self.period])
        return (_midnight(first, zone), _midnight(last and last + timedelta(days=1), zone))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date | None, zone: ZoneInfo) -> float | None:
    return None if day is None else datetime.combine(day, time(), zone).timestamp()


def _holds(word: str, *, sqlite: bool) -> ColumnElement[bool]:
    """A call whose name, reading, number or note has this word in it; numbers however they are written."""
    columns = [call.c.customer, call.c.reading, call.c.note, call.c.shown]
    # SQLite's LIKE folds ASCII letters by itself, and four times as fast as with lower() around both sides.
    found = [(column.contains if sqlite else column.icontains)(word, autoescape=True) for column in columns]
    if (katakana := word.translate(_KATAKANA)) != word:
        found.append(call.c.reading.contains(katakana, autoescape=True))
    digits = _NOISE.sub("", word)
    if digits.lstrip("+").isdecimal() and digits.isascii():
        national = digits.removeprefix("0") if not digits.startswith("+") else digits
        found.append(call.c.number.contains(national, autoescape=True))
    return or_(*found)
