"""Clocks that lie: no number is ever free that would not be by the true time, and no record's order is turned round."""

import math
import os
import random
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from firmware.calls import Call, Calls
from firmware.claims import Claims
from firmware.clock import RELEASED, Clock
from firmware.gate import Gate, Target
from firmware.known import DAY, Fact, FactKind, Rules
from firmware.numbers import keyed
from firmware.redial import Verdict, decide
from firmware.registers import Registers
from firmware.results import load
from firmware.rulebook import InForce, Rulebook
from hw.events import Cause, Party

HOUR, YEAR = 3600.0, 365.0 * DAY
START = RELEASED + 100 * DAY
NUMBERS = [keyed(digits, "JP", "03") for digits in ("0312345601", "0312345602")]
CODES = {code.code: code for code in load()}
KEYED = ("NOANS", "BUSY", "WARM", "ABS", "GACHA0", "GACHAM", "SALE", "NETERR")
EVENTS = 20
BOOK = Rulebook(Rules(sample_allowed=True))


class Life:
    """One booth, from its first start on, in a world whose true time only the test knows.

    Its sources say 1970, 2036, ten years ahead, an hour back; they step in mid-call by hours or days, ahead or back. The one
    thing that cannot be found out is left out: a first word of a boot that is wrong by less than two months, said by one
    source alone while nobody else speaks.
    """

    def __init__(self, directory, seed):
        self.chance = random.Random(seed)
        self.path = directory / "booth.db"
        self.true = self.began = START + self.chance.uniform(0, 30 * DAY)
        self.system, self.vouched = 0.0, False
        self.truth = {number.key: [] for number in NUMBERS}  # what is known, as it really was
        self.mine = []  # ids of this booth's facts, in the order in which they were written
        self.freed, self.turned, self.asked, self.free = [], [], 0, 0
        self.boots = 0
        self.start()

    def start(self):
        self.boots += 1
        self.began, self.heard = self.true - 8.0, False
        self.step, self.vouched = 0.0, False
        boot = f"boot-{self.boots}"
        self.clock = Clock(
            "synchronised",
            system=lambda: self.true + self.step,
            monotonic=lambda: self.true - self.began,
            synchronised=lambda: self.vouched,
            boot=boot,
        )
        self.calls = Calls(self.path, "3", self.clock)
        claims, registers = Claims(self.calls.store, self.clock, self.path.parent), Registers(self.path.parent)
        self.gate = Gate(self.calls, self.clock, InForce(BOOK), claims, registers)

    def close(self):
        self.calls.close()

    def new_id(self):
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    # What happens.

    def time_goes_by(self):
        self.true += math.exp(self.chance.uniform(0, math.log(2 * DAY)))

    def somebody_is_called(self):
        number = self.chance.choice(NUMBERS)
        call = Call(self.new_id(), number, None)
        result = CODES[self.chance.choice(KEYED)]
        self.calls.begin(call, None, "07", "off-list")
        if result.contact:
            self.calls.answered(call.id)
        if self.chance.random() < 0.3:
            self.a_source_lies()  # in mid-call
        self.true += self.chance.uniform(1, 300)
        self.calls.ended(call.id, Cause.NORMAL, Party.FAR, 20.0)
        self.calls.finish(call.id, result)
        self._remember(number.key)

    def _remember(self, key):
        """New facts of ours, with the time at which they were really written: the attempt at the dial, the rest now."""
        for row in self.calls.store.rows("SELECT * FROM fact WHERE number = ? AND boot IS NOT NULL ORDER BY seq", key):
            if row["id"] not in self.mine:
                self.mine.append(row["id"])
                known = [fact for fact in self.calls.facts(key) if fact.id == row["id"]]
                at = self.true if row["kind"] != "attempt" else self.began + row["monotonic"]
                self.truth[key].append(Fact(**{name: getattr(known[0], name) for name in FIELDS} | {"at": at}))

    def another_booth_calls(self):
        number = self.chance.choice(NUMBERS).key
        at, call = self.true - self.chance.uniform(0, 2 * HOUR), self.new_id()
        kinds = (FactKind.ATTEMPT, FactKind.CONTACT) if self.chance.random() < 0.5 else (FactKind.ATTEMPT,)
        for kind in kinds:
            fact = Fact(self.new_id(), kind, number, at, "8", "21", call=call)
            self.calls.add_fact(fact)
            self.truth[number].append(fact)

    def a_source_tells_the_truth(self):
        source = self.chance.choice(["network", "server", "keyed", "ntp"])
        if source == "ntp":
            self.step, self.vouched = 0.0, True
        else:
            self.clock.hear(self.true + self.chance.uniform(-1, 1), source)
        self.heard = self.heard or self.clock.now() is not None  # else the truth was not believed, and is no first word

    def a_source_lies(self):
        wild = self.chance.uniform(-20 * DAY, 20 * DAY)  # two that lie do not tell the same lie
        absurd = [100.0 - self.true, RELEASED + 9.2 * YEAR - self.true + wild, 10 * YEAR + wild]
        steps = [-HOUR, -DAY, HOUR, 9 * HOUR, 3 * DAY, 40 * DAY]
        error = self.chance.choice(absurd + steps if self.heard else absurd)
        source = self.chance.choice(["network", "server", "keyed", "ntp"])
        if source == "ntp":
            self.step, self.vouched = error, True
        else:
            self.clock.hear(self.true + error, source)

    def the_power_goes(self):
        self.close()
        self.true += math.exp(self.chance.uniform(0, math.log(5 * DAY)))
        self.start()

    WHAT = (
        *((time_goes_by, 4), (somebody_is_called, 4), (another_booth_calls, 4)),
        *((a_source_tells_the_truth, 4), (a_source_lies, 5), (the_power_goes, 2)),
    )

    def live(self):
        acts, weights = zip(*self.WHAT, strict=True)
        for act in self.chance.choices(acts, weights, k=EVENTS):
            act(self)
            self.look()
        self.close()
        return self

    def look(self):
        """Ask the guard of both numbers, as it goes by the booth's clock and as it would by the true one."""
        for number in NUMBERS:
            facts = self.calls.facts(number.key)
            self.asked += 1
            here = self.gate.decide(Target(number, None))
            there = decide(number, self.truth[number.key], BOOK, self.true)
            self.free += here.verdict is not Verdict.BLOCK
            if here.verdict is not Verdict.BLOCK and there.verdict is Verdict.BLOCK:
                self.freed.append((number.shown, here.reason.name, there.reason.name))
            dates = [fact.at for fact in facts if fact.id in self.mine and fact.at is not None]
            if dates != sorted(dates):
                self.turned.append(number.shown)


FIELDS = ("id", "kind", "number", "booth", "agent", "call", "result", "due", "note", "product")


@pytest.fixture
def place(tmp_path):
    """Where booths may live: in memory if the machine has it, for thousands of them wait for the disk most of the time."""
    with TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path) as directory:
        yield Path(directory)


def lived(place, seeds):
    """Whole lives: how many questions were asked, how many numbers were free, and what went wrong."""
    asked, free, wrong = 0, 0, []
    for seed in seeds:
        with TemporaryDirectory(dir=place) as directory:
            life = Life(Path(directory), seed).live()
        asked, free = asked + life.asked, free + life.free
        wrong += [f"seed {seed}: {what}" for what in (*life.freed, *life.turned)]
    return asked, free, wrong


def test_no_number_is_free_because_a_clock_jumped(place):
    asked, free, wrong = lived(place, range(30))
    assert wrong == []
    assert (asked, free > asked / 10) == (30 * EVENTS * len(NUMBERS), True)  # not by blocking everything


@pytest.mark.soak
@pytest.mark.parametrize("part", range(8))
def test_no_number_of_4000_booths_is_free_because_a_clock_jumped(place, part):
    asked, free, wrong = lived(place, range(500 * part, 500 * (part + 1)))
    print(f"part {part}: {asked} questions, {free} free, {len(wrong)} freed or turned round")
    assert wrong == []


def test_the_judge_is_not_blind(place, monkeypatch):
    """By the clock alone, as a clock is usually believed, some numbers are free too early."""
    monkeypatch.setattr(Clock, "doubts", property(lambda _: (0.0,)))
    assert lived(place, range(20))[2]


def test_a_jump_ahead_moves_neither_age_nor_the_promise_of_a_callback(tmp_path):
    life = Life(tmp_path, 1)
    life.calls.close()
    life.clock.hear(life.true)
    life.calls = Calls(tmp_path / "booth.db", "3", life.clock)
    due = life.true + 2 * HOUR
    other = Fact(str(uuid.uuid4()), FactKind.CALLBACK, NUMBERS[0].key, life.true - HOUR, "8", "21", call="c", due=due)
    life.calls.add_fact(other)
    assert life.clock.hear(life.true + 9 * HOUR)
    (seen,) = life.calls.facts(NUMBERS[0].key)
    now = life.clock.now()
    assert (now - seen.at, seen.due - now) == (pytest.approx(HOUR), pytest.approx(2 * HOUR))
    life.close()


def test_records_of_a_boot_without_time_get_one_from_the_next(tmp_path):
    """No source spoke all morning; after the next start the time is known, and it was over before that."""
    life = Life(tmp_path, 2)
    life.somebody_is_called()
    (call_id,) = [row["id"] for row in life.calls.store.rows("SELECT id FROM call")]
    assert life.calls.record(call_id)["begun"]["at"] is None
    life.the_power_goes()
    life.clock.hear(life.true)
    at = life.calls.record(call_id)["begun"]["at"]
    assert life.began - 300 < at <= life.began
    life.close()
