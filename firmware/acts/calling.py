"""While a call lasts: answer, talk, hang up, and its end in the books."""

import uuid
from contextlib import suppress
from dataclasses import replace

from firmware import numbers
from firmware.acts.act import Act, plain
from firmware.callflow import Do, Place
from firmware.calls import Call
from firmware.keys import Tap
from firmware.numbers import Kind, Number
from firmware.outcomes import NotTaken
from firmware.parts import Parts
from firmware.redial import Decision, Reason, Verdict
from firmware.results import Result
from firmware.scenery import Scenery
from firmware.seen import NO_ANSWER, Sight
from firmware.store import CardError
from hw.events import (
    GONE,
    Answered,
    CallEnded,
    Cause,
    Event,
    Hidden,
    IncomingCall,
    LineLost,
    Party,
    SecondCallRefused,
)

NOBODY = Number("", "", "", Kind.INVALID)  # whoever shows no number, or has not told it yet
ALWAYS = Decision(Verdict.ALLOW, Reason.FREE)  # a call that comes in asks no guard


class Calling:
    """Acts on the call of the moment."""

    def __init__(self, parts: Parts, scenery: Scenery) -> None:
        self._parts, self._scenery, self._talk = parts, scenery, parts.conversation
        self._ended: Call | None = None

    def table(self) -> dict[Do, Act]:
        """The actions that are carried out here."""
        talk = self._talk
        return {
            Do.HANG_UP: self._hang_up,
            Do.RING: self._ring,
            Do.ANSWER: self._answer,
            Do.MISS: self._miss,
            Do.MISS_SECOND: self._miss_second,
            Do.START_RECORDING: self._answered,
            Do.KEEP_RECORDING: plain(talk.keep_recording),
            Do.END_CALL: self._end,
            Do.FINISH_UNANSWERED: self._finish_unanswered,
            Do.PAD: self._pad,
            Do.SCRIPT_NEXT: lambda _e, _p: self._turn_script(1),
            Do.SCRIPT_BACK: lambda _e, _p: self._turn_script(-1),
            Do.MUTE: plain(talk.toggle_mute),
            Do.HOLD: plain(talk.hold),
            Do.HOLD_LINE: plain(lambda: talk.hold(on=True)),
            Do.UNHOLD: plain(lambda: talk.hold(on=False)),
            Do.TONE_MODE: plain(talk.toggle_tone_mode),
            Do.LOUDER: plain(lambda: talk.louder(1)),
            Do.SOFTER: plain(lambda: talk.louder(-1)),
            Do.NOTE_FAULT: self._note_fault,
        }

    def suggestion(self, call: Call) -> Result | None:
        """The result that what the line saw speaks for."""
        if call.cause is None or call.by is None:
            return None
        marks = self._talk.marks.named
        sight = Sight(call.cause, call.by, call.answered, call.talk, marks, call.voice, call.sure)
        return self._parts.results.suggest(sight)

    def _hang_up(self, _event: Event, _place: Place) -> None:
        if self._talk.call is not None or self._parts.condition.ringing is not None:
            self._parts.condition.echoes.expect()
        self._parts.hardware.line.hang_up()

    def _ring(self, event: Event, _place: Place) -> None:
        if not isinstance(event, IncomingCall):
            return
        condition = self._parts.condition
        known = condition.ringing
        if known is None or event.number or event.hidden:  # what is told again does not make it less known
            ringing = self._caller(known.id if known else str(uuid.uuid4()), event.number, event.hidden)
            condition.ringing = ringing  # whatever the card says when it is asked who that is
            condition.ringing = self._recognised(ringing)

    def _caller(self, call_id: str, told: str | None, hidden: Hidden | None) -> Call:
        settings = self._parts.settings
        number = numbers.keyed(told, settings.country, settings.area_code) if told else NOBODY
        return Call(call_id, number, None, incoming=True, hidden=None if told else hidden)

    def _recognised(self, call: Call) -> Call:
        """The same with the customer whose number it is, if there is one."""
        return replace(call, customer=self._parts.calls.by_number(call.number.key)) if call.number.key else call

    def _miss_second(self, event: Event, _place: Place) -> None:
        """Somebody called while the line was busy with another. Nothing changes for the call that goes on."""
        if not isinstance(event, SecondCallRefused):
            return
        call = self._caller(str(uuid.uuid4()), event.number, event.hidden)
        with suppress(CardError):
            call = self._recognised(call)
        self._parts.browsing.notice = "missed"
        self._talk.miss_second(call, self._parts.condition.agent)

    def _answer(self, _event: Event, _place: Place) -> Event | None:
        call = self._parts.condition.ringing
        if call is None:
            raise LookupError("nobody calls in")
        try:
            self._talk.take(call, ALWAYS, self._parts.condition.agent)
        except CardError:
            self._parts.browsing.notice = "card-full"
            return NotTaken()
        return None

    def _miss(self, event: Event, _place: Place) -> None:
        """The caller gave up or was refused: the books keep it, nobody owes a result."""
        call, self._parts.condition.ringing = self._parts.condition.ringing, None
        if self._talk.call is not None:
            self._talk.end(event)
        elif call is not None:
            how = _missed(event)
            self._parts.browsing.notice = "refused-call" if how[1] is Party.NEAR else "missed"
            self._talk.miss(call, self._parts.condition.agent, *how)

    def _answered(self, event: Event, _place: Place) -> None:
        self._parts.condition.ringing = None
        self._talk.answered(estimated=isinstance(event, Answered) and event.estimated)

    def _end(self, event: Event, _place: Place) -> None:
        self._ended = self._talk.end(event)
        if not self._ended.emergency:
            self._parts.condition.owed = self._ended

    def _finish_unanswered(self, _event: Event, _place: Place) -> None:
        """Broken off before anyone answered: the line has said it all, so the agent is asked nothing."""
        call, results = self._ended, self._parts.results
        if call is None or call.emergency:
            return
        result = self.suggestion(call) or results.claiming(NO_ANSWER)
        if result is None:
            return  # the office has no code for it: the agent is asked after all
        try:
            self._talk.write_ends()
            self._parts.calls.finish(call.id, result)
        except CardError:
            self._parts.browsing.notice = "card-full"
            return  # then the result is owed until there is room for it
        self._parts.condition.owed = None
        self._parts.browsing.notice = "aborted"

    def _pad(self, event: Event, _place: Place) -> Event | None:
        return self._talk.press(event.key) if isinstance(event, Tap) else None

    def _turn_script(self, by: int) -> None:
        pages = max(len(self._parts.settings.script.pages) + bool(self._parts.law.book.opening), 1)
        self._scenery.script_page = (self._scenery.script_page + by) % pages

    def _note_fault(self, event: Event, _place: Place) -> None:
        if isinstance(event, LineLost) and event.fault in GONE:
            self._parts.condition.echoes.forget()


def _missed(event: Event) -> tuple[Cause, Party]:
    """Why nobody took a call: the caller gave up, the line went away under it, or else we have refused it."""
    match event:
        case LineLost() | CallEnded(cause=Cause.LOST):
            return Cause.LOST, Party.LINE
        case CallEnded():
            return Cause.NO_ANSWER, Party.FAR
    return Cause.REJECTED, Party.NEAR
