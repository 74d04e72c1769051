"""What the agent marks with the twelve keys while talking. Pure.

>>> marks = Marks().press("3").press("2").press("7")
>>> marks.promise, marks.ticks, sorted(marks.named)
(3, (True, False, False), ['refusal'])
>>> marks.press("7").named
frozenset()
"""

from dataclasses import dataclass, replace

PROMISES = {"1": 1, "3": 3, "5": 5}  # minutes
TICKS = {"2": 0, "4": 1, "6": 2}  # who we are, minutes asked, free to hang up
TICK_NAMES = ("tick-who", "tick-minutes", "tick-free")
NAMED = {"7": "refusal", "8": "bad-moment", "9": "complaint", "0": "help", "#": "identity"}
COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one call. A key pressed again takes its mark back, except that help once called stays called."""

    promise: int | None = None
    ticks: tuple[bool, bool, bool] = (False, False, False)
    named: frozenset[str] = frozenset()
    paused: bool = False

    def press(self, key: str) -> "Marks":
        """The marks after one of the twelve keys."""
        if key in PROMISES:
            minutes = PROMISES[key]
            return replace(self, promise=None if self.promise == minutes else minutes)
        if key in TICKS:
            first, second, third = (on ^ (place == TICKS[key]) for place, on in enumerate(self.ticks))
            return replace(self, ticks=(first, second, third))
        if key == "*":
            return replace(self, paused=not self.paused)
        name = NAMED[key]
        return replace(self, named=self.named | {name} if name == "help" else self.named ^ {name})

    def name_of(self, key: str) -> str:
        """What the call's record calls the mark that `key` has just set or taken back ("-" in front: taken back)."""
        if key in PROMISES:
            return f"promise-{self.promise}" if self.promise else "-promise"
        if key in TICKS:
            place = TICKS[key]
            return TICK_NAMES[place] if self.ticks[place] else f"-{TICK_NAMES[place]}"
        if key == "*":
            return "pause" if self.paused else "resume"
        name = NAMED[key]
        return name if name in self.named else f"-{name}"
