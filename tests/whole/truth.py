"""What really happened to a call, as the exchange saw it, and where its record says something else."""

import threading
import time
from dataclasses import dataclass

from hw.events import Cause, Party

NEAR_ENOUGH = 0.2  # seconds between a talk and its record, on a line that tells when it begins and ends
TOGETHER = 0.5  # seconds: what both sides do within so short a time may be told in either order
REFUSING = 1.0  # seconds for which an analog line must be taken to refuse a call
# An analog line tells a talk's begin by a voice: half a second of it, and the modem's own start of the sound.
LATE_BEGIN = 1.2
# Its end by a busy tone that has come three times: 2.5 s, and what waits in the jitter buffers.
LATE_END = 3.0
ANALOG_ALL = frozenset({Cause.BUSY, Cause.NO_ANSWER})

UNASSIGNED, NORMAL, BUSY, NO_ANSWER, REJECTED = 1, 16, 17, 19, 21


@dataclass
class Seen:
    """One call at the exchange; moments are monotonic."""

    incoming: bool
    began: float
    rang: float | None = None
    answered: float | None = None
    ended: float | None = None
    cause: int = 0
    here: bool = False  # ended by the booth's side
    second: bool = False

    def __repr__(self):
        def since(moment):
            return "never" if moment is None else f"{moment - self.began:.2f}"

        way = "in" if self.incoming else "out"
        return (
            f"[{way}{', second' * self.second} at {self.began:.2f}: rang {since(self.rang)}, answered {since(self.answered)},"
            f" ended {since(self.ended)} with {self.cause} by {'us' if self.here else 'them'}]"
        )


class Witness:
    """Hears what the exchange tells of every change."""

    def __init__(self, exchange):
        self.calls: list[Seen] = []
        self._lock = threading.Lock()
        exchange.listen(self._hear)

    def _hear(self, progress):
        now = time.monotonic()
        if progress.tone:
            return
        with self._lock:
            going = [one for one in self.calls if one.ended is None and one.second == progress.second]
            if progress.state in ("dialling", "ringing", "waiting") or not going:
                self.calls.append(Seen(progress.incoming, now, second=progress.second))
                return
            one = going[-1]
            if progress.state == "alerting":
                one.rang = now
            elif progress.state == "talking" and one.answered is None:
                one.answered = now
            elif progress.state == "idle":
                one.ended, one.cause, one.here = now, progress.cause, progress.ended_here


@dataclass(frozen=True)
class Spoken:
    """What the booth's side did, and under what circumstances."""

    presses: tuple
    stall: float
    trouble: object
    script: object
    analog: bool
    line: str

    def pressed(self, key, start, end):
        """The last moment between these at which a key was pressed."""
        return next((at for at, one in reversed(self.presses) if one == key and start <= at <= end), None)


def differences(records, calls, spoken):
    """Where the records of one call, and of a second caller, are untrue; and by how much the talk is off."""
    firsts = [one for one in calls if not one.second]
    seconds = [one for one in calls if one.second]
    missed = [one for one in records if one["incoming"] and one["cause"] == "BUSY"]
    mains = [one for one in records if one not in missed]
    found = [f"{one['id']} has no end" for one in records if one["cause"] is None]
    if len(missed) > len(seconds):
        found.append(f"{len(missed)} records of a second caller, of whom there were {len(seconds)}")
    given_up = not firsts and [(one["answered"], one["by"]) for one in mains] == [(False, "NEAR")]
    if spoken.trouble.harmless and len(mains) != len(firsts) and not given_up:
        found.append(f"{len(mains)} records of {len(firsts)} calls")
    if not mains and any(not one.incoming for one in firsts):
        found.append("no record of a dial")
    if len(mains) > 1:
        found.append(f"{len(mains)} records")
    own = [one for one in firsts if mains and one.incoming == mains[0]["incoming"]]
    if found or not mains:
        return found, 0.0
    if not own:
        return list(_untrue(mains[0], None, spoken)), 0.0
    seen = own[0]
    off = _off(mains[0], seen, spoken) if seen.answered and mains[0]["answered"] and spoken.trouble.harmless else 0.0
    return list(_untrue(mains[0], seen, spoken)), off


def _off(record, seen, spoken):
    """Seconds by which a talk is recorded too long; for us it ends when the key is pressed."""
    pressed = spoken.pressed("D", seen.began, seen.ended + 5.0) if record["by"] == "NEAR" else None
    return record["talk"] - (min(seen.ended, pressed or seen.ended) - seen.answered)


def _untrue(record, seen, spoken):
    said = (record["answered"], Cause[record["cause"]], Party[record["by"]])
    if spoken.trouble.harmless and seen is not None:
        yield from _of_good_call(record, said, seen, spoken)
    elif not spoken.trouble.damages:
        yield from _of_bad_call(record, said, seen, spoken)
    if record["answered"] and record["estimated"] and not (spoken.analog and not record["incoming"]):
        yield "a guess where the line can tell"
    if not record["answered"] and record["talk"]:
        yield f"a talk of {record['talk']:.2f} s that nobody had"
    if record["recording"] and abs(record["recording"]["talk"] - record["talk"]) > NEAR_ENOUGH + spoken.stall:
        yield f"a recording of {record['recording']['talk']:.2f} s of a talk of {record['talk']:.2f} s"


def _of_good_call(record, said, seen, spoken):
    pressed = spoken.pressed("D", seen.began, seen.ended + 5.0)
    allowed = _allowed(seen, pressed, spoken)
    if said not in allowed:
        yield f"{said}, not {allowed}"
    elif record["answered"]:
        early, late = _bounds(said, spoken)
        off = _off(record, seen, spoken)
        if not -early <= off <= late:
            yield f"the talk is off by {off:.2f} s"


def _bounds(said, spoken):
    """By how much a talk may be recorded too short and too long."""
    near = NEAR_ENOUGH + spoken.stall
    if not spoken.analog:
        return near, near
    early = near if spoken.script.incoming else LATE_BEGIN + spoken.stall
    return early, near if said[2] is Party.NEAR else LATE_END + spoken.stall


def _allowed(seen, pressed, spoken):
    """What the record may say of an undisturbed call: answered, cause, by whom."""
    if seen.ended is None:
        return set()
    near = pressed is not None and pressed < seen.ended + TOGETHER
    allowed = set()
    if seen.answered is not None:
        if not seen.here:
            allowed.add((True, Cause.NORMAL, Party.FAR))
        if near:
            allowed.add((True, Cause.NORMAL, Party.NEAR))
        if pressed is not None and seen.answered > pressed - TOGETHER:
            allowed.add((False, Cause.NORMAL, Party.NEAR))
        if spoken.analog and seen.incoming and pressed and seen.ended - seen.answered < REFUSING:
            allowed.add((False, Cause.REJECTED, Party.NEAR))
    elif seen.incoming:
        if not seen.here:
            allowed.add((False, Cause.NO_ANSWER, Party.FAR))
        if near:
            allowed.add((False, Cause.REJECTED, Party.NEAR))
    else:
        if near:
            allowed.add((False, Cause.NORMAL, Party.NEAR))
        if not seen.here:
            allowed |= {(False, cause, Party.LINE) for cause in causes(seen, spoken)}
    return allowed


def causes(seen, spoken):
    """What this line can tell of a call that nobody took."""
    if spoken.analog:  # tones: busy or not, after ring-back or not
        return {UNASSIGNED: {Cause.DEAD_NUMBER, Cause.BUSY}}.get(seen.cause, ANALOG_ALL)
    if spoken.line == "huawei" and not spoken.trouble.attributes.get("cend"):
        exact = {UNASSIGNED: Cause.DEAD_NUMBER, BUSY: Cause.BUSY, NO_ANSWER: Cause.NO_ANSWER, REJECTED: Cause.REJECTED}
        return {exact[seen.cause]}
    if seen.cause == BUSY and spoken.line not in ("odd", "huawei"):
        return {Cause.BUSY}
    return {Cause.NETWORK, Cause.NO_ANSWER} if seen.rang else {Cause.NETWORK}


def _of_bad_call(record, said, seen, spoken):
    """Something broke: the record may know less than the exchange, but nothing that is not so."""
    answered, cause, by = said
    talked = seen is not None and seen.answered is not None
    if answered and not talked:
        yield "answered by nobody"
    if answered and talked:
        _, late = _bounds((True, cause, Party.FAR), spoken)
        off = _off(record, seen, spoken)
        if off > late + spoken.trouble.blind:
            yield f"a talk too long by {off:.2f} s"
    if by is Party.NEAR and not spoken.pressed("D", 0.0, float("inf")):
        yield f"{said}, but nobody pressed a key"
    if by is Party.FAR and seen is not None and seen.here:
        yield f"{said}, but they did not hang up"
    true = {Cause.BUSY: BUSY, Cause.DEAD_NUMBER: UNASSIGNED, Cause.REJECTED: REJECTED}
    if cause in true and by is Party.LINE and not spoken.analog and (seen is None or seen.cause != true[cause]):
        yield f"{said} of a call that ended otherwise"
