"""The text of a table in a file: its encoding, its delimiter, its records. A broken record costs no other."""

import codecs
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOST: Final = "\ufffd"
_BAD_SHARE: Final = 0.01  # of characters: with more of them lost it is another encoding
_START: Final = 4096  # bytes that must show whether it is UTF-16
_ZEROS: Final = 0.05  # of bytes: commas, digits and line ends alone bring more
_LONGEST_RECORD: Final = 8  # lines: a quote that stays open for longer was never meant to be one
DELIMITERS: Final = (",", "\t", ";")


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text; `torn` says that it ends within a character."""

    text: str
    encoding: str
    torn: bool


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `fault` is "" or "broken-quotes", and then `cells` holds the line as it stands."""

    line: int  # its first line in the file, from 1
    cells: tuple[str, ...]
    fault: str = ""
    ended: bool = True  # False: the file ends here without an end of line


def readings(data: bytes, country: str) -> Iterator[Text]:
    """The texts that the bytes may be, the likeliest first; none if they are in no encoding that lists come in."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            yield from _decoded(data, encoding, "replace")
            return
    legacy = "cp932" if country == "JP" else "cp1252"
    utf16 = _utf16(data)
    for errors in ("strict", "replace"):
        for encoding in (utf16,) if utf16 else ("utf-8", legacy):
            yield from _decoded(data, encoding, errors)


def is_binary(data: bytes) -> bool:
    """Whether these bytes are no text at all."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return b"\0" in data and not marked and _utf16(data) is None


def lines(text: str) -> list[str]:
    """The lines, however the system that wrote them ends a line; the last is empty if the file ends in one."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def cells(record: str, delimiter: str) -> tuple[str, ...]:
    """The cells of one record; raises csv.Error where its quotes are broken."""
    return tuple(next(csv.reader([record], delimiter=delimiter, strict=True), []))


def records(rows: Sequence[str], first: int, delimiter: str, fits: Callable[[Sequence[str]], bool]) -> Iterator[Record]:
    """The records from line `first` (from 0) on.

    A cell may hold line ends between quotes, as long as the record then `fits`; otherwise only the line where the
    quote was opened is lost.
    """
    at = first
    while at < len(rows):
        found, used = _record(rows, at, delimiter, fits)
        ended = at + used < len(rows)
        if found is not None:
            yield Record(at + 1, found, ended=ended)
        else:
            yield Record(at + 1, (rows[at],), "broken-quotes", ended=ended)
        at += used


def _record(
    rows: Sequence[str], at: int, delimiter: str, fits: Callable[[Sequence[str]], bool]
) -> tuple[tuple[str, ...] | None, int]:
    for used in range(1, min(_LONGEST_RECORD, len(rows) - at) + 1):
        try:
            found = cells("\n".join(rows[at : at + used]), delimiter)
        except csv.Error:
            continue
        if used == 1 or fits(found):
            return found, used
        break
    return None, 1


def _decoded(data: bytes, encoding: str, errors: str) -> Iterator[Text]:
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    try:
        text = decoder.decode(data)
    except UnicodeError:
        return
    if text.count(_LOST) <= _BAD_SHARE * len(text):
        yield Text(text.lstrip("\ufeff"), encoding, torn=bool(decoder.getstate()[0]))


def _utf16(data: bytes) -> str | None:
    """Excel's Unicode text, told by where its zero bytes stand."""
    start = data[:_START]
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if 3 * min(even, odd) > max(even, odd) or max(even, odd) < _ZEROS * len(start):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"
