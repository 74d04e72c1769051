"""Conversations with an analog modem in simulated time: an honest V.253 modem of each model, and mischief on its wire.

The rules are those of `conversations`: whatever the wire, the modem and the people do on a bad day, only HardwareError
comes out, every call that was open ends once, and the next one works. Days come in weeks: one booth, one modem, one
seed, so that a day that went wrong can be lived through again.
"""

import re
from dataclasses import replace
from random import Random

from hw.analogphone import AnalogPhone
from hw.coding import UNSIGNED
from hw.contracts import FRAME
from hw.errors import PortLost
from hw.events import Answered, AudioFailed, CallEnded, IncomingCall, LineLost, Party
from hw.modems.analog import MODELS, RING_GAPS, Pace
from hw.voicesetup import Setup
from hw.voicesound import VoiceSound
from tests.hw.conversations import NUMBER, UNPLUGGED, Booth, Mischief, SimulatedWire, Time
from tests.hw.honest_voicemodem import ANSWERING, JUDGED, LATENCY, MAKES, HonestVoiceModem, World

DAYS = 10  # of a week
TOUCHED = 0.05  # of the sound on a bad day
SLIPS = 0.02  # of what we say on a bad day loses bytes on its way
SHORT = 0.1  # of the sound that we offer is not taken whole, on any day
CUT = 0.1  # of what the modem says comes in two pieces, on any day
AWAY = 0.5  # seconds until a lost line is opened again
REST = 3.5  # seconds after which nothing of a bad day is left
PATIENCE = 60.0  # seconds in which everything open must end
PROMPT = 3.0  # seconds from an honest dial to its answer
END = 0.4  # seconds from putting down, or from the far end's, to the end of the call
THRICE = 0.5  # more where the first end of a stream is not understood
TRIES = 3  # calls after a bad day, of which one must go through: the line may be lost over the first
WORDS = 5  # frames that the person says at a time
HASTY = Pace(
    reply=0.4,
    dial=1.0,
    judged=1.2,
    halt=1.0,
    idle=0.7,
    mute=0.6,
    ping=0.3,
    check=0.3,
    voice=0.3,
    on_hook=0.1,
    unheard=0.3,
    seized=3.0,
)
RESULTS = (
    b"OK",
    b"VCON",
    b"ERROR",
    b"CONNECT",
    b"CONNECT 9600",
    b"NO CARRIER",
    b"BUSY",
    b"NO ANSWER",
    b"NO DIALTONE",
    b"NO DIAL TONE",
    b"VOICE",
    b"+CME ERROR: 100",
)
NEWS = (
    b"RING",
    b"RINGING",
    b"RING A",
    b"NMBR = 09012345602",
    b"NMBR = P",
    b"DATE=1126",
    b"MESG = 0401",
    b"MESG = 80",
    b"CIDS=1",
    b"DRON=10",
    b"56000",
)
CODES = tuple(b"\x10" + bytes([code]) for code in b"0#A/~abcdhHilLJKmoOpPqQrRsSTuvVwXY\x03\x10\x1a\x11\xff")
CHATTER = (
    *(b"\r\n%s\r\n" % line for line in RESULTS + NEWS),
    *CODES,
    b"\x10\x03\r\nOK\r\n",
    b"\x10\x10b",
    b"\x10",
    b"\x10/\x105\x105\x10~",
)


class VoiceMischief(Mischief):
    """What a bad day does to one saying of a modem that speaks in codes as well."""

    def touch(self, data):
        """Pieces with the seconds by which each is late."""
        chance = self._chance
        if chance.random() >= self._odds:
            return [(0.0, data)]
        return getattr(self, f"_{chance.choice(KINDS)}")(data)

    def chatter(self):
        """Something that a modem says unasked."""
        return self._chance.choice(CHATTER)

    def _wrong(self, _data):
        return [(0.0, b"\r\n%s\r\n" % self._chance.choice(RESULTS))]

    def _stale(self, data):
        return [(0.0, b"\r\nOK\r\n"), (0.0, data)]

    def _end(self, data):
        return [(0.0, data), (self._chance.uniform(0, 0.1), b"\x10\x03")]


KINDS = tuple(
    name[1:]
    for kind in (Mischief, VoiceMischief)
    for name, one in vars(kind).items()
    if callable(one) and re.fullmatch(r"_[a-z]+", name)
)


class VoiceWire(SimulatedWire):
    """Fulfils `voiceport.Stream` in simulated time."""

    def __init__(self, make, now, world):
        super().__init__(None, now)
        self._chance = world.chance
        self.modem = HonestVoiceModem(make, self, now, world)

    def say(self, data):
        if not self.plugged:
            raise PortLost("gone")
        if self.mischief and self._chance.random() < SLIPS:
            at = self._chance.randrange(len(data))
            data = data[:at] + data[at + self._chance.randrange(1, 5) :]
        self.modem.hear(data)

    def offer(self, data):
        if not self.plugged:
            raise PortLost("gone")
        if self._chance.random() < SHORT:
            data = data[: self._chance.randrange(len(data))]
        self.modem.hear(data)
        return len(data)

    def reply(self, data):
        """Have bytes said, as the present mischief lets them through."""
        if not data:
            return
        for late, piece in self.mischief.touch(data) if self.mischief else [(0.0, data)]:
            self._cut(LATENCY + late, piece)

    def flow(self, data):
        """Have sound said, which is touched more seldom: there is so much of it."""
        if self.mischief and self._chance.random() < TOUCHED:
            self.reply(data)
        else:
            self._cut(LATENCY, data)

    def _cut(self, delay, data):
        at = self._chance.randrange(len(data)) if data and self._chance.random() < CUT else 0
        if at:
            self.at(delay, data[:at])
        self.at(delay, data[at:])


class VoiceBooth(Booth):
    """A phone on a simulated analog modem, for a week that its seed tells all of."""

    def __init__(self, name, seed):
        self.chance = chance = Random(seed)
        self.now = Time()
        self.name, self.make = name, MAKES[name]
        self.world = World(chance, duplex=chance.random() < 0.85)
        self.jack = chance.random() < 0.2
        self.wire = VoiceWire(self.make, self.now, self.world)
        self.events, self.open, self.incoming, self.lost = [], 0, False, True
        self.answered = self.good = False
        self.phone = self.sound = None
        self.tasks = []
        self.sessions = 0

    def post(self, event):
        """Of each call at most one answer, and then one end."""
        super().post(event)
        if isinstance(event, Answered):
            assert self.open > self.answered, "answered without a call, or twice"
        if isinstance(event, Answered | CallEnded):
            self.answered = isinstance(event, Answered)

    def start(self):
        """Open the line anew."""
        self.sessions += 1
        self.sound = VoiceSound()
        setup = Setup(replace(MODELS[self.name], pace=HASTY), self.make.country, jack=self.jack)
        self.phone = AnalogPhone(setup, self.wire, self.sound, self.post, self.now)
        self.lost = False
        self._guarded(self.phone.connect)

    def leave(self):
        """Close the line in good order."""
        if not self.lost:
            self.phone.leave()
            self.lost = True
            assert not self.open, f"closing left a call open: {self.events[-12:]}"

    def live(self, seconds):
        """Let time go by; a lost line is opened again, as its owner does."""
        end = self.now.now + seconds
        while self.now.now < end:
            if self.lost:
                self.now.now += AWAY
                self.start()
            self.run(end - self.now.now)

    def hang_up(self):
        """With whatever phone there now is."""
        self.phone.hang_up()

    def answer(self):
        """The same."""
        self.phone.answer()

    def press(self):
        """Two keys."""
        self.phone.send_tones("1#")

    def speak(self):
        """Some frames for the far end, full of what must be shielded."""
        coding = self.wire.modem.coding or UNSIGNED
        for _ in range(WORDS):
            self.sound.write(coding.decode(b"\x10" * (FRAME // 2 * coding.width)))

    def hush(self):
        """Whether no sound is left of a call that is over."""
        return self.sound.read() is None


def week(name, seed):
    """One booth's life; how many sessions it took."""
    booth = VoiceBooth(name, seed)
    for _ in range(DAYS):
        bad_day(booth)
    return booth.sessions


def bad_day(booth):
    """One conversation and what must hold after it."""
    chance, wire, world = booth.chance, booth.wire, booth.world
    booth.events.clear()
    if booth.lost:
        booth.start()
    opening(booth)
    wire.mischief = mischief = VoiceMischief(chance)
    lasts = chance.choice((0.3, 0.8, 2.0))
    world.fate, world.late = chance.choice((*ANSWERING, *JUDGED)), chance.choice((0.0, 0.05, 0.5, 2.0))
    world.deaf, world.tone = chance.random() < 0.05, chance.random() > 0.03
    moments = [chance.uniform(0, lasts) for _ in range(3)]
    acts = [chance.choice(deeds(booth)) for _ in range(chance.randrange(1, 8))]
    acts += [lambda: wire.at(0.0, mischief.chatter())] * chance.randrange(4)
    for act in acts:  # some at nearly the same moment: that is where the races are
        wire.at(chance.choice(moments) + chance.choice((0.0, 0.003, 0.03, 0.3)), act)
    if chance.random() < UNPLUGGED:
        wire.at(chance.uniform(0, lasts), wire.unplug)
    booth.live(lasts)
    wire.be_honest()
    booth.tasks.clear()
    world.deaf, world.tone, world.late = False, True, chance.choice((0.0, 0.05, 0.3))
    settle(booth)


def opening(booth):
    """How the day begins: at rest, with a dial just made, or in the middle of a talk, which either side began."""
    chance, modem = booth.chance, booth.wire.modem
    way = chance.random()
    if way < 0.4 or not booth.good:
        return
    if way < 0.8:
        booth.tasks.append(booth.dial)
        if way < 0.6:
            return
    else:
        modem.ring()
        assert booth.run(PROMPT, lambda: booth.saw(IncomingCall)), "nobody hears the bell"
        if way < 0.82:
            modem.release()
            assert booth.run(RING_GAPS[booth.make.country] + 1.0, lambda: not booth.open), "it rings on"
            return
        booth.tasks.append(booth.answer)
    assert booth.run(PROMPT, lambda: booth.answered), f"not answered: {booth.events}"
    assert booth.events[-1].estimated == (way < 0.8)
    if chance.random() < 0.05:
        modem.freeze()
        booth.run(HASTY.mute + END)
        assert booth.lost, "a stream that stopped is not missed"
        assert not booth.open, booth.events
        booth.start()


def deeds(booth):
    """What a person, the far end or the modem may do, at any moment."""
    modem = booth.wire.modem
    persons = (
        *(booth.dial,) * 3,
        *(booth.hang_up,) * 3,
        *(booth.answer,) * 2,
        booth.press,
        booth.speak,
        booth.leave,
    )
    others = (
        *(modem.ring,) * 3,
        *(modem.release,) * 2,
        lambda: modem.sound("voice"),
        lambda: modem.sound("busy"),
        lambda: modem.code("/55~"),
        lambda: modem.code(booth.chance.choice("wquRrLH")),
        lambda: modem.stop(booth.world.late),
        modem.freeze,
        modem.restart,
    )
    return (*(lambda act=act: booth.tasks.append(act) for act in persons), *others)


def settle(booth):
    """All is honest again: what is open ends, and the next call works."""
    chance, modem = booth.chance, booth.wire.modem
    if chance.random() < 0.5:
        modem.release()
    booth.run(chance.choice((0.0, 1.0)), lambda: not booth.open)
    for _ in range(TRIES):  # whoever talks, or dialled at last, hangs up; and somebody may just be calling
        if booth.open:
            booth.tasks[:] = [booth.hang_up]
            booth.run(PATIENCE / TRIES, lambda: not booth.open)
    assert not booth.open, f"{booth.open} calls never ended: {booth.events[-12:]}"
    assert booth.hush(), "sound is left of a call that is over"
    rested = chance.random() < 0.5
    for _ in range(TRIES):
        if rested:
            sessions = booth.sessions
            booth.live(REST)
            assert booth.sessions > sessions or booth.lost or booth.open or at_rest(modem), "left off-hook at rest"
        strict = rested and not (booth.lost or booth.open)
        if booth.lost:
            booth.start()
        if good_call(booth, strict=strict):
            booth.good = True
            return
        booth.tasks[:] = [booth.hang_up]
        booth.run(PATIENCE, lambda: not booth.open)
        rested = True
        assert booth.lost or not booth.open, booth.events
    raise AssertionError(f"no call works any more: {booth.events[-12:]}")


def good_call(booth, *, strict):
    """Whether a call goes through and ends as it should; False when the line was lost over it, or somebody called in.

    When it is `strict`, nothing may be said out of turn, and no time be lost.
    """
    chance, modem, world = booth.chance, booth.wire.modem, booth.world
    world.fate = chance.choice(("voice", "voice", "ceased", *("silence",) * 7))  # the cheapest most often
    world.linger = chance.choice((0.0, 0.0, 0.1))
    booth.events.clear()
    modem.sins.clear()
    if chance.random() < 0.1 and not broken_off(booth, strict=strict):
        return False
    if not talk(booth, strict=strict):
        return False
    if chance.random() < 0.2:
        key(booth)
    if chance.random() < 0.1 and not (left(booth, strict=strict) and talk(booth, strict=strict)):
        return False
    if chance.random() < 0.2:
        booth.tasks.append(booth.speak)
        booth.run(chance.uniform(0, 0.1))
    if not put_down(booth, strict=strict):
        return False
    assert not (strict and modem.sins), f"said out of turn: {modem.sins}"
    return True


def talk(booth, *, strict):
    """Somebody answers."""
    modem, began = booth.wire.modem, booth.now()
    booth.events.clear()
    modem.dialled = ""
    booth.tasks.append(booth.dial)
    booth.run(PATIENCE, lambda: booth.saw(Answered) or (booth.events and not booth.open))
    if booth.lost or not booth.saw(Answered) or booth.saw(IncomingCall) or booth.saw(AudioFailed):
        return False
    if modem.took or modem.refused:  # the caller was there first; or sound is to be asked for anew
        return False
    # A list of codings that was damaged on a bad day may have misnamed one: then a ring-back sounds like somebody.
    known = booth.sound._coding is modem.coding
    assert modem.dialled == NUMBER, "answered without a dial"
    assert modem.far == "talking" or not known, "answered without an answer"
    assert modem.stream == ("VTR" if booth.world.duplex and not booth.jack else "VRX"), modem.stream
    assert not strict or booth.now() - began < PROMPT, f"{booth.now() - began:.1f} s to an honest answer"
    return True


def broken_off(booth, *, strict):
    """The person thinks better of it, at any moment."""
    modem = booth.wire.modem
    modem.dialled = ""
    booth.tasks.append(booth.dial)
    booth.run(booth.chance.uniform(0, 0.3))
    rung = modem.dialled or modem.dialling
    if booth.saw(IncomingCall) or not put_down(booth, strict=strict):
        return False
    assert rung or not modem.dialled, "dialled after it was put down"
    return True


def left(booth, *, strict):
    """The far end hangs up."""
    began, modem = booth.now(), booth.wire.modem
    # A list of codings that was damaged on a bad day may have misnamed one: then tones are not known as such.
    strict = strict and booth.sound._coding is modem.coding
    modem.release()
    booth.run(PATIENCE, lambda: not booth.open)
    assert isinstance(booth.events[-1], CallEnded), booth.events
    assert booth.events[-1].by is Party.FAR, booth.events
    assert not strict or booth.now() - began < END, f"{booth.now() - began:.1f} s until the far end is missed"
    return True


def put_down(booth, *, strict):
    """The person hangs up; False when the line was lost over it."""
    began = booth.now()
    booth.tasks.append(booth.hang_up)
    booth.run(PATIENCE, lambda: not booth.open)
    assert not booth.open, booth.events
    if booth.saw(LineLost):
        return False
    assert booth.events[-1].by is Party.NEAR, booth.events
    if not strict:  # the call before this one may not be quite over
        booth.run(REST, lambda: at_rest(booth.wire.modem))
    assert booth.lost or at_rest(booth.wire.modem), "hung up, and the line is still taken"
    limit = END + (THRICE if booth.make.stop_dles > 1 else 0.0)
    assert not strict or booth.now() - began < limit, f"{booth.now() - began:.1f} s to hang up"
    return True


def at_rest(modem):
    """Whether the line is put down and nothing flows."""
    return not (modem.off_hook or modem.stream)


def key(booth):
    """Tones into the talk: by commands where we only listen, else as sound."""
    modem = booth.wire.modem
    modem.keyed = ""
    booth.tasks.append(booth.press)
    duplex = modem.stream == "VTR"
    booth.run(0.3 if duplex else PROMPT, lambda: modem.keyed == "1#" and modem.stream)
    assert duplex or modem.keyed == "1#", f"keyed {modem.keyed}"
    assert len(booth.sound.read() or bytes(FRAME)) == FRAME
