"""A whole booth for each test: emulated hardware, real drivers, a card of its own."""

import gc
import math
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import uuid
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import obstore
import pyrage
import pytest
from playwright.sync_api import sync_playwright
from sqlalchemy import delete, insert, text

from firmware import listfile, numbers, sync
from firmware.__main__ import main
from firmware.callflow import State
from firmware.calls import Calls
from firmware.clock import Clock
from firmware.desk.rig import Rig
from firmware.desk.running import RunningBooth
from firmware.pin import hash_pin
from firmware.store import Store
from hw.contracts import RATE
from provisioning import keys, recording
from provisioning.server import schema
from provisioning.server.bell import Topic
from provisioning.server.run import Server

PIN = "246810"
SAMPLE = Path(__file__).parents[2] / "firmware" / "desk" / "sample.ja.csv"


def steady(samples, hertz):
    """How loud one tone is most of the time: a frame that came late breaks its rhythm, and not its loudness."""
    quarter = RATE // 4
    return float(
        np.median([loudness(samples[at : at + quarter], hertz) for at in range(0, len(samples) - quarter, quarter)])
    )


def loudness(samples, hertz):
    """How loud one tone is in `samples`, in dB of full scale; leaves out all else."""
    moments = np.arange(len(samples)) / RATE
    window = np.hanning(len(samples))
    part = np.sum(samples * window * np.exp(-2j * math.pi * hertz * moments)) / np.sum(window)
    return 20 * math.log10(max(2 * abs(part) / 32768, 1e-9))


@dataclass
class Opened:
    """A call's recording as the holder of the key hears it."""

    found: recording.Recording
    agent: np.ndarray = field(init=False)
    customer: np.ndarray = field(init=False)

    def __post_init__(self):
        """Both ears from the answer mark on."""
        skip = self.found.answer * 160
        self.agent = np.array(recording.decode(self.found.agent), dtype=float)[skip:]
        self.customer = np.array(recording.decode(self.found.customer), dtype=float)[skip:]


class House:
    """Makes booths on one card and puts everything away at the end."""

    def __init__(self, directory):
        self.directory = directory
        self.identity = pyrage.x25519.Identity.generate()
        self.rig = self.booth = None

    def import_list(self, file):
        """What a person does before the first day."""
        calls = self.books()
        read = listfile.read(file, "JP", "03")
        calls.add_list(file.stem, read.entries, sample=read.sample)
        calls.close()

    def install(self, *, more="", lists=(SAMPLE,), before=lambda _rig: None, **options):
        """A booth that runs, with its lists imported; `more` is added to its device.toml."""
        self.rig = Rig(self.directory, identity=self.identity, **options)
        device = self.directory / "device.toml"
        device.write_text(self.rig.device_toml(hash_pin(PIN)) + more, encoding="utf-8")
        for one in lists:
            assert main(["--device", str(device), "import", str(one)]) == 0
        before(self.rig)
        self.booth = RunningBooth(self.rig, self.rig.settings(PIN, more))
        return self.rig, self.booth

    @property
    def pin(self):
        """The supervisor's."""
        return PIN

    def books(self):
        """The booth's database; the booth must have stopped."""
        return Calls(self.directory / "booth.db", "desk", Clock("system"))

    def record(self, call):
        """All that the booth knows of a call."""
        books = self.books()
        try:
            return books.record(call)
        finally:
            books.close()

    def facts(self, digits):
        """All that the booth knows of a number."""
        books = self.books()
        try:
            return books.facts(numbers.parse(digits).key)
        finally:
            books.close()

    def open(self, call):
        """The recording of a call, decrypted."""
        return Opened(recording.load(self.directory / "recordings" / f"{call}.journal", [self.identity]))

    def close(self):
        """Switch off and put away."""
        try:
            if self.booth is not None:
                self.booth.stop()
        finally:
            if self.rig is not None:
                self.rig.close()


@pytest.fixture
def house(tmp_path):
    """Where booths are installed."""
    made = House(tmp_path)
    yield made
    made.close()


@pytest.fixture
def usual():
    """A tone's loudness, late frames or not."""
    return steady


@pytest.fixture
def level():
    """How loud one tone is in samples, in dB of full scale."""
    return loudness


@pytest.fixture
def at():
    """Wait until a booth is in a state, and give the scene."""

    def wait(booth, state, also=lambda _scene, _view: True, patience=30.0):
        assert isinstance(state, State)
        return booth.wait_for(state.name, lambda scene, view: scene.state is state and also(scene, view), patience)

    return wait


def until(true, patience=60.0):
    """Poll a condition of another process; what it came to."""
    ends = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < ends, "it never came true"
        select.select([], [], [], 0.01)
    return found


class Central:
    """The central server, which can be switched off and on, and the sync daemons of booths."""

    def __init__(self, directory):
        self.directory, self._port, self._daemons = directory, 0, []
        self.up()
        self.identity = keys.load(directory / "recordings.key")[0]

    def up(self):
        """Switch it on, at the same address as before."""
        self.server = Server(self.directory, api_port=self._port)
        self.server.start()
        self._port = int(self.server.api_url.rpartition(":")[2])

    def down(self):
        """Switch it off."""
        self.server.stop()
        self.server = None
        with warnings.catch_warnings():
            # uvicorn forgets to close the socket of a client that hangs up in the middle of its TLS handshake
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    def token(self, name="Booth"):
        """What a technician brings to a booth."""
        return self.server.new_token(name)

    def enrol(self, data, token=None):
        """Make the booth on card `data` known."""
        assert sync.main(["enrol", token or self.token(), "--data", str(data)]) == 0

    def sync(self, data, *more):
        """Start booth-sync for card `data`."""
        command = [sys.executable, "-m", "firmware.sync", "run", "--data", str(data), *more]
        daemon = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self._daemons.append(daemon)
        return daemon

    def rows(self, question, *values):
        """What is in the server's database."""
        names = [f"value{place}" for place in range(len(values))]
        question = question.replace("?", "%s") % tuple(f":{name}" for name in names)
        with self.server.parts.database.read() as connection:
            return connection.execute(text(question), dict(zip(names, values, strict=True))).mappings().all()

    def call(self, identity):
        """The server's row of a call; None while it is not there."""
        rows = self.rows("SELECT * FROM call WHERE id = ?", identity)
        return rows[0] if rows else None

    def recording(self, identity):
        """The server's row of a recording that is all there, and opened; None before."""
        rows = self.rows("SELECT * FROM recording WHERE id = ? AND state NOT IN ('partial', 'taken')", identity)
        return rows[0] if rows else None

    def kept(self, name):
        """What is in the server's archive under that name."""
        return bytes(obstore.get(self.server.parts.archive, name).bytes())

    def give_list(self, name, rows, *, revision=1, identity=None):
        """Have every booth that is known work through a list of (name, number); the list's id."""
        identity = identity or str(uuid.uuid4())
        row = {"id": identity, "name": name, "sample": False, "revision": revision, "created": 0.0}
        entries = [
            {"list": identity, "row": at, "name": who, "reading": "", "numbers": [digits], "keys": []}
            for at, (who, digits) in enumerate(rows, 1)
        ]
        with self.server.parts.database.write() as connection:
            connection.execute(delete(schema.call_list).where(schema.call_list.c.id == identity))
            connection.execute(insert(schema.call_list).values(row))
            connection.execute(insert(schema.list_row), entries)
            booths = [{"list": identity, "booth": one.id} for one in connection.execute(schema.booth.select())]
            connection.execute(insert(schema.assignment), booths)
        self.server.parts.bell.ring(Topic.LISTS)
        return identity

    def take_list(self, identity):
        """No booth is to have it any more."""
        with self.server.parts.database.write() as connection:
            connection.execute(delete(schema.assignment).where(schema.assignment.c.list == identity))
        self.server.parts.bell.ring(Topic.LISTS)

    def close(self):
        """Switch everything off; a daemon that does not go when asked, or died before, fails the test."""
        for daemon in self._daemons:
            daemon.terminate()
        codes = []
        for daemon in self._daemons:
            _, said = daemon.communicate(timeout=10)
            codes.append((daemon.returncode, said))
        if self.server is not None:
            self.down()
        assert [said for code, said in codes if code not in (0, -signal.SIGKILL, -signal.SIGTERM)] == []


@pytest.fixture
def central(place):
    """The central server."""
    made = Central(place)
    yield made
    made.close()


@pytest.fixture
def branch(central, tmp_path):
    """Makes further cards for booths whose recordings the central server can open."""
    made = []

    def make(name):
        directory = tmp_path / name
        directory.mkdir()
        one = House(directory)
        one.identity = central.identity
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def card():
    """Look into a booth's database while the booth and its sync run."""
    opened = []

    def look(data, question, *values):
        store = Store(data / "booth.db")
        opened.append(store)
        return store.rows(question, *values)

    yield look
    for store in opened:
        store.close()


@pytest.fixture(name="until")
def _until():
    """Wait for a condition of another process."""
    return until


NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a microphone that hears a beep twice a second
]


@pytest.fixture(scope="module")
def chromium():
    """A browser without a window; each test opens pages of its own."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS  # Chromium's sandbox refuses root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()
