"""What can be wrong between rows and files, each with a sentence, and the languages of a terminal."""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from gettext import translation
from pathlib import Path

from firmware.doctoring.words import of_terminal
from firmware.text import catalogue
from firmware.text.catalogue import Language, Text, mark

DOMAIN = "operations"
WORDS = Path(__file__).parent / "words"


class Kind(Enum):
    """A fault, by the word that programs know it by."""

    NO_JOURNAL = "no-journal"
    WRONG_SIZE = "wrong-size"
    WRONG_HASH = "wrong-hash"
    NO_SOUND = "no-sound"
    NO_WAVEFORM = "no-waveform"
    UNOPENED = "unopened"
    NO_ROW = "no-row"
    NOT_GONE = "not-gone"
    CUT_SHORT = "cut-short"
    LEFTOVER = "leftover"
    DATABASE = "database"
    KEY = "key"


SAID = {
    Kind.NO_JOURNAL: mark("the row says that it is here, but the archive has not got it"),
    Kind.WRONG_SIZE: mark("the file is not as long as its row says"),
    Kind.WRONG_HASH: mark("the file has changed since it came in"),
    Kind.NO_SOUND: mark("what plays is missing; the sealed recording is there"),
    Kind.NO_WAVEFORM: mark("its picture is missing"),
    Kind.UNOPENED: mark("it came in more than an hour ago and has not been opened"),
    Kind.NO_ROW: mark("a file in the archive that no row speaks of"),
    Kind.NOT_GONE: mark("deleted for good, but a file is still there"),
    Kind.CUT_SHORT: mark("fewer bytes of this upload are here than its booth was told"),
    Kind.LEFTOVER: mark("left behind by an upload that is over"),
    Kind.DATABASE: mark("the database is damaged"),
    Kind.KEY: mark("a key is missing or others may read it"),
}
MENDED = {
    Kind.NO_JOURNAL: mark("booths are asked for it"),
    Kind.WRONG_SIZE: mark("put aside; booths are asked for it"),
    Kind.WRONG_HASH: mark("put aside; booths are asked for it"),
    Kind.NO_SOUND: mark("the server opens it again"),
    Kind.NO_WAVEFORM: mark("the server draws it again"),
    Kind.UNOPENED: mark("the server opens it again"),
    Kind.NO_ROW: mark("put aside"),
    Kind.NOT_GONE: mark("deleted"),
    Kind.CUT_SHORT: mark("its booth goes on from what is here"),
    Kind.LEFTOVER: mark("removed"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one recording, file or key."""

    kind: Kind
    name: str
    detail: str = ""

    @property
    def mendable(self) -> bool:
        """Whether a program can put it right."""
        return self.kind in MENDED

    def line(self, text: Text, *, mended: bool = False) -> str:
        """What a person reads."""
        said = text(SAID[self.kind]) + (f" ({self.detail})" if self.detail else "")
        return f"{self.name}: {said}" + (f" → {text(MENDED[self.kind])}" if mended else "")


@lru_cache
def load(language: Language) -> Text:
    """Says a message in one language; raises FileNotFoundError when its catalogue has not been compiled."""
    if language == "en":
        return catalogue.load("en")
    return Text(language, translation(DOMAIN, WORDS, [language]))


def text_of_terminal() -> Text:
    """In the language in which this terminal is set to speak."""
    return load(of_terminal())
