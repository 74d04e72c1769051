"""Whose the files of a data directory are: units run as users of their own, people often as root."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def given(directory: Path) -> Iterator[None]:
    """What root makes in `directory` while the block lasts is the directory's owner's afterwards.

    A directory that is not a unit's yet is given to its user by systemd, with all that is in it.
    """
    try:
        yield
    finally:
        if os.geteuid() == 0 and directory.is_dir():
            _give(directory)


def _give(directory: Path) -> None:
    owner = directory.stat()
    for path in directory.rglob("*") if owner.st_uid else ():
        with suppress(FileNotFoundError):  # a program is at work there
            if path.lstat().st_uid == 0:
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
