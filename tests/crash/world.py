"""Before the curtain: a booth's card and its server's directory; and the processes of the play, each a fork of one that
has everything imported already.
"""

import base64
import ctypes
import os
import shutil
import signal
import socket
import sys
import traceback
import uuid
from pathlib import Path

from firmware import listfile, wire
from firmware.calls import Calls
from firmware.clock import Clock
from firmware.syncing.identity import Identity, Wallet
from firmware.syncing.outbox import offer_again
from provisioning.server.parts import Parts, make
from tests.crash.history import LIST

SAMPLE = Path(__file__).parents[2] / "firmware" / "desk" / "sample.ja.csv"
ADDRESS = "https://127.0.0.1:1"  # stands for the one that a case gets
_ORPHANED = 1  # prctl(2): the signal that comes when the parent dies


class World:
    """The state of the disks from which every case begins, made once and copied for each."""

    def __init__(self, directory):
        self.directory = Path(directory)
        server, card = self.directory / "server", self.directory / "card"
        make(server)
        parts = Parts.open(server)
        self.token = parts.new_token("Booth 2", ADDRESS)
        card.mkdir()
        wallet = Wallet(card)
        self._enrol(parts, wallet, wire.Token.read(parts.new_token("Booth 1", ADDRESS)))
        parts.recordings.settle(10)
        parts.close()
        books = Calls(card / "booth.db", "desk", Clock("system"))
        read = listfile.read(SAMPLE, "JP", "03")
        books.add_list("sample", read.entries, sample=read.sample)
        books.log_in("07")
        with books.store.write() as db:
            offer_again(db)
        books.close()

    def _enrol(self, parts, wallet, token):
        public = base64.b64encode(wallet.key().public_key().public_bytes_raw()).decode()
        enrolled = parts.booths.enrol(wire.Enrol(secret=token.secret, key=public, name="Booth 1"))
        wallet.keep(Identity(ADDRESS, enrolled.pins, enrolled.booth, enrolled.name))
        name = str(uuid.uuid4())
        with parts.database.write() as connection:
            ask = connection.exec_driver_sql
            ask("INSERT INTO list (id, name, sample, revision, created) VALUES (?, ?, 0, 3, 0)", (name, LIST))
            for row in range(3):
                values = (name, row, f"顧客{row}", f'["03-1234-562{row}"]')
                ask(
                    "INSERT INTO list_row (list, row, name, reading, numbers, keys) VALUES (?, ?, ?, '', ?, '[]')",
                    values,
                )
            ask("INSERT INTO assignment SELECT ?, id FROM booth", (name,))

    def copy(self, directory, port):
        """The same again in `directory`, where the server will have that port."""
        directory = Path(directory)
        shutil.copytree(self.directory / "server", directory / "server", symlinks=True)
        shutil.copytree(self.directory / "card", directory / "card", symlinks=True)
        identity = directory / "card" / "sync" / "identity.json"
        text = identity.read_text(encoding="utf-8").replace(ADDRESS, f"https://127.0.0.1:{port}")
        identity.write_text(text, encoding="utf-8")


def reserved():
    """A socket that keeps a port for whoever listens there from time to time; nobody else is given it."""
    place = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind(("127.0.0.1", 0))
    return place


class Child:
    """A fork that does `work` and ends; what it prints goes to `log`."""

    def __init__(self, log, work, *arguments):
        sys.stdout.flush()
        sys.stderr.flush()
        self._status = None
        self.pid = os.fork()
        if not self.pid:
            self._live(log, work, arguments)

    def _live(self, log, work, arguments):
        code = 1
        try:
            ctypes.CDLL(None).prctl(_ORPHANED, signal.SIGKILL)
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(out, 1)
            os.dup2(out, 2)
            code = work(*arguments) or 0
        except BaseException:  # noqa: BLE001  (whatever it was, it goes to the log and is the end)
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    @property
    def dead(self):
        """Whether it has ended."""
        return self._reaped(os.WNOHANG)

    @property
    def status(self):
        """How it ended: below zero by which signal."""
        return self._status

    def _reaped(self, how):
        if self._status is None:
            pid, status = os.waitpid(self.pid, how)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status is not None

    def kill(self):
        """End it at once; harmless when it has ended."""
        if not self.dead:
            os.kill(self.pid, signal.SIGKILL)
            self._reaped(0)
