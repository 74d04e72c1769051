"""The two bells between booth and sync."""

import threading
from pathlib import Path

import pytest

from firmware.wake import BOOTH, SYNC, Bell, Ear, Listener


def test_a_ring_is_heard_once(tmp_path: Path) -> None:
    ear, bell = Ear(tmp_path, SYNC), Bell(tmp_path, SYNC)
    bell.ring()
    bell.ring()
    assert ear.wait(2.0)
    assert not ear.wait(0.01)
    ear.close()
    assert not (tmp_path / SYNC).exists()


def test_nobody_listens_and_nobody_minds(tmp_path: Path) -> None:
    bell = Bell(tmp_path, SYNC)
    bell.ring()
    Ear(tmp_path, SYNC).close()
    bell.ring()
    Bell(tmp_path / "gone", SYNC).ring()


def test_a_deaf_listener_holds_nobody_up(tmp_path: Path) -> None:
    """The kernel keeps a few datagrams and no more; ringing must not wait for room."""
    ear, bell = Ear(tmp_path, SYNC), Bell(tmp_path, SYNC)
    done = threading.Event()
    ringing = threading.Thread(target=lambda: ([bell.ring() for _ in range(5000)], done.set()), daemon=True)
    ringing.start()
    assert done.wait(10.0)
    assert ear.wait(1.0)
    ear.close()


def test_a_path_may_be_longer_than_a_socket_address(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    ear, bell = Ear(deep, BOOTH), Bell(deep, BOOTH)
    bell.ring()
    assert ear.wait(2.0)
    ear.close()


def test_whoever_was_killed_leaves_no_obstacle(tmp_path: Path) -> None:
    Ear(tmp_path, SYNC)._socket.close()  # the file stays, as after kill -9
    Bell(tmp_path, SYNC).ring()
    ear = Ear(tmp_path, SYNC)
    Bell(tmp_path, SYNC).ring()
    assert ear.wait(2.0)
    ear.close()


def test_only_owner_and_group_may_ring(tmp_path: Path) -> None:
    ear = Ear(tmp_path, SYNC)
    assert (tmp_path / SYNC).stat().st_mode & 0o777 == 0o660
    ear.close()


def test_a_listener_hears_and_leaves_nothing_behind(tmp_path: Path) -> None:
    heard, before = threading.Semaphore(0), open_files()
    listener = Listener(tmp_path, BOOTH, heard.release)
    bell = Bell(tmp_path, BOOTH)
    for _ in range(3):
        bell.ring()
        assert heard.acquire(timeout=20)
    listener.close()
    listener.close()
    assert open_files() <= before
    assert not heard.acquire(blocking=False)


def open_files() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


@pytest.mark.parametrize("name", [BOOTH, SYNC])
def test_each_has_a_name_of_its_own(tmp_path: Path, name: str) -> None:
    ears = {one: Ear(tmp_path, one) for one in (BOOTH, SYNC)}
    Bell(tmp_path, name).ring()
    assert [one for one, ear in ears.items() if ear.wait(0.05)] == [name]
    for ear in ears.values():
        ear.close()
