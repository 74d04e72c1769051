"""The desk page's server: for this machine and this browser alone.

Any web page may make a browser talk to 127.0.0.1, and a host name may be pointed there (DNS rebinding): so Host and Origin
must be ours, and every request needs the token that was printed at the start.
"""

import asyncio
import json
import secrets
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

import jinja2
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers, QueryParams
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from firmware.desk.cable import HERE
from firmware.desk.modems import MODEMS
from firmware.desk.page import Memory, Page, UnknownAct
from firmware.desk.sound import Sound
from firmware.desk.words import ANSWERS, LAMPS, LANGUAGES, Language, chosen_language, texts

PAGES = Path(__file__).parent / "pages"
KEYS = "123A456B789C*0#D"  # as they lie
FRESH = 1 / 30  # seconds between two looks at the booth
LONGEST = 1000  # bytes in one message of the page
PATIENCE = 2  # seconds for open pages to go away at the end
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
GUARDS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"permissions-policy": b"microphone=(self), camera=(), geolocation=()",
}
FILES = ("desk.css", "desk.js", "sound.js", "worklet.js")


class Gate:
    """Lets in whoever holds the token and came by one of our own names; says what a browser may do with the answer."""

    def __init__(self, app: ASGIApp, *, port: int, token: str) -> None:
        self._app, self._token = app, token
        self._hosts = {f"{name}:{port}" for name in (HERE, "localhost")}
        self.cookie = f"desk-{port}"  # cookies know no ports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(HTTPConnection(scope)) if scope["type"] in {"http", "websocket"} else None
        if refusal is None:
            await self._app(scope, receive, lambda message: send(self._guarded(message)))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _refusal(self, asked: HTTPConnection) -> Response | None:
        if not self._ours(asked.headers):
            return PlainTextResponse("This is not a name of the desk.\n", HTTPStatus.MISDIRECTED_REQUEST)
        shown = _address_token(asked) or asked.cookies.get(self.cookie, "")
        if not secrets.compare_digest(shown.encode(), self._token.encode()):
            return PlainTextResponse("Open the address that booth-desk has printed.\n", HTTPStatus.FORBIDDEN)
        return None

    def _ours(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        from_us = origin is None or origin in {f"http://{host}" for host in self._hosts}
        return from_us and headers.get("host") in self._hosts

    def _guarded(self, message: Message) -> Message:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *GUARDS.items()]
        return message


def _address_token(asked: HTTPConnection) -> str | None:
    """The token in the address: only the page itself is opened that way, all else comes with the cookie."""
    return asked.query_params.get("token") if asked.url.path == "/" else None


class Desk:
    """The page and its WebSockets. The booth is never touched on the event loop's thread."""

    def __init__(self, page: Page, hands: ThreadPoolExecutor, *, language: Language, cookie: tuple[str, str]) -> None:
        self._page, self._hands, self._language, self._cookie = page, hands, language, cookie
        loader = jinja2.FileSystemLoader(PAGES)
        self._pages = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )

    @property
    def routes(self) -> list[Route | WebSocketRoute]:
        return [
            Route("/", self.html),
            *(Route(f"/{name}", self.file) for name in FILES),
            WebSocketRoute("/booth", self.booth),
            WebSocketRoute("/sound", Sound(self._page.handset).serve),
        ]

    async def html(self, request: Request) -> Response:
        language = self._asked_language(request.query_params)
        text = self._pages.get_template("desk.html").render(
            t=texts(language),
            language=language,
            other=next(other for other in LANGUAGES if other != language),
            size=self._page.size,
            has_hook=self._page.has_hook,
            callers=self._page.callers,
            lamps=LAMPS,
            keys=KEYS,
            answers=ANSWERS,
            modems=[(name, kind.words[LANGUAGES.index(language)]) for name, kind in MODEMS.items()],
            troubles=self._page.troubles,
            supervisor=self._page.supervisor,
        )
        answer = HTMLResponse(text)
        answer.set_cookie(*self._cookie, httponly=True, samesite="strict")
        return answer

    def _asked_language(self, asked: QueryParams) -> Language:
        return chosen_language(asked.get("lang"), self._language)

    async def file(self, request: Request) -> Response:
        return FileResponse(PAGES / request.url.path.removeprefix("/"))

    async def booth(self, web_socket: WebSocket) -> None:
        """One open page: acts come in, what has changed goes out."""
        await web_socket.accept()
        telling = asyncio.create_task(self._tell(web_socket))
        down: set[str] = set()
        try:
            await self._listen(web_socket, down)
        except UnknownAct as fault:
            telling.cancel()
            await web_socket.close(1008, str(fault)[:100])
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect):
                await telling
            for key in down:  # a closed page holds no key down
                await self._do("up", key)

    async def _listen(self, web_socket: WebSocket, down: set[str]) -> None:
        """Until it is gone. Raises UnknownAct."""
        while (message := await web_socket.receive())["type"] == "websocket.receive":
            act, about = _act(message.get("text") or "")
            await self._do(act, about)
            if act in {"down", "up"}:
                (down.add if act == "down" else down.discard)(about)

    async def _do(self, act: str, about: str) -> None:
        await asyncio.get_running_loop().run_in_executor(self._hands, self._page.act, act, about)

    async def _tell(self, web_socket: WebSocket) -> None:
        memory = Memory()
        while True:
            words, picture = await asyncio.to_thread(self._page.news, memory)
            if words:
                await web_socket.send_text(json.dumps(words, ensure_ascii=False))
            if picture:
                await web_socket.send_bytes(picture)
            await asyncio.sleep(FRESH)


def _act(message: str) -> tuple[str, str]:
    """The page's [act, about].

    >>> _act('["down", "5"]')
    ('down', '5')
    """
    try:
        act, about = json.loads(message)
    except (ValueError, TypeError) as fault:
        raise UnknownAct(message) from fault
    if not (isinstance(act, str) and isinstance(about, str)):
        raise UnknownAct(message)
    return act, about


def desk_app(page: Page, hands: ThreadPoolExecutor, *, port: int, token: str, language: Language) -> Starlette:
    """The page's web application; `hands` is the one thread that touches the booth."""
    desk = Desk(page, hands, language=language, cookie=(f"desk-{port}", token))
    return Starlette(routes=desk.routes, middleware=[Middleware(Gate, port=port, token=token)])


@contextmanager
def serving(page: Page, *, port: int = 0, language: Language = "ja") -> Iterator[str]:
    """Serve the page on a thread of its own; yields the address to open, token included.

    Raises OSError when the port is taken.
    """
    token = secrets.token_urlsafe(24)
    with socket.create_server((HERE, port)) as ear, ThreadPoolExecutor(1, "desk hands") as hands:
        port = ear.getsockname()[1]
        server = uvicorn.Server(
            uvicorn.Config(
                desk_app(page, hands, port=port, token=token, language=language),
                ws="websockets-sansio",
                ws_max_size=LONGEST,
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,  # it would hold the token
                server_header=False,
                timeout_graceful_shutdown=PATIENCE,
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [ear]}, name="desk web")
        thread.start()
        try:
            yield f"http://{HERE}:{port}/?token={token}"
        finally:
            server.should_exit = True
            thread.join()
