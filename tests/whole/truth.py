"""What really happened to a call, as the exchange saw it, and where its record says something else."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hw.emulated.exchange import Exchange, Progress
from hw.events import Cause, Party
from tests.whole.scripts import Script
from tests.whole.troubles import NONE, Trouble

NEAR_ENOUGH = 0.2  # seconds between a talk and its record, on a line that tells when it begins and ends
TOGETHER = 0.5  # seconds: what both sides do within so short a time may be told in either order
AFTER = 5.0  # seconds after a call's end in which a key may still be meant for it
HANGING = 1.0  # seconds that our hanging-up may last: who rings in them may be sent away with it
FIRST_RING = 1.0  # seconds of the first ring, at whose end an analog modem says so
UNHEARD = 0.05  # seconds in which a modem may not even have said that somebody rings
REFUSING = 1.0  # seconds for which an analog line must be taken to refuse a call
# An analog line tells of an answer by a voice: 0.2 s of it within half a second, and speech has pauses.
LATE_BEGIN = 1.2
# It tells of the end by three busy tones of half a second each, with two pauses (2.5 s); the stream lags by 0.1 s.
LATE_END = 2.8

UNASSIGNED, BUSY, NO_ANSWER, REJECTED = 1, 17, 19, 21
EXACTLY = {UNASSIGNED: Cause.DEAD_NUMBER, BUSY: Cause.BUSY, NO_ANSWER: Cause.NO_ANSWER, REJECTED: Cause.REJECTED}

Record = dict[str, Any]
Said = tuple[bool, Cause, Party]  # answered, why it ended, by whom


@dataclass
class Seen:
    """One call at the exchange; moments are monotonic."""

    incoming: bool
    began: float
    number: str | None = None
    rang: float | None = None
    answered: float | None = None
    ended: float | None = None
    cause: int = 0
    here: bool = False  # ended by the booth's side
    second: bool = False

    def __repr__(self) -> str:
        def since(moment: float | None) -> str:
            return "never" if moment is None else f"{moment - self.began:.2f}"

        way = ("in" if self.incoming else "out") + ", second" * self.second
        return (
            f"[{way} at {self.began:.2f}: rang {since(self.rang)}, answered {since(self.answered)}, ended"
            f" {since(self.ended)} with {self.cause} by {'us' if self.here else 'them'}]"
        )


class Witness:
    """Hears what the exchange tells of every change; `calls` may be cleared between two of them."""

    def __init__(self, exchange: Exchange) -> None:
        self.calls: list[Seen] = []
        self._lock = threading.Lock()
        exchange.listen(self._hear)

    def _hear(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.tone:
            return
        with self._lock:
            going = [one for one in self.calls if one.ended is None and one.number == progress.number]
            if not going:
                self.calls.append(Seen(progress.incoming, now, progress.number, second=progress.second))
                return
            one = going[-1]
            if progress.state == "alerting":
                one.rang = now
            elif progress.state == "talking" and one.answered is None:
                one.answered = now
            elif progress.state == "idle":
                one.ended, one.cause, one.here = now, progress.cause, progress.ended_here


@dataclass(frozen=True)
class Circumstances:
    """What the booth's side did in a call, what broke, and how long the machine let the process wait."""

    line: str
    analog: bool
    script: Script
    trouble: Trouble
    presses: tuple[tuple[float, str], ...]  # when, which key
    stall: float = 0.0
    before: Trouble = NONE  # in the call before
    restarted: bool = False  # the modem was told to, for the sound of the call before

    def parted(self, seen: Seen) -> float | None:
        """When the booth's side hung up or refused the call, if it did."""
        end = (seen.ended or float("inf")) + AFTER
        pressed = [at for at, key in self.presses if key == "D" and seen.began <= at <= end]
        talking = [at for at in pressed if seen.answered is not None and at >= seen.answered]
        return talking[0] if talking else pressed[-1] if pressed else None

    def sent_away(self, seen: Seen) -> bool:
        """Whether a caller may have come while we were still hanging up, and have gone with it."""
        short = seen.ended is not None and seen.ended - seen.began < HANGING
        return short and seen.incoming and seen.here and seen.answered is None

    def unheard(self, seen: Seen) -> bool:
        """Whether a caller may have given up before an analog modem could tell a ring from noise."""
        short = seen.ended is not None and seen.ended - seen.began < FIRST_RING
        return self.analog and short and seen.incoming and seen.answered is None

    @property
    def near_enough(self) -> float:
        """Seconds by which a moment may be off."""
        return NEAR_ENOUGH + self.stall + self.trouble.delays


def differences(records: list[Record], calls: list[Seen], around: Circumstances) -> list[str]:
    """Where the records of one call, and of a second caller, are untrue."""
    first, record, found = _paired(records, calls, around)
    if found or record is None:
        return found
    return list(_untrue(record, first, around))


def off(records: list[Record], calls: list[Seen], around: Circumstances) -> float:
    """Seconds by which the talk of an undisturbed call is recorded too long."""
    first, record, found = _paired(records, calls, around)
    counts = around.trouble.harmless and not found and record and record["answered"]
    return _off(record, first, around) if counts and first and first.answered else 0.0


def _paired(
    records: list[Record], calls: list[Seen], around: Circumstances
) -> tuple[Seen | None, Record | None, list[str]]:
    """The call and its record, and what is wrong with their number."""
    seconds = [one for one in calls if one.second or around.sent_away(one)]
    firsts = [one for one in calls if one not in seconds]
    mains, missed = _told_apart(records, len(firsts), len(seconds), around)
    found = [f"the record {one['id']} has no end" for one in records if one["cause"] is None]
    heard = [one for one in seconds if (one.ended or float("inf")) - one.began >= UNHEARD]
    if (len(missed) > len(seconds) and not around.trouble.damages) or (
        around.trouble.harmless and len(missed) < len(heard)
    ):
        found.append(f"{len(missed)} records of {len(seconds)} second callers")
    least = sum(not around.unheard(one) for one in firsts)
    told = least <= len(mains) <= len(firsts) or (not firsts and _never_dialled(mains, around))
    if (len(mains) > max(1, len(firsts)) and not around.trouble.damages) or (around.trouble.harmless and not told):
        found.append(f"{len(mains)} records of {len(firsts)} calls")
    if not mains and any(not one.incoming for one in firsts):
        found.append("no record of a dial")
    record = mains[0] if mains else None
    own = [one for one in firsts if record and one.incoming == record["incoming"]]
    return own[0] if own else None, record, found


def _told_apart(
    records: list[Record], firsts: int, seconds: int, around: Circumstances
) -> tuple[list[Record], list[Record]]:
    """The records of the call itself, and those of callers who found the line busy.

    Somebody who waits on when the call is over rings as any caller does; and who rings on when a modem is back rings anew.
    """
    missed = [one for one in records if one["incoming"] and one["cause"] == "BUSY"]
    mains = [one for one in records if one not in missed]
    while seconds and len(mains) > firsts and mains[-1]["incoming"] and not mains[-1]["answered"]:
        waited_on = mains.pop()
        missed += [waited_on] if len(missed) < seconds else []
    lost = (False, "LOST", "LINE")
    while not around.trouble.harmless and len(mains) > 1 and all(one["incoming"] for one in mains[:2]):
        if (mains[0]["answered"], mains[0]["cause"], mains[0]["by"]) != lost:
            break
        del mains[0]
    return mains, missed


def _never_dialled(mains: list[Record], around: Circumstances) -> bool:
    """Whether a dial did not come so far: given up in time, or too late for a modem that was broken or restarting."""
    said = [(one["answered"], one["cause"], one["by"]) for one in mains]
    broken = (around.restarted or not around.before.harmless) and said in (
        [(False, "FAILED", "LINE")],
        [(False, "LOST", "LINE")],
    )
    return broken or [(one[0], one[2]) for one in said] == [(False, "NEAR")]


def _off(record: Record, seen: Seen, around: Circumstances) -> float:
    """Seconds by which a talk is recorded too long; for us it ends when the key is pressed."""
    assert seen.ended is not None
    assert seen.answered is not None
    parted = around.parted(seen) if record["by"] == "NEAR" else None
    return float(record["talk"]) - (min(seen.ended, parted or seen.ended) - seen.answered)


def _untrue(record: Record, seen: Seen | None, around: Circumstances) -> Iterator[str]:
    said = (record["answered"], Cause[record["cause"]], Party[record["by"]])
    if around.trouble.harmless and seen is not None:
        yield from _of_good_call(record, said, seen, around)
    elif not around.trouble.damages:
        yield from _of_bad_call(record, said, seen, around)
    hides = around.analog or not around.trouble.harmless or around.trouble.attributes
    key = record["number"]["key"]
    hidden = seen is not None and seen.incoming and (around.trouble.damages or (hides and not key))
    if seen is not None and not hidden and key != f"+81{(seen.number or '')[1:]}":
        yield f"a call with {key}"
    if record["answered"]:
        yield from _of_recording(record, around)
    elif record["talk"]:
        yield f"a talk of {record['talk']:.2f} s that nobody had"


def _of_recording(record: Record, around: Circumstances) -> Iterator[str]:
    kept, talk = record["recording"], record["talk"]
    if record["estimated"] and (record["incoming"] or not around.analog):
        yield "the answer is called a guess where the line tells it"
    if not kept or not kept["complete"]:
        yield f"the recording is not whole: {kept}"
    elif abs(kept["talk"] - talk) > around.near_enough:
        yield f"a recording of {kept['talk']:.2f} s of a talk of {talk:.2f} s"


def _of_good_call(record: Record, said: Said, seen: Seen, around: Circumstances) -> Iterator[str]:
    allowed = _allowed(seen, around)
    if said not in allowed:
        yield f"{said}, not {allowed}"
    elif record["answered"]:
        early, late = _bounds(said, around)
        if not -early <= (too_long := _off(record, seen, around)) <= late:
            yield f"the talk is {too_long:.2f} s too long"


def _bounds(said: Said, around: Circumstances) -> tuple[float, float]:
    """By how many seconds a talk may be recorded too short, and too long."""
    near = around.near_enough
    if not around.analog:
        return near, near
    early = near if around.script.incoming else LATE_BEGIN + around.stall
    return early, near if said[2] is Party.NEAR else LATE_END + around.stall


def _allowed(seen: Seen, around: Circumstances) -> set[Said]:
    """What the record may say of an undisturbed call."""
    if seen.ended is None:
        return set()
    parted = around.parted(seen)
    by_us = parted is not None and parted < seen.ended + TOGETHER
    if seen.answered is None:
        ours: Said = (False, Cause.REJECTED if seen.incoming else Cause.NORMAL, Party.NEAR)
        return ({ours} if by_us else set()) | (set() if seen.here else _theirs(seen, around))
    allowed: set[Said] = {(True, Cause.NORMAL, Party.NEAR)} if by_us else set()
    if not seen.here:
        allowed.add((True, Cause.NORMAL, Party.FAR))
    if parted is not None and seen.answered > parted - TOGETHER:  # answered while we gave up
        allowed.add((False, Cause.NORMAL, Party.NEAR))
    if around.analog and seen.incoming and parted and seen.ended - seen.answered < REFUSING:
        allowed.add((False, Cause.REJECTED, Party.NEAR))
    return allowed


def _theirs(seen: Seen, around: Circumstances) -> set[Said]:
    """What may be said of a call that nobody took, when it was not we who ended it."""
    if seen.incoming:
        return {(False, Cause.NO_ANSWER, Party.FAR)}
    return {(False, cause, Party.LINE) for cause in causes(seen, around)}


def causes(seen: Seen, around: Circumstances) -> set[Cause]:
    """What this line can tell of a call that nobody took."""
    if around.analog:  # by tones: busy or information, after ring-back or not
        dead = {Cause.DEAD_NUMBER} if "announces" not in around.trouble.attributes else {Cause.BUSY}
        return dead if seen.cause == UNASSIGNED else {Cause.BUSY, Cause.NO_ANSWER}
    if around.line == "huawei" and "cend" not in around.trouble.attributes:
        return {EXACTLY[seen.cause]}
    if seen.cause == BUSY and around.line not in ("odd", "huawei"):
        return {Cause.BUSY}
    return {Cause.NETWORK, Cause.NO_ANSWER} if seen.rang else {Cause.NETWORK}  # NO CARRIER says no more


def _of_bad_call(record: Record, said: Said, seen: Seen | None, around: Circumstances) -> Iterator[str]:
    """Something broke: the record may know less than the exchange, but nothing that is not so."""
    answered, cause, by = said
    if answered and (seen is None or seen.answered is None):
        yield "answered by nobody"
    elif answered and seen:
        _, late = _bounds((True, cause, Party.FAR), around)
        if (too_long := _off(record, seen, around)) > late + around.trouble.blind:
            yield f"the talk is {too_long:.2f} s too long"
    if by is Party.NEAR and not any(key == "D" for _, key in around.presses):
        yield f"{said}, but nobody pressed a key"
    if by is Party.FAR and seen is not None and seen.here:
        yield f"{said}, but they did not hang up"
    exact = cause in (Cause.BUSY, Cause.DEAD_NUMBER, Cause.REJECTED) and by is Party.LINE and not around.analog
    if exact and (seen is None or EXACTLY.get(seen.cause) is not cause):
        yield f"{said} of a call that ended otherwise"
