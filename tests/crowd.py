"""A floor of booths in one process, on a server of its own: each claims, hears, decides by the real guard, dials and tells.

What stands for the telephone is a judge who sees every dial, and knows nothing of servers.
"""

import os
import queue
import random
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from firmware import numbers, sync, wire
from firmware.known import Fact, FactKind
from firmware.redial import Verdict, decide
from firmware.rulebook import HOUSE
from firmware.syncing.downlink import understood
from firmware.syncing.identity import Wallet, token
from firmware.syncing.leases import LASTS
from firmware.syncing.link import Channel, Link
from provisioning.server import tokens
from provisioning.server.database import Database
from tests.bench_server import Central, serving

BOOK = HOUSE
AT_ONCE = 160  # agents who are at it in one moment; more threads than that tell nothing new
HOT = 25  # numbers that half of the agents have before them: everybody works the list from its top


def processor(process):
    """Seconds of processor that a server has had."""
    stats = [Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2] for pid in serving(process)]
    return sum(int(field) for stat in stats for field in stat.split()[11:13]) / os.sysconf("SC_CLK_TCK")


def share(seconds, part):
    """The value below which that part of them lies."""
    return sorted(seconds)[min(len(seconds) - 1, int(part * len(seconds)))] if seconds else 0.0


def new_tokens(central, names):
    """What technicians bring to as many booths."""
    database, told = Database(f"sqlite:///{central.directory / 'server.db'}"), central.told
    with database.write() as connection:
        secrets = [tokens.new(connection, name, time.time()) for name in names]
    database.close()
    return [tokens.text(secret, told["api"], [told["pin"]]) for secret in secrets]


def one_token(central, name):
    """For one of them."""
    return new_tokens(central, [name])[0]


class Judge:
    """Sees every dial, as the customers do."""

    def __init__(self):
        self._lock, self.dials = threading.Lock(), {}

    def rings(self, number, booth):
        """A telephone rings."""
        with self._lock:
            self.dials.setdefault(number, []).append((time.monotonic(), booth))

    @property
    def count(self):
        return sum(map(len, self.dials.values()))

    def twice(self, window):
        """The numbers that rang again within so many seconds."""
        pairs = ((key, *pair) for key, rung in self.dials.items() for pair in zip(sorted(rung), sorted(rung)[1:]))  # noqa: B905
        return [(key, one, other) for key, (at, one), (again, other) in pairs if again - at < window]


class Booth:
    """What one booth knows, and its line to the server, as booth-sync has it."""

    def __init__(self, data, text, name):
        given, wallet = token(text), Wallet(data)
        data.mkdir(parents=True)
        enrolled = sync._enrolled(given, wallet, name)
        self.name, self.known = name, {}
        self.link = Link(Channel(given.url, enrolled.pins), enrolled.booth, wallet.key(), wallet.counter())

    def learn(self, facts):
        """Facts are only ever added."""
        for fact in facts:
            self.known.setdefault(fact.number, {})[fact.id] = fact

    def claim(self, number, seconds=LASTS):
        """Ask for a number, or let it go."""
        return self.link.post(wire.CLAIMS, wire.Claim(number=number.key, seconds=seconds), wire.Claimed)

    def decide(self, number):
        """The guard's word by all that this booth knows."""
        return decide(number, tuple(self.known.get(number.key, {}).values()), BOOK, time.time())

    def tell(self, number):
        """The dial has begun: all others must know."""
        fact = wire.Fact(
            id=str(uuid.uuid4()),
            kind=FactKind.ATTEMPT.value,
            number=number.key,
            at=time.time(),
            booth=self.name,
            agent="",
            call=str(uuid.uuid4()),
        )
        self.learn([Fact(**msgspec.structs.asdict(fact) | {"kind": FactKind.ATTEMPT})])
        taken = self.link.post(wire.FACTS, wire.Facts(facts=(msgspec.Raw(wire.encode(fact)),)), wire.Taken)
        assert taken.ids == (fact.id,)


class Crowd:
    """All of them, and what was measured."""

    def __init__(self, directory, booths, customers, seed=0):
        self.chance, self.judge, self.central = random.Random(seed), Judge(), Central(directory / "server")
        self._pause, self._lock = threading.Event(), threading.Lock()
        self.came, self.claims, self.late = Counter(), [], 0.0
        self.numbers = self.list_of(customers)
        texts = new_tokens(self.central, map(str, range(booths)))
        with ThreadPoolExecutor(16) as pool:
            made = pool.map(lambda n: Booth(directory / "booths" / str(n), texts[n], str(n)), range(booths))
            self.booths = list(made)

    def list_of(self, customers):
        """Numbers that are made up as the program runs."""
        return [numbers.parse(f"03{n:08}") for n in self.chance.sample(range(30_000_000, 59_999_999), customers)]

    def connect(self):
        """Every booth opens its line, and keeps it."""
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda booth: booth.link.greet(), self.booths))

    def work(self, rate, seconds, thinks=1.0):
        """Agents come by chance, `rate` of them a second, each to a booth that is free; the server's share of a processor."""
        self.came, self.claims, self.late = Counter(), [], 0.0
        free = queue.SimpleQueue()  # on a slow machine an agent waits for a booth, as people do
        for booth in self.chance.sample(self.booths, len(self.booths)):
            free.put(booth)
        began, used = time.monotonic(), processor(self.central.process)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            due, jobs = began, []
            while (due := due + self.chance.expovariate(rate)) < began + seconds:
                self._pause.wait(max(0.0, due - time.monotonic()))
                jobs.append(pool.submit(self._agent, free, self._number(due - began, seconds), due, thinks))
            for job in jobs:
                job.result()
        return (processor(self.central.process) - used) / (time.monotonic() - began)

    def _number(self, at, of):
        """Half of them are those that everybody sees first now; that place moves down the list."""
        if self.chance.random() < 0.5:
            return self.chance.choice(self.numbers)
        top = int(len(self.numbers) * at / of)
        return self.numbers[(top + self.chance.randrange(HOT)) % len(self.numbers)]

    def _agent(self, free, number, due, thinks):
        booth = free.get()
        with self._lock:
            self.late = max(self.late, time.monotonic() - due)
            wait = self.chance.uniform(0, thinks)
        came = self._turn(booth, number, wait)
        free.put(booth)
        with self._lock:
            self.came[came] += 1

    def _turn(self, booth, number, wait):
        began = time.monotonic()
        said = booth.claim(number)
        self.claims.append(time.monotonic() - began)
        if not said.granted:
            return "held"
        booth.learn(understood(said.facts))
        self._pause.wait(wait)  # the agent looks at the customer
        decision = booth.decide(number)
        if decision.verdict is not Verdict.BLOCK:
            self.judge.rings(number.key, booth.name)
            booth.tell(number)
        booth.claim(number, 0)
        return decision.reason.name if decision.verdict is Verdict.BLOCK else "dialled"

    def memory(self):
        """The server's resident megabytes, now and at most."""
        told = [Path(f"/proc/{pid}/status").read_text(encoding="ascii") for pid in serving(self.central.process)]
        return tuple(sum(int(one.split(f"{what}:")[1].split()[0]) for one in told) / 1e3 for what in ("VmRSS", "VmHWM"))

    def close(self):
        """Hang up and put everything away."""
        for booth in self.booths:
            booth.link.channel.close()
        self.central.close()
