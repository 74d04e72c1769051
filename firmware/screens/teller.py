"""A teller: puts one scene's facts into words, in one language and at one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from firmware.calls import Badge as Standing
from firmware.calls import Call, Customer, PastCall
from firmware.known import SERVER
from firmware.redial import Decision, Fact, Reason, Verdict
from firmware.results import Result
from firmware.screens.halfwidth import readable
from firmware.screens.reasons import HOUSE_RULE, REASONS, WHEN_BRIEF
from firmware.screens.softkeys import DOWN, SHORT, UP
from firmware.screens.view import Badge, SoftKey, Tone
from firmware.screens.words import BADGES, HIDDEN, OPENING, SPOKEN_TO
from firmware.text.catalogue import Text, mark
from firmware.text.times import Times, duration

BADGE_TONES: dict[str, Tone] = {"callback": "warn", "gacha": "bad", "refused": "bad", "called": "warn"}
FADED = frozenset({"refused", "done", "dead"})
NEVER_OPEN = mark("Not open within a month")
VERDICTS: dict[Verdict, tuple[str, Tone]] = {
    Verdict.ALLOW: ("✓", "good"),
    Verdict.WARN: ("!", "warn"),
    Verdict.BLOCK: ("×", "bad"),
}


@dataclass(frozen=True, slots=True)
class Teller:
    """Says names, times, results and verdicts."""

    text: Text
    times: Times
    results: Mapping[str, Result]  # by code

    def keys(self, **names: str) -> tuple[SoftKey, ...]:
        """Soft keys by letter: `keys(A=CALL, D=BACK)`; an empty name leaves the key out."""
        return tuple(self.key(letter, name) for letter, name in names.items() if name)

    def key(self, letter: str, name: str) -> SoftKey:
        """One soft key."""
        said = name if name in (UP, DOWN) else self.text(name)
        return SoftKey(letter, said, SHORT.get(name, said) if self.text.language == "en" else said)

    def reading(self, customer: Customer) -> str:
        """A name that a screen without kanji can show."""
        return customer.reading or self.legible(customer.name)

    def legible(self, text: str) -> str:
        """`text` for 20 columns, or a word that says that it needs the larger screen."""
        return text if readable(text) else self.text("(kanji)")

    def result(self, code: str | None) -> str:
        """A result code in words; the code itself when it is not known here."""
        if code is None:
            return self.text("no result")
        known = self.results.get(code)
        return self.box(known) if known else code

    def box(self, result: Result) -> str:
        """A result's name."""
        return {"ja": result.ja, "en": result.en, "ja_kana": result.kana}[self.text.language]

    def whom(self, whom: str) -> str:
        """Whom the agent spoke to."""
        return self.text(SPOKEN_TO.get(whom, whom))

    def booth(self, name: str) -> str:
        """A booth by number or name."""
        return self.text("Booth {name}", name=name) if name.isdigit() else name

    def evidence(self, fact: Fact) -> str:
        """When, where and who: "14:29 Booth 2 OP07", "14:29 Server sato"."""
        where = self.text("Server") if fact.booth == SERVER else self.booth(fact.booth)
        return " ".join(filter(None, (self.times.moment(fact.at), where, fact.agent)))

    def outcome(self, fact: Fact) -> str:
        """What came of it: "Callback (tomorrow 10:00)"."""
        said = self.result(fact.result)
        due = self.text("({when})", when=self.times.moment(fact.due)) if fact.due is not None else ""
        return " ".join(filter(None, (said, due)))

    def past(self, call: PastCall) -> str:
        """One earlier call in a line: when, who, whom they spoke to, result."""
        parts = (self.times.moment(call.at), call.agent, self.whom(call.whom), self.result(call.result))
        return " ".join(filter(None, parts))

    def number(self, call: Call) -> str:
        """The number of a call, or why there is none."""
        return call.number.shown or self.text(HIDDEN[call.hidden])

    def talk(self, seconds: float, *, estimated: bool) -> str:
        """A talk time; marked where it is only about right."""
        return self.about(duration(seconds), estimated=estimated)

    def about(self, time: str, *, estimated: bool) -> str:
        """A time as it is, or marked as one that is only about right."""
        return self.text("ca. {time}", time=time) if estimated else time

    def tries(self, left: int | None) -> str:
        """How often a PIN may still be wrong."""
        return self.text("Tries left: unknown") if left is None else self.text("Tries left: {count}", count=left)

    def badge(self, standing: Standing) -> Badge:
        """A customer's state as a badge."""
        value = standing.value
        said = self.text(
            BADGES.get(standing.kind, standing.kind),
            due=self.times.due(value) if standing.kind == "callback" else "",
            wait=self.times.wait(value) if standing.kind in {"gacha", "called"} else "",
            count=int(value or 1),
        )
        return Badge(said, BADGE_TONES.get(standing.kind, "dim"))

    def said(self, decision: Decision) -> str:
        """What stands below the verdict: why; where the verdict says that already, the rule."""
        free = decision.reason is Reason.FREE
        return self.text(REASONS[Reason.FREE].rule) if free else self.why(decision)

    def why(self, decision: Decision) -> str:
        """The guard's reason in one line."""
        return self.text(REASONS[decision.reason].said, ago=self._ago(decision))

    def why_brief(self, decision: Decision) -> str:
        """The guard's reason in 20 columns."""
        return self.text(REASONS[decision.reason].brief, ago=self._ago(decision))

    def until(self, decision: Decision) -> str:
        """When the number may be called; "" for one that may be called now."""
        if decision.until is not None:
            return self.text("Callable from {when}", when=self.times.moment(decision.until))
        blocked = decision.verdict is Verdict.BLOCK
        return self.text(REASONS[decision.reason].when or NEVER_OPEN) if blocked else ""

    def source(self, decision: Decision) -> str:
        """Where the rule stands; on a screen without kanji, which pack has it."""
        rule = decision.rule
        if rule is None:
            return self.text(REASONS[decision.reason].source or HOUSE_RULE)
        return {"ja": rule.source.ja, "en": rule.source.en, "ja_kana": f"{rule.pack}: {rule.rule}"}[self.text.language]

    def opening(self, items: Sequence[str]) -> str:
        """What is to be said before anything else."""
        return "\n□ ".join((self.text("Say first:"), *(self.text(OPENING[item]) for item in items)))

    def until_brief(self, decision: Decision) -> str:
        """The same in 20 columns."""
        if decision.until is not None:
            return self.text("From {when}", when=self.times.moment(decision.until))
        blocked = decision.verdict is Verdict.BLOCK
        return self.text(WHEN_BRIEF[REASONS[decision.reason].when or NEVER_OPEN]) if blocked else ""

    def _ago(self, decision: Decision) -> str:
        return self.times.ago(decision.evidence[0].at if decision.evidence else None)


def masked(identifier: str) -> str:
    """A second identifier with its first and last character only.

    >>> masked("1985-04-12"), masked("AB")
    ('1••••••••2', '••')
    """
    if len(identifier) < 3:
        return "•" * len(identifier)
    return identifier[0] + "•" * (len(identifier) - 2) + identifier[-1]
