"""Two ears in one Ogg Opus file, as they were recorded: no re-encoding.

Two uncoupled mono streams in mapping family 1 (RFC 7845, section 5.1.1.2): left the agent, right the customer.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from firmware.opus import PRE_SKIP
from hw.contracts import RATE

GRANULE = 960  # samples at 48 kHz in 20 ms: what Ogg counts in, whatever was encoded
PACKETS_PER_PAGE = 50  # a page a second: players seek by pages
LONGEST_PACKET = 1275  # bytes (RFC 6716, section 3.4)
MOST_SEGMENTS = 255  # lacing values a page can hold (RFC 3533, section 6)
SERIAL = 1  # the file holds one logical stream
FIRST, LAST = 2, 4  # header flags

_PAGE = struct.Struct("<4sBBqIIIB")
_HEAD = struct.Struct("<8sBBHIhB")


class OggError(ValueError):
    """Packets that cannot be put into one file."""


def mux(agent: Sequence[bytes], customer: Sequence[bytes], comments: Mapping[str, str]) -> bytes:
    """A stereo Ogg Opus file of two ears' packets, one of each per 20 ms."""
    if len(agent) != len(customer):
        raise OggError(f"{len(agent)} packets of the agent and {len(customer)} of the customer")
    packets = (self_delimited(left) + right for left, right in zip(agent, customer, strict=True))
    return b"".join(pages(packets, comments))


def pages(packets: Iterable[bytes], comments: Mapping[str, str]) -> Iterator[bytes]:
    """The same page by page, of packets that hold both ears: a long call need never be in memory as a whole."""
    yield page([head()], 0, 0, FIRST)
    yield page([tags(comments)], 0, 1, 0)
    granule = 0
    for number, (batch, last) in enumerate(_batches(packets), 2):
        granule += GRANULE * len(batch)
        yield page(batch, granule, number, LAST if last else 0)


def head() -> bytes:
    """The identification header: two channels, two streams, none coupled, each channel its own stream."""
    family, streams, coupled = 1, 2, 0
    return _HEAD.pack(b"OpusHead", 1, 2, PRE_SKIP, RATE, 0, family) + bytes([streams, coupled, 0, 1])


def tags(comments: Mapping[str, str]) -> bytes:
    """The comment header."""
    texts = ["boothphone", *(f"{name}={value}" for name, value in comments.items())]
    vendor, *rest = (struct.pack("<I", len(text.encode())) + text.encode() for text in texts)
    return b"".join((b"OpusTags", vendor, struct.pack("<I", len(rest)), *rest))


def self_delimited(packet: bytes) -> bytes:
    r"""A packet that states its own length (RFC 6716, appendix B); only of code 0, one frame, which is all we write.

    >>> self_delimited(b"\x08abc").hex(" ")
    '08 03 61 62 63'
    """
    if not packet or packet[0] & 3:
        raise OggError("a packet that is not one single frame")
    return packet[:1] + _length(len(packet) - 1) + packet[1:]


def is_frame(packet: bytes) -> bool:
    r"""Whether a packet is one single frame of 20 ms, which is all that booths write (RFC 6716, section 3.1).

    >>> [is_frame(packet) for packet in (b"\x08abc", b"", b"\x0babc", b"\x18abc", b"\xf8abc")]
    [True, False, False, False, True]
    """
    if not 0 < len(packet) <= LONGEST_PACKET or packet[0] & 3:
        return False
    kind = packet[0] >> 3  # 0 to 11 SILK, to 15 hybrid, to 31 CELT
    return kind % 4 == (1 if kind < 12 else 3) or kind in {13, 15}


def _length(size: int) -> bytes:
    """Frame length coding (RFC 6716, section 3.2.1)."""
    if size < 252:
        return bytes([size])
    first = 252 + (size & 3)
    return bytes([first, (size - first) >> 2])


def _batches(packets: Iterable[bytes]) -> Iterator[tuple[Sequence[bytes], bool]]:
    """The packets of each page, and whether it is the last; no page is left with more lacing values than it holds."""
    batch: list[bytes] = []
    room = MOST_SEGMENTS
    for packet in packets:
        need = len(packet) // 255 + 1
        if len(batch) == PACKETS_PER_PAGE or need > room:
            yield batch, False
            batch, room = [], MOST_SEGMENTS
        batch.append(packet)
        room -= need
    yield batch, True


def page(packets: Sequence[bytes], granule: int, number: int, flags: int) -> bytes:
    """One Ogg page of whole packets."""
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    body = b"".join(packets)
    blank = _PAGE.pack(b"OggS", 0, flags, granule, SERIAL, number, 0, len(lacing)) + lacing
    checksum = crc(blank + body)
    return blank[:22] + struct.pack("<I", checksum) + blank[26:] + body


def crc(data: bytes) -> int:
    """Ogg's checksum: polynomial 04C11DB7, not reflected, begun with zero, not inverted.

    >>> hex(crc(b"123456789"))
    '0x89a1897f'
    """
    # zlib knows the same polynomial with every bit reversed, and inverts before and after.
    value = zlib.crc32(data.translate(_REVERSED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int.from_bytes(value.to_bytes(4, "little").translate(_REVERSED), "big")


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
