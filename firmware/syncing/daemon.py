"""The headless daemon: four couriers, for records, recordings, news and claims, and a thread that is woken and keeps watch."""

import json
import logging
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from firmware import mailbox, quarantine, results, rulepack, tariff, wake, wire
from firmware.clock import Clock
from firmware.mailbox import Report
from firmware.results import ResultsError
from firmware.rulepack import RulePackError
from firmware.store import CardError, Store
from firmware.syncing.courier import Courier, Trouble
from firmware.syncing.downlink import Downlink
from firmware.syncing.haul import Haul, Line
from firmware.syncing.identity import Identity, Wallet
from firmware.syncing.leases import Leases
from firmware.syncing.link import PATIENCE, Channel, Link
from firmware.syncing.outbox import Outbox, booth_name
from firmware.syncing.reels import Shelf
from firmware.syncing.standing import Standing, code_of
from firmware.syncing.strikes import Strikes
from firmware.syncing.uplink import Uplink
from firmware.watchdog import Watchdog

DATABASE, RECORDINGS = "booth.db", "recordings"
PROGRAMS = "sync-programs"  # a note: the versions of booth and server when they last met
TICK = 0.5  # seconds between two looks at the couriers
HUNG = 120.0  # seconds without a sign of life after which systemd may restart us; longer than any long-poll
GOODBYE = 2.0  # seconds for the couriers to come home
SCARCE = 64 * 1024 * 1024  # bytes on the card below which it counts as full
DANGER = 8 * SCARCE  # below which recordings go whatever the line costs: then copies of them may be deleted
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
        up, haul, down, leases = (_opened(data) for _ in range(4))
        self._dating, self._programs = up, mailbox.recalled(up, PROGRAMS)
        self._tariff = tariff.read(mailbox.recalled(up, mailbox.TARIFF))
        self._links = self._linked(patience)
        self._uplink = Uplink(
            self._links[0],
            Outbox(up, booth_name(up, identity.name), self._strikes(up)),
            status=self._status,
            wanted=self._wanted,
            delivered=self._delivered,
        )
        self._haul = Haul(
            haul,
            self._links[3],
            Shelf(data / RECORDINGS),
            strikes=self._strikes(haul),
            line=Line(lambda: self._tariff, self._standing.utc, lambda: _free(data) < DANGER),
            delivered=self._delivered,
        )
        self._downlink = Downlink(
            down, self._links[1], self._clock, heard=self._booth.ring, forgotten=self._offer_again
        )
        self._leases = Leases(leases, self._links[2], self._clock, heard=self._booth.ring)
        self._couriers = {
            "up": Courier("up", self._uplink.turn, partial(self._told, "up")),
            "haul": Courier("haul", self._haul.turn, partial(self._told, "haul")),
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
            self._tariff = tariff.read(mailbox.recalled(self._store, mailbox.TARIFF))
            for errand in ("claims", "up", "haul"):
                self._couriers[errand].call()
        if any(courier.dead for courier in self._couriers.values()):
            raise CourierDied("a courier has ended by an error of ours")
        if all(courier.silent < HUNG for courier in self._couriers.values()):
            watchdog.alive()
        haul = self._haul
        self._standing.waiting(haul.recordings, haul.bytes, haul.pace.lately, haul.opens)
        if self._standing.kept_back(quarantine.count(self._store)):
            self._couriers["up"].call()  # the server is to know it, too
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

    def _linked(self, patience: float) -> tuple[Link, ...]:
        """One link for each courier: up, down, claims, haul. They count together."""
        key, counter, identity = self._wallet.key(), self._wallet.counter(), self._identity
        heard = (self._dated, *[self._standing.heard] * 3)
        return tuple(
            Link(Channel(identity.url, identity.pins, patience), identity.booth, key, counter, one) for one in heard
        )

    def _strikes(self, store: Store) -> Strikes:
        return Strikes(store, self._clock, self._standing.utc, lambda: self._programs)

    def _dated(self, utc: float) -> None:
        """The server told the time: what was written in this boot without a date has one now."""
        self._standing.heard(utc)
        now = self._clock.stamp()
        if self._dating.row("SELECT 1 FROM boot WHERE id = ?", now.boot) is None:
            with self._dating.write(durable=False) as db:
                db.execute(_BOOT, (now.boot, utc - now.monotonic))

    def _status(self) -> wire.Status:
        """How this booth is; on the thread of what goes up."""
        store, free = self._dating, _free(self._data)
        told, full_in = mailbox.recalled(store, mailbox.FAULTS), mailbox.recalled(store, mailbox.FULL_IN)
        kept = quarantine.some(store)
        return wire.Status(
            software=mailbox.recalled(store, mailbox.SOFTWARE),
            pending_calls=mailbox.waiting(store)["call"],
            pending_recordings=self._haul.recordings,
            pending_bytes=self._haul.bytes,
            pace=self._haul.pace.lately,
            opens=self._haul.opens,
            oldest=mailbox.oldest(store),
            free_bytes=free,
            full_in=float(full_in) if full_in else None,
            faults=(*json.loads(told or "[]"), *(("card-full",) if free < SCARCE else ())),
            results=wire.tag_of(mailbox.recalled(store, mailbox.RESULTS) or results.OURS.read_text(encoding="utf-8")),
            rules=wire.tag_of(mailbox.recalled(store, mailbox.RULES) or rulepack.NONE),
            kept_back=quarantine.count(store) if kept else 0,
            reasons=tuple(wire.KeptBack(kind=one.kind, id=one.id, reason=one.reason, since=one.since) for one in kept),
        )

    def _delivered(self) -> None:
        """The server has something more of ours: the booth may show it, and a number that waited for it may go."""
        self._booth.ring()
        self._couriers["claims"].call()

    def _offer_again(self) -> None:
        """The server has forgotten: all that we have waits in the outbox once more."""
        for errand in ("up", "haul"):
            self._couriers[errand].call()

    def _wanted(self, wanted: wire.Wanted) -> None:
        """What the server says of this booth and of itself."""
        self._standing.wanted(wanted)
        if wanted.pins and set(wanted.pins) != set(self._identity.pins):
            self._identity = replace(self._identity, pins=wanted.pins)
            self._wallet.keep(self._identity)
            for link in self._links:
                link.channel.pins = wanted.pins
        self._retry(wanted)
        if wanted.results:
            self._take_results(wanted.results)
        if wanted.rules:
            self._take_rules(wanted.rules)

    def _retry(self, wanted: wire.Wanted) -> None:
        """Offer once more what is kept back: after a supervisor's wish, and when either side has another program."""
        programs = f"{mailbox.recalled(self._dating, mailbox.SOFTWARE)} {wanted.software}"
        wish = repr(wanted.retry) if wanted.retry else ""
        released = 0
        if wish and wish != mailbox.recalled(self._dating, quarantine.RETRIED):
            with self._dating.write() as db:
                released += quarantine.release(db)
                mailbox.note(db, quarantine.RETRIED, wish)
        if wanted.software and programs != self._programs:
            self._programs = programs
            with self._dating.write() as db:
                released += quarantine.release_after_update(db, programs)
                mailbox.note(db, PROGRAMS, programs)
        if released:
            log.info("%d things that the server had refused are offered once more", released)
            self._couriers["haul"].call()

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
            self._uplink.introduce()
            self._couriers["up"].call()
            for courier in self._couriers.values():
                courier.hurry()


def _opened(data: Path) -> Store:
    store = Store(data / DATABASE)
    store.rows(f"PRAGMA cache_size = -{_CACHE_KIB}")  # three of these are open, and memory is short
    return store


def _free(data: Path) -> int:
    card = os.statvfs(data)
    return card.f_bavail * card.f_frsize


_BOOT = "INSERT INTO boot (id, ahead, source) VALUES (?, ?, 'network') ON CONFLICT (id) DO NOTHING"
