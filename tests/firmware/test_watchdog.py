"""What systemd hears, on a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.watchdog import Watchdog


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    path = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    monkeypatch.setenv("WATCHDOG_USEC", "20000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(path)
        end.setblocking(False)
        yield end


def heard(end: socket.socket) -> list[str]:
    said = []
    while True:
        try:
            said.append(end.recv(4096).decode())
        except BlockingIOError:
            return said


def test_ready_status_and_stopping(systemd: socket.socket) -> None:
    watchdog = Watchdog()
    watchdog.ready()
    watchdog.status("line ready")
    watchdog.status("line ready")
    watchdog.status("回線\nREADY=0")
    watchdog.stopping()
    watchdog.close()
    assert heard(systemd) == ["READY=1", "STATUS=line ready", "STATUS=?? READY=0", "STOPPING=1"]


def test_pings_come_from_the_loop_at_half_the_time(systemd: socket.socket) -> None:
    now = [0.0]
    watchdog = Watchdog(now=lambda: now[0])
    assert watchdog.period == 10.0
    for moment in (0.0, 0.1, 9.9, 10.0, 10.1, 25.0):
        now[0] = moment
        watchdog.alive()
    watchdog.close()
    assert heard(systemd) == ["WATCHDOG=1"] * 3
    watchdog.alive()
    assert heard(systemd) == []


def test_a_deaf_systemd_holds_nobody_up(systemd: socket.socket) -> None:
    watchdog = Watchdog()
    for count in range(3000):  # far beyond the queue of a datagram socket
        watchdog.status(f"round {count}")
    watchdog.close()
    assert heard(systemd)[0] == "STATUS=round 0"


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}],
)
def test_nobody_watches(environment: dict[str, str]) -> None:
    watchdog = Watchdog(environment)
    watchdog.ready()
    watchdog.alive()
    watchdog.close()
    assert watchdog.period is None
