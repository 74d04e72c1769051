"""Who this booth is to its server: address, pin, name, an Ed25519 key made here, and a counter that only grows."""

import base64
import fcntl
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware import wire
from firmware.mailbox import IDENTITY
from firmware.syncing.faults import AlreadyRunning, BadToken

LEAP = 1000  # a counter starts so far ahead of the last one that may have been used
_PIN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Identity:
    """What enrolment has made of this booth. Nothing in it is secret; the key lies in a file of its own."""

    url: str
    pins: tuple[str, ...]  # of every key that the server may show (wire.pin_of)
    booth: str  # UUID
    name: str
    spent: str = ""  # SHA-256 of the token's secret, which is of no use to anybody any more


class Wallet:
    """The files of one booth's identity, in `data`/sync."""

    def __init__(self, data: Path) -> None:
        self._identity = data / IDENTITY
        self._key, self._counter = self._identity.with_name("key"), self._identity.with_name("counter")
        self._lock, self._candidate = self._identity.with_name("lock"), self._identity.with_name("key.new")

    def identity(self) -> Identity | None:
        """Who we are; None before the enrolment."""
        if not self._identity.exists():
            return None
        kept = json.loads(self._identity.read_text(encoding="utf-8"))
        return Identity(**(kept | {"pins": tuple(kept["pins"])}))

    def key(self) -> Ed25519PrivateKey:
        """The booth's key, made at the first call; it never leaves this file."""
        return Wallet._made(self._key)

    @staticmethod
    def _made(path: Path) -> Ed25519PrivateKey:
        if not path.exists():
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            _replace(path, base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()), 0o600)
        for folder in path.parent, path.parent.parent:  # before a token is spent on it, also when a crash came between
            _known(folder)
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_bytes()))

    def keep(self, identity: Identity) -> None:
        """We are enrolled, from now on and after a power cut."""
        text = json.dumps(asdict(identity), ensure_ascii=False, indent=2) + "\n"
        _replace(self._identity, text.encode("utf-8"), 0o644)

    def candidate(self) -> Ed25519PrivateKey:
        """The key for a new enrolment, made at the first call. The present one stays until `renew`, should it fail."""
        return Wallet._made(self._candidate)

    def renewing(self) -> bool:
        """Whether a new enrolment has begun and not come to its end."""
        return self._candidate.exists()

    def renew(self, identity: Identity) -> None:
        """The candidate is our key from now on. The counter stays: it must never fall."""
        self.keep(identity)  # first: killed in between, the same enrolment can be asked for again with the same key
        self._candidate.replace(self._key)
        _known(self._key.parent)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While the block lasts, no other process does this; the kernel lets go when we die. Raises AlreadyRunning."""
        with self._lock.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                raise AlreadyRunning("another booth-sync is running for this booth already: stop it first") from problem
            yield

    def counter(self) -> "Counter":
        """The counter, from beyond whatever may have been used before."""
        return Counter(self._counter)


class Counter:
    """Numbers that were never given out before, whatever the clock says and however often we were killed."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        kept = path.read_text(encoding="ascii").strip() if path.exists() else "0"
        self._next = self._reserved = int(kept)

    def next(self) -> int:
        """The next number."""
        with self._lock:
            if self._next >= self._reserved:
                _replace(self._path, f"{self._next + LEAP}\n".encode("ascii"), 0o600)
                self._reserved = self._next + LEAP
            self._next += 1
            return self._next


def token(text: str) -> wire.Token:
    """The enrolment token in `text`. Raises BadToken.

    >>> token("booth1:http://server.example:8443:" + "A" * 43 + ":secret")
    Traceback (most recent call last):
        ...
    firmware.syncing.faults.BadToken: the token's address is not one of https://…: copy the token again
    """
    try:
        found = wire.Token.read(text)
    except wire.WireError as problem:
        raise BadToken(str(problem)) from problem
    _check_url(found.url)
    if not all(map(_PIN.fullmatch, found.pin.split(","))):
        raise BadToken("the token's pin is not whole: copy the token again")
    return found


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as problem:
        raise BadToken("the token's address cannot be read: copy the token again") from problem
    if parts.scheme != "https" or not host or parts.query or parts.fragment:
        raise BadToken("the token's address is not one of https://…: copy the token again")


def _replace(path: Path, data: bytes, mode: int) -> None:
    """Whole or not at all, whatever happens."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        os.write(file, data)
        os.fsync(file)
    finally:
        os.close(file)
    part.replace(path)
    _known(path.parent)


def _known(folder: Path) -> None:
    """The names in it survive a power cut."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
