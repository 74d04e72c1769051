"""A voice memo in wrap-up: the agent speaks into the handset, sealed like any recording and named in the call's books."""

import uuid
from time import monotonic

from firmware.calls import Calls
from firmware.recorder import Recorder
from firmware.store import CardError
from hw.contracts import Handset
from hw.errors import AudioError
from hw.talkpath import Nowhere, TalkPath

LONGEST = 120.0  # seconds; a memo forgotten open ends by itself


class Memo:
    """At most one at a time, and never during a call: both need the handset and the recorder."""

    def __init__(self, handset: Handset, recorder: Recorder, calls: Calls) -> None:
        self._handset, self._recorder, self._calls = handset, recorder, calls
        self._path = TalkPath(handset, Nowhere(), recorder)
        self._call, self._began = "", 0.0

    @property
    def running(self) -> bool:
        """Whether the agent is being recorded now."""
        return bool(self._call)

    def toggle(self, call: str) -> None:
        """Begin a memo for `call` (its id), or end the one that runs. Without a handset or room on the card nothing happens."""
        if self.running:
            self.stop()
            return
        try:
            self._handset.open()
        except AudioError:
            return
        name = str(uuid.uuid4())
        try:
            self._calls.mark(
                call, f"memo {name}", None
            )  # first: a power cut must leave no journal that nobody can place
        except CardError:
            self._handset.close()  # a full card shows on the screen
            return
        self._call, self._began = call, monotonic()
        self._recorder.start(name)
        self._path.start()

    def tick(self) -> None:
        """End a memo that has run for too long."""
        if self.running and monotonic() - self._began > LONGEST:
            self.stop()

    def stop(self) -> None:
        """End the memo; harmless when none runs."""
        if not self.running:
            return
        self._path.stop()
        self._handset.close()
        self._recorder.stop()
        self._call = ""
