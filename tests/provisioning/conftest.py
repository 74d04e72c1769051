"""A real server on real sockets, and a booth as far as its server can tell: it signs what it asks."""

import base64
import hashlib
import http.client
import itertools
import json
import re
import ssl
import uuid
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import msgspec
import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware import journal, wire
from firmware.journal import Closing, Ending, Segment
from firmware.opus import Encoder
from hw.contracts import FRAME
from provisioning.server.run import Server
from tests.provisioning.offices import copied, growing, office  # noqa: F401  (fixtures of several files)


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def error(self):
        """The word of a refusal, whose sentence must say something."""
        refusal = wire.decode(self.body, wire.Refusal)
        assert self.status >= 400
        assert len(refusal.detail) > 10
        return refusal.error


@cache
def tls():
    """Any certificate will do: that a wrong key is refused is the booth's own test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Phone:
    """A booth's voice; it may be told to say wrong things."""

    def __init__(self, token, name="Booth"):
        self.token = wire.Token.read(token)
        self.key, self.counter, self.id = Ed25519PrivateKey.generate(), itertools.count(1), ""
        self.name = name
        self.nonce = ""

    def enrol(self):
        """Become known; the answer."""
        answer = self.plain("POST", wire.ENROL, wire.encode(self.wish()))
        if answer.status == 200:
            self.id = wire.decode(answer.body, wire.Enrolled).booth
        return answer

    def wish(self):
        public = base64.b64encode(self.key.public_key().public_bytes_raw()).decode()
        return wire.Enrol(secret=self.token.secret, key=public, name=self.name)

    def plain(self, method, target, body=b"", headers=(), patience=20):
        """Ask without a signature."""
        at = urlsplit(self.token.url)
        with closing(http.client.HTTPSConnection(at.hostname, at.port, context=tls(), timeout=patience)) as line:
            line.request(method, target, body or None, dict(headers))
            said = line.getresponse()
            return Answer(said.status, said.headers, said.read())

    def signed(self, method, target, body=b"", headers=(), *, counter=None, nonce=None, booth=None):
        """The headers of a signed request."""
        if not self.nonce:
            self.nonce = wire.decode(self.plain("GET", wire.NONCE).body, wire.Nonce).nonce
        counter, nonce = counter or next(self.counter), nonce or self.nonce
        text = wire.signed_text(method, target, body, counter=counter, nonce=nonce, headers=dict(headers))
        return dict(headers) | {
            wire.BOOTH: booth or self.id,
            wire.COUNTER: str(counter),
            wire.SERVER_NONCE: nonce,
            wire.SIGNATURE: base64.b64encode(self.key.sign(text)).decode(),
        }

    def ask(self, method, target, body=b"", headers=(), **twist):
        """Ask, signed."""
        return self.plain(method, target, body, self.signed(method, target, body, headers, **twist))

    def post(self, target, message, kind):
        """Say something; what is answered, as a message."""
        answer = self.ask("POST", target, wire.encode(message))
        assert answer.status == 200, answer.body
        return wire.decode(answer.body, kind)

    def tell(self, *facts):
        """Tell facts, given as dictionaries."""
        return self.post(wire.FACTS, wire.Facts(facts=tuple(map(raw, facts))), wire.Taken)

    def hear(self, cursor="", wait=0):
        """Ask for news; it knows of its lists already."""
        answer = self.ask("GET", f"{wire.FACTS}?cursor={cursor}&lists={self.lists().tag}&wait={wait}")
        assert answer.status == 200, answer.body
        return wire.decode(answer.body, wire.News)

    def latest(self):
        """The cursor after all that there is."""
        cursor = ""
        while (news := self.hear(cursor)).facts:
            cursor = news.cursor
        return cursor or news.cursor

    def lists(self):
        """Ask for the names of its lists."""
        return wire.decode(self.ask("GET", wire.LISTS).body, wire.Lists)

    def offset(self, name):
        """How far an upload is, and whether it is complete."""
        answer = self.ask("HEAD", f"{wire.RECORDINGS}/{name}")
        assert answer.status == 204, answer
        return int(answer.headers[wire.OFFSET]), answer.headers[wire.COMPLETE] == "?1"

    def patch(self, name, offset, data, whole=None, digest=None):
        """Send a portion; `whole` is given with the last one."""
        headers = {wire.OFFSET: str(offset), wire.COMPLETE: "?0" if whole is None else "?1"}
        if whole is not None:
            sha = digest or hashlib.sha256(whole).digest()
            headers |= {wire.LENGTH: str(len(whole)), wire.DIGEST: f"sha-256=:{base64.b64encode(sha).decode()}:"}
        return self.ask("PATCH", f"{wire.RECORDINGS}/{name}", data, headers)

    def upload(self, name, whole):
        """All of it in one portion."""
        return self.patch(name, 0, whole, whole)


def raw(thing):
    """A part of a message, from plain data."""
    return msgspec.Raw(json.dumps(thing, ensure_ascii=False).encode())


@cache
def packets(tone):
    """Two seconds of one ear."""
    encoder = Encoder()
    frame = bytes(itertools.islice(itertools.cycle(bytes([0, tone, 0, 256 - tone])), FRAME))
    return tuple(encoder.encode(frame) for _ in range(journal.PACKETS))


class Deck:
    """Makes sealed journals, as a booth does."""

    def __init__(self, recipient):
        self.recipient = pyrage.x25519.Recipient.from_str(recipient)

    def seal(self, plain):
        return pyrage.encrypt(plain, [self.recipient])

    def segment(self, call, index, agent=packets, **other):
        fields = {"first": index * journal.PACKETS, "answer": 50, "left_out": 0} | other
        return Segment(call, index, agent=agent(16), customer=packets(64), **fields)

    def records(self, call, segments, *, closed=True):
        """A journal, record by record."""
        parts = [journal.record(self.seal(journal.pack_segment(self.segment(call, at)))) for at in range(segments)]
        if closed:
            digest = hashlib.sha256(b"".join(parts)).digest()
            frames = segments * journal.PACKETS
            end = Closing(call, segments, Ending.CLOSED, frames, 50, max(0, frames - 50), digest)
            parts.append(journal.record(self.seal(journal.pack_closing(end)), closing=True))
        return parts

    def journal(self, call, segments=3, **how):
        """A journal as it lies on a card."""
        return b"".join(self.records(call, segments, **how))


def recipient_of(directory):
    """The public key that recordings of this server are sealed to."""
    return re.search("age1[0-9a-z]+", (directory / "recordings.key").read_text())[0]


@pytest.fixture(scope="module")
def server(tmp_path_factory, backend):
    """One server for all tests of a file."""
    with backend.place():
        server = Server(tmp_path_factory.mktemp("server"))
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def phone():
    """Makes booths that are not known yet, from their tokens."""
    return Phone


@pytest.fixture
def booth(server):
    """Makes booths that are enrolled."""

    def enrolled(name="Booth"):
        one = Phone(server.new_token(name))
        assert one.enrol().status == 200
        return one

    return enrolled


@pytest.fixture(scope="module")
def shared(server):
    """One booth for many examples."""
    one = Phone(server.new_token("Booth 0"))
    assert one.enrol().status == 200
    return one


@pytest.fixture
def part():
    """Makes a part of a message."""
    return raw


@pytest.fixture(scope="module")
def deck(server):
    """Makes journals that this server can open."""
    return Deck(recipient_of(server.parts.directory))


@pytest.fixture(scope="session")
def deck_of():
    """Makes journals for the server of a directory."""
    return lambda directory: Deck(recipient_of(directory))


@pytest.fixture
def call_id():
    """A new call."""
    return uuid.uuid4()
