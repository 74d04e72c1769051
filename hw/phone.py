"""The telephone behind one AT port: the call, and what the modem says of it. All on the worker's thread."""

from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from hw import callrows, questions, readings
from hw.atport import NAP, Ask, AtPort, Clock, Pause, Say, Script, Wire, asking
from hw.callrows import CallRow, CallState
from hw.callsound import CallSound
from hw.contracts import Post
from hw.errors import HardwareError, PortLost, UnexpectedReply
from hw.events import (
    Answered,
    AudioFailed,
    CallEnded,
    Cause,
    IncomingCall,
    LineDegraded,
    LineLost,
    Party,
    ToneHeard,
)
from hw.gsmcall import RINGING, WORDS, Call, refused, refuses
from hw.linehealth import LineHealth, fault_of
from hw.linesound import LineSound
from hw.modems.family import Family
from hw.questions import Question
from hw.readings import Caller
from hw.secondcall import SecondCall

GONE_CHECKS = 6  # lists after a hanging-up before it is tried another way
GOING = frozenset({CallState.DIALLING, CallState.ALERTING, CallState.ACTIVE, CallState.HELD})
CONNECTED = ("OK", "CONNECT", "VCON")


class Phone:
    """One session with a modem, from plugging in to unplugging; a new one begins with nothing remembered."""

    def __init__(
        self, wire: Wire, family: Family, audio: LineSound, post: Post, *, now: Clock = monotonic, remedy: str = ""
    ) -> None:
        """`remedy` is the last word to a modem that has been silent before and does not answer the greeting either."""
        self._family, self._pace, self._audio, self._post, self._now = family, family.pace, audio, post, now
        self._port = AtPort(wire, self._notice, family.pace.ping, now)
        self._health = LineHealth(family, post, now)
        self._sound = CallSound(family, audio, post)
        self._second = SecondCall(family.refuse_second, post)
        self._remedy = remedy
        self._call: Call | None = None
        self._next: Call | None = None  # dialled, but its turn has not come
        self._opened = self._greeted = self._left = self._polling = self._clearing = False
        self._opened_at = 0.0
        self._poll_at = float("inf")
        self._news: dict[str, Callable[[str], None]] = {
            "RING": lambda _: self._ring(Caller(None)),
            "+CRING": self._cring,
            "+CLIP": lambda line: self._ring(readings.clip(line)),
            "+CCWA": self._waiting,
            "+CLCC": lambda line: self._take(callrows.clcc(line)),
            **dict.fromkeys(family.call_news, self._call_news),
            **dict.fromkeys(WORDS, self._word),
            **dict.fromkeys(("+CREG", "+CEREG", "+CPIN", *family.health_news), self._health.news),
            **dict.fromkeys(("+CTZE", "+CTZV"), self._health.clock_news),
            **dict.fromkeys(family.warnings, self._warn),
            family.sound.flow: lambda line: self._audio.flow(readings.pcm_flow(line)),
            family.tone_heard: self._tone_news,
        }

    def connect(self) -> None:
        """Open the port and greet the modem."""
        self._port.open()
        self._opened, self._opened_at = True, self._now()
        self._port.run(self._greeting())

    def listen(self) -> None:
        """One turn: whatever is due, then what the modem says."""
        if self._left:
            return
        now = self._now()
        self._plan(now)
        self._port.listen(self._poll_at - now if self._watched else NAP)
        if self._audio.take_loss():
            self._post(AudioFailed("the modem's audio port went away"))

    def dial(self, number: str) -> None:
        """Place a call; what is in its way is hung up: the person at the booth comes first, and it may be for help."""
        self.hang_up()
        self._next = call = Call(incoming=False, bare=not self._family.dial_is_answered)
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
        self._port.run(self._health.unlock(pin))

    def leave(self) -> None:
        """Close in good order: a call must not go on with nobody at the booth's end."""
        if self._call and self._call.placed and self._opened:
            self._port.say(self._family.hang_up[0])
        self._let_go("the booth closed the line")
        self._left = True

    def lose(self, problem: HardwareError, waiting: int) -> None:
        """Close after a fault that ends the session, and say so: first of the calls, `waiting` dials among them."""
        if self._remedy and not isinstance(problem, PortLost):
            with suppress(HardwareError):  # then it went away by itself
                self._port.say(self._remedy)
        self._let_go("the line went away")
        for _ in range(waiting):
            self._post(CallEnded(Cause.FAILED, Party.LINE, "there is no line"))
        self._post(LineLost(fault_of(problem, opened=self._opened), str(problem)))

    def _let_go(self, why: str) -> None:
        call = self._call
        if call:  # of one that is gone the end is known, and only its reason was still asked for
            gone = call.gone_at is not None
            self._finish(call, call.ended(self._now()) if gone else CallEnded(Cause.LOST, Party.LINE, why))
        if self._next:
            self._finish(self._next, CallEnded(Cause.FAILED, Party.LINE, why))
        self._port.close()
        self._audio.close()

    def _plan(self, now: float) -> None:
        """Start what the clock asks for: a list of calls in a call; otherwise the modem's health, or a sign of life."""
        if self._watched:
            if now >= self._poll_at:
                self._polling = True
                self._port.run(self._poll())
        elif self._idle() and self._health.due(now):
            self._port.run(self._health.look(self._idle))
        elif self._opened and not self._port.busy and now - self._port.heard_at >= self._pace.idle:
            self._port.run(asking("AT", self._pace.ping))

    @property
    def _watched(self) -> bool:
        """Whether there is a call of which the lists are to tell, and none is being asked for."""
        call = self._call
        return bool(call and call.placed and not (call.hanging or self._polling) and call.gone_at is None)

    def _idle(self) -> bool:
        return not (self._call or self._next)

    # Scripts

    def _greeting(self) -> Script:
        identity = yield from questions.greet(self._family)
        yield from self._clear_away()
        yield from self._sound.end(self._idle)
        self._health.begin(identity)
        self._greeted, self._remedy = True, ""

    def _clear_away(self) -> Script:
        """Hang up a call that is none of ours and in every dial's way: from before a restart, or kept while it was deaf."""
        self._clearing = False
        for row in (yield from questions.calls(self._family)) or ():
            if row.voice and row.incoming and row.state in RINGING:
                self._take(row)
            elif row.voice and self._idle():
                yield Ask(self._family.hang_up[0], self._pace.reply, self._idle)

    def _dialling(self, call: Call, number: str) -> Script:
        if call.over:
            return
        if self._call:  # its end is known and only its reason was still asked for
            self._finish(self._call, self._call.ended(self._now()))
        self._next, self._call = None, call
        if not self._greeted:  # a modem that finds its speed by the first word does not heed it
            yield Ask(self._family.greeting[0].command, self._family.greeting[0].patience)
        yield from self._sound.ready()
        yield from self._sound.begin("dial", call.wanted)
        call.placed = True
        dial = self._family.dial.format(number=number)
        if not self._family.dial_is_answered:
            yield Say(dial)
            self._poll_at = self._now()
            yield from self._placed(call)
            return
        reply = yield Ask(dial, self._pace.dial)
        while refuses(reply.final) and self._now() - self._opened_at < self._pace.settle:
            yield Pause(self._pace.settle / 4)
            reply = yield Ask(dial, self._pace.dial)
        self._poll_at = self._now()
        if call.result(reply.final, self._poll_at):
            yield from self._confirm(call)
        elif not reply.final:
            call.hanging = True
            yield from self._hanging_up(call, refused(""))
        elif not reply.final.startswith(CONNECTED):
            self._finish(call, refused(reply.final))
        else:
            yield from self._placed(call)

    def _placed(self, call: Call) -> Script:
        """What a family wants once the modem has taken the call."""
        yield from self._sound.begin("placed", call.wanted)
        for command in self._family.placed:
            yield Ask(command, self._pace.reply)

    def _confirm(self, call: Call) -> Script:
        """A result word instead of OK: it may be a late one, meant for the call before."""
        self._port.doubt()
        rows = yield from questions.calls(self._family)
        if rows and any(call.owns(row) for row in rows):
            self._take_all(rows)
        else:
            call.gone_at = self._now()
            yield from self._bury(call)

    def _answering(self, call: Call) -> Script:
        yield from self._sound.ready()
        yield from self._sound.begin("dial", call.wanted)
        if call.over:
            self._audio.close()
            return
        reply = yield Ask(self._family.answer, self._pace.answer)
        call.result(reply.final, self._now())
        self._poll_at = self._now()
        yield from self._placed(call)

    def _ending(self) -> Script:
        yield from self._sound.end(self._idle)
        self._port.run(self._sound.cure(self._idle, self._health.lose), urgent=True)

    def _hanging_up(self, call: Call, how: CallEnded | None = None) -> Script:
        call.hung_up_at = self._now()
        if self._second.rings and (yield from self._parted(call, how)):  # else whoever rings were sent away for nothing
            return
        for command in self._family.hang_up:
            call.hung_up_at = self._now()
            yield Ask(command, self._pace.reply)
            for _ in range(GONE_CHECKS):
                if (yield from self._parted(call, how)):
                    return
                yield Pause(self._pace.recheck)
        raise UnexpectedReply("the modem does not hang up")

    def _parted(self, call: Call, how: CallEnded | None) -> Question[bool]:
        """Whether a list has our call no more; then it is over, and somebody may be ringing already."""
        rows = yield from questions.calls(self._family)
        call.released = True
        if rows is None or not call.listed(rows, self._now()):
            return False
        self._second.parted(rows)
        self._finish(call, how or call.ended(self._now()))
        self._take_all(rows)
        return True

    def _sending(self, call: Call, digits: str) -> Script:
        for digit in digits:
            if call.over:
                return
            sent = yield from questions.tone(self._family, digit, call.index)
            if not sent:
                self._audio.key(digit)

    def _poll(self) -> Script:
        rows = yield from questions.calls(self._family)
        now = self._now()
        call, self._polling, self._poll_at = self._call, False, now + self._pace.poll
        if rows is None or call is None or not call.placed or call.hanging:
            return
        self._take_all(rows)
        hinted = call.released
        if call.listed(rows, now):
            yield from self._bury(call)
        elif hinted:
            self._poll_at = now + self._pace.recheck
        else:
            yield from self._send_away(call, rows)

    def _send_away(self, call: Call, rows: list[CallRow]) -> Script:
        self._second.listed([row for row in rows if not call.owns(row)])
        command = self._second.refusal(talking=call.answered)
        if command:
            yield Ask(command, self._pace.reply)

    def _bury(self, call: Call) -> Script:
        """Say how a call ended that is gone; an unanswered one's reason may come a moment after its release."""
        detail = ""
        if not (call.answered or call.incoming):
            if not call.word:
                yield Pause(self._pace.recheck)
            detail = yield from questions.reason(self._family)
        self._finish(call, call.ended(self._now(), detail))

    def _finish(self, call: Call, event: CallEnded) -> None:
        if call.over:
            return
        call.over = True
        if call is self._next:
            self._next = None
        if call is self._call:
            self._call = None
            self._second.forget()
            self._audio.close()
            if call.placed and not call.seen:  # something else was in its way
                self._port.run(self._clear_away())
            self._port.run(self._ending())
            self._health.news()
        self._post(event)

    # Notices

    def _notice(self, line: str) -> None:
        handle = self._news.get(readings.name(line))
        try:
            if handle:
                handle(line)
        except UnexpectedReply:  # cut or merged on its way; the next list of calls will tell
            self._poll_at = 0.0

    def _cring(self, line: str) -> None:
        if line.partition(":")[2].strip() == "VOICE":
            self._ring(Caller(None))

    def _ring(self, caller: Caller) -> None:
        """Somebody calls in: told once, and once more when it is known who. One line, so one call."""
        call = self._call
        if self._next or (call and (not call.incoming or call.answered or call.hanging)):
            self._poll_at = self._now()  # the list tells whether it is somebody else
            if call and call.hanging and call.another(caller.number):
                self._second.rang(caller)
            return
        if call is None:
            self._call = Call(incoming=True, placed=True, caller=caller)
            self._poll_at = self._now()
            self._post(IncomingCall(caller.number, caller.hidden))
        elif call.caller == Caller(None) != caller:
            call.caller = caller
            self._post(IncomingCall(caller.number, caller.hidden))

    def _waiting(self, line: str) -> None:
        if self._call and not self._call.hanging:
            self._second.heard(readings.ccwa(line))
            self._poll_at = self._now()

    def _call_news(self, line: str) -> None:
        row = self._family.call_news[readings.name(line)](line)
        if row:
            self._take(row)
            self._poll_at = self._now()

    def _take_all(self, rows: list[CallRow]) -> None:
        for row in rows:
            self._take(row)

    def _take(self, row: CallRow) -> None:
        call = self._call
        if row.voice and row.incoming and row.state in RINGING and (not call or call.owns(row)):
            self._ring(Caller(row.number))
        elif row.voice and row.state in GOING and self._idle() and not self._clearing:
            self._clearing = True
            self._port.run(self._clear_away())
        if call and not call.owns(row):
            self._second.gone(call, row)
        event = self._call.hear(row) if self._call else None
        if event:
            self._post(event)
        if isinstance(event, Answered) and self._call:
            self._port.run(self._sound.begin("active", self._call.wanted), urgent=True)

    def _word(self, line: str) -> None:
        if self._call and self._call.placed:
            self._call.result(line, self._now())
            self._poll_at = self._now()

    def _warn(self, line: str) -> None:
        self._post(LineDegraded(self._family.warnings[readings.name(line)]))

    def _tone_news(self, line: str) -> None:
        digit = readings.tone(line)
        if digit and self._call:
            self._post(ToneHeard(digit))
