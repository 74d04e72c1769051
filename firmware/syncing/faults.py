"""What can go wrong between booth and server, each with a word that a screen can translate and a plain sentence."""

from collections.abc import Mapping
from http import HTTPStatus


class SyncError(Exception):
    """Something that is not this program's fault; `code` is a key of firmware.screens.words.SYNC_ERRORS."""

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

    def __init__(self, status: int, error: str, detail: str) -> None:
        super().__init__(detail or error or f"HTTP {status}")
        self.status, self.error = status, error
        self.code = _code(status, error)


class Unintelligible(SyncError):
    """The server's answer is of another version, or no answer at all."""

    code = "unknown-version"


class BadToken(SyncError):
    """The text that was given is no enrolment token."""

    code = "bad-token"


class AlreadyRunning(SyncError):
    """Another booth-sync serves this booth: two would count signatures apart and steal each other's wake-ups."""

    code = "running"


_BY_ERROR = {"token-spent": "spent-token", "revoked": "revoked", "version": "unknown-version"}
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
