"""One lamp on a GPIO pin, or none."""

from gpiozero import LED, GPIOZeroError

from hw.contracts import Glow
from hw.errors import WiringError
from hw.pins import Factory, gpio

BLINK = 0.4  # seconds on, and seconds off


class Led:
    """A Lamp; it blinks on a thread of gpiozero's that lives only as long as it blinks."""

    def __init__(self, pin: int, active_high: bool = True, factory: Factory = None) -> None:
        try:
            self._led = LED(pin, active_high=active_high, pin_factory=factory or gpio())
        except GPIOZeroError as problem:
            raise WiringError(f"lamp: {problem}") from problem
        self._glow: Glow = "off"

    def show(self, glow: Glow) -> None:
        if glow == self._glow:
            return  # to blink anew would break the rhythm
        self._glow = glow
        match glow:
            case "on":
                self._led.on()
            case "off":
                self._led.off()
            case "blink":
                self._led.blink(BLINK, BLINK)

    def close(self) -> None:
        self._led.close()


class NoLamp:
    """The Lamp that was not fitted."""

    def show(self, glow: Glow) -> None: ...

    def close(self) -> None: ...
