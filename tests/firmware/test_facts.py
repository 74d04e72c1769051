"""Facts are only ever added, whoever tries otherwise; history and dates come from them."""

import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as bounds
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from firmware.calls import Call, Calls, PastCall
from firmware.clock import RELEASED, Clock
from firmware.known import Fact, FactKind, Rules
from firmware.numbers import Kind, Number
from firmware.refusal import refused
from firmware.results import load
from hw.events import Cause, Party

NOON = RELEASED + 40 * 86400.0
NUMBER = Number("0312345601", "+81312345601", "03-1234-5601", Kind.ORDINARY, sample=True)
CODES = load()


class World:
    """A booth's clocks: the time is unknown until somebody hears it."""

    def __init__(self) -> None:
        self.ticks, self.boot = 100.0, "boot-1"

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.ticks, synchronised=lambda: False, boot=self.boot)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def clock(world: World) -> Clock:
    return world.clock()


@pytest.fixture
def calls(tmp_path: Path, clock: Clock) -> Iterator[Calls]:
    memory = Calls(tmp_path / "booth.db", "3", clock)
    yield memory
    memory.close()


def fact(kind: FactKind = FactKind.REFUSAL, at: float | None = NOON, **more: object) -> Fact:
    return Fact(str(uuid.uuid4()), kind, NUMBER.key, at, **({"booth": "8", "agent": "21"} | more))


def call_and_finish(calls: Calls, code: str) -> Call:
    call = Call(str(uuid.uuid4()), NUMBER, None)
    calls.begin(call, None, "07", "test")
    calls.answered(call.id)
    calls.ended(call.id, Cause.NORMAL, Party.FAR, 20.0)
    found = CODES.by_code(code)
    assert found is not None
    calls.finish(call.id, found, whom="family")
    return call


REST = "number, at, boot, monotonic, booth, agent, call, result, due, note, product FROM fact"


@pytest.mark.parametrize(
    "crime",
    [
        "UPDATE fact SET kind = 'attempt'",
        "DELETE FROM fact",
        f"INSERT OR REPLACE INTO fact SELECT seq, id, 'attempt', {REST}",
        f"INSERT OR REPLACE INTO fact SELECT seq, 'other', 'attempt', {REST}",
    ],
)
def test_the_database_itself_refuses_to_change_a_fact(calls: Calls, tmp_path: Path, crime: str) -> None:
    known = fact()
    calls.add_fact(known)
    other = sqlite3.connect(tmp_path / "booth.db", isolation_level=None)  # somebody else, with none of our settings
    if crime.startswith("INSERT"):
        other.execute(crime)
    else:
        with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
            other.execute(crime)
    other.close()
    assert calls.facts(NUMBER.key) == (known,)


def test_a_fact_heard_twice_is_one_fact(calls: Calls) -> None:
    known = fact()
    calls.add_fact(known)
    calls.add_fact(known)
    assert calls.facts(NUMBER.key) == (known,)


def waiting(calls: Calls) -> list[tuple[str, str]]:
    return [(row["kind"], row["ref"]) for row in calls._store.rows("SELECT kind, ref FROM outbox ORDER BY id")]


def test_only_our_own_facts_go_to_the_outbox(calls: Calls) -> None:
    ours = fact(FactKind.OVERRIDE, booth="3", note="asked")
    calls.add_fact(fact())
    calls.add_fact(ours)
    calls.add_fact(ours)
    assert waiting(calls) == [("fact", ours.id)]


def test_what_was_written_without_a_time_is_dated_once_it_is_known(calls: Calls, clock: Clock, world: World) -> None:
    call = call_and_finish(calls, "WARM")
    assert {known.at for known in calls.facts(NUMBER.key)} == {None}
    assert calls.history(NUMBER.key)[0].at is None
    assert calls.pending() == (1, None)
    world.ticks += 50
    assert clock.hear(NOON)
    assert {known.at for known in calls.facts(NUMBER.key)} == {NOON - 50}
    assert calls.history(NUMBER.key)[0].at == NOON - 50
    assert calls.record(call.id)["begun"]["at"] == NOON - 50
    assert calls.pending() == (1, NOON - 50)


def test_a_full_card_can_still_be_read(calls: Calls, clock: Clock) -> None:
    call_and_finish(calls, "WARM")
    calls._store.rows("PRAGMA query_only = ON")  # as a card that takes no more
    clock.hear(NOON)
    assert {known.at for known in calls.facts(NUMBER.key)} == {NOON}  # this boot's need nothing written down
    calls._store.rows("PRAGMA query_only = OFF")
    assert {known.at for known in calls.facts(NUMBER.key)} == {NOON}


def test_a_boot_that_never_knew_the_time_was_over_before_this_one_began(
    calls: Calls, world: World, tmp_path: Path
) -> None:
    call_and_finish(calls, "WARM")
    calls.close()
    world.boot, world.ticks = "boot-2", 5.0
    clock = world.clock()
    clock.hear(NOON)
    again = Calls(tmp_path / "booth.db", "3", clock)
    assert {known.at for known in again.facts(NUMBER.key)} == {NOON - 5.0}
    again.close()


def test_the_latest_record_is_a_lower_bound_of_the_time_but_a_keyed_one_is_not(tmp_path: Path, world: World) -> None:
    for source, utc, floor in (("network", NOON, NOON), ("keyed", NOON + 9e6, NOON), ("network", NOON + 5, NOON + 5)):
        clock = world.clock()
        clock.hear(utc, source)
        calls = Calls(tmp_path / "booth.db", "3", clock)
        call_and_finish(calls, "WARM")
        calls.close()
        after = world.clock()
        Calls(tmp_path / "booth.db", "3", after).close()
        assert after.floor == floor


def test_history_joins_our_calls_with_what_other_booths_told(calls: Calls, clock: Clock, world: World) -> None:
    clock.hear(NOON)
    call_and_finish(calls, "ABS")
    theirs = str(uuid.uuid4())
    calls.add_fact(fact(FactKind.ATTEMPT, NOON + 60, call=theirs))
    calls.add_fact(fact(FactKind.CONTACT, NOON + 90, call=theirs, result="CB"))
    calls.add_fact(fact(FactKind.CALLBACK, NOON + 90, call=theirs, result="CB", due=NOON + 7200))
    world.ticks += 120
    call_and_finish(calls, "WARM")
    assert calls.history(NUMBER.key) == (
        PastCall(NOON + 120, "3", "07", "WARM", "family", 20.0),
        PastCall(NOON + 60, "8", "21", "CB", due=NOON + 7200),
        PastCall(NOON, "3", "07", "ABS", "family", 20.0),
    )
    assert len(calls.history(NUMBER.key, limit=2)) == 2


def test_shifts_and_notes_are_kept(calls: Calls, tmp_path: Path, clock: Clock) -> None:
    calls.log_in("07")
    calls.break_begins("07", "lunch")
    calls.break_ends("07")
    calls.log_out("07")
    calls.remember("volume", "7")
    calls.remember("volume", "8")
    calls.remember("tries", "3", durable=True)
    assert [kind for kind, _ in waiting(calls)] == ["shift"] * 4
    calls.close()
    again = Calls(tmp_path / "booth.db", "3", clock)
    assert (again.recall("volume"), again.recall("tries"), again.recall("nothing")) == ("8", "3", None)
    assert again.pending()[0] == 0
    again.close()


class FactsOnlyGrow(RuleBasedStateMachine):
    """Whatever results are keyed, corrected and heard of: no fact goes, and a refusal stands until it is lifted."""

    @initialize()
    def begin(self) -> None:
        self.calls = Calls(":memory:", "3", World().clock())
        self.seen: list[Fact] = []
        self.made: list[Call] = []
        self.refused = False

    @rule(code=st.sampled_from([result.code for result in CODES]))
    def a_call(self, code: str) -> None:
        self.made.append(call_and_finish(self.calls, code))

    @rule(code=st.sampled_from([result.code for result in CODES]), data=st.data())
    def a_result_is_corrected(self, code: str, data: st.DataObject) -> None:
        if self.made:
            call, result = data.draw(st.sampled_from(self.made)), CODES.by_code(code)
            self.calls.finish(call.id, result)
            once = (self.calls.record(call.id), waiting(self.calls))
            self.calls.finish(call.id, result)
            assert (self.calls.record(call.id), waiting(self.calls)) == once

    @rule(kind=st.sampled_from([kind for kind in FactKind if kind is not FactKind.LIFT]))
    def somebody_elses_fact(self, kind: FactKind) -> None:
        self.calls.add_fact(fact(kind))

    @invariant()
    def nothing_is_lost_and_a_refusal_stands(self) -> None:
        if not hasattr(self, "calls"):
            return
        now = self.calls.facts(NUMBER.key)
        assert list(now[: len(self.seen)]) == self.seen
        self.seen = list(now)
        stands = refused(now, Rules()) is not None
        assert stands or not self.refused
        self.refused = stands

    def teardown(self) -> None:
        if hasattr(self, "calls"):
            self.calls.close()


FactsOnlyGrow.TestCase.settings = bounds(max_examples=30, stateful_step_count=15, deadline=None)
test_facts_only_grow = FactsOnlyGrow.TestCase
