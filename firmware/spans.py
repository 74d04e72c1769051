"""Spans, hours and days as rule packs write them, and what may be wrong with them."""

import re
from datetime import date
from typing import Final

_UNITS: Final = {"m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN: Final = re.compile(r"([1-9]\d{0,4})([mhd])")
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")

Span = tuple[int, int]
"""From and to, in minutes after midnight."""


def seconds(span: str) -> float:
    """How long a written span is.

    >>> seconds("30d"), seconds("72h"), seconds("")
    (2592000.0, 259200.0, 0.0)
    """
    found = _SPAN.fullmatch(span)
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def minutes(hours: str) -> Span:
    """The two ends of written hours.

    >>> minutes("09:00-20:30")
    (540, 1230)
    """
    found = _HOURS.fullmatch(hours)
    if found is None:
        raise ValueError(f"no hours: {hours!r}")
    first, second, third, fourth = map(int, found.groups())
    return 60 * first + second, 60 * third + fourth


def span_fault(text: str) -> str:
    """What is wrong with a written span; an empty one says nothing."""
    return "" if not text or _SPAN.fullmatch(text) else 'must be a span such as "30d", "72h" or "15m"'


def opening_fault(texts: tuple[str, ...]) -> str:
    """What is wrong with the opening hours of a day."""
    try:
        spans = [minutes(text) for text in texts]
    except ValueError:
        return 'must be a list of hours such as ["09:00-12:00", "13:00-20:00"]'
    ends = [end for span in spans for end in span]
    right = ends == sorted(set(ends)) and all(end <= 24 * 60 for end in ends)
    return "" if right else "must be hours in order, each ending after it begins, at 24:00 at the latest"


def day_fault(text: str) -> str:
    """What is wrong with a written day; an empty one says nothing."""
    try:
        return "" if not text else str(date.fromisoformat(text))[:0]
    except ValueError:
        return 'must be a day such as "2026-08-11", in quotes'
