"""`make bench`, second half: the server's intake beside nginx's WebDAV, its calls page with 100,000 calls, its memory."""

import base64
import concurrent.futures
import hashlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid
from pathlib import Path

import pyrage
from sqlalchemy import insert, select

from firmware import journal, opus, wire
from firmware.journal import Closing, Ending, Segment
from firmware.syncing.identity import Wallet
from firmware.syncing.link import Channel, Link
from hw.emulated.speech import Speech
from provisioning.server.database import Database
from provisioning.server.schema import booth as booths
from provisioning.server.schema import call as calls

FILES, SEGMENTS, WRITERS = 64, 45, 4
ROWS, PAGES = 100_000, 200
NGINX = """
daemon off; worker_processes 1; pid {root}/pid; error_log {root}/error;
events {{ worker_connections 64; }}
http {{ access_log off; client_max_body_size 8m; client_body_temp_path {root}/tmp;
  proxy_temp_path {root}/p; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
  server {{ listen 127.0.0.1:{port}; root {root}/files; dav_methods PUT; create_full_put_path on; }} }}
"""


def command(*words):
    """One of our programs, with this Python."""
    return [sys.executable, "-m", *words]


def memory(process):
    """Resident megabytes of a process."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()[1])
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


def recordings(recipients, count):
    """Journals of a talk of SEGMENTS x 2 s, each sealed anew: id → bytes."""
    voices = Speech(1), Speech(2)
    encoders = opus.Encoder(), opus.Encoder()
    packets = [
        [coder.encode(voice.frame(n)) for n in range(SEGMENTS * 100)]
        for voice, coder in zip(voices, encoders, strict=True)
    ]
    keys = [pyrage.x25519.Recipient.from_str(text) for text in recipients]
    made = {}
    for _ in range(count):
        call, data = uuid.uuid4(), b""
        for index in range(SEGMENTS):
            ears = (tuple(ear[index * 100 : index * 100 + 100]) for ear in packets)
            segment = Segment(call, index, index * 100, 0, 0, *ears)
            data += journal.record(pyrage.encrypt(journal.pack_segment(segment), keys))
        frames = SEGMENTS * 100
        closing = Closing(call, SEGMENTS, Ending.CLOSED, frames, 0, frames, hashlib.sha256(data).digest())
        made[str(call)] = data + journal.record(pyrage.encrypt(journal.pack_closing(closing), keys), closing=True)
    return made


def shared_out(work, items):
    """Seconds that WRITERS threads need for all items, each thread with a link of its own."""
    shares = [items[n::WRITERS] for n in range(WRITERS)]
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(work, shares))
    return time.monotonic() - began


def to_us(central):
    """Upload to the server, as sync does; every one is verified, opened, joined and archived before its answer."""

    def work(share):
        link = central.link()
        for name, data in share:
            digest = f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"
            headers = {
                "Content-Type": "application/partial-upload",
                wire.OFFSET: "0",
                wire.LENGTH: str(len(data)),
                wire.COMPLETE: "?1",
                wire.DIGEST: digest,
            }
            answer = link.ask("PATCH", f"{wire.RECORDINGS}/{name}", data, headers, 60.0)
            assert answer.status < 300, (answer.status, answer.body)

    return work


def to_nginx(port):
    """The same bytes by PUT: no TLS, no signature, nothing opened, nothing flushed."""

    def work(share):
        link = http.client.HTTPConnection("127.0.0.1", port)
        for name, data in share:
            link.request("PUT", f"/{name}", body=data)
            assert link.getresponse().read() is not None

    return work


def beside_nginx(directory, items):
    """Seconds for nginx, or None where it is not installed."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        return None
    root = directory / "nginx"
    (root / "files").mkdir(parents=True)
    root.chmod(0o777)
    (root / "files").chmod(0o777)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (root / "conf").write_text(NGINX.format(root=root, port=port), encoding="ascii")
    peer = subprocess.Popen([program, "-c", str(root / "conf"), "-p", str(root)], stderr=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        return shared_out(to_nginx(port), items)
    finally:
        peer.terminate()
        peer.wait(10)


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
        directory.chmod(0o755)
        central = Central(directory / "server")
        try:
            central.enrol(directory / "booth")
            items = list(recordings(central.recipients(), FILES).items())
            size = sum(len(data) for _, data in items)
            ours, theirs = shared_out(to_us(central), items), beside_nginx(directory, items)
            print(
                f"intake: {FILES / ours:.1f} recordings/s of {size / FILES / 1e3:.0f} kB, opened, joined, archived, flushed"
            )
            if theirs is None:
                print("  nginx is not installed: apt install nginx-light to compare")
            else:
                print(f"  nginx PUT of the same files: {FILES / theirs:.1f}/s, ratio {theirs / ours:.3f}")
            fill(central)
            print(f"calls page with {ROWS} calls: {browse(central):.1f} pages/s over one connection")
            print(f"server memory: {memory(central.process):.0f} MB (target ≤ 120 MB)")
        finally:
            central.close()


if __name__ == "__main__":
    main()
