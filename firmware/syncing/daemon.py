"""The headless daemon: three couriers, for what goes up, what comes down and claims, and a thread that is woken and keeps watch."""

import json
import logging
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from firmware import mailbox, results, rulepack, wake, wire
from firmware.clock import Clock
from firmware.mailbox import Report
from firmware.results import ResultsError
from firmware.rulepack import RulePackError
from firmware.store import CardError, Store
from firmware.syncing.courier import Courier, Trouble
from firmware.syncing.downlink import Downlink
from firmware.syncing.identity import Identity, Wallet
from firmware.syncing.leases import Leases
from firmware.syncing.link import PATIENCE, Channel, Link
from firmware.syncing.outbox import Outbox, booth_name
from firmware.syncing.reels import Shelf
from firmware.syncing.standing import Standing, code_of
from firmware.syncing.uplink import Uplink
from firmware.watchdog import Watchdog

DATABASE, RECORDINGS = "booth.db", "recordings"
TICK = 0.5  # seconds between two looks at the couriers
HUNG = 120.0  # seconds without a sign of life after which systemd may restart us; longer than any long-poll
GOODBYE = 2.0  # seconds for the couriers to come home
SCARCE = 64 * 1024 * 1024  # bytes on the card below which it counts as full
_CACHE_KIB = 256
log = logging.getLogger("sync")


class CourierDied(RuntimeError):
    """An error of ours; systemd starts us again."""


class Daemon:
    """Serves one enrolled booth until `stop`."""

    def __init__(self, data: Path, identity: Identity, wallet: Wallet, patience: float = PATIENCE) -> None:
        self._data, self._identity, self._wallet = data, identity, wallet
        self._clock = Clock()
        self._store = _opened(data)
        self._standing = Standing(mailbox.report(self._store), self._clock)
        self._booth, self._own = wake.Bell(data, wake.BOOTH), wake.Bell(data, wake.SYNC)
        self._ear = wake.Ear(data, wake.SYNC)
        up, down, leases = _opened(data), _opened(data), _opened(data)
        self._dating = up
        self._links = self._linked(patience)
        self._outbox = Outbox(up, booth_name(up, identity.name))
        self._uplink = Uplink(
            up,
            self._links[0],
            self._outbox,
            Shelf(data / RECORDINGS),
            status=partial(_status, up, data),
            wanted=self._wanted,
            delivered=self._delivered,
        )
        self._downlink = Downlink(
            down, self._links[1], self._clock, heard=self._booth.ring, forgotten=self._offer_again
        )
        self._leases = Leases(leases, self._links[2], self._clock, heard=self._booth.ring)
        self._couriers = {
            "up": Courier("up", self._uplink.turn, partial(self._told, "up")),
            "down": Courier("down", self._downlink.turn, partial(self._told, "down")),
            "claims": Courier("claims", self._leases.turn, partial(self._told, "claims")),
        }
        self._over = False

    def stop(self) -> None:
        """End run(), within a few seconds; also from a signal handler."""
        self._over = True
        self._own.ring()

    def run(self) -> None:
        """Serve. Raises CourierDied."""
        watchdog = Watchdog()
        for courier in self._couriers.values():
            courier.start()
        watchdog.ready()
        try:
            while not self._over:
                self._watch(watchdog)
        finally:
            watchdog.stopping()
            self._end()

    def _watch(self, watchdog: Watchdog) -> None:
        if self._ear.wait(TICK):
            self._couriers["claims"].call()
            self._couriers["up"].call()
        if any(courier.dead for courier in self._couriers.values()):
            raise CourierDied("a courier has ended by an error of ours")
        if all(courier.silent < HUNG for courier in self._couriers.values()):
            watchdog.alive()
        self._standing.waiting(self._uplink.recordings, self._outbox.refused + self._uplink.refused)
        report = self._standing.news()
        if report is not None:
            watchdog.status(report.error or "in touch with the server")
            self._leave_word(report)

    def _leave_word(self, report: Report) -> None:
        try:
            mailbox.write_report(self._store, report)
        except CardError as problem:
            log.warning("the card takes no report: %s", problem)
        self._booth.ring()

    def _end(self) -> None:
        for courier in self._couriers.values():
            courier.stop()
        for link in self._links:
            link.channel.end()
        for courier in self._couriers.values():
            courier.join(GOODBYE)
        self._ear.close()

    def _linked(self, patience: float) -> tuple[Link, Link, Link]:
        """One link for each courier; they count together."""
        key, counter, identity = self._wallet.key(), self._wallet.counter(), self._identity
        up, down, claims = (Channel(identity.url, identity.pins, patience) for _ in range(3))
        return (
            Link(up, identity.booth, key, counter, self._dated),
            Link(down, identity.booth, key, counter, self._standing.heard),
            Link(claims, identity.booth, key, counter, self._standing.heard),
        )

    def _dated(self, utc: float) -> None:
        """The server told the time: what was written in this boot without a date has one now."""
        self._standing.heard(utc)
        now = self._clock.stamp()
        if self._dating.row("SELECT 1 FROM boot WHERE id = ?", now.boot) is None:
            with self._dating.write(durable=False) as db:
                db.execute(_BOOT, (now.boot, utc - now.monotonic))

    def _delivered(self) -> None:
        """The server has something more of ours: the booth may show it, and a number that waited for it may go."""
        self._booth.ring()
        self._couriers["claims"].call()

    def _offer_again(self) -> None:
        """The server has forgotten: all that we have waits in the outbox once more."""
        self._uplink.offer_again()
        self._couriers["up"].call()

    def _wanted(self, wanted: wire.Wanted) -> None:
        """What the server says of this booth and of itself."""
        self._standing.wanted(wanted)
        if wanted.pins and set(wanted.pins) != set(self._identity.pins):
            self._identity = replace(self._identity, pins=wanted.pins)
            self._wallet.keep(self._identity)
            for link in self._links:
                link.channel.pins = wanted.pins
        if wanted.results:
            self._take_results(wanted.results)
        if wanted.rules:
            self._take_rules(wanted.rules)

    def _take_results(self, text: str) -> None:
        """The office's result codes; a set that this booth does not understand is left, and the one it has stays."""
        try:
            results.parse(text)
        except ResultsError as problem:
            log.warning("the server's result codes are not for this version: %s", problem.faults[0])
            return
        with self._dating.write(durable=False) as db:
            mailbox.note(db, mailbox.RESULTS, text)
        self._booth.ring()

    def _take_rules(self, text: str) -> None:
        """The office's rule packs: all of them or none; after a faulty set the last good one stays."""
        try:
            rulepack.parse_all(text)
        except RulePackError as problem:
            log.warning("the server's rule packs are not for this version: %s", problem.faults[0])
            return
        with self._dating.write(durable=False) as db:
            mailbox.note(db, mailbox.RULES, text)
        self._booth.ring()

    def _told(self, who: str, problem: Trouble | None) -> None:
        """A courier came home: with a trouble, or with none."""
        if problem is not None:
            if self._standing.trouble(who, problem):
                log.warning("%s: %s", code_of(problem), problem)
        elif self._standing.fine(who):
            log.info("the server answers again")
            for courier in self._couriers.values():
                courier.hurry()


def _opened(data: Path) -> Store:
    store = Store(data / DATABASE)
    store.rows(f"PRAGMA cache_size = -{_CACHE_KIB}")  # three of these are open, and memory is short
    return store


def _status(store: Store, data: Path, recordings: int) -> wire.Status:
    card = os.statvfs(data)
    free = card.f_bavail * card.f_frsize
    told = mailbox.recalled(store, mailbox.FAULTS)
    faults = (*json.loads(told or "[]"), *(("card-full",) if free < SCARCE else ()))
    return wire.Status(
        software=mailbox.recalled(store, mailbox.SOFTWARE),
        pending_calls=mailbox.waiting(store)["call"],
        pending_recordings=recordings,
        oldest=mailbox.oldest(store),
        free_bytes=free,
        faults=faults,
        results=wire.tag_of(mailbox.recalled(store, mailbox.RESULTS) or results.OURS.read_text(encoding="utf-8")),
        rules=wire.tag_of(mailbox.recalled(store, mailbox.RULES) or rulepack.NONE),
    )


_BOOT = "INSERT INTO boot (id, ahead, source) VALUES (?, ?, 'network') ON CONFLICT (id) DO NOTHING"
