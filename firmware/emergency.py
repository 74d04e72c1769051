"""Emergency and service numbers by our own table: asked first, answered at once, with no library in between.

The usual library knows neither Japan's 118 nor most # numbers, so it only has a say for countries that are not here.
"""

from typing import Final

# Hiding (184) or showing (186) our own number; an emergency number stays one behind them.
CLI_PREFIXES: Final = {"JP": ("184", "186")}

EMERGENCY: Final = {
    "JP": frozenset({"110", "118", "119"}),
    "US": frozenset({"911", "988"}),
    "CA": frozenset({"911", "988"}),
    "GB": frozenset({"999", "112"}),
    "IE": frozenset({"999", "112"}),
    "DE": frozenset({"110", "112"}),
    "FR": frozenset({"15", "17", "18", "112", "114", "196"}),
    "AU": frozenset({"000", "106", "112"}),
    "NZ": frozenset({"111"}),
    "KR": frozenset({"112", "119"}),
}

# 112 holds in every country of the European Union and reaches help from most mobile networks elsewhere.
ANYWHERE: Final = frozenset({"112"})

# Help lines and the network's own information: past the guard, but no emergency.
SERVICE: Final = {
    "JP": frozenset(
        {"104", "113", "115", "116", "117", "144", "171", "177", "188", "189"}
        | {"#7119", "#8000", "#8008", "#8103", "#8891", "#9110", "#9910"}
    ),
    "US": frozenset({"211", "311", "511", "711", "811"}),
    "CA": frozenset({"211", "311", "511", "711", "811"}),
    "GB": frozenset({"101", "105", "111", "116123"}),
    "DE": frozenset({"115", "116117"}),
    "FR": frozenset({"115", "119", "3114", "3919", "116117"}),
}

_LONGEST: Final = 9  # digits of the longest number here with its prefix: whatever is longer need not be looked up


def iso(country: str) -> str:
    """The ISO code of a country as people write it.

    >>> iso("uk")
    'GB'
    """
    code = country.strip().upper()
    return "GB" if code == "UK" else code


def split_prefix(digits: str, country: str) -> tuple[str, str]:
    """Part 184 or 186 from the number behind it.

    Nine digits without a zero are left whole: they are 0184 or 0186 (Akita) whose zero a spreadsheet ate.

    >>> split_prefix("1840312345601", "JP"), split_prefix("184123456", "JP")
    (('184', '0312345601'), ('', '184123456'))
    """
    for prefix in CLI_PREFIXES.get(iso(country), ()):
        rest = digits[len(prefix) :]
        if digits.startswith(prefix) and rest:
            whole = len(digits) == 9 and rest[0] not in "0+"
            return ("", digits) if whole else (prefix, rest)
    return "", digits


def known(country: str) -> bool:
    """Whether our own table covers the country."""
    return iso(country) in EMERGENCY


def in_table(digits: str, country: str) -> bool:
    """Whether these digits are an emergency number, with or without a prefix.

    >>> in_table("118", "JP"), in_table("184119", "JP"), in_table("1190", "JP")
    (True, True, False)
    """
    if len(digits) > _LONGEST:
        return False
    table = EMERGENCY.get(iso(country), ANYWHERE)
    return digits in table or split_prefix(digits, country)[1] in table


def begins(digits: str, country: str) -> bool:
    """Whether these digits are the beginning of an emergency number, or all of it, with or without a prefix.

    >>> begins("11", "JP"), begins("18", "JP"), begins("18411", "JP"), begins("113", "JP")
    (True, True, True, False)
    """
    prefixes = ("", *CLI_PREFIXES.get(iso(country), ()))
    table = EMERGENCY.get(iso(country), ANYWHERE)
    return any((prefix + number).startswith(digits) for prefix in prefixes for number in table)


def is_service(digits: str, country: str) -> bool:
    """Whether these digits are a help line or one of the network's own numbers.

    >>> is_service("#7119", "JP"), is_service("171", "JP"), is_service("#7118", "JP")
    (True, True, False)
    """
    if len(digits) > _LONGEST:
        return False
    table = SERVICE.get(iso(country), frozenset())
    return digits in table or split_prefix(digits, country)[1] in table
