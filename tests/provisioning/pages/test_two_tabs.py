"""Two tabs of one supervisor: what one has done, the other hears in plain words, and nothing is done twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from provisioning.server.pages import knowledge
from provisioning.server.schema import call_list

KEY = "+81312345601"
LIST = "氏名,フリガナ,電話番号,備考\n川口 一郎,カワグチ,090-1234-5603,午前\n"


@pytest.fixture
def one(office):
    return office.booth("1")


@pytest.fixture
def tabs(sv):
    """Sends one form from both tabs at the same moment; both pages were open before."""

    def send(path, data=None, *, on, **more):
        data = {"csrf": sv.hidden(sv.get(on).text, "csrf")} | (data or {})
        with ThreadPoolExecutor(2) as pool:
            return sorted(pool.map(lambda _tab: sv.client.post(path, data=data, **more).status_code, range(2)))

    return send


def test_a_refusal_is_lifted_once(office, one, tabs):
    office.fact(one, "refusal", KEY, call=office.call(one, code="REF"), result="REF")
    form = f"/numbers/{KEY}/lift"
    assert (
        tabs(form, {"reason": "本人の依頼による"}, on=form)[0] == 303
    )  # the slower one hears "done", or that it is done
    with office.parts.database.read() as connection:
        assert len(knowledge.of_number(connection, KEY).lifts) == 1


def test_a_consent_is_recorded_once_and_withdrawn_once(office, tabs):
    consent, withdrawal = f"/numbers/{KEY}/consent", f"/numbers/{KEY}/withdrawal"
    assert tabs(consent, {"reason": "3月1日の書面", "last": "2027-03-31"}, on=consent) == [303, 303]
    with office.parts.database.read() as connection:
        assert len(knowledge.of_number(connection, KEY).consents(office.now)) == 1
    assert tabs(withdrawal, {"reason": "本人から電話"}, on=withdrawal)[0] == 303
    with office.parts.database.read() as connection:
        known = knowledge.of_number(connection, KEY)
    assert len(known.withdrawals) == 1
    assert known.consents(office.now) == ()


def test_one_file_sent_twice_makes_two_lists_with_two_names(office, one, tabs):
    # Which of the two is meant nobody knows; either can be undone, and the guard calls nobody twice.
    assert tabs("/lists", {"booth": [one.id]}, on="/lists", files={"file": ("春.csv", LIST.encode())}) == [303, 303]
    office.read_lists()
    with office.parts.database.read() as connection:
        assert sorted(connection.scalars(select(call_list.c.name))) == ["春", "春 (2)"]


def test_an_upload_is_undone_once(office, sv, tabs):
    page = sv.upload(LIST).url.path
    assert tabs(f"{page}/undo", on=page) == [303, 404]
    assert office.row("SELECT count(*) AS n FROM list").n == 0


def test_a_list_is_not_given_out_by_a_tab_that_does_not_know_it_is_gone(office, one, sv):
    page = sv.upload(LIST).url.path
    stale = {"csrf": sv.hidden(sv.get(page).text, "csrf"), "booth": [one.id]}
    sv.post(f"{page}/undo", on=page)
    answer = sv.client.post(f"{page}/assign", data=stale)
    assert answer.status_code == 404
    assert "取り消された" in sv.words(answer)
    assert office.row("SELECT count(*) AS n FROM assignment").n == 0


def test_who_logged_out_in_one_tab_does_nothing_in_the_other(office, one, sv):
    office.fact(one, "refusal", KEY, call=office.call(one, code="REF"), result="REF")
    form = f"/numbers/{KEY}/lift"
    data = {"csrf": sv.hidden(sv.get(form).text, "csrf"), "reason": "本人の依頼による"}
    sv.post("/log-out", on="/account")
    answer = sv.client.post(form, data=data)
    assert answer.status_code == 403
    assert "ログアウトしています。ログインして、もう一度送ってください。" in sv.words(answer)
    with office.parts.database.read() as connection:
        assert knowledge.of_number(connection, KEY).lifts == ()
