"""What was promised to whom while a call went its way, and the judge who compares it with what is on the disks."""

import hashlib
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from firmware.journal import PACKETS
from provisioning import keys, recording
from provisioning.server.parts import RECORDINGS_KEY, Parts

# Answers that an honest booth never gets: its bytes called wrong, itself called a stranger, what it asks for not there.
UNJUST = frozenset({400, 403, 404, 413, 415, 422})
LIST, WHOLE = "春", "whole"


class History:
    """One file that all processes of a case write, a line each: whoever was told something before says it before."""

    def __init__(self, path):
        self._path = Path(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def tell(self, what, **more):
        """It has happened; from any process and thread."""
        os.write(self._file, (json.dumps({"what": what} | more) + "\n").encode())

    def read(self):
        """Everything, oldest first, but for a line that is just being written."""
        whole, _, _ = self._path.read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def has(self, what, **more):
        """Whether it has happened."""
        return any(one == one | {"what": what} | more for one in self.read())

    def count(self, what):
        """How often it has happened."""
        return sum(one["what"] == what for one in self.read())


def peeked(path, question, *values):
    """The same while others are at work there: nothing unless its log is there, which SQLite would else make itself."""
    return rows(path, question, *values) if Path(f"{path}-wal").exists() else []


def rows(path, question, *values):
    """What is in a database, read without writing; nothing if it cannot be read now."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)) as db:
            return db.execute(question, values).fetchall()
    except sqlite3.Error:
        return []


def digest(path):
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody with the key hears of a recording."""

    segments: int = 0
    frames: int = 0
    faults: tuple = ()


def heard(path, identities):
    """A recording, opened; nothing where it ended before anything was kept."""
    try:
        found = recording.load(path, identities)
    except recording.RecordingError as problem:
        return Heard() if "no sound" in str(problem) else Heard(faults=(str(problem),))
    return Heard(found.segments, len(found.agent), tuple(fault.detail for fault in found.faults))


class Judge:
    """Looks at one booth's card and its server's directory when all is over, and says everything that must not be."""

    def __init__(self, history, card, server=None):
        self._told, self._card, self._server = history.read(), card, server
        self._faults = []

    def verdict(self, *, audio=True):
        """The faults; `audio`: nothing but two seconds may be missing, for the card was never full or broken."""
        self.promises()
        self._card_itself(audio=audio)
        if self._server is not None:
            self._both()
        return self._faults

    def given_up(self):
        """The faults where the card has given up its copies: the file goes with its row, and never what only we have."""
        data = self._card / "booth.db"
        self._must(rows(data, "PRAGMA integrity_check") == [("ok",)], "the booth's database is damaged")
        copies = rows(data, "SELECT recording, state, why FROM delivered")
        self._must([row[1:] for row in copies] == [("gone", "space")], f"copies on the card: {copies}")
        left = sorted(path.name for path in (self._card / "recordings").glob("*"))
        self._must(not left, f"left over on the card: {left}")
        for name, sent in rows(data, "SELECT recording, digest FROM upload"):
            kept = self._server / "archive" / f"{name}.journal"
            self._must(kept.exists() and digest(kept) == sent, f"recording {name} is nowhere any more")
        for one in self._of("finished"):
            self._must(rows(data, "SELECT 1 FROM call WHERE id = ?", one["call"]), f"call {one['call']} is gone")
        return self._faults

    def _must(self, true, fault):
        if not true:
            self._faults.append(fault)

    def _of(self, what):
        return [one for one in self._told if one["what"] == what]

    def promises(self):
        """What the server has said it never takes back, and it calls nobody wrong who is right; the faults so far."""
        far = {}
        for one in self._of("answer"):
            name, status = one["target"], one["status"]
            if one["method"] == "HEAD" and status == 404:
                status, one["offset"] = 200, 0
            self._must(status not in UNJUST, f"the server answers {one['method']} {name} with {status}")
            if "recordings" in name and status < 300 and one["offset"] is not None:
                before = far.get(name, 0)
                self._must(one["offset"] >= before, f"the server had {before} bytes of {name}, and has {one['offset']}")
                far[name] = max(before, one["offset"])
        return self._faults

    def _card_itself(self, *, audio):
        data = self._card / "booth.db"
        calls = {row[0]: row for row in rows(data, "SELECT id, version, cause, answered, recording FROM call")}
        self._must(rows(data, "PRAGMA integrity_check") == [("ok",)], "the booth's database is damaged")
        self._must(len(self._of("atd")) <= len(calls), f"{len(self._of('atd'))} dials, {len(calls)} calls in the books")
        for one in self._of("dialled"):
            self._must(one["call"] in calls, f"call {one['call']} was dialled and is not in the books")
            attempts = rows(data, "SELECT 1 FROM fact WHERE call = ? AND kind = 'attempt'", one["call"])
            self._must(len(attempts) == 1, f"call {one['call']} has {len(attempts)} attempts")
        for one in self._of("finished"):
            known = calls.get(one["call"])
            self._must(known and known[1] == 1, f"call {one['call']} was shown as saved, and has no result")
        for call, version, cause, _answered, _recording in calls.values():
            self._must(cause is not None and version == 1, f"call {call} is half there: {cause}, {version} results")
        self._recordings({call: row[4] for call, row in calls.items()}, audio=audio)
        left = [str(path.relative_to(self._card)) for path in self._card.rglob("*.part*")]
        self._must(not left, f"left over on the card: {left}")

    def _recordings(self, calls, *, audio):
        identities = keys.load(self._key())
        found = {path.stem: path for path in (self._card / "recordings").glob("*")}
        for name, path in found.items():
            self._must(name in calls, f"recording {name} belongs to no call")
            self._must(calls.get(name), f"recording {name} is not in the books of its call")
            opened = heard(path, identities)
            self._must(not opened.faults, f"recording {name}: {opened.faults}")
            said = json.loads(calls.get(name) or "{}")
            self._must(said.get("sha256") in {None, "", digest(path)}, f"recording {name} is not what the books say")
            came = max((one["frames"] for one in self._of("heard") if one["call"] == name), default=0)
            lost = came - opened.frames
            self._must(not audio or lost <= PACKETS, f"recording {name}: {lost} frames of {came} are lost")
        for one in self._of("segment"):
            if one["call"] not in found:
                self._must(False, f"recording {one['call']} had {one['count']} segments, and is gone")
            else:
                opened = heard(found[one["call"]], identities)
                kept = f"recording {one['call']}: {opened.segments} of {one['count']} segments"
                self._must(opened.segments >= one["count"], kept)

    def _key(self):
        return (self._server or self._card.parent / "server") / RECORDINGS_KEY

    def _both(self):
        """The server has what the booth has, once, and nothing else; it is opened once more, as after a power cut."""
        parts = Parts.open(self._server)
        try:
            parts.recordings.settle(30)
            with parts.database.read() as connection:
                ask = connection.exec_driver_sql
                self._the_same("call", ask("SELECT id, result FROM call").all(), _CALLS)
                self._the_same("fact", ask("SELECT id, kind FROM fact").all(), "SELECT id, kind FROM fact")
                self._the_same("shift", ask("SELECT id, kind FROM shift").all(), "SELECT id, kind FROM shift")
                taken = ask("SELECT id, sha256, state, problem, peaks IS NOT NULL FROM recording").all()
        finally:
            parts.close()
        self._archive({row[0]: tuple(row[1:]) for row in taken})
        card = self._card / "booth.db"
        waiting = rows(card, "SELECT kind, ref FROM outbox")
        self._must(not waiting, f"still in the outbox: {waiting}")
        self._must(rows(card, _LISTS) == [(LIST, 3)], f"lists on the card: {rows(card, _LISTS)}")

    def _the_same(self, what, there, question):
        here = sorted(rows(self._card / "booth.db", question))
        there = sorted(map(tuple, there))
        self._must(here == there, f"{what}: the card has {here}, the server {there}")

    def _archive(self, taken):
        journals = {path.stem: path for path in (self._card / "recordings").glob("*.journal")}
        identities = keys.load(self._key())
        silent = {name for name, path in journals.items() if not heard(path, identities).segments}
        self._must(set(taken) == set(journals), f"recordings: the card has {set(journals)}, the server {set(taken)}")
        for name in set(taken) & set(journals):
            right = (digest(journals[name]), WHOLE, "", 1)
            if name in silent:
                right = (right[0], "refused", *taken[name][2:])
            self._must(taken[name] == right, f"recording {name}: {taken[name]} on the server, right is {right}")
            sent = rows(self._card / "booth.db", "SELECT state, digest FROM upload WHERE recording = ?", name)
            self._must(sent == [("synced", right[0])], f"recording {name} counts as {sent} on the card, not {right[0]}")
            kept = self._server / "archive" / f"{name}.journal"
            self._must(kept.exists() and digest(kept) == right[0], f"recording {name}: wrong bytes in the archive")
        wanted = {f"{name}.journal" for name in journals} | {f"{name}.opus" for name in set(journals) - silent}
        there = {str(path.relative_to(self._server / "archive")) for path in (self._server / "archive").rglob("*")}
        self._must(there == wanted, f"too many or too few files in the archive: {sorted(there ^ wanted)}")
        for name in there & wanted:
            self._must((self._server / "archive" / name).stat().st_size, f"{name} is empty in the archive")
        left = [path.name for path in (self._server / "incoming").iterdir() if path.stem.count("-") == 4]  # a UUID
        self._must(not left, f"left over of uploads: {left}")


_CALLS = """
SELECT c.id, r.code FROM call c LEFT JOIN result r ON r.call = c.id AND r.version = c.version
"""
_LISTS = "SELECT g.name, a.revision FROM arrival a JOIN assigned g ON g.uuid = a.uuid WHERE a.complete = 1"
