"""What the booth keeps beside its calls: shifts and breaks, what waits for sync, and small things to remember."""

import uuid
from contextlib import nullcontext, suppress

from firmware import mailbox
from firmware.clock import Clock
from firmware.facts import post
from firmware.store import CardError, Store

TRIED = "card-tried"  # a note that says nothing


class Logbook:
    """Shifts, the outbox and the notes of one booth."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def log_in(self, agent: str) -> None:
        """The agent begins a shift."""
        self._shift("log-in", agent)

    def log_out(self, agent: str) -> None:
        """The agent ends the shift."""
        self._shift("log-out", agent)

    def break_begins(self, agent: str, code: str) -> None:
        """The agent takes a break of kind `code`."""
        self._shift("break-begins", agent, code)

    def break_ends(self, agent: str) -> None:
        """The agent is back."""
        self._shift("break-ends", agent)

    def _shift(self, kind: str, agent: str, code: str = "") -> None:
        stamp, new = self._clock.stamp(), str(uuid.uuid4())
        with self._store.write() as db:
            db.execute(
                "INSERT INTO shift (id, kind, agent, code, at, boot, monotonic) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (new, kind, agent, code, stamp.utc, stamp.boot, stamp.monotonic),
            )
            post(db, "shift", new, 1, stamp)

    def pending(self) -> tuple[int, float | None]:
        """How many calls wait for sync, and since when (UTC seconds, if known)."""
        count = self._store.row("SELECT count(DISTINCT ref) AS calls FROM outbox WHERE kind = 'call'")
        return (count["calls"] if count else 0, mailbox.oldest(self._store))

    def remember(self, key: str, value: str, *, durable: bool = False) -> None:
        """Keep a small thing over restarts, if the card takes it: nobody is to be hindered by a thing so small.

        `durable`: over a power cut at this moment too, at the price of an fsync; then CardError says that it was refused.
        """
        with nullcontext() if durable else suppress(CardError):
            if self.recall(key) != value:
                with self._store.write(durable=durable) as db:
                    mailbox.note(db, key, value)

    def recall(self, key: str) -> str | None:
        """What was remembered."""
        row = self._store.row("SELECT value FROM note WHERE key = ?", key)
        return None if row is None else str(row["value"])

    @property
    def store(self) -> Store:
        """The database itself, for those who keep rows of their own in it."""
        return self._store

    @property
    def ailing(self) -> bool:
        """Whether the card refused what was to be written last."""
        return self._store.ailing

    def try_card(self) -> None:
        """Whether a card that refused something takes anything again; CardError if it does not."""
        if self.ailing:
            with self._store.write(durable=False) as db:
                mailbox.note(db, TRIED, str(uuid.uuid4()))

    def tidy(self) -> None:
        """Housekeeping for a quiet moment: takes some tens of milliseconds on a card."""
        self._store.tidy()

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()
