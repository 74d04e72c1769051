"""The inside of a voice modem: its relay, its voice mode, its streams, and what it says of the line."""

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from hw.contracts import SILENCE
from hw.emulated.analogcommands import Settings
from hw.emulated.analogdial import Dialler, Outcome, Rules
from hw.emulated.analogevents import Watch
from hw.emulated.analogline import AnalogLine, Event
from hw.emulated.analogmodels import Model
from hw.emulated.analogoptions import AnalogCircumstances
from hw.emulated.analogstream import UNDERRUN_EVERY, Kind, Stream
from hw.emulated.analogtones import frames_in, mixed
from hw.emulated.exchange import Exchange
from hw.emulated.farend import Progress

OFF_HOOK = frozenset({1, 3, 5, 7})  # +VLS states with loop current
WITH_PHONE = frozenset({0, 3})  # in which the phone on the modem's jack is on the line
TRAP_EVERY = 10  # frames
TRAP = b"\x10b"
NUMERIC = {"OK": 0, "CONNECT": 1, "RING": 2, "NO CARRIER": 3, "ERROR": 4, "BUSY": 7, "NO ANSWER": 8}
FRAMES_A_SECOND = 50
XON, XOFF = b"\x11", b"\x13"
HOLD, GO_ON = 4000, 2000  # samples that wait


class Case(Protocol):
    """What the body can do to the outside."""

    def send(self, text: str) -> None: ...

    def write(self, data: bytes) -> bool: ...

    def later(self, seconds: float, task: Callable[[], None]) -> None: ...

    def run(self) -> None:
        """Start the sample clock: tick() follows every 20 ms until it answers False."""
        ...


class Body:
    """A modem from power-on to power-off; for the port's thread."""

    def __init__(self, case: Case, around: AnalogCircumstances, exchange: Exchange, model: Model) -> None:
        self.case, self.around, self.exchange, self.model = case, around, exchange, model
        self.settings = Settings(model)
        self.line = AnalogLine(exchange, around, self._line_tells)
        self.stream: Stream | None = None
        self.dialler: Dialler | None = None
        self.latest: Stream | None = None  # also after its end
        self.tones: deque[bytes] = deque()  # of +VTS, still to be said
        self.phone_up = False
        self._watch = Watch(self.line, around)
        self._keys_reported = True
        self._frames = self._host_bytes = 0
        self._stirred = time.monotonic()
        self._idle_watch: object = None
        self.lost = 0  # pieces of sound that the host did not take
        self._losing = self._host_held = False

    @property
    def occupied(self) -> bool:
        """Whether a command is under way: the next one waits, or is no command at all."""
        return self.stream is not None or self.dialler is not None or bool(self.tones)

    # Results.

    def result(self, word: str) -> None:
        """A final result, or RING, in the form that V and Q ask for."""
        if self.settings.basic["Q"] == "1":
            return
        if self.settings.basic["V"] == "0" and word in NUMERIC:
            self.case.send(f"{NUMERIC[word]}\r")
        else:
            self.case.send(f"\r\n{word}\r\n")

    def report(self, codes: str) -> None:
        """DLE and each of the codes, in voice mode only."""
        if self.settings.voice:
            for code in codes:
                self.case.write(b"\x10" + code.encode("latin-1"))

    # The relay.

    def select(self, label: int) -> None:
        """+VLS."""
        old_firmware = self.around.firmware < "1.2.23"  # they all are of the form 1.2.nn
        self.settings.label = label
        if label not in OFF_HOOK:
            self.on_hook(label)
        elif not old_firmware:
            self.seize()

    def seize(self) -> None:
        """Go off-hook, or fail to while it rings, as some do."""
        if not self.line.off_hook and self.exchange.state == "ringing" and self.around.misses_off_hook > 0:
            self.around.misses_off_hook -= 1
            return
        self.line.seize()
        self._watch.forget()
        self.case.run()

    def on_hook(self, label: int = 0) -> None:
        """The relay falls; a phone that is up holds the line all the same."""
        self.settings.label = label
        self.dialler = None
        self.tones.clear()
        if not self.phone_up:
            self.line.release()

    def lift(self, up: bool) -> None:
        """The phone on the jack."""
        self.phone_up = up
        if up:
            self.line.seize()
            self.case.run()
        elif self.settings.label not in OFF_HOOK:
            self.line.release()
        tells = "-STE" not in self.model.own or self.settings.number("-STE") > 0
        self.report(self.around.phone_codes[not up] * tells)

    # Calls.

    def dial(self, string: str) -> None:
        """ATD: goes off-hook, and has the line's frames dial."""
        settings = self.settings
        if settings.voice and settings.label not in OFF_HOOK:
            settings.label = 1
        self.line.seize()
        level = int(settings.basic["X"] or 0)
        self.dialler = Dialler(
            self.line,
            string,
            Rules(
                ring_back_gone=frames_in(settings.number("+VRA") / 10),
                ring_back_never=frames_in(settings.number("+VRN")),
                patience=frames_in(settings.registers[7]),
                wants_dial_tone=level in (2, 4),
                knows_busy=level in (3, 4),
                guess=self.around.guess,
                carrier=not settings.voice,
            ),
        )
        self.case.run()

    def abort(self) -> None:
        """Any character of the host while it dials."""
        self.on_hook()
        self.result("NO CARRIER")

    def follow(self, progress: Progress) -> None:
        """The exchange has moved, and it is not ringing."""
        self.line.follow(progress)

    # Streams.

    def begin(self, kind: Kind) -> bool:
        """CONNECT, unless there is nothing to connect."""
        if self.settings.label == 0 or (kind == "+VTR" and not self.around.vtr):
            return False
        stream = Stream(kind, self.settings.coding, stop_dles=self.around.stop_dles, can_ends=self.around.can_ends)
        stream.held_back = self.settings.number("+IFC", 1) != 0
        self.stream = self.latest = stream
        self._keys_reported, self._host_held, self._host_bytes = True, False, 0
        self._watch.forget()
        self.result("CONNECT")
        self.case.run()
        return True

    def take(self, data: bytes) -> None:
        """Bytes of the host in a stream."""
        stream = self.stream
        if stream is None:
            return
        overruns = stream.overruns
        for code in stream.hear(data):
            self._obey(code)
        if stream.overruns > overruns:
            self.report("o")
        self._hold_host(stream)
        if stream.over:
            self._end_stream()

    def _obey(self, code: int) -> None:
        if code in b"~/":
            self._keys_reported = code == ord("~")
        elif code in b"ud":
            playing = self.stream is not None and self.stream.kind == "+VTX"
            self.settings.turn("+VGT" if playing else "+VGR", up=code == ord("u"))
        elif code == ord("?") and self.stream is not None:
            self.case.write(b"\x10XBNUM=%d\x10." % self.stream.waiting)

    def _hold_host(self, stream: Stream) -> None:
        """By XOFF and XON, if +IFC says so; CTS cannot be seen on a pty: there the host's bytes wait for nothing."""
        if stream.kind != "+VTX" or self.settings.number("+IFC", 1) != 1:
            return
        if not self._host_held and stream.waiting > HOLD:
            self._host_held = self.case.write(XOFF)
        elif self._host_held and stream.waiting < GO_ON:
            self._host_held = not self.case.write(XON)

    def _end_stream(self, word: str | None = None) -> None:
        stream, self.stream = self.stream, None
        if stream is not None and stream.records:
            self.case.write(b"\x10\x03")
        if stream is not None:
            self.result(word or self.around.stream_word)

    # The clock.

    def tick(self) -> bool:
        """20 ms; whether the clock is to go on."""
        if not (self.line.off_hook or self.stream or self.tones):
            return False
        self._frames += 1
        said = self._said()
        heard = self.line.carry(said) if self.line.off_hook else SILENCE
        if self.dialler is not None:
            self._dial_on(self.dialler)
        elif self.settings.voice and self.settings.label:
            self._report_sounds(heard)
        if self.stream is not None:
            self._stream_on(self.stream, heard, said)
        return True

    def _said(self) -> bytes:
        said = SILENCE
        if self.tones:
            said = self.tones.popleft()
            if not self.tones:
                self.result("OK")
        elif self.stream is not None:
            underruns = self.stream.underruns
            said = self.stream.said()
            self.report("u" * (self.stream.underruns - underruns))
        voice = self.around.phone_voice
        if self.phone_up and voice is not None and self.settings.label in WITH_PHONE:
            said = mixed(said, voice.frame(self._frames))
        return said

    def _stream_on(self, stream: Stream, heard: bytes, said: bytes) -> None:
        if stream.records:
            hears = stream.kind != "+VRX" or not self.around.records_on or self.settings.label in self.around.records_on
            if hears and self.phone_up and self.settings.label in WITH_PHONE:
                heard = mixed(heard, said)
            sound = self._trapped(self._within_budget(stream, stream.coding.encode(heard if hears else SILENCE)))
            self._deliver(sound.replace(b"\x10", b"\x10\x10"))
        self._hold_host(stream)
        if stream.over:
            self._end_stream()

    def _trapped(self, sound: bytes) -> bytes:
        if not self.around.traps or self._frames % TRAP_EVERY:
            return sound
        return TRAP + sound[len(TRAP) :]

    def _within_budget(self, stream: Stream, sound: bytes) -> bytes:
        came = stream.taken - self._host_bytes
        self._host_bytes = stream.taken
        if not self.around.budget or stream.coding.width == 1 or not stream.plays:
            return sound
        self.report("u" * (came // UNDERRUN_EVERY))
        return sound[: max(0, self.around.budget // FRAMES_A_SECOND - came) // 2 * 2]

    def _deliver(self, sound: bytes) -> None:
        sent = self.case.write(sound)
        if sent and self._losing:
            self.report("o")
        self._losing = not sent
        self.lost += not sent

    def _report_sounds(self, heard: bytes) -> None:
        recording = self.stream is not None and self.stream.records
        tenths = self.settings.number("+VSD", 1) if recording else 0
        codes = self._watch.codes(heard, tenths)
        self.report(codes)
        if self.around.silence_ends and self.around.silence_code in codes:
            self._end_stream()

    def _dial_on(self, dialler: Dialler) -> None:
        ringing = dialler.ringing
        outcome = dialler.tick()
        if dialler.ringing > ringing:
            self.result("RINGING")
        if outcome is None:
            return
        self.dialler = None
        self.stir()
        self._watch.forget()
        words = {
            Outcome.DONE: "OK",
            Outcome.ANSWERED: self.around.answer_word,
            Outcome.BUSY: "BUSY",
            Outcome.NO_ANSWER: "NO ANSWER",
            Outcome.NO_DIAL_TONE: self.around.no_dial_tone,
        }
        if outcome not in (Outcome.DONE, Outcome.ANSWERED):
            self.on_hook()
        self.result(words.get(outcome, "NO CARRIER"))

    def _line_tells(self, event: Event, key: str) -> None:
        if event == "polarity":
            self.report("L")
        elif event == "loop break":
            self.report("l")
        elif self._keys_reported:
            self.report(f"/{key}" if event == "key begins" else f"{key}~")

    # +VIT.

    def stir(self) -> None:
        """The host, or a command of it, has done something: the inactivity timer begins anew."""
        self._stirred = time.monotonic()

    def watch_idleness(self) -> None:
        """Voice mode has begun, or the timer was set."""
        self._idle_watch = object()
        self._check_idleness(self._idle_watch)

    def _check_idleness(self, watch: object) -> None:
        limit = self.settings.number("+VIT")
        if watch is not self._idle_watch or not self.settings.voice or not limit:
            return
        if self.dialler is not None or self.tones:
            self.stir()
        left = self._stirred + limit - time.monotonic()
        if left <= 0:
            self._give_up()
        else:
            self.case.later(left, lambda: self._check_idleness(watch))

    def _give_up(self) -> None:
        was_off_hook = self.settings.label in OFF_HOOK
        if self.stream is not None and self.stream.records:
            self.case.write(b"\x10\x03")
        self.stream = None
        self.settings.voice = False
        self.on_hook()
        if was_off_hook:
            self.result("NO CARRIER")
