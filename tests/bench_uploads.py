"""`make bench`, uploads: 400 recordings of 300 KiB from 8 booths, beside nginx's WebDAV PUT of the same files.

Both sides have TLS, the same certificate, the same client processes and connections that are kept; requests are signed
before the clock starts. nginx flushes nothing; so a third figure is of bare files that are.
"""

import argparse
import base64
import hashlib
import multiprocessing
import os
import select
import shutil
import socket
import sqlite3
import ssl
import statistics
import subprocess
import tempfile
import time
import uuid
from contextlib import closing
from pathlib import Path

import pyrage

from firmware import journal, opus, wire
from firmware.journal import Closing, Ending, Segment
from firmware.syncing.identity import Wallet
from hw.emulated.speech import Speech
from tests.bench_server import Central, memory

FILES, BOOTHS, SEGMENTS = 400, 8, 63  # 63 segments of 2 s are 300 KiB
TARGET = 0.5
NGINX = """
daemon off; worker_processes 1; pid {root}/pid; error_log {root}/error;
events {{ worker_connections 64; }}
http {{ access_log off; client_max_body_size 8m; client_body_temp_path {root}/tmp; keepalive_requests 100000;
  proxy_temp_path {root}/p; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
  ssl_certificate {keys}/booth-api.pem; ssl_certificate_key {keys}/booth-api.key; ssl_protocols TLSv1.3;
  server {{ listen 127.0.0.1:{port} ssl; root {root}/files; dav_methods PUT; create_full_put_path on; }} }}
"""


class Speaker:
    """Makes journals of the same talk, each sealed anew."""

    def __init__(self, recipients):
        self._keys = [pyrage.x25519.Recipient.from_str(text) for text in recipients]
        voices, encoders = (Speech(1), Speech(2)), (opus.Encoder(), opus.Encoder())
        self._ears = [
            [coder.encode(voice.frame(at)) for at in range(SEGMENTS * journal.PACKETS)]
            for voice, coder in zip(voices, encoders, strict=True)
        ]

    def journal(self, call):
        """One of them."""
        data = b""
        for index in range(SEGMENTS):
            first = index * journal.PACKETS
            ears = (tuple(ear[first : first + journal.PACKETS]) for ear in self._ears)
            data += self._record(journal.pack_segment(Segment(call, index, first, 0, 0, *ears)))
        frames = SEGMENTS * journal.PACKETS
        closing = Closing(call, SEGMENTS, Ending.CLOSED, frames, 0, frames, hashlib.sha256(data).digest())
        return data + self._record(journal.pack_closing(closing), closing=True)

    def _record(self, plain, **how):
        return journal.record(pyrage.encrypt(plain, self._keys), **how)


def lean(address, requests, ready, go, told):
    """A client: its requests one after the other over one connection, and nothing else. Tells how long each took."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(address)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ready.release()
        go.wait()
        seconds = []
        for request in requests:
            began = time.monotonic()
            line.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += line.recv(65536)
            assert answer.startswith((b"HTTP/1.1 204", b"HTTP/1.1 201")), answer
            seconds.append(time.monotonic() - began)
        told.send(seconds)


def measured(address, shares):
    """Seconds until all shares are sent, each by a process of its own, and of each request."""
    fork = multiprocessing.get_context("fork")
    ready, go, pipes, clients = fork.Semaphore(0), fork.Event(), [], []
    for share in shares:
        ours, theirs = fork.Pipe(duplex=False)
        client = fork.Process(target=lean, args=(address, share, ready, go, theirs))
        client.start()
        pipes.append(ours)
        clients.append(client)
    for _ in clients:
        assert ready.acquire(timeout=60)
    began = time.monotonic()
    go.set()
    each = [seconds for pipe in pipes for seconds in pipe.recv()]
    took = time.monotonic() - began
    for client in clients:
        client.join(10)
    return took, each


def patches(wallet, items):
    """Signed requests of one booth, as sync makes them."""
    known, counter, key = wallet.identity(), wallet.counter(), wallet.key()
    nonce = Central.nonce(known)
    for name, data in items:
        target = f"{wire.RECORDINGS}/{name}"
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        upload = {
            wire.OFFSET: "0",
            wire.LENGTH: str(len(data)),
            wire.COMPLETE: "?1",
            wire.DIGEST: f"sha-256=:{digest}:",
        }
        number = counter.next()
        text = wire.signed_text("PATCH", target, data, counter=number, nonce=nonce, headers=upload)
        signed = {
            wire.BOOTH: known.booth,
            wire.COUNTER: str(number),
            wire.SERVER_NONCE: nonce,
            wire.SIGNATURE: base64.b64encode(key.sign(text)).decode(),
        }
        yield request("PATCH", target, data, upload | signed)


def request(method, target, data, headers):
    """The bytes of a request."""
    lines = [f"{method} {target} HTTP/1.1", "Host: booths", f"Content-Length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + data


def beside_nginx(directory, keys, shares):
    """The same with nginx."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program, "nginx is missing: `make bench` installs it"
    root = directory / "nginx"
    (root / "files").mkdir(parents=True)
    for place in (directory, root, root / "files"):
        place.chmod(0o777)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (root / "conf").write_text(NGINX.format(root=root, port=port, keys=keys), encoding="ascii")
    peer = subprocess.Popen([program, "-c", str(root / "conf"), "-p", str(root)], stderr=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        requests = [[request("PUT", f"/{name}", data, {}) for name, data in share] for share in shares]
        took, each = measured(("127.0.0.1", port), requests)
        for name, data in shares[0]:
            assert (root / "files" / name).read_bytes() == data
        return took, each
    finally:
        peer.terminate()
        peer.wait(10)


def flushed(directory, shares):
    """Seconds in which BOOTHS processes write the same files, each flushed with its name."""

    def work(share):
        folder = os.open(directory, os.O_RDONLY)
        for name, data in share:
            file = os.open(directory / f"{name}.bare", os.O_WRONLY | os.O_CREAT)
            os.pwrite(file, data, 0)
            os.fdatasync(file)
            os.close(file)
            os.fsync(folder)

    writers = [multiprocessing.get_context("fork").Process(target=work, args=(share,)) for share in shares]
    began = time.monotonic()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return time.monotonic() - began


def opened(file, count):
    """Wait until so many recordings play."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as books:
        while books.execute("SELECT count(*) FROM recording WHERE state = 'whole'").fetchone()[0] < count:
            select.select([], [], [], 0.02)


def told(what, files, took, each, more=""):
    """One line of the report."""
    worst = sorted(each)[int(0.99 * len(each))]
    print(
        f"{what:<44} {files / took:6.1f} files/s   median {1000 * statistics.median(each):5.1f} ms   p99 {1000 * worst:6.1f} ms   {more}"
    )


def main():
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    files = parser.parse_args().files
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        central = Central(directory / "server")
        try:
            wallets = [
                central.enrol(directory / f"booth{at}") or Wallet(directory / f"booth{at}") for at in range(BOOTHS)
            ]
            speaker = Speaker(central.recipients())
            items = [(str(call), speaker.journal(call)) for call in (uuid.uuid4() for _ in range(files))]
            shares = [items[at::BOOTHS] for at in range(BOOTHS)]
            size = sum(len(data) for _, data in items) / files
            requests = [list(patches(wallet, share)) for wallet, share in zip(wallets, shares, strict=True)]
            before = memory(central.process)
            began = time.monotonic()
            took, each = measured(central.address, requests)
            opened(central.directory / "server.db", files)
            plays = time.monotonic() - began
            print(f"{files} files of {size / 1024:.0f} KiB, {BOOTHS} booths, one server process")
            told("ours: verified, flushed, acknowledged", files, took, each)
            print(
                f"  all play after {plays:.1f} s; server {before:.0f} MB before, {memory(central.process):.0f} MB after"
            )
            theirs, each = beside_nginx(directory, central.directory, shares)
            told(
                "nginx PUT: nothing verified nor flushed",
                files,
                theirs,
                each,
                f"ratio {theirs / took:.2f} (target {TARGET})",
            )
            bare = flushed(directory, shares)
            print(
                f"{'bare files, flushed with their names':<44} {files / bare:6.1f} files/s   ours is {bare / took:.2f} of it"
            )
        finally:
            central.close()


if __name__ == "__main__":
    main()
