"""An AT dialogue on a real serial port: scripts ask, notices are handed on, nothing blocks.

A script is a generator that yields what it wants (Ask, Say or Pause) and is sent the Reply. Urgent scripts (a person waits)
go before calm ones, command by command. A reply with an empty final means: no answer in time, but the modem has come
back since. A modem that does not come back is an error, raised out of listen().
"""

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol

from hw.at import CALLING, MARKER, Dialogue, Notice, Reply
from hw.errors import ModemTimeout, UnexpectedReply

NAP = 0.1  # seconds that listen() waits when nobody rings and nothing is due
MARKERS = 2  # how often a modem that lost step is asked for a clean OK
QUIET = 0.1  # seconds without a byte: the late answer, if any, has come
DEAF = 0.125  # after ATD no abort is honoured for so long (Huawei MU509 manual)
ABORT = 1.0  # seconds that an aborted ATD may take to its final result
RESTED = Reply("", "")


Clock = Callable[[], float]


class Wire(Protocol):
    """What carries bytes to a modem and back. PortLost when it is not there, or no longer."""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def say(self, data: bytes) -> None: ...

    def hear(self, patience: float, *, heed_bell: bool = False) -> bytes: ...


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a command and wait for its reply.

    Before its turn comes others may be served, a dial among them: is it not `wanted` any more by then, it is not sent,
    and the reply is empty.
    """

    command: str
    patience: float
    wanted: Callable[[], bool] = _always


@dataclass(frozen=True, slots=True)
class Say:
    """Send a command that is not answered."""

    command: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, while others may go on."""

    seconds: float


Script = Generator[Ask | Say | Pause, Reply, None]


def asking(command: str, patience: float) -> Script:
    """The script of one command whose reply nobody needs."""
    yield Ask(command, patience)


class Errand:
    """A script under way."""

    def __init__(self, script: Script, now: Clock = monotonic) -> None:
        self._script, self._now = script, now
        self._begun = False
        self.want: Ask | Say | Pause | None = None
        self.until = 0.0
        self.done = False

    def go_on(self, reply: Reply) -> None:
        """Hand over what it waited for, and learn what it wants next."""
        try:
            self.want = self._script.send(reply) if self._begun else next(self._script)
        except StopIteration:
            self.want, self.done = None, True
        self._begun = True
        if isinstance(self.want, Pause):
            self.until = self._now() + self.want.seconds

    def drop(self) -> None:
        """End it where it stands."""
        self._script.close()
        self.done = True


class AtPort:
    """Owns the wire to a modem; everything but the constructor is called on the worker's thread."""

    def __init__(self, wire: Wire, notice: Callable[[str], None], ping: float, now: Clock = monotonic) -> None:
        self._wire, self._notice, self._ping, self._now = wire, notice, ping, now
        self._dialogue = Dialogue()
        self._urgent: deque[Errand] = deque()
        self._calm: deque[Errand] = deque()
        self._asker: Errand | None = None
        self._asked_at = self._deadline = 0.0
        self._abort_at: float | None = None
        self._parting = ""
        self.heard_at = 0.0

    def open(self) -> None:
        """Raise PortLost when there is no such port or somebody else has it."""
        self._wire.open()
        self.heard_at = self._now()

    def close(self) -> None:
        """Harmless when it is closed or gone."""
        self._wire.close()

    @property
    def busy(self) -> bool:
        """Whether any script is under way."""
        return bool(self._urgent or self._calm or self._dialogue.asked)

    @property
    def calling(self) -> bool:
        """Whether the result of an ATD or ATA is still awaited."""
        return bool(self._dialogue.asked and CALLING.match(self._dialogue.asked))

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

    def abort_call(self, parting: str) -> None:
        """Break off the ATD or ATA under way; should it not end in a second, send `parting` whatever is answered."""
        if self.calling:
            self._abort_at, self._parting = self._asked_at + DEAF, parting

    def say(self, command: str) -> None:
        """Send a command whose answer nobody will wait for: the last word before closing."""
        self._wire.say(command.encode("ascii") + b"\r")

    def doubt(self) -> None:
        """The last reply may have been somebody else's: resynchronise before the next command."""
        self._dialogue.give_up()

    def listen(self, patience: float = NAP) -> None:
        """Do what is due, then wait for the modem, the bell or the next thing due, `patience` seconds at most."""
        if self._dialogue.adrift:
            self._resynchronise()
        if not self._dialogue.asked and (errand := self._next()):
            self._ask(errand)
        self._hear(min(self._nap(), max(0.0, patience)), heed_bell=True)
        if self._dialogue.asked:
            self._watch(self._now())

    def _next(self) -> Errand | None:
        """The first errand that wants to ask, urgent ones first; a pausing one holds up only its own queue."""
        for queue in (self._urgent, self._calm):
            while queue:
                errand = queue[0]
                if errand.done:
                    queue.popleft()
                elif isinstance(errand.want, Ask) and errand.want.wanted():
                    return errand
                elif isinstance(errand.want, Say):
                    self.say(errand.want.command)
                    errand.go_on(RESTED)
                elif isinstance(errand.want, Pause) and self._now() < errand.until:
                    break
                else:
                    errand.go_on(RESTED)
        return None

    def _ask(self, errand: Errand) -> None:
        want = errand.want
        if isinstance(want, Ask):
            self._asker, self._asked_at = errand, self._now()
            self._deadline = self._asked_at + want.patience
            self._wire.say(self._dialogue.ask(want.command))

    def _nap(self) -> float:
        due = [queue[0].until for queue in (self._urgent, self._calm) if queue and isinstance(queue[0].want, Pause)]
        if self._dialogue.asked:
            due.append(self._deadline)
        if self._abort_at is not None:
            due.append(self._abort_at)
        return max(0.0, min([NAP, *(moment - self._now() for moment in due)]))

    def _hear(self, patience: float, *, heed_bell: bool = False) -> bool:
        """Whether the modem said anything; the end of a line that was heard before is nothing."""
        data = self._wire.hear(patience, heed_bell=heed_bell)
        if not data:
            return False
        self.heard_at = self._now()
        for said in self._dialogue.hear(data):
            if isinstance(said, Notice):
                self._notice(said.line)
            else:
                self._deliver(said)
        return bool(data.strip(b"\r\n"))

    def _deliver(self, reply: Reply) -> None:
        errand, self._asker, self._abort_at, self._parting = self._asker, None, None, ""
        if errand:
            errand.go_on(reply)

    def _watch(self, now: float) -> None:
        if self._abort_at is not None and now >= self._abort_at:
            self._abort_at, self._deadline = None, min(self._deadline, now + ABORT)
            self._wire.say(b"\r")  # V.250: any character breaks off a dial; this one is harmless where it does not
        if now >= self._deadline:
            late, self._asker = self._asker, None  # the marker's OK is not for it
            heard = self._dialogue.give_up()
            if self._parting:
                self.say(self._parting)
            self._resynchronise()
            self._asker = late
            self._deliver(replace(RESTED, lines=heard))

    def _resynchronise(self) -> None:
        """Until the modem answers the marker cleanly; its late answers are nobody's."""
        for _ in range(MARKERS):
            self._fall_quiet()
            self._wire.say(self._dialogue.ask(MARKER))
            end = self._now() + self._ping
            while self._dialogue.asked and (left := end - self._now()) > 0:
                self._hear(left)
            if not self._dialogue.asked and not self._hear(QUIET / 2):
                return
            self._dialogue.give_up()
        if self._dialogue.garbage:
            raise UnexpectedReply("the modem talks nonsense")
        raise ModemTimeout("the modem does not answer")

    def _fall_quiet(self) -> None:
        end = self._now() + 5 * QUIET
        while self._hear(QUIET) and self._now() < end:
            pass
