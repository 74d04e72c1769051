"""One call on an analog line: what tones, codes and words say of it, and how it ended. No I/O, no clock.

An analog exchange tells nothing but what a person hears. So an answer is an estimate (a voice, or ring-back that does not
come again), and so is who hung up: a busy tone after an answer is what the one gets who stays on the line.
"""

from dataclasses import dataclass

from hw.cadence import Sound
from hw.callerid import NOBODY, Caller
from hw.events import Alerting, Answered, CallEnded, Cause, Event, Party

SURE_TURNS = 2  # of the busy tone end a talk; a single one ends a dial

# The result words of V.250 and what they say of a dial.
WORDS = {
    "BUSY": Cause.BUSY,
    "NO ANSWER": Cause.NO_ANSWER,
    "NO DIALTONE": Cause.NETWORK,
    "NO DIAL TONE": Cause.NETWORK,
    "NO CARRIER": Cause.NETWORK,
}
TONELESS = frozenset({"NO DIALTONE", "NO DIAL TONE"})
ANSWERED = frozenset({"OK", "VCON", "VOICE"})

# Codes whose meaning all makers share; which of them end a call is the model's.
RINGS_BACK, REVERSED, TRI_TONE, LOOP_BROKEN = "r", "L", "J", "l"
BUSY_CODES = frozenset("bK")
TOO_EARLY = frozenset("dsq")  # of a dial, these say nothing: the first dial tone, and the wait for ring-back


@dataclass(slots=True, eq=False)
class AnalogCall:
    """What is known of the one call; it only moves forward."""

    incoming: bool
    placed: bool = False  # the line has been taken, or rings
    caller: Caller = NOBODY
    alerting: bool = False
    answered: bool = False
    hanging: bool = False
    over: bool = False  # its CallEnded is posted
    turns: int = 0  # of the busy tone since the answer
    waiting_told: bool = False

    def hear(self, sound: Sound) -> Event | None:
        """What our own ear makes of the line."""
        if self.answered:
            return self._heard_in_talk(sound)
        if sound is Sound.RING_BACK:
            return self.rung()
        if sound in (Sound.VOICE, Sound.CEASED):
            return self.taken()
        if sound is Sound.SIT:
            return CallEnded(Cause.DEAD_NUMBER, Party.LINE, "information tone", sure=False)
        if sound is Sound.BUSY:
            return self.refused()
        return CallEnded(Cause.NETWORK, Party.LINE, f"{sound.name.lower().replace('_', ' ')} heard", sure=False)

    def told(self, code: str, ends: frozenset[str]) -> Event | None:
        """What a code of the modem says; `ends` are those that end a call on this model."""
        if not self.answered and (news := self._progress(code)):
            return news
        if code not in ends:
            return None
        if self.answered:
            return self.left(f"code {code!a}", sure=code == LOOP_BROKEN)
        if code in TOO_EARLY:
            return None
        return (
            self.refused() if code in BUSY_CODES else CallEnded(Cause.NETWORK, Party.LINE, f"code {code!a}", sure=False)
        )

    def _progress(self, code: str) -> Event | None:
        if code == REVERSED and self.alerting:
            return self.taken(estimated=False)  # the exchange itself says so
        if code == RINGS_BACK and not self.incoming:
            return self.rung()
        return self.hear(Sound.SIT) if code == TRI_TONE and not self.incoming else None

    def rung(self) -> Event | None:
        """The far end rings: told once."""
        if self.alerting or self.answered:
            return None
        self.alerting = True
        return Alerting()

    def taken(self, *, estimated: bool = True) -> Event | None:
        """The talk begins."""
        if self.answered:
            return None
        self.answered = True
        return Answered(estimated)

    def refused(self) -> CallEnded:
        """A busy tone before an answer; after ring-back it is the exchange's patience that ended."""
        return CallEnded(Cause.NO_ANSWER if self.alerting else Cause.BUSY, Party.LINE)

    def left(self, why: str, *, sure: bool = False) -> CallEnded:
        """The far end hung up, as far as one can hear."""
        return CallEnded(Cause.NORMAL, Party.FAR, why, sure)

    def _heard_in_talk(self, sound: Sound) -> Event | None:
        if sound in (Sound.BUSY, Sound.CONGESTION):
            self.turns += 1
            return self.left("busy tone") if self.turns >= SURE_TURNS else None
        return self.left("dial tone") if sound is Sound.DIAL_TONE else None


def refused(final: str) -> CallEnded:
    """How a dial ends by a result word or an error."""
    return CallEnded(WORDS.get(final, Cause.FAILED), Party.LINE, final.lower() or "no answer to the dial")
