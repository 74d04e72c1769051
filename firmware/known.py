"""What the redial guard goes by: the facts that are known of a number, and the rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final

DAY: Final = 86400.0
TALK: Final = "talk"  # a CONTACT's note: it came to a conversation
HOLD: Final = "hold"  # a FINAL's note: somebody may well be reached there, but a supervisor decides when
SERVER: Final = "server"  # the booth of a fact that was made on the server
ABANDONED: Final = "abandoned"  # a CONTACT's note: a human answered and we were gone before a word was said


class FactKind(Enum):
    """What can be known of a number. Facts are only ever added."""

    ATTEMPT = "attempt"  # a dial began
    CONTACT = "contact"  # a human answered
    REFUSAL = "refusal"  # an explicit or implied refusal
    DO_NOT_CALL = "do-not-call"
    LIFT = "lift"  # a supervisor's lift of a refusal, on the server, in writing
    OVERRIDE = "override"  # a supervisor let one call pass the redial window
    CALLBACK = "callback"  # the customer asked to be called at `due`
    COUNTED = "counted"  # hung up on us or stopped by a gatekeeper: so many of them are an implied refusal
    FINAL = "final"  # nobody to reach there: dead, changed, a fax, calls rejected
    VOID = "void"  # the call's attempt does not count: the network failed
    CONSENT = "consent"  # agreed to be called, with proof, until `due` (None: until it is withdrawn)
    WITHDRAWAL = "withdrawal"  # took the consent back
    CLAIM = "claim"  # another booth is about to call, until `due`; never kept
    LEGAL_HOLD = "legal-hold"  # no recording of `call` may be deleted; without a call, none of the number
    LEGAL_RELEASE = "legal-release"  # the end of one such hold: see firmware.legalhold


class Hold(Enum):
    """How this booth stands with a number that it is about to dial."""

    ALONE = "alone"  # no server knows this booth, or the number is no customer's
    OFFLINE = "offline"  # the server was not heard, or not in time
    GRANTED = "granted"  # no other booth calls it meanwhile
    HELD = "held"  # another booth has it


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that has happened to a number; `number` is Number.key."""

    id: str  # UUID
    kind: FactKind
    number: str
    at: float | None  # seconds since 1970 UTC; None when the booth did not know the time
    booth: str
    agent: str
    call: str | None = None  # the call's UUID
    result: str | None = None  # result code, such as "REF"
    due: float | None = None  # CALLBACK: asked-for time
    note: str = ""  # OVERRIDE: reason; CONTACT: TALK, ABANDONED or ""; COUNTED: how many are a refusal; CONSENT: proof
    product: str = ""  # what was offered (the list's product); "" where none is named: then it covers every product


@dataclass(frozen=True, slots=True)
class Rules:
    """What is allowed; the defaults are strict, and opening them is deliberate. All times in seconds."""

    min_gap_any: float = 3600  # after a call that a human answered
    min_gap_after_talk: float = DAY
    min_gap_unanswered: float = 1800
    max_per_day: int = 2  # answered calls in any 24 hours
    max_unanswered_per_day: int = 3
    gacha_limit: int = 3  # so many hang-ups within `gacha_window` are an implied refusal
    gacha_window: float = 180 * DAY
    callback_expires: float = 3 * DAY  # how long after its time an asked-for callback still frees the call
    override_lasts: float = 600  # how long a supervisor's override waits to be used
    international: bool = False
    sample_allowed: bool = False  # only for a line that reaches nobody


def newest_first(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Facts of unknown date come first: nothing shows that they are old."""
    return tuple(sorted(facts, key=lambda fact: (inf if fact.at is None else fact.at, fact.id), reverse=True))
