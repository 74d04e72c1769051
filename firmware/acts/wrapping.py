"""After a call: the result is keyed, kept, and the next customer is shown."""

from firmware.acts.act import Act, plain
from firmware.acts.calling import Calling
from firmware.callflow import Do, Place
from firmware.keys import Tap
from firmware.outcomes import NothingOwed, ResultOwed, Saved
from firmware.parts import Parts
from firmware.store import CardError
from hw.events import Event


class Wrapping:
    """Acts on the wrap-up form."""

    def __init__(self, parts: Parts, calling: Calling) -> None:
        self._parts, self._calling = parts, calling

    def table(self) -> dict[Do, Act]:
        """The actions that are carried out here."""
        return {
            Do.OPEN_WRAP_UP: self._open,
            Do.WRAP_KEY: self._key,
            Do.WHOM: plain(self._parts.wrapup.next_whom),
            Do.MEMO: plain(lambda: self._parts.memo.toggle(self._parts.wrapup.call.id)),
            Do.SAVE: self._save,
            Do.NEXT_CUSTOMER: self._next,
        }

    def _open(self, _event: Event, _place: Place) -> Event | None:
        # A card that takes nothing more has no owed call in its books yet: then the one in memory counts.
        owed = self._parts.condition.owed or self._parts.calls.owed()
        if owed is None:
            return NothingOwed()
        self._parts.condition.owed = owed
        self._parts.wrapup.open(owed, self._calling.suggestion(owed))
        return None

    def _key(self, event: Event, _place: Place) -> None:
        if isinstance(event, Tap):
            self._parts.wrapup.key(event.key)

    def _save(self, _event: Event, _place: Place) -> Event | None:
        form, parts = self._parts.wrapup, self._parts
        if not form.accept() or form.chosen is None:
            return None
        parts.memo.stop()  # it must be in the call's books before the result sends them on their way
        try:
            parts.conversation.write_ends()
            parts.calls.finish(form.call.id, form.chosen, due=form.due, whom=form.whom, clear=form.clear)
        except CardError:
            form.refused_by_card = True
            return None
        parts.condition.owed = None
        form.close()
        return Saved()

    def _next(self, event: Event, _place: Place) -> Event | None:
        if self._parts.condition.owed or self._parts.calls.owed():
            return ResultOwed()
        nobody = self._parts.browsing.next_due()
        if isinstance(event, Saved) and nobody is None:
            self._parts.browsing.notice = "saved"
        return nobody
