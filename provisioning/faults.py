"""What can be wrong with a recording: a word that its row keeps, numbers, and a sentence in every language."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from firmware.text.catalogue import mark

MOST = 20  # faults of one recording that are kept


class Flaw(Enum):
    """A kind of fault, by the word that rows keep."""

    EMPTY = "empty"
    NO_JOURNAL = "no-journal"
    NO_SEGMENT = "no-segment"
    TORN = "torn"
    DAMAGED = "damaged"
    SEALED = "sealed"
    STRANGE = "strange"
    FOREIGN = "foreign"
    TWICE = "twice"
    SHUFFLED = "shuffled"
    MISSING = "missing"
    FAR = "far"
    OPEN = "open"
    FOREIGN_END = "foreign-end"
    COUNT = "count"
    HASH = "hash"
    TRAILING = "trailing"
    MORE = "more"


SAID: dict[Flaw, str] = {
    Flaw.EMPTY: mark("It is empty."),
    Flaw.NO_JOURNAL: mark("It holds no whole record: it is no recording, or nothing of it is left."),
    Flaw.NO_SEGMENT: mark("There is no sound in it: it ended before anything was kept."),
    Flaw.TORN: mark("Its end is torn off; bytes of a record that is not whole: {count}."),
    Flaw.DAMAGED: mark("Bytes have changed; damaged records: {count}, from record {at} on."),
    Flaw.SEALED: mark(
        "The key does not open it; records that are sealed to another key: {count}, from record {at} on."
    ),
    Flaw.STRANGE: mark("Records that hold nothing a booth writes: {count}, from record {at} on."),
    Flaw.FOREIGN: mark("Segments that belong to another call: {count}, from record {at} on. They are not played."),
    Flaw.TWICE: mark("Segments that are there twice: {count}, from segment {at} on. Each is played once."),
    Flaw.SHUFFLED: mark(
        "Segments in the wrong order: {count}, from segment {at} on. They are played in the right one."
    ),
    Flaw.MISSING: mark("Segments that are missing: {count}, from segment {at} on. There is silence in their place."),
    Flaw.FAR: mark(
        "Segments that are missing: {count}, from segment {at} on. It is too long for silence in their place."
    ),
    Flaw.OPEN: mark("It has no end: the call goes on, or the booth crashed and has not started since."),
    Flaw.FOREIGN_END: mark("Its end belongs to another call."),
    Flaw.COUNT: mark("Its end states another number of segments: {count}, where {at} are."),
    Flaw.HASH: mark("The hash in its end does not match what comes before it."),
    Flaw.TRAILING: mark("Bytes behind its end: {count}. They are not used."),
    Flaw.MORE: mark("Further faults: {count}."),
}
"""The sentences, in English as they are translated; records and segments are counted from 0."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, with its numbers."""

    flaw: Flaw
    at: int = 0
    count: int = 1

    @property
    def detail(self) -> str:
        """In English."""
        return SAID[self.flaw].format(at=self.at, count=self.count)


class Faults:
    """All that is found; what lies side by side becomes one, and of too many only the first are told."""

    def __init__(self) -> None:
        self._found: list[Fault] = []
        self._more = 0

    def add(self, flaw: Flaw, at: int = 0, count: int = 1) -> None:
        """One more."""
        last = self._found[-1] if self._found else None
        if last and last.flaw is flaw and last.at + last.count == at:
            self._found[-1] = Fault(flaw, last.at, last.count + count)
        elif len(self._found) < MOST:
            self._found.append(Fault(flaw, at, count))
        else:
            self._more += 1

    def __len__(self) -> int:
        """How many there are."""
        return len(self._found) + self._more

    def __contains__(self, flaw: Flaw) -> bool:
        """Whether there is one of that kind."""
        return any(fault.flaw is flaw for fault in self._found)

    @property
    def told(self) -> tuple[Fault, ...]:
        """For a person."""
        return (*self._found, *([Fault(Flaw.MORE, count=self._more)] if self._more else ()))


def plain(faults: Iterable[Fault]) -> str:
    """As a row keeps them.

    >>> plain([Fault(Flaw.MISSING, 2, 3), Fault(Flaw.OPEN)])
    'missing 2 3; open 0 1'
    """
    return "; ".join(f"{fault.flaw.value} {fault.at} {fault.count}" for fault in faults)


def read(kept: str) -> list[Fault]:
    """What a row keeps.

    >>> [fault.detail for fault in read("count 4 5")]
    ['Its end states another number of segments: 5, where 4 are.']
    """
    parts = (one.split() for one in kept.split(";") if one)
    return [Fault(Flaw(flaw), int(at), int(count)) for flaw, at, count in parts]
