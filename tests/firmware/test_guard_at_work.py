"""The guard where it is asked: in a booth, at the moment of dialling, with what others have learnt the hard way."""

from dataclasses import replace

import pytest

from firmware import listfile, results, rulepack
from firmware.callflow import State
from firmware.calls import Call
from firmware.known import Fact, FactKind
from firmware.redial import Reason
from firmware.results import Results
from hw.events import Alerting, Answered, CallEnded, Cause, Party

FIRST = "0312345601"
KEY = "+81312345601"
ENDED = CallEnded(Cause.NORMAL, Party.FAR)
HOUR, DAY = 3600.0, 86400.0
SUNDAY = 1795330000.0  # conftest.NOW: Sunday, 22 November 2026, 15:46 in Tokyo
MONDAY = SUNDAY + DAY + 6 * HOUR  # a public holiday (Labour Thanksgiving)
TUESDAY = SUNDAY + 2 * DAY


def open_all_day(stage, *, name="own", **changes):
    """A pack of the office's own on the stage's card, and its path."""
    text = rulepack.text_of("jp-notice").replace('id = "jp-notice"', f'id = "{name}"')
    start, end = text.index("[hours]"), text.index("[redial]")
    text = text[:start] + '[hours]\nall_days = ["00:00-24:00"]\n\n' + text[end:]
    text += "".join(f"\n[{table}]\n{line}\n" for table, line in changes.items())
    path = stage.directory / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def call(*during, end=ENDED):
    return ["A", Alerting(), Answered(), *during, end]


def fact(kind, at, number=KEY, **more):
    return Fact(
        f"00000000-0000-4000-8000-{abs(hash((kind, at, number))) % 10**12:012d}", kind, number, at, "9", "OP99", **more
    )


def known(stage, *facts):
    """What sync has brought from other booths."""
    books = stage.books()
    for one in facts:
        books.add_fact(one)
    books.close()


def decision_of(stage):
    """What the record of the latest call says of the guard."""
    books = stage.books()
    try:
        return books.record(books.store.row("SELECT id FROM call ORDER BY seq DESC LIMIT 1")["id"])["decision"]
    finally:
        books.close()


def test_outside_hours_no_key_dials_and_the_screen_says_when(stage):
    stage.packs = ["jp-sales"]
    played = stage.play("A", "A", "A")
    assert played.wire.dials == []
    blocked = next(scene for scene in played.scenes if scene.state is State.BLOCKED)
    assert blocked.body.decision.reason is Reason.OUTSIDE_HOURS
    assert blocked.body.decision.until == pytest.approx(
        SUNDAY + 2 * DAY - (15 * 60 + 46 + 40 / 60) * 60 + 9 * HOUR, abs=60
    )
    stage.time = TUESDAY
    assert stage.play(FIRST, "A").wire.dials == [FIRST]
    assert decision_of(stage)["considered"][-1] == "FREE"
    assert "OUTSIDE_HOURS" in decision_of(stage)["considered"]


def test_a_block_by_law_offers_no_override_and_a_pin_does_not_help(stage):
    stage.packs = ["jp-sales"]
    played = stage.play("A", "0", stage.PIN, "A", "2A", "A")
    assert played.wire.dials == []
    assert State.PIN_ENTRY not in played.states


# What others have learnt.


def test_marked_do_not_call_after_the_list_was_loaded_it_is_not_dialled(stage):
    stage.add_list()
    known(stage, fact(FactKind.DO_NOT_CALL, stage.NOW - 1))
    played = stage.play("A")
    assert (played.wire.dials, played.last.body.decision.reason) == ([], Reason.DO_NOT_CALL)


def test_a_refusal_followed_by_another_code_is_still_a_refusal(stage):
    stage.play("A", Alerting(), Answered(), ENDED, "041", "A")
    books = stage.books()
    last = books.store.row("SELECT id FROM call ORDER BY seq DESC LIMIT 1")["id"]
    for code in ("SALE", "NOANS", "WARM"):
        books.finish(last, results.load().by_code(code))
    books.close()
    stage.time += 400 * DAY
    played = stage.play(FIRST, "A")
    assert (played.wire.dials, played.last.body.decision.reason) == ([], Reason.REFUSED)


def test_a_custom_code_named_like_do_not_call_does_what_its_attributes_say(stage):
    books = stage.books()
    stage.add_list()
    ours = results.load()
    called_so = replace(ours.by_code("WARM"), code="DNC", en="Do not call", asks=())
    plain = replace(ours.by_code("DNC"), code="HELLO", en="Hello", asks=())
    codes = Results([called_so, plain])
    listed = books.customers(books.lists()[0].id, 0, 2)
    for customer, code in zip(listed, ("DNC", "HELLO"), strict=True):
        books.begin(made := _call(customer), None, "OP07")
        books.ended(made.id, Cause.NORMAL, Party.FAR, 20.0)
        books.finish(made.id, codes.by_code(code))
    books.close()
    stage.time += 3 * DAY
    assert stage.play("0312345601", "A").wire.dials == ["0312345601"]
    played = stage.play("D", "0312345602", "A", customers=False)
    assert "0312345602" not in played.wire.dials


def _call(customer):
    return Call(f"00000000-0000-4000-8000-{customer.id:012d}", customer.number, customer)


def test_one_number_in_two_rows_two_lists_and_two_spellings_counts_once(stage):
    text = "氏名,電話番号\nA,03-1234-5601\nB,０３１２３４５６０１\nC,+81-3-1234-5601\nD,312345601\n"
    file = stage.directory / "twice.csv"
    file.write_text(text, encoding="utf-8")
    read = listfile.read(file, "JP", "03")
    books = stage.books()
    books.add_list("one", read.entries[:2])
    books.add_list("two", read.entries[2:])
    books.close()
    stage.listed = True
    stage.play(*call(), "021")
    for keys in ("A", "CA", "0312345601A"):
        assert stage.play(keys).wire.dials == []


def test_the_clock_set_back_a_day_frees_nothing(stage):
    stage.play(*call(), "023", "A")
    stage.time -= DAY
    played = stage.play(FIRST, "A")
    assert (played.wire.dials, played.last.body.decision.reason) == ([], Reason.TIME_UNKNOWN), "before the last record"


# Recording.


def test_until_all_agree_nothing_is_recorded_and_the_screen_says_so(stage):
    stage.packs = [open_all_day(stage, recording='consent = "all-party"')]
    played = stage.play("A", Alerting(), Answered(), "2", "*", "7", ENDED)
    talking = [scene for scene in played.scenes if scene.state is State.TALKING]
    assert talking[0].header.recording == "asking"
    assert talking[0].body.asking
    assert talking[-1].header.recording == "on"
    books = stage.books()
    record = books.record(books.store.row("SELECT id FROM call")["id"])
    books.close()
    assert record["recording"]["complete"]
    names = [mark["name"] for mark in record["marks"]]
    assert names == ["answered", "pause", "tick-who", "recording-agreed", "resume", "refusal", "ended"]


def test_where_nobody_agrees_no_recording_is_made(stage):
    stage.packs = [open_all_day(stage, recording='consent = "all-party"')]
    played = stage.play(*call("2", "4", "6"))
    assert {scene.header.recording for scene in played.scenes if scene.state is State.TALKING} == {"asking"}
    assert not list((stage.directory / "recordings").glob("*.journal"))


def test_where_recording_is_off_the_star_key_does_not_turn_it_on(stage):
    stage.packs = [open_all_day(stage, recording='consent = "off"')]
    played = stage.play(*call("*", "*"))
    assert {scene.header.recording for scene in played.scenes if scene.state is State.TALKING} == {"barred"}
    assert not list((stage.directory / "recordings").glob("*.journal"))


def test_a_pause_is_a_pause_only_once_all_have_agreed(stage):
    stage.packs = [open_all_day(stage, recording='consent = "all-party"')]
    played = stage.play("A", Alerting(), Answered(), "*", "*")
    assert played.last.header.recording == "paused"


# Prefixes, what is said first, the campaign's cap.


def test_the_prefix_that_shows_our_number_is_dialled_and_184_is_not(stage):
    pack = open_all_day(stage)
    text = (stage.directory / "own.toml").read_text(encoding="utf-8")
    (stage.directory / "own.toml").write_text(text.replace("[cli]", '[cli]\nforce_prefix = "186"'), encoding="utf-8")
    stage.packs = [pack]
    assert stage.play("A").wire.dials == [f"186{FIRST}"]
    stage.time += 3 * HOUR
    played = stage.play("184" + FIRST, "A")
    assert (played.wire.dials, played.last.body.decision.reason) == ([], Reason.NUMBER_HIDDEN)
    assert stage.play("110", "A").wire.dials == ["110"]


def test_what_the_law_wants_said_first_leads_the_script(stage):
    stage.packs = [open_all_day(stage)]
    played = stage.play("A", Alerting(), Answered())
    assert played.last.body.opening == ("company", "agent", "purpose")
    assert stage.play("D").last.body.opening == ("company", "agent", "purpose")


def test_the_facts_of_a_call_name_the_product(stage):
    stage.packs, stage.product = [open_all_day(stage)], "water"
    stage.play("A", Alerting(), Answered(), ENDED, "041", "A")
    books = stage.books()
    facts = books.facts(KEY)
    books.close()
    assert {one.kind for one in facts} >= {FactKind.ATTEMPT, FactKind.REFUSAL}
    assert {one.product for one in facts} == {"water"}


def test_whoever_refused_on_one_number_is_not_called_on_the_other(stage):
    """The list has two numbers of one customer; the ban is on asking the person again, not on a row of digits."""
    mobile, home = "09012345603", "0312345643"
    stage.play(mobile, "A", Alerting(), Answered(), ENDED, "041", "A")
    stage.time += 90 * DAY
    played = stage.play(home, "A")
    assert (played.wire.dials, played.last.body.decision.reason) == ([], Reason.REFUSED)
    assert played.last.body.decision.never


def test_a_lift_frees_the_number_it_was_written_for_and_no_other(stage):
    stage.add_list()
    mobile, home = "+819012345603", "+81312345643"
    known(stage, *(fact(FactKind.REFUSAL, stage.NOW - DAY, number) for number in (mobile, home)))
    known(stage, fact(FactKind.LIFT, stage.NOW - HOUR, mobile))
    assert stage.play("09012345603", "A").wire.dials == []
    known(stage, fact(FactKind.LIFT, stage.NOW - HOUR, home))
    assert stage.play("09012345603", "A").wire.dials == ["09012345603"]
