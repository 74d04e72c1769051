"""What single lines of an AT modem say of a call: one row each, whoever made the modem. Pure.

Makers tell the same with other words and other numbers; here they all become a CallRow. What a line does not tell is
None, and fits any call.
"""

import re
from dataclasses import dataclass
from enum import Enum

from hw.errors import UnexpectedReply
from hw.readings import dialled, fields, number

VOICE_MODES = frozenset({0, 3, 4, 5})  # 3 to 5: voice followed by, or alternating with, data or fax
VOICE_ORIGINS = frozenset({0, 9})  # ^ORIG, ^CONN: voice and emergency; the others are data, messages and service


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
    """One call, as a list or a notice shows it; `cause` is the number of TS 24.008 with which it was released."""

    index: int | None
    incoming: bool | None
    state: CallState
    voice: bool = True
    number: str | None = None
    cause: int | None = None


def clcc(line: str) -> CallRow:
    """A row of `AT+CLCC`, asked for or not; SIMCom's state 6 (disconnected) is read as released."""
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
    index, direction, status, kind = _numbers(values, 4, "^DSCI")
    if status not in DSCI_STATES or direction not in {0, 1}:
        raise UnexpectedReply("^DSCI: no such state or direction")
    return CallRow(index, direction == 1, DSCI_STATES[status], kind == 0, dialled(values, 4))


def orig(line: str) -> CallRow:
    """Huawei's `^ORIG: <id>,<type>`: our call is on its way."""
    index, kind = _numbers(fields(line, "^ORIG"), 2, "^ORIG")
    return CallRow(index, False, CallState.DIALLING, kind in VOICE_ORIGINS)


def conf(line: str) -> CallRow:
    """Huawei's `^CONF: <id>`: the far end's telephone rings."""
    return CallRow(_numbers(fields(line, "^CONF"), 1, "^CONF")[0], False, CallState.ALERTING)


def conn(line: str) -> CallRow:
    """Huawei's `^CONN: <id>,<type>`: answered, by whichever side."""
    index, kind = _numbers(fields(line, "^CONN"), 2, "^CONN")
    return CallRow(index, None, CallState.ACTIVE, kind in VOICE_ORIGINS)


def cend(line: str) -> CallRow:
    """Huawei's `^CEND: <id>,<seconds>,<end status>[,<cause>]`.

    The cause is missing or empty when the network never answered (MU509 manual, page 144). The end status is no help:
    some makes say 255 whatever happened.
    """
    values = fields(line, "^CEND")
    index, _, _ = _numbers(values, 3, "^CEND")
    cause = number(values[3], "^CEND") if len(values) > 3 and values[3] else None
    return CallRow(index, None, CallState.RELEASED, cause=cause)


def voice_call(line: str) -> CallRow:
    """SIMCom's `VOICE CALL: BEGIN` and `VOICE CALL: END[: <seconds>]`: without an id, so no more than a hint."""
    what = re.fullmatch(r"VOICE CALL: ?(BEGIN|END(: ?\d+)?)", line)
    if not what:
        raise UnexpectedReply("VOICE CALL: neither BEGIN nor END")
    return CallRow(None, None, CallState.DIALLING if what[1] == "BEGIN" else CallState.RELEASED)


def mo_ring(_: str) -> CallRow:
    """SIM800's `MO RING`: the far end's telephone rings."""
    return CallRow(None, False, CallState.ALERTING)


def mo_connected(_: str) -> CallRow:
    """SIM800's `MO CONNECTED`, ZTE's `CONNECT`: our call was answered."""
    return CallRow(None, False, CallState.ACTIVE)


def hangup(_: str) -> CallRow:
    """ZTE's `HANGUP: <id>`: it is over, says a modem whose lists do not count the same way."""
    return CallRow(None, None, CallState.RELEASED)


def _row(values: list[str], name: str) -> CallRow:
    index, direction, status, mode, _ = _numbers(values, 5, name)
    if direction not in {0, 1}:
        raise UnexpectedReply(f"{name}: a direction is 0 or 1")
    try:
        state = CallState(status)
    except ValueError:
        raise UnexpectedReply(f"{name}: no such call state: {status}") from None
    return CallRow(index, direction == 1, state, mode in VOICE_MODES, dialled(values, 5))


def _numbers(values: list[str], count: int, name: str) -> list[int]:
    if len(values) < count:
        raise UnexpectedReply(f"{name}: too short")
    return [number(value, name) for value in values[:count]]
