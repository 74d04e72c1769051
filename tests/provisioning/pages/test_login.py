import re
import socket
from contextlib import suppress

import httpx
import pytest
from sqlalchemy import func, select

from provisioning.server import database
from provisioning.server.pages.app import FORMS, PAGES
from provisioning.server.pages.sessions import COOKIE, LASTS
from provisioning.server.pages.throttle import Throttle
from provisioning.server.schema import administrator, log_in_try, session


@pytest.fixture
def stranger(browser):
    return browser(name="")


def test_whoever_logs_in_comes_to_the_page_that_was_asked_for(stranger):
    asked = stranger.get("/calls?text=x&period=today")
    assert asked.status_code == 303
    page = stranger.get(asked.headers["location"])
    assert 'name="next" value="/calls?text=x&amp;period=today"' in page.text
    assert stranger.log_in(next="/calls?text=x&period=today").headers["location"] == "/calls?text=x&period=today"
    assert stranger.get("/calls").status_code == 200


@pytest.mark.parametrize("elsewhere", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere", "/log-out"])
def test_the_log_in_leads_to_no_other_place(stranger, elsewhere):
    assert stranger.log_in(next=elsewhere).headers["location"] == "/"


def test_every_page_wants_a_log_in(stranger):
    for path in PAGES:
        answer = stranger.get(re.sub(r"\{.*?\}", "1", path))
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/log-in?next=")
    for path in FORMS:
        answer = stranger.client.post(re.sub(r"\{.*?\}", "1", path), data={"csrf": "x"})
        assert answer.status_code == 403, path


@pytest.mark.parametrize(("name", "password"), [("佐藤", "wrong"), ("nobody", "correct horse battery"), ("", "")])
def test_a_wrong_name_or_password_says_no_more_than_that(stranger, name, password):
    answer = stranger.log_in(name, password)
    assert answer.status_code == 403
    assert "名前またはパスワードが違います。" in stranger.words(answer)
    assert COOKIE not in stranger.client.cookies


def test_guessing_is_slowed_down_and_a_wait_lets_in(office, stranger):
    for _ in range(5):
        assert stranger.log_in(password="wrong").status_code == 403
    braked = stranger.log_in()
    assert braked.status_code == 429
    assert braked.headers["retry-after"] == "30"
    assert "30 秒待って" in stranger.words(braked)
    office.now += 31
    assert stranger.log_in().status_code == 303


@pytest.mark.slow
def test_guessing_many_names_from_one_address_is_slowed_down(stranger):
    answers = [stranger.log_in(f"name {number}", "wrong").status_code for number in range(32)]
    assert answers.count(429) == 2


@pytest.mark.slow
def test_an_office_behind_one_address_may_log_in_as_often_as_it_likes(browser):
    for _ in range(32):
        assert browser(name="").log_in().status_code == 303


def test_the_cookie_is_for_no_script_and_no_other_site(stranger):
    header = stranger.log_in().headers["set-cookie"].lower()
    assert "httponly" in header
    assert "samesite=strict" in header


def test_the_database_holds_no_token_and_no_password(office, sv):
    with office.parts.database.read() as connection:
        kept = connection.scalars(select(session.c.id)).all()
        assert connection.scalar(select(administrator.c.password)).startswith("$argon2id$")
    assert sv.client.cookies[COOKIE] not in kept


def test_a_log_in_ends_by_itself_and_is_tidied_away(office, sv, browser):
    office.now += LASTS
    assert sv.get("/calls").status_code == 303
    browser()
    with office.parts.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(session)) == 1


def test_logging_out_ends_the_session_for_good(sv):
    token = sv.client.cookies[COOKIE]
    assert sv.post("/log-out").headers["location"] == "/log-in?done=logged-out"
    sv.client.cookies.set(COOKIE, token)
    assert sv.get("/calls").status_code == 303


@pytest.mark.parametrize("csrf", [None, "", "x" * 32])
def test_a_form_without_its_token_is_refused(sv, csrf):
    data = {"language": "en"} | ({"csrf": csrf} if csrf is not None else {})
    answer = sv.client.post("/account/language", data=data)
    assert answer.status_code == 403
    assert "画面が古くなっています" in sv.words(answer)


def test_the_token_of_another_log_in_is_refused(sv, browser):
    other = sv.hidden(browser().get("/account").text, "csrf")
    assert sv.client.post("/account/language", data={"csrf": other, "language": "en"}).status_code == 403


def test_a_log_in_form_without_its_cookie_is_refused(stranger):
    csrf = stranger.hidden(stranger.get("/log-in").text, "csrf")
    stranger.client.cookies.clear()
    assert stranger.client.post("/log-in", data={"csrf": csrf, "name": "佐藤", "password": "x"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_what_another_site_sends_is_refused(sv, headers):
    assert sv.post("/account/language", {"language": "en"}, headers=headers).status_code == 403


def test_only_our_own_names_are_answered(office):
    for host, status in (("rebound.example", 421), ("localhost:1", 303), ("[::1]:80", 303), ("", 421)):
        with httpx.Client(base_url=office.url, trust_env=False) as client:
            assert client.get("/", headers={"host": host}).status_code == status, host


def test_every_answer_tells_the_browser_what_it_may_do(sv):
    for path in ("/calls", "/log-in", "/static/pages.css", "/nowhere"):
        headers = sv.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
    assert sv.get("/calls").headers["cache-control"] == "no-store"


def test_no_page_loads_anything_from_elsewhere_or_holds_a_script(office, sv):
    call = office.call(office.booth("1"))
    for path in ("/booths", "/calls", f"/calls/{call}", "/lists", "/account", "/log-in"):
        page = sv.get(path).text
        assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page)
        assert not re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", page)


def test_static_files_are_kept_for_ever_under_their_own_address(sv):
    address = re.search(r"/static/pages\.css\?v=\w+", sv.get("/calls").text).group()
    assert "immutable" in sv.get(address).headers["cache-control"]
    assert "immutable" not in sv.get("/static/pages.css").headers["cache-control"]
    assert sv.get("/static/..%2Fapp.py").status_code == 404
    assert sv.get("/static/nothing.css").status_code == 404


@pytest.mark.parametrize("head", ["Content-Length: 999999999", "Content-Length: -1", "Content-Length: x"])
def test_a_body_that_is_too_large_is_not_read(office, head):
    host, _, port = office.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall(f"POST /lists HTTP/1.1\r\nHost: {host}\r\n{head}\r\n\r\n".encode())
        assert wire.recv(100).split()[1] in {b"413", b"400"}


def test_a_body_without_a_length_ends_somewhere(sv):
    def endless():
        for _ in range(80):
            yield bytes(1_000_000)

    with suppress(httpx.WriteError):  # it is not read to its end
        assert sv.client.post("/lists", content=endless()).status_code in {403, 413}


def change(sv, old, new, again=None):
    return sv.post("/account/password", {"old": old, "new": new, "again": again or new})


def test_a_new_password_ends_every_other_log_in(sv, browser):
    other = browser()
    assert change(sv, "correct horse battery", "another horse battery").status_code == 303
    assert sv.get("/calls").status_code == 200
    assert other.get("/calls").status_code == 303
    assert browser(name="").log_in(password="correct horse battery").status_code == 403
    assert browser(password="another horse battery").get("/calls").status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong", "long enough now", None, "現在のパスワードが違います。"),
        ("correct horse battery", "short", None, "10 文字以上"),
        ("correct horse battery", "long enough now", "long enough then", "新しいパスワードが一致しません。"),
    ],
)
def test_a_password_that_cannot_be_changed_says_why(sv, old, new, again, said):
    answer = change(sv, old, new, again)
    assert answer.status_code == 400
    assert said in sv.words(answer)


def test_guessing_the_present_password_is_slowed_down(sv):
    for _ in range(5):
        change(sv, "wrong", "long enough now")
    assert "失敗が続いています" in sv.words(change(sv, "correct horse battery", "long enough now"))


def test_the_language_is_asked_for_chosen_or_accepted(browser):
    stranger = browser(name="", **{"accept-language": "en-GB,en;q=0.9"})
    assert "Log in" in stranger.words(stranger.get("/log-in"))
    assert "ログイン" in stranger.words(stranger.get("/log-in?lang=ja"))
    assert "ログイン" in stranger.words(stranger.get("/log-in"))  # remembered
    supervisor = browser(**{"accept-language": "en"})
    assert "通話" in stranger.words(supervisor.get("/calls"))  # the account's own
    assert supervisor.post("/account/language", {"language": "en"}).headers["location"] == "/account?done=language"
    assert "Calls" in stranger.words(supervisor.get("/calls"))
    assert supervisor.post("/account/language", {"language": "fr"}).status_code == 400


def test_a_page_that_does_not_exist_says_so_with_the_way_back(sv):
    answer = sv.get("/nowhere")
    assert answer.status_code == 404
    assert "そのページはありません。" in sv.words(answer)
    assert sv.get("/calls/1").status_code == 404


def test_tries_are_counted_together_by_all_processes_and_no_name_is_kept(database_url):
    stores = [database.Database(database_url) for _ in range(2)]
    stores[0].upgrade()
    here, there = (Throttle(store, b"secret", "account", free=2) for store in stores)
    assert [here.wait("sato", now=0.0), there.wait("sato", now=1.0), here.wait("sato", now=2.0)] == [0.0, 0.0, 29.0]
    assert there.wait("tanaka", now=2.0) == 0.0
    assert there.wait("sato", now=33.0) == 0.0
    assert here.wait("sato", now=34.0) == 59.0  # twice as long
    there.forgive("sato")
    assert here.wait("sato", now=34.0) == 29.0
    here.succeeded("sato")
    assert there.wait("sato", now=34.0) == 0.0
    with stores[0].read() as connection:
        kept = connection.execute(select(log_in_try)).all()
    assert len(kept) == 2
    assert "sato" not in str(kept)
    here.wait("tanaka", now=4000.0)
    with stores[0].read() as connection:
        assert connection.scalar(select(func.count()).select_from(log_in_try)) == 1  # the others are forgotten
    for store in stores:
        store.close()
