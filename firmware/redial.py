"""The redial guard: facts + rules + now → Decision. Pure."""

from dataclasses import dataclass, field
from enum import Enum, auto


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
    note: str = ""  # OVERRIDE: the reason


class Verdict(Enum):
    """What the guard says."""

    ALLOW = auto()
    WARN = auto()  # one more key
    BLOCK = auto()


class Reason(Enum):
    """Why; the screens have words for each in every language."""

    FREE = auto()
    EMERGENCY = auto()
    SERVICE_NUMBER = auto()
    INVALID_NUMBER = auto()
    BARRED_CLASS = auto()  # premium, international, 020
    SAMPLE_NUMBER = auto()  # an example number on a real line
    DO_NOT_CALL = auto()
    REFUSED = auto()
    DEAD_NUMBER = auto()  # dead, changed, a fax: nobody to reach there
    TIME_UNKNOWN = auto()
    CALLED_RECENTLY = auto()
    RESULT_OWED = auto()  # the last call's result has not been keyed
    OFF_LIST = auto()  # WARN: nobody in the list has this number
    TOLL_FREE = auto()  # WARN: a business desk
    SHARED_COST = auto()  # WARN: extra charge
    UNCERTAIN = auto()  # WARN: not in any allocated range
    OVERRIDDEN = auto()  # ALLOW: a supervisor let it pass


@dataclass(frozen=True, slots=True)
class Decision:
    """The guard's answer for one number at one moment."""

    verdict: Verdict
    reason: Reason
    until: float | None = None  # callable again at (UTC seconds); None: unknown or never, see `never`
    never: bool = False  # only a supervisor's lift on the server frees it
    overridable: bool = False  # by a supervisor's PIN on this booth
    evidence: tuple[Fact, ...] = ()  # newest first
    considered: tuple[Reason, ...] = field(default=())  # every reason that was looked at, in order
