import re
from io import BytesIO
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import firmware
from firmware.screens import statuswords, words
from firmware.screens.halfwidth import halfwidth, readable
from firmware.screens.reasons import REASONS, WHEN_BRIEF
from firmware.screens.samples import NOW, SCENES
from firmware.screens.views import view
from firmware.text.catalogue import Text, load
from firmware.text.times import Times, duration
from hw.analogtalk import NO_DUPLEX
from hw.callsound import REFUSED_AT_FIRST
from hw.gsm import FAMILIES

ROOM = Path(firmware.__file__).parent
LANGUAGES = ("ja", "ja_kana")
HOUR, DAY = 3600.0, 86400.0


def po(language):
    with (ROOM / "text" / language / "LC_MESSAGES" / "booth.po").open("rb") as file:
        return read_po(file)


def in_code():
    found = extract_from_dir(str(ROOM), [("**.py", "python")], keywords={"text": None, "mark": None})
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


class Listening(Text):
    """Remembers what it was asked to say."""

    def __init__(self):
        super().__init__("ja", load("ja")._messages)
        self.asked = set()

    def __call__(self, msgid, /, **values):
        self.asked.add(msgid)
        return super().__call__(msgid, **values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_the_one_that_can_be_read(language):
    compiled = BytesIO()
    write_mo(compiled, po(language))
    committed = ROOM / "text" / language / "LC_MESSAGES" / "booth.mo"
    assert committed.read_bytes() == compiled.getvalue(), "run `make text`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_code_is_translated_and_no_other(language):
    catalogue = {message.id: message for message in po(language) if message.id}
    assert set(catalogue) == in_code()
    assert not [each.id for each in catalogue.values() if each.fuzzy or not each.string]


def test_every_text_that_is_asked_for_is_known():
    """Texts whose msgid the extraction cannot see, such as one inside an f-string, would be missed above."""
    text = Listening()
    for scene in SCENES.values():
        view(scene, text)
    assert text.asked - {""} <= in_code()


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_the_places_to_fill_in(language):
    def places(text):
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert not [message.id for message in po(language) if message.id and places(message.id) != places(message.string)]


def test_the_kana_catalogue_has_no_kanji():
    assert not [message.string for message in po("ja_kana") if message.id and not readable(message.string)]


def test_whatever_a_line_may_complain_of_has_words():
    told = {why for family in FAMILIES.values() for why in family.warnings.values()}
    told |= {flaw.advice for family in FAMILIES.values() for flaw in family.flaws if not flaw.voiceless}
    assert told | {REFUSED_AT_FIRST, NO_DUPLEX} == set(statuswords.IMPAIRED)


def test_words_for_twenty_columns_fit_them():
    for language in ("en", "ja_kana"):
        text = load(language)
        brief = [why.brief for why in REASONS.values()] + [fault.brief for fault in words.FAULTS.values()]
        tables = (WHEN_BRIEF, statuswords.IMPAIRED, words.OUTCOMES, words.CAUSES, words.PARTIES, words.OVERRIDE_REASONS)
        for said in (*brief, *(said for table in tables for said in table.values())):
            assert len(halfwidth(text(said).replace("{ago}", "59 min ago"))) <= 20, said
        assert all(len(halfwidth(text(said))) <= 40 for said in words.NOTICES.values())


def test_english_is_the_source():
    assert load("en")("Call") == "Call"
    assert load("en")("{minutes} min ago", minutes=3) == "3 min ago"
    assert load("ja")("") == ""


@pytest.mark.parametrize(
    ("at", "ja", "en"),
    [
        (NOW - 180, "14:29", "14:29"),
        (NOW - DAY, "昨日 14:32", "yesterday 14:32"),
        (NOW + 18.5 * HOUR - 120, "明日 9:00", "tomorrow 9:00"),
        (NOW + 2 * DAY, "11/24 14:32", "11/24 14:32"),
        (NOW - 365 * DAY, "2025/11/22 14:32", "2025/11/22 14:32"),
        (None, "時刻不明", "time unknown"),
    ],
)
def test_moments(at, ja, en):
    said = [Times(load(language), "Asia/Tokyo", NOW).moment(at) for language in ("ja", "en")]
    assert said == [ja, en]


@pytest.mark.parametrize(
    ("seconds", "ja", "en"),
    [
        (59, "1分以内", "just now"),
        (60, "1分前", "1 min ago"),
        (3599, "59分前", "59 min ago"),
        (3600, "1時間前", "1 h ago"),
        (86399, "23時間前", "23 h ago"),
        (86400, "1日前", "1 d ago"),
    ],
)
def test_how_long_ago(seconds, ja, en):
    said = [Times(load(language), "Asia/Tokyo", NOW).ago(NOW - seconds) for language in ("ja", "en")]
    assert said == [ja, en]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0m"), (1, "1m"), (3600, "60m"), (3601, "2h"), (172800, "48h"), (172801, "3d"), (-5, "0m")],
)
def test_waits_are_rounded_up(seconds, said):
    assert Times(load("en"), "Asia/Tokyo", NOW).wait(NOW + seconds) == said


def test_without_a_clock_nothing_is_relative():
    times = Times(load("ja"), "Asia/Tokyo", None)
    assert (times.clock(), times.ago(NOW), times.wait(NOW)) == ("--:--", "以前", "?")
    assert times.moment(NOW) == "2026/11/22 14:32"
    assert times.due(NOW) == "11/22"


def test_the_zone_decides_what_day_it_is():
    """Summer time begins at 01:00 UTC on 29 March 2026 in Berlin."""
    before, after = 1774742400.0 + 3540, 1774742400.0 + 3600
    times = Times(load("en"), "Europe/Berlin", before)
    assert (times.clock(before), times.clock(after)) == ("01:59", "03:00")
    assert Times(load("en"), "Asia/Tokyo", NOW).moment(NOW + 10 * HOUR).startswith("tomorrow")
    assert not Times(load("en"), "Europe/London", NOW).moment(NOW + 10 * HOUR).startswith("tomorrow")


def test_durations():
    assert [duration(seconds) for seconds in (0, 59.9, 60, 3600, -3)] == ["0:00", "0:59", "1:00", "1:00:00", "0:00"]


def test_no_text_is_asked_for_inside_an_f_string():
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOM / "screens").glob("*.py"))
    assert not re.findall(r"""f".*\{(?:teller\.|self\.)?text\(['"]""", source)
