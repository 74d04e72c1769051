"""The clock knows the time, or knows that it does not."""

import time

import pytest
from hypothesis import settings as bounds
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from firmware.clock import (
    AGREE,
    FIRST_LEAP,
    FURTHEST,
    LEAP,
    RELEASED,
    SLEW,
    Clock,
    boot_id,
    kernel_synchronised,
    since_boot,
)

NOON = RELEASED + 30 * 86400.0
YEAR_1970 = 12.0


class World:
    """The two clocks of the machine and NTP's word on one of them."""

    def __init__(self, system: float = YEAR_1970, *, vouched: bool = False) -> None:
        self.system, self.ticks, self.vouched = system, 500.0, vouched

    def go(self, seconds: float) -> None:
        self.system += seconds
        self.ticks += seconds

    def clock(self, trust: str = "synchronised", floor: float = RELEASED) -> Clock:
        return Clock(
            trust,
            floor,
            system=lambda: self.system,
            monotonic=lambda: self.ticks,
            synchronised=lambda: self.vouched,
            boot="b",
        )


def test_without_a_source_the_time_is_unknown() -> None:
    clock = World().clock()
    assert (clock.now(), clock.source, clock.keyed) == (None, "", False)
    assert clock.stamp().utc is None
    assert (clock.stamp().boot, clock.stamp().monotonic) == ("b", 500.0)


def test_a_system_clock_counts_once_ntp_vouches_for_it() -> None:
    world = World(NOON)
    clock = world.clock()
    assert clock.now() is None
    world.vouched = True
    assert (clock.now(), clock.source) == (NOON, "synchronised")
    world.vouched = False
    world.go(60)
    assert clock.now() == NOON + 60


@pytest.mark.parametrize("trust", ["synchronised", "system"])
def test_below_the_floor_nothing_is_believed(trust: str) -> None:
    world = World(NOON - 1, vouched=True)
    clock = world.clock(trust, floor=NOON)
    assert clock.now() is None
    assert not clock.hear(NOON - 1)
    assert not clock.hear(NOON - 1, "keyed")
    assert not clock.hear(FURTHEST + 1)
    assert clock.now() is None
    world.go(1)
    assert clock.now() == NOON


def test_no_floor_is_below_the_release() -> None:
    assert World(RELEASED - 1).clock("system", floor=0).now() is None


def test_a_pc_with_a_battery_is_believed_without_ntp() -> None:
    clock = World(NOON).clock("system")
    assert (clock.now(), clock.source) == (NOON, "system")


def test_once_known_the_time_is_kept_though_the_system_clock_jumps() -> None:
    world = World(NOON)
    clock = world.clock("system")
    assert clock.now() == NOON
    for jump in (7200.0, -86400.0, YEAR_1970 - NOON):
        world.system = NOON + jump
        assert clock.now() == NOON
    world.system = NOON + SLEW / 2
    assert clock.now() == NOON + SLEW / 2


def test_ntp_that_comes_later_is_followed_by_any_amount() -> None:
    world = World(NOON)
    clock = world.clock("system")
    assert clock.now() == NOON
    world.system, world.vouched = NOON + 5000, True
    assert (clock.now(), clock.source) == (NOON + 5000, "synchronised")
    world.system = NOON + 4000
    assert clock.now() == NOON + 4000


def test_the_network_tells_the_time() -> None:
    world = World()
    clock = world.clock()
    assert clock.hear(NOON)
    world.go(10)
    assert (clock.now(), clock.source) == (NOON + 10, "network")
    assert clock.hear(NOON + 100)
    assert clock.now() == NOON + 100


def test_a_keyed_time_counts_until_a_better_source_speaks() -> None:
    world = World()
    clock = world.clock()
    assert clock.hear(NOON, "keyed")
    assert clock.keyed
    assert clock.hear(NOON - 3600, "keyed")
    assert clock.now() == NOON - 3600
    assert clock.hear(NOON)
    assert (clock.now(), clock.source) == (NOON, "network")
    world.system, world.vouched = NOON + 2, True
    assert (clock.now(), clock.source) == (NOON + 2, "synchronised")
    assert not clock.hear(NOON + 50)
    assert clock.now() == NOON + 2


def test_a_supervisor_may_correct_what_the_network_said() -> None:
    clock = World().clock()
    assert clock.hear(NOON + 86400)
    assert clock.hear(NOON, "keyed")
    assert (clock.now(), clock.source) == (NOON, "keyed")


def test_the_floor_rises_with_the_records() -> None:
    world = World(NOON)
    clock = world.clock("system")
    clock.raise_floor(NOON + 1)
    clock.raise_floor(NOON - 1)
    assert (clock.floor, clock.now()) == (NOON + 1, None)


def test_a_leap_is_not_believed_from_one_source_alone() -> None:
    """2036 or ten years ahead: a box may have stood in a cupboard, but then another source says so too."""
    world = World()
    clock = world.clock(floor=NOON)
    far = NOON + LEAP + 1
    assert not clock.hear(far)
    assert clock.now() is None
    world.go(60)
    assert not clock.hear(NOON + 10 * 365 * 86400.0, "server")
    assert clock.hear(far + 60 + AGREE / 2, "server")
    assert clock.source == "server"


def test_a_supervisor_agrees_with_nobody_by_keying_it_twice() -> None:
    clock = World().clock(floor=NOON)
    far = NOON + 400 * 86400.0
    assert not clock.hear(far, "keyed")
    assert not clock.hear(far + 86400, "keyed")
    assert clock.hear(far + 86400 + 60, "keyed")


def test_a_new_booth_may_be_some_years_younger_than_its_program() -> None:
    assert World().clock().hear(RELEASED + FIRST_LEAP)
    assert not World().clock().hear(RELEASED + FIRST_LEAP + 1)


def test_what_was_believed_stays_possible() -> None:
    """A jump ahead by the same or a better source is shown, but nothing is certain that any of them did not say."""
    world = World()
    clock = world.clock()
    assert clock.hear(NOON)
    world.go(600)
    assert clock.hear(NOON + 600 + 9 * 3600)
    assert (clock.now(), clock.doubt, clock.earliest()) == (NOON + 600 + 9 * 3600, 9 * 3600, NOON + 600)
    assert clock.hear(NOON + 600, "server")
    assert (clock.now(), clock.doubt) == (NOON + 600, 0.0)
    assert clock.latest == NOON + 9 * 3600 - 500.0  # this boot's records may have happened as late as that
    assert World().clock().latest is None


def test_the_server_is_better_than_the_network_and_ntp_better_still() -> None:
    world = World()
    clock = world.clock()
    assert clock.hear(NOON, "server")
    assert not clock.hear(NOON + 100)
    world.system, world.vouched = NOON + 1, True
    assert (clock.now(), clock.source) == (NOON + 1, "synchronised")
    assert not clock.hear(NOON + 100, "server")


def test_the_machine_itself_can_be_asked() -> None:
    assert kernel_synchronised() in (True, False)
    assert len(boot_id()) == 36
    assert 0 < time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot() + 1 < 2
    assert Clock("system").stamp().boot == boot_id()


class TwoClocks(RuleBasedStateMachine):
    """Whatever the system clock does: what is known never goes below the floor, and time never runs by itself."""

    @initialize(trust=st.sampled_from(["synchronised", "system"]))
    def begin(self, trust: str) -> None:
        self.world = World()
        self.made = self.world.clock(trust)
        self.known = False

    @rule(seconds=st.floats(0, 1e6))
    def time_goes_by(self, seconds: float) -> None:
        before = self.made.now()
        self.world.go(seconds)
        after = self.made.now()
        if before is not None:
            assert after == pytest.approx(before + seconds, abs=SLEW)

    @rule(utc=st.floats(0, 2 * FURTHEST))
    def system_clock_is_set(self, utc: float) -> None:
        before = self.made.now()
        self.world.system, self.world.vouched = utc, False  # the kernel drops its word when a hand sets the clock
        if before is not None:
            assert self.made.now() == pytest.approx(before, abs=SLEW)

    @rule(utc=st.floats(0, 2 * FURTHEST))
    def ntp_sets_the_clock(self, utc: float) -> None:
        self.made.now()
        self.world.system, self.world.vouched = utc, True
        if self.made.floor <= utc <= min(FURTHEST, self.made.floor + LEAP):
            assert self.made.now() == pytest.approx(utc)

    @rule(utc=st.floats(0, 2 * FURTHEST), source=st.sampled_from(["keyed", "network"]))
    def somebody_tells(self, utc: float, source: str) -> None:
        if self.made.hear(utc, source):
            assert self.made.floor <= utc <= FURTHEST

    @invariant()
    def never_below_the_floor_and_never_forgotten(self) -> None:
        if not hasattr(self, "made"):
            return
        now = self.made.now()
        assert now is not None or not self.known
        assert now is None or now >= self.made.floor
        self.known = now is not None


TwoClocks.TestCase.settings = bounds(max_examples=60, stateful_step_count=25, deadline=None)
test_two_clocks = TwoClocks.TestCase
