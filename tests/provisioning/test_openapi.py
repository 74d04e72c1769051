"""The booth API is asked everything that its document allows, and much that it does not, by a booth that is enrolled."""

import contextlib
import itertools
import json
import logging
import re
import socket
import ssl
import uuid
from collections import Counter
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from hypothesis import HealthCheck, Phase, given, settings
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from sqlalchemy import insert

from firmware import wire
from provisioning.server import openapi
from provisioning.server.api import Api
from provisioning.server.schema import assignment, call_list, list_row
from provisioning.server.tls import CERTIFICATE

pytestmark = pytest.mark.slow

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
DOCUMENT = schemathesis.openapi.from_dict(openapi.document())
SIZE = {"ordinary": 12, "soak": 1000}


@schemathesis.serializer(openapi.PARTIAL)
def _bytes(_context, value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


class Signed(AuthBase):
    """Signs what is sent, just as it is sent."""

    def __init__(self, booth):
        self._booth = booth

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        uploads = {
            name: request.headers[name]
            for name in (wire.OFFSET, wire.LENGTH, wire.COMPLETE, wire.DIGEST)
            if name in request.headers
        }
        text = {name: value.decode("latin-1") if isinstance(value, bytes) else value for name, value in uploads.items()}
        request.headers.update(self._booth.signed(request.method, request.path_url, body, text))
        return request


class Pinned(HTTPAdapter):
    """Goes by the server's key, as booths do; names and dates in its certificate say nothing."""

    def __init__(self, certificate):
        self._fingerprint = certificate
        super().__init__()

    def init_poolmanager(self, *arguments, **options):
        options |= {"assert_fingerprint": self._fingerprint, "assert_hostname": False, "cert_reqs": "CERT_NONE"}
        super().init_poolmanager(*arguments, **options)


class Asking:
    """One booth that asks, and looks at each answer."""

    def __init__(self, server, booth):
        self._server, self.booth = server, booth
        certificate = x509.load_pem_x509_certificate((server.parts.directory / CERTIFICATE).read_bytes())
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount("https://", Pinned(certificate.fingerprint(hashes.SHA256()).hex()))
        self._signed = Signed(booth)
        self.statuses = Counter()
        self._list = str(uuid.uuid4())
        with server.parts.database.write() as connection:
            connection.execute(insert(call_list).values(id=self._list, name="List", created=0.0))
            connection.execute(insert(assignment).values(list=self._list, booth=booth.id))
            row = {"row": 1, "name": "Sato", "reading": "", "numbers": ["03-1234-5601"], "keys": ["+81312345601"]}
            connection.execute(insert(list_row).values(row | {"list": self._list}))

    def send(self, case):
        """One case; what is wrong with the answer raises."""
        if case.path == wire.ENROL:
            self._bring_token(case)
        if case.path == wire.FACTS and case.method == "GET":
            self._be_brief(case)
        if case.path.startswith(f"{wire.LISTS}/") and next(self._turns):
            case.path_parameters["id"] = self._list
        signed = {"auth": self._signed} if case.operation.definition.raw.get("security") else {}
        answer = case.call(base_url=self._server.api_url, session=self.session, verify=False, **signed)
        self.statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    def _bring_token(self, case):
        """Half of those who would enrol have a token indeed; the other half would never come further than that."""
        if isinstance(case.body, dict) and next(self._turns):
            case.body["secret"] = wire.Token.read(self._server.new_token("Booth")).secret

    _turns = itertools.cycle((True, False))

    @staticmethod
    def _be_brief(case):
        """Nobody waits for a minute here."""
        with contextlib.suppress(TypeError, ValueError):
            if float(case.query.get("wait", 0)) > 0:
                case.query["wait"] = 0.001


@pytest.fixture(scope="module")
def asking(server, shared):
    """An enrolled booth with a list to work through."""
    one = Asking(server, shared)
    yield one
    one.session.close()


KINDS = [
    (operation, mode)
    for operation in openapi.OPERATIONS
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or operation.says or operation.query or operation.upload
]


@pytest.mark.parametrize("size", ["ordinary", pytest.param("soak", marks=pytest.mark.soak)])
@pytest.mark.parametrize(("operation", "mode"), KINDS, ids=lambda one: getattr(one, "summary", None) or one.value)
def test_what_the_document_says_is_so(asking, caplog, operation, mode, size):
    """No 5xx, and no answer that the document does not know."""
    cases = DOCUMENT[operation.path][operation.method].as_strategy(generation_mode=mode)
    few = not (operation.says or operation.query or operation.upload)

    @settings(
        max_examples=3 if few else SIZE[size],
        deadline=None,
        derandomize=size == "ordinary",
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def ask(case):
        asking.send(case)

    asking.statuses.clear()
    ask()
    assert mode is GenerationMode.NEGATIVE or {200, 204} & set(asking.statuses)  # and not, say, a 401 each time
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


# What was found this way, and what its kind suggests: each by its name.

NULL = "a\0b"
RECORD = {
    "version": 1,
    "id": "",
    "agent": "07",
    "number": {"key": "+81312345601"},
    "result": {"code": "REF", "version": 1},
    "customer": {"name": "Sato", "list": {"uuid": "u", "name": "n"}},
    "decision": {"verdict": "PASS", "reason": "FREE", "claim": "granted"},
}
FACT = {"id": "", "kind": "attempt", "number": "+81312345601", "at": 1.0, "booth": "Booth", "agent": "07"}
STATUS = {"software": "1", "pending_calls": 0, "pending_recordings": 0, "oldest": None, "free_bytes": 0}
LONG = "".join(chr(0x4E00 + 7 * at % 20_000) for at in range(5000))  # that no database can compress

UNTAKEN = {
    "a null character in a claim": (wire.CLAIMS, {"number": NULL}, 422, "text"),
    "in a status": (wire.STATUS, STATUS | {"software": NULL}, 422, "text"),
    "in a fault": (wire.STATUS, STATUS | {"faults": [NULL]}, 422, "text"),
    "in a token": (wire.ENROL, {"secret": NULL, "key": "", "name": ""}, 422, "text"),
    "a key beyond ASCII": (wire.ENROL, {"secret": "s", "key": "\u9375", "name": ""}, 400, "key"),
    "a key of five bytes": (wire.ENROL, {"secret": "s", "key": "AAAAAAA=", "name": ""}, 400, "key"),
    "a secret beyond ASCII": (wire.ENROL, {"secret": "\u79d8", "key": "A" * 43 + "=", "name": ""}, 403, "token"),
    "a claim of nothing": (wire.CLAIMS, {"number": ""}, 400, "claim"),
    "of a number without end": (wire.CLAIMS, {"number": LONG}, 400, "claim"),
    "for less than no time": (wire.CLAIMS, {"number": "1", "seconds": -1}, 400, "claim"),
    "bytes that are no UTF-8": (wire.CLAIMS, b'{"number": "\xff"}', 400, "message"),
    "half a surrogate pair": (wire.CLAIMS, b'{"number": "\\ud800"}', 400, "message"),
    "half a pair where nobody looks": (wire.FACTS, b'{"facts": [], "x": "\\ud800"}', 400, "message"),
    "not a number": (wire.CLAIMS, b'{"number": "1", "seconds": NaN}', 400, "message"),
    "infinity": (wire.CLAIMS, b'{"number": "1", "seconds": 1e999}', 400, "message"),
    "a great depth": (wire.FACTS, b'{"facts": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400, "message"),
    "nothing": (wire.CLAIMS, b"", 400, "message"),
    "another version": (wire.CLAIMS, {"number": "1", "version": 2}, 426, "version"),
    "a version without end": (wire.CLAIMS, {"number": "1", "version": 10**30}, 426, "version"),
}


@pytest.mark.everywhere
@pytest.mark.parametrize("name", UNTAKEN)
def test_what_cannot_be_taken_is_refused(shared, name):
    target, said, status, word = UNTAKEN[name]
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    ask = shared.plain if target == wire.ENROL else shared.ask
    answer = ask("POST", target, body)
    assert (answer.status, answer.error) == (status, word)


TAKEN = {
    "numbers beyond a column": (wire.STATUS, STATUS | {"pending_calls": 10**30, "free_bytes": -1}),
    "bytes beyond a column": (wire.STATUS, STATUS | {"pending_bytes": 10**30, "pace": -1e308, "opens": 1e308}),
    "hardly any pace": (wire.STATUS, STATUS | {"pending_bytes": -1, "pace": 5e-324, "opens": -1}),
    "a moment beyond all calendars": (wire.STATUS, STATUS | {"oldest": 1e308}),
    "texts without end": (wire.STATUS, STATUS | {"software": LONG, "faults": [LONG] * 99}),
    "a claim for ever": (wire.CLAIMS, {"number": "+81312345602", "seconds": 1e308}),
}


@pytest.mark.everywhere
@pytest.mark.parametrize("name", TAKEN)
def test_what_is_out_of_bounds_is_cut(shared, name):
    target, said = TAKEN[name]
    assert shared.ask("POST", target, json.dumps(said).encode()).status == 200


@pytest.mark.everywhere
def test_one_bad_part_does_not_keep_the_others_out(shared, part):
    """Whatever is wrong with a record, a fact or a shift is told of it alone; what is merely strange is kept."""
    strange = [
        {"agent": LONG},
        {"number": {"key": LONG}},
        {"result": {"code": LONG, "version": 2**31 - 1}},
        {"customer": {"list": {"uuid": LONG, "name": LONG}}},
        {"begun": {"at": 1e308}},
        {"talk": 1e308},
        {"marks": [{"name": f"memo {uuid.uuid4()}"}, {"name": "memo \u7121"}]},
    ]
    bad = [
        {"agent": NULL},
        {"result": {"code": "REF", "version": 2**31}},
        {"result": {"code": "REF", "version": -1}},
        {"version": 10**30},
        {"note": "x" * 300_000},
    ]
    records = {str(uuid.uuid4()): one for one in (*strange, *bad)}
    message = wire.Calls(calls=tuple(part(RECORD | one | {"id": name}) for name, one in records.items()))
    taken = shared.post(wire.CALLS, message, wire.Taken)
    assert [records[name] for name in taken.ids] == strange
    assert [records[name] for name in taken.refused] == bad
    facts = {str(uuid.uuid4()): one for one in ({"note": LONG[:2000]}, {"at": 1e308}, {"number": LONG}, {"note": NULL})}
    told = shared.tell(*(FACT | {"id": name} | one for name, one in facts.items()), FACT | {"id": LONG[:300]})
    assert (len(told.ids), len(told.refused)) == (2, 3)
    shifts = [{"id": str(uuid.uuid4()), "kind": "log-in", "agent": who} for who in (LONG, NULL, "07")]
    taken = shared.post(wire.SHIFTS, wire.Shifts(shifts=tuple(map(part, shifts))), wire.Taken)
    assert (len(taken.ids), len(taken.refused)) == (2, 1)


STRANGE_PATHS = {
    f"{wire.LISTS}/%00": 404,
    f"{wire.LISTS}/%FF%FE": 404,
    f"{wire.LISTS}/a%2Fb": 404,
    f"{wire.LISTS}/": 404,
    f"{wire.LISTS}/{'x' * 5000}": 404,
    f"{wire.FACTS}/": 404,
    f"{wire.FACTS}?cursor=%00&lists=%00": 200,
    f"{wire.FACTS}?cursor=%FF%ED%A0%80&lists=x": 200,
    f"{wire.FACTS}?cursor=a:99999999999999999999&lists=x": 200,
    f"{wire.FACTS}?wait=nan&lists=x": 200,
    f"{wire.FACTS}?wait=-1e308&lists=x": 200,
    f"{wire.FACTS}?wait=soon&lists=x": 400,
    f"{wire.RECORDINGS}/%2e%2e%2fserver.db": 404,
    "/v1/%6cists": 200,
    "/%00": 404,
    "//": 404,
}


@pytest.mark.everywhere
@pytest.mark.parametrize("target", STRANGE_PATHS)
def test_strange_paths(shared, target):
    answer = shared.ask("GET" if wire.RECORDINGS not in target else "PATCH", target, headers={wire.COMPLETE: "?0"})
    assert answer.status == STRANGE_PATHS[target]
    assert answer.status < 400 or answer.error


@pytest.mark.parametrize("missing", [wire.BOOTH, wire.COUNTER, wire.SERVER_NONCE, wire.SIGNATURE])
def test_each_header_of_a_signature_is_needed(shared, missing):
    headers = shared.signed("GET", wire.LISTS)
    del headers[missing]
    assert shared.plain("GET", wire.LISTS, headers=headers).status == 401


def raw(server, *lines):
    """The status of what the server says to a request that no client would send, its kind of content, and that."""
    at = urlsplit(server.api_url)
    with socket.create_connection((at.hostname, at.port), 20) as plain, tls().wrap_socket(plain) as line:
        line.sendall("\r\n".join((*lines, "host: x", "connection: close", "", "")).encode("latin-1"))
        head, _, body = line.makefile("rb").read().partition(b"\r\n\r\n")
        first, *headers = head.decode("latin-1").lower().splitlines()
        return first.split(" ")[1], dict(header.split(": ", 1) for header in headers)["content-type"], body


def tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("POST /v1/enrol HTTP/1.1", "content-length: 3", "content-length: 4"), "400"),
        (("POST /v1/enrol HTTP/1.1", f"content-length: {'9' * 5000}"), "400"),
        (("POST /v1/enrol HTTP/1.1", "content-length: -1"), "400"),
        (("POST /v1/claims HTTP/1.1", "transfer-encoding: d[?X1"), "400"),
        (("POST /v1/enrol HTTP/1.1", "content-length: 99999999"), "413"),
        (("GET /v1/lists HTTP/1.1", "booth-id: a", "booth-id: b", "booth-nonce: \xff"), "403"),
        (("BREW /v1/nonce HTTP/1.1",), "405"),
        (("HEAD /v1/nonce HTTP/1.1",), "200"),
    ],
)
def test_requests_that_no_client_sends(server, lines, status):
    said, kind, body = raw(server, *lines)
    assert (said, kind) == (status, "application/json")
    assert status == "200" or wire.decode(body, wire.Refusal).detail


def test_the_routes_are_those_of_the_document(server):
    """Starlette answers HEAD wherever it answers GET."""
    routes = {
        (method, route.path)
        for route in Api(server.parts).app().routes
        for method in route.methods - ({"HEAD"} if "GET" in route.methods else set())
    }
    assert routes == {(operation.method, operation.path) for operation in openapi.OPERATIONS}


def test_the_document_is_one():
    """By the rules of OpenAPI itself, and every reference leads somewhere."""
    document = openapi.document()
    schemathesis.openapi.from_dict(document).validate()
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert names <= set(document["components"]["schemas"])
    assert not [name for name in document["components"]["schemas"] if name.startswith("_")]
