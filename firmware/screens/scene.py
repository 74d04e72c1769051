"""What there is to show: plain facts, no words. booth.py fills it; views.py gives it words."""

from dataclasses import dataclass
from typing import Literal

from firmware.callflow import State
from firmware.calls import Call, CallList, Customer, PastCall
from firmware.numbers import Number
from firmware.redial import Decision
from firmware.results import Result
from firmware.sim import Trouble
from hw.events import Fault, Hidden

Rec = Literal["off", "on", "paused", "failed", "asking", "barred"]
"""`asking`: nothing is kept until all agree; `barred`: the rules in force let nothing be recorded."""


@dataclass(frozen=True, slots=True)
class Header:
    """The status line."""

    now: float | None  # UTC seconds; None: the time is unknown
    zone: str = "Asia/Tokyo"
    pending: int = 0  # calls that wait for sync
    synced: bool = True  # nothing waits and the server was heard
    signal: int | None = None  # bars, 0 to 4
    recording: Rec = "off"
    agent: str = ""
    card: float | None = None  # days until it is full, when it is time to warn; 0: nothing can be recorded


@dataclass(frozen=True, slots=True)
class ListBody:
    """LIST: at most five rows around the chosen one."""

    list: CallList | None  # None: no list has been loaded
    rows: tuple[Customer, ...] = ()
    chosen: int = 0  # index in rows
    first: int = 0  # position of rows[0] in the list
    owed: Call | None = None  # a call whose result must be keyed first
    notice: str = ""  # one of views.NOTICES, such as "saved", "aborted"


@dataclass(frozen=True, slots=True)
class Match:
    """How the keyed digits compare with the list."""

    kind: Literal["customer", "previous", "other", "wrong", "near", "off-list", "none"]
    """`other`: on the list, but not the one the screen was showing; `wrong`: not yet whole, and no longer the shown one's."""
    customer: Customer | None = None
    wrong: int | None = None
    """Where, counted from 0, the digits part from the customer's; of another one than the shown, from the shown one's."""


@dataclass(frozen=True, slots=True)
class KeyingBody:
    """KEYING, and the emergency keypad that opens above any state."""

    digits: str
    shown: str  # grouped as the country writes them
    matches: tuple[Customer, ...] = ()
    match: Match = Match("none")
    emergency: bool = False  # opened by holding D
    emergency_number: bool = False  # the digits are an emergency number
    confirmed: bool = False  # this line is confirmed to reach the emergency services
    warning: Decision | None = None  # one more key is wanted


@dataclass(frozen=True, slots=True)
class PreviewBody:
    """PREVIEW, page 1 to 4: profile, history, script, notes."""

    customer: Customer
    history: tuple[PastCall, ...]
    decision: Decision
    script: tuple[str, ...] = ()
    page: int = 1
    scroll: int = 0
    same_name: int = 0  # how many others in the list have this name
    opening: tuple[str, ...] = ()  # what is said first: firmware.rulepack.ITEMS
    warned: bool = False  # decision is a WARN and A was pressed once


@dataclass(frozen=True, slots=True)
class BlockedBody:
    """BLOCKED and WHY: the verdict and its evidence. `full` adds the legal source."""

    number: Number
    customer: Customer | None
    decision: Decision
    full: bool = False
    scroll: int = 0


@dataclass(frozen=True, slots=True)
class CallBody:
    """ARMED, DIALLING, ALERTING and TALKING."""

    call: Call
    seconds: float  # since the dial, or since the answer mark once answered
    line: str = ""  # what the line says it is
    promise: int | None = None  # minutes
    ticks: tuple[bool, bool, bool] = (False, False, False)  # who we are, minutes asked, free to hang up
    marks: tuple[str, ...] = ()  # "refusal", "bad-moment", "complaint", "help", "identity"
    muted: bool = False
    held: bool = False
    deaf: bool = False  # the handset or the line carries no sound
    impaired: bool = False  # the line works, but not as it should: the status page says why
    tone_mode: bool = False
    tones: str = ""  # digits sent in tone mode
    volume: int = 5  # 0 to 10
    confirm_end: bool = False  # a complaint: D asks once more
    script: tuple[str, ...] = ()
    page: int = 0
    history: tuple[PastCall, ...] = ()
    second: Call | None = None  # somebody called meanwhile and heard that the line is busy
    asking: bool = False  # nothing is recorded until all agree: then the agent keys *
    opening: tuple[str, ...] = ()  # what is said first: firmware.rulepack.ITEMS
    branches: tuple[str, ...] = ()  # names of the script page's branches: A, then a digit


@dataclass(frozen=True, slots=True)
class WrapUpBody:
    """WRAP_UP: the result, then what the result asks for."""

    call: Call
    seconds: float  # in wrap-up
    boxes: tuple[Result, ...]  # the nine, in key order
    suggested: Result | None
    chosen: Result | None = None
    keyed: str = ""  # "0", "04": a two-digit result being keyed; digits of a date or a time
    asking: Literal["result", "when", "date", "time", "whom", "clear"] = "result"
    due: float | None = None
    decision: Decision | None = None  # the guard's word on `due`
    whom: str = ""  # "self", "family", "reception", "other"
    clear: str = ""  # "yes", "no", "later", "not-asked"
    refused: bool = False  # it is a clear no: once saved, the number is called no more
    timeless: bool = False  # A goes on without a time: the result has one of its own
    memo: bool = False  # a voice memo is being recorded
    card_full: bool = False  # the result could not be saved: there must be room on the card first


@dataclass(frozen=True, slots=True)
class PinBody:
    """PIN_ENTRY."""

    whose: Literal["supervisor", "agent", "sim"]
    purpose: Literal["override", "log-in", "clock", "supervisor", "sim"]
    dots: int
    tries: int | None  # left; None: a SIM's, and the modem cannot say
    wrong: bool = False
    asking: Literal["pin", "reason", "agent", "date", "time"] = "pin"  # after the PIN: override reason 1-5, or a time
    keyed: str = ""
    locked: float = 0.0  # seconds until the next try
    trouble: Trouble = ""  # why no PIN may be given to the SIM now


@dataclass(frozen=True, slots=True)
class RingingBody:
    """RINGING_IN."""

    number: Number | None  # None: hidden, or not told yet
    customer: Customer | None
    history: tuple[PastCall, ...] = ()
    same_name: int = 0
    greeting: str = ""  # what to say when answering for a client
    hidden: Hidden | None = None  # why there is no number


@dataclass(frozen=True, slots=True)
class SimBody:
    """A locked SIM: what is wrong with its PIN, the tries that are left if the modem can say, and whether one may be keyed."""

    trouble: Trouble
    tries: int | None
    keyable: bool


@dataclass(frozen=True, slots=True)
class OutOfOrderBody:
    """OUT_OF_ORDER."""

    fault: Fault
    detail: str
    since: float | None  # UTC seconds
    retry: float  # seconds until the next try
    scroll: int = 0
    sim: SimBody | None = None


@dataclass(frozen=True, slots=True)
class SoundBody:
    """A sound test that runs."""

    left: float  # seconds
    lasts: float
    heard: float  # dBFS of what the microphone hears


@dataclass(frozen=True, slots=True)
class MenuBody:
    """MENU and its pages: "" is the top; else "breaks", "status", "volume", "language", "audio", "lists", "usb"."""

    page: str
    items: tuple[str, ...]  # keys of views.MENU at the top; plain names on "lists" and "usb"
    chosen: int = 0
    status: tuple[tuple[str, str | float], ...] = ()  # (name, value) of the status page; a float is a moment
    volume: int = 5
    outcome: str = ""  # a word of views.OUTCOMES after something was done
    sound: SoundBody | None = None


Body = (
    ListBody
    | KeyingBody
    | PreviewBody
    | BlockedBody
    | CallBody
    | WrapUpBody
    | PinBody
    | RingingBody
    | OutOfOrderBody
    | MenuBody
)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a screen may show at one moment."""

    state: State
    header: Header
    body: Body
    results: tuple[Result, ...] = ()  # every code, so that history, evidence and 0+two digits have names
