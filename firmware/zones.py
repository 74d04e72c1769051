"""Where a number may be: its time zones. More than one where the number does not tell, as a mobile's or a free line's."""

from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

_JAPAN: Final = "+81"
# North America's numbers that tell no place are everywhere in the plan, islands of other countries among them. A call
# from here goes to the fifty states.
_NANP: Final = "+1"
_STATES: Final = (
    *("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles"),
    *("America/Anchorage", "Pacific/Honolulu"),
)


@lru_cache(maxsize=4096)
def zones_of(key: str, home: str) -> tuple[str, ...]:
    """Every zone that the number (Number.key, E.164) may be in; the booth's own, `home`, for what is no such number.

    >>> zones_of("+81312345601", "Asia/Tokyo"), len(zones_of("+18005550123", "America/New_York"))
    (('Asia/Tokyo',), 7)
    """
    if key.startswith(_JAPAN):
        return ("Asia/Tokyo",)
    try:
        found = tuple(time_zones_for_number(phonenumbers.parse(key)))
    except NumberParseException:
        return (home,)
    if key.startswith(_NANP) and len(found) > 1:
        return _STATES if set(_STATES) <= set(found) else found
    return (home,) if not found or found == (UNKNOWN_TIMEZONE,) else found
