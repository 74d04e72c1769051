"""The telephone behind a V.253 modem: the call, the stream of its sound and the health. All on the worker's thread."""

from time import monotonic

from hw.analogcall import ANSWERED, RINGS_BACK, TONELESS, WORDS, AnalogCall, refused
from hw.analogtalk import Talk
from hw.at import Notice
from hw.atport import Clock, Pause, Script, asking
from hw.callerid import NOBODY, Caller, caller
from hw.contracts import Post
from hw.dle import Code
from hw.dtmf import tones
from hw.errors import HardwareError, ModemTimeout
from hw.events import (
    CallEnded,
    Cause,
    Event,
    Fault,
    IncomingCall,
    LineLost,
    LineReady,
    Party,
    SecondCallRefused,
    ToneHeard,
)
from hw.linehealth import fault_of
from hw.modems.analog import GENERIC, RING_GAPS, Pace, dialled
from hw.voiceport import Stream, VoicePort
from hw.voicesetup import Setup, greet
from hw.voicesound import VoiceSound

FRESH = 10.0  # seconds for which a caller's number is that of the next ring: in Japan it comes before the first
LATE_RING = 1.0  # seconds in which a ring may still be told that was there before we took the line
PARTING = 2.0  # seconds that closing may take
TAKES = 3  # how often a line that goes on ringing is taken


class AnalogPhone:
    """One session with a modem, from plugging in to unplugging; a new one begins with nothing remembered."""

    def __init__(self, setup: Setup, wire: Stream, sound: VoiceSound, post: Post, now: Clock = monotonic) -> None:
        self._setup, self._sound, self._post, self._now = setup, sound, post, now
        self._port = VoicePort(wire, self._told, sound.take, (setup.model or GENERIC).pace.ping, now)
        self._talk = Talk(setup, self._port, sound, post, now)
        self._call: AnalogCall | None = None
        self._next: AnalogCall | None = None  # dialled, but its turn has not come
        self._opened = self._greeted = self._ready = self._left = self._probing = False
        self._fault: Fault | None = None
        self._caller, self._caller_at = NOBODY, float("-inf")
        self._ring_at = float("-inf")
        self._takes = 0
        self._check_at = float("inf")

    @property
    def _pace(self) -> Pace:
        return self._talk.voice.model.pace

    def connect(self) -> None:
        """Open the port and greet the modem."""
        self._port.open()
        self._opened = True
        self._port.run(self._greeting(), urgent=True)

    def listen(self) -> None:
        """One turn: whatever is due, then what the modem says."""
        if not self._left:
            self._plan(self._now())
            self._port.listen()

    def dial(self, number: str) -> None:
        """Place a call; what is in its way is hung up: the person at the booth comes first, and it may be for help."""
        self.hang_up()
        if self._probing:
            self._port.abort_dial()
        self._next = call = AnalogCall(incoming=False)
        self._port.run(self._dialling(call, dialled(number, self._setup.country)), urgent=True)

    def answer(self) -> None:
        """Take the incoming call."""
        call = self._call
        if call and call.incoming and not (call.placed or call.hanging):
            call.placed = True
            self._port.run(self._answering(call), urgent=True)

    def hang_up(self) -> None:
        """End, refuse or break off whatever there is; a ringing call is refused by taking it for a moment."""
        if self._next:
            self._finish(self._next, CallEnded(Cause.NORMAL, Party.NEAR))
        call = self._call
        if call is None or call.hanging:
            return
        call.hanging = True
        self._port.drop_urgent()
        self._probing = False
        self._port.abort_dial()
        self._port.run(self._hanging_up(call), urgent=True)

    def send_tones(self, digits: str) -> None:
        """Into the call, if there still is one."""
        if not self._call:
            return
        if self._talk.records:
            self._port.run(self._talk.press(digits), urgent=True)
        else:
            self._sound.press(tones(digits))

    def unlock(self, pin: str) -> None:
        """An analog line has no SIM."""

    def leave(self) -> None:
        """Close in good order: the line must not stay taken with nobody at the booth's end."""
        taken = self._opened and (self._port.streaming or (self._call is not None and self._call.placed))
        self._end_calls("the booth closed the line")
        self._left = True
        if taken:
            self._port.drop_urgent()
            self._port.abort_dial()
            self._port.run(self._talk.release(), urgent=True)
            try:
                end = self._now() + PARTING
                while self._port.urgent and self._now() < end:
                    self._port.listen()
            except HardwareError:  # it is gone: then so is the call
                pass
        self._let_go()

    def lose(self, problem: HardwareError, waiting: int) -> None:
        """Close after a fault that ends the session, and say so: first of the calls, `waiting` dials among them."""
        self._end_calls("the line went away")
        self._let_go()
        for _ in range(waiting):
            self._post(CallEnded(Cause.FAILED, Party.LINE, "there is no line"))
        self._post(LineLost(fault_of(problem, opened=self._opened), str(problem)))

    def _end_calls(self, why: str) -> None:
        for call in (self._next, self._call):
            if call:
                self._finish(call, CallEnded(Cause.LOST, Party.LINE, why))

    def _let_go(self) -> None:
        self._sound.end()
        self._port.close()

    def _plan(self, now: float) -> None:
        """What the clock brings: rings that come no more, a stream that has stopped, an answer that nothing tells."""
        call = self._call
        if self._talk.frozen:
            raise ModemTimeout("the modem's sound has stopped")
        if call is None:
            self._plan_at_rest(now)
        elif call.incoming and not (call.placed or call.hanging):
            if now - self._ring_at >= RING_GAPS[self._setup.country]:
                self._finish(call, CallEnded(Cause.NO_ANSWER, Party.FAR))
        elif self._waits_for_answer(call) and self._talk.ear.silence >= self._pace.unheard:
            self._apply(call, call.taken())

    @staticmethod
    def _waits_for_answer(call: AnalogCall) -> bool:
        """Whether nothing at all has been heard of a call that we placed."""
        return not (call.incoming or call.answered or call.hanging or call.alerting)

    def _plan_at_rest(self, now: float) -> None:
        if self._next or self._port.busy or not self._greeted:
            return
        if self._fault is Fault.NO_NETWORK and now >= self._check_at:
            self._probing = True
            self._port.run(self._probe(), urgent=True)
        elif self._talk.doubtful or (self._fault is Fault.NO_VOICE and now >= self._check_at):
            self._talk.doubtful, self._check_at = False, now + self._pace.voice
            self._port.run(self._greeting(), urgent=True)
        elif now - self._port.answered_at >= self._pace.idle:
            self._port.run(asking("ATH", self._pace.ping))  # whatever it misunderstood, at rest the line is nobody's

    # Scripts

    def _greeting(self) -> Script:
        self._talk.voice = yield from greet(self._setup)
        self._greeted = True
        self._regain()

    def _regain(self) -> None:
        """There is a dial tone, as far as is known."""
        if self._talk.voice.coding is None:
            self._lose_for_now(Fault.NO_VOICE, self._talk.voice.why)
        elif not self._ready:
            self._post(LineReady(self._talk.voice.title))
            self._ready, self._fault = True, None

    def _lose_for_now(self, fault: Fault, why: str) -> None:
        self._check_at = self._now() + (self._pace.voice if fault is Fault.NO_VOICE else self._pace.check)
        if fault is not self._fault:
            self._post(LineLost(fault, why))
        self._ready, self._fault = False, fault

    def _probe(self) -> Script:
        back = yield from self._talk.probe()
        self._probing = False
        self._check_at = self._now() + self._pace.check
        if back:
            self._regain()

    def _dialling(self, call: AnalogCall, number: str) -> Script:
        if self._port.strayed:  # the line may still be up, and digits would go into another talk
            yield from self._talk.release()
        rest = self._talk.put_down_at + self._pace.on_hook - self._now()
        if rest > 0 and not call.over:
            yield Pause(rest)
        if call.over:
            return
        self._next, self._call = None, call
        call.placed = True
        yield from self._talk.seize()
        judged, final = yield from self._talk.dial(number)
        if final not in ANSWERED:
            self._finish(call, refused(final))
            if final in TONELESS:
                self._lose_for_now(Fault.NO_NETWORK, "no dial tone")
            yield from self._talk.release()
            return
        self._regain()
        yield from self._talk.stream()
        if judged:
            self._apply(call, call.taken())

    def _answering(self, call: AnalogCall) -> Script:
        yield from self._talk.seize()
        yield from self._talk.stream()
        self._takes = 1
        self._apply(call, call.taken(estimated=False))

    def _retake(self, call: AnalogCall) -> Script:
        """It rings on: the modem said OK and did not take the line."""
        yield from self._talk.release()
        if call.over:
            return
        yield from self._talk.seize()
        yield from self._talk.stream()

    def _hanging_up(self, call: AnalogCall) -> Script:
        if call.incoming and not call.placed:
            yield from self._talk.seize()
            yield Pause(self._pace.on_hook / 2)
        try:
            yield from self._talk.release()
        finally:  # whatever became of the line, for this call it is over
            self._finish(call, CallEnded(Cause.NORMAL, Party.NEAR))

    def _apply(self, call: AnalogCall, event: Event | None) -> None:
        """Tell what became of the call, and act on its end."""
        if event is None or call.over or call.hanging:
            return
        if isinstance(event, CallEnded):
            self._finish(call, event)
            self._port.drop_urgent()
            self._port.abort_dial()  # a dial that still waits for its word would keep the next one waiting
            self._port.run(self._talk.release(), urgent=True)
            return
        if call.answered:
            self._talk.ear.answered()
        self._post(event)

    def _finish(self, call: AnalogCall, event: CallEnded) -> None:
        if call.over:
            return
        call.over = True
        if call is self._next:
            self._next = None
        if call is self._call:
            self._call = None
            self._sound.end()
        self._caller = NOBODY
        self._post(event)

    # What the modem says

    def _told(self, said: Notice | Code | bytes) -> None:
        if self._left:  # whoever calls now finds nobody
            return
        if isinstance(said, bytes):
            self._listen_to(said)
        elif isinstance(said, Code):
            self._code(said.letter)
        else:
            self._notice(said.line)

    def _listen_to(self, data: bytes) -> None:
        for sound in self._talk.hear(data):
            call = self._call
            if call and not (call.incoming and not call.answered):
                self._apply(call, call.hear(sound))

    def _code(self, letter: str) -> None:
        call = self._call
        if letter == "u":
            self._sound.starved()
        elif letter == "R":
            self._ring()
        elif call is None or not call.placed:
            return
        elif letter == "w":
            if not call.waiting_told:
                call.waiting_told = True
                self._post(SecondCallRefused())
        else:
            digit = self._talk.keys.hear(letter, self._now())
            if digit and call.answered and not self._sound.pressing(self._now()):
                self._post(ToneHeard(digit))
            if letter == RINGS_BACK:
                self._talk.ear.rang()
            self._apply(call, call.told(letter, self._talk.voice.model.ends))

    def _notice(self, line: str) -> None:
        call = self._call
        if line.startswith("RING") and line != "RINGING":
            self._ring()
        elif line == "RINGING" and call and call.placed:
            self._talk.ear.rang()
            self._apply(call, call.rung())
        elif line in WORDS and call and call.placed and not call.incoming and not call.answered:
            self._apply(call, refused(line))
        elif (one := caller(line)).known:
            self._identify(one)

    def _ring(self) -> None:
        """Somebody calls in; one line, so one call. After our answer it means that the line was not taken."""
        now, call = self._now(), self._call
        self._ring_at = now
        if call and call.incoming and call.placed:
            if call.answered and LATE_RING <= now - self._talk.taken_at < self._pace.seized and not call.hanging:
                self._takes += 1
                self._talk.taken_at = now
                if self._takes > TAKES:
                    self._apply(call, CallEnded(Cause.FAILED, Party.LINE, "the modem does not take the line"))
                else:
                    self._port.run(self._retake(call), urgent=True)
        elif self._greeted and call is None and self._next is None:
            fresh = self._caller if now - self._caller_at < FRESH else NOBODY
            self._call = AnalogCall(incoming=True, caller=fresh)
            self._post(IncomingCall(fresh.number, fresh.hidden))

    def _identify(self, one: Caller) -> None:
        self._caller, self._caller_at = one, self._now()
        call = self._call
        if call and call.incoming and not (call.caller.known or call.answered or call.hanging):
            call.caller = one
            self._post(IncomingCall(one.number, one.hidden))
