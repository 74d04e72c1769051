"""Consents to be called, in writing: recorded and withdrawn on the server, heard by every booth."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import rulepack
from firmware.known import Fact, FactKind
from firmware.numbers import parse
from firmware.redial import Callee, Listing, Reason, Rulebook, Rules, decide
from provisioning.server import packs
from provisioning.server.pages import knowledge
from provisioning.server.pages.knowledge import Known

HOUR, DAY = 3600.0, 86400.0
KEY = "+81312345601"
NUMBER = parse("03-1234-5601")
CONSENT, WITHDRAWAL = f"/numbers/{KEY}/consent", f"/numbers/{KEY}/withdrawal"
PROOF = "3月1日付の申込書（総務の棚）"
HOUSE = rulepack.parse("""
[pack]
id = "house"
version = "1"
region = "JP"
purpose = "sales"
verified = true
law = { ja = "社内規則", en = "House rules" }
[consent]
required = true
[register]
names = ["tps"]
""")
BOOK = Rulebook(Rules(sample_allowed=True), (HOUSE,))


def record(sv, proof=PROOF, last="", **more):
    return sv.post(CONSENT, {"reason": proof, "last": last} | more, on=CONSENT)


def withdraw(sv, reason="本人から電話で撤回"):
    return sv.post(WITHDRAWAL, {"reason": reason}, on=WITHDRAWAL)


def known(office):
    with office.parts.database.read() as connection:
        return knowledge.of_number(connection, KEY)


def judged(office, now=None, **registers):
    """What a booth says whose packs want consent."""
    callee = Callee(registers={"tps": Listing(office.now, False)} | registers)
    return decide(NUMBER, known(office).facts, BOOK, now or office.now, callee=callee).reason


def test_a_consent_is_a_fact_with_its_proof_who_and_when(office, sv):
    assert judged(office) is Reason.NO_CONSENT
    done = record(sv)
    assert (done.status_code, done.headers["location"]) == (303, f"/numbers/{KEY}?done=consented")
    (fact,) = known(office).facts
    assert (fact.kind, fact.at, fact.booth, fact.agent) == (FactKind.CONSENT, office.now, "server", "佐藤")
    assert (fact.note, fact.due, fact.product) == (PROOF, None, "")
    assert judged(office) is Reason.FREE
    in_ten_years = office.now + 3650 * DAY
    assert judged(office, in_ten_years, tps=Listing(in_ten_years, True)) is Reason.FREE
    said = sv.words(sv.get(f"/numbers/{KEY}?done=consented"))
    assert "同意を記録しました。数秒でブースに伝わります。" in said
    assert f"架電への同意 14:32 サーバー 佐藤 架電に同意 · {PROOF}" in said


def test_it_frees_a_number_that_is_on_a_register(office, sv):
    listed = {"tps": Listing(office.now, True)}
    record(sv)
    assert judged(office, **listed) is Reason.FREE
    withdraw(sv)
    assert judged(office, **listed) is Reason.REGISTERED


def test_the_last_day_counts_whole_by_the_offices_clock(office, sv):
    record(sv, last="2026-11-30")
    (fact,) = known(office).facts
    end = office.now - (14 * HOUR + 32 * 60) + 9 * DAY  # the midnight after 30 November in Tokyo
    assert fact.due == end
    assert judged(office, end - 1) is Reason.FREE
    assert judged(office, end) is Reason.NO_CONSENT
    assert "架電に同意（12/1 0:00 まで）" in sv.words(sv.get(f"/numbers/{KEY}"))
    said = sv.words(sv.get(f"/numbers/{KEY}?lang=en"))
    assert "agreed to be called until 12/1 0:00" in said


def test_today_may_be_the_last_day(office, sv):
    assert record(sv, last="2026-11-22").status_code == 303
    assert judged(office) is Reason.FREE


@pytest.mark.parametrize("last", ["2026-11-21", "soon", "2026-02-30", "9999-12-31", "0001-01-01", "２０２７"])
def test_a_last_day_that_is_none_is_refused_and_the_form_keeps_what_was_written(office, sv, last):
    answer = record(sv, last=last)
    assert answer.status_code == 400
    assert "今日以降の日付を入れるか、空欄にしてください" in sv.words(answer)
    assert PROOF in answer.text
    assert known(office).facts == ()


@pytest.mark.parametrize("proof", ["", "   ", "OK", "書面"])
def test_a_consent_without_proof_is_refused(office, sv, proof):
    answer = record(sv, proof, last="2026-12-31")
    assert answer.status_code == 400
    assert "同意の証拠を 5 文字以上で書いてください。" in sv.words(answer)
    assert 'value="2026-12-31"' in answer.text
    assert known(office).facts == ()


def test_a_withdrawal_ends_all_that_stand_and_says_why(office, sv):
    record(sv)
    record(sv, "7月の電話の録音", last="2027-01-31")
    assert len(known(office).consents(office.now)) == 2
    form = sv.words(sv.get(WITHDRAWAL))
    assert PROOF in form
    assert "7月の電話の録音" in form
    done = withdraw(sv)
    assert done.headers["location"] == f"/numbers/{KEY}?done=withdrawn"
    assert known(office).consents(office.now) == ()
    assert judged(office) is Reason.NO_CONSENT
    said = sv.words(sv.get(f"/numbers/{KEY}?done=withdrawn"))
    assert "有効な同意はありません。" in said
    assert "14:32 サーバー 佐藤 同意を撤回 · 本人から電話で撤回" in said
    assert PROOF in said  # nothing is deleted


def test_whoever_took_a_consent_back_may_give_it_again(office, sv):
    for _ in range(3):  # in the same second even
        record(sv)
        assert judged(office) is Reason.FREE
        withdraw(sv)
        assert judged(office) is Reason.NO_CONSENT
    record(sv)
    assert judged(office) is Reason.FREE
    assert len(known(office).facts) == 7


def test_a_withdrawal_without_a_reason_is_refused(office, sv):
    record(sv)
    answer = withdraw(sv, "no")
    assert answer.status_code == 400
    assert "理由を 5 文字以上で書いてください。" in sv.words(answer)
    assert judged(office) is Reason.FREE


def test_where_none_stands_none_is_withdrawn(office, sv, browser):
    page = sv.get(f"/numbers/{KEY}")
    assert "同意を記録…" in page.text
    assert "/withdrawal" not in page.text
    answer = sv.get(WITHDRAWAL)
    assert answer.status_code == 404
    assert "この番号に有効な同意はありません。" in sv.words(answer)
    record(sv, last="2026-11-22")
    office.now += 0.5 * DAY  # it has run out, and so has the log-in
    later = browser()
    assert "/withdrawal" not in later.get(f"/numbers/{KEY}").text
    assert later.get(WITHDRAWAL).status_code == 404


def test_in_two_tabs_a_consent_is_withdrawn_once(office, sv):
    record(sv)
    data = {"csrf": sv.hidden(sv.get(WITHDRAWAL).text, "csrf"), "reason": "本人の依頼による"}
    assert sv.client.post(WITHDRAWAL, data=data).status_code == 303
    second = sv.client.post(WITHDRAWAL, data=data)
    assert second.status_code == 404
    assert "ほかの管理者が撤回を記録したばかりかもしれません" in sv.words(second)
    assert len(known(office).withdrawals) == 1


def test_a_form_of_another_site_records_nothing(office, sv):
    for path in (CONSENT, WITHDRAWAL):
        assert sv.client.post(path, data={"reason": PROOF, "csrf": "guessed"}).status_code == 403
    assert known(office).facts == ()


def test_only_who_is_logged_in_records(office, browser):
    stranger = browser(name="")
    assert stranger.get(CONSENT).status_code == 303
    assert stranger.client.post(CONSENT, data={"reason": PROOF}).status_code == 403
    assert known(office).facts == ()


def test_every_booth_hears_both_at_once(office, sv):
    cursor = office.parts.facts.after("").cursor
    record(sv, last="2026-12-31")
    withdraw(sv)
    consent, withdrawal = (json.loads(bytes(raw)) for raw in office.parts.facts.after(cursor).facts)
    assert (consent["kind"], consent["note"], consent["number"]) == ("consent", PROOF, KEY)
    assert (withdrawal["kind"], withdrawal["at"]) == ("withdrawal", office.now)


def test_a_consent_does_not_lift_a_refusal_and_the_form_says_so(office, sv):
    one = office.booth("1")
    office.fact(one, "refusal", KEY, call=office.call(one, code="REF"), result="REF")
    assert "同意を記録しても、断りは解除されません。" in sv.words(sv.get(CONSENT))
    record(sv)
    assert judged(office) is Reason.REFUSED


@pytest.mark.parametrize("number", ["119", "0312345601", "hello", "171"])
def test_only_whom_one_can_call_can_agree(office, sv, number):
    assert sv.get(f"/numbers/{number}/consent").status_code == 404
    assert sv.post(f"/numbers/{number}/consent", {"reason": PROOF}).status_code == 404
    assert office.row("SELECT count(*) AS n FROM fact").n == 0


def test_the_page_goes_by_the_offices_packs(office, sv):
    with office.parts.database.write() as connection:
        text = rulepack.text_of("jp-notice").replace('id = "jp-notice"', 'id = "house"')
        wanted = [f"{text}\n[consent]\nrequired = true\n"]
        packs.put(office.parts.database, connection, wanted)
    office.now -= 5 * DAY  # a Tuesday, within hours
    assert "架電への同意がありません" in sv.words(sv.get(f"/numbers/{KEY}"))
    record(sv)
    assert "いまの判定 発信できます" in sv.words(sv.get(f"/numbers/{KEY}"))


def test_a_proof_is_text_and_nothing_else(sv):
    proof = "<script>alert(1)</script>"
    record(sv, proof)
    page = sv.get(f"/numbers/{KEY}")
    assert proof in sv.words(page)
    assert proof not in page.text


def test_nobody_is_named_in_the_log(sv, caplog):
    caplog.set_level("INFO")
    record(sv)
    withdraw(sv)
    said = [entry.getMessage() for entry in caplog.records if "owner" in entry.getMessage()]
    assert said == ["account 1: a number's owner has consented", "account 1: a number's owner has withdrawn"]


MOMENTS = st.none() | st.sampled_from([90.0, 100.0, 100.001, 110.0])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([FactKind.CONSENT, FactKind.WITHDRAWAL]), MOMENTS, MOMENTS), max_size=5),
    st.sampled_from([95.0, 100.0, 105.0, 120.0]),
)
def test_what_stands_here_stands_for_the_guard(some, now):
    facts = tuple(
        Fact(str(place), kind, KEY, at, "server", "佐藤", due=due if kind is FactKind.CONSENT else None)
        for place, (kind, at, due) in enumerate(some)
    )
    callee = Callee(registers={"tps": Listing(now, False)})
    reason = decide(NUMBER, facts, BOOK, now, callee=callee).reason
    assert bool(Known(KEY, facts).consents(now)) == (reason is Reason.FREE)
