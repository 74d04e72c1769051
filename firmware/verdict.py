"""What the guard answers, and whom it was asked about."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum, auto

from firmware.known import Fact, Hold
from firmware.rulebook import Ruling


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
    NUMBER_HIDDEN = auto()  # 184 in front: our own number would not be shown
    DO_NOT_CALL = auto()
    REFUSED = auto()
    DEAD_NUMBER = auto()  # dead, changed, a fax: nobody to reach there
    ON_HOLD = auto()  # an emergency at the callee's: a supervisor decides when to call again
    REGISTERED = auto()  # on a do-not-call register
    REGISTER_STALE = auto()  # the register that must be asked is missing or too old
    NO_CONSENT = auto()  # the law wants consent first
    RESULT_OWED = auto()  # the last call's result has not been keyed
    TIME_UNKNOWN = auto()
    OUTSIDE_HOURS = auto()  # where the callee is
    TOO_OFTEN = auto()  # a counted rule of the law
    AFTER_TALK = auto()  # the law's rest after a conversation
    AFTER_ABANDONED = auto()  # the rest after a call that we dropped
    CALLED_RECENTLY = auto()
    CLAIMED = auto()  # another booth is about to call it
    CAMPAIGN_FULL = auto()  # dialled as often as the campaign allows
    OFF_LIST = auto()  # WARN: nobody in the list has this number
    TOLL_FREE = auto()  # WARN: a business desk
    SHARED_COST = auto()  # WARN: extra charge
    COMPLETED = auto()  # WARN: the booth has put in the zero or the area code
    UNCERTAIN = auto()  # WARN: not in any allocated range
    OVERRIDDEN = auto()  # ALLOW: a supervisor let it pass


@dataclass(frozen=True, slots=True)
class Listing:
    """What a do-not-call register says of a number."""

    asof: float  # the register's date, UTC seconds
    listed: bool


@dataclass(frozen=True, slots=True)
class Callee:
    """Who would be called, besides the number: every zone it may be in, and what is known beyond its own facts."""

    zones: tuple[str, ...] = ("Asia/Tokyo",)
    kin: tuple[Fact, ...] = ()  # of the same person's other numbers
    registers: Mapping[str, Listing] = field(default_factory=dict)  # those that are at hand, by name


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
    claim: Hold | None = None  # how the booth stood with the number when it was dialled
    rule: Ruling | None = None  # a pack's rule; None: the house's, or the reason itself says where it stands


def written(said: Decision) -> dict[str, object]:
    """The guard's word with its evidence, as plain data for the call's record."""
    return {
        "verdict": said.verdict.name,
        "reason": said.reason.name,
        "until": said.until,
        "never": said.never,
        "overridable": said.overridable,
        "considered": [reason.name for reason in said.considered],
        "evidence": [fact.id for fact in said.evidence],
        "claim": said.claim.value if said.claim else "",
        "rule": None if said.rule is None else asdict(said.rule),
    }
