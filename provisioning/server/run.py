"""The server in one process: the booth API and the pages, each on a listener of its own, in one event loop."""

import asyncio
import logging
import socket
import ssl
import threading
from asyncio import sslproto
from collections.abc import Collection
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from provisioning.server import parts, tls, tokens
from provisioning.server.api import Api
from provisioning.server.lock import Lock
from provisioning.server.pages import app as pages
from provisioning.server.pages.gate import HERE
from provisioning.server.parts import Parts

log = logging.getLogger(__name__)

START_PATIENCE = 20.0  # seconds until both listeners must answer
STOP_PATIENCE = 3.0  # seconds for requests that are under way; long-polls are sent home at once
KEPT_ALIVE = 75  # seconds for which a booth may keep a connection that it does not use: longer than a long-poll
# Bytes that asyncio sets aside for each TLS connection; its own 256 KiB are 800 MB for a thousand booths with three each.
ROOM = 32 * 1024
WAITING = 512  # connections that may wait to be accepted: all booths come back at once after a power cut


class Server:
    """Both listeners on a thread of their own. What the directory lacks is made. Raises TakenError or OSError.

    Port 0: any that is free. `url` is the booth API's as booths reach it, when that is not where it listens; `hosts` are
    the names by which browsers may know the pages; `zone` is that of the times on the pages.
    """

    def __init__(
        self,
        directory: Path,
        *,
        host: str = "127.0.0.1",
        api_port: int = 0,
        pages_host: str = "127.0.0.1",
        pages_port: int = 0,
        url: str = "",
        hosts: Collection[str] = HERE,
        zone: str = "Asia/Tokyo",
    ) -> None:
        parts.make(directory)
        with ExitStack() as undo:
            undo.enter_context(Lock(directory))
            self.parts = Parts.open(directory)
            undo.callback(self.parts.close)
            booths = undo.enter_context(_bound(host, api_port))
            browsers = undo.enter_context(_bound(pages_host, pages_port))
            self.api_url, self.pages_url = url or f"https://{_address(booths)}", f"http://{_address(browsers)}"
            self.parts.reached_at(self.api_url)
            self._listeners = (
                _Listener(Api(self.parts).app(), booths, _tls(directory)),
                _Listener(_pages(self.parts, self.api_url, hosts, zone), browsers, None),
            )
            self._undo = undo.pop_all()
        self._thread = threading.Thread(target=self._work, name="server", daemon=True)
        self._up: Future[None] = Future()

    @property
    def pin(self) -> str:
        """Of the key in use."""
        return self.parts.pins[0]

    def start(self) -> None:
        """Listen; returns when both listeners do."""
        self._thread.start()
        self._up.result(START_PATIENCE)
        log.info("booth API at %s, pages at %s", self.api_url, self.pages_url)

    def stop(self) -> None:
        """Finish what is under way, for a few seconds at most, and end."""
        self.parts.bell.close()
        for listener in self._listeners:
            listener.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(STOP_PATIENCE * 2)
        self._undo.close()

    def new_token(self, name: str) -> str:
        """The enrolment string for a new booth of that name."""
        return self.parts.new_token(name, self.api_url)

    def _work(self) -> None:
        sslproto.SSLProtocol.max_size = ROOM
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        tasks = [asyncio.create_task(listener.listen()) for listener in self._listeners]
        for task, listener in zip(tasks, self._listeners, strict=True):
            up = asyncio.create_task(listener.up.wait())
            await asyncio.wait([task, up], return_when=asyncio.FIRST_COMPLETED)
            up.cancel()
        self._up.set_result(None)
        await asyncio.gather(*tasks)


class _Listener(uvicorn.Server):
    """One listener; tells when it listens."""

    def __init__(self, app: ASGIApp, place: socket.socket, certificate: ssl.SSLContext | None) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,  # addresses of pages name calls and numbers
            server_header=False,
            timeout_keep_alive=KEPT_ALIVE,
            timeout_graceful_shutdown=int(STOP_PATIENCE),
            ws="none",
        )
        config.load()
        config.ssl = certificate
        super().__init__(config)
        self._place, self.up = place, asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def listen(self) -> None:
        """Until told to exit."""
        await self.serve([self._place])


def _pages(opened: Parts, api_url: str, hosts: Collection[str], zone: str) -> ASGIApp:
    return pages.make(
        opened.database,
        opened.archive,
        bell=opened.bell,
        booths=opened.booths,
        facts=opened.facts,
        enrolment=partial(tokens.text, url=api_url, pins=opened.pins),
        secret=opened.secret,
        live=opened.recordings.live,
        zone=zone,
        hosts=hosts,
        now=opened.now,
    )


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named by its protocol, or asyncio leaves Nagle on and every answer waits 40 ms for an acknowledgement.
    place = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((host, port))
        place.listen(WAITING)
    except OSError:
        place.close()
        raise
    return place


def _address(place: socket.socket) -> str:
    host, port = place.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104  (every address of this machine: then its name is what others know)
        host = socket.getfqdn()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _tls(directory: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(directory / tls.CERTIFICATE, directory / tls.KEY)
    return context
