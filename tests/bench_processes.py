"""`make bench`, processes: what eight booths get done in a server of one process, and in one of two.

Every booth is a process with a connection of its own: it tells facts one by one, each on disk before the answer, or
claims numbers. They share the processors with the server, so on a small machine two processes cannot do twice as much.
"""

import argparse
import multiprocessing
import tempfile
import time
import uuid
from pathlib import Path

import msgspec

from firmware import sync, wire
from firmware.known import FactKind
from firmware.syncing.identity import Wallet, token
from firmware.syncing.link import Channel, Link
from provisioning.server import tokens
from provisioning.server.database import Database
from tests.bench_server import Central, memory

BOOTHS = 8


def told(link, _turn):
    """One fact."""
    fact = wire.Fact(
        id=str(uuid.uuid4()), kind=FactKind.ATTEMPT.value, number="+81312345601", at=time.time(), booth="bench",
        agent="", call=str(uuid.uuid4()),
    )  # fmt: skip
    link.post(wire.FACTS, wire.Facts(facts=(msgspec.Raw(wire.encode(fact)),)), wire.Taken)


def claimed(link, turn):
    """One number."""
    link.post(wire.CLAIMS, wire.Claim(number=f"+81312345{600 + turn % 100}", seconds=1.0), wire.Claimed)


KINDS = {"facts": told, "claims": claimed}


def work(data, text, plan, gate):
    """One booth, until the time is over."""
    (kind, seconds), (ready, go, done) = plan, gate
    given, wallet = token(text), Wallet(data)
    data.mkdir(parents=True)
    enrolled = sync._enrolled(given, wallet, "bench")
    link = Link(Channel(given.url, enrolled.pins), enrolled.booth, wallet.key(), wallet.counter())
    link.greet()
    ready.release()
    go.wait()
    ends, turns = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        KINDS[kind](link, turns)
        turns += 1
    done.put(turns)


def measured(directory, processes, kind, seconds):
    """Requests a second, and the server's megabytes."""
    central = Central(directory / "server", "--processes", str(processes))
    database = Database(f"sqlite:///{central.directory / 'server.db'}")
    with database.write() as connection:
        secrets = [tokens.new(connection, str(n), time.time()) for n in range(BOOTHS)]
    database.close()
    context = multiprocessing.get_context("spawn")
    ready, go, done = gate = context.Semaphore(0), context.Event(), context.SimpleQueue()
    booths = [
        context.Process(
            target=work,
            args=(directory / str(n), tokens.text(secret, central.told["api"], [central.told["pin"]]), (kind, seconds), gate),
        )
        for n, secret in enumerate(secrets)
    ]  # fmt: skip
    try:
        for booth in booths:
            booth.start()
        for _ in booths:
            assert ready.acquire(timeout=60), "a booth has not begun"
        go.set()
        total = sum(done.get() for _ in booths)
        return total / seconds, memory(central.process)
    finally:
        for booth in booths:
            booth.join(20)
        central.close()


def main():
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    for kind in KINDS:
        found = {}
        for processes in (1, 2):
            with tempfile.TemporaryDirectory() as name:
                found[processes] = measured(Path(name), processes, kind, options.seconds)
        (one, small), (two, large) = found[1], found[2]
        print(
            f"{kind} by {BOOTHS} booths: {one:.0f}/s with one process ({small:.0f} MB), {two:.0f}/s with two "
            f"({large:.0f} MB): {two / one:.2f}x",
            flush=True,
        )


if __name__ == "__main__":
    main()
