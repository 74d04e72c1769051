"""What people key and what spreadsheets make of it becomes the right number, or a plain refusal."""

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import emergency
from firmware.numbers import (
    Flaw,
    Kind,
    NumberError,
    group,
    is_emergency,
    is_service,
    keyed,
    parse,
    parse_cell,
    supplementary,
)

PATIENT = settings(deadline=None)  # a busy machine is no fault
DASHES = "-‐‑‒–—―−ーｰ─━－﹣"


@pytest.mark.parametrize(
    "text",
    [
        "0312345601",
        "03-1234-5601",
        "０３１２３４５６０１",
        "０３－１２３４－５６０１",
        "03.1234.5601",
        "03 1234 5601",
        "03　1234　5601",
        "(03)1234-5601",
        "（03）1234-5601",
        "03(1234)5601",
        "+81 3 1234 5601",
        "+81-(0)3-1234-5601",
        "010-81-3-1234-5601",
        "TEL:03-1234-5601",
        "電話　03-1234-5601",
        "03-1234-5601（代）",
        "03-1234-5601（代表）",
        "03-1234-5601代表",
        "03-1234-5601～3",
        "03-1234-5601/02",
        "03-1234-5601 昼のみ",
        "'0312345601",
        '="0312345601"',
        *(f"03{dash}1234{dash}5601" for dash in DASHES),
    ],
)
def test_one_number_in_many_spellings(text: str) -> None:
    number = parse(text)
    assert (number.dialled, number.key, number.shown) == ("0312345601", "+81312345601", "03-1234-5601")
    assert number.kind is Kind.ORDINARY
    assert (number.sample, number.zero_restored, number.uncertain) == (True, False, False)
    assert (number.prefix, number.extension) == ("", "")


@pytest.mark.parametrize(
    ("text", "dialled", "kind"),
    [
        ("312345678", "0312345678", Kind.ORDINARY),
        ("9012345603", "09012345603", Kind.ORDINARY),
        ("120123456", "0120123456", Kind.TOLL_FREE),
        ("800-123-4567", "0800" + "1234567", Kind.TOLL_FREE),
        ("312345678.0", "0312345678", Kind.ORDINARY),
        ("184123456", "0184123456", Kind.ORDINARY),
    ],
)
def test_the_zero_that_a_spreadsheet_ate_is_restored(text: str, dialled: str, kind: Kind) -> None:
    number = parse(text)
    assert (number.dialled, number.kind, number.zero_restored, number.prefix) == (dialled, kind, True, "")
    assert number.key == parse(dialled).key
    assert keyed(text).completed, "keyed by hand, a missing zero wants one more key"


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("3.12345678E+08", Flaw.SCIENTIFIC),
        ("9.01E+09", Flaw.SCIENTIFIC),
        ("９．０１Ｅ＋０９", Flaw.SCIENTIFIC),
        ("", Flaw.EMPTY),
        ("  - ", Flaw.EMPTY),
        ("なし", Flaw.EMPTY),
        ("unknown", Flaw.LETTERS),
        ("03-1234-560", Flaw.TOO_SHORT),
        ("090-1234-560", Flaw.TOO_SHORT),
        ("12", Flaw.TOO_SHORT),
        ("03-1234-56012", Flaw.TOO_LONG),
        ("03-1234-5601 03-1234-5602", Flaw.TOO_LONG),
        ("5551234", Flaw.LOCAL_ONLY),
        ("*21*0312345601#", Flaw.SUPPLEMENTARY),
        ("#31#0312345601", Flaw.SUPPLEMENTARY),
        ("*", Flaw.SUPPLEMENTARY),
        ("03+1234+5601", Flaw.UNREADABLE),
        ("٠٣١٢٣٤٥٦٠١", Flaw.UNREADABLE),
        ("\x00", Flaw.UNREADABLE),
    ],
)
def test_what_is_no_number_says_why(text: str, flaw: Flaw) -> None:
    with pytest.raises(NumberError) as refused:
        parse(text)
    assert refused.value.flaw is flaw
    assert str(refused.value) == flaw.value


@pytest.mark.parametrize("carrier", ["0033", "0036", "0063", "0091", "001", "0041", "0077", "0000", "122"])
@pytest.mark.parametrize("rest", ["", "0312345601", "09012345603", "110", "1", "12025550123"])
def test_carrier_prefixes_are_barred_before_the_library_sees_them(carrier: str, rest: str) -> None:
    with pytest.raises(NumberError) as refused:
        parse(carrier + rest)
    assert refused.value.flaw is Flaw.CARRIER_PREFIX
    assert keyed(carrier + rest).kind is Kind.INVALID


@pytest.mark.parametrize("prefix", ["184", "186"])
@pytest.mark.parametrize("text", ["03-1234-5601", "０９０－１２３４－５６０３", "0120-123-456", "+81312345601"])
def test_the_prefix_is_stripped_and_kept(prefix: str, text: str) -> None:
    plain, prefixed = parse(text), parse(f"{prefix}-{text}")
    assert prefixed.prefix == prefix
    assert prefixed.dialled == prefix + plain.dialled
    assert (prefixed.key, prefixed.kind, prefixed.sample) == (plain.key, plain.kind, plain.sample)
    assert prefixed.shown == f"{prefix} {plain.shown}"


@pytest.mark.parametrize(
    ("text", "kind", "uncertain"),
    [
        ("0990-123-456", Kind.PREMIUM, False),
        ("0180-99-1234", Kind.PREMIUM, True),
        ("0570-012-345", Kind.SHARED_COST, False),
        ("0120-123-456", Kind.TOLL_FREE, False),
        ("0800-123-4567", Kind.TOLL_FREE, False),
        ("020-1234-5678", Kind.MACHINE, False),
        ("0200-12345-67890", Kind.MACHINE, True),
        *((f"{start}-1234-5601", Kind.ORDINARY, False) for start in ("050", "060", "070", "080")),
        ("010-1-202-555-0123", Kind.INTERNATIONAL, False),
        ("+1 202 555 0123", Kind.INTERNATIONAL, False),
        ("011-123-4567", Kind.ORDINARY, True),
        ("0422-12-3456", Kind.ORDINARY, False),
    ],
)
def test_classes(text: str, kind: Kind, uncertain: bool) -> None:
    number = parse(text)
    assert (number.kind, number.uncertain) == (kind, uncertain)


def test_a_foreign_number_is_dialled_as_it_was_written_and_known_by_one_key() -> None:
    keyed_out, written = parse("010 1 202 555 0123"), parse("+1 (202) 555-0123")
    assert (keyed_out.dialled, written.dialled) == ("01012025550123", "+12025550123")
    assert keyed_out.key == written.key == "+12025550123"
    assert written.shown == "+1 202-555-0123"


def test_the_hyphens_of_the_list_stand_where_the_library_is_wrong() -> None:
    assert parse("0422-12-3456").shown == "0422-12-3456"
    assert parse("(0422)12-3456").shown == "0422-12-3456"


def test_local_numbers_take_the_booths_area_code() -> None:
    local = parse("1234-5601", area_code="03")
    assert (local.key, local.completed) == (parse("03-1234-5601").key, True), "asked about before it is dialled"
    assert keyed("12345601", area_code="03").completed
    assert not parse("03-1234-5601", area_code="03").completed
    assert parse("555-1234", area_code="011").dialled == "0115551234"
    assert not parse("1234-5601", area_code="03").zero_restored
    with pytest.raises(NumberError):
        parse("555-1234", area_code="03")


@pytest.mark.parametrize(
    ("text", "extension"),
    [
        ("03-1234-5601 内線12", "12"),
        ("03-1234-5601（内線：345）", "345"),
        ("03-1234-5601(内)7", "7"),
        ("０３－１２３４－５６０１　内１２", "12"),
        ("03-1234-5601 ext. 12", "12"),
        ("0312345601x99", "99"),
        ("03-1234-5601(代)内線12", "12"),
    ],
)
def test_extensions_are_kept_apart(text: str, extension: str) -> None:
    number = parse(text)
    assert (number.dialled, number.extension) == ("0312345601", extension)


@pytest.mark.parametrize(
    ("cell", "dialled"),
    [
        ("03-1234-5601", ["0312345601"]),
        ("03-1234-5601 090-1234-5603", ["0312345601", "09012345603"]),
        ("03-1234-5601、090-1234-5603", ["0312345601", "09012345603"]),
        ("03-1234-5601/090-1234-5603（母）", ["0312345601", "09012345603"]),
        ("03-1234-5601／090-1234-5603", ["0312345601", "09012345603"]),
        ("0312345601・09012345603", ["0312345601", "09012345603"]),
        ("03-1234-5601\n090-1234-5603", ["0312345601", "09012345603"]),
        ("携帯090-1234-5603 自宅03-1234-5601", ["09012345603", "0312345601"]),
        ("TEL 03-1234-5601 FAX 03-1234-5602", ["0312345601"]),
        ("03-1234-5601, 0312345601", ["0312345601"]),
        ("03-1234-5601、不明", ["0312345601"]),
        ("03-1234-5601, 内線 12", ["0312345601"]),
    ],
)
def test_cells_with_more_than_one_number(cell: str, dialled: list[str]) -> None:
    assert [number.dialled for number in parse_cell(cell)] == dialled


def test_a_cell_without_any_number_says_what_was_wrong_with_the_first() -> None:
    with pytest.raises(NumberError) as refused:
        parse_cell("03-1234、12")
    assert refused.value.flaw is Flaw.TOO_SHORT
    for empty in ("", " ", "、", "FAX 03-1234-5602"):
        with pytest.raises(NumberError) as refused:
            parse_cell(empty)
        assert refused.value.flaw is Flaw.EMPTY


@pytest.mark.parametrize(
    ("country", "digits"),
    [
        *(("JP", digits) for digits in ("110", "118", "119", "184110", "186119", "184118")),
        *(("US", digits) for digits in ("911", "988")),
        *(("CA", digits) for digits in ("911", "988")),
        *(("GB", digits) for digits in ("999", "112")),
        *(("UK", digits) for digits in ("999", "112")),
        *(("FR", digits) for digits in ("15", "17", "18", "112", "114")),
        *(("DE", digits) for digits in ("110", "112")),
        *(("AU", digits) for digits in ("000", "106")),
        ("jp", "119"),
        ("IT", "112"),
        ("BR", "190"),
    ],
)
def test_emergency_numbers(country: str, digits: str) -> None:
    assert is_emergency(digits, country)
    number = parse(digits, country)
    assert (number.kind, number.dialled) == (Kind.EMERGENCY, digits)
    assert group(digits, country) == digits
    assert not is_service(digits, country)


@pytest.mark.parametrize("digits", ["", "11", "1190", "0119", "911", "119119", "184", "1841190", "#119", "184184119"])
def test_what_only_resembles_an_emergency_number_in_japan(digits: str) -> None:
    assert not is_emergency(digits, "JP")


def test_an_emergency_number_written_in_any_way() -> None:
    for text in ("１１９", "1-1-9", " 119 ", "184-119"):
        assert parse(text).kind is Kind.EMERGENCY
    assert parse("184-119").key == "119"


@pytest.mark.parametrize(
    "digits", ["171", "188", "189", "117", "177", "104", "115", "#7119", "#8000", "#9110", "184171"]
)
def test_service_numbers_are_let_through_but_are_no_emergency(digits: str) -> None:
    assert is_service(digits, "JP")
    assert not is_emergency(digits, "JP")
    assert not supplementary(digits, "JP")
    assert (parse(digits).kind, parse(digits).dialled) == (Kind.SERVICE, digits)


def test_strings_that_change_the_lines_settings_are_not_dialled() -> None:
    for digits in ("*21*0312345601#", "##21#", "*#06#", "#7118", "*110", "110#"):
        assert supplementary(digits)
        assert keyed(digits).kind is Kind.INVALID
    assert not supplementary("0312345601")


@pytest.mark.parametrize(
    ("text", "sample"),
    [
        ("03-1234-5600", True),
        ("03-1234-5699", True),
        ("090-1234-5600", True),
        ("090 1234 5700", False),
        ("03-1234-5700", False),
        ("080 1234 5601", False),
        ("0312-34-5601", True),
    ],
)
def test_sample_numbers_are_marked(text: str, sample: bool) -> None:
    assert parse(text).sample is sample


def test_other_countries_by_the_library() -> None:
    british = parse("2079460123", "UK")
    assert (british.dialled, british.zero_restored, british.shown) == ("02079460123", True, "020 7946 0123")
    assert parse("020 7946 0123", "GB").key == british.key
    assert parse("(202) 555-0123", "US").kind is Kind.ORDINARY
    assert parse("1-800-555-0199", "US").kind is Kind.TOLL_FREE
    assert parse("+1 876 555 0123", "US").kind is Kind.INTERNATIONAL, "a shared country code is no home"
    assert parse("+81312345601", "GB").kind is Kind.INTERNATIONAL
    assert parse("030/23125000", "DE").dialled == "03023125000"
    assert parse("555-0123", "US", area_code="202").dialled == "2025550123"


@pytest.mark.parametrize(
    ("digits", "shown"),
    [
        ("", ""),
        ("0", "0"),
        ("03", "03"),
        ("031", "03-1"),
        ("0312345", "03-1234-5"),
        ("0312345601", "03-1234-5601"),
        ("03123456011", "03123456011"),
        ("0901234", "090-1234"),
        ("09012345603", "090-1234-5603"),
        ("0120123456", "0120-123-456"),
        ("08001234", "0800-123-4"),
        ("0422123456", "042-212-3456"),
        ("119", "119"),
        ("184119", "184119"),
        ("#7119", "#7119"),
        ("*21", "*21"),
        ("184", "184"),
        ("1840", "184 0"),
        ("1840312345601", "184 03-1234-5601"),
        ("312345678", "312345678"),
    ],
)
def test_digits_are_grouped_while_they_are_keyed(digits: str, shown: str) -> None:
    assert group(digits, "JP") == shown


def test_grouping_elsewhere() -> None:
    assert group("02079460123", "GB") == "020 7946 0123"
    assert group("2025550123", "US") == "(202) 555-0123"


def test_grouping_and_the_emergency_table_answer_at_once() -> None:
    numbers = [f"03123456{last:02d}" for last in range(100)]
    started = time.perf_counter()
    for digits in numbers:
        for end in range(1, len(digits) + 1):
            group.__wrapped__(digits[:end], "JP")
            is_emergency(digits[:end], "JP")
    assert (time.perf_counter() - started) / 1000 < 0.0002


@PATIENT
@given(st.text(max_size=40), st.sampled_from(["JP", "US", "GB", "DE", "XX", ""]), st.sampled_from(["", "03", "011"]))
def test_whatever_is_written_only_a_number_error_comes_out(text: str, country: str, area_code: str) -> None:
    for read in (parse, parse_cell):
        with suppress(NumberError):
            assert read(text, country, area_code)


@PATIENT
@given(st.text("0123456789*#", max_size=24), st.sampled_from(["JP", "US", "GB", "FR"]))
def test_whatever_is_keyed_has_an_answer(digits: str, country: str) -> None:
    number = keyed(digits, country)
    assert (number.kind is Kind.EMERGENCY) == is_emergency(digits, country)
    assert [digit for digit in group(digits, country) if digit in "0123456789*#"] == list(digits)
    if number.kind is not Kind.INVALID:
        assert set(number.dialled) <= set("0123456789#")
        assert parse(number.dialled, country).key == number.key


@PATIENT
@given(st.integers(0, 99), st.sampled_from(["03", "090"]), st.sampled_from(["", "184", "186"]))
def test_dialled_and_shown_lead_back_to_the_same_number(last: int, start: str, prefix: str) -> None:
    number = parse(f"{prefix}{start}123456{last:02d}")
    assert parse(number.shown) == number
    assert parse(number.dialled) == number


def test_every_number_of_our_tables_is_found_with_each_prefix() -> None:
    for table, holds in ((emergency.EMERGENCY, is_emergency), (emergency.SERVICE, is_service)):
        for country, numbers in table.items():
            for prefix in ("", *emergency.CLI_PREFIXES.get(country, ())):
                assert all(holds(prefix + digits, country) for digits in numbers)
    for country in emergency.EMERGENCY:
        assert not emergency.EMERGENCY[country] & emergency.SERVICE.get(country, frozenset())
