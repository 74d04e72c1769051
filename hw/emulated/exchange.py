"""The telephone exchange and the people at the far ends: who answers, who is busy, who hangs up."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Self

from hw.contracts import SILENCE
from hw.emulated.agenda import Agenda
from hw.emulated.farend import (
    BUSY,
    CAUSES,
    ENDS_AFTER,
    NO_ANSWER,
    NORMAL,
    REJECTED,
    Call,
    Change,
    FarEnd,
    Hidden,
    Progress,
    State,
)
from hw.emulated.speech import BUSY_TONE, RING_BACK
from hw.emulated.tape import Tape

SET_UP = 0.05  # seconds until the far end rings, unless it makes up its mind even sooner

__all__ = ["BUSY", "Exchange", "FarEnd", "Hidden", "Progress", "State"]


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
        self._call: Call | None = None
        self._other: Call | None = None  # waits, or is held
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
    def hidden(self) -> Hidden:
        """Why the present caller's number is not shown; empty when it is, or without a call."""
        with self._changed:
            return self._call.hidden if self._call else ""

    @property
    def calls(self) -> tuple[Progress, ...]:
        """All calls as they are now, by their index; the second one waits or is held."""
        with self._changed:
            present = sorted(filter(None, (self._call, self._other)), key=lambda call: call.index)
            return tuple(call.progress(second=call is self._other) for call in present)

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

    def call_in(
        self, number: str | None, far_end: FarEnd | None = None, *, hidden: Hidden = "", waiting: bool = False
    ) -> bool:
        """Somebody calls the booth; None for a number, or a reason in `hidden`: it is not shown.

        False when the line is engaged: they hear the busy tone. With `waiting`, they wait beside a call that talks.
        """
        with self._changed:
            far_end = far_end or self._far_end(number or "")
            hidden = hidden or ("" if number else "withheld")
            call = Call(None if hidden else number, far_end, incoming=True, hidden=hidden)
            if self._call is None:
                self._begin(call)
                self._move("ringing")
            elif waiting and self._state == "talking" and self._other is None:
                call.index, call.state, self._other = 3 - self._call.index, "waiting", call
                self._tell(call.progress(second=True))
            else:
                return False
            self._plan(call, call.far_end.rings_for, partial(self._leave, call))
            return True

    def hang_up(self, *, second: bool = False) -> None:
        """The far end hangs up now, or gives up calling, or whoever waits or is held; nothing without a call."""
        with self._changed:
            if second:
                self._end_other(NORMAL)
            else:
                self._end(NORMAL)

    def press(self, tone: str) -> None:
        """The far end presses a key: the booth hears its tone, a modem that listens for tones tells it."""
        with self._changed:
            if self._call is not None and self._state == "talking":
                self._tell(self._call.progress(tone=tone))

    def change(self, what: Change) -> None:
        """Let the far end of the present call do something else than planned; what makes no sense now is passed over."""
        with self._changed:
            setting_up = self._state in ("dialling", "alerting")
            if self._call is None:
                return
            if what == "hangs up":
                self._end(NORMAL)
            elif what == "answers" and setting_up:
                self._agenda.forget(self._call)
                self._connect()
            elif what in CAUSES and setting_up:
                self._agenda.forget(self._call)
                if what == "no answer":
                    self._alert()
                self._refuse(self._call, what, 0.0)
            elif what in ("speaks", "goes silent") and self._state == "talking":
                self._call.sound(self._call.far_end.voice if what == "speaks" else None)

    def close(self) -> None:
        """End all calls and the thread; the exchange may be used again."""
        self.release()
        self.release()
        self._agenda.close()

    # What the booth's modem does.

    def dial(self, number: str) -> bool:
        """Call `number`; False when the line already has a call."""
        with self._changed:
            if self._call is not None:
                return False
            call = Call(number, self._far_end(number), incoming=False)
            self._begin(call)
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
            self._agenda.forget(self._call)
            self._connect()
            return True

    def release(self, cause: int = NORMAL) -> bool:
        """The booth's side ends, cancels or rejects the call; False without one."""
        with self._changed:
            if self._call is None:
                return False
            self._end(cause, here=True)
            return True

    def release_second(self, cause: int = REJECTED) -> bool:
        """The booth's side refuses whoever waits, or lets go of the call on hold; False when there is none."""
        with self._changed:
            return self._end_other(cause, here=True)

    def switch(self) -> bool:
        """Hold the present call and take the other one, or the present one back; False when there is nothing to do."""
        with self._changed:
            call, other = self._call, self._other
            if call is None or (other is None and self._state not in ("talking", "held")):
                return False
            if other is None:
                self._move("held" if self._state == "talking" else "talking")
                return True
            self._other = call
            call.state = "held"
            self._tell(call.progress(second=True))
            self._take(other)
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

    def _begin(self, call: Call) -> None:
        self._tape.wipe()
        self._keyed = ""
        self._call = call

    def _take(self, call: Call) -> None:
        """Talk with whoever waited or was held."""
        self._call, fresh = call, call.state == "waiting"
        self._agenda.forget(call)
        if fresh:
            self._state = "ringing"
            self._connect()
        else:
            self._move("talking")

    def _plan(self, call: Call, seconds: float, step: Callable[[], object]) -> None:
        def take() -> None:
            with self._changed:
                if call in (self._call, self._other):
                    step()

        self._agenda.after(seconds, take, call)

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
            self._plan(call, ends_after, partial(self._leave, call))

    def _refuse(self, call: Call, outcome: str, seconds: float) -> None:
        if outcome == "busy":
            call.sound(BUSY_TONE)
        cause = call.far_end.cause or CAUSES[outcome]
        self._plan(call, call.far_end.rings_for if outcome == "no answer" else seconds, partial(self._end, cause))

    def _give_up(self) -> None:
        if self._state != "talking":
            self._end(NO_ANSWER)

    def _leave(self, call: Call) -> None:
        """The far end has had enough of this call, which may be the other one."""
        if call is self._other:
            self._end_other(NORMAL)
        else:
            self._end(NORMAL)

    def _end(self, cause: int, *, here: bool = False) -> None:
        if self._call is None:
            return
        self._agenda.forget(self._call)
        self._move("idle", cause, here=here)
        other, self._other = self._other, None
        if other is not None:
            self._call = other
            self._move("ringing" if other.state == "waiting" else other.state)

    def _end_other(self, cause: int, *, here: bool = False) -> bool:
        other, self._other = self._other, None
        if other is None:
            return False
        self._agenda.forget(other)
        other.state = "idle"
        self._tell(other.progress(cause, here=here, second=True))
        return True

    def _move(self, state: State, cause: int = 0, *, here: bool = False) -> None:
        call = self._call
        assert call is not None
        self._state = call.state = state
        if state == "idle":
            self._call = None
        self._changed.notify_all()
        self._tell(call.progress(cause, here=here))

    def _tell(self, progress: Progress) -> None:
        for observer in tuple(self._observers):
            self._agenda.soon(partial(observer, progress))
