"""The picture of a recording: how loud each ear was, drawn from the packets once."""

from array import array
from collections.abc import Sequence
from itertools import pairwise

from firmware.opus import Decoder, OpusError

BUCKETS = 800
_LOOKED_AT = slice(None, None, 4)  # every fourth sample: a picture needs no more
_FULL = 32768


class Waveform:
    """Hears packets in their order; a byte of memory for each."""

    def __init__(self) -> None:
        self._decoders = Decoder(), Decoder()
        self._levels = bytearray(), bytearray()

    @property
    def frames(self) -> int:
        """How many frames of 20 ms were heard."""
        return len(self._levels[0])

    def hear(self, agent: Sequence[bytes], customer: Sequence[bytes]) -> None:
        """The next packets of both ears."""
        for decoder, levels, packets in zip(self._decoders, self._levels, (agent, customer), strict=True):
            levels.extend(_level(decoder, packet) for packet in packets)

    def peaks(self) -> bytes:
        """The loudest moment of each bucket, agent and customer in turn: 0 to 255, at most BUCKETS pairs."""
        frames = self.frames
        count = min(BUCKETS, frames)
        edges = [frames * number // count for number in range(count + 1)] if count else []
        return bytes(max(levels[begin:end]) for begin, end in pairwise(edges) for levels in self._levels)


def _level(decoder: Decoder, packet: bytes) -> int:
    """0 to 255; a packet that cannot be decoded is silence."""
    try:
        samples = array("h", decoder.decode(packet))[_LOOKED_AT]
    except OpusError:
        return 0
    if not samples:
        return 0
    highest, lowest = max(samples), min(samples)
    return min(255, max(highest, -lowest) * 256 // _FULL)
