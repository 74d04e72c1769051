"""Signed requests: whose key, for this start of the server, and never the same one twice. No clock has a say in it.

A booth signs with the server's nonce and a counter that only grows. The nonce is new at each start, so the counters
that were seen need not outlive the process: whatever was recorded before a restart carries the wrong nonce.
"""

import base64
import binascii
import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from firmware import wire
from provisioning.server.refusals import Refused

WINDOW = 4096  # counters that may overtake each other: requests run on several connections
_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: who says they are asking, and everything that the signature covers."""

    method: str
    target: str  # path and query as sent
    headers: Mapping[str, str]
    body: bytes

    @property
    def booth(self) -> str:
        """Who says to be asking. Raises Refused."""
        if not (booth := self.headers.get(wire.BOOTH, "")):
            raise _no("unsigned", f"this request must be signed: it has no {wire.BOOTH}")
        return booth


class Window:
    """The counters of one booth that were seen, as far back as they may come late.

    >>> window = Window()
    >>> [window.take(counter) for counter in (7, 5, 7, 5, 8, 5000, 900)]
    [True, True, False, False, True, True, False]
    """

    def __init__(self) -> None:
        self._highest, self._seen = 0, 0  # bit n: highest - n was seen

    def take(self, counter: int) -> bool:
        """Whether this counter is new; from now on it is not."""
        ahead = counter - self._highest
        if ahead > 0:
            kept = (self._seen << ahead) & ((1 << WINDOW) - 1) if ahead < WINDOW else 0
            self._highest, self._seen = counter, kept | 1
            return True
        bit = 1 << -ahead
        if -ahead >= WINDOW or self._seen & bit:
            return False
        self._seen |= bit
        return True


class Signatures:
    """What this start of the server goes by."""

    def __init__(self) -> None:
        self.nonce = secrets.token_urlsafe(24)
        self._lock = threading.Lock()
        self._windows: dict[str, Window] = {}

    def check_nonce(self, asked: Asked) -> None:
        """Cheap enough to do before the body is read. Raises Refused."""
        if not hmac.compare_digest(asked.headers.get(wire.SERVER_NONCE, "").encode(), self.nonce.encode()):
            raise _no("nonce", "the server has started again: fetch its nonce and sign anew")

    def check(self, asked: Asked, key: bytes) -> None:
        """Raises Refused unless `key` has signed this request and it is not an old one."""
        self.check_nonce(asked)
        text = asked.headers.get(wire.COUNTER, "")
        counter = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
        if not 0 < counter < _LARGEST:
            raise _no("counter", f"{wire.COUNTER} is not a number from 1 on")
        signed = wire.signed_text(
            asked.method, asked.target, asked.body, counter=counter, nonce=self.nonce, headers=asked.headers
        )
        if not verifies(key, asked.headers.get(wire.SIGNATURE, ""), signed):
            raise _no("signature", "the signature is not this booth's, or the request was changed on its way")
        with self._lock:
            if not self._windows.setdefault(asked.booth, Window()).take(counter):
                raise _no("counter", "this request was here before, or is too old; sign anew with a higher counter")


def verifies(key: bytes, signature: str, signed: bytes) -> bool:
    """Whether an Ed25519 `key` made a `signature` (base64) of what was `signed`."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(base64.b64decode(signature, validate=True), signed)
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def _no(error: str, detail: str) -> Refused:
    return Refused(HTTPStatus.UNAUTHORIZED, error, detail)
