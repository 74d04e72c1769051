"""The gate before every page: our own host names only, no foreign posts, no endless bodies, and what a browser may do.

Any web page may make a browser talk to an address in the office, and a host name may be pointed there (DNS rebinding).
"""

from collections.abc import Collection
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HERE = ("127.0.0.1", "localhost", "[::1]")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
GUARDS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with "no-referrer" browsers post with Origin: null
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
READING = {"GET", "HEAD"}


class TooLarge(Exception):
    """A body goes on beyond what is taken."""


class Gate:
    """Lets in who came by one of `hosts` (names without port); bodies end at `largest` bytes."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], largest: int) -> None:
        self._app, self._hosts, self._largest = app, frozenset(hosts), largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in GUARDS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        app = self._refusal(scope["method"], Headers(scope=scope)) or self._app
        try:
            await app(scope, _limited(receive, self._largest), guarded)
        except TooLarge:
            if not begun:
                await _too_large()(scope, receive, guarded)

    def _refusal(self, method: str, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if _name(host) not in self._hosts:
            return PlainTextResponse("This server does not answer to that name.\n", HTTPStatus.MISDIRECTED_REQUEST)
        if method not in READING and not _from_us(headers, host):
            return PlainTextResponse("Another site sent this request.\n", HTTPStatus.FORBIDDEN)
        length = headers.get("content-length", "0")
        return _too_large() if not length.isdecimal() or int(length) > self._largest else None


def _limited(receive: Receive, largest: int) -> Receive:
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > largest:
            raise TooLarge
        return message

    return limited


def _too_large() -> Response:
    return PlainTextResponse("This is too large.\n", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"connection": "close"})


def _from_us(headers: Headers, host: str) -> bool:
    """Old browsers send neither header; then the form's own token must do."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    return (origin is None or urlsplit(origin).netloc == host) and site in {"same-origin", "none"}


def _name(host: str) -> str:
    """A Host header without its port.

    >>> _name("localhost:8080"), _name("[::1]:8080"), _name("office.example")
    ('localhost', '[::1]', 'office.example')
    """
    return host if host.endswith("]") else host.rpartition(":")[0] or host
