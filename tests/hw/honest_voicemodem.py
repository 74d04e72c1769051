"""An honest V.253 modem for each model, in simulated time: it does what it is told, and notes who speaks out of turn.

Much simpler than the emulated modems (`hw.emulated.analog`), and some hundred times cheaper: its sound comes in bursts of
frames, one frame every tenth of a second in between, and a burst takes no time.
"""

import math
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from random import Random

from hw.coding import LINEAR, SIGNED, ULAW, UNSIGNED, Coding
from hw.contracts import FRAME, SILENCE
from hw.dle import shield

INSTANT = 1e-6  # seconds: less is nothing, for sums of floats are never quite equal
LATENCY = 0.004  # seconds of an honest answer
BEAT = 0.1  # seconds between two frames of a stream in which nothing happens
DIALS = 0.15  # seconds that the digits take
AGAIN = 0.6  # seconds between two rings, or two signs that the far end is gone
FLASH = 0.05  # seconds on-hook that an exchange takes for a command, not for the end
GRACE = 0.05  # seconds in which what was meant for a stream may still come after its end
CALLER = "09012345602"
STOPS = {"VTR": b"^", "VRX": b"!\x1b"}
# What the far end does with a call: the first four answer, and what the modem says when it is left to judge of it.
ANSWERING = ("voice", "silence", "ceased", "reversed")
JUDGED = {"busy": "BUSY", "sit": "NO CARRIER", "never": "NO ANSWER"}
PITCHES = {  # ring-back, busy, dial tone
    "JP": ((400,), (400,), (400,)),
    "US": ((440, 480), (480, 620), (350, 440)),
    "EU": ((425,), (425,), (425,)),
}


@dataclass(frozen=True)
class Make:
    """One model as the wire sees it; `formats` are the codings that it speaks, by their numbers in `listed`."""

    about: Mapping[str, tuple[str, ...]]
    listed: tuple[str, ...]
    formats: Mapping[int, Coding]
    fields: int = 2  # of +VSM=
    country: str = "JP"
    word: str = "VCON"  # what a dial ends with in voice mode
    no_tone: str = "NO DIALTONE"
    number: str = "NMBR = "
    parting: str = "bd"  # codes by which it tells that the far end is gone
    stop_dles: int = 1
    dials_on: bool = True  # takes a dial with `;`
    confirms: bool = False  # says DLE H to its own +VLS=1
    records_on: frozenset[str] = frozenset("135")
    rings_in_codes: bool = False


_WIDE = ('128,"8-BIT LINEAR",(7200,8000,11025)', '129,"16-BIT LINEAR",(7200,8000,11025)', '131,"8-BIT ULAW",(8000)')
_CX = ('0,"SIGNED PCM",8,0,8000,0,0', '1,"UNSIGNED PCM",8,0,8000,0,0', '131,"Mu-Law",8,0,8000,0,0')
_WIDE_FORMATS = {128: UNSIGNED, 129: LINEAR, 131: ULAW}
_CX_ABOUT = {"ATI0": ("56000",), "ATI3": ("CX93001-EIS_V0.2013-V92",)}
_CX_NATURE = {"fields": 4, "word": "OK", "parting": "bdhl", "rings_in_codes": True}
MAKES = {
    "usr5637": Make(
        {"ATI0": ("5601",), "ATI3": ("U.S. Robotics 56K FAX USB V1.2.23",), "ATI7": ("Flash Rev   1.2.23",)},
        _WIDE,
        _WIDE_FORMATS,
        country="US",
        no_tone="NO DIAL TONE",
        parting="bdhs",
        confirms=True,
        records_on=frozenset("5"),
    ),
    "conexant": Make(_CX_ABOUT, _CX, {0: SIGNED, 1: UNSIGNED, 131: ULAW}, **_CX_NATURE),
    "zoom3095": Make(_CX_ABOUT, _CX[:2], {0: SIGNED, 1: UNSIGNED}, stop_dles=3, **_CX_NATURE),
    "startech": Make(_CX_ABOUT, _CX[:1], {0: SIGNED}, number="NMBR=", country="EU", **{**_CX_NATURE, "word": "VCON"}),
    "mt9234": Make(
        {"ATI0": ("9234",), "ATI3": ("MT9234ZBA-V1.31",), "AT+GMM": ("MT9234ZBA",)},
        _WIDE,
        _WIDE_FORMATS,
        parting="bdsq",
    ),
    "v253": Make(
        {"ATI0": ("ACME",)},
        ("+VSM: 129,LINEAR,16,0,(8000)",),
        {129: LINEAR},
        country="EU",
        parting="bdl",
        dials_on=False,
    ),
}


@cache
def heard(what: str, country: str, coding: Coding) -> bytes:
    """A burst of sound as the modem sends it."""
    ring, busy, dial = PITCHES[country]
    turn = tone(busy, 25) + SILENCE * 25
    pcm = {
        "quiet": SILENCE,
        "silence": SILENCE * 20,
        "voice": speech(13),
        "talk": speech(1),
        "ring": tone(ring, 40),
        "ceased": tone(ring, 40) + SILENCE * (130 if country == "JP" else 245),
        "busy": turn * 3 + turn[: 30 * FRAME],
        "dial": tone(dial, 140),
        "sit": b"".join(tone((hertz,), 17) for hertz in (950, 1400, 1800)) + SILENCE * 10,
    }[what]
    return shield(coding.encode(pcm))


@cache
def tone(pitches: tuple[int, ...], frames: int) -> bytes:
    """s16le; pitches are multiples of 5 Hz, so that ten frames hold whole turns of all."""
    waves = ([int(5000 * math.sin(math.tau * hertz * n / 8000)) for n in range(1600)] for hertz in pitches)
    ten = array("h", map(sum, zip(*waves, strict=True))).tobytes()
    return (ten * (frames // 10 + 1))[: frames * FRAME]


def speech(frames: int) -> bytes:
    """Something that is none of an exchange's tones."""
    return array("h", Random(1).choices(range(-7000, 7000), k=frames * FRAME // 2)).tobytes()


@dataclass
class World:
    """What the modem is told by its circumstances."""

    chance: Random
    duplex: bool = True
    tone: bool = True  # the exchange gives a dial tone
    deaf: bool = False  # +VLS=1 says OK and takes nothing
    fate: str = "voice"  # of the next call
    late: float = 0.0  # seconds between the modem's own end of a stream and its OK
    linger: float = 0.0  # seconds that it needs to end a stream that the host has ended


@dataclass
class HonestVoiceModem:
    """One modem on a `wire` that has reply(data), flow(data) and at(delay, action)."""

    make: Make
    wire: object
    now: object
    world: World
    off_hook: bool = False
    ringing: bool = False
    stream: str = ""  # VTR, VRX or none
    dialling: bool = False  # and any character breaks it off
    far: str = ""  # "", ringing, talking or gone
    took: bool = False  # the line was taken while somebody called in
    dialled: str = ""
    keyed: str = ""
    sins: list[str] = field(default_factory=list)  # what the host said out of turn
    _typed: bytes = b""
    _waiting: list[str] = field(default_factory=list)
    _echo: bool = True
    _voice: bool = False
    _label: str = "0"
    coding: Coding | None = None
    refused: bool = False  # the coding that was last asked for
    _calls: int = 0
    _streams: int = 0
    _half: bool = False
    _literal: bool = False
    _answers_at: float = 0.0
    _ended_at: float = 0.0
    _told_at: float = 0.0
    _down_at: float = 0.0

    # What the host says

    def hear(self, data):
        """Bytes from the host: commands, or sound with codes."""
        while data:
            if self.stream:
                data = self._hear_sound(data)
                continue
            line, cr, data = data.partition(b"\r")
            if max(line, default=0) > 0x7E and not 0.0 <= self.now() - self._ended_at <= GRACE:
                self.sins.append("sound into commands")
            self._typed += line
            if cr or self.dialling:
                line, self._typed = self._typed, b""
                self._command(bytes(byte for byte in line if 32 <= byte < 127).decode())

    def _hear_sound(self, data):
        """What follows the end of the stream is given back."""
        if not self._half and b"\x10" not in data:
            if self.stream == "VRX":
                self.sins.append("sound into a record")
            self._literal = False
            return b""
        for at, byte in enumerate(data):
            if not self._half:
                self._half = byte == 0x10
                self._literal = self._literal and self._half
                continue
            self._half = False
            if byte in STOPS[self.stream] and (self._literal or self.make.stop_dles == 1):
                self.stop(linger=self.world.linger)
                return data[at + 1 :]
            self._literal = byte == 0x10
        return b""

    def stop(self, late=0.0, linger=0.0):
        """The stream ends, told after it `linger`ed; its OK may be `late`."""
        if self.stream:
            self.stream, self._ended_at = "", self.now() + linger
            self.wire.at(linger, lambda: self.wire.reply(b"\x10\x03"))
            self._answers_at = self.now() + linger + late + LATENCY / 2  # half: sums of floats are not equal
            self.wire.at(linger + late, lambda: self.wire.reply(b"\r\nOK\r\n"))

    def _command(self, text):
        if self.dialling:
            self._broken_off(text)
            return
        begin = text.find("AT")
        early = self._answers_at - self.now() > INSTANT
        if text and (self._waiting or early):
            self.sins.append(f"{text} before an answer")
            if not self._waiting:
                self.wire.at(max(INSTANT, self._answers_at - self.now()), self._next)
            self._waiting.append(text)
            return
        if begin and text and self.now() - self._ended_at > GRACE:
            self.sins.append(f"junk: {text}")
        if begin < 0:
            return
        if self._echo:
            self.wire.reply(text[begin:].encode() + b"\r")
        answer = self.obey(text[begin:])
        self._answers_at = self.now() + LATENCY
        self.wire.reply(b"".join(b"\r\n%s\r\n" % line.encode() for line in answer))

    def _next(self):
        """What was said before its time has its turn."""
        waiting, self._waiting = self._waiting, []
        for text in () if self.stream else waiting:
            self._command(text)

    def _broken_off(self, text):
        """V.250: any character ends a dial."""
        if text:
            self.sins.append(f"{text} into a dial")
        self.put_down()
        self.wire.reply(b"\r\nNO CARRIER\r\n")

    def obey(self, command):
        """The lines of the answer; none while it dials."""
        name, _, value = command.removeprefix("AT").partition("=")
        if command.startswith("ATD"):
            return self._dial(command[4:])
        if command in {"AT+VTR", "AT+VRX"}:
            return ["CONNECT"] if self._begin(command[3:]) else ["ERROR"]
        if name in {"+VSM", "+VLS", "+VTS"} and value != "?":
            return ["OK"] if getattr(self, f"_{name[1:].lower()}")(value) else ["ERROR"]
        if command == "ATZ":
            self._echo, self._voice = True, False
        if command == "ATE0":
            self._echo = False
        if name == "+FCLASS" and value in {"0", "8"}:
            self._voice = value == "8"
        if command in {"ATZ", "ATH", "AT+FCLASS=0"}:
            self.put_down()
        lists = {"AT+FCLASS=?": ("0,1,2.0,8",), "AT+VSM=?": self.make.listed}
        known = re.fullmatch(r"AT([EVXMIHZ]\d?|[+-](FCLASS|V[A-Z]{2,3}|GCI|GMI|GMM|STE|SCID)(=.*)?)?", command)
        return [*(lists | dict(self.make.about)).get(command, ()), "OK"] if known else ["ERROR"]

    def _vsm(self, value):
        fields = value.split(",")
        self.refused = True
        if not fields[0].isdigit() or len(fields) > self.make.fields or int(fields[0]) not in self.make.formats:
            return False
        self.refused = False
        self.coding = self.make.formats[int(fields[0])]
        return self._voice

    def _vls(self, value):
        if not (self._voice and value in {"0", "1", "3", "5"}):
            return False
        self._label = value
        if value == "0":
            self.put_down()
        elif not self.world.deaf:
            self._take_up()
            if self.make.confirms:
                self.wire.at(LATENCY, lambda: self.wire.reply(b"\x10H"))
        return True

    def _vts(self, value):
        keys = {"[697,1209,10]": "1", "[941,1477,10]": "#"}
        self.keyed += keys.get(value, value)
        return self.off_hook

    # The line

    def put_down(self):
        """On-hook, whatever it did."""
        if self.off_hook:
            self._down_at = self.now()
        self.off_hook = self.dialling = False
        self.far, self._label, self.took = "", "0", False
        self._calls += 1

    def _take_up(self):
        """Off-hook; whoever calls in just then is there."""
        if not self.off_hook and self.now() - self._down_at < FLASH:
            self.sins.append("a flash")
        self.off_hook = True
        if self.ringing:
            self.ringing, self.took, self.far = False, True, "talking"

    def _dial(self, text):
        number, again = text.rstrip(";"), text.endswith(";")
        if number and again and not self.make.dials_on:
            return ["ERROR"]
        self._calls += 1
        self.dialling = True
        self._take_up()
        self._in_call(DIALS if number else LATENCY, lambda: self._sent(number, judges=not again))
        return []

    def _sent(self, number, *, judges):
        if not self.world.tone:
            self._final(self.make.no_tone)
            self.put_down()
            return
        if number and not self.far:
            self.dialled, self.far = number, "ringing"
            if not judges:
                self._in_call(0.03, self._ring_back)
            self._in_call(0.08, self._becomes)
        if judges:
            self.wire.reply(b"\r\nRINGING\r\n")
            # Digits into a line that the far end has left change nothing: what is heard is busy.
            fate = "busy" if self.far == "gone" else self.world.fate
            self._in_call(0.3, lambda: self._judge(fate))
        else:
            self._final("OK")

    def _judge(self, fate):
        self._final(JUDGED.get(fate, self.make.word))
        if fate in JUDGED:
            self.put_down()

    def _final(self, word):
        self.dialling, self._answers_at = False, self.now() + LATENCY
        self.wire.reply(b"\r\n%s\r\n" % word.encode())

    def _in_call(self, delay, action):
        call = self._calls
        self.wire.at(delay, lambda: self._calls == call and action())

    def _ring_back(self):
        if self.world.fate in {"ceased", "silence", "busy", "sit"}:
            return
        if self.make.rings_in_codes:
            self.code("r")
        else:
            self.sound("ring")

    def _becomes(self):
        """The call meets its fate."""
        fate = self.world.fate
        if fate in ANSWERING:
            self.far = "talking"
        if fate == "reversed":
            self.code("L")
        elif fate != "never":
            self.sound(fate)

    def ring(self):
        """Somebody calls in."""
        if not (self.off_hook or self.ringing):
            self.ringing = True
            self._ring()

    def _ring(self):
        if not self.ringing:
            return
        if self._voice and self.make.rings_in_codes:
            self.wire.reply(b"\x10R")
        else:
            self.wire.reply(b"\r\nRING\r\n")
        if not self.stream:
            self.wire.reply(b"\r\n%s%s\r\n" % (self.make.number.encode(), CALLER.encode()))
        self.wire.at(AGAIN, self._ring)

    def release(self):
        """The far end hangs up, or gives up calling."""
        self.ringing = False
        if self.far:
            self.far = "gone"
            self._part()

    def _part(self):
        """Tell by one of its ways that the far end is gone."""
        self._told_at = self.now()
        chance = self.world.chance
        way = chance.random()
        if way < 0.2:
            self.sound("busy")
        elif way < 0.25:
            self.sound("dial")
        elif way < 0.5:
            self.stop(self.world.late)
        else:
            self.code(chance.choice(self.make.parting))

    # The stream

    def _begin(self, kind):
        takes = self.world.duplex if kind == "VTR" else self._label in self.make.records_on
        if not (self._voice and self.off_hook and self.coding and takes):
            return False
        self._streams += 1
        self.stream, self._half, self._literal = kind, False, False
        self._plan_flow()
        return True

    def _plan_flow(self):
        stream = self._streams
        self.wire.at(BEAT, lambda: self.stream and self._streams == stream and self._flow())

    def _flow(self):
        self.sound("talk" if self.far == "talking" and self._streams % 4 == 0 else "quiet")
        if self.far == "gone" and self.now() - self._told_at >= AGAIN:
            self._part()
        self._plan_flow()

    def sound(self, what):
        """Somebody or something is heard on the line."""
        if self.stream:
            self.wire.flow(heard(what, self.make.country, self.coding))

    def code(self, letters):
        """One code, or several."""
        if self.stream:
            for letter in letters:
                self.wire.reply(b"\x10" + letter.encode())

    # Bad days

    def restart(self):
        """Its supply failed for a moment; nobody is told."""
        self.put_down()
        self.stream, self._typed, self._echo, self._voice = "", b"", True, False

    def freeze(self):
        """A stream goes on, and nothing comes."""
        self._streams += 1

    def say_no_more(self):
        """What was planned for this call does not come."""
        self._calls += 1

    def carry_on(self):
        """What was planned is forgotten, but rings and sound go on; a dial came to nothing."""
        self._answers_at = self.now()
        self._waiting.clear()
        if self.dialling:
            self.put_down()
        self.say_no_more()
        if self.ringing:
            self._ring()
        if self.stream:
            self._plan_flow()
