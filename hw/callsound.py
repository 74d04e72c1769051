"""Starts and stops the voice of each call at the moments that a family wants. Scripts without I/O of their own."""

from collections.abc import Callable

from hw.atport import Ask, Pause, Script
from hw.contracts import Post
from hw.errors import AudioError, ModemTimeout
from hw.events import AudioFailed, Fault, LineDegraded
from hw.linesound import LineSound
from hw.modems.family import Family

REFUSED_AT_FIRST = "the modem refused its sound at first: it will be reset after the call"
GOES_WITHIN = 5.0  # seconds in which a modem that was told to restart leaves the bus
LATE_TRIES = 8  # at opening the audio, `again` seconds apart
Moment = str  # of Sound.when
Wanted = Callable[[], bool]


class CallSound:
    """A call without sound goes on, for 119 can locate it: what fails here is told and no more."""

    def __init__(self, family: Family, audio: LineSound, post: Post) -> None:
        self._sound, self._audio, self._post = family.sound, audio, post
        self._patience = family.pace.sound
        self._patience_of_start = family.pace.sound if family.sound.when == "dial" else family.pace.stream
        self._off = False  # known to be stopped: each answer is a wait between finger and dial
        self._owed = ""  # why it could not be opened yet
        self.degraded = False  # it began only at a second try: the next call may have none

    def ready(self) -> Script:
        """Before the dial or the answer: whatever a call before has left on is off."""
        for command in () if self._off else self._sound.before:
            yield Ask(command, self._patience)
        self._off = False

    def begin(self, moment: Moment, wanted: Wanted) -> Script:
        """Start it, if this is the moment; given up when the call is no longer `wanted`."""
        if self._sound.when == moment and wanted():
            self._owed = ""
            if self._sound.after:
                yield Pause(self._sound.after)
            yield from self._begin(wanted)
        if moment == "placed":
            yield from self._begin_late(wanted)

    def _begin(self, wanted: Wanted) -> Script:
        try:
            if wanted():
                self._open()
        except AudioError as problem:
            self._owed = str(problem)
            if self._sound.when != "dial":
                yield from self._begin_late(wanted)
            return
        if self._sound.start:
            yield from self._start(wanted)

    def _open(self) -> None:
        self._audio.open(speaks=not self._sound.start)

    def _begin_late(self, wanted: Wanted) -> Script:
        """After a plug was put in, the audio node may come seconds after the other one."""
        for _ in range(LATE_TRIES):
            if not (self._owed and wanted()):
                return
            yield Pause(self._sound.again)
            try:
                self._open()
            except AudioError as problem:
                self._owed = str(problem)
            else:
                self._owed = ""
                if self._sound.start:
                    yield from self._start(wanted)
        if self._owed and wanted():
            why, self._owed = self._owed, ""
            self._post(AudioFailed(why))

    def end(self, idle: Wanted) -> Script:
        """After the call, while there is no other."""
        off = True
        for command in self._sound.stop:
            reply = yield Ask(command, self._patience, idle)
            off = off and reply.ok
        self._off = off and idle()

    def cure(self, idle: Wanted, lose: Callable[[Fault, str], None]) -> Script:
        """Between calls, restart a modem whose sound has worn out. Urgent, so that no dial is served before it has gone.

        `lose` says that the line cannot be used. Raises ModemTimeout if the modem stays.
        """
        if not (self.degraded and self._sound.cure and idle()):
            return
        lose(Fault.RESTARTING, "its sound has worn out")
        self.degraded = False
        reply = yield Ask(self._sound.cure, self._patience)
        if reply.ok:
            yield Pause(GOES_WITHIN)
            raise ModemTimeout("the modem was to restart, and did not")

    def close(self) -> None:
        """Hear and say nothing any more."""
        self._audio.close()

    def _start(self, wanted: Wanted) -> Script:
        final = ""
        for attempt in range(self._sound.tries):
            if attempt:
                yield Pause(self._sound.again)
            if not wanted():
                return
            reply = yield Ask(self._sound.start, self._patience_of_start)
            if reply.ok:
                self._audio.speak()
                self._note(final)
                return
            final = final or reply.final
        if wanted():
            self._audio.close()
            self._post(AudioFailed(f"{self._sound.start}: {final or 'no answer'}"))

    def _note(self, refused: str) -> None:
        if refused and self._sound.cure and not self.degraded:
            self.degraded = True
            self._post(LineDegraded(REFUSED_AT_FIRST))
