"""What the application may expect of each piece of hardware. Drivers fulfil these; they do not inherit them."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, runtime_checkable

from PIL.Image import Image

from hw.events import Event

Post = Callable[[Event], None]
Glow = Literal["off", "on", "blink"]

RATE = 8000  # samples a second, everywhere in the house
FRAME = 320  # bytes in 20 ms: signed 16-bit little-endian mono at 8 kHz
FRAME_SECONDS = 0.02
SILENCE = bytes(FRAME)


class Audio(Protocol):
    """One end of the talk path. Both calls return at once, on the talk path's thread only."""

    def read(self) -> bytes | None:
        """The oldest frame heard (FRAME bytes), or None if there is none yet."""
        ...

    def write(self, frame: bytes) -> None:
        """Say one frame (FRAME bytes); dropped, and counted, when the device will not take it."""
        ...


class Line(Protocol):
    """A telephone line. Commands return at once; what comes of them is posted."""

    def open(self, post: Post) -> None: ...

    def dial(self, number: str) -> None: ...

    def answer(self) -> None: ...

    def hang_up(self) -> None: ...

    def send_tones(self, digits: str) -> None: ...

    def unlock(self, pin: str) -> None:
        """Give the SIM its PIN, once: what comes of it is posted (LineReady at last, or SimLocked again)."""
        ...

    def close(self) -> None: ...

    @property
    def audio(self) -> Audio: ...


class Handset(Audio, Protocol):
    """Ear and mouth of the agent."""

    @property
    def alive(self) -> bool:
        """Whether it is open and still carries sound; a card that was pulled out is not."""
        ...

    def open(self) -> None: ...

    def close(self) -> None: ...


class Keypad(Protocol):
    """Sixteen keys; posts KeyPressed, KeyHeld, KeyReleased."""

    def open(self, post: Post) -> None: ...

    def close(self) -> None: ...


class Hook(Protocol):
    """The cradle switch; posts its present position when opened, then every change."""

    def open(self, post: Post) -> None: ...

    def close(self) -> None: ...


class Screen(Protocol):
    """A graphic LCD."""

    @property
    def size(self) -> tuple[int, int]: ...

    def show(self, picture: Image) -> None: ...

    def close(self) -> None: ...


@runtime_checkable
class TextScreen(Protocol):
    """A character LCD of 20 columns and 4 rows."""

    def write(self, rows: Sequence[str]) -> None: ...

    def close(self) -> None: ...


class Lamp(Protocol):
    """One lamp."""

    def show(self, glow: Glow) -> None: ...

    def close(self) -> None: ...


class Sink(Protocol):
    """Takes both ears of a call, frame by frame, on the talk path's thread; must return at once."""

    def hear(self, agent: bytes, customer: bytes) -> None: ...
