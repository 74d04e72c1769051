"""What a modem finds around it: its SIM, the network, and how well it feels today."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hw.emulated.cable import Cable

QUARTER = timedelta(minutes=15)


def nothing(_what: str) -> None:
    """Nobody wants to know."""


class Circumstances:
    """Everything a test or the desk may change under the modem, at any time, by assignment.

    silent: the AT port hears and says nothing. cable: what the AT port's bytes go through (see Cable); garble is that
    cable's, a probability that a byte is damaged on its way, either way. slow: seconds before each answer. sim: READY, SIM PIN, SIM PUK or NOT INSERTED. sim_busy_for: seconds after plug()
    in which the SIM is not ready yet. registered, signal (+CSQ, 0-31 or 99), network_time (UTC seconds, ticking; None:
    the network never told) and zone (quarters of an hour) are the network's. voice: False has no voice over USB.
    ccinfo: False knows only ^DSCI. early_urc: call URCs come before the OK of ATD. late_clip: the first RING has no
    +CLIP. data_call: +CLCC also lists a data call, as when the modem is online. forgets_pcm: +QPCMV is 0 after a call.
    pcm_late: seconds after plug() until the voice port appears, too.
    """

    def __init__(
        self,
        *,
        silent: bool = False,
        cable: Cable | None = None,
        garble: float = 0.0,
        slow: float = 0.0,
        sim: str = "READY",
        pin: str = "1234",
        sim_busy_for: float = 0.0,
        registered: bool = True,
        signal: int = 17,
        network_time: float | None = None,
        zone: int = 36,
        voice: bool = True,
        ccinfo: bool = True,
        early_urc: bool = False,
        late_clip: bool = False,
        data_call: bool = False,
        forgets_pcm: bool = False,
        pcm_late: float = 0.0,
        model: str = "EC25",
        imei: str = "001010123456784",
    ) -> None:
        self.silent, self.slow = silent, slow
        self.cable = cable or Cable(garble=garble)
        self.pin, self.tries, self.sim_busy_for = pin, 3, sim_busy_for
        self.zone, self.voice, self.ccinfo, self.early_urc = zone, voice, ccinfo, early_urc
        self.late_clip, self.data_call, self.forgets_pcm = late_clip, data_call, forgets_pcm
        self.pcm_late = pcm_late
        self.model, self.imei = model, imei
        self._changed: Callable[[str], None] = nothing
        self._sim, self._registered, self._signal = sim, registered, signal
        self.network_time = network_time

    @property
    def garble(self) -> float:
        """The cable's: probability that a byte is damaged."""
        return self.cable.garble

    @garble.setter
    def garble(self, probability: float) -> None:
        self.cable.garble = probability

    @property
    def sim(self) -> str:
        """READY, SIM PIN, SIM PUK or NOT INSERTED."""
        return self._sim

    @sim.setter
    def sim(self, state: str) -> None:
        self._sim = state
        self._changed("sim")

    @property
    def registered(self) -> bool:
        """Whether the network knows us."""
        return self._registered

    @registered.setter
    def registered(self, registered: bool) -> None:
        self._registered = registered
        self._changed("registration")

    @property
    def signal(self) -> int:
        """Received signal strength as +CSQ gives it."""
        return self._signal

    @signal.setter
    def signal(self, rssi: int) -> None:
        self._signal = rssi
        self._changed("signal")

    @property
    def network_time(self) -> float | None:
        """Seconds since 1970 UTC by the network's clock, which ticks on; None when it has never told."""
        return None if self._epoch is None else self._epoch + time.monotonic()

    @network_time.setter
    def network_time(self, utc: float | None) -> None:
        self._epoch = None if utc is None else utc - time.monotonic()
        self._changed("time")

    def clock(self, *, local: bool) -> str | None:
        """The network's time as `2026/11/10,12:04:05+36`: the zone is always told, the hour is local or GMT."""
        now = self.network_time
        if now is None:
            return None
        shown = datetime.fromtimestamp(now, UTC) + (self.zone * QUARTER if local else timedelta())
        return f"{shown:%Y/%m/%d,%H:%M:%S}{self.zone:+03d}"

    def enter_pin(self, pin: str) -> bool:
        """Three tries; then the SIM wants its PUK."""
        if pin == self.pin:
            self.tries, self.sim = 3, "READY"
            return True
        self.tries -= 1
        if not self.tries:
            self.sim = "SIM PUK"
        return False
