"""A model of the guard: a plain list of facts, gone through by brute force. It shares nothing with the guard but words."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from firmware import rulepack
from firmware.known import Fact, FactKind, Rules
from firmware.numbers import parse
from firmware.redial import Callee, Listing, Reason, Verdict, decide
from firmware.rulebook import Rulebook
from firmware.rulepack import Pack
from firmware.spans import seconds

NUMBER, OTHER = parse("03-1234-5601"), "+81312345602"
K = FactKind
FOREVER = float("inf")
QUARTER = 900.0
ZONES = (
    *("Asia/Tokyo", "America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "Europe/Paris", "Europe/London"),
    *("Australia/Sydney", "Australia/Lord_Howe", "Asia/Kolkata"),
)
DAYS = [
    datetime.fromisoformat(text).timestamp()
    for text in (
        "2026-03-08T06:00+00:00",  # New York puts its clocks forward
        "2026-03-29T00:00+00:00",  # Europe does
        "2026-04-04T14:00+00:00",  # Sydney and Lord Howe put them back
        "2026-10-25T00:00+00:00",  # Europe puts them back
        "2026-12-31T20:00+00:00",  # the year's end
        "2028-02-28T22:00+00:00",  # a leap day
        "2026-08-10T20:00+00:00",  # France wants consent from the next day on
        "2026-05-02T00:00+00:00",  # golden week
    )
]


@dataclass(frozen=True)
class World:
    """One question to both."""

    facts: tuple[Fact, ...]
    kin: tuple[Fact, ...]
    packs: tuple[Pack, ...]
    house: Rules
    zones: tuple[str, ...]
    registers: dict[str, Listing]
    product: str
    cap: int
    override: bool

    def ask(self, now):
        book = Rulebook(self.house, self.packs, self.product, self.cap)
        callee = Callee(self.zones, self.kin, self.registers)
        return decide(NUMBER, self.facts, book, now, callee=callee, override=self.override)


class Model:
    """What the rules say at one moment; every question goes through all facts again."""

    def __init__(self, world: World, now: float | None) -> None:
        self.world, self.now = world, now

    def reason(self) -> Reason:
        """The first rule that blocks."""
        for reason, says in (
            (Reason.DO_NOT_CALL, self.asked_never_to_be_called),
            (Reason.REFUSED, self.has_refused),
            (Reason.DEAD_NUMBER, lambda: [one for one in self.unlifted(K.FINAL) if one.note != "hold"]),
            (Reason.ON_HOLD, lambda: [one for one in self.unlifted(K.FINAL) if one.note == "hold"]),
            (Reason.REGISTERED, lambda: self.on_register() and not self.consents()),
            (Reason.REGISTER_STALE, lambda: self.register_missing() and not self.consents()),
            (Reason.NO_CONSENT, lambda: self.consent_wanted() and not self.consents()),
            (Reason.TIME_UNKNOWN, lambda: self.now is None),
            (Reason.OUTSIDE_HOURS, self.closed),
            (Reason.TOO_OFTEN, self.counted),
            (Reason.CALLED_RECENTLY, lambda: self.window() and not self.overridden()),
            (Reason.CLAIMED, self.claimed),
            (Reason.CAMPAIGN_FULL, self.full),
        ):
            if says():
                return reason
        return Reason.OVERRIDDEN if self.window() else Reason.FREE

    # Refusals.

    def unlifted(self, kind, *, kin=False):
        facts = self.world.facts + (self.world.kin if kin else ())
        found = []
        for one in facts:
            if one.kind is kind:
                freed = False
                for lift in facts:
                    if lift.kind is K.LIFT and lift.number == one.number:
                        if lift.at is None or one.at is None:
                            freed = freed or (lift.call is not None and lift.call == one.call)
                        else:
                            freed = freed or lift.at > one.at
                if not freed:
                    found.append(one)
        return found

    def term(self, name):
        days = [getattr(pack.refusal, name) for pack in self.world.packs]
        return FOREVER if not days or 0 in days else max(days) * 86400.0

    def still(self, facts, term):
        return [one for one in facts if one.at is None or self.now is None or self.now < one.at + term]

    def ours(self, one):
        packs = self.world.packs
        if not packs or not all(pack.refusal.per_product for pack in packs):
            return True
        return "" in (one.product, self.world.product) or one.product == self.world.product

    def asked_never_to_be_called(self):
        return self.still(self.unlifted(K.DO_NOT_CALL, kin=True), self.term("dnc_days"))

    def has_refused(self):
        said = [one for one in self.unlifted(K.REFUSAL, kin=True) if self.ours(one)]
        explicit = [one for one in said if one.note != "implied"]
        implied = [one for one in said if one.note == "implied"]
        lasting = self.still(explicit, self.term("explicit_days")) or self.still(implied, self.term("implied_days"))
        return lasting or self.hung_up_too_often()

    def hung_up_too_often(self):
        counted = [one for one in self.unlifted(K.COUNTED, kin=True) if self.ours(one)]
        limits = [pack.refusal.gacha_limit for pack in self.world.packs if pack.refusal.gacha_limit]
        spans = [pack.refusal.gacha_window_days * 86400.0 for pack in self.world.packs]
        limit, span = min([self.world.house.gacha_limit, *limits]), max([self.world.house.gacha_window, *spans])
        kinds = {(one.result, one.note) for one in counted if one.note.isdecimal()}
        groups = [(counted, limit)]
        groups += [([one for one in counted if (one.result, one.note) == kind], int(kind[1])) for kind in kinds]
        return any(self.dense(group, most, span) for group, most in groups)

    def dense(self, group, most, span):
        undated = [one for one in group if one.at is None]
        starts = [one.at for one in group if one.at is not None] or ([0.0] if undated else [])
        for start in starts:
            together = undated + [one for one in group if one.at is not None and start <= one.at < start + span]
            if len(together) >= most and self.still(together, self.term("implied_days")):
                return True
        return False

    # Consent and registers.

    def consents(self):
        for one in self.world.facts:
            if one.kind is not K.CONSENT:
                continue
            if self.world.product and one.product and one.product != self.world.product:
                continue
            if one.due is not None and (self.now is None or self.now >= one.due):
                continue
            back = [other for other in self.world.facts if other.kind is K.WITHDRAWAL]
            if not any(other.at is None or one.at is None or other.at >= one.at for other in back):
                return True
        return False

    def on_register(self):
        names = [name for pack in self.world.packs for name in pack.register.names]
        return any(name in self.world.registers and self.world.registers[name].listed for name in names)

    def register_missing(self):
        for pack in self.world.packs:
            for name in pack.register.names:
                listing = self.world.registers.get(name)
                oldest = seconds(pack.register.max_age)
                if listing is None or (self.now is not None and oldest and self.now >= listing.asof + oldest):
                    return True
        return False

    def consent_wanted(self):
        for pack in self.world.packs:
            if pack.consent.required:
                return True
            if pack.consent.required_from and self.now is not None:
                first = date.fromisoformat(pack.consent.required_from)
                if any(datetime.fromtimestamp(self.now, ZoneInfo(zone)).date() >= first for zone in self.world.zones):
                    return True
        return False

    # Time.

    def closed(self):
        for pack in self.world.packs:
            for zone in self.world.zones:
                here = datetime.fromtimestamp(self.now, ZoneInfo(zone))
                texts = self.texts(pack, here.date())
                clock = f"{here:%H:%M}"
                if not any(text[:5] <= clock < text[6:] for text in texts):
                    return True
        return False

    def texts(self, pack, day):
        hours = pack.hours
        if hours.all_days:
            return hours.all_days
        if day in holidays.country_holidays(pack.pack.region, years=day.year):
            return hours.holiday
        return [*[hours.mon_fri] * 5, hours.sat, hours.sun][day.weekday()]

    def calls(self, facts):
        """(when, dialled, contact, talk, abandoned) of each call that counts."""
        found = []
        for name in dict.fromkeys(one.call or one.id for one in facts if one.kind in {K.ATTEMPT, K.CONTACT, K.VOID}):
            mine = [one for one in facts if (one.call or one.id) == name and one.kind in {K.ATTEMPT, K.CONTACT, K.VOID}]
            kinds = {one.kind for one in mine}
            if K.VOID in kinds and K.CONTACT not in kinds:
                continue
            dates = [one.at for one in mine if one.at is not None]
            notes = {one.note for one in mine if one.kind is K.CONTACT}
            found.append((
                max(dates) if dates else FOREVER,
                K.ATTEMPT in kinds,
                K.CONTACT in kinds,
                "talk" in notes,
                "abandoned" in notes and "talk" not in notes,
                name,
            ))  # fmt: skip
        return found

    def counted(self):
        for pack in self.world.packs:
            for counter in pack.frequency:
                facts = self.world.facts + (self.world.kin if counter.key == "person" else ())
                if self.counter_holds(counter, facts) and not self.counter_freed(counter, facts):
                    return True
        return False

    def counter_holds(self, counter, facts):
        calls, span = self.calls(facts), seconds(counter.window)
        column = {"attempt": 1, "contact": 2, "conversation": 3, "abandoned": 4}[counter.after or counter.count]
        counted = [call[0] for call in calls if call[column]]
        if not counter.after:
            return sum(self.now < when + span for when in counted) >= counter.max
        if not counter.first_day_counts:
            return any(self.now < when + span for when in counted)
        return any(when == FOREVER or self.now < self.days_after(when, int(span // 86400)) for when in counted)

    def days_after(self, when, days):
        ends = []
        for zone in self.world.zones:
            day = datetime.fromtimestamp(when, ZoneInfo(zone)).date() + timedelta(days=days)
            ends.append(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp())
        return max(ends)

    def counter_freed(self, counter, facts):
        span = seconds(counter.consent)
        for one in facts:
            if span and one.kind is K.CALLBACK and one.at is not None and one.due is not None:
                since = [call for call in self.calls(facts) if call[0] >= one.due]
                if not since and one.due <= self.now < one.at + span:
                    return True
        return False

    def window(self):
        """Whether the redial window is closed, a callback that was asked for considered."""
        house, packs = self.world.house, self.world.packs
        gaps = {
            name: max([getattr(house, name), *(seconds(getattr(pack.redial, name)) for pack in packs)])
            for name in ("min_gap_any", "min_gap_after_talk", "min_gap_unanswered")
        }
        most = {
            name: min([getattr(house, name), *(n for pack in packs if (n := getattr(pack.redial, name)))])
            for name in ("max_per_day", "max_unanswered_per_day")
        }
        calls = self.calls(self.world.facts)
        if not calls:
            return False
        ends = []
        for when, _dialled, contact, talk, _abandoned, _name in calls:
            gap = gaps["min_gap_any"] if contact else gaps["min_gap_unanswered"]
            ends.append((when, max(gap, gaps["min_gap_after_talk"]) if talk else gap))
        last = max(ends)
        answered = sum(call[2] and self.now < call[0] + 86400 for call in calls)
        unanswered = sum(not call[2] and self.now < call[0] + 86400 for call in calls)
        closed = self.now < last[0] + last[1]
        closed = closed or answered >= most["max_per_day"] or unanswered >= most["max_unanswered_per_day"]
        return closed and not self.asked_for(calls)

    def asked_for(self, calls):
        wishes = [one for one in self.world.facts if one.kind is K.CALLBACK]
        if not wishes:
            return False
        wish = max(wishes, key=lambda one: (-FOREVER if one.at is None else one.at, one.id))
        if wish.due is None or any(call[0] >= wish.due for call in calls):
            return False
        agreed = -FOREVER if wish.at is None else wish.at
        names = {one.call for one in self.world.facts if one.call} & {wish.call}
        talked = any(call[2] and call[0] > agreed and call[5] not in names for call in calls)
        return wish.due <= self.now < wish.due + self.world.house.callback_expires and not talked

    def overridden(self):
        if self.world.override:
            return True
        words = [one for one in self.world.facts if one.kind is K.OVERRIDE]
        if not words:
            return False
        last = max(words, key=lambda one: (-FOREVER if one.at is None else one.at, one.id))
        if last.at is None or not last.at <= self.now < last.at + self.world.house.override_lasts:
            return False
        return all(call[0] < last.at for call in self.calls(self.world.facts))

    def claimed(self):
        return any(one.kind is K.CLAIM and one.due is not None and self.now < one.due for one in self.world.facts)

    def full(self):
        failed = {one.call for one in self.world.facts + self.world.kin if one.kind is K.VOID and one.call}
        dials = {
            one.id
            for one in self.world.facts + self.world.kin
            if one.kind is K.ATTEMPT
            and one.call not in failed
            and (not one.product or not self.world.product or one.product == self.world.product)
        }
        return bool(self.world.cap) and len(dials) >= self.world.cap


COUNTERS = {Reason.TOO_OFTEN, Reason.AFTER_TALK, Reason.AFTER_ABANDONED}


def plain(reason):
    return Reason.TOO_OFTEN if reason in COUNTERS else reason


# Worlds.

SPANS = st.sampled_from(["15m", "1h", "5h", "24h", "3d", "7d"])
OPENINGS = st.sampled_from([(), ("09:00-20:00",), ("10:00-13:00", "14:00-20:00"), ("00:00-02:30",), ("02:15-24:00",)])


@st.composite
def some_pack(draw: st.DrawFn, *, calm: bool) -> Pack:
    """One of the shipped, or one that nobody would write; a calm one is open all day and wants neither consent nor register."""
    shipped = rulepack.shipped()
    if not calm and draw(st.booleans()):
        return shipped[draw(st.sampled_from(sorted(shipped)))]
    counters = tuple(
        rulepack.Counter(
            id=f"c{place}",
            after=(after := draw(st.sampled_from(["", "", "conversation", "abandoned"]))),
            count=draw(st.sampled_from(["attempt", "contact", "conversation"])),
            max=0 if after else draw(st.integers(1, 3)),
            window=draw(SPANS),
            first_day_counts=draw(st.booleans()),
            key=draw(st.sampled_from(["number", "person"])),
            consent=draw(st.sampled_from(["", "7d"])),
        )
        for place in range(draw(st.integers(int(calm), 2)))
    )
    return replace(
        shipped["jp-notice"],
        hours=rulepack.ALWAYS
        if calm
        else rulepack.Hours(**{name: draw(OPENINGS) for name in ("all_days", "mon_fri", "sat", "sun", "holiday")}),
        redial=rulepack.Redial(min_gap_any=draw(st.sampled_from(["", "2h"])), max_per_day=draw(st.integers(0, 3))),
        refusal=rulepack.Refusals(
            explicit_days=draw(st.sampled_from([0, 0, 2])),
            implied_days=draw(st.sampled_from([0, 1, 3])),
            dnc_days=draw(st.sampled_from([0, 0, 2])),
            per_product=draw(st.booleans()),
            gacha_limit=draw(st.integers(0, 3)),
            gacha_window_days=draw(st.sampled_from([0, 200])),
        ),
        frequency=counters,
        consent=rulepack.Consent(required=not calm and draw(st.booleans())),
        register=rulepack.Register(names=() if calm else draw(st.sampled_from([(), ("tps",)])), max_age="31d"),
    )


@st.composite
def some_world(draw: st.DrawFn) -> tuple[World, float | None]:
    base = draw(st.sampled_from(DAYS))
    moments = st.integers(-400, 200).map(lambda steps: base + steps * QUARTER)
    dates = st.none() | moments if draw(st.integers(0, 3)) == 0 else moments
    calm = draw(st.booleans())
    usual = [K.ATTEMPT, K.CONTACT, K.VOID, K.CALLBACK, K.OVERRIDE, K.CONSENT, K.COUNTED, K.CLAIM]
    of_calls = [K.ATTEMPT, K.ATTEMPT, K.CONTACT, K.CONTACT, K.VOID, K.CALLBACK, K.OVERRIDE, K.CLAIM]
    kinds = st.sampled_from(of_calls if calm else [*usual, *usual, *K])

    def facts(most, number):
        return tuple(
            Fact(
                id=f"{number}{place}",
                kind=draw(kinds),
                number=number,
                at=draw(dates),
                booth="1",
                agent="OP01",
                call=draw(st.sampled_from([None, "a", "b", "c", "d"])),
                result=draw(st.sampled_from([None, "GACHA0", "GACHAM"])),
                due=draw(dates),
                note=draw(st.sampled_from(["", "talk", "abandoned", "2", "implied", "hold"])),
                product=draw(st.sampled_from(["", "water", "roofs"])),
            )
            for place in range(draw(st.integers(0, most)))
        )

    world = World(
        facts=facts(7, NUMBER.key),
        kin=facts(2, OTHER),
        packs=tuple(draw(st.lists(some_pack(calm=calm), min_size=int(calm), max_size=2))),
        house=Rules(sample_allowed=True, gacha_limit=draw(st.integers(2, 3))),
        zones=tuple(draw(st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True))),
        registers=draw(
            st.dictionaries(
                st.sampled_from(["tps", "ctps", "us-dnc"]), st.builds(Listing, moments, st.booleans()), max_size=3
            )
        ),
        product=draw(st.sampled_from(["", "water"])),
        cap=draw(st.sampled_from([0, 0, 2, 3])),
        override=draw(st.sampled_from([False, False, True])),
    )
    return world, draw(st.none() | moments) if draw(st.integers(0, 9)) == 0 else draw(moments)


AHEAD = 45 * 96  # quarters of an hour that are looked through for a moment at which nothing blocks


def agree(world: World, now: float | None) -> None:
    """The guard and the model say the same, of now and of when the number will be free."""
    said, expected = world.ask(now), Model(world, now).reason()
    assert plain(said.reason) is expected, (said, world)
    assert (said.verdict is Verdict.BLOCK) == (expected not in {Reason.FREE, Reason.OVERRIDDEN})
    event(f"{expected.name} {'until' if said.until else ''}")
    if said.verdict is Verdict.BLOCK and now is not None:
        agree_on_the_end(replace(world, override=False), now, said.until)


def agree_on_the_end(world: World, now: float, until: float | None) -> None:
    if until is not None:
        assert until > now
        assert Model(world, until).reason() in {Reason.FREE, Reason.OVERRIDDEN}, (until, world)
    end = min(until, now + AHEAD * QUARTER) if until is not None else now + 10 * 96 * QUARTER
    # Everything that can change lies on a quarter of an hour of some zone's clock.
    moment = (now // QUARTER + 1) * QUARTER
    while moment < end:
        assert Model(world, moment).reason() not in {Reason.FREE, Reason.OVERRIDDEN}, (moment, until, world)
        moment += QUARTER


COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@given(some_world())
@settings(max_examples=150, **COMMON)
def test_the_guard_and_the_model_never_disagree(question: tuple[World, float | None]) -> None:
    agree(*question)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(some_world())
@settings(max_examples=20_000, **COMMON)
def test_the_guard_and_the_model_never_disagree_20000_times(question: tuple[World, float | None]) -> None:
    agree(*question)
