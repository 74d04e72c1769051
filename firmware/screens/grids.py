"""Grids: rows of a list, boxes as they lie on the keypad, pairs of names and values."""

from collections.abc import Iterator

from firmware.screens import fonts, theme
from firmware.screens.blocks import more_marks
from firmware.screens.layout import Area, Mark, badge, lines, patch, words
from firmware.screens.view import Box, Boxes, Pairs, Row, Rows

TALLEST, LOWEST = 37, 34  # of a row with two lines: the larger type needs the taller
TALLEST_SINGLE, LOWEST_SINGLE = 27, 18
BOX_GAP = 5
PAIR = 19


def rows_height(block: Rows, _width: int) -> int:
    """Every row, at its lowest."""
    return len(block.rows) * (LOWEST if _double(block) else LOWEST_SINGLE)


def place_rows(block: Rows, area: Area) -> Iterator[Mark]:
    """Rows from edge to edge, the chosen one raised and marked at its left."""
    if not block.rows:
        return
    double = _double(block)
    high = min(area.height // len(block.rows), TALLEST if double else TALLEST_SINGLE)
    for n, row in enumerate(block.rows):
        yield from _place_row(row, Area(area.x, area.y + n * high, area.width, high), double=double)
    if block.total > len(block.rows):
        yield from _position(block, area)


def _double(block: Rows) -> bool:
    return any(row.below for row in block.rows)


def _position(block: Rows, area: Area) -> Iterator[Mark]:
    """A thin mark at the right edge: where in the whole list these rows are."""
    high = max(8, area.height * len(block.rows) // block.total)
    y = area.y + (area.height - high) * block.first // max(1, block.total - len(block.rows))
    yield patch(Area(area.right - 3, y, 3, high), theme.CAP, 1)


def _place_row(row: Row, area: Area, *, double: bool) -> Iterator[Mark]:
    if row.chosen:
        yield patch(area, theme.RAISED)
        yield patch(Area(area.x, area.y, 4, area.height), theme.ACCENT)
    edge = area.right - theme.MARGIN
    if row.badge:
        edge, marks = badge(row.badge.text, edge, area.y + area.height // 2, theme.TONES[row.badge.tone])
        yield from marks
    left = area.x + theme.MARGIN + 2
    room = Area(left, area.y, edge - left, area.height)
    yield from _double_line(row, room) if double else _single_line(row, room)


def _double_line(row: Row, area: Area) -> Iterator[Mark]:
    size, small = (17, 12) if area.height >= TALLEST - 1 else (16, 11)
    top = Area(area.x, area.y, area.width, fonts.height(size))
    yield from words(row.text, top, size, theme.FADED if row.faded else theme.INK, bold=row.chosen)
    below = Area(area.x, top.bottom, area.width, fonts.height(small))
    yield from words(row.below, below, small, theme.TONES["dim"])


def _single_line(row: Row, area: Area) -> Iterator[Mark]:
    size = 15 if area.height >= fonts.height(15) else 14
    room = fonts.width(row.right, 12) if row.right else 0
    yield from words(
        row.right, Area(area.right - room, area.y, room, area.height), 12, theme.TONES["dim"], align="right"
    )
    text = Area(area.x, area.y, area.width - room - (6 if room else 0), area.height)
    yield from words(row.text, text, size, theme.FADED if row.faded else theme.INK, bold=row.chosen)


def boxes_height(block: Boxes, _width: int) -> int:
    """Every row of boxes, two lines of text high."""
    rows = -(-len(block.boxes) // block.columns)
    return rows * 40 + (rows - 1) * BOX_GAP


def place_boxes(block: Boxes, area: Area) -> Iterator[Mark]:
    """Boxes in a grid, in the order of their keys."""
    rows = -(-len(block.boxes) // block.columns)
    wide = (area.width - (block.columns - 1) * BOX_GAP) // block.columns
    high = (area.height - (rows - 1) * BOX_GAP) // max(1, rows)
    for n, box in enumerate(block.boxes):
        row, column = divmod(n, block.columns)
        x, y = area.x + column * (wide + BOX_GAP), area.y + row * (high + BOX_GAP)
        yield from _place_box(box, Area(x, y, wide, high))


def _place_box(box: Box, area: Area) -> Iterator[Mark]:
    ground = theme.GROUNDS["accent"] if box.lit or box.chosen else theme.PANEL
    yield patch(area, theme.ACCENT if box.chosen else ground, 6)
    yield patch(area, theme.ACCENT if box.lit or box.chosen else theme.EDGE, 6, 2 if box.lit else 1)
    ink = theme.DARK if box.chosen else theme.INK
    corner = Area(area.x + 6, area.y + 2, area.width - 12, 16)
    yield from words(box.key, corner, 13, theme.DARK if box.chosen else theme.ACCENT, bold=True)
    hint = "✓" if box.chosen else box.hint
    yield from words(
        hint,
        Area(corner.x + 20, corner.y, corner.width - 20, 16),
        11,
        theme.DARK if box.chosen else theme.ACCENT,
        align="right",
    )
    inner = Area(area.x + 5, area.y + 16, area.width - 10, area.height - 18)
    if fonts.width(box.text, 15, bold=box.chosen) <= inner.width:
        yield from words(box.text, inner, 15, ink, bold=box.chosen, align="centre")
        return
    yield from _two_lines(box, inner, ink)


def _two_lines(box: Box, area: Area, ink: theme.Colour) -> Iterator[Mark]:
    """A longer text, smaller; in two lines if it must."""
    size = 13 if fonts.width(box.text, 13, bold=box.chosen) <= area.width else 12
    needed = min(2, len(fonts.wrap(box.text, area.width, size, bold=box.chosen)))
    tall = needed * fonts.height(size)
    y = min(area.y + (area.height - tall) // 2, area.bottom - tall + 1)
    yield from lines(box.text, Area(area.x, y, area.width, tall), size, ink, most=2, bold=box.chosen, align="centre")


def pairs_height(_block: Pairs, _width: int) -> int:
    """At least three of them."""
    return 3 * PAIR


def place_pairs(block: Pairs, area: Area) -> Iterator[Mark]:
    """Names left, values right, as many as fit from `scroll` on."""
    fits = max(1, area.height // PAIR)
    first = min(block.scroll, max(0, len(block.pairs) - fits))
    for n, (name, value) in enumerate(block.pairs[first : first + fits]):
        row = Area(area.x, area.y + n * PAIR, area.width - 12, PAIR)
        left = min(fonts.width(name, 13), row.width // 2) if name else 0
        yield from words(name, Area(row.x, row.y, left, PAIR), 13, theme.TONES["dim"])
        yield from words(value, Area(row.x + left + 8, row.y, row.width - left - 8, PAIR), 14, theme.INK, align="right")
    yield from more_marks(area, area.y, above=first > 0, below=first + fits < len(block.pairs))
