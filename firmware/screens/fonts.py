"""Type: finds the system's Japanese font, measures, wraps and ellipsizes text, and keeps what it has rendered."""

from functools import lru_cache
from math import ceil
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FOLDERS = (
    "/usr/share/fonts/opentype/noto",  # Debian, Ubuntu, Raspberry Pi OS
    "/usr/share/fonts/truetype/noto",
    "/usr/share/fonts/noto-cjk",  # Arch
    "/usr/share/fonts/google-noto-cjk",  # Fedora
    "/usr/share/fonts/google-noto-sans-cjk-fonts",
)
FAMILY = "Noto Sans CJK JP"
FACES = 10  # in one collection: five languages, proportional and monospaced
ASCENT, HEIGHT = 0.93, 1.18
"""Of the size: nothing that we show rises or hangs further, and the font's own line is half again as high."""

OVERHANG = 2
"""How far a letter's ink may reach into its neighbours' places."""
OPEN_FACES = 5
"""Each open one costs some 4 MB; letters are kept, so that a face is wanted again only for a new letter."""

NOT_FIRST = frozenset("、。，．・：；？！」』）］｝〉》】〕”’…‥ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ％,.:;?!)]}")
NOT_LAST = frozenset("「『（［｛〈《【〔“‘([{")
WIDE_FROM = "⺀"  # from here on a line may break after any character


class FontMissingError(RuntimeError):
    """The system has no font for Japanese."""


@lru_cache
def find(*, bold: bool) -> tuple[str, int]:
    """Path and face number of the Japanese font; raises FontMissingError."""
    name = f"NotoSansCJK-{'Bold' if bold else 'Regular'}.ttc"
    for folder in FOLDERS:
        path = Path(folder, name)
        if path.exists():
            return str(path), _japanese(str(path))
    raise FontMissingError(f"no {name} in {', '.join(FOLDERS)}: apt install fonts-noto-cjk")


def _japanese(path: str) -> int:
    for index in range(FACES):
        if ImageFont.truetype(path, 12, index=index).getname()[0] == FAMILY:
            return index
    raise FontMissingError(f"{path} holds no {FAMILY}: apt install fonts-noto-cjk")


@lru_cache(maxsize=OPEN_FACES)
def face(size: int, *, bold: bool) -> ImageFont.FreeTypeFont:
    """The font at `size` pixels."""
    path, index = find(bold=bold)
    return ImageFont.truetype(path, size, index=index, layout_engine=ImageFont.Layout.BASIC)


def height(size: int) -> int:
    """The height of one line."""
    return round(size * HEIGHT)


@lru_cache(maxsize=4096)
def width(text: str, size: int, *, bold: bool = False) -> int:
    """How wide `text` is, in whole pixels."""
    return sum(_glyph(letter, size, bold=bold)[1] for letter in text)


@lru_cache(maxsize=512)
def stencil(text: str, size: int, *, bold: bool = False) -> Image.Image:
    """`text` as a mask, one line high; its ink never lies outside."""
    mask = Image.new("L", (max(1, width(text, size, bold=bold)), height(size)))
    x = 0
    for letter in text:
        glyph, advance = _glyph(letter, size, bold=bold)
        mask.paste(255, (x - OVERHANG, 0), glyph)
        x += advance
    return mask


@lru_cache(maxsize=4096)
def _glyph(letter: str, size: int, *, bold: bool) -> tuple[Image.Image, int]:
    """One letter as a mask that begins OVERHANG before its place, and its advance (whole pixels in this layout)."""
    font = face(size, bold=bold)
    advance = ceil(font.getlength(letter))
    mask = Image.new("L", (advance + 2 * OVERHANG, height(size)))
    ImageDraw.Draw(mask).text((OVERHANG, round(size * ASCENT)), letter, fill=255, font=font, anchor="ls")
    return mask, advance


@lru_cache(maxsize=2048)
def shorten(text: str, room: int, size: int, *, bold: bool = False) -> str:
    """`text`, or as much of its beginning as fits `room` with an ellipsis."""
    if width(text, size, bold=bold) <= room:
        return text
    sign = ".." if text.isascii() else "…"  # the font's own … stands at half height, as Japanese wants it
    for end in range(len(text) - 1, 0, -1):
        short = text[:end].rstrip() + sign
        if width(short, size, bold=bold) <= room:
            return short
    return sign


@lru_cache(maxsize=512)
def wrap(text: str, room: int, size: int, *, bold: bool = False) -> tuple[str, ...]:
    """`text` in lines no wider than `room`; no line begins with 、。」 or ends with 「."""
    return tuple(line for paragraph in text.split("\n") for line in _paragraph(paragraph, room, size, bold=bold))


def _paragraph(text: str, room: int, size: int, *, bold: bool) -> list[str]:
    lines = [""]
    for piece in _pieces(text):
        if width((lines[-1] + piece).rstrip(), size, bold=bold) <= room:
            lines[-1] += piece
            continue
        *whole, rest = _cut(piece, room, size, bold=bold)
        lines += [*whole, rest]
    return [line.strip() for line in lines if line.strip()] or [""]


def _pieces(text: str) -> list[str]:
    """What must stay on one line: a word with its space, a wide character with the marks that cling to it."""
    pieces: list[str] = []
    for letter in text:
        if pieces and _clings(pieces[-1], letter):
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces


def _clings(piece: str, letter: str) -> bool:
    if letter in NOT_FIRST or piece[-1] in NOT_LAST or letter == " ":
        return True
    return piece[-1] != " " and piece[-1] < WIDE_FROM and letter < WIDE_FROM


def _cut(piece: str, room: int, size: int, *, bold: bool) -> list[str]:
    """A piece that is wider than the room, cut where it must."""
    parts = [""]
    for letter in piece:
        if width(parts[-1] + letter.rstrip(), size, bold=bold) > room:
            parts.append("")
        parts[-1] += letter
    return parts
