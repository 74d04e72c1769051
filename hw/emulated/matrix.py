"""Sixteen keys between the rows and the columns of a mock pin factory, with bounce and ghosts."""

import time
from collections.abc import Sequence
from typing import Any

from hw.emulated.circuit import Circuit

KEYS = "123A456B789C*0#D"
RATTLE = 0.005  # seconds that a membrane key bounces
TAP, GAP = 0.08, 0.06  # seconds that a tapped key is down, and up before the next one


class Matrix:
    """A keypad without diodes: each key joins one row to one column, and current finds every way round.

    Build it before the driver opens its pins.
    """

    def __init__(self, factory: Any, rows: Sequence[int], columns: Sequence[int], keys: str = KEYS) -> None:
        self.factory = factory
        self._circuit = Circuit(factory)
        across = [self._circuit.solder(number) for number in rows]
        down = [self._circuit.solder(number) for number in columns]
        pairs = [(row, column) for row in across for column in down]
        self._contacts = {
            key: self._circuit.switch(row, column, seed)
            for seed, (key, (row, column)) in enumerate(zip(keys, pairs, strict=True))
        }
        self._free = 0.0  # when the tapping finger is free again

    @property
    def shorts(self) -> int:
        """How often the driver has let two outputs fight."""
        return self._circuit.shorts

    @property
    def down(self) -> frozenset[str]:
        """The keys that are down now."""
        now = time.monotonic()
        return frozenset(key for key, contact in self._contacts.items() if contact.closed(now))

    @property
    def readings(self) -> int:
        """How often the driver has looked at a pin."""
        return self._circuit.readings

    def press(self, key: str, bounce: bool = False) -> None:
        """Put a finger on a key and leave it there."""
        self._circuit.move(self._contacts[key], True, RATTLE if bounce else 0.0)

    def release(self, key: str, bounce: bool = False) -> None:
        """Take the finger off."""
        self._circuit.move(self._contacts[key], False, RATTLE if bounce else 0.0)

    def tap(self, keys: str) -> float:
        """Have keys pressed one after the other by one finger, from now on; returns the seconds that it will take."""
        now = time.monotonic()
        for key in keys:
            start = max(now, self._free)
            self._circuit.touch(self._contacts[key], start, start + TAP)
            self._free = start + TAP + GAP
        return self._free - now
