"""What time it is, and whether that is known at all: a Pi has no battery-backed clock."""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Trust = Literal["synchronised", "system"]
Source = Literal["", "system", "keyed", "network", "server", "synchronised"]

# No booth with this program is older than the program: a system clock below it was reset. 1 November 2026, UTC.
RELEASED = 1793491200.0
# Nor will it run in fifteen years unchanged: a modem that says 2080 talks nonsense.
FURTHEST = RELEASED + 15 * 366 * 86400
# Seconds after the latest record (or after the release, where there is none) beyond which one source alone is not believed:
# a box may have stood in a cupboard, but a clock that says so is more often wrong.
LEAP, FIRST_LEAP = 60 * 86400.0, 5 * 366 * 86400.0
# Seconds by which two sources may differ that say the same.
AGREE = 600.0
# Seconds by which an unsynchronised system clock may drift from ours and is still the same clock (NTP slewing).
SLEW = 1.0

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_STA_UNSYNC = 0x0040
_RANK: dict[Source, int] = {"": 0, "system": 1, "keyed": 2, "network": 3, "server": 4, "synchronised": 5}


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

    Nothing below the floor is believed, whoever says it, nor beyond FURTHEST, nor far beyond the latest record unless two
    sources agree (a supervisor agrees by keying it twice). With trust "synchronised" the system clock counts only while
    the kernel vouches for it; with "system" (a PC with a battery) it counts above the floor.

    What was believed in this boot is kept as a range, since any of it may have been the truth: `doubt` is how much
    earlier than now() it may be, and `latest` dates this boot's records by the other end. So no number becomes free because
    a clock jumped. Not thread-safe: the booth's thread asks.
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
        self._least = self._most = 0.0  # offsets believed in this boot
        self._said: dict[Source, float] = {}  # by each source, believed or not

    def now(self) -> float | None:
        """Seconds since 1970 UTC, or None while nobody has told."""
        self._ask_system()
        return None if self._offset is None else self._monotonic() + self._offset

    def hear(self, utc: float, source: Literal["keyed", "network", "server"] = "network") -> bool:
        """Take the time from outside; False when it is not believed or a better one is known."""
        if not self._is_likely(utc, source):
            return False
        if source != "keyed" and _RANK[source] < _RANK[self._source]:
            return False
        self._believe(utc - self._monotonic(), source)
        return True

    def _is_likely(self, utc: float, source: Source) -> bool:
        """Whether it may be the time, as far as anybody can tell."""
        if not self._floor <= utc <= FURTHEST:
            return False
        offset, before = utc - self._monotonic(), self._said.get(source)
        self._said[source] = offset
        reach = FIRST_LEAP if self._floor == RELEASED and self._offset is None else LEAP
        if utc <= self._past() + reach:
            return True
        others = [said for other, said in self._said.items() if other != source]
        if source == "keyed" and before is not None:
            others.append(before)
        return any(abs(said - offset) <= AGREE for said in others)

    def _believe(self, offset: float, source: Source) -> None:
        known = self._offset is not None
        self._least = min(self._least, offset) if known else offset
        self._most = max(self._most, offset) if known else offset
        self._offset, self._source = offset, source

    def earliest(self) -> float:
        """A time that it certainly is by now (UTC seconds), known or not."""
        self._ask_system()
        return self._past()

    def _past(self) -> float:
        return self._floor if self._offset is None else max(self._floor, self._monotonic() + self._least)

    @property
    def doubt(self) -> float:
        """Seconds by which now() may be ahead of the truth; 0 where nobody has spoken against it."""
        return 0.0 if self._offset is None else self._offset - self._least

    @property
    def doubts(self) -> tuple[float, ...]:
        """Seconds by which now() may be ahead of the truth, behind it where negative: all the errors worth looking at."""
        if self._offset is None:
            return (0.0,)
        return tuple(dict.fromkeys((self.doubt, 0.0, self._offset - self._most)))

    @property
    def latest(self) -> float | None:
        """UTC minus monotonic seconds at most: with it no record of this boot is dated too early. None: not known."""
        self._ask_system()
        return None if self._offset is None else self._most

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
        source: Source = "synchronised" if vouched else "system"
        offset = said - self._monotonic()
        slewed = source == self._source and self._offset is not None and abs(offset - self._offset) <= SLEW
        if not slewed and not self._is_likely(said, source):
            return
        better = _RANK[source] > _RANK[self._source] or source == self._source == "synchronised"
        if better or slewed:
            self._believe(offset, source)
