"""Takes a recording in and dies, at every point where it touches the disk, one after the other.

    server_victim.py DIRECTORY CALL BOOTH JOURNAL

A child is forked for each point, and another one that comes after it, as the next start of the server would, and goes
on as the booth would. Prints how many points there were.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path
from uuid import UUID

import obstore
from sqlalchemy import Engine, event, select

from provisioning.server import schema
from provisioning.server.booths import Booth
from provisioning.server.parts import Parts
from provisioning.server.recordings import Portion

TOUCHES = ("open", "pwrite", "fdatasync", "fsync", "replace", "link", "unlink")
DIED = 9


class Doom:
    """Ends the process at the n-th touch: odd ones before, even ones after it is done."""

    def __init__(self, point):
        self.left = point

    def near(self):
        self.left -= 1
        if not self.left:
            os._exit(DIED)

    def around(self, function):
        def touched(*arguments, **options):
            self.near()
            result = function(*arguments, **options)
            self.near()
            return result

        return touched

    def everywhere(self):
        for name in TOUCHES:
            setattr(os, name, self.around(getattr(os, name)))
        obstore.put = self.around(obstore.put)
        event.listen(Engine, "commit", lambda _: self.near())


def upload(parts, whose, whole, acked, point):
    (one, call), middle = whose, len(whole) // 2
    Doom(point).everywhere()
    first = parts.recordings.take(one, call, Portion(0, whole[:middle], last=False, length=None, digest=None))
    acked.write_text(str(first.offset))
    digest = hashlib.sha256(whole).digest()
    parts.recordings.take(one, call, Portion(middle, whole[middle:], last=True, length=len(whole), digest=digest))
    acked.write_text("all")
    parts.recordings.settle(10)


def go_on(parts, whose, whole, acked):
    one, call = whose
    told = acked.read_text() if acked.exists() else "0"
    found = parts.recordings.progress(one, call)
    assert found.digest or told != "all"
    assert found.digest or found.offset >= int(told)
    if not found.digest:
        digest = hashlib.sha256(whole).digest()
        rest = Portion(found.offset, whole[found.offset :], last=True, length=len(whole), digest=digest)
        parts.recordings.take(one, call, rest)
    parts.recordings.settle(10)
    with parts.database.read() as connection:
        row = connection.execute(select(schema.recording)).one()
    assert (row.state, row.bytes, row.id) == ("whole", len(whole), str(call))
    assert len(row.peaks) == 2 * 200
    for name in (f"{call}.journal", f"{call}.opus"):
        expected = whole if name.endswith("journal") else (parts.directory.parent / "expected.opus").read_bytes()
        assert bytes(obstore.get(parts.archive, name).bytes()) == expected
    assert not list((parts.directory / "incoming").iterdir())


def forked(work, directory, *arguments):
    pid = os.fork()
    if not pid:
        status = 1
        try:
            work(Parts.open(directory), *arguments)
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(directory, call, booth, journal):
    whose, whole = (Booth(booth, "Booth"), UUID(call)), Path(journal).read_bytes()
    points = 0
    while True:
        points += 1
        copy = Path(directory).parent / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(directory, copy)
        acked = copy / "acked"
        status = forked(upload, copy, whose, whole, acked, points)
        assert status in {0, DIED}, f"point {points}"
        assert forked(go_on, copy, whose, whole, acked) == 0, f"after point {points}"
        if status == 0:
            break
    print(points - 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
