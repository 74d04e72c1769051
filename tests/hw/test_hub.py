"""Sockets whose power is switched, in a sysfs of the test's own; the kernel that obeys is the test."""

import threading

import pytest

from hw import hub


def sysfs(root, path, port, *, switch=True, authorized=True):
    """A machine with a device in socket `path`, whose hub's port is at `port`."""
    device = root / "bus/usb/devices" / path
    device.mkdir(parents=True)
    if authorized:
        (device / "authorized").write_text("1")
    ours = root / "bus/usb/devices" / port
    ours.mkdir(parents=True)
    if switch:
        (ours / "disable").write_text("0\n")
    return ours, device


def settle():
    """All timers have run."""
    for thread in threading.enumerate():
        if thread.name == "usb socket":
            thread.join()


@pytest.mark.parametrize(
    ("path", "port"),
    [("1-1.2", "1-1:1.0/1-1-port2"), ("1-3", "1-0:1.0/usb1-port3"), ("2-1.4.10", "2-1.4:1.0/2-1.4-port10")],
)
def test_the_power_goes_and_comes_back(tmp_path, path, port):
    ours, device = sysfs(tmp_path, path, port)
    assert hub.power_cycle(path, tmp_path, off=0.2)
    assert (ours / "disable").read_text() == "1", "at once"
    assert hub.switched_off(tmp_path) == (path,)
    settle()
    assert (ours / "disable").read_text() == "0"
    assert hub.switched_off(tmp_path) == ()
    assert (device / "authorized").read_text() == "1", "the weaker remedy was not needed"


def test_a_socket_with_usb_3_loses_both_halves(tmp_path):
    ours, _ = sysfs(tmp_path, "1-1.2", "1-1:1.0/1-1-port2")
    other, _ = sysfs(tmp_path, "2-1.2", "2-1:1.0/2-1-port2")
    (ours / "peer").symlink_to(other)
    hub.power_cycle("1-1.2", tmp_path, off=0.2)
    assert (other / "disable").read_text() == "1"
    settle()
    assert (other / "disable").read_text() == "0"


def test_a_half_that_obeyed_alone_is_not_left_off(tmp_path):
    ours, device = sysfs(tmp_path, "1-1.2", "1-1:1.0/1-1-port2", authorized=False)
    (ours / "peer/disable").mkdir(parents=True)
    assert device.exists()
    assert not hub.power_cycle("1-1.2", tmp_path)
    assert (ours / "disable").read_text() == "0"


def test_a_hub_without_switches_finds_the_device_anew(tmp_path):
    _, device = sysfs(tmp_path, "1-1.2", "1-1:1.0/1-1-port2", switch=False)
    assert hub.power_cycle("1-1.2", tmp_path, off=0.2)
    assert (device / "authorized").read_text() == "0"
    settle()
    assert (device / "authorized").read_text() == "1"


def test_a_device_that_has_vanished_from_the_bus_still_gets_its_power_back(tmp_path):
    ours, device = sysfs(tmp_path, "1-1.2", "1-1:1.0/1-1-port2", authorized=False)
    device.rmdir()
    assert hub.power_cycle("1-1.2", tmp_path, off=0.2)
    settle()
    assert (ours / "disable").read_text() == "0"


def test_a_socket_that_was_left_off_is_switched_on(tmp_path):
    ours, _ = sysfs(tmp_path, "1-1.2", "1-1:1.0/1-1-port2")
    (ours / "disable").write_text("1\n")
    assert hub.switched_off(tmp_path) == ("1-1.2",)
    assert hub.switch_on("1-1.2", tmp_path)
    assert hub.switched_off(tmp_path) == ()


def test_what_cannot_be_done_is_said_and_harms_nobody(tmp_path, caplog):
    ours, device = sysfs(tmp_path, "1-1.2", "1-1:1.0/1-1-port2")
    for file in (ours / "disable", device / "authorized"):
        file.unlink()
        file.mkdir()  # not even root writes into this one
    assert not hub.power_cycle("1-1.2", tmp_path)
    assert "cannot write" in caplog.text
    assert not hub.power_cycle("1-1.3", tmp_path), "there is no such socket"
    assert not hub.power_cycle("../../etc", tmp_path)
    assert not hub.switch_on("1-1.3", tmp_path)
