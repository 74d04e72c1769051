import re
import threading
from urllib.parse import urlencode

import pytest

from provisioning.server.pages.calls import PER_PAGE
from provisioning.server.pages.filters import Filter

MINUTE, DAY = 60.0, 86400.0


def ids(answer):
    return re.findall(r'<tr id="call-([0-9a-f-]+)"', answer.text)


@pytest.fixture
def calls(office, customer):
    """Four calls, the newest first."""
    one, two = office.booth("1"), office.booth("2")
    number = {"key": "+819012345603", "shown": "090-1234-5603"}
    dated = {"version": 1, "code": "CB", "due": office.now + DAY, "note": "午前中に"}
    return [
        office.call(one, at=office.now - MINUTE, customer=customer("青葉クリニック", "アオバクリニック")),
        office.call(two, at=office.now - 120, code="REF", agent="OP03", number=number, customer=customer("川口 一郎")),
        office.call(one, at=office.now - DAY, result=dated, customer=customer("Café 100%", list_name="秋の案内")),
        office.call(two, at=office.now - 8 * DAY, code="", customer=None, agent="OP11", reason="off-list", talk=0.0),
    ]


def test_an_office_without_calls_says_what_to_do(sv):
    assert "通話はまだありません 結果を入力して数秒後" in sv.words(sv.get("/calls"))


def test_the_newest_call_comes_first_with_its_words(calls, sv):
    page = sv.get("/calls")
    assert ids(page) == calls
    said = sv.words(page)
    assert "14:31 青葉クリニック 03-1234-5601 ブース1 · OP07 2:31 成約 許可" in said
    assert "14:30 川口 一郎 090-1234-5603 ブース2 · OP03 2:31 断り 許可" in said
    assert "再架電 明日 14:32" in said
    assert "リスト外" in said
    assert "今日の架電 2 件 · 応答あり 2 件（架電の 100 %）" in said


@pytest.mark.usefixtures("calls")
def test_the_same_page_in_english(sv):
    said = sv.words(sv.get("/calls?lang=en"))
    assert "14:31 青葉クリニック 03-1234-5601 Booth 1 · OP07 2:31 Sale allowed" in said
    assert "Dials today: 2" in said


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"text": "青葉"}, [0]),
        ({"text": "あおば"}, [0]),  # a reading, however it is typed
        ({"text": "アオバ"}, [0]),
        ({"text": "ｱｵﾊﾞ"}, [0]),
        ({"text": "090-1234-5603"}, [1]),
        ({"text": "09012345603"}, [1]),
        ({"text": "+819012345603"}, [1]),
        ({"text": "5603"}, [1]),
        ({"text": "午前中"}, [2]),
        ({"text": "CAFÉ"}, []),  # SQLite folds only ASCII letters
        ({"text": "afé 100%"}, [2]),
        ({"text": "100_"}, []),  # no wildcard of the database
        ({"text": "' OR 1=1 --"}, []),
        ({"list": "秋の案内"}, [2]),
        ({"agent": "OP03"}, [1]),
        ({"result": "REF"}, [1]),
        ({"result": "none"}, [3]),
        ({"period": "today"}, [0, 1]),
        ({"period": "yesterday"}, [2]),
        ({"period": "week"}, [0, 1, 2]),
        ({"period": "month"}, [0, 1, 2, 3]),
        ({"since": "2026-11-14", "until": "2026-11-21"}, [2, 3]),
        ({"since": "2026-11-22", "period": "month"}, [0, 1]),
        ({"since": "yesterday"}, [0, 1, 2, 3]),
        ({"period": "today", "result": "SALE", "agent": "OP07", "text": "青葉 アオバ"}, [0]),
    ],
)
def test_a_filter_leaves_what_fits(calls, sv, asked, found):
    page = sv.get(f"/calls?{urlencode(asked)}")
    assert ids(page) == [calls[place] for place in found]


def test_a_filter_by_booth(calls, office, sv):
    booth = office.row("SELECT id FROM booth WHERE name = '2'").id
    page = sv.get(f"/calls?booth={booth}")
    assert ids(page) == [calls[1], calls[3]]
    assert f'<option value="{booth}" selected>ブース2</option>' in page.text


@pytest.mark.usefixtures("calls")
def test_a_filter_that_nothing_fits_shows_the_way_out(sv):
    assert "条件に合う通話はありません すべての通話を表示" in sv.words(sv.get("/calls?text=xyz"))


def test_a_filter_is_an_address_that_says_itself():
    asked = Filter.asked({"text": " 川口 ", "period": "ever", "since": "2026-02-30", "agent": "OP03", "what": "?"})
    assert asked == Filter(text="川口", agent="OP03")
    assert asked.query(before="1.5_a") == "text=%E5%B7%9D%E5%8F%A3&agent=OP03&before=1.5_a"


@pytest.mark.parametrize("strays", [0, 1])
def test_pages_follow_one_another_without_gap_or_double(office, sv, strays):
    one = office.booth("1")
    count = 2 * PER_PAGE + strays
    made = [office.call(one, at=office.now - 60 * (number // 7)) for number in range(count)]  # many at one moment
    seen, page = [], sv.get("/calls")
    pages = [page]
    while older := re.search(r'rel="next" href="([^"]*)"', page.text):
        page = sv.get(older.group(1).replace("&amp;", "&"))
        pages.append(page)
    seen = [call for each in pages for call in ids(each)]
    assert len(seen) == len(set(seen)) == count
    assert set(seen) == set(made)
    back = re.search(r'rel="prev" href="([^"]*)"', pages[1].text).group(1).replace("&amp;", "&")
    assert ids(sv.get(back)) == ids(pages[0])
    assert 'rel="prev"' not in pages[0].text


def test_a_new_call_moves_no_page_that_is_being_read(office, sv):
    one = office.booth("1")
    for number in range(PER_PAGE + 5):
        office.call(one, at=office.now - 60 * number)
    older = re.search(r'rel="next" href="([^"]*)"', sv.get("/calls").text).group(1).replace("&amp;", "&")
    before = ids(sv.get(older))
    office.call(one, at=office.now + 60)
    assert ids(sv.get(older)) == before


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("asked", ["before=x", "before=nan_1", "after=1e400_1", "before=_", "after=-5_a"])
def test_a_broken_place_is_the_first_page(sv, asked):
    assert sv.get(f"/calls?{asked}").status_code == 200


def test_a_call_of_unknown_time_stands_where_it_came_in(office, sv):
    one = office.booth("1")
    office.call(one, at=office.now - 60)
    undated = office.call(one, at=None)
    page = sv.get("/calls")
    assert ids(page)[0] == undated
    assert "時刻不明" in sv.words(page)


def test_a_result_of_a_newer_booth_is_shown_as_its_code(office, sv):
    office.call(office.booth("1"), code="NEWER", decision={"verdict": "MAYBE", "reason": "MOON"})
    said = sv.words(sv.get("/calls"))
    assert "NEWER" in said


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\"' onmouseover=alert(1) x='", "</td></table><h1>"])
def test_names_and_notes_are_text_and_nothing_else(office, sv, customer, name):
    result = {"version": 1, "code": name[:20], "note": name, "whom": name, "clear": name, "due": None, "at": None}
    number = {"key": name, "shown": name}
    told = {"customer": customer(name, name, list_name=name), "result": result, "number": number, "reason": name}
    call_id = office.call(office.booth("1"), marks=[{"name": name, "seconds": 1.0}], **told)
    for path in ("/calls", f"/calls/{call_id}", f"/calls?{urlencode({'text': name})}"):
        page = sv.get(path)
        assert page.status_code == 200
        assert name in sv.words(page)
        assert not re.search(r"<script>|onmouseover=alert\(1\) x='[^&]|</td></table><h1>", page.text)


def wait_for_news(sv, path, heard):
    """Read a stream of news in a thread of its own."""

    def listen():
        with sv.client.stream("GET", path, timeout=20) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            heard.extend(line for line in stream.iter_lines() if line.startswith("event"))

    thread = threading.Thread(target=listen)
    thread.start()
    return thread


def live(page):
    return re.search(r'data-live="([^"]*)"', page.text).group(1).replace("&amp;", "&")


def test_a_call_that_comes_in_is_told_at_once(office, sv):
    one, heard = office.booth("1"), []
    listening = wait_for_news(sv, live(sv.get("/calls")), heard)
    office.call(one)
    listening.join(10)
    assert heard == ["event: changed"]


def test_what_came_between_page_and_stream_is_told_too(office, sv):
    one, heard = office.booth("1"), []
    address = live(sv.get("/calls"))
    call_id = office.call(one)
    wait_for_news(sv, address, heard).join(10)
    assert heard == ["event: changed"]
    address = live(sv.get("/calls"))
    office.recording(one, call_id)
    wait_for_news(sv, address, heard).join(10)
    assert len(heard) == 2


def test_news_are_for_who_is_logged_in_and_end_with_the_server(office, sv, browser):
    assert browser(name="").get("/calls/news").status_code == 303
    heard = []
    listening = wait_for_news(sv, live(sv.get("/calls")), heard)
    office.parts.bell.close()
    listening.join(10)
    assert not listening.is_alive()
    assert heard == []


@pytest.mark.usefixtures("calls")
def test_an_older_page_is_not_live(sv):
    assert "data-live" not in sv.get("/calls?before=1_a").text
