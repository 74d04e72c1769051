import re
from itertools import combinations
from statistics import median
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from firmware.screens import fonts, pixels, theme
from firmware.screens.layout import Area, Words
from firmware.screens.samples import LONG, SCENES
from firmware.screens.view import BigNumber, Brief, Line, Panel, SoftKey, View
from firmware.screens.views import view
from firmware.text.catalogue import load

pytestmark = pytest.mark.slow

SIZES = [(320, 240), (480, 320)]
MAY_BE_SHORT = re.compile(rf"^(No\. \d+ )?{LONG.name}$|^{LONG.reading}$|^\d_  ")
"""Names longer than any screen, and the overview of results by their first digit."""
every = pytest.mark.parametrize(
    ("name", "language"), [(name, language) for name in SCENES for language in ("ja", "en")]
)


def words_of(shown, size=pixels.SIZE):
    return [mark for mark in pixels.boxes(shown, size) if isinstance(mark, Words)]


def screen(*blocks, keys=()):
    return View("Title", blocks, keys, Brief("", ()))


@every
@pytest.mark.parametrize("size", SIZES)
def test_no_word_lies_on_another_or_leaves_the_screen(name, language, size):
    placed = words_of(view(SCENES[name], load(language)), size)
    whole = Area(0, 0, *size)
    assert all(whole.holds(word.area) for word in placed)
    for one, other in combinations(placed, 2):
        assert not one.area.touches(other.area), (one, other)


@every
def test_only_long_names_are_shortened(name, language):
    short = [word for word in words_of(view(SCENES[name], load(language))) if word.text != word.whole]
    assert all(MAY_BE_SHORT.match(word.whole) for word in short), short


@every
def test_every_block_has_its_place(name, language):
    assert "…" not in [word.text for word in words_of(view(SCENES[name], load(language)))]


@every
def test_the_soft_keys_are_the_last_line(name, language):
    shown = view(SCENES[name], load(language))
    last = [word.text for word in words_of(shown) if word.area.y >= 240 - theme.FOOTER]
    assert last == [part for key in shown.keys for part in (key.key, key.name)]


@every
def test_no_ink_is_cut_off(name, language):
    for word in words_of(view(SCENES[name], load(language))):
        wide, high = word.area.width, word.area.height
        sheet = Image.new("L", (wide + 40, high + 40))
        at = (20, 20 + round(word.size * fonts.ASCENT))
        pen = ImageDraw.Draw(sheet)
        pen.text(at, word.text, fill=255, font=fonts.face(word.size, bold=word.bold), anchor="ls")
        _, top, _, bottom = sheet.point(lambda ink: 255 * (ink > 96)).getbbox() or (0, 20, 0, 20)
        assert top >= 20, word
        assert bottom <= 20 + high, word


@every
def test_a_picture_is_drawn(name, language):
    picture = pixels.draw(view(SCENES[name], load(language)))
    assert (picture.size, picture.mode) == ((320, 240), "RGB")
    assert picture.getpixel((319, 239)) == theme.BAR
    assert len(picture.getcolors(1 << 16)) > 20


def test_what_does_not_fit_is_left_out_with_a_sign():
    placed = words_of(screen(*(Line(f"line {n}", size="large") for n in range(20))))
    assert placed[-1].text == "…"
    assert all(Area(0, 0, 320, 240 - theme.FOOTER).holds(word.area) for word in placed)


def test_a_number_longer_than_the_screen_shows_its_end():
    digits = "1234567890" * 5
    shown = next(word.text for word in words_of(screen(BigNumber(digits, keying=True))) if word.text[0] == "…")
    assert digits.endswith(shown[1:])
    assert len(shown) > 15


def test_a_panel_scrolls_to_its_last_line_and_no_further():
    text = "\n".join(f"row {n}" for n in range(40))
    rows = [word.text for word in words_of(screen(Panel(text, scroll=999))) if word.text.startswith("row")]
    assert rows[-1] == "row 39"
    assert len(rows) > 8


def test_soft_keys_stand_where_the_keys_lie():
    keys = tuple(SoftKey(key, name, name) for key, name in zip("AD", ("Call", "Back"), strict=True))
    call, back = (word.area.x for word in words_of(screen(keys=keys)) if word.text in "AD")
    assert call < 20
    assert back > 230


def test_the_missing_font_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path),))
    with pytest.raises(fonts.FontMissingError, match="apt install fonts-noto-cjk"):
        fonts.find.__wrapped__(bold=False)


def test_figures_are_tabular():
    for size in (theme.SMALL, theme.BODY, theme.LARGE, *theme.BIG):
        for bold in (False, True):
            assert len({fonts.width(digit, size, bold=bold) for digit in "0123456789"}) == 1


def test_letters_alone_are_as_wide_as_together():
    text = "株式会社ミズホ設備 AVATAR Today 03-1234-5601"
    assert fonts.width(text, 14) == fonts.face(14, bold=False).getlength(text)


@given(st.text(alphabet="あいう、。」「ーッ漢字（）abc 12.,", max_size=60), st.integers(40, 300))
def test_wrapped_lines_fit_and_begin_with_no_closing_sign(text, room):
    lines = fonts.wrap(text, room, 14)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(fonts.width(line, 14) <= room for line in lines)
    if room >= 150:
        body = text.replace(" ", "")
        marks = max((len(run) for run in re.findall(r"[^あいう漢字]+", body)), default=0)
        if marks < 8:
            assert not any(line[:1] in fonts.NOT_FIRST for line in lines[1:] if line)


@given(st.text(alphabet="株式会社abc 12", max_size=40), st.integers(20, 200))
def test_shortened_text_fits_and_begins_like_the_whole(text, room):
    short = fonts.shorten(text, room, 14)
    assert fonts.width(short, 14) <= room
    assert short == text or text.startswith(short.rstrip("….").rstrip())


def test_a_frame_is_quick():
    """Measured about 2 ms on a PC core; the limit leaves room for a busy machine."""
    shown = [view(scene, load("ja")) for scene in SCENES.values()]
    for each in shown:
        pixels.draw(each)
    times = []
    for each in shown:
        begun = perf_counter()
        pixels.draw(each)
        times.append(perf_counter() - begun)
    assert median(times) < 0.010
