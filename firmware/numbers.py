"""What was keyed or imported becomes a telephone number: class, E.164, CLI prefix. The emergency table comes first."""

import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

from firmware import emergency, japan, notation
from firmware.emergency import is_service


class Kind(Enum):
    """What sort of number it is, as far as the guard must know."""

    EMERGENCY = auto()  # always dialled, past every rule
    SERVICE = auto()  # 171, 188, #7119 …: passes the guard, but is no emergency number
    ORDINARY = auto()
    TOLL_FREE = auto()
    SHARED_COST = auto()  # 0570 …: the caller pays extra
    PREMIUM = auto()
    INTERNATIONAL = auto()
    MACHINE = auto()  # 020: things, not people
    INVALID = auto()


@dataclass(frozen=True, slots=True)
class Number:
    """One telephone number.

    `dialled` is what goes on the line (digits * # +, prefix included); `key` names the number for the guard whatever
    its spelling: E.164 where there is one, else the digits without prefix.
    """

    dialled: str
    key: str
    shown: str
    kind: Kind
    prefix: str = ""  # 184 (hide our number) or 186 (show it)
    extension: str = ""
    zero_restored: bool = False  # a spreadsheet had eaten the leading zero
    uncertain: bool = False  # possible, but in no range that is known to be allocated
    completed: bool = False  # the booth has put in what was left out, area code or zero: to be confirmed at the dial
    sample: bool = False  # 03-1234-56xx and 090-1234-56xx: for examples only, a real line refuses it


class Flaw(Enum):
    """Why something is no telephone number; the value says it in plain English."""

    EMPTY = "there is no number"
    LETTERS = "there are letters in the number"
    SCIENTIFIC = "a spreadsheet has rounded the number (3.12E+08): format the column as text and export it again"
    TOO_SHORT = "the number is too short"
    TOO_LONG = "the number is too long"
    LOCAL_ONLY = "the area code is missing"
    CARRIER_PREFIX = "the number begins with a carrier's prefix (00…, 122), which is not dialled here"
    SUPPLEMENTARY = "strings with * or # change the line's settings and are not dialled"
    UNREADABLE = "this is no telephone number"


class NumberError(ValueError):
    """The text is no telephone number; `flaw` says why, and the message says it in plain English."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the digits turned out to be, before anything is said about the class."""

    phone: PhoneNumber
    dialled: str  # without prefix
    zero_restored: bool = False
    area_added: bool = False


_KINDS: Final = {
    PhoneNumberType.TOLL_FREE: Kind.TOLL_FREE,
    PhoneNumberType.SHARED_COST: Kind.SHARED_COST,
    PhoneNumberType.UAN: Kind.SHARED_COST,
    PhoneNumberType.PREMIUM_RATE: Kind.PREMIUM,
    PhoneNumberType.PAGER: Kind.MACHINE,
}

# By what a Japanese number begins with, allocated or not: the library has no 0180.
_JAPANESE: Final = {
    "0120": Kind.TOLL_FREE,
    "0800": Kind.TOLL_FREE,
    "0570": Kind.SHARED_COST,
    "0990": Kind.PREMIUM,
    "0180": Kind.PREMIUM,
    "020": Kind.MACHINE,
}

_LENGTHS: Final = {
    ValidationResult.TOO_SHORT: Flaw.TOO_SHORT,
    ValidationResult.INVALID_LENGTH: Flaw.TOO_SHORT,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: Flaw.LOCAL_ONLY,
    ValidationResult.TOO_LONG: Flaw.TOO_LONG,
    ValidationResult.INVALID_COUNTRY_CODE: Flaw.UNREADABLE,
}

_DIALABLE: Final = re.compile(r"\+?[0-9]+")
_SCIENTIFIC: Final = re.compile(r"\d+(\.\d+)?E[+-]?\d+", re.IGNORECASE)
_SAMPLE: Final = re.compile(r"\+81(3|90)123456\d\d")
_NANP: Final = 1  # the country code that the United States and Canada share with many others


def is_emergency(digits: str, country: str = "JP") -> bool:
    """Whether the digits are an emergency number; never raises, and asks no library where our own table knows.

    >>> is_emergency("118"), is_emergency("184119"), is_emergency("190", "BR")
    (True, True, True)
    """
    if emergency.in_table(digits, country):
        return True
    return not emergency.known(country) and phonenumbers.is_emergency_number(digits, emergency.iso(country))


def supplementary(digits: str, country: str = "JP") -> bool:
    """Whether the digits would change the line's settings (forwarding, barring) rather than call anyone."""
    return not {"*", "#"}.isdisjoint(digits) and not is_service(digits, country) and not is_emergency(digits, country)


def parse(text: str, country: str = "JP", area_code: str = "") -> Number:
    """Read one number, however it is written; `area_code` (with its zero) stands in where it was left out.

    Raises NumberError for what may never be dialled. Barred classes are numbers all the same: the guard refuses them.

    >>> number = parse("０３（１２３４）５６０１ 内線12")
    >>> number.dialled, number.key, number.shown, number.extension
    ('0312345601', '+81312345601', '03-1234-5601', '12')
    """
    country = emergency.iso(country)
    tidied, extension = notation.tidy(text)
    digits = notation.digits(tidied)
    special = _special(digits, country)
    if special is not None:
        return special
    prefix, rest = emergency.split_prefix(digits, country)
    _refuse(tidied, rest)
    reading = _japanese(rest, area_code) if country == "JP" else _elsewhere(rest, country, area_code)
    return _number(reading, country, prefix, extension, tidied)


def parse_cell(text: str, country: str = "JP", area_code: str = "") -> tuple[Number, ...]:
    """Every number in one cell of a list, each once; raises NumberError if there is none.

    A second number that cannot be read does not cost us the first.
    """
    found: dict[str, Number] = {}
    first: NumberError | None = None
    for part in notation.parts(text):
        try:
            number = parse(part, country, area_code)
        except NumberError as error:
            first = first or error
        else:
            found.setdefault(number.key, number)
    if not found:
        raise first or NumberError(Flaw.EMPTY)
    return tuple(found.values())


def keyed(digits: str, country: str = "JP", area_code: str = "") -> Number:
    """What the keypad's digits call; never raises: what may not be dialled comes as INVALID, for the guard to refuse.

    A zero that was left out by hand is no spreadsheet's doing, so such a number is to be confirmed by one more key.
    """
    try:
        number = parse(digits, country, area_code)
    except NumberError:
        return Number(digits, digits, group(digits, country), Kind.INVALID)
    return replace(number, completed=True) if number.zero_restored else number


@lru_cache(maxsize=64)
def group(digits: str, country: str = "JP") -> str:
    """The digits grouped as the country writes them, at any moment of keying; emergency numbers, * and # as they are.

    >>> group("0312345"), group("0312345601"), group("119"), group("1840312")
    ('03-1234-5', '03-1234-5601', '119', '184 03-12')
    """
    country = emergency.iso(country)
    if not digits.isdigit() or is_emergency(digits, country) or is_service(digits, country):
        return digits
    prefix, rest = emergency.split_prefix(digits, country)
    shaped = japan.group(rest) if country == "JP" else None
    return f"{prefix} {shaped or _as_typed(rest, country)}".strip()


def _as_typed(digits: str, country: str) -> str:
    formatter = phonenumbers.AsYouTypeFormatter(country)
    typed = ""
    for digit in digits:
        typed = formatter.input_digit(digit)
    return typed


def _special(digits: str, country: str) -> Number | None:
    """Emergency and service numbers, before anything else is asked."""
    if is_emergency(digits, country):
        kind = Kind.EMERGENCY
    elif is_service(digits, country):
        kind = Kind.SERVICE
    else:
        return None
    prefix, rest = emergency.split_prefix(digits, country)
    return Number(digits, rest, f"{prefix} {rest}".strip(), kind, prefix)


def _refuse(tidied: str, digits: str) -> None:
    """Raise for what is no number at all."""
    if not digits:
        raise NumberError(Flaw.EMPTY)
    if _SCIENTIFIC.fullmatch(tidied):
        raise NumberError(Flaw.SCIENTIFIC)
    if any(map(str.isalpha, digits)):
        raise NumberError(Flaw.LETTERS)
    if "*" in digits or "#" in digits:
        raise NumberError(Flaw.SUPPLEMENTARY)
    if not _DIALABLE.fullmatch(digits) or not digits.isascii():
        raise NumberError(Flaw.UNREADABLE)


def _japanese(digits: str, area_code: str) -> _Reading:
    if japan.has_carrier_prefix(digits):
        raise NumberError(Flaw.CARRIER_PREFIX)
    if digits.startswith(("+", japan.ABROAD)):
        phone = _library(digits, "JP")
        if phone.country_code != japan.CODE:
            return _Reading(_possible(phone), digits)
        digits = f"0{phone.national_number}"
    local = not digits.startswith("0") and len(digits) in japan.LOCAL
    restored = not digits.startswith("0") and not local
    digits = _with_zero(digits, area_code)
    if len(digits) != japan.length(digits):
        raise NumberError(Flaw.TOO_SHORT if len(digits) < japan.length(digits) else Flaw.TOO_LONG)
    return _Reading(PhoneNumber(japan.CODE, int(digits)), digits, restored, area_added=local)


def _with_zero(digits: str, area_code: str) -> str:
    if digits.startswith("0"):
        return digits
    if len(digits) not in japan.LOCAL:
        return f"0{digits}"
    if not area_code:
        raise NumberError(Flaw.LOCAL_ONLY)
    return area_code + digits


def _elsewhere(digits: str, country: str, area_code: str) -> _Reading:
    phone = _library(digits, country)
    local = phonenumbers.is_possible_number_with_reason(phone) != ValidationResult.IS_POSSIBLE
    added = local and bool(area_code) and not digits.startswith(("0", "+"))
    if added:
        phone, digits = _library(area_code + digits, country), area_code + digits
    home = phonenumbers.country_code_for_region(country)
    if _possible(phone).country_code != home:
        return _Reading(phone, digits)
    zero = phonenumbers.ndd_prefix_for_region(country, strip_non_digits=True) == "0"
    national = phonenumbers.format_number(phone, PhoneNumberFormat.NATIONAL)
    restored = zero and not digits.startswith(("0", "+"))
    return _Reading(phone, re.sub(r"\D", "", national), restored, area_added=added)


def _library(digits: str, country: str) -> PhoneNumber:
    try:
        return phonenumbers.parse(digits, country)
    except NumberParseException as error:
        long = error.error_type == NumberParseException.TOO_LONG
        short = error.error_type in (NumberParseException.TOO_SHORT_NSN, NumberParseException.TOO_SHORT_AFTER_IDD)
        raise NumberError(Flaw.TOO_LONG if long else Flaw.TOO_SHORT if short else Flaw.UNREADABLE) from None


def _possible(phone: PhoneNumber) -> PhoneNumber:
    flaw = _LENGTHS.get(phonenumbers.is_possible_number_with_reason(phone))
    if flaw is not None:
        raise NumberError(flaw)
    return phone


def _number(reading: _Reading, country: str, prefix: str, extension: str, tidied: str) -> Number:
    sort = phonenumbers.number_type(reading.phone)
    uncertain = sort == PhoneNumberType.UNKNOWN
    key = phonenumbers.format_number(reading.phone, PhoneNumberFormat.E164)
    kind = _kind(reading, country, sort)
    return Number(
        dialled=prefix + reading.dialled,
        key=key,
        shown=f"{prefix} {_shown(reading, country, kind, tidied)}".strip(),
        kind=kind,
        prefix=prefix,
        extension=extension,
        zero_restored=reading.zero_restored,
        uncertain=uncertain,
        completed=reading.area_added,
        sample=_SAMPLE.fullmatch(key) is not None,
    )


def _kind(reading: _Reading, country: str, sort: int) -> Kind:
    phone = reading.phone
    if phone.country_code != phonenumbers.country_code_for_region(country):
        return Kind.INTERNATIONAL
    if country == "JP":
        return _JAPANESE.get(reading.dialled[:4]) or _JAPANESE.get(reading.dialled[:3]) or Kind.ORDINARY
    kind = _KINDS.get(sort, Kind.ORDINARY)
    if phone.country_code == _NANP and kind is Kind.ORDINARY:
        region = phonenumbers.region_code_for_number(phone)
        return kind if region in ("US", "CA", None) else Kind.INTERNATIONAL
    return kind


def _shown(reading: _Reading, country: str, kind: Kind, tidied: str) -> str:
    """The library takes some Japanese area codes for others, so there the writer's own hyphens stand."""
    if kind is Kind.INTERNATIONAL:
        return phonenumbers.format_number(reading.phone, PhoneNumberFormat.INTERNATIONAL)
    if country == "JP":
        written = notation.hyphened(tidied)
        as_listed = written if written.count("-") == 2 and written.replace("-", "") == reading.dialled else None
        if shown := japan.group(reading.dialled) or as_listed:
            return shown
    return phonenumbers.format_number(reading.phone, PhoneNumberFormat.NATIONAL)
