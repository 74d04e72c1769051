"""A view: what one screen says, in words and blocks. The same view is drawn as pixels or as characters."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Literal

from firmware.screens.scene import Rec

Tone = Literal["plain", "dim", "accent", "good", "warn", "bad"]
Size = Literal["small", "body", "large"]


@dataclass(frozen=True, slots=True)
class Badge:
    """A short state in a rounded frame, such as 未 or 再 14:30."""

    text: str
    tone: Tone = "dim"


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a list."""

    text: str
    below: str = ""  # small, under the text
    badge: Badge | None = None
    chosen: bool = False
    faded: bool = False  # nothing more is to be done with it


@dataclass(frozen=True, slots=True)
class Rows:
    """A list; shares out the height there is. `first` of `total` moves the mark at the right edge."""

    rows: tuple[Row, ...]
    first: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class BigNumber:
    """A number to read at a glance; a cursor after it while it is being keyed."""

    text: str
    tone: Tone = "plain"
    keying: bool = False
    wrong: int | None = None  # the place in `text` of a digit that is lit


@dataclass(frozen=True, slots=True)
class Alert:
    """A framed verdict: the eye goes here first."""

    title: str
    text: str = ""
    tone: Tone = "bad"


@dataclass(frozen=True, slots=True)
class Banner:
    """One line across the screen: something has just happened, or waits to be done."""

    text: str
    tone: Tone = "good"


@dataclass(frozen=True, slots=True)
class Line:
    """Text in at most `lines` lines, with something at the right edge of the first."""

    text: str
    tone: Tone = "plain"
    size: Size = "body"
    right: str = ""
    centred: bool = False
    lines: int = 1
    badge: Badge | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """How much of something is left or set, between a name and a value."""

    name: str
    fraction: float  # 0 to 1, filled
    value: str
    tone: Tone = "good"


@dataclass(frozen=True, slots=True)
class Box:
    """One of the boxes: the key that chooses it, and what it means."""

    key: str
    text: str
    hint: str = ""  # small, in the corner: why it is lit
    lit: bool = False  # suggested
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Boxes:
    """Keys 1 to 9 as they lie on the keypad; shares out the height there is."""

    boxes: tuple[Box, ...]
    columns: int = 3


@dataclass(frozen=True, slots=True)
class Panel:
    """A longer text in a quiet frame, scrolled by lines; takes the height that is left."""

    text: str
    caption: str = ""
    scroll: int = 0
    right: str = ""  # in the caption's line
    shrink: bool = False  # nothing scrolls it: a long text is set smaller instead


@dataclass(frozen=True, slots=True)
class Scroll:
    """Lines of which some may lie below the edge, scrolled by lines; takes the height that is left."""

    lines: tuple[Line, ...]
    scroll: int = 0


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names and values; takes the height that is left."""

    pairs: tuple[tuple[str, str], ...]
    scroll: int = 0


@dataclass(frozen=True, slots=True)
class Chip:
    """A small switch: a key, its meaning, and whether it has been done."""

    key: str
    text: str
    on: bool = False
    tone: Tone = "good"


@dataclass(frozen=True, slots=True)
class Chips:
    """Chips in a row."""

    chips: tuple[Chip, ...]


@dataclass(frozen=True, slots=True)
class Space:
    """A gap; takes what the other blocks leave."""


Block = Rows | BigNumber | Alert | Banner | Line | Bar | Boxes | Panel | Scroll | Pairs | Chips | Space


@dataclass(frozen=True, slots=True)
class SoftKey:
    """The name of A, B, C or D (or of another key that counts) at this moment; `short` is for 20 columns."""

    key: str
    name: str
    short: str


@dataclass(frozen=True, slots=True)
class Brief:
    """The same in 20 columns: a title, and lines of which the first `fixed` stay while the others scroll."""

    title: str
    lines: tuple[str, ...]
    scroll: int = 0
    fixed: int = 1


@dataclass(frozen=True, slots=True)
class Status:
    """The right half of the first line."""

    clock: str = ""
    trouble: str = ""  # a word beside the clock, such as "time unknown"
    pending: int = 0
    synced: bool = True
    signal: int | None = None
    recording: Rec = "off"
    recording_word: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One screen. `alarm` colours it for an emergency."""

    title: str
    blocks: tuple[Block, ...]
    keys: tuple[SoftKey, ...]
    brief: Brief
    status: Status = Status()
    alarm: bool = False

    def words(self) -> tuple[str, ...]:
        """Every text of the screen but the 20-column one, from top to bottom."""
        return (self.title, *(text for block in self.blocks for text in _texts(block)), *_texts(self.keys))


def _texts(part: object) -> Iterator[str]:
    if isinstance(part, str):
        if part:
            yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from _texts(each)
    elif is_dataclass(part):
        for field in fields(part):
            if field.name not in {"tone", "size", "short"}:
                yield from _texts(getattr(part, field.name))
