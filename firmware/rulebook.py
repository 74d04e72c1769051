"""The rules in force on a booth: those of the house and of every chosen pack. Wherever two differ, the stricter holds."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property, partial
from math import inf
from typing import Final, Literal

from firmware.calendars import is_holiday
from firmware.hours import IsHoliday
from firmware.known import DAY, Rules
from firmware.numbers import Kind, Number
from firmware.refusal import Terms
from firmware.rulepack import Pack, Redial, Words
from firmware.spans import seconds

Calendar = Callable[[str, date], bool]
Consent = Literal["notice", "all-party", "off"]

STRICT: Final = Rules()
_RECORDING: Final[tuple[Consent, ...]] = ("notice", "all-party", "off")
"""From the laxest to the strictest."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The rule that decided: its pack, its name there, where it stands in the law, and its figures."""

    pack: str
    rule: str
    source: Words
    most: int = 0
    span: float = 0.0  # seconds


@dataclass(frozen=True)
class Rulebook:
    """All that the guard goes by besides the facts; what is worked out from it is worked out once."""

    house: Rules = STRICT
    packs: tuple[Pack, ...] = ()
    product: str = ""  # what is offered
    attempts: int = 0  # the campaign's cap: so many dials of one number for this product; 0: none
    calendar: Calendar = is_holiday

    @cached_property
    def rules(self) -> Rules:
        """The house's figures, narrowed by every pack."""
        rules = self.house
        for pack in self.packs:
            rules = _narrowed(rules, pack)
        return rules

    @cached_property
    def terms(self) -> Terms:
        """How long refusals hold: for good, unless every pack has a term; then the longest."""
        told = [pack.refusal for pack in self.packs]
        per_product = bool(told) and all(one.per_product for one in told)
        return Terms(
            explicit=_longest(one.explicit_days for one in told),
            implied=_longest(one.implied_days for one in told),
            do_not_call=_longest(one.dnc_days for one in told),
            product=self.product if per_product else "",
        )

    @cached_property
    def recording(self) -> Consent:
        """Whether calls are recorded after notice, only once all have agreed, or not at all."""
        return max((pack.recording.consent for pack in self.packs), key=_RECORDING.index, default="notice")

    @cached_property
    def opening(self) -> tuple[str, ...]:
        """What the law has said first, then what courtesy does; each once."""
        told = [pack.disclosure for pack in self.packs]
        items = (*(item for one in told for item in one.opening), *(item for one in told for item in one.courtesy))
        return tuple(dict.fromkeys(items))

    @cached_property
    def registers(self) -> frozenset[str]:
        """The do-not-call registers that must be looked into."""
        return frozenset(name for pack in self.packs for name in pack.register.names)

    def holidays(self, pack: Pack) -> IsHoliday:
        """The calendar of a pack's region."""
        return partial(self.calendar, pack.pack.region)

    def dialled(self, number: Number) -> str:
        """What goes on the line: with the prefix that shows our own number, where a pack wants it and none is keyed."""
        wanted = next((pack.cli.force_prefix for pack in self.packs if pack.cli.force_prefix), "")
        shows = wanted and not number.prefix and number.dialled.startswith("0") and number.kind in _CUSTOMERS
        return f"{wanted}{number.dialled}" if shows else number.dialled

    def of_window(self) -> Ruling | None:
        """Whose the redial window is: the first pack's that narrows the house's; None: the house's own."""
        for pack in self.packs:
            if any(getattr(_narrowed(self.house, pack), name) != getattr(self.house, name) for name in _WINDOW):
                return Ruling(pack.id, "redial", pack.law(pack.redial.source))
        return None

    def of_refusals(self, *, implied: bool) -> Ruling | None:
        """Whose the rule on refusals is: the first pack's, for of two packs the longer term holds in both."""
        for pack in self.packs:
            told = pack.refusal
            source = told.gacha_source if implied and told.gacha_source.ja.strip() else told.source
            return Ruling(pack.id, "refusal", pack.law(source))
        return None


HOUSE: Final = Rulebook()


class InForce:
    """The rulebook of the moment, for everybody who must go by it; the office may send another between two calls."""

    def __init__(self, book: Rulebook = HOUSE) -> None:
        self.book = book

    def use(self, packs: Sequence[Pack]) -> None:
        """Go by these packs from now on."""
        self.book = replace(self.book, packs=tuple(packs))


_CUSTOMERS: Final = frozenset({Kind.ORDINARY, Kind.TOLL_FREE, Kind.SHARED_COST})
_WINDOW: Final = tuple(field.name for field in fields(Redial) if field.name != "source")


def _narrowed(rules: Rules, pack: Pack) -> Rules:
    redial, refusal = pack.redial, pack.refusal
    return replace(
        rules,
        min_gap_any=max(rules.min_gap_any, seconds(redial.min_gap_any)),
        min_gap_after_talk=max(rules.min_gap_after_talk, seconds(redial.min_gap_after_talk)),
        min_gap_unanswered=max(rules.min_gap_unanswered, seconds(redial.min_gap_unanswered)),
        max_per_day=_least(rules.max_per_day, redial.max_per_day),
        max_unanswered_per_day=_least(rules.max_unanswered_per_day, redial.max_unanswered_per_day),
        gacha_limit=_least(rules.gacha_limit, refusal.gacha_limit),
        gacha_window=max(rules.gacha_window, refusal.gacha_window_days * DAY),
    )


def _least(ours: int, theirs: int) -> int:
    """The smaller; 0 of a pack's says nothing."""
    return min(ours, theirs) if theirs else ours


def _longest(days: Iterable[int]) -> float:
    """The longest of terms in days, where 0 is for good; for good if there are none."""
    return max((one * DAY if one else inf for one in days), default=inf)
