"""Japan's numbering plan, where the booth must be right before (or against) a library: lengths, classes, prefixes."""

import re
from typing import Final

# Whatever begins with 00 chooses another carrier; so does 122. No subscriber's number looks like that.
_CARRIER: Final = re.compile(r"00|122")

# How numbers with such a beginning are grouped; the longest beginning holds.
_SHAPES: Final = {
    "0120": (4, 3, 3),
    "0570": (4, 3, 3),
    "0990": (4, 3, 3),
    "0180": (4, 2, 4),
    "0800": (4, 3, 4),
    "0200": (4, 5, 5),
    **dict.fromkeys(("020", "050", "060", "070", "080", "090"), (3, 4, 4)),
    **dict.fromkeys(("03", "06"), (2, 4, 4)),
}

_FIXED_LINE: Final = 10  # digits of every other number, zero included

CODE: Final = 81
ABROAD: Final = "010"
LOCAL: Final = range(5, 9)  # digits of a number without its area code


def has_carrier_prefix(digits: str) -> bool:
    """Whether the number begins by choosing a carrier, which may hide where it really goes."""
    return _CARRIER.match(digits) is not None


def length(digits: str) -> int:
    """How many digits a number with this beginning has, zero included."""
    shape = _shape(digits)
    return sum(shape) if shape else _FIXED_LINE


def group(digits: str) -> str | None:
    """The digits (a whole number or its beginning) with hyphens; None where the area code must be looked up.

    >>> group("0312345"), group("0422123456")
    ('03-1234-5', None)
    """
    shape = _shape(digits)
    if shape is None:
        return None
    if len(digits) > sum(shape):
        return digits
    first, second = shape[0], shape[0] + shape[1]
    return "-".join(filter(None, (digits[:first], digits[first:second], digits[second:])))


def _shape(digits: str) -> tuple[int, int, int] | None:
    return _SHAPES.get(digits[:4]) or _SHAPES.get(digits[:3]) or _SHAPES.get(digits[:2])
