"""Whether a modem can make calls: SIM, network, voice, signal and the network's time, looked at between calls."""

from collections.abc import Callable

from hw import questions
from hw.atport import Ask, Clock, Script
from hw.contracts import Post
from hw.errors import HardwareError, ModemTimeout, PortLost
from hw.events import Fault, LineDegraded, LineLost, LineReady, SignalChanged, SimLocked, TimeHeard
from hw.modems.family import Family
from hw.questions import Health, Identity

SOON = 0.5  # seconds from news of SIM or network to a look at them: such news come in bursts
LAST_TRY = 1  # a SIM with one try left is left alone: the next wrong PIN locks it for good


def fault_of(problem: HardwareError, *, opened: bool) -> Fault:
    """What is wrong with a line whose session ends with that; `opened`: there was a port to begin with."""
    if isinstance(problem, PortLost):
        return Fault.UNPLUGGED if opened else Fault.ABSENT
    return Fault.SILENT if isinstance(problem, ModemTimeout) else Fault.GARBLED


class LineHealth:
    """Looks when it is time and tells what has changed."""

    def __init__(self, family: Family, post: Post, now: Clock) -> None:
        self._family, self._pace, self._post, self._now = family, family.pace, post, now
        self._identity = Identity(family.name)
        self._began = 0.0
        self._ready = self._examining = self._fresh = False
        self._fault: Fault | None = None
        self._lock: SimLocked | None = None
        self._bars: int | None = None
        self._clock_due = True
        self._check_at = float("inf")

    def begin(self, identity: Identity) -> None:
        """The modem has been greeted; SIM and network may still be waking."""
        self._identity, self._began = identity, self._now()
        self._check_at = self._began

    def due(self, now: float) -> bool:
        """Whether it is time to look."""
        return not self._examining and now >= self._check_at

    def news(self, _line: str = "") -> None:
        """Something about SIM or network has changed."""
        self._fresh = True
        self._check_at = min(self._check_at, self._now() + SOON)

    def clock_news(self, line: str) -> None:
        """The network has told its time."""
        self._clock_due = True
        self.news(line)

    def lose(self, fault: Fault, why: str) -> None:
        """The line cannot be used now, as a look has not shown; the next one tells whether it can be again."""
        self._impaired(fault, Health(fault, why))
        self.news()

    def look(self, idle: Callable[[], bool]) -> Script:
        """What examines the modem; in a call the line is not judged, for whoever hears "lost" ends the call."""
        self._examining = True  # from now on, and not only when its turn comes: one look is enough
        return self._look(idle)

    def _look(self, idle: Callable[[], bool]) -> Script:
        self._fresh = False
        health = yield from questions.examine(self._family)
        self._examining = False
        if idle():
            self._judge(self._with_flaw(health), self._now())
        else:
            self._check_at = self._now() + self._pace.check
        if self._fresh:  # it came while we were asking, perhaps after the answer that it is about
            self._check_at = min(self._check_at, self._now() + SOON)

    def unlock(self, pin: str) -> Script:
        """One try with this PIN, unless it is the last one or the SIM wants something else (modems differ: read first)."""
        health = yield from questions.examine(self._family)
        lock = health.lock
        if lock and not lock.puk and (lock.tries is None or lock.tries > LAST_TRY):
            yield Ask(f'AT+CPIN="{pin}"', self._pace.sim)
        self._lock = None  # what comes of it is told even if nothing has changed
        self._began = self._now()  # its data may be busy for seconds now
        self.news()

    def _with_flaw(self, health: Health) -> Health:
        flaw = self._identity.flaw
        return Health(Fault.NO_VOICE, flaw.advice) if flaw and flaw.voiceless and not health.fault else health

    def _judge(self, health: Health, now: float) -> None:
        if health.waking and now - self._began < self._pace.sim:
            self._check_at = now + SOON
            return
        fault = health.fault or (Fault.NO_SIM if health.waking else None)
        if fault:
            self._impaired(fault, health)
            self._check_at = now + self._pace.check
        else:
            self._well(health)
            self._check_at = now + self._pace.refresh

    def _impaired(self, fault: Fault, health: Health) -> None:
        if fault is not self._fault:
            self._post(LineLost(fault, health.detail))
        if health.lock and health.lock != self._lock:
            self._post(health.lock)
        self._ready, self._fault, self._lock = False, fault, health.lock

    def _well(self, health: Health) -> None:
        if not self._ready:
            self._post(LineReady(self._identity.model, health.operator))
            if self._identity.flaw:
                self._post(LineDegraded(self._identity.flaw.advice))
        if not self._ready or health.bars != self._bars:
            self._post(SignalChanged(health.bars))
        self._ready, self._fault, self._lock, self._bars = True, None, None, health.bars
        if self._clock_due and health.utc is not None:
            self._clock_due = False
            self._post(TimeHeard(health.utc))
