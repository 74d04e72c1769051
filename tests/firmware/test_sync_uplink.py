"""In which order a long absence is made good, and what becomes of it while the server has its hands full."""

import uuid
from contextlib import closing

import msgspec
import pytest

from firmware import mailbox, numbers, results, wire
from firmware.calls import Call, Calls
from firmware.clock import Clock
from firmware.store import Store
from firmware.syncing.faults import Refused
from firmware.syncing.identity import Wallet
from firmware.syncing.link import LONGEST_REST, Answer, Channel, Link, read
from firmware.syncing.outbox import MOST, Outbox
from firmware.syncing.strikes import Strikes
from firmware.syncing.uplink import FEW, Uplink
from hw.events import Cause, Party
from tests.firmware import test_sync_link as offices

CODES = {result.code: result for result in results.load()}
LARGE = 16 * 1024


class Desk:
    """What a server does with what it is told; `busy`: the seconds after which whoever brings much is to come again."""

    def __init__(self, office):
        self.busy, self.pages, self.taken = "", [], []
        for kind in ("facts", "calls", "shifts"):
            office.answers[f"/v1/{kind}"] = lambda clerk, kind=kind: self.take(clerk, kind)
        office.answers[wire.STATUS] = self.status
        self._office, self.statuses = office, 0

    def take(self, clerk, kind):
        body = self._office.asked[-1][2]
        if self.busy and len(body) > LARGE:
            refusal = wire.encode(wire.Refusal(error=wire.QUEUE, detail="many booths, come again"))
            return clerk.say(503, refusal, Retry_After=self.busy)
        things = msgspec.json.decode(body)[kind]
        self.pages.append((kind, len(things)))
        self.taken += things
        return clerk.say(200, wire.encode(wire.Taken(ids=tuple(one["id"] for one in things))))

    def status(self, clerk):
        self.statuses += 1
        clerk.say(200, wire.encode(wire.Wanted(time=1e9, name="b", recipients=())))


class Booth:
    """A card with calls, and the way up from it."""

    def __init__(self, data, office):
        self.books = Calls(data / "booth.db", "b3", Clock("system"))
        self.store, wallet = Store(data / "booth.db"), Wallet(data)
        clock = Clock("system")
        self.link = Link(Channel(office.url, (office.pin,)), "the-booth", wallet.key(), wallet.counter())
        outbox = Outbox(self.store, "b3", Strikes(self.store, clock, clock.now))
        self.uplink = Uplink(self.link, outbox, status=self._status, wanted=lambda _: None, delivered=lambda: None)

    def _status(self):
        waits = mailbox.waiting(self.store)["call"]
        return wire.Status(software="", pending_calls=waits, pending_recordings=0, oldest=None, free_bytes=0)

    def call(self, code="SALE"):
        made = Call(str(uuid.uuid4()), numbers.parse("03-1234-5601"), None)
        self.books.begin(made, None, "07", "off-list")
        self.books.answered(made.id)
        self.books.ended(made.id, Cause.NORMAL, Party.FAR, 3.0)
        self.books.finish(made.id, CODES[code], note="x" * 400)
        return made.id

    def work(self):
        """Until there is nothing to do; the rest that it takes then."""
        for _ in range(100):
            if rest := self.uplink.turn():
                return rest
        raise AssertionError("it never rests")

    def close(self):
        self.link.channel.close()
        self.books.close()
        self.store.close()


@pytest.fixture(scope="module")
def key():
    return offices.KEYS["ec"]()


@pytest.fixture
def office(tmp_path, key):
    with offices.working(offices.Office(tmp_path / "office", key)) as one:
        yield one


@pytest.fixture
def desk(office):
    return Desk(office)


@pytest.fixture
def booth(tmp_path, office):
    with closing(Booth(tmp_path, office)) as one:
        yield one


def test_what_bars_a_number_goes_first_and_kinds_take_turns(booth, desk):
    refused = [booth.call("REF") for _ in range(3)]
    for _ in range(MOST // 2 + 20):
        booth.call()
    booth.books.log_in("07")
    assert booth.work() > 0
    first = desk.taken[:3]
    assert [one["call"] for one in first] == refused
    assert {one["kind"] for one in first} == {"refusal"}
    kinds = [kind for kind, _count in desk.pages]
    assert kinds[:4] == ["facts", "facts", "calls", "shifts"]
    assert set(kinds[4:]) == {"facts"}  # a second page of them
    assert booth._status().pending_calls == 0


def test_a_server_with_its_hands_full_gets_what_is_new_and_the_rest_when_it_said(booth, desk):
    old = [booth.call() for _ in range(MOST // 2)]
    desk.busy = "7"
    rest = booth.work()
    assert 6.5 < rest <= 10.5
    newest = {one.get("call") or one["id"] for one in desk.taken}
    assert old[-1] in newest
    assert len(newest) <= FEW
    before = len(desk.taken)
    new = booth.call()  # while it waits
    assert booth.work() > 0
    assert {one.get("call") or one["id"] for one in desk.taken[before:]} == {new}
    assert all(count <= FEW for _kind, count in desk.pages)
    desk.busy, booth.uplink._rests_until = "", 0.0  # its turn has come
    booth.work()
    assert {one["id"] for one in desk.taken if "kind" not in one} == {*old, new}
    assert sum(mailbox.waiting(booth.store).values()) == 0


def test_how_it_is_told_in_the_middle_of_a_backlog_and_again_to_a_new_start(booth, desk):
    for _ in range(3):
        booth.call()
    booth.work()
    assert desk.statuses == 2  # before anything else, and when all was gone
    booth.uplink.introduce()
    booth.work()
    assert desk.statuses == 3


@pytest.mark.parametrize(
    ("said", "after"), [("5", 5.0), ("", 0.0), ("999999", LONGEST_REST), ("soon", 0.0), ("-1", 0.0), ("٣", 0.0)]
)
def test_a_server_has_itself_left_alone_within_reason(said, after):
    with pytest.raises(Refused) as caught:
        read(Answer(503, {"retry-after": said}, b""), wire.Taken)
    assert caught.value.after == after
