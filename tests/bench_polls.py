"""`make bench`, polls: 1,000 and 5,000 booths wait for news, each on a TLS connection of its own that is kept.

Their rows are put into the server's books, all with one key; from then on everything is as with enrolled booths. What is
measured is the time from a fact that one booth tells to its arrival at each of the others, and the server's memory.
"""

import argparse
import asyncio
import base64
import resource
import ssl
import tempfile
import time
import uuid
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert

from firmware import wire
from firmware.known import FactKind
from provisioning.server.database import Database
from provisioning.server.schema import booth
from tests.bench_server import Central, memory, share

WAIT = 40  # seconds for which a booth asks to be kept waiting
AT_ONCE = 40  # handshakes
PATIENCE = 240.0  # seconds until everybody must have heard


class Listener:
    """One booth that waits for news."""

    def __init__(self, place, name, key, nonce):
        self._place, self._name, self._key, self._nonce = place, name, key, nonce
        self._counters, self._cursor, self._lists = count(1), "", ""
        self.heard = {}  # when each fact came

    async def begin(self, context, gate):
        """Connect, and hear all that there is to hear."""
        async with gate:
            self._reader, self._writer = await asyncio.open_connection(*self._place, ssl=context)
            while await self._ask(0):
                pass

    async def go_on(self):
        """For ever."""
        while True:
            await self._ask(WAIT)

    async def _ask(self, wait):
        asked = {"cursor": self._cursor, "lists": self._lists if wait else "", "wait": str(wait)}
        target = f"{wire.FACTS}?{urlencode(asked)}"
        self._writer.write(self._signed(target))
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        body = await self._reader.readexactly(int(head.split("content-length:")[1].split()[0]))
        assert head.startswith("http/1.1 200"), (head, body)
        news = wire.decode(body, wire.News)
        self._cursor, self._lists = news.cursor, news.lists
        now = time.monotonic()
        for fact in news.facts:
            self.heard[msgspec.json.decode(fact)["id"]] = now
        return bool(news.facts)

    def _signed(self, target):
        counter = next(self._counters)
        text = wire.signed_text("GET", target, b"", counter=counter, nonce=self._nonce, headers={})
        signature = base64.b64encode(self._key.sign(text)).decode("ascii")
        said = {
            "Host": "bench", wire.BOOTH: self._name, wire.COUNTER: counter,
            wire.SERVER_NONCE: self._nonce, wire.SIGNATURE: signature,
        }  # fmt: skip
        return "\r\n".join(
            [f"GET {target} HTTP/1.1", *(f"{key}: {value}" for key, value in said.items()), "", ""]
        ).encode()


def tell(link):
    """A refusal's id, and when it was told."""
    fact = wire.Fact(
        id=str(uuid.uuid4()), kind=FactKind.ATTEMPT.value, number="+81312345601", at=time.time(), booth="bench",
        agent="", call=str(uuid.uuid4()),
    )  # fmt: skip
    began = time.monotonic()
    link.post(wire.FACTS, wire.Facts(facts=(msgspec.Raw(wire.encode(fact)),)), wire.Taken)
    return fact.id, began


async def fan_out(central, names, key, news):
    """How long each piece of news takes to each booth."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the bench made the server itself
    nonce, gate = central.nonce(central.known), asyncio.Semaphore(AT_ONCE)
    listeners = [Listener(central.address, name, key, nonce) for name in names]
    await asyncio.gather(*(listener.begin(context, gate) for listener in listeners))
    waiting, took, link = [asyncio.create_task(one.go_on()) for one in listeners], [], central.link()
    for _ in range(news):
        told, began = await asyncio.to_thread(tell, link)
        while not all(told in listener.heard for listener in listeners):
            assert time.monotonic() < began + PATIENCE, "a booth has not heard"
            await asyncio.wait(waiting, timeout=0.05)
        took += [listener.heard[told] - began for listener in listeners]
    resident = memory(central.process)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return took, resident


def measured(directory, booths, news):
    """One line of the report."""
    central, key = Central(directory / "server"), Ed25519PrivateKey.generate()
    try:
        central.enrol(directory / "booth")
        names = [str(uuid.uuid4()) for _ in range(booths)]
        rows = [
            {"id": one, "name": one[:8], "key": key.public_key().public_bytes_raw(), "enrolled": 0.0} for one in names
        ]
        database = Database(f"sqlite:///{central.directory / 'server.db'}")
        with database.write() as connection:
            connection.execute(insert(booth), rows)
        database.close()
        took, resident = asyncio.run(fan_out(central, names, key, news))
    finally:
        central.close()
    middle, worst = (share(took, part) for part in (0.5, 0.99))
    print(
        f"news to {booths} waiting booths: p50 {middle:.2f} s, p99 {worst:.2f} s; server {resident:.0f} MB", flush=True
    )


def main():
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--booths", type=int, nargs="*", default=[1000, 5000])
    parser.add_argument("--news", type=int, default=5)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a file for each booth, on both sides
    for booths in options.booths:
        with tempfile.TemporaryDirectory() as name:
            measured(Path(name), booths, options.news)


if __name__ == "__main__":
    main()
