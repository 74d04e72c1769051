"""Slips of a dialling finger: every one of them is seen beside the customer on the screen, and no emergency number is one."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import numbers
from firmware.keying import Keying
from firmware.numbers import Kind, Number
from firmware.slips import one_off, parting, slips

AREAS = ("03", "045", "052", "0422", "050", "070", "090")
CAUGHT = {"near", "wrong", "other"}
digits_only = st.text("0123456789", max_size=12)


@dataclass(frozen=True)
class Row:
    row: int
    numbers: tuple[Number, ...]
    name: str = "somebody"
    reading: str = "ダレカ"
    identifier: str = ""
    note: str = ""


def drawn(count):
    """So many different numbers, the same at every run."""
    chance, found = random.Random(20261122), {}
    while len(found) < count:
        area = chance.choice(AREAS)
        longer = area in ("050", "070", "090")
        rest = "".join(chance.choices("0123456789", k=10 + longer - len(area)))
        found[area + rest] = None
    return list(found)


def fingers(digits):
    """What a finger makes of them: a digit wrong, two neighbours swapped, a digit left out, a digit hit twice."""
    for place, digit in enumerate(digits):
        before, after = digits[:place], digits[place + 1 :]
        yield from (before + other + after for other in "0123456789" if other != digit)
        yield before + after
        yield before + digit + digit + after
        if after and after[0] != digit:
            yield before + after[0] + digit + after[1:]


@pytest.fixture
def listed(stage):
    """Makes books with a list of so many, and a keypad before them."""
    opened = []

    def make(count):
        books = stage.books()
        opened.append(books)
        wanted = drawn(count)
        rows = [Row(n, (numbers.parse(digits),)) for n, digits in enumerate(wanted, 1)]
        made = books.add_list("drawn", rows)
        return books, Keying(books, "JP", "03", confirmed=False), books.customers(made, 0, count)

    yield make
    for books in opened:
        books.close()


def seen(keying, shown):
    """Whether the screen says that these are not the shown customer's digits, or the guard will want another key."""
    match, number = keying.body().match, keying.target().number
    if match.kind in CAUGHT:
        return match.kind != "other" or match.customer.id != shown.id
    unfinished = number.kind is Kind.INVALID and shown.number.dialled.startswith(keying.body().digits)
    return unfinished or (number.completed and number.key == shown.number.key)


@pytest.mark.parametrize(
    "count", [300, pytest.param(10_000, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])], ids=["few", "all"]
)
def test_every_slip_beside_the_shown_customer_is_seen(listed, count):
    _, keying, customers = listed(count)
    every = 1 if count > 300 else 11  # of the slips; the same number of steps goes round all kinds and places
    missed, tried = [], 0
    for shown in customers:
        for n, slip in enumerate(fingers(shown.number.dialled)):
            if (n + shown.row) % every == 0:
                tried += 1
                keying.start(shown)
                keying.add(slip)
                if not seen(keying, shown):
                    missed.append((shown.number.dialled, slip, keying.body().match))
    assert missed == []
    assert tried > 11 * count


def test_the_wrong_digit_is_known_at_its_own_key_and_at_every_one_after(listed):
    _, keying, customers = listed(20)
    for shown in customers:
        digits = shown.number.dialled
        for place in range(len(digits)):
            wrong = str((int(digits[place]) + 5) % 10)
            keying.start(shown)
            keying.add(digits[:place])
            assert keying.body().match.wrong is None
            for so_far in (wrong + digits[place + 1 :])[: len(digits) - place]:
                keying.add(so_far)
                match = keying.body().match
                beginning = place == 0 and wrong == "1" and match.kind == "none"
                assert beginning or (match.wrong == place and match.kind in CAUGHT)


def test_a_slip_is_seen_where_nobody_was_shown(listed):
    _, keying, customers = listed(300)
    for shown in customers[:40]:
        for slip in list(fingers(shown.number.dialled))[shown.row % 7 :: 7]:
            keying.start(None)
            keying.add(slip)
            number = keying.target().number
            assert keying.body().match.kind in {"near", "other"} or number.completed or number.kind is Kind.INVALID


@pytest.mark.parametrize("digits", ["110", "118", "119", "184110", "186119"])
def test_no_digit_of_an_emergency_number_is_a_slip(listed, digits):
    _, keying, customers = listed(300)
    for shown in (None, *customers[:20]):
        keying.start(shown)
        for digit in digits:
            keying.add(digit)
            match = keying.body().match
            assert (match.kind, match.wrong) == ("none", None)


def test_a_service_number_is_no_slip(listed):
    _, keying, customers = listed(20)
    keying.start(customers[0])
    keying.add("171")
    assert keying.body().match.kind == "none"


def test_a_key_asks_little_of_a_long_list_and_drawing_asks_nothing(listed):
    books, keying, customers = listed(2_000)
    asked, most = [], 0
    for shown in customers[:6]:
        digits = shown.number.dialled
        for typed in (digits, digits[:4] + "0" + digits[5:], digits[:-2] + "99"):
            keying.start(shown if shown.row % 2 else None)
            for digit in typed:
                before = len(asked)
                books.store._db.set_trace_callback(asked.append)
                keying.add(digit)
                most = max(most, len(asked) - before)
                before = len(asked)
                keying.body()
                assert len(asked) == before
                books.store._db.set_trace_callback(None)
    assert 3 <= most <= 9
    real = [question for question in set(asked) if "IN ()" not in question]  # among nobody SQLite looks nowhere
    plans = {row["detail"] for question in real for row in books.store.rows(f"EXPLAIN QUERY PLAN {question}")}
    assert any("USING INDEX" in step for step in plans)
    assert not [step for step in plans if step.startswith(("SCAN number", "SCAN customer"))]  # none reads all of them


@given(digits_only, digits_only)
def test_one_slip_is_one_slip_both_ways(one, other):
    assert one_off(one, other) == one_off(other, one)
    assert one_off(one, other) == (other in slips(one))


@given(digits_only, digits_only)
def test_digits_part_where_they_differ(keyed, wanted):
    place = parting(keyed, wanted)
    assert (place is None) == wanted.startswith(keyed)
    if place is not None:
        assert keyed[:place] == wanted[:place]
        assert keyed[place : place + 1] != wanted[place : place + 1]
