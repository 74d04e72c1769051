"""The desk's handset in a window: who may have it, what may be sent, and what happens when too much is."""

import time
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from firmware.desk import card
from firmware.desk.ear import CAP, BrowserHandset, Window
from firmware.desk.page import Page
from firmware.desk.rig import Rig
from firmware.desk.running import RunningBooth
from firmware.desk.sound import BURST, FASTEST, NONSENSE, TAKEN, Allowance
from firmware.desk.web import serving
from hw.contracts import FRAME
from hw.emulated.speech import Tone
from hw.errors import AudioError

PATIENCE = 20.0


def numbered(n):
    return n.to_bytes(2, "little") * (FRAME // 2)


class Ends:
    """The desk's sound: its handset, and how to reach it."""

    def __init__(self, handset, address):
        self.handset = handset
        base, _, self.token = address.partition("?token=")
        self.host = base.removeprefix("http://").rstrip("/")

    def open(self, origin=None, token=None):
        cookie = f"desk-{self.host.partition(':')[2]}={self.token if token is None else token}"
        return connect(f"ws://{self.host}/sound", additional_headers={"Cookie": cookie}, origin=origin)

    def said(self, wanted):
        """Frames read until `wanted` is among them."""
        ends, read = time.monotonic() + PATIENCE, []
        while wanted not in read:
            assert time.monotonic() < ends, read[-5:]
            frame = self.handset.read()
            if frame:
                read.append(frame)
        return read


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    with (
        Rig(tmp_path_factory.mktemp("sound")) as rig,
        RunningBooth(rig, card.prepared(rig).settings) as running,
        serving(Page(running)) as address,
    ):
        yield Ends(rig.handset, address)


@pytest.fixture
def handset(ends):
    """As in a talk."""
    ends.handset.voice = Tone(1000)
    ends.handset.open()
    yield ends.handset
    ends.handset.close()


def heard(window, handset, wanted):
    """Until the window gets `wanted`, which is said until then; what it got."""
    got = []
    while wanted not in got:
        handset.write(wanted)
        got.append(window.recv(timeout=PATIENCE))
    return got


def closing(window):
    """The code with which the connection ends."""
    with suppress(ConnectionClosed):
        while True:
            window.recv(timeout=PATIENCE)
    return window.close_code


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [{"token": "wrong"}, {"token": ""}, {"origin": "http://evil.example"}])
def test_strangers_get_no_sound(ends, wrong):
    with pytest.raises(InvalidStatus) as refusal:
        ends.open(**wrong)
    assert refusal.value.response.status_code == 403


@pytest.mark.slow
def test_a_window_hears_and_speaks(ends, handset):
    with ends.open(origin=f"http://{ends.host}") as window:
        window.send(numbered(7))
        assert numbered(7) in ends.said(numbered(7))
        assert all(len(frame) == FRAME for frame in heard(window, handset, numbered(9)))
        assert handset.read() is None  # a microphone that says nothing now is not spoken for


@pytest.mark.slow
def test_a_window_without_a_microphone_is_spoken_for(ends, handset):
    with ends.open() as window:
        heard(window, handset, numbered(3))
        ends.said(Tone(1000).frame(5))


@pytest.mark.slow
def test_a_window_that_goes_leaves_the_speaking_to_the_agent(ends, handset):
    with ends.open() as window:
        window.send(numbered(7))
        ends.said(numbered(7))
    ends.said(Tone(1000).frame(5))
    assert handset.lost == 0


@pytest.mark.slow
def test_a_second_window_takes_over(ends, handset):
    with ends.open() as first, ends.open() as second:
        heard(second, handset, numbered(4))
        assert closing(first) == TAKEN
        second.send(numbered(8))
        ends.said(numbered(8))
        heard(second, handset, numbered(5))


@pytest.mark.slow
@pytest.mark.parametrize(("nonsense", "code"), [
    (b"", NONSENSE), (bytes(FRAME - 1), NONSENSE), (bytes(FRAME + 2), NONSENSE), ("x" * FRAME, NONSENSE),
    (bytes(100_000), 1009),
])  # fmt: skip
def test_nonsense_ends_the_connection(ends, nonsense, code):
    with ends.open() as window:
        window.send(nonsense)
        assert closing(window) == code


@pytest.mark.slow
def test_a_flood_ends_the_connection_and_holds_up_nobody(ends, handset):
    with ends.open() as flood:
        with suppress(ConnectionClosed):  # it may be gone before all is said
            for n in range(100 * BURST):
                flood.send(numbered(n))
        assert closing(flood) in (NONSENSE, 1006)  # 1006: a reset, for the desk reads no more of it
    with ends.open() as window:
        heard(window, handset, numbered(6))


def test_a_microphone_may_be_held_up_but_not_be_too_fast():
    allowance = Allowance(0.0)
    assert all(allowance.take(n * 0.02) for n in range(1000))
    assert all(allowance.take(20.0) for _ in range(BURST - 1))
    allowance.take(20.0)
    assert not allowance.take(20.0)
    assert allowance.take(20.0 + 1.01 / FASTEST)
    assert not allowance.take(20.0 + 1.01 / FASTEST)


def test_what_is_too_late_is_dropped():
    handset, window = BrowserHandset(), Window(lambda: None)
    handset.join(window)
    handset.open()
    for n in range(CAP + 5):
        handset.write(numbered(n))
        window.say(numbered(n))
    assert list(window.ear) == list(window.mouth) == [numbered(n) for n in range(5, CAP + 5)]
    handset.open()
    assert not window.ear
    assert not window.mouth


def test_a_closed_handset_carries_nothing():
    handset, window = BrowserHandset(), Window(lambda: None)
    handset.join(window)
    window.say(numbered(1))
    handset.write(numbered(2))
    assert handset.read() is None
    assert not window.ear
    handset.plugged = False
    with pytest.raises(AudioError):
        handset.open()


def test_a_window_that_was_dismissed_takes_nobody_with_it():
    handset, first, second = BrowserHandset(), Window(lambda: None), Window(lambda: None)
    handset.join(first)
    handset.join(second)
    assert first.dismissed
    handset.leave(first)
    handset.open()
    handset.write(numbered(2))
    assert list(second.ear) == [numbered(2)]


def test_a_server_that_ends_does_not_stop_the_talk():
    def gone():
        raise RuntimeError("Event loop is closed")

    handset = BrowserHandset()
    handset.join(Window(gone))
    handset.open()
    handset.write(numbered(2))
