"""The archive: finished recordings, in a folder or in an S3 store.

`<uuid>.opus` plays; `<uuid>.journal` is what the booth sent, still sealed. The database says which of them count: nothing
here is ever written on a condition, since S3 stores differ in whether they keep to one.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, ObjectStore, S3Store

PLACE = "BOOTH_ARCHIVE_URL"  # the environment's word for another place: s3://bucket/folder, or a folder
ENDPOINT, KEY, SECRET = "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
REGION, TOKEN = "AWS_REGION", "AWS_SESSION_TOKEN"
OPUS, JOURNAL = ".opus", ".journal"
PIECE = 256 * 1024  # bytes in memory at once
_PROBE = "boothphone.probe"


class ArchiveError(Exception):
    """The archive cannot be used; the text says what to do, and never a secret."""


def open_archive(place: str | Path, words: Mapping[str, str] = os.environ) -> ObjectStore:
    """The store at `place`; `words` are the environment, which says how to reach an S3 store.

    Raises ArchiveError, also where a store answers but does not take anything.
    """
    if "://" not in str(place):
        Path(place).mkdir(mode=0o700, parents=True, exist_ok=True)
        return LocalStore(place)
    address = urlsplit(str(place))
    if address.scheme == "file":
        return open_archive(address.path, words)
    if address.scheme != "s3" or not address.hostname or address.username or address.query:
        raise ArchiveError(f"{PLACE} must be s3://bucket/folder or a folder")
    store = _s3(address.hostname, address.path.strip("/"), words)
    with _answering(words):
        obstore.put(store, _PROBE, b"boothphone")
        obstore.delete(store, _PROBE)
    return store


def _s3(bucket: str, folder: str, words: Mapping[str, str]) -> S3Store:
    if missing := [name for name in (KEY, SECRET) if not words.get(name)]:
        # Without them the client would ask the network it runs in for a key.
        raise ArchiveError(f"{PLACE} is an S3 store: its key is missing, set {' and '.join(missing)}")
    wanted = {"access_key_id": KEY, "secret_access_key": SECRET, "endpoint": ENDPOINT, "region": REGION}
    wanted["session_token"] = TOKEN
    reached = {name: words[word] for name, word in wanted.items() if words.get(word)}
    return S3Store(
        bucket,
        prefix=folder or None,
        config=cast("Any", reached),  # obstore's own type for it exists only for type checkers
        client_options={
            "connect_timeout": timedelta(seconds=3),
            "timeout": timedelta(seconds=30),
            "allow_http": words.get(ENDPOINT, "").startswith("http://"),
        },
        # It gives up soon, because a booth waits: it asks again by itself.
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
    )


@contextmanager
def _answering(words: Mapping[str, str]) -> Iterator[None]:
    """What a store says that is wrong becomes an ArchiveError. Its own words are not told: they may quote a key."""
    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError):
        raise ArchiveError(f"the S3 store refuses the key: check {KEY}, {SECRET} and its rights") from None
    except (NotFoundError, FileNotFoundError):
        raise ArchiveError(f"there is no such bucket: make it, or correct {PLACE}") from None
    except BaseError:
        where = words.get(ENDPOINT) or "Amazon"
        raise ArchiveError(
            f"no S3 store answers as it should at {_bare(where)}: is it up, and {ENDPOINT} right?"
        ) from None


def _bare(url: str) -> str:
    """An address without what may be secret in it.

    >>> _bare("https://me:word@store.example:9000/x?key=1")
    'https://store.example:9000'
    """
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}" if address.scheme else address.path


def keep(archive: ObjectStore, name: str, file: Path) -> None:
    """Put `file`, whose bytes are on the disk, into the archive, whole or not at all; safe when this returns.

    Raises ArchiveError or OSError.
    """
    put(archive, name, file)
    settle(archive)


def put(archive: ObjectStore, name: str, file: Path) -> None:
    """The same, but a folder may still lose it in a power cut before `settle` returns."""
    if not isinstance(archive, LocalStore):
        with _answering(os.environ):
            obstore.put(archive, name, file, max_concurrency=1)  # parts of 5 MB, in memory one after the other
        return
    place = _folder(archive) / name
    try:
        _linked(file, place)
    except OSError:  # another file system, or one that knows no links
        obstore.put(archive, name, file, max_concurrency=1)
        _synced(place, os.O_RDONLY)


def settle(archive: ObjectStore) -> None:
    """Make the names of all that was put safe."""
    if isinstance(archive, LocalStore):
        _synced(_folder(archive), os.O_RDONLY | os.O_DIRECTORY)


def _linked(file: Path, place: Path) -> None:
    """One more name for the same bytes: no second copy, and the first name stays until everything is done."""
    try:
        place.hardlink_to(file)
    except FileExistsError:
        if place.samefile(file):
            return
        beside = file.with_name(f"{file.name}.link")
        beside.unlink(missing_ok=True)
        beside.hardlink_to(file)
        beside.replace(place)


@contextmanager
def at_hand(archive: ObjectStore, name: str, scratch: Path) -> Iterator[Path]:
    """A file with what the archive keeps under `name`; a remote store's is copied to `scratch` while the block lasts.

    Raises FileNotFoundError or ArchiveError.
    """
    if isinstance(archive, LocalStore):
        yield _folder(archive) / name
        return
    try:
        with scratch.open("wb") as out:
            for piece in pieces(archive, name, range(size(archive, name))):
                out.write(piece)
        yield scratch
    finally:
        scratch.unlink(missing_ok=True)


def size(archive: ObjectStore, name: str) -> int:
    """Bytes of what is kept under `name`. Raises FileNotFoundError or ArchiveError."""
    try:
        return int(obstore.head(archive, name)["size"])
    except (NotFoundError, FileNotFoundError):
        raise FileNotFoundError(name) from None
    except BaseError:
        with _answering(os.environ):
            raise


def pieces(archive: ObjectStore, name: str, part: range) -> Iterator[bytes]:
    """The bytes of that part, little by little. Raises ArchiveError."""
    for start in range(part.start, part.stop, PIECE):
        with _answering(os.environ):
            yield bytes(obstore.get_range(archive, name, start=start, end=min(part.stop, start + PIECE)))


def _folder(archive: LocalStore) -> Path:
    assert archive.prefix is not None
    return Path(archive.prefix)


def _synced(path: Path, flags: int) -> None:
    handle = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
