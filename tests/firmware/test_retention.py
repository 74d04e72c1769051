"""The booth's copies: kept until the server has them, while a hold stands, and for their days; gone for good after that."""

import random
import uuid
from dataclasses import replace

import pytest

from firmware import legalhold
from firmware.calls import Call, Calls
from firmware.clock import Clock
from firmware.facts import Fact
from firmware.known import DAY, FactKind
from firmware.numbers import keyed
from firmware.results import load
from firmware.retention import Retention, Terms
from firmware.store import CardError
from firmware.syncing.outbox import offer_again
from firmware.vault import Vault
from hw.events import Cause, Party

NOW = 1795330000.0
ENOUGH = 1  # bytes that are to be free: no card is short of them
EVER_SHORT = 1 << 62


class Card:
    """A booth's card with recordings of a few bytes each."""

    def __init__(self, directory, recipient, *, days=7.0, free=ENOUGH):
        self.directory, self.recipient, self.now = directory, recipient, NOW
        self.known, self.terms = True, Terms(days, free)
        self.codes = load()
        self.start()

    def start(self):
        """As after a power cut: nothing is known but what lies on the card."""
        self.clock = Clock(
            "system",
            system=lambda: self.now if self.known else 0.0,
            monotonic=lambda: self.now - NOW + 100.0,
            synchronised=lambda: False,
            boot="b1",
        )
        self.calls = Calls(self.directory / "booth.db", "1", self.clock)
        self.vault = Vault(self.directory / "recordings", [self.recipient], lambda _event: None)
        self.retention = Retention(self.calls.store, self.clock, self.vault, self.codes, self.terms)

    def stop(self):
        self.vault.close()
        self.calls.close()

    def call(self, code="NOTICE", number="0312345601"):
        """A call that was recorded and got its result."""
        call = Call(str(uuid.uuid4()), keyed(number, "JP", "03"), None)
        self.calls.begin(call, None, "07", "off-list")
        self.calls.answered(call.id)
        self.calls.ended(call.id, Cause.NORMAL, Party.FAR, 12.0)
        self.calls.finish(call.id, self.codes.by_code(code))
        self.vault.path(uuid.UUID(call.id)).write_bytes(b"sealed")
        return call.id

    def memo(self, call):
        """The agent's memo on a call."""
        name = str(uuid.uuid4())
        self.calls.mark(call, f"memo {name}", 3.0)
        self.vault.path(uuid.UUID(name)).write_bytes(b"sealed too")
        return name

    def synced(self, *names, digest="ab" * 32, state="synced"):
        """What sync notes when the server has a recording."""
        with self.calls.store.write() as db:
            db.executemany(
                "INSERT OR REPLACE INTO upload (recording, state, sent, digest) VALUES (?, ?, 6, ?)",
                [(name, state, digest) for name in names],
            )

    def hold(self, *, call=None, number="+81312345601"):
        """What comes down from the server when a supervisor holds a call, or all calls with a number."""
        hold = Fact(
            str(uuid.uuid4()), FactKind.LEGAL_HOLD, number, self.now, "server", "sato", call=call, note="asked by court"
        )
        self.calls.add_fact(hold)
        return hold

    def release(self, hold):
        self.calls.add_fact(
            replace(hold, id=legalhold.release_of(hold.id), kind=FactKind.LEGAL_RELEASE, note="case closed")
        )

    def forgotten(self):
        """The server was restored from a backup."""
        with self.calls.store.write() as db:
            offer_again(db)

    def settle(self):
        """All that can be done now."""
        while self.retention.step():
            pass

    def there(self, *names):
        return [self.vault.size(name) is not None for name in names]

    def states(self):
        return {row["recording"]: row["state"] for row in self.calls.store.rows("SELECT * FROM delivered")}


@pytest.fixture
def card(tmp_path, recipient):
    made = []

    def new(**terms):
        made.append(Card(tmp_path, recipient, **terms))
        return made[-1]

    yield new
    for one in made:
        one.stop()


def test_a_copy_goes_when_the_server_has_it_and_its_days_are_over(card):
    one = card()
    call = one.call()
    one.settle()
    one.now += 400 * DAY
    one.settle()
    assert one.there(call) == [True]  # however old: nobody else has it
    one.synced(call)
    one.settle()
    one.now += 7 * DAY - 1
    one.settle()
    assert (one.there(call), one.states()) == ([True], {call: "here"})
    one.now += 1
    one.settle()
    assert (one.there(call), one.states()) == ([False], {call: "gone"})


@pytest.mark.parametrize(("state", "digest"), [("open", ""), ("refused", ""), ("synced", "")])
def test_what_the_server_has_not_confirmed_stays_even_on_a_full_card(card, state, digest):
    one = card(days=0.0, free=EVER_SHORT)
    call = one.call()
    one.synced(call, state=state, digest=digest)
    one.settle()
    assert one.there(call) == [True]


def test_a_result_may_say_its_own_days(card):
    one = card()
    plain, complaint = one.call(), one.call("CLAIM", "0312345602")
    assert one.codes.by_code("CLAIM").keep == 90
    one.synced(plain, complaint)
    one.settle()
    one.now += 89 * DAY
    one.settle()
    assert one.there(plain, complaint) == [False, True]
    one.now += DAY
    one.settle()
    assert one.there(complaint) == [False]


def test_a_card_short_of_room_lets_the_oldest_go_first_and_the_held_one_never(card):
    one = card(free=EVER_SHORT)
    calls = []
    for _ in range(4):
        calls.append(one.call())
        one.synced(calls[-1])
        one.retention.step()  # takes note of it
        one.now += 10
    one.hold(call=calls[1])
    gone = []
    while one.retention.step():
        gone += [call for call in calls if one.there(call) == [False] and call not in gone]
    assert gone == [calls[0], calls[2], calls[3]]
    assert one.there(calls[1]) == [True]


def test_a_hold_on_a_call_or_a_number_keeps_its_recordings_and_memos_until_it_is_released(card):
    one = card(days=0.0, free=EVER_SHORT)
    first, second = one.call(), one.call(number="0312345602")
    memos = [one.memo(first), one.memo(second)]
    holds = [one.hold(call=first), one.hold(number=keyed("0312345602", "JP", "03").key)]
    one.synced(first, second, *memos)
    one.settle()
    assert all(one.there(first, second, *memos))
    one.release(holds[0])
    one.settle()
    assert one.there(first, second, *memos) == [False, True, False, True]
    one.release(holds[1])
    one.settle()
    assert not any(one.there(first, second, *memos))


def test_a_release_that_comes_before_its_hold_releases_it_all_the_same(card):
    one = card(days=0.0)
    call = one.call()
    hold = Fact(str(uuid.uuid4()), FactKind.LEGAL_HOLD, "+81312345601", NOW, "server", "sato", call=call, note="court")
    one.release(hold)
    one.calls.add_fact(hold)
    one.synced(call)
    one.settle()
    assert one.there(call) == [False]


def test_neither_guard_nor_history_takes_a_hold_for_a_call(card):
    one = card()
    one.hold(call=str(uuid.uuid4()))
    assert one.calls.history("+81312345601") == ()


def test_what_comes_between_the_mark_and_the_deletion_is_heeded(card):
    """A hold that arrives, a server that has forgotten, a card that refuses, a power cut: the copy stays."""
    one = card(days=0.0)
    for happens in ("hold", "forgotten", "restart"):
        call = one.call()
        one.synced(call)
        assert one.retention.step()  # takes note
        assert one.retention.step()  # marks
        assert one.states()[call] == "going"
        if happens == "hold":
            one.hold(call=call)
        elif happens == "forgotten":
            one.forgotten()
        else:
            one.stop()
            one.start()
        one.settle()
        assert one.there(call) == [happens != "restart"]
        assert one.states().get(call) == {"hold": "here", "forgotten": None, "restart": "gone"}[happens]


def test_a_power_cut_after_the_file_went_leaves_no_row_that_lies(card):
    one = card(days=0.0)
    call = one.call()
    one.synced(call)
    assert one.retention.step()
    assert one.retention.step()
    one.vault.erase(call)
    one.stop()
    one.start()
    one.settle()
    assert one.states() == {call: "gone"}
    one.forgotten()
    one.settle()
    assert one.states() == {call: "gone"}  # it cannot be offered again, and nobody claims so
    assert one.calls.store.row("SELECT state FROM upload WHERE recording = ?", call)["state"] == "synced"


def test_a_card_that_refuses_to_write_loses_nothing(card):
    one = card(days=0.0)
    call = one.call()
    one.synced(call)
    one.calls.store.freeze()
    with pytest.raises(CardError):
        one.retention.step()
    assert one.there(call) == [True]
    assert not one.retention.due  # not again at once


def test_while_the_time_is_unknown_no_days_are_over(card):
    one = card(days=0.0)
    one.known = False
    one.stop()
    one.start()
    call = one.call()
    one.synced(call)
    one.now += 400 * DAY
    one.settle()
    assert one.there(call) == [True]


class Fate:
    """What may happen to a card, by chance, and what may then be gone."""

    ACTS = ("call", "sync", "hold", "release", "later", "forget", "restart", "step", "step", "step")

    def __init__(self, card, seed):
        self.card, self.chance = card, random.Random(seed)
        self.calls, self.acknowledged, self.holds = [], set(), {}

    def here(self):
        return [call for call in self.calls if self.card.there(call) == [True]]

    def call(self):
        self.calls.append(self.card.call(number=self.chance.choice(["0312345601", "0312345602"])))

    def sync(self):
        for some in self.here()[-3:]:
            self.card.synced(some)
            self.acknowledged.add(some)

    def hold(self):
        for some in self.calls[-1:]:
            self.holds.setdefault(some, self.card.hold(call=some))

    def release(self):
        if self.holds:
            self.card.release(self.holds.pop(self.chance.choice(sorted(self.holds))))

    def later(self):
        self.card.now += self.chance.uniform(0, 2 * DAY)

    def forget(self):
        if self.chance.random() < 0.2:
            self.card.forgotten()
            self.acknowledged -= set(self.here())

    def restart(self):
        self.card.stop()
        self.card.start()

    def step(self):
        before = self.here()
        self.card.retention.step()
        gone = set(before) - set(self.here())
        assert gone <= self.acknowledged
        assert not gone & set(self.holds)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_nothing_goes_that_is_held_or_not_acknowledged(card, seed):
    """And at every moment the rows say of each recording whether it is here."""
    fate = Fate(card(days=1.0), seed)
    for _ in range(120):
        getattr(fate, fate.chance.choice(fate.ACTS))()
        states, here = fate.card.states(), fate.here()
        assert all(states[call] in {"gone", "going"} for call in fate.calls if call not in here)
        assert not [call for call in here if states.get(call) == "gone"]
