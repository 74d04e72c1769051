"""Whose the files of a data directory are: units run as users of their own, people often as root."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def given(directory: Path) -> Iterator[None]:
    """What is root's in `directory` when the block has ended is the directory's owner's afterwards.

    A directory that is not a unit's yet is given to its user by systemd, with all that is in it.
    """
    try:
        yield
    finally:
        if os.geteuid() == 0 and directory.is_dir():
            _give(directory)


def _give(directory: Path) -> None:
    """By name within each folder, so that nobody can put a link in the way; what cannot be given stays root's."""
    owner = directory.stat()
    for _, folders, files, place in os.fwalk(directory) if owner.st_uid else ():
        for name in (*folders, *files):
            with suppress(OSError):
                found = os.stat(name, dir_fd=place, follow_symlinks=False)
                # A file with two names may be one of root's own that was linked here.
                if found.st_uid == 0 and (stat.S_ISDIR(found.st_mode) or found.st_nlink == 1):
                    os.chown(name, owner.st_uid, owner.st_gid, dir_fd=place, follow_symlinks=False)
