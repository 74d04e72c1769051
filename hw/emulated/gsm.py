"""An emulated GSM or LTE modem on pseudo-terminals: open them like any serial ports.

    with GsmModem("sim7600", exchange, directory, sim="SIM PIN", cable=Cable(cut=3)) as modem:
        serial.Serial(modem.at)     # commands
        serial.Serial(modem.pcm)    # voice; a make without a port for it has "" here and a `card` instead

make: "quectel" (EC25), "quectel-uac" (the same with a USB sound card), "sim7600", "a7670", "sim800", "huawei",
"generic" (27.007 and nothing else), "odd" (ATD is answered with nothing, then CONNECT and HANGUP). Or a Make.

options: all of Circumstances (SIM, network, cables, voice) and of Bugs (what the makes do wrong). Each is an attribute
as well, to be changed at any time: `modem.silent = True`, `modem.cable.loss = 0.01`, `modem.wedged = "commands"`.

The far end is the exchange: `exchange.call_in(number, hidden="payphone")`, `exchange.call_in(number, waiting=True)` for
a second caller, `exchange.hang_up()`, `exchange.press("5")` for a key that the far end presses.
"""

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Self

from hw.emulated.agenda import Agenda
from hw.emulated.cable import Tap
from hw.emulated.calling import VALIDITY, shown
from hw.emulated.circumstances import Circumstances
from hw.emulated.dialogue import Dialogue
from hw.emulated.exchange import BUSY, Exchange, Progress
from hw.emulated.interpreter import Answer, Interpreter
from hw.emulated.make import Make
from hw.emulated.makes import MAKES
from hw.emulated.network import time_news
from hw.emulated.port import Port
from hw.emulated.session import Session
from hw.emulated.soundport import EmulatedCard, SoundPort
from hw.emulated.voiceport import Spoilt, VoicePort
from hw.emulated.wording import ring

GOES_AFTER = 0.1  # seconds from the OK of a restart until the ports vanish
IN_CALL = ("dialling", "alerting", "talking")
GPS = b"$GPGSV,1,1,00,0*65\r\n$GPRMC,,V,,,,,,,,,,N*53\r\n"


class GsmModem(Circumstances):
    """The modem: `at` and `pcm` name its two ports, `heard` is every command line it was sent.

    It is plugged in as a context manager, or by plug(). `sound` counts what was lost on the way of the voice; `card` is
    the sound card of a make that needs one, as its driver meets it (contracts.Handset).
    """

    def __init__(self, make: Make | str, exchange: Exchange, directory: Path, **options: Any) -> None:
        if isinstance(make, str) and make not in MAKES:
            raise ValueError(f"no such make: {make}; there are {', '.join(MAKES)}")
        self.make = MAKES[make] if isinstance(make, str) else make
        super().__init__(**self.make.circumstances(options))
        self.exchange = exchange
        self.heard: list[str] = []
        self.at, self.pcm = str(directory / "modem-at"), ""
        self.sound: VoicePort | SoundPort
        self.card: EmulatedCard | None = None
        if self.make.voice == "card":
            self.sound = SoundPort(exchange)
            self.card = EmulatedCard(self.sound)
        else:
            self.pcm = str(directory / "modem-pcm")
            self.sound = VoicePort(
                exchange, Path(self.pcm), self._tell_flow if self.make.flow else None, self.pcm_cable
            )
        self._port = Port(Path(self.at), self._hear, self.cable)
        self._power = Agenda("modem")
        self._powered = True
        self._returns = False
        self._plugging = threading.RLock()
        self._news = threading.Condition()
        self._start()
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
        with self._plugging:
            if self._port.plugged:
                return
            if not self._powered:
                self.start_sim()
            self._powered = True
            self._start()
            if not self.pcm_late:
                self.sound.plug()
            self._port.plug()
            self._port.do(self._wake)

    def unplug(self, *, call_survives: bool = False) -> None:
        """Pull the plug: whoever has a port open sees it hang up. The call is lost, unless only the USB side went."""
        with self._plugging:
            self._returns = False
            self._power.forget()
            self._vanish(call_survives=call_survives)

    def restart(self) -> None:
        """Start afresh in a moment, as by AT+CFUN=1,1: the ports go and come back after `reset_for` seconds."""
        self._returns = True
        self._power.after(GOES_AFTER, self._leave)
        self._power.after(GOES_AFTER + self.reset_for, self._return)

    def close(self) -> None:
        """Unplug for good; the call is over and no thread is left."""
        self._power.close()
        self.unplug()
        self._stop_listening()

    def say(self, *lines: str) -> None:
        """Send lines to the host that nobody asked for."""
        self._port.do(self._say, *lines)

    def flow(self, stop: bool) -> None:
        """Ask the host to stop sending voice, or to go on; nothing where the make cannot."""
        if self.make.flow:
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

    # Power.

    def _start(self) -> None:
        self._session = Session(self.make.settings, self.make.named)
        if self.curc_off:
            self._session.values["^CURC"] = "0"
        self._interpreter = Interpreter(self, self.exchange, self._session, self.make.tables)
        self._interpreter.began = time.monotonic()
        self._interpreter.sim_wakes = self.sim_busy_for > 0
        self._dialogue = Dialogue(
            self, self._port, self._interpreter, heard=self._note, obeyed=self._obeyed, restart=self.restart
        )
        self._held_calls = False
        self._ringing: object = None

    def _leave(self) -> None:
        with self._plugging:
            if self._returns:
                self._vanish()

    def _return(self) -> None:
        with self._plugging:
            if self._returns:
                self.plug()

    def _vanish(self, *, call_survives: bool = False) -> None:
        self._port.unplug()
        self.sound.unplug()
        self._powered &= call_survives
        if not call_survives:
            self.wedged = ""
            self.exchange.release()
            self.exchange.release()

    def _wake(self) -> None:
        now = time.monotonic()
        if self.pcm_late:
            self._port.at(now + self.pcm_late, self.sound.plug)
        if self.sim_busy_for:
            self._port.at(now + self.sim_busy_for, self._sim_ready)
        if not self._dialogue.deaf:
            self._boot()
        self._make_noise(0)
        self._locate()
        if self.exchange.state == "ringing":
            self._begin_ringing()

    def _boot(self) -> None:
        lines = [line for line in self.make.boot if not (self._interpreter.sim_wakes and line.startswith("+CPIN"))]
        self._say(*(line.format(sim=self.sim) for line in lines))

    def _sim_ready(self) -> None:
        self._interpreter.sim_wakes = False
        self._interpreter.sim_ready_since = time.monotonic()
        self._say(f"+CPIN: {self.sim}")

    def _make_noise(self, n: int) -> None:
        if n and self.noise and self.make.noise:
            self._say(self.make.noise[(n - 1) % len(self.make.noise)].format(signal=self.signal))
        if self.noise:
            self._port.at(time.monotonic() + self.noise, partial(self._make_noise, n + 1))

    def _locate(self) -> None:
        """GPS sentences on the port that is the voice's as well."""
        if self.nmea and self._session.named.get("+QGPSCFG", {}).get("outport") != '"none"':
            if isinstance(self.sound, VoicePort):
                self.sound.port.do(self.sound.port.write, GPS)
            self._port.at(time.monotonic() + 1.0, self._locate)

    # On the port's thread from here on.

    def _hear(self, data: bytes) -> None:
        self._dialogue.hear(data)

    def _note(self, line: str) -> None:
        with self._news:
            self.heard.append(line)
            self._news.notify_all()

    def _obeyed(self, answer: Answer | None) -> None:
        if answer is None:
            self._boot()
        else:
            answer.unsaid |= answer.dialled and not self.make.dial_answered
            self._carry_voice()

    def _say(self, *lines: str) -> None:
        self._dialogue.say(*lines)

    # The call and the world, as they change.

    def _follow(self, progress: Progress) -> None:
        """On the exchange's thread."""
        if progress.state == "ringing" and not (self.plugged and self._interpreter.served):
            self.exchange.hang_up()  # "the subscriber you have dialled cannot be reached"
        else:
            self._port.do(self._tell_progress, progress)

    def _tell_progress(self, progress: Progress) -> None:
        if progress.second:
            self._tell_second(progress)
            return
        if progress.tone:
            self._say(*self.make.news(self._interpreter, progress))
            return
        self._interpreter.follow(progress)
        self._held_calls &= progress.state not in ("dialling", "ringing")
        self._carry_voice()
        news = self.make.news(self._interpreter, progress)
        self._say(*news)
        self._ringing = None
        if progress.state == "ringing":
            self._begin_ringing()
        self._dialogue.let_go(progress, news)

    def _tell_second(self, progress: Progress) -> None:
        waiting = progress.state == "waiting"
        told = self._session.on("+CCWA") or self.ccwa_anyway
        if waiting and not told:
            self.exchange.release_second(BUSY)
            return
        self._held_calls |= progress.state == "held"
        self._carry_voice()
        news = self.make.news(self._interpreter, progress)
        self._say(*news)
        if waiting:
            self._say(f"+CCWA: {shown(progress)},1,,{VALIDITY[progress.hidden]}")
        if waiting and self.rings_second:
            self._dialogue.send(ring(progress, self._session, self, clip=True))
        if progress.state == "idle":
            self._dialogue.let_go(progress, news)

    def _begin_ringing(self) -> None:
        self._ringing = object()
        first = partial(self._ring, self._ringing, first=True)
        if self.ring_late:
            self._port.at(time.monotonic() + self.ring_late, first)
        else:
            first()

    def _ring(self, ringing: object, *, first: bool = False) -> None:
        calls = self.exchange.calls
        if ringing is not self._ringing or not calls:
            return
        if self.make.rings(self._interpreter):
            self._dialogue.send(ring(calls[0], self._session, self, clip=not (first and self.late_clip)))
        self._port.at(time.monotonic() + self.ring_every, partial(self._ring, ringing))

    def _carry_voice(self) -> None:
        self.sound.muted = self._session.on("+CMUT")
        self.sound.spoilt = self._spoilt()
        self.sound.run(self.voice and self.make.carries(self._interpreter) and self.exchange.state in IN_CALL)

    def _spoilt(self) -> Spoilt:
        if self.held_kills_voice and self._held_calls and len(self.exchange.calls) == 1:
            return "dead"
        return self.wears_out if self._interpreter.pcm_cycles else ""

    def _tell_flow(self, stop: bool) -> None:
        self.say("+QPCMV: 0,0" if stop else "+QPCMV: 1,0")

    def _tell_change(self, what: str) -> None:
        self._say(*self.make.changes(self._interpreter, what))
        if what == "time":
            self._say(*time_news(self._interpreter))
        if what in ("sim", "registration"):
            for name in filter(self._session.on, ("+CREG", "+CEREG", "+CIREG")):
                self._say(f"{name}: {self._interpreter.registration(name)}")
            if not self._interpreter.served:
                self.exchange.hang_up()
