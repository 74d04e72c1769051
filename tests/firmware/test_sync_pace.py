"""When recordings may go and how fast: the line's hours, its limit, and pieces that fit a line."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import tariff
from firmware.settings import SettingsError, example, parse
from firmware.syncing.pace import HEAD, LEAST, PIECE, Pace
from firmware.tariff import UNKNOWN, Tariff

TOKYO = ZoneInfo("Asia/Tokyo")


def moment(text, zone=TOKYO):
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def test_without_hours_recordings_always_go_whatever_the_time():
    assert Tariff().rest(None) == 0.0
    assert Tariff().speed == 0.0


@pytest.mark.parametrize(
    ("at", "rest"),
    [
        ("2026-11-30 19:00", 0),
        ("2026-11-30 18:59:30", 30),
        ("2026-12-01 07:59", 0),
        ("2026-12-01 08:00", 4 * 3600),  # until noon
        ("2026-12-01 12:30", 0),
        ("2026-12-01 13:00", 6 * 3600),
    ],
)
def test_hours_may_go_over_midnight_and_be_several(at, rest):
    assert Tariff(hours="12:00-13:00, 19:00-08:00").rest(moment(at)) == rest


def test_while_nobody_knows_the_time_recordings_wait():
    assert Tariff(hours="19:00-08:00").rest(None) == UNKNOWN


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 7 * 1440))
def test_after_the_rest_it_is_open(first, last, minutes):
    if first == last:
        return
    hours = f"{first // 60:02}:{first % 60:02}-{last // 60:02}:{last % 60:02}"
    assert tariff.hours_fault(hours) == ""
    one, now = Tariff(hours=hours, zone="Asia/Tokyo"), moment("2026-11-30 00:00") + 60 * minutes
    assert one.rest(now + one.rest(now)) == 0.0


def test_the_tariff_survives_its_note():
    one = Tariff(limit=256, hours="19:00-08:00", zone="Europe/Berlin")
    assert tariff.read(tariff.written(one)) == one
    assert tariff.read("") == Tariff()


def test_faults_are_told_all_at_once_and_by_name():
    wrong = example().replace("limit = 0 ", "limits = 0 ").replace('hours = "" ', 'hours = "19-8" ')
    with pytest.raises(SettingsError) as caught:
        parse(wrong)
    assert caught.value.faults[0] == "sync.limits: there is no such setting (did you mean limit?)"
    assert caught.value.faults[1].startswith('sync.hours: must be hours such as "19:00-08:00"')
    for bad in ("limit = 7 ", "limit = -1 ", "limit = 2000000 "):
        with pytest.raises(SettingsError, match=r"sync\.limit: must be kbit/s from 8"):
            parse(example().replace("limit = 0 ", bad))
    for bad in ("24:30-25:00", "08:00-08:00", "19:00-24:30", ",", "24:00-08:00"):
        assert tariff.hours_fault(bad), bad


class Time:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_a_limit_is_kept_over_any_stretch_and_pieces_fit_it():
    time = Time()
    pace = Pace(time)
    pace.limit = Tariff(limit=64).speed
    sent = 0
    while time.now < 1600.0:
        time.now += pace.wait()
        assert LEAST <= pace.piece <= max(LEAST, pace.limit)
        pace.going(pace.piece)
        sent += LEAST + HEAD
        pace.arrived(LEAST, 0.01)
    assert 0.95 < sent / (600.0 * pace.limit) < 1.05
    assert pace.lately == pytest.approx(LEAST / (LEAST + HEAD) * pace.limit, rel=0.1)


def test_a_pause_is_not_saved_up():
    time = Time()
    pace = Pace(time)
    pace.limit = 8000.0
    time.now += 3600.0
    pace.going(LEAST)
    pace.going(LEAST)
    assert pace.wait() == pytest.approx(2 * (LEAST + HEAD) / 8000.0)


def test_without_a_limit_there_is_no_wait_and_lifting_one_counts_at_once():
    time = Time()
    pace = Pace(time)
    pace.limit = 1000.0
    pace.going(PIECE)
    assert pace.wait() > 100
    pace.limit = 0.0
    assert pace.wait() == 0.0
    assert pace.piece == PIECE // 2


def test_pieces_shrink_on_a_line_that_breaks_or_is_slow_and_grow_again():
    pace = Pace(Time())
    for _ in range(10):
        pace.going(pace.piece)  # and never arrives
    assert pace.piece == LEAST
    for _ in range(10):
        pace.going(pace.piece)
        pace.arrived(LEAST, 0.01)
    assert pace.piece == PIECE
    pace.going(PIECE)
    pace.arrived(PIECE, 16.0)  # 16 kB a second
    assert pace.piece == pytest.approx(PIECE / 8, abs=1)


def test_the_first_seconds_tell_the_pace():
    time = Time()
    pace = Pace(time)
    for _ in range(3):
        time.now += 1.0
        pace.arrived(100_000, 1.0)
        assert pace.lately == pytest.approx(100_000)


def test_idle_time_does_not_make_the_line_look_slow():
    time = Time()
    pace = Pace(time)
    for _ in range(600):
        time.now += 1.0
        pace.arrived(100_000, 1.0)
    before = pace.lately
    time.now += 7200.0
    pace.rested()
    time.now += 1.0
    pace.arrived(100_000, 1.0)
    assert pace.lately == pytest.approx(before, rel=0.05)
