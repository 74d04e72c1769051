"""A thread that goes to the server again and again, waits when there is nothing to do, and backs off when it must."""

import sqlite3
import threading
from collections.abc import Callable
from time import monotonic

from firmware.store import CardError
from firmware.syncing.backoff import Backoff
from firmware.syncing.faults import Refused, SyncError

Trouble = SyncError | CardError
Turn = Callable[[], float]
"""One errand; it says after how many seconds the next is due even if nobody calls. Raises SyncError, CardError."""


class Courier:
    """Runs `turn`. `told` hears of each trouble, and None when there is none any more; both on this thread."""

    def __init__(
        self, name: str, turn: Turn, told: Callable[[Trouble | None], None], backoff: Backoff | None = None
    ) -> None:
        """`backoff` is how it leaves a server alone; as all booths do, unless told otherwise."""
        self._turn, self._told, self._backoff = turn, told, backoff or Backoff()
        self._news = threading.Condition()
        self._called = self._hurried = self._over = False
        self._beat = monotonic()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Go."""
        self._thread.start()

    def call(self) -> None:
        """There is something to do; a courier that backs off comes when its time is up all the same."""
        self._tell(called=True)

    def hurry(self) -> None:
        """The server answers again: back off no longer."""
        self._tell(hurried=True)

    def stop(self) -> None:
        """Come home; whoever wants to wait for it joins."""
        self._tell(over=True)

    def join(self, seconds: float) -> None:
        """Wait until it has come home, but no longer."""
        self._thread.join(seconds)

    @property
    def dead(self) -> bool:
        """Whether an error of ours has ended it."""
        return not self._thread.is_alive() and not self._over

    @property
    def silent(self) -> float:
        """Seconds since it last set out."""
        return monotonic() - self._beat

    def _tell(self, *, called: bool = False, hurried: bool = False, over: bool = False) -> None:
        with self._news:
            self._called |= called
            self._hurried |= hurried
            self._over |= over
            self._news.notify_all()

    def _run(self) -> None:
        while not self._over:
            self._beat = monotonic()
            try:
                rest = self._turn()
            except (SyncError, CardError) as problem:
                self._fail(problem)
            except sqlite3.OperationalError as problem:
                if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                self._fail(CardError("the booth keeps the database to itself"))
            else:
                self._backoff.worked()
                self._told(None)
                self._wait(rest, lambda: self._called or self._over)

    def _fail(self, problem: Trouble) -> None:
        if not self._over:
            self._told(problem)
            asked = problem.after if isinstance(problem, Refused) else 0.0
            # Who was asked to wait does not come before, however well the server answers others.
            self._wait(self._backoff.failed(asked), lambda: (self._hurried and not asked) or self._over)

    def _wait(self, seconds: float, ended: Callable[[], bool]) -> None:
        with self._news:
            until = monotonic() + seconds
            while not ended() and (left := until - monotonic()) > 0:
                self._beat = monotonic()
                self._news.wait(min(left, 10.0))
            self._called = self._hurried = False
