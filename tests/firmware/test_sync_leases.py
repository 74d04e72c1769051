"""Claims between a booth's books and a real server: what comes with a grant, and what must be told before it ends."""

import uuid

import msgspec
import pytest

from firmware import mailbox, numbers, sync, wire
from firmware.calls import Call, Calls
from firmware.clock import RELEASED, Clock
from firmware.known import Fact, FactKind
from firmware.store import Store
from firmware.syncing.identity import Wallet
from firmware.syncing.leases import IDLE, LASTS, Leases
from firmware.syncing.link import Channel, Link
from firmware.syncing.outbox import Outbox
from firmware.syncing.strikes import Strikes
from provisioning.server.run import Server

NUMBER, OTHER = numbers.parse("03-1234-5601"), numbers.parse("03-1234-5602")
NOW = RELEASED + 86400.0


class Booth:
    """A booth's books and its lease courier, turned by hand."""

    def __init__(self, data, server, name):
        data.mkdir()
        self.monotonic = 1000.0
        self.clock = Clock(
            "synchronised", system=lambda: NOW, synchronised=lambda: True, monotonic=lambda: self.monotonic, boot="now"
        )
        self.books = Calls(data / "booth.db", name, self.clock)
        assert sync.main(["enrol", server.new_token(name), "--data", str(data)]) == 0
        self.store, wallet = Store(data / "booth.db"), Wallet(data)
        known = wallet.identity()
        self.link = Link(Channel(known.url, known.pins), known.booth, wallet.key(), wallet.counter())
        self.woken = 0
        self.leases = Leases(self.store, self.link, self.clock, heard=self._wake)
        self.outbox = Outbox(self.store, name, Strikes(self.store, self.clock, self.clock.now))

    def _wake(self):
        self.woken += 1

    def wish(self, state="wanted", number=NUMBER):
        """What firmware.claims writes down."""
        with self.store.write() as db:
            if state == "wanted":
                db.execute("INSERT OR REPLACE INTO claim VALUES (?, 'wanted', 'now', ?, 0, '')", (number.key, NOW))
                db.execute("UPDATE claim SET asked = ?", (self.monotonic,))
            else:
                db.execute("UPDATE claim SET state = ? WHERE number = ?", (state, number.key))

    def claim(self):
        """Want the number, and ask; how it stands then."""
        self.wish()
        assert self.leases.turn() == 0.0
        return self.standing()

    def standing(self):
        row = self.store.row("SELECT state FROM claim")
        return row and row["state"]

    def dial(self):
        """A call begins: its attempt waits in the outbox."""
        self.books.begin(Call(str(uuid.uuid4()), NUMBER, None), None, "07", "off-list")

    def deliver(self):
        """What the uplink does; the server has the facts then."""
        parcel = self.outbox.parcel("fact")
        taken = self.link.post(wire.FACTS, wire.Facts(facts=parcel.raw), wire.Taken)
        self.outbox.delivered(parcel, taken.ids, taken.refused)

    def kinds(self, number=NUMBER):
        return [fact.kind for fact in self.books.facts(number.key)]

    def close(self):
        self.link.channel.close()
        self.store.close()
        self.books.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("server"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def booths(server, tmp_path):
    with server.parts.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM claim")
    made = [Booth(tmp_path / name, server, name) for name in ("one", "two")]
    yield made
    for booth in made:
        booth.close()


def test_a_granted_claim_brings_what_the_server_knows(booths):
    one, two = booths
    for kind in (FactKind.ATTEMPT, FactKind.REFUSAL):
        one.books.add_fact(Fact(str(uuid.uuid4()), kind, OTHER.key, NOW, "one", "07"))
        one.deliver()
    two.wish(number=OTHER)
    assert two.leases.turn() == 0.0
    assert two.standing() == "granted"
    assert two.kinds(OTHER) == [FactKind.ATTEMPT, FactKind.REFUSAL]
    assert two.woken == 1
    assert mailbox.waiting(two.store)["fact"] == 0  # they are not ours to tell
    two.wish(number=OTHER)
    two.leases.turn()
    assert two.kinds(OTHER) == [FactKind.ATTEMPT, FactKind.REFUSAL]


def test_a_number_is_kept_until_the_server_knows_of_the_dial(booths):
    one, two = booths
    assert one.claim() == "granted"
    one.dial()
    one.wish("unwanted")
    assert one.leases.turn() == pytest.approx(IDLE)  # the uplink will call before
    assert two.claim() == "held"
    one.monotonic += LASTS - 5
    assert one.leases.turn() == pytest.approx(5)
    one.deliver()
    assert one.leases.turn() == 0.0
    assert one.standing() is None
    assert two.claim() == "granted"
    assert FactKind.ATTEMPT in two.kinds()


def test_another_number_does_not_wait_behind_it(booths):
    one, _two = booths
    one.claim()
    one.dial()
    one.wish("unwanted")
    one.wish(number=OTHER)
    assert one.leases.turn() == 0.0
    rows = one.store.rows("SELECT number, state FROM claim ORDER BY number")
    assert [tuple(row) for row in rows] == [(NUMBER.key, "unwanted"), (OTHER.key, "granted")]


def test_what_the_server_never_hears_of_keeps_a_number_no_longer_than_its_lease(booths):
    one, two = booths
    one.claim()
    one.dial()
    one.wish("unwanted")
    one.monotonic += LASTS + 1
    assert one.leases.turn() == 0.0
    assert one.standing() is None
    assert two.claim() == "held"  # nobody has let it go: it ends there by itself


def test_a_number_that_nobody_wants_when_the_answer_comes_is_still_ours_until_then(booths):
    one, two = booths

    class Meanwhile(Link):
        """The agent has dialled without the answer, and is back at the list when it comes."""

        def post(self, *asked):
            said = one.link.post(*asked)
            one.dial()
            one.wish("unwanted")
            return said

    one.leases._link = Meanwhile(one.link.channel, "", None, None)
    one.claim()
    one.leases._link = one.link
    assert one.standing() == "unwanted"
    assert one.leases.turn() > 0
    assert two.claim() == "held"


def test_a_booth_that_starts_again_lets_go_of_what_it_has_told(booths):
    one, two = booths
    one.claim()
    one.dial()
    one.wish("unwanted")
    with one.store.write() as db:
        db.execute("UPDATE claim SET boot = 'before'")
    one.leases.turn()
    assert (one.standing(), two.claim()) == (None, "held")


def test_older_servers_and_booths_understand_the_answer():
    class Before(wire.Message, frozen=True):
        granted: bool
        expires: float
        fence: int

    now = wire.encode(wire.Claimed(granted=True, expires=1.0, fence=1, facts=(msgspec.Raw(b'{"id":"1"}'),)))
    assert wire.decode(now, Before).granted
    assert wire.decode(wire.encode(Before(granted=True, expires=1.0, fence=1)), wire.Claimed).facts == ()
