"""The telephone behind one AT port: the call, the notices and the health of a modem. All on the worker's thread."""

from collections.abc import Callable
from time import monotonic

from hw import questions, readings
from hw.atport import Ask, AtPort, Pause, Script
from hw.contracts import Post
from hw.errors import AudioError, HardwareError, ModemTimeout, PortLost, UnexpectedReply
from hw.events import (
    AudioFailed,
    CallEnded,
    Cause,
    Fault,
    IncomingCall,
    LineLost,
    LineReady,
    Party,
    SignalChanged,
    TimeHeard,
    ToneHeard,
)
from hw.gsmcall import WORDS, Call, refused
from hw.modems.family import Family
from hw.pcm import PcmPort
from hw.questions import Health
from hw.readings import CallRow, CallState
from hw.worker import Bell

GONE_CHECKS = 6  # lists after a hanging-up before it is tried another way
SOON = 0.5  # seconds from news of SIM or network to a look at them: such news come in bursts
RINGING = frozenset({CallState.INCOMING, CallState.WAITING})
CONNECTED = ("OK", "CONNECT", "VCON")


class Phone:
    """One session with a modem, from plugging in to unplugging; a new one begins with nothing remembered."""

    def __init__(self, path: str, family: Family, pcm: PcmPort, post: Post, bell: Bell) -> None:
        self._family, self._pace, self._pcm, self._post = family, family.pace, pcm, post
        self._port = AtPort(path, self._notice, bell, family.pace.ping)
        self._call: Call | None = None
        self._next: Call | None = None  # dialled, but its turn has not come
        self._opened_at: float | None = None
        self._model = ""
        self._ready = self._examining = self._polling = self._news_of_health = False
        self._fault: Fault | None = None
        self._bars: int | None = None
        self._clock_due = True
        self._left = self._sound_is_off = False
        self._check_at = self._poll_at = float("inf")
        self._news: dict[str, Callable[[str], None]] = {
            "RING": lambda _: self._ring(None),
            "+CRING": self._cring,
            "+CLIP": lambda line: self._ring(readings.clip(line).number),
            "+CLCC": lambda line: self._take(readings.clcc(line)),
            **dict.fromkeys(family.call_news, self._call_news),
            **dict.fromkeys(WORDS, self._word),
            **dict.fromkeys(("+CREG", "+CEREG", "+CPIN", "+QSIMSTAT"), self._health_news),
            **dict.fromkeys(("+CTZE", "+CTZV"), self._clock_news),
            family.flow: lambda line: self._pcm.flow(readings.pcm_flow(line)),
            family.tone_heard: self._tone_news,
        }

    def connect(self) -> None:
        """Open the port and greet the modem."""
        self._port.open()
        self._opened_at = monotonic()
        self._port.run(self._greeting())

    def listen(self) -> None:
        """One turn: whatever is due, then what the modem says."""
        if self._left:
            return
        self._plan(monotonic())
        self._port.listen()
        if self._pcm.lost:
            self._pcm.lost = False
            self._post(AudioFailed("the modem's audio port went away"))

    def dial(self, number: str) -> None:
        """Place a call; what is in its way is hung up: the person at the booth comes first, and it may be for help."""
        self.hang_up()
        self._next = call = Call(incoming=False)
        self._port.run(self._dialling(call, number), urgent=True)

    def answer(self) -> None:
        """Take the incoming call."""
        if self._call and self._call.incoming and not (self._call.answered or self._call.hanging):
            self._port.run(self._answering(self._call), urgent=True)

    def hang_up(self) -> None:
        """End, refuse or break off whatever there is."""
        if self._next:
            self._finish(self._next, CallEnded(Cause.NORMAL, Party.NEAR))
        call = self._call
        if call is None or call.hanging or call.gone_at is not None:
            return
        self._port.drop_urgent()
        if not call.placed:
            self._finish(call, CallEnded(Cause.NORMAL, Party.NEAR))
            return
        call.hanging = True
        self._port.abort_call(self._family.hang_up[0])
        self._port.run(self._hanging_up(call), urgent=True)

    def send_tones(self, digits: str) -> None:
        """Into the call, if there still is one."""
        if self._call:
            self._port.run(self._sending(self._call, digits), urgent=True)

    def unlock(self, pin: str) -> None:
        """Give the SIM its PIN, and look at once what it made of it."""
        self._port.run(self._unlocking(pin))

    def leave(self) -> None:
        """Close in good order: a call must not go on with nobody at the booth's end."""
        if self._call and self._call.placed and self._opened_at is not None:
            self._port.say(self._family.hang_up[0])
        self._let_go("the booth closed the line")
        self._left = True

    def lose(self, problem: HardwareError, waiting: int) -> None:
        """Close after a fault that ends the session, and say so: first of the calls, `waiting` dials among them."""
        self._let_go("the line went away")
        for _ in range(waiting):
            self._post(CallEnded(Cause.FAILED, Party.LINE, "there is no line"))
        self._post(LineLost(self._fault_of(problem), str(problem)))

    def _let_go(self, why: str) -> None:
        for call in (self._next, self._call):
            if call:
                self._finish(call, CallEnded(Cause.LOST, Party.LINE, why))
        self._port.close()
        self._pcm.close()

    def _fault_of(self, problem: HardwareError) -> Fault:
        if isinstance(problem, PortLost):
            return Fault.ABSENT if self._opened_at is None else Fault.UNPLUGGED
        return Fault.SILENT if isinstance(problem, ModemTimeout) else Fault.GARBLED

    def _plan(self, now: float) -> None:
        """Start what the clock asks for: a list of calls in a call; otherwise the modem's health, or a sign of life."""
        call = self._call
        if call and call.placed and not (call.hanging or self._polling) and call.gone_at is None:
            if now >= self._poll_at:
                self._polling = True
                self._port.run(self._poll())
        elif not (call or self._next or self._examining) and now >= self._check_at:
            self._examining = True
            self._port.run(self._check())
        elif self._opened_at and not self._port.busy and now - self._port.heard_at >= self._pace.idle:
            self._port.run(self._ask("AT"))

    # Scripts

    def _ask(self, command: str) -> Script:
        yield Ask(command, self._pace.ping)

    def _greeting(self) -> Script:
        self._model = yield from questions.greet(self._family)
        for row in (yield from questions.calls(self._family)) or ():
            if row.voice and row.incoming and row.state in RINGING:
                self._take(row)
            elif row.voice and not (self._call or self._next):
                # Left over from before a restart: nobody talks in it any more. A call that was dialled while the modem
                # was being greeted is none of those.
                yield Ask(self._family.hang_up[0], self._pace.reply)
        yield from self._sound_off()
        self._check_at = monotonic()

    def _unlocking(self, pin: str) -> Script:
        yield Ask(f'AT+CPIN="{pin}"', self._pace.sim)
        self._check_at = monotonic() + SOON

    def _check(self) -> Script:
        self._news_of_health = False
        health = yield from questions.examine(self._family)
        self._examining = False
        if self._call or self._next:  # in a call the line is not judged: whoever hears "lost" ends the call
            self._check_at = monotonic() + self._pace.check
        else:
            self._judge(health, monotonic())
        if self._news_of_health:  # it came while we were asking, perhaps after the answer that it is about
            self._check_at = min(self._check_at, monotonic() + SOON)

    def _judge(self, health: Health, now: float) -> None:
        if health.waking and self._opened_at is not None and now - self._opened_at < self._pace.sim:
            self._check_at = now + SOON
            return
        fault = Fault.NO_SIM if health.waking else health.fault
        if fault:
            self._check_at = now + self._pace.check
            if fault is not self._fault:
                self._post(LineLost(fault, health.detail))
            self._ready, self._fault = False, fault
            return
        self._check_at = now + self._pace.refresh
        if not self._ready:
            self._post(LineReady(self._model, health.operator))
        if not self._ready or health.bars != self._bars:
            self._post(SignalChanged(health.bars))
        self._ready, self._fault, self._bars = True, None, health.bars
        if self._clock_due and health.utc is not None:
            self._clock_due = False
            self._post(TimeHeard(health.utc))

    def _sound_on(self) -> Script:
        """Ready the audio; a call without sound goes on, for 119 can locate it."""
        *before, start = self._family.sound_on
        for command in () if self._sound_is_off else before:  # each answer is a wait between finger and dial
            yield Ask(command, self._pace.sound)
        self._sound_is_off = False
        try:
            self._pcm.open()
        except AudioError as problem:
            self._post(AudioFailed(str(problem)))
            return
        reply = yield Ask(start, self._pace.sound)
        if not reply.ok:
            self._pcm.close()
            self._post(AudioFailed(f"{start}: {reply.final or 'no answer'}"))

    def _sound_off(self) -> Script:
        off = True
        for command in self._family.sound_off:
            if self._call is None:
                reply = yield Ask(command, self._pace.sound)
                off = off and reply.ok
        self._sound_is_off = off and self._call is None

    def _dialling(self, call: Call, number: str) -> Script:
        if call.over:
            return
        if self._call:  # its end is known and only its reason was still asked for
            self._finish(self._call, self._call.ended(monotonic()))
        self._next, self._call = None, call
        yield from self._sound_on()
        call.placed = True
        reply = yield Ask(self._family.dial.format(number=number), self._pace.dial)
        self._poll_at = monotonic()
        if call.result(reply.final, self._poll_at):
            yield from self._confirm(call)
        elif not reply.final:
            call.hanging = True
            yield from self._hanging_up(call, refused(""))
        elif not reply.final.startswith(CONNECTED):
            self._finish(call, refused(reply.final))

    def _confirm(self, call: Call) -> Script:
        """A result word instead of OK: it may be a late one, meant for the call before."""
        self._port.doubt()
        rows = yield from questions.calls(self._family)
        if rows and any(call.owns(row) for row in rows):
            self._take_all(rows)
        else:
            call.gone_at = monotonic()
            yield from self._bury(call)

    def _answering(self, call: Call) -> Script:
        yield from self._sound_on()
        if call.over:
            self._pcm.close()
            return
        reply = yield Ask(self._family.answer, self._pace.answer)
        call.result(reply.final, monotonic())
        self._poll_at = monotonic()

    def _hanging_up(self, call: Call, how: CallEnded | None = None) -> Script:
        for command in self._family.hang_up:
            call.hung_up_at = monotonic()
            yield Ask(command, self._pace.reply)
            for _ in range(GONE_CHECKS):
                rows = yield from questions.calls(self._family)
                call.released = True
                if rows is not None and call.listed(rows, monotonic()):
                    self._finish(call, how or call.ended(monotonic()))
                    return
                yield Pause(self._pace.recheck)
        raise UnexpectedReply("the modem does not hang up")

    def _sending(self, call: Call, digits: str) -> Script:
        for digit in digits:
            if call.over:
                return
            yield from questions.tone(self._family, digit)

    def _poll(self) -> Script:
        rows = yield from questions.calls(self._family)
        now = monotonic()
        call, self._polling, self._poll_at = self._call, False, now + self._pace.poll
        if rows is None or call is None or not call.placed or call.hanging:
            return
        self._take_all(rows)
        hinted = call.released
        if call.listed(rows, now):
            yield from self._bury(call)
        elif hinted:
            self._poll_at = now + self._pace.recheck

    def _bury(self, call: Call) -> Script:
        """Say how a call ended that is gone; an unanswered one's reason may come a moment after its release."""
        detail = ""
        if not (call.answered or call.incoming):
            if not call.word:
                yield Pause(self._pace.recheck)
            detail = yield from questions.reason(self._family)
        self._finish(call, call.ended(monotonic(), detail))

    def _finish(self, call: Call, event: CallEnded) -> None:
        if call.over:
            return
        call.over = True
        if call is self._next:
            self._next = None
        if call is self._call:
            self._call = None
            self._pcm.close()
            self._port.run(self._sound_off())
            self._check_at = min(self._check_at, monotonic() + SOON)
        self._post(event)

    # Notices

    def _notice(self, line: str) -> None:
        handle = self._news.get(line.partition(":")[0].strip())
        try:
            if handle:
                handle(line)
        except UnexpectedReply:  # cut or merged on its way; the next list of calls will tell
            self._poll_at = 0.0

    def _cring(self, line: str) -> None:
        if line.partition(":")[2].strip() == "VOICE":
            self._ring(None)

    def _ring(self, number: str | None) -> None:
        """Somebody calls in: told once, and once more when the number comes later. One line, so one call."""
        call = self._call
        if self._next or (call and (not call.incoming or call.answered or call.hanging)):
            return
        if call is None:
            self._call = Call(incoming=True, placed=True, number=number)
            self._poll_at = monotonic()
            self._post(IncomingCall(number))
        elif number and call.number is None:
            call.number = number
            self._post(IncomingCall(number))

    def _call_news(self, line: str) -> None:
        row = self._family.call_news[line.partition(":")[0].strip()](line)
        if row:
            self._take(row)
            self._poll_at = monotonic()

    def _take_all(self, rows: list[CallRow]) -> None:
        for row in rows:
            self._take(row)

    def _take(self, row: CallRow) -> None:
        if row.voice and row.incoming and row.state in RINGING and (not self._call or self._call.owns(row)):
            self._ring(row.number)
        event = self._call.hear(row) if self._call else None
        if event:
            self._post(event)

    def _word(self, line: str) -> None:
        if self._call and self._call.placed:
            self._call.result(line, monotonic())
            self._poll_at = monotonic()

    def _health_news(self, _: str) -> None:
        self._news_of_health = True
        self._check_at = min(self._check_at, monotonic() + SOON)

    def _clock_news(self, line: str) -> None:
        self._clock_due = True
        self._health_news(line)

    def _tone_news(self, line: str) -> None:
        digit = readings.tone(line)
        if digit:
            self._post(ToneHeard(digit))
