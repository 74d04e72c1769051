"""Call lists as people and spreadsheets make them: what is taken, what is not, and why."""

import codecs
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import listfile
from firmware.listfile import ListFile, ListFileError, read
from firmware.numbers import Kind

DATA = Path(__file__).parent.parent / "data"
HEADER = "氏名,フリガナ,電話番号,電話番号2,生年月日,備考\n"


@pytest.fixture
def listed(tmp_path: Path):
    """Read a list from text or bytes."""

    def read_it(content: str | bytes, encoding: str = "utf-8", **where: str) -> ListFile:
        path = tmp_path / "list.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return read(path, **where)

    return read_it


def names(found: ListFile) -> list[str]:
    return [entry.name for entry in found.entries]


def reasons(found: ListFile) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in found.rejected]


def test_a_row_becomes_a_customer(listed) -> None:
    row = "川口 一郎,カワグチ イチロウ,090-1234-5603,03-1234-5643,1961-04-12,ゆっくり話す\n"
    (entry,) = listed(HEADER + row).entries
    assert (entry.row, entry.name, entry.reading) == (1, "川口 一郎", "カワグチ イチロウ")
    assert [number.dialled for number in entry.numbers] == ["09012345603", "0312345643"]
    assert (entry.identifier, entry.note, entry.remarks) == ("1961-04-12", "ゆっくり話す", ())


TABLE = HEADER + "表屋 能一,ソヤ,03-1234-5601,,,ー～\n髙﨑 ﾊﾅ,タカサキ ハナ,０３－１２３４－５６０２,,,①\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("encoding", "bom", "name"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8-sig"),
        ("cp932", b"", "cp932"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
        ("utf-16-le", b"", "utf-16-le"),
    ],
)
def test_encodings_delimiters_and_line_ends(
    listed, *, delimiter: str, ending: str, encoding: str, bom: bytes, name: str
) -> None:
    text = TABLE.replace(",", delimiter).replace("\n", ending)
    found = listed(bom + text.encode(encoding))
    assert names(found) == ["表屋 能一", "髙﨑 ﾊﾅ"]
    assert [entry.numbers[0].shown for entry in found.entries] == ["03-1234-5601", "03-1234-5602"]
    assert (found.encoding, found.rejected) == (name, ())


@pytest.mark.parametrize(
    "header",
    [
        "氏名,フリガナ,電話番号,メモ",
        "お名前,よみ,TEL,備考",
        "会社名,カナ,ＴＥＬ,摘要",
        "顧客名,ふりがな,連絡先,特記事項",
        '"名前","ヨミガナ","電話番号（必須）","備考"',
        "Name,Reading,Phone,Note",
        "customer_name,kana,phone number,comments",
        "Company,Furigana,Tel.,Remarks",
    ],
)
def test_header_names(listed, header: str) -> None:
    (entry,) = listed(f"{header}\n青葉クリニック,アオバ,03-1234-5602,午後\n").entries
    assert (entry.name, entry.reading, entry.note) == ("青葉クリニック", "アオバ", "午後")


def test_columns_in_any_order_and_columns_of_no_concern(listed) -> None:
    text = "No,FAX,携帯電話,担当,会社名,担当者名,住所\n7,03-1234-5699,090-1234-5603,x,中央青果,川口,大田区\n"
    (entry,) = listed(text).entries
    assert (entry.name, entry.identifier) == ("中央青果 川口", "大田区")
    assert [number.dialled for number in entry.numbers] == ["09012345603"]


def test_titles_above_the_header(listed) -> None:
    found = listed("春の案内,,\n\n2026年11月,,\n氏名,電話番号,備考\n川口,090-1234-5603,\n")
    assert names(found) == ["川口"]


@pytest.mark.parametrize(
    ("marker", "sample"),
    [
        ("# sample\n", True),
        ("#SAMPLE: invented,,\n", True),
        ("# 見本\n", True),
        ("# spring\n# sample\n", True),
        ("# no example\n", False),
        ("", False),
    ],
)
def test_the_mark_of_a_sample_list(listed, marker: str, sample: bool) -> None:
    found = listed(marker + "name,phone\nA,03-1234-5601\n")
    assert (found.sample, names(found)) == (sample, ["A"])


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "no-number"),
        ("なし", "no-number"),
        ("3.12345678E+08", "scientific"),
        ("03-1234-56", "too-short"),
        ("03-1234-56012", "too-long"),
        ("5551234", "local-only"),
        ("call me", "letters"),
        ("0033-03-1234-5601", "carrier-prefix"),
        ("*21*0312345601#", "supplementary"),
        ("110", "emergency"),
        ("184-119", "emergency"),
        ("118", "emergency"),
        ("171", "service"),
        ("#7119", "service"),
        ("0990-123-456", "barred"),
        ("020-1234-5678", "barred"),
        ("+1 202 555 0123", "barred"),
    ],
)
def test_rows_without_a_number_to_call(listed, cell: str, reason: str) -> None:
    found = listed(f"氏名,電話番号\n青葉,03-1234-5602\n川口,{cell}\n中央,03-1234-5604\n")
    assert names(found) == ["青葉", "中央"]
    assert [entry.row for entry in found.entries] == [1, 3]
    (rejected,) = found.rejected
    assert (rejected.line, rejected.reason, rejected.cells) == (3, reason, ("川口", cell))
    assert rejected.text


@pytest.mark.parametrize(
    ("cell", "remark"),
    [
        ("312345601", "zero-restored"),
        ("011-123-4567", "uncertain"),
        ("0120-123-456", "toll-free"),
        ("0570-012-345", "shared-cost"),
        ("03-1234-5601、110", "emergency"),
        ("03-1234-5601 / 0990-123-456", "barred"),
    ],
)
def test_numbers_to_look_at_are_taken_with_a_remark(listed, cell: str, remark: str) -> None:
    (entry,) = listed(f"氏名,電話番号\n川口,{cell}\n").entries
    assert remark in entry.remarks
    assert all(number.kind is not Kind.EMERGENCY for number in entry.numbers)


def test_the_booths_area_code_completes_local_numbers(listed) -> None:
    (entry,) = listed("氏名,電話番号\n川口,1234-5601\n", area_code="03").entries
    assert entry.numbers[0].dialled == "0312345601"


def test_a_number_is_kept_once(listed) -> None:
    text = "氏名,電話番号,電話番号2\nA,03-1234-5601,\nB,０３１２３４５６０１,\nC,184-0312345601,090-1234-5603\nD,03-1234-5604,\n"
    found = listed(text)
    assert names(found) == ["A", "C", "D"]
    assert [number.dialled for number in found.entries[1].numbers] == ["09012345603"]
    assert "duplicate" in found.entries[1].remarks
    assert reasons(found) == [(3, "duplicate")]
    assert found.rejected[0].text == "line 2 has this number already"


def test_a_customer_without_a_name_is_named_by_reading_or_number(listed) -> None:
    found = listed("氏名,カナ,電話番号\n,カワグチ,090-1234-5603\n,,03-1234-5601\n")
    assert names(found) == ["カワグチ", "03-1234-5601"]


def test_cells_with_commas_quotes_and_line_ends(listed) -> None:
    found = listed('氏名,電話番号,備考\n"A, ""B""\n支店","03-1234-5601\n090-1234-5603",x\nC,03-1234-5604,\n')
    assert names(found) == ['A, "B" 支店', "C"]
    assert len(found.entries[0].numbers) == 2
    assert found.rejected == ()


@pytest.mark.parametrize(
    "broken", ['"B,03-1234-5602,', '"B"x,03-1234-5602,', '"B" "b",03-1234-5602,', 'B,03-1234-5602,"memo', '"']
)
def test_a_broken_quotation_costs_one_row(listed, broken: str) -> None:
    found = listed(f'氏名,電話番号,備考\nA,03-1234-5601,\n{broken}\n"C",03-1234-5603,"x"\nD,03-1234-5604,"y"\n')
    assert names(found) == ["A", "C", "D"]
    assert reasons(found) == [(3, "broken-quotes")]
    assert found.rejected[0].cells == (broken,)


def test_a_quotation_that_swallows_the_next_row_is_broken(listed) -> None:
    found = listed('氏名,電話番号,備考\nA,03-1234-5601,"\nB,03-1234-5602",y\nC,03-1234-5603,\n')
    assert names(found) == ["C"]
    assert reasons(found) == [(2, "broken-quotes"), (3, "unreadable")]


def test_a_quotation_mark_inside_a_name_is_just_that(listed) -> None:
    assert names(listed('氏名,電話番号\nA "the great,03-1234-5601\n')) == ['A "the great']


def test_empty_rows_are_told_unless_they_end_the_file(listed) -> None:
    found = listed("氏名,電話番号\nA,03-1234-5601\n,\n\nB,03-1234-5602\n,\n,,\n\n")
    assert names(found) == ["A", "B"]
    assert reasons(found) == [(3, "empty-row"), (4, "empty-row")]


@pytest.mark.parametrize(
    "torn",
    ["川口 一", "川口,カワグ", "川口,カワグチ,090-12", "川口,カワグチ,090-1234-5603,,1961", '"川口,カワグチ,090-123'],
)
def test_a_last_line_that_was_not_written_to_its_end_is_told(listed, torn: str) -> None:
    found = listed(HEADER + "A,エー,03-1234-5601,,,\n" + torn)
    assert names(found) == ["A"]
    assert reasons(found) == [(3, "torn")]


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "utf-16"])
def test_a_list_cut_at_any_byte_keeps_its_whole_rows(listed, encoding: str) -> None:
    text = "氏名,電話番号,備考\n青葉,03-1234-5602,午後\n川口,090-1234-5603,ゆっくり\n"
    data = text.encode(encoding)
    whole = len("氏名,電話番号,備考\n青葉,03-1234-5602,午後\n".encode(encoding))
    for cut in range(whole, len(data)):
        found = listed(data[:cut])
        assert names(found)[:1] == ["青葉"]
        assert len(found.entries) + len(found.rejected) == (1 if cut == whole else 2)


def test_a_damaged_letter_costs_its_row_alone(listed) -> None:
    good = "".join(f"顧客{last},03-1234-56{last:02d}\n" for last in range(60))
    data = bytearray(("氏名,電話番号\n" + good).encode())
    spot = data.index("顧客30".encode())
    data[spot] = 0xFF
    found = listed(bytes(data))
    assert len(found.entries) == 59
    assert reasons(found) == [(32, "unreadable")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\n", "empty"),
        (b"PK\x03\x04\x14\x00\x06\x00", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook"),
        (b"\x7fELF\x02\x01\x01" + bytes(9) + bytes(range(99)), "binary"),
        (bytes(range(256)) * 4, "binary"),
        (b"\x81\xff" * 150, "encoding"),
        ("川口,090-1234-5603\n青葉,03-1234-5602\n".encode(), "no-header"),
        ("川口,090-1234-5603\n".encode("cp932"), "no-header"),
        (b"name,address\nA,B\n", "no-header"),
        (b"phone\n0312345601\n", "no-header"),
        (b"# sample\n", "no-header"),
        (b'"name,phone\nA,1\n', "no-header"),
    ],
)
def test_a_file_that_is_no_call_list(listed, data: bytes, reason: str) -> None:
    with pytest.raises(ListFileError) as refused:
        listed(data)
    assert refused.value.reason == reason
    if reason == "no-header":
        assert "氏名" in str(refused.value)
        assert "phone" in str(refused.value)


def test_a_file_beyond_all_measure(listed, monkeypatch) -> None:
    monkeypatch.setattr(listfile, "LARGEST", 100)
    with pytest.raises(ListFileError) as refused:
        listed(b"name,phone\n" * 10)
    assert refused.value.reason == "too-large"


def test_a_header_alone_is_a_list_without_customers(listed) -> None:
    found = listed(HEADER)
    assert (found.entries, found.rejected) == ((), ())


def test_the_broken_list_of_the_demonstration() -> None:
    found = read(DATA / "sample-broken.csv")
    assert (found.encoding, found.sample) == ("cp932", True)
    assert names(found) == ["株式会社ミズホ設備", "川口 一郎", "すみれ保育園", "佐藤 花子", "佐藤 花子", "渡辺 和夫"]
    assert [row.reason for row in found.rejected] == [
        *("scientific", "no-number", "duplicate", "emergency", "service", "barred", "broken-quotes"),
        *("empty-row", "too-short", "carrier-prefix", "torn"),
    ]


@settings(deadline=None)
@given(data=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: (HEADER + text).encode()))
def test_whatever_is_in_the_file_only_a_list_file_error_comes_out(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "anything.csv"
    path.write_bytes(data)
    with suppress(ListFileError):
        assert all(entry.numbers for entry in read(path).entries)


def many(path: Path, count: int) -> Path:
    # No number of Tokyo begins with 0: nobody has these.
    rows = (f"顧客 {row},コキャク,03-{row // 10000:04d}-{row % 10000:04d},,,\n" for row in range(count))
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "count", [pytest.param(2_000), pytest.param(100_000, marks=pytest.mark.soak)], ids=["few", "many"]
)
def test_long_lists_are_read_quickly(tmp_path: Path, count: int) -> None:
    path = many(tmp_path / "long.csv", count)
    started = time.process_time()
    found = read(path)
    seconds = time.process_time() - started
    print(f"{count} rows: {seconds:.2f} s")
    assert len(found.entries) == count
    assert seconds < count * 0.0005
