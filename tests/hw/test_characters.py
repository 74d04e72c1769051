"""The character LCD: the driver against an emulated display on an I²C bus, and that display alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.contracts import TextScreen
from hw.emulated.characters import A00, OWN, Hd44780Panel
from hw.errors import HardwareError, MisuseError, WiringError
from hw.lcd import Hd44780

WAKE = (0x3, 0x3, 0x3, 0x2)  # from eight bits to four, as the data sheet has it
BLANK = " " * 20
KANA = "".join(map(chr, range(0xFF61, 0xFFA0)))


def strobe(panel, nibble, data=False):
    for pins in (0x08, 0x0C, 0x08):
        panel.write_byte(0x27, nibble << 4 | pins | data)


def send(panel, *values, data=False):
    for value in values:
        strobe(panel, value >> 4, data)
        strobe(panel, value & 0x0F, data)


def woken():
    panel = Hd44780Panel()
    for nibble in WAKE:
        strobe(panel, nibble)
    send(panel, 0x28, 0x01, 0x06, 0x0C)
    return panel


def test_the_display_writes_where_it_is_told():
    panel = woken()
    for address, letter in ((0x80, b"A"), (0xC0, b"B"), (0x80 | 0x14, b"C"), (0xC0 | 0x27, b"D")):
        send(panel, address)
        send(panel, *letter, data=True)
    assert panel.rows() == ["A" + BLANK[1:], "B" + BLANK[1:], "C" + BLANK[1:], BLANK[1:] + "D"]


def test_the_display_goes_on_from_line_to_line_as_the_chip_does():
    """The first row runs on into the third, and the third into the second."""
    panel = woken()
    send(panel, *b"1" * 20, *b"3" * 20, *b"2" * 20, data=True)
    assert panel.rows() == ["1" * 20, "2" * 20, "3" * 20, BLANK]
    send(panel, 0x01)
    assert panel.rows() == [BLANK] * 4


def test_the_display_counts_down_goes_home_and_switches_off():
    panel = woken()
    send(panel, 0x04, 0x80 | 2)
    send(panel, *b"abc", data=True)
    assert panel.rows()[0].startswith("cba ")
    send(panel, 0x02)
    send(panel, *b"Z", data=True)
    assert panel.rows()[0].startswith("Zba ")
    send(panel, 0x08)
    assert panel.rows() == [BLANK] * 4
    send(panel, 0x0C)
    assert panel.rows()[0].startswith("Zba ")


def test_the_display_needs_a_falling_edge():
    panel = woken()
    panel.write_byte(0x27, 0x41 | 0x08)
    panel.write_byte(0x27, 0x11 | 0x08)
    assert panel.rows() == [BLANK] * 4


def test_the_display_knows_its_own_eight_glyphs():
    panel = woken()
    send(panel, 0x40 | 3 * 8)
    send(panel, *[0x1F] * 8, data=True)
    send(panel, 0x80)
    send(panel, 3, 0xB1, 0xDE, 0x5C, 0xE0, data=True)
    assert panel.rows()[0].startswith(chr(OWN + 3) + "ｱﾞ¥�")
    cell = panel.picture(scale=1).crop((3, 3, 8, 11))
    assert len(cell.getcolors()) == 1
    assert cell.getpixel((0, 0)) != panel.picture(scale=1).getpixel((0, 0))


def test_the_display_tells_who_watches():
    panel, told = woken(), []
    panel.watch(lambda: told.append(panel.rows()[0]))
    send(panel, *b"ab", data=True)
    assert told == ["a" + BLANK[1:], "ab" + BLANK[2:]]
    panel.write_byte(0x27, 0)
    assert len(told) == 3
    assert not panel.lit


def test_the_display_begins_again_with_eight_bits_when_half_a_byte_was_lost():
    panel = woken()
    strobe(panel, 0x4)
    for nibble in (0x3, *WAKE):
        strobe(panel, nibble)
    send(panel, 0x28, 0x01, 0x06, 0x0C)
    send(panel, *b"ok", data=True)
    assert panel.rows()[0].startswith("ok ")


def test_glyphs_have_different_dots():
    panel = woken()
    pictures = set()
    for code, letter in A00.items():
        if letter in KANA or letter.isalnum():
            send(panel, 0x80)
            send(panel, code, data=True)
            pictures.add(panel.picture(scale=1).crop((3, 3, 8, 11)).tobytes())
    assert len(pictures) == 63 + 62


@pytest.fixture
def panel():
    return Hd44780Panel()


@pytest.fixture
def screen(panel):
    shown: TextScreen = Hd44780(bus=panel)
    yield shown
    shown.close()


def test_rows_arrive(panel, screen):
    rows = ["ﾔﾏﾀﾞ ﾊﾅｺ       12:34", "03-1234-5678 ｶｹﾗﾚﾏｽ", "", "Aﾊｯｼﾝ B^ Cv Dﾓﾄﾞﾙ"]
    assert panel.rows() == [BLANK] * 4
    screen.write(rows)
    assert panel.rows() == [row.ljust(20) for row in rows]
    screen.write(["short"])
    assert panel.rows() == ["short".ljust(20), BLANK, BLANK, BLANK]


def test_every_half_width_letter_has_its_code(panel, screen):
    rows = [KANA[at : at + 20] for at in range(0, 63, 20)]
    screen.write(rows)
    assert panel.rows() == [row.ljust(20) for row in rows]


def test_what_the_rom_lacks_is_a_question_mark_and_what_is_too_long_is_cut(panel, screen):
    screen.write(["鈴木~\\é", "x" * 21, "¥→←"])
    assert panel.rows() == ["?????".ljust(20), "x" * 20, "¥→←".ljust(20), BLANK]
    with pytest.raises(MisuseError):
        screen.write([""] * 5)


@pytest.fixture(scope="module")
def pair():
    """One display and its driver for many texts: to begin takes luma half a second."""
    panel = Hd44780Panel()
    screen = Hd44780(bus=panel)
    yield panel, screen
    screen.close()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(KANA + "0123456789 -:", max_size=20), min_size=4, max_size=4))
def test_whatever_was_shown_before_the_new_rows_are_right_and_no_more_is_written_than_changed(pair, rows):
    panel, screen = pair
    old, new = "".join(panel.rows()), "".join(row.ljust(20) for row in rows)
    before = panel.written
    screen.write(rows)
    assert "".join(panel.rows()) == new
    assert panel.written - before == sum(a != b for a, b in zip(old, new, strict=True))


def test_a_display_that_was_unplugged_is_written_again(panel, screen):
    screen.write(["one", "two"])
    panel.plugged = False
    with pytest.raises(HardwareError, match="hd44780"):
        screen.write(["one", "three"])
    panel.plugged = True
    screen.write(["one", "three"])
    assert panel.rows()[1] == "three".ljust(20)


def test_a_display_that_is_not_there_is_refused(panel):
    with pytest.raises(WiringError, match="0x3f"):
        Hd44780(address=0x3F, bus=panel)
    with pytest.raises(WiringError, match="I2C 77"):
        Hd44780(port=77)


def test_closing_makes_it_dark():
    panel = Hd44780Panel()
    screen = Hd44780(bus=panel)
    screen.write(["one"])
    assert panel.lit
    screen.close()
    assert not panel.lit
    assert panel.rows() == [BLANK] * 4
