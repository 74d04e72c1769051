from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.screens import characters
from firmware.screens.halfwidth import halfwidth, readable
from firmware.screens.samples import RECORDING, SCENES
from firmware.screens.view import Brief, SoftKey, Status, View
from firmware.screens.views import view
from firmware.text.catalogue import load

pytestmark = pytest.mark.slow

every = pytest.mark.parametrize(
    ("name", "language"), [(name, language) for name in SCENES for language in ("ja_kana", "en")]
)
MAY_BE_SHORT = {"list-end", "keying", "keying-one", "preview-warned", "wrap-up-04", "wrap-up-02"}
"""Those with a name longer than the screen, or several names in a row."""


def drawn(name, language="ja_kana"):
    return characters.draw(view(SCENES[name], load(language)))


@every
def test_four_rows_of_twenty_cells_that_the_screen_has(name, language):
    rows = drawn(name, language)
    assert [len(row) for row in rows] == [20] * 4
    assert all(" " <= cell <= "}" or "｡" <= cell <= "ﾟ" for row in rows for cell in row)
    assert not any("\\" in row for row in rows)


@every
def test_soft_keys_are_the_last_row_and_whole(name, language):
    shown = view(SCENES[name], load(language))
    row = characters.draw(shown)[3]
    for key in shown.keys:
        assert (key.key + halfwidth(key.short)).replace(":", "") in row.replace(":", "")


@every
def test_only_long_names_are_shortened(name, language):
    rows = drawn(name, language)
    assert name in MAY_BE_SHORT or not any(row.rstrip().endswith("..") for row in rows), rows


@every
def test_titles_are_whole(name, language):
    shown = view(SCENES[name], load(language))
    assert characters.draw(shown)[0].startswith(halfwidth(shown.brief.title))


def test_a_block_cannot_be_missed():
    assert drawn("blocked")[0].startswith("!!ﾊｯｼﾝ ﾌｶ!!")
    assert drawn("blocked", "en")[0].startswith("!! BLOCKED !!")
    assert drawn("blocked", "en")[1:3] == ["Called 3 min ago    ", "From 15:29          "]


def test_an_emergency_cannot_be_missed():
    assert drawn("emergency")[0].startswith("ｷﾝｷｭｳﾂｳﾎｳ!")
    assert drawn("emergency", "en")[1:3] == ["119_                ", "A: Fire / ambulance "]
    assert "EMERGENCY" in " ".join(drawn("dialling-119", "en"))


def test_customers_appear_by_their_reading():
    assert drawn("list")[1].rstrip() == "ｶﾌﾞｼｷｶﾞｲｼｬﾐｽﾞﾎｾﾂﾋﾞ"


def test_evidence_scrolls():
    scene = SCENES["blocked"]
    rows = [
        characters.draw(view(replace(scene, body=replace(scene.body, scroll=n)), load("en")))[2].rstrip()
        for n in range(6)
    ]
    assert rows[0] == "From 15:29"
    assert rows[1:3] == ["14:29 Booth 2 OP07", "Call back (tomorrow"]
    assert rows[-1] == rows[-2], "the last line is the last"


def test_signs_give_way_to_the_title_but_the_clock_stays():
    status = Status(clock="14:32", pending=12, recording="on")
    heads = [characters.draw(View("", (), (), Brief("x" * n, ()), status))[0] for n in (6, 8, 11, 13, 17)]
    assert heads == [
        "xxxxxx REC ^12 14:32",
        "xxxxxxxx R ^12 14:32",
        "xxxxxxxxxxx  R 14:32",
        "xxxxxxxxxxxxx  14:32"[:12].ljust(12) + "x  14:32",
        "xxxxxxxxxxxx.. 14:32",
    ]


def test_recording_that_failed_is_said():
    failed = replace(SCENES["talking"], header=replace(RECORDING, recording="failed"))
    assert "NOREC" in characters.draw(view(failed, load("en")))[0]


def test_names_of_soft_keys_are_cut_only_when_they_must():
    keys = tuple(SoftKey(key, name, name) for key, name in zip("ABCD", ("Callback", "B", "C", "D"), strict=True))
    assert characters.draw(View("", (), keys, Brief("", ())))[3] == "ACallback BB CC DD  "
    long = tuple(SoftKey(key, "Longword", "Longword") for key in "ABCD")
    assert len(characters.draw(View("", (), long, Brief("", ())))[3]) == 20


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("ガチャ", "ｶﾞﾁｬ"),
        ("がちゃ", "ｶﾞﾁｬ"),
        ("パパ", "ﾊﾟﾊﾟ"),
        ("ヴォー", "ｳﾞｫｰ"),
        ("「はい」、。・", "｢ﾊｲ｣､｡･"),
        ("ＡＢ１２＃　！", "AB12# !"),
        ("断り", "?ﾘ"),
        ("café", "cafe"),
        ("a~b\\c", "a-b/c"),
        ("ﾊﾝｶｸ", "ﾊﾝｶｸ"),
    ],
)
def test_halfwidth(text, cells):
    assert halfwidth(text) == cells


@given(st.text())
def test_any_text_becomes_cells_that_the_screen_has(text):
    assert all(" " <= cell <= "}" or "｡" <= cell <= "ﾟ" for cell in halfwidth(text))


def test_readable_tells_kanji():
    assert readable("ガチャ? 1")
    assert not readable("断り")
