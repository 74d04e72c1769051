"""The switch under a handset, between a mock pin and ground."""

import time
from typing import Any

from hw.emulated.circuit import Circuit

RATTLE = 0.015  # seconds that a leaf switch bounces under a falling handset


class HookSwitch:
    """A cradle with its handset down. Build it before the driver opens its pin."""

    def __init__(self, factory: Any, pin: int, lifted_high: bool = True) -> None:
        """`lifted_high`: the switch opens when the handset is lifted."""
        self._circuit = Circuit(factory)
        self._opens = lifted_high
        self._contact = self._circuit.switch(self._circuit.solder(pin), None)
        self.lifted = False
        self.replace()

    def lift(self, bounce: bool = False) -> None:
        """Take the handset up."""
        self._move(True, bounce)

    def replace(self, bounce: bool = False) -> None:
        """Put the handset down."""
        self._move(False, bounce)

    def knock(self, seconds: float = 0.01) -> None:
        """Shake the switch for a moment; returns when it is still again."""
        now = time.monotonic()
        self._circuit.touch(self._contact, now, now + seconds)
        self._circuit.still(timeout=2)

    def _move(self, lifted: bool, bounce: bool) -> None:
        self.lifted = lifted
        self._circuit.move(self._contact, lifted != self._opens, RATTLE if bounce else 0.0)
