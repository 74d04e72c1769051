"""The key pair of the recordings: booths know the public half only, so a stolen card plays nothing."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pyrage
from pyrage import x25519

from provisioning import intact

_LOCKED = (b"age-encryption.org/v1", b"-----BEGIN AGE ENCRYPTED FILE-----")


class KeyFileError(Exception):
    """A key file that is not there, holds no age identity, or stands in the way."""


def make(path: Path) -> str:
    """Write a new secret key to `path`, readable by its owner only, and return the public key. Never overwrites."""
    identity = x25519.Identity.generate()
    public = str(identity.to_public())
    try:
        intact.create(path, f"# recordings of booths; public key: {public}\n{identity}\n".encode("ascii"))
    except FileExistsError as problem:
        raise KeyFileError(
            f"{path} exists already; a key is never overwritten, recordings sealed to it would be lost"
        ) from problem
    except OSError as problem:
        raise KeyFileError(f"{path}: {problem.strerror}") from problem
    return public


def load(path: Path, passphrase: Callable[[], str] | None = None) -> Sequence[x25519.Identity]:
    """The secret keys in an age identity file; `passphrase` is asked for one that is protected by it (`age -p`)."""
    try:
        data = path.read_bytes()
        lines = (_unlocked(path, data, passphrase) if data.startswith(_LOCKED) else data).decode("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as problem:
        raise KeyFileError(f"{path} cannot be read: {problem}") from problem
    secrets = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not secrets:
        raise KeyFileError(f"{path} holds no key")
    try:
        return [x25519.Identity.from_str(secret) for secret in secrets]
    except pyrage.IdentityError as problem:
        raise KeyFileError(f"{path} holds no age key (AGE-SECRET-KEY-1…): {problem}") from problem


def _unlocked(path: Path, data: bytes, passphrase: Callable[[], str] | None) -> bytes:
    if passphrase is None:
        raise KeyFileError(f"{path} is protected by a passphrase: decrypt it first (age -d {path})")
    try:
        unlocked: bytes = pyrage.passphrase.decrypt(data, passphrase())
    except pyrage.DecryptError as problem:
        raise KeyFileError(f"{path}: the passphrase is wrong, or the file is damaged") from problem
    return unlocked
