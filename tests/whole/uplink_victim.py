"""Booths that call, record and send what they have, over a line that breaks: python uplink_victim.py PLAN.

PLAN is JSON: {"booths": [[CARD, TOKEN, SEED, UPLOADS], …], "line": URL, "recipient": AGE KEY, "patience": SECONDS,
"longest": SEGMENTS}. Each booth has a card of its own with the real database, journals and outbox, and the real way up;
only waits are shorter. When everything has been delivered it says {"troubles": {WORD: HOW OFTEN}} and ends with 0; 1:
there was no progress.
"""

import hashlib
import json
import random
import sys
import threading
import time
import uuid
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pyrage

from firmware import journal, numbers, results, sync, wire
from firmware.calls import Call, Calls
from firmware.clock import Clock
from firmware.journal import PACKETS, Closing, Ending, Segment
from firmware.opus import Encoder
from firmware.store import Store
from firmware.syncing.backoff import Backoff
from firmware.syncing.courier import Courier
from firmware.syncing.haul import Haul, Line
from firmware.syncing.identity import Wallet
from firmware.syncing.link import Channel, Link
from firmware.syncing.outbox import Outbox
from firmware.syncing.reels import Shelf
from firmware.syncing.standing import code_of
from firmware.syncing.strikes import Strikes
from firmware.syncing.uplink import Uplink
from firmware.tariff import Tariff
from hw.contracts import FRAME
from hw.events import Cause, Party

WINDOW = 6  # recordings that wait at a time: a booth that is in touch
SIZES = {1: 150, 2: 30, 4: 12, 9: 7, 60: 1}  # segments of two seconds, and how many of two hundred have so many
AGAIN = 0.6  # of the calls, whose result is corrected a little later
STUCK = 90.0  # seconds without anything delivered


@cache
def sounds():
    """Packets that a real encoder made of noise."""
    encoder, noise = Encoder(), random.Random(0)
    return tuple(encoder.encode(noise.randbytes(FRAME)) for _ in range(40))


@cache
def codes():
    return {result.code: result for result in results.load()}


class Booth:
    """One card, and what happens on it."""

    def __init__(self, card, token, seed, uploads, plan):
        self._card, self._chance, self._uploads = Path(card), random.Random(seed), uploads
        self._longest = plan["longest"]
        self._recipient = pyrage.x25519.Recipient.from_str(plan["recipient"])
        self.troubles = Counter()
        self._delivered = threading.Event()
        (self._card / "recordings").mkdir(parents=True)
        self._clock = Clock("system")
        self._books = Calls(self._card / "booth.db", "booth", self._clock)
        self._store, self._other, self._look = (Store(self._card / "booth.db") for _ in range(3))
        channels = self._enrolled(token, plan)
        up, haul = (Strikes(store, self._clock, self._clock.now) for store in (self._store, self._other))
        line = Line(tariff=Tariff, now=self._clock.now, scarce=lambda: False)
        shelf = Shelf(self._card / "recordings")
        self._uplink = Uplink(
            channels[0],
            Outbox(self._store, "booth", up),
            status=self._status,
            wanted=lambda _wanted: None,
            delivered=self._delivered.set,
        )
        self._haul = Haul(self._other, channels[1], shelf, strikes=haul, line=line, delivered=self._delivered.set)
        self._couriers = [
            Courier(name, turn, self._told, Backoff(first=0.02, longest=0.5))
            for name, turn in (("up", self._uplink.turn), ("haul", self._haul.turn))
        ]
        self._links = channels

    def _enrolled(self, token, plan):
        """As many links as the daemon has for the way up; they count together."""
        ends = time.monotonic() + STUCK
        while sync.main(["enrol", token, "--data", str(self._card)]):  # the server may just have been killed
            assert time.monotonic() < ends
            self._delivered.wait(0.2)
        wallet = Wallet(self._card)
        identity, counter = replace(wallet.identity(), url=plan["line"]), wallet.counter()
        wallet.keep(identity)
        channels = [Channel(identity.url, identity.pins, plan["patience"]) for _ in range(2)]
        return [Link(channel, identity.booth, wallet.key(), counter) for channel in channels]

    def _status(self):
        waiting = {"pending_calls": 0, "pending_recordings": self._haul.recordings}
        return wire.Status(software="", oldest=None, free_bytes=1 << 35, **waiting)

    def _told(self, problem):
        if problem is not None:
            self.troubles[code_of(problem)] += 1

    def work(self):
        """All calls, and until everything is delivered; whether it came to that."""
        for courier in self._couriers:
            courier.start()
        half, corrected = None, []
        for made in range(self._uploads):
            if not self._until(lambda made=made: made - self._settled() < WINDOW):
                return False
            self._end(half)
            half = self._call()
            if self._chance.random() < AGAIN:
                corrected.append(half[0])
            if len(corrected) > 1:
                self._correct(corrected.pop(0))
            self._call_couriers()
        self._end(half)
        for call in corrected:
            self._correct(call)
        self._call_couriers()
        return self._until(lambda: self._settled() == self._uploads and not self._owing())

    def close(self):
        for courier, link in zip(self._couriers, self._links, strict=True):
            courier.stop()
            link.channel.end()
        for courier in self._couriers:
            courier.join(5)
        for store in (self._books, self._store, self._other, self._look):
            store.close()

    def _call_couriers(self):
        for courier in self._couriers:
            courier.call()

    def _until(self, true):
        """Wait; False when nothing was delivered for long."""
        ends = time.monotonic() + STUCK
        while not true():
            if time.monotonic() > ends:
                return False
            if self._delivered.wait(0.2):
                self._delivered.clear()
                ends = time.monotonic() + STUCK
        return True

    def _settled(self):
        return self._look.row("SELECT count(*) FROM upload WHERE state = 'synced'")[0]

    def _owing(self):
        return self._look.row("SELECT count(*) FROM outbox")[0]

    def _call(self):
        """A call with its result; of its recording the first part is on the card, the rest is returned."""
        number = numbers.parse(f"03-1234-56{self._chance.randrange(100):02}")
        call = Call(str(uuid.UUID(int=self._chance.getrandbits(128), version=4)), number, None)
        records = self._records(uuid.UUID(call.id))
        split = self._chance.randrange(len(records))
        self._books.begin(call, None, "07", "off-list")
        self._write(call.id, records[:split])
        self._books.answered(call.id)
        self._books.ended(call.id, Cause.NORMAL, Party.FAR, 3.0)
        self._finish(call.id, "ABS")
        return call.id, records[split:]

    def _correct(self, call):
        self._finish(call, "REF")

    def _finish(self, call, code):
        self._books.finish(call, codes()[code])

    def _end(self, half):
        if half is not None:
            self._write(*half)

    def _write(self, call, records):
        with (self._card / "recordings" / f"{call}.journal").open("ab") as file:
            file.write(b"".join(records))

    def _records(self, call):
        sizes = [size for size in SIZES if size <= self._longest]
        count = self._chance.choices(sizes, [SIZES[size] for size in sizes])[0]
        made = []
        for index in range(count):
            ears = (tuple(self._chance.choices(sounds(), k=PACKETS)) for _ in range(2))
            made.append(self._sealed(journal.pack_segment(Segment(call, index, PACKETS * index, 0, 0, *ears))))
        digest, frames = hashlib.sha256(b"".join(made)).digest(), PACKETS * count
        end = Closing(call, count, Ending.CLOSED, frames, 0, frames, digest)
        return [*made, self._sealed(journal.pack_closing(end), closing=True)]

    def _sealed(self, plain, **kind):
        return journal.record(pyrage.encrypt(plain, [self._recipient]), **kind)


def main(text):
    """Every booth on a thread of its own."""
    plan = json.loads(text)
    booths = [Booth(*one, plan) for one in plan["booths"]]
    over = dict.fromkeys(booths, False)

    def work(booth):
        over[booth] = booth.work()

    threads = [threading.Thread(target=work, args=(booth,)) for booth in booths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for booth in booths:
        booth.close()
    print(json.dumps({"troubles": sum((booth.troubles for booth in booths), Counter())}), flush=True)
    return 0 if all(over.values()) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
