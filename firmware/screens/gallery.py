"""A gallery of every screen: `python -m firmware.screens.gallery OUT_DIR` paints it in both sizes and languages.

It also tells each view in words; `tests/data/views` keeps those of the day they were last looked at.
"""

import sys
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from firmware.screens import characters, fonts, pixels, theme
from firmware.screens.samples import SCENES
from firmware.screens.view import View
from firmware.screens.views import view
from firmware.text.catalogue import Language, load

SHEETS: tuple[tuple[Language, Language], ...] = (("ja", "ja_kana"), ("en", "en"))
"""The catalogue of the graphic LCD, and that of the character LCD."""
COLUMNS = 5
CELL = (10, 18)  # one character
LABEL = 18


def main() -> None:
    """Write every picture and a contact sheet of each kind into the folder named on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m firmware.screens.gallery OUT_DIR")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for graphic, character in SHEETS:
        large = {name: pixels.draw(view(scene, load(graphic))) for name, scene in SCENES.items()}
        small = {name: glass(view(scene, load(character))) for name, scene in SCENES.items()}
        for size, pictures in (("320x240", large), ("20x4", small)):
            for name, picture in pictures.items():
                picture.save(folder / f"{size}-{graphic}-{name}.png")
            sheet(pictures).save(folder / f"sheet-{size}-{graphic}.png")
    (folder / "views").mkdir(exist_ok=True)
    for name in SCENES:
        (folder / "views" / f"{name}.txt").write_text(told(name), encoding="utf-8")


def told(name: str) -> str:
    """One scene's views in words: blocks and soft keys in both languages, then the character LCD's rows."""
    scene, parts = SCENES[name], []
    for graphic, character in SHEETS:
        large, small = view(scene, load(graphic)), view(scene, load(character))
        keys = " ".join(f"[{key.key} {key.name}]" for key in large.keys)
        rows = "\n".join(f"|{row}|" for row in characters.draw(small))
        lines = (large.title + " (alarm)" * large.alarm, *_parts(large.status), *_parts(large.blocks), keys, rows, "")
        parts.append("\n".join(lines))
    return "\n".join(parts)


def _parts(part: object, depth: int = 0) -> Iterator[str]:
    """A line for each part of a view, with what differs from its defaults; parts of parts below it, indented."""
    if isinstance(part, tuple):
        for each in part:
            yield from _parts(each, depth)
    elif is_dataclass(part):
        told = {field.name: getattr(part, field.name) for field in fields(part) if _telling(part, field)}
        plain = [f"{name}={value!r}" for name, value in told.items() if not _nested(value)]
        yield " ".join(("  " * depth + type(part).__name__, *plain))
        for value in told.values():
            if _nested(value):
                yield from _parts(value, depth + 1)


def _telling(part: object, field: Field[object]) -> bool:
    return bool(getattr(part, field.name) != field.default)


def _nested(value: object) -> bool:
    return is_dataclass(value) or (isinstance(value, tuple) and any(map(is_dataclass, value)))


def glass(shown: View) -> Image.Image:
    """The character LCD as it would look: 80 cells on a green ground."""
    wide, high = CELL
    picture = Image.new("RGB", (characters.COLUMNS * wide + 8, characters.ROWS * high + 8), (18, 60, 40))
    pen = ImageDraw.Draw(picture)
    cells = [(x, y, letter) for y, row in enumerate(characters.draw(shown)) for x, letter in enumerate(row)]
    for x, y, _ in cells:
        pen.rectangle((4 + x * wide, 4 + y * high, 2 + (x + 1) * wide, 2 + (y + 1) * high), (22, 70, 47))
    for x, y, letter in cells:
        middle, base = 4 + x * wide + wide // 2, 4 + y * high + 13
        pen.text((middle, base), letter, fill=(190, 255, 210), font=fonts.face(13, bold=False), anchor="ms")
    return picture


def sheet(pictures: dict[str, Image.Image]) -> Image.Image:
    """All pictures with their names."""
    wide, high = next(iter(pictures.values())).size
    rows = -(-len(pictures) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * (wide + 8) + 8, rows * (high + LABEL + 8) + 8), (58, 62, 70))
    pen = ImageDraw.Draw(whole)
    for n, (name, picture) in enumerate(pictures.items()):
        x, y = 8 + n % COLUMNS * (wide + 8), 8 + n // COLUMNS * (high + LABEL + 8)
        pen.text((x, y), name, fill=theme.INK, font=fonts.face(12, bold=False))
        whole.paste(picture, (x, y + LABEL))
    return whole


if __name__ == "__main__":
    main()
