"""Who calls, from the lines that an analog modem gives beside RING. Pure.

`NMBR = 0312345601` with or without spaces; P withheld, O out of area; in Japan also C payphone and S service conflict
(Number Display, shown as such by Sharp's and other makers' telephones). Some modems give a raw `MESG` as well.
"""

import re
from dataclasses import dataclass

from hw.events import Hidden

LINE = re.compile(r"(NMBR|DDN_NMBR|MESG|CALLER NUMBER)\s*[=:]\s*(.*)")
NUMBER = re.compile(r"\+?[0-9*#]{1,24}")
REASONS = {
    "P": Hidden.WITHHELD,
    "PRIVATE": Hidden.WITHHELD,
    "O": Hidden.UNAVAILABLE,
    "S": Hidden.UNAVAILABLE,
    "OUT OF AREA": Hidden.UNAVAILABLE,
    "UNAVAILABLE": Hidden.UNAVAILABLE,
    "C": Hidden.PAYPHONE,
}
SINGLE, MULTIPLE = 0x04, 0x80  # message types of the data that the exchange sends (ETSI EN 300 659-3, Bellcore)
CALLING, ABSENCE = 0x02, 0x04  # parameters: the number, and why there is none


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of a caller: a number, or why there is none."""

    number: str | None = None
    hidden: Hidden | None = None

    @property
    def known(self) -> bool:
        """Whether it tells anything."""
        return self.number is not None or self.hidden is not None


NOBODY = Caller()


def caller(line: str) -> Caller:
    """What one line tells; nothing, when it is another line or a broken one.

    >>> caller("NMBR=0312345601").number, caller("NMBR = P").hidden
    ('0312345601', <Hidden.WITHHELD: 1>)
    """
    found = LINE.fullmatch(line.strip())
    if not found:
        return NOBODY
    return _message(found[2]) if found[1] == "MESG" else _caller(found[2])


def _caller(text: str) -> Caller:
    plain = re.sub(r"[\s()-]", "", text)
    if NUMBER.fullmatch(plain):
        return Caller(plain)
    return Caller(None, REASONS.get(text.strip().upper()))


def _message(text: str) -> Caller:
    try:
        data = bytes.fromhex(text.strip())
    except ValueError:  # cut on its way
        return NOBODY
    if len(data) > 10 and data[0] == SINGLE and data[1] > 8:
        return _caller(data[10 : 2 + data[1]].decode("ascii", "replace"))
    if data[:1] == bytes([MULTIPLE]):
        data = data[2 : 2 + data[1]] if len(data) > 1 else b""
    while len(data) >= 2:
        kind, length = data[0], data[1]
        value = data[2 : 2 + length].decode("ascii", "replace")
        if kind in (CALLING, ABSENCE) and len(value) == length > 0 and (one := _caller(value)).known:
            return one
        data = data[2 + length :]
    return NOBODY
