"""How people write telephone numbers in letters, tables and spreadsheets, reduced to digits. Text in, text out."""

import re
import unicodedata
from typing import Final

# Every kind of dash, and the long-vowel mark that stands where a hyphen was meant.
_DASHES: Final = str.maketrans(dict.fromkeys("‐‑‒–—―−ー─━﹣", "-"))
_QUOTED: Final = re.compile(r"""^(?:="(.*)"|'(.*))$""")  # how spreadsheets keep a number from being a number
_FLOAT: Final = re.compile(r"^(\d{9,})\.0+$")
_RANGE: Final = re.compile(r"\s*(?:[~〜]\s*\d{1,4}|/\s*\d{1,2})$")  # 03-1234-5601~3: a switchboard's further lines
_EXTENSION: Final = re.compile(r"[\s(,]*(?:内線|\(内\)|内|extension|ext\.?|x)[\s:.]*(\d{1,6})\s*\)?$", re.IGNORECASE)
_REMARK: Final = re.compile(r"\([^()\d]+\)")  # (代), (直通), (母)
_TAIL: Final = re.compile(r"[\s・]*[^\W\d_a-zA-Z]+$")  # 代表, 昼のみ
_LABEL: Final = re.compile(
    r"^(?:tel|phone|電話番号|電話|携帯電話|携帯|自宅|勤務先|会社|代表|直通)[\s:.]*", re.IGNORECASE
)
_BETWEEN: Final = re.compile(r"[\s().\-\[\]/]+")

_SEPARATOR: Final = re.compile(
    r"[、,;|\n]|または|又は|及び|\bor\b|(?<=[\d)])\s*(?=tel|fax|phone|携帯|自宅)", re.IGNORECASE
)
_BEFORE_EXTENSION: Final = re.compile(r"[、,;]\s*(?=内線|\(内\)|ext)", re.IGNORECASE)
_FAX: Final = re.compile(r"^\s*(?:fax|ファックス|ファクス)", re.IGNORECASE)
_LOOSE: Final = ("/", "・", None)  # between two numbers, or inside one
_WHOLE: Final = 9  # digits of the shortest number with its area code


def tidy(text: str) -> tuple[str, str]:
    """The number in plain ASCII as it was grouped, and its extension.

    >>> tidy("電話：０３（１２３４）５６０１（代）内線１２")
    ('03(1234)5601', '12')
    >>> tidy("0312345601.0")
    ('0312345601', '')
    """
    plain = _plain(text)
    if plain.isascii() and plain.replace("-", "").isdigit():
        return plain, ""
    if quoted := _QUOTED.match(plain):
        plain = (quoted[1] or quoted[2] or "").strip()
    extension = _EXTENSION.search(plain)
    if extension:
        plain = plain[: extension.start()]
    plain = _TAIL.sub("", _REMARK.sub("", plain).strip())
    plain = _LABEL.sub("", _RANGE.sub("", plain))
    return _FLOAT.sub(r"\1", plain).strip(), extension[1] if extension else ""


def digits(tidied: str) -> str:
    """The number without anything between its digits.

    >>> digits("+81 (3) 1234-5601")
    '+81312345601'
    """
    return _BETWEEN.sub("", tidied)


def hyphened(tidied: str) -> str:
    """The number with hyphens where its writer had parted it.

    >>> hyphened("(0422)12-3456")
    '0422-12-3456'
    """
    return _BETWEEN.sub("-", tidied).strip("-")


def parts(cell: str) -> list[str]:
    """The numbers of one cell; fax numbers are left out.

    >>> parts("03-1234-5601 / 090-1234-5603（母） FAX 03-1234-5602")
    ['03-1234-5601', '090-1234-5603(母)']
    """
    plain = _BEFORE_EXTENSION.sub(" ", _plain(cell))
    found = [number for piece in _SEPARATOR.split(plain) for number in _parted(piece)]
    return [number for number in found if not _FAX.match(number)]


def _plain(text: str) -> str:
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFKC", text).translate(_DASHES).strip()


def _parted(piece: str) -> list[str]:
    for separator in _LOOSE:
        pieces = piece.split(separator)
        if len(pieces) > 1 and all(sum(map(str.isdigit, each)) >= _WHOLE for each in pieces):
            return [number for each in pieces for number in _parted(each)]
    return [piece.strip()] if piece.strip() else []
