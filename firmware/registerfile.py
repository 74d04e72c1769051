"""The numbers in a register's file, however large: text or CSV, read in pieces; E.164 digits as integers come out."""

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from firmware import columns
from firmware.emergency import iso
from firmware.numbers import Flaw, NumberError, parse
from firmware.tabletext import DELIMITERS

TOLD: Final = 20  # faulty lines that are told one by one
HOPELESS: Final = 10_000  # lines without any number after which the rest is not read
PIECE: Final = 1 << 18  # characters read at a time: what is held does not grow with the file
_LOOKED_AT: Final = 200  # lines that show which column holds the numbers
_NOT_TEXT: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")

# What most registers are made of, by country: its code, and what numbers.parse makes of such digits without being asked.
# Whatever does not match goes to numbers.parse, which may still take it; tests hold the two to each other.
_PLAIN: Final = {
    "JP": ("81", r"(?:\+81|0|(?=[2-9]))((?:[1-9][1-9]|[34]0)\d{7}|[5-9]0\d{8})"),
    "US": ("1", r"(?:\+?1)?([2-9]\d{9})"),
    "CA": ("1", r"(?:\+?1)?([2-9]\d{9})"),
    "GB": ("44", r"(?:\+44|0|(?=[1-35-9]))([1-9]\d{9})"),
    "FR": ("33", r"(?:\+33|0)([1-9]\d{8})"),
    "DE": ("49", r"(?:\+49|0)([1-9]\d{8,10})"),
    "AU": ("61", r"(?:\+61|0)([1-9]\d{8})"),
}
_NEVER: Final = ("", r"(?!)()")
_MARKS: Final = " -()"  # what may stand between digits without changing anything
_WITHOUT_MARKS: Final = str.maketrans("", "", _MARKS)
E164: Final = re.compile(r"\+([1-9][0-9]{4,17})")  # German ones may be longer than the 15 digits of the standard
_BLANK: Final = " \t\f\v,;\"'"


class RegisterFileError(ValueError):
    """The file as a whole is no register; the message says why, and that nothing was changed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that was not taken."""

    file: str
    line: int  # from 1
    reason: str  # plain English, and never the number


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a line has its number: all of it, one cell, or two cells (area code, the rest) that belong together."""

    delimiter: str = ""
    column: int = 0
    joined: bool = False

    def cell(self, line: str) -> str:
        """The line's number, as it is written there."""
        if not self.delimiter:
            return line
        if self.joined:
            return line.replace(self.delimiter, "")
        cells = _cells(line, self.delimiter)
        return cells[self.column] if self.column < len(cells) else ""


_WHOLE: Final = _Layout()


class RegisterFile:
    """One file. What `pieces` has given so far is counted in `good`, what is no number in `faulty`."""

    def __init__(self, path: Path, country: str, piece: int = PIECE) -> None:
        self.good = self.faulty = 0
        self.faults: list[Fault] = []
        self._path, self._country, self._piece = path, iso(country), piece
        self._code, plain = _PLAIN.get(self._country, _NEVER)
        self._one = re.compile(plain, re.ASCII)
        self._all = re.compile(f"^{plain}$", re.ASCII | re.MULTILINE)
        self._layout, self._line, self._begun = _WHOLE, 1, False

    def pieces(self) -> Iterator[list[int]]:
        """All numbers, some thousands at a time, as they come: raises RegisterFileError, and OSError as files do."""
        with self._open() as text:
            for piece in self._read(text):
                if self._line == 1:
                    self._layout = self._find(piece.split("\n", _LOOKED_AT)[:_LOOKED_AT])
                yield self._numbers(piece)
                if not self.good and self.faulty >= HOPELESS:
                    raise RegisterFileError(f"{self._path}: its first {self.faulty:,} lines hold no telephone number")

    def _open(self) -> TextIO:
        with self._path.open("rb") as file:
            start = file.read(4096)
        if start.startswith(_NOT_TEXT):
            raise RegisterFileError(f"{self._path}: is packed or a workbook: unpack it, or save it as CSV")
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return self._path.open(encoding="utf-16", errors="replace")
        if b"\0" in start:
            raise RegisterFileError(f"{self._path}: is no text file; save it as text or CSV in UTF-8")
        return self._path.open(encoding="utf-8-sig", errors="surrogateescape")

    def _read(self, text: TextIO) -> Iterator[str]:
        """Whole lines, without the last one's end."""
        rest = ""
        while piece := text.read(self._piece):
            whole, ended, rest_of_it = piece.rpartition("\n")
            if not ended and len(rest) + len(piece) > self._piece:
                raise RegisterFileError(
                    f"{self._path}: a line has more than {self._piece:,} letters: this is no list of numbers"
                )
            if ended:
                yield rest + whole
                rest = rest_of_it
            else:
                rest += piece
        if rest:
            yield rest

    def _numbers(self, piece: str) -> list[int]:
        """The piece's numbers; all at once if every line is plain, else line by line."""
        count = piece.count("\n") + 1
        found: list[str] = [] if self._layout.delimiter and not self._layout.joined else self._at_once(piece)
        if len(found) == count:
            numbers = [int(self._code + national) for national in found]
            self.good, self._begun = self.good + count, True
        else:
            numbers = list(self._by_line(piece))
        self._line += count
        return numbers

    def _at_once(self, piece: str) -> list[str]:
        for mark in (*_MARKS, self._layout.delimiter):
            if mark and mark in piece:
                piece = piece.replace(mark, "")
        return self._all.findall(piece)

    def _by_line(self, piece: str) -> Iterator[int]:
        for at, line in enumerate(piece.split("\n"), self._line):
            if not line.strip(_BLANK):
                continue
            try:
                number = self._number(self._layout.cell(line))
            except NumberError as error:
                if self._begun or not any(map(str.isalpha, line)):  # else it is the header
                    self._fault(at, str(error))
            else:
                self.good += 1
                yield number
            self._begun = True

    def _number(self, cell: str) -> int:
        plain = self._one.fullmatch(cell.translate(_WITHOUT_MARKS))
        if plain:
            return int(self._code + plain[1])
        found = E164.fullmatch(parse(self._readable(cell), self._country).key)
        if not found:  # an emergency or service number
            raise NumberError(Flaw.TOO_SHORT)
        return int(found[1])

    def _readable(self, cell: str) -> str:
        """Old office programs write no UTF-8; plain digits are the same in both."""
        if cell.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in cell):
            return cell
        legacy = "cp932" if self._country == "JP" else "cp1252"
        return cell.encode("utf-8", "surrogateescape").decode(legacy, "replace")

    def _fault(self, line: int, reason: str) -> None:
        self.faulty += 1
        if len(self.faults) < TOLD:
            self.faults.append(Fault(self._path.name, line, reason))

    def _find(self, lines: Sequence[str]) -> _Layout:
        """The first layout that makes numbers of half of these lines, or of the most."""
        filled = [line for line in lines if line.strip(_BLANK)]
        best, most = _WHOLE, 0
        for layout in _layouts(filled):
            hits = sum(self._holds(layout.cell(line)) for line in filled)
            if 2 * hits >= len(filled):
                return layout
            if hits > most:
                best, most = layout, hits
        return best

    def _holds(self, cell: str) -> bool:
        try:
            self._number(cell)
        except NumberError:
            return False
        return True


def _layouts(lines: Sequence[str]) -> Iterator[_Layout]:
    """What the lines might be: a number each, cells (those whose header says so first), an area code and the rest."""
    yield _WHOLE
    present = [delimiter for delimiter in DELIMITERS if any(delimiter in line for line in lines)]
    for delimiter in present or DELIMITERS[:1]:
        rows = [_cells(line, delimiter) for line in lines]
        named = columns.phones(rows[0]) if rows else ()
        for column in dict.fromkeys((*named, *range(max(map(len, rows), default=0)))):
            yield _Layout(delimiter, column)
    for delimiter in present:
        yield _Layout(delimiter, joined=True)


def _cells(line: str, delimiter: str) -> Sequence[str]:
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a cell that is longer than any number
        return []
