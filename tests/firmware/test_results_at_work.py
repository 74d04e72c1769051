"""What follows from a result, seen by those who go by it: the list that comes up next, and a law's rule."""

import uuid
from contextlib import closing
from datetime import datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from firmware import numbers, results, rulepack
from firmware.calls import Badge, Call, Calls
from firmware.clock import Clock
from firmware.known import Rules
from firmware.redial import Callee, Listing, Reason, Verdict, decide
from firmware.rulebook import InForce, Rulebook
from hw.events import Cause, Party

CODES = results.load()
LONDON = ZoneInfo("Europe/London")
TUESDAY = datetime(2027, 3, 2, 10, tzinfo=LONDON).timestamp()
HOUR, DAY = 3600.0, 86400.0
NUMBER = numbers.parse("03-1234-5601")
OPEN_HOUSE = Rules(
    sample_allowed=True,
    min_gap_any=0,
    min_gap_after_talk=0,
    min_gap_unanswered=0,
    max_per_day=99,
    max_unanswered_per_day=99,
)


class Books:
    """One booth's books, a list of one customer, and a clock that moves when told."""

    def __init__(self, book):
        self.now = TUESDAY
        clock = Clock("system", system=lambda: self.now, synchronised=lambda: True)
        self.calls = Calls(":memory:", "3", clock, InForce(book))
        entry = SimpleNamespace(row=1, name="N1", reading="", numbers=(NUMBER,), identifier="", note="")
        self.list = self.calls.add_list("spring", [entry])

    def finish(self, code, *, by=Party.FAR, talk=20.0, **said):
        """A whole call to the one customer."""
        (customer,) = self.calls.customers(self.list, 0, 1)
        made = Call(str(uuid.uuid4()), customer.number, customer)
        self.calls.begin(made, None, "07")
        self.calls.answered(made.id)
        self.calls.ended(made.id, Cause.NORMAL, by, talk)
        self.calls.finish(made.id, CODES.by_code(code), **said)

    def comes_up(self, now):
        return self.calls.next_due(self.list, 0, now) == 0


@pytest.fixture
def books():
    made = Books(Rulebook(OPEN_HOUSE))
    with closing(made.calls):
        yield made


@pytest.mark.parametrize("code", [result.code for result in CODES if result.most and "when" in result.asks])
def test_a_time_that_the_customer_asked_for_comes_up_however_many_there_were(books, code):
    for _ in range(CODES.by_code(code).most - 1):
        books.finish(code)
        books.now += DAY
    books.finish(code, due=books.now + HOUR)
    assert books.calls.customers(books.list, 0, 1)[0].badge == Badge("callback", books.now + HOUR)
    assert not books.comes_up(books.now + HOUR - 1)
    assert books.comes_up(books.now + HOUR)
    books.now += DAY
    books.finish(code)
    assert not books.comes_up(books.now + 99 * DAY)


UK = rulepack.shipped()["uk-sales"]


@pytest.mark.parametrize(
    ("code", "by", "talk", "held"),
    [
        ("BADT", Party.NEAR, 1.9, True),
        ("GACHA0", Party.NEAR, 0.5, True),
        ("BADT", Party.NEAR, 2.0, False),
        ("BADT", Party.FAR, 0.5, False),
        ("WARM", Party.NEAR, 1.0, False),
        ("VM", Party.NEAR, 1.0, False),
    ],
)
def test_a_call_that_we_dropped_rests_for_72_hours_where_the_law_says_so(code, by, talk, held):
    book = Rulebook(OPEN_HOUSE, (UK,))
    office = Books(book)
    with closing(office.calls):
        office.finish(code, by=by, talk=talk)
        facts = office.calls.facts(NUMBER.key)
    fresh = {name: Listing(TUESDAY, listed=False) for name in book.registers}
    callee = Callee(("Europe/London",), (), fresh)
    before, after = (decide(NUMBER, facts, book, TUESDAY + hours * HOUR, callee=callee) for hours in (71.0, 72.01))
    assert (before.reason is Reason.AFTER_ABANDONED) == held
    assert before.verdict is (Verdict.BLOCK if held else Verdict.ALLOW)
    assert after.verdict is Verdict.ALLOW
