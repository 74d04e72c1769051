"""GPIO pins of one driver, taken from gpiozero's pin factory and given back when the driver closes."""

from collections.abc import Sequence
from typing import Any

from gpiozero import Device, GPIOZeroError

from hw.errors import WiringError

Factory = Any  # gpiozero ships no types: Factory and Pin are its classes of these names
Pin = Any


class Claim:
    """The pins of one driver; a second driver that wants one of them is refused."""

    def __init__(self, owner: str, numbers: Sequence[int], factory: Factory = None) -> None:
        """Numbers are GPIO numbers as Broadcom counts them; without a factory gpiozero's own is used."""
        self._owner = owner
        self._names = [f"GPIO{number}" for number in numbers]
        self.pins: list[Pin] = []
        if len(set(numbers)) < len(numbers):
            raise WiringError(f"{owner}: a pin is given twice in {', '.join(map(str, numbers))}")
        try:
            self._factory = factory or gpio()
            self._factory.reserve_pins(self, *self._names)
            self.pins = [self._factory.pin(name) for name in self._names]
        except GPIOZeroError as problem:
            raise WiringError(f"{owner}: {problem}") from problem

    def __repr__(self) -> str:
        return f"the {self._owner}"  # gpiozero's refusal names the other claimant by it

    def _conflicts_with(self, other: object) -> bool:
        return other is not self

    def release(self) -> None:
        """Make inputs of the pins and let others have them."""
        for pin in self.pins:
            pin.close()
        self._factory.release_pins(self, *self._names)


def gpio() -> Factory:
    """The pin factory of gpiozero for this machine."""
    Device.ensure_pin_factory()
    return Device.pin_factory
