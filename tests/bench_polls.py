"""`make bench`, polls: 1,000 and 5,000 booths wait for news, each on a TLS connection of its own that is kept.

Their rows are put into the server's books, all with one key; from then on everything is as with enrolled booths. They share
a few processes, and the processors with the server: on a small machine both are slower for it. What is measured is the time
from a fact that one booth tells to its arrival at each of the others, and the server's memory.
"""

import argparse
import asyncio
import base64
import multiprocessing
import os
import resource
import ssl
import tempfile
import time
import uuid
from asyncio import sslproto
from collections import defaultdict
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
PATIENCE = 600.0  # seconds until all must be connected, and until everybody must have heard
FILES = 500  # that a server has open besides its connections, and more
ROOM = 16 * 1024  # bytes that a booth's connection has here; asyncio's own 256 KiB are more than a gigabyte for 5,000


class Floor:
    """The booths of one process: how many are there, and when each fact came to them."""

    def __init__(self):
        self.present, self.came = 0, defaultdict(list)
        self._moved = asyncio.Event()

    def moved(self):
        """Something has happened."""
        self._moved.set()

    async def until(self, true):
        """Wait for it."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._moved.clear()
                await self._moved.wait()


class Listener:
    """One booth that waits for news."""

    def __init__(self, floor, place, name, key, nonce):
        self._floor, self._place, self._name, self._key, self._nonce = floor, place, name, key, nonce
        self._counters, self._cursor, self._lists = count(1), "", ""

    async def run(self, context, gate):
        """Connect, hear all that there is to hear, and go on for ever."""
        async with gate:
            self._reader, self._writer = await asyncio.open_connection(*self._place, ssl=context)
            while await self._ask(0):
                pass
        self._floor.present += 1
        self._floor.moved()
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
            self._floor.came[msgspec.json.decode(fact)["id"]].append(now)
        self._floor.moved()
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


async def listening(place, names, key, nonce, line):
    """Some of the booths: says through `line` when all are there, and when each fact came that it is asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the bench made the server itself
    floor, gate = Floor(), asyncio.Semaphore(AT_ONCE)
    asyncio.get_running_loop().add_reader(line.fileno(), floor.moved)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(Listener(floor, place, name, key, nonce).run(context, gate)) for name in names]
        await floor.until(lambda: floor.present == len(tasks))
        line.send(floor.present)
        await floor.until(line.poll)
        while fact := line.recv():
            await floor.until(lambda came=floor.came[fact]: len(came) == len(tasks))
            line.send(floor.came[fact])
            await floor.until(line.poll)
        for task in tasks:
            task.cancel()


def listen(place, names, key, nonce, line):
    """The same as a process."""
    sslproto.SSLProtocol.max_size = ROOM
    asyncio.run(listening(place, names, Ed25519PrivateKey.from_private_bytes(key), nonce, line))


def answer(line):
    """What the booths of a process say."""
    assert line.poll(PATIENCE), "booths are missing, or have not heard"
    return line.recv()


def fan_out(central, names, key, news, processes):
    """How long each piece of news takes to each booth, and the server's memory then."""
    context, lines, running, took = multiprocessing.get_context("spawn"), [], [], []
    try:
        nonce = central.nonce(central.known)
        for part in range(processes):
            ours, theirs = context.Pipe()
            plan = (central.address, names[part::processes], key.private_bytes_raw(), nonce, theirs)
            running.append(context.Process(target=listen, args=plan))
            running[-1].start()
            theirs.close()
            lines.append(ours)
        assert sum(map(answer, lines)) == len(names)
        link = central.link()
        for _ in range(news):
            fact, began = tell(link)
            for line in lines:
                line.send(fact)
            took += [came - began for line in lines for came in answer(line)]
        resident = memory(central.process)
        for line in lines:
            line.send("")
        return took, resident
    finally:
        for line in lines:
            line.close()
        for process in running:
            process.join(20)
            process.kill()


def room_for(booths):
    """A file for each booth, on both sides; whether there may be so many."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, booths + FILES)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(most, wanted)))
    except (ValueError, OSError):  # only root may have more than `most`
        print(f"news to {booths} waiting booths: not measured: ulimit -n says {most}, and {wanted} are needed")
        return False
    return True


def measured(directory, booths, news, processes):
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
        took, resident = fan_out(central, names, key, news, processes)
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
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 1) - 1), help="of booths")
    options = parser.parse_args()
    for booths in options.booths:
        if room_for(booths):
            with tempfile.TemporaryDirectory() as name:
                measured(Path(name), booths, options.news, options.processes)


if __name__ == "__main__":
    main()
