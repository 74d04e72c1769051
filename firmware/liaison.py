"""The booth's side of sync: wakes it, hears it, and puts what it has brought where the agent sees it."""

import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from firmware import mailbox, results, rulepack, tariff, wake
from firmware.arrivals import Arrivals
from firmware.browsing import Browsing
from firmware.callflow import State
from firmware.calls import Calls
from firmware.clock import Clock
from firmware.mailbox import Report
from firmware.results import Results, ResultsError
from firmware.rulebook import InForce
from firmware.rulepack import RulePackError
from firmware.settings import Settings
from firmware.store import CardError
from firmware.tariff import Tariff
from firmware.vault import Vault, VaultError
from hw.contracts import Post
from hw.events import Event

QUIET: Final = frozenset({State.LIST, State.PREVIEW, State.OUT_OF_ORDER})
"""Where the agent waits for nothing: the moments for taking lists in."""
log = logging.getLogger(__name__)
_LESSER: Final = ("", "system", "keyed", "network")  # sources of time that the server's word is better than
DIFFERS: Final = 60.0  # seconds
_NOBODY: Final = Report()


@dataclass(frozen=True, slots=True)
class Synced(Event):
    """Sync has left something in the database."""


class Liaison:
    """Knows nothing of networks: rows in the database, and a bell in each direction. Without an enrolment it rests."""

    def __init__(
        self,
        settings: Settings,
        calls: Calls,
        clock: Clock,
        browsing: Browsing,
        *,
        law: InForce,
        codes: Results,
        vault: Vault,
        post: Post,
    ) -> None:
        self._settings, self._calls, self._clock, self._browsing, self._post = settings, calls, clock, browsing, post
        self._law, self._codes, self._vault = law, codes, vault
        self._own_packs = law.book.packs
        self._rules = ""  # the office's rule packs, as sync has left them
        self._read = self._told = ""  # result codes: what is in use, and what sync has left
        self.enrolled = mailbox.enrolled(settings.data)
        self._arrivals = Arrivals(calls.store, settings.country, settings.area_code)
        self._listener: wake.Listener | None = None
        self._bell = wake.Bell(settings.data, wake.SYNC)
        self._report, self._pending, self._faults = _NOBODY, False, ""

    def open(self) -> None:
        """Listen from now on, and look what came while the booth was off."""
        with suppress(CardError):
            self._calls.remember(mailbox.NAME, self._settings.booth)
            self._calls.remember(mailbox.SOFTWARE, version("boothphone"))
            line = self._settings.sync
            self._calls.remember(
                mailbox.TARIFF,
                tariff.written(Tariff(limit=line.limit, hours=line.hours, zone=self._settings.zone)),
            )
            self._bell.ring()
        with suppress(CardError):
            self._obey()  # before the first dial
        if self.enrolled:
            self._listener = wake.Listener(self._settings.data, wake.BOOTH, lambda: self._post(Synced()))
            self._post(Synced())

    def close(self) -> None:
        """Listen no more."""
        if self._listener is not None:
            self._listener.close()

    def heard(self) -> None:
        """Sync has left something."""
        self._report = mailbox.report(self._calls.store)
        self._told = mailbox.recalled(self._calls.store, mailbox.RESULTS)
        self._obey()
        self._pending = self._arrivals.some
        self._seal()
        ahead, now = self._report.ahead(), self._clock.stamp()
        if ahead is not None and self._report.boot == now.boot and self._is_news(now.monotonic + ahead):
            self._clock.hear(now.monotonic + ahead, "server")

    def _is_news(self, utc: float) -> bool:
        """Whether the server's time is worth taking: its answers are some seconds old, or it would never stand still."""
        now = self._clock.now()
        return now is None or self._clock.source in _LESSER or abs(utc - now) > DIFFERS

    def _obey(self) -> None:
        """The office's rule packs hold from this moment on, besides the booth's own."""
        told = mailbox.recalled(self._calls.store, mailbox.RULES)
        if told == self._rules:
            return
        first, self._rules = not self._rules, told
        try:
            office = rulepack.parse_all(told or rulepack.NONE)
        except RulePackError as problem:  # sync has read them, so this program is older than it was then
            log.warning("the office's rule packs cannot be read: %s", problem.faults[0])
            if not first:
                return  # the last good ones stay
            office = (rulepack.UNREADABLE,)
        self._law.use(rulepack.joined(self._own_packs, office))

    def tell(self, *faults: str) -> None:
        """Let the server know of what is wrong with the booth; nothing happens while it stays the same."""
        said = json.dumps([fault for fault in faults if fault])
        if self.enrolled and said != self._faults:
            self._faults = said
            with suppress(CardError):
                self._calls.remember(mailbox.FAULTS, said)
            self._bell.ring()

    def busy(self, state: State) -> bool:
        """Whether there are lists or result codes to take in, and nobody whom that disturbs."""
        return (self._pending or self._told != self._read) and state in QUIET

    def work(self) -> None:
        """Take in the result codes, or a little of a list. To be called while `busy`."""
        if self._told != self._read:
            self._read = self._told
            with suppress(ResultsError):  # sync has read them before it left them
                self._codes.become(results.parse(self._read) if self._read else results.load())
            return
        try:
            change = self._arrivals.step()
        except CardError:
            self._pending = False  # tried again when sync has something new, or at the next start
            return
        if change is not None:
            self._browsing.replaced(change.old, change.new)
        self._pending = self._arrivals.some

    def _seal(self) -> None:
        """The server's keys open recordings as well as those in device.toml: whoever serves may renew its own."""
        if self._report.recipients:
            with suppress(VaultError):
                self._vault.seal_to((*self._settings.recording.recipients, *self._report.recipients))

    def synced(self, waiting: int) -> bool:
        """Whether the server has all, as far as the booth can know; `waiting` calls are still in the outbox."""
        if not self.enrolled:
            return waiting == 0
        return waiting == 0 and not self._report.recordings and self._report.fresh(self._clock.stamp())

    def lines(self) -> tuple[tuple[str, str | float], ...]:
        """What the status page says of the server; a number is a moment."""
        if not self.enrolled:
            return ()
        _waiting, since = self._calls.pending()
        report = self._report
        fresh = report.fresh(self._clock.stamp())
        return (
            ("server", report.error or ("ok" if fresh else "unheard")),
            ("contact", "never" if report.contact is None else report.contact),
            ("recordings", str(report.recordings)),
            *((("kept-back", str(report.kept_back)),) if report.kept_back else ()),
            *((("pending-since", since),) if since is not None else ()),
        )


def bell_of(data: Path) -> wake.Bell | None:
    """What wakes sync; None for a booth that no server knows."""
    return wake.Bell(data, wake.SYNC) if mailbox.enrolled(data) else None
