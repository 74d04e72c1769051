"""Every message between booth and server, with its version; both ends import it, and nothing else describes the wire.

All bodies are JSON objects in UTF-8. Whoever takes a message ignores fields it does not know and keeps the whole text of
what it must hand on (calls and facts are `msgspec.Raw` here), so that a newer booth's fields survive an older server. A
version it does not know is refused (WireError), never guessed at. All times are UTC seconds, null when unknown.

Every request but Enrol and the nonce is signed: see SIGNED and `signed_text`.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

VERSION = 1
BOOTH1 = "booth1"  # what an enrolment token begins with
ROOT = "/v1"

# Paths. A recording is named by its call's (or memo's) UUID.
NONCE = f"{ROOT}/nonce"  # GET, unsigned → Nonce
ENROL = f"{ROOT}/enrol"  # POST Enrol, unsigned → Enrolled
CALLS = f"{ROOT}/calls"  # POST Calls → Taken
FACTS = f"{ROOT}/facts"  # POST Facts → Taken; GET ?cursor=…&lists=…&wait=… → News (long-poll)
SHIFTS = f"{ROOT}/shifts"  # POST Shifts → Taken
LISTS = f"{ROOT}/lists"  # GET → Lists (names and revisions); GET /v1/lists/{id} → ListRows
STATUS = f"{ROOT}/status"  # POST Status → Wanted
CLAIMS = f"{ROOT}/claims"  # POST Claim → Claimed
# HEAD /v1/recordings/{uuid} → 204, Upload-Offset (0: nothing is here yet), Upload-Complete, and Repr-Digest once all is.
# PATCH → 204 likewise, when the bytes are on the disk. 409: the offset is another one, see Upload-Offset; or all is here
# already. 422: the whole has another digest than told, and begins anew at 0. 423: another request is at work on it.
RECORDINGS = f"{ROOT}/recordings"

# A Refusal's word for "too many booths bring much at once": 503 with Retry-After. What is small is always taken.
QUEUE = "queue"

# Headers of a signed request.
BOOTH, COUNTER, SERVER_NONCE, SIGNATURE = "Booth-Id", "Booth-Counter", "Booth-Nonce", "Booth-Signature"
# Headers of an upload, named as in the IETF draft "Resumable Uploads for HTTP" (draft-ietf-httpbis-resumable-upload).
OFFSET, LENGTH, COMPLETE, DIGEST = "Upload-Offset", "Upload-Length", "Upload-Complete", "Repr-Digest"

LONGEST_BODY = 4 * 1024 * 1024  # bytes of one JSON message or one PATCH
LONGEST_WAIT = 50.0  # seconds of a long-poll


class WireError(ValueError):
    """A message that cannot be taken; the text says why, in plain words."""


class UnknownVersion(WireError):
    """A message of another version of the protocol."""


class NullCharacter(WireError):
    """A message with U+0000 in one of its texts: no database keeps it, and nothing that a person keys or reads has it."""


class Message(msgspec.Struct, kw_only=True, frozen=True):
    """What every message has."""

    version: int = VERSION


class Nonce(Message, frozen=True):
    """A server's nonce; it holds until the server starts again. `time` lets a booth without a clock set its own."""

    nonce: str
    time: float


class Enrol(Message, frozen=True):
    """A new booth shows its one-time token; `key` is the raw Ed25519 public key in base64, made on the booth."""

    secret: str
    key: str
    name: str
    former: str = ""  # who this booth was on this server, if it was known before, and its former key's signature of
    proof: str = ""  # `renewal_text`, in base64: then it stays the same booth, and what it has told stays its own


class Enrolled(Message, frozen=True):
    """The booth is known from now on. `recipients` are the age public keys that recordings are sealed to."""

    booth: str  # UUID
    name: str
    recipients: tuple[str, ...]
    time: float
    pins: tuple[str, ...] = ()  # of all keys that the server may show from now on; the token's is among them


class Refusal(Message, frozen=True):
    """Body of every answer with a 4xx or 5xx status: a word for programs, a sentence for people."""

    error: str
    detail: str


class Fact(msgspec.Struct, kw_only=True, frozen=True):
    """firmware.known.Fact on the wire, field by field; `seq` only on the way down."""

    id: str
    kind: str
    number: str
    at: float | None
    booth: str
    agent: str
    call: str | None = None
    result: str | None = None
    due: float | None = None
    note: str = ""
    product: str = ""


class Facts(Message, frozen=True):
    """Facts that this booth has seen happen; each a Fact as raw JSON. Taking one again changes nothing."""

    facts: tuple[msgspec.Raw, ...]


class News(Message, frozen=True):
    """Facts of all booths after the cursor, oldest first, and the cursor to ask with next.

    `lists` is the tag of the Lists that the booth should have. A long-poll ends as soon as there are facts, or when it
    is not the tag that was asked with: then the booth asks for its lists, and no change between two questions is missed.
    `reset`: the server has a new epoch (it was restored from a backup); what was heard before is still true, but the
    booth must ask from the beginning and offer all its own facts and calls again.
    """

    cursor: str  # "epoch:seq", opaque to the booth
    facts: tuple[msgspec.Raw, ...]
    reset: bool = False
    lists: str = ""


class Calls(Message, frozen=True):
    """Records of calls as firmware.record.whole makes them, raw. A higher result version replaces a lower one.

    Booths before November 2026 do not tell `estimated` (the answer was guessed, so `talk` is about right), `sure` (false:
    `by` is what is likely) and `hidden` (why a caller showed no number): then false, true and null.
    """

    calls: tuple[msgspec.Raw, ...]


class Shifts(Message, frozen=True):
    """Log-ins, log-outs and breaks, raw."""

    shifts: tuple[msgspec.Raw, ...]


class Taken(Message, frozen=True):
    """The ids that are on the server's disk now; the others may be offered again. `refused` says of an id why not."""

    ids: tuple[str, ...]
    refused: Mapping[str, str] = {}


class ListName(msgspec.Struct, kw_only=True, frozen=True):
    """A call list that is assigned to this booth."""

    id: str  # UUID
    name: str
    revision: int
    sample: bool = False


class Lists(Message, frozen=True):
    """All lists that this booth should have; what it has besides is to be put away."""

    lists: tuple[ListName, ...]
    tag: str = ""  # another one whenever anything here is another; opaque to the booth


class Row(msgspec.Struct, kw_only=True, frozen=True):
    """One customer. `numbers` as text; the booth reads them again by its own country and area code."""

    row: int
    name: str
    reading: str
    numbers: tuple[str, ...]
    identifier: str = ""
    note: str = ""


class ListRows(Message, frozen=True):
    """One list whole."""

    id: str
    name: str
    revision: int
    sample: bool
    rows: tuple[Row, ...]


class KeptBack(msgspec.Struct, kw_only=True, frozen=True):
    """Something of a booth's that the server has refused again and again for its contents."""

    kind: str  # call, fact, shift, recording
    id: str
    reason: str  # as the server gave it
    since: float | None = None


class Status(Message, frozen=True):
    """How a booth is, told about once a minute and whenever it changes."""

    software: str
    pending_calls: int
    pending_recordings: int
    oldest: float | None
    free_bytes: int
    faults: tuple[str, ...] = ()  # words such as "line:UNPLUGGED", "card-full"
    full_in: float | None = None  # days until the card is full, as far as the booth can foresee
    results: str = ""  # tag_of the result codes that it has
    rules: str = ""  # tag_of the office's rule packs that it has, as the JSON list in Wanted
    kept_back: int = 0  # how many things the booth offers no more, because the server refused them
    reasons: tuple[KeptBack, ...] = ()  # the first of them
    pending_bytes: int = 0  # of the recordings that wait, roughly; booths before December 2026 tell none of these
    pace: float = 0.0  # bytes a second at which recordings go at present; 0: none has gone yet
    opens: float = 0.0  # seconds until the line's hours for recordings begin; 0: they may go now


class Wanted(Message, frozen=True):
    """What the server tells a booth about itself: settings that come from above."""

    time: float
    name: str
    recipients: tuple[str, ...]
    pins: tuple[str, ...] = ()
    results: str = ""  # the office's result codes, as results.toml has them; empty: the booth has these
    rules: str = ""  # the office's rule packs, a JSON list of TOML texts; empty: the booth has these
    software: str = ""  # the server's version
    retry: float = 0.0  # another one than before: offer once more what is kept back


class Claim(Message, frozen=True):
    """The wish to call a number soon; 0 seconds: to let it go."""

    number: str  # Number.key
    seconds: float = 120.0


class Claimed(Message, frozen=True):
    """Whether the number is this booth's until `expires`, `seconds` from now; if not, who has it so long.

    With a grant come the newest facts of the number as News has them, oldest first: all that was told before it.
    """

    granted: bool
    expires: float
    fence: int
    holder: str = ""  # the other booth's name
    seconds: float = 0.0  # from now: booths need not have the server's time
    facts: tuple[msgspec.Raw, ...] = ()


class Token(msgspec.Struct, frozen=True):
    """What a technician carries from the server to a new booth, once.

    >>> Token.read(str(Token("https://[::1]:8443", "p", "s")))
    Token(url='https://[::1]:8443', pin='p', secret='s')
    """

    url: str  # of the booth API, without a path
    pin: str  # see `pin_of`; several with commas between
    secret: str

    def __str__(self) -> str:
        return f"{BOOTH1}:{self.url}:{self.pin}:{self.secret}"

    @classmethod
    def read(cls, text: str) -> "Token":
        """The token in `text`. Raises WireError."""
        kind, _, rest = text.strip().partition(":")
        parts = rest.rsplit(":", 2)
        if kind != BOOTH1 or len(parts) != 3 or not all(parts):
            raise WireError(f"not an enrolment token: it looks like {BOOTH1}:https://server:8443:pin:secret")
        return cls(*parts)


def pin_of(public_key: bytes) -> str:
    """The pin of a server's key: SHA-256 over its SubjectPublicKeyInfo (DER), base64url without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(public_key).digest()).rstrip(b"=").decode("ascii")


def tag_of(text: str) -> str:
    """A short name of a text; another text has another one."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


_M = TypeVar("_M", bound=Message)
_version = msgspec.json.Decoder(Message)


def encode(message: msgspec.Struct) -> bytes:
    """The message as JSON."""
    return msgspec.json.encode(message)


def decode(data: bytes | bytearray, kind: type[_M]) -> _M:
    """The message of `kind` in `data`. Raises WireError when it is none, or of a version that we do not know."""
    try:
        version = _version.decode(data).version
        if version != VERSION:
            raise UnknownVersion(f"version {version} of the protocol is not known here (known: {VERSION})")
        message = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise WireError(f"not a message of the expected form: {problem}") from problem
    if rb"\u0000" in data and _has_null(message):  # JSON has no other way to write it
        raise NullCharacter("a text with a null character")
    return message


def _has_null(part: object) -> bool:
    """Whether there is one in any of the texts; what is handed on raw is looked at where it is read."""
    if isinstance(part, str):
        return "\0" in part
    if isinstance(part, msgspec.Struct):
        return any(_has_null(getattr(part, name)) for name in part.__struct_fields__)
    if isinstance(part, Mapping):
        return any(map(_has_null, (*part.keys(), *part.values())))
    return isinstance(part, tuple) and any(map(_has_null, part))


def read(raw: msgspec.Raw | bytes, kind: type[Any]) -> Any:
    """One raw part of a message as a typed struct. Raises WireError."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise WireError(f"not a part of the expected form: {problem}") from problem


def renewal_text(former: str, secret: str, key: str) -> bytes:
    """What a booth signs with its former key to remain itself under a new one."""
    return f"boothphone renewal 1\n{former}\n{secret}\n{key}".encode()


def signed_text(
    method: str, target: str, body: bytes, *, counter: int, nonce: str, headers: Mapping[str, str]
) -> bytes:
    """What a booth signs with Ed25519 and the server verifies: all that gives a request its meaning, line by line.

    `target` is path and query as sent; `headers` are the upload headers of the request, absent ones empty.
    """
    digest = hashlib.sha256(body).digest()
    return signed_digest(method, target, digest, counter=counter, nonce=nonce, headers=headers)


def signed_digest(
    method: str, target: str, sha256: bytes, *, counter: int, nonce: str, headers: Mapping[str, str]
) -> bytes:
    """The same where the body's SHA-256 is at hand: of a recording it takes a while."""
    uploads = (headers.get(name, "") for name in (OFFSET, LENGTH, COMPLETE, DIGEST))
    parts = ("boothphone request 1", method, target, str(counter), nonce, sha256.hex(), *uploads)
    return "\n".join(parts).encode("utf-8")
