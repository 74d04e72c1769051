"""Everything that can be wrong with a journal, and what is to be said and heard of it."""

import hashlib
import struct
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import pyrage

from firmware import journal
from firmware.journal import Closing, Ending
from provisioning.faults import Flaw

PACKETS = journal.PACKETS


@dataclass(frozen=True)
class Case:
    """How a journal of that kind is made, and what the server says of it."""

    make: Callable
    state: str
    frames: int  # that play, silence included
    faults: tuple


def flip(data, at):
    """One bit changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def stranger(deck):
    """One who seals to a key that the server has not."""
    return type(deck)(str(pyrage.x25519.Identity.generate().to_public()))


def segment(deck, call, index, **other):
    """A record with a segment in which something is different."""
    return plain(deck, journal.pack_segment(replace(deck.segment(call, index), **other)))


def plain(deck, text, **how):
    """A record of any text."""
    return journal.record(deck.seal(text), **how)


def closed(deck, of, records, **wrong):
    """The records with a closing one that states something else."""
    frames = PACKETS * len(records)
    digest = hashlib.sha256(b"".join(records)).digest()
    closing = Closing(of, len(records), Ending.CLOSED, frames, 50, frames - 50, digest)
    end = journal.pack_closing(replace(closing, **wrong))
    return b"".join([*records, plain(deck, end, closing=True)])


def chosen(*order):
    """Those of four segments and the closing record, in that order."""
    return lambda deck, call: b"".join(deck.records(call, 4)[at] for at in order)


def bit(record, place):
    """One bit of one of the records changed; places before 8 are the length and the checksum."""

    def make(deck, call):
        records = deck.records(call, 4)
        return b"".join([*records[:record], flip(records[record], place), *records[record + 1 :]])

    return make


def instead(one):
    """The second of four records replaced."""

    def make(deck, call):
        records = deck.records(call, 4)
        return closed(deck, call, [records[0], one(deck, call), *records[2:4]])

    return make


def giant(deck, call):
    """The second length is of two gigabytes, and its checksum is right for that."""
    records = deck.records(call, 4)
    length = struct.pack("<I", 0x7FFF_FFF0)
    head = length + struct.pack("<I", zlib.crc32(records[1][8:], zlib.crc32(length)))
    return b"".join([records[0], head, records[1][8:], *records[2:]])


def endless(deck, call):
    """A segment of thousands of packets, more than a booth ever seals at once."""
    many = deck.segment(call, 1).agent * 200
    return segment(deck, call, 1, agent=many, customer=many)


def uneven(deck, call):
    """Three packets more for one ear than for the other."""
    text = journal.pack_segment(deck.segment(call, 1))
    return plain(deck, text + 3 * struct.pack("<H1s", 1, b"\x08"))


def short(deck, call):
    """A pause ended the second segment after half a second; the third is lost."""
    few = deck.segment(call, 1)
    records = deck.records(call, 2, closed=False)
    second = segment(deck, call, 1, agent=few.agent[:25], customer=few.customer[:25])
    fourth = segment(deck, call, 3, first=PACKETS + 25 + 40)
    return records[0] + second + fourth


LOST = (Flaw.MISSING, 1, 1)  # of the second segment, since its record is of no use
BROKEN = {
    "torn": Case(lambda deck, call: deck.journal(call, 3, closed=False) + deck.records(call, 4)[3][:999], "torn", 300, ((Flaw.TORN, 0, 999), (Flaw.OPEN, 0, 1))),
    "torn at once": Case(lambda deck, call: deck.journal(call, 1)[:200], "refused", 0, ((Flaw.NO_JOURNAL, 0, 1),)),
    "zeros behind": Case(lambda deck, call: deck.journal(call, 2, closed=False) + bytes(700), "torn", 200, ((Flaw.TORN, 0, 700), (Flaw.OPEN, 0, 1))),
    "open": Case(lambda deck, call: deck.journal(call, 4, closed=False), "torn", 400, ((Flaw.OPEN, 0, 1),)),
    "bit": Case(bit(1, 3000), "torn", 400, ((Flaw.DAMAGED, 1, 1), LOST)),
    "bit of the first": Case(bit(0, 3000), "torn", 400, ((Flaw.DAMAGED, 0, 1), (Flaw.MISSING, 0, 1))),
    "bit of the end": Case(bit(4, 100), "torn", 400, ((Flaw.DAMAGED, 4, 1), (Flaw.OPEN, 0, 1))),
    "checksum": Case(bit(1, 5), "torn", 400, ((Flaw.DAMAGED, 1, 1), LOST)),
    "length": Case(bit(1, 1), "torn", 400, ((Flaw.DAMAGED, 1, 1), LOST)),
    "giant length": Case(giant, "torn", 400, ((Flaw.DAMAGED, 1, 1), LOST)),
    "swapped": Case(chosen(1, 0, 2, 3, 4), "torn", 400, ((Flaw.SHUFFLED, 0, 1),)),
    "backwards": Case(chosen(3, 2, 1, 0, 4), "torn", 400, ((Flaw.SHUFFLED, 2, 1), (Flaw.SHUFFLED, 1, 1), (Flaw.SHUFFLED, 0, 1))),
    "twice": Case(chosen(0, 1, 1, 2, 3, 4), "torn", 400, ((Flaw.TWICE, 1, 1),)),
    "missing": Case(chosen(0, 3, 4), "torn", 400, ((Flaw.MISSING, 1, 2),)),
    "missing at the end": Case(chosen(0, 1, 2, 4), "torn", 300, ((Flaw.COUNT, 3, 4),)),
    "missing after a pause": Case(short, "torn", 265, ((Flaw.MISSING, 2, 1), (Flaw.OPEN, 0, 1))),
    "missing for days": Case(lambda deck, call: deck.records(call, 1)[0] + segment(deck, call, 90_000, first=9_000_000), "torn", 200, ((Flaw.FAR, 1, 89_999), (Flaw.OPEN, 0, 1))),
    "foreign": Case(instead(lambda deck, _: segment(deck, uuid.uuid4(), 1)), "torn", 400, ((Flaw.FOREIGN, 1, 1), LOST)),
    "another call's": Case(lambda deck, _: deck.journal(uuid.uuid4(), 4), "refused", 0, ((Flaw.FOREIGN, 0, 4), (Flaw.FOREIGN_END, 4, 1))),
    "another key": Case(lambda deck, call: stranger(deck).journal(call, 4), "refused", 0, ((Flaw.SEALED, 0, 5),)),
    "half another key": Case(lambda deck, call: b"".join([*deck.records(call, 4)[:2], *stranger(deck).records(call, 4)[2:]]), "torn", 200, ((Flaw.SEALED, 2, 3),)),
    "no journal": Case(lambda *_: b"RIFF" * 1000, "refused", 0, ((Flaw.NO_JOURNAL, 0, 1),)),
    "zeros": Case(lambda *_: bytes(5000), "refused", 0, ((Flaw.NO_JOURNAL, 0, 1),)),
    "empty": Case(lambda *_: b"", "refused", 0, ((Flaw.EMPTY, 0, 1),)),
    "only an end": Case(lambda deck, call: deck.journal(call, 0), "refused", 0, ((Flaw.NO_SEGMENT, 0, 1),)),
    "no end's hash": Case(lambda deck, call: closed(deck, call, deck.records(call, 4)[:4], sha256=bytes(32)), "torn", 400, ((Flaw.HASH, 0, 1),)),
    "no end's count": Case(lambda deck, call: closed(deck, call, deck.records(call, 4)[:4], segments=7), "torn", 400, ((Flaw.COUNT, 4, 7),)),
    "another call's end": Case(lambda deck, call: closed(deck, call, deck.records(call, 4)[:4], call=uuid.uuid4()), "torn", 400, ((Flaw.FOREIGN_END, 4, 1),)),
    "more behind the end": Case(lambda deck, call: deck.journal(call, 4) + deck.records(call, 1)[0][:333], "torn", 400, ((Flaw.TRAILING, 0, 333),)),
    "two frames in a packet": Case(instead(lambda deck, call: segment(deck, call, 1, agent=(b"\x0btwo frames",) * PACKETS)), "torn", 400, ((Flaw.STRANGE, 1, 1), LOST)),
    "frames of 60 ms": Case(instead(lambda deck, call: segment(deck, call, 1, agent=(b"\x18long",) * PACKETS)), "torn", 400, ((Flaw.STRANGE, 1, 1), LOST)),
    "packets too long": Case(instead(lambda deck, call: segment(deck, call, 1, agent=(b"\x08" + bytes(1275),) * PACKETS)), "torn", 400, ((Flaw.STRANGE, 1, 1), LOST)),
    "packets of no byte": Case(instead(lambda deck, call: segment(deck, call, 1, agent=(b"",) * PACKETS)), "torn", 400, ((Flaw.STRANGE, 1, 1), LOST)),
    "packets of noise": Case(instead(lambda deck, call: segment(deck, call, 1, customer=(b"\xf8" + b"\xff" * 50,) * PACKETS)), "whole", 400, ()),
    "endless": Case(instead(endless), "torn", 400, ((Flaw.DAMAGED, 1, 1), LOST)),
    "uneven ears": Case(instead(uneven), "torn", 400, ((Flaw.STRANGE, 1, 1), LOST)),
    "no age": Case(instead(lambda *_: journal.record(b"no age")), "torn", 400, ((Flaw.DAMAGED, 1, 1), LOST)),
    "no segment": Case(instead(lambda deck, _: plain(deck, b"hello")), "torn", 400, ((Flaw.STRANGE, 1, 1), LOST)),
    "nothing but that": Case(lambda deck, _: plain(deck, b"hello"), "refused", 0, ((Flaw.STRANGE, 0, 1), (Flaw.OPEN, 0, 1))),
}  # fmt: skip
