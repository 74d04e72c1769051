"""The cable between host and modem: it may be slow, cut what is sent into pieces, lose and damage bytes.

    cable = Cable(cut=3, loss=0.001, seed=7)
    port = Port(link, hear, cable)      # a port with this cable; both directions suffer alike
    cable.garble = 0.1                  # all of it can be changed at any time

A Port does the rest: what it hears and what it writes goes through the cable by itself.
"""

import random
from collections import deque
from collections.abc import Callable

Tap = Callable[[str], None]
PAUSE = 0.005  # seconds within which the pieces of what was sent at once arrive


class Cable:
    """Always the same accidents for a seed; and it can be listened to.

    cut: what is sent at once arrives in pieces of 1 to so many bytes, at random moments within PAUSE; 0: whole.
    merge: what is sent within so many seconds arrives at once at their end. loss, garble: probability that a byte is
    lost, or replaced by any other. baud: bytes a second that get through, 0 for any number.
    """

    def __init__(
        self,
        *,
        cut: int = 0,
        merge: float = 0.0,
        loss: float = 0.0,
        garble: float = 0.0,
        baud: float = 0.0,
        seed: int = 1,
    ) -> None:
        self.cut, self.merge, self.loss, self.garble, self.baud = cut, merge, loss, garble, baud
        self.to_modem, self.to_host = Lane(self, seed), Lane(self, seed + 1)
        self._taps: list[Tap] = []

    def tap(self, tap: Tap) -> None:
        """Tell `tap` every line from now on: `> AT+CSQ` from the host, `< +CSQ: 17,99` from the modem, undamaged."""
        self._taps.append(tap)

    def tell(self, mark: str, text: str) -> None:
        """Every line of `text`, with its direction mark."""
        for line in filter(None, text.replace("\r", "\n").split("\n")):
            for tap in tuple(self._taps):
                tap(f"{mark} {line}")


class Lane:
    """One direction of a cable, for one thread: what is sent, and what arrives when."""

    def __init__(self, cable: Cable, seed: int) -> None:
        self._cable = cable
        self._chance = random.Random(seed)  # noqa: S311 - accidents, no secrets
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._latest = 0.0

    @property
    def next(self) -> float | None:
        """When the next piece arrives, monotonic; None when nothing is under way."""
        return self._under_way[0][0] if self._under_way else None

    def send(self, data: bytes, now: float) -> None:
        """Put bytes on their way at the monotonic time `now`."""
        cable, data = self._cable, self._damaged(data)
        if not data:
            return
        start = max(self._latest, now)
        if cable.merge:
            start = max(self._latest, now - now % cable.merge + cable.merge)
        pieces = list(self._pieces(data)) if cable.cut else [data]
        delays = sorted(self._chance.uniform(0, PAUSE) for _ in pieces) if cable.cut else [0.0]
        for piece, delay in zip(pieces, delays, strict=True):
            start = max(start, now + delay) + (len(piece) / cable.baud if cable.baud else 0.0)
            self._under_way.append((start, piece))
        self._latest = start

    def arrived(self, now: float) -> list[bytes]:
        """The pieces that are there at `now`, oldest first; in one piece if the cable merges."""
        there = []
        while self._under_way and self._under_way[0][0] <= now:
            there.append(self._under_way.popleft()[1])
        return [b"".join(there)] if self._cable.merge and there else there

    def forget(self) -> None:
        """What is under way never arrives."""
        self._under_way.clear()
        self._latest = 0.0

    def _damaged(self, data: bytes) -> bytes:
        loss, garble, chance = self._cable.loss, self._cable.garble, self._chance
        if loss:
            data = bytes(byte for byte in data if chance.random() >= loss)
        if garble:
            data = bytes(chance.randrange(256) if chance.random() < garble else byte for byte in data)
        return data

    def _pieces(self, data: bytes) -> list[bytes]:
        pieces = []
        while data:
            size = self._chance.randint(1, self._cable.cut)
            pieces.append(data[:size])
            data = data[size:]
        return pieces
