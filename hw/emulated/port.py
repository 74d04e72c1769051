"""A serial port that can be plugged in and unplugged: a pseudo-terminal behind a stable name."""

import fcntl
import heapq
import itertools
import os
import select
import struct
import termios
import threading
import time
import tty
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hw.emulated.cable import Cable, Lane

PIECE = 4096  # bytes read at a time; also what a pty keeps for its reader
PATIENCE = 5.0  # seconds that unplug() waits; the thread looks up at once when its bell rings


class Port:
    """The device's end of a serial port, and the one thread that lives there while it is plugged in.

    What the other side writes is given to `hear`, on that thread; `do` and `at` have things done on it, and `write` is
    for that thread only. `link` is a symbolic link to the slave side, renewed at every plug() as udev would. All that
    comes and goes passes through `cable`.
    """

    def __init__(self, link: Path, hear: Callable[[bytes], None], cable: Cable | None = None) -> None:
        self.link, self.cable = link, cable or Cable()
        self._hear = hear
        self._lock = threading.Lock()
        self._served: _Served | None = None

    @property
    def plugged(self) -> bool:
        """Whether the port is there, under its name."""
        with self._lock:
            return self._served is not None

    def plug(self) -> None:
        """Appear: a new pty under the old name. Nothing happens when it is there already."""
        with self._lock:
            if self._served is None:
                self._served = _Served(self.link.name, self._hear, self.cable)
                _point(self.link, self._served.name)

    def unplug(self) -> None:
        """Pull the cable: the name vanishes, and whoever has the port open sees it hang up."""
        with self._lock:
            served, self._served = self._served, None
            if served is not None:
                self.link.unlink(missing_ok=True)
        if served is not None:
            served.end()

    def do(self, task: Callable[..., object], *args: object) -> None:
        """Have `task` done on the port's thread, after what was asked before; dropped while unplugged."""
        served = self._served
        if served is not None:
            served.do(partial(task, *args))

    def stall(self, stalled: bool) -> None:
        """Read nothing any more, or go on."""
        served = self._served
        if served is not None:
            served.do(partial(served.stall, stalled))

    def at(self, when: float, task: Callable[[], None]) -> None:
        """Have `task` done at the monotonic time `when`; for the port's own thread."""
        served = self._served
        if served is not None:
            served.at(when, task)

    def write(self, data: bytes) -> int:
        """Bytes the line took, which are fewer than given when nobody reads; for the port's own thread.

        What is still on its way through the cable counts as taken.
        """
        served = self._served
        return served.write(data) if served is not None else 0

    def read(self) -> bytes:
        """What has come in so far; for the port's own thread."""
        served = self._served
        return served.read() if served is not None else b""

    @property
    def unread(self) -> int:
        """Bytes that wait for a reader at the other side; for the port's own thread."""
        served = self._served
        return served.unread if served is not None else 0


class _Served:
    """One life of a port, from plug to unplug."""

    def __init__(self, name: str, hear: Callable[[bytes], None], cable: Cable) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.name = os.ttyname(self._theirs)
        self._poll = select.poll()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._hear = hear
        self._to_host, self._to_modem = cable.to_host, cable.to_modem
        for lane in (self._to_host, self._to_modem):
            lane.forget()
        self._lock = threading.Lock()  # for the bell, which others ring while we may be closing it
        self._over = False
        self._tasks: deque[Callable[[], object]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._thread = threading.Thread(target=self._serve, name=f"emulated {name}", daemon=True)
        self._thread.start()

    def do(self, task: Callable[[], object]) -> None:
        with self._lock:
            if not self._over:
                self._tasks.append(task)
                os.eventfd_write(self._bell, 1)

    def at(self, when: float, task: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (when, next(self._order), task))

    def stall(self, stalled: bool) -> None:
        self._poll.register(self._ours, 0 if stalled else select.POLLIN)

    def end(self) -> None:
        with self._lock:
            if not self._over:
                self._over = True
                os.eventfd_write(self._bell, 1)
        if self._thread is not threading.current_thread():
            self._thread.join(PATIENCE)

    def write(self, data: bytes) -> int:
        before = self._to_host.next
        self._to_host.send(data, time.monotonic())
        refused = sum(len(piece) - self._put(piece) for piece in self._to_host.arrived(time.monotonic()))
        self._await(self._to_host, before, self._deliver)
        return len(data) - refused

    def _put(self, data: bytes) -> int:
        try:
            return os.write(self._ours, data)
        except BlockingIOError:
            return 0

    def _deliver(self) -> None:
        for piece in self._to_host.arrived(time.monotonic()):
            self._put(piece)
        self._await(self._to_host, None, self._deliver)

    def _receive(self, data: bytes) -> None:
        before = self._to_modem.next
        self._to_modem.send(data, time.monotonic())
        self._take()
        self._await(self._to_modem, before, self._taken)

    def _taken(self) -> None:
        self._take()
        self._await(self._to_modem, None, self._taken)

    def _take(self) -> None:
        for piece in self._to_modem.arrived(time.monotonic()):
            if not self._over:
                self._hear(piece)

    def _await(self, lane: Lane, before: float | None, then: Callable[[], None]) -> None:
        """Look again when the next piece arrives, unless a look is planned already."""
        if lane.next is not None and before is None:
            self.at(lane.next, then)

    def read(self) -> bytes:
        try:
            return os.read(self._ours, PIECE)
        except BlockingIOError:
            return b""

    @property
    def unread(self) -> int:
        waiting: int = struct.unpack("i", fcntl.ioctl(self._theirs, termios.FIONREAD, bytes(4)))[0]
        return waiting

    def _serve(self) -> None:
        # Nobody may be inside read() when the master closes: closing a pty that another thread is reading does not hang
        # it up. So there is one thread; it waits in poll(), and it is also the one that closes.
        self.stall(False)
        self._poll.register(self._bell, select.POLLIN)
        try:
            while not self._over:
                self._attend({fd for fd, what in self._poll.poll(self._patience()) if what & select.POLLIN})
        finally:
            with self._lock:
                self._over = True
                for fd in (self._theirs, self._ours, self._bell):
                    os.close(fd)

    def _patience(self) -> float | None:
        """Milliseconds until the next timer."""
        return max(0.0, (self._timers[0][0] - time.monotonic()) * 1000) if self._timers else None

    def _attend(self, ready: set[int]) -> None:
        if self._bell in ready:
            os.eventfd_read(self._bell)
        while self._tasks and not self._over:
            self._tasks.popleft()()
        if self._ours in ready and not self._over:
            self._receive(self.read())
        while self._timers and self._timers[0][0] <= time.monotonic() and not self._over:
            heapq.heappop(self._timers)[2]()


def _point(link: Path, target: str) -> None:
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
