"""Conversations with an analog modem in simulated time: an honest V.253 modem, and mischief on the wire to it.

The rules are those of `conversations`: whatever the wire does, every call that was open ends once, and the next works.
"""

import random
from dataclasses import replace

from hw.analogphone import AnalogPhone
from hw.errors import PortLost
from hw.modems.analog import CONEXANT, Pace
from hw.voicesetup import Setup
from hw.voicesound import VoiceSound
from tests.hw.conversations import LATENCY, UNPLUGGED, Booth, Mischief, SimulatedWire, Time, deeds, settle

BEAT = 0.1  # seconds of sound that the modem sends at a time
SILENT = b"\x80" * 800
SPOKEN = bytes(random.Random(1).choices(range(96, 160), k=800)).replace(b"\x10", b"\x11")
TOUCHED = 0.05  # of the sound on a bad day: it is most of what is said
CALLER = "09012345602"
HASTY = Pace(
    reply=0.4,
    dial=2.0,
    judged=2.0,
    halt=0.6,
    idle=0.5,
    mute=0.6,
    ping=0.3,
    check=0.3,
    on_hook=0.1,
    unheard=3.0,
    seized=3.0,
)
CHATTER = (
    b"\r\nRING\r\n",
    b"\r\nNMBR = 09012345602\r\n",
    b"\r\nNMBR = P\r\n",
    b"\r\nMESG = 0401\r\n",
    b"\r\nNO CARRIER\r\n",
    b"\r\nBUSY\r\n",
    b"\r\nNO DIALTONE\r\n",
    b"\r\nOK\r\n",
    b"\r\nERROR\r\n",
    b"\r\nVCON\r\n",
    b"\r\nCONNECT\r\n",
    b"\r\nRINGING\r\n",
    *(b"\x10" + bytes([code]) for code in b"bdhHlLrRsqJuowP/5~#\x03\x1a\x10"),
    b"\x10\x10b",
    b"\x10",
)
ANSWERS = {
    "ATI0": ("56000",),
    "ATI3": ("CX93001-EIS_V0.2013-V92",),
    "AT+FCLASS=?": ("0,1,8",),
    "AT+VSM=?": ('1,"UNSIGNED PCM",8,0,8000,0,0',),
}


class HonestModem:
    """Does what it is told at once; its far end rings, answers and hangs up as it is asked to."""

    def __init__(self, wire):
        self._wire = wire
        self.taken = self._ringing = False
        self._far = None  # None, "ringing", "talking" or "gone"
        self._stream = 0  # a number for each; 0: none
        self._streams = 0
        self._half = False

    @property
    def streaming(self):
        """Whether it takes codes rather than commands."""
        return bool(self._stream)

    def obey(self, command):
        """The bytes of the answer."""
        if command in {"AT+VTR", "AT+VRX"}:
            return self._begin() if self.taken else b"\r\nERROR\r\n"
        if command.startswith("ATDT") and len(command) > 5:
            self._dial()
        elif command == "AT+VLS=1":
            self._take()
        elif command in {"AT+VLS=0", "ATH", "ATZ"}:
            self.put_down()
        return b"".join(b"\r\n%s\r\n" % line.encode() for line in (*ANSWERS.get(command, ()), "OK"))

    def hear(self, data):
        """Codes in what comes while it streams; what follows the end of the stream is given back."""
        for at, byte in enumerate(data):
            if self._half and byte in b"^!":
                self._half, self._stream = False, 0
                self._wire.reply(b"\x10\x03\r\nOK\r\n")
                return data[at + 1 :]
            self._half = byte == 0x10 and not self._half
        return b""

    def ring(self):
        """Somebody calls in."""
        if not (self.taken or self._ringing):
            self._ringing = True
            self._ring()

    def become(self, state):
        """0: the far end answers, if it rings."""
        if state == 0 and self._far == "ringing":
            self._far = "talking"

    def release(self):
        """The far end hangs up, or gives up calling."""
        self._ringing = False
        if self._far:
            self._far = "gone"
            self._code(b"b")

    def put_down(self):
        """On-hook."""
        self.taken, self._far = False, None

    def carry_on(self):
        """What was planned is forgotten, but rings and sound go on."""
        if self._ringing:
            self._ring()
        if self._stream:
            self._flow(self._stream)
        if self._far == "gone":
            self._code(b"b")

    def _ring(self):
        if self._ringing:
            self._wire.reply(b"\r\nRING\r\n\r\nNMBR = %s\r\n" % CALLER.encode())
            self._wire.at(1.0, self._ring)

    def _take(self):
        self.taken = True
        if self._ringing:
            self._ringing, self._far = False, "talking"

    def _dial(self):
        self.taken, self._ringing, self._far = True, False, "ringing"
        self._wire.at(0.3, lambda: self._code(b"r"))
        self._wire.at(0.5, lambda: self.become(0))

    def _begin(self):
        self._streams += 1
        self._stream, self._half = self._streams, False
        self._wire.at(BEAT, lambda stream=self._stream: self._flow(stream))
        return b"\r\nCONNECT\r\n"

    def _flow(self, stream):
        if stream == self._stream:
            self._wire.flow(SPOKEN if self._far == "talking" else SILENT)
            if self._far == "gone":
                self._code(b"b")
            self._wire.at(BEAT, lambda: self._flow(stream))

    def _code(self, code):
        if self._stream:
            self._wire.reply(b"\x10" + code)


class SoundWire(SimulatedWire):
    """Fulfils `voiceport.Stream` in simulated time."""

    def __init__(self, now, chance):
        super().__init__(None, now)
        self.modem = HonestModem(self)
        self._chance = chance

    def say(self, data):
        """Commands, or codes while it streams."""
        if not self.plugged:
            raise PortLost("gone")
        while data:
            if self.modem.streaming:
                data = self.modem.hear(data)
                continue
            line, cr, data = data.partition(b"\r")
            self._unread += line
            if cr:
                text = bytes(byte for byte in self._unread if 32 <= byte < 127).decode()
                self._unread = b""
                if text:
                    self.reply(self.modem.obey(text if text.startswith("AT") else "AT?"))

    def offer(self, data):
        """Sound for the far end; some days it is not taken."""
        if not self.plugged:
            raise PortLost("gone")
        if self.mischief and self._chance.random() < 0.02:
            return self._chance.randrange(len(data))
        if self.modem.streaming:
            self.modem.hear(data)
        return len(data)

    def reply(self, data):
        """Have bytes said, as the present mischief lets them through."""
        pieces = self.mischief.touch(data) if self.mischief else [(0.0, data)]
        for late, piece in pieces:
            self.at(LATENCY + late, piece)

    def flow(self, data):
        """Have sound said; it is touched seldom, and never late."""
        if self.mischief and self._chance.random() < TOUCHED:
            self.reply(data)
        else:
            self.at(LATENCY, data)


class AnalogMischief(Mischief):
    """What a bad day does to a modem that speaks in codes as well."""

    def chatter(self):
        """Something that a modem says unasked."""
        return self._chance.choice(CHATTER)


class AnalogBooth(Booth):
    """A phone on a simulated analog modem."""

    def __init__(self):
        self.now = Time()
        self.wire = SoundWire(self.now, random.Random(1))
        self.events, self.open, self.incoming, self.lost = [], 0, False, True
        self.phone = None
        self.tasks = []
        self.sessions = 0

    def start(self):
        """Open the line anew."""
        self.sessions += 1
        setup = Setup(replace(CONEXANT, pace=HASTY), "JP", jack=False)
        self.phone = AnalogPhone(setup, self.wire, VoiceSound(), self.post, self.now)
        self.lost = False
        self._guarded(self.phone.connect)


def bad_day(booth, seed):
    """One conversation and what must hold after it."""
    chance = random.Random(seed)
    wire, lasts = booth.wire, chance.choice((0.5, 2.0, 5.0))
    booth.events.clear()
    if booth.lost:
        booth.start()
    wire.mischief = AnalogMischief(chance)
    acts = [chance.choice(deeds(booth)) for _ in range(chance.randrange(1, 8))]
    acts += [lambda: wire.at(0.0, AnalogMischief(chance).chatter())] * chance.randrange(4)
    acts += [wire.unplug] * (chance.random() < UNPLUGGED)
    moment = chance.uniform(0, lasts)
    for act in acts:  # some at nearly the same moment: that is where the races are
        wire.at(chance.choice((moment, chance.uniform(0, lasts))) + chance.choice((0.0, 0.003, 0.03, 0.3)), act)
    booth.run(lasts)
    wire.be_honest()
    booth.tasks.clear()
    if chance.random() < 0.5:
        wire.modem.release()
    settle(booth)
    assert booth.lost or not wire.modem.taken, "the line was not put down"
