"""Pixels: a view painted for the graphic LCD."""

from functools import lru_cache

from PIL import Image, ImageDraw

from firmware.screens import fonts, theme
from firmware.screens.frame import lay_out
from firmware.screens.layout import Mark, Patch, Words
from firmware.screens.view import View

SIZE = (320, 240)
FINER = 4  # round corners are drawn so many times larger, then reduced


def draw(view: View, size: tuple[int, int] = SIZE) -> Image.Image:
    """`view` as a picture of `size` pixels."""
    picture = Image.new("RGB", size, theme.BACK)
    for mark in lay_out(view, size):
        stencil = (
            _shape(mark.area.width, mark.area.height, mark.radius, mark.outline) if isinstance(mark, Patch) else None
        )
        if isinstance(mark, Words):
            stencil = fonts.stencil(mark.text, mark.size, bold=mark.bold)
        area = mark.area
        picture.paste(mark.colour, (area.x, area.y, area.right, area.bottom), stencil)
    return picture


def boxes(view: View, size: tuple[int, int] = SIZE) -> list[Mark]:
    """Where everything lies, in the order of painting: patches and words."""
    return lay_out(view, size)


@lru_cache(maxsize=512)
def _shape(width: int, height: int, radius: int, outline: int) -> Image.Image | None:
    """A rounded rectangle or its outline as a mask; None: the whole area."""
    if not radius and not outline:
        return None
    mask = Image.new("L", (width * FINER, height * FINER))
    corner, edge = radius * FINER, outline * FINER
    pen = ImageDraw.Draw(mask)
    whole = (0, 0, width * FINER - 1, height * FINER - 1)
    if outline:
        pen.rounded_rectangle(whole, corner, outline=255, width=edge)
    else:
        pen.rounded_rectangle(whole, corner, fill=255)
    return mask.resize((width, height), Image.Resampling.BOX)
