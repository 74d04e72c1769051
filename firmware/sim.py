"""The SIM's PIN: when the booth gives it by itself, when a person may, and what is remembered of it.

A SIM bears three wrong PINs in a row and then wants its PUK. The last try is never a booth's: whoever has one left keys
the PIN into a telephone, which shows what it does. No PIN is ever written down here, only a salted hash of one that was
wrong, so that the same mistake does not cost another try.
"""

import re
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from firmware.pin import N, hash_pin, verify
from firmware.store import CardError
from firmware.tables import Secret
from hw.events import SimLocked

NOTE: Final = "sim"  # under which the booth's database keeps what SimPin writes
LEAST: Final = 2  # tries that must be left: one for the booth, one for a telephone
FULL: Final = 3  # tries of a SIM whose last PIN was right
MOST: Final = 16  # wrong PINs that are remembered, newest first
_FORM: Final = re.compile(r"[0-9]{4,8}")  # 3GPP TS 31.101, 9.5

Trouble = Literal["", "checking", "wrong", "stored-wrong", "few", "puk"]
"""What there is to say of a locked SIM: nothing more, a PIN is being tried, the last one was wrong, so was the one in
device.toml, too few tries are left, or its PUK is wanted."""


def is_sim_pin(text: str) -> bool:
    """Whether this can be a SIM's PIN.

    >>> is_sim_pin("0412"), is_sim_pin("041"), is_sim_pin("123456789")
    (True, False, False)
    """
    return _FORM.fullmatch(text) is not None


class _Mark(msgspec.Struct, frozen=True):
    """A PIN that was given to a SIM; `iccid` is empty where the modem did not tell it."""

    iccid: str
    hashed: str

    def speaks_of(self, pin: str, iccid: str) -> bool:
        return _one_sim(self.iccid, iccid) and verify(pin, self.hashed)


class _Try(msgspec.Struct, frozen=True):
    """A PIN that the booth was about to give, of which nobody knows yet what became."""

    boot: str
    mark: _Mark
    tries: int | None  # that were left


class _Note(msgspec.Struct, frozen=True):
    """What the card keeps."""

    failed: tuple[_Mark, ...] = ()
    trying: _Try | None = None
    lost: str = ""  # the boot in which a try of the booth's own was the wrong PIN
    wrong: dict[str, int] = {}  # by ICCID, since a PIN was right: for modems that cannot say what is left


class _Given(msgspec.Struct, frozen=True):
    """A PIN on its way to the SIM."""

    pin: Secret
    lock: SimLocked
    keyed: bool


class SimPin:
    """The policy, for the SIM that is in the modem.

    By itself the booth gives a PIN once per boot, and only where two tries are left (or the modem cannot say) and that
    PIN has not been wrong for that SIM before. Once the SIM has taken one, it is given again whenever the modem has lost
    power, until one is wrong. That it is about to be given is on the card first: a crash must not cost another try.
    """

    def __init__(
        self, stored: str, boot: str, kept: str | None, keep: Callable[[str], object], *, cost: int = N
    ) -> None:
        """`stored` is device.toml's PIN, or empty; `kept` what `keep` was last given, which may raise CardError."""
        self._stored, self._boot, self._keep, self._cost = stored, boot, keep, cost
        self._note = _read(kept) or _Note(lost=boot)  # nobody knows what was lost, so nothing is tried
        self._lock: SimLocked | None = None
        self._seen: SimLocked | None = None  # the last one, whether or not it is still there
        self._given: _Given | None = None
        self._right: _Given | None = None  # what this SIM took last, in memory only
        self._due = self._failed = ""

    @property
    def lock(self) -> SimLocked | None:
        """What the SIM wants; None: it is open, or nobody knows."""
        return self._lock

    @property
    def left(self) -> int | None:
        """Tries that are left for the PIN, as the SIM says; None when the modem cannot ask it."""
        return self._lock.tries if self._lock else None

    @property
    def keyable(self) -> bool:
        """Whether a person may key a PIN now."""
        return self._lock is not None and self._given is None and not self._due and self._bears(self._lock)

    @property
    def trouble(self) -> Trouble:
        """What there is to say of it."""
        lock = self._lock
        if lock is None:
            return ""
        if lock.puk:
            return "puk"
        if self._given or self._due:
            return "checking"
        if not self._bears(lock):
            return "few"
        if not self._failed:
            return ""
        return "stored-wrong" if self._failed == self._stored else "wrong"

    def locked(self, lock: SimLocked) -> None:
        """The SIM wants its PIN, or did not like the one that it was given."""
        given, self._given = self._given, None
        if self._seen is not None and not _one_sim(self._seen.iccid, lock.iccid):
            self._failed = ""
        self._lock = self._seen = lock
        trying = self._note.trying
        if given is not None and _was_wrong(given.lock.iccid, given.lock.tries, lock):
            mark = _Mark(given.lock.iccid, hash_pin(given.pin, self._cost))
            self._note_failure(mark, "" if given.keyed else self._boot, given.pin)
        elif given is None and trying is not None and _was_wrong(trying.mark.iccid, trying.tries, lock):
            self._note_failure(trying.mark, trying.boot)
        self._due = self._choose(lock)

    def due(self) -> str | None:
        """The PIN that is to be given now without a person, once; it has been noted when this returns."""
        pin, self._due = self._due, ""
        if not pin or self._lock is None:
            return None
        lock = self._lock
        trying = _Try(self._boot, _Mark(lock.iccid, hash_pin(pin, self._cost)), lock.tries)
        if not self._write(msgspec.structs.replace(self._note, trying=trying)):
            return None
        self._given, self._right = _Given(Secret(pin), lock, keyed=False), None
        return pin

    def key(self, pin: str) -> bool:
        """Whether a keyed PIN is to be given now; the caller gives it, once."""
        if self._lock is None or not self.keyable or not is_sim_pin(pin):
            return False
        self._given = _Given(Secret(pin), self._lock, keyed=True)
        return True

    def opened(self) -> bool:
        """The SIM is open; whether a person's PIN did it."""
        given, self._given = self._given, None
        if given is not None:
            self._right = given
            self._forgive(given)
        self._lock, self._due, self._failed = None, "", ""
        return given is not None and given.keyed

    def gone(self) -> None:
        """The modem went away; what became of a PIN on its way shows when it is back."""
        self._lock, self._due = None, ""

    def _bears(self, lock: SimLocked) -> bool:
        """Whether the SIM can bear one more wrong PIN from here."""
        spent = self._note.wrong.get(lock.iccid, 0)
        return not lock.puk and (FULL - spent if lock.tries is None else lock.tries) >= LEAST

    def _choose(self, lock: SimLocked) -> str:
        """The PIN that the booth may give by itself, if any."""
        right, known = self._right, self._note
        bad = any(mark.speaks_of(self._stored, lock.iccid) for mark in known.failed) if self._stored else False
        self._failed = self._failed or (self._stored if bad else "")
        tried = known.trying is not None and known.trying.boot == self._boot
        if tried or known.lost == self._boot or not self._bears(lock):
            return ""
        if right is not None and right.lock.iccid == lock.iccid:
            return right.pin
        return "" if bad else self._stored

    def _note_failure(self, mark: _Mark, boot: str, pin: str = "") -> None:
        """`boot` is that of a try of the booth's own; `pin` is empty where it was given before this program started."""
        wrong = {**self._note.wrong, mark.iccid: self._note.wrong.get(mark.iccid, 0) + 1}
        self._failed = pin
        failed, known = (mark, *self._note.failed)[:MOST], self._note
        self._write(_Note(failed, None if boot else known.trying, boot or known.lost, wrong), anyway=True)

    def _forgive(self, given: _Given) -> None:
        """It was right: whatever was said against it no longer counts."""
        iccid = given.lock.iccid
        failed = tuple(mark for mark in self._note.failed if not mark.speaks_of(given.pin, iccid))
        wrong = {whose: count for whose, count in self._note.wrong.items() if whose != iccid}
        trying = self._note.trying
        if trying is not None and trying.mark.speaks_of(given.pin, iccid):
            trying = None  # of another PIN nobody has seen yet what became
        self._write(_Note(failed, trying, self._note.lost, wrong), anyway=True)

    def _write(self, note: _Note, *, anyway: bool = False) -> bool:
        """Whether the card has it; `anyway`: it is true until the next start even if not."""
        if note == self._note:
            return True
        try:
            self._keep(msgspec.json.encode(note).decode())
        except CardError:
            if anyway:
                self._note = note
            return False
        self._note = note
        return True


def _read(kept: str | None) -> _Note | None:
    """None for what is no such note."""
    try:
        return msgspec.json.decode(kept, type=_Note) if kept else _Note()
    except msgspec.DecodeError:
        return None


def _one_sim(iccid: str, other: str) -> bool:
    """Whether two may be one; a SIM whose ICCID is not told may be any."""
    return not iccid or not other or iccid == other


def _was_wrong(iccid: str, before: int | None, lock: SimLocked) -> bool:
    """Whether a SIM that had `before` tries left has counted a PIN as wrong; where it cannot say, it has."""
    if not _one_sim(iccid, lock.iccid):
        return False
    if lock.puk or lock.tries is None or before is None:
        return True
    return lock.tries < before
