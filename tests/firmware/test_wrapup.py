"""Wrap-up: what a result asks for, and that a call-back always lies ahead."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import numbers, results
from firmware.calls import Call
from firmware.redial import Decision, Reason, Verdict
from firmware.wrapup import CLEAR, WHOM, WrapUp, at_time, moment, on_date

ZONE = ZoneInfo("Asia/Tokyo")
CODES = results.load()
BOX = {result.code: str(result.box) for result in CODES.boxes()}
CALL = Call("1", numbers.parse("03-1234-5601"), None, answered=True)
TUESDAY = datetime(2026, 11, 24, 14, 10, tzinfo=ZONE)
MOMENTS = st.integers(1_770_000_000, 2_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, ZONE))


def form(now=TUESDAY, suggested=None):
    made = WrapUp(
        CODES, "Asia/Tokyo", lambda: now and now.timestamp(), lambda _c, _m: Decision(Verdict.ALLOW, Reason.FREE)
    )
    made.open(CALL, suggested)
    return made


def keyed(made, keys):
    for key in keys:
        made.key(key)
    return made


def due(made):
    return datetime.fromtimestamp(made.due, ZONE)


def test_nothing_is_saved_without_a_result():
    assert not form().accept()
    assert keyed(form(), BOX["SALE"]).accept()
    assert form(suggested=CODES.by_code("SALE")).accept()


def test_opening_the_same_call_again_keeps_what_was_keyed():
    made = keyed(form(), BOX["SALE"])
    made.open(CALL, None)
    assert made.chosen.code == "SALE"
    made.open(Call("2", CALL.number, None), None)
    assert made.chosen is None


def test_every_code_can_be_keyed_with_three_keys():
    for result in CODES:
        assert keyed(form(), f"0{result.key}").chosen == result


@given(MOMENTS, st.sampled_from("1234567"))
def test_a_moment_of_the_list_lies_ahead(now, key):
    assert moment(key, now) > now


@given(MOMENTS, MOMENTS, st.integers(0, 1299))
def test_a_keyed_date_is_the_next_of_its_name(now, base, number):
    digits = f"{number:04}"
    found = on_date(digits, base, now)
    if found is not None:
        assert f"{found:%m%d}" == digits
        assert timedelta(0) <= found.date() - now.date() <= timedelta(366)


@given(MOMENTS, st.integers(0, 2459))
def test_a_keyed_time_lies_ahead(now, number):
    digits = f"{number:04}"
    found = at_time(digits, now, now)
    assert (found is None) == (int(digits[:2]) > 23 or int(digits[2:]) > 59)
    assert found is None or (now < found <= now + timedelta(days=1) and f"{found:%H%M}" == digits)


def test_a_date_after_next_week_was_chosen_is_not_next_year():
    made = keyed(form(), BOX["CB"] + "7" + "8" + "1127")
    assert due(made) == TUESDAY.replace(day=27)


def test_the_date_first_and_then_the_time():
    made = keyed(form(), BOX["CB"] + "8" + "1127" + "0930")
    assert due(made) == TUESDAY.replace(day=27, hour=9, minute=30)


def test_a_call_back_that_has_gone_by_is_asked_for_again():
    now = [TUESDAY.timestamp()]
    made = WrapUp(CODES, "Asia/Tokyo", lambda: now[0], lambda _c, _m: Decision(Verdict.ALLOW, Reason.FREE))
    made.open(CALL, None)
    keyed(made, BOX["CB"] + "1")
    now[0] += 3600
    assert not made.accept()
    assert made.body().asking == "when"


def test_today_is_not_now():
    made = keyed(form(), BOX["CB"] + "8" + "1124")
    assert not made.accept()


def test_without_the_time_no_call_back_is_asked_for():
    made = keyed(form(now=None), BOX["CB"] + "7" + "8" + "1127")
    while made.body().asking in {"whom", "clear"}:
        made.key("1")
    made.accept()
    assert made.body().asking != "when"


@given(st.text("0123456789*#", max_size=30), st.booleans())
def test_no_keys_break_the_form(keys, clock):
    made = keyed(form(TUESDAY if clock else None), keys)
    if made.accept():
        asks = made.chosen.asks
        timed = made.due is not None and made.due > TUESDAY.timestamp()
        free = made.clear == "no" or made.chosen.recall is not None
        assert "when" not in asks or not clock or timed or free
        assert ("whom" in asks) <= (made.whom in WHOM)
        assert ("clear" in asks) <= (made.clear in CLEAR)
    assert made.body().call is CALL


def test_a_talk_that_ends_with_a_call_back_is_asked_for_a_clear_answer():
    made = keyed(form(), BOX["CB"] + "7")
    assert not made.accept()
    assert made.body().asking == "clear"
    assert keyed(made, "3").accept()
    assert (made.clear, made.body().refused) == ("later", False)


@pytest.mark.parametrize("code", ["HOT", "WARM", "CB", "INB"])
def test_a_clear_no_is_said_before_it_is_saved_and_lights_the_refusal(code):
    made = keyed(form(), f"0{CODES.by_code(code).key}")
    while made.body().asking != "clear":
        made.key("7")
        made.accept()
    body = keyed(made, "2").body()
    assert (body.refused, body.due, body.asking) == (True, None, "result")
    assert body.suggested.code == "REF"
    assert made.accept()  # nobody is asked when to call again
    assert (made.clear, made.due) == ("no", None)


def test_an_answer_belongs_to_the_result_that_it_was_asked_for():
    made = keyed(form(suggested=CODES.by_code("NOANS")), BOX["WARM"] + "2" + BOX["REF"])
    assert (made.clear, made.body().refused) == ("", False)
    assert keyed(made, BOX["VM"]).accept()
    assert made.clear == ""


def test_a_code_with_a_time_of_its_own_needs_no_other():
    made = keyed(form(), f"0{CODES.by_code('BADT').key}")
    assert (made.body().asking, made.body().timeless) == ("when", True)
    assert made.accept()
    assert made.due is None
    timed = keyed(form(), f"0{CODES.by_code('BADT').key}" + "2")
    assert not timed.body().timeless
    assert timed.accept()
    assert due(timed) == TUESDAY + timedelta(hours=1)
    dated = keyed(form(), f"0{CODES.by_code('HOT').key}")
    assert not dated.body().timeless
    assert not dated.accept()  # a date is required


def test_a_form_that_was_closed_is_nobodys():
    made = form()
    made.close()
    with pytest.raises(LookupError):
        made.body()
