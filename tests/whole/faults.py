"""A network at its worst, between booths and their server.

Two stages. The first passes bytes on and understands none of them: connections are refused, cut, reset, half closed,
stalled and slowed at any byte. The second holds the server's own key, so that the pin is right, and understands HTTP:
requests fail before or after they have done their work, answers get lost, requests come twice, and late. Most
connections go through both.
"""

import asyncio
import contextlib
import json
import random
import socket
import ssl
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field

from firmware import wire
from provisioning.server import tls

RAW = ("refused", "cut", "reset", "half closed up", "half closed down", "stalled up", "stalled down", "slow")
SPOKEN = ("500", "502", "503", "500 late", "answer lost", "half an answer", "twice", "twice, late answer", "hung")
OVERTAKEN = ("record overtaken", "piece overtaken")
VAIN = "portion taken in vain"  # it is on the disk, but the booth does not hear of it and sends it again at once
EVERY = (*RAW, *SPOKEN, *OVERTAKEN, VAIN)
LIMIT = 64 * 1024  # bytes of a head
LINGER = struct.pack("ii", 1, 0)  # a close with this is a reset
TROUBLE = b"<html><body>Something is wrong between here and there.</body></html>"
HELD = 30.0  # seconds after which a request that was held comes late even if none has overtaken it


@dataclass
class Request:
    """One request as it came."""

    head: bytes
    body: bytes
    method: str
    target: str
    headers: dict

    @property
    def close(self):
        return self.headers.get("connection", "").lower() == "close"

    def versions(self):
        """The results that records of calls carry: call → version."""
        if self.target != wire.CALLS:
            return {}
        records = json.loads(self.body)["calls"]
        return {record["id"]: (record["result"] or {}).get("version", 0) for record in records}


@dataclass
class Held:
    """A request that will come late."""

    request: Request
    kind: str
    overtaken: asyncio.Event = field(default_factory=asyncio.Event)

    def see(self, other):
        """Whether another request that has been answered means that this one comes too late."""
        if self.kind == "record overtaken":
            ours, theirs = self.request.versions(), other.versions()
            later = any(theirs.get(call, 0) > version for call, version in ours.items())
        else:
            later = other.method == "PATCH" and other.target == self.request.target
        if later:
            self.overtaken.set()


async def _exactly(reader):
    """A head, split: its bytes, its first line, its headers in lower case. Raises IncompleteReadError."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    pairs = (line.partition(":") for line in lines)
    return head, first, {name.lower(): value.strip() for name, _, value in pairs}


async def _request(reader):
    head, first, headers = await _exactly(reader)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, target, _ = first.split(" ")
    return Request(head, body, method, target, headers)


async def _answer(reader, method):
    head, first, headers = await _exactly(reader)
    status = int(first.split(" ")[1])
    bodiless = method == "HEAD" or status == 204
    body = b"" if bodiless else await reader.readexactly(int(headers["content-length"]))
    return status, head, body


class Line:
    """Listens on a port of its own and leads to the server on `port`; `directory` is the server's, for its key.

    Every kind of fault is tried until it has happened once; after that chance decides, one fault for some `every` bytes
    or `often` requests. `through`: the share of connections that go through both stages. `spoil`: in so many uploads that
    are on their way a byte goes bad on the server's disk.
    """

    def __init__(self, port, directory, seed=0, *, patience, every=40_000, often=0.15, through=0.7, spoil=0):
        self._to, self._directory, self._chance = port, directory, random.Random(seed)
        self._patience, self._every, self._often, self._through = patience, every, often, through
        self.happened, self.statuses = Counter(), Counter()
        self._spoil, self._bad, self._vain = spoil, set(), set()
        self.connections = 0
        self.own_faults = []  # of this file: then it proves nothing
        self._held = []
        self._tasks = set()
        self._open = True
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._work, name="line", daemon=True)
        self._thread.start()
        assert self._up.wait(5)

    @property
    def url(self):
        """Where booths believe the server."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def missing(self):
        """The kinds of fault that have not happened yet."""
        return [kind for kind in EVERY if not self.happened[kind]]

    def settle(self, patience=15.0):
        """Let all that was held come late, and wait until it has been answered."""
        asyncio.run_coroutine_threadsafe(self._settle(), self._loop).result(patience)

    def close(self):
        """Hang up on everybody."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _work(self):
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda _loop, context: self.own_faults.append(str(context)))
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        self._over = asyncio.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._directory / tls.CERTIFICATE, self._directory / tls.KEY)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE
        first = await asyncio.start_server(self._guarded(self._pass_on), "127.0.0.1", 0)
        second = await asyncio.start_server(
            self._guarded(self._understand), "127.0.0.1", 0, ssl=context, limit=LIMIT, ssl_shutdown_timeout=0.5
        )
        self.port, self._second = (server.sockets[0].getsockname()[1] for server in (first, second))
        self._up.set()
        await self._over.wait()
        first.close()
        second.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _guarded(self, handle):
        """A handler that closes its end whatever happens, and takes broken connections for what they are here."""

        async def handler(reader, writer):
            try:
                await handle(reader, writer)
            except (OSError, EOFError, ValueError, TimeoutError):
                pass
            finally:
                writer.transport.abort()

        return handler

    # The first stage

    def _fate(self, kinds):
        """What is to happen next: first all that has not happened yet, then anything."""
        missing = [kind for kind in kinds if not self.happened[kind]]
        return self._chance.choice(missing or kinds)

    async def _pass_on(self, reader, writer):
        self.connections += 1
        flow = Flow(self._fate(RAW), self._chance, self._every, writer)
        if flow.kind == "refused":
            if self.connections % 4:  # most of the time it is another one
                flow.renew(self._fate(RAW[1:]))
            else:
                self.happened["refused"] += 1
                _reset(writer)
                return
        port = self._second if self._chance.random() < self._through else self._to
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        flow.far = far_writer
        try:
            up = asyncio.create_task(self._pump(flow, reader, far_writer, "up"))
            down = asyncio.create_task(self._pump(flow, far_reader, writer, "down"))
            ways = {up, down}
            while ways and not flow.over:
                _, ways = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                if not flow.half:
                    break
            for way in (up, down):
                way.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        finally:
            far_writer.transport.abort()

    async def _pump(self, flow, reader, writer, way):
        """Pass bytes on in one direction, until its fate comes true."""
        while data := await reader.read(4096):
            if flow.stalled:
                continue  # swallowed; but that somebody hangs up is heard
            if flow.slow > 0:
                flow.slow -= 1
                await self._slowly()
            if flow.due(way, len(data)):
                self.happened[flow.kind] += 1
                if not await flow.come_true(data, writer):
                    return
                flow.renew(self._fate(RAW[1:]))
                continue
            writer.write(data)
            await writer.drain()

    async def _slowly(self):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), 0.01)

    # The second stage

    async def _understand(self, reader, writer):
        far, before = None, 0
        try:
            while True:
                request = await _request(reader)
                kind = self._spoken(request, before)
                before += 1
                if kind in OVERTAKEN:
                    self._hold(request, kind)
                    return
                if kind in {"500", "502", "503"}:
                    self.happened[kind] += 1
                    await self._fail(writer, request, kind)
                    continue
                if kind == "hung":
                    self.happened[kind] += 1
                    await asyncio.wait_for(reader.read(), 4 * self._patience)  # until the booth has had enough
                    return
                far = far or await self._dial()
                said = await self._ask(far, request)
                if not await self._tell(kind, request, said, writer):
                    return
        finally:
            if far is not None:
                far[1].transport.abort()

    def _spoken(self, request, before):
        """The fate of a request, when so many came on its connection before."""
        kinds = SPOKEN
        if request.method == "PATCH":
            kinds = (*SPOKEN, "piece overtaken")
            if before and request.body and request.headers.get(wire.COMPLETE.lower()) == "?0":
                kinds = (*kinds, VAIN)
        elif request.target == wire.CALLS and any(request.versions().values()):
            kinds = (*SPOKEN, "record overtaken")
        missing = [kind for kind in kinds if not self.happened[kind]]
        if rare := [kind for kind in missing if kind in (*OVERTAKEN, VAIN)]:  # that can seldom be
            missing = rare
        if self._chance.random() >= (0.5 if missing else self._often):
            return "well"
        return self._chance.choice(missing or kinds)

    async def _dial(self):
        return await asyncio.open_connection("127.0.0.1", self._to, ssl=self._context, ssl_shutdown_timeout=0.5)

    async def _ask(self, far, request):
        """What the server says. Its time is counted generously: it may be starting."""
        far[1].write(request.head + request.body)
        said = await asyncio.wait_for(_answer(far[0], request.method), 30)
        self.statuses[f"{request.method} {said[0]}"] += 1
        if said[0] < 300:
            self._rot(request)
            for held in self._held:
                held.see(request)
        return said

    @property
    def spoilt(self):
        """How many uploads had a byte go bad."""
        return len(self._bad)

    def _rot(self, request):
        part = self._directory / "incoming" / f"{request.target.rpartition('/')[2]}.part"
        partial = request.method == "PATCH" and request.headers.get(wire.COMPLETE.lower()) == "?0"
        if partial and self.spoilt < self._spoil and part not in self._bad and part.stat().st_size:
            self._bad.add(part)
            with part.open("r+b") as file:
                byte = file.read(1)
                file.seek(0)
                file.write(bytes([byte[0] ^ 1]))

    async def _tell(self, kind, request, said, writer):
        """Answer, or not; whether the connection is still good."""
        status, head, body = said
        if kind.startswith("twice"):
            again = await self._dial()
            try:
                second = await self._ask(again, request)
            finally:
                again[1].transport.abort()
            if kind != "twice":
                _, head, body = second
        portion = request.target, request.headers.get(wire.OFFSET.lower())
        if portion in self._vain and status != 401:
            self._vain.discard(portion)
            self.happened[VAIN] += 1
        if kind == VAIN and status < 300:
            self._vain.add(portion)
        elif kind not in {"well", VAIN}:
            self.happened[kind] += 1
        if kind in {"answer lost", VAIN}:
            return False
        if kind == "half an answer":
            writer.write(head[: len(head) // 2])
            await writer.drain()
            return False
        if kind == "500 late":
            await self._fail(writer, request, "500")
            return True
        writer.write(head + body)
        await writer.drain()
        return not request.close

    async def _fail(self, writer, request, status):
        head = f"HTTP/1.1 {status} Trouble\r\ncontent-type: text/html\r\ncontent-length: {len(TROUBLE)}\r\n\r\n"
        writer.write(head.encode() + (b"" if request.method == "HEAD" else TROUBLE))
        await writer.drain()

    def _hold(self, request, kind):
        """Let the booth believe that nothing came of it, and pass the request on when another has overtaken it."""
        held = Held(request, kind)
        self._held.append(held)
        task = asyncio.create_task(self._come_late(held))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _come_late(self, held):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(held.overtaken.wait(), HELD)
        overtaken = held.overtaken.is_set() and self._open
        self._held.remove(held)
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            far = await self._dial()
            try:
                status, _, _ = await self._ask(far, held.request)
            finally:
                far[1].transport.abort()
            # One that the server did not even look at, since it had started again meanwhile, proves nothing.
            self.happened[held.kind] += overtaken and status != 401

    async def _settle(self):
        self._open = False
        for held in self._held:
            held.overtaken.set()
        await asyncio.gather(*self._tasks)
        self._open = True


class Flow:
    """One connection of the first stage, and what is to become of it."""

    def __init__(self, kind, chance, every, near):
        self._chance, self._every = chance, every
        self._near, self.far = near, None
        self.stalled = self.half = self.over = False
        self.slow = 0
        self.renew(kind)

    def renew(self, kind):
        """From now on."""
        self.kind = kind
        # Hardly anything comes down, and little goes up before the first answer.
        self._way = "down" if kind.endswith("down") else "up" if kind.endswith("up") else self._chance.choice(WAYS)
        share = 0.2 if self._way == "down" else 1.0
        self._left = 300 + int(self._chance.expovariate(1 / (share * self._every)))

    def due(self, way, count):
        """Whether it happens with these bytes."""
        if way != self._way or self.half:
            return False
        self._left -= count
        return self._left < 0

    async def come_true(self, data, writer):
        """Do it; whether the direction goes on."""
        part = data[: max(0, len(data) + self._left)]
        writer.write(part)
        with contextlib.suppress(OSError):
            await writer.drain()
        if self.kind.startswith("stalled"):
            self.stalled = True
            return True
        if self.kind == "slow":
            writer.write(data[len(part) :])
            self.slow = 25
            return True
        if self.kind.startswith("half closed"):
            self.half = True
            writer.write_eof()
            return False
        self.over = True
        if self.kind == "reset":
            _reset(self._near)
            _reset(self.far)
        return False


WAYS = ("up", "down")


def _reset(writer):
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
    writer.transport.abort()
