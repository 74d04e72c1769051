"""Key strokes become taps and holds: which a key gives depends on what it means at that moment.

A key that has no hold meaning in the present state acts when it goes down, so that digits feel instant; one that has
acts when it comes up again, when the next one goes down (fast fingers overlap), or as a hold after its second.

>>> keys = Keys()
>>> keys.hear(KeyPressed("5"), holds=frozenset("*"))
(Tap(key='5'),)
>>> keys.hear(KeyPressed("*"), holds=frozenset("*"))
()
>>> keys.hear(KeyPressed("5"), holds=frozenset("*"))
(Tap(key='*'), Tap(key='5'))
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from hw.events import Event, KeyHeld, KeyPressed, KeyReleased


@dataclass(frozen=True, slots=True)
class Tap(Event):
    """A key was used in passing."""

    key: str


@dataclass(frozen=True, slots=True)
class Hold(Event):
    """A key was held for its second."""

    key: str


class Keys:
    """Remembers the one key that is down and has not acted yet."""

    def __init__(self) -> None:
        self._waiting = ""
        self._stale = False

    def hear(self, stroke: KeyPressed | KeyHeld | KeyReleased, holds: AbstractSet[str]) -> tuple[Tap | Hold, ...]:
        """What `stroke` amounts to where the keys in `holds` mean something when held; nothing while undecided."""
        match stroke:
            case KeyPressed(key):
                before = self._tapped()
                if key in holds:
                    self._waiting = key
                    return before
                return (*before, Tap(key))
            case KeyHeld(key) if key == self._waiting:
                self._waiting, self._stale = "", False
                return (Hold(key),)
            case KeyReleased(key) if key == self._waiting:
                return self._tapped()
        return ()

    def moved(self) -> None:
        """The screen has changed under the finger: a tap was meant for the old one. A hold is still a hold."""
        self._stale = bool(self._waiting)

    def _tapped(self) -> tuple[Tap, ...]:
        key, stale = self._waiting, self._stale
        self._waiting, self._stale = "", False
        return () if stale or not key else (Tap(key),)
