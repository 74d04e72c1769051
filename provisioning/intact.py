"""Small files that are whole or not there at all, whatever happens while they are written: keys above all.

An empty or half a key file would stand in the way of every later start.
"""

import os
from pathlib import Path


def create(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, for its owner only; on disk, name and bytes, when this returns.

    Raises FileExistsError and changes nothing if it is there; OSError.
    """
    _write(path, data, replace=False)


def replace(path: Path, data: bytes) -> None:
    """The same in the place of one that may be there. Raises OSError."""
    _write(path, data, replace=True)


def _write(path: Path, data: bytes, *, replace: bool) -> None:
    if not replace and path.exists():
        raise FileExistsError(path)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)  # of one who crashed
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(file, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    settle(path.parent)


def settle(folder: Path) -> None:
    """Make the names in a folder survive a power cut. Raises OSError."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
