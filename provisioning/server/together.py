"""Rounds: what costs the same for many as for one is done for all who wait, such as a flush of the disk."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Together(Generic[_T]):
    """Work that is done in rounds, by whoever comes first; those who come meanwhile share the next round.

    `failures` are the world's faults that the work may raise.
    """

    def __init__(self, work: Callable[[Sequence[_T]], None], failures: tuple[type[Exception], ...]) -> None:
        self._work, self._failures = work, failures
        self._waiting: list[tuple[_T, Future[None]]] = []
        self._lock, self._turn = threading.Lock(), threading.Lock()

    def do(self, one: _T) -> None:
        """Have it done, with whatever others want done now; returns when it is. Raises what the work raises."""
        done: Future[None] = Future()
        with self._lock:
            self._waiting.append((one, done))
        with self._turn:
            if not done.done():
                with self._lock:
                    batch, self._waiting = self._waiting, []
                self._round(batch)
        done.result()

    def _round(self, batch: Sequence[tuple[_T, Future[None]]]) -> None:
        try:
            self._work([one for one, _ in batch])
        except self._failures as problem:
            if len(batch) == 1:
                batch[0][1].set_exception(problem)
                return
            for each in batch:  # it may have been the fault of one of them
                self._round([each])
        else:
            for _, done in batch:
                done.set_result(None)
        finally:
            for _, done in batch:
                done.cancel()  # only after a fault of our own, of which nobody is left waiting
