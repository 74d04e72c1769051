import csv
import io
import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from firmware import listfile
from firmware.listfile import Rejected
from firmware.numbers import parse
from provisioning.server.pages import reading
from provisioning.server.pages.calllist import REASONS, reject_said
from provisioning.server.pages.language import load
from provisioning.server.schema import call_list, rejected_row

SAMPLE = Path(__file__).parents[2] / "data" / "sample-broken.csv"
HEAD = "氏名,フリガナ,電話番号,備考\n"
GOOD = HEAD + "川口 一郎,カワグチ,090-1234-5603,午前\n青葉クリニック,アオバ,03-1234-5602 / 03-1234-5612,\n"


@pytest.fixture
def one(office):
    return office.booth("1")


def uploaded(sv, text, **more):
    """The id of a list that was taken in."""
    answer = sv.upload(text, **more)
    assert answer.status_code == 200, sv.words(answer)
    return answer.url.path.removeprefix("/lists/")


def given(office, one):
    """What the booth would now be handed out."""
    return {row.name: office.parts.lists.head(one, row.id) for row in office.parts.lists.names(one).lists}


def rows(office, one, name):
    head = given(office, one)[name]
    return b"".join(office.parts.lists.whole(head)).decode()


def test_an_office_without_lists_says_what_to_do(sv):
    assert "使用中のリストはありません 下で顧客の表をアップロードし" in sv.words(sv.get("/lists"))


def test_an_uploaded_list_reaches_the_booths_that_were_chosen(office, one, sv):
    two = office.booth("2")
    list_id = uploaded(sv, GOOD, booth=[one.id])
    page = sv.words(sv.get(f"/lists/{list_id}"))
    assert "春の案内 14:32 にアップロード" in page
    assert "1 川口 一郎 カワグチ 090-1234-5603 午前" in page
    assert "2 青葉クリニック アオバ 03-1234-5602 、 03-1234-5612" in page
    assert '"numbers":["03-1234-5602","03-1234-5612"]' in rows(office, one, "春の案内")
    assert given(office, two) == {}
    sv.post(f"/lists/{list_id}/assign", {"booth": [two.id]}, on=f"/lists/{list_id}")
    assert (list(given(office, one)), list(given(office, two))) == ([], ["春の案内"])
    assert "同じリストを複数のブース" not in sv.get(f"/lists/{list_id}").text
    sv.post(f"/lists/{list_id}/assign", {"booth": [one.id, two.id, "nobody"]}, on=f"/lists/{list_id}")
    assert "同じリストを複数のブース" in sv.get(f"/lists/{list_id}").text


@pytest.mark.parametrize("name", ["/etc/passwd.csv", "C:\\lists\\春の案内.csv", "春の案内.csv", ".csv"])
def test_a_list_is_called_as_its_file_unless_it_has_a_name(office, sv, name):
    uploaded(sv, GOOD, name=name)
    kept = office.row("SELECT name FROM list").name
    assert kept == {"/etc/passwd.csv": "passwd", ".csv": ".csv"}.get(name, "春の案内")


def test_no_two_lists_have_one_name(office, sv):
    for _ in range(3):
        uploaded(sv, GOOD, name="x.csv")
    with office.parts.database.read() as connection:
        assert sorted(connection.scalars(select(call_list.c.name))) == ["x", "x (2)", "x (3)"]


def test_a_sample_list_is_marked(office, one, sv):
    list_id = uploaded(sv, "# sample\n" + GOOD, booth=[one.id])
    assert "見本" in sv.words(sv.get("/lists"))
    assert given(office, one)["春の案内"].sample
    assert "見本" in sv.words(sv.get(f"/lists/{list_id}"))


def test_numbers_without_area_code_get_the_one_that_is_given(office, one, sv):
    text = HEAD + "近所,キンジョ,1234-5601,\n"
    list_id = uploaded(sv, text)
    assert "市外局番がありません" in sv.words(sv.get(f"/lists/{list_id}"))
    uploaded(sv, text, booth=[one.id], **{"area-code": "03", "name": "b.csv"})
    assert '"03-1234-5601"' in rows(office, one, "b")
    assert "0 から書いてください" in sv.words(sv.upload(text, **{"area-code": "3a"}))


def test_every_broken_row_is_kept_with_line_reason_and_text(office, sv):
    found = listfile.read(SAMPLE)
    list_id = uploaded(sv, SAMPLE.read_bytes(), name=SAMPLE.name)
    page = sv.get(f"/lists/{list_id}")
    said = sv.words(page)
    assert f"取り込めなかった行： {len(found.rejected)}".replace(" ", "") in said.replace(" ", "")
    assert office.row("SELECT count(*) AS n FROM list_row").n == len(found.entries)
    told = sv.get(f"/lists/{list_id}/rejected.csv")
    assert told.headers["content-disposition"] == 'attachment; filename="rejected.csv"'
    table = list(csv.reader(io.StringIO(told.content.decode("utf-8-sig"))))[1:]
    assert [int(line) for line, _, _ in table] == [one.line for one in found.rejected]
    for (_, reason, text), one in zip(table, found.rejected, strict=True):
        assert next(csv.reader(io.StringIO(text))) == list(one.cells)
        assert reason
    assert "行目と同じ番号です" in said
    assert "緊急通報の番号です" in said


def test_every_reason_has_words():
    reasons = set()
    for cell in (
        "",
        "a",
        "3.1E8",
        "03-1234-560",
        "03-1234-56011",
        "110",
        "171",
        "0990123456",
        "0033-03-1234-5601",
        "*21#",
    ):
        try:
            listfile.callable_numbers([cell], "JP", "")
        except listfile.RowError as fault:
            reasons.add(fault.reason)
    assert len(reasons) >= 8
    assert reasons <= set(REASONS)
    assert {one.reason for one in listfile.read(SAMPLE).rejected} <= set(REASONS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "ファイルが空です。"),
        (b"PK\x03\x04 and so on", "ブック形式のファイルです。"),
        (b"name only\nx\n", "1 行目に列の見出しが必要です。"),
        (bytes(range(256)) * 4, "テキストのファイルではありません。"),
    ],
)
def test_a_file_that_is_no_list_says_why_and_leaves_nothing(office, sv, content, said):
    answer = sv.upload(content)
    assert answer.status_code in {400, 404}  # the latter if it was found out while the browser went on
    assert said in sv.words(answer)
    assert office.row("SELECT count(*) AS n FROM list").n == 0


BROKEN = {  # a cell for each reason; a row that is empty, and one that breaks off, stand elsewhere
    "no-number": "",
    "letters": "abc",
    "scientific": "3.12345602E+08",
    "too-short": "03-1234-560",
    "too-long": "03-1234-56011",
    "emergency": "110",
    "service": "171",
    "barred": "0990-123-456",
    "carrier-prefix": "0033-03-1234-5611",
    "supplementary": "*21#",
    "local-only": "1234-5601",
    "duplicate": "03-0000-0000",
    "unreadable": "03-1234-56\ufffd1",
    "broken-quotes": '"03-1234-5601',
}


def long_list(count):
    """A list of so many rows, every twentieth of them broken, each in another way; and how often each reason comes."""
    kinds, expected, lines = [*BROKEN, "empty-row"], Counter(), []
    for at in range(count):
        kind = kinds[at // 20 % len(kinds)] if at % 20 == 19 else "good"
        cell = BROKEN.get(kind, f"03{at:08d}")  # no number of Tokyo begins with 0
        lines.append(",,," if kind == "empty-row" else f"顧客 {at},コキャク,{cell},")
        expected[kind] += 1
    return HEAD + "\n".join(lines) + '\n最後,サイゴ,"03-12', expected | {"torn": 1}


@pytest.mark.slow
@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_a_long_list_with_every_kind_of_broken_row(office, one, sv, count):
    text, expected = long_list(count)
    begun = time.monotonic()
    list_id = uploaded(sv, text, booth=[one.id])
    print(f"{count} rows read in {time.monotonic() - begun:.1f} s")
    table = list(csv.reader(io.StringIO(sv.get(f"/lists/{list_id}/rejected.csv").content.decode("utf-8-sig"))))[1:]
    with office.parts.database.read() as connection:
        kept = connection.scalars(select(rejected_row.c.reason).where(rejected_row.c.list == list_id)).all()
    assert Counter(reason.partition(":")[0] for reason in kept) | {"good": expected["good"]} == expected
    assert len(table) == len(kept)
    assert office.row("SELECT count(*) AS n FROM list_row").n == expected["good"]
    assert rows(office, one, "春の案内").count('"row":') == expected["good"]
    said = sv.words(sv.get(f"/lists/{list_id}"))
    assert [why for one in set(kept[:100]) if (why := reject_said(one, load("ja"))) not in said] == []


def test_a_form_without_a_file_says_so(sv):
    assert "先にファイルを選んでください。" in sv.words(sv.upload(b"", name=""))


def test_a_list_whose_every_row_is_broken_is_kept_to_be_seen(sv):
    list_id = uploaded(sv, HEAD + "警察,,110,\n")
    said = sv.words(sv.get(f"/lists/{list_id}"))
    assert "取り込めた行がありません。" in said
    assert "警察,,110," in said


def test_an_upload_can_be_undone(office, one, sv):
    list_id = uploaded(sv, GOOD, booth=[one.id])
    question = sv.get(f"/lists/{list_id}/undo")
    assert "「春の案内」のアップロードを取り消しますか？ 顧客 2 件" in sv.words(question)
    done = sv.post(f"/lists/{list_id}/undo", on=f"/lists/{list_id}/undo")
    assert done.headers["location"] == "/lists?done=undone"
    assert given(office, one) == {}
    for table in ("list", "list_row", "rejected_row", "assignment"):
        assert office.row(f"SELECT count(*) AS n FROM {table}").n == 0
    assert sv.get(f"/lists/{list_id}").status_code == 404
    assert sv.post(f"/lists/{list_id}/undo", on="/lists").status_code == 404  # the other tab


def test_a_list_that_was_called_can_only_be_put_away(office, one, sv, customer):
    list_id = uploaded(sv, GOOD, booth=[one.id])
    office.call(one, customer=customer("川口 一郎", row=1, call_list=list_id))
    assert "/undo" not in sv.get(f"/lists/{list_id}").text
    refused = sv.post(f"/lists/{list_id}/undo", on="/lists")
    assert refused.status_code == 409
    assert "すでに架電しています" in sv.words(refused)
    sv.post(f"/lists/{list_id}/put-away", on="/lists")
    assert given(office, one) == {}
    assert "しまったリスト：1 春の案内 14:32 にしまいました" in sv.words(sv.get("/lists"))
    sv.post(f"/lists/{list_id}/restore", on="/lists")
    assert list(given(office, one)) == ["春の案内"]


def test_progress_counts_customers_and_not_calls(office, one, sv, customer):
    list_id = uploaded(sv, GOOD, booth=[one.id])
    for row, code in ((1, "NOANS"), (1, "SALE"), (2, "BUSY"), (2, "NOANS")):
        office.call(one, code=code, customer=customer("x", row=row, call_list=list_id))
    office.call(one, code="SALE", customer=customer("elsewhere", row=9))
    assert "架電 2、完了 1" in sv.words(sv.get("/lists"))


@pytest.mark.slow
def test_a_list_is_nobodys_until_all_of_it_is_there(office, one, sv):
    with office.app.state.office.uploads._one:  # as if another file were being read
        file = {"file": ("春の案内.csv", GOOD.encode())}
        list_id = sv.post("/lists", {"booth": [one.id]}, on="/lists", files=file).headers["location"].split("/")[-1]
        page = sv.get(f"/lists/{list_id}")
        assert "ファイルを読み込んでいます" in sv.words(page)
        assert "data-until-gone" in page.text
        assert "読み込み中" in sv.words(sv.get("/lists"))
        assert given(office, one) == {}
        assert sv.post(f"/lists/{list_id}/assign", {"booth": [one.id]}, on="/lists").status_code == 409
        assert sv.post(f"/lists/{list_id}/undo", on="/lists").status_code == 409
    office.read_lists()
    assert list(given(office, one)) == ["春の案内"]


def test_the_reader_tells_how_far_it_is(tmp_path):
    file = tmp_path / "list.csv"
    file.write_text(HEAD + "".join(f"顧客 {at},,03{at:08d},\n" for at in range(3_500)), encoding="utf-8")
    command = [sys.executable, "-m", reading.__name__, str(file), ""]
    lines = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.splitlines()
    told = [json.loads(line) for line in lines]
    assert [message["at"] for message in told if "at" in message] == [1001, 2001, 3001]
    assert sum(len(message.get("rows", ())) for message in told) == 3_500


def test_a_reading_that_was_interrupted_says_so_and_can_be_undone(office, sv, new_id):
    list_id = new_id()
    office.add(call_list, id=list_id, name="half", revision=0, created=office.now)
    assert "読み込みが中断しました" in sv.words(sv.get(f"/lists/{list_id}"))
    assert sv.post(f"/lists/{list_id}/undo", on="/lists").status_code == 303


def test_customers_come_in_pages(sv):
    text = HEAD + "".join(f"顧客 {at},,03-1234-56{at:02d},\n" for at in range(100)) + "最後,,090-1234-5600,\n"
    list_id = uploaded(sv, text)
    first = sv.get(f"/lists/{list_id}")
    assert "最後" not in sv.words(first)
    assert "最後" in sv.words(sv.get(f"/lists/{list_id}{re.search('href=.([?]after=[0-9]+)', first.text).group(1)}"))
    assert sv.get(f"/lists/{list_id}?after=x").status_code == 200


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "=HYPERLINK(1)", "'\"><svg onload=alert(1)>"])
def test_what_is_in_a_file_is_text_and_nothing_else(sv, name):
    quoted = '"' + name.replace('"', '""') + '"'
    text = HEAD + f"{quoted},{quoted},03-1234-5601,{quoted}\n{quoted},,110,\n"
    list_id = uploaded(sv, text, name=f"{name}.csv")
    page = sv.get(f"/lists/{list_id}")
    assert sv.words(page).count(name) >= 3
    assert not re.search(r"<script>|<svg", page.text)
    told = sv.get(f"/lists/{list_id}/rejected.csv").content.decode("utf-8-sig")
    assert not re.search(r'(^|,)"?=', told, re.MULTILINE)


def test_what_the_reader_tells_fits_what_the_booth_reads(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(HEAD + "a,,184-03-1234-5601 内線12,\nb,,0422-12-3456,\nc,,312345605,\n", encoding="utf-8")
    head, body = reading.messages(listfile.read(path))
    assert head["entries"] == 3
    for row in body["rows"]:
        assert [parse(number).key for number in row["numbers"]] == row["keys"]


def test_a_rejected_row_is_written_as_it_stands():
    told = reading._rejected(Rejected(9, "duplicate", "line 34 has this number already", ("a", 'b"c', "d,e")))
    assert told == {"line": 9, "reason": "duplicate:34", "text": 'a,"b""c","d,e"'}
