"""Between calls: list, preview, digits, explanations."""

from collections.abc import Callable

from firmware.acts.act import Act, plain
from firmware.callflow import Do, Place
from firmware.keys import Tap
from firmware.outcomes import Matched, Reasoned
from firmware.parts import Parts
from hw.events import Event

PAGE = 5


class Wandering:
    """Acts on the list and on the digits being keyed; none of them leads to a dial but through the guard."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def table(self) -> dict[Do, Act]:
        """The actions that are carried out here."""
        browsing, keying = self._parts.browsing, self._parts.keying
        return {
            Do.UP: plain(lambda: browsing.move(-1)),
            Do.DOWN: plain(lambda: browsing.move(1)),
            Do.PAGE_UP: plain(lambda: browsing.move(-PAGE)),
            Do.NEXT_DUE: lambda _e, _p: browsing.next_due(),
            Do.OPEN_PREVIEW: lambda _e, _p: browsing.preview(),
            Do.EXPLAIN: self._explain,
            Do.TELL_SOURCE: plain(browsing.toggle_source),
            Do.SCROLL_UP: plain(lambda: browsing.roll(-1)),
            Do.SCROLL_DOWN: plain(lambda: browsing.roll(1)),
            Do.TURN_PAGE: _with_key(lambda key: browsing.turn(int(key))),
            Do.OPEN_MATCH: self._open_match,
            Do.KEY_FIRST: self._key_first,
            Do.KEY_DIGIT: self._key_digit,
            Do.ERASE: plain(keying.erase),
            Do.ERASE_ALL: plain(keying.erase_all),
            Do.OPEN_EMERGENCY: plain(keying.start_emergency),
            Do.CLOSE_EMERGENCY: plain(keying.end_emergency),
            Do.ONLY_EMERGENCY: plain(keying.only_emergency),
            Do.SAY_NOT_LIFTED: plain(self._not_lifted),
        }

    def _explain(self, _event: Event, place: Place) -> Event | None:
        """WHY about the previewed customer, or about the one that the list shows."""
        return None if place.below else self._parts.browsing.preview()

    def _open_match(self, _event: Event, _place: Place) -> Event | None:
        match = self._parts.keying.first_match
        if match is None:
            return None
        self._parts.browsing.preview(match)
        return Matched()

    def _not_lifted(self) -> None:
        self._parts.browsing.notice = "armed-timeout"

    def _key_digit(self, event: Event, _place: Place) -> Event | None:
        """One more digit; or, while the screen asks for one, the key of a reason, and no other."""
        keying = self._parts.keying
        if not isinstance(event, Tap):
            return None
        if keying.reason_wanted:
            return Reasoned() if keying.give_reason(event.key) else None
        keying.add(event.key)
        return None

    def _key_first(self, event: Event, _place: Place) -> None:
        self._parts.keying.start(self._parts.browsing.chosen)
        _with_key(self._parts.keying.add)(event, _place)


def _with_key(do: Callable[[str], object]) -> Act:
    def act(event: Event, _place: Place) -> None:
        if isinstance(event, Tap):
            do(event.key)

    return act
