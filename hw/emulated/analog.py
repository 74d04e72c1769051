"""An analog voice modem (V.253) at the end of a pseudo-terminal: open it like any serial port."""

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

from hw.contracts import FRAME_SECONDS
from hw.emulated.analogbody import Body
from hw.emulated.analoginterpreter import Interpreter
from hw.emulated.analogmodels import MODELS
from hw.emulated.analogoptions import AnalogCircumstances
from hw.emulated.analogoutlet import Outlet
from hw.emulated.cable import Tap
from hw.emulated.exchange import Exchange
from hw.emulated.farend import Progress
from hw.emulated.port import Port

LONGEST_LINE = 4096
CATCH_UP = 25  # frames; a clock that slept longer leaves the rest out


class AnalogModem(AnalogCircumstances):
    """The modem: `port` names its serial port, `heard` is every command line it was sent.

    It is plugged in as a context manager, or by plug(). `model` is a name of MODELS; the options are those of
    AnalogCircumstances, on top of what is the model's nature. `at` and `pcm` are there for those who know modems with
    two ports: here all goes through one.
    """

    pcm = ""

    def __init__(self, model: str, exchange: Exchange, directory: Path, **options: Any) -> None:
        garble = options.pop("garble", 0.0)
        super().__init__(**{**MODELS[model].quirks, **options})
        self.garble = garble or self.garble
        self.model, self.exchange = model, exchange
        self.heard: list[str] = []
        self.port = self.at = str(directory / "modem-voice")
        self._port = Port(Path(self.port), self._hear, self.cable)
        self._outlet = Outlet(self._port, self)
        self._news = threading.Condition()
        self._unread = b""
        self._busy = self._running = False
        self._next = 0.0
        self._power_on()
        self._stop_listening = exchange.listen(self._follow)

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # What a test or the desk does.

    @property
    def plugged(self) -> bool:
        """Whether the port is there."""
        return self._port.plugged

    @property
    def off_hook(self) -> bool:
        """Whether the modem, or the phone on its jack, holds the line."""
        return self._body.line.off_hook

    @property
    def streaming(self) -> bool:
        """Whether a voice stream runs."""
        return self._body.stream is not None

    @property
    def codes(self) -> list[int]:
        """What followed a DLE of the host in the latest stream, the shielding of sound left out."""
        return list(self._body.latest.codes) if self._body.latest else []

    @property
    def taken(self) -> int:
        """Sound bytes that the host sent in the latest stream."""
        return self._body.latest.taken if self._body.latest else 0

    @property
    def lost(self) -> int:
        """Pieces of sound for the host that were lost since it was plugged in, because it read nothing."""
        return self._body.lost

    def plug(self) -> None:
        """Plug it in: it starts afresh, on-hook, under a new device number and the same name."""
        if not self._port.plugged:
            self._body.line.release()
            self._power_on()
            self._port.plug()
            self._port.do(self._wake)

    def unplug(self, *, call_survives: bool = False) -> None:
        """Pull the plug: whoever has the port open sees it hang up. The relay falls, and so does the call.

        `call_survives` leaves the line as it is until plug(), as with a modem that has a power supply of its own.
        """
        self._port.unplug()
        if not call_survives:
            self._body.line.release()

    def close(self) -> None:
        """Unplug for good; the call is over and no thread is left."""
        self.unplug()
        self._stop_listening()

    def say(self, *lines: str) -> None:
        """Send lines to the host that nobody asked for."""
        self._port.do(self.tell, *lines)

    def report(self, codes: str) -> None:
        """Send DLE codes that nothing on the line gave rise to, such as a busy tone heard in a voice."""
        self._port.do(self._body.report, codes)

    def lift(self, up: bool = True) -> None:
        """The phone on the modem's own jack is lifted, or put down."""
        self._port.do(self._body.lift, up)

    def log(self, tap: Tap) -> None:
        """Tell `tap` every line either way: `> ` to the modem, `< ` from it. It is called on the modem's thread."""
        self.cable.tap(tap)

    def wait_for(self, prefix: str, patience: float = 20.0) -> None:
        """Until a command that begins with `prefix` has come; AssertionError says what came instead."""
        with self._news:
            came = self._news.wait_for(lambda: any(line.startswith(prefix) for line in self.heard), patience)
            assert came, f"no {prefix} in {self.heard}"

    # For the modem's own parts, on the port's thread.

    def tell(self, *lines: str) -> None:
        """Write lines, each between CR LF."""
        for line in lines:
            self.send(f"\r\n{line}\r\n")

    def send(self, text: str) -> None:
        """Write text as it is, and let the taps read it."""
        if text and not self.silent:
            self.cable.tell("<", text)
            self.write(text.encode("latin-1", "replace"))

    def write(self, data: bytes) -> bool:
        """Write bytes; False when the host reads nothing and they are lost."""
        return self.silent or self._outlet.put(data)

    def later(self, seconds: float, task: Callable[[], None]) -> None:
        """Have something done on the port's thread."""
        self._port.at(time.monotonic() + seconds, task)

    def run(self) -> None:
        """Start the sample clock, if it stands."""
        if not self._running:
            self._running = True
            self._next = time.monotonic()
            self._port.at(self._next, self._tick)

    # On the port's thread from here on.

    def _power_on(self) -> None:
        self._unread = b""
        self._busy = self._running = False
        self._outlet.clear()
        self._body = Body(self, self, self.exchange, MODELS[self.model])
        self._interpreter = Interpreter(self._body)

    def _wake(self) -> None:
        if self.exchange.state == "ringing":
            self._interpreter.begin_ringing()

    def _hear(self, data: bytes) -> None:
        self._body.stir()
        if self.silent:
            self._note(data)
        elif self._body.stream is not None:
            self._body.take(data)
        elif self._body.dialler is not None:
            self._body.abort()  # any character ends a dial
        else:
            if self._body.settings.basic["E"] == "1":
                self.write(data)
            self._unread = (self._unread + data)[-LONGEST_LINE:]
            self._work_off()

    def _note(self, data: bytes) -> None:
        """Hear command lines and do nothing about them."""
        *lines, self._unread = (self._unread + data)[-LONGEST_LINE:].split(b"\r")
        for line in lines:
            self._keep(line.decode("latin-1").strip())

    def _keep(self, line: str) -> None:
        self.cable.tell(">", line)
        with self._news:
            self.heard.append(line)
            self._news.notify_all()

    def _work_off(self) -> None:
        while not self._busy and not self._body.occupied and b"\r" in self._unread:
            line, _, self._unread = self._unread.partition(b"\r")
            self._take(line.decode("latin-1").strip())

    def _take(self, line: str) -> None:
        if not line:
            return
        self._keep(line)
        if self.slow:
            self._busy = True
            self.later(self.slow, partial(self._answer_late, line))
        else:
            self._interpreter.obey(line)

    def _answer_late(self, line: str) -> None:
        self._busy = False
        self._interpreter.obey(line)
        self._work_off()

    def _follow(self, progress: Progress) -> None:
        """On the exchange's thread."""
        if (
            progress.state == "ringing"
            and not progress.second
            and not (self.plugged and self.line and not self._body.line.off_hook)
        ):
            self.exchange.hang_up()  # the caller hears the busy tone, or rings a dead line
        else:
            self._port.do(self._interpreter.follow, progress)

    def _tick(self) -> None:
        self._outlet.flush()
        now = time.monotonic()
        if now - self._next > CATCH_UP * FRAME_SECONDS:
            self._next = now
        while self._next <= now and self._running:
            self._next += FRAME_SECONDS / (1 + self.clock_ppm * 1e-6)
            self._running = self._body.tick()
        if self._running:
            self._port.at(self._next, self._tick)
        self._work_off()
