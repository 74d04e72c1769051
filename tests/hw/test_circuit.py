"""The emulated switches: levels as a meter would show them, ghosts, shorts, edges and bounce."""

import pytest
from gpiozero.pins.mock import MockFactory
from hypothesis import given
from hypothesis import strategies as st

from hw.emulated.circuit import Contact
from hw.emulated.matrix import Matrix


@pytest.fixture
def pad():
    """Four keys, and their two rows and two columns; the columns pulled up."""
    factory = MockFactory()
    matrix = Matrix(factory, (5, 6), (12, 16), "1245")
    rows, columns = [[factory.pin(f"GPIO{n}") for n in numbers] for numbers in ((5, 6), (12, 16))]
    for pin in (*rows, *columns):
        pin.input_with_pull("up")
    return matrix, rows, columns


def test_a_key_carries_a_driven_row_to_its_column(pad):
    matrix, (row, other), (left, right) = pad
    row.output_with_state(False)
    assert (left.state, right.state) == (True, True)
    matrix.press("1")
    assert (left.state, right.state) == (False, True)
    row.input_with_pull("up")
    other.output_with_state(False)
    assert (left.state, right.state) == (True, True)


def test_current_finds_its_way_through_three_keys(pad):
    matrix, (_, row), (_, right) = pad
    for key in "124":
        matrix.press(key)
    row.output_with_state(False)
    assert not right.state  # as if 5 were down
    matrix.release("1")
    assert right.state


def test_outputs_that_fight_are_counted(pad):
    matrix, (row, other), _ = pad
    matrix.press("1")
    matrix.press("4")
    row.output_with_state(False)
    assert matrix.shorts == 0
    other.output_with_state(True)
    assert matrix.shorts > 0


def test_a_wire_that_nothing_holds_reads_low(pad):
    _, _, (left, right) = pad
    left.pull = "floating"
    right.pull = "down"
    assert (left.state, right.state) == (False, False)


def test_edges_are_told_to_those_who_asked(pad):
    matrix, (row, _), (left, _) = pad
    told = []

    def hear(ticks, level):
        told.append((ticks > 0, level))

    left.when_changed = hear
    left.edges = "falling"
    row.output_with_state(False)
    matrix.press("1")
    matrix.release("1")
    assert told == [(True, False)]
    left.edges = "both"
    matrix.press("1")
    matrix.release("1")
    assert told[1:] == [(True, False), (True, True)]


def test_a_bouncing_key_tells_of_its_flips(pad):
    """Some may be lost when a flip and the next one are over before anybody looks; the last level is always told."""
    matrix, (row, _), (left, _) = pad
    edges, most = [], 0

    def hear(_, level):
        edges.append(level)

    left.when_changed = hear
    row.output_with_state(False)
    for _ in range(20):
        edges.clear()
        matrix.press("1", bounce=True)
        matrix._circuit.still(timeout=2)
        assert not edges[-1]
        most = max(most, len(edges))
        matrix.release("1")
    assert most >= 3


def test_pins_that_are_taken_already_are_refused():
    factory = MockFactory()
    factory.pin("GPIO5")
    with pytest.raises(RuntimeError, match="GPIO5"):
        Matrix(factory, (5, 6), (12, 16), "1245")


@given(st.booleans(), st.integers(0, 1000), st.floats(0.001, 0.1))
def test_a_contact_ends_where_it_was_moved_and_touches_at_once(closed, seed, rattle):
    contact = Contact(seed)
    contact.move(not closed, 0.0)
    flips = contact.move(closed, 1.0, rattle)
    assert contact.closed(1.0) == closed
    assert contact.closed(1.0 + rattle) == closed
    assert len(flips) % 2 == 0
    assert all(1.0 <= flip <= 1.0 + rattle for flip in flips)
    assert contact.closed((flips[0] + flips[1]) / 2) != closed


def test_touches_can_be_planned_one_after_the_other():
    contact = Contact()
    contact.touch(1.0, 2.0, now=0.5)
    contact.touch(3.0, 4.0, now=1.5)
    assert [contact.closed(now) for now in (1.5, 2.1, 3.1, 4.1)] == [True, False, True, False]
    assert contact.lives(3.9)
    assert not contact.lives(4.0)
