"""A program of its own that reads a call list for the server, so that a long one takes neither its memory nor its time.

`python -m provisioning.server.pages.reading FILE AREA-CODE` writes a JSON object per line to standard output: first how
far it has come, again and again, then the rows in batches; or why the file is none.
"""

import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from firmware import listfile
from firmware.listfile import Entry, ListFile, ListFileError, Rejected
from firmware.numbers import Number, NumberError, parse

AT_ONCE = 1000  # rows of one line


def main(arguments: Sequence[str]) -> int:
    """Read one file; the exit code is 0 whenever what is wrong has been told."""
    path, area_code = arguments
    try:
        found = listfile.read(Path(path), area_code=area_code, watch=lambda line, lines: _tell(at=line, of=lines))
    except ListFileError as problem:
        _tell(fault=problem.reason)
        return 0
    for message in messages(found):
        _tell(**message)
    return 0


def messages(found: ListFile) -> Iterator[dict[str, object]]:
    """What a file held, a message for some thousand rows."""
    yield {"sample": found.sample, "entries": len(found.entries), "rejects": len(found.rejected)}
    for at in range(0, len(found.entries), AT_ONCE):
        yield {"rows": [_row(entry) for entry in found.entries[at : at + AT_ONCE]]}
    for at in range(0, len(found.rejected), AT_ONCE):
        yield {"rejected": [_rejected(one) for one in found.rejected[at : at + AT_ONCE]]}


def _row(entry: Entry) -> dict[str, object]:
    return {
        "row": entry.row,
        "name": entry.name,
        "reading": entry.reading,
        "numbers": [_written(number) for number in entry.numbers],
        "keys": [number.key for number in entry.numbers],
        "identifier": entry.identifier,
        "note": entry.note,
    }


def _written(number: Number) -> str:
    """As it is shown, if a booth reads that as the same number; else its bare digits."""
    try:
        same = parse(number.shown).key == number.key
    except NumberError:
        same = False
    written = number.shown if same else number.dialled
    return f"{written} 内線{number.extension}" if number.extension else written


def _rejected(one: Rejected) -> dict[str, object]:
    """The row as it stands in the file, and of a duplicate the line that has the number already."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(one.cells)
    before = "".join(filter(str.isdecimal, one.text)) if one.reason == "duplicate" else ""
    return {"line": one.line, "reason": f"{one.reason}:{before}" if before else one.reason, "text": line.getvalue()}


def _tell(**message: object) -> None:
    sys.stdout.write(json.dumps(message, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
