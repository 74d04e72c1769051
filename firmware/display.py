"""Draws the newest view on the LCD, on a thread of its own: a slow bus delays a picture, never a key."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from firmware.screens import characters, pixels
from firmware.screens.view import View
from hw.contracts import Screen, TextScreen
from hw.errors import HardwareError

PATIENCE = 2.0
RETRY = 1.0  # seconds after which a screen that failed is tried again
log = logging.getLogger(__name__)


class Paper(Protocol):
    """Something to draw a view on."""

    def draw(self, view: View) -> None: ...

    def close(self) -> None: ...


class PixelPaper:
    """A graphic LCD."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def draw(self, view: View) -> None:
        """Show `view` as a picture of the screen's size."""
        self._screen.show(pixels.draw(view, self._screen.size))

    def close(self) -> None:
        """Let go of the screen."""
        self._screen.close()


class CharacterPaper:
    """A character LCD."""

    def __init__(self, screen: TextScreen) -> None:
        self._screen = screen

    def draw(self, view: View) -> None:
        """Show `view` as four rows of twenty characters."""
        self._screen.write(characters.draw(view))

    def close(self) -> None:
        """Let go of the screen."""
        self._screen.close()


def paper(screen: Screen | TextScreen) -> Paper:
    """What suits `screen`: whoever can write rows gets characters, the others pictures."""
    return CharacterPaper(screen) if isinstance(screen, TextScreen) else PixelPaper(screen)


class Display:
    """Shows views; one that is overtaken by a newer one before it was drawn is never drawn."""

    def __init__(self, on: Paper, drawn: Callable[[View], None] = lambda _view: None) -> None:
        self._paper, self._drawn = on, drawn
        self._news = threading.Condition()
        self._next: View | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._draw, name="display", daemon=True)
        self._thread.start()

    def show(self, view: View) -> None:
        """Have `view` drawn soon; returns at once."""
        with self._news:
            self._next = view
            self._news.notify()

    def close(self) -> None:
        """Draw what was asked for last, then let go of the screen."""
        with self._news:
            self._stopping = True
            self._news.notify()
        self._thread.join(PATIENCE)
        self._paper.close()

    def _draw(self) -> None:
        while (view := self._take()) is not None:
            try:
                self._paper.draw(view)
            except HardwareError as problem:
                log.warning("the screen is tried again: %s", problem)
                self._put_back(view)
            else:
                self._drawn(view)

    def _put_back(self, view: View) -> None:
        """Have `view` drawn again soon, unless there is a newer one."""
        with self._news:
            self._news.wait_for(lambda: self._next is not None or self._stopping, RETRY)
            if self._next is None and not self._stopping:
                self._next = view

    def _take(self) -> View | None:
        with self._news:
            self._news.wait_for(lambda: self._next is not None or self._stopping)
            view, self._next = self._next, None
            return view
