"""When recordings may go to the server, and how fast: a metered or a shared line has its hours. Pure.

Records of calls, facts and claims are small and always go; only recordings obey.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from firmware.spans import Span, minutes

SLOWEST, FASTEST = 8, 1_000_000  # kbit/s; below the former a day's recordings take longer than a day
UNKNOWN: Final = 60.0  # seconds until it is asked again what time it is
_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What this booth's line to the server may be used for."""

    limit: int = 0  # kbit/s for recordings; 0: as fast as it goes
    hours: str = ""  # "19:00-08:00" or several with commas between, by the booth's clock; "": always
    zone: str = "Asia/Tokyo"

    def rest(self, now: float | None) -> float:
        """Seconds until recordings may go, 0 if they may now.

        `now` is UTC seconds. While it is None nobody knows whether the line costs money now, so they wait.

        >>> Tariff(hours="19:00-08:00").rest(1795305600.0)  # 09:00 in Tokyo
        36000.0
        """
        if not self.hours:
            return 0.0
        if now is None:
            return UNKNOWN
        here = datetime.fromtimestamp(now, ZoneInfo(self.zone))
        minute = 60 * here.hour + here.minute
        if any(_within(minute, span) for span in spans(self.hours)):
            return 0.0
        wait = min((first - minute) % _DAY for first, _last in spans(self.hours))
        return 60.0 * wait - here.second - here.microsecond / 1e6

    @property
    def speed(self) -> float:
        """Bytes a second that recordings may take; 0: no limit."""
        return self.limit * 125.0


def spans(hours: str) -> Sequence[Span]:
    """The hours as minutes after midnight; one that ends before it begins goes over midnight. Raises ValueError.

    >>> spans("12:00-13:00, 19:00-08:00")
    [(720, 780), (1140, 480)]
    """
    return [minutes(part.strip()) for part in hours.split(",")]


def hours_fault(hours: str) -> str:
    """What is wrong with written hours; empty ones are right."""
    try:
        found = spans(hours) if hours.strip() else []
    except ValueError:
        found = [(0, 0)]
    right = all(first != last and first < _DAY and last <= _DAY for first, last in found)
    return "" if right else 'must be hours such as "19:00-08:00", or several with commas between; "" for always'


def limit_fault(limit: int) -> str:
    """What is wrong with a limit."""
    right = limit == 0 or SLOWEST <= limit <= FASTEST
    return "" if right else f"must be kbit/s from {SLOWEST} to {FASTEST}, or 0 for no limit"


def written(tariff: Tariff) -> str:
    """For a note that sync reads."""
    return json.dumps(asdict(tariff))


def read(note: str) -> Tariff:
    """The tariff in a note; that of a booth which has not run yet, when it is empty."""
    return Tariff(**json.loads(note)) if note else Tariff()


def _within(minute: int, span: Span) -> bool:
    first, last = span
    return first <= minute < last if first < last else minute >= first or minute < last
