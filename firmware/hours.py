"""Hours in which a number may be called, by the clock of whoever is called. Where the zone is not known, in all of them.

Pure: the calendar of holidays is handed in.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from firmware.spans import Span

IsHoliday = Callable[[date], bool]
Week = Sequence[Sequence[Span]]
"""Opening hours of Monday to Sunday and of a holiday."""

HOLIDAY: Final = 7  # index in a Week
AHEAD: Final = 30  # days that are searched: longer than any run of closed days
DAY: Final = timedelta(days=1)


def is_open(week: Week, holiday: IsHoliday, zones: Sequence[str], moment: float) -> bool:
    """Whether it is open at `moment` (UTC seconds) in every one of the zones."""
    return all(_open_here(week, holiday, datetime.fromtimestamp(moment, _zone(name))) for name in zones)


def opens(week: Week, holiday: IsHoliday, zones: Sequence[str], moment: float) -> float | None:
    """The first moment from `moment` on at which it is open in every zone; None if there is none within a month."""
    if is_open(week, holiday, zones, moment):
        return moment
    starts = {start for name in zones for start in _starts(week, holiday, _zone(name), moment) if start > moment}
    return next((start for start in sorted(starts) if is_open(week, holiday, zones, start)), None)


def midnight_after(zones: Sequence[str], moment: float, days: int) -> float:
    """When the day of `moment` and the following ones, `days` in all, are over in every zone."""
    ends = (_midnight(datetime.fromtimestamp(moment, _zone(name)).date() + days * DAY, _zone(name)) for name in zones)
    return max(ends)


def latest_date(zones: Sequence[str], moment: float) -> date:
    """The latest of the days that it may be where the number is."""
    return max(datetime.fromtimestamp(moment, _zone(name)).date() for name in zones)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _open_here(week: Week, holiday: IsHoliday, here: datetime) -> bool:
    minute = 60 * here.hour + here.minute
    return any(first <= minute < last for first, last in _spans(week, holiday, here.date()))


def _spans(week: Week, holiday: IsHoliday, day: date) -> Sequence[Span]:
    return week[HOLIDAY] if holiday(day) else week[day.weekday()]


def _starts(week: Week, holiday: IsHoliday, zone: ZoneInfo, moment: float) -> Iterator[float]:
    """When it may begin to be open in one zone: where a span begins, and where the clocks are put forward or back."""
    today = datetime.fromtimestamp(moment, zone).date()
    for day in (today + ahead * DAY for ahead in range(-1, AHEAD)):
        for first, _last in _spans(week, holiday, day):
            here = datetime(day.year, day.month, day.day, first // 60, first % 60, tzinfo=zone)
            yield from (here.timestamp(), here.replace(fold=1).timestamp())
    yield from _leaps(zone, moment)


def _leaps(zone: ZoneInfo, moment: float) -> Iterator[float]:
    """When the clocks of a zone are put forward or back, to the second."""
    for ahead in range(AHEAD):
        low, high = int(moment) + ahead * 86400, int(moment) + (ahead + 1) * 86400
        before = _offset(zone, low)
        if before == _offset(zone, high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
        yield float(high)


def _offset(zone: ZoneInfo, moment: float) -> timedelta | None:
    return datetime.fromtimestamp(moment, zone).utcoffset()


def _midnight(day: date, zone: ZoneInfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
