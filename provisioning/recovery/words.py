"""The words of the recovery, in the language of the terminal. What the server's pages say already is said as they say it.

Texts are marked `phrase("…")` where a table holds them and `say("…")` where they are used.
"""

from functools import lru_cache
from gettext import translation
from pathlib import Path

from firmware.text import catalogue
from firmware.text.catalogue import Text
from provisioning.server.pages import language
from provisioning.server.pages.language import Language

DOMAIN = "recovery"
ROOM = Path(__file__).parent / "text"


@lru_cache
def load(spoken: Language) -> Text:
    """Says a message in one language; raises FileNotFoundError when its catalogue has not been compiled."""
    if spoken == "en":
        return catalogue.load("en")
    messages = translation(DOMAIN, ROOM, [spoken])
    messages.add_fallback(translation("pages", language.WORDS, [spoken]))
    messages.add_fallback(translation(catalogue.DOMAIN, Path(catalogue.__file__).parent, [spoken]))
    return Text(spoken, messages)


def phrase(msgid: str) -> str:
    """Leave a text as it is, but let the extraction find it."""
    return msgid
