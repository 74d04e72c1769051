"""What the columns of a call say, in words: result, the guard's word, who hung up."""

from collections.abc import Mapping
from typing import NamedTuple

from firmware.redial import Verdict
from firmware.results import Result
from firmware.screens.words import CAUSES, HIDDEN, PARTIES
from firmware.text.catalogue import Text, mark
from firmware.text.times import duration
from hw.events import Cause, Hidden, Party


class Badge(NamedTuple):
    """A word with a tone: good, warn, bad, or none."""

    said: str
    tone: str = ""


VERDICTS: dict[str, Badge] = {
    Verdict.ALLOW.name: Badge(mark("allowed")),
    Verdict.WARN.name: Badge(mark("allowed after a warning")),
    Verdict.BLOCK.name: Badge(mark("blocked"), "bad"),
}
OVERRIDDEN = Badge(mark("let pass by a supervisor"), "warn")
NOT_ASKED = Badge("")  # incoming calls and emergencies that nobody wrote a word about


def result_name(result: Result, text: Text) -> str:
    """A result code's name."""
    return result.ja if text.language == "ja" else result.en


def result_badge(results: Mapping[str, Result], code: str | None, text: Text) -> Badge:
    """A result in words; its tone follows from its attributes, never from its code."""
    if code is None:
        return Badge(text("no result"))
    result = results.get(code)
    return Badge(result_name(result, text), _tone(result)) if result else Badge(code)


def _tone(result: Result) -> str:
    if result.refusal != "none":
        return "bad"
    if result.final and result.right_party and result.talk and result.scope == "campaign":
        return "good"
    return "warn" if "when" in result.asks else ""


def guard_badge(verdict: str | None, text: Text, *, overridden: bool) -> Badge:
    """The guard's word before the dial."""
    if overridden:
        return Badge(text(OVERRIDDEN.said), OVERRIDDEN.tone)
    said = VERDICTS.get(verdict or "", NOT_ASKED)
    return Badge(text(said.said), said.tone)


def caller(shown: str, hidden: str | None, text: Text) -> str:
    """The number of a call, or why somebody who called in showed none."""
    return shown or text(HIDDEN[Hidden.__members__.get(hidden or "")])


def talk_time(seconds: float, text: Text, *, estimated: bool) -> str:
    """How long a talk was; marked where the booth's line guessed when it began.

    >>> from firmware.text.catalogue import load
    >>> talk_time(151, load("en"), estimated=True)
    'ca. 2:31'
    """
    return text("ca. {time}", time=duration(seconds)) if estimated else duration(seconds)


def ending(cause: str | None, party: str | None, text: Text, *, sure: bool = True) -> str:
    """How a call ended and who ended it, as far as that is known; "" when the booth did not tell.

    >>> from firmware.text.catalogue import load
    >>> ending("NORMAL", "FAR", load("en")), ending("BUSY", "LINE", load("en")), ending(None, None, load("en"))
    ('they hung up', 'busy', '')
    """
    why, who = Cause.__members__.get(cause or ""), Party.__members__.get(party or "")
    if why is None or who is None:
        return ""
    if why is not Cause.NORMAL:
        return text(CAUSES[why])
    return text(PARTIES[who]) if sure else text("probably: {who}", who=text(PARTIES[who]))
