"""Uploads of call lists: read by a program of its own, kept batch by batch, and seen by nobody until all of it is there.

A list whose revision is 0 is still being read; no booth has it, because it is assigned in the very last step.
"""

import json
import logging
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, delete, insert, select, update

from provisioning.server.bell import Bell, Topic
from provisioning.server.database import Database
from provisioning.server.pages import reading
from provisioning.server.schema import assignment, booth, call_list, list_row, rejected_row

BROKEN = "broken"  # the reading ended without a word

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Upload:
    """How far one upload has come."""

    list: str
    at: int = 0  # lines
    of: int = 0
    fault: str = ""  # why it is no list, as firmware.listfile.ListFileError has it
    ended: threading.Event = field(default_factory=threading.Event)


class Uploads:
    """All uploads since the server started."""

    def __init__(self, database: Database, bell: Bell, now: Callable[[], float]) -> None:
        self._database, self._bell, self._now = database, bell, now
        self._lock = threading.Lock()
        self._one = threading.Lock()  # one file is read at a time: the booths want a processor too
        self._known: dict[str, Upload] = {}

    def begin(self, file: Path, name: str, *, area_code: str, booths: Sequence[str]) -> Upload:
        """Start reading `file`, which is deleted afterwards. The list is there at once, but empty."""
        upload = Upload(str(uuid.uuid4()))
        with self._database.write() as connection:
            row = {"id": upload.list, "name": _free_name(connection, name), "revision": 0, "created": self._now()}
            connection.execute(insert(call_list).values(row))
        with self._lock:
            self._known[upload.list] = upload
        thread = threading.Thread(
            target=self._run, args=(upload, file, area_code, booths), name="list upload", daemon=True
        )
        thread.start()
        return upload

    def of(self, list_id: str) -> Upload | None:
        """The upload that made a list, if this server has seen it."""
        with self._lock:
            return self._known.get(list_id)

    def _run(self, upload: Upload, file: Path, area_code: str, booths: Sequence[str]) -> None:
        try:
            with self._one, _reader(file, area_code) as messages:
                self._keep(upload, messages, booths)
        finally:
            file.unlink(missing_ok=True)
            if upload.fault:
                self._forget(upload)
            upload.ended.set()
            self._bell.ring(Topic.LISTS)

    def _keep(self, upload: Upload, messages: Iterable[dict[str, Any]], booths: Sequence[str]) -> None:
        """Row by row into the database; the list counts as a list once the last one is there."""
        upload.fault = BROKEN  # until the end has been heard
        expected, sample = -1, False
        for message in messages:
            if "fault" in message:
                upload.fault = message["fault"]
                return
            upload.at, upload.of = message.get("at", upload.at), message.get("of", upload.of)
            if "sample" in message:
                expected, sample = message["entries"] + message["rejects"], message["sample"]
            for table, name in ((list_row, "rows"), (rejected_row, "rejected")):
                if rows := message.get(name):
                    self._insert(upload.list, table, rows)
                    expected -= len(rows)
        if expected == 0:
            self._finish(upload.list, sample=sample, booths=booths)
            upload.fault = ""

    def _insert(self, list_id: str, table: Any, rows: Sequence[dict[str, Any]]) -> None:
        with self._database.write() as connection:
            connection.execute(insert(table), [row | {"list": list_id} for row in rows])

    def _finish(self, list_id: str, *, sample: bool, booths: Sequence[str]) -> None:
        with self._database.write() as connection:
            connection.execute(update(call_list).where(call_list.c.id == list_id).values(revision=1, sample=sample))
            assign(connection, list_id, booths)

    def _forget(self, upload: Upload) -> None:
        log.warning("the upload of list %s failed: %s", upload.list, upload.fault)
        with self._database.write() as connection:
            connection.execute(delete(call_list).where(call_list.c.id == upload.list))


def assign(connection: Connection, list_id: str, booths: Sequence[str]) -> None:
    """Give a list to these booths and to no others; those that are not known are left out."""
    connection.execute(delete(assignment).where(assignment.c.list == list_id))
    known = connection.scalars(select(booth.c.id).where(booth.c.id.in_(list(booths)), booth.c.revoked.is_(None)))
    rows = [{"list": list_id, "booth": booth_id} for booth_id in known]
    if rows:
        connection.execute(insert(assignment), rows)


def _free_name(connection: Connection, name: str) -> str:
    """Calls know their list by its name, so no two have the same."""
    taken = set(connection.scalars(select(call_list.c.name)))
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


@contextmanager
def _reader(file: Path, area_code: str) -> Iterator[Iterator[dict[str, Any]]]:
    command = [sys.executable, "-m", reading.__name__, str(file), area_code]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, encoding="utf-8"
    ) as child:
        assert child.stdout is not None
        try:
            yield _messages(child.stdout)
        finally:
            child.kill()


def _messages(lines: IO[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        yield json.loads(line)
