"""Conversations with modems in simulated time: an honest modem of each family, and mischief on the wire to it.

One conversation is a few seconds in which the wire cuts, merges, interleaves, delays and damages what is said, the modem
refuses, keeps silent or says things of its own, and the person at the booth does what they like. Then all is honest
again, and whatever was left open must have ended, and the next call must work. Nothing here knows the driver's insides:
commands come in as bytes, answers go out as bytes.
"""

import heapq
import random
import re
from dataclasses import replace

from hw.errors import HardwareError, PortLost
from hw.events import Answered, CallEnded, Cause, IncomingCall, Party
from hw.gsm import FAMILIES
from hw.linesound import LineSound
from hw.phone import Phone
from tests.hw.scripted import QUICK

NUMBER, CALLER = "0312345601", "09012345602"
LATENCY = 0.004  # seconds of an honest answer
ODDS = 0.25  # that one answer of a bad day is touched
UNPLUGGED = 0.03  # of all conversations: so many lose the modem in the middle
TRIES = 3  # calls after a bad day, of which one must go through: the line may be lost over the first
PATIENCE = 60.0  # simulated seconds in which everything open must end

# Things that modems say unasked, with a place for a figure or two.
CHATTER = (
    "RING",
    "+CRING: VOICE",
    "+CRING: FAX",
    '+CLIP: "09012345602",129,,,,0',
    '+CLIP: "",128,,,,{a}',
    '+CCWA: "09012345603",129,1',
    "+CREG: {a}",
    '+CREG: 1,"1A2B","03"',
    "+CPIN: READY",
    "+CPIN: SIM PIN",
    "NO CARRIER",
    "BUSY",
    "NO ANSWER",
    "NO DIALTONE",
    "NO DIAL TONE",
    "OK",
    "ERROR",
    "ERROR+CNUM:",
    "+CME ERROR: {a}",
    "CONNECT",
    "CONNECT 9600",
    "HANGUP: {a}",
    "COMMAND NOT SUPPORT",
    "TOO MANY PARAMETERS",
    '+CLCC: {a},{b},{a},0,0,"0312345601",129',
    "+CLCC: {a},{b},{a},0,0",
    '+CLCC: 1,0,0,1,0,"",128',
    '+QIND: "ccinfo",{a},{b},{a},0,0,"0312345601",129',
    '+QIND: "ccinfo",1,{b},-1,0,0,"",128',
    '+QIND: "csq",{a},99',
    "^DSCI: {a},{b},{a},0,0312345601,129",
    "^ORIG:{a},0",
    "^CONF:{a}",
    "^CONN:{a},0",
    "^CEND:{a},0,29",
    "^CEND:{a},37,29,16",
    "^CEND:1,0,21,",
    "^RSSI:{a}",
    "^BOOT:12345678,0,0,0,77",
    "VOICE CALL: BEGIN",
    "VOICE CALL: END: 00004{a}",
    "MISSED_CALL: 11:01AM 09012345602",
    "MO RING",
    "MO CONNECTED",
    "+QPCMV: {b},0",
    "+QTONEDET: 53",
    "+RXDTMF: {a}",
    "^DDTMF:{a}",
    "+CTZV: 36",
    "UNDER-VOLTAGE WARNNING",
    "RDY",
)


class Time:
    """The clock of one simulated world."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class HonestModem:
    """Does what it is told at once; its far end rings, answers and hangs up as it is asked to."""

    def __init__(self, family, wire):
        self._family, self._wire = family, wire
        self.call = None  # [state as in +CLCC, incoming, number]
        self._placed = 0

    def obey(self, command):
        """The lines of the answer, final result last; none for silence."""
        family = self._family
        if command.startswith("ATD"):
            return self._dial(command[3:].rstrip(";"))
        if command == family.answer:
            if self.call and self.call[1]:
                self.become(0)
            return ["OK"] if self.call else ["NO CARRIER"]
        if command in {"AT+CHUP", "ATH"}:
            self.release()
            return ["OK"]
        if command == family.calls:
            return [*self._rows(), "OK"]
        if command == family.sound.start and family.sound.when == "active" and not (self.call and self.call[0] == 0):
            return ["ERROR"]
        return [*ANSWERS.get(command, ()), "OK"]

    def ring(self):
        """Somebody calls in."""
        if self.call is None:
            self.call = call = [4, 1, CALLER]
            self._ring(call)

    def _ring(self, call):
        if self.call is call and call[0] == 4:
            self._wire.later(0.01, ["RING", f'+CLIP: "{CALLER}",129,,,,0'])
            self._wire.at(1.0, lambda: self._ring(call))

    def carry_on(self):
        """What was planned is forgotten, but a caller rings on."""
        if self.call and self.call[1]:
            self._ring(self.call)

    def become(self, state):
        """The call goes on to another state, and the family's own notices tell of it."""
        if self.call:
            self.call[0] = state
            self._wire.later(LATENCY, self._news(state))

    def release(self):
        """The call is over."""
        if self.call:
            news = self._news(-1)
            self.call = None
            self._wire.later(LATENCY, [*news, "NO CARRIER"])

    def _dial(self, number):
        if self.call:
            return ["ERROR"]
        self.call = call = [2, 0, number]
        self._placed += 1
        for delay, state in ((0.05, 3), (0.15, 0)):
            self._wire.at(delay, lambda state=state: self.call is call and self.become(state))
        return ["OK"] if self._family.dial_is_answered else []

    def _rows(self):
        return [] if self.call is None else ['+CLCC: 1,{1},{0},0,0,"{2}",129'.format(*self.call)]

    def _news(self, state):
        _, incoming, number = self.call
        news = self._family.call_news
        if "+QIND" in news:
            return [f'+QIND: "ccinfo",1,{incoming},{state},0,0,"{number}",129']
        if "^CEND" in news:
            return {2: ["^ORIG:1,0"], 3: ["^CONF:1"], 0: ["^CONN:1,0"], -1: ["^CEND:1,3,29,16"]}.get(state, [])
        if "VOICE CALL" in news:
            row = f'+CLCC: 1,{incoming},{6 if state < 0 else state},0,0,"{number}",129'
            return [row, *{0: ["VOICE CALL: BEGIN"], -1: ["VOICE CALL: END: 000003"]}.get(state, [])]
        if "MO RING" in news:
            return {3: ["MO RING"], 0: ["MO CONNECTED"]}.get(state, [])
        if "HANGUP" in news:
            return {0: ["CONNECT"], -1: ["HANGUP: 1"]}.get(state, [])
        return []


ANSWERS = {
    "AT+CGMM": ("MODEL",),
    "AT+CPIN?": ("+CPIN: READY",),
    "AT+CREG?": ("+CREG: 2,1",),
    "AT+CEREG?": ("+CEREG: 2,1",),
    "AT+CSQ": ("+CSQ: 17,99",),
    "AT+COPS?": ('+COPS: 0,0,"TEST",7',),
    "AT+QPCMV?": ("+QPCMV: 0,0",),
    "AT^CVOICE?": ("^CVOICE:0,8000,16,20",),
    "AT+CPCMREG=?": ("+CPCMREG: (0-1)",),
}


class SimulatedWire:
    """Fulfils `atport.Wire` in simulated time; waiting costs nothing. `mischief` touches what the modem says."""

    def __init__(self, family, now):
        self._now, self._queue, self._order = now, [], 0
        self._unread, self._due = b"", b""
        self.mischief = None
        self.plugged = True
        self.modem = HonestModem(family, self)

    def open(self):
        if not self.plugged:
            raise PortLost("not there")
        self._due = self._unread = b""

    def close(self):
        """The modem goes on without us."""

    def say(self, data):
        if not self.plugged:
            raise PortLost("gone")
        *commands, self._unread = (self._unread + data).split(b"\r")
        for command in commands:
            text = command.decode("ascii", "replace").strip()
            if text:
                answer = self.modem.obey(text)
                self.later(LATENCY, answer)

    def hear(self, patience, *, heed_bell=False):
        del heed_bell
        end = self._now.now + max(patience, 1e-4)
        while not self._due and self._queue and self._queue[0][0] <= end:
            when, _, what = heapq.heappop(self._queue)
            self._now.now = max(self._now.now, when)
            if callable(what):
                what()
            else:
                self._due += what
        if not self.plugged:
            raise PortLost("gone")
        if not self._due:
            self._now.now = end
        data, self._due = self._due, b""
        return data

    def be_honest(self):
        """The bad day is over, and what it still had in store with it."""
        self.mischief, self.plugged = None, True
        self._queue.clear()
        self.modem.carry_on()

    def unplug(self):
        """Away it is."""
        self.plugged = False

    def at(self, delay, action):
        """Have something happen."""
        self._order += 1
        heapq.heappush(self._queue, (self._now.now + delay, self._order, action))

    def later(self, delay, lines):
        """Have lines said, as the present mischief lets them through."""
        data = b"".join(b"\r\n%s\r\n" % line.encode() for line in lines)
        if not data:
            return
        if self.mischief is None:
            self.at(delay, data)
        else:
            for more, piece in self.mischief.touch(data):
                self.at(delay + more, piece)


class Mischief:
    """What a bad day does to one saying of the modem."""

    def __init__(self, chance):
        self._chance = chance
        self._odds = chance.choice((0.05, ODDS, 0.6))

    def touch(self, data):
        """Pieces with the seconds by which each is late."""
        chance = self._chance
        if chance.random() >= self._odds:
            return [(0.0, data)]
        return getattr(self, f"_{chance.choice(KINDS)}")(data)

    def chatter(self):
        """Something that a modem says unasked."""
        line = self._chance.choice(CHATTER).format(a=self._chance.randrange(10), b=self._chance.randrange(2))
        return b"\r\n%s\r\n" % line.encode()

    def _cut(self, data):
        at = self._chance.randrange(len(data))
        return [(0.0, data[:at]), (self._chance.uniform(0, 0.3), data[at:])]

    def _lose(self, data):
        at = self._chance.randrange(len(data))
        return [(0.0, data[:at] + data[at + self._chance.randrange(1, 9) :])]

    def _merge(self, data):
        return [(0.0, data.replace(b"\r\n", b"", self._chance.randrange(1, 4)))]

    def _interleave(self, data):
        parts = re.split(rb"(?<=\n)(?=\r)", data)
        parts.insert(self._chance.randrange(len(parts) + 1), self.chatter())
        return [(0.0, b"".join(parts))]

    def _split(self, data):
        at = self._chance.randrange(len(data))
        return [(0.0, data[:at] + self.chatter() + data[at:])]

    def _binary(self, data):
        at = self._chance.randrange(len(data))
        return [(0.0, data[:at] + self._chance.randbytes(self._chance.randrange(1, 40)) + data[at:])]

    def _damage(self, data):
        return [(0.0, bytes(self._chance.randrange(256) if self._chance.random() < 0.2 else byte for byte in data))]

    def _silence(self, _data):
        return []

    def _delay(self, data):
        return [(self._chance.uniform(0.05, 1.5), data)]

    def _repeat(self, data):
        return [(0.0, data), (self._chance.uniform(0, 0.2), data)]

    def _refuse(self, _data):
        return [(0.0, self._chance.choice((b"\r\nERROR\r\n", b"\r\n+CME ERROR: 100\r\n", b"\r\nNO CARRIER\r\n")))]

    def _agree(self, _data):
        return [(0.0, b"\r\nOK\r\n")]


KINDS = tuple(name[1:] for name, one in vars(Mischief).items() if callable(one) and re.fullmatch(r"_[a-z]+", name))


class Quiet:
    """A carrier that carries nothing."""

    lost, dropped, realigned = False, 0, 0

    def open(self): ...

    def close(self): ...

    def flow(self, go): ...

    def read(self): ...

    def write(self, frame): ...


class Booth:
    """A phone on a simulated wire, opened again whenever it is lost, and a ledger of the calls that are open."""

    def __init__(self, name):
        self.now = Time()
        self._family = fast(name)
        self.wire = SimulatedWire(self._family, self.now)
        self.events, self.open, self.incoming, self.lost = [], 0, False, True
        self.phone = None
        self.tasks = []  # what the person has asked for; done between two turns, as the line's own thread does
        self.sessions = 0

    def post(self, event):
        """One CallEnded for each call, and never one too many."""
        self.events.append(event)
        if isinstance(event, IncomingCall) and not self.incoming:
            self.incoming, self.open = True, self.open + 1
        elif isinstance(event, CallEnded):
            self.incoming, self.open = False, self.open - 1
            assert self.open >= 0, "a call ended twice"

    def start(self):
        """Open the line anew."""
        self.sessions += 1
        self.phone = Phone(self.wire, self._family, LineSound(Quiet()), self.post, now=self.now)
        self.lost = False
        self._guarded(self.phone.connect)

    def dial(self):
        """Place a call; without a line it fails at once, as the line's owner has it."""
        if not self.lost:
            self.open += 1
            self.phone.dial(NUMBER)

    def saw(self, kind):
        """Whether such an event came since the ledger was cleared."""
        return any(isinstance(event, kind) for event in self.events)

    def run(self, seconds, until=None):
        """Let simulated time go by, or until something is true; whether it is."""
        end = self.now.now + seconds
        while self.now.now < end and not self.lost:
            if until and until():
                return True
            self._guarded(self.tasks.pop(0) if self.tasks else self.phone.listen)
        return bool(until and until())

    def _guarded(self, act):
        try:
            act()
        except HardwareError as problem:
            self.phone.lose(problem, 0)
            self.lost = True


def fast(name):
    """A family in a hurry, so that a simulated minute has few turns."""
    family = FAMILIES[name]
    sound = replace(family.sound, again=0.05, tries=min(family.sound.tries, 3), cure="")
    return replace(family, pace=QUICK, sound=sound)


def converse(booth, seed):
    """One conversation and what must hold after it."""
    chance = random.Random(seed)
    mischief = Mischief(chance)
    booth.events.clear()
    if booth.lost:
        booth.start()
    wire = booth.wire
    wire.mischief = mischief
    lasts = chance.choice((0.3, 1.0, 3.0))
    moments = [chance.uniform(0, lasts) for _ in range(3)]
    for _ in range(chance.randrange(1, 8)):  # some at nearly the same moment: that is where the races are
        wire.at(chance.choice(moments) + chance.choice((0.0, 0.003, 0.03, 0.3)), chance.choice(deeds(booth)))
    for _ in range(chance.randrange(4)):
        wire.at(chance.uniform(0, lasts), mischief.chatter())
    if chance.random() < UNPLUGGED:
        wire.at(chance.uniform(0, lasts), wire.unplug)
    booth.run(lasts)
    wire.be_honest()
    booth.tasks.clear()
    if chance.random() < 0.5:
        wire.modem.release()
    settle(booth)


def deeds(booth):
    """What a person or the far end may do, at any moment."""
    phone, modem = booth.phone, booth.wire.modem
    persons = (booth.dial, booth.dial, phone.hang_up, phone.answer, lambda: phone.send_tones("1#"))
    far_end = (modem.ring, modem.ring, modem.release, lambda: modem.become(0), lambda: modem.become(3))
    return (*(lambda act=act: booth.tasks.append(act) for act in persons), *far_end)


def settle(booth):
    """All is honest again: what is open ends, and the next call works."""
    if not booth.run(5.0, lambda: not booth.open):  # whoever talks, or dialled at last, hangs up
        for _ in range(2):  # and once more, if somebody has rung meanwhile
            booth.tasks[:] = [booth.phone.hang_up]
            if booth.run(PATIENCE, lambda: not booth.open):
                break
    assert not booth.open, f"{booth.open} calls never ended: {booth.events[-12:]}"
    for _ in range(TRIES):
        if booth.lost:
            booth.start()
        if good_call(booth):
            return
        booth.run(1.5)
    raise AssertionError(f"no call works any more: {booth.events[-12:]}")


def good_call(booth):
    """Whether a call goes through and ends as it should; False when the line was lost over it, or somebody called in."""
    booth.events.clear()
    booth.tasks[:] = [booth.dial]
    answered = booth.run(PATIENCE, lambda: booth.saw(Answered) or (booth.events and not booth.open))
    if booth.lost or not answered or not booth.saw(Answered):
        return False
    booth.tasks.append(booth.phone.hang_up)
    booth.run(PATIENCE, lambda: not booth.open)
    assert not booth.open, booth.events
    end = booth.events[-1]
    assert end.by is Party.NEAR or end.cause is Cause.FAILED, booth.events
    return end.by is Party.NEAR
