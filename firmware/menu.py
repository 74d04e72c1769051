"""The menu and its pages: log in, breaks, status, volume, language, audio test, lists, import, clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware import listfile
from firmware.calls import Calls
from firmware.customers import CallList
from firmware.listfile import ListFileError
from firmware.outcomes import Left
from firmware.screens.scene import MenuBody, SoundBody

TOP = ("log", "breaks", "status", "volume", "language", "audio", "lists", "usb", "supervisor")
ITEMS = {
    "": TOP,
    "breaks": ("lunch", "rest", "meeting", "training", "other"),
    "volume": ("louder", "softer"),
    "language": ("ja", "en"),
}
MOST_ROWS = 99  # of the status page, whose length is known only when it is shown
MEDIA = (Path("/media"), Path("/run/media"))
"""Where the system mounts USB sticks."""
DEPTHS = ("*/*.csv", "*/*/*.csv", "*/*/*/*.csv")
"""Below those: /media/STICK or /run/media/USER/STICK, and one folder."""
MOST_FILES = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """A menu item that somebody else carries out: "log", "supervisor", "language", "louder", "softer", "audio" …"""

    what: str
    value: str = ""


class Menu:
    """Where the finger is in the menu. What an item does beyond the lists is a Wish for the booth."""

    def __init__(self, calls: Calls, country: str, area_code: str, media: Sequence[Path] = MEDIA) -> None:
        self._calls, self._country, self._area_code, self._media = calls, country, area_code, media
        self._lists: tuple[CallList, ...] = ()
        self._files: tuple[Path, ...] = ()
        self.outcome = ""
        self.open()

    def open(self, page: str = "") -> None:
        """Go to a page, "" for the top, with its first item chosen."""
        self._page, self._chosen, self.outcome = page, 0, ""
        if page == "lists":
            self._lists = self._calls.lists()
        elif page == "usb":
            self._files = self._found()

    def _found(self) -> tuple[Path, ...]:
        """The lists on the sticks, no deeper than in a folder: who walks through a whole stick lets the agent wait."""
        try:
            return tuple(file for root in self._media for deep in DEPTHS for file in sorted(root.glob(deep)))[
                :MOST_FILES
            ]
        except OSError:  # the stick was pulled out
            return ()

    def move(self, by: int) -> None:
        """Up or down; the ends are walls."""
        last = MOST_ROWS if self._page == "status" else len(self._items) - 1
        self._chosen = max(0, min(self._chosen + by, last))

    @property
    def page(self) -> str:
        """The page that is open."""
        return self._page

    def back(self) -> Left | None:
        """D: out of a page to the top, from the top out of the menu."""
        if not self._page:
            return Left()
        self.open()
        return None

    def key(self, digit: str) -> Wish | None:
        """A digit chooses the item of that place, counted from 1."""
        place = int(digit) - 1
        if not 0 <= place < len(self._items):
            return None
        self._chosen = place
        return self.choose()

    def choose(self) -> Wish | None:
        """A: do what the chosen item says."""
        if not self._items:
            return None
        item = self._items[self._chosen]
        if self._page == "":
            return self._open_item(item)
        if self._page == "usb":
            return self._import(self._files[self._chosen])
        if self._page == "lists":
            return Wish("list", str(self._lists[self._chosen].id))
        return Wish(self._page, item)

    def body(
        self,
        status: Callable[[], tuple[tuple[str, str | float], ...]],
        volume: int,
        sound: SoundBody | None = None,
    ) -> MenuBody:
        """What the screen shows."""
        pairs = status() if self._page == "status" else ()
        if pairs:
            self._chosen = min(self._chosen, len(pairs) - 1)
        return MenuBody(self._page, self._items, self._chosen, pairs, volume, self.outcome, sound)

    @property
    def _items(self) -> tuple[str, ...]:
        if self._page == "lists":
            return tuple(entry.name for entry in self._lists)
        if self._page == "usb":
            return tuple(file.name for file in self._files)
        return ITEMS.get(self._page, ())

    def _open_item(self, item: str) -> Wish | None:
        if item in {"log", "supervisor"}:
            return Wish(item)
        self.open(item)
        return Wish("audio") if item == "audio" else None

    def _import(self, file: Path) -> Wish | None:
        try:
            read = listfile.read(file, self._country, self._area_code)
        except (ListFileError, OSError):
            self.outcome = "import-failed"
            return None
        made = self._calls.add_list(file.stem, read.entries, sample=read.sample)
        self.outcome = "imported-with-rejects" if read.rejected else "imported"
        return Wish("list", str(made))
