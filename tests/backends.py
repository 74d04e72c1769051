"""The services that a server may stand on, started for the tests from Debian's packages and thrown away with them."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

import psycopg

from provisioning.server import database

PATIENCE = 60  # seconds until a service must answer, on a machine that has much else to do


class Kept:
    """A program with a directory of its own in /tmp; both go when we do, however that happens.

    A shell between it and us waits for the end of its own input, which comes with ours.
    """

    _SHELL = 'end=$1; shift; "$@" & cat >/dev/null; kill "-$end" $! 2>/dev/null; wait $!; rm -rf "$0"'

    def __init__(self, directory, command, *, end="TERM"):
        self.directory, self.log = directory, directory / "log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", self._SHELL, directory, end, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=directory,
                start_new_session=True,
            )

    def wait_for(self, ready):
        """Until it answers."""
        ends, pause = time.monotonic() + PATIENCE, threading.Event()
        while not ready():
            assert time.monotonic() < ends, self.log.read_text(errors="replace")[-2000:]
            pause.wait(0.02)

    def stop(self):
        """End it and remove its directory."""
        self._process.stdin.close()
        self._process.wait(PATIENCE)


def directory(user):
    """A new one that belongs to `user`; not pytest's, into which other users cannot look."""
    made = Path(tempfile.mkdtemp(prefix="booth-", dir="/tmp"))
    if os.getuid() == 0:
        shutil.chown(made, user)
    return made


def as_user(user):
    """What to put before a command that refuses to be root's; nothing where we are somebody else already."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if os.getuid() == 0 else []


class Postgresql:
    """A cluster of its own on a socket of its own; a new database is a copy of one that has all tables.

    Nothing of it waits for a disk unless `durable`.
    """

    USER = "postgres"  # Debian's package makes it

    def __init__(self, *, durable=False):
        programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
        place = directory(self.USER)
        make = [programs / "initdb", "-D", place / "data", "-U", "booth", "-A", "trust", "-E", "UTF8", "-N"]
        subprocess.run([*as_user(self.USER), *make, "--locale=C"], check=True, capture_output=True, cwd="/")
        settings = {"listen_addresses": "", "unix_socket_directories": place, "max_connections": 100}
        if not durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [f"--{name}={value}" for name, value in settings.items()]
        run = [programs / "postgres", "-D", place / "data", *options]
        self._kept, self._names = Kept(place, [*as_user(self.USER), *run], end="QUIT"), count(1)
        self._kept.wait_for(self._answers)
        self._do("CREATE DATABASE tables")
        made = database.Database(self.url("tables"))
        made.upgrade()
        made.close()

    def url(self, name):
        """Of a database, as BOOTH_DATABASE_URL has it."""
        return f"postgresql+psycopg://booth@/{name}?host={self._kept.directory}"

    def new(self, *, tables=True):
        """The URL of a new database, which has all tables or nothing in it."""
        name = f"test{next(self._names)}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {'tables' if tables else 'template0'}")
        return self.url(name)

    def drop(self, url):
        """Throw a database away, and whoever is still connected."""
        name = url.partition("@/")[2].partition("?")[0]
        self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self):
        """Throw it all away."""
        self._kept.stop()

    def _connected(self):
        return psycopg.connect(host=str(self._kept.directory), user="booth", dbname="postgres", autocommit=True)

    def _answers(self):
        with suppress(psycopg.OperationalError), self._connected():
            return True
        return False

    def _do(self, statement):
        with self._connected() as connection:
            connection.execute(statement)
