"""Hours by the clock on the wall, minute by minute, through every change of clocks."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.calendars import is_holiday
from firmware.hours import is_open, latest_date, midnight_after, opens
from firmware.rulepack import shipped
from firmware.zones import zones_of

TOKYO = ("Asia/Tokyo",)
JAPAN = partial(is_holiday, "JP")
NEVER = lambda _day: False  # noqa: E731
WEEK = shipped()["jp-sales"].hours.week


def at(text, zone="Asia/Tokyo"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def all_days(*spans):
    return (spans,) * 8


@pytest.mark.parametrize(
    ("zone", "week", "moment", "expected"),
    [
        # Clocks leap from 2:00 to 3:00: what begins at half past two begins with the leap.
        ("America/New_York", all_days((150, 240)), "2026-03-08T06:00+00:00", "2026-03-08T07:00+00:00"),
        # Clocks go back from 2:00 to 1:00: what begins at half past one begins twice, …
        ("America/New_York", all_days((90, 100)), "2026-11-01T05:41+00:00", "2026-11-01T06:30+00:00"),
        # … and what ended at half past one is open once more at one.
        ("America/New_York", all_days((30, 90)), "2026-11-01T05:45+00:00", "2026-11-01T06:00+00:00"),
        # Lord Howe Island puts its clocks back by half an hour.
        ("Australia/Lord_Howe", all_days((90, 100)), "2026-04-04T14:45+00:00", "2026-04-04T15:00+00:00"),
    ],
)
def test_where_clocks_are_put_forward_or_back(zone, week, moment, expected):
    start = datetime.fromisoformat(moment).timestamp()
    found = opens(week, NEVER, (zone,), start)
    assert datetime.fromtimestamp(found, UTC) == datetime.fromisoformat(expected)


ZONES = ("Asia/Tokyo", "America/New_York", "Europe/Paris", "Australia/Lord_Howe", "Pacific/Honolulu", "Africa/Cairo")
SPANS = st.lists(st.integers(0, 96).map(lambda quarter: 15 * quarter), min_size=2, max_size=4, unique=True).map(
    lambda ends: tuple(zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False))
)
CHANGES = [
    datetime.fromisoformat(text).timestamp()
    for text in (
        "2026-03-08T07:00Z",
        "2026-11-01T06:00Z",
        "2026-03-29T01:00Z",
        "2026-04-04T15:00Z",
        "2026-04-23T22:00Z",
    )
]


@given(
    st.lists(SPANS, min_size=8, max_size=8),
    st.sampled_from(CHANGES),
    st.integers(-2000, 2000),
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True),
)
@settings(max_examples=150, deadline=None)
def test_the_first_open_minute_is_the_first(week, change, minutes, zones):
    moment = change + 60.0 * minutes
    found = opens(week, NEVER, zones, moment)
    end = moment + 3 * 86400 if found is None else min(found, moment + 3 * 86400)
    assert found is None or (found >= moment and is_open(week, NEVER, zones, found))
    assert found is None or found == moment or not is_open(week, NEVER, zones, found - 1)
    step = moment
    while step < end:
        assert not is_open(week, NEVER, zones, step)
        step += 300.0


def test_a_holiday_takes_the_place_of_its_weekday():
    thanksgiving = at("2026-11-23T12:00")  # a Monday
    assert not is_open(WEEK, JAPAN, TOKYO, thanksgiving)
    assert is_open(WEEK, NEVER, TOKYO, thanksgiving)
    assert opens(WEEK, JAPAN, TOKYO, thanksgiving) == at("2026-11-24T09:00")


def test_what_is_never_open_never_opens():
    assert opens(all_days(), NEVER, TOKYO, at("2026-03-03T12:00")) is None
    apart = (all_days((540, 600)), NEVER, ("Asia/Tokyo", "America/New_York"))
    assert opens(*apart, at("2026-03-03T12:00")) is None


def test_until_midnight_means_until_midnight():
    week = all_days((1380, 1440))
    assert is_open(week, NEVER, TOKYO, at("2026-03-03T23:59"))
    assert not is_open(week, NEVER, TOKYO, at("2026-03-04T00:00"))


def test_days_are_over_when_they_are_over_in_every_zone():
    afternoon = at("2026-03-02T15:00", "America/New_York")
    assert midnight_after(("America/New_York",), afternoon, 7) == at("2026-03-09T00:00", "America/New_York")
    assert midnight_after(("America/New_York", "Pacific/Honolulu"), afternoon, 7) == at(
        "2026-03-09T00:00", "Pacific/Honolulu"
    )
    assert latest_date(("Pacific/Honolulu", "Asia/Tokyo"), at("2026-08-11T00:30")) == date(2026, 8, 11)
    assert latest_date(("Pacific/Honolulu",), at("2026-08-11T00:30")) == date(2026, 8, 10)


@pytest.mark.parametrize(
    ("day", "closed"),
    [("2026-05-06", True), ("2026-09-22", True), ("2028-02-29", False), ("2026-12-31", False), ("2027-01-01", True)],
)
def test_japans_calendar_knows_substitutes_and_bridges(day, closed):
    """6 May 2026 stands in for a Sunday; 22 September 2026 lies between two holidays."""
    assert JAPAN(date.fromisoformat(day)) is closed


def test_a_number_that_tells_no_zone_may_be_in_all_of_them():
    assert zones_of("+819012345601", "Asia/Tokyo") == TOKYO
    assert zones_of("#7119", "Europe/Paris") == ("Europe/Paris",)
    mobile = zones_of("+61491570156", "Asia/Tokyo")  # kept for fiction
    assert {"Australia/Sydney", "Australia/Perth"} <= set(mobile)
    free = zones_of("+18005550123", "Asia/Tokyo")
    assert "Pacific/Honolulu" in free
    assert not any("Guam" in zone or "Jamaica" in zone for zone in free)


def test_looking_ahead_is_bounded():
    began = at("2026-03-03T12:00")
    far = opens(((), (), (), (), (), (), (), ((600, 660),)), JAPAN, TOKYO, began)
    assert far == at("2026-03-20T10:00")
    assert far - began < timedelta(days=30).total_seconds()
