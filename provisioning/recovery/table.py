"""calls.csv: who, when, what came of it, and which file it is. In UTF-8 with a mark in front, so that Excel reads it."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from firmware.results import Result
from firmware.screens.words import CAUSES, PARTIES
from firmware.text.catalogue import Text
from hw.events import Cause, Party
from provisioning import intact
from provisioning.faults import SAID
from provisioning.recovery.books import Line
from provisioning.recovery.rebuilding import SOUND, Outcome
from provisioning.recovery.words import phrase

NAME: Final = "calls.csv"
_MARK: Final = "\ufeff"
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
HEADS: Final = (
    phrase("Booth"),
    phrase("Date and time"),
    phrase("Agent"),
    phrase("Customer"),
    phrase("Reading"),
    phrase("Number"),
    phrase("Direction"),
    phrase("Talk (s)"),
    phrase("Ended"),
    phrase("Result"),
    phrase("Kind"),
    phrase("Recording"),
    phrase("Length (s)"),
    phrase("Answer at (s)"),
    phrase("Left out by the booth"),
    phrase("State"),
    phrase("What is wrong"),
    phrase("Call id"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A recording, a call, or both."""

    booth: str
    line: Line | None  # None: no database tells of it
    outcome: Outcome | None  # None: no recording of it was found
    memo: bool = False


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says things in one language and one zone."""

    say: Text
    zone: ZoneInfo
    results: Mapping[str, Result]

    def moment(self, at: float | None) -> str:
        """A date that sorts; empty where the booth never learnt the time."""
        return "" if at is None else f"{datetime.fromtimestamp(at, self.zone):%Y-%m-%d %H:%M:%S}"

    def result(self, code: str) -> str:
        """A result's name, with its code."""
        known = self.results.get(code)
        return code if known is None else f"{known.ja if self.say.language == 'ja' else known.en} ({code})"

    def state(self, outcome: Outcome | None) -> str:
        """How much of a recording there is."""
        if outcome is None:
            return self.say("no recording on this card")
        if not outcome.plays:
            return self.say("nothing can be opened")
        return self.say("not whole") if outcome.faults else self.say("whole")

    def faults(self, outcome: Outcome) -> str:
        """All that is wrong with it."""
        return " ".join(self.say(SAID[one.flaw], at=one.at, count=one.count) for one in outcome.faults)


def write(folder: Path, entries: Iterable[Entry], speaker: Speaker) -> None:
    """Write the table, in the place of an earlier one. Raises OSError."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\r\n")
    out.writerow([speaker.say(head) for head in HEADS])
    out.writerows([*map(harmless, _cells(entry, speaker))] for entry in entries)
    intact.replace(folder / NAME, (_MARK + text.getvalue()).encode("utf-8"))


def harmless(cell: str) -> str:
    """What a spreadsheet would take for a formula, as a text.

    >>> harmless("=1+1"), harmless("03-1234-5601")
    ("'=1+1", '03-1234-5601')
    """
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell


def _cells(entry: Entry, speaker: Speaker) -> Sequence[str]:
    outcome = entry.outcome
    gaps = "; ".join(f"{length:.1f} s @ {at:.1f} s" for at, length in outcome.gaps) if outcome else ""
    kind = speaker.say("memo") if entry.memo else speaker.say("call")
    return (
        entry.booth,
        *_of_line(entry.line, speaker),
        kind,
        f"{outcome.name}{SOUND}" if outcome and outcome.plays else "",
        f"{outcome.seconds:.1f}" if outcome and outcome.plays else "",
        f"{outcome.answer:.1f}" if outcome and outcome.plays else "",
        gaps,
        speaker.state(outcome),
        speaker.faults(outcome) if outcome else "",
        entry.line.id if entry.line else outcome.name if outcome else "",
    )


def _of_line(line: Line | None, speaker: Speaker) -> Sequence[str]:
    if line is None:
        return ("",) * 9
    say = speaker.say
    cause = CAUSES.get(Cause[line.cause], "") if line.cause in Cause.__members__ else line.cause
    by = PARTIES.get(Party[line.by], "") if line.by in Party.__members__ else line.by
    return (
        speaker.moment(line.at),
        line.agent,
        line.name,
        line.reading,
        line.number,
        say("incoming") if line.incoming else say("outgoing"),
        f"{line.talk:.1f}" if line.answered else "",
        ", ".join(filter(None, (say(cause), say(by)))),
        speaker.result(line.result),
    )
