"""A voice stream over the modem's serial port: sound as bytes, with codes after DLE among them."""

from typing import Literal, NamedTuple

from hw.contracts import FRAME, SILENCE
from hw.emulated.analogcodings import Coding
from hw.emulated.analogtones import SAMPLES

Kind = Literal["+VTX", "+VRX", "+VTR"]

DLE = 0x10
ETX, CAN, SUB, ESC = 0x03, 0x18, 0x1A, 0x1B
STOPS: dict[Kind, bytes] = {"+VTX": bytes((ETX, CAN)), "+VRX": b"!\x1b", "+VTR": b"^"}
START = 3  # frames that must wait before the sound begins, so that uneven writers make no gaps
ROOM = 8000  # samples that wait when the host cannot be held back
UNDERRUN_EVERY = 16  # bytes from the host for one underrun, beyond the budget: as measured on a CX93001


class Code(NamedTuple):
    """What followed a DLE of the host, and whether a literal DLE came right before."""

    code: int
    tripled: bool


class HostBytes:
    """Takes the host's shielding off: sound and codes, wherever the bytes are cut."""

    def __init__(self) -> None:
        self._shielded = self._literal = False

    def take(self, data: bytes) -> list[bytes | Code]:
        """Pieces of sound and codes in their order."""
        pieces: list[bytes | Code] = []
        at = 0
        while at < len(data):
            if self._shielded:
                pieces.append(self._after_shield(data[at]))
                at += 1
                continue
            end = data.find(DLE, at)
            plain = data[at:] if end < 0 else data[at:end]
            if plain:
                self._literal = False
                pieces.append(plain)
            self._shielded = end >= 0
            at += len(plain) + (end >= 0)
        return pieces

    def _after_shield(self, code: int) -> bytes | Code:
        self._shielded = False
        literal, self._literal = self._literal, code == DLE
        if code == DLE:
            return bytes((DLE,))
        if code == SUB:
            return bytes((DLE, DLE))
        return Code(code, literal)


class Stream:
    """One stream from its CONNECT to its end: no port and no clock in it.

    `taken` counts the sound bytes from the host, `codes` has every code that it sent, known or not.
    """

    def __init__(self, kind: Kind, coding: Coding, *, stop_dles: int = 1, can_ends: bool = True) -> None:
        self.kind, self.coding = kind, coding
        self.taken = 0
        self.codes: list[int] = []
        self.paused = self.ending = self.over = False
        self.underruns = self.overruns = 0
        self.held_back = True  # the host heeds flow control
        self._stop_dles, self._can_ends = stop_dles, can_ends
        self._host = HostBytes()
        self._waiting = bytearray()
        self._flowing = False

    @property
    def plays(self) -> bool:
        """Whether sound goes to the line."""
        return self.kind != "+VRX"

    @property
    def records(self) -> bool:
        """Whether sound comes from the line."""
        return self.kind != "+VTX"

    @property
    def waiting(self) -> int:
        """Samples of the host that have not been said yet."""
        return len(self._waiting) // self.coding.width

    def hear(self, data: bytes) -> list[int]:
        """Take bytes of the host; the codes in it that are not the stream's own business."""
        others = []
        for piece in self._host.take(data):
            if isinstance(piece, bytes):
                self._take(piece)
            elif not self._obey(piece):
                others.append(piece.code)
        return others

    def said(self) -> bytes:
        """The next frame for the line: what the host said, or silence."""
        need = SAMPLES * self.coding.width
        if not self.plays or self.paused or not (self._flowing or self.ending or self.waiting >= START * SAMPLES):
            self._end_if_empty()
            return SILENCE
        if not self._waiting or (len(self._waiting) < need and not self.ending):
            self._run_dry()
            return SILENCE
        self._flowing = True
        piece = bytes(self._waiting[:need])
        del self._waiting[:need]
        self._end_if_empty()
        return self.coding.decode(piece[: len(piece) // self.coding.width * self.coding.width]).ljust(FRAME, b"\0")

    def _take(self, sound: bytes) -> None:
        self.taken += len(sound)
        if not self.plays:
            return
        room = len(sound) if self.held_back else max(0, ROOM * self.coding.width - len(self._waiting))
        self._waiting += sound[:room]
        if room < len(sound):
            self.overruns += 1

    def _obey(self, code: Code) -> bool:
        """Whether it is about the flow of sound."""
        self.codes.append(code.code)
        if code.code in STOPS[self.kind]:
            if self._stop_dles == 1 or code.tripled:
                self._stop(code.code)
        elif code.code in b"pr":
            self.paused = code.code == ord("p")
        else:
            return False
        return True

    def _stop(self, code: int) -> None:
        if code == CAN:
            self._waiting.clear()
            self.ending = self._can_ends
        else:
            self.ending = True
        if self.kind != "+VTX":
            self.over = True  # what waits is flushed
        self.paused = False
        self._end_if_empty()

    def _run_dry(self) -> None:
        if self._flowing:
            self._flowing = False
            self.underruns += 1
        self._end_if_empty()

    def _end_if_empty(self) -> None:
        self.over = self.over or (self.ending and not self._waiting)
