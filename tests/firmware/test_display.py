"""The display: the newest view, on a thread of its own, and a screen that fails is tried again."""

import queue
import threading

import pytest

from firmware import display
from firmware.display import CharacterPaper, Display, PixelPaper, paper
from firmware.screens.samples import SCENES
from firmware.screens.views import view
from firmware.text.catalogue import load
from hw.errors import HardwareError

VIEWS = [view(SCENES[name], load("en")) for name in ("list", "talking", "wrap-up")]


class Sheet:
    """A Paper that can be blocked and can fail."""

    def __init__(self, failures=0):
        self.failures, self.closed = failures, False
        self.begun, self.go_on = threading.Semaphore(0), threading.Event()
        self.drawn = queue.SimpleQueue()

    def draw(self, shown):
        self.begun.release()
        assert self.go_on.wait(5)
        if self.failures:
            self.failures -= 1
            raise HardwareError("the bus does not answer")
        self.drawn.put(shown)

    def close(self):
        self.closed = True


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(display, "RETRY", 0.01)


def test_what_was_overtaken_is_not_drawn():
    sheet = Sheet()
    shown = Display(sheet)
    shown.show(VIEWS[0])
    assert sheet.begun.acquire(timeout=20)
    shown.show(VIEWS[1])
    shown.show(VIEWS[2])
    sheet.go_on.set()
    assert [sheet.drawn.get(timeout=20) for _ in range(2)] == [VIEWS[0], VIEWS[2]]
    shown.close()
    assert sheet.closed
    assert sheet.drawn.empty()


@pytest.mark.usefixtures("quick")
def test_a_screen_that_fails_shows_the_view_later():
    sheet = Sheet(failures=2)
    sheet.go_on.set()
    shown = Display(sheet)
    shown.show(VIEWS[0])
    assert sheet.drawn.get(timeout=20) == VIEWS[0]
    shown.show(VIEWS[1])
    assert sheet.drawn.get(timeout=20) == VIEWS[1]
    shown.close()


def test_a_screen_that_fails_for_good_holds_nobody_up():
    sheet = Sheet(failures=10**6)
    sheet.go_on.set()
    shown = Display(sheet)
    shown.show(VIEWS[0])
    assert sheet.begun.acquire(timeout=20)
    shown.close()
    assert sheet.closed


def test_whoever_can_write_rows_gets_characters():
    class Rows:
        def write(self, rows):
            self.rows = rows

        def close(self):
            pass

    rows = Rows()
    sheet = paper(rows)
    assert isinstance(sheet, CharacterPaper)
    sheet.draw(VIEWS[0])
    assert [len(row) for row in rows.rows] == [20] * 4

    class Pixels:
        size = (320, 240)

        def show(self, picture):
            self.picture = picture

        def close(self):
            pass

    sheet = paper(Pixels())
    assert isinstance(sheet, PixelPaper)
