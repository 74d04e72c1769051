"""The keypad: its debounce alone, then the driver on mock pins with emulated keys, bounce and ghosts."""

import queue
import threading
import time

import pytest
from gpiozero.pins.mock import MockFactory
from hypothesis import given
from hypothesis import strategies as st

from hw.contracts import Keypad
from hw.emulated.matrix import Matrix
from hw.errors import MisuseError, WiringError
from hw.events import KeyHeld, KeyPressed, KeyReleased
from hw.keypad import AGREE, HOLD, KEYS, SCAN, SLOW, STUCK, Debounce, MatrixKeypad

ROWS, COLUMNS = (5, 6, 13, 19), (12, 16, 20, 21)
UP = frozenset()


def played(scans, debounce=None, start=0.0):
    """Events of a row of scans, given as strings of keys, one scan time apart."""
    debounce = debounce or Debounce()
    return [e for at, keys in enumerate(scans) for e in debounce.hear(frozenset(keys), start + at * SCAN)]


def test_a_press_and_a_release_take_three_equal_scans():
    debounce = Debounce()
    assert played(["5"] * (AGREE - 1), debounce) == []
    assert played(["5"], debounce) == [KeyPressed("5")]
    assert played([""] * (AGREE - 1), debounce) == []
    assert not debounce.calm
    assert played([""], debounce) == [KeyReleased("5")]
    assert debounce.calm


def test_bounce_on_both_sides_is_one_key():
    assert played(["5", "", "5", "", "5", "5", "5", "", "5", "", "", "5", "", "", ""]) == [
        KeyPressed("5"),
        KeyReleased("5"),
    ]


@given(st.lists(st.sets(st.sampled_from(KEYS), max_size=4), max_size=200))
def test_whatever_the_pad_shows_one_key_is_down_at_a_time(scans):
    debounce, down = Debounce(), None
    for event in played([*scans, *[UP] * AGREE], debounce):
        match event:
            case KeyPressed(key):
                assert down is None
                down = key
            case KeyHeld(key):
                assert down == key
            case KeyReleased(key):
                assert down == key
                down = None
    assert down is None
    assert debounce.calm


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.integers(1, AGREE - 1)), max_size=40))
def test_nothing_shorter_than_three_scans_is_a_key(glitches):
    assert played(scan for key, length in glitches for scan in [*[key] * length, ""]) == []


@given(st.sampled_from(KEYS), st.lists(st.booleans(), max_size=20), st.lists(st.booleans(), max_size=20))
def test_a_bouncing_key_is_pressed_in_time_and_never_lost(key, before, after):
    """However it bounces, three quiet scans are enough."""
    events = played([key if closed else "" for closed in before] + [key] * AGREE)
    assert events[-1] == KeyPressed(key)
    events = played([key] * AGREE + [key if closed else "" for closed in after] + [""] * AGREE)
    assert events[-1] == KeyReleased(key)


def test_three_corners_of_a_rectangle_are_ignored_until_one_key_is_left():
    assert played(["1245"] * 10 + ["12"] * 10) == []
    assert played(["1245"] * 10 + ["5"] * AGREE) == [KeyPressed("5")]


def test_a_ghost_releases_nobody():
    assert played(["1"] * 3 + ["1245"] * 10 + ["1"] * 3) == [KeyPressed("1")]


def test_rolling_over_to_the_next_key_keeps_both():
    assert played(["1"] * 3 + ["12"] * 5 + ["2"] * 3 + [""] * 3) == [
        KeyPressed("1"),
        KeyReleased("1"),
        KeyPressed("2"),
        KeyReleased("2"),
    ]


def test_a_key_is_held_once_after_a_second():
    scans = round(3 * HOLD / SCAN)
    debounce = Debounce()
    told = {at: debounce.hear(frozenset("D"), at * SCAN) for at in range(scans)}
    (held,) = [at for at, events in told.items() if events == [KeyHeld("D")]]
    assert held * SCAN == pytest.approx(HOLD + (AGREE - 1) * SCAN)
    assert sum(map(len, told.values())) == 2
    assert debounce.pace == SLOW
    played([""] * AGREE, debounce, start=3 * HOLD)
    assert debounce.pace == SCAN


def test_a_second_key_does_not_make_a_hold():
    debounce = Debounce()
    played(["D"] * 3, debounce)
    assert played(["D5"] * 5, debounce, start=HOLD + 1) == []
    assert played(["D"], debounce, start=HOLD + 2) == [KeyHeld("D")]


def test_a_stuck_key_does_not_keep_the_others_from_being_pressed():
    debounce = Debounce()
    played(["5"] * 3, debounce)
    played(["5"], debounce, start=HOLD + 1)
    assert played(["5"], debounce, start=STUCK + 1) == [KeyReleased("5")]
    assert played(["5"] * 5 + ["5D"] * 3 + ["5"] * 3, debounce, start=STUCK + 2) == [KeyPressed("D"), KeyReleased("D")]
    assert not debounce.calm
    assert played([""] * 3 + ["5"] * 3, debounce, start=STUCK + 3) == [KeyPressed("5")]


@pytest.fixture
def matrix():
    return Matrix(MockFactory(), ROWS, COLUMNS)


@pytest.fixture
def heard(matrix):
    """The inbox of an open keypad on the matrix's pins."""
    inbox = queue.SimpleQueue()
    pad: Keypad = MatrixKeypad(ROWS, COLUMNS, factory=matrix.factory)
    pad.open(inbox.put)
    yield inbox
    pad.close()
    assert matrix.shorts == 0


@pytest.mark.parametrize("key", KEYS)
def test_every_key(matrix, heard, key):
    matrix.press(key)
    assert heard.get(timeout=20) == KeyPressed(key)
    matrix.release(key)
    assert heard.get(timeout=20) == KeyReleased(key)


def test_bouncing_keys_are_told_once(matrix, heard):
    for key in "0312345678":
        matrix.press(key, bounce=True)
        assert heard.get(timeout=20) == KeyPressed(key)
        matrix.release(key, bounce=True)
        assert heard.get(timeout=20) == KeyReleased(key)
    assert heard.empty()


def test_three_fingers_raise_a_ghost_that_is_not_told(matrix, heard):
    matrix.press("1")
    assert heard.get(timeout=20) == KeyPressed("1")
    matrix.press("2")
    matrix.press("4")
    matrix.release("2")
    matrix.release("4")
    matrix.release("1")
    assert heard.get(timeout=20) == KeyReleased("1")
    assert heard.empty()


def test_two_keys_of_a_column_never_short_two_rows(matrix, heard):
    matrix.press("1")
    assert heard.get(timeout=20) == KeyPressed("1")
    matrix.press("7")
    matrix.release("1")
    assert [heard.get(timeout=20) for _ in "17"] == [KeyReleased("1"), KeyPressed("7")]
    matrix.release("7")
    assert heard.get(timeout=20) == KeyReleased("7")


def test_a_finger_that_taps_a_number(matrix, heard):
    matrix.tap("0311")
    told = [heard.get(timeout=20) for _ in range(8)]
    assert [event.key for event in told if isinstance(event, KeyPressed)] == list("0311")


def test_holding_a_key(matrix, heard):
    matrix.press("D")
    pressed = heard.get(timeout=20), time.monotonic()
    held = heard.get(timeout=20), time.monotonic()
    assert (pressed[0], held[0]) == (KeyPressed("D"), KeyHeld("D"))
    assert held[1] - pressed[1] == pytest.approx(HOLD, abs=0.3)
    matrix.release("D")
    assert heard.get(timeout=20) == KeyReleased("D")


def test_a_key_that_is_down_at_the_start_is_told(matrix):
    matrix.press("8")
    inbox = queue.SimpleQueue()
    pad = MatrixKeypad(ROWS, COLUMNS, factory=matrix.factory)
    pad.open(inbox.put)
    assert inbox.get(timeout=20) == KeyPressed("8")
    pad.close()


def test_at_rest_nobody_looks_at_the_pins(matrix):
    """The columns are read a few times around a key, and then not again."""
    inbox = queue.SimpleQueue()
    pad = MatrixKeypad(ROWS, COLUMNS, factory=matrix.factory)
    pad.open(inbox.put)
    matrix.press("1")
    inbox.get(timeout=20)
    matrix.release("1")
    inbox.get(timeout=20)
    quiet = threading.Event()
    for _ in range(50):
        before = matrix.readings
        quiet.wait(0.1)
        if matrix.readings == before:
            break
    else:
        pytest.fail("the keypad polls")
    pad.close()


def test_a_closed_keypad_gives_its_pins_and_its_thread_back(matrix):
    pad = MatrixKeypad(ROWS, COLUMNS, factory=matrix.factory)
    for _ in range(2):
        pad.open(print)
        assert "keypad" in {thread.name for thread in threading.enumerate()}
        pad.close()
        pad.close()
        assert "keypad" not in {thread.name for thread in threading.enumerate()}


def test_misuse_and_bad_wiring():
    factory = MockFactory()
    with pytest.raises(WiringError, match="3 rows and 4 columns do not make 16 keys"):
        MatrixKeypad(ROWS[:3], COLUMNS)
    with pytest.raises(WiringError, match="GPIO99"):
        MatrixKeypad((99, *ROWS[1:]), COLUMNS, factory=factory).open(print)
    with pytest.raises(WiringError, match="twice"):
        MatrixKeypad((12, *ROWS[1:]), COLUMNS, factory=factory).open(print)
    pad = MatrixKeypad(ROWS, COLUMNS, factory=factory)
    pad.open(print)
    with pytest.raises(MisuseError):
        pad.open(print)
    with pytest.raises(WiringError, match="already in use by the keypad"):
        MatrixKeypad(ROWS, COLUMNS, factory=factory).open(print)
    pad.close()
