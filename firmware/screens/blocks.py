"""Blocks of text: how tall each must be, and where its parts lie in the area it is given."""

from collections.abc import Iterator

from firmware.screens import fonts, theme
from firmware.screens.layout import Area, Mark, badge, clamped, lines, patch, words
from firmware.screens.view import Alert, Banner, Bar, BigNumber, Chip, Chips, Line, Panel, Scroll, Tone

SIGNS: dict[Tone, str] = {"good": "✓", "warn": "!", "bad": "●", "accent": "›", "plain": "", "dim": ""}
ALERT_TITLE, ALERT_TEXT = theme.LARGE, theme.BODY
PANEL_TEXT, CAPTION, CHIP = theme.BODY, theme.SMALL, theme.SMALL
CHIP_HIGH, CHIP_GAP = 18, 3
LEADING = 3  # between lines that scroll
MORE = 12  # the width kept free for ▲ and ▼


def number_height(_block: BigNumber, _width: int) -> int:
    """A big number's height, whatever its length."""
    return fonts.height(theme.BIG[0]) + 2


def place_number(block: BigNumber, area: Area) -> Iterator[Mark]:
    """Centred; the largest size that fits; of one too long even so, the end."""
    cursor = "_" if block.keying else ""
    shown, size, wrong = block.text, theme.BIG[-1], block.wrong
    for fitting in theme.BIG:
        if fonts.width(shown + cursor, fitting, bold=True) <= area.width:
            size = fitting
            break
    else:
        while fonts.width("…" + shown + cursor, size, bold=True) > area.width:
            shown = shown[1:]
        wrong = None if wrong is None else wrong + len(shown) + 1 - len(block.text)
        shown = "…" + shown
    wide = fonts.width(shown, size, bold=True) if shown else 0
    whole = wide + (fonts.width(cursor, size, bold=True) if cursor else 0)
    left = area.x + (area.width - whole) // 2
    yield from _lit(shown, wrong, Area(left, area.y, wide, area.height), size, block.tone)
    after = Area(left + wide, area.y, whole - wide, area.height)
    yield from words(cursor, after, size, theme.ACCENT, bold=True)


def _lit(shown: str, wrong: int | None, area: Area, size: int, tone: Tone) -> Iterator[Mark]:
    """The number, with the digit at `wrong` on a ground of its own."""
    if wrong is None or not 0 <= wrong < len(shown):
        yield from words(shown, area, size, theme.TONES[tone], bold=True)
        return
    left = area.x
    for part, bad in ((shown[:wrong], False), (shown[wrong], True), (shown[wrong + 1 :], False)):
        wide = fonts.width(part, size, bold=True) if part else 0
        place = Area(left, area.y, wide, area.height)
        if bad:
            yield patch(place, theme.TONES["bad"], 4)
        yield from words(part, place, size, theme.DARK if bad else theme.TONES[tone], bold=True)
        left += wide


def alert_height(block: Alert, width: int) -> int:
    """As tall as its wrapped title and text."""
    inner = width - 24
    title = clamped(block.title, inner, ALERT_TITLE, most=2, bold=True)
    text = clamped(block.text, inner, ALERT_TEXT, most=3) if block.text else ()
    return len(title) * fonts.height(ALERT_TITLE) + len(text) * fonts.height(ALERT_TEXT) + 14


def place_alert(block: Alert, area: Area) -> Iterator[Mark]:
    """A frame in the tone's colour, the title large."""
    colour, inner = theme.TONES[block.tone], area.inset(12, 6)
    yield patch(area, theme.GROUNDS[block.tone], 7)
    yield patch(area, colour, 7, 2)
    title = clamped(block.title, inner.width, ALERT_TITLE, most=2, bold=True)
    yield from lines(block.title, inner, ALERT_TITLE, colour, most=2, bold=True)
    below = inner.y + len(title) * fonts.height(ALERT_TITLE) + 1
    under = Area(inner.x, below, inner.width, inner.bottom - below)
    if block.text:
        yield from lines(block.text, under, ALERT_TEXT, theme.INK, most=3)


def banner_height(_block: Banner, _width: int) -> int:
    """One line."""
    return 18


def place_banner(block: Banner, area: Area) -> Iterator[Mark]:
    """From edge to edge, with the sign of its tone."""
    colour = theme.TONES[block.tone]
    yield patch(area, theme.GROUNDS[block.tone])
    sign = SIGNS[block.tone]
    inner = area.inset(theme.MARGIN)
    yield from words(sign, Area(inner.x, inner.y, 14, inner.height), theme.BODY, colour, bold=True, align="centre")
    yield from words(
        block.text, Area(inner.x + 18, inner.y, inner.width - 18, inner.height), theme.BODY, colour, bold=True
    )


def line_height(block: Line, width: int) -> int:
    """As many lines as it needs and may have."""
    if not block.text and not block.right:
        return 0
    size = theme.SIZES[block.size]
    high = fonts.height(size)
    if block.lines > 1:
        bold = block.size == "large"
        high *= len(clamped(block.text, width, size, most=block.lines, bold=bold))
    return max(high, 20) if block.badge else high


def place_line(block: Line, area: Area) -> Iterator[Mark]:
    """Text from the left (or centred), what stands right of it first."""
    size, colour, bold = theme.SIZES[block.size], theme.TONES[block.tone], block.size == "large"
    align = "centre" if block.centred else "left"
    if block.lines > 1:
        yield from lines(block.text, area, size, colour, most=block.lines, bold=bold, align=align)
        return
    edge = area.right
    if block.badge:
        edge, marks = badge(block.badge.text, edge, area.y + area.height // 2, theme.TONES[block.badge.tone])
        yield from marks
    if block.right:
        small = theme.SMALL
        room = min(fonts.width(block.right, small), edge - area.x - 60)
        yield from words(
            block.right, Area(edge - room, area.y, room, area.height), small, theme.TONES["dim"], align="right"
        )
        edge -= room + 8
    size = fitting(block.text, edge - area.x, size, bold=bold)
    yield from words(block.text, Area(area.x, area.y, edge - area.x, area.height), size, colour, bold=bold, align=align)


def fitting(text: str, room: int, size: int, *, bold: bool) -> int:
    """`size`, or the next smaller one in which `text` fits on its line."""
    sizes = [each for each in (size, 15, 13, 12) if each <= size]
    return next(
        (each for each in sizes if fonts.width(text, each, bold=bold) <= room), sizes[-1] if size < 18 else size
    )


def bar_height(_block: Bar, _width: int) -> int:
    """One line."""
    return 18


def place_bar(block: Bar, area: Area) -> Iterator[Mark]:
    """Name, bar, value."""
    colour = theme.TONES[block.tone]
    left = fonts.width(block.name, theme.SMALL)
    right = fonts.width(block.value, theme.BODY, bold=True)
    yield from words(block.name, Area(area.x, area.y, left, area.height), theme.SMALL, theme.TONES["dim"])
    yield from words(
        block.value, Area(area.right - right, area.y, right, area.height), theme.BODY, colour, bold=True, align="right"
    )
    track = Area(area.x + left + 8, area.y + (area.height - 11) // 2, area.width - left - right - 16, 11)
    yield patch(track, theme.TRACK, 5)
    filled = round(track.width * min(1.0, max(0.0, block.fraction)))
    if filled > 0:
        yield patch(Area(track.x, track.y, filled, track.height), colour, 5)


def panel_height(block: Panel, _width: int) -> int:
    """At least two lines of text."""
    return 10 + (fonts.height(CAPTION) if block.caption else 0) + 2 * fonts.height(PANEL_TEXT)


def place_panel(block: Panel, area: Area) -> Iterator[Mark]:
    """A quiet frame; caption, then as many lines as there is room for, from `scroll` on."""
    yield patch(area, theme.PANEL, 6)
    inner = area.inset(9, 3)
    top = inner.y
    if block.caption:
        head = Area(inner.x, top, inner.width, fonts.height(CAPTION))
        room = fonts.width(block.right, CAPTION) if block.right else 0
        yield from words(block.caption, Area(head.x, head.y, head.width - room - 6, head.height), CAPTION, theme.ACCENT)
        yield from words(
            block.right, Area(head.right - room, head.y, room, head.height), CAPTION, theme.TONES["dim"], align="right"
        )
        top += fonts.height(CAPTION)
    size, wrapped = _set(block, Area(inner.x, top, inner.width - MORE, inner.bottom - top))
    high = fonts.height(size)
    fits = max(1, (inner.bottom - top) // high)
    first = min(block.scroll, max(0, len(wrapped) - fits))
    for n, line in enumerate(wrapped[first : first + fits]):
        yield from words(line, Area(inner.x, top + n * high, inner.width - MORE, high), size, theme.INK)
    yield from more_marks(inner, top, above=first > 0, below=first + fits < len(wrapped))


def _set(block: Panel, area: Area) -> tuple[int, tuple[str, ...]]:
    """The type size, and the lines in it."""
    for size in (PANEL_TEXT, theme.SMALL) if block.shrink else (PANEL_TEXT,):
        wrapped = fonts.wrap(block.text, area.width, size)
        if len(wrapped) * fonts.height(size) <= area.height:
            break
    return size, wrapped


def more_marks(area: Area, top: int, *, above: bool, below: bool) -> Iterator[Mark]:
    """▲ and ▼ at the right edge where there is more to scroll to."""
    if above:
        yield from words("▲", Area(area.right - MORE, top, MORE, 14), theme.SMALL, theme.ACCENT, align="right")
    if below:
        yield from words(
            "▼", Area(area.right - MORE, area.bottom - 14, MORE, 14), theme.SMALL, theme.ACCENT, align="right"
        )


def scroll_height(block: Scroll, width: int) -> int:
    """At least its first two lines."""
    return sum(line_height(line, width) for line in block.lines[:2])


def place_scroll(block: Scroll, area: Area) -> Iterator[Mark]:
    """Lines from `scroll` on, as long as they fit whole."""
    tall = [line_height(line, area.width - MORE) + LEADING for line in block.lines]
    last = len(tall)
    while last > 0 and sum(tall[last - 1 :]) - LEADING <= area.height:
        last -= 1
    first = min(block.scroll, last)
    y, n = area.y, first
    while n < len(tall) and y + tall[n] - LEADING <= area.bottom:
        yield from place_line(block.lines[n], Area(area.x, y, area.width - MORE, tall[n] - LEADING))
        y, n = y + tall[n], n + 1
    yield from more_marks(area, area.y, above=first > 0, below=n < len(tall))


def chips_height(block: Chips, width: int) -> int:
    """As many rows of chips as it takes."""
    rows = len(_chip_rows(block, width))
    return rows * CHIP_HIGH + (rows - 1) * CHIP_GAP


def place_chips(block: Chips, area: Area) -> Iterator[Mark]:
    """Chips from the left, in rows."""
    y = area.y
    for row in _chip_rows(block, area.width):
        x = area.x
        for chip in row:
            wide = min(_chip_width(chip), area.width)
            yield from _place_chip(chip, Area(x, y, wide, CHIP_HIGH))
            x += wide + CHIP_GAP
        y += CHIP_HIGH + CHIP_GAP


def _chip_rows(block: Chips, width: int) -> list[list[Chip]]:
    rows: list[list[Chip]] = [[]]
    used = 0
    for chip in block.chips:
        wide = _chip_width(chip) + CHIP_GAP
        if rows[-1] and used + wide - CHIP_GAP > width:
            rows.append([])
            used = 0
        rows[-1].append(chip)
        used += wide
    return rows


def _chip_text(chip: Chip) -> str:
    return f"{chip.text} ✓" if chip.on and chip.tone == "good" else chip.text


def _chip_width(chip: Chip) -> int:
    return fonts.width(chip.key, CHIP, bold=True) + fonts.width(_chip_text(chip), CHIP, bold=chip.on) + 15


def _place_chip(chip: Chip, area: Area) -> Iterator[Mark]:
    colour = theme.TONES[chip.tone]
    yield patch(area, theme.GROUNDS[chip.tone] if chip.on else theme.BACK, 5)
    yield patch(area, colour if chip.on else theme.EDGE, 5, 1)
    key = fonts.width(chip.key, CHIP, bold=True)
    inner = area.inset(5)
    yield from words(chip.key, Area(inner.x, inner.y, key, inner.height), CHIP, theme.ACCENT, bold=True)
    rest = Area(inner.x + key + 5, inner.y, inner.width - key - 5, inner.height)
    yield from words(_chip_text(chip), rest, CHIP, colour if chip.on else theme.TONES["dim"], bold=chip.on)
