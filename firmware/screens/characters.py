"""Characters: a view in 4 rows of 20 columns, in ASCII and half-width katakana."""

from firmware.screens.halfwidth import halfwidth
from firmware.screens.view import SoftKey, Status, View

COLUMNS, ROWS = 20, 4
MIDDLE = ROWS - 2
RECORDING = {
    "off": ("", ""),
    "on": ("REC", "R"),
    "paused": ("REC=", "="),
    "failed": ("NOREC", "X"),
    "asking": ("REC?", "?"),
    "barred": ("NOREC", "X"),
}
"""Long and short."""


def draw(view: View) -> list[str]:
    """Title and clock; two lines of what matters most; soft keys. Each row is 20 columns."""
    first, second = _middle(view)
    return [_head(halfwidth(view.brief.title), view.status), _fit(first), _fit(second), _foot(view.keys)]


def _fit(text: str, room: int = COLUMNS) -> str:
    return (text if len(text) <= room else text[: room - 2] + "..").ljust(room)


def _head(title: str, status: Status) -> str:
    """The title and as many of the signs as there is room for; recording and the clock come first."""
    long, short = RECORDING[status.recording]
    pending = f"^{status.pending}" if status.pending else ""
    right = ""
    for signs in ((long, pending), (short, pending), (short,), ()):
        right = " ".join(filter(None, (*signs, status.clock)))
        if len(title) + 1 + len(right) <= COLUMNS:
            break
    return _fit(title, COLUMNS - len(right) - 1) + " " + right


def _middle(view: View) -> tuple[str, str]:
    """The lines of the moment: the fixed ones, then the others from `scroll` on; long ones run on below."""
    brief = view.brief
    cells = [halfwidth(line) for line in brief.lines]
    fixed, moving = cells[: brief.fixed], cells[brief.fixed :]
    if brief.fixed < MIDDLE:
        moving = [part for line in moving for part in _pieces(line)]
    free = MIDDLE - len(fixed[:MIDDLE])
    first = max(0, min(brief.scroll, len(moving) - free))
    shown = [*fixed[:MIDDLE], *moving[first : first + free], "", ""]
    return shown[0], shown[1]


def _pieces(line: str) -> list[str]:
    """A line in rows, broken between words where it can be."""
    rows = [""]
    for word in line.split(" "):
        joined = f"{rows[-1]} {word}".strip() if rows[-1] else word
        if len(joined) <= COLUMNS:
            rows[-1] = joined
            continue
        rows += [word[at : at + COLUMNS] for at in range(0, len(word), COLUMNS)]
    return [row for row in rows if row] or [""]


def _foot(keys: tuple[SoftKey, ...]) -> str:
    """Each key and its name, with a colon between if there is room; names are cut, the longest first, until all fit."""
    names = [halfwidth(key.short) for key in keys]
    roomy = " ".join(key.key + ("" if name in "^v" else ":") + name for key, name in zip(keys, names, strict=True))
    if len(roomy) <= COLUMNS:
        return roomy.ljust(COLUMNS)
    while names and sum(map(len, names)) + 2 * len(names) - 1 > COLUMNS:
        longest = names.index(max(names, key=len))
        names[longest] = names[longest][:-1]
    return " ".join(f"{key.key}{name}" for key, name in zip(keys, names, strict=True)).ljust(COLUMNS)
