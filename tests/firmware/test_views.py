import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from firmware import menu, soundtest
from firmware.callflow import EMERGENCY_KEYING, TABLE, State
from firmware.calls import Badge
from firmware.pinpad import REASONS as OVERRIDES
from firmware.redial import Decision, Reason, Verdict
from firmware.screens import scene, words
from firmware.screens.gallery import told
from firmware.screens.halfwidth import halfwidth
from firmware.screens.reasons import HOUSE_RULE, REASONS
from firmware.screens.samples import AOBA, HEADER, LIST, MIZUHO, NOW, RECENT, SCENES, SUMIRE, TALK, decision
from firmware.screens.scene import BlockedBody, KeyingBody, ListBody, OutOfOrderBody, Scene, WrapUpBody
from firmware.screens.views import NOTICES, OUTCOMES, view
from firmware.text.catalogue import load
from hw.events import Cause, Fault, Party

HOME = Path(__file__).parents[2]
GOLDEN = HOME / "tests" / "data" / "views"
LANGUAGES = ("ja", "en", "ja_kana")
JAPANESE = re.compile(r"[ぁ-ヿ一-鿿]")


def words_of(scene, language="ja"):
    return " ".join(view(scene, load(language)).words())


def blocked(decision, state=State.BLOCKED, **more):
    return Scene(state, HEADER, BlockedBody(MIZUHO.number, MIZUHO, decision, **more), SCENES["blocked"].results)


@pytest.mark.parametrize("name", SCENES)
def test_every_screen_says_what_it_said_when_it_was_last_looked_at(name):
    """After a wanted change: python -m firmware.screens.gallery OUT, look, and keep OUT/views as tests/data/views."""
    assert told(name) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_no_golden_view_is_left_over():
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(SCENES)


def test_every_state_and_every_body_has_a_sample():
    assert {scene.state for scene in SCENES.values()} == set(State)
    assert {type(scene.body) for scene in SCENES.values()} == set(get_args(scene.Body))


@pytest.mark.parametrize("name", SCENES)
def test_every_soft_key_does_something(name):
    sample = SCENES[name]
    for key in view(sample, load("ja")).keys:
        cue = f"hold {key.key}" if key.key == "*" else key.key
        emergency = isinstance(sample.body, KeyingBody) and sample.body.emergency
        assert cue in EMERGENCY_KEYING if emergency else (sample.state, cue) in TABLE


@pytest.mark.parametrize("name", SCENES)
def test_the_view_follows_from_the_scene_alone(name):
    assert view(SCENES[name], load("ja")) == view(SCENES[name], load("ja"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_why_and_by_which_rule(reason, language):
    text = load(language)
    shown = view(blocked(decision(reason), full=True), text)
    why = REASONS[reason]
    assert text(why.rule) in " ".join(shown.words())
    assert text(why.source or HOUSE_RULE) in " ".join(shown.words())
    assert len(halfwidth(shown.brief.lines[0])) <= 20
    assert "{" not in " ".join((*shown.words(), *shown.brief.lines))


def test_a_block_shows_when_who_what_came_of_it_and_when_it_ends():
    said = words_of(blocked(RECENT))
    for part in ("発信できません", "3分前", "14:29 ブース2 OP07", "再架電", "次に架けてよい日時 15:29", "0 SV解除"):
        assert part in said


def test_a_refusal_names_its_law_and_offers_no_override():
    refused = SCENES["blocked-refused-full"]
    assert "特定商取引法" in words_of(refused)
    assert "SV解除" not in words_of(refused)
    assert "art. 17" in words_of(refused, "en")


def test_an_unknown_time_is_said_and_where_to_key_it():
    unknown = replace(SCENES["blocked-time"], state=State.BLOCKED)
    shown = view(unknown, load("ja"))
    assert (shown.status.clock, shown.status.trouble) == ("--:--", "時刻不明")
    assert "0 時刻を入力" in words_of(unknown)


def test_evidence_without_a_time_says_so():
    fact = replace(RECENT.evidence[0], at=None, due=None)
    said = words_of(blocked(replace(RECENT, evidence=(fact,))))
    assert "以前に発信済み" in said
    assert "時刻不明 ブース2" in said


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_says_what_to_do(fault):
    for language in LANGUAGES:
        text = load(language)
        said = words_of(Scene(State.OUT_OF_ORDER, HEADER, OutOfOrderBody(fault, "", NOW, 8.0)), language)
        assert text(words.FAULTS[fault].said) in said
        assert text(words.FAULTS[fault].advice) in said


def test_every_word_that_the_booth_uses_is_known_here():
    source = "\n".join(path.read_text(encoding="utf-8") for path in (HOME / "firmware").rglob("*.py"))
    assert set(re.findall(r'\bnotice = "([a-z-]+)"', source)) <= set(NOTICES)
    assert set(re.findall(r'\boutcome = "([a-z-]+)"', source)) <= set(OUTCOMES)
    heard = Path(soundtest.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r'"(audio-[a-z]+)"', heard)) <= set(OUTCOMES)
    assert tuple(words.MENU) == menu.TOP
    assert set(words.OVERRIDE_REASONS) == set(OVERRIDES)


def test_the_tables_of_words_are_complete():
    assert set(words.CAUSES) == set(Cause)
    assert set(words.PARTIES) == set(Party)
    assert set(REASONS) == set(Reason)
    assert set(words.FAULTS) == set(Fault)
    assert set(NOTICES) >= words.WARNING_NOTICES
    assert set(OUTCOMES) >= words.WARNING_OUTCOMES


def test_a_notice_that_is_not_known_is_shown_as_it_is():
    assert "something-new" in words_of(Scene(State.LIST, HEADER, ListBody(LIST, (AOBA,), notice="something-new")))


@pytest.mark.parametrize(
    ("badge", "said"),
    [
        (Badge("new"), "未"),
        (Badge("callback", NOW - 120), "再 14:30"),
        (Badge("callback", NOW + 86400), "再 11/23"),
        (Badge("gacha", NOW + 7200), "ガチャ 2h"),
        (Badge("absent", 1), "不在 1"),
        (Badge("noanswer", 2), "不応答 2"),
        (Badge("called", NOW + 600), "架電済 10m"),
        (Badge("refused"), "断"),
        (Badge("done"), "済"),
        (Badge("dead"), "欠番"),
    ],
)
def test_badges(badge, said):
    shown = Scene(State.LIST, HEADER, ListBody(LIST, (replace(AOBA, badge=badge),)))
    assert said in view(shown, load("ja")).words()


@pytest.mark.parametrize("name", [name for name in SCENES if name.startswith("preview")])
def test_the_second_identifier_is_never_shown_whole(name):
    for language in LANGUAGES:
        shown = view(SCENES[name], load(language))
        identifier = SCENES[name].body.customer.identifier
        assert not identifier or identifier not in " ".join((*shown.words(), *shown.brief.lines))


def test_an_emergency_is_red_and_says_whether_the_line_is_confirmed():
    shown = view(SCENES["emergency"], load("ja"))
    assert shown.alarm
    assert "この回線の緊急通報：未確認" in shown.words()
    assert "この回線の緊急通報：確認済み" in view(SCENES["emergency-confirmed"], load("ja")).words()
    assert not view(SCENES["keying"], load("ja")).alarm


def test_the_suggested_result_is_lit_until_one_is_chosen():
    lit = view(SCENES["wrap-up"], load("en")).blocks[-1].boxes
    chosen = view(SCENES["wrap-up-chosen"], load("en")).blocks[-1].boxes
    assert [box.hint for box in lit if box.lit] == ["likely"]
    assert [(box.key, box.lit) for box in chosen if box.chosen or box.lit] == [("7", False)]


def test_a_guard_that_forbids_the_call_back_time_is_heard():
    body = replace(SCENES["wrap-up-due"].body, decision=Decision(Verdict.BLOCK, Reason.TIME_UNKNOWN))
    assert "時刻不明" in words_of(replace(SCENES["wrap-up-due"], body=body))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_that_the_office_has_no_more_is_shown_as_it_was_keyed(language):
    for name, codes in (("preview-history", ("GACHAM", "CB", "ABS")), ("blocked-refused-full", ("REF",))):
        said = words_of(replace(SCENES[name], results=()), language)
        for code in codes:
            assert code in said


def test_a_clear_no_is_said_before_it_is_saved():
    for name in ("wrap-up-no", "wrap-up-no-other"):
        shown = view(SCENES[name], load("en"))
        assert "No: will not be called again" in words_of(SCENES[name], "en")
        assert shown.brief.lines[0] == "No: not called again"
        lit = [box.key for block in shown.blocks for box in getattr(block, "boxes", ()) if box.lit]
        assert lit == ["7"]


def test_who_ended_the_call_is_said():
    for by, said in ((Party.NEAR, "当方切断"), (Party.FAR, "先方切断"), (Party.LINE, "回線切断")):
        body = WrapUpBody(replace(TALK, by=by), 1.0, (), None)
        assert f"通話 2:31 {said}" in words_of(Scene(State.WRAP_UP, HEADER, body))


def test_the_promise_turns_amber_for_its_last_half_minute_and_red_after():
    def bar(seconds):
        body = replace(SCENES["talking"].body, seconds=seconds)
        blocks = view(replace(SCENES["talking"], body=body), load("en")).blocks
        return next((block.value, block.tone) for block in blocks if hasattr(block, "fraction"))

    assert [bar(149.0), bar(150.0), bar(181.0)] == [("left 0:31", "good"), ("left 0:30", "warn"), ("over 0:01", "bad")]


def test_english_screens_hold_no_japanese_but_what_is_data():
    names = (AOBA, MIZUHO, SUMIRE)
    data = [*(part for one in names for part in (one.name, one.reading, one.identifier)), LIST.name]
    for name in ("list", "blocked", "menu", "menu-status", "pin-reason", "wrap-up", "fault-absent"):
        said = words_of(SCENES[name], "en")
        for part in (*data, *(row.name for row in getattr(SCENES[name].body, "rows", ()))):
            said = said.replace(part, "")
        assert not JAPANESE.search(said), name
