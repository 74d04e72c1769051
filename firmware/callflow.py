"""The life of one call, as a table. No clock, no I/O, no hardware: everything that moves the state is in this file.

A cue is a key ("A", "hold D", "digit" for 0-9, "pad" for the twelve), the class of an event, or "gone": a line that was
lost for good, and not only impaired. An action may answer with an outcome, which is stepped next: D.ASK is answered by
Cleared, Armed, Warned or Refused, and nothing else leads to a dial.
"""

from dataclasses import dataclass, replace

from firmware.keys import Hold, Tap
from firmware.outcomes import (
    Armed,
    Cleared,
    Complained,
    Left,
    LogInWanted,
    Matched,
    NoCustomer,
    NotDialled,
    NothingOwed,
    NotTaken,
    OverrideAsked,
    PinAccepted,
    PinWanted,
    Reasoned,
    Reconciled,
    Refused,
    ResultOwed,
    Saved,
    TimedOut,
    Warned,
)
from firmware.states import Do, State
from hw.events import (
    GONE,
    Alerting,
    Answered,
    CallEnded,
    Event,
    HookLifted,
    HookReplaced,
    IncomingCall,
    LineLost,
    LineReady,
    SecondCallRefused,
)

__all__ = ["Do", "Place", "State", "Step", "holds", "missed", "step"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the booth is, and what lies below: an emergency call, a PIN or an incoming call opens above any screen."""

    state: State = State.LIST
    below: tuple[State, ...] = ()
    emergency: bool = False
    line: bool = True  # without a line, home is OUT_OF_ORDER


@dataclass(frozen=True, slots=True)
class Step:
    """One row: where to (None: back to what lies below), what to do, and whether it opens above the present state."""

    to: State | None
    do: tuple[Do, ...] = ()
    above: bool = False


DIGITS, SIGNS = frozenset("0123456789"), frozenset("*#")
Cue = str | type[Event]
S, D = State, Do

IDLE = frozenset(
    {
        S.LIST,
        S.KEYING,
        S.PREVIEW,
        S.WHY,
        S.BLOCKED,
        S.ARMED,
        S.WRAP_UP,
        S.RINGING_IN,
        S.OUT_OF_ORDER,
        S.MENU,
        S.PIN_ENTRY,
    }
)
"""States without a call: an emergency number can be keyed from each."""
SPEAKING = frozenset({S.TALKING, S.COMPLAINT, S.END_ASKED, S.HOOK_HELD})
IN_CALL = frozenset({S.DIALLING, S.ALERTING, S.ANSWERING}) | SPEAKING

WITH_LINE = frozenset({S.LIST, S.KEYING, S.PREVIEW, S.WHY, S.BLOCKED, S.ARMED})
"""What makes no sense without a line: OUT_OF_ORDER is shown in its place."""

FLEETING = frozenset({S.ARMED, S.RINGING_IN})
"""What no longer holds after an emergency call: the caller has been put off, the armed call is to be thought over."""

TIMES: dict[State, float] = {S.ARMED: 10.0, S.HOOK_HELD: 5.0}
"""Seconds after which a state is told TimedOut."""

_END = (D.HANG_UP, D.KEEP_RECORDING, D.END_CALL, D.OPEN_WRAP_UP)
_OVER = (D.KEEP_RECORDING, D.END_CALL, D.OPEN_WRAP_UP)
_ABORT = (D.HANG_UP, D.END_CALL, D.FINISH_UNANSWERED)

TABLE: dict[tuple[State, Cue], Step] = {
    (S.LIST, "pad"): Step(S.KEYING, (D.KEY_FIRST,)),
    (S.LIST, "hold *"): Step(S.MENU, (D.OPEN_MENU,)),
    (S.LIST, "hold #"): Step(S.WHY, (D.EXPLAIN,)),
    (S.LIST, "A"): Step(S.LIST, (D.ASK,)),
    (S.LIST, "B"): Step(S.LIST, (D.UP,)),
    (S.LIST, "C"): Step(S.LIST, (D.DOWN,)),
    (S.LIST, "hold B"): Step(S.LIST, (D.PAGE_UP,)),
    (S.LIST, "hold C"): Step(S.LIST, (D.NEXT_DUE,)),
    (S.LIST, "D"): Step(S.PREVIEW, (D.OPEN_PREVIEW,)),
    (S.KEYING, "pad"): Step(S.KEYING, (D.KEY_DIGIT,)),
    (S.KEYING, "A"): Step(S.KEYING, (D.ASK,)),
    (S.KEYING, Reasoned): Step(S.KEYING, (D.ASK,)),
    (S.KEYING, "B"): Step(S.KEYING, (D.ERASE,)),
    (S.KEYING, "hold B"): Step(S.KEYING, (D.ERASE_ALL,)),
    (S.KEYING, "C"): Step(S.KEYING, (D.OPEN_MATCH,)),
    (S.KEYING, Matched): Step(S.PREVIEW),
    (S.KEYING, "D"): Step(S.LIST),
    (S.KEYING, HookLifted): Step(S.KEYING, (D.ASK_LIFTED,)),
    (S.PREVIEW, "digit"): Step(S.PREVIEW, (D.TURN_PAGE,)),
    (S.PREVIEW, "#"): Step(S.WHY, (D.EXPLAIN,), above=True),
    (S.PREVIEW, "A"): Step(S.PREVIEW, (D.ASK,)),
    (S.PREVIEW, "B"): Step(S.PREVIEW, (D.SCROLL_UP,)),
    (S.PREVIEW, "C"): Step(S.PREVIEW, (D.SCROLL_DOWN,)),
    (S.PREVIEW, "D"): Step(S.LIST),
    (S.PREVIEW, NoCustomer): Step(S.LIST),
    (S.WHY, "#"): Step(S.WHY, (D.TELL_SOURCE,)),
    (S.WHY, "A"): Step(S.WHY, (D.ASK,)),
    (S.WHY, "B"): Step(S.WHY, (D.SCROLL_UP,)),
    (S.WHY, "C"): Step(S.WHY, (D.SCROLL_DOWN,)),
    (S.WHY, "D"): Step(None),
    (S.WHY, NoCustomer): Step(S.LIST),
    (S.BLOCKED, "#"): Step(S.BLOCKED, (D.TELL_SOURCE,)),
    (S.BLOCKED, "0"): Step(S.BLOCKED, (D.ASK_OVERRIDE,)),
    (S.BLOCKED, OverrideAsked): Step(S.PIN_ENTRY, (D.OPEN_PIN,), above=True),
    (S.BLOCKED, "A"): Step(S.PREVIEW, (D.NEXT_CUSTOMER,)),
    (S.BLOCKED, "B"): Step(S.BLOCKED, (D.SCROLL_UP,)),
    (S.BLOCKED, "C"): Step(S.BLOCKED, (D.SCROLL_DOWN,)),
    (S.BLOCKED, "D"): Step(S.LIST),
    (S.ARMED, HookLifted): Step(S.ARMED, (D.ASK,)),
    (S.ARMED, "A"): Step(S.ARMED, (D.ASK,)),
    (S.ARMED, "D"): Step(S.LIST),
    (S.ARMED, TimedOut): Step(S.LIST, (D.SAY_NOT_LIFTED,)),
    # Whoever lifts the handset now wants to answer: should the caller have given up, that must not place the call.
    (S.ARMED, IncomingCall): Step(S.RINGING_IN, (D.RING,)),
    (S.DIALLING, Alerting): Step(S.ALERTING),
    (S.WRAP_UP, "pad"): Step(S.WRAP_UP, (D.WRAP_KEY,)),
    (S.WRAP_UP, "A"): Step(S.WRAP_UP, (D.SAVE,)),
    (S.WRAP_UP, Saved): Step(S.PREVIEW, (D.NEXT_CUSTOMER,)),
    (S.WRAP_UP, NothingOwed): Step(S.LIST),
    (S.WRAP_UP, "B"): Step(S.WRAP_UP, (D.MEMO,)),
    (S.WRAP_UP, "C"): Step(S.WRAP_UP, (D.WHOM,)),
    (S.WRAP_UP, "D"): Step(S.LIST),
    (S.PIN_ENTRY, "digit"): Step(S.PIN_ENTRY, (D.PIN_KEY,)),
    (S.PIN_ENTRY, "A"): Step(S.PIN_ENTRY, (D.PIN_DONE,)),
    (S.PIN_ENTRY, "B"): Step(S.PIN_ENTRY, (D.PIN_ERASE,)),
    (S.PIN_ENTRY, "D"): Step(None),
    (S.PIN_ENTRY, PinAccepted): Step(S.LIST),
    (S.RINGING_IN, IncomingCall): Step(S.RINGING_IN, (D.RING,)),
    (S.RINGING_IN, "A"): Step(S.ANSWERING, (D.ANSWER,)),
    (S.RINGING_IN, HookLifted): Step(S.ANSWERING, (D.ANSWER,)),
    (S.RINGING_IN, "D"): Step(None, (D.HANG_UP, D.MISS)),
    (S.RINGING_IN, CallEnded): Step(None, (D.MISS,)),
    (S.RINGING_IN, LineLost): Step(S.RINGING_IN, (D.NOTE_FAULT,)),
    (S.RINGING_IN, "gone"): Step(None, (D.NOTE_FAULT, D.MISS)),
    (S.ANSWERING, NotTaken): Step(S.RINGING_IN),
    (S.ANSWERING, IncomingCall): Step(S.ANSWERING, (D.RING,)),
    (S.ANSWERING, Answered): Step(S.TALKING, (D.START_RECORDING,)),
    (S.ANSWERING, CallEnded): Step(S.LIST, (D.MISS,)),
    (S.ANSWERING, "D"): Step(S.LIST, (D.HANG_UP, D.MISS)),
    (S.ANSWERING, HookReplaced): Step(S.LIST, (D.HANG_UP, D.MISS)),
    (S.ANSWERING, "gone"): Step(S.LIST, (D.NOTE_FAULT, D.MISS)),
    (S.OUT_OF_ORDER, "pad"): Step(S.KEYING, (D.OPEN_EMERGENCY, D.KEY_DIGIT), above=True),
    (S.OUT_OF_ORDER, "A"): Step(S.OUT_OF_ORDER, (D.REOPEN,)),
    (S.OUT_OF_ORDER, PinWanted): Step(S.PIN_ENTRY, (D.OPEN_PIN,), above=True),
    (S.OUT_OF_ORDER, "B"): Step(S.OUT_OF_ORDER, (D.SCROLL_UP,)),
    (S.OUT_OF_ORDER, "C"): Step(S.OUT_OF_ORDER, (D.SCROLL_DOWN,)),
    (S.OUT_OF_ORDER, "D"): Step(S.MENU, (D.OPEN_MENU,)),
    (S.OUT_OF_ORDER, LineReady): Step(S.LIST),
    (S.OUT_OF_ORDER, LineLost): Step(S.OUT_OF_ORDER, (D.NOTE_FAULT,)),
    (S.OUT_OF_ORDER, ResultOwed): Step(S.WRAP_UP, (D.OPEN_WRAP_UP,)),
    (S.MENU, "digit"): Step(S.MENU, (D.MENU_KEY,)),
    (S.MENU, "A"): Step(S.MENU, (D.MENU_CHOOSE,)),
    (S.MENU, "B"): Step(S.MENU, (D.MENU_UP,)),
    (S.MENU, "C"): Step(S.MENU, (D.MENU_DOWN,)),
    (S.MENU, "D"): Step(S.MENU, (D.MENU_BACK,)),
    (S.MENU, PinWanted): Step(S.PIN_ENTRY, (D.OPEN_PIN,), above=True),
    (S.MENU, Left): Step(S.LIST),
    (S.COMPLAINT, "D"): Step(S.END_ASKED),
    (S.COMPLAINT, HookReplaced): Step(S.HOOK_HELD, (D.HOLD_LINE,)),
    (S.END_ASKED, "D"): Step(S.WRAP_UP, _END),
    (S.END_ASKED, "A"): Step(S.COMPLAINT),
    (S.END_ASKED, "pad"): Step(S.COMPLAINT),
    (S.END_ASKED, HookReplaced): Step(S.HOOK_HELD, (D.HOLD_LINE,)),
    (S.HOOK_HELD, HookLifted): Step(S.COMPLAINT, (D.UNHOLD,)),
    (S.HOOK_HELD, TimedOut): Step(S.WRAP_UP, _END),
    (S.TALKING, Complained): Step(S.COMPLAINT),
    (S.COMPLAINT, Reconciled): Step(S.TALKING),
    (S.TALKING, "D"): Step(S.WRAP_UP, _END),
    (S.TALKING, HookReplaced): Step(S.WRAP_UP, _END),
}
for _state in (S.LIST, S.KEYING, S.PREVIEW, S.WHY, S.ARMED, S.PIN_ENTRY):
    TABLE[_state, Cleared] = Step(S.DIALLING, (D.DIAL,))
    TABLE[_state, Armed] = Step(S.ARMED)
    TABLE[_state, Refused] = Step(S.BLOCKED)
    TABLE[_state, ResultOwed] = Step(S.WRAP_UP, (D.OPEN_WRAP_UP,))
    TABLE[_state, LogInWanted] = Step(S.PIN_ENTRY, (D.OPEN_PIN,), above=True)
for _state in (S.LIST, S.PREVIEW, S.WHY, S.PIN_ENTRY):
    TABLE[_state, Warned] = Step(S.PREVIEW)
TABLE[S.KEYING, Warned] = Step(S.KEYING)
for _state in (S.TALKING, S.COMPLAINT):
    TABLE[_state, "pad"] = Step(_state, (D.PAD,))
    TABLE[_state, "A"] = Step(_state, (D.SCRIPT_NEXT,))
    TABLE[_state, "hold A"] = Step(_state, (D.SCRIPT_BACK,))
    TABLE[_state, "B"] = Step(_state, (D.MUTE,))
    TABLE[_state, "hold B"] = Step(_state, (D.HOLD,))
    TABLE[_state, "C"] = Step(_state, (D.TONE_MODE,))
for _state in (S.DIALLING, S.ALERTING):
    TABLE[_state, "B"] = Step(_state, (D.LOUDER,))
    TABLE[_state, "C"] = Step(_state, (D.SOFTER,))
    TABLE[_state, "D"] = Step(S.LIST, _ABORT)
    TABLE[_state, HookReplaced] = Step(S.LIST, _ABORT)
    TABLE[_state, Answered] = Step(S.TALKING, (D.START_RECORDING,))
    TABLE[_state, NotDialled] = Step(S.LIST)
    TABLE[_state, CallEnded] = Step(S.WRAP_UP, (D.END_CALL, D.OPEN_WRAP_UP))
    TABLE[_state, "gone"] = Step(S.WRAP_UP, (D.NOTE_FAULT, D.END_CALL, D.OPEN_WRAP_UP))
for _state in SPEAKING:
    TABLE[_state, CallEnded] = Step(S.WRAP_UP, _OVER)
    TABLE[_state, "gone"] = Step(S.WRAP_UP, (D.NOTE_FAULT, *_OVER))
for _state in IN_CALL:  # an impaired line is watched on by its driver, which will say how the call ended
    TABLE[_state, LineLost] = Step(_state, (D.NOTE_FAULT,))
for _state in IDLE:
    TABLE[_state, "hold D"] = Step(S.KEYING, (D.OPEN_EMERGENCY,), above=True)
for _state in IDLE - {S.RINGING_IN, S.ARMED}:
    TABLE[_state, IncomingCall] = Step(S.RINGING_IN, (D.RING,), above=True)
for _state in WITH_LINE - {S.KEYING}:
    TABLE[_state, LineLost] = Step(S.OUT_OF_ORDER, (D.NOTE_FAULT,))
TABLE[S.KEYING, LineLost] = Step(S.KEYING, (D.NOTE_FAULT, D.ONLY_EMERGENCY), above=True)
for _state in (S.WRAP_UP, S.MENU, S.PIN_ENTRY):
    TABLE[_state, LineLost] = Step(_state, (D.NOTE_FAULT,))
for _state in State:  # it is told late, too: then the call that it came into is over already
    TABLE[_state, SecondCallRefused] = Step(_state, (D.MISS_SECOND,))

EMERGENCY_KEYING: dict[Cue, Step] = {
    "pad": Step(S.KEYING, (D.KEY_DIGIT,)),
    "A": Step(S.KEYING, (D.ASK,)),
    "B": Step(S.KEYING, (D.ERASE,)),
    "hold B": Step(S.KEYING, (D.ERASE_ALL,)),
    "D": Step(None, (D.CLOSE_EMERGENCY,)),
    HookLifted: Step(S.KEYING, (D.ASK_LIFTED,)),
    Cleared: Step(S.DIALLING, (D.DIAL,)),
    IncomingCall: Step(S.KEYING, (D.RING,)),
    CallEnded: Step(S.KEYING, (D.MISS,)),
    SecondCallRefused: Step(S.KEYING, (D.MISS_SECOND,)),
    LineLost: Step(S.KEYING, (D.NOTE_FAULT,)),
    "gone": Step(S.KEYING, (D.NOTE_FAULT, D.MISS)),
}
"""KEYING as it opens above any state by holding D, or as it stays when the line is lost: it knows emergency numbers and
nothing else. Whoever calls in meanwhile rings below it."""
_ONLY_EMERGENCY = frozenset({D.OPEN_EMERGENCY, D.ONLY_EMERGENCY})


def holds(place: Place) -> frozenset[str]:
    """The keys that mean something when held here, so that their tap must wait for the key to come up."""
    rows = EMERGENCY_KEYING if _keying_emergency(place) else (cue for state, cue in TABLE if state is place.state)
    return frozenset(cue[-1] for cue in rows if isinstance(cue, str) and cue.startswith("hold "))


def step(place: Place, event: Event) -> tuple[Place, tuple[Do, ...]]:
    """Where `event` leads, and what to do on the way; an event that means nothing here changes nothing.

    >>> step(Place(State.DIALLING), Alerting())[0].state
    <State.ALERTING: 8>
    >>> step(Place(State.LIST), Answered())[1]
    ()
    """
    if isinstance(event, LineReady | LineLost):
        place = replace(place, line=isinstance(event, LineReady))
    if _keying_emergency(place):
        place = replace(place, below=_ringing_below(place.below, event))
    row = _row(place, event)
    if row is None:
        return place, ()
    if place.emergency and place.state in IN_CALL and row.to in {S.WRAP_UP, S.LIST}:
        lasting = tuple(state for state in place.below if state not in FLEETING)
        after = _back(replace(place, below=lasting))
        return after, (*(do for do in row.do if do is not D.OPEN_WRAP_UP), D.CLOSE_EMERGENCY)
    return _move(place, row), row.do


def missed(before: Place, after: Place) -> Place:
    """Where the booth is when the card would not let it do what led from `before` to `after`."""
    if after.state in IN_CALL:
        return after
    return (
        Place(S.LIST if after.line else S.OUT_OF_ORDER) if before.state in IN_CALL else replace(before, line=after.line)
    )


def _row(place: Place, event: Event) -> Step | None:
    for cue in _cues(event):
        row = EMERGENCY_KEYING.get(cue) if _keying_emergency(place) else TABLE.get((place.state, cue))
        if row is not None:
            return row
    return None


def _cues(event: Event) -> tuple[Cue, ...]:
    match event:
        case Tap(key) if key in DIGITS:
            return (key, "digit", "pad")
        case Tap(key):
            return (key, "pad") if key in SIGNS else (key,)
        case Hold(key):
            return (f"hold {key}",)
        case LineLost(fault) if fault in GONE:
            return ("gone", LineLost)
    return (type(event),)


def _ringing_below(below: tuple[State, ...], event: Event) -> tuple[State, ...]:
    """What lies below an emergency keypad once `event` has told that somebody calls in, or does so no more."""
    silent = tuple(state for state in below if state is not S.RINGING_IN)
    match event:
        case IncomingCall():
            return (*silent, S.RINGING_IN)
        case CallEnded():
            return silent
        case LineLost(fault) if fault in GONE:
            return silent
    return below


def _keying_emergency(place: Place) -> bool:
    return place.emergency and place.state is S.KEYING


def _move(place: Place, row: Step) -> Place:
    if row.to is None:
        return _back(place)
    if row.above:
        emergency = place.emergency or not _ONLY_EMERGENCY.isdisjoint(row.do)
        return replace(place, state=row.to, below=(*place.below, place.state), emergency=emergency)
    if row.to is place.state or place.emergency:
        return replace(place, state=row.to)
    # BLOCKED, WHY and PIN_ENTRY may lie above one another; whatever else is reached leaves nothing below.
    return replace(place, state=_home(place, row.to), below=())


def _back(place: Place) -> Place:
    *below, state = place.below or (S.LIST,)
    state = _home(place, state)
    return replace(place, state=state, below=() if state is S.OUT_OF_ORDER else tuple(below), emergency=False)


def _home(place: Place, state: State) -> State:
    """OUT_OF_ORDER in place of what wants a line while there is none, and the reverse."""
    if state in WITH_LINE and not place.line:
        return S.OUT_OF_ORDER
    return S.LIST if state is S.OUT_OF_ORDER and place.line else state
