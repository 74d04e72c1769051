"""A voice modem dials: it waits for tones, sends digits, and guesses from what it hears what has become of the call."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from hw.emulated.analogline import AnalogLine
from hw.emulated.analogoptions import Guess
from hw.emulated.analogtones import frames_in

TONE_TIME = frames_in(0.06)  # for a digit: quicker than most, so that tests are
PULSE_TIME, PULSE_PAUSE = frames_in(0.04), frames_in(0.2)
COMMA = frames_in(2.0)
DIAL_TONE_FOR = frames_in(0.2)  # makes sure of it
NO_DIAL_TONE_AFTER = frames_in(1.5)
BUSY_FOR = frames_in(1.0)  # of the tone, pauses left out
EARLY = frames_in(0.3)  # in a pause of the ring-back: taken for an answer by a modem that guesses too soon
DIALLED = re.compile(r"[0-9*#A-DTPW,@! -]*", re.IGNORECASE)


class Outcome(Enum):
    """What the modem says of a call at last."""

    DONE = auto()  # dialled, and back to commands at once
    ANSWERED = auto()
    BUSY = auto()
    NO_ANSWER = auto()
    NO_DIAL_TONE = auto()
    NO_CARRIER = auto()


@dataclass(frozen=True)
class Rules:
    """What +VRA, +VRN and S7 say, in frames, and what X lets it look for. `carrier`: it wants another modem's."""

    ring_back_gone: int
    ring_back_never: int
    patience: int
    wants_dial_tone: bool = True
    knows_busy: bool = True
    guess: Guess = "ring-back"
    carrier: bool = False


class Dialler:
    """One ATD, told of each frame. `ringing` counts the bursts of ring-back that it has heard."""

    def __init__(self, line: AnalogLine, string: str, rules: Rules) -> None:
        self.ringing = 0
        self._line, self._rules = line, rules
        self._returns = string.endswith(";")
        self._left = string.rstrip(";").upper().replace(" ", "").replace("-", "")
        self._pulses = False
        self._pause = 0
        self._listening = False
        self._waited = self._tone = 0
        self._busy = self._quiet = 0
        self._bursting = False
        self._wants_tone = rules.wants_dial_tone and line.state != "talking"

    def tick(self) -> Outcome | None:
        """A frame has passed; the outcome when there is one."""
        if self._wants_tone:
            return self._look_for_dial_tone()
        if self._pause > 0:
            self._pause -= 1
            return None
        if self._left:
            self._send(self._left[0])
            self._left = self._left[1:]
            return None
        if self._returns:
            return Outcome.DONE
        return self._listen()

    def _look_for_dial_tone(self) -> Outcome | None:
        self._waited += 1
        self._tone = self._tone + 1 if self._line.heard == "dial tone" else 0
        if self._tone >= DIAL_TONE_FOR:
            self._wants_tone = False
            self._waited = self._tone = 0
        return Outcome.NO_DIAL_TONE if self._waited > NO_DIAL_TONE_AFTER else None

    def _send(self, sign: str) -> None:
        if sign in "TP":
            self._pulses = sign == "P"
        elif sign in ",@!":
            self._pause = COMMA
        elif sign == "W":
            self._wants_tone = True
        else:
            self._line.digit(sign, pulses=self._pulses)
            self._pause = TONE_TIME
            if self._pulses:
                self._pause = PULSE_PAUSE + PULSE_TIME * (int(sign) or 10 if sign.isdigit() else 0)

    def _listen(self) -> Outcome | None:
        if self._rules.ring_back_never == 0 and not self._rules.carrier:
            return Outcome.ANSWERED  # +VRN=0: after the last digit, whatever comes
        self._waited += 1
        heard = self._line.heard
        self._busy += heard in ("busy", "special")
        if self._busy >= BUSY_FOR and self._rules.knows_busy:
            return Outcome.BUSY
        self._count_bursts(heard == "ring-back")
        if self._waited > self._rules.patience:
            return Outcome.NO_ANSWER if self.ringing and self._bursts_go_on else Outcome.NO_CARRIER
        return Outcome.ANSWERED if not self._busy and self._seems_answered() else None

    @property
    def _bursts_go_on(self) -> bool:
        return self._line.state == "alerting"

    def _count_bursts(self, sounds: bool) -> None:
        self.ringing += sounds and not self._bursting
        self._bursting = sounds
        self._quiet = 0 if sounds else self._quiet + 1

    def _seems_answered(self) -> bool:
        if self._rules.carrier or self._rules.guess == "never":
            return False
        if not self.ringing:
            return self._waited >= self._rules.ring_back_never
        return self._quiet >= (EARLY if self._rules.guess == "early" else self._rules.ring_back_gone)
