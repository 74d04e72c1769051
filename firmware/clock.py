"""What time it is, and whether that is known at all: a Pi has no battery-backed clock."""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Trust = Literal["synchronised", "system"]
Source = Literal["", "system", "keyed", "network", "synchronised"]

# No booth with this program is older than the program: a system clock below it was reset. 1 November 2026, UTC.
RELEASED = 1793491200.0
# Nor will it run in fifteen years unchanged: a modem that says 2080 talks nonsense.
FURTHEST = RELEASED + 15 * 366 * 86400
# Seconds by which an unsynchronised system clock may drift from ours and is still the same clock (NTP slewing).
SLEW = 1.0

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_STA_UNSYNC = 0x0040
_RANK: dict[Source, int] = {"": 0, "system": 1, "keyed": 2, "network": 3, "synchronised": 4}


@dataclass(frozen=True, slots=True)
class Stamp:
    """When something happened, so that it can be dated later if the time was not known then."""

    boot: str
    monotonic: float  # seconds since that boot
    utc: float | None  # seconds since 1970, if known


class _Timex(ctypes.Structure):
    """The head of `struct timex`; the rest is padding enough for every architecture."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


_LIBC = ctypes.CDLL(None, use_errno=True)


def kernel_synchronised() -> bool:
    """Whether the kernel says that an NTP client disciplines its clock; setting the clock by hand clears that."""
    state = _Timex()
    answer = int(_LIBC.adjtimex(ctypes.byref(state)))
    return answer not in (-1, _TIME_ERROR) and not state.status & _STA_UNSYNC


def since_boot() -> float:
    """Seconds since boot, suspend included, so that a laptop that slept does not lag."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """The kernel's name for this boot."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


class Clock:
    """Knows the time, or knows that it does not.

    Once known, the time goes on by the monotonic clock: a system clock that jumps does not move it. It moves only when

    - a better source speaks (system < keyed < network < synchronised), by any amount,
    - the same source speaks again (network, keyed, or a system clock that the kernel calls synchronised: the kernel
      drops that flag when somebody sets the clock by hand), by any amount,
    - a supervisor keys it: that always counts, until a better source speaks,
    - an unsynchronised system clock is slewed by at most SLEW.

    Nothing below the floor is believed, whoever says it, nor beyond FURTHEST. With trust "synchronised" the system
    clock counts only while the kernel vouches for it; with "system" (a PC with a battery) it counts above the floor.
    Not thread-safe: the booth's thread asks.
    """

    def __init__(
        self,
        trust: Trust = "synchronised",
        floor: float = RELEASED,
        *,
        system: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = since_boot,
        synchronised: Callable[[], bool] = kernel_synchronised,
        boot: str | None = None,
    ) -> None:
        self._trust, self._floor = trust, max(floor, RELEASED)
        self._system, self._monotonic, self._synchronised = system, monotonic, synchronised
        self._boot = boot or boot_id()
        self._offset: float | None = None
        self._source: Source = ""

    def now(self) -> float | None:
        """Seconds since 1970 UTC, or None while nobody has told."""
        self._ask_system()
        return None if self._offset is None else self._monotonic() + self._offset

    def hear(self, utc: float, source: Literal["keyed", "network"] = "network") -> bool:
        """Take the time from the network or a supervisor; False when it is not believed or a better one is known."""
        if not self._floor <= utc <= FURTHEST:
            return False
        if source != "keyed" and _RANK[source] < _RANK[self._source]:
            return False
        self._offset, self._source = utc - self._monotonic(), source
        return True

    def stamp(self) -> Stamp:
        """This moment."""
        now = self.now()
        return Stamp(self._boot, self._monotonic(), now)

    def monotonic(self) -> float:
        """Seconds since boot: for measuring, whatever the time is."""
        return self._monotonic()

    def raise_floor(self, utc: float) -> None:
        """No time below `utc` is believed from now on: a record of that time exists."""
        self._floor = max(self._floor, utc)

    @property
    def source(self) -> Source:
        """Who told the time; empty while it is unknown."""
        self._ask_system()
        return self._source

    @property
    def keyed(self) -> bool:
        """Whether the time is a supervisor's word only."""
        return self.source == "keyed"

    @property
    def floor(self) -> float:
        """The lower bound of the time, known or not (UTC seconds)."""
        return self._floor

    def _ask_system(self) -> None:
        vouched = self._synchronised()
        if not vouched and self._trust != "system":
            return
        said = self._system()
        if not self._floor <= said <= FURTHEST:
            return
        offset = said - self._monotonic()
        source: Source = "synchronised" if vouched else "system"
        better = _RANK[source] > _RANK[self._source] or source == self._source == "synchronised"
        slewed = source == self._source and self._offset is not None and abs(offset - self._offset) <= SLEW
        if better or slewed:
            self._offset, self._source = offset, source
