"""`make bench`, second half: the server's calls page with 100,000 calls, and its memory."""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid
from pathlib import Path

from sqlalchemy import insert, select

from firmware import wire
from firmware.syncing.identity import Wallet
from firmware.syncing.link import Channel, Link
from provisioning.server.database import Database
from provisioning.server.schema import booth as booths
from provisioning.server.schema import call as calls

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

    def __init__(self, directory):
        self.directory = directory
        at = ("--data", str(directory))
        made = subprocess.run(
            command("provisioning.cli", "server", "init", "--announce", *at), check=True, capture_output=True, text=True
        )
        self.log_in = json.loads(made.stdout)
        self.process = subprocess.Popen(
            command(
                "provisioning.cli", "server", "run", "--announce", "--api", "127.0.0.1:0", "--pages", "127.0.0.1:0", *at
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.told = json.loads(self.process.stdout.readline())

    def enrol(self, data):
        """A booth's link, made as booth-sync makes it."""
        token = subprocess.run(
            command("provisioning.cli", "token", "new", "bench", "--data", str(self.directory)),
            check=True,
            capture_output=True,
            text=True,
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
    database = Database(f"sqlite:///{central.directory / 'server.db'}")
    columns = {column.name for column in calls.columns}
    with database.write() as connection:
        known = connection.execute(select(booths.c.id)).scalars().first()
        for first in range(0, ROWS, 5000):
            rows = []
            for n in range(first, first + 5000):
                row = {
                    "id": str(uuid.UUID(int=n + 1)), "booth": known, "at": 1.79e9 - n * 60.0, "moment": 1.79e9 - n * 60.0, "agent": f"{n % 40:02}",
                    "number": f"+8131234{5600 + n % 100}", "shown": f"03-1234-{5600 + n % 100}",
                    "customer": f"顧客 {n % 5000}", "reading": "コキャク", "list": f"list {n % 20}",
                    "result": ("SALE", "REF", "NOANS", "CB")[n % 4], "cause": "NORMAL", "party": "FAR", "talk": float(n % 300),
                    "answered": n % 4 != 2, "verdict": "ALLOW", "reason": "FREE", "overridden": False, "record": "{}",
                    "version": 1, "taken": 1.79e9,
                }  # fmt: skip
                rows.append({name: value for name, value in row.items() if name in columns})
            connection.execute(insert(calls), rows)
    database.close()


def browse(central):
    """Pages of calls a second, logged in, as a browser asks for them."""
    host = central.told["pages"].removeprefix("http://")
    link = http.client.HTTPConnection(host, timeout=20)
    link.request("GET", "/log-in", headers={"Host": host})
    answer = link.getresponse()
    page = answer.read().decode()
    cookies = "; ".join(one.split(";")[0] for one in answer.headers.get_all("Set-Cookie") or [])
    field, csrf = re.search(r'name="(csrf\w*|token)"\s+value="([^"]+)"', page).groups()
    form = {"next": "", "name": central.log_in["administrator"], "password": central.log_in["password"], field: csrf}
    headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{host}"}
    link.request("POST", "/log-in", urllib.parse.urlencode(form), headers)
    answer = link.getresponse()
    answer.read()
    assert answer.status in {302, 303}, answer.status
    kept = "; ".join(one.split(";")[0] for one in answer.headers.get_all("Set-Cookie") or [])
    began = time.monotonic()
    for n in range(PAGES):
        link.request("GET", "/calls" + ("?result=REF" if n % 2 else ""), headers={"Cookie": kept})
        answer = link.getresponse()
        assert (answer.status, len(answer.read()) > 5000) == (200, True), answer.status
    return PAGES / (time.monotonic() - began)


def main():
    """Print every figure."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        central = Central(directory / "server")
        try:
            central.enrol(directory / "booth")
            fill(central)
            print(f"calls page with {ROWS} calls: {browse(central):.1f} pages/s over one connection")
            print(f"server memory: {memory(central.process):.0f} MB (target ≤ 120 MB)")
        finally:
            central.close()


if __name__ == "__main__":
    main()
