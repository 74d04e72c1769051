"""Passwords of accounts: argon2id, one at a time, since each takes 9 MiB, which the C library keeps for the next one."""

from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 10  # characters
LONGEST = 1000
# Of the settings that OWASP's Password Storage Cheat Sheet gives as equally strong, one that takes little memory.
_hasher = PasswordHasher(time_cost=4, memory_cost=9 * 1024, parallelism=1)
_one = Lock()
# Nobody's: an unknown name takes as long as a known one.
_nobody = _hasher.hash("nobody's password")


def hashed(password: str) -> str:
    """What is kept of a password."""
    with _one:
        return _hasher.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether this is the password of which `kept` was kept; None (no such account) takes as long and never is."""
    try:
        with _one:
            return _hasher.verify(kept or _nobody, password[:LONGEST]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
