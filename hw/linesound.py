"""The voice of a GSM line, wherever it travels: a serial port of the modem's, a sound card, or nowhere."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from hw.contracts import Handset
from hw.dtmf import tones
from hw.errors import AudioError
from hw.modems.family import Sound
from hw.pcm import PcmPort
from hw.talkpath import Dropping


class Carrier(Protocol):
    """What carries the voice of one call."""

    @property
    def lost(self) -> bool: ...

    @property
    def dropped(self) -> int: ...

    @property
    def realigned(self) -> int: ...

    def open(self) -> None: ...

    def close(self) -> None: ...

    def flow(self, go: bool) -> None: ...

    def read(self) -> bytes | None: ...

    def write(self, frame: bytes) -> None: ...


class LineSound:
    """Fulfils `contracts.Audio`; open only while there is a call. Tones for the far end take the agent's place."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self._tones: deque[bytes] = deque()
        self._lost_told = False
        self._speaks = threading.Event()

    def open(self, *, speaks: bool = True) -> None:
        """Begin with nothing heard and nothing to say. Raises AudioError.

        Without `speaks` nothing is said before `speak`: a port whose stream has not begun keeps what it is given, and
        what is said then would be that late for the rest of the call.
        """
        self._tones.clear()
        self._speaks.clear()
        self.carrier.open()
        self._lost_told = False
        if speaks:
            self.speak()

    def speak(self) -> None:
        """The stream has begun."""
        self._speaks.set()

    def close(self) -> None:
        """Harmless when it is closed."""
        self.carrier.close()
        self._tones.clear()

    def flow(self, go: bool) -> None:
        """What the modem's flow control says."""
        self.carrier.flow(go)

    def key(self, digit: str) -> None:
        """Say a tone in-band, after those that still wait."""
        self._tones.extend(tones(digit))

    def take_loss(self) -> bool:
        """Whether it went away in mid-call; said once."""
        fresh = self.carrier.lost and not self._lost_told
        self._lost_told |= fresh
        return fresh

    @property
    def dropped(self) -> int:
        """Frames that were not passed on since it was opened."""
        return self.carrier.dropped

    @property
    def realigned(self) -> int:
        """Bytes left out because one before them was lost, since it was opened."""
        return self.carrier.realigned

    def read(self) -> bytes | None:
        """The oldest frame heard, None when there is none yet or no call."""
        return self.carrier.read()

    def write(self, frame: bytes) -> None:
        """Say one frame, or the tone that is due in its place; nothing before the stream has begun."""
        if not self._speaks.is_set():
            return
        self.carrier.write(self._tones.popleft() if self._tones else frame)


class Card:
    """A sound card as a carrier: the modem's own (UAC), or one that is wired to its analog pins."""

    realigned = 0  # a card has whole samples

    def __init__(self, card: Handset) -> None:
        self._card = card
        self._open = threading.Event()

    @property
    def lost(self) -> bool:
        """Whether it went away while it was open."""
        return self._open.is_set() and not self._card.alive

    @property
    def dropped(self) -> int:
        """What the card counts itself, where it does."""
        return self._card.dropped if isinstance(self._card, Dropping) else 0

    def open(self) -> None:
        """Raises AudioError when the card is not there."""
        self.close()
        self._card.open()
        self._open.set()

    def close(self) -> None:
        """Harmless when it is closed."""
        if self._open.is_set():
            self._open.clear()
            self._card.close()

    def flow(self, go: bool) -> None:
        """A card takes what it can at its own pace."""

    def read(self) -> bytes | None:
        """The oldest frame heard; None without a call."""
        return self._card.read() if self._open.is_set() else None

    def write(self, frame: bytes) -> None:
        """Say one frame."""
        if self._open.is_set():
            self._card.write(frame)


class NoCarrier:
    """Nothing is wired: calls can be made, and nobody hears them."""

    lost = False
    dropped = realigned = 0

    def open(self) -> None:
        """There is nothing to open. Raises AudioError."""
        raise AudioError("the line has no audio: this modem needs a sound card (audio = ...)")

    def close(self) -> None:
        """Nothing was open."""

    def flow(self, go: bool) -> None:
        """Nothing flows."""

    def read(self) -> None:
        """Nothing is heard."""

    def write(self, frame: bytes) -> None:
        """Nothing is said."""


def carrier(sound: Sound, audio: str | Handset, card: Callable[[str], Handset]) -> Carrier:
    """What carries the voice of a family's calls: a port or card by its name (`card` makes one), or a card itself."""
    if not audio:
        return NoCarrier()
    if not isinstance(audio, str):
        return Card(audio)
    return PcmPort(audio, sound.rate) if sound.via == "port" else Card(card(audio))
