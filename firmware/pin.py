"""PINs: kept as scrypt hashes, compared in constant time, tried only so often. No booth has a PIN by default."""

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Callable

SHORTEST, LONGEST = 4, 10
# Cost: 16 MiB and about 50 ms on a PC, 0.2 s on a Pi 4. Four digits are no secret to somebody who holds the card, at
# any cost one can wait for; the limit of tries is what protects the keypad. Supervisors should take six or more.
N, R, P = 2**14, 8, 1
_MEMORY = 64 * 1024 * 1024
_FORM = re.compile(r"scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9+/]{22,}={0,2})\$([A-Za-z0-9+/]{43}=)")


def is_pin(text: str) -> bool:
    """Whether this can be a PIN: 4 to 10 ASCII digits.

    >>> is_pin("0412"), is_pin("041"), is_pin("０４１２")
    (True, False, False)
    """
    return SHORTEST <= len(text) <= LONGEST and text.isascii() and text.isdigit()


def is_hash(text: str) -> bool:
    """Whether this is what hash_pin makes, at a cost that this machine can bear."""
    found = _FORM.fullmatch(text)
    if found is None:
        return False
    n, r, p = (int(found[group]) for group in (1, 2, 3))
    return n > 1 and n & (n - 1) == 0 and r >= 1 and 1 <= p <= 16 and 128 * r * (n + p + 2) <= _MEMORY


def hash_pin(pin: str, cost: int = N) -> str:
    """What device.toml keeps of a PIN: `scrypt$n$r$p$salt$hash`, n being its cost. Raises ValueError if it is none."""
    if not is_pin(pin):
        raise ValueError(f"a PIN has {SHORTEST} to {LONGEST} digits and nothing else")
    salt = os.urandom(16)
    made = _scrypt(pin, salt, cost, R, P)
    return f"scrypt${cost}${R}${P}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def verify(pin: str, hashed: str) -> bool:
    """Whether this is the PIN. Raises ValueError if `hashed` is no hash: settings have refused such a one."""
    if not is_hash(hashed):
        raise ValueError("no PIN hash")
    _, n, r, p, salt, kept = hashed.split("$")
    made = _scrypt(pin, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(made, base64.b64decode(kept))


def _scrypt(pin: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


FREE_TRIES = 5
LOCKS = (60.0, 300.0, 900.0, 3600.0)
"""Seconds without a try after the fifth wrong PIN, and after each one more; the last holds for all further ones."""


class Tries:
    """How often a wrong PIN may be keyed: five times, then after growing waits.

    `kept` is what `keep` was last given, from before a restart; `keep` must have it on the card when it returns. Only
    the count is kept, never a time: a restart begins the wait anew, so cutting the power wins nothing, and no clock has
    to be right. `now` is any clock that does not jump, in seconds.
    """

    def __init__(self, kept: str | None, keep: Callable[[str], object], now: float) -> None:
        self._count = int(kept or 0)
        self._keep = keep
        self._free_at = now + self._wait()

    def left(self, now: float) -> int:
        """How many wrong PINs are allowed before the next wait; none while one lasts."""
        return 0 if self.locked(now) else max(1, FREE_TRIES - self._count)

    def locked(self, now: float) -> float:
        """Seconds until the next try; 0 when one is allowed."""
        return max(0.0, self._free_at - now)

    def failed(self, now: float) -> None:
        """A wrong PIN was keyed."""
        self._count += 1
        self._free_at = now + self._wait()
        self._keep(str(self._count))

    def succeeded(self) -> None:
        """The right PIN was keyed: all is forgotten."""
        if self._count:
            self._keep("0")
        self._count, self._free_at = 0, float("-inf")

    def _wait(self) -> float:
        beyond = self._count - FREE_TRIES
        return LOCKS[min(beyond, len(LOCKS) - 1)] if beyond >= 0 else 0.0
