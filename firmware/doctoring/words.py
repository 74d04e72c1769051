"""The doctor's words. They stand in a catalogue of their own: a terminal has room for what no screen of the booth says.

Texts are marked `phrase("…")` where a table holds them and `say("…")` where they are used; what the booth's screens say
already is said as they say it.
"""

import os
from functools import lru_cache
from gettext import translation
from pathlib import Path

import firmware.text
from firmware.text import catalogue
from firmware.text.catalogue import Language, Text

DOMAIN = "doctor"
ROOM = Path(firmware.text.__file__).parent


@lru_cache
def load(language: Language) -> Text:
    """Says a message in one language; raises FileNotFoundError when its catalogue has not been compiled."""
    if language == "en":
        return catalogue.load("en")
    messages = translation(DOMAIN, ROOM, [language])
    messages.add_fallback(translation(catalogue.DOMAIN, ROOM, [language]))
    return Text(language, messages)


def phrase(msgid: str) -> str:
    """Leave a text as it is, but let the extraction find it."""
    return msgid


def of_terminal() -> Language:
    """The language in which this terminal is set to speak, English where it is neither."""
    spoken = next(filter(None, (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "ja" if spoken.startswith("ja") else "en"
