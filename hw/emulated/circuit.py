"""Switches soldered to mock pins: every pin reads what wires, drives and pulls make of it at that very moment."""

import random
import threading
import time
from collections.abc import Sequence
from typing import Any

from gpiozero.pins.mock import MockPin

TOUCHES = 5  # how often a bouncing contact touches more, at most


class Contact:
    """A metal switch as a plan in time: where it ends, and the moments at which it still flips.

    Being a plan it is true for whoever looks, however late the threads run.
    """

    def __init__(self, seed: int = 0) -> None:
        self._ends = False
        self._flips: list[float] = []
        self._random = random.Random(seed)  # noqa: S311 - the same bounce in every run is what is wanted

    def closed(self, now: float) -> bool:
        """Whether current flows at `now`."""
        still = sum(1 for flip in self._flips if flip > now)
        return self._ends ^ (still % 2 == 1)

    def lives(self, now: float) -> bool:
        """Whether it is closed or has still something planned."""
        return self._ends or any(flip > now for flip in self._flips)

    def move(self, closed: bool, now: float, rattle: float = 0.0) -> Sequence[float]:
        """Close or open at once; with `rattle`, bounce for that many seconds. Returns the moments of the flips."""
        self._ends = closed
        flips = 2 * self._random.randint(1, TOUCHES) if rattle else 0
        self._flips = sorted(now + self._random.uniform(0, rattle) for _ in range(flips))
        return tuple(self._flips)

    def touch(self, start: float, end: float, now: float) -> Sequence[float]:
        """Plan to flip at `start` and back at `end`, none of them past."""
        self._flips = [*(flip for flip in self._flips if flip > now), start, end]
        return start, end


class Terminal(MockPin):  # type: ignore[misc]
    """A mock pin whose level comes from the circuit it is soldered to."""

    def __init__(self, factory: Any, info: Any, circuit: "Circuit") -> None:
        super().__init__(factory, info)
        self.circuit = circuit
        self.felt = True  # the level when the circuit last settled: an edge is told against it

    @property
    def driven(self) -> bool | None:
        """The level it forces on its wire; None as an input."""
        return bool(self._state) if self._function == "output" else None

    def tell(self, level: bool) -> None:
        """Call whoever waits for such an edge."""
        with self._when_changed_lock:
            handler = self.when_changed
        if handler is not None and self._edges in ("both", "rising" if level else "falling"):
            handler(self._factory.ticks(), level)

    def _get_state(self) -> bool:
        self.circuit.readings += 1
        return self.circuit.level(self)

    def _set_state(self, value: bool) -> None:
        super()._set_state(value)
        self.circuit.settle()

    def _set_function(self, value: str) -> None:
        super()._set_function(value)
        self.circuit.settle()

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        self.circuit.settle()

    def drive_high(self) -> None:
        """What a mock pin does when it is pulled up; here the circuit asks for `pull`, and nothing need be set."""

    def drive_low(self) -> None:
        """The same for a pull-down."""


Node = Terminal | None  # None is ground
Wire = tuple[Node, Node]


class Circuit:
    """Mock pins, ground, and the contacts between them.

    Build it before a driver opens the pins. A wire that nothing holds, or that is pulled both ways, reads low: the
    worst for drivers that expect a pull-up. `shorts` counts how often two outputs were found to fight.
    """

    def __init__(self, factory: Any) -> None:
        self._lock = threading.RLock()
        self._terminals: list[Terminal] = []
        self._ends: dict[Contact, Wire] = {}
        self._live: set[Contact] = set()  # closed ones, and those that are about to be
        self._never = threading.Event()
        self._announcers: list[threading.Thread] = []
        self.factory = factory
        self.shorts = 0
        self.readings = 0  # how often a pin was read

    def solder(self, number: int) -> Terminal:
        """Take the pin of this GPIO number into the circuit."""
        pin = self.factory.pin(f"GPIO{number}", pin_class=Terminal, circuit=self)
        if not isinstance(pin, Terminal) or pin.circuit is not self:
            raise RuntimeError(f"{pin!r} was taken before it could be soldered")
        self._terminals.append(pin)
        return pin

    def switch(self, one: Node, other: Node, seed: int = 0) -> Contact:
        """An open contact between two wires."""
        contact = Contact(seed)
        self._ends[contact] = (one, other)
        return contact

    def move(self, contact: Contact, closed: bool, rattle: float = 0.0) -> None:
        """Close or open a contact now, bouncing for `rattle` seconds; returns at once."""
        with self._lock:
            flips = contact.move(closed, time.monotonic(), rattle)
            self._live.add(contact)
        self.settle()
        self._expect(flips)

    def touch(self, contact: Contact, start: float, end: float) -> None:
        """Close an open contact (or open a closed one) from `start` to `end` on the monotonic clock; returns at once."""
        with self._lock:
            flips = contact.touch(start, end, time.monotonic())
            self._live.add(contact)
        self._expect(flips)

    def still(self, timeout: float) -> None:
        """Wait until nothing bounces and nothing planned is left."""
        for announcer in self._announcers:
            announcer.join(timeout)

    def level(self, pin: Terminal) -> bool:
        """What the pin reads now."""
        with self._lock:
            return self._level(pin, self._joined(time.monotonic()))

    def settle(self) -> None:
        """Tell every input whose level has changed; on the thread of whoever moved something."""
        with self._lock:
            joined = self._joined(time.monotonic())
            levels = [(pin, self._level(pin, joined)) for pin in self._terminals]
            changed = [(pin, level) for pin, level in levels if pin.felt != level]
            for pin, level in changed:
                pin.felt = level
        for pin, level in changed:
            if pin.driven is None:
                pin.tell(level)

    def _joined(self, now: float) -> list[Wire]:
        """The wires that are one at `now`."""
        self._live = {contact for contact in self._live if contact.lives(now)}
        return [self._ends[contact] for contact in self._live if contact.closed(now)]

    def _level(self, pin: Terminal, joined: list[Wire]) -> bool:
        net = _net(pin, joined) if joined else {pin}
        if None in net:
            return False
        drives = {node.driven for node in net if node is not None} - {None}
        if drives:
            self.shorts += len(drives) - 1
            return drives == {True}
        return {node.pull for node in net if node is not None} - {"floating"} == {"up"}

    def _expect(self, flips: Sequence[float]) -> None:
        self._announcers = [thread for thread in self._announcers if thread.is_alive()]
        if flips:
            announcer = threading.Thread(target=self._announce, args=(flips,), name="contact", daemon=True)
            self._announcers.append(announcer)
            announcer.start()

    def _announce(self, flips: Sequence[float]) -> None:
        for flip in flips:
            self._never.wait(max(0.0, flip - time.monotonic()))
            self.settle()


def _net(start: Terminal, joined: list[Wire]) -> set[Node]:
    """Every node that current can reach."""
    found: set[Node] = {start}
    fresh: list[Node] = [start]
    while fresh:
        at = fresh.pop()
        near = {b if a is at else a for a, b in joined if at is a or at is b} - found
        found |= near
        fresh.extend(node for node in near if node is not None)
    return found
