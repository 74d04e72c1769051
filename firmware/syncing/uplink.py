"""Up: facts first, for other booths wait for them, then calls, shifts, how we are, and recordings piece by piece."""

import base64
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from time import monotonic

from firmware import wire
from firmware.store import Store
from firmware.syncing.faults import Refused, SyncError, Unintelligible
from firmware.syncing.link import Answer, Link, refuse
from firmware.syncing.outbox import Outbox, Parcel
from firmware.syncing.reels import Reel, Shelf

PIECE, LEAST = 256 * 1024, 8 * 1024  # bytes of a recording in one request; less on a line that breaks often
IDLE = 20.0  # seconds between two looks when nobody calls
LOOK = 2.0  # seconds between two looks through the directory while there is much to send
MINUTE = 60.0
FINISHING = 500_000  # bytes of a whole recording that a slow server checks and opens in a second
_POST = {"fact": wire.FACTS, "call": wire.CALLS, "shift": wire.SHIFTS}
_MESSAGE: Mapping[str, Callable[..., wire.Message]] = {
    "fact": lambda raw: wire.Facts(facts=raw),
    "call": lambda raw: wire.Calls(calls=raw),
    "shift": lambda raw: wire.Shifts(shifts=raw),
}
_TOO_MUCH = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
"""Answers that one bad thing in what was sent may have caused."""
_SHA256 = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")


class Uplink:
    """Does the most urgent thing there is, one request a time."""

    def __init__(
        self,
        store: Store,
        link: Link,
        outbox: Outbox,
        shelf: Shelf,
        *,
        status: Callable[[int], wire.Status],
        wanted: Callable[[wire.Wanted], None],
        delivered: Callable[[], None],
    ) -> None:
        self._store, self._link, self._outbox, self._shelf = store, link, outbox, shelf
        self._status, self._wanted, self._delivered = status, wanted, delivered
        self._said: wire.Status | None = None
        self._said_at = float("-inf")
        self._settled = {row["recording"] for row in store.rows("SELECT recording FROM upload WHERE state = 'synced'")}
        self._there: dict[str, int] = {}  # bytes that the server has, as it last said
        self._rejected: set[str] = set()
        self._unwanted: set[str] = set()
        self._piece = PIECE
        self._looked = float("-inf")

    def turn(self) -> float:
        """One request, or a look that finds nothing to do."""
        self._link.greet()  # before anything is read: what has no date yet may get one
        for kind in ("fact", "call", "shift"):
            parcel = self._outbox.parcel(kind)
            if parcel is not None:
                self._send(parcel)
                return 0.0
        if self._tell_status() or self._send_recording():
            return 0.0
        return IDLE

    def offer_again(self) -> None:
        """The server has forgotten what it had."""
        self._settled.clear()
        self._there.clear()
        self._rejected.clear()
        self._unwanted.clear()

    @property
    def recordings(self) -> int:
        """How many recordings wait, those that are still being made left out."""
        return sum(reel.whole is not False and reel.name not in self._settled for reel in self._shelf)

    @property
    def refused(self) -> int:
        """How many recordings the server would not have."""
        return len(self._unwanted)

    def _send(self, parcel: Parcel) -> None:
        try:
            taken = self._link.post(_POST[parcel.kind], _MESSAGE[parcel.kind](parcel.raw), wire.Taken)
        except Refused as problem:
            if problem.status not in _TOO_MUCH:
                raise
            self._outbox.unwelcome(parcel)
            return
        self._outbox.delivered(parcel, taken.ids, taken.refused)
        if not set(taken.ids) | set(taken.refused):
            raise Unintelligible("the server took nothing of what it was sent, and does not say why")
        self._delivered()

    def _tell_status(self) -> bool:
        """Once a minute, and when anything has changed."""
        now = monotonic()
        status = self._status(self.recordings)
        same = self._said is not None and _coarse(status) == _coarse(self._said)
        if same and now - self._said_at < MINUTE:
            return False
        wanted = self._link.post(wire.STATUS, status, wire.Wanted)
        self._said, self._said_at = status, now
        self._wanted(wanted)
        return True

    def _send_recording(self) -> bool:
        """A piece of the newest recording that has something to send."""
        fresh = monotonic() - self._looked > LOOK
        if fresh:
            self._look()
        if any(map(self._advanced, self._shelf)):
            return True
        if fresh:
            return False
        self._look()
        return any(map(self._advanced, self._shelf))

    def _look(self) -> None:
        self._shelf.look(self._settled)
        self._looked = monotonic()

    def _advanced(self, reel: Reel) -> bool:
        try:
            return reel.name not in self._settled and self._advance(reel)
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
        if answer.status == HTTPStatus.NOT_FOUND:
            self._there[reel.name] = 0
            return True
        if answer.status >= 400:
            raise _refusal(answer)
        if answer.headers.get(wire.COMPLETE.lower()) == "?1":
            self._conclude(reel, answer)
        else:
            self._there[reel.name] = _offset(answer)
            self._note(reel.name, "open", self._there[reel.name])
        return True

    def _patch(self, reel: Reel, there: int) -> None:
        body = reel.read(there, min(self._piece, reel.ready - there)) if there < reel.ready else b""
        last = reel.ended and there + len(body) >= reel.ready
        headers = {
            "Content-Type": "application/partial-upload",
            wire.OFFSET: str(there),
            wire.COMPLETE: "?1" if last else "?0",
        }
        if last:
            headers |= {wire.LENGTH: str(reel.ready), wire.DIGEST: _digest(reel.sha256())}
        del self._there[reel.name]  # unknown until the server has said it
        piece, self._piece = self._piece, max(self._piece // 2, LEAST)  # what gets through undoes it
        answer = self._link.ask(
            "PATCH", _target(reel), body, headers, min(reel.ready / FINISHING, MINUTE) if last else 0.0
        )
        self._piece = min(piece * 2, PIECE)
        if answer.status == HTTPStatus.CONFLICT:  # it stands elsewhere than we thought: an answer was lost on the way
            return
        if answer.status in _TOO_MUCH:
            self._reject(reel, _refusal(answer))
            return
        refuse(answer)
        if last:
            self._conclude(reel, answer)
        else:
            self._there[reel.name] = there + len(body)

    def _conclude(self, reel: Reel, answer: Answer) -> None:
        """The server has all of it; both ends must have found the same digest."""
        ours = reel.sha256()
        theirs = _SHA256.search(answer.headers.get(wire.DIGEST.lower(), ""))
        if theirs and base64.b64decode(theirs[1]) != ours:
            self._give_up(reel, "the server's copy has another digest")
            return
        self._settle(reel, "synced", digest=ours.hex())
        self._delivered()

    def _reject(self, reel: Reel, problem: SyncError) -> None:
        """Try once more from the beginning, for bytes can be spoilt on the way; then leave it for the next start."""
        if reel.name in self._rejected:
            self._give_up(reel, str(problem))
        self._rejected.add(reel.name)

    def _give_up(self, reel: Reel, problem: str) -> None:
        self._settle(reel, "refused", problem)
        self._unwanted.add(reel.name)

    def _settle(self, reel: Reel, state: str, problem: str = "", digest: str = "") -> None:
        self._note(reel.name, state, reel.ready, digest, problem)
        self._settled.add(reel.name)

    def _note(self, name: str, state: str, sent: int, digest: str = "", problem: str = "") -> None:
        with self._store.write(durable=state != "open") as db:
            db.execute(
                "INSERT INTO upload (recording, state, sent, digest, problem) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (recording) DO UPDATE SET state = excluded.state, sent = excluded.sent,"
                " digest = excluded.digest, problem = excluded.problem",
                (name, state, sent, digest, problem),
            )


def _target(reel: Reel) -> str:
    return f"{wire.RECORDINGS}/{reel.name}"


def _digest(sha256: bytes) -> str:
    return f"sha-256=:{base64.b64encode(sha256).decode('ascii')}:"


def _offset(answer: Answer) -> int:
    text = answer.headers.get(wire.OFFSET.lower(), "")
    if not text.isdigit():
        raise Unintelligible("the server does not say how much of a recording it has")
    return int(text)


def _refusal(answer: Answer) -> SyncError:
    try:
        refuse(answer)
    except Refused as problem:
        return problem
    return Unintelligible(f"the server answers with HTTP {answer.status}")


def _coarse(status: wire.Status) -> object:
    """What of a status is worth telling at once."""
    return status.pending_calls, status.pending_recordings, status.faults, status.free_bytes >> 27
