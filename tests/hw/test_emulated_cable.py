"""What a bad cable does to what goes through it."""

import os
import time

import pytest

from hw.emulated.cable import PAUSE, Cable
from hw.emulated.gsm import GsmModem
from hw.emulated.port import Port

TEXT = bytes(range(256)) * 4


def through(cable, *sent, lane="to_host"):
    """What arrives of what was sent at 0, 1, 2 ... seconds: (when, piece)."""
    way, came = getattr(cable, lane), []
    for second, data in enumerate(sent):
        way.send(data, float(second))
        while way.next is not None:
            when = way.next
            came += [(when, piece) for piece in way.arrived(when)]
    return came


def test_a_good_cable_changes_nothing():
    assert through(Cable(), TEXT, b"x") == [(0.0, TEXT), (1.0, b"x")]


def test_it_cuts_into_small_pieces_at_random_moments_in_order():
    came = through(Cable(cut=3), TEXT)
    assert b"".join(piece for _, piece in came) == TEXT
    assert {len(piece) for _, piece in came} == {1, 2, 3}
    moments = [when for when, _ in came]
    assert moments == sorted(moments)
    assert 0 < moments[-1] <= PAUSE
    assert len(set(moments)) > 100


def test_it_merges_what_came_near_in_time():
    way = Cable(merge=0.5).to_host
    for moment in (10.1, 10.2, 10.4):
        way.send(b"ab", moment)
    assert way.arrived(10.45) == []
    assert way.arrived(10.5) == [b"ababab"]
    assert way.next is None


def test_it_loses_and_damages_bytes_the_same_ones_each_time():
    lost, again = through(Cable(loss=0.1), TEXT), through(Cable(loss=0.1), TEXT)
    assert lost == again
    assert 0.8 < len(lost[0][1]) / len(TEXT) < 0.97
    damaged = through(Cable(garble=0.1), TEXT)[0][1]
    assert len(damaged) == len(TEXT)
    assert 0.03 < sum(ours != theirs for ours, theirs in zip(TEXT, damaged, strict=True)) / len(TEXT) < 0.2
    assert damaged != through(Cable(garble=0.1, seed=5), TEXT)[0][1]
    assert damaged != through(Cable(garble=0.1), TEXT, lane="to_modem")[0][1]


def test_it_is_slow():
    assert through(Cable(baud=100), b"x" * 50, b"y" * 100) == [(0.5, b"x" * 50), (2.0, b"y" * 100)]


def test_a_slow_cable_lets_nothing_overtake_when_it_gets_better():
    cable = Cable(baud=10)
    cable.to_host.send(b"old", 0.0)
    cable.baud = 0
    cable.to_host.send(b"new", 0.1)
    assert cable.to_host.arrived(0.29) == []
    assert cable.to_host.arrived(0.3) == [b"old", b"new"]


@pytest.mark.parametrize("bad", [{"cut": 1}, {"merge": 0.02}, {"baud": 2000}, {"cut": 4, "baud": 5000}])
def test_a_modem_is_understood_through_any_cable_that_loses_nothing(exchange, tmp_path, connect, bad):
    with GsmModem("quectel", exchange, tmp_path, cable=Cable(**bad)) as modem:
        host = connect(modem.at)
        assert host.ask("ATE0")[-1] == "OK"
        assert host.ask("AT+CSQ;+CPIN?") == ["+CSQ: 17,99", "+CPIN: READY", "OK"]
        assert modem.heard == ["ATE0", "AT+CSQ;+CPIN?"]


def test_a_slow_cable_takes_its_time(exchange, tmp_path, connect):
    with GsmModem("quectel", exchange, tmp_path, cable=Cable(baud=100)) as modem:
        host, begun = connect(modem.at), time.monotonic()
        host.ask("AT+CSQ")  # 7 bytes there; 34 back, 7 of them echo
        assert time.monotonic() - begun > 0.35


def test_bytes_can_get_lost_and_no_more_so_at_run_time(host, modem):
    modem.cable.loss = 1.0
    host.send("AT+CSQ\r")
    assert host.quiet(0.05)
    modem.cable.loss = 0.0
    assert host.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]
    assert "AT+CSQ" not in modem.heard


def test_what_is_under_way_when_the_plug_is_pulled_never_arrives(tmp_path):
    port = Port(tmp_path / "port", lambda _: None, Cable(baud=1))
    for expected in (b"", b""):
        port.plug()
        port.do(port.write, b"late")
        fd = os.open(port.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        port.unplug()
        assert os.read(fd, 10) == expected
        os.close(fd)
