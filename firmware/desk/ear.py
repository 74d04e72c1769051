"""The desk's handset: ear and microphone of a window of the desk page, or a made-up agent while no window has them."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress

from hw.emulated.handset import EmulatedHandset
from hw.emulated.speech import Voice

CAP = 10  # frames: 200 ms each way; what has waited longer is stale, and the oldest goes


class Window:
    """One window's end of the talk. The talk path and the window's server use it at the same time, each one end of it."""

    def __init__(self, fresh: Callable[[], object]) -> None:
        """`fresh` is called, on any thread, when there is something for the window; it must return at once."""
        self.ear: deque[bytes] = deque(maxlen=CAP)
        self.mouth: deque[bytes] = deque(maxlen=CAP)
        self.speaks = False  # it has a microphone: one frame has come
        self.dismissed = False  # another window has taken over
        self._fresh = fresh

    def hear(self, frame: bytes) -> None:
        """One frame for its ear."""
        self.ear.append(frame)
        self._tell()

    def say(self, frame: bytes) -> None:
        """One frame of its microphone."""
        self.speaks = True
        self.mouth.append(frame)

    def dismiss(self) -> None:
        """Another window has taken over: it has nothing to hear or to say any more."""
        self.dismissed = True
        self._tell()

    def _tell(self) -> None:
        with suppress(RuntimeError):  # the page's server has ended this very moment, and its event loop with it
            self._fresh()


class BrowserHandset(EmulatedHandset):
    """An EmulatedHandset whose ear and mouth a window may take.

    While a window has it, what comes to the ear goes there and nowhere else. The window's microphone is the agent's voice
    from its first frame until the window leaves; a window without a microphone leaves the speaking to `voice`.
    """

    def __init__(self, voice: Voice | None = None) -> None:
        super().__init__(voice)
        self._window: Window | None = None
        self._spoken_to = False  # the last frame read was a window's

    def join(self, window: Window) -> None:
        """Give ear and mouth to a window; the one that had them is dismissed."""
        before, self._window = self._window, window
        if before is not None:
            before.dismiss()

    def leave(self, window: Window) -> None:
        """Take them back; harmless when another window has them."""
        if self._window is window:
            self._window = None

    def open(self) -> None:
        """Begin to hear and speak; what a window has said before is thrown away. Raises AudioError as its parent."""
        super().open()
        window = self._window
        if window is not None:
            window.ear.clear()
            window.mouth.clear()

    def read(self) -> bytes | None:
        """The oldest frame spoken, or None if none is due."""
        window = self._window
        if window is not None and window.speaks:
            self._spoken_to = True
            return window.mouth.popleft() if window.mouth and self.alive else None
        if self._spoken_to and self.alive:
            super().open()  # the made-up agent speaks on from now, and has nothing to catch up with
        self._spoken_to = False
        return super().read()

    def write(self, frame: bytes) -> None:
        """One frame to the ear."""
        window = self._window
        if window is None:
            super().write(frame)
        elif self.alive:
            window.hear(frame)
