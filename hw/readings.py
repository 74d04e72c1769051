"""What single lines of an AT modem mean: pure readers, one dataclass each.

A line that is not what it claims to be is an UnexpectedReply, never another error: modems say strange things, and a
line may have been cut or merged with another.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hw.errors import UnexpectedReply
from hw.events import Hidden

FIELD = re.compile(r'\s*(?:"([^"]*)"|([^,"]*))\s*(,|$)')
CLOCK = re.compile(r"(\d{2}|\d{4})/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)(?:([+-]\d{1,2})(?:,[01])?)?", re.ASCII)
FIRST_HONEST_YEAR = 2024  # a modem without network time counts from 1970, 1980 or 2004
QUARTER = timedelta(minutes=15)
TONES = "0123456789*#ABCD"
DIALLABLE = frozenset("0123456789*#+")
PLACE_OF_TRIES = {"+QPINC": 1, "+SPIC": 0, "+CPINR": 1, "^CPIN": 3}
HIDDEN = {"1": Hidden.WITHHELD, "2": Hidden.UNAVAILABLE, "3": Hidden.PAYPHONE, "4": Hidden.UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Registration:
    """What the network thinks of us."""

    status: int

    @property
    def registered(self) -> bool:
        """At home (1), roaming (5), or either with circuit-switched fallback not preferred (9, 10)."""
        return self.status in {1, 5, 9, 10}


@dataclass(frozen=True, slots=True)
class Signal:
    """Received strength by 27.007: 0 to 31 in steps of 2 dB from -113 dBm; None when unknown."""

    rssi: int | None

    @property
    def bars(self) -> int | None:
        """0 to 4, as telephones draw it.

        >>> [Signal(rssi).bars for rssi in (None, 1, 5, 12, 17, 31)]
        [None, 0, 1, 2, 3, 4]
        """
        return None if self.rssi is None else sum(self.rssi >= step for step in (3, 8, 14, 20))


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls in: a number, or why there is none; neither when the network has not said yet."""

    number: str | None
    hidden: Hidden | None = None


def name(line: str) -> str:
    """What a notice is called: the part before its colon, or its first word where a maker adds figures to it.

    >>> name('+CLIP: "0312345601",129'), name("CONNECT 9600")
    ('+CLIP', 'CONNECT')
    """
    found = line.partition(":")[0].strip()
    return "CONNECT" if found.startswith("CONNECT ") else found


def fields(line: str, name: str) -> list[str]:
    """The comma-separated values behind `name:`, without their quotes.

    >>> fields('+COPS: 0,0,"NTT, DOCOMO",7', "+COPS")
    ['0', '0', 'NTT, DOCOMO', '7']
    """
    head, colon, rest = line.partition(":")
    if head.strip() != name or not colon:
        raise UnexpectedReply(f"not a {name} line")
    found: list[str] = []
    at, more = 0, True
    while more:
        match = FIELD.match(rest, at)
        if not match:
            raise UnexpectedReply(f"{name}: quotes or commas amiss")
        found.append(match[1] if match[1] is not None else match[2].strip())
        at, more = match.end(), match[3] == ","
    return found


def number(text: str, name: str) -> int:
    """A whole number of at most nine digits."""
    if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
        raise UnexpectedReply(f"{name}: a number was expected")
    return int(text)


def dialled(values: list[str], at: int) -> str | None:
    """The telephone number in a field; None when it is missing, empty or no number."""
    shown = re.sub(r"[ -]", "", values[at]) if len(values) > at else ""
    return shown if shown and set(shown) <= DIALLABLE else None


def clip(line: str) -> Caller:
    """`+CLIP: "<number>",<type>[,<sub>,<subtype>,[<name>],<validity>]` (27.007, 7.6)."""
    return _caller(fields(line, "+CLIP"), validity=5)


def ccwa(line: str) -> Caller:
    """`+CCWA: "<number>",<type>,<class>[,[<name>],<validity>]`: a second call waits (27.007, 7.12)."""
    return _caller(fields(line, "+CCWA"), validity=4)


def _caller(values: list[str], validity: int) -> Caller:
    if len(values) < 2:
        raise UnexpectedReply("a caller without a type of number")
    hidden = HIDDEN.get(values[validity]) if len(values) > validity else None
    shown = dialled(values, 0)
    if shown is None or hidden:
        return Caller(None, hidden or Hidden.WITHHELD)
    return Caller("+" + shown if values[1:2] == ["145"] and not shown.startswith("+") else shown)


def registration(line: str, *, asked: bool) -> Registration:
    """+CREG, +CGREG or +CEREG: an asked line begins with the kind of report, a notice with the status itself."""
    name = line.partition(":")[0].strip()
    if name not in {"+CREG", "+CGREG", "+CEREG"}:
        raise UnexpectedReply("not a registration line")
    values = fields(line, name)
    if asked and len(values) < 2:
        raise UnexpectedReply(f"{name}: too short for an answer")
    return Registration(number(values[1 if asked else 0], name))


def signal(line: str) -> Signal:
    """+CSQ: strength 0 to 31; 99 means unknown, 100 to 199 are the same for TD-SCDMA and LTE."""
    rssi = number(fields(line, "+CSQ")[0], "+CSQ")
    return Signal(rssi if 0 <= rssi <= 31 else None)


def pcm_flow(line: str) -> bool:
    """`+QPCMV: 1,0` means write on, `+QPCMV: 0,0` means stop writing."""
    go = number(fields(line, "+QPCMV")[0], "+QPCMV")
    if go not in {0, 1}:
        raise UnexpectedReply("+QPCMV: 0 or 1 was expected")
    return go == 1


def tone(line: str) -> str | None:
    """A key that the far end pressed, None for what is no key: `+QTONEDET: 53` by its code, the others as it is.

    >>> tone("+QTONEDET: 53"), tone("+RXDTMF: 5"), tone("^DDTMF: #")
    ('5', '5', '#')
    """
    name = line.partition(":")[0].strip()
    heard = fields(line, name)[0].upper()
    if name == "+QTONEDET":
        code = number(heard, name)
        heard = chr(code) if 0 < code < 128 else ""
    return heard if heard and heard in TONES else None


def network_time(line: str) -> float | None:
    """Seconds since 1970, UTC, from local time and quarters of an hour (+QLTS, +CCLK); None when not yet known.

    >>> network_time('+QLTS: "2026/11/22,14:01:02+36,0"')
    1795323662.0
    >>> network_time('+CCLK: "80/01/06,00:00:17+00"')
    """
    name, _, text = line.partition(":")
    if name.strip() not in {"+QLTS", "+CCLK"}:
        raise UnexpectedReply("not a clock line")
    text = text.strip().strip('"')
    if not text:
        return None
    match = CLOCK.fullmatch(text)
    if not match:
        raise UnexpectedReply("a clock that cannot be read")
    year, month, day, hour, minute, second, zone = (int(part or 0) for part in match.groups())
    if year < 100:
        year += 1900 if year >= 70 else 2000
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return None if year < FIRST_HONEST_YEAR else (local - zone * QUARTER).timestamp()
    except (ValueError, OverflowError):
        raise UnexpectedReply("no such date or time") from None


def pin(line: str) -> str:
    """What `AT+CPIN?` says of the SIM: READY, SIM PIN, SIM PUK, NOT INSERTED, NOT READY ..."""
    return fields(line, "+CPIN")[0].upper()


def pin_tries(line: str) -> int | None:
    """How often the SIM's PIN may still be tried, by whichever maker's counter; None when the line does not say.

    >>> pin_tries('+QPINC: "SC",3,10'), pin_tries("+SPIC: 3,10,0,10"), pin_tries("+CPINR: SIM PIN,2,3")
    (3, 3, 2)
    >>> pin_tries("^CPIN: SIM PIN,,10,3,10,3"), pin_tries('+CSIM: 4,"63C1"')
    (3, 1)
    """
    name = line.partition(":")[0].strip()
    values = fields(line, name)
    if name == "+CSIM":  # an empty VERIFY: 63 Cx, x tries are left (ISO/IEC 7816-4)
        status = values[-1].upper()
        if status == "6983":  # blocked
            return 0
        return int(status[3], 16) if re.fullmatch(r"63C[0-9A-F]", status) else None
    at = PLACE_OF_TRIES.get(name)
    return number(values[at], name) if at is not None and len(values) > at and values[at] else None


def iccid(line: str) -> str:
    """The SIM's serial number, 18 to 20 digits and perhaps a filler."""
    found = re.search(r"(?<!\d)(89\d{16,18}F?)(?!\d)", line)
    if not found:
        raise UnexpectedReply("no ICCID")
    return found[1].rstrip("F")


def operator(line: str) -> str:
    """The operator's name from `AT+COPS?`, empty when there is none."""
    values = fields(line, "+COPS")
    return values[2] if len(values) > 2 else ""


def cme(final: str) -> int | None:
    """The number of a `+CME ERROR`, None for any other result or a text."""
    match = re.fullmatch(r"\+CME ERROR: ?(\d{1,5})", final, re.ASCII)
    return int(match[1]) if match else None
