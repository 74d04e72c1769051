"""Moments and durations as people say them, in the booth's zone.

>>> from firmware.text.catalogue import load
>>> times = Times(load("en"), "Asia/Tokyo", now=1795325520.0)
>>> times.clock(), times.moment(1795325340.0), times.ago(1795325340.0)
('14:32', '14:29', '3 min ago')
>>> times.moment(1795309200.0 + 86400)
'tomorrow 10:00'
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from firmware.text.catalogue import Text

MINUTE, HOUR, DAY = 60, 3600, 86400
_LAST = 253_370_678_400.0  # the end of the year 9998: a broken clock can say anything, and no calendar goes further


@dataclass(frozen=True, slots=True)
class Times:
    """Says times as seen at `now` (UTC seconds; None: the booth does not know the time) in `zone`."""

    text: Text
    zone: str
    now: float | None

    def clock(self, at: float | None = None) -> str:
        """The time of day, "14:32"; of `now` when no moment is given."""
        moment = self.now if at is None else at
        return "--:--" if moment is None else f"{self._local(moment):%H:%M}"

    def moment(self, at: float | None) -> str:
        """Day and time as short as it is clear: "14:29", "yesterday 15:10", "11/23 10:00", "2025/11/23 10:00"."""
        if at is None:
            return self.text("time unknown")
        local = self._local(at)
        hour = f"{local.hour}:{local:%M}"
        day = self._day(local)
        return f"{day} {hour}" if day else hour

    def ago(self, at: float | None) -> str:
        """How long ago, in the largest unit: "just now", "3 min ago", "2 h ago", "5 d ago"."""
        if at is None or self.now is None:
            return self.text("earlier")
        seconds = self.now - at
        if seconds < MINUTE:
            return self.text("just now")
        if seconds < HOUR:
            return self.text("{minutes} min ago", minutes=int(seconds // MINUTE))
        if seconds < DAY:
            return self.text("{hours} h ago", hours=int(seconds // HOUR))
        return self.text("{days} d ago", days=int(seconds // DAY))

    def wait(self, until: float | None) -> str:
        """How long until then, for a badge: "15m", "2h", "3d", rounded up; "?" when it cannot be told."""
        if until is None or self.now is None:
            return "?"
        seconds = max(0.0, until - self.now)
        if seconds <= HOUR:
            return f"{-int(-seconds // MINUTE)}m"
        return f"{-int(-seconds // HOUR)}h" if seconds <= 2 * DAY else f"{-int(-seconds // DAY)}d"

    def due(self, at: float | None) -> str:
        """A moment for a badge: the time today, else the day."""
        if at is None:
            return "?"
        local = self._local(at)
        today = self.now is not None and local.date() == self._local(self.now).date()
        return f"{local.hour}:{local:%M}" if today else f"{local.month}/{local.day}"

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(min(max(0.0, at), _LAST), ZoneInfo(self.zone))

    def _day(self, local: datetime) -> str:
        if self.now is None:
            return f"{local.year}/{local.month}/{local.day}"
        today = self._local(self.now)
        names = {-1: self.text("yesterday"), 0: "", 1: self.text("tomorrow")}
        days = (local.date() - today.date()) // timedelta(days=1)
        if days in names:
            return names[days]
        year = f"{local.year}/" if local.year != today.year else ""
        return f"{year}{local.month}/{local.day}"


def days(left: float) -> str:
    """How many whole days are left; the last one is not yet none.

    >>> days(5.9), days(0.4), days(0.0)
    ('5', '<1', '0')
    """
    return "<1" if 0 < left < 1 else str(int(left))


def duration(seconds: float) -> str:
    """A length in minutes and seconds.

    >>> duration(151), duration(3725)
    ('2:31', '1:02:05')
    """
    minutes, left = divmod(int(max(0.0, seconds)), MINUTE)
    if minutes < 60:
        return f"{minutes}:{left:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{left:02d}"
