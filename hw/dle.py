r"""The shielding of V.253: codes and sound in one stream of bytes, without any I/O.

A code is DLE and one character. A byte of sound that happens to be a DLE is sent twice. The two halves may come in
different reads, so who listens must remember: searching the pieces finds codes where none are.

>>> Unshield().hear(b"\x80\x10\x10b\x10b\x7f")
[b'\x80\x10b', Code(letter='b'), b'\x7f']
"""

from dataclasses import dataclass

DLE, SUB = 0x10, 0x1A
ETX = "\x03"
SUBSTITUTE = bytes((DLE, SUB))
TONES = frozenset("0123456789*#ABCD")
PRESSED, RELEASED = "/", "~"
REPEATED = 0.15  # seconds: a held key is told again every 70 ms by modems that tell no release


@dataclass(frozen=True, slots=True)
class Code:
    """What follows a DLE."""

    letter: str


class Unshield:
    """Takes sound and codes apart, whatever the cuts between them."""

    def __init__(self) -> None:
        self._half = False  # a DLE was the last byte

    def hear(self, data: bytes) -> list[bytes | Code]:
        """What `data` holds, in order; no two pieces of sound in a row."""
        if not self._half and DLE not in data:
            return [data] if data else []
        said: list[bytes | Code] = []
        sound = bytearray()
        for byte in data:
            if not self._half:
                self._half = byte == DLE
                if not self._half:
                    sound.append(byte)
                continue
            self._half = False
            if byte in (DLE, SUB):
                sound += b"\x10" if byte == DLE else b"\x10\x10"
                continue
            if sound:
                said.append(bytes(sound))
                sound.clear()
            said.append(Code(chr(byte)))
        return [*said, bytes(sound)] if sound else said


def shield(sound: bytes, *, substitute: bool = False) -> bytes:
    r"""The same sound, fit to be sent; with `substitute`, two DLEs in a row become DLE SUB.

    >>> shield(b"\x7f\x10\x10\x10"), shield(b"\x7f\x10\x10\x10", substitute=True)
    (b'\x7f\x10\x10\x10\x10\x10\x10', b'\x7f\x10\x1a\x10\x10')
    """
    if substitute:
        pairs = sound.split(b"\x10\x10")
        return SUBSTITUTE.join(shield(piece) for piece in pairs)
    return sound.replace(b"\x10", b"\x10\x10")


class Keys:
    """Keys pressed at the far end, each once however often a modem tells it.

    Most modems put a key between two codes, pressed and released, and repeat it while it is held; some only repeat it.
    """

    def __init__(self) -> None:
        self._held = False
        self._last = ""
        self._told_at = float("-inf")

    def hear(self, letter: str, now: float) -> str | None:
        """The digit, if this code tells of a key newly pressed at `now` (monotonic seconds)."""
        if letter in (PRESSED, RELEASED):
            self._held, self._last = letter == PRESSED, ""
            return None
        if letter not in TONES:
            return None
        again = letter == self._last and (self._held or now - self._told_at < REPEATED)
        self._last, self._told_at = letter, now
        return None if again else letter
