"""Power for one USB socket, off and on again: the last remedy for a modem that answers nothing.

Hubs that can switch a port do it by the `disable` attribute of the port (kernel 6.0 and later), which takes away the power
where the hub has a switch for it. Where there is none, the device is at least taken off the bus and found anew
(`authorized`), which makes the kernel set it up again but not the modem forget. Both need root's permission to write.
"""

import logging
import threading
from pathlib import Path

from hw.usb import SOCKET, SYSFS

OFF = 5.0  # seconds without power: until a modem's capacitors are empty
UNSEEN = 1.0  # seconds off the bus
log = logging.getLogger("hub")


def power_cycle(path: str, sysfs: Path = SYSFS, off: float = OFF) -> bool:
    """Switch the socket `path` (such as "1-1.2") off now and on again after `off` seconds, on a thread of its own.

    Whether anything could be done. Should we be killed meanwhile, the socket stays off: `switched_off`, `switch_on`.
    """
    if not SOCKET.fullmatch(path):
        return False
    switches = _switches(path, sysfs)
    if switches:
        if _all(switches, "1"):
            _later(off, switches, "0")
            log.warning("USB socket %s: power off for %.0f s", path, off)
            return True
        _all(switches, "0")  # one of two halves may have obeyed
    authorized = sysfs / "bus/usb/devices" / path / "authorized"
    if authorized.exists() and _all((authorized,), "0"):
        _later(min(off, UNSEEN), (authorized,), "1")
        log.warning("USB socket %s: taken off the bus; this hub switches no power", path)
        return True
    return False


def switched_off(sysfs: Path = SYSFS) -> tuple[str, ...]:
    """The sockets that are off, so that what is in them cannot be seen."""
    ports = (sysfs / "bus/usb/devices").glob("*/*-port*/disable")
    return tuple(sorted({_socket(port.parent.name) for port in ports if _read(port) == "1"}))


def switch_on(path: str, sysfs: Path = SYSFS) -> bool:
    """Undo what was left undone; whether the socket is on now."""
    switches = _switches(path, sysfs)
    return bool(switches) and _all(switches, "0")


def _switches(path: str, sysfs: Path) -> tuple[Path, ...]:
    """The port's own switch, and that of its other half where the socket has USB 3: the power goes only with both."""
    hub, _, number = path.rpartition("." if "." in path else "-")
    root = hub.isdigit()  # 1-3 is port 3 of the root hub usb1, whose interface is called 1-0:1.0
    interface, name = (f"{hub}-0:1.0", f"usb{hub}") if root else (f"{hub}:1.0", hub)
    port = sysfs / "bus/usb/devices" / interface / f"{name}-port{number}"
    return tuple(switch for switch in (port / "disable", port / "peer/disable") if switch.exists())


def _socket(port: str) -> str:
    """`1-1-port2` is the socket 1-1.2, `usb1-port3` the socket 1-3."""
    hub, _, number = port.rpartition("-port")
    return f"{hub.removeprefix('usb')}-{number}" if hub.startswith("usb") else f"{hub}.{number}"


def _later(seconds: float, switches: tuple[Path, ...], value: str) -> None:
    """Not on a daemon thread: whoever ends the program meanwhile waits, and the socket does not stay off."""
    timer = threading.Timer(seconds, _all, (switches, value))
    timer.name = "usb socket"
    timer.start()


def _all(switches: tuple[Path, ...], value: str) -> bool:
    try:
        for switch in switches:
            switch.write_text(value, encoding="ascii")
    except OSError as problem:
        log.warning("cannot write %s: %s", switch, problem.strerror)
        return False
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
