import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware import wire
from provisioning.server import tokens
from provisioning.server.schema import recording


def test_an_office_without_booths_says_what_to_do(sv):
    assert "ブースはまだありません 下で登録トークンを発行し" in sv.words(sv.get("/booths"))


def test_each_booth_tells_how_it_is(office, sv):
    office.booth("10")
    office.booth("2", pending_calls=2, pending_recordings=1, oldest=office.now - 600)
    office.booth("3", faults=("line:NO_SIM", "card-full", "tea-cold"), software="26.10.2", free_bytes=1_000_000_000)
    said = sv.words(sv.get("/booths"))
    assert "3 台 · 要対応 1" in said
    assert "未同期：通話 2、録音 1 (最古 10分前)" in said
    assert "SIMカードがありません" in said
    assert "tea-cold" in said
    assert "26.10.2" in said
    assert said.index("ブース2") < said.index("ブース3") < said.index("ブース10")
    office.now += 600
    assert "連絡なし 2" in sv.words(sv.get("/booths"))


def test_a_token_is_shown_once_and_enrols_one_booth(office, sv):
    page = sv.post("/booths/tokens", {"name": "7"}, on="/booths")
    said = sv.words(page)
    string = next(word for word in said.split() if word.startswith("booth1:"))
    assert "この一度だけ" in said
    assert string not in sv.get("/booths").text
    assert "ブース7 有効期限" in sv.words(sv.get("/booths"))
    key = base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
    wish = wire.Enrol(secret=string.rpartition(":")[2], key=key, name="")
    assert office.parts.booths.enrol(wish).name == "7"
    assert "有効期限" not in sv.words(sv.get("/booths"))


def test_a_token_can_be_taken_back_until_it_is_used(office, sv):
    sv.post("/booths/tokens", {"name": "7"}, on="/booths")
    assert sv.post("/booths/tokens/1/revoke", on="/booths").headers["location"] == "/booths?done=token-gone"
    assert "有効期限" not in sv.words(sv.get("/booths"))
    office.booth("1")
    assert "すでに使われています" in sv.words(sv.post("/booths/tokens/2/revoke", on="/booths"))
    assert sv.post("/booths/tokens", {"name": " "}, on="/booths").status_code == 400


def test_a_booth_is_revoked_after_a_question_and_can_come_back(office, sv):
    one = office.booth("1")
    question = sv.get(f"/booths/{one.id}/revoke")
    assert "ブース1 を失効させますか？" in sv.words(question)
    sv.post(f"/booths/{one.id}/revoke", on=f"/booths/{one.id}/revoke")
    after = sv.get("/booths?done=revoked")
    assert "失効" in sv.words(after)
    assert f"/booths/{one.id}/admit" in after.text
    sv.post(f"/booths/{one.id}/admit", on="/booths")
    assert f"/booths/{one.id}/revoke" in sv.get("/booths").text
    assert sv.get("/booths/none/revoke").status_code == 404


def test_a_call_that_is_still_on_can_be_listened_to(office, sv, new_id):
    one, call_id = office.booth("1"), new_id()
    office.add(recording, id=call_id, booth=one.id, call=call_id, state="partial", bytes=9000, begun=office.now)
    assert f'href="/calls/{call_id}"' in sv.get("/booths").text
    assert "通話中" in sv.words(sv.get(f"/calls/{call_id}"))
    assert sv.get(f"/recordings/{call_id}.opus").status_code == 404  # nothing of it plays yet
    office.live[call_id] = b"OggS and more"
    answer = sv.get(f"/recordings/{call_id}.opus", headers={"range": "bytes=0-3"})
    assert (answer.status_code, answer.content) == (206, b"OggS")
    office.call(one, call_id=call_id)
    assert call_id not in sv.get("/booths").text


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}"])
def test_a_booths_name_is_text_and_nothing_else(office, sv, name):
    one = office.booth(name, faults=(name,), software=name)
    office.call(one, agent=name)
    for path in ("/booths", f"/booths/{one.id}/revoke", "/calls", "/lists"):
        page = sv.get(path)
        assert name not in page.text or "<" not in name
        assert name in sv.words(page)


def test_a_card_that_will_soon_be_full_is_told_in_time(office, sv):
    for name, days in (("1", 5.9), ("2", 120.0), ("3", None), ("4", 1.9), ("5", 0.4), ("6", -1.0), ("7", 1e308)):
        office.booth(name, full_in=days)
    said, english = sv.words(sv.get("/booths")), sv.words(sv.get("/booths?lang=en"))
    for part in (
        "カードがあと5日で一杯になります",
        "12.4 GB（あと120日で満杯）",
        "12.4 GB（あと5日で満杯）",
        "あと3650日",
    ):
        assert part in said, part
    for part in ("full in 5 days", "12.4 GB, full in 1 day ", "will be full in less than a day", "12.4 GB, full "):
        assert part in english, part
    assert "あと120日で一杯" not in said
    assert "要対応" in said


WAITS = {"pending_calls": 12, "pending_recordings": 90, "pending_bytes": 3_200_000_000}


@pytest.mark.parametrize(
    ("status", "ja", "en"),
    [
        ({"pace": 178_000.0}, "通話 12、録音 90 (3.2 GB、約5時間)", "calls 12, recordings 90 (3.2 GB, about 5 h)"),
        ({"pace": 0.2}, "録音 90 (3.2 GB)", "recordings 90 (3.2 GB)"),
        ({"pace": 5e3, "oldest": 1.0}, "(3.2 GB、約7.4日、最古 ", "(3.2 GB, about 7.4 days, oldest "),
        ({"pace": 1e308, "pending_bytes": 2**70}, "約1分)", "about 1 min)"),
        ({"pace": 1.0, "pending_bytes": 2**70}, "(9223372036.9 GB、1年以上)", "(9223372036.9 GB, more than a year)"),
        (
            {"pace": 178_000.0, "opens": 5400.0},
            "(3.2 GB、回線の送信時間帯は1.5時間後から)",
            "(3.2 GB, the line's hours begin in 1.5 h)",
        ),
        ({"pending_recordings": 0, "pace": 9.0}, "通話 12、録音 0", "calls 12, recordings 0"),
    ],
)
def test_what_waits_is_told_with_its_bytes_and_how_long_they_take(office, sv, status, ja, en):
    office.booth("1", **WAITS | status)
    assert ja in sv.words(sv.get("/booths"))
    assert en in sv.words(sv.get("/booths?lang=en"))


def test_a_pace_is_forgotten_with_the_contact_and_hours_come_nearer(office, sv):
    office.booth("1", **WAITS, pace=178_000.0)
    office.booth("2", **WAITS, opens=5400.0)
    office.now += 2400
    said = sv.words(sv.get("/booths?lang=en"))
    assert "recordings 90 (3.2 GB)" in said
    assert "recordings 90 (3.2 GB, the line's hours begin in 50 min)" in said
    office.now += 3600
    assert "hours begin" not in sv.words(sv.get("/booths?lang=en"))


def test_a_booth_that_has_not_told_how_it_is_is_not_all_synced(office, sv):
    key = base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
    with office.parts.database.write() as connection:
        secret = tokens.new(connection, "1", office.now)
    office.parts.booths.enrol(wire.Enrol(secret=secret, key=key, name="1"))
    said = sv.words(sv.get("/booths"))
    assert "未接続 — まだ状態の連絡がありません" in said
    assert "すべて同期済み" not in said


def test_booths_stand_in_the_order_of_their_numbers_everywhere(office, sv):
    for name in ("10", "窓側", "9", "会議室2"):
        office.booth(name)
    for path in ("/booths", "/lists", "/calls"):
        said = sv.words(sv.get(path))
        assert sorted(("窓側", "会議室2", "ブース10", "ブース9"), key=said.index) == [
            "ブース9",
            "ブース10",
            "会議室2",
            "窓側",
        ]
