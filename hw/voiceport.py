"""The serial port of a V.253 modem: scripts ask while it is quiet, and sound flows both ways while it streams.

Scripts are those of `hw.atport`, with one more wish: Halt, which ends the stream.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from hw.at import MARKER, Notice, Reply
from hw.atport import RESTED, Ask, Clock, Errand, Pause, Script, Wire
from hw.dle import ETX, Code
from hw.errors import ModemTimeout, UnexpectedReply
from hw.v253 import DIALLING, VoiceDialogue

NAP = 0.1  # seconds that listen() waits when nothing is due
BEAT = 0.02  # the same while it streams
MARKERS = 2  # how often a modem that lost step is asked for a clean OK
QUIET = 0.1  # seconds without a byte: what was late has come
AGAIN = 0.5  # seconds until the end of a stream is asked for once more, with three DLEs
DEAF = 0.125  # after a dial no abort is honoured for so long (Huawei MU509 manual; V.250 names no time)
ABORT = 1.0  # seconds that an aborted dial may take to its final result
OWED = 1.0  # seconds for the OK after a stream that ended by itself
# Ends whatever stream a modem may have been left in; one that streams not takes it for a wrong command. Three DLEs each,
# for the Zoom 3095: others hear a sample and the code.
ROUSE = b"\x10\x10\x10^\x10\x10\x10!\x10\x10\x10\x03\r"


@dataclass(frozen=True, slots=True)
class Halt(Ask):
    """End the stream by DLE and `command`; the reply comes when the modem is at its commands again."""


class Stream(Wire, Protocol):
    """A wire that also carries sound."""

    def offer(self, data: bytes) -> int: ...


class VoicePort:
    """Owns the wire to a modem; everything but the constructor is called on the worker's thread.

    `told` is given notices, codes and sound; `mouth` is asked what to say while the modem streams.
    """

    def __init__(
        self,
        wire: Stream,
        told: Callable[[Notice | Code | bytes], None],
        mouth: Callable[[float], bytes],
        ping: float,
        now: Clock = monotonic,
    ) -> None:
        self._wire, self._told, self._mouth, self._ping, self._now = wire, told, mouth, ping, now
        self._dialogue = VoiceDialogue()
        self._urgent: deque[Errand] = deque()
        self._calm: deque[Errand] = deque()
        self._asker: Errand | None = None
        self._asked_at = self._deadline = self._owed_until = 0.0
        self._abort_at: float | None = None
        self._again_at: float | None = None
        self._halting = b""
        self._unsent = b""
        self.heard_at = self.answered_at = 0.0
        self.strayed = False  # an answer did not come: what the modem has done since is not known

    def open(self) -> None:
        """Raise PortLost when there is no such port or somebody else has it."""
        self._wire.open()
        self._wire.say(ROUSE)
        self._dialogue.give_up()
        self.heard_at = self.answered_at = self._now()

    def close(self) -> None:
        """Harmless when it is closed or gone."""
        self._wire.close()

    @property
    def busy(self) -> bool:
        """Whether any script is under way."""
        return bool(self._urgent or self._calm or self._dialogue.asked)

    @property
    def urgent(self) -> bool:
        """Whether an urgent script is under way."""
        return bool(self._urgent)

    @property
    def streaming(self) -> bool:
        """Whether sound flows."""
        return self._dialogue.streaming

    def run(self, script: Script, *, urgent: bool = False) -> None:
        """Begin `script` when it is its turn."""
        (self._urgent if urgent else self._calm).append(Errand(script, self._now))

    def drop_urgent(self) -> None:
        """End all urgent scripts; the answer to a command under way will be thrown away."""
        for errand in self._urgent:
            errand.drop()
        self._urgent.clear()
        if self._asker and self._asker.done:
            self._asker = None

    def abort_dial(self) -> None:
        """Break off the dial under way."""
        if self._dialogue.asked and DIALLING.match(self._dialogue.asked):
            self._abort_at = self._asked_at + DEAF

    def listen(self) -> None:
        """Do what is due, then wait for the modem, the bell or the next thing due."""
        if self._dialogue.adrift:
            self._resynchronise()
        now = self._now()
        if self._dialogue.owing and now >= self._owed_until:
            self._dialogue.forgive()
        if not (self._dialogue.asked or self._dialogue.owing) and (errand := self._next()):
            self._ask(errand)
        self._hear(self._nap(), heed_bell=True)
        if self.streaming and not self._halting:
            self._speak()
        if self._dialogue.asked:
            self._watch(self._now())

    def _next(self) -> Errand | None:
        """The first errand that wants to ask, urgent ones first; a pausing one holds up only its own queue."""
        for queue in (self._urgent, self._calm):
            while queue:
                errand = queue[0]
                if errand.done:
                    queue.popleft()
                elif isinstance(errand.want, Ask):
                    return errand
                elif self._now() < errand.until:
                    break
                else:
                    errand.go_on(RESTED)
        return None

    def _ask(self, errand: Errand) -> None:
        want = errand.want
        if not isinstance(want, Ask):
            return
        if isinstance(want, Halt) != self.streaming:
            # What cannot be asked now: the stream has ended by itself, or a script has been left behind by one.
            errand.go_on(RESTED)
            return
        self._asker, self._asked_at = errand, self._now()
        self._deadline = self._asked_at + want.patience
        if isinstance(want, Halt):
            self._dialogue.halt()
            self._halting, self._again_at = b"\x10" + want.command.encode("ascii"), self._asked_at + AGAIN
            rest, self._unsent = self._unsent, b""
            self._wire.say(rest + self._halting)  # what is left of a frame goes first: it may be half a shielded byte
        else:
            self._wire.say(self._dialogue.ask(want.command))

    def _nap(self) -> float:
        now = self._now()
        due = [queue[0].until for queue in (self._urgent, self._calm) if queue and isinstance(queue[0].want, Pause)]
        if self._dialogue.asked:
            due.append(self._deadline)
        due += [moment for moment in (self._abort_at, self._again_at) if moment is not None]
        return max(0.0, min([BEAT if self.streaming else NAP, *(moment - now for moment in due)]))

    def _hear(self, patience: float, *, heed_bell: bool = False) -> bool:
        """Whether the modem said anything; the end of a line that was heard before is nothing."""
        data = self._wire.hear(patience, heed_bell=heed_bell)
        if not data:
            return False
        self.heard_at = self._now()
        for said in self._dialogue.hear(data):
            if isinstance(said, Reply):
                self._deliver(said)
                continue
            if isinstance(said, Code) and said.letter == ETX:
                self._again_at, self._owed_until = None, self._now() + OWED
                if self._halting:
                    continue
            self._told(said)
        return bool(data.strip(b"\r\n"))

    def _deliver(self, reply: Reply) -> None:
        errand, self._asker = self._asker, None
        self.answered_at = self._now()
        self._abort_at, self._again_at, self._halting, self._unsent = None, None, b"", b""
        if errand:
            errand.go_on(reply)

    def _speak(self) -> None:
        """Give the modem what there is to say; what it will not take now goes first next time."""
        data = self._unsent or self._mouth(self._now())
        while data:
            self._unsent = data[self._wire.offer(data) :]
            if self._unsent:
                return
            data = self._mouth(self._now())

    def _watch(self, now: float) -> None:
        if self._abort_at is not None and now >= self._abort_at:
            self._abort_at, self._deadline = None, min(self._deadline, now + ABORT)
            self._wire.say(b"\r")  # V.250: any character breaks off a dial; this one is harmless where it does not
        if self._again_at is not None and now >= self._again_at:
            self._again_at = None
            self._wire.say(b"\x10\x10" + self._halting)  # Zoom 3095 wants three DLEs
        if now >= self._deadline:
            late, self._asker = self._asker, None  # the marker's OK is not for it
            self._dialogue.give_up()
            self.strayed = True
            self._resynchronise()
            self._asker = late
            self._deliver(RESTED)

    def _resynchronise(self) -> None:
        """Until the modem answers the marker cleanly; its late answers are nobody's."""
        self._halting, self._again_at, self._unsent = b"", None, b""
        for _ in range(MARKERS):
            self._fall_quiet()
            self._wire.say(self._dialogue.ask(MARKER))
            end = self._now() + self._ping
            while self._dialogue.asked and (left := end - self._now()) > 0:
                self._hear(left)
            if not self._dialogue.asked and not self._hear(QUIET / 2):
                return
            self._dialogue.give_up()
            self._wire.say(ROUSE)
        if self._dialogue.garbage:
            raise UnexpectedReply("the modem talks nonsense")
        raise ModemTimeout("the modem does not answer")

    def _fall_quiet(self) -> None:
        end = self._now() + 5 * QUIET
        while self._hear(QUIET) and self._now() < end:
            pass
