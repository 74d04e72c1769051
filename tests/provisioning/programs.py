"""The server as a program of two processes."""

import json
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

PATIENCE = 120


class Program:
    """It begins at any free port, and again always at the same; `more` are further options."""

    def __init__(self, directory, *more):
        self.directory, self.port, self._more = directory, 0, more
        self.log = directory.parent / "log"
        self.start()

    def start(self):
        places = ["--api", f"127.0.0.1:{self.port}", "--pages", "127.0.0.1:0", "--processes", "2"]
        run = ["server", "run", "--data", str(self.directory), *places, "--announce", *self._more]
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "provisioning.cli", *run]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        assert select.select([self.process.stdout], [], [], PATIENCE)[0]
        self.told = json.loads(self.process.stdout.readline())
        self.port = int(self.told["api"].rpartition(":")[2])

    def workers(self):
        """Those who serve."""
        pid = self.process.pid
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def reload(self):
        """SIGHUP; returns when all who served have left."""
        before = self.workers()
        self.process.send_signal(signal.SIGHUP)
        ends, pause = time.monotonic() + PATIENCE, threading.Event()
        while before & self.workers() or len(self.workers()) < 2:
            assert time.monotonic() < ends
            pause.wait(0.05)

    def restart(self):
        """SIGTERM, and start again."""
        self.stop()
        self.start()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE) == 0
        self.process.stdout.close()
