"""What an exchange says in tones: a pure detector on frames of 20 ms, cheap enough to run through every call.

A tone is a pair of pitches (the span of two sines explains nearly all of a frame; a single pitch is a close pair, which
also bears its modulation and a line that is a little off). How long it lasts, and how long the pause is, tells the rest.
Tables: Japan after the telephone network's technical reference (400 Hz), North America after the precise tone plan,
Europe after ETSI TR 101 041 (425 Hz), the special information tone after ITU-T E.180. A call abroad brings the far
exchange's tones, so before an answer all are known.
"""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from operator import mul

from hw.contracts import FRAME, FRAME_SECONDS, RATE

SAMPLES = FRAME // 2
QUIET = 200.0**2 * SAMPLES  # energy of a frame in which nothing sounds: 8-bit modems rustle up to here
SHARE = 0.85  # of a frame's energy, explained by a pair, makes it that tone
BEGUN, GONE = 2, 3  # frames in a row that begin a tone, and that end one: its modulation has dips
ECHO = 0.25  # of what was said comes back from the line at most (6 dB under it; a bad hybrid has 10)
VOICED, HEEDED = 10, 25  # so many frames among so many that are neither tone nor silence are somebody's voice
FOREVER = 3600.0
PART, APART = (
    0.3,
    1.2,
)  # seconds of a ring whose beginning was not heard, and of the pause that tells it from a busy tone


class Sound(Enum):
    """What is heard."""

    DIAL_TONE = auto()
    RING_BACK = auto()
    CEASED = auto()  # ring-back has not come again: somebody answered, it seems
    BUSY = auto()
    CONGESTION = auto()
    SIT = auto()  # the three rising tones before an announcement
    VOICE = auto()  # something that is none of an exchange's tones


Pair = tuple[int, int]
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rule:
    """A tone and its cadence, in seconds. Without a pause it is told when it has lasted for the shortest `on`."""

    sound: Sound
    pair: Pair
    on: Range
    off: Range | None = None
    pause: float = 0.0  # the longest between two of the same; more means that it has ceased


@dataclass(frozen=True, slots=True)
class Country:
    """The tones of its exchanges."""

    name: str
    rules: tuple[Rule, ...]


JAPAN = Country(
    "JP",
    (
        Rule(Sound.DIAL_TONE, (385, 415), on=(2.6, FOREVER)),
        Rule(Sound.RING_BACK, (385, 415), on=(0.75, 2.6), pause=2.5),  # 1 s in 3, modulated by 15 to 20 Hz
        Rule(Sound.BUSY, (385, 415), on=(0.35, 0.65), off=(0.35, 0.65)),
    ),
)
AMERICA = Country(
    "US",
    (
        Rule(Sound.DIAL_TONE, (350, 440), on=(1.5, FOREVER)),
        Rule(Sound.RING_BACK, (440, 480), on=(0.75, 2.6), pause=4.8),  # 2 s in 6
        Rule(Sound.BUSY, (480, 620), on=(0.35, 0.65), off=(0.35, 0.65)),
        Rule(Sound.CONGESTION, (480, 620), on=(0.15, 0.34), off=(0.15, 0.34)),
    ),
)
EUROPE = Country(
    "EU",
    (
        Rule(Sound.DIAL_TONE, (410, 440), on=(2.6, FOREVER)),
        Rule(Sound.RING_BACK, (410, 440), on=(0.75, 2.6), pause=4.8),  # 1 s in 5
        Rule(Sound.BUSY, (410, 440), on=(0.35, 0.65), off=(0.35, 0.65)),
        Rule(Sound.CONGESTION, (410, 440), on=(0.15, 0.34), off=(0.15, 0.34)),
    ),
)
COUNTRIES = {country.name: country for country in (JAPAN, AMERICA, EUROPE)}

STEPS: tuple[Pair, ...] = ((928, 972), (1378, 1422), (1768, 1808))  # of the special information tone, rising
STEP_SHARE = 0.75  # they may be 50 Hz off; three of them in a row are proof enough
STEP: Range = (0.2, 0.5)  # nominal 0.274 or 0.380 s each


class Cadence:
    """Listens to one call, frame by frame."""

    def __init__(self, country: Country) -> None:
        own = {rule.pair for rule in country.rules}
        centres = [sum(pair) // 2 for pair in own]
        foreign = [
            rule
            for other in COUNTRIES.values()
            for rule in other.rules
            if rule.pair not in own and min(abs(sum(rule.pair) // 2 - centre) for centre in centres) > 26
        ]
        self._rules = (*country.rules, *foreign)
        self._pairs = tuple(dict.fromkeys(rule.pair for rule in self._rules))
        self._own = tuple(dict.fromkeys(rule.pair for rule in country.rules))
        self._run = _Run()
        self._rhythm = _Rhythm(self._rules)
        self._voiced: list[bool] = []
        self._steps = 0
        self._answered = self._told = False

    def rang(self) -> None:
        """The modem itself hears ring-back begin; our own ear may miss it."""
        self._rhythm.rang()

    def answered(self) -> None:
        """From now on only what ends a call matters, and it comes from the near exchange."""
        self._answered = True
        self._pairs = self._own

    @property
    def silence(self) -> float:
        """Seconds for which nothing has been heard."""
        return self._run.seconds if self._run.kind is None else 0.0

    def hear(self, frame: bytes, said: float = 0.0) -> Sound | None:
        """What this frame completes; BUSY and CONGESTION anew with each turn that is like the one before.

        `said` is the energy of what was lately sent: a softer sound that is no tone is then its echo, and tells nothing.
        """
        samples = array("h", frame)
        power = energy(samples)
        kind = self._kind(samples, power)
        if kind is SOMETHING and power < ECHO * said:
            return None
        ended = self._run.add(kind)
        sound = self._rhythm.ended(*ended) if ended else self._rhythm.lasts(self._run)
        if sound is None and not self._answered:
            sound = self._information(ended) or self._voice(kind)
        return sound

    def _kind(self, samples: "array[int]", power: float) -> Pair | None:
        """The tone that sounds; None for silence, SOMETHING for any other sound."""
        if power < QUIET:
            return None
        last = self._run.kind  # most often it goes on
        pairs = (last, *self._pairs) if last and last is not SOMETHING else self._pairs
        for pair in pairs:
            if explained(samples, pair) >= SHARE * power:
                return pair
        steps = () if self._answered else STEPS[self._steps : self._steps + 2]  # this one, and the one it gives way to
        return next((step for step in steps if explained(samples, step) >= STEP_SHARE * power), SOMETHING)

    def _information(self, ended: "tuple[Pair | None, float] | None") -> Sound | None:
        """The special information tone, when its third step has ended; another sound breaks it."""
        if ended is None or ended[0] is None:
            return None
        kind, seconds = ended
        if kind != STEPS[self._steps] or not STEP[0] <= seconds <= STEP[1]:
            self._steps = 0
            return None
        self._steps = (self._steps + 1) % len(STEPS)
        return Sound.SIT if self._steps == 0 else None

    def _voice(self, kind: Pair | None) -> Sound | None:
        self._voiced = [*self._voiced[1 - HEEDED :], kind is SOMETHING]
        if self._told or sum(self._voiced) < VOICED:
            return None
        self._told = True
        return Sound.VOICE


SOMETHING: Pair = (0, 0)


class _Run:
    """How long the same has been heard: a frame or two of something else do not end it."""

    def __init__(self) -> None:
        self.kind: Pair | None = None
        self._frames = self._other = 0
        self._candidate: Pair | None = None
        self._agreed = 0

    @property
    def seconds(self) -> float:
        return self._frames * FRAME_SECONDS

    def add(self, kind: Pair | None) -> tuple[Pair | None, float] | None:
        """What ended with this frame, and how long it had lasted."""
        if kind == self.kind:
            self._frames += self._other + 1
            self._other = self._agreed = 0
            return None
        self._agreed = self._agreed + 1 if self._agreed and kind == self._candidate else 1
        self._candidate, self._other = kind, self._other + 1
        if self._other < GONE or self._agreed < BEGUN:
            return None
        ended = self.kind, self.seconds
        self.kind, self._frames = kind, self._other
        self._other = self._agreed = 0
        return ended


class _Rhythm:
    """Compares tones and pauses with the rules."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._matched: Rule | None = None  # the tone that ended last was like this,
        self._turns = 0  # for so many turns
        self._ringing: Rule | None = None
        self._paused = 0  # frames since ring-back was heard
        self._rest: Rule | None = None  # of the tone that ended last: it may have been the end of a ring
        self._told: Sound | None = None

    def rang(self) -> None:
        """Ring-back begins, as somebody else says."""
        self._ringing = next(rule for rule in self._rules if rule.sound is Sound.RING_BACK)
        self._paused = -round(self._ringing.on[1] / FRAME_SECONDS)

    def ended(self, kind: Pair | None, seconds: float) -> Sound | None:
        """A tone or a pause is over."""
        self._told = None
        if kind is None or kind is SOMETHING:
            rule = self._matched
            if rule and rule.off and not within(rule.off, seconds):
                self._matched, self._turns = None, 0
            return None
        self._rest = self._ring_of(kind) if seconds >= PART else None
        rule = next((one for one in self._rules if one.off and one.pair == kind and within(one.on, seconds)), None)
        self._turns = self._turns + 1 if rule and rule is self._matched else int(rule is not None)
        self._matched = rule
        if rule is None or self._turns < 2:
            return None
        self._ringing = None
        return rule.sound

    def lasts(self, run: _Run) -> Sound | None:
        """A tone goes on, or a pause: told once."""
        ringing = self._ringing
        if ringing:
            self._paused = 0 if run.kind == ringing.pair else self._paused + 1
            if self._paused * FRAME_SECONDS >= ringing.pause:
                self._ringing = None
                return Sound.CEASED
        elif self._rest and run.kind is None and run.seconds >= APART:
            self._ringing, self._paused, self._rest = self._rest, round(run.seconds / FRAME_SECONDS), None
            return Sound.RING_BACK
        for rule in self._rules:
            if rule.off is None and rule.pair == run.kind and within(rule.on, run.seconds):
                return self._tell(rule)
        return None

    def _ring_of(self, kind: Pair) -> Rule | None:
        return next((one for one in self._rules if one.sound is Sound.RING_BACK and one.pair == kind), None)

    def _tell(self, rule: Rule) -> Sound | None:
        if self._told is rule.sound:
            return None
        self._told = rule.sound
        self._ringing = rule if rule.sound is Sound.RING_BACK else None
        return rule.sound


def within(limits: Range, seconds: float) -> bool:
    """Whether a length is right."""
    return limits[0] <= seconds <= limits[1]


def energy(samples: "array[int]") -> float:
    """The sum of squares, without that of a constant part: some modems' silence is no nought."""
    return float(sum(map(mul, samples, samples))) - sum(samples) ** 2 / len(samples)


def explained(samples: "array[int]", pair: Pair) -> float:
    """How much of a frame's energy is a mixture of these two pitches."""
    total = 0.0
    for vector in _vectors(pair):
        part = sum(map(mul, vector, samples))
        total += part * part
    return total


@cache
def _vectors(pair: Pair) -> tuple[tuple[float, ...], ...]:
    """Sines and cosines of both, made orthogonal to each other and to a constant, of length one."""
    done = [tuple([1 / math.sqrt(SAMPLES)] * SAMPLES)]
    for hertz in pair:
        for wave in (math.cos, math.sin):
            vector = [wave(math.tau * hertz * n / RATE) for n in range(SAMPLES)]
            for other in done:
                part = sum(map(mul, vector, other))
                vector = [one - part * two for one, two in zip(vector, other, strict=True)]
            size = math.sqrt(sum(map(mul, vector, vector)))
            done.append(tuple(one / size for one in vector))
    return tuple(done[1:])
