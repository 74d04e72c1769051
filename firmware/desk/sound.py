"""The WebSocket that carries a talk to a window of the desk page and back: binary messages of one frame, s16le 8 kHz.

Nothing is kept: what the window does not take within 200 ms is lost, and so is what it says while there is no talk.
"""

import asyncio
from contextlib import suppress
from time import monotonic

from starlette.websockets import WebSocket, WebSocketDisconnect

from firmware.desk.ear import BrowserHandset, Window
from hw.contracts import FRAME, FRAME_SECONDS

NONSENSE = 1008  # RFC 6455: a message that violates our policy
TAKEN = 4001  # of our own: another window hears and speaks now
FASTEST = 1.5 / FRAME_SECONDS  # frames a second, all in all: no sound card's clock is so wrong
BURST = 100  # frames that may come at once, from a window that was held up


class SoundFault(ValueError):
    """A window has sent what no microphone sends."""


class Allowance:
    """How many frames a window may send: as many as a microphone makes, and a burst that grows again with time."""

    def __init__(self, now: float) -> None:
        self._left, self._seen = float(BURST), now

    def take(self, now: float) -> bool:
        """Whether one more is allowed at `now`, in seconds."""
        self._left = min(BURST, self._left + (now - self._seen) * FASTEST)
        self._seen = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Sound:
    """Serves windows that want to hear and speak: the latest has the handset."""

    def __init__(self, handset: BrowserHandset) -> None:
        self._handset = handset

    async def serve(self, web_socket: WebSocket) -> None:
        """One window, until it goes, sends nonsense, or another one comes."""
        loop, fresh = asyncio.get_running_loop(), asyncio.Event()
        window = Window(lambda: loop.call_soon_threadsafe(fresh.set))
        self._handset.join(window)  # first: whoever has been let in must not miss a word
        try:
            await web_socket.accept()
            await _carry(web_socket, window, fresh)
        finally:
            self._handset.leave(window)


async def _carry(web_socket: WebSocket, window: Window, fresh: asyncio.Event) -> None:
    telling = asyncio.create_task(_tell(web_socket, window, fresh))
    try:
        await _listen(web_socket, window)
    except SoundFault as fault:
        telling.cancel()
        await web_socket.close(NONSENSE, str(fault))
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError, WebSocketDisconnect):
            await telling


async def _listen(web_socket: WebSocket, window: Window) -> None:
    """Raises SoundFault."""
    allowance = Allowance(monotonic())
    while (message := await web_socket.receive())["type"] == "websocket.receive":
        frame = message.get("bytes")
        if frame is None or len(frame) != FRAME:
            raise SoundFault(f"a frame is {FRAME} bytes")
        if not allowance.take(monotonic()):
            raise SoundFault("too many frames")
        window.say(frame)


async def _tell(web_socket: WebSocket, window: Window, fresh: asyncio.Event) -> None:
    while not window.dismissed:
        await fresh.wait()
        fresh.clear()
        while window.ear and not window.dismissed:
            await web_socket.send_bytes(window.ear.popleft())
    await web_socket.close(TAKEN, "another window")
