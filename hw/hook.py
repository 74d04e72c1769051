"""The cradle switch under the handset, debounced here; and the booth that has none."""

from hw.contracts import Post
from hw.errors import MisuseError
from hw.events import HookLifted, HookReplaced
from hw.pins import Claim, Factory
from hw.watch import Watch

LOOK = 0.005  # seconds between two looks while the switch moves
STEADY = 0.04  # seconds that a new position must last: a switch rattles for some 20 ms, a knock on the desk no longer


class Steadiness:
    """A level counts when it has lasted. No thread, no clock, no pins."""

    def __init__(self, level: bool) -> None:
        self.level = level  # what counts
        self._seen, self._since = level, 0.0

    @property
    def calm(self) -> bool:
        """Whether the level seen last is the one that counts."""
        return self._seen == self.level

    def hear(self, level: bool, now: float) -> bool:
        """Take one look; whether the level that counts has changed by it."""
        if level != self._seen:
            self._seen, self._since = level, now
        if self.calm or now - self._since < STEADY:
            return False
        self.level = self._seen
        return True


class Cradle:
    """A Hook on one pin, pulled up; the switch pulls it to ground."""

    def __init__(self, pin: int, lifted_high: bool = True, factory: Factory = None) -> None:
        """`lifted_high`: the switch is open while the handset is up."""
        self._number, self._lifted_high, self._factory = pin, lifted_high, factory
        self._claim: Claim | None = None

    def open(self, post: Post) -> None:
        if self._claim is not None:
            raise MisuseError("the hook is open already")
        self._claim = Claim("hook", [self._number], self._factory)
        (self._pin,) = self._claim.pins
        self._pin.input_with_pull("up")
        self._post = post
        self._steadiness = Steadiness(self._lifted())
        self._tell()
        self._watch = Watch("hook", self._look)
        self._pin.edges = "both"
        self._pin.when_changed = self._watch.stir
        self._watch.start()

    def close(self) -> None:
        if self._claim is None:
            return
        self._watch.stop()
        self._claim.release()
        self._claim = None

    def _lifted(self) -> bool:
        return bool(self._pin.state) == self._lifted_high

    def _look(self, now: float) -> float | None:
        if self._steadiness.hear(self._lifted(), now):
            self._tell()
        return None if self._steadiness.calm else LOOK

    def _tell(self) -> None:
        self._post(HookLifted() if self._steadiness.level else HookReplaced())


class NoHook:
    """The Hook of a booth with a headset: there is nothing to lift, and nothing is ever posted."""

    def open(self, post: Post) -> None: ...

    def close(self) -> None: ...
