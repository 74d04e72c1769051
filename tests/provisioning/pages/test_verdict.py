"""What the guard says now: on the page and for programs, in the very words of the booth's screen."""

import re
from html import unescape

import pytest

from firmware.callflow import State
from firmware.numbers import parse
from firmware.redial import Reason, Rulebook, Rules, decide
from firmware.screens.samples import HEADER, MIZUHO, NOW, RESULTS, decision
from firmware.screens.scene import BlockedBody, Scene
from firmware.screens.teller import Teller
from firmware.screens.verdicts import verdicts
from firmware.screens.views import view
from firmware.text import catalogue
from firmware.text.times import Times
from provisioning.server import notes, packs
from provisioning.server.pages import knowledge, language, printing, verdict
from provisioning.server.pages.story import Storyteller

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
KEY = "+81312345601"
BY_CODE = {result.code: result for result in RESULTS}
HOUSE = """
[pack]
id = "house"
version = "1"
region = "JP"
purpose = "sales"
verified = true
law = { ja = "社内規則", en = "House rules" }
"""
CONSENT = '[consent]\nrequired = true\nsource = { ja = "社内規則 3", en = "House rules, no. 3" }\n'
REGISTER = '[register]\nnames = ["tps"]\n'
WEEK = '[[frequency]]\nid = "weekly"\nmax = 1\nwindow = "7d"\n'


@pytest.fixture
def one(office):
    return office.booth("1")


@pytest.fixture
def put(office, tmp_path):
    """Puts packs in force on every booth: ids, or what stands in a pack of the office's own."""

    def own(place, text):
        file = tmp_path / f"{place}.toml"
        file.write_text(HOUSE + text, encoding="utf-8")
        return str(file)

    def put(*wanted):
        names = [name if "[" not in name else own(place, name) for place, name in enumerate(wanted)]
        with office.parts.database.write() as connection:
            packs.put(office.parts.database, connection, packs.texts(names))

    return put


def asked(sv, key=KEY):
    answer = sv.get(f"/numbers/{key}/verdict.json")
    assert answer.status_code == 200, answer.text
    return answer.json()


# One set of words


def samples():
    """A decision for every reason, and those of the packs that the program came with."""
    made = decide(MIZUHO.number, (), Rulebook(Rules(sample_allowed=True)), NOW)
    return [*map(decision, Reason), *verdicts(KEY, NOW).values(), made]


def on_the_booth(said, wanted):
    body = BlockedBody(MIZUHO.number, MIZUHO, said, full=True)
    return " ".join(view(Scene(State.BLOCKED, HEADER, body, RESULTS), catalogue.load(wanted)).words())


def on_the_page(said, wanted):
    text = language.load(wanted)
    story = Storyteller(text, Teller(text, Times(text, "Asia/Tokyo", NOW), BY_CODE), BY_CODE)
    macro = printing.environment().get_template("verdict.html").module.verdict
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", macro(verdict.told(said, story), text))).split())


@pytest.mark.parametrize("wanted", ["ja", "en"])
def test_booth_page_and_program_hear_the_same_words(office, wanted):
    inside = office.app.state.office
    for said in samples():
        words = verdict.plain(said, KEY, inside, NOW)[wanted]
        booth, page = on_the_booth(said, wanted), on_the_page(said, wanted)
        assert words["said"]
        assert words["rule"]
        for part in filter(None, words.values()):
            assert part in booth, (said.reason, part)
            assert part in page or (said.reason is Reason.FREE and part == words["source"]), (said.reason, part)


def test_every_reason_has_a_sample():
    assert {said.reason for said in samples()} == set(Reason)


# What the guard is asked with


@pytest.mark.parametrize(
    ("facts", "in_force", "verdict", "reason"),
    [
        ([], [], "ALLOW", "FREE"),
        ([("refusal", {})], [], "BLOCK", "REFUSED"),
        ([("do-not-call", {}), ("refusal", {})], [], "BLOCK", "DO_NOT_CALL"),
        ([("final", {})], [], "BLOCK", "DEAD_NUMBER"),
        ([("attempt", {"at": NOW - MINUTE, "call": "c"})], [], "BLOCK", "CALLED_RECENTLY"),
        ([], ["jp-sales"], "BLOCK", "OUTSIDE_HOURS"),
        ([], [CONSENT], "BLOCK", "NO_CONSENT"),
        ([], [REGISTER], "ALLOW", "FREE"),
        ([("attempt", {"at": NOW - 3 * DAY})], [WEEK], "BLOCK", "TOO_OFTEN"),
        ([], ["de-sales"], "BLOCK", "BARRED_CLASS"),
    ],
)
def test_page_and_program_say_what_a_booth_with_these_facts_and_packs_would(  # noqa: PLR0917  (fixtures)
    office, one, sv, put, facts, in_force, verdict, reason
):
    for kind, more in facts:
        office.fact(one, kind, KEY, **more)
    put(*in_force)
    said = asked(sv)
    assert (said["number"], said["verdict"], said["reason"]) == (KEY, verdict, reason)
    for wanted in ("ja", "en"):
        words = sv.words(sv.get(f"/numbers/{KEY}?lang={wanted}"))
        for part in ("said", "when", "rule") if reason != "FREE" else ("said",):
            assert said[wanted][part] in words, part


def test_the_card_tells_why_until_when_by_which_rule_and_on_what_evidence(office, one, sv):
    office.fact(one, "attempt", KEY, call="c", at=office.now - 3 * MINUTE)
    office.fact(one, "contact", KEY, call="c", at=office.now - 2 * MINUTE, result="CB")
    said = sv.words(sv.get(f"/numbers/{KEY}?lang=en"))
    for part in (
        "What the guard says now Cannot be called",
        "Why This customer was called 2 min ago",
        "From when Callable from 15:30",
        "Rule A number rests between two calls, so that nobody is called twice by mistake. House rule",
        "Evidence 14:30 Booth 1 OP07 a human answered · Call back",
        "A booth also asks its own rule packs, its own do-not-call registers",
    ):
        assert part in said, part


def test_a_packs_rule_is_told_with_its_law(office, sv, put, browser):
    put("jp-sales")  # it is a Sunday, and Monday is a holiday
    said = sv.words(sv.get(f"/numbers/{KEY}"))
    assert "いまの判定 発信できません" in said
    assert "11/24 9:00" in said
    assert "特商法の通達(21時〜8時は通常不適当)と社内規則" in said
    office.now += 2 * DAY
    assert asked(browser())["reason"] == "FREE"


def test_programs_get_figures_and_both_languages(office, one, sv):
    office.fact(one, "refusal", KEY, at=office.now - HOUR, result="REF", call="c")
    said = asked(sv)
    assert said == {
        "number": KEY,
        "verdict": "BLOCK",
        "reason": "REFUSED",
        "never": True,
        "overridable": False,
        "until": None,
        "ja": said["ja"],
        "en": {
            "said": "This customer refused 1 h ago",
            "when": "Not callable until lifted on the server",
            "rule": "Whoever has refused the offer is not asked again.",
            "source": "Act on Specified Commercial Transactions (Japan), art. 17",
        },
        "evidence": [{"at": office.now - HOUR, "booth": "1", "agent": "OP07", "result": "REF", "kind": "refusal"}],
    }
    assert said["ja"]["said"] == "1時間前に断りを受けています"


def test_the_page_says_what_the_guard_says(office, one, sv, put):
    """Not a copy of its rules: the guard itself, at the same moment, with the same facts."""
    put("jp-sales", WEEK)
    for days in (0.01, 0.5, 1, 3, 8):
        office.fact(one, "attempt", KEY, at=office.now - days * DAY, call=str(days))
        with office.parts.database.read() as connection:
            known = knowledge.of_number(connection, KEY)
            book = Rulebook(Rules(sample_allowed=True), packs.in_force(connection))
        said, there = decide(parse("03-1234-5601"), known.facts, book, office.now), asked(sv)
        assert (there["verdict"], there["reason"], there["until"]) == (said.verdict.name, said.reason.name, said.until)


# Who may ask, and of what


def test_only_who_is_logged_in_may_ask(browser):
    answer = browser(name="").get(f"/numbers/{KEY}/verdict.json")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/log-in")


def test_a_verdict_is_never_kept(sv):
    assert sv.get(f"/numbers/{KEY}/verdict.json").headers["cache-control"] == "no-store"


def test_a_number_that_nobody_has_called_yet_has_a_page_too(sv):
    page = sv.get(f"/numbers/{KEY}")
    said = sv.words(page)
    assert page.status_code == 200
    assert "03-1234-5601" in said
    assert "いまの判定 発信できます" in said
    assert "この番号の記録はありません。" in said


@pytest.mark.parametrize("key", ["0312345601", "+813", "hello", "110", "119", "171", "%20", "+"])
def test_what_is_nobodys_number_has_none(sv, key):
    assert sv.get(f"/numbers/{key}").status_code == 404
    assert sv.get(f"/numbers/{key}/verdict.json").status_code == 404


def test_what_a_booth_has_told_of_digits_that_are_no_number_is_shown(office, one, sv):
    office.fact(one, "attempt", "0312", call="c")
    page = sv.get("/numbers/0312")
    assert page.status_code == 200
    assert "理由 電話番号ではありません" in sv.words(page)
    assert "/consent" not in page.text
    assert asked(sv, "0312")["reason"] == "INVALID_NUMBER"


def test_packs_of_another_version_are_not_guessed_at(office, one, sv):
    office.fact(one, "refusal", KEY, call="c")
    with office.parts.database.write() as connection:
        notes.put(office.parts.database, connection, notes.RULES, '["[pack]"]')
    page = sv.get(f"/numbers/{KEY}")
    assert page.status_code == 200
    assert "ここでは判定できません" in sv.words(page)
    assert "管理者が解除するまで発信できません" in sv.words(page)
    assert sv.get(f"/numbers/{KEY}/verdict.json").status_code == 503
