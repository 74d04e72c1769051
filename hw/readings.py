"""What single lines of an AT modem mean: pure readers, one dataclass each.

A line that is not what it claims to be is an UnexpectedReply, never another error: modems say strange things, and a
line may have been cut or merged with another.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from hw.errors import UnexpectedReply

FIELD = re.compile(r'\s*(?:"([^"]*)"|([^,"]*))\s*(,|$)')
CLOCK = re.compile(r"(\d{2}|\d{4})/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)(?:([+-]\d{1,2})(?:,[01])?)?", re.ASCII)
FIRST_HONEST_YEAR = 2024  # a modem without network time counts from 1970, 1980 or 2004
QUARTER = timedelta(minutes=15)
TONES = "0123456789*#ABCD"
DIALLABLE = frozenset("0123456789*#+")


class CallState(Enum):
    """Where one call stands, by the numbers of 3GPP TS 27.007 +CLCC; -1 is Quectel's addition."""

    RELEASED = -1
    ACTIVE = 0
    HELD = 1
    DIALLING = 2
    ALERTING = 3
    INCOMING = 4
    WAITING = 5


# ^DSCI counts otherwise: 3 is connected, 7 is alerting.
DSCI_STATES = {
    2: CallState.DIALLING,
    3: CallState.ACTIVE,
    4: CallState.INCOMING,
    5: CallState.WAITING,
    6: CallState.RELEASED,
    7: CallState.ALERTING,
}


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call, as a list or a notice shows it."""

    index: int
    incoming: bool
    state: CallState
    voice: bool
    number: str | None = None


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
    """Who calls in; None when withheld or unavailable."""

    number: str | None


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


def _number(text: str, name: str) -> int:
    if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
        raise UnexpectedReply(f"{name}: a number was expected")
    return int(text)


def _state(status: int, name: str) -> CallState:
    try:
        return CallState(status)
    except ValueError:
        raise UnexpectedReply(f"{name}: no such call state: {status}") from None


def _dialled(values: list[str], at: int) -> str | None:
    number = values[at] if len(values) > at else ""
    return number if number and set(number) <= DIALLABLE else None


def _row(values: list[str], name: str) -> CallRow:
    index, direction, status, mode, _ = (_number(value, name) for value in [*values, "", "", "", "", ""][:5])
    if direction not in {0, 1}:
        raise UnexpectedReply(f"{name}: a direction is 0 or 1")
    # Modes 4, 5 and 3 are voice too: voice followed by, or alternating with, data or fax.
    return CallRow(index, direction == 1, _state(status, name), mode in {0, 3, 4, 5}, _dialled(values, 5))


def clcc(line: str) -> CallRow:
    """A row of `AT+CLCC`; SIMCom's state 6 (disconnected) is read as released."""
    values = fields(line, "+CLCC")
    if values[2:3] == ["6"]:
        values[2] = "-1"
    return _row(values, "+CLCC")


def ccinfo(line: str) -> CallRow | None:
    """`+QIND: "ccinfo",...`; None for the other things that +QIND tells."""
    subject, *values = fields(line, "+QIND")
    return _row(values, "ccinfo") if subject == "ccinfo" else None


def dsci(line: str) -> CallRow:
    """`^DSCI: <id>,<direction>,<state>,<type>,<number>,<number type>`, the number without quotes."""
    values = fields(line, "^DSCI")
    index, direction, status, kind = (_number(value, "^DSCI") for value in [*values, "", "", "", ""][:4])
    if status not in DSCI_STATES or direction not in {0, 1}:
        raise UnexpectedReply("^DSCI: no such state or direction")
    return CallRow(index, direction == 1, DSCI_STATES[status], kind == 0, _dialled(values, 4))


def clip(line: str) -> Caller:
    """`+CLIP: "<number>",<type>[,<sub>,<subtype>,[<name>],<validity>]`."""
    values = fields(line, "+CLIP")
    withheld = len(values) > 5 and values[5] in {"1", "2"}
    number = _dialled(values, 0)
    if number and not number.startswith("+") and values[1:2] == ["145"]:
        number = "+" + number
    return Caller(None if withheld else number)


def registration(line: str, *, asked: bool) -> Registration:
    """+CREG, +CGREG or +CEREG: an asked line begins with the kind of report, a notice with the status itself."""
    name = line.partition(":")[0].strip()
    if name not in {"+CREG", "+CGREG", "+CEREG"}:
        raise UnexpectedReply("not a registration line")
    values = fields(line, name)
    if asked and len(values) < 2:
        raise UnexpectedReply(f"{name}: too short for an answer")
    return Registration(_number(values[1 if asked else 0], name))


def signal(line: str) -> Signal:
    """+CSQ: strength 0 to 31; 99 means unknown, 100 to 199 are the same for TD-SCDMA and LTE."""
    rssi = _number(fields(line, "+CSQ")[0], "+CSQ")
    return Signal(rssi if 0 <= rssi <= 31 else None)


def pcm_flow(line: str) -> bool:
    """`+QPCMV: 1,0` means write on, `+QPCMV: 0,0` means stop writing."""
    go = _number(fields(line, "+QPCMV")[0], "+QPCMV")
    if go not in {0, 1}:
        raise UnexpectedReply("+QPCMV: 0 or 1 was expected")
    return go == 1


def tone(line: str) -> str | None:
    """`+QTONEDET: <ASCII code>`: the key that the far end pressed, None for a code that is no key."""
    code = _number(fields(line, "+QTONEDET")[0], "+QTONEDET")
    return chr(code) if 0 < code < 128 and chr(code) in TONES else None


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


def operator(line: str) -> str:
    """The operator's name from `AT+COPS?`, empty when there is none."""
    values = fields(line, "+COPS")
    return values[2] if len(values) > 2 else ""


def cme(final: str) -> int | None:
    """The number of a `+CME ERROR`, None for any other result or a text."""
    match = re.fullmatch(r"\+CME ERROR: ?(\d{1,5})", final, re.ASCII)
    return int(match[1]) if match else None
