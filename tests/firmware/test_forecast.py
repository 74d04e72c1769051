"""When the card will be full, and that a card that is full is not recorded on while calls go on."""

import os
import queue
import uuid

import pytest

from firmware.callflow import State
from firmware.clock import Clock
from firmware.forecast import FURTHEST, SOON, Forecast, Sample, full_in
from firmware.known import DAY
from firmware.recorder import Recorder
from firmware.results import load
from firmware.retention import Retention, Terms
from firmware.store import Store
from firmware.upkeep import Upkeep
from firmware.vault import RecordingFailed, Vault
from hw.contracts import SILENCE
from hw.events import Answered

NOW = 1795330000.0
FILE = 4_000_000  # bytes that a day takes on the card


@pytest.fixture
def place(tmp_path, recipient):
    """A booth's card, on a real file system, and its clock."""

    class Place:
        now = NOW
        known = True
        store = Store(tmp_path / "booth.db")
        vault = Vault(tmp_path / "recordings", [recipient], lambda _event: None)
        clock = Clock(
            "system",
            system=lambda: Place.now if Place.known else 0.0,
            monotonic=lambda: Place.now - NOW,
            synchronised=lambda: False,
            boot="b",
        )

    retention = Retention(Place.store, Place.clock, Place.vault, load(), Terms())
    Place.forecast = Forecast(Place.store, Place.clock, Place.vault, retention)
    Place.upkeep = Upkeep(retention, Place.forecast)
    yield Place
    Place.vault.close()
    Place.store.close()


def take(place, name, size=FILE):
    """A recording of so many bytes, really on the card."""
    with (place.vault.directory / f"{name}.journal").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)


def test_the_days_to_come_take_what_the_last_ones_took():
    assert full_in([Sample(0, 900)], Sample(DAY, 800)) == 8
    assert full_in([Sample(0, 900)], Sample(4 * DAY, 100)) == 0.5
    week = [Sample(day * DAY, 1000 - 10 * day) for day in range(30)]
    assert full_in(week, week[-1]) == 71  # the last week's measure


@pytest.mark.parametrize(
    ("samples", "now"),
    [
        ([], Sample(0, 100)),
        ([Sample(0, 900)], Sample(DAY - 1, 100)),  # a morning says nothing of a night
        ([Sample(0, 900)], Sample(2 * DAY, 900)),
        ([Sample(0, 800)], Sample(2 * DAY, 900)),  # more room than before
        ([Sample(0, 900)], Sample(30 * DAY, 100)),  # it was off for a month
        ([Sample(2 * DAY, 900)], Sample(DAY, 100)),  # the clock went back
        ([Sample(0, 10**9)], Sample(7 * DAY, 10**9 - 1)),  # beyond any card's life
    ],
)
def test_what_cannot_be_said_is_not_said(samples, now):
    assert full_in(samples, now) is None
    assert FURTHEST < 10**9


def test_a_card_without_room_is_full_now():
    assert full_in([], Sample(0, 0)) == 0.0


def test_the_forecast_measures_the_card_itself(place):
    """Over three days some megabytes a day go onto it; nobody has fetched any of it."""
    for day in range(3):
        place.forecast.look()
        take(place, uuid.uuid4())
        place.now += DAY
        assert day or place.forecast.days is None
    place.forecast.look()
    room = place.vault.space()
    days = place.forecast.days
    if days is not None:  # others work on this machine's disk at the same time
        assert days > 0
    assert place.store.row("SELECT count(*) AS n FROM room")["n"] == 4
    place.vault.reserve = room + FILE * 100
    place.now += 60
    place.forecast.look()
    assert (place.forecast.days, place.forecast.full, place.upkeep.scarce) == (0.0, True, 0.0)


def test_samples_of_a_clock_that_was_ahead_are_forgotten(place):
    place.now += 365 * DAY
    place.forecast.look()
    place.now = NOW
    place.store.close()
    place.store.__init__(place.vault.directory.parent / "booth.db")
    place.now += DAY
    clock = Clock("system", system=lambda: place.now, monotonic=lambda: 5.0, synchronised=lambda: False, boot="c")
    forecast = Forecast(place.store, clock, place.vault, Retention(place.store, clock, place.vault, load(), Terms()))
    forecast.look()
    assert [row["at"] for row in place.store.rows("SELECT at FROM room")] == [place.now]


def test_a_clock_that_knows_nothing_foresees_nothing(place):
    place.known = False
    place.forecast.look()
    assert place.forecast.days is None
    assert place.store.rows("SELECT * FROM room") == []


def test_the_warning_comes_a_week_before(place):
    for days, warned in ((SOON + 1, None), (SOON - 1, SOON - 1), (None, None)):
        place.forecast.days = days
        assert place.upkeep.scarce == warned


def test_below_the_reserve_nothing_is_recorded_and_what_there_is_is_closed(tmp_path, recipient):
    """The card fills in mid-call: what was recorded stays whole, and there is still room for the books."""
    posted = queue.SimpleQueue()
    vault = Vault(tmp_path / "recordings", [recipient], posted.put)
    recorder = Recorder(vault, posted.put)
    call = uuid.uuid4()
    recorder.start(str(call))
    for _ in range(150):
        recorder.hear(SILENCE, SILENCE)
    vault.do(lambda: setattr(vault, "reserve", 1 << 62))
    for _ in range(150):
        recorder.hear(SILENCE, SILENCE)
    sealed = recorder.stop()
    failed = posted.get(timeout=20)
    assert (type(failed), failed.full, sealed.complete, sealed.segments) == (RecordingFailed, True, False, 1)
    assert vault.recover() == []  # it has its closing record
    recorder.start(str(uuid.uuid4()))  # and at the next call's very beginning
    assert not recorder.stop().complete
    assert posted.get(timeout=20).full
    vault.close()
    assert [path.name for path in vault.directory.iterdir()] == [f"{call}.journal"]


def test_a_booth_without_room_goes_on_with_its_calls_and_says_that_they_are_not_recorded(stage):
    """There is room for the books only: the call is dialled and talked, its result is kept, and every screen says so."""
    stage.recording = "reserve_mb = 1000000000"
    played = stage.play("A", Answered(), idle=2.5)
    talking = [scene for scene in played.scenes if scene.state is State.TALKING]
    assert played.wire.dials == ["0312345601"]
    assert talking[-1].header.recording == "failed"
    played = stage.play("A", "1", "A", "D", "C", idle=2.5)
    assert State.WRAP_UP in played.states
    home = [scene for scene in played.scenes if scene.state is State.LIST][-1]
    assert (home.header.card, home.header.recording, home.body.notice) == (0.0, "off", "card-full")
    calls = stage.books()
    (call,) = calls.history("+81312345601")
    assert call.result is not None
    calls.close()
