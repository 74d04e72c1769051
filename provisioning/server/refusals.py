"""How the server says no to a booth: a status, a word for programs, a sentence for people."""

from collections.abc import Mapping
from http import HTTPStatus

_NONE: Mapping[str, str] = {}


class Refused(Exception):
    """What a booth asked for cannot be done; it becomes a firmware.wire.Refusal on the wire."""

    def __init__(self, status: HTTPStatus, error: str, detail: str, headers: Mapping[str, str] = _NONE) -> None:
        super().__init__(detail)
        self.status, self.error, self.detail, self.headers = status, error, detail, headers
