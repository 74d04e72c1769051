"""Catalogues: the English source, `ja`, and `ja_kana` for a screen that has no kanji.

Texts are marked in the code as `text("…")` where they are used, or `mark("…")` where a table holds them; `make text`
compiles the .po files beside this one.
"""

from functools import lru_cache
from gettext import NullTranslations, translation
from pathlib import Path
from typing import Literal

DOMAIN = "booth"
Language = Literal["ja", "en", "ja_kana"]


class Text:
    """Says a message in one language."""

    def __init__(self, language: Language, messages: NullTranslations) -> None:
        self.language: Language = language
        self._messages = messages

    def __call__(self, msgid: str, /, **values: object) -> str:
        """`msgid` in this language, its {names} filled in."""
        said = self._messages.gettext(msgid) if msgid else ""
        return said.format(**values) if values else said


@lru_cache
def load(language: Language) -> Text:
    """The texts of one language; raises FileNotFoundError when its catalogue has not been compiled.

    >>> load("ja")("Call")
    '発信'
    """
    if language == "en":
        return Text(language, NullTranslations())
    return Text(language, translation(DOMAIN, Path(__file__).parent, [language]))


def mark(msgid: str) -> str:
    """Leave a text as it is, but let the extraction find it."""
    return msgid
