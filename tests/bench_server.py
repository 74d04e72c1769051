"""`make bench`, second part: the server's calls page with 100,000 calls, searches in them, and its memory.

Once on SQLite, and once on PostgreSQL where that is installed.
"""

import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import insert, select, text

from firmware import wire
from firmware.syncing.identity import Wallet
from firmware.syncing.link import Channel, Link
from provisioning.server.database import Database
from provisioning.server.schema import booth as booths
from provisioning.server.schema import call as calls
from tests import backends

ROWS, PAGES = 100_000, 200


def command(*words):
    """One of our programs, with this Python."""
    return [sys.executable, "-m", *words]


def serving(process):
    """The processes of a server, but for their parent, which serves nobody."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def memory(process):
    """Resident megabytes of a server's processes."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) for pid in serving(process))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Central:
    """A server in a process of its own, with one booth that is enrolled by hand."""

    def __init__(self, directory, *more, database=None):
        """`more`: words for `server run`; `database`: the URL of another one than the file in `directory`."""
        self.directory, self.database = directory, database or f"sqlite:///{directory / 'server.db'}"
        self._env = os.environ | ({"BOOTH_DATABASE_URL": database} if database else {})
        at = ("--data", str(directory))
        made = subprocess.run(
            command("provisioning.cli", "server", "init", "--announce", *at),
            check=True,
            capture_output=True,
            text=True,
            env=self._env,
        )
        self.log_in = json.loads(made.stdout)
        self.process = subprocess.Popen(
            command(
                "provisioning.cli",
                "server",
                "run",
                "--announce",
                "--api",
                "127.0.0.1:0",
                "--pages",
                "127.0.0.1:0",
                *at,
                *more,
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=self._env,
        )
        self.told = json.loads(self.process.stdout.readline())

    def enrol(self, data):
        """A booth's link, made as booth-sync makes it."""
        token = subprocess.run(
            command("provisioning.cli", "token", "new", "bench", "--data", str(self.directory)),
            check=True,
            capture_output=True,
            text=True,
            env=self._env,
        ).stdout
        text = re.search(r"booth1:\S+", token).group()
        subprocess.run(command("firmware.sync", "enrol", text, "--data", str(data)), check=True, capture_output=True)
        wallet = Wallet(data)
        self.wallet, self.known = wallet, wallet.identity()

    @property
    def address(self):
        """Host and port of the booth API."""
        at = urllib.parse.urlsplit(self.told["api"])
        return at.hostname, at.port

    @staticmethod
    def nonce(known):
        """What requests must name now."""
        return wire.decode(Channel(known.url, known.pins).exchange("GET", wire.NONCE, b"", {}).body, wire.Nonce).nonce

    def link(self):
        """One connection of that booth."""
        counter = self.__dict__.setdefault("_counter", self.wallet.counter())
        return Link(Channel(self.known.url, self.known.pins), self.known.booth, self.wallet.key(), counter)

    def recipients(self):
        """Whom recordings are sealed to."""
        return (
            self.link()
            .post(
                wire.STATUS,
                wire.Status(software="bench", pending_calls=0, pending_recordings=0, oldest=None, free_bytes=1),
                wire.Wanted,
            )
            .recipients
        )

    def close(self):
        """Stop it."""
        self.process.terminate()
        self.process.communicate(timeout=20)


def fill(central):
    """ROWS calls in the books, as if booths had sent them over months."""
    database = Database(central.database)
    columns = {column.name for column in calls.columns}
    with database.write() as connection:
        known = connection.execute(select(booths.c.id)).scalars().first()
        for first in range(0, ROWS, 5000):
            rows = []
            for n in range(first, first + 5000):
                row = {
                    "id": str(uuid.UUID(int=n + 1)), "booth": known, "at": 1.79e9 - n * 60.0, "moment": 1.79e9 - n * 60.0, "agent": f"{n % 40:02}",
                    "number": f"+8131234{5600 + n % 100}", "shown": f"03-1234-{5600 + n % 100}",
                    "customer": f"顧客 {n % 5000}", "reading": "コキャク", "list_name": f"list {n % 20}",
                    "result": ("SALE", "REF", "NOANS", "CB")[n % 4], "cause": "NORMAL", "party": "FAR", "talk": float(n % 300),
                    "answered": n % 4 != 2, "verdict": "ALLOW", "reason": "FREE", "overridden": False, "record": "{}",
                    "version": 1, "taken": 1.79e9,
                }  # fmt: skip
                rows.append({name: value for name, value in row.items() if name in columns})
            connection.execute(insert(calls), rows)
    database.close()


class Browser:
    """One connection that is logged in to the pages."""

    def __init__(self, central):
        host = central.told["pages"].removeprefix("http://")
        self._link = http.client.HTTPConnection(host, timeout=60)
        page, cookies = self._ask("GET", "/log-in", {"Host": host})
        field, csrf = re.search(r'name="(csrf\w*|token)"\s+value="([^"]+)"', page).groups()
        form = {
            "next": "",
            "name": central.log_in["administrator"],
            "password": central.log_in["password"],
            field: csrf,
        }
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{host}"}
        _, cookies = self._ask("POST", "/log-in", headers, urlencode(form))
        self._headers = {"Cookie": cookies}

    def page(self, address):
        """What a page says, and how many seconds it took."""
        began = time.perf_counter()
        text, _ = self._ask("GET", address, self._headers)
        return text, time.perf_counter() - began

    def _ask(self, method, address, headers, body=None):
        self._link.request(method, address, body, headers)
        answer = self._link.getresponse()
        text = answer.read().decode()
        assert answer.status < 400, (address, answer.status)
        return text, "; ".join(one.split(";")[0] for one in answer.headers.get_all("Set-Cookie") or [])


def browse(central):
    """Pages of calls a second, logged in, as a browser asks for them."""
    browser, began = Browser(central), time.monotonic()
    for n in range(PAGES):
        assert len(browser.page("/calls" + ("?result=REF" if n % 2 else ""))[0]) > 5000
    return PAGES / (time.monotonic() - began)


# What supervisors look for, how often each, and the same as plain SQL: `:word` is the word.
ASKED = 60
ANY = " OR ".join(f"{column} LIKE '%' || :word || '%'" for column in ("customer", "reading", "note", "shown"))
SEARCHES = {
    "a whole number": ("text", lambda n: f"03-1234-56{n % 100:02}", f"{ANY} OR number LIKE '%312345600%'"),
    "its last digits": ("text", lambda n: f"56{n % 100:02}", f"{ANY} OR number LIKE '%5600%'"),
    "a name": ("text", lambda n: f"顧客{n % 5000}", ANY),
    "a name that is nowhere": ("text", lambda n: f"該当なし{n}", ANY),
    "a result": ("result", lambda n: ("SALE", "REF", "NOANS", "CB")[n % 4], "result = :word"),
    "an agent": ("agent", lambda n: f"{n % 40:02}", "agent = :word"),
    "a list": ("list", lambda n: f"list {n % 20}", "list_name = :word"),
}


def share(seconds, part):
    """The value below which that part of them lies."""
    return sorted(seconds)[min(len(seconds) - 1, int(part * len(seconds)))]


def search(central):
    """How long each sort of search takes, beside its plain SQL in the same database."""
    browser, every = Browser(central), []
    with closing(Database(central.database)) as database, database.read() as books:
        for what, (field, word, condition) in SEARCHES.items():
            took = [browser.page(f"/calls?{urlencode({field: word(n)})}")[1] for n in range(ASKED)]
            plain = [looked_up(books, condition, word(n)) for n in range(ASKED)]
            ratio = statistics.median(took) / statistics.median(plain)
            p99 = 1000 * share(took, 0.99)
            print(
                f"search, {what:<24} p50 {1000 * share(took, 0.5):6.1f} ms   p99 {p99:6.1f} ms   {ratio:5.1f}x SQL alone"
            )
            every += took
    print(f"search, all of them            p99 {1000 * share(every, 0.99):6.1f} ms (target <= 100)")


def looked_up(books, condition, word):
    """Seconds for the fifty newest calls that plain SQL finds."""
    began = time.perf_counter()
    query = f"SELECT * FROM call WHERE {condition} ORDER BY moment DESC, id DESC LIMIT 50"
    books.execute(text(query), {"word": word}).fetchall()
    return time.perf_counter() - began


def measure(directory, database=None):
    """Print every figure of a server whose database that is."""
    central = Central(directory / "server", database=database)
    print(f"on {central.database.partition(':')[0].partition('+')[0]}:")
    try:
        central.enrol(directory / "booth")
        fill(central)
        print(f"calls page with {ROWS} calls: {browse(central):.1f} pages/s over one connection")
        search(central)
        print(f"server memory: {memory(central.process):.0f} MB (target ≤ 120 MB)")
    finally:
        central.close()


def main():
    """Print every figure."""
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name))
    if Path("/usr/lib/postgresql").exists():
        cluster = backends.Postgresql(durable=True)
        try:
            with tempfile.TemporaryDirectory() as name:
                measure(Path(name), cluster.new(tables=False))
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
