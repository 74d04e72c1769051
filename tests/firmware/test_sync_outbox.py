"""What waits in the outbox, in which order it goes, and when it is taken off."""

import json
import uuid

import pytest

from firmware import mailbox, numbers, quarantine, results, wire
from firmware.calls import Call, Calls
from firmware.clock import RELEASED, Clock
from firmware.store import Store
from firmware.syncing.outbox import MOST, Outbox, offer_again
from firmware.syncing.strikes import WAITS, Strikes
from hw.events import Cause, Party

NOW = RELEASED + 86400.0
CODES = {result.code: result for result in results.load()}


class Booth:
    """The books of one booth, and sync's view of them."""

    def __init__(self, path):
        self.time, self.monotonic = NOW, 1000.0
        self.books = Calls(path, "b3", Clock("system", system=lambda: self.time, synchronised=lambda: self.time > 0))
        self.store = Store(path)
        self.outbox = self.restarted()

    def restarted(self, boot="this"):
        """Sync after another start, or after another start of the machine."""
        clock = Clock("system", system=lambda: self.time, monotonic=lambda: self.monotonic, boot=boot)
        return Outbox(self.store, "b3", Strikes(self.store, clock, clock.now, lambda: "1 2"))

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

    def urgent(self):
        """Send what bars a number; the contents."""
        found = self.outbox.barring()
        if found is None:
            return []
        self.outbox.delivered(found, [ref for ref, _ in found.seals], {})
        return [json.loads(bytes(raw)) for raw in found.raw]

    def deliver(self, kind, ids=None, refused=()):
        """Send the next parcel; the server takes `ids`, or all of it."""
        found = self.outbox.parcel(kind)
        sent = [ref for ref, _ in found.seals]
        self.outbox.delivered(found, sent if ids is None else ids, dict.fromkeys(refused, "not of a UUID"))
        return sent

    def kept_back(self):
        """The names of what is kept back."""
        return [one.id for one in quarantine.some(self.store)]


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
    booth.outbox.delivered(found, [call], {})
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
    assert booth.kept_back() == []  # once is no proof
    assert mailbox.waiting(booth.store)["call"] == 1
    booth.books.finish(bad, CODES["REF"])  # a newer version may do
    assert [call["id"] for call in booth.parcel("call")] == [bad]


def test_what_is_refused_three_times_and_over_a_time_is_kept_back_with_its_reason(booth):
    bad = booth.call()
    for wait in (*WAITS, 0.0):
        assert booth.kept_back() == []
        booth.deliver("call", ids=[], refused=[bad])
        booth.monotonic += 0.9 * wait
        assert booth.outbox.parcel("call") is None
        booth.monotonic += 0.2 * wait
    assert booth.restarted("another").parcel("call") is None  # nor after any start
    (kept,) = quarantine.some(booth.store)
    assert (kept.kind, kept.id, kept.reason) == ("call", bad, "not of a UUID")
    assert kept.since == pytest.approx(NOW, abs=5)
    assert mailbox.waiting(booth.store)["call"] == 1  # it is not lost
    booth.books.finish(bad, CODES["REF"])
    assert booth.deliver("call") == [bad]
    assert quarantine.count(booth.store) == 0
    assert mailbox.waiting(booth.store)["call"] == 0


def test_strikes_are_counted_across_restarts(booth):
    bad = booth.call()
    for boot in ("one", "two", "three"):
        booth.outbox = booth.restarted(boot)
        booth.deliver("call", ids=[], refused=[bad])
    assert booth.kept_back() == [bad]


def test_what_is_kept_back_is_offered_once_more_when_asked_or_after_an_update(booth):
    bad, worse = booth.call(), booth.call()
    for boot in ("one", "two", "three"):
        booth.outbox = booth.restarted(boot)
        booth.deliver("call", ids=[], refused=[bad, worse])
    with booth.store.write() as db:
        assert quarantine.release_after_update(db, "1 2") == 0  # these two versions could not agree
        assert quarantine.release_after_update(db, "1 3") == 2
    booth.deliver("call", ids=[worse], refused=[bad])
    assert booth.kept_back() == [bad]  # once was enough
    with booth.store.write() as db:
        assert [quarantine.release(db, name) for name in (worse, bad)] == [0, 1]
    assert booth.deliver("call") == [bad]
    assert quarantine.count(booth.store) == 0


def test_one_bad_thing_in_a_parcel_is_found(booth):
    calls = [booth.call() for _ in range(40)]
    bad = calls[17]
    for _ in range(200):
        found = booth.outbox.parcel("call")
        if found is None:
            booth.monotonic += max(WAITS)
            if (found := booth.outbox.parcel("call")) is None:
                break
        if bad in [ref for ref, _ in found.seals]:
            booth.outbox.unwelcome(found, "too large")
        else:
            booth.outbox.delivered(found, [ref for ref, _ in found.seals], {})
    assert booth.kept_back() == [bad]
    left = booth.store.rows("SELECT ref FROM outbox WHERE kind = 'call'")
    assert [row["ref"] for row in left] == [bad]


def test_after_a_long_absence_what_bars_a_number_goes_first_then_what_is_newest(booth):
    old = booth.call("REF")
    sold = [booth.call("SALE") for _ in range(MOST // 2 + 20)]  # at least two facts each
    refused = booth.call("REF", "03-1234-5602")
    first = booth.urgent()
    assert {fact["kind"] for fact in first} <= {"refusal", "do-not-call", "final", "counted", "withdrawal"}
    assert [fact["call"] for fact in first if fact["kind"] == "refusal"] == [old, refused]
    assert booth.urgent() == []
    newest = booth.parcel("fact")
    assert newest[-1]["call"] == refused
    places = [sold.index(fact["call"]) for fact in newest if fact["call"] in sold]
    assert places == sorted(places)
    assert places[0] > 0
    later = booth.call("REF", "03-1234-5603")  # while the old ones go
    assert {fact["call"] for fact in booth.urgent()} == {later}
    while booth.outbox.parcel("fact") is not None:
        booth.deliver("fact")
    assert mailbox.waiting(booth.store)["fact"] == 0


def test_while_others_have_their_turn_only_what_is_new_goes(booth):
    booth.call()
    waits = booth.outbox.latest()
    assert [booth.outbox.parcel(kind, waits) for kind in ("fact", "call")] == [None, None]
    new = booth.call("REF")
    for kind, key in (("fact", "call"), ("call", "id")):
        found = [json.loads(bytes(raw)) for raw in booth.outbox.parcel(kind, waits).raw]
        assert {one[key] for one in found} == {new}


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


def test_what_a_server_took_before_it_forgot_is_offered_again(booth):
    booth.call()
    sent = {kind: booth.outbox.parcel(kind) for kind in ("fact", "call")}
    with booth.store.write() as db:
        offer_again(db)  # its answers were on their way
    for kind, parcel in sent.items():
        booth.outbox.delivered(parcel, [ref for ref, _ in parcel.seals], {})
        assert booth.parcel(kind), f"the new server never hears of the {kind}"
        booth.deliver(kind)
        assert not booth.parcel(kind)


def test_a_call_that_goes_on_is_not_offered(booth):
    made = Call(str(uuid.uuid4()), numbers.parse("03-1234-5601"), None)
    booth.books.begin(made, None, "07", "off-list")
    with booth.store.write() as db:
        offer_again(db)
    assert booth.outbox.parcel("call") is None
    assert booth.outbox.parcel("fact") is not None
