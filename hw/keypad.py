"""The 4×4 keys on eight GPIO pins: scanned row by row, debounced here, at most one key down at a time."""

import time
from collections import deque
from collections.abc import Iterator, Sequence

from hw.contracts import Post
from hw.errors import MisuseError, WiringError
from hw.events import Event, KeyHeld, KeyPressed, KeyReleased
from hw.pins import Claim, Factory
from hw.watch import Watch

KEYS = "123A456B789C*0#D"  # as they lie on the pad, row by row

SCAN = 0.005  # seconds between scans
SLOW = 0.02  # the same while a key is held or stuck: a scan takes a Pi more than a millisecond
AGREE = 3  # equal scans that make a press or a release: contacts of membrane pads bounce for up to 5 ms
HOLD = 1.0  # seconds after which a key counts as held
STUCK = 30.0  # seconds after which a key no longer counts: dirt must not keep an emergency from being dialled
SETTLE = 50e-6  # seconds for a pull-up of 50 kΩ to lift a long flat cable between two rows


class Debounce:
    """Scans in, key events out. No thread, no clock, no pins.

    A key is pressed when AGREE scans show it and no other. So chords are ignored until one key is left, and so are the
    ghosts that three corners of a rectangle raise on a pad without diodes. Scans can show too much, never too little:
    a key that AGREE scans do not show is up, whatever else they show.
    """

    def __init__(self) -> None:
        self._recent: deque[frozenset[str]] = deque([frozenset()] * AGREE, maxlen=AGREE)
        self._down: str | None = None
        self._since = 0.0
        self._held = False
        self._stuck: frozenset[str] = frozenset()

    @property
    def calm(self) -> bool:
        """Whether nothing is down and nothing is about to be."""
        return self._down is None and not self._stuck and not any(self._recent)

    @property
    def pace(self) -> float:
        """Seconds until the next scan should be made, unless calm."""
        return SLOW if self._held or self._stuck else SCAN

    def hear(self, closed: frozenset[str], now: float) -> list[Event]:
        """Take one scan, made at `now` on any clock in seconds."""
        self._stuck &= closed
        self._recent.append(closed - self._stuck)
        return [*self._release(now), *self._press(now), *self._hold(now)]

    def _release(self, now: float) -> Iterator[Event]:
        if self._down is None:
            return
        if now - self._since >= STUCK:
            self._stuck |= {self._down}
            self._recent.extend([frozenset()] * AGREE)
        elif any(self._down in scan for scan in self._recent):
            return
        yield KeyReleased(self._down)
        self._down, self._held = None, False

    def _press(self, now: float) -> Iterator[Event]:
        first = self._recent[0]
        if self._down is None and len(first) == 1 and all(scan == first for scan in self._recent):
            (self._down,) = first
            self._since = now
            yield KeyPressed(self._down)

    def _hold(self, now: float) -> Iterator[Event]:
        if self._down is not None and not self._held and now - self._since >= HOLD and self._recent[-1] == {self._down}:
            self._held = True
            yield KeyHeld(self._down)


class MatrixKeypad:
    """A Keypad of rows and columns.

    At rest all rows are driven low and the columns, pulled up, wait for an edge. While keys are down one row at a time
    is driven low and the others are inputs, so that two keys of a column never short two outputs.
    """

    def __init__(self, rows: Sequence[int], columns: Sequence[int], keys: str = KEYS, factory: Factory = None) -> None:
        """`keys` names them row by row; `factory` is a gpiozero pin factory if not the machine's own."""
        if len(keys) != len(rows) * len(columns):
            raise WiringError(f"keypad: {len(rows)} rows and {len(columns)} columns do not make {len(keys)} keys")
        width = len(columns)
        self._numbers, self._factory, self._height = [*rows, *columns], factory, len(rows)
        self._names = [keys[at : at + width] for at in range(0, len(keys), width)]
        self._debounce = Debounce()
        self._claim: Claim | None = None

    def open(self, post: Post) -> None:
        if self._claim is not None:
            raise MisuseError("the keypad is open already")
        self._claim = Claim("keypad", self._numbers, self._factory)
        self._rows, self._columns = self._claim.pins[: self._height], self._claim.pins[self._height :]
        self._post = post
        self._watch = Watch("keypad", self._look)
        self._rest()
        for column in self._columns:
            column.input_with_pull("up")
            column.edges = "falling"
            column.when_changed = self._watch.stir
        self._watch.start()

    def close(self) -> None:
        if self._claim is None:
            return
        self._watch.stop()
        self._claim.release()
        self._claim = None

    def _look(self, now: float) -> float | None:
        if self._debounce.calm:
            self._part()
        for event in self._debounce.hear(self._scan(), now):
            self._post(event)
        if not self._debounce.calm:
            return self._debounce.pace
        self._rest()
        missed = not all(column.state for column in self._columns)  # it went down before the rows were low
        return SCAN if missed else None

    def _rest(self) -> None:
        for row in self._rows:
            row.output_with_state(False)

    def _part(self) -> None:
        for row in self._rows:
            row.input_with_pull("up")

    def _scan(self) -> frozenset[str]:
        closed: set[str] = set()
        for row, names in zip(self._rows, self._names, strict=True):
            row.output_with_state(False)
            _settle()
            closed.update(name for name, column in zip(names, self._columns, strict=True) if not column.state)
            row.input_with_pull("up")
        return frozenset(closed)


def _settle() -> None:
    """Wait without sleeping: a sleep would let every other thread go first, four times a scan."""
    until = time.perf_counter() + SETTLE
    while time.perf_counter() < until:
        pass
