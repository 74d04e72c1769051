"""Makes backups and restores them and dies, at every n-th touch of the disk, one after the other.

    backup_victim.py SERVER FOLDER STEP

A child is forked for each point, from a process in which no thread runs yet. After each death only what is whole may be
taken for a backup, and the next try must come to its end. Prints how many points there were.
"""

import os
import shutil
import sys
from pathlib import Path

from provisioning import cli
from provisioning.server.operations import shelf

TOUCHES = ("open", "fsync", "replace", "unlink", "mkdir", "link", "rename")
DIED = 9


class Doom:
    """Ends the process at the n-th touch."""

    def __init__(self, point):
        self.left = point

    def around(self, function):
        def touched(*arguments, **options):
            self.left -= 1
            if not self.left:
                os._exit(DIED)
            return function(*arguments, **options)

        return touched

    def everywhere(self):
        for name in TOUCHES:
            setattr(os, name, self.around(getattr(os, name)))


def forked(point, *arguments):
    pid = os.fork()
    if not pid:
        code = 1
        try:
            Doom(point).everywhere()
            code = cli.main([str(one) for one in arguments])
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(server, folder, step):
    folder.mkdir()
    dest, place, points = folder / "backups", folder / "restored", 0
    point = 1
    while (code := forked(point, "server", "backup", dest, "--data", server)) == DIED:
        for whole in shelf.whole(dest):
            assert not list(shelf.Backup(whole).damage())
        points, point = points + 1, point + step
    assert code == 0
    assert forked(-1, "server", "restore", dest, "--look-only") == 0
    point = 1
    while (code := forked(point, "server", "restore", dest, "--data", place)) == DIED:
        points, point = points + 1, point + step
        if point % 2:  # the next one goes on, or begins anew
            shutil.rmtree(place, ignore_errors=True)
    assert code == 0
    print(points)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
