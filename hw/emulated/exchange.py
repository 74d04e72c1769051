"""The telephone exchange and the people at the far ends: who answers, who is busy, who hangs up."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, Self

from hw.contracts import SILENCE
from hw.emulated.agenda import Agenda
from hw.emulated.speech import BUSY_TONE, RING_BACK, Speech, Voice
from hw.emulated.tape import Tape

State = Literal["idle", "dialling", "alerting", "talking", "ringing"]
Outcome = Literal["answers", "busy", "no answer", "unassigned", "rejects"]
Then = Literal["speaks", "hangs up wordlessly", "hangs up mid-pitch"]
Change = Literal["answers", "busy", "no answer", "unassigned", "rejects", "speaks", "goes silent", "hangs up"]

# Causes of 3GPP TS 24.008, table 10.5.123.
UNASSIGNED, NORMAL, BUSY, NO_ANSWER, REJECTED = 1, 16, 17, 19, 21
CAUSES: dict[str, int] = {"busy": BUSY, "no answer": NO_ANSWER, "unassigned": UNASSIGNED, "rejects": REJECTED}

SET_UP = 0.05  # seconds until the far end rings, unless it makes up its mind even sooner
ENDS_AFTER: dict[Then, float | None] = {"speaks": None, "hangs up wordlessly": 1.5, "hangs up mid-pitch": 6.0}


@dataclass(frozen=True)
class FarEnd:
    """What somebody does with a call: seconds until the outcome, the outcome, and what follows an answer.

    `ends_after` counts seconds from the answer; None is what suits `then`. `rings_for` is the network's patience with
    an unanswered call, and the caller's own when it is the far end that calls.
    """

    answers_after: float = 0.2
    outcome: Outcome = "answers"
    then: Then = "speaks"
    ends_after: float | None = None
    voice: Voice = Speech(1)  # noqa: RUF009 - frozen, and nothing is computed before it speaks
    rings_for: float = 30.0


@dataclass(frozen=True)
class Progress:
    """What became of the call: told to observers at every change. `cause` (24.008) belongs to the end, else 0."""

    state: State
    number: str | None
    incoming: bool
    cause: int = 0
    ended_here: bool = False


@dataclass(eq=False)
class _Call:
    number: str | None
    far_end: FarEnd
    incoming: bool
    voice: Voice | None = None
    position: int = 0

    def sound(self, voice: Voice | None) -> None:
        self.voice, self.position = voice, 0


class Exchange:
    """One subscriber's line and everybody it can reach.

    The booth's modem dials, answers, releases and carries sound; a test or the desk writes the `book`, lets people call
    in, and changes what the far end does. Every method may be called from any thread; observers are told on a thread of
    the exchange's own, in order.
    """

    def __init__(self) -> None:
        self.book: dict[str, FarEnd] = {}
        self.default = FarEnd()
        self._changed = threading.Condition()
        self._state: State = "idle"
        self._call: _Call | None = None
        self._keyed = ""
        self._tape = Tape()
        self._agenda = Agenda("exchange")
        self._observers: list[Callable[[Progress], None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # What a test or the desk sees and does.

    @property
    def state(self) -> State:
        """How far the present call is."""
        return self._state

    @property
    def number(self) -> str | None:
        """The other party's number as dialled or shown; None with no call, or when it is withheld."""
        with self._changed:
            return self._call.number if self._call else None

    @property
    def incoming(self) -> bool:
        """Whether the far end made the present call."""
        with self._changed:
            return self._call is not None and self._call.incoming

    @property
    def heard(self) -> bytes:
        """What the far end of the latest call has heard since it answered (the last two minutes), s16le 8 kHz."""
        return self._tape.pcm

    @property
    def keyed(self) -> str:
        """The tones that reached the far end of the latest call."""
        return self._keyed

    def listen(self, observer: Callable[[Progress], None]) -> Callable[[], None]:
        """Tell `observer` every change; the answer is a function that ends it."""
        with self._changed:
            self._observers.append(observer)

        def stop() -> None:
            with self._changed:
                if observer in self._observers:
                    self._observers.remove(observer)

        return stop

    def wait_for(self, state: State, patience: float = 20.0) -> None:
        """Until the call is in `state`; AssertionError says where it stayed instead."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._state == state, patience), f"{self._state}, not {state}"

    def call_in(self, number: str | None, far_end: FarEnd | None = None) -> bool:
        """Somebody calls the booth, None: number withheld. False when the line is engaged: they hear the busy tone."""
        with self._changed:
            if self._call is not None:
                return False
            call = self._begin(number, far_end or self._far_end(number or ""), incoming=True)
            self._move("ringing")
            self._plan(call, call.far_end.rings_for, partial(self._end, NORMAL))
            return True

    def hang_up(self) -> None:
        """The far end hangs up now, or gives up calling; nothing without a call."""
        with self._changed:
            self._end(NORMAL)

    def change(self, what: Change) -> None:
        """Let the far end of the present call do something else than planned; what makes no sense now is passed over."""
        with self._changed:
            setting_up = self._state in ("dialling", "alerting")
            if self._call is None:
                return
            if what == "hangs up":
                self._end(NORMAL)
            elif what == "answers" and setting_up:
                self._agenda.forget()
                self._connect()
            elif what in CAUSES and setting_up:
                self._agenda.forget()
                if what == "no answer":
                    self._alert()
                self._refuse(self._call, what, 0.0)
            elif what in ("speaks", "goes silent") and self._state == "talking":
                self._call.sound(self._call.far_end.voice if what == "speaks" else None)

    def close(self) -> None:
        """End the call and the thread; the exchange may be used again."""
        self.release()
        self._agenda.close()

    # What the booth's modem does.

    def dial(self, number: str) -> bool:
        """Call `number`; False when the line already has a call."""
        with self._changed:
            if self._call is not None:
                return False
            call = self._begin(number, self._far_end(number), incoming=False)
            self._move("dialling")
            far_end = call.far_end
            if far_end.outcome in ("busy", "unassigned"):
                self._refuse(call, far_end.outcome, far_end.answers_after)
                return True
            self._plan(call, min(SET_UP, far_end.answers_after / 2), self._alert)
            if far_end.outcome == "answers":
                self._plan(call, far_end.answers_after, self._connect)
                self._plan(call, far_end.rings_for, self._give_up)
            else:
                self._refuse(call, far_end.outcome, far_end.answers_after)
            return True

    def answer(self) -> bool:
        """Take the call that rings; False when none does."""
        with self._changed:
            if self._state != "ringing":
                return False
            self._agenda.forget()
            self._connect()
            return True

    def release(self, cause: int = NORMAL) -> bool:
        """The booth's side ends, cancels or rejects the call; False without one."""
        with self._changed:
            if self._call is None:
                return False
            self._end(cause, here=True)
            return True

    def key(self, tone: str) -> bool:
        """Send a DTMF tone to the far end; False when nobody is there to hear it."""
        with self._changed:
            if self._state != "talking":
                return False
            self._keyed += tone
            return True

    def downlink(self) -> bytes:
        """The next 20 ms for the booth's ear."""
        with self._changed:
            call = self._call
            if call is None or call.voice is None:
                return SILENCE
            call.position += 1
            return call.voice.frame(call.position - 1)

    def uplink(self, frame: bytes) -> None:
        """20 ms from the booth's mouth; nobody hears it before the answer."""
        if self._state == "talking":
            self._tape.put(frame)

    # With the lock held from here on.

    def _far_end(self, number: str) -> FarEnd:
        if number in self.book:
            return self.book[number]
        bare = number[3:] if number[:3] in ("184", "186") else number  # Japan: hide or show the caller's number
        bare = "0" + bare.removeprefix("+81") if bare.startswith("+81") else bare
        return self.book.get(bare, self.default)

    def _begin(self, number: str | None, far_end: FarEnd, *, incoming: bool) -> _Call:
        self._tape.wipe()
        self._keyed = ""
        self._call = _Call(number, far_end, incoming)
        return self._call

    def _plan(self, call: _Call, seconds: float, step: Callable[[], object]) -> None:
        def take() -> None:
            with self._changed:
                if self._call is call:
                    step()

        self._agenda.after(seconds, take)

    def _alert(self) -> None:
        if self._call is not None and self._state == "dialling":
            self._call.sound(RING_BACK)
            self._move("alerting")

    def _connect(self) -> None:
        call = self._call
        if call is None or self._state == "talking":
            return
        far_end = call.far_end
        call.sound(None if far_end.then == "hangs up wordlessly" else far_end.voice)
        self._move("talking")
        ends_after = ENDS_AFTER[far_end.then] if far_end.ends_after is None else far_end.ends_after
        if ends_after is not None:
            self._plan(call, ends_after, partial(self._end, NORMAL))

    def _refuse(self, call: _Call, outcome: str, seconds: float) -> None:
        if outcome == "busy":
            call.sound(BUSY_TONE)
        self._plan(
            call, call.far_end.rings_for if outcome == "no answer" else seconds, partial(self._end, CAUSES[outcome])
        )

    def _give_up(self) -> None:
        if self._state != "talking":
            self._end(NO_ANSWER)

    def _end(self, cause: int, *, here: bool = False) -> None:
        if self._call is not None:
            self._agenda.forget()
            self._move("idle", cause, here=here)

    def _move(self, state: State, cause: int = 0, *, here: bool = False) -> None:
        call = self._call
        assert call is not None
        self._state = state
        if state == "idle":
            self._call = None
        self._changed.notify_all()
        progress = Progress(state, call.number, call.incoming, cause, here)
        for observer in tuple(self._observers):
            self._agenda.soon(partial(observer, progress))
