"""The booth's line to its server: TLS to a pinned key, checked before any byte is told, and signed requests.

The only file of the booth that opens a socket to a network.
"""

import base64
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hmac import compare_digest
from time import monotonic
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware import wire
from firmware.syncing import spki
from firmware.syncing.faults import Refused, Silent, SyncError, TlsFailed, Unintelligible, Unreachable, WrongPin
from firmware.syncing.identity import Counter

PATIENCE = 15.0  # seconds for a connection, and for each silence within an answer, unless told otherwise
RENEWALS = 2  # of a nonce for one request
LONGEST_REST = 300.0  # seconds for which a server can have itself left alone
LARGEST = 32 * 1024 * 1024  # bytes of an answer
_PIECE = 64 * 1024
_NO_BODY: Mapping[str, str] = {}
_M = TypeVar("_M", bound=wire.Message)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes | bytearray


class _PinnedConnection(http.client.HTTPConnection):
    """HTTP on a TLS connection whose key has been compared with the pins."""

    def __init__(self, host: str, port: int, pins: Collection[str], patience: float) -> None:
        super().__init__(host, port, timeout=patience)
        self._pins = pins

    def connect(self) -> None:
        super().connect()
        plain = self.sock
        try:
            self.sock = _context().wrap_socket(plain, server_hostname=self.host)
            shown = self.sock.getpeercert(binary_form=True) or b""
            found = wire.pin_of(spki.public_key(shown))
            if not any(compare_digest(found, pin) for pin in self._pins):
                raise WrongPin("another server answers at this address: it has not the key that the token named")
        except BaseException:  # goes on as it is: only, no connection stays whose key was not compared
            plain.close()
            self.close()
            raise


class Channel:
    """One connection at a time, opened when it is needed and kept. Used by one thread; `end` comes from another."""

    def __init__(self, url: str, pins: Collection[str], patience: float = PATIENCE) -> None:
        """`patience`: seconds of silence after which the server counts as gone."""
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 443, parts.path.rstrip("/")
        self.pins = pins  # looked at when a connection is made
        self._patience = patience
        self._connection: _PinnedConnection | None = None
        self._lock, self._over = threading.Lock(), False

    @property
    def kept(self) -> bool:
        """Whether a connection stands that the server may have closed meanwhile."""
        return self._connection is not None

    def exchange(self, method: str, target: str, body: bytes, headers: Mapping[str, str], wait: float = 0.0) -> Answer:
        """Ask and be answered; the server may take `wait` seconds more than usual.

        Raises SyncError; the connection is then closed.
        """
        try:
            connection = self._open()
            connection.sock.settimeout(self._patience)
            connection.request(method, self._path + target, body or None, dict(headers))
            connection.sock.settimeout(self._patience + wait)
            return self._answer(connection, monotonic() + 2 * self._patience + wait)
        except TimeoutError as problem:
            self.close()
            raise Silent("the server does not answer") from problem
        except (ssl.SSLEOFError, ssl.SSLSyscallError, ssl.SSLZeroReturnError) as problem:  # a server that just ended
            self.close()
            raise Unreachable("the server hung up before a word was said: is it just starting, or ending?") from problem
        except (ssl.SSLError, spki.CertificateError) as problem:
            self.close()
            raise TlsFailed(f"no TLS with the server: {problem}") from problem
        except (OSError, http.client.HTTPException) as problem:
            self.close()
            raise Unreachable(_why(problem)) from problem
        except SyncError:
            self.close()
            raise

    def close(self) -> None:
        """Let the connection go; the next exchange makes another."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def end(self) -> None:
        """From another thread: no more, not even what is under way."""
        with self._lock:
            self._over = True
            plain = self._connection.sock if self._connection else None
            if plain is not None:
                with suppress(OSError):  # past the TLS layer, which only its own thread may touch
                    socket.socket.shutdown(plain, socket.SHUT_RDWR)

    def _open(self) -> _PinnedConnection:
        if self._connection is None:
            made = _PinnedConnection(self._host, self._port, self.pins, self._patience)
            made.connect()
            with self._lock:
                self._connection = made
        if self._over:
            raise Unreachable("sync is ending")
        return self._connection

    def _answer(self, connection: _PinnedConnection, until: float) -> Answer:
        response = connection.getresponse()
        body = bytearray()
        while piece := response.read(_PIECE):
            body += piece
            if len(body) > LARGEST or monotonic() > until:
                raise Unreachable("the answer is too long" if len(body) > LARGEST else "the answer takes too long")
        if response.length:  # read() keeps quiet about an end that came too soon
            raise Unreachable("the server broke off in the middle of its answer")
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.will_close:
            self.close()
        return Answer(response.status, headers, body)


class Link:
    """Signed requests of an enrolled booth."""

    def __init__(
        self,
        channel: Channel,
        booth: str,
        key: Ed25519PrivateKey,
        counter: Counter,
        heard: Callable[[float], None] = lambda _utc: None,
    ) -> None:
        """`heard` is told the server's time (UTC seconds) whenever the server has answered."""
        self.channel, self._booth, self._key, self._counter, self._heard = channel, booth, key, counter, heard
        self._nonce, self._ahead = "", 0.0

    def greet(self) -> None:
        """Have the server tell its time, if it has not yet. Raises SyncError."""
        if not self._nonce:
            nonce = read(self.channel.exchange("GET", wire.NONCE, b"", {}), wire.Nonce)
            self._nonce, self._ahead = nonce.nonce, nonce.time - monotonic()
            self._heard(nonce.time)

    def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Mapping[str, str] = _NO_BODY,
        wait: float = 0.0,
    ) -> Answer:
        """The server's answer, whatever its status. Raises SyncError when there is none.

        A connection that had grown old is renewed once, a nonce of before the server's last start twice: of several
        processes the one that gave the new nonce may just have been leaving, too.
        """
        answer = self._once_more(method, target, body, headers, wait)
        for _ in range(RENEWALS):
            if answer.status != 401:
                break
            self._nonce = ""
            answer = self._once_more(method, target, body, headers, wait)
        return answer

    def get(self, target: str, kind: type[_M], wait: float = 0.0) -> _M:
        """A message from the server. Raises SyncError."""
        return read(self.ask("GET", target, wait=wait), kind)

    def post(self, target: str, message: wire.Message, kind: type[_M]) -> _M:
        """Tell the server something; what it says. Raises SyncError."""
        return read(self.ask("POST", target, wire.encode(message), {"Content-Type": "application/json"}), kind)

    def _once_more(self, method: str, target: str, body: bytes, headers: Mapping[str, str], wait: float) -> Answer:
        old = self.channel.kept
        try:
            return self._signed(method, target, body, headers, wait)
        except Unreachable as problem:
            if not old or isinstance(problem, Silent):
                raise
            return self._signed(method, target, body, headers, wait)

    def _signed(self, method: str, target: str, body: bytes, headers: Mapping[str, str], wait: float) -> Answer:
        self.greet()
        counter = self._counter.next()
        text = wire.signed_text(method, target, body, counter=counter, nonce=self._nonce, headers=headers)
        signature = base64.b64encode(self._key.sign(text)).decode("ascii")
        signed = {
            wire.BOOTH: self._booth,
            wire.COUNTER: str(counter),
            wire.SERVER_NONCE: self._nonce,
            wire.SIGNATURE: signature,
        }
        answer = self.channel.exchange(method, target, body, {**headers, **signed}, wait)
        self._heard(monotonic() + self._ahead)
        return answer


def read(answer: Answer, kind: type[_M]) -> _M:
    """The message in an answer. Raises Refused for a no, Unintelligible for what cannot be understood."""
    refuse(answer)
    try:
        return wire.decode(answer.body, kind)
    except wire.WireError as problem:
        raise Unintelligible(f"the server's answer: {problem}") from problem


def refuse(answer: Answer) -> None:
    """Raises Refused if the answer is a no."""
    if answer.status < 400:
        return
    try:
        said = wire.decode(answer.body, wire.Refusal)
    except wire.WireError:
        said = wire.Refusal(error="", detail=f"the server answers with HTTP {answer.status}")
    raise Refused(answer.status, said.error, said.detail, _after(answer.headers.get("retry-after", "")))


def _after(text: str) -> float:
    """Seconds of a Retry-After, within reason; a date there is as good as nothing, for a booth may not know the time."""
    return min(float(text), LONGEST_REST) if text.isascii() and text.isdecimal() and len(text) < 10 else 0.0


def _context() -> ssl.SSLContext:
    # The pin alone decides: names and dates in a certificate need a clock, which a booth may not have.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def _why(problem: OSError | http.client.HTTPException) -> str:
    if isinstance(problem, socket.gaierror):
        return "the server's name is not known: is there a network?"
    if isinstance(problem, ConnectionRefusedError):
        return "nobody answers at the server's address: is the server running?"
    if isinstance(problem, http.client.HTTPException) and not isinstance(problem, OSError):
        return "the server broke off in the middle of its answer"
    return f"no connection to the server: {getattr(problem, 'strerror', None) or problem}"
