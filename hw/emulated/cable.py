"""The way from host to modem: bytes may be damaged on it, and it can be listened to."""

import random
from collections.abc import Callable

Tap = Callable[[str], None]


class Cable:
    """Damages bytes with a given probability, always the same ones for a seed, and tells its taps each line.

    A line from the host is told as `> AT+CSQ`, one from the modem as `< +CSQ: 17,99`, as they were before any damage.
    """

    def __init__(self, seed: int = 1) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - damage, no secret
        self._taps: list[Tap] = []

    def carry(self, data: bytes, garble: float) -> bytes:
        """What arrives of `data`."""
        if not garble:
            return data
        return bytes(self._chance.randrange(256) if self._chance.random() < garble else byte for byte in data)

    def tap(self, tap: Tap) -> None:
        """Tell `tap` every line from now on."""
        self._taps.append(tap)

    def tell(self, mark: str, text: str) -> None:
        """Every line of `text`, with its direction mark."""
        for line in filter(None, text.replace("\r", "\n").split("\n")):
            for tap in tuple(self._taps):
                tap(f"{mark} {line}")
