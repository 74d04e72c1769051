"""The frame: title and status above, soft keys below, and the blocks stacked between."""

from collections.abc import Callable, Iterator
from typing import Any

from firmware.screens import blocks, fonts, grids, theme
from firmware.screens.layout import Area, Mark, patch, words
from firmware.screens.view import (
    Alert,
    Banner,
    Bar,
    BigNumber,
    Block,
    Boxes,
    Chips,
    Line,
    Pairs,
    Panel,
    Rows,
    Scroll,
    SoftKey,
    Space,
    Status,
    View,
)

Height = Callable[[Any, int], int]
Place = Callable[[Any, Area], Iterator[Mark]]


def _nothing_high(_block: Space, _width: int) -> int:
    return 0


def _nothing(_block: Space, _area: Area) -> Iterator[Mark]:
    return iter(())


KINDS: dict[type, tuple[Height, Place]] = {
    Rows: (grids.rows_height, grids.place_rows),
    Boxes: (grids.boxes_height, grids.place_boxes),
    Pairs: (grids.pairs_height, grids.place_pairs),
    BigNumber: (blocks.number_height, blocks.place_number),
    Alert: (blocks.alert_height, blocks.place_alert),
    Banner: (blocks.banner_height, blocks.place_banner),
    Line: (blocks.line_height, blocks.place_line),
    Bar: (blocks.bar_height, blocks.place_bar),
    Panel: (blocks.panel_height, blocks.place_panel),
    Scroll: (blocks.scroll_height, blocks.place_scroll),
    Chips: (blocks.chips_height, blocks.place_chips),
    Space: (_nothing_high, _nothing),
}
GROWING = (Rows, Boxes, Pairs, Panel, Scroll, Space)
EDGE_TO_EDGE = (Rows, Banner)
KEY_CAP, KEY_GAP = 23, 7  # a soft key without its name; between two of them


def lay_out(view: View, size: tuple[int, int]) -> list[Mark]:
    """Every mark of the screen, in the order of painting."""
    wide, high = size
    header = Area(0, 0, wide, theme.HEADER)
    footer = Area(0, high - theme.FOOTER, wide, theme.FOOTER)
    body = Area(0, header.bottom, wide, footer.y - header.bottom)
    return [*_header(view, header), *_footer(view.keys, footer), *_stack(view.blocks, body)]


def _header(view: View, area: Area) -> Iterator[Mark]:
    yield patch(area, theme.BAR_ALARM if view.alarm else theme.BAR)
    edge = area.right - theme.MARGIN
    for marks, width in _status(view.status, area, edge):
        yield from marks
        edge -= width
    room = Area(theme.MARGIN - 2, area.y, edge - theme.MARGIN, area.height)
    yield from words(view.title, room, theme.BODY, theme.INK, bold=True)
    agent = fonts.width(view.status.agent, theme.SMALL)
    if view.status.agent and fonts.width(view.title, theme.BODY, bold=True) + agent + 10 <= room.width:
        yield from words(view.status.agent, room, theme.SMALL, theme.TONES["dim"], align="right")


def _status(status: Status, area: Area, edge: int) -> Iterator[tuple[list[Mark], int]]:
    """From the right: clock, signal, sync, recording, agent; each with the width it takes."""
    pieces: tuple[tuple[str, theme.Colour, bool], ...] = (
        (status.clock, theme.INK, False),
        (status.trouble, theme.TONES["warn"], True),
    )
    for text, colour, bold in pieces:
        if text:
            yield _piece(text, area, edge, colour, bold=bold)
            edge -= fonts.width(text, theme.BODY, bold=bold) + 8
    if status.signal is not None:
        yield list(_bars(status.signal, Area(edge - 18, area.y + 7, 17, 12))), 25
        edge -= 25
    sync = _sync(status)
    if sync:
        yield _piece(sync[0], area, edge, sync[1], bold=False)
        edge -= fonts.width(sync[0], theme.BODY) + 8
    if status.recording_word:
        yield from _recording(status, area, edge)


def _sync(status: Status) -> tuple[str, theme.Colour] | None:
    if status.pending:
        return f"↑{status.pending}", theme.TONES["warn"]
    return ("✓", theme.TONES["good"]) if status.synced else None


def _piece(text: str, area: Area, edge: int, colour: theme.Colour, *, bold: bool) -> tuple[list[Mark], int]:
    wide = fonts.width(text, theme.BODY, bold=bold)
    marks = words(text, Area(edge - wide, area.y, wide, area.height), theme.BODY, colour, bold=bold)
    return list(marks), wide + 8


def _bars(signal: int, area: Area) -> Iterator[Mark]:
    for n in range(4):
        high = 3 + 3 * n
        colour = theme.TONES["good"] if n < signal else theme.TRACK
        yield patch(Area(area.x + n * 4 + n // 2, area.bottom - high, 3, high), colour)


def _recording(status: Status, area: Area, edge: int) -> Iterator[tuple[list[Mark], int]]:
    colour = theme.TONES["bad" if status.recording in {"on", "failed"} else "warn"]
    wide = fonts.width(status.recording_word, theme.SMALL, bold=True)
    dot = Area(edge - 10, area.y + 8, 10, 10)
    sign = [patch(dot, colour, 5)]
    if status.recording == "paused":
        sign = [patch(Area(dot.x + x, dot.y, 3, 10), colour) for x in (1, 6)]
    elif status.recording in {"failed", "asking", "barred"}:
        sign = [patch(dot, colour, 5, 2)]
    label = words(
        status.recording_word, Area(dot.x - wide - 4, area.y, wide, area.height), theme.SMALL, colour, bold=True
    )
    yield [*sign, *label], wide + 22


def _footer(keys: tuple[SoftKey, ...], area: Area) -> Iterator[Mark]:
    """A to D each at its own quarter, as the keys lie; only where a name is too long do they move together."""
    yield patch(area, theme.BAR)
    if not keys:
        return
    inner = area.inset(5)
    slots = [inner.x + max(0, "ABCD".find(key.key)) * inner.width // 4 for key in keys]
    needs = [fonts.width(key.name, theme.BODY) + KEY_CAP for key in keys]
    if any(
        at + need + KEY_GAP > after
        for at, need, after in zip(slots, needs, [*slots[1:], inner.right + KEY_GAP], strict=True)
    ):
        gap = max(0, inner.width - sum(needs)) // max(1, len(keys) - 1)
        slots = [inner.x + sum(needs[:n]) + n * gap for n in range(len(keys))]
    for key, at, need in zip(keys, slots, needs, strict=True):
        yield from _soft_key(key, Area(at, area.y, min(need, inner.right - at), area.height))


def _soft_key(key: SoftKey, area: Area) -> Iterator[Mark]:
    cap = Area(area.x, area.y + 4, 17, 16)
    main = key.key == "A"
    yield patch(cap, theme.ACCENT if main else theme.CAP, 4)
    yield from words(key.key, cap, theme.SMALL, theme.DARK if main else theme.INK, bold=True, align="centre")
    yield from words(
        key.name, Area(cap.right + 4, area.y, area.width - KEY_CAP + 2, area.height), theme.BODY, theme.INK
    )


def _stack(parts: tuple[Block, ...], area: Area) -> Iterator[Mark]:
    """Blocks from the top, what is left shared among those that grow; one that does not fit is left out, marked."""
    inner = area.inset(theme.MARGIN)
    tall = [KINDS[type(part)][0](part, inner.width) for part in parts]
    spare = _spare(parts, tall, area)
    growing = sum(isinstance(part, GROWING) for part in parts)
    y = area.y
    for n, part in enumerate(parts):
        high = tall[n]
        if isinstance(part, GROWING) and spare > 0:
            high += spare // growing
        y += _gap(parts, n) if high else 0
        if y + high > area.bottom:
            line = fonts.height(theme.BODY)
            foot = Area(inner.x, area.bottom - line, inner.width, line)
            yield from words("…", foot, theme.BODY, theme.ACCENT, align="right")
            return
        place = area if isinstance(part, EDGE_TO_EDGE) else inner
        yield from KINDS[type(part)][1](part, Area(place.x, y, place.width, high))
        y += high


def _spare(parts: tuple[Block, ...], tall: list[int], area: Area) -> int:
    gaps = sum(_gap(parts, n) for n in range(len(parts)) if tall[n] or isinstance(parts[n], GROWING))
    foot = 0 if parts and isinstance(parts[-1], EDGE_TO_EDGE) else theme.GAP
    return area.height - sum(tall) - gaps - foot


def _gap(parts: tuple[Block, ...], n: int) -> int:
    """Above part `n`: none where edge-to-edge parts meet the header or one another."""
    if isinstance(parts[n], EDGE_TO_EDGE) and (n == 0 or isinstance(parts[n - 1], EDGE_TO_EDGE)):
        return 0
    close = n > 0 and isinstance(parts[n], Line) and isinstance(parts[n - 1], Line)
    return 0 if close else theme.GAP
