"""The booth API as an OpenAPI 3.1 document: drawn from the messages themselves, so that it cannot say anything else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec

from firmware import wire
from provisioning.server.answers import JSON
from provisioning.server.calls import Record, Shift
from provisioning.server.claims import LONGEST_NUMBER

PARTIAL: Final = "application/partial-upload"
_REFERENCE: Final = "#/components/schemas/{name}"
_ABOUT: Final = """\
What a booth and its central server say to each other. Every request but the nonce and the enrolment is signed with the
booth's Ed25519 key; the signature covers method, target, counter, nonce, the SHA-256 of the body and the upload headers.
The server's TLS key is known to booths by its pin. Whatever goes wrong is answered with a Refusal: a word for programs
and a sentence for people.
"""

# What each refusal means, whatever was asked.
_MEANS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.BAD_REQUEST: "this is no message of the expected form, or did not arrive whole",
    HTTPStatus.UNAUTHORIZED: "not signed, or not with the server's present nonce and a new counter: fetch it, sign anew",
    HTTPStatus.FORBIDDEN: "not known here, revoked, or another booth's",
    HTTPStatus.NOT_FOUND: "there is nothing of this name for this booth",
    HTTPStatus.REQUEST_TIMEOUT: "the body took too long to arrive",
    HTTPStatus.CONFLICT: "the next byte is another one, see Upload-Offset; or all is here already, see Repr-Digest",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"more than {wire.LONGEST_BODY} bytes, or a recording that is too long",
    HTTPStatus.UNPROCESSABLE_ENTITY: "a text that no database keeps; or bytes of another digest: all anew from 0",
    HTTPStatus.LOCKED: "another request is at work on this recording: ask again",
    HTTPStatus.UPGRADE_REQUIRED: "a version of the protocol that is not known here",
    HTTPStatus.TOO_MANY_REQUESTS: "this booth has sent as much as it may: ask again after Retry-After seconds",
    HTTPStatus.SERVICE_UNAVAILABLE: "not now: ask again after Retry-After seconds",
    HTTPStatus.INSUFFICIENT_STORAGE: "the server has no room",
}
_ANY: Final = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE)
_LATER: Final = (*_ANY, HTTPStatus.TOO_MANY_REQUESTS)
_SIGNED: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_TOLD: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.UPGRADE_REQUIRED,
)
_RETRY: Final = {"Retry-After": {"description": "seconds", "schema": {"type": "integer", "minimum": 0}}}
_OFFSET: Final = {"type": "integer", "minimum": 0, "description": "bytes that are here"}
_COMPLETE: Final = {"enum": ["?0", "?1"], "description": "whether that is all"}
_DIGEST: Final = {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$", "description": "of the whole"}
_PROGRESS: Final = {
    wire.OFFSET: {"required": True, "schema": _OFFSET},
    wire.COMPLETE: {"required": True, "schema": _COMPLETE},
    wire.LENGTH: {"schema": _OFFSET},
    wire.DIGEST: {"schema": _DIGEST},
}
# Parts that a message hands on as they are: what they must hold all the same.
_PARTS: Final[Mapping[tuple[str, str], type[msgspec.Struct]]] = {
    ("Calls", "calls"): Record,
    ("Shifts", "shifts"): Shift,
    ("Facts", "facts"): wire.Fact,
    ("News", "facts"): wire.Fact,
    ("Claimed", "facts"): wire.Fact,
}
# What a type does not say.
_FORMS: Final[Mapping[tuple[str, str], Mapping[str, object]]] = {
    ("Enrol", "key"): {"pattern": "^[A-Za-z0-9+/]{43}=$"},
    ("Record", "id"): {"format": "uuid"},
    ("Claim", "number"): {"minLength": 1, "maxLength": LONGEST_NUMBER},
    ("Claim", "seconds"): {"minimum": 0},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that a booth may ask."""

    method: str
    path: str  # as Starlette has it
    summary: str
    says: type[wire.Message] | None = None
    hears: type[wire.Message] | None = None  # None: how far an upload is, in headers
    query: Mapping[str, Mapping[str, object]] | None = None
    signed: bool = True
    refusals: tuple[HTTPStatus, ...] = ()

    @property
    def upload(self) -> bool:
        """Whether it brings bytes of a recording."""
        return self.method == "PATCH"

    @property
    def statuses(self) -> Sequence[HTTPStatus]:
        """Every no that may come."""
        told = _TOLD if self.says or self.upload else ()
        return sorted({*(_SIGNED if self.signed else ()), *told, *self.refusals, *_ANY})


_RECORDING: Final = f"{wire.RECORDINGS}/{{id}}"
OPERATIONS: Final = (
    Operation(method="GET", path=wire.NONCE, summary="What to sign with", hears=wire.Nonce, signed=False),
    Operation(
        method="POST",
        path=wire.ENROL,
        summary="Become known, with a token",
        says=wire.Enrol,
        hears=wire.Enrolled,
        signed=False,
        refusals=(HTTPStatus.FORBIDDEN,),
    ),
    Operation(
        method="GET",
        path=wire.FACTS,
        summary="What all booths know of numbers; waits for news",
        hears=wire.News,
        query={
            "cursor": {"type": "string", "description": "of the last News; empty: from the beginning"},
            "lists": {"type": "string", "description": "the tag of the lists that the booth has"},
            "wait": {"type": "number", "minimum": 0, "maximum": wire.LONGEST_WAIT, "description": "seconds"},
        },
    ),
    Operation(method="POST", path=wire.FACTS, summary="Tell facts", says=wire.Facts, hears=wire.Taken),
    Operation(method="POST", path=wire.CALLS, summary="Tell records of calls", says=wire.Calls, hears=wire.Taken),
    Operation(method="POST", path=wire.SHIFTS, summary="Tell shifts", says=wire.Shifts, hears=wire.Taken),
    Operation(method="GET", path=wire.LISTS, summary="Which lists to work through", hears=wire.Lists),
    Operation(
        method="GET",
        path=f"{wire.LISTS}/{{id}}",
        summary="One list whole",
        hears=wire.ListRows,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    Operation(method="POST", path=wire.STATUS, summary="Tell how one is", says=wire.Status, hears=wire.Wanted),
    Operation(
        method="POST", path=wire.CLAIMS, summary="Have a number for oneself", says=wire.Claim, hears=wire.Claimed
    ),
    Operation(method="HEAD", path=_RECORDING, summary="How far an upload is", refusals=(HTTPStatus.NOT_FOUND,)),
    Operation(
        method="PATCH",
        path=_RECORDING,
        summary="Bring the next bytes of a recording; answered when they are on the disk",
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.LOCKED, HTTPStatus.TOO_MANY_REQUESTS),
    ),
)


def document() -> dict[str, Any]:
    """The whole of it, as plain data."""
    paths: dict[str, dict[str, object]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "boothphone: booth API", "version": str(wire.VERSION), "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": _schemes()},
    }


def _operation(one: Operation) -> dict[str, object]:
    told: dict[str, object] = {"summary": one.summary, "parameters": _parameters(one)}
    if one.says is not None:
        told["requestBody"] = {"required": True, "content": _content(one.says)}
    if one.upload:
        octets = {"type": "string", "contentMediaType": "application/octet-stream"}
        told["requestBody"] = {"required": True, "content": {PARTIAL: {"schema": octets}}}
    if one.signed:
        told["security"] = [{name: [] for name in _schemes()}]
    return told | {"responses": _good(one) | {str(int(status)): _refusal(one, status) for status in one.statuses}}


def _parameters(one: Operation) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    if "{id}" in one.path:
        kind = {"type": "string", "format": "uuid"} if one.path == _RECORDING else {"type": "string", "minLength": 1}
        found.append({"name": "id", "in": "path", "required": True, "schema": kind})
    for name, schema in (one.query or {}).items():
        found.append({"name": name, "in": "query", "schema": schema})
    if one.upload:
        headers: Mapping[str, Mapping[str, object]]
        headers = {wire.OFFSET: _OFFSET, wire.COMPLETE: _COMPLETE, wire.LENGTH: _OFFSET, wire.DIGEST: _DIGEST}
        for name, schema in headers.items():
            needed = name in {wire.OFFSET, wire.COMPLETE}
            found.append({"name": name, "in": "header", "required": needed, "schema": schema})
    return found


def _good(one: Operation) -> dict[str, object]:
    if one.hears is None:
        return {"204": {"description": "How far it is", "headers": _PROGRESS}}
    return {"200": {"description": one.summary, "content": _content(one.hears)}}


def _refusal(one: Operation, status: HTTPStatus) -> dict[str, object]:
    told: dict[str, object] = {"description": _MEANS[status]}
    if one.method != "HEAD":  # whose answers have no body
        told["content"] = _content(wire.Refusal)
    return told | ({"headers": _RETRY} if status in _LATER else {})


def _content(kind: type[wire.Message]) -> dict[str, object]:
    return {JSON: {"schema": {"$ref": _REFERENCE.format(name=kind.__name__)}}}


def _schemes() -> dict[str, dict[str, str]]:
    return {
        name: {"type": "apiKey", "in": "header", "name": name}
        for name in (wire.BOOTH, wire.COUNTER, wire.SERVER_NONCE, wire.SIGNATURE)
    }


def _schemas() -> dict[str, Any]:
    """Of all messages and their parts. A message of another version is another message."""
    spoken: set[type[wire.Message]] = {wire.Refusal}
    spoken.update(kind for one in OPERATIONS for kind in (one.says, one.hears) if kind is not None)
    kinds: list[type[msgspec.Struct]]
    kinds = sorted({*spoken, *_PARTS.values()}, key=lambda kind: kind.__name__)
    _, told = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    text = msgspec.json.encode(told).replace(b"/schemas/_", b"/schemas/").replace(b'"title":"_', b'"title":"')
    schemas = {name.removeprefix("_"): schema for name, schema in msgspec.json.decode(text).items()}
    for (kind, field), part in _PARTS.items():
        schemas[kind]["properties"][field]["items"] = {"$ref": _REFERENCE.format(name=part.__name__)}
    for (kind, field), form in _FORMS.items():
        schemas[kind]["properties"][field] |= form
    for message in spoken:
        schemas[message.__name__]["properties"]["version"] = {"const": wire.VERSION, "default": wire.VERSION}
    return schemas
