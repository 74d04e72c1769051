"""The shape of an act."""

from collections.abc import Callable

from firmware.callflow import Place
from hw.events import Event

Act = Callable[[Event, Place], Event | None]
"""Does one thing because of an event at a place; may answer with an outcome, which booth.py steps next."""


def plain(do: Callable[[], object]) -> Act:
    """An act that needs to know nothing and answers nothing."""

    def act(_event: Event, _place: Place) -> None:
        do()

    return act
