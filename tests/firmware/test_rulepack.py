"""Rule packs: every fault at once, with its line, and never half a pack."""

import json
from pathlib import Path

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import rulepack
from firmware.rulebook import InForce, Rulebook
from firmware.rulepack import COUNTRIES, RulePackError, chosen, joined, parse, parse_all, shipped, text_of

GOOD = text_of("jp-sales")
FOLDER = Path(rulepack.__file__).parent / "rules"


def faults(text):
    with pytest.raises(RulePackError) as caught:
        parse(text)
    return caught.value.faults


def line_of(text, what):
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(what))


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.toml")))
def test_every_shipped_pack_is_in_order_and_named_like_its_file(name):
    pack = parse((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    assert pack.id == name
    assert pack.law(pack.hours.source).ja
    assert pack.law(rulepack.NOWHERE) == pack.pack.law
    assert bool(pack.pack.checked) == pack.pack.verified


def test_all_nine_packs_are_there():
    wanted = {"jp-sales", "jp-collection", "jp-notice", "us-sales", "us-regf", "fr-sales", "de-sales", "uk-sales"}
    assert set(shipped()) == wanted | {"au-sales"}


def test_what_is_not_verified_is_not_used_by_its_name_alone():
    assert {pack.id for pack in shipped().values() if not pack.pack.verified} == {"jp-collection", "uk-sales"}
    for name in ("jp-collection", "uk-sales"):
        with pytest.raises(RulePackError, match=f'unverified = \\["{name}"\\]'):
            chosen([name])
        assert chosen([name], [name])[0].id == name


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ('version = "2026.1"', "", "pack.version: is missing: such as"),
        ('purpose = "sales"', 'purpose = "begging"', 'pack.purpose: must be "sales" or "notice"'),
        ('region = "JP"', 'region = "XX"', "pack.region: must be one of AU, CA"),
        ('id = "jp-sales"', 'id = "JP sales"', "pack.id: must be small letters"),
        ("verified = true", 'verified = "yes"', "pack.verified: must be true or false"),
        ('checked = "2026-01-01"', 'checked = "2026-02-30"', "pack.checked: must be a day such as"),
        ('mon_fri = ["09:00-20:00"]', 'mon_fri = ["20:00-09:00"]', "hours.mon_fri: must be hours in order"),
        ('mon_fri = ["09:00-20:00"]', 'mon_fri = ["9-20"]', "hours.mon_fri: must be a list of hours such as"),
        ('mon_fri = ["09:00-20:00"]', 'mon_fri = ["09:00-24:30"]', "hours.mon_fri: must be hours in order"),
        ('mon_fri = ["09:00-20:00"]', 'mon_fri = ["07:00-20:00"]', "hours.mon_fri: must lie within legal_outer"),
        ("sat = []", "satt = []", "hours.satt: there is no such setting (did you mean sat?)"),
        ('min_gap_any = "1h"', 'min_gap_any = "an hour"', "redial.min_gap_any: must be a span such as"),
        ("max_per_day = 2", "max_per_day = -2", "redial.max_per_day: must not be negative"),
        ("explicit_days = 0", 'explicit_days = "never"', "refusal.explicit_days: must be a whole number"),
        ('consent = "notice"', 'consent = "maybe"', 'recording.consent: must be "notice" or "all-party"'),
        ('"goods", ', '"good", ', "disclosure.opening: 'good' is not known; there are company"),
    ],
)
def test_a_fault_is_told_with_its_line(was, becomes, fault):
    text = GOOD.replace(was, becomes, 1)
    assert text != GOOD
    found = faults(text)
    assert len(found) == 1
    assert fault in found[0]
    where = becomes.split(" ")[0] if becomes and not becomes.startswith('"') else ("opening" if becomes else "[pack]")
    assert found[0].startswith(f"line {line_of(text, where)}: ")


def test_every_fault_is_told_at_once():
    text = GOOD.replace('version = "2026.1"', "").replace("max_per_day = 2", "max_per_day = true") + "\n[hoers]\n"
    found = faults(text)
    assert [fault.partition(": ")[2].partition(":")[0] for fault in found] == [
        "hoers",
        "pack.version",
        "redial.max_per_day",
    ]
    assert found[0].startswith(f"line {len(text.splitlines())}: ")


@pytest.mark.parametrize(
    ("counter", "fault"),
    [
        ('id = "a"\nwindow = "7d"', "frequency 1.max: must be 1 or more"),
        ('id = "a"\nafter = "conversation"\nmax = 3\nwindow = "7d"', "frequency 1.max: says nothing beside after"),
        (
            'id = "a"\nmax = 1\nwindow = "7d"\n[[frequency]]\nid = "a"\nmax = 1\nwindow = "1d"',
            "frequency 2.id: 'a' is taken",
        ),
        ('id = "a"\nmax = 1', 'frequency 1.window: is missing: such as "7d"'),
        ('id = "a"\nmax = 1\nwindow = "7d"\ncount = "smiles"', 'frequency 1.count: must be "attempt"'),
    ],
)
def test_counters_that_make_no_sense(counter, fault):
    text = f"{GOOD}\n[[frequency]]\n{counter}\n"
    found = faults(text)
    assert len(found) == 1
    assert fault in found[0]
    assert int(found[0].partition(":")[0].removeprefix("line ")) > len(GOOD.splitlines())


def test_what_is_no_toml_says_where():
    assert faults("[pack\nid = 3") == (
        "this is no TOML: Expected ']' at the end of a table declaration (at line 1, column 6)",
    )


@given(st.text(max_size=60), st.integers(0, len(GOOD)))
@settings(max_examples=100, deadline=None)
def test_whatever_is_written_into_a_pack_it_is_whole_or_refused(junk, place):
    text = GOOD[:place] + junk + GOOD[place:]
    try:
        pack = parse(text)
    except RulePackError as error:
        faults_told = error.faults
    else:
        faults_told = (pack.pack.law.ja,)
    assert faults_told
    assert all(faults_told)


def test_an_offices_own_pack_is_named_by_its_file(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(GOOD.replace('id = "jp-sales"', 'id = "own"'), encoding="utf-8")
    assert [pack.id for pack in chosen(["jp-notice", str(own)])] == ["jp-notice", "own"]
    with pytest.raises(RulePackError, match="cannot be read"):
        chosen([str(tmp_path / "none.toml")])
    own.write_bytes("法".encode("shift_jis"))
    with pytest.raises(RulePackError, match="cannot be read"):
        chosen([str(own)])


def test_a_slip_in_a_name_is_answered_with_the_nearest():
    with pytest.raises(RulePackError, match="did you mean jp-sales"):
        chosen(["jp-sale"])
    with pytest.raises(RulePackError) as caught:
        chosen(["jp-sale", "uk-sales", "zz"])
    assert len(caught.value.faults) == 3


def test_a_list_of_packs_is_taken_whole_or_not_at_all():
    assert [pack.id for pack in parse_all(f"[{_json(GOOD)}]")] == ["jp-sales"]
    assert parse_all("[]") == ()
    for text in ("", "{}", "[3]", "no JSON", f"[{_json(GOOD)}, {_json('[pack]')}]"):
        with pytest.raises(RulePackError):
            parse_all(text)


def _json(text):
    return json.dumps(text)


def test_the_offices_pack_takes_the_place_of_the_booths_own():
    stricter = parse(GOOD.replace("max_per_day = 2", "max_per_day = 1"))
    law = InForce(Rulebook(packs=joined(chosen(["jp-sales", "jp-notice"]), [stricter])))
    assert [pack.id for pack in law.book.packs] == ["jp-sales", "jp-notice"]
    assert law.book.rules.max_per_day == 1
    law.use(chosen(["jp-notice"]))
    assert law.book.rules.max_per_day == 2


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_country_has_its_calendar(country):
    assert len(holidays.country_holidays(country, years=2027)) >= 5


def test_two_packs_the_stricter_figure_of_each_holds():
    lax = parse(GOOD.replace('min_gap_any = "1h"', 'min_gap_any = "15m"').replace("max_per_day = 2", "max_per_day = 9"))
    strict = parse(
        GOOD.replace('min_gap_any = "1h"', 'min_gap_any = "5h"').replace("gacha_limit = 3", "gacha_limit = 2")
    )
    for packs in ((lax, strict), (strict, lax)):
        rules = Rulebook(packs=packs).rules
        assert (rules.min_gap_any, rules.max_per_day, rules.gacha_limit) == (5 * 3600.0, 2, 2)
    assert Rulebook(packs=(lax,)).rules.min_gap_any == 3600.0, "no pack widens what the house allows"


def test_terms_of_refusals_are_the_longest_and_for_good_beats_all():
    terms = [parse(GOOD.replace("explicit_days = 0", f"explicit_days = {days}")) for days in (0, 30, 60)]
    forever = float("inf")
    assert Rulebook(packs=tuple(terms)).terms.explicit == forever
    assert Rulebook(packs=tuple(terms[1:])).terms.explicit == 60 * 86400.0
    assert Rulebook().terms.explicit == forever
