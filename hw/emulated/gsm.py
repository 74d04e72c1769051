"""An emulated GSM or LTE modem on pseudo-terminals: open them like any serial ports.

    with GsmModem("quectel", exchange, directory, sim="SIM PIN") as modem:
        serial.Serial(modem.at)     # commands
        serial.Serial(modem.pcm)    # voice, where the make has a port for it

The makes are those of hw.emulated.makes; every option is one of Circumstances and can be changed at any time by
assignment (modem.silent = True).
"""

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Self

from hw.emulated.cable import Tap
from hw.emulated.circumstances import Circumstances
from hw.emulated.exchange import BUSY, Exchange, Progress
from hw.emulated.interpreter import STAT, Answer, Interpreter, type_of
from hw.emulated.port import Port
from hw.emulated.session import ERRORS, Session
from hw.emulated.voiceport import VoicePort

RING_EVERY = 5.0  # seconds
LONGEST_LINE = 4096
MAKES = ("quectel",)
DSCI = {"dialling": 2, "talking": 3, "ringing": 4, "idle": 6, "alerting": 7}
NUMERIC = {"OK": 0, "RING": 2, "NO CARRIER": 3, "ERROR": 4, "NO DIALTONE": 6, "BUSY": 7, "NO ANSWER": 8}
IN_CALL = ("dialling", "alerting", "talking")


class GsmModem(Circumstances):
    """The modem: `at` and `pcm` name its two ports, `heard` is every command line it was sent.

    It is plugged in as a context manager, or by plug(). What can be changed around it, and the options, are those of
    Circumstances. `sound` counts what was lost on the voice port.
    """

    def __init__(self, make: str, exchange: Exchange, directory: Path, **options: Any) -> None:
        if make not in MAKES:
            raise ValueError(f"no such make: {make}; there are {', '.join(MAKES)}")
        super().__init__(**options)
        self.make = make
        self.exchange = exchange
        self.heard: list[str] = []
        self.at, self.pcm = str(directory / "modem-at"), str(directory / "modem-pcm")
        self.sound = VoicePort(exchange, Path(self.pcm), self._tell_flow)
        self._port = Port(Path(self.at), self._hear, self.cable)
        self._news = threading.Condition()
        self._power_on()
        self._changed = partial(self._port.do, self._tell_change)
        self._stop_listening = exchange.listen(self._follow)

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # What a test or the desk does.

    @property
    def plugged(self) -> bool:
        """Whether the AT port is there."""
        return self._port.plugged

    def plug(self) -> None:
        """Plug it in: it starts afresh, under new device numbers and the same names."""
        if not self._port.plugged:
            self._power_on()
            if not self.pcm_late:
                self.sound.plug()
            self._port.plug()
            self._port.do(self._wake)

    def unplug(self, *, call_survives: bool = False) -> None:
        """Pull the plug: whoever has a port open sees it hang up. The call is lost, unless only the USB side went."""
        self._port.unplug()
        self.sound.unplug()
        if not call_survives:
            self.exchange.release()

    def close(self) -> None:
        """Unplug for good; the call is over and no thread is left."""
        self.unplug()
        self._stop_listening()

    def say(self, *lines: str) -> None:
        """Send lines to the host that nobody asked for."""
        self._port.do(self._say, *lines)

    def flow(self, stop: bool) -> None:
        """Ask the host to stop sending voice, or to go on."""
        self.sound.stop_flow(stop)
        self._tell_flow(stop)

    def log(self, tap: Tap) -> None:
        """Tell `tap` every line either way: `> ` to the modem, `< ` from it. It is called on the modem's thread."""
        self.cable.tap(tap)

    def wait_for(self, prefix: str, patience: float = 20.0) -> None:
        """Until a command that begins with `prefix` has come; AssertionError says what came instead."""
        with self._news:
            came = self._news.wait_for(lambda: any(line.startswith(prefix) for line in self.heard), patience)
            assert came, f"no {prefix} in {self.heard}"

    # On the port's thread from here on: commands.

    def _power_on(self) -> None:
        self._session = Session()
        self._interpreter = Interpreter(self, self.exchange, self._session)
        self._interpreter.sim_wakes = self.sim_busy_for > 0
        self._unread = b""
        self._busy = False
        self._held: Answer | None = None
        self._ringing: object = None

    def _wake(self) -> None:
        now = time.monotonic()
        if self.pcm_late:
            self._port.at(now + self.pcm_late, self.sound.plug)
        if self.sim_busy_for:
            self._port.at(now + self.sim_busy_for, self._sim_ready)
        if self.exchange.state == "ringing":
            self._begin_ringing()

    def _sim_ready(self) -> None:
        self._interpreter.sim_wakes = False
        self._say(f"+CPIN: {self.sim}")

    def _hear(self, data: bytes) -> None:
        if self._held is not None and self._session.on("+COLP"):
            self.exchange.release()  # any character aborts a dial that waits for its answer
            return
        if self._session.echo and not self.silent:
            self._write(data)
        self._unread = (self._unread + data)[-LONGEST_LINE:]
        self._work_off()

    def _work_off(self) -> None:
        while not self._busy and b"\r" in self._unread:
            line, _, self._unread = self._unread.partition(b"\r")
            self._take(line.decode("latin-1").strip())

    def _take(self, line: str) -> None:
        if not line:
            return
        self.cable.tell(">", line)
        with self._news:
            self.heard.append(line)
            self._news.notify_all()
        if self.slow and not self.silent:
            self._busy = True
            self._port.at(time.monotonic() + self.slow, partial(self._answer_late, line))
        elif not self.silent:
            self._answer(line)

    def _answer_late(self, line: str) -> None:
        self._busy = False
        self._answer(line)
        self._work_off()

    def _answer(self, line: str) -> None:
        answer = self._interpreter.obey(line)
        if answer is None:
            return
        self._carry_voice()
        if answer.dialled and (self.early_urc or self._session.on("+COLP")):
            self._held, self._busy = answer, True
        else:
            self._reply(answer)

    def _reply(self, answer: Answer) -> None:
        end = "\r\n"
        text = "".join((end if self._session.verbose else "") + end.join(block) + end for block in answer.blocks)
        self._send(text + self._result(self._word_for(answer.final)))

    def _word_for(self, final: str | int) -> str:
        if isinstance(final, str):
            return final
        verbosity = self._session.values["+CMEE"]
        return "ERROR" if verbosity == "0" else f"+CME ERROR: {final if verbosity == '1' else ERRORS[final]}"

    def _result(self, word: str) -> str:
        if self._session.quiet:
            return ""
        if self._session.verbose or word not in NUMERIC:
            return f"\r\n{word}\r\n"
        return f"{NUMERIC[word]}\r"

    def _say(self, *lines: str) -> None:
        self._send("".join(f"\r\n{line}\r\n" for line in lines))

    def _send(self, text: str) -> None:
        if text and not self.silent:
            self.cable.tell("<", text)
            self._write(text.encode("latin-1", "replace"))

    def _write(self, data: bytes) -> None:
        self._port.write(data)

    # The call and the world, as they change.

    def _follow(self, progress: Progress) -> None:
        """On the exchange's thread."""
        if progress.state == "ringing" and not (self.plugged and self._interpreter.served):
            self.exchange.hang_up()  # "the subscriber you have dialled cannot be reached"
        else:
            self._port.do(self._tell_progress, progress)

    def _tell_progress(self, progress: Progress) -> None:
        ended = progress.state == "idle"
        if ended:
            self._interpreter.last_cause = progress.cause
            if self.forgets_pcm:
                self._session.values["+QPCMV"] = "0,0"
        self._carry_voice()
        self._indicate(progress)
        self._ringing = None
        if progress.state == "ringing":
            self._begin_ringing()
        elif ended and not progress.ended_here:
            self._send(self._result("BUSY" if progress.cause == BUSY and not progress.incoming else "NO CARRIER"))
        self._let_go(progress)

    def _let_go(self, progress: Progress) -> None:
        """The OK of ATD, if it was kept back until now."""
        if self._held is None or (self._session.on("+COLP") and progress.state not in ("talking", "idle")):
            return
        held, self._held, self._busy = self._held, None, False
        if progress.state != "idle":
            self._reply(held)
        elif progress.ended_here:
            self._send(self._result("NO CARRIER"))
        self._work_off()

    def _indicate(self, progress: Progress) -> None:
        number, incoming, kind = progress.number or "", int(progress.incoming), type_of(progress.number)
        call = 2 if self.data_call else 1
        if self.ccinfo and self._session.indicates("ccinfo"):
            stat = STAT.get(progress.state, -1)
            self._say(f'+QIND: "ccinfo",{call},{incoming},{stat},0,0,"{number}",{kind}')
        if self._session.on("^DSCI"):
            self._say(f"^DSCI: {call},{incoming},{DSCI[progress.state]},0,{number},{kind}")

    def _begin_ringing(self) -> None:
        self._ringing = object()
        self._ring(self._ringing, first=True)

    def _ring(self, ringing: object, *, first: bool = False) -> None:
        if ringing is not self._ringing:
            return
        if self._session.indicates("ring"):
            self._send("\r\n+CRING: VOICE\r\n" if self._session.on("+CRC") else self._result("RING"))
            if self._session.on("+CLIP") and not (first and self.late_clip):
                number = self.exchange.number
                self._say(f'+CLIP: "{number or ""}",{type_of(number)},,,,{0 if number else 1}')
        self._port.at(time.monotonic() + RING_EVERY, partial(self._ring, ringing))

    def _carry_voice(self) -> None:
        self.sound.muted = self._session.on("+CMUT")
        self.sound.run(self._session.carries_voice and self.exchange.state in IN_CALL)

    def _tell_flow(self, stop: bool) -> None:
        self.say("+QPCMV: 0,0" if stop else "+QPCMV: 1,0")

    def _tell_change(self, what: str) -> None:
        if what == "signal" and self._session.indicates("csq"):
            self._say(f'+QIND: "csq",{self.signal},99')
        elif what == "time":
            self._tell_time()
        elif what == "sim":
            self._tell_sim()
        if what in ("sim", "registration"):
            for name in filter(self._session.on, ("+CREG", "+CEREG")):
                self._say(f"{name}: {self._interpreter.registration(name)}")
            if not self._interpreter.served:
                self.exchange.hang_up()

    def _tell_sim(self) -> None:
        if self._session.on("+QSIMSTAT"):
            self._say(f"+QSIMSTAT: 1,{int(self.sim != 'NOT INSERTED')}")
        self._say("+CPIN: NOT READY" if self.sim == "NOT INSERTED" else f"+CPIN: {self.sim}")

    def _tell_time(self) -> None:
        clock = self.clock(local=True)
        reports = self._session.values["+CTZR"]
        if clock is not None and reports != "0":
            zone = f'"{clock[-3:]}"'
            self._say(f"+CTZV: {zone}" if reports == "1" else f'+CTZE: {zone},0,"{clock[:-3]}"')
