"""The booth's side of sync: what it makes of what sync has left, and what it leaves itself."""

import json
import queue
from dataclasses import replace

import pyrage
import pytest

from firmware import mailbox, numbers, results, tariff
from firmware.browsing import Browsing
from firmware.callflow import State
from firmware.calls import Calls
from firmware.claims import Claims
from firmware.clock import RELEASED, Clock
from firmware.customers import Customer
from firmware.gate import Gate, Target
from firmware.liaison import QUIET, Liaison, Synced
from firmware.mailbox import STALE, Report
from firmware.menu import Menu
from firmware.redial import Reason, Verdict
from firmware.registers import Registers
from firmware.rulebook import InForce, Rulebook
from firmware.rulepack import parse as parse_pack
from firmware.rulepack import shipped, text_of
from firmware.settings import example, parse
from firmware.tariff import Tariff
from firmware.vault import Vault
from firmware.wake import SYNC, Bell, Ear

NOW = RELEASED + 86400.0
OURS, THEIRS = (str(pyrage.x25519.Identity.generate().to_public()) for _ in range(2))


class Desk:
    """A booth with no devices."""

    def __init__(self, data, *, source="synchronised", packs=()):
        self.monotonic = 1000.0
        self.clock = Clock(
            "system" if source == "system" else "synchronised",
            system=lambda: NOW + self.monotonic,
            synchronised=lambda: source == "synchronised",
            monotonic=lambda: self.monotonic,
            boot="this-boot",
        )
        self.posted = queue.Queue()
        self.calls = Calls(data / "booth.db", "b3", self.clock)
        self.law = law = InForce(Rulebook(packs=packs))
        self.gate = gate = Gate(
            self.calls, self.clock, law, Claims(self.calls.store, self.clock, data), Registers(data)
        )
        self.browsing = Browsing(self.calls, gate, self.clock, (), law)
        self.codes, self.vault = results.load(), Vault(data / "recordings", [OURS], self.posted.put)
        self.liaison = Liaison(
            replace(parse(example()), data=data),
            self.calls,
            self.clock,
            self.browsing,
            law=law,
            codes=self.codes,
            vault=self.vault,
            post=self.posted.put,
        )
        self.liaison.open()

    def tell(self, **report):
        """What sync writes down."""
        mailbox.write_report(self.calls.store, replace(Report(boot="this-boot", monotonic=self.monotonic), **report))
        self.liaison.heard()

    def close(self):
        self.liaison.close()
        self.vault.close()
        self.calls.close()


@pytest.fixture
def desk(tmp_path):
    made = []

    def make(*, enrolled=True, **more):
        if enrolled:
            (tmp_path / mailbox.IDENTITY).parent.mkdir(exist_ok=True)
            (tmp_path / mailbox.IDENTITY).touch()
        made.append(Desk(tmp_path, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_without_an_enrolment_nothing_changes(desk, tmp_path):
    one = desk(enrolled=False)
    assert (one.liaison.synced(0), one.liaison.synced(1)) == (True, False)
    assert one.liaison.lines() == ()
    one.liaison.tell("line:UNPLUGGED")
    assert list(tmp_path.glob("*.wake")) == []
    assert one.posted.empty()


def test_it_is_woken(desk, tmp_path):
    one = desk()
    assert one.posted.get(timeout=20) == Synced()  # what came while it was off
    Bell(tmp_path, "booth.wake").ring()
    assert one.posted.get(timeout=20) == Synced()


def test_synced_means_nothing_waits_and_the_server_was_heard(desk):
    one = desk()
    assert not one.liaison.synced(0)
    one.tell(contact=NOW)
    assert one.liaison.synced(0)
    assert not one.liaison.synced(1)
    one.tell(contact=NOW, recordings=1)
    assert not one.liaison.synced(0)
    one.tell(contact=NOW, error="server-down")
    assert not one.liaison.synced(0)
    one.tell(contact=NOW)
    one.monotonic += STALE + 1  # sync has died
    assert not one.liaison.synced(0)
    one.tell(contact=NOW, boot="the boot before")
    assert not one.liaison.synced(0)


def test_the_status_page_says_how_things_stand(desk):
    one = desk()
    assert dict(one.liaison.lines()) == {"server": "unheard", "contact": "never", "recordings": "0"}
    one.tell(contact=NOW, recordings=2, error="server-full")
    assert dict(one.liaison.lines()) == {"server": "server-full", "contact": NOW, "recordings": "2"}
    one.tell(contact=NOW)
    assert dict(one.liaison.lines())["server"] == "ok"


def test_a_report_of_a_newer_sync_is_understood(desk):
    one = desk()
    with one.calls.store.write() as db:
        mailbox.note(db, mailbox.REPORT, json.dumps({"error": "server-down", "weather": "fine"}))
    one.liaison.heard()
    assert dict(one.liaison.lines())["server"] == "server-down"


@pytest.mark.parametrize(("source", "wanted"), [("", True), ("system", True), ("synchronised", False)])
def test_the_servers_time_counts_where_no_better_one_is_known(desk, source, wanted):
    one = desk(source=source)
    one.posted.get(timeout=20)
    one.monotonic += 7
    one.tell(contact=NOW + 50, monotonic=one.monotonic - 5)
    assert (one.clock.now() == NOW + 55) is wanted
    assert (one.clock.source == "server") is wanted


def test_the_time_of_another_boot_is_no_time(desk):
    one = desk(source="")
    one.posted.get(timeout=20)
    one.tell(contact=NOW, boot="the boot before")
    assert one.posted.empty()


def test_faults_are_told_once(desk, tmp_path):
    one = desk()
    ear = Ear(tmp_path, SYNC)
    one.liaison.tell("line:UNPLUGGED", "")
    assert ear.wait(2)
    assert json.loads(one.calls.recall(mailbox.FAULTS)) == ["line:UNPLUGGED"]
    one.liaison.tell("line:UNPLUGGED", "")
    assert not ear.wait(0.05)
    one.liaison.tell("", "")
    assert ear.wait(2)
    assert json.loads(one.calls.recall(mailbox.FAULTS)) == []
    ear.close()


def test_lists_are_taken_in_only_while_nobody_waits(desk):
    one = desk()
    with one.calls.store.write() as db:
        db.execute("INSERT INTO assigned (uuid, name, sample, wanted) VALUES ('u', 'spring', 0, 1)")
        db.execute("INSERT INTO arrival (uuid, revision, complete) VALUES ('u', 1, 1)")
    one.liaison.heard()
    assert {state for state in State if one.liaison.busy(state)} == QUIET
    while one.liaison.busy(State.LIST):
        one.liaison.work()
    assert [entry.name for entry in one.calls.lists()] == ["spring"]


def test_the_status_page_can_be_read_to_its_end(desk):
    menu = Menu(desk(enrolled=False).calls, "JP", "03")
    menu.open("status")
    rows = tuple((f"row{n}", "x") for n in range(12))
    for _ in range(20):
        menu.move(1)
    assert menu.body(lambda: rows, 5).chosen == 11
    menu.move(-1)
    assert menu.body(lambda: rows, 5).chosen == 10
    assert menu.body(lambda: rows[:3], 5).chosen == 2


def office_codes(one, text):
    """What sync leaves when the office has codes of its own."""
    with one.calls.store.write() as db:
        mailbox.note(db, mailbox.RESULTS, text)
    one.liaison.heard()


def test_the_offices_result_codes_are_taken_in_between_two_calls(desk):
    one = desk()
    text = results.OURS.read_text(encoding="utf-8")
    office_codes(one, text.replace('ja = "成約"', 'ja = "ご契約"'))
    assert not one.liaison.busy(State.WRAP_UP)
    assert one.codes.by_code("SALE").ja == "成約"
    assert one.liaison.busy(State.LIST)
    one.liaison.work()
    assert one.codes.by_code("SALE").ja == "ご契約"
    assert not one.liaison.busy(State.LIST)
    office_codes(one, "[[result]]\ncode = 7\n")  # as no sync of this version would leave it
    one.liaison.work()
    assert one.codes.by_code("SALE").ja == "ご契約"


def office_packs(one, *texts):
    """What sync leaves when the office has put rule packs in force."""
    with one.calls.store.write() as db:
        mailbox.note(db, mailbox.RULES, json.dumps(texts))


def in_force(one):
    return [(pack.id, pack.pack.version) for pack in one.law.book.packs]


JAPAN, FRANCE = ("jp-sales", "2026.1"), ("fr-sales", "2026.1")


def test_the_offices_rule_packs_hold_before_the_first_dial_after_a_restart(desk):
    first = desk()
    office_packs(first, text_of("jp-sales"))
    first.close()
    again = desk()  # nothing has been heard yet
    assert in_force(again) == [JAPAN]


def test_the_offices_rule_packs_hold_at_once_while_the_booth_runs(desk):
    one = desk()
    assert in_force(one) == []
    office_packs(one, text_of("jp-sales"), text_of("fr-sales"))
    one.liaison.heard()  # in whatever state the booth is: nobody has to go back to the list first
    assert in_force(one) == [JAPAN, FRANCE]
    one.liaison.heard()
    assert in_force(one) == [JAPAN, FRANCE]
    office_packs(one)
    one.liaison.heard()
    assert in_force(one) == []


def test_they_hold_besides_the_booths_own_and_in_the_place_of_its_namesake(desk):
    stricter = text_of("jp-sales").replace('"2026.1"', '"2026.2"').replace('["09:00-20:00"]', '["10:00-17:00"]')
    one = desk(packs=(shipped()["jp-sales"], shipped()["jp-collection"]))
    office_packs(one, text_of("fr-sales"), stricter)
    one.liaison.heard()
    assert in_force(one) == [("jp-sales", "2026.2"), ("jp-collection", "2026.1"), FRANCE]
    assert one.law.book.packs[0] == parse_pack(stricter)
    office_packs(one)
    one.liaison.heard()
    assert in_force(one) == [JAPAN, ("jp-collection", "2026.1")]  # its own are its own again


@pytest.mark.parametrize("left", ['["[pack]"]', "no list", '["a list of", 7]', '[""]'])
def test_packs_that_cannot_be_read_leave_the_last_good_ones(desk, left):
    one = desk()
    office_packs(one, text_of("jp-sales"))
    one.liaison.heard()
    with one.calls.store.write() as db:
        mailbox.note(db, mailbox.RULES, left)  # as no sync of this version would leave it
    one.liaison.heard()
    assert in_force(one) == [JAPAN]
    office_packs(one, text_of("fr-sales"))
    one.liaison.heard()
    assert in_force(one) == [FRANCE]


def test_after_a_start_packs_that_cannot_be_read_bar_every_customer_rather_than_none(desk):
    """An older program than the one that took them in: what they forbid is not known, so nobody is called."""
    one = desk()
    office_packs(one, text_of("jp-sales").replace("[cli]", "[of-next-year]"))
    one.close()
    again = desk()
    assert in_force(again) == [("unreadable", "0")]
    number = numbers.parse("03-1234-5601")
    customer = Target(replace(number, sample=False), Customer(1, 1, 1, "川口", "", number))
    assert again.gate.decide(customer).verdict is Verdict.BLOCK
    assert again.gate.decide(Target(numbers.parse("119"), None)).verdict is Verdict.ALLOW
    office_packs(again, text_of("jp-notice"))
    again.liaison.heard()
    assert in_force(again) == [("jp-notice", "2026.1")]


def test_the_guard_obeys_what_the_office_has_put_in_force(desk):
    one = desk()
    number = numbers.parse("03-1234-5601")
    target = Target(replace(number, sample=False), Customer(1, 1, 1, "川口", "", number))
    assert one.gate.decide(target).verdict is Verdict.ALLOW
    office_packs(one, text_of("de-sales"))
    one.liaison.heard()
    said = one.gate.decide(target)
    assert (said.reason, said.rule.pack) == (Reason.NO_CONSENT, "de-sales")


def test_recordings_are_sealed_to_the_servers_keys_as_well(desk):
    one = desk()
    settings = replace(one.liaison._settings, recording=replace(one.liaison._settings.recording, recipients=(OURS,)))
    one.liaison._settings = settings
    one.tell(contact=NOW, recipients=(THEIRS, OURS))
    assert [str(key) for key in one.vault._recipients] == [OURS, THEIRS]
    one.tell(contact=NOW, recipients=("no key",))
    assert [str(key) for key in one.vault._recipients] == [OURS, THEIRS]


def test_what_the_server_will_not_have_stands_on_the_status_page(desk):
    one = desk()
    one.tell(kept_back=3, error="refused")
    assert ("kept-back", "3") in one.liaison.lines()
    one.tell()
    assert "kept-back" not in dict(one.liaison.lines())


def test_sync_learns_what_the_line_may_be_used_for(desk):
    one = desk()
    assert tariff.read(mailbox.recalled(one.calls.store, mailbox.TARIFF)) == Tariff()
