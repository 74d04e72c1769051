"""Recordings on their way up, piece by piece, the newest first; on a line of their own, so that no call waits for them."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic

from firmware import wire
from firmware.store import Store
from firmware.syncing.backoff import Backoff
from firmware.syncing.faults import Refused, Unintelligible
from firmware.syncing.link import Answer, Link, refuse
from firmware.syncing.outbox import era
from firmware.syncing.pace import Pace
from firmware.syncing.reels import Reel, Shelf
from firmware.syncing.strikes import RECORDING, Strikes
from firmware.tariff import Tariff

IDLE = 20.0  # seconds between two looks when nobody calls
MINUTE = 60.0
FINISHING = 500_000  # bytes of a whole recording that a slow server checks and opens in a second
_SHA256 = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")


@dataclass(frozen=True, slots=True)
class Line:
    """What the booth's line to the server may be used for now."""

    tariff: Callable[[], Tariff]
    now: Callable[[], float | None]  # UTC seconds, if known
    scarce: Callable[[], bool]  # whether the card is so full that recordings must go whatever it costs


class Haul:
    """Does one request a turn."""

    def __init__(
        self, store: Store, link: Link, shelf: Shelf, *, strikes: Strikes, line: Line, delivered: Callable[[], None]
    ) -> None:
        self._store, self._link, self._shelf = store, link, shelf
        self._strikes, self._line, self._delivered = strikes, line, delivered
        self.pace = Pace()
        self.opens = 0.0  # seconds until the line's hours begin; 0: now
        self._era, self._synced = era(store), _synced(store) & shelf.present()
        self._struck = strikes.known()
        self._resting: set[str] = set()
        self._there: dict[str, int] = {}  # bytes that the server has, as it last said
        self._worked, self._rests_until, self._turn = float("-inf"), 0.0, Backoff()

    def turn(self) -> float:
        """One request, or a look that finds nothing to do; seconds until the next."""
        self._begin_anew_if_forgotten()
        tariff = self._line.tariff()
        self.pace.limit = tariff.speed
        self.opens = 0.0 if self._line.scarce() else tariff.rest(self._line.now())
        if self.opens:
            self._rest(look=True)
            return min(self.opens, IDLE)
        if (wait := max(self.pace.wait(), self._rests_until - monotonic())) > 0:
            return wait
        try:
            sent = self._send()
        except Refused as problem:
            if not problem.my_turn_comes:
                raise
            self._rests_until = monotonic() + self._turn.failed(problem.after)
            return self._rests_until - monotonic()
        if sent:
            self._worked = monotonic()
            return 0.0
        self._rest()
        return self._strikes.rest(IDLE)

    @property
    def recordings(self) -> int:
        """How many recordings wait, those that are still being made left out."""
        here = sum(reel.whole is not False and reel.name not in self._synced for reel in self._shelf)
        return here + self._shelf.others

    @property
    def bytes(self) -> int:
        """How much that is, roughly."""
        left = (reel.size - self._there.get(reel.name, 0) for reel in self._shelf if reel.name not in self._synced)
        return sum(max(0, one) for one in left) + self._shelf.bytes_of_others

    def _rest(self, *, look: bool = False) -> None:
        """Nothing can be done now. The line is given back after a while, for a floor of booths has many."""
        if look and self._shelf.changed():
            self._look()
        self.pace.rested()
        if monotonic() - self._worked > MINUTE:
            self._link.channel.close()

    def _send(self) -> bool:
        """A piece of the newest recording that has something to send."""
        resting = self._strikes.resting()
        if self._shelf.changed() or resting != self._resting:
            self._resting = resting
            self._look()
        if any(map(self._advanced, self._shelf)):
            return True
        if not self._shelf.others:
            return False
        self._look()  # the next page
        return any(map(self._advanced, self._shelf))

    def _begin_anew_if_forgotten(self) -> None:
        now = era(self._store)
        if now != self._era:
            self._era, self._synced, self._there = now, set(), {}
            self._shelf.doubt()

    def _look(self) -> None:
        self._shelf.look(self._synced | self._resting)

    def _advanced(self, reel: Reel) -> bool:
        if reel.name in self._synced or reel.name in self._resting:
            return False
        try:
            return self._advance(reel)
        except OSError:  # the card does not give it out now; the others may go
            return False

    def _advance(self, reel: Reel) -> bool:
        reel.look()
        if not reel.ready:
            return False
        there = self._there.get(reel.name)
        if there is None:
            return self._ask(reel)
        if there < reel.ready or reel.ended:
            self._patch(reel, there)
            return True
        return False

    def _ask(self, reel: Reel) -> bool:
        """How much of it the server has; True, for something has been done."""
        answer = self._link.ask("HEAD", _target(reel))
        if answer.status >= 400:  # an answer to HEAD has no words: a portion of nothing is told why not
            answer = self._link.ask("PATCH", _target(reel), b"", _headers(reel, 0, last=False, beyond=False))
        if not self._taken(reel, answer):
            return True
        if answer.headers.get(wire.COMPLETE.lower()) == "?1":
            self._conclude(reel, answer)
        else:
            self._there[reel.name] = _offset(answer)
        return True

    def _patch(self, reel: Reel, there: int) -> None:
        body = reel.read(there, min(self.pace.piece, reel.ready - there)) if there < reel.ready else b""
        last = reel.ended and there + len(body) >= reel.ready
        headers = _headers(reel, there, last=last, beyond=there > reel.ready)
        self._there.pop(reel.name, None)  # unknown until the server has said it
        self.pace.going(len(body))
        began = monotonic()
        answer = self._link.ask(
            "PATCH", _target(reel), body, headers, min(reel.ready / FINISHING, MINUTE) if last else 0.0
        )
        self.pace.arrived(len(body), monotonic() - began)
        if answer.status == HTTPStatus.CONFLICT:  # it stands elsewhere than we thought: an answer was lost on the way
            return
        if not self._taken(reel, answer):
            return
        if last:
            self._conclude(reel, answer)
        else:
            self._there[reel.name] = there + len(body)

    def _taken(self, reel: Reel, answer: Answer) -> bool:
        """Whether the server took it. Raises SyncError where that says nothing of this recording."""
        try:
            refuse(answer)
        except Refused as problem:
            if not problem.of_content:
                raise
            self._strike(reel, str(problem))
            return False
        return True

    def _conclude(self, reel: Reel, answer: Answer) -> None:
        """The server has all of it; both ends must have found the same digest."""
        ours = reel.sha256()
        theirs = _SHA256.search(answer.headers.get(wire.DIGEST.lower(), ""))
        if theirs is None:
            raise Unintelligible("the server does not say what it has of a recording")
        if base64.b64decode(theirs[1]) != ours:
            self._strike(reel, "the server has this recording already, but with other bytes", final=True)
            return
        self._turn.worked()
        with self._store.write() as db:
            if era(self._store) != self._era:  # who has all of it is gone, and it is offered to another already
                return
            db.execute(_DONE, (reel.name, reel.ready, ours.hex()))
        if reel.name in self._struck:
            self._strikes.forgive([(RECORDING, reel.name, 0)])
        self._synced.add(reel.name)
        self._delivered()

    def _strike(self, reel: Reel, reason: str, *, final: bool = False) -> None:
        self._strikes.strike({(RECORDING, reel.name, 0): reason}, final=final)
        self._struck.add(reel.name)
        self._resting.add(reel.name)


def _synced(store: Store) -> set[str]:
    return {row["recording"] for row in store.rows("SELECT recording FROM upload WHERE state = 'synced'")}


def _target(reel: Reel) -> str:
    return f"{wire.RECORDINGS}/{reel.name}"


def _headers(reel: Reel, there: int, *, last: bool, beyond: bool) -> dict[str, str]:
    """What a portion is told with.

    `beyond`: the server has more than the card, which lied about a write. Without a length the server compares digests,
    and has the recording begin anew.
    """
    told = {
        "Content-Type": "application/partial-upload",
        wire.OFFSET: str(there),
        wire.COMPLETE: "?1" if last else "?0",
    }
    if last:
        told |= {wire.DIGEST: f"sha-256=:{base64.b64encode(reel.sha256()).decode('ascii')}:"}
    return told | {wire.LENGTH: str(reel.ready)} if last and not beyond else told


def _offset(answer: Answer) -> int:
    text = answer.headers.get(wire.OFFSET.lower(), "")
    if not text.isdigit():
        raise Unintelligible("the server does not say how much of a recording it has")
    return int(text)


_DONE = """
INSERT INTO upload (recording, state, sent, digest) VALUES (?, 'synced', ?, ?)
ON CONFLICT (recording) DO UPDATE SET state = 'synced', sent = excluded.sent, digest = excluded.digest, problem = ''
"""
