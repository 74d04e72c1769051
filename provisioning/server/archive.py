"""The archive: finished recordings, in a folder or in any store that obstore knows.

`<uuid>.opus` plays; `<uuid>.journal` is what the booth sent, still sealed.
"""

import os
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

PLACE = "BOOTH_ARCHIVE"  # the environment's word for another place: a folder, or s3://bucket/folder
OPUS, JOURNAL = ".opus", ".journal"


def open_archive(place: str | Path) -> ObjectStore:
    """The store at `place`. A remote one gives up soon, because a booth waits: it asks again by itself."""
    if "://" in str(place):
        return from_url(str(place), retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)})
    Path(place).mkdir(mode=0o700, parents=True, exist_ok=True)
    return LocalStore(place)


def keep(archive: ObjectStore, name: str, file: Path) -> None:
    """Put a copy of `file` into the archive, whole or not at all; on disk when this returns."""
    obstore.put(archive, name, file, max_concurrency=1)  # parts of 5 MB, in memory one after the other
    if isinstance(archive, LocalStore) and archive.prefix is not None:
        # obstore writes beside and renames, but leaves it to the system when that reaches the disk.
        _synced(Path(archive.prefix) / name, os.O_RDONLY)
        _synced(Path(archive.prefix), os.O_RDONLY | os.O_DIRECTORY)


def _synced(path: Path, flags: int) -> None:
    handle = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
