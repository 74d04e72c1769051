"""What the hardware can tell us: frozen, in the past tense. Every driver posts these and nothing else."""

from dataclasses import dataclass
from enum import Enum, auto


class Fault(Enum):
    """Why a line cannot be used; the screen has words and advice for each."""

    ABSENT = auto()  # no such port
    UNPLUGGED = auto()  # it was there and went away
    SILENT = auto()  # it does not answer
    GARBLED = auto()  # it answers nonsense or refuses what every such modem must do
    NO_SIM = auto()
    SIM_LOCKED = auto()  # PIN or PUK wanted
    NO_NETWORK = auto()  # not registered
    NO_VOICE = auto()  # no voice over USB
    RESTARTING = auto()  # it was told to, and goes away in a moment


GONE = frozenset({Fault.ABSENT, Fault.UNPLUGGED, Fault.SILENT, Fault.GARBLED})
"""Faults after which the driver has let go of the line: it must be opened again. The others it watches by itself."""


class Cause(Enum):
    """Why a call ended (3GPP TS 24.008 table 10.5.123 and V.250 results, folded to what a booth can act on)."""

    NORMAL = auto()
    BUSY = auto()
    NO_ANSWER = auto()
    DEAD_NUMBER = auto()
    REJECTED = auto()
    NETWORK = auto()  # congestion, no route, temporary failure
    FAILED = auto()  # the modem would not place it
    LOST = auto()  # line or booth went away in mid-call


class Party(Enum):
    """Who ended a call."""

    NEAR = auto()
    FAR = auto()
    LINE = auto()


class Hidden(Enum):
    """Why a caller's number is not shown (27.007 +CLIP validity; Japan's Number Display and NTT's reasons)."""

    WITHHELD = auto()  # the caller wants it so
    UNAVAILABLE = auto()  # the network does not know it
    PAYPHONE = auto()


class Event:
    """Something that has happened; never a request."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class KeyPressed(Event):
    """A key went down: one of 0-9 * # A B C D."""

    key: str


@dataclass(frozen=True, slots=True)
class KeyHeld(Event):
    """The key has now been down for one second."""

    key: str


@dataclass(frozen=True, slots=True)
class KeyReleased(Event):
    """The key came up again."""

    key: str


@dataclass(frozen=True, slots=True)
class HookLifted(Event):
    """The handset was taken up (also posted once at start if it is up)."""


@dataclass(frozen=True, slots=True)
class HookReplaced(Event):
    """The handset was put down (also posted once at start if it is down)."""


@dataclass(frozen=True, slots=True)
class LineReady(Event):
    """The line can place and take calls."""

    model: str
    operator: str = ""


@dataclass(frozen=True, slots=True)
class LineLost(Event):
    """The line cannot be used any more; not the same as a call ending. Open it again to go on."""

    fault: Fault
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SimLocked(Event):
    """The SIM wants a code before it does anything: posted beside LineLost(SIM_LOCKED), and again after a wrong PIN."""

    iccid: str  # empty when the modem does not tell it while locked
    tries: int | None  # left for the PIN; None when the modem cannot say
    puk: bool = False  # it wants something else than its PIN: nothing that a booth may try


@dataclass(frozen=True, slots=True)
class LineDegraded(Event):
    """The line works, but not as it should: its sound was refused at first, or it had to be reset."""

    why: str


@dataclass(frozen=True, slots=True)
class SignalChanged(Event):
    """Radio signal in bars, 0 to 4; None when unknown."""

    bars: int | None


@dataclass(frozen=True, slots=True)
class TimeHeard(Event):
    """The network told the time: seconds since 1970, UTC."""

    utc: float


@dataclass(frozen=True, slots=True)
class Alerting(Event):
    """The far end's telephone rings."""


@dataclass(frozen=True, slots=True)
class Answered(Event):
    """The far end (or, on an incoming call, we) answered: the talk begins."""

    estimated: bool = False  # an analog line tells no answer: the modem guessed it from the tones


@dataclass(frozen=True, slots=True)
class CallEnded(Event):
    """The call is over. Posted exactly once for each dial, answer or incoming call."""

    cause: Cause
    by: Party = Party.LINE
    detail: str = ""
    sure: bool = True  # False: `by` is what is likely, not what the network said


@dataclass(frozen=True, slots=True)
class IncomingCall(Event):
    """Somebody calls in; number None when hidden or not (yet) told. May be posted again when more is known."""

    number: str | None = None
    hidden: Hidden | None = None


@dataclass(frozen=True, slots=True)
class SecondCallRefused(Event):
    """Somebody else called in during a call, and hears that the line is busy."""

    number: str | None = None
    hidden: Hidden | None = None


@dataclass(frozen=True, slots=True)
class ToneHeard(Event):
    """The far end pressed a key: one of 0-9 * # A B C D."""

    digit: str


@dataclass(frozen=True, slots=True)
class AudioFailed(Event):
    """The call goes on without sound: the line's audio or the handset could not be opened."""

    why: str
