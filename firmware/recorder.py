"""The recorder: both ears of the talk path, bound to a call, on their way into the vault."""

import threading
from collections import deque
from functools import partial
from uuid import UUID

from firmware import opus
from firmware.tape import Tape
from firmware.vault import RecordingFailed, Sealed, Vault
from hw.contracts import FRAME_SECONDS, SILENCE, Post
from hw.errors import MisuseError

PRE_ROLL = 500  # frames: 10 s of ring-back before the answer mark
PATIENCE = 5.0  # seconds that stop() waits for the card


class Recorder:
    """A Sink. From the dial on it listens, from the answer mark on it records, until it is stopped.

    hear() is called by the talk path and only ever queues; nobody holds the lock while working or waiting.
    """

    def __init__(self, vault: Vault, post: Post) -> None:
        opus.library()  # a booth without it must say so now and not in the first call
        self._vault, self._post = vault, post
        self._lock = threading.Lock()
        self._pre_roll: deque[bytes] = deque(maxlen=PRE_ROLL)
        self._listening = self._paused = self._asking = False
        self._tape: Tape | None = None
        self._agreed: Tape | None = None  # begins when all frames from before the agreement have come
        self._owed = 0  # of those frames
        self._talk = self._left_out = 0

    @property
    def recording(self) -> bool:
        """Whether what is said now will be kept."""
        tape = self._tape
        return tape is not None and not self._paused and not tape.failed

    @property
    def talk(self) -> float:
        """Seconds of sound since the answer mark, pauses included."""
        return max(0, self._talk) * FRAME_SECONDS

    def listen(self) -> None:
        """Keep the last ten seconds of the customer's side, in memory only, in case the call is answered."""
        with self._lock:
            self._forget()
            self._listening = True

    def start(self, call: str, late: int = 0) -> None:
        """The answer mark of call `call` (a UUID): from here on both ears are kept, and what was listened to comes first.

        `late` is how many frames are still to come whose time was before the mark (TalkPath.owed).
        """
        if self._tape is not None:
            raise MisuseError(f"call {self._tape.call} is still being recorded")
        tape = Tape(self._vault, UUID(call))
        with self._lock:
            self._vault.do(partial(tape.begin, tuple(self._pre_roll), late))
            self._forget()
            self._tape, self._talk = tape, -late

    def ask(self, late: int = 0) -> None:
        """The answer mark of a call that is recorded only once all have agreed: from here on only the time is kept.

        What was listened to is forgotten. `late` as for start().
        """
        with self._lock:
            self._forget()
            self._asking, self._talk = True, -late

    def agree(self, call: str, late: int = 0) -> None:
        """All have agreed: the recording begins here, and states how much of the call is not in it.

        `late` as for start(): what was said before the agreement is not kept because it comes after it.
        """
        tape = Tape(self._vault, UUID(call))
        with self._lock:
            if not self._asking or self._agreed is not None:
                raise MisuseError(f"call {call} was never asked about, or has been agreed on")
            self._agreed, self._owed = tape, late
            self._begin_agreed()

    def _begin_agreed(self) -> None:
        if self._agreed is None or self._owed > 0:
            return
        self._tape, self._agreed, self._asking = self._agreed, None, False
        self._vault.do(partial(self._tape.begin, ()))
        self._vault.do(partial(self._tape.leave_out, max(0, self._talk)))

    def pause(self) -> None:
        """Keep nothing until resume(); what was heard so far goes to the disk."""
        with self._lock:
            if self._tape is not None and not self._paused:
                self._paused, self._left_out = True, 0
                self._vault.do(self._tape.flush)

    def resume(self) -> None:
        """Go on recording; the gap is stated."""
        with self._lock:
            if self._tape is not None and self._paused:
                self._state_gap(self._tape)

    def stop(self) -> Sealed | None:
        """End the recording and wait, for a few seconds at most, until it is on the disk; None if there was none."""
        with self._lock:
            tape, self._tape = self._tape, None
            self._asking, self._agreed = False, None
            if tape is None:
                return None
            if self._paused:
                self._state_gap(tape)
            self._vault.do(partial(tape.close, max(0, self._talk)))
        try:
            return tape.sealed.result(PATIENCE)
        except TimeoutError:  # the card stands still; the journal is closed when it moves, or at the next start
            return Sealed(str(tape.call), tape.path, 0, 0, round(self.talk, 2), "", complete=False)

    def discard(self) -> None:
        """Forget what was listened to: nobody answered."""
        if self._tape is not None:
            raise MisuseError(f"call {self._tape.call} was answered: its recording is stopped, not discarded")
        with self._lock:
            self._forget()

    def hear(self, agent: bytes, customer: bytes) -> None:
        """One frame of each ear; returns at once, whatever the card does."""
        with self._lock:
            if self._tape is not None:
                self._keep(self._tape, agent, customer)
            elif self._asking:
                self._talk, self._owed = self._talk + 1, self._owed - 1
                self._begin_agreed()
            elif self._listening:
                self._pre_roll.append(customer)

    def _keep(self, tape: Tape, agent: bytes, customer: bytes) -> None:
        if self._talk < 0:
            agent = SILENCE  # a late frame of the pre-roll
        self._talk += 1
        if self._paused:
            self._left_out += 1
        elif not tape.failed and self._vault.behind:
            tape.failed = True
            self._post(RecordingFailed("the card does not keep up"))
        elif not tape.failed:
            self._vault.do(partial(tape.hear, agent, customer))

    def _state_gap(self, tape: Tape) -> None:
        self._vault.do(partial(tape.leave_out, self._left_out))
        self._paused = False

    def _forget(self) -> None:
        self._pre_roll.clear()
        self._agreed = None
        self._listening = self._paused = self._asking = False
