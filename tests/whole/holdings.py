"""What a process holds of the system, how long it was kept waiting, and the figures of a shift."""

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Holdings:
    """What the process has of the system."""

    threads: tuple[str, ...]
    files: int
    ptys: int
    rss: int  # KiB
    open: tuple[str, ...] = ()

    @classmethod
    def now(cls):
        found = []
        for one in Path("/proc/self/fd").iterdir():
            try:
                found.append(str(one.readlink()))
            except OSError:  # the one with which the directory is read
                continue
        ptys = sum(name.startswith(("/dev/pts", "/dev/ptmx")) for name in found)
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        names = tuple(sorted(thread.name for thread in threading.enumerate()))
        return cls(names, len(found), ptys, pages * os.sysconf("SC_PAGE_SIZE") // 1024, tuple(sorted(found)))

    def beyond(self, other):
        """How many more threads, open files and ptys there are than there were."""
        ours, theirs = ((len(one.threads), one.files, one.ptys) for one in (self, other))
        return tuple(now - then for now, then in zip(ours, theirs, strict=True))


@dataclass
class Figures:
    """What came of a shift."""

    line: str
    calls: int = 0
    faults: int = 0
    answered: int = 0
    wedged: str = ""
    untrue: list[str] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)  # of threads
    before: Holdings | None = None
    hundredth: int = 0  # KiB
    after: Holdings | None = None
    closed: Holdings | None = None
    bare: Holdings | None = None
    seconds: float = 0.0
    stall: float = 0.0
    furthest: float = 0.0  # between a talk and its record, where nothing broke

    def __str__(self):
        if self.after is None:
            return f"{self.line}: {self.wedged}"
        leaks = self.after.beyond(self.before)
        return (
            f"{self.line}: {self.calls} calls ({self.answered} answered, {self.faults} with a fault) in {self.seconds:.0f} s"
            f" ({self.seconds / max(1, self.calls):.2f} s each), wedged {int(bool(self.wedged))}, untrue {len(self.untrue)},"
            f" leaked threads {leaks[0]}, files {leaks[1]}, ptys {leaks[2]},"
            f" RSS {self.hundredth} -> {self.after.rss} KiB, talk seconds off by at most {self.furthest:.2f},"
            f" the machine stood still for at most {self.stall:.2f} s"
        )


class Metronome:
    """How long the machine let this process wait: by so much every moment that is measured may be off."""

    def __init__(self):
        self._over = threading.Event()
        self._worst = self.ever = 0.0
        self._thread = threading.Thread(target=self._beat, name="metronome")
        self._thread.start()

    def _beat(self):
        while True:
            began = time.monotonic()
            if self._over.wait(0.02):
                return
            late = time.monotonic() - began - 0.02
            self._worst, self.ever = max(self._worst, late), max(self.ever, late)

    def take(self):
        """The longest wait since this was asked last."""
        worst, self._worst = self._worst, 0.0
        return worst

    def close(self):
        self._over.set()
        self._thread.join()
