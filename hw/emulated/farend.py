"""The person at the far end, and how a call with them goes on."""

from dataclasses import dataclass
from typing import Literal

from hw.emulated.speech import Speech, Voice

State = Literal["idle", "dialling", "alerting", "talking", "ringing", "waiting", "held"]
Outcome = Literal["answers", "busy", "no answer", "unassigned", "rejects"]
Then = Literal["speaks", "hangs up wordlessly", "hangs up mid-pitch"]
Change = Literal["answers", "busy", "no answer", "unassigned", "rejects", "speaks", "goes silent", "hangs up"]
Hidden = Literal["", "withheld", "unavailable", "payphone"]

# Causes of 3GPP TS 24.008, table 10.5.123.
UNASSIGNED, NORMAL, BUSY, NO_ANSWER, REJECTED = 1, 16, 17, 19, 21
CAUSES: dict[str, int] = {"busy": BUSY, "no answer": NO_ANSWER, "unassigned": UNASSIGNED, "rejects": REJECTED}

ENDS_AFTER: dict[Then, float | None] = {"speaks": None, "hangs up wordlessly": 1.5, "hangs up mid-pitch": 6.0}


@dataclass(frozen=True)
class FarEnd:
    """What somebody does with a call: seconds until the outcome, the outcome, and what follows an answer.

    `ends_after` counts seconds from the answer; None is what suits `then`. `rings_for` is the network's patience with
    an unanswered call, and the caller's own when it is the far end that calls. `cause` is another cause of 24.008 than
    the usual one for a call that fails, as 42 for congestion.
    """

    answers_after: float = 0.2
    outcome: Outcome = "answers"
    then: Then = "speaks"
    ends_after: float | None = None
    voice: Voice = Speech(1)  # noqa: RUF009 - frozen, and nothing is computed before it speaks
    rings_for: float = 30.0
    cause: int = 0


@dataclass(frozen=True)
class Progress:
    """What became of a call: told to observers at every change. `cause` (24.008) belongs to the end, else 0.

    `index` is the number that +CLCC gives it. `second`: it is about the call beside the present one. `tone`: nothing
    has changed but that the far end pressed a key.
    """

    state: State
    number: str | None
    incoming: bool
    cause: int = 0
    ended_here: bool = False
    hidden: Hidden = ""
    index: int = 1
    second: bool = False
    tone: str = ""


@dataclass(eq=False)
class Call:
    """One call inside the exchange: who, and how far into what they say."""

    number: str | None
    far_end: FarEnd
    incoming: bool
    hidden: Hidden = ""
    index: int = 1
    state: State = "idle"
    voice: Voice | None = None
    position: int = 0

    def sound(self, voice: Voice | None) -> None:
        """Begin to say something else, None is nothing."""
        self.voice, self.position = voice, 0

    def progress(self, cause: int = 0, *, here: bool = False, second: bool = False, tone: str = "") -> Progress:
        """The call as it is now."""
        return Progress(self.state, self.number, self.incoming, cause, here, self.hidden, self.index, second, tone)
