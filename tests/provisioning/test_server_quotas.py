"""Quotas: whoever is over one is told why and when to come again, and loses nothing."""

import uuid

import pytest
from sqlalchemy import update

from firmware import wire
from provisioning import cli
from provisioning.server.operations import quotas
from provisioning.server.operations.quotas import Limits
from provisioning.server.schema import recording

MEGABYTE = 1_000_000


@pytest.fixture
def bounds(server):
    """Sets the limits, from this moment on."""

    def put(**limits):
        database = server.parts.database
        with database.write() as connection:
            quotas.put(database, connection, Limits(**limits))
        server.parts.quotas._looked = float("-inf")

    yield put
    put()


@pytest.mark.parametrize(
    ("limits", "status", "error"),
    [
        ({"booth_day": 3000}, 429, "booth-quota"),
        ({"archive": 3000}, 507, "archive-full"),
        ({"disk_free": 10**18}, 507, "disk-full"),
    ],
)
def test_over_a_quota_nothing_is_lost(  # noqa: PLR0917
    server, booth, deck, call_id, bounds, part, limits, status, error
):
    one, whole = booth(), deck.journal(call_id)
    assert len(whole) > 6000
    bounds(**{name: most + (quotas_used(server) if name == "archive" else 0) for name, most in limits.items()})
    first = one.patch(call_id, 0, whole[:2500])
    assert first.status == (204 if error != "disk-full" else 507)
    there = one.offset(call_id)[0]
    refused = one.patch(call_id, there, whole[there:], whole)
    assert (refused.status, refused.error) == (status, error)
    assert int(refused.headers["Retry-After"]) >= 60
    assert one.offset(call_id) == (there, False)
    told = {"version": 1, "id": str(call_id), "agent": "07", "number": {"key": "+81312345601"}}
    assert one.post(wire.CALLS, wire.Calls(calls=(part(told),)), wire.Taken).ids  # what is small comes in all the same
    bounds()
    assert one.patch(call_id, there, whole[there:], whole).status == 204
    assert one.offset(call_id) == (len(whole), True)


def quotas_used(server):
    with server.parts.database.read() as connection:
        return quotas.whole(connection)


def test_one_booths_quota_is_no_other_booths(booth, deck, bounds):
    greedy, modest = booth(), booth()
    calls = [uuid.uuid4() for _ in range(3)]
    journals = [deck.journal(call, segments=2) for call in calls]
    bounds(booth_day=len(journals[0]) * 3 // 2)
    statuses = [greedy.upload(call, journal).status for call, journal in zip(calls, journals, strict=True)]
    assert statuses == [204, 429, 429]
    call = uuid.uuid4()
    assert modest.upload(call, deck.journal(call, segments=2)).status == 204


def test_what_was_deleted_for_good_no_longer_counts(server, booth, deck):
    one, call = booth(), uuid.uuid4()
    whole = deck.journal(call)
    assert one.upload(call, whole).status == 204
    before = quotas_used(server)
    with server.parts.database.write() as connection:
        connection.execute(update(recording).where(recording.c.id == str(call)).values(erased=1.0))
    assert quotas_used(server) == before - len(whole)


def test_quotas_are_set_and_shown(server, capsys):
    data = ["--data", str(server.parts.directory)]
    assert cli.main(["server", "quota", "--booth-day", "5G", "--archive", "1T", *data]) == 0
    out = capsys.readouterr().out
    assert "booth-day        5G" in out
    assert "archive          1T" in out
    with server.parts.database.read() as connection:
        assert quotas.limits(connection) == Limits(booth_day=5000 * MEGABYTE, archive=1_000_000 * MEGABYTE)
    assert cli.main(["server", "quota", *data]) == 0
    assert capsys.readouterr().out == out
    for wrong in ("five", "5X", "-1", ""):
        with pytest.raises(SystemExit):
            cli.main(["server", "quota", "--archive", wrong, *data])
    assert "no size" in capsys.readouterr().err
