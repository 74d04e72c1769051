"""V.253 voice modems for an analog line, one row of data per model, and the choices that their answers leave.

No two makers agree: on how a coding is set, on which codes end a call, on how silence detection is turned off. What the
rows say comes from callattendant, CallAttendantNext and mgetty's voice drivers and from the makers' manuals
(Conexant 100498, Multi-Tech S000434, USRobotics' support pages); none of it has been tried by us on the hardware.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from hw.coding import LINEAR, SIGNED, ULAW, UNSIGNED, Coding

PREFERRED = (ULAW, UNSIGNED, SIGNED, LINEAR)  # by how they sound; 16 bits only where nothing else is, for its speed
# Makers' own lists: number, name, then the bits (USR leaves them to the name) and what the rest may be.
CODING_ROW = re.compile(r'(?:\+VSM:\s*)?(\d+)\s*,\s*(?:"([^"]*)"|([^",]*))(?:\s*,\s*(\d+)\s*(?=,|$))?(.*)')
NAMES: tuple[tuple[str, str, Coding | None], ...] = (  # the first that fits: what is in the name, and how many bits
    (r"ADPCM", "", None),
    (r"[U\xb5] ?LAW|G\.?711 ?U", "", ULAW),
    (r"LAW|711", "", None),  # A-law: none of these has it without the other
    (r"UNSIGNED", "16", None),
    (r"UNSIGNED", "8", UNSIGNED),
    (r"SIGNED", "8", SIGNED),
    (r"PCM|LINEAR", "8", UNSIGNED),
    (r"PCM|LINEAR|SIGNED", "16", LINEAR),
)
RATES = re.compile(r"\(([\d,\s-]*)\)")
ETX = "\x03"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait, in seconds."""

    reply: float = 3.0
    dial: float = 40.0  # a dial tone may be slow to come, and digits take time
    judged: float = 90.0  # the same where the modem itself waits for an answer
    halt: float = 3.0
    idle: float = 10.0  # of silence before the modem is asked whether it lives
    mute: float = 3.0  # a stream that has stopped for so long is dead
    ping: float = 1.5
    check: float = 15.0  # between two looks for a dial tone that was missing
    voice: float = 60.0  # the same for voice: one answer lost on the way must not make the modem mute for good
    on_hook: float = 1.2  # between two calls; less is a flash, which some exchanges take for a command
    unheard: float = 15.0  # of nothing at all after a dial: V.253 takes it for an answer (+VRN), and so do we
    seized: float = 6.0  # in which a ring after our answer tells that the line was not taken


@dataclass(frozen=True, slots=True)
class AnalogModel:
    """What one model wants; `{id}`, `{number}` and `{digit}` are filled in."""

    name: str
    title: str
    answers: str  # a pattern for what it says of itself
    ends: frozenset[str]  # codes that tell the end of a call; H and h mean what each maker wants
    coding: str = "AT+VSM={id},8000"
    usual: tuple[int, Coding] | None = None  # when it lists none
    greeting: tuple[str, ...] = ("AT+VCID=1",)
    settings: tuple[str, ...] = ("AT+VIT=0", "AT+VGT=128", "AT+VGR=128", "AT+VSD=128,0")
    talk: tuple[str, ...] = ("AT+VLS=1",)
    listen: tuple[str, ...] = ("AT+VLS=3",)  # our own modem's jack and the modem on the line, for its record
    dials: tuple[str, ...] = ("ATDT{number};", "ATDT{number}")
    tone: str = "AT+VTS={digit}"
    firmware: tuple[int, ...] = ()  # the oldest that works
    pace: Pace = field(default_factory=Pace)


USR = AnalogModel(
    name="usr5637",
    title="USRobotics 5637",
    answers=r"\b5601\b|U\.?S\.? ?Robotics|USR?5637",
    # H comes after our own VLS=1: it is no end.
    ends=frozenset({ETX, "h", "b", "d", "s"}),
    usual=(128, UNSIGNED),
    # Newer firmware records nothing on any other. It has no jack of its own: the telephone shares the line by a splitter.
    listen=("AT+VLS=5",),
    tone="AT+VTS=[{low},{high},10]",
    firmware=(1, 2, 23),  # older ones do not take the line on VLS=1
)
CONEXANT = AnalogModel(
    name="conexant",
    title="Conexant CX930xx",
    answers=r"\b56000\b|CX930|Conexant",
    ends=frozenset({ETX, "H", "h", "l", "b", "d"}),
    coding="AT+VSM={id},8000,0,0",
    usual=(1, UNSIGNED),
    greeting=("AT-SCID=1", "AT+VCID=1", "AT-STE=3"),
    settings=("AT+VIT=0", "AT+VGT=128", "AT+VGR=0", "AT+VSD=0,0"),  # VGR: 0 is automatic, and there is nothing else
)
ZOOM = AnalogModel(
    name="zoom3095",
    title="Zoom 3095",
    answers=r"Zoom|3095",
    ends=CONEXANT.ends,
    coding=CONEXANT.coding,
    usual=CONEXANT.usual,
    greeting=CONEXANT.greeting,
    settings=CONEXANT.settings,
)
STARTECH = AnalogModel(
    name="startech",
    title="StarTech USB56KEMH2",
    answers=r"StarTech|USB56K",
    ends=CONEXANT.ends,
    coding=CONEXANT.coding,
    usual=CONEXANT.usual,
    greeting=CONEXANT.greeting,
    settings=CONEXANT.settings,
)
MULTITECH = AnalogModel(
    name="mt9234",
    title="Multi-Tech MT9234",
    answers=r"MT(9234|5600|\d{4}Z)|Multi-?Tech",
    ends=frozenset({ETX, "H", "b", "d", "s", "q"}),
    usual=(128, UNSIGNED),
)
GENERIC = AnalogModel(
    name="v253",
    title="V.253 modem",
    answers=r"(?!)",
    ends=frozenset({ETX, "b", "d", "l"}),  # only what all agree on
)
MODELS = {model.name: model for model in (USR, ZOOM, STARTECH, MULTITECH, CONEXANT, GENERIC)}

# ITU-T T.35 country codes for +GCI; Europe has one per country, so its modems are left as they are.
COUNTRY_CODES = {"JP": "00", "US": "B5"}
RING_GAPS = {"JP": 5.0, "US": 8.0, "EU": 7.0}  # seconds: the longest between two rings of one call, and some
ABROAD = {"JP": ("+81", "0", "010"), "US": ("+1", "1", "011"), "EU": ("", "", "00")}


def identified(answers: Iterable[str]) -> AnalogModel:
    """The row for a modem that says this of itself; the generic one when nobody knows it.

    >>> identified(["56000"]).name, identified(["5601"]).name, identified(["ACME"]).name
    ('conexant', 'usr5637', 'v253')
    """
    said = "\n".join(answers)
    return next((model for model in MODELS.values() if re.search(model.answers, said, re.IGNORECASE)), GENERIC)


def codings(rows: Iterable[str], model: AnalogModel) -> list[tuple[int, Coding]]:
    """What to try with +VSM, best first, from the list that the modem gave (makers number them as they like).

    >>> [(n, coding.name) for n, coding in codings(['128,"8-BIT LINEAR",8,0,(8000)', '4,"G.711 ULAW",8,0,(8000)'], USR)]
    [(4, 'mu-law'), (128, '8-bit unsigned')]
    """
    offered = [(int(row[1]), coding) for text in rows if (row := CODING_ROW.match(text)) and (coding := _coding(row))]
    offered.sort(key=lambda one: PREFERRED.index(one[1]))
    return offered or ([model.usual] if model.usual else [])


def _coding(row: re.Match[str]) -> Coding | None:
    name = (row[2] or row[3] or "").upper().replace("-", " ").replace("_", " ")
    size = row[4] or next(iter(re.findall(r"(\d+) ?BIT", name)), "8")
    rates = [int(rate) for group in RATES.findall(row[5]) for rate in re.findall(r"\d{4,}", group)]
    if rates and not min(rates) <= 8000 <= max(rates):
        return None
    return next((coding for pattern, bits, coding in NAMES if bits in ("", size) and re.search(pattern, name)), None)


def too_old(model: AnalogModel, answers: Iterable[str]) -> str:
    """The firmware that the modem tells of, when it is older than one that works; else nothing.

    >>> too_old(USR, ["Supervisor rev 1.2.15"]), too_old(USR, ["Supervisor rev 1.2.23"])
    ('1.2.15', '')
    """
    for text in answers if model.firmware else ():
        if (found := re.search(r"\b(\d+)\.(\d+)\.(\d+)\b", text)) and tuple(map(int, found.groups())) < model.firmware:
            return found[0]
    return ""


def dialled(number: str, country: str) -> str:
    """The digits that an analog exchange understands: it knows no plus sign.

    >>> dialled("+81312345601", "JP"), dialled("+390212345601", "JP"), dialled("0312345601", "JP")
    ('0312345601', '010390212345601', '0312345601')
    """
    own, trunk, abroad = ABROAD[country]
    if own and number.startswith(own):
        return trunk + number.removeprefix(own)
    return abroad + number[1:] if number.startswith("+") else number
