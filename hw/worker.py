"""A device's only thread: it does what it is asked, and listens in between."""

import os
import queue
import threading
from collections.abc import Callable

from hw.errors import HardwareError

PATIENCE = 5.0  # seconds that stop() waits; a worker listens for a few hundredths at a time


class Bell:
    """Wakes a worker that listens with select(): put this among what it selects on, and hush it when it rang."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        """What select() wants."""
        return self._fd

    def ring(self) -> None:
        """From any thread, at any time; harmless after close()."""
        with self._lock:
            if self._fd >= 0:
                os.eventfd_write(self._fd, 1)

    def hush(self) -> None:
        """Make ready for the next ring."""
        try:
            os.eventfd_read(self._fd)
        except BlockingIOError:  # nobody rang
            pass

    def close(self) -> None:
        """Give the descriptor back; the number may soon belong to somebody else, so forget it."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1


class Worker:
    """Owns one device, so that the device needs no lock.

    `listen` waits for the device for at most a few hundredths of a second (longer if it also waits for `bell`). A
    HardwareError of it or of a task is handed to `failed` and ends the worker; anything else is our own bug and ends
    the thread, loudly.
    """

    def __init__(
        self,
        name: str,
        listen: Callable[[], None],
        failed: Callable[[HardwareError], None],
        bell: Bell | None = None,
    ) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._listen, self._failed, self._bell = listen, failed, bell
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Begin to listen; what was asked before is done first."""
        self._thread.start()

    def do(self, task: Callable[..., None], *args: object) -> None:
        """Have `task` done on the worker's thread, after what was asked before."""
        self._tasks.put(lambda: task(*args))
        if self._bell:
            self._bell.ring()

    def stop(self) -> None:
        """End after what has already been asked for; harmless when it has ended or was never started."""
        self.do(self._stopping.set)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(PATIENCE)

    @property
    def alive(self) -> bool:
        """Whether somebody still listens to the device."""
        return self._thread.is_alive()

    def _work(self) -> None:
        try:
            while not self._stopping.is_set():
                self._next()()
        except HardwareError as problem:
            self._failed(problem)

    def _next(self) -> Callable[[], None]:
        try:
            return self._tasks.get_nowait()
        except queue.Empty:
            return self._listen
