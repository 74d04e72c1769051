"""A server of several processes. The parent serves nobody: it holds the sockets, and sees to it that enough others do.

SIGHUP begins anew without a gap: new processes, with the program and the keys as they are now, take over before the old
ones leave. Sockets stay open all the while, so nobody who comes is refused.
"""

import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from time import monotonic

import msgspec

from firmware.watchdog import Watchdog
from provisioning.server import notes, parts, tls
from provisioning.server.lock import Lock
from provisioning.server.operations.logs import Style
from provisioning.server.pages.gate import HERE
from provisioning.server.places import Place
from provisioning.server.plan import LEAVE_PATIENCE, LINGER, STOP_PATIENCE, WORKER, Plan

log = logging.getLogger(__name__)

START_PATIENCE = 120.0  # seconds until a process must serve; it may have tables to bring to its version first
HUNG = 60.0  # seconds of silence after which a process counts as stuck
TURN = 1.0  # seconds between two looks at all that
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before one that died is replaced, if it died young
YOUNG = 30.0


class StartError(Exception):
    """No process could begin to serve; the log says why."""


@dataclass(eq=False, slots=True)
class _Worker:
    process: "subprocess.Popen[bytes]"
    born: float = field(default_factory=monotonic)
    heard: float = field(default_factory=monotonic)
    up: bool = False
    ends: float = inf  # when it must be gone

    @property
    def line(self) -> int:
        """What it says."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def told(self) -> bool:
        """Hear what it said; False when it is no more."""
        said = os.read(self.line, 4096)
        self.heard, self.up = monotonic(), self.up or b"up" in said
        return bool(said)

    def leave(self, how: signal.Signals, patience: float) -> None:
        """Tell it to end, and how long it may take."""
        self.process.send_signal(how)
        self.ends = min(self.ends, monotonic() + patience)

    @property
    def stuck(self) -> bool:
        """Whether it should have been heard of, or should be gone."""
        now = monotonic()
        silent = self.ends == inf and now - self.heard > (HUNG if self.up else START_PATIENCE)
        return silent or now > self.ends

    def buried(self) -> int:
        """Let go of one that has ended; its exit code."""
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        return code


class Workers:
    """The parent of so many `processes`; everything else is as with provisioning.server.run.Server."""

    def __init__(
        self,
        directory: Path,
        *,
        processes: int = 1,
        host: str = "127.0.0.1",
        api_port: int = 0,
        pages_host: str = "127.0.0.1",
        pages_port: int = 0,
        url: str = "",
        hosts: Collection[str] = HERE,
        zone: str = "Asia/Tokyo",
        measures: tuple[str, int] | None = None,
        names: bool = False,
        log_style: Style = "plain",
    ) -> None:
        """`measures` is where /metrics is to listen, and `names` whether booths are named there."""
        parts.make(directory)
        with ExitStack() as undo:
            undo.enter_context(Lock(directory))
            booths = undo.enter_context(Place.bound(host, api_port))
            browsers = undo.enter_context(Place.bound(pages_host, pages_port))
            self.api_url, self.pages_url = url or f"https://{booths.address}", f"http://{browsers.address}"
            measured = undo.enter_context(Place.bound(*measures)) if measures else None
            self.metrics_url = f"http://{measured.address}/metrics" if measured else ""
            sockets = (booths.fileno(), browsers.fileno(), measured.fileno() if measured else -1)
            self._plan = Plan(str(directory), self.api_url, tuple(sorted(hosts)), zone, *sockets, names, log_style)
            with closing(parts.open_database(directory)) as database, database.write() as connection:
                notes.put(database, connection, notes.URL, self.api_url)
            self._undo = undo.pop_all()
        self._processes, self._directory = processes, directory
        self._now: list[_Worker] = []
        self._next: list[_Worker] = []  # who will take over once all of them are up
        self._leaving: list[_Worker] = []
        self._ready = selectors.DefaultSelector()
        self._pause, self._due = 0.0, 0.0

    @property
    def pin(self) -> str:
        """Of the key in use."""
        return tls.pins(self._directory)[0]

    def start(self) -> None:
        """Returns when all serve. Raises StartError."""
        self._renew()
        while self._next:
            self._turn()
        if not self._now:
            self.stop()
            raise StartError("the server could not begin: see what was said before this line")
        log.info("booth API at %s, pages at %s, %s processes", self.api_url, self.pages_url, len(self._now))

    def attend(self, watchdog: Watchdog) -> None:
        """Until SIGTERM or SIGINT: replace who dies, and all of them at SIGHUP."""
        with _signals() as arriving:
            self._ready.register(arriving, selectors.EVENT_READ)
            came: set[int] = set()
            while not {signal.SIGTERM, signal.SIGINT} & came:
                watchdog.alive()
                came = self._turn()
                if signal.SIGHUP in came:
                    self._renew()
                if len(self._now) < self._processes and not self._next and monotonic() >= self._due:
                    self._now.append(self._begun())
            self._ready.unregister(arriving)

    def stop(self) -> None:
        """Have all of them finish what is under way, for a few seconds at most."""
        self._leaving, self._now, self._next = self._everybody(), [], []
        for worker in self._leaving:
            worker.leave(signal.SIGTERM, 3 * STOP_PATIENCE)
        while self._leaving:
            self._turn()
        self._ready.close()
        self._undo.close()

    def _everybody(self) -> list[_Worker]:
        return [*self._now, *self._next, *self._leaving]

    def _renew(self) -> None:
        """Begin with new processes; nothing happens while that is under way already."""
        if not self._next:
            self._next = [self._begun() for _ in range(self._processes)]

    def _begun(self) -> _Worker:
        plan = self._plan
        process = subprocess.Popen(
            [sys.executable, "-m", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[one for one in (plan.booths, plan.browsers, plan.measures) if one >= 0],
            bufsize=0,
        )
        worker = _Worker(process)
        self._ready.register(worker.line, selectors.EVENT_READ, worker)
        assert process.stdin is not None
        try:
            process.stdin.write(msgspec.json.encode(plan) + b"\n")
        except BrokenPipeError:
            pass  # it is dead already, which its silence tells
        return worker

    def _turn(self) -> set[int]:
        """Hear who says what, for a moment; the signals that came."""
        came: set[int] = set()
        for key, _ in self._ready.select(TURN):
            if not isinstance(key.data, _Worker):
                came.update(os.read(key.fd, 4096))
            elif not key.data.told():
                self._lost(key.data)
        for worker in self._everybody():
            if worker.stuck:
                log.error("process %s does not answer any more", worker.process.pid)
                worker.process.kill()
        if self._next and all(worker.up for worker in self._next):
            self._take_over()
        return came

    def _take_over(self) -> None:
        for worker in self._now:
            worker.leave(signal.SIGHUP, LINGER + 2 * LEAVE_PATIENCE)
        self._leaving += self._now
        self._now, self._next = self._next, []

    def _lost(self, worker: _Worker) -> None:
        self._ready.unregister(worker.line)
        code = worker.buried()
        if worker in self._leaving:
            self._leaving.remove(worker)
        elif worker in self._next:
            log.error("a new process ended at once (%s): what was there before goes on", code)
            self._next.remove(worker)
            for other in self._next:
                other.leave(signal.SIGTERM, STOP_PATIENCE)
            self._leaving += self._next
            self._next = []
        else:
            self._now.remove(worker)
            young = monotonic() - worker.born < YOUNG
            self._pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, 2 * self._pause)) if young else 0.0
            self._due = monotonic() + self._pause
            log.error("process %s ended (%s): another takes its place", worker.process.pid, code)


@contextmanager
def _signals() -> Iterator[int]:
    """A file from which the numbers of the signals can be read that would else end us."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        before = signal.set_wakeup_fd(theirs.fileno())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        try:
            yield ours.fileno()
        finally:
            signal.set_wakeup_fd(before)
