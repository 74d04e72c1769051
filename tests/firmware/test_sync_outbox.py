"""What waits in the outbox, in which order it goes, and when it is taken off."""

import json
import uuid

import pytest

from firmware import mailbox, numbers, results, wire
from firmware.calls import Call, Calls
from firmware.clock import RELEASED, Clock
from firmware.store import Store
from firmware.syncing.outbox import MOST, Outbox, offer_again
from hw.events import Cause, Party

NOW = RELEASED + 86400.0
CODES = {result.code: result for result in results.load()}


class Booth:
    """The books of one booth, and sync's view of them."""

    def __init__(self, path):
        self.time = NOW
        self.books = Calls(path, "b3", Clock("system", system=lambda: self.time, synchronised=lambda: self.time > 0))
        self.store = Store(path)
        self.outbox = Outbox(self.store, "b3")

    def call(self, code="SALE", digits="03-1234-5601"):
        """One call with its result; its id."""
        made = Call(str(uuid.uuid4()), numbers.parse(digits), None)
        self.books.begin(made, None, "07", "off-list")
        self.books.answered(made.id)
        self.books.ended(made.id, Cause.NORMAL, Party.FAR, 3.0)
        self.books.finish(made.id, CODES[code])
        return made.id

    def parcel(self, kind):
        """The next parcel's contents."""
        found = self.outbox.parcel(kind)
        return [] if found is None else [json.loads(bytes(raw)) for raw in found.raw]

    def deliver(self, kind, ids=None, refused=()):
        """Send the next parcel; the server takes `ids`, or all of it."""
        found = self.outbox.parcel(kind)
        sent = [ref for ref, _ in found.seals]
        self.outbox.delivered(found, sent if ids is None else ids, refused)
        return sent


@pytest.fixture
def booth(tmp_path):
    made = Booth(tmp_path / "booth.db")
    yield made
    made.books.close()
    made.store.close()


def test_nothing_waits_at_first(booth):
    assert [booth.outbox.parcel(kind) for kind in ("fact", "call", "shift")] == [None, None, None]


def test_facts_go_in_their_order_and_calls_newest_first(booth):
    calls = [booth.call() for _ in range(3)]
    assert [fact["call"] for fact in booth.parcel("fact") if fact["kind"] == "attempt"] == calls
    assert [call["id"] for call in booth.parcel("call")] == calls[::-1]


def test_a_fact_says_all_that_the_wire_has_room_for(booth):
    booth.call("REF")
    facts = [wire.read(raw, wire.Fact) for raw in booth.outbox.parcel("fact").raw]
    assert {fact.kind for fact in facts} >= {"attempt", "refusal"}
    refusal = next(fact for fact in facts if fact.kind == "refusal")
    assert (refusal.number, refusal.booth, refusal.agent, refusal.result) == ("+81312345601", "b3", "07", "REF")
    assert refusal.at == pytest.approx(NOW, abs=5)


def test_only_what_the_server_has_leaves(booth):
    calls = [booth.call() for _ in range(3)]
    booth.deliver("call", ids=[calls[1], "something else"])
    assert {call["id"] for call in booth.parcel("call")} == {calls[0], calls[2]}
    booth.deliver("call")
    assert booth.outbox.parcel("call") is None
    assert mailbox.waiting(booth.store)["call"] == 0


def test_a_result_keyed_anew_in_mid_delivery_goes_too(booth):
    call = booth.call()
    found = booth.outbox.parcel("call")
    booth.books.finish(call, CODES["REF"])
    booth.outbox.delivered(found, [call], ())
    (again,) = booth.parcel("call")
    assert again["result"]["code"] == "REF"
    booth.deliver("call")
    assert booth.outbox.parcel("call") is None


def test_several_results_of_a_call_are_one_record(booth):
    call = booth.call()
    booth.books.finish(call, CODES["REF"])
    booth.books.finish(call, CODES["SALE"])
    assert [found["result"]["version"] for found in booth.parcel("call")] == [3]
    booth.deliver("call")
    assert booth.outbox.parcel("call") is None


def test_what_is_refused_blocks_nothing_and_is_kept(booth):
    bad, good = booth.call(), booth.call()
    booth.deliver("call", ids=[good], refused=[bad])
    assert booth.outbox.parcel("call") is None
    assert booth.outbox.refused == 1
    assert mailbox.waiting(booth.store)["call"] == 1
    assert Outbox(booth.store, "b3").parcel("call") is not None  # offered again after a restart
    booth.books.finish(bad, CODES["REF"])  # a newer version may do
    assert [call["id"] for call in booth.parcel("call")] == [bad]


def test_one_bad_thing_in_a_parcel_is_found(booth):
    calls = {booth.call() for _ in range(40)}
    bad = min(calls)
    for _ in range(200):
        found = booth.outbox.parcel("call")
        if found is None:
            break
        if bad in [ref for ref, _ in found.seals]:
            booth.outbox.unwelcome(found)
        else:
            booth.outbox.delivered(found, [ref for ref, _ in found.seals], ())
    assert booth.outbox.refused == 1
    left = booth.store.rows("SELECT ref FROM outbox WHERE kind = 'call'")
    assert [row["ref"] for row in left] == [bad]


def test_a_long_absence_comes_in_pieces(booth):
    for _ in range(MOST + 10):
        booth.call()
    assert [len(booth.deliver("call")), len(booth.deliver("call"))] == [MOST, 10]
    assert booth.outbox.parcel("call") is None


def test_pieces_fit_into_one_message(booth):
    calls = [booth.call() for _ in range(4)]
    for call in calls:
        booth.books.finish(call, CODES["REF"], note="x" * (wire.LONGEST_BODY // 4))
    found = booth.outbox.parcel("call")
    assert len(found.raw) == 1
    assert len(wire.encode(wire.Calls(calls=found.raw))) < wire.LONGEST_BODY


def test_shifts(booth):
    booth.books.log_in("07")
    (shift,) = booth.parcel("shift")
    assert (shift["kind"], shift["agent"], shift["booth"]) == ("log-in", "07", "b3")
    booth.deliver("shift")
    assert booth.outbox.parcel("shift") is None


def test_what_had_no_date_gets_it_when_the_boot_has_one(booth):
    booth.time = 0.0
    booth.call()
    assert booth.parcel("fact")[0]["at"] is None
    booth.time = NOW
    booth.books.facts("x")
    assert booth.parcel("fact")[0]["at"] == pytest.approx(NOW, abs=5)
    assert booth.parcel("call")[0]["begun"]["at"] == pytest.approx(NOW, abs=5)


def test_a_server_that_forgot_is_told_all_again_and_nothing_of_others(booth):
    call = booth.call()
    booth.books.log_in("07")
    for kind in ("fact", "call", "shift"):
        booth.deliver(kind)
    with booth.store.write() as db:
        db.execute(
            "INSERT INTO fact (id, kind, number, at, booth, agent, note) VALUES ('f', 'refusal', '+8131', 1, 'b4', '08', '')"
        )
        db.execute("INSERT INTO upload VALUES (?, 'synced', 9, 'd', '')", (call,))
        offer_again(db)
    assert {fact["call"] for fact in booth.parcel("fact")} == {call}
    assert [found["id"] for found in booth.parcel("call")] == [call]
    assert len(booth.parcel("shift")) == 1
    assert booth.store.row("SELECT state FROM upload")["state"] == "open"
    with booth.store.write() as db:
        offer_again(db)  # twice is once
    assert len(booth.parcel("call")) == 1


def test_a_call_that_goes_on_is_not_offered(booth):
    made = Call(str(uuid.uuid4()), numbers.parse("03-1234-5601"), None)
    booth.books.begin(made, None, "07", "off-list")
    with booth.store.write() as db:
        offer_again(db)
    assert booth.outbox.parcel("call") is None
    assert booth.outbox.parcel("fact") is not None
