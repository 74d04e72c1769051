"""The office of a desk: a central server, the booth's sync, and the cable between them. Both are children of the desk."""

import json
import select
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Self
from urllib.parse import urlsplit

from firmware import mailbox
from firmware.desk.cable import HERE, Cable
from firmware.desk.words import Language
from firmware.store import Store
from firmware.syncing.identity import Wallet

SERVER, SYNC = "provisioning.cli", "firmware.sync"  # by name: the booth's programs import nothing of the server's
NAME = "desk"  # of the booth, as in the rig's device.toml
PATIENCE = 60.0  # seconds for a child to be ready; the first start on a slow machine makes keys and tables
LAST_WORDS = 20.0  # seconds for a child to finish what is under way
LOOK = 0.05  # seconds between two looks whether sync has heard the server


class OfficeError(RuntimeError):
    """Server or sync do not do what they must; the text says where to look."""


@dataclass(frozen=True, slots=True)
class LogIn:
    """For the supervisor's pages. The password is nowhere else: the server keeps a hash."""

    name: str
    password: str


class Office:
    """Made in three steps: the directory, `prepare`, `open`. Everything is kept in `directory` between runs.

    Each child has a session of its own: Ctrl-C is for the desk, which lets go of its children in order.
    """

    def __init__(self, directory: Path, card: Path, language: Language = "ja") -> None:
        """`card` is the booth's data; server and logs lie in `directory`."""
        self.server, self._card, self._language, self._logs = directory / "server", card, language, directory
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._made_now = False
        self.pages = ""  # address of the supervisor's pages
        self.recipients: tuple[str, ...] = ()  # whom recordings are sealed to

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def prepare(self) -> LogIn | None:
        """Make a server, at the first run; its log-in, which is shown this once. Raises OfficeError."""
        if (self.server / "server.db").exists():
            return None
        said = json.loads(self._ask(SERVER, "server", "init", "--language", self._language, "--announce"))
        self._made_now = True
        return LogIn(said["administrator"], said["password"])

    def open(self) -> None:
        """Start the server, enrol the booth at the first run, start sync. Raises OfficeError."""
        here = f"{HERE}:0"
        self._start(SERVER, "server", "run", "--api", here, "--pages", here, "--announce")
        said = self._announced()
        self.pages = said["pages"]
        self.cable = Cable(urlsplit(said["api"]).port or 0)
        self._enrol()
        self._start(SYNC, "run")
        self.recipients = self._wanted()

    def close(self) -> None:
        """End sync, then the server."""
        for name in (SYNC, SERVER):
            if name in self._children:
                _let_go(self._children.pop(name))
        if self.pages:
            self.cable.close()

    def forget_time(self) -> None:
        """The booth's box was switched off: what sync has heard, it heard in another boot. Sync hears it again soon."""
        store = Store(self._card / "booth.db")
        mailbox.write_report(store, replace(mailbox.report(store), boot=""))
        store.close()

    @property
    def ended(self) -> str:
        """What has ended by itself, and where it has left word; empty while all is well."""
        over = [name for name, child in self._children.items() if child.poll() is not None]
        return f"{_NAMES[over[0]]} has ended by itself; see {self._log(over[0])}" if over else ""

    def _enrol(self) -> None:
        """Each start has another port; the pin, not the address, says who answers there."""
        wallet = Wallet(self._card)
        identity = wallet.identity()
        if identity is not None and not self._made_now:
            wallet.keep(replace(identity, url=self.cable.url))
            return
        token = self._ask(SERVER, "token", "new", NAME, "--url", self.cable.url).strip()
        self._ask(SYNC, "enrol", token, "--again")

    def _wanted(self) -> tuple[str, ...]:
        """Whom the server wants recordings sealed to; sync hears it with its first word."""
        store, end = Store(self._card / "booth.db"), monotonic() + PATIENCE
        try:
            while not (found := mailbox.report(store).recipients):
                if monotonic() > end or self.ended:
                    raise OfficeError(self.ended or f"sync does not reach the server; see {self._log(SYNC)}")
                sleep(LOOK)
        finally:
            store.close()
        return found

    def _announced(self) -> dict[str, str]:
        out = self._children[SERVER].stdout
        assert out is not None
        ready, _, _ = select.select([out], [], [], PATIENCE)
        line = out.readline() if ready else b""
        if not line:
            raise OfficeError(f"the server does not start; see {self._log(SERVER)}")
        said: dict[str, str] = json.loads(line)
        return said

    def _ask(self, module: str, *words: str) -> str:
        """What one of our programs answers."""
        command = [sys.executable, "-m", module, *words, "--data", str(self._data(module))]
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False, start_new_session=True
        )
        if done.returncode:
            raise OfficeError(done.stderr.strip() or f"{' '.join(words[:2])} failed")
        return done.stdout

    def _start(self, module: str, *words: str) -> None:
        command = [sys.executable, "-m", "firmware.desk.leash", module, *words, "--data", str(self._data(module))]
        with self._log(module).open("ab") as log:
            out: int | IO[bytes] = subprocess.PIPE if module == SERVER else log
            self._children[module] = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=out, stderr=log, start_new_session=True
            )

    def _data(self, module: str) -> Path:
        return self.server if module == SERVER else self._card

    def _log(self, module: str) -> Path:
        return self._logs / f"{_NAMES[module].rpartition(' ')[2]}.log"


_NAMES = {SERVER: "the server", SYNC: "sync"}


def _let_go(child: subprocess.Popen[bytes]) -> None:
    """As when the desk is killed: the child's standard input ends, and it goes."""
    with child:
        assert child.stdin is not None
        child.stdin.close()
        try:
            child.wait(LAST_WORDS)
        except subprocess.TimeoutExpired:
            child.kill()
