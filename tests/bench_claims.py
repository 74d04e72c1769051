"""`make bench`, fourth part: a thousand booths on one list, and how soon a refusal is known in every booth.

The server is a process of its own; the booths that claim and dial share this one, each with its own key and connection;
those that listen share another, for in an office every booth does both.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

from firmware import numbers, results, wake, wire
from firmware.calls import Call, Calls
from firmware.clock import Clock
from firmware.syncing.identity import Wallet
from firmware.syncing.link import Channel, Link
from hw.events import Cause, Party
from tests import crowd

TARGET = 0.1  # seconds: claim p99
WINDOW = crowd.BOOK.rules.min_gap_unanswered
REFUSED = next(result for result in results.load() if result.code == "REF")


def tell(what, seconds, more=""):
    """One line of the report."""
    middle, worst = (1000 * crowd.share(seconds, part) for part in (0.5, 0.99))
    print(f"{what:<58} p50 {middle:6.1f} ms   p99 {worst:6.1f} ms   {more}", flush=True)


def floor(directory, options):
    """The crowd: as many dials as so many agents make, with nobody listening and with everybody, then as many as go."""
    booths = crowd.Crowd(directory, options.booths, options.customers)
    with ExitStack() as stack:
        stack.callback(booths.close)
        booths.connect()
        rate = options.booths / 60
        measured(booths, f"{rate:.0f} agents/s on {options.booths} booths", rate, options.seconds)
        best = highest(booths, rate, options.seconds / 3)
        print(f"{'highest rate with claim p99 <= 100 ms':<58} {best:.0f} agents/s")
        stack.enter_context(listening(directory, booths))
        booths.numbers = booths.list_of(options.customers)
        booths.work(rate, options.seconds / 2)  # all have just come at once
        measured(booths, "the same while all of them listen for news", rate, options.seconds)
        again = booths.judge.twice(WINDOW)
        print(
            f"{booths.judge.count} dials of {len(booths.judge.dials)} numbers; dialled twice: {len(again)} (target 0)"
        )
        assert not again


def measured(booths, what, rate, seconds):
    """One stretch of work."""
    load = booths.work(rate, seconds)
    now, most = booths.memory()
    came = ", ".join(f"{count} {word}" for word, count in booths.came.most_common())
    tell(f"claim, {what}", booths.claims, f"server {100 * load:.0f} % of a processor, {now:.0f} MB, at most {most:.0f}")
    print(f"  {came}; an agent was late by {1000 * booths.late:.0f} ms at most")
    return crowd.share(booths.claims, 0.99)


def highest(booths, rate, seconds):
    """The last of ever higher rates at which a claim is still answered in time."""
    while True:
        booths.numbers = booths.list_of(len(booths.numbers))
        if measured(booths, f"{rate * 1.5:.0f} agents/s", rate * 1.5, seconds) > TARGET:
            return rate
        rate *= 1.5


class listening:  # noqa: N801  (used as a function)
    """While the block lasts, every booth waits for news, in a process of its own."""

    def __init__(self, directory, booths):
        for booth in booths.booths:
            booth.link._counter.next()  # its numbers are reserved: the other process begins beyond them
        known = {"url": booths.central.told["api"], "pin": booths.central.told["pin"]}
        known["booths"] = {booth.name: booth.link._booth for booth in booths.booths}
        (directory / "listening").write_text(json.dumps(known), encoding="utf-8")
        self._command = [sys.executable, "-m", "tests.bench_claims", "--listen", str(directory)]

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "all listen\n"

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()


def listen(directory):
    """What __enter__ starts: long-polls of all booths, until killed."""
    known, first = json.loads((directory / "listening").read_text(encoding="utf-8")), threading.Semaphore(0)
    threading.stack_size(256 * 1024)

    def hear(name, booth):
        wallet = Wallet(directory / "booths" / name)
        link = Link(Channel(known["url"], [known["pin"]]), booth, wallet.key(), wallet.counter())
        asked, wait = {"cursor": "", "lists": "", "wait": "0"}, 0
        while True:
            news = link.get(f"{wire.FACTS}?{urlencode(asked)}", wire.News, wait=wait)
            if not (wait or news.facts):
                first.release()
            wait = 0 if wait == 0 and news.facts else 40
            asked = {"cursor": news.cursor, "lists": news.lists if wait else "", "wait": str(wait)}

    for one in known["booths"].items():
        threading.Thread(target=hear, args=one, daemon=True).start()
    for _ in known["booths"]:
        first.acquire()
    print("all listen", flush=True)
    threading.Event().wait()


class Card:
    """A booth's books, with a real sync daemon beside them."""

    def __init__(self, directory, central, name):
        directory.mkdir()
        self.directory, run = directory, [sys.executable, "-m", "firmware.sync"]
        self.books = Calls(directory / "booth.db", name, Clock("system"))
        token = crowd.one_token(central, name)
        at = ("--data", str(directory))
        subprocess.run([*run, "enrol", token, *at], check=True, capture_output=True)
        self.daemon = subprocess.Popen([*run, "run", *at], stderr=subprocess.DEVNULL)

    def refuse(self, number):
        """A call that ends in a refusal; its id, and when the result was keyed."""
        call = Call(str(uuid.uuid4()), number, None)
        self.books.begin(call, None, "07", "off-list")
        self.books.answered(call.id)
        self.books.ended(call.id, Cause.NORMAL, Party.FAR, 3.0)
        keyed = time.monotonic()
        self.books.finish(call.id, REFUSED)
        wake.Bell(self.directory, wake.SYNC).ring()
        return call.id, keyed

    def knows(self, call):
        return self.books.store.row("SELECT 1 FROM fact WHERE call = ? AND kind = 'refusal'", call) is not None

    def close(self):
        self.daemon.terminate()
        self.daemon.wait(20)
        self.books.close()


def everywhere(directory, options):
    """From a refusal keyed in one booth to all others' books."""
    with ExitStack() as stack:
        central = crowd.Central(directory / "server")
        stack.callback(central.close)
        cards = [Card(directory / str(n), central, str(n)) for n in range(options.daemons)]
        for card in cards:
            stack.callback(card.close)
        pause, took = threading.Event(), []
        for n in range(options.refusals + 1):
            one = cards[n % len(cards)]
            call, keyed = one.refuse(numbers.parse(f"03-1234-56{n % 100:02}"))
            unknown = [card for card in cards if card is not one]
            while unknown:
                assert time.monotonic() < keyed + 60, "a booth has not heard"
                told = [card for card in unknown if card.knows(call)]
                took += [time.monotonic() - keyed for _ in told if n]  # the first waits for the daemons' start
                unknown = [card for card in unknown if card not in told]
                pause.wait(0.003)
        tell(f"refusal keyed → in the books of each of {options.daemons} booths", took, "target <= 1 s")


def main():
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--booths", type=int, default=1000)
    parser.add_argument("--customers", type=int, default=3000, help="numbers on the one list")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--daemons", type=int, default=8)
    parser.add_argument("--refusals", type=int, default=40)
    parser.add_argument("--listen", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.listen:
        listen(options.listen)
    for part in (floor, everywhere):
        with tempfile.TemporaryDirectory() as name:
            part(Path(name), options)


if __name__ == "__main__":
    main()
