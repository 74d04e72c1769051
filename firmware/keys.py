"""Key strokes become taps and holds: which a key gives depends on what it means at that moment.

A key that has no hold meaning in the present state acts when it goes down, so that digits feel instant; one that has
acts when it comes up again, or as a hold after its second.

>>> keys = Keys()
>>> keys.hear(KeyPressed("5"), holds=frozenset("D"))
Tap(key='5')
>>> keys.hear(KeyPressed("D"), holds=frozenset("D"))
>>> keys.hear(KeyReleased("D"), holds=frozenset("D"))
Tap(key='D')
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
        self._waiting: str | None = None

    def hear(self, stroke: KeyPressed | KeyHeld | KeyReleased, holds: AbstractSet[str]) -> Tap | Hold | None:
        """What `stroke` amounts to where the keys in `holds` mean something when held; None while undecided."""
        match stroke:
            case KeyPressed(key):
                self._waiting = key if key in holds else None
                return None if self._waiting else Tap(key)
            case KeyHeld(key) if key == self._waiting:
                self._waiting = None
                return Hold(key)
            case KeyReleased(key) if key == self._waiting:
                self._waiting = None
                return Tap(key)
        return None
