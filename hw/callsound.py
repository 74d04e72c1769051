"""Starts and stops the voice of each call at the moments that a family wants. Scripts without I/O of their own."""

from collections.abc import Callable

from hw.atport import Ask, Pause, Script
from hw.contracts import Post
from hw.errors import AudioError
from hw.events import AudioFailed, LineDegraded
from hw.linesound import LineSound
from hw.modems.family import Family

Moment = str  # of Sound.when
Wanted = Callable[[], bool]


class CallSound:
    """A call without sound goes on, for 119 can locate it: what fails here is told and no more."""

    def __init__(self, family: Family, audio: LineSound, post: Post) -> None:
        self._sound, self._patience, self._audio, self._post = family.sound, family.pace.sound, audio, post
        self._off = False  # known to be stopped: each answer is a wait between finger and dial
        self.degraded = False  # it began only at a second try: the next call may have none

    def ready(self) -> Script:
        """Before the dial or the answer: whatever a call before has left on is off."""
        for command in () if self._off else self._sound.before:
            yield Ask(command, self._patience)
        self._off = False

    def begin(self, moment: Moment, wanted: Wanted) -> Script:
        """Start it, if this is the moment; given up when the call is no longer `wanted`."""
        if self._sound.when != moment or not wanted():
            return
        if self._sound.after:
            yield Pause(self._sound.after)
        try:
            if wanted():
                self._audio.open()
        except AudioError as problem:
            self._post(AudioFailed(str(problem)))
            return
        if self._sound.start:
            yield from self._start(wanted)

    def end(self, idle: Wanted) -> Script:
        """After the call, while there is no other; then the cure, if this call has shown that it is needed."""
        off = True
        for command in self._sound.stop:
            if idle():
                reply = yield Ask(command, self._patience)
                off = off and reply.ok
        self._off = off and idle()
        if self.degraded and self._sound.cure and idle():
            yield Ask(self._sound.cure, self._patience)

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
            reply = yield Ask(self._sound.start, self._patience)
            if reply.ok:
                self._note(attempt)
                return
            final = reply.final
        if wanted():
            self._audio.close()
            self._post(AudioFailed(f"{self._sound.start}: {final or 'no answer'}"))

    def _note(self, attempt: int) -> None:
        if attempt and not self.degraded:
            self.degraded = True
            self._post(LineDegraded("the modem refused its sound at first: it will be reset after the call"))
