"""An office with booths, calls and recordings, as booths tell of them, and somebody who looks at its pages."""

import base64
import json
import math
import re
import socket
import struct
import threading
import uuid
from html import unescape

import httpx
import msgspec
import obstore
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, text

from firmware import wire
from firmware.opus import Encoder
from firmware.results import load
from hw.contracts import FRAME_SECONDS, RATE
from provisioning import ogg
from provisioning.server import tokens
from provisioning.server.archive import OPUS
from provisioning.server.booths import Booth
from provisioning.server.pages import app, passwords, sessions
from provisioning.server.parts import Parts, make
from provisioning.server.schema import administrator, recording
from provisioning.server.waveform import Waveform

NOW = 1795325520.0  # 2026-11-22 14:32 in Tokyo
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
NAME, PASSWORD = "佐藤", "correct horse battery"
AGENT_TONE, CUSTOMER_TONE = 440.0, 1000.0
RESULTS = {result.code: result for result in load()}
HASH = passwords.hashed(PASSWORD)


def tone(frequency, seconds, *, bursts=0.0):
    """20 ms frames of a tone, in bursts of so many seconds if wanted."""
    for frame in range(round(seconds / FRAME_SECONDS)):
        first = frame * round(RATE * FRAME_SECONDS)
        loud = 8000 if not bursts or int(frame * FRAME_SECONDS / bursts) % 2 == 0 else 20
        samples = (loud * math.sin(2 * math.pi * frequency * (first + at) / RATE) for at in range(160))
        yield struct.pack("<160h", *(int(sample) for sample in samples))


class Office:
    """A server's parts, with booths that tell it things."""

    def __init__(self, directory, now=NOW):
        make(directory)
        self.now, self.clients, self.live = now, [], {}
        self.parts = Parts.open(directory, lambda: self.now)
        self.app = app.make(
            self.parts.database,
            self.parts.archive,
            bell=self.parts.bell,
            booths=self.parts.booths,
            facts=self.parts.facts,
            enrolment=lambda secret: f"booth1:https://127.0.0.1:8443:pin:{secret}",
            secret=self.parts.secret,
            live=lambda name: [self.live[str(name)]] if str(name) in self.live else [],
            now=lambda: self.now,
        )
        with self.parts.database.write() as connection:
            row = {"name": NAME, "password": HASH, "language": "ja", "created": now}
            connection.execute(insert(administrator).values(row))

        ear = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{ear.getsockname()[1]}"
        config = uvicorn.Config(
            self.app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [ear]}, name="pages")
        self._thread.start()

    def close(self):
        for client in self.clients:
            client.close()
        self._server.should_exit = True
        self.parts.bell.close()
        self._thread.join(10)
        self.parts.close()

    def add(self, table, **row):
        """A row of whatever table."""
        with self.parts.database.write() as connection:
            connection.execute(insert(table).values(row))

    def row(self, sql):
        """The only row of a query."""
        with self.parts.database.read() as connection:
            return connection.execute(text(sql)).one()

    @staticmethod
    def read_lists():
        """Wait until no list is being read any more."""
        for thread in threading.enumerate():
            if thread.name == "list upload":
                thread.join(60)
                assert not thread.is_alive()

    def booth(self, name, **status):
        """A booth that is enrolled and has told how it is."""
        with self.parts.database.write() as connection:
            secret = tokens.new(connection, name, self.now)
        key = base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
        enrolled = self.parts.booths.enrol(wire.Enrol(secret=secret, key=key, name=name))
        one = Booth(enrolled.booth, enrolled.name)
        told = {"software": "26.11.0", "pending_calls": 0, "pending_recordings": 0, "oldest": None}
        self.parts.booths.report(one, wire.Status(**told | {"free_bytes": 12_400_000_000} | status))
        return one

    def call(self, one, *, at=NOW, code="SALE", call_id=None, **record):
        """A call that the booth tells of; what is given replaces parts of its record."""
        call_id = call_id or str(uuid.uuid4())
        record = whole_record(call_id, one, at, code) | record
        taken = self.parts.calls.take(one, [msgspec.Raw(json.dumps(record).encode())])
        assert taken.ids == (call_id,), taken.refused
        return call_id

    def fact(self, one, kind, number, **more):
        """A fact that a booth tells of."""
        more = {"at": NOW - HOUR, "agent": "OP07"} | more
        fact = wire.Fact(id=str(uuid.uuid4()), kind=kind, number=number, booth=one.name, **more)
        self.parts.facts.take(one.id, [msgspec.Raw(wire.encode(fact))])
        return fact.id

    def recording(self, one, call_id, seconds=6.0, answer=2.0, state="whole", **row):
        """What the server keeps of a recording that has come in."""
        agent, customer = ([*map(Encoder().encode, frames)] for frames in voices(seconds))
        ears = Waveform()
        ears.hear(agent, customer)
        obstore.put(self.parts.archive, f"{call_id}{OPUS}", ogg.mux(agent, customer, {"CALL": call_id}))
        kept = {"id": call_id, "booth": one.id, "call": call_id, "state": state, "bytes": 12_000, "begun": self.now}
        kept |= {"seconds": seconds, "answer_seconds": answer, "peaks": ears.peaks(), "taken": self.now}
        with self.parts.database.write() as connection:
            connection.execute(insert(recording).values(kept | row))


def voices(seconds):
    """The agent's and the customer's frames."""
    return tone(AGENT_TONE, seconds, bursts=0.7), tone(CUSTOMER_TONE, seconds, bursts=1.1)


def whole_record(call_id, one, at, code):
    """A record as firmware.record.whole makes it."""
    result = {"version": 1, "code": code, "due": None, "whom": "self", "clear": "yes", "note": "", "at": at}
    decision = {"verdict": "ALLOW", "reason": "FREE", "until": None, "never": False, "overridable": False}
    return {
        "version": 1,
        "id": call_id,
        "booth": one.name,
        "agent": "OP07",
        "reason": "",
        "emergency": False,
        "incoming": False,
        "number": {"key": "+81312345601", "shown": "03-1234-5601", "dialled": "0312345601", "kind": "ORDINARY"},
        "customer": customer("株式会社ミズホ設備", "ミズホセツビ"),
        "decision": decision | {"considered": ["EMERGENCY", "REFUSED", "FREE"], "evidence": []},
        "begun": {"at": at, "boot": "b", "monotonic": 100.0},
        "answered": True,
        "cause": "NORMAL",
        "by": "FAR",
        "talk": 151.0,
        "marks": [{"name": "answered", "seconds": 0.0, "at": at, "boot": "b", "monotonic": 108.0}],
        "recording": {"file": f"{call_id}.journal", "talk": 151.0, "complete": True},
        "result": result if code else None,
        "earlier_results": [],
        "facts": [],
    }


def customer(name, reading="", row=1, call_list="", list_name="春の案内", *, sample=False):
    """The customer of a record."""
    of = {"id": 1, "uuid": call_list, "name": list_name, "sample": sample}
    return {"id": row, "name": name, "reading": reading, "row": row, "list": of}


@pytest.fixture
def office(place):
    one = Office(place)
    yield one
    one.close()


class Supervisor:
    """A browser without scripts."""

    def __init__(self, office, name=NAME, password=PASSWORD, **headers):
        self.client = httpx.Client(base_url=office.url, headers=headers, trust_env=False, timeout=60)
        self._office = office
        office.clients.append(self.client)
        if name and password == PASSWORD:
            with office.parts.database.write() as connection:
                self.client.cookies.set(sessions.COOKIE, sessions.begin(connection, 1, office.now), domain="127.0.0.1")
        elif name:
            assert self.log_in(name, password).status_code == 303

    def get(self, path, **more):
        return self.client.get(path, **more)

    def log_in(self, name=NAME, password=PASSWORD, **fields):
        page = self.get("/log-in").text
        return self.client.post(
            "/log-in", data={"csrf": self.hidden(page, "csrf"), "name": name, "password": password} | fields
        )

    @staticmethod
    def hidden(page, name):
        """A hidden field's value."""
        return unescape(re.search(rf'name="{name}" value="([^"]*)"', page).group(1))

    @staticmethod
    def words(answer):
        """What a page says, without its tags."""
        plain = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
        return " ".join(unescape(plain).split())

    def post(self, path, data=None, *, on="/account", **more):
        """Send a form as it stands on the page `on`."""
        data = {"csrf": self.hidden(self.get(on).text, "csrf")} | (data or {})
        return self.client.post(path, data=data, **more)

    def upload(self, content, name="春の案内.csv", **data):
        """Send a call list, and wait until it is read; the page where that ends."""
        content = content if isinstance(content, bytes) else content.encode()
        answer = self.post("/lists", data, on="/lists", files={"file": (name, content)})
        if answer.status_code != 303:
            return answer
        self._office.read_lists()  # a slow machine answers sooner
        return self.get(answer.headers["location"])


@pytest.fixture
def browser(office):
    """Opens another browser."""
    return lambda **more: Supervisor(office, **more)


@pytest.fixture
def sv(office):
    return Supervisor(office)


@pytest.fixture(name="customer")
def customer_fixture():
    return customer


@pytest.fixture
def new_id():
    return lambda: str(uuid.uuid4())
