"""Grids: rows of a list, boxes as they lie on the keypad, pairs of names and values."""

from collections.abc import Iterator

from firmware.screens import fonts, theme
from firmware.screens.blocks import more_marks
from firmware.screens.layout import Area, Mark, badge, clamped, patch, words
from firmware.screens.view import Box, Boxes, Pairs, Row, Rows

TALLEST, LOWEST = 38, 34  # of a row with two lines
TALLEST_SINGLE, LOWEST_SINGLE = 27, 18
EDGES = 2 * theme.MARGIN + 2
BOX_GAP, BOX_EDGE, LOWEST_BOX = 5, 5, 34
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
    size = _single_size(block, area.width - EDGES, high)
    for n, row in enumerate(block.rows):
        yield from _place_row(row, Area(area.x, area.y + n * high, area.width, high), 0 if double else size)
    if block.total > len(block.rows):
        yield from _position(block, area)


def _double(block: Rows) -> bool:
    return any(row.below for row in block.rows)


def _position(block: Rows, area: Area) -> Iterator[Mark]:
    """A thin mark at the right edge: where in the whole list these rows are."""
    high = max(8, area.height * len(block.rows) // block.total)
    y = area.y + (area.height - high) * block.first // max(1, block.total - len(block.rows))
    yield patch(Area(area.right - 3, y, 3, high), theme.CAP, 1)


def _place_row(row: Row, area: Area, size: int) -> Iterator[Mark]:
    if row.chosen:
        yield patch(area, theme.RAISED)
        yield patch(Area(area.x, area.y, 4, area.height), theme.ACCENT)
    edge = area.right - theme.MARGIN
    if row.badge:
        edge, marks = badge(row.badge.text, edge, area.y + area.height // 2, theme.TONES[row.badge.tone])
        yield from marks
    left = area.x + theme.MARGIN + 2
    room = Area(left, area.y, edge - left, area.height)
    yield from _single_line(row, room, size) if size else _double_line(row, room)


def _double_line(row: Row, area: Area) -> Iterator[Mark]:
    high = fonts.height(theme.LARGE)
    top = Area(area.x, area.y + (area.height - LOWEST) // 2, area.width, high)
    yield from words(row.text, top, theme.LARGE, theme.FADED if row.faded else theme.INK, bold=row.chosen)
    below = Area(area.x, top.bottom, area.width, fonts.height(theme.SMALL))
    yield from words(row.below, below, theme.SMALL, theme.TONES["dim"])


def _single_size(block: Rows, room: int, high: int) -> int:
    """One size for all rows of one line: the larger where every text has room."""
    roomy = high >= fonts.height(theme.LARGE) + 3
    large = roomy and all(fonts.width(row.text, theme.LARGE, bold=True) <= room for row in block.rows)
    return theme.LARGE if large else theme.BODY


def _single_line(row: Row, area: Area, size: int) -> Iterator[Mark]:
    yield from words(row.text, area, size, theme.FADED if row.faded else theme.INK, bold=row.chosen)


def boxes_height(block: Boxes, _width: int) -> int:
    """Every row of boxes, at its lowest."""
    rows = -(-len(block.boxes) // block.columns)
    return rows * LOWEST_BOX + (rows - 1) * BOX_GAP


def place_boxes(block: Boxes, area: Area) -> Iterator[Mark]:
    """Boxes in a grid, in the order of their keys; the larger type if every box has room for it."""
    rows = -(-len(block.boxes) // block.columns)
    wide = (area.width - (block.columns - 1) * BOX_GAP) // block.columns
    high = (area.height - (rows - 1) * BOX_GAP) // max(1, rows)
    room = wide - 2 * BOX_EDGE
    large = all(fonts.width(box.text, theme.LARGE, bold=True) <= room for box in block.boxes)
    for n, box in enumerate(block.boxes):
        row, column = divmod(n, block.columns)
        x, y = area.x + column * (wide + BOX_GAP), area.y + row * (high + BOX_GAP)
        yield from _place_box(box, Area(x, y, wide, high), theme.LARGE if large else theme.BODY)


def _place_box(box: Box, area: Area, size: int) -> Iterator[Mark]:
    ground = theme.GROUNDS["accent"] if box.lit or box.chosen else theme.PANEL
    yield patch(area, theme.ACCENT if box.chosen else ground, 6)
    yield patch(area, theme.ACCENT if box.lit or box.chosen else theme.EDGE, 6, 2 if box.lit else 1)
    ink, key_ink = (theme.DARK, theme.DARK) if box.chosen else (theme.INK, theme.ACCENT)
    corner = Area(area.x + 6, area.y + 2, area.width - 12, 14)
    yield from words(box.key, corner, theme.SMALL, key_ink, bold=True)
    hint = Area(corner.x + 20, corner.y, corner.width - 20, 14)
    yield from words("✓" if box.chosen else box.hint, hint, theme.SMALL, key_ink, align="right")
    inner = Area(area.x + BOX_EDGE, area.y + 16, area.width - 2 * BOX_EDGE, area.height - 17)
    if fonts.width(box.text, size, bold=box.chosen) <= inner.width and fonts.height(size) <= inner.height:
        yield from words(box.text, inner, size, ink, bold=box.chosen, align="centre")
        return
    yield from _small_print(box, inner, ink)


def _small_print(box: Box, area: Area, ink: theme.Colour) -> Iterator[Mark]:
    """A longer text in one line or two, the upper one beside the key where there is no room below it."""
    high = fonts.height(theme.SMALL)
    parts = _parts(box, area.width)
    top = min(area.y + (area.height - len(parts) * high) // 2, area.bottom - len(parts) * high)
    key = fonts.width(box.key, theme.SMALL, bold=True) + 3
    for n, part in enumerate(parts):
        row = Area(area.x, top + n * high, area.width, high)
        if row.y < area.y and fonts.width(part, theme.SMALL, bold=box.chosen) > row.width - 2 * key:
            row = Area(row.x + key, row.y, row.width - key, high)
        yield from words(part, row, theme.SMALL, ink, bold=box.chosen, align="centre")


def _parts(box: Box, room: int) -> tuple[str, ...]:
    """The text in one line or two; a bracket begins the second one."""

    def fits(part: str) -> bool:
        return fonts.width(part, theme.SMALL, bold=box.chosen) <= room

    if fits(box.text):
        return (box.text,)
    before, bracket, after = box.text.partition("(" if "(" in box.text else "（")
    bracketed = (before.strip(), bracket + after)
    if bracket and all(map(fits, bracketed)):
        return bracketed
    return clamped(box.text, room, theme.SMALL, most=2, bold=box.chosen)


def pairs_height(_block: Pairs, _width: int) -> int:
    """At least three of them."""
    return 3 * PAIR


def place_pairs(block: Pairs, area: Area) -> Iterator[Mark]:
    """Names left, values right, as many as fit from `scroll` on."""
    fits = max(1, area.height // PAIR)
    first = min(block.scroll, max(0, len(block.pairs) - fits))
    for n, (name, value) in enumerate(block.pairs[first : first + fits]):
        row = Area(area.x, area.y + n * PAIR, area.width - 12, PAIR)
        left = min(fonts.width(name, theme.SMALL), row.width // 2) if name else 0
        yield from words(name, Area(row.x, row.y, left, PAIR), theme.SMALL, theme.TONES["dim"])
        room = Area(row.x + left + 8, row.y, row.width - left - 8, PAIR)
        yield from words(value, room, theme.BODY, theme.INK, align="right")
    yield from more_marks(area, area.y, above=first > 0, below=first + fits < len(block.pairs))
