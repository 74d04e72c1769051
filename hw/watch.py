"""A thread that sleeps until a pin stirs, then looks again and again until all is calm."""

import threading
import time
from collections.abc import Callable

PATIENCE = 5.0  # seconds that stop() waits


class Watch:
    """Owns the pins of one input device. Costs nothing while nothing moves.

    `look(now)` is called on the watch's own thread at every `stir`. It returns the seconds until it wants to look again,
    or None when all is calm. hw/worker.py does not fit here: it asks its device some fifty times a second for ever.
    """

    def __init__(self, name: str, look: Callable[[float], float | None]) -> None:
        self._look = look
        self._stirred, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._keep, name=name, daemon=True)

    def start(self) -> None:
        """Begin with one look."""
        self._stirred.set()
        self._thread.start()

    def stir(self, *_: object) -> None:
        """Wake up. Fits gpiozero's `when_changed`, from any thread."""
        self._stirred.set()

    def stop(self) -> None:
        """Look no more; returns when the last look is over."""
        self._ending.set()
        self._stirred.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(PATIENCE)

    def _keep(self) -> None:
        while not self._ending.is_set():
            self._stirred.wait()
            self._stirred.clear()
            now = time.monotonic()
            while not self._ending.is_set() and (pause := self._look(now)) is not None:
                self._ending.wait(max(0.0, now + pause - time.monotonic()))
                now = time.monotonic()
