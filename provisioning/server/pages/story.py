"""One call's record as a supervisor reads it: result, course, the guard's decision, what was marked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from firmware.keying import REASONS as DIAL_KEYS
from firmware.keytones import NAME as HEARD
from firmware.known import Fact, FactKind, Hold
from firmware.marks import TICK_NAMES
from firmware.pinpad import REASONS as OVERRIDE_KEYS
from firmware.redial import Decision
from firmware.results import Result
from firmware.screens.reasons import REASONS
from firmware.screens.teller import Teller
from firmware.screens.words import CLEARS, DIAL_REASONS, MARKS, OVERRIDE_REASONS, TICKS
from firmware.text.catalogue import Text, mark
from firmware.text.times import duration
from provisioning.server.pages.telling import Badge, caller, ending, result_badge

KINDS: dict[FactKind, str] = {
    FactKind.ATTEMPT: mark("dialled"),
    FactKind.CONTACT: mark("a human answered"),
    FactKind.REFUSAL: mark("refused the offer"),
    FactKind.DO_NOT_CALL: mark("asked never to be called"),
    FactKind.LIFT: mark("refusal lifted"),
    FactKind.OVERRIDE: mark("let pass by a supervisor"),
    FactKind.CALLBACK: mark("asked to be called back"),
    FactKind.COUNTED: mark("counted towards a refusal"),
    FactKind.FINAL: mark("nobody is reached there"),
    FactKind.VOID: mark("the attempt does not count"),
    FactKind.CONSENT: mark("agreed to be called"),
    FactKind.WITHDRAWAL: mark("took the consent back"),
    FactKind.CLAIM: mark("was about to call"),
    FactKind.LEGAL_HOLD: mark("legal hold: recordings are kept"),
    FactKind.LEGAL_RELEASE: mark("legal hold released"),
}
_CALLERS_REASONS = {
    "off-list": mark("not on the list"),
    "service": mark("service number"),
    "emergency": mark("emergency"),
}
_OFF_LIST = {word: DIAL_REASONS[key] for key, word in DIAL_KEYS.items()}
"""Why a number was dialled that is on no list, by what the books call it."""
_WRITTEN = {  # by a supervisor, with a reason
    *(FactKind.LIFT, FactKind.CONSENT, FactKind.WITHDRAWAL, FactKind.LEGAL_HOLD, FactKind.LEGAL_RELEASE)
}
_GRAVE = {"refusal", "complaint"}
SENT, A_ROW = "tone", 5.0  # a key's tone that we sent; seconds within which another belongs to the same row


class Pair(NamedTuple):
    """One line of a card: what it is, and what it says."""

    name: str
    said: str


class Moment(NamedTuple):
    """A mark in the recording, at so many seconds of the file."""

    seconds: float
    at: str  # as the player counts: from the answer
    said: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Storyteller:
    """Says what the parts of a record mean."""

    text: Text
    teller: Teller
    results: Mapping[str, Result]

    def course(self, record: Mapping[str, Any]) -> Iterator[Pair]:
        """How the call went, line by line; what the record does not say is left out."""
        result, text = record.get("result") or {}, self.text
        yield from self._ends(record)
        if (rang := _between(record, "answered")) is not None:
            yield Pair(text("Rang for"), text("{seconds} s", seconds=round(rang)))
        if record.get("answered"):
            yield Pair(text("Talk"), self._talk(record))
        if promised := _promise(record):
            kept = (record.get("talk") or 0) <= promised * 60 + 30
            said = text("{minutes} min, kept") if kept else text("{minutes} min, not kept")
            yield Pair(text("Promised"), said.format(minutes=promised))
        if result.get("whom"):
            yield Pair(text("Spoke to"), self.teller.whom(result["whom"]))
        if result.get("clear"):
            yield Pair(text("Answer given"), text(CLEARS.get(result["clear"], result["clear"])))
        if result.get("due") is not None:
            yield Pair(text("Call again"), self.teller.times.moment(result["due"]))
        if record.get("reason"):
            yield Pair(text("Why dialled"), self.callers_reason(record["reason"]))
        if result.get("note"):
            yield Pair(text("Note"), result["note"])

    def _ends(self, record: Mapping[str, Any]) -> Iterator[Pair]:
        """Who was there without a number, and who ended it."""
        if record.get("hidden"):
            yield Pair(self.text("Number"), caller("", record["hidden"], self.text))
        sure = record.get("sure") is not False
        if said := ending(record.get("cause"), record.get("by"), self.text, sure=sure):
            yield Pair(self.text("Ended"), said)

    def _talk(self, record: Mapping[str, Any]) -> str:
        talk = duration(record.get("talk") or 0)
        estimated = self.text("ca. {time}: estimated, since the line does not tell when somebody answers", time=talk)
        return estimated if record.get("estimated") else talk

    def callers_reason(self, reason: str) -> str:
        """Why somebody was called who is on no list; what is not known here is told as it is."""
        if reason in _OFF_LIST:
            return f"{self.text(_CALLERS_REASONS['off-list'])}: {self.text(_OFF_LIST[reason])}"
        return self.text(_CALLERS_REASONS.get(reason, reason))

    def earlier(self, record: Mapping[str, Any]) -> list[Pair]:
        """The results that were keyed first and corrected since."""
        return [
            Pair(self.teller.times.moment(one.get("at")), self.result(one.get("code")).said)
            for one in record.get("earlier_results") or ()
        ]

    def result(self, code: str | None) -> Badge:
        """A result's name."""
        return result_badge(self.results, code, self.text)

    def why(self, decision: Decision) -> Iterator[Pair]:
        """The guard's decision: why, until when, by which rule."""
        rule = REASONS[decision.reason]
        yield Pair(self.text("Why"), self.teller.why(decision))
        if until := self.teller.until(decision):
            yield Pair(self.text("Until"), until)
        source = self.teller.source(decision) if decision.rule or rule.source else ""
        yield Pair(self.text("Rule"), " ".join(filter(None, (self.text(rule.rule), source and f"({source})"))))
        if decision.claim is Hold.OFFLINE:
            yield Pair(self.text("Server"), self.text("not heard in time: the booth went by what it knew itself"))

    def fact(self, one: Fact) -> str:
        """What a fact says, without when and who."""
        said = self.text(KINDS[one.kind])
        if one.kind is FactKind.CALLBACK and one.due is not None:
            said = f"{said}: {self.teller.times.moment(one.due)}"
        if one.kind is FactKind.CONSENT and one.due is not None:
            said = self.text("agreed to be called until {when}", when=self.teller.times.moment(one.due))
        result = self.result(one.result).said if one.result else ""
        note = self.override(one) if one.kind is FactKind.OVERRIDE else one.note if one.kind in _WRITTEN else ""
        return " · ".join(dict.fromkeys(filter(None, (said, result, note))))

    def override(self, one: Fact) -> str:
        """Why a supervisor let a call pass."""
        keys = {word: key for key, word in OVERRIDE_KEYS.items()}
        return self.text(OVERRIDE_REASONS[keys[one.note]]) if one.note in keys else one.note

    def moments(self, record: Mapping[str, Any], answer: float) -> list[Moment]:
        """What was marked, where it is heard: the recording stands still while it is paused."""
        found: list[Moment] = []
        for name, seconds in _kept(record.get("marks") or ()):
            said, tone = self._mark(name)
            again = found and name == SENT and found[-1].said == said and answer + seconds - found[-1].seconds < A_ROW
            if said and not again:
                found.append(Moment(answer + seconds, duration(seconds), said, tone))
        return found

    def _mark(self, name: str) -> tuple[str, str]:
        if name in TICK_NAMES:
            return self.text(TICKS[TICK_NAMES.index(name)]), ""
        if name in MARKS:
            return self.text(MARKS[name][1]), "bad" if name in _GRAVE else ""
        if name.startswith("promise-"):
            return self.text("promised {minutes} min", minutes=name.removeprefix("promise-")), ""
        if name.startswith("pause"):
            return self._pause(_length(name)), ""
        return self._tones(name)

    def _pause(self, left_out: float) -> str:
        if not left_out:
            return self.text("recording paused")
        return self.text("recording paused: {length} left out", length=duration(left_out))

    def _tones(self, name: str) -> tuple[str, str]:
        """Key tones, which may be a card number: never which, only where."""
        if name == SENT:
            return self.text("we sent key tones"), "warn"
        if name.startswith(HEARD):
            return self.text("key tones heard, {seconds} s", seconds=max(1, round(_length(name)))), "warn"
        return "", ""


def _kept(marks: Sequence[Mapping[str, Any]]) -> list[tuple[str, float]]:
    """The marks that were not taken back, each with its seconds in the recording since the answer."""
    found: list[tuple[str, float]] = []
    left_out, paused_at = 0.0, None
    timed = [one for one in marks if isinstance(one.get("seconds"), int | float)]
    for one in sorted(timed, key=lambda one: float(one["seconds"])):  # key tones are told when they have ended
        name, seconds = str(one.get("name", "")), float(one["seconds"])
        if name == "resume" and paused_at is not None:
            length = seconds - paused_at
            found = [(f"pause {length:.2f}" if pair[0] == "pause" else pair[0], pair[1]) for pair in found]
            left_out, paused_at = left_out + length, None
        if name.startswith("-"):
            taken_back = name[1:]
            found = [pair for pair in found if pair[0] != taken_back and not pair[0].startswith(f"{taken_back}-")]
            continue
        found.append((name, (seconds if paused_at is None else paused_at) - left_out))
        paused_at = seconds if name == "pause" else paused_at
    return found


def _length(name: str) -> float:
    """The seconds that a mark's name tells behind its word.

    >>> _length("key-tones 4.26"), _length("pause")
    (4.26, 0.0)
    """
    try:
        return float(name.partition(" ")[2] or 0.0)
    except ValueError:
        return 0.0


def _promise(record: Mapping[str, Any]) -> int | None:
    promises = [name for name, _ in _kept(record.get("marks") or ()) if name.startswith("promise-")]
    minutes = promises[-1].removeprefix("promise-") if promises else ""
    return int(minutes) if minutes.isdecimal() else None


def _between(record: Mapping[str, Any], name: str) -> float | None:
    """Seconds from the dial to a mark, by the booth's own clock of that boot."""
    begun = record.get("begun") or {}
    for one in record.get("marks") or ():
        if one.get("name") == name and one.get("boot") == begun.get("boot") and begun.get("monotonic") is not None:
            return float(one["monotonic"]) - float(begun["monotonic"])
    return None
