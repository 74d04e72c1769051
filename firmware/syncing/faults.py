"""What can go wrong between booth and server, each with a word that a screen can translate and a plain sentence."""

from collections.abc import Mapping
from http import HTTPStatus

from firmware import wire


class SyncError(Exception):
    """Something that is not this program's fault; `code` is a key of firmware.screens.statuswords.SYNC_ERRORS."""

    code = "server-broken"


class Unreachable(SyncError):
    """No connection, or it broke: server off, cable out, no such name."""

    code = "server-down"


class Silent(Unreachable):
    """The connection stands but nothing comes."""

    code = "server-silent"


class TlsFailed(SyncError):
    """Whoever answered speaks no TLS that we take."""

    code = "tls"


class WrongPin(SyncError):
    """Whoever answered is not the server that this booth was enrolled at; not a byte was told."""

    code = "wrong-pin"


class Refused(SyncError):
    """The server answered, and said no."""

    def __init__(self, status: int, error: str, detail: str, after: float = 0.0) -> None:
        """`after`: seconds for which the server wants to be left alone; 0: it does not say."""
        super().__init__(detail or error or f"HTTP {status}")
        self.status, self.error, self.after = status, error, after
        self.code = _code(status, error)

    @property
    def of_content(self) -> bool:
        """Whether it was said of the one thing that was sent, and not of this booth, this moment or the server."""
        if self.error in _OF_CONTENT or self.error in _OF_TRANSPORT:
            return self.error in _OF_CONTENT
        return 400 <= self.status < 500 and self.status not in _NOT_OF_CONTENT

    @property
    def my_turn_comes(self) -> bool:
        """Whether the server has too much to take in from others now; what is small may go all the same."""
        return self.error == wire.QUEUE


class Unintelligible(SyncError):
    """The server's answer is of another version, or no answer at all."""

    code = "unknown-version"


class BadToken(SyncError):
    """The text that was given is no enrolment token."""

    code = "bad-token"


class AlreadyRunning(SyncError):
    """Another booth-sync serves this booth: two would count signatures apart and steal each other's wake-ups."""

    code = "running"


_OF_CONTENT, _OF_TRANSPORT = ("foreign",), ("cut", "slow")
_NOT_OF_CONTENT = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.LOCKED,
    HTTPStatus.UPGRADE_REQUIRED,
    HTTPStatus.TOO_MANY_REQUESTS,
)
_BY_ERROR = {
    "booth-quota": "server-full",
    "token-spent": "spent-token",
    "revoked": "revoked",
    "version": "unknown-version",
}
_BY_STATUS: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "not-known",
    HTTPStatus.FORBIDDEN: "not-known",
    HTTPStatus.UPGRADE_REQUIRED: "unknown-version",
    HTTPStatus.LOCKED: "server-busy",
    HTTPStatus.TOO_MANY_REQUESTS: "server-busy",
    HTTPStatus.SERVICE_UNAVAILABLE: "server-busy",
    HTTPStatus.INSUFFICIENT_STORAGE: "server-full",
}


def _code(status: int, error: str) -> str:
    if error in _BY_ERROR:
        return _BY_ERROR[error]
    if error.startswith("token"):
        return "bad-token"
    return _BY_STATUS.get(status, "server-broken" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused")
