"""Layout: where a view's parts lie. Plain rectangles and words that a test can check and pixels.py paints."""

from collections.abc import Iterator
from dataclasses import dataclass

from firmware.screens import fonts, theme
from firmware.screens.theme import Colour


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle; `right` and `bottom` lie outside."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column outside."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row outside."""
        return self.y + self.height

    def inset(self, across: int, down: int = 0) -> "Area":
        """Smaller by so much on each side."""
        return Area(self.x + across, self.y + down, self.width - 2 * across, self.height - 2 * down)

    def touches(self, other: "Area") -> bool:
        """Whether the two share a pixel."""
        across = self.x < other.right and other.x < self.right
        return across and self.y < other.bottom and other.y < self.bottom

    def holds(self, other: "Area") -> bool:
        """Whether `other` lies wholly inside."""
        across = self.x <= other.x and other.right <= self.right
        return across and self.y <= other.y and other.bottom <= self.bottom


@dataclass(frozen=True, slots=True)
class Patch:
    """A filled rectangle, or its outline alone, with round corners."""

    area: Area
    colour: Colour
    radius: int = 0
    outline: int = 0  # its thickness; 0: filled


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text at its place. `whole` is what it was before it had to be shortened."""

    area: Area
    text: str
    colour: Colour
    size: int
    bold: bool
    whole: str


Mark = Patch | Words


def words(
    text: str, area: Area, size: int, colour: Colour, *, bold: bool = False, align: str = "left"
) -> Iterator[Words]:
    """`text` on one line in the middle of `area`'s height, shortened to its width; nothing for no text."""
    if not text:
        return
    shown = fonts.shorten(text, area.width, size, bold=bold)
    wide, high = fonts.width(shown, size, bold=bold), fonts.height(size)
    spare = area.width - wide
    x = area.x + {"left": 0, "centre": spare // 2, "right": spare}[align]
    yield Words(Area(x, area.y + (area.height - high) // 2, wide, high), shown, colour, size, bold, text)


def lines(
    text: str, area: Area, size: int, colour: Colour, *, most: int, bold: bool = False, align: str = "left"
) -> Iterator[Words]:
    """`text` wrapped from the top of `area` in at most `most` lines; the last one is shortened if need be."""
    high = fonts.height(size)
    for n, line in enumerate(clamped(text, area.width, size, most=most, bold=bold)):
        row = Area(area.x, area.y + n * high, area.width, high)
        yield from words(line, row, size, colour, bold=bold, align=align)


def clamped(text: str, room: int, size: int, *, most: int, bold: bool = False) -> tuple[str, ...]:
    """`text` wrapped to `room`; line `most` keeps all that is left, to be shortened when it is placed."""
    wrapped = fonts.wrap(text, room, size, bold=bold)
    return wrapped if len(wrapped) <= most else (*wrapped[: most - 1], "".join(wrapped[most - 1 :]))


def patch(area: Area, colour: Colour, radius: int = 0, outline: int = 0) -> Patch:
    """A shape; thin ones lose the radius that would swallow them."""
    return Patch(area, colour, min(radius, area.width // 2, area.height // 2), outline)


def badge(text: str, edge: int, middle: int, colour: Colour) -> tuple[int, list[Mark]]:
    """A badge whose right side is at `edge`, centred on row `middle`; with it, the first free column to its left."""
    wide = fonts.width(text, theme.SMALL, bold=True) + 10
    area = Area(edge - wide, middle - 9, wide, 18)
    label = words(text, area.inset(4), theme.SMALL, colour, bold=True, align="centre")
    return area.x - 6, [patch(area, colour, 4, 1), *label]
