"""A call list in a file, as spreadsheets and people make it: its customers, and the rows that are none, with why."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware import columns, tabletext
from firmware.columns import Columns
from firmware.emergency import iso
from firmware.numbers import Flaw, Kind, Number, NumberError, parse_cell
from firmware.tabletext import Record

LARGEST: Final = 64_000_000  # bytes: some 500 000 customers, more than one booth can ever call
_STEP: Final = 1000  # rows between two words to whoever watches
_TITLES: Final = 10  # lines that may stand above the header
_SAMPLE: Final = ("sample", "見本", "サンプル")

_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")

# What a customer's number cannot be.
_REFUSED: Final = {
    Kind.EMERGENCY: ("emergency", "this is an emergency number"),
    Kind.SERVICE: ("service", "this is a service number, no customer's"),
    Kind.PREMIUM: ("barred", "premium numbers are not called"),
    Kind.INTERNATIONAL: ("barred", "numbers abroad are not called"),
    Kind.MACHINE: ("barred", "020 numbers belong to machines"),
}
_REMARKS: Final = {Kind.TOLL_FREE: "toll-free", Kind.SHARED_COST: "shared-cost"}


Watch = Callable[[int, int], object]


class ListFileError(ValueError):
    """The whole file is no call list; `reason` is a word for screens, the message says it in plain English."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Entry:
    """One customer of the list."""

    row: int  # from 1, among the rows under the header: "No. 34"
    name: str
    reading: str
    numbers: tuple[Number, ...]  # at least one; the first is the one to call
    identifier: str = ""
    note: str = ""
    remarks: tuple[str, ...] = ()  # what to look at: "zero-restored", "uncertain", "toll-free", "duplicate" …


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken."""

    line: int  # in the file, from 1
    reason: str  # a word for screens
    text: str  # plain English
    cells: tuple[str, ...]  # as they stand in the file: never for a log


@dataclass(frozen=True, slots=True)
class ListFile:
    """What a file held."""

    entries: tuple[Entry, ...]
    rejected: tuple[Rejected, ...]
    encoding: str
    sample: bool  # marked as a list of examples, which no real line dials


@dataclass(frozen=True, slots=True)
class _Table:
    """A file whose header was found."""

    lines: list[str]
    first: int  # index of the line under the header
    columns: Columns
    delimiter: str
    encoding: str
    torn: bool
    sample: bool


class RowError(ValueError):
    """A row cannot be taken."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def read(path: Path, country: str = "JP", area_code: str = "", watch: Watch | None = None) -> ListFile:
    """Read a call list; raises ListFileError when the file as a whole is none, and OSError as files do.

    `watch` is told now and then how far the reading has come: the line it has reached, and how many there are.
    """
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    table = _table(data, iso(country))
    rows = _Rows(table, country, area_code)
    entries: list[Entry] = []
    rejected: list[Rejected] = []
    for row, record in enumerate(_filled(table), 1):
        if watch is not None and row % _STEP == 0:
            watch(record.line, len(table.lines))
        try:
            entries.append(rows.entry(row, record))
        except RowError as fault:
            rejected.append(Rejected(record.line, fault.reason, str(fault), record.cells))
    return ListFile(tuple(entries), tuple(rejected), table.encoding, table.sample)


def _table(data: bytes, country: str) -> _Table:
    _check_whole(data)
    some = False
    for text in tabletext.readings(data, country):
        some = True
        lines = tabletext.lines(text.text)
        for at, line in enumerate(lines[:_TITLES]):
            found = _header(line)
            if found is not None:
                sample = any(_marks_sample(above) for above in lines[:at])
                return _Table(lines, at + 1, found[0], found[1], text.encoding, text.torn, sample)
    if not some:
        raise ListFileError("encoding", "the file's letters are in no known encoding: save it as CSV UTF-8")
    raise ListFileError("no-header", f"the first line must name the columns: {columns.WANTED}")


def _check_whole(data: bytes) -> None:
    if not data.strip():
        raise ListFileError("empty", "the file is empty")
    if len(data) > LARGEST:
        raise ListFileError("too-large", f"the file is larger than {LARGEST // 1_000_000} MB: split it")
    if data.startswith(_WORKBOOKS):
        raise ListFileError("workbook", "this is a workbook: open it and save it as CSV")
    if tabletext.is_binary(data):
        raise ListFileError("binary", "this is no text file")


def _header(line: str) -> tuple[Columns, str] | None:
    if line.lstrip().startswith("#"):
        return None
    for delimiter in tabletext.DELIMITERS:
        try:
            found = columns.find(tabletext.cells(line, delimiter))
        except csv.Error:
            continue
        if found is not None:
            return found, delimiter
    return None


def _marks_sample(line: str) -> bool:
    words = line.strip().rstrip(",;\t").lstrip("#").strip().lower()
    return line.lstrip().startswith("#") and words.startswith(_SAMPLE)


def _filled(table: _Table) -> Iterator[Record]:
    """The records under the header; empty ones count only where others follow."""
    empty: list[Record] = []
    for record in tabletext.records(table.lines, table.first, table.delimiter, lambda row: _fits(row, table.columns)):
        if any(map(str.strip, record.cells)) or (table.torn and not record.ended):
            yield from empty
            empty.clear()
            yield record
        else:
            empty.append(record)


def _fits(cells: Sequence[str], under: Columns) -> bool:
    return len(cells) == under.count


class _Rows:
    """Makes customers of rows, one after the other, and knows which numbers it has had."""

    def __init__(self, table: _Table, country: str, area_code: str) -> None:
        self._table, self._country, self._area_code = table, country, area_code
        self._seen: dict[str, int] = {}

    def entry(self, row: int, record: Record) -> Entry:
        """The customer of one record; raises RowError if there is none."""
        _check_record(record, self._table)
        cells, places = record.cells, self._table.columns
        numbers, remarks = callable_numbers(
            (cells[at] for at in places.phone if at < len(cells)), self._country, self._area_code
        )
        fresh = tuple(number for number in numbers if number.key not in self._seen)
        if not fresh:
            raise RowError("duplicate", f"line {self._seen[numbers[0].key]} has this number already")
        if len(fresh) < len(numbers):
            remarks = (*remarks, "duplicate")
        self._seen.update(dict.fromkeys((number.key for number in fresh), record.line))
        reading = places.words(cells, places.reading)
        return Entry(
            row=row,
            name=places.words(cells, places.name) or reading or fresh[0].shown,
            reading=reading,
            numbers=fresh,
            identifier=places.words(cells, places.identifier),
            note=places.words(cells, places.note),
            remarks=remarks,
        )


def callable_numbers(cells: Iterable[str], country: str, area_code: str) -> tuple[tuple[Number, ...], tuple[str, ...]]:
    """The numbers in these cells that a customer may have, and what to look at; the first fault decides if there are none.

    Raises RowError.
    """
    good: dict[str, Number] = {}
    faults: list[RowError] = []
    for cell in cells:
        try:
            found = parse_cell(cell, country, area_code)
        except NumberError as error:
            if error.flaw is not Flaw.EMPTY:
                faults.append(RowError(_word(error.flaw), str(error)))
            continue
        good |= {number.key: number for number in found if number.kind not in _REFUSED}
        faults += [RowError(*_REFUSED[number.kind]) for number in found if number.kind in _REFUSED]
    if not good:
        raise faults[0] if faults else RowError(_word(Flaw.EMPTY), Flaw.EMPTY.value)
    return tuple(good.values()), _remarks(good.values(), faults)


def _check_record(record: Record, table: _Table) -> None:
    short = len(record.cells) < table.columns.count
    if not record.ended and (table.torn or record.fault or short):
        raise RowError("torn", "the file ends in the middle of this row")
    if not any(map(str.strip, record.cells)):
        raise RowError("empty-row", "the row is empty")
    if record.fault:
        raise RowError(record.fault, "a quotation mark is opened and not closed")
    if "\ufffd" in "".join(record.cells):
        raise RowError("unreadable", "letters in this row cannot be read")


def _remarks(numbers: Iterable[Number], faults: Sequence[RowError]) -> tuple[str, ...]:
    found = [fault.reason for fault in faults]
    for number in numbers:
        found += ["zero-restored"] * number.zero_restored + ["uncertain"] * number.uncertain
        found += [_REMARKS[number.kind]] if number.kind in _REMARKS else []
    return tuple(dict.fromkeys(found))


def _word(flaw: Flaw) -> str:
    return "no-number" if flaw is Flaw.EMPTY else flaw.name.lower().replace("_", "-")
