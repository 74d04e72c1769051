import pytest

from firmware.known import FactKind, Rules
from firmware.numbers import parse
from firmware.redial import Reason, Rulebook, decide, written
from firmware.screens.verdicts import verdicts
from provisioning.faults import SAID, Fault, Flaw, plain
from provisioning.server.pages import knowledge
from provisioning.server.pages.language import load
from provisioning.server.schema import memo, recording

HOUR, DAY = 3600.0, 86400.0
KEY = "+81312345601"


@pytest.fixture
def one(office):
    return office.booth("1")


def marks(*pairs):
    return [{"name": name, "seconds": seconds, "at": None, "boot": "b", "monotonic": 108.0} for name, seconds in pairs]


def known(office, number=KEY):
    with office.parts.database.read() as connection:
        return knowledge.of_number(connection, number)


def test_a_call_tells_its_whole_story(office, one, sv):
    told = marks(("answered", 0.0), ("tick-who", 4.0), ("promise-3", 9.0), ("refusal", 20.0), ("ended", 24.0))
    result = {
        "version": 2,
        "code": "REF",
        "due": None,
        "whom": "family",
        "clear": "no",
        "note": "もう結構です",
        "at": None,
    }
    earlier = [{"version": 1, "code": "WARM", "at": office.now - 5}]
    call_id = office.call(one, marks=told, result=result, earlier_results=earlier, talk=24.0)
    office.recording(one, call_id, seconds=34.0, answer=10.0)
    said = sv.words(sv.get(f"/calls/{call_id}"))
    for part in (
        "株式会社ミズホ設備 ミズホセツビ · 03-1234-5601",
        "ブース1 · OP07 · 春の案内 No. 1",
        "結果 断り",
        "切断 先方切断",
        "応答まで 8秒",
        "お約束 3 分 · 守られました",
        "相手 家族",
        "メモ もう結構です",
        "訂正前 見込み 14:31",
        "発信前の判定 許可",
        "0:04 名乗り 0:09 お約束 3 分 0:20 断り発言",
        "✓ 封印・照合済み",
    ):
        assert part in said, part


def test_a_call_says_what_is_only_likely(office, one, sv):
    """On an analog line nobody tells when the far end answered, nor who hung up; a payphone shows no number."""
    guessed = office.call(one, talk=151.0, estimated=True, sure=False)
    said = sv.words(sv.get(f"/calls/{guessed}"))
    assert "切断 おそらく先方切断" in said
    assert "通話 約2:31（推定：" in said
    known = sv.words(sv.get(f"/calls/{office.call(one, talk=151.0)}"))
    assert "切断 先方切断" in known
    assert "推定" not in known
    nobody = {"key": "", "shown": "", "dialled": "", "kind": "INVALID"}
    for _ in range(2):
        hidden = office.call(one, incoming=True, number=nobody, customer=None, hidden="PAYPHONE", decision=None)
    page = sv.get(f"/calls/{hidden}")
    assert "番号 公衆電話" in sv.words(page)
    assert 'href="/numbers/"' not in page.text
    table = sv.words(sv.get("/calls"))
    assert "公衆電話" in table
    assert "約2:31" in table


def test_marks_are_heard_where_they_were_set(office, one, sv):
    told = marks(
        ("answered", 0.0), ("complaint", 5.0), ("pause", 10.0), ("help", 15.0), ("resume", 20.0), ("refusal", 30.0)
    )
    told += marks(("-complaint", 31.0), ("identity", 32.0))
    call_id = office.call(one, marks=told)
    office.recording(one, call_id, answer=2.0)
    page = sv.get(f"/calls/{call_id}").text
    found = [float(part.split('"')[0]) for part in page.split('data-seconds="')[2:]]
    assert found == [12.0, 12.0, 22.0, 24.0]  # pause, help in it, refusal and identity after ten seconds left out


def test_the_guards_words_come_with_their_evidence(office, one, sv):
    earlier = office.fact(one, "contact", KEY, at=office.now - HOUR, note="talk", result="CB")
    override = office.fact(one, "override", KEY, at=office.now - 60, note="asked")
    decision = {"verdict": "ALLOW", "reason": "OVERRIDDEN", "evidence": [override, earlier], "considered": ["FREE"]}
    call_id = office.call(one, decision=decision)
    said = sv.words(sv.get(f"/calls/{call_id}"))
    assert "発信前の判定 管理者が許可" in said
    assert "根拠 14:31 ブース1 OP07 管理者が許可 · お客様のご希望" in said
    assert "13:32 ブース1 OP07 人が応答 · 再架電" in said
    assert "管理者が許可" in sv.words(sv.get("/calls"))


def test_a_packs_rule_names_its_law_in_both_languages(office, one, sv):
    decision = verdicts(KEY, office.now)["often"]
    call_id = office.call(one, decision=written(decision))
    for language, rule, source in (
        ("ja", "一定の期間に一人に架けられる回数は", decision.rule.source.ja),
        ("en", "The law limits how often", decision.rule.source.en),
    ):
        said = sv.words(sv.get(f"/calls/{call_id}?lang={language}"))
        assert rule in said
        assert f"({source})" in said


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("off-list", {"ja": "リスト外", "en": "not on the list"}),
        ("off-list-missed", {"ja": "リスト外: 着信への折り返し", "en": "not on the list: Returning a missed call"}),
        ("off-list-staff", {"ja": "リスト外: 社内・取引先", "en": "not on the list: Colleague or supplier"}),
        ("service", {"ja": "公共サービス番号", "en": "service number"}),
        ("of-a-newer-booth", {"ja": "of-a-newer-booth", "en": "of-a-newer-booth"}),
    ],
)
def test_why_somebody_off_the_list_was_called_is_said(office, one, sv, reason, said):
    call_id = office.call(one, customer=None, reason=reason)
    for language, words in said.items():
        assert words in sv.words(sv.get(f"/calls/{call_id}?lang={language}"))


def test_an_older_booths_decision_has_no_rule_of_its_own(office, one, sv):
    decision = written(verdicts(KEY, office.now)["often"])
    for rule in (None, {}, {"pack": "us-regf"}, {"pack": "x", "rule": "y", "source": "z", "most": 1, "span": 2.0}):
        call_id = office.call(one, decision=decision | {"rule": rule})
        page = sv.get(f"/calls/{call_id}")
        assert page.status_code == 200
        assert "発信前の判定" in sv.words(page)


def test_a_warning_and_a_decision_of_a_newer_booth(office, one, sv):
    warned = office.call(one, decision={"verdict": "WARN", "reason": "TOLL_FREE", "evidence": ["gone"]})
    assert "警告のうえ発信" in sv.words(sv.get(f"/calls/{warned}"))
    newer = office.call(one, decision={"verdict": "ALLOW", "reason": "MOONLIGHT"})
    assert "ブースから判定の記録は届いていません。" in sv.words(sv.get(f"/calls/{newer}"))


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            {"answered": False, "recording": None, "cause": "BUSY", "by": "LINE"},
            "応答がなかったため、録音はありません。",
        ),
        ({"emergency": True, "recording": None}, "緊急通話は録音しません。"),
        ({"recording": {"talk": 80.0}}, "未着 ブースのカードに 1:20 の録音が封印されています。"),
        ({"recording": None}, "録音なし ブースはこの通話を録音できませんでした。"),
    ],
)
def test_a_call_without_sound_says_why(office, one, sv, record, said):
    page = sv.get(f"/calls/{office.call(one, **record)}")
    assert said in sv.words(page)
    assert "<audio" not in page.text


@pytest.mark.parametrize(
    ("state", "said", "plays"),
    [
        ("partial", "受信中 録音を受信中です（12 kB 到着）。", False),
        ("taken", "処理中 録音は届いています。再生の準備をしています。", False),
        ("torn", "一部欠け", True),
        ("refused", "開けません この録音は開けません。", False),
        ("whole", "封印・照合済み", True),
    ],
)
def test_a_recordings_state_is_said(office, sv, state, said, plays):
    one = office.booth("1")
    call_id = office.call(one)
    wrong = state in {"torn", "refused"}
    office.recording(one, call_id, state=state, problem="missing 3 2" if wrong else "")
    page = sv.get(f"/calls/{call_id}")
    assert said in sv.words(page)
    assert ("<audio controls" in page.text) is plays
    assert ("欠けた区間：2 件（区間 3 から）。" in page.text) is wrong
    assert ("0:04 欠け：約4秒" in sv.words(page)) is (state == "torn")
    assert ("(一部欠け)" in sv.words(sv.get("/calls"))) is (state == "torn")
    assert ("data-until-gone" in page.text) is (state in {"partial", "taken"})


def test_every_fault_of_a_recording_is_said_in_both_languages(office, one, sv):
    call_id = office.call(one)
    every = [Fault(flaw, 7, 9) for flaw in Flaw]
    office.recording(one, call_id, state="torn", problem=plain(every))
    japanese, english = (sv.words(sv.get(f"/calls/{call_id}?lang={language}")) for language in ("ja", "en"))
    assert all(fault.detail in english for fault in every)
    assert not any(fault.detail in japanese for fault in every)
    assert all(load("ja")(SAID[fault.flaw], at=7, count=9) in japanese for fault in every)


def test_a_memo_can_be_heard(office, one, sv, new_id):
    call_id, memo_id = office.call(one), new_id()
    office.recording(one, memo_id, call=call_id)
    office.add(memo, recording=memo_id, call=call_id)
    page = sv.get(f"/calls/{call_id}").text
    assert f'src="/recordings/{memo_id}.opus"' in page
    assert f'src="/recordings/{call_id}.opus"' not in page


def test_other_calls_with_the_number_are_shown(office, one, sv):
    first = office.call(one, at=office.now - DAY)
    second = office.call(one)
    assert f'id="call-{first}"' in sv.get(f"/calls/{second}").text
    assert f'id="call-{second}"' in sv.get(f"/numbers/{KEY}").text


@pytest.fixture
def sound(office, one):
    call_id = office.call(one)
    office.recording(one, call_id)
    return f"/recordings/{call_id}.opus"


@pytest.mark.everywhere
def test_a_recording_comes_in_ranges(sv, sound):
    whole = sv.get(sound)
    assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/ogg")
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.content.startswith(b"OggS")
    size = len(whole.content)
    for header, status, content in (
        ("bytes=0-99", 206, whole.content[:100]),
        ("bytes=100-", 206, whole.content[100:]),
        ("bytes=-7", 206, whole.content[-7:]),
        (f"bytes=0-{size + 5}", 206, whole.content),
        ("bytes=5-2", 206, whole.content),
        ("lines=1-2", 206, whole.content),
        (f"bytes={size}-", 416, b""),
        ("bytes=-0", 416, b""),
    ):
        answer = sv.get(sound, headers={"range": header})
        assert (answer.status_code, answer.content) == (status, content), header
    assert sv.get(sound, headers={"range": "bytes=2-3"}).headers["content-range"] == f"bytes 2-3/{size}"
    head = sv.client.head(sound)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(size), b"")


def test_who_listens_is_logged_without_names(sv, sound, caplog):
    caplog.set_level("INFO")
    sv.get(sound, headers={"range": "bytes=0-"})
    sv.get(sound, headers={"range": "bytes=500-"})
    heard = [record.getMessage() for record in caplog.records if "listens" in record.getMessage()]
    assert heard == [f"account 1 listens to recording {sound.split('/')[-1]}"]


def test_a_recording_is_for_who_is_logged_in(browser, sv, sound):
    assert browser(name="").get(sound).status_code == 303
    assert sv.get("/recordings/../../pages.secret.opus").status_code == 404
    assert sv.get("/recordings/none.opus").status_code == 404


def test_a_recording_that_the_archive_has_lost_is_not_found(office, one, sv, new_id):
    name = new_id()
    office.add(recording, id=name, booth=one.id, call=name, state="whole", bytes=1, begun=0.0)
    assert sv.get(f"/recordings/{name}.opus").status_code == 404


# The lift of a refusal


def refused(office, one, kind="refusal", **more):
    call_id = office.call(one, code="REF")
    office.fact(one, kind, KEY, call=call_id, result="REF", **more)
    return call_id


def lift(sv, path, reason="本人から電話があり、案内を求められた", **data):
    return sv.post(path, {"reason": reason} | data, on=path)


def judged(office):
    book = Rulebook(Rules(sample_allowed=True))
    return decide(parse("03-1234-5601"), known(office).facts, book, office.now).reason


@pytest.mark.parametrize("kind", ["refusal", "do-not-call", "final"])
def test_a_refusal_is_lifted_in_writing_and_the_lift_is_a_fact(office, one, sv, kind):
    call_id = refused(office, one, kind)
    page = sv.get(f"/calls/{call_id}")
    assert "管理者が解除するまで発信できません" in sv.words(page)
    assert f"/numbers/%2B81312345601/lift?call={call_id}" in page.text
    question = sv.get(f"/numbers/{KEY}/lift?call={call_id}")
    assert "03-1234-5601 の断りを解除しますか？" in sv.words(question)
    done = lift(sv, f"/numbers/{KEY}/lift", call=call_id)
    assert done.headers["location"] == f"/calls/{call_id}?done=lifted"
    fact = known(office).lifts[0]
    assert (fact.kind, fact.agent, fact.note) == (FactKind.LIFT, "佐藤", "本人から電話があり、案内を求められた")
    assert judged(office) is Reason.FREE
    for path in (f"/calls/{call_id}", f"/numbers/{KEY}"):
        said = sv.words(sv.get(path))
        assert "断りを解除しました · 14:32 サーバー 佐藤 本人から電話があり、案内を求められた" in said
        assert "解除するまで発信できません" not in said
    assert office.row("SELECT raw FROM fact WHERE kind = 'lift'").raw.startswith("{")


def test_a_lift_reaches_the_booths(office, one, sv):
    call_id = refused(office, one)
    cursor = office.parts.facts.after("").cursor
    lift(sv, f"/numbers/{KEY}/lift", call=call_id)
    (raw,) = office.parts.facts.after(cursor).facts
    assert b'"kind":"lift"' in bytes(raw)


def test_refusals_of_unknown_date_and_of_a_fast_clock_are_lifted_too(office, one, sv):
    refused(office, one, at=None)
    refused(office, one, kind="do-not-call", at=None)
    refused(office, one, at=office.now + DAY)
    lift(sv, f"/numbers/{KEY}/lift")
    assert known(office).standing == ()
    assert len(known(office).lifts) == 2


def test_hang_ups_that_are_a_refusal_together_can_be_lifted(office, one, sv):
    for _ in range(3):
        office.fact(one, "counted", KEY, at=office.now - HOUR, result="GACHA0")
    assert judged(office) is Reason.REFUSED
    assert "管理者が解除するまで発信できません" in sv.words(sv.get(f"/numbers/{KEY}"))
    lift(sv, f"/numbers/{KEY}/lift")
    assert judged(office) is Reason.FREE


@pytest.mark.parametrize("reason", ["", "   ", "OK"])
def test_a_lift_without_a_reason_is_refused(office, one, sv, reason):
    refused(office, one)
    answer = lift(sv, f"/numbers/{KEY}/lift", reason)
    assert answer.status_code == 400
    assert "理由を 5 文字以上で書いてください。" in sv.words(answer)
    assert known(office).lifts == ()


def test_in_two_tabs_a_refusal_is_lifted_once(office, one, sv):
    refused(office, one)
    csrf = sv.hidden(sv.get(f"/numbers/{KEY}/lift").text, "csrf")  # both tabs show the form
    data = {"csrf": csrf, "reason": "本人の依頼による"}
    assert sv.client.post(f"/numbers/{KEY}/lift", data=data).status_code == 303
    second = sv.client.post(f"/numbers/{KEY}/lift", data=data)
    assert second.status_code == 404
    assert "この番号を止めている断りはありません" in sv.words(second)
    assert len(known(office).lifts) == 1


def test_a_newer_refusal_stands_again(office, one, sv):
    refused(office, one)
    lift(sv, f"/numbers/{KEY}/lift")
    office.now += HOUR
    refused(office, one, at=office.now)
    assert judged(office) is Reason.REFUSED
    office.now += HOUR
    lift(sv, f"/numbers/{KEY}/lift")
    assert judged(office) is Reason.FREE


def test_a_number_of_which_nothing_is_known(sv):
    assert "この番号の記録はありません。" in sv.words(sv.get("/numbers/+81312345699"))
    assert sv.get("/numbers/+81312345699/lift").status_code == 404


def test_a_reason_is_text_and_nothing_else(office, one, sv):
    reason = "<script>alert(1)</script>"
    refused(office, one)
    lift(sv, f"/numbers/{KEY}/lift", reason)
    page = sv.get(f"/numbers/{KEY}")
    assert reason in sv.words(page)
    assert reason not in page.text


def test_pauses_and_key_tones_stand_in_the_recording_with_their_length(office, one, sv):
    """A tone's end is told after the pause that came behind it; no digit is ever told."""
    told = marks(
        *(("answered", 0.0), ("pause", 10.0), ("key-tones 4.30", 3.0), ("resume", 45.0)),
        *(("tone", 50.0), ("tone", 50.5), ("tone", 51.0), ("tone", 70.0), ("ended", 80.0)),
    )
    call_id = office.call(one, marks=told, talk=80.0)
    office.recording(one, call_id, seconds=47.0, answer=2.0)
    said = sv.words(sv.get(f"/calls/{call_id}"))
    for part in ("0:03 相手のトーン 4 秒", "0:10 録音停止（0:35 は録音なし）", "0:15 トーン送出 0:35 トーン送出"):
        assert part in said, part
