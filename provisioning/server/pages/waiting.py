"""What a booth has not brought yet, in words: how many calls and recordings, how many bytes, and how long they take."""

from typing import Any

from sqlalchemy import Row

from firmware.text.catalogue import Text
from firmware.text.times import Times

NOTHING = "0"
SILENT = 180.0  # seconds; a booth tells how it is about once a minute
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
YEAR = 365 * _DAY
UNBROKEN = "\N{NO-BREAK SPACE}"  # between a number and its unit


def waiting(row: Row[Any], text: Text, times: Times) -> str:
    """All that waits in a booth, and since when."""
    calls, recordings = row.pending_calls, row.pending_recordings
    if row.free_bytes is None:
        return text("unknown")
    if not calls and not recordings:
        return NOTHING
    said = text("calls {calls}, recordings {recordings}", calls=calls, recordings=recordings)
    more = to_go(row, text, times.now or 0.0) if recordings else []
    more += [text("oldest {ago}", ago=times.ago(row.oldest))] if row.oldest is not None else []
    return f"{said} ({text(', ').join(more)})" if more else said


def to_go(row: Row[Any], text: Text, now: float) -> list[str]:
    """How many bytes of recordings that is, and how long they take; [] when the booth has not told.

    A pace says nothing of a booth that is out of reach, nor of one whose line's hours have not begun.
    """
    if not row.pending_bytes:
        return []
    said = [size(row.pending_bytes, text)]
    if row.opens is not None and row.opens > now:
        said.append(text("the line's hours begin in {span}", span=span(row.opens - now, text)))
    elif row.pace >= 1 and row.seen is not None and now - row.seen <= SILENT:
        takes = row.pending_bytes / row.pace
        said.append(text("about {span}", span=span(takes, text)) if takes < YEAR else text("more than a year"))
    return said


def size(count: int, text: Text) -> str:
    """So many bytes.

    >>> from firmware.text.catalogue import load
    >>> [size(count, load("en")).split() for count in (900, 45_000_000, 3_200_000_000)]
    [['0.1', 'MB'], ['45', 'MB'], ['3.2', 'GB']]
    """
    if count < 1e9:
        said = text("{size} MB", size=_short(max(0.1, count / 1e6)))
    else:
        said = text("{size} GB", size=f"{count / 1e9:.1f}")
    return said.replace(" ", UNBROKEN)


def span(seconds: float, text: Text) -> str:
    """A length of time to read.

    >>> from firmware.text.catalogue import load
    >>> [span(seconds, load("en")).split() for seconds in (20, 5400, 18000, 400000)]
    [['1', 'min'], ['1.5', 'h'], ['5', 'h'], ['4.6', 'days']]
    """
    if seconds < _HOUR:
        said = text("{minutes} min", minutes=max(1, round(seconds / _MINUTE)))
    elif seconds < 2 * _DAY:
        said = text("{hours} h", hours=_short(seconds / _HOUR))
    else:
        said = text("{days} days", days=_short(min(seconds, YEAR) / _DAY))
    return said.replace(" ", UNBROKEN)


def _short(number: float) -> str:
    """One digit after the point is enough, and none of a large number."""
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}".removesuffix(".0")
