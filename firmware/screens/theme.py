"""The look: colours and measures in pixels. Dark and calm, one accent; a colour never stands without a word or a sign."""

from firmware.screens.view import Size, Tone

Colour = tuple[int, int, int]


def _colour(code: str) -> Colour:
    red, green, blue = bytes.fromhex(code)
    return red, green, blue


BACK = _colour("0e1116")
BAR = _colour("161b22")
BAR_ALARM = _colour("8f1d1d")
RAISED = _colour("1c2733")
PANEL = _colour("141a21")
EDGE = _colour("2b333f")
TRACK = _colour("262c36")
CAP = _colour("394352")
INK = _colour("f2f4f7")
DARK = _colour("0e1116")
ACCENT = _colour("3fb6ff")

TONES: dict[Tone, Colour] = {
    "plain": INK,
    "dim": _colour("95a0b0"),
    "accent": ACCENT,
    "good": _colour("35c46b"),
    "warn": _colour("ffb020"),
    "bad": _colour("ff6b63"),
}
GROUNDS: dict[Tone, Colour] = {
    "plain": PANEL,
    "dim": PANEL,
    "accent": _colour("10283a"),
    "good": _colour("10301d"),
    "warn": _colour("3a2a0a"),
    "bad": _colour("3a1414"),
}
"""What lies behind a framed text of that tone."""
FADED = _colour("7d8898")

HEADER = 26
FOOTER = 24
MARGIN = 10
GAP = 3
SMALL, BODY, LARGE = 12, 14, 17
SIZES: dict[Size, int] = {"small": SMALL, "body": BODY, "large": LARGE}
BIG = (30, 24, LARGE)
"""A big number takes the first of these in which it fits. Few sizes: each size and weight is a font of its own in memory."""
