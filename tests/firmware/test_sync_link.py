"""The line to the server: pinned before a byte is told, signed, renewed, and plain in its failures."""

import base64
import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from firmware import wire
from firmware.syncing import spki
from firmware.syncing.faults import Refused, Silent, TlsFailed, Unintelligible, Unreachable, WrongPin
from firmware.syncing.identity import Wallet
from firmware.syncing.link import Channel, Link, read

KEYS = {
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}
YEAR = timedelta(days=365)


def certificate(key, first=datetime(2000, 1, 1, tzinfo=UTC), last=datetime(2099, 12, 31, tzinfo=UTC)):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "boothphone")])
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), first, last)
    return builder.sign(key, algorithm)


def der(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class Office(ThreadingHTTPServer):
    """A server that answers what a test tells it to."""

    daemon_threads = True

    def __init__(self, directory, key, version=ssl.TLSVersion.TLSv1_3, shown=None):
        super().__init__(("127.0.0.1", 0), Clerk)
        directory.mkdir(exist_ok=True)
        both = directory / "both.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        both.write_bytes(private + (shown or certificate(key)).public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(both)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.asked, self.answers = [], {}
        self.pin, self.nonce, self.over = wire.pin_of(der(key)), "n1", threading.Event()
        self.url = f"https://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        pass


class Clerk(BaseHTTPRequestHandler):
    """Notes each request, and answers by the office's table."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        office = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        office.asked.append((self.command, self.path, body, dict(self.headers)))
        if self.path == wire.NONCE:
            self.say(200, wire.encode(wire.Nonce(nonce=office.nonce, time=1e9)))
        else:
            office.answers.get(self.path, lambda clerk: clerk.say(404, b"{}"))(self)

    do_GET = do_POST = do_HEAD = do_PATCH = answer  # noqa: N815  (so the library calls them)

    def say(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def key():
    return KEYS["ec"]()


@contextmanager
def working(office):
    thread = threading.Thread(target=office.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield office
    finally:
        office.over.set()
        office.shutdown()
        office.server_close()
        thread.join(5)


@pytest.fixture
def office(tmp_path, key):
    with working(Office(tmp_path / "office", key)) as one:
        yield one


@pytest.fixture
def link(tmp_path, office):
    wallet = Wallet(tmp_path)
    own = wallet.key()
    heard = []
    made = Link(Channel(office.url, (office.pin,)), "the-booth", own, wallet.counter(), heard.append)
    made.heard, made.public = heard, own.public_key()
    yield made
    made.channel.close()


@pytest.mark.parametrize("kind", KEYS)
def test_the_key_is_found_in_every_certificate(kind):
    key = KEYS[kind]()
    shown = certificate(key).public_bytes(Encoding.DER)
    assert spki.public_key(shown) == der(key)
    assert wire.pin_of(spki.public_key(shown)) == wire.pin_of(der(key))


@given(st.binary(max_size=200))
def test_nonsense_is_no_certificate(data):
    with pytest.raises(spki.CertificateError):
        spki.public_key(data)


def test_a_cut_certificate_is_none(key):
    shown = certificate(key).public_bytes(Encoding.DER)
    for cut in range(len(shown)):
        with pytest.raises(spki.CertificateError):
            spki.public_key(shown[:cut])


def test_a_wrong_pin_is_refused_before_any_byte_is_told(office):
    other = Channel(office.url, (wire.pin_of(b"another key"),))
    with pytest.raises(WrongPin, match="another server"):
        other.exchange("POST", wire.ENROL, b"secret", {})
    assert office.asked == []
    assert not other.kept


@pytest.mark.parametrize("place", [0, 1])
def test_any_of_several_pins_will_do(office, place):
    pins = [wire.pin_of(b"another key")]
    pins.insert(place, office.pin)
    channel = Channel(office.url, pins)
    assert channel.exchange("GET", wire.NONCE, b"", {}).status == 200
    channel.close()


def test_dates_in_a_certificate_do_not_matter(tmp_path, key):
    """A booth without a clock must reach its server, and so must one in fifty years."""
    now = datetime.now(UTC)
    for first, last in ((now - 3 * YEAR, now - YEAR), (now + YEAR, now + 3 * YEAR)):
        shown = certificate(key, first, last)
        with working(Office(tmp_path / "o", key, shown=shown)) as one:
            channel = Channel(one.url, (one.pin,))
            assert channel.exchange("GET", wire.NONCE, b"", {}).status == 200
            channel.close()


def test_old_tls_is_refused(tmp_path, key):
    with working(Office(tmp_path / "o", key, version=ssl.TLSVersion.TLSv1_2)) as one, pytest.raises(TlsFailed):
        Channel(one.url, (one.pin,)).exchange("GET", wire.NONCE, b"", {})


def test_what_is_sent_is_signed(office, link):
    office.answers["/v1/facts?cursor=&wait=0"] = lambda clerk: clerk.say(200, b"{}")
    headers = {wire.OFFSET: "7", "Content-Type": "x"}
    assert link.ask("GET", "/v1/facts?cursor=&wait=0", b"body", headers).status == 200
    method, target, body, sent = office.asked[-1]
    text = wire.signed_text(
        method, target, body, counter=int(sent[wire.COUNTER]), nonce=sent[wire.SERVER_NONCE], headers=sent
    )
    link.public.verify(base64.b64decode(sent[wire.SIGNATURE]), text)
    assert (sent[wire.BOOTH], sent[wire.SERVER_NONCE]) == ("the-booth", "n1")
    assert link.heard[0] == 1e9
    assert link.heard[-1] == pytest.approx(1e9, abs=10)


def test_counters_are_never_used_twice(office, link):
    for _ in range(5):
        link.ask("GET", "/x")
    counters = [int(sent[wire.COUNTER]) for *_, sent in office.asked if wire.COUNTER in sent]
    assert counters == sorted(set(counters))


def test_a_server_that_started_again_gets_a_new_signature(office, link):
    def once(clerk):
        fresh = clerk.headers[wire.SERVER_NONCE] == "n2"
        clerk.say(200, b"{}") if fresh else clerk.say(401, b"{}")

    office.answers["/x"] = once
    link.greet()
    office.nonce = "n2"
    assert link.ask("GET", "/x").status == 200


def test_a_server_whose_leaving_process_gave_the_nonce_gets_one_more_signature(office, link):
    def another(clerk):
        fresh = clerk.headers[wire.SERVER_NONCE] == "n3"
        office.nonce = "n3" if office.nonce == "n2" else "n2"
        clerk.say(200, b"{}") if fresh else clerk.say(401, b"{}")

    office.answers["/x"] = another
    assert link.ask("GET", "/x").status == 200


def test_a_booth_that_is_not_known_asks_three_times_and_no_more(office, link):
    refusal = wire.encode(wire.Refusal(error="signature", detail="no"))
    office.answers["/x"] = lambda clerk: clerk.say(401, refusal)
    with pytest.raises(Refused) as caught:
        link.get("/x", wire.Lists)
    assert caught.value.code == "not-known"
    assert sum(path == "/x" for _, path, *_ in office.asked) == 3


def test_an_old_connection_is_renewed_once(office, link):
    def hang_up(clerk):
        clerk.say(200, b"{}")
        clerk.close_connection = True  # without a word in the headers, as a server does that has waited long enough

    office.answers["/x"] = hang_up
    assert [link.ask("GET", "/x").status for _ in range(3)] == [200, 200, 200]


def test_a_server_that_breaks_off_is_not_asked_for_ever(office, link):
    office.answers["/x"] = lambda clerk: clerk.connection.shutdown(socket.SHUT_RDWR)
    with pytest.raises(Unreachable):
        link.ask("GET", "/x")
    assert sum(path == "/x" for _, path, *_ in office.asked) <= 2
    assert not link.channel.kept


def test_half_an_answer_is_none(office, link):
    def half(clerk):
        clerk.send_response(200)
        clerk.send_header("Content-Length", "100")
        clerk.end_headers()
        clerk.wfile.write(b"half")
        clerk.close_connection = True

    office.answers["/x"] = half
    with pytest.raises(Unreachable):
        link.ask("GET", "/x")


def test_silence_is_told_from_refusal(office, link):
    link.channel._patience = 0.2
    office.answers["/x"] = lambda clerk: clerk.server.over.wait(10)
    with pytest.raises(Silent, match="does not answer"):
        link.ask("GET", "/x")
    assert sum(path == "/x" for _, path, *_ in office.asked) == 1


def test_nobody_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        channel = Channel(f"https://127.0.0.1:{taken.getsockname()[1]}", ("p",))
        with pytest.raises(Unreachable, match="is the server running"):
            channel.exchange("GET", "/", b"", {})
    with pytest.raises(Unreachable, match="name is not known"):
        Channel("https://nowhere.invalid:1", ("p",)).exchange("GET", "/", b"", {})


def test_somebody_else_is_there():
    def greet(place):
        with place.accept()[0] as caller:
            caller.sendall(b"SSH-2.0-x\r\n")

    with socket.create_server(("127.0.0.1", 0)) as plain:
        url = f"https://127.0.0.1:{plain.getsockname()[1]}"
        answering = threading.Thread(target=greet, args=(plain,), daemon=True)
        answering.start()
        with pytest.raises((TlsFailed, Unreachable)):
            Channel(url, ("p",)).exchange("GET", "/", b"", {})
        answering.join(5)


def test_a_server_that_ends_hangs_up_and_is_no_stranger():
    def hang_up(place):
        with place.accept()[0] as caller:
            caller.recv(1)  # the first byte of the greeting, so that the rest is refused in the middle

    with socket.create_server(("127.0.0.1", 0)) as ending:
        answering = threading.Thread(target=hang_up, args=(ending,), daemon=True)
        answering.start()
        with pytest.raises(Unreachable):
            Channel(f"https://127.0.0.1:{ending.getsockname()[1]}", ("p",)).exchange("GET", "/", b"", {})
        answering.join(20)


def test_a_wait_is_cut_short_from_another_thread(office, link):
    reached = threading.Event()

    def wait(clerk):
        reached.set()
        clerk.server.over.wait(10)

    office.answers["/x"] = wait
    outcome = []

    def ask():
        try:
            link.ask("GET", "/x")
        except Unreachable as problem:
            outcome.append(problem)

    asking = threading.Thread(target=ask)
    asking.start()
    assert reached.wait(5)
    link.channel.end()
    asking.join(2)
    assert not asking.is_alive()
    assert outcome


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (403, "revoked", "revoked"),
        (403, "token-spent", "spent-token"),
        (403, "token-expired", "bad-token"),
        (403, "unknown-booth", "not-known"),
        (400, "version", "unknown-version"),
        (507, "disk-full", "server-full"),
        (503, "database", "server-busy"),
        (500, "", "server-broken"),
        (404, "list", "refused"),
        (599, "", "server-broken"),
    ],
)
def test_every_no_has_a_word_and_a_sentence(office, link, status, error, code):
    office.answers["/x"] = lambda clerk: clerk.say(status, wire.encode(wire.Refusal(error=error, detail="a sentence")))
    with pytest.raises(Refused, match="a sentence") as caught:
        link.get("/x", wire.Lists)
    assert caught.value.code == code


def test_a_no_without_words(office, link):
    office.answers["/x"] = lambda clerk: clerk.say(502, b"<html>Bad gateway</html>")
    with pytest.raises(Refused, match="HTTP 502"):
        link.get("/x", wire.Lists)


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"version": 2}', b'{"version": 1}'])
def test_what_cannot_be_understood(office, link, body):
    office.answers["/x"] = lambda clerk: clerk.say(200, body)
    with pytest.raises(Unintelligible):
        link.get("/x", wire.Lists)


def test_fields_of_a_newer_server_do_not_matter(office, link):
    newer = msgspec.json.encode({"version": 1, "lists": [], "weather": "fine"})
    office.answers["/x"] = lambda clerk: clerk.say(200, newer)
    assert link.get("/x", wire.Lists).lists == ()


def test_read_gives_the_message():
    class Said:
        status, body = 200, wire.encode(wire.Lists(lists=()))

    assert read(Said, wire.Lists) == wire.Lists(lists=())
