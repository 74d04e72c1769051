"""A lamp on a mock pin: it glows as the driver drives the pin."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from gpiozero.pins.mock import MockPin

from hw.contracts import Glow

BLINKS = 4  # so many changes within MEMORY seconds look like blinking
MEMORY = 2.0
EYE = 0.02  # seconds: nobody sees a shorter flash


class Lead(MockPin):  # type: ignore[misc]
    """A mock pin with a wire to something that follows its level; None while nobody drives it."""

    def __init__(self, factory: Any, info: Any, follow: Callable[[bool | None], None]) -> None:
        super().__init__(factory, info)
        self._follow = follow
        self._drives: bool | None = None

    def _set_state(self, value: bool) -> None:
        super()._set_state(value)
        self._tell(bool(value))

    def _set_function(self, value: str) -> None:
        super()._set_function(value)
        self._tell(bool(self._state) if value == "output" else None)

    def _tell(self, drives: bool | None) -> None:
        self.states.clear()  # MockPin keeps every change for ever
        if drives is not self._drives:
            self._drives = drives
            self._follow(drives)


class Bulb:
    """A light-emitting diode and its resistor. Build it before the driver opens the pin."""

    def __init__(self, factory: Any, pin: int, active_high: bool = True) -> None:
        self._active_high = active_high
        self._changes: deque[float] = deque(maxlen=2 * BLINKS)
        self._watchers: list[Callable[[bool], None]] = []
        self.lit = False
        lead = factory.pin(f"GPIO{pin}", pin_class=Lead, follow=self._follow)
        if not isinstance(lead, Lead):
            raise RuntimeError(f"{lead!r} was taken before the bulb could be soldered to it")  # noqa: TRY004 - the order was wrong, not the type

    @property
    def glow(self) -> Glow:
        """What a person would call it, having looked for a second or two."""
        since = time.monotonic() - MEMORY
        if sum(1 for change in tuple(self._changes) if change > since) >= BLINKS:
            return "blink"
        return "on" if self.lit else "off"

    def watch(self, told: Callable[[bool], None]) -> None:
        """Have `told` called with lit or not at every change, on the driver's thread; it must return at once."""
        self._watchers.append(told)

    def _follow(self, drives: bool | None) -> None:
        lit = drives is self._active_high
        if lit == self.lit:
            return
        self.lit = lit
        now = time.monotonic()
        if self._changes and now - self._changes[-1] < EYE:
            self._changes.pop()
        else:
            self._changes.append(now)
        for told in self._watchers:
            told(self.lit)
