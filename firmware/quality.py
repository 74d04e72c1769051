"""How calls sounded and what the line complained of: small notes for the status page and for `booth doctor`."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Final

from firmware.logbook import Logbook
from firmware.store import CardError
from hw.talkpath import Counts

SOUND: Final = "sound"  # {"calls": …, "last": {…}, "sums": {…}}, as hw.talkpath.Counts names them
LINE: Final = "line"  # {"degraded": how often, "last": why}
WINDOW: Final = 20  # calls after which the sums begin anew: what was mended long ago is no news
UNHEARD: Final = frozenset({"frames", "late", "handset_adjusted", "line_adjusted"})  # counts that no ear notices


def note_sound(books: Logbook, counts: Counts) -> None:
    """Add the counts of a call that has just ended; a card that takes nothing forgets them."""
    last, before = asdict(counts), _recall(books, SOUND)
    calls, sums = before.get("calls", 0), before.get("sums", {})
    if not isinstance(calls, int) or not isinstance(sums, dict) or calls >= WINDOW:
        calls, sums = 0, {}
    total = {name: value + int(sums.get(name, 0)) for name, value in last.items()}
    books.remember(SOUND, json.dumps({"calls": calls + 1, "last": last, "sums": total}))


def note_degraded(books: Logbook, why: str) -> None:
    """Count that the line has told of something that is not as it should be."""
    count = _recall(books, LINE).get("degraded", 0)
    books.remember(LINE, json.dumps({"degraded": 1 + (count if isinstance(count, int) else 0), "last": why}))


def lines(books: Logbook, impaired: str) -> tuple[tuple[str, str], ...]:
    """What the status page says, as names of statuswords.STATUS; `impaired` is what the line complains of now, if anything."""
    sound = _recall(books, SOUND)
    gaps = (("gaps", f"{_gaps(sound.get('last'))}/{_gaps(sound.get('sums'))}"),) if sound else ()
    return (*gaps, *((("impaired", ""), ("", impaired)) if impaired else ()))


def _gaps(counts: object) -> int:
    """Moments in which somebody may have heard something missing."""
    known = counts if isinstance(counts, dict) else {}
    return sum(value for name, value in known.items() if name not in UNHEARD and isinstance(value, int))


def _recall(books: Logbook, note: str) -> Mapping[str, object]:
    with suppress(CardError, ValueError):
        kept = json.loads(books.recall(note) or "{}")
        return kept if isinstance(kept, dict) else {}
    return {}
