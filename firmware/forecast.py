"""When the card will be full: from what the last days have really taken."""

from dataclasses import dataclass
from typing import Final

from firmware import mailbox
from firmware.clock import Clock
from firmware.known import DAY
from firmware.retention import Retention
from firmware.store import Store
from firmware.vault import Vault

SOON: Final = 7.0  # days before the card is full at which the screens begin to warn
FURTHEST: Final = 3650.0  # days beyond which nothing is foreseen
_SLOT: Final = DAY / 4  # between two samples
_WINDOW: Final = 7 * DAY  # a week, so that weekends count as what they are
_LEAST: Final = DAY  # of samples before anything is foreseen: mornings say nothing of nights
_LOOK: Final = 60.0  # seconds between two looks at the card


@dataclass(frozen=True, slots=True)
class Sample:
    """What room there was at a moment."""

    at: float  # UTC seconds
    bytes: int


def full_in(samples: list[Sample], now: Sample) -> float | None:
    """Days until no room is left, if the days to come take what the last ones took; None if that cannot be said.

    >>> round(full_in([Sample(0.0, 900), Sample(2 * DAY, 700)], Sample(2 * DAY, 700)), 6)
    7.0
    """
    known = [one for one in samples if now.at - _WINDOW <= one.at <= now.at]
    if now.bytes <= 0:
        return 0.0
    if not known or now.at - known[0].at < _LEAST:
        return None
    a_day = (known[0].bytes - now.bytes) / ((now.at - known[0].at) / DAY)
    return now.bytes / a_day if a_day > 0 and now.bytes / a_day <= FURTHEST else None


class Forecast:
    """Looks at the card now and then. For the booth's thread."""

    def __init__(self, store: Store, clock: Clock, vault: Vault, retention: Retention) -> None:
        self._store, self._clock, self._vault, self._retention = store, clock, vault, retention
        self._looks_at = float("-inf")
        self.days: float | None = None  # until the card is full, as far as it can be foreseen

    @property
    def due(self) -> bool:
        """Whether it is time to look."""
        return self._clock.monotonic() >= self._looks_at

    @property
    def full(self) -> bool:
        """Whether there is no room for a recording now."""
        return self._vault.space() < self._vault.reserve

    def look(self) -> None:
        """Take a sample, and leave word for sync. Raises CardError."""
        self._looks_at = self._clock.monotonic() + _LOOK
        room, now = self._vault.space() - self._vault.reserve + self._retention.reclaimable(), self._clock.now()
        if now is None:
            self.days = 0.0 if room <= 0 else None
        else:
            self.days = full_in(self._samples(), Sample(now, room))
            self._keep(now, room)
        self._tell()

    def _samples(self) -> list[Sample]:
        return [Sample(row["at"], row["bytes"]) for row in self._store.rows("SELECT at, bytes FROM room ORDER BY at")]

    def _keep(self, now: float, room: int) -> None:
        """The first sample of each slot; what is older than the window goes, and what a wrong clock has dated ahead."""
        slot = int(now // _SLOT)
        if self._store.row("SELECT 1 FROM room WHERE slot = ?", slot) is None:
            with self._store.write(durable=False) as db:
                db.execute("INSERT INTO room (slot, at, bytes) VALUES (?, ?, ?)", (slot, now, room))
                db.execute("DELETE FROM room WHERE at < ? OR at > ?", (now - _WINDOW - _SLOT, now))

    def _tell(self) -> None:
        said = "" if self.days is None else f"{self.days:.1f}"
        if mailbox.recalled(self._store, mailbox.FULL_IN) != said:
            with self._store.write(durable=False) as db:
                mailbox.note(db, mailbox.FULL_IN, said)
