"""When a courier goes, how it backs off, and how fast it comes home."""

import queue
import sqlite3
import threading
from time import monotonic

import pytest

from firmware.store import CardError
from firmware.syncing.backoff import LONGEST, Backoff
from firmware.syncing.courier import Courier
from firmware.syncing.faults import Unreachable


class Errand:
    """Fails while `broken`, counts, and says when the next is due."""

    def __init__(self, rest=60.0, broken=None):
        self.rest, self.broken = rest, broken
        self.went, self.told = queue.Queue(), queue.Queue()
        self.courier = Courier("test", self.turn, self.told.put)

    def turn(self):
        self.went.put(monotonic())
        if self.broken is not None:
            raise self.broken
        return self.rest


@pytest.fixture
def errand():
    made = []

    def make(*args, **more):
        made.append(Errand(*args, **more))
        made[-1].courier.start()
        return made[-1]

    yield make
    for one in made:
        one.courier.stop()
        one.courier.join(5.0)
        assert not one.courier.dead


def test_waits_grow_to_a_minute_and_chance_takes_at_most_half():
    for chance, share in ((0.0, 1.0), (1.0, 0.5)):
        backoff = Backoff(lambda chance=chance: chance)
        waits = [backoff.failed() for _ in range(60 * 24 * 60)]  # 60 days of failures, once a minute
        assert waits[:7] == [share * wait for wait in (1, 2, 4, 8, 16, 32, 60)]
        assert set(waits[6:]) == {share * LONGEST}
        backoff.worked()
        assert backoff.failed() == share


def test_booths_do_not_come_back_in_step():
    waits = {round(Backoff().failed(), 6) for _ in range(50)}
    assert len(waits) > 40


def test_it_goes_when_called_and_not_before(errand):
    one = errand()
    one.went.get(timeout=20)
    assert one.told.get(timeout=20) is None
    with pytest.raises(queue.Empty):
        one.went.get(timeout=0.1)
    one.courier.call()
    one.went.get(timeout=20)


def test_a_call_in_mid_errand_is_not_lost(errand):
    entered, leave = threading.Event(), threading.Event()
    one = errand()
    one.went.get(timeout=20)
    one.turn, before = None, one.turn

    def slow():
        rest = before()
        entered.set()
        leave.wait(5.0)
        return rest

    one.courier._turn = slow
    one.courier.call()
    assert entered.wait(2.0)
    one.went.get(timeout=20)
    one.courier.call()
    leave.set()
    one.went.get(timeout=20)


def test_while_it_backs_off_calls_are_no_storm(errand):
    """A booth that is used all day while the server is down must not knock at every key."""
    one = errand(broken=Unreachable("off"))
    began = one.went.get(timeout=20)
    for _ in range(1000):
        one.courier.call()
    again = one.went.get(timeout=20)
    assert again - began >= 0.45
    assert isinstance(one.told.get(timeout=20), Unreachable)


def test_it_is_hurried_when_the_server_is_back(errand):
    one = errand(broken=Unreachable("off"))
    one.courier._backoff._failures = 7
    one.went.get(timeout=20)
    one.told.get(timeout=20)
    one.went.get(timeout=0.0) if not one.went.empty() else None
    one.broken = None
    one.courier.hurry()
    one.went.get(timeout=20)
    assert one.told.get(timeout=20) is None


def test_a_full_card_and_a_busy_database_are_tried_again(errand):
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    for problem in (CardError("full"), busy):
        one = errand(broken=problem)
        assert isinstance(one.told.get(timeout=20), CardError)
        one.broken = None
        one.courier.hurry()
        assert one.told.get(timeout=20) is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_our_own_error_ends_it_loudly():
    one = Errand(broken=ZeroDivisionError())
    one.courier.start()
    one.courier.join(5.0)
    assert one.courier.dead


@pytest.mark.parametrize("broken", [None, Unreachable("off")])
def test_it_comes_home_at_once(errand, broken):
    one = errand(broken=broken)
    one.courier._backoff._failures = 7
    one.told.get(timeout=20)
    one.courier.stop()
    one.courier.join(20.0)  # its next errand would be due later
    assert not one.courier._thread.is_alive()
