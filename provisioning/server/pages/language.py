"""The pages' languages. What the booth has words for already is said as the booth says it.

Texts stand in English where they are used: `text("…")` in code and templates, `mark("…")` in tables; `make text`
compiles words/ja/LC_MESSAGES/pages.po.
"""

from functools import lru_cache
from gettext import translation
from pathlib import Path
from typing import Literal

from firmware.text import catalogue
from firmware.text.catalogue import Text

Language = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = ("ja", "en")
NAMES: dict[Language, str] = {"ja": "日本語", "en": "English"}
COOKIE = "boothphone-language"
WORDS = Path(__file__).parent / "words"


@lru_cache
def load(language: Language) -> Text:
    """The texts of one language: the pages' own, and where they have none the booth's.

    >>> load("ja")("Calls"), load("ja")("they hung up")
    ('通話', '先方切断')
    """
    if language == "en":
        return catalogue.load("en")
    own = translation("pages", WORDS, [language])
    own.add_fallback(translation(catalogue.DOMAIN, Path(catalogue.__file__).parent, [language]))
    return Text(language, own)


def known(asked: str | None) -> Language | None:
    """`asked` as one of our languages, None when it is none."""
    return next((language for language in LANGUAGES if language == asked), None)


def accepted(header: str) -> Language | None:
    """The first of our languages in an Accept-Language header, by its weights.

    >>> accepted("fr;q=0.9, en-GB;q=0.5, ja;q=0.4"), accepted("fr"), accepted("ja;q=0, en;q=x")
    ('en', None, None)
    """
    weighed = sorted((_weighed(part) for part in header.split(",")), key=lambda pair: -pair[0])
    return next((language for weight, name in weighed if weight > 0 and (language := known(name))), None)


def _weighed(part: str) -> tuple[float, str]:
    name, _, weight = part.strip().partition(";q=")
    try:
        return float(weight or 1), name.partition("-")[0].lower()
    except ValueError:
        return 0.0, ""
