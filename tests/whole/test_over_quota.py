"""A booth over its quota says so, sends what is small all the same, and goes on by itself when there is room again."""

import json

import pytest

from firmware import mailbox
from provisioning.server.operations import quotas
from provisioning.server.operations.quotas import Limits
from tests.whole.test_synced_bad_days import arrived, busy_days

pytestmark = pytest.mark.slow


def test_over_its_quota_a_booth_waits_and_loses_nothing(central, branch, until, card):
    place = branch("one")
    central.enrol(place.directory)
    bound(central, Limits(booth_day=1))
    made = busy_days(place, 3, segments=2)
    daemon = central.sync(place.directory)
    until(lambda: arrived(central)[0] == set(made))
    until(lambda: reported(card, place) == "server-full")
    assert arrived(central)[1] == {}
    bound(central, Limits())
    daemon.terminate()  # the rest that it was told to take is a quarter of an hour
    daemon.wait(30)
    central.sync(place.directory)
    until(lambda: arrived(central) == (set(made), made))
    until(lambda: reported(card, place) == "")


def bound(central, limits):
    database = central.server.parts.database
    with database.write() as connection:
        quotas.put(database, connection, limits)
    central.server.parts.quotas._looked = float("-inf")


def reported(card, place):
    rows = card(place.directory, "SELECT value FROM note WHERE key = ?", mailbox.REPORT)
    return json.loads(rows[0]["value"])["error"] if rows else None
