"""Bad days of the way to the server: whatever breaks, nothing is lost, nothing is doubled, and the words are plain."""

import hashlib
import os
import random
import sqlite3
import time
import uuid
from contextlib import ExitStack, closing
from functools import partial

import pyrage
import pytest

from firmware import journal, mailbox, numbers, results, sync, wake, wire
from firmware.calls import Call
from firmware.clock import Clock
from firmware.journal import Closing, Ending, Segment
from firmware.opus import Encoder
from firmware.store import Store
from firmware.syncing.downlink import Downlink
from firmware.syncing.identity import Wallet
from firmware.syncing.link import Channel, Link
from firmware.syncing.outbox import Outbox, offer_again
from firmware.syncing.strikes import Strikes
from firmware.syncing.uplink import Uplink
from hw.contracts import FRAME
from hw.events import Cause, Party
from tests.places import environed
from tests.whole import proxy

pytestmark = pytest.mark.slow


HEALTHY = wire.Status(software="1", pending_calls=0, pending_recordings=0, oldest=None, free_bytes=1 << 30)
CODES = {result.code: result for result in results.load()}


def recorded(directory, call, identity, segments):
    """A sealed recording of that many segments, as a vault leaves it."""
    packets = tuple(Encoder().encode(os.urandom(FRAME)) for _ in range(5))
    data = b""
    for index in range(segments):
        part = Segment(uuid.UUID(call), index, 5 * index, 0, 0, packets, packets)
        data += journal.record(pyrage.encrypt(journal.pack_segment(part), [identity.to_public()]))
    end = Closing(
        uuid.UUID(call), segments, Ending.CLOSED, 5 * segments, 0, 5 * segments, hashlib.sha256(data).digest()
    )
    data += journal.record(pyrage.encrypt(journal.pack_closing(end), [identity.to_public()]), closing=True)
    directory.mkdir(exist_ok=True)
    (directory / f"{call}.journal").write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def busy_days(place, count, *, segments=0):
    """Calls with their results in a booth's books, and recordings if wanted; call → digest."""
    books, made = place.books(), {}
    for n in range(count):
        call = Call(str(uuid.uuid4()), numbers.parse(f"03-1234-56{n % 100:02}"), None)
        books.begin(call, None, "07", "off-list")
        books.answered(call.id)
        books.ended(call.id, Cause.NORMAL, Party.FAR, 3.0)
        books.finish(call.id, CODES[random.choice(("SALE", "REF", "CB", "ABS"))])
        made[call.id] = recorded(place.directory / "recordings", call.id, place.identity, segments) if segments else ""
    books.close()
    wake.Bell(place.directory, wake.SYNC).ring()
    return made


def arrived(central):
    """What the server has: calls, and digests of recordings."""
    digests = central.rows("SELECT id, sha256 FROM recording WHERE state = 'whole'")
    return {row["id"] for row in central.rows("SELECT id FROM call")}, {row["id"]: row["sha256"] for row in digests}


def nothing_doubled(central, place):
    """Each fact of the booth is on the server once."""
    with sqlite3.connect(place.directory / "booth.db") as books:
        ours = sorted(row[0] for row in books.execute("SELECT id FROM fact"))
    books.close()
    return sorted(row["id"] for row in central.rows("SELECT id FROM fact")) == ours


def nothing(*_said):
    """Nobody waits for it."""


def report(card, place):
    """What sync says of itself."""
    rows = card(place.directory, "SELECT value FROM note WHERE key = ?", mailbox.REPORT)
    return rows[0]["value"] if rows else ""


@pytest.mark.parametrize("seed", range(3))
def test_sync_killed_at_random_in_upload(central, branch, until, seed):
    place, chance = branch("one"), random.Random(seed)
    made = busy_days(place, 12, segments=40)
    central.enrol(place.directory)
    for _ in range(6):
        daemon = central.sync(place.directory)
        wait = chance.uniform(0.25, 0.9)
        with pytest.raises(AssertionError):
            until(lambda: False, wait)
        daemon.kill()
        daemon.wait()
    central.sync(place.directory)
    until(lambda: arrived(central) == (set(made), made))
    until(lambda: nothing_doubled(central, place))
    for call, digest in made.items():
        kept = central.kept(f"{call}.journal")
        assert hashlib.sha256(kept).hexdigest() == digest


@pytest.fixture
def line(central):
    """A line to the server that can be made worse."""
    made = proxy.Proxy(int(central.server.api_url.rpartition(":")[2]), seed=7)
    yield made
    made.close()


@pytest.mark.parametrize("mood", ["cut", "double", "stall"])
def test_a_bad_line(central, branch, line, until, mood):
    place = branch("one")
    made = busy_days(place, 10, segments=60)
    central.enrol(place.directory, central.token().replace(central.server.api_url, f"https://127.0.0.1:{line.port}"))
    line.mood = mood
    central.sync(place.directory, "--patience", "1")
    until(lambda: line.mishaps >= 3)
    line.mood = "well"
    until(lambda: arrived(central) == (set(made), made))
    until(lambda: nothing_doubled(central, place))


@pytest.mark.parametrize("calls", [60, pytest.param(2000, marks=pytest.mark.soak)])
def test_a_week_without_a_server(central, branch, until, card, calls):
    """All its calls and their recordings come in, and its facts go down to another booth."""
    place, other = branch("one"), branch("other")
    for one in (place, other):
        central.enrol(one.directory)
    central.down()
    made = busy_days(place, calls, segments=2)
    facts = card(place.directory, "SELECT count(*) AS some FROM fact")[0]["some"]
    central.up()
    began = time.monotonic()
    central.sync(place.directory)
    central.sync(other.directory)
    until(lambda: len(arrived(central)[0]) == len(made), 900)
    print(f"{calls} calls came in within {time.monotonic() - began:.1f} s")
    until(lambda: card(other.directory, "SELECT count(*) AS some FROM fact")[0]["some"] == facts)
    assert nothing_doubled(central, place)
    until(lambda: arrived(central) == (set(made), made), 900)
    print(f"{calls} recordings came in within {time.monotonic() - began:.1f} s")
    until(lambda: card(place.directory, "SELECT count(*) AS some FROM outbox")[0]["some"] == 0)


def test_a_server_that_came_from_a_backup_is_told_all_again(central, branch, until, card):
    place = branch("one")
    made = busy_days(place, 5, segments=3)
    central.enrol(place.directory)
    central.sync(place.directory)
    until(lambda: arrived(central) == (set(made), made))
    until(lambda: card(place.directory, "SELECT count(*) AS some FROM outbox")[0]["some"] == 0)
    with central.server.parts.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM call")
        connection.exec_driver_sql("DELETE FROM recording")
    central.server.parts.facts.begin_epoch()
    until(lambda: arrived(central) == (set(made), made))
    assert nothing_doubled(central, place)


def test_a_server_that_forgets_before_its_first_news_came_is_told_all_again(central, branch, card):
    """Of sync's couriers the one for news is the last to get through."""
    place = branch("one")
    made = busy_days(place, 5)
    central.enrol(place.directory)
    wallet, clock = Wallet(place.directory), Clock("system")
    identity, key, counter = wallet.identity(), wallet.key(), wallet.counter()

    waiting = partial(card, place.directory, "SELECT ref FROM outbox WHERE kind = 'call'")
    with ExitStack() as opened:
        store = opened.enter_context(closing(Store(place.directory / "booth.db")))
        up_channel, down_channel = (
            opened.enter_context(closing(Channel(identity.url, identity.pins))) for _way in range(2)
        )
        up_link, down_link = (Link(channel, identity.booth, key, counter) for channel in (up_channel, down_channel))
        strikes = Strikes(store, clock, lambda: None)
        up = Uplink(up_link, Outbox(store, "one", strikes), status=lambda: HEALTHY, wanted=nothing, delivered=nothing)
        while waiting():
            up.turn()
        assert arrived(central)[0] == set(made)
        with central.server.parts.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM call")
        central.server.parts.facts.begin_epoch()
        Downlink(store, down_link, clock, heard=nothing, forgotten=nothing).turn()
    assert {row["ref"] for row in waiting()} == set(made)


def test_a_recording_whose_receipt_comes_after_the_server_forgot_is_told_again(central, branch, until):
    """The card is slow: while sync waits for it to write down that the server has all, the server comes from a backup."""
    place = branch("one")
    central.enrol(place.directory)
    central.sync(place.directory)
    until(lambda: central.rows("SELECT id FROM booth WHERE seen IS NOT NULL"))
    call = str(uuid.uuid4())
    with closing(Store(place.directory / "booth.db")) as card:
        with card.write() as db:
            digest = recorded(place.directory / "recordings", call, place.identity, 3)
            wake.Bell(place.directory, wake.SYNC).ring()
            until(lambda: arrived(central)[1] == {call: digest})
            with central.server.parts.database.write() as connection:
                connection.exec_driver_sql("DELETE FROM recording")
            offer_again(db)
        until(lambda: arrived(central)[1] == {call: digest})
        until(lambda: card.row("SELECT state FROM upload WHERE recording = ? AND state = 'synced'", call))


def test_a_booth_that_is_revoked_says_so_and_goes_on_when_let_in_again(central, branch, until, card):
    place = branch("one")
    central.enrol(place.directory)
    central.sync(place.directory)
    booth = until(lambda: central.rows("SELECT id FROM booth WHERE seen IS NOT NULL"))[0]["id"]
    central.server.parts.booths.revoke(booth)
    made = busy_days(place, 1)
    until(lambda: '"revoked"' in report(card, place))
    assert arrived(central)[0] == set()
    central.server.parts.booths.revoke(booth, revoked=False)
    until(lambda: arrived(central)[0] == set(made))
    until(lambda: '"error": ""' in report(card, place))


def test_another_server_at_the_same_address_hears_nothing(central, branch, until, card, tmp_path):
    place = branch("one")
    central.enrol(place.directory)
    made = busy_days(place, 1)
    central.down()
    rightful, central.directory = central.directory, tmp_path / "impostor"
    with environed({}):  # with books of its own
        central.up()
    central.sync(place.directory)
    until(lambda: '"wrong-pin"' in report(card, place))
    assert central.rows("SELECT * FROM booth") == []
    central.down()
    central.directory = rightful
    central.up()
    until(lambda: arrived(central)[0] == set(made))


def test_a_token_serves_one_booth(central, branch, capsys):
    one, other, token = branch("one"), branch("other"), central.token()
    central.enrol(one.directory, token)
    assert sync.main(["enrol", token, "--data", str(other.directory)]) == 1
    assert "used already" in capsys.readouterr().err
    assert sync.main(["run", "--data", str(other.directory)]) == 1
    assert "not enrolled" in capsys.readouterr().err
    assert sync.main(["enrol", token, "--data", str(one.directory)]) == 0  # as after a power cut at the last moment
    assert sync.main(["enrol", fresh := central.token(), "--data", str(one.directory)]) == 1
    assert "--again" in capsys.readouterr().err
    assert sync.main(["enrol", token, "--data", str(one.directory), "--again"]) == 1  # a new key, a spent token
    assert sync.main(["enrol", fresh, "--data", str(one.directory)]) == 1  # the new key of that waits for a token still
    assert sync.main(["enrol", fresh, "--data", str(one.directory), "--again"]) == 0
    assert sync.main(["enrol", fresh, "--data", str(one.directory)]) == 0
    assert len(central.rows("SELECT id FROM booth")) == 1


def test_an_answer_to_the_enrolment_that_was_lost_is_asked_for_again(central, branch):
    place, token = branch("one"), central.token()
    central.enrol(place.directory, token)
    (place.directory / mailbox.IDENTITY).unlink()  # as if we had been killed before it was written
    central.enrol(place.directory, token)
    assert len(central.rows("SELECT id FROM booth")) == 1


def test_status_is_said_in_words(central, branch, until, capsys):
    place = branch("one")
    status = ["status", "--data", str(place.directory)]
    assert sync.main(status) == 1
    assert "Not enrolled" in capsys.readouterr().out
    central.enrol(place.directory)
    busy_days(place, 2)
    assert sync.main(status) == 1
    assert "2 calls" in (said := capsys.readouterr().out)
    assert "never" in said
    central.sync(place.directory)
    until(lambda: sync.main(status) == 0)
    assert "in touch" in capsys.readouterr().out
    central.down()
    until(lambda: sync.main(status) == 1)
    assert "is the server running?" in capsys.readouterr().out
