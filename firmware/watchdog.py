"""systemd's watchdog: a booth whose loop stands still is restarted."""

import os
from collections.abc import Callable, Mapping
from time import monotonic

import sdnotify


class Watchdog:
    """Tells systemd how we are; without systemd it does nothing.

    Only the booth's own loop may call `alive`: a thread of its own would ping on while the loop hangs.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ, now: Callable[[], float] = monotonic) -> None:
        self._now, self._last, self._said = now, float("-inf"), ""
        self.period = _period(environment)
        self._systemd = sdnotify.SystemdNotifier() if environment.get("NOTIFY_SOCKET") else None
        if self._systemd is not None and self._systemd.socket is not None:
            self._systemd.socket.setblocking(False)  # a busy systemd must not hold up a call

    def ready(self) -> None:
        """The booth takes keys."""
        self._tell("READY=1")

    def alive(self) -> None:
        """The loop has gone round. Call it at least every `period` seconds; it pings no more often than needed."""
        if self.period is not None and self._now() - self._last >= self.period:
            self._last = self._now()
            self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`: ASCII, and nothing of customers, numbers or agents."""
        line = text.encode("ascii", "replace").decode().replace("\n", " ")
        if line != self._said:
            self._said = line
            self._tell(f"STATUS={line}")

    def stopping(self) -> None:
        """The booth is on its way out, as asked."""
        self._tell("STOPPING=1")

    def close(self) -> None:
        """Let go of the socket."""
        if self._systemd is not None and self._systemd.socket is not None:
            self._systemd.socket.close()
        self._systemd = None

    def _tell(self, state: str) -> None:
        if self._systemd is not None:
            self._systemd.notify(state)


def _period(environment: Mapping[str, str]) -> float | None:
    """Seconds between two pings, half of what systemd waits; None when it does not watch this process."""
    usec = environment.get("WATCHDOG_USEC", "")
    whom = environment.get("WATCHDOG_PID", "")
    if not usec.isdigit() or int(usec) == 0 or (whom and whom != str(os.getpid())):
        return None
    return int(usec) / 2_000_000
