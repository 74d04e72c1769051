"""Result codes as data. What follows from a code follows from its attributes, never from its name."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Result:
    """One result code (domain: アウトバウンド結果), as results.toml has it."""

    key: str  # two digits, keyed after 0
    code: str
    ja: str
    en: str
    kana: str  # half-width screens
    final: bool
    contact: bool  # a human answered
    right_party: bool | None
    talk: bool | None
    refusal: Literal["none", "implied", "counted", "explicit"]
    scope: str  # what a refusal or final result covers: number, record, campaign, tenant …
    box: int | None = None  # 1-9 among the nine commonest in wrap-up
    recall: int | None = None  # seconds until it may come up again by default
    asks: tuple[str, ...] = ()  # "when", "whom", "clear": what wrap-up must still ask
    limit: int | None = None  # so many of these on one number are an implied refusal
    attempt: bool = True  # False: the dial does not count as an attempt
