"""One process of a server: the booth API and the pages, each on a listener of its own, in one event loop.

As a program it is a worker of provisioning.server.workers, which tells it by its standard input what to do, and hears on
its standard output that it does.
"""

import asyncio
import logging
import os
import queue
import signal
import ssl
import sys
import threading
from asyncio import constants, sslproto
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import Future
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from provisioning.server import tls, tokens
from provisioning.server.api import Api
from provisioning.server.archive import ArchiveError
from provisioning.server.environment import EnvironmentWordError
from provisioning.server.operations import logs
from provisioning.server.operations.counters import Counters
from provisioning.server.operations.measures import Measures
from provisioning.server.pages import app as pages
from provisioning.server.parts import DatabaseAwayError, Parts
from provisioning.server.places import AT_ONCE, Place
from provisioning.server.plan import LEAVE_PATIENCE, LINGER, STOP_PATIENCE, Plan
from provisioning.server.protocol import BoothProtocol

log = logging.getLogger(__name__)

START_PATIENCE = 20.0  # seconds until both listeners must answer
KEPT_ALIVE = 75  # seconds for which a booth may keep a connection that it does not use: longer than a long-poll
# Bytes that asyncio sets aside for each TLS connection; its own 256 KiB are 800 MB for a thousand booths with three each.
ROOM = 32 * 1024
GOODBYE = 1.0  # seconds for a booth to answer the end of a connection that it does not use; asyncio's own 30 delay ours


async def _not_told() -> None:
    """Where nobody asks."""


class Serving:
    """Both listeners on a thread of their own. Closes the sockets, not the parts."""

    def __init__(
        self,
        opened: Parts,
        booths: Place,
        browsers: Place,
        *,
        api_url: str,
        hosts: Collection[str],
        zone: str,
        alive: Callable[[], Awaitable[None]] = _not_told,
        measures: tuple[Place, bool] | None = None,
    ) -> None:
        """`alive` is called every second by the event loop; `measures` are where /metrics is, and whether booths are named."""
        self._parts, self._counters = opened, Counters(opened.directory)
        api = self._counters.around("api", Api(opened).app())
        seen = self._counters.around("pages", _pages(opened, api_url, hosts, zone))
        self._listeners = [
            _Listener(api, booths, _tls(opened.directory), alive, BoothProtocol),
            _Listener(seen, browsers, None, _not_told),
        ]
        if measures is not None:
            place, names = measures
            told = Measures(opened.database, opened.archive, opened.directory, names=names, now=opened.now).app()
            self._listeners.append(_Listener(told, place, None, _not_told))
        self._thread = threading.Thread(target=self._work, name="server", daemon=True)
        self._up: Future[None] = Future()

    def start(self) -> None:
        """Listen; returns when both listeners do."""
        self._parts.relay.start()
        self._thread.start()
        self._up.result(START_PATIENCE)

    def stop(self, *, leaving: bool = False) -> None:
        """Finish what is under way, for a few seconds at most. `leaving`: others have taken over, so there is no hurry."""
        for listener in self._listeners:
            listener.end(leaving=leaving)
        self._parts.bell.close()
        if self._thread.ident is not None:
            self._thread.join(LINGER + 2 * (LEAVE_PATIENCE if leaving else STOP_PATIENCE))
        self._counters.close()

    def _work(self) -> None:
        sslproto.SSLProtocol.max_size, constants.SSL_SHUTDOWN_TIMEOUT = ROOM, GOODBYE
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

    def __init__(
        self,
        app: ASGIApp,
        place: Place,
        certificate: ssl.SSLContext | None,
        alive: Callable[[], Awaitable[None]],
        protocol: type[H11Protocol] = H11Protocol,
    ) -> None:
        config = uvicorn.Config(
            app,
            http=protocol,
            lifespan="off",
            log_config=None,
            access_log=False,  # addresses of pages name calls and numbers
            server_header=False,
            backlog=AT_ONCE,
            timeout_keep_alive=KEPT_ALIVE,
            timeout_notify=1,
            callback_notify=alive,
            ws="none",
        )
        config.load()
        config.ssl = certificate
        super().__init__(config)
        self._place, self.up = place, asyncio.Event()
        self._leaving = False

    async def startup(self, sockets: list[Place] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        self.up.set()

    async def listen(self) -> None:
        """Until told to exit."""
        await self.serve([self._place])

    def end(self, *, leaving: bool) -> None:
        """Exit soon; from any thread."""
        self._leaving = leaving
        self.config.timeout_graceful_shutdown = int(LEAVE_PATIENCE if leaving else STOP_PATIENCE)
        self.should_exit = True

    async def shutdown(self, sockets: list[Place] | None = None) -> None:  # type: ignore[override]
        if self._leaving:
            for server in self.servers:
                server.close()
            # Whoever keeps a connection hears with the next answer that it ends here, and comes back to the others.
            self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
            await asyncio.sleep(LINGER)
        await super().shutdown(sockets)  # type: ignore[arg-type]


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


def _tls(directory: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(directory / tls.CERTIFICATE, directory / tls.KEY)
    return context


def main() -> None:
    """Serve until SIGTERM, until SIGHUP says that others have taken over, or until whoever started us is gone."""
    over: queue.SimpleQueue[bool] = queue.SimpleQueue()
    signal.signal(signal.SIGTERM, lambda *_: over.put(False))
    signal.signal(signal.SIGHUP, lambda *_: over.put(True))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is told to all of a terminal; who started us decides
    # Without Python's buffer: a thread that waits at it would stand in the way of our end.
    plan = msgspec.json.decode(os.read(sys.stdin.fileno(), 65536), type=Plan)
    logs.begin(plan.log)
    threading.Thread(target=_follow, name="parent", daemon=True).start()
    try:
        _serve(plan, over)
    except (ArchiveError, DatabaseAwayError, EnvironmentWordError, OSError) as problem:
        log.error("%s", problem)  # noqa: TRY400  (its words say all)
        sys.exit(1)


def _serve(plan: Plan, over: "queue.SimpleQueue[bool]") -> None:
    with closing(Parts.open(Path(plan.directory))) as opened:
        serving = Serving(
            opened,
            Place(fileno=plan.booths),
            Place(fileno=plan.browsers),
            api_url=plan.api_url,
            hosts=plan.hosts,
            zone=plan.zone,
            alive=_alive,
            measures=None if plan.measures < 0 else (Place(fileno=plan.measures), plan.names),
        )
        serving.start()
        os.write(sys.stdout.fileno(), b"up")
        serving.stop(leaving=over.get())


def _follow() -> None:
    """No worker outlives its parent: another server may begin here at once."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


async def _alive() -> None:
    os.write(sys.stdout.fileno(), b".")


if __name__ == "__main__":
    main()
