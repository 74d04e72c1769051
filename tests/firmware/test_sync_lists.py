"""Lists that the server has sent: taken in bit by bit, shown when whole, and nothing of their history lost."""

import json

import pytest

from firmware import results
from firmware.arrivals import SLICE, Arrivals, Change
from firmware.browsing import Browsing
from firmware.calls import Call, Calls
from firmware.claims import Claims
from firmware.clock import RELEASED, Clock
from firmware.gate import Gate
from firmware.numbers import Kind
from firmware.registers import Registers
from firmware.rulebook import InForce
from hw.events import Cause, Party

NOW = RELEASED + 86400.0
CODES = {result.code: result for result in results.load()}


def number(place):
    """A number of the sample range."""
    return f"03-1234-56{place % 100:02}"


class Booth:
    """The books of one booth with an inbox, as sync fills it."""

    def __init__(self, path):
        clock = Clock("system", system=lambda: NOW, synchronised=lambda: True)
        self.calls = Calls(path, "b3", clock)
        self.store = self.calls.store
        self.arrivals = Arrivals(self.store, "JP", "03")
        self.browsing = Browsing(
            self.calls,
            Gate(self.calls, clock, InForce(), Claims(self.store, clock, path.parent), Registers(path.parent)),
            clock,
            (),
            InForce(),
        )

    def assign(self, uuid, name="spring", *, wanted=1, sample=0):
        with self.store.write() as db:
            db.execute(
                "INSERT INTO assigned (uuid, name, sample, wanted) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, wanted = excluded.wanted",
                (uuid, name, sample, wanted),
            )

    def arrive(self, uuid, rows, revision=1, *, complete=1):
        with self.store.write() as db:
            added = db.execute(
                "INSERT INTO arrival (uuid, revision, complete) VALUES (?, ?, ?)", (uuid, revision, complete)
            )
            values = [(added.lastrowid, place, json.dumps(row)) for place, row in enumerate(rows)]
            db.executemany("INSERT INTO arrived_row VALUES (?, ?, ?)", values)

    def work(self):
        """All there is to do; what changed."""
        changes = []
        while self.arrivals.some:
            change = self.arrivals.step()
            if change is not None:
                changes.append(change)
                self.browsing.replaced(change.old, change.new)
        return changes

    def names(self):
        """What the booth shows: lists and their customers."""
        return {
            entry.name: [one.name for one in self.calls.customers(entry.id, 0, 1000)] for entry in self.calls.lists()
        }

    def call(self, customer, code, nth=1):
        """A call to a customer with its result."""
        made = Call(f"00000000-0000-4000-8000-{nth:012}", customer.number, customer)
        self.calls.begin(made, None, "07")
        self.calls.answered(made.id)
        self.calls.ended(made.id, Cause.NORMAL, Party.FAR, 3.0)
        self.calls.finish(made.id, CODES[code])
        return made.id


@pytest.fixture
def booth(tmp_path):
    made = Booth(tmp_path / "booth.db")
    yield made
    made.calls.close()


def row(place, name=None, numbers=None):
    """A firmware.wire.Row."""
    return {"row": place, "name": name or f"N{place}", "reading": "", "numbers": numbers or [number(place)]}


def test_a_list_comes_into_sight_when_it_is_whole(booth):
    booth.assign("u")
    booth.arrive("u", [row(n) for n in range(SLICE + 5)])
    assert booth.arrivals.step() is None
    assert booth.names() == {}
    assert booth.calls.by_number("+81312345600") is None
    changes = booth.work()
    assert booth.names() == {"spring": [f"N{n}" for n in range(SLICE + 5)]}
    assert changes == [Change(0, booth.calls.lists()[0].id)]
    assert booth.browsing.chosen.name == "N0"
    assert not booth.arrivals.some
    assert booth.store.row("SELECT 1 FROM arrived_row") is None


def test_what_has_not_arrived_whole_waits(booth):
    booth.assign("u")
    booth.arrive("u", [row(1)], complete=0)
    assert not booth.arrivals.some


def test_broken_off_anywhere_it_goes_on(tmp_path):
    first = Booth(tmp_path / "booth.db")
    first.assign("u")
    first.arrive("u", [row(n) for n in range(3 * SLICE)])
    for _ in range(6):
        again = Booth(tmp_path / "booth.db")
        if again.arrivals.some:
            again.arrivals.step()
        again.calls.close()
    first.work()
    assert first.names() == {"spring": [f"N{n}" for n in range(3 * SLICE)]}
    first.calls.close()


def test_rows_that_nobody_can_call_are_counted_and_left_out(booth):
    booth.assign("u")
    bad = [row(1, numbers=["119"]), row(2, numbers=["nonsense"]), {"row": 3}, "text", row(4, numbers=[])]
    booth.arrive("u", [row(0), *bad[:4], row(5)])
    booth.work()
    assert booth.names() == {"spring": ["N0", "N5"]}
    assert booth.store.row("SELECT left_out FROM assigned")["left_out"] == 4
    assert [one.row for one in booth.calls.customers(booth.calls.lists()[0].id, 0, 9)] == [0, 5]


def test_an_empty_list_is_a_list(booth):
    booth.assign("u")
    booth.arrive("u", [])
    booth.work()
    assert booth.names() == {"spring": []}


def test_a_new_revision_takes_the_old_ones_place_and_keeps_what_became_of_customers(booth):
    booth.assign("u")
    booth.arrive("u", [row(n) for n in range(10)])
    booth.work()
    old = booth.calls.lists()[0].id
    for place, code in ((3, "REF"), (4, "ABS")):
        customer = booth.calls.customers(old, place, 1)[0]
        made = Call(f"00000000-0000-4000-8000-00000000000{place}", customer.number, customer)
        booth.calls.begin(made, None, "07")
        booth.calls.answered(made.id)
        booth.calls.ended(made.id, Cause.NORMAL, Party.FAR, 3.0)
        booth.calls.finish(made.id, CODES[code])
    booth.browsing.go(4)
    booth.arrive("u", [row(20), *(row(n) for n in range(2, 10))], revision=2)
    (change,) = booth.work()
    assert change.old == old
    assert booth.names() == {"spring": ["N20", *(f"N{n}" for n in range(2, 10))]}
    kinds = {one.name: one.badge.kind for one in booth.calls.customers(change.new, 0, 99)}
    assert (kinds["N3"], kinds["N4"], kinds["N5"], kinds["N20"]) == ("refused", "absent", "new", "new")
    assert booth.calls.lists()[0].done == 1
    assert (booth.browsing.chosen.name, booth.browsing.notice) == ("N4", "list-changed")
    record = booth.calls.record("00000000-0000-4000-8000-000000000004")
    assert record["customer"]["list"] == {"id": old, "name": "spring", "sample": False, "uuid": "u"}


def test_a_list_that_is_no_longer_assigned_is_put_away_and_comes_back(booth):
    for uuid, name in (("u", "spring"), ("v", "summer")):
        booth.assign(uuid, name)
        booth.arrive(uuid, [row(n, f"{name}{n}") for n in range(3)])
    booth.work()
    booth.browsing.go(2)
    booth.assign("u", "spring", wanted=0)
    booth.work()
    assert set(booth.names()) == {"summer"}
    assert booth.browsing.chosen.name == "summer2"  # the same customers stand on it
    booth.assign("u", "spring again")
    booth.work()
    assert set(booth.names()) == {"spring again", "summer"}
    assert booth.browsing.chosen.name == "summer2"


def test_lists_from_files_are_left_alone(booth):
    booth.assign("u")
    booth.arrive("u", [row(1)])
    booth.work()
    entries = [booth.arrivals._entry(json.dumps(row(7)))]
    booth.calls.add_list("own", entries)
    booth.assign("u", wanted=0)
    booth.work()
    assert booth.names() == {"own": ["N7"]}


def test_with_all_lists_put_away_there_is_none(booth):
    booth.assign("u")
    booth.arrive("u", [row(1)])
    booth.work()
    booth.assign("u", wanted=0)
    booth.work()
    assert booth.names() == {}
    assert booth.browsing.chosen is None
    assert booth.browsing.list_body(None).list is None


def test_a_revision_of_a_list_that_is_not_wanted_any_more_stays_out_of_sight(booth):
    booth.assign("u")
    booth.arrive("u", [row(1)])
    booth.assign("u", wanted=0)
    booth.work()
    assert booth.names() == {}


def test_sample_lists_stay_samples(booth):
    booth.assign("u", sample=1)
    booth.arrive("u", [row(1)])
    booth.work()
    assert booth.calls.lists()[0].sample


def test_what_was_wrong_or_dead_for_a_record_is_so_in_the_next_revision(booth):
    booth.assign("u")
    rows = [
        row(1, numbers=[number(1), number(11)]),
        row(2, numbers=[number(1)]),
        row(3, numbers=[number(3), number(13)]),
    ]
    booth.arrive("u", rows)
    booth.work()
    first, _, third = booth.calls.customers(booth.calls.lists()[0].id, 0, 9)
    booth.call(first, "WRONG")
    made = Call("00000000-0000-4000-8000-000000000002", third.number, third)
    booth.calls.begin(made, None, "07")
    booth.calls.ended(made.id, Cause.DEAD_NUMBER, Party.LINE, 0.0)
    booth.calls.finish(made.id, CODES["DEAD"])
    before = booth.calls.customers(booth.calls.lists()[0].id, 0, 9)
    booth.arrive("u", [*reversed(rows), row(4)], 2)
    booth.work()
    after = booth.calls.customers(booth.calls.lists()[0].id, 0, 9)
    numbers = {one.name: (one.number, one.others) for one in before}
    assert {one.name: (one.number, one.others) for one in after if one.name != "N4"} == numbers
    assert numbers["N1"][0].shown == number(11)
    assert numbers["N2"][0].kind is Kind.ORDINARY
    assert numbers["N3"][0].shown == number(13)


def test_what_was_in_vain_before_a_new_revision_counts_on(booth):
    booth.assign("u")
    booth.arrive("u", [row(1)])
    booth.work()
    for revision in (2, 3):
        assert booth.calls.lists()[0].done == 0
        (customer,) = booth.calls.customers(booth.calls.lists()[0].id, 0, 9)
        booth.call(customer, "BADT", revision)
        booth.arrive("u", [row(1)], revision)
        booth.work()
    assert booth.calls.lists()[0].done == 1
