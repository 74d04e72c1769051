"""What the server's disk holds of a call, read beside the server: nobody vouches for himself."""

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One call with its recording. Both digests are SHA-256 in hex: as the server says, and of the file that it keeps."""

    record: dict[str, Any]
    state: str  # "whole": the server has opened and verified the recording
    said: str
    kept: str
    after: float  # seconds from the result, as the booth dates it, until both were on the server's disk


def entry(server: Path, call: str) -> Entry | None:
    """The call in the directory of a server; None while record or recording are not all there."""
    database = f"{(server / 'server.db').absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as db:
        row = db.execute(_ENTRY, (call,)).fetchone()
    if row is None:
        return None
    text, state, said, taken = row
    record = json.loads(text)
    kept = hashlib.sha256((server / "archive" / f"{call}.journal").read_bytes()).hexdigest()
    return Entry(record, state, said, kept, taken - record["result"]["at"])


_ENTRY = """
SELECT c.record, r.state, r.sha256, max(c.taken, r.taken) FROM call c JOIN recording r ON r.id = c.id
WHERE c.id = ? AND r.state NOT IN ('partial', 'taken')
"""
