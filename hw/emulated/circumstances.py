"""What a modem finds around it: its SIM, the network, its cable, and how well it feels today."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hw.emulated.bugs import Bugs
from hw.emulated.cable import Cable

QUARTER = timedelta(minutes=15)
PIN_TRIES, PUK_TRIES = 3, 10


def nothing(_what: str) -> None:
    """Nobody wants to know."""


class Circumstances(Bugs):
    """Everything a test or the desk may change under the modem, at any time, by assignment; the bugs are those of Bugs.

    silent: the AT port hears and says nothing. cable: what the AT port's bytes go through (see Cable); garble is that
    cable's, a probability that a byte is damaged on its way, either way. pcm_cable: the same for the voice port. slow:
    seconds before each answer. noise: seconds between notices that nobody asked for, 0 for none.

    sim: READY, SIM PIN, SIM PUK, PH-SIM PIN or NOT INSERTED. A SIM that was once locked is so again after every start. pin, puk:
    what opens it; tries and puk_tries are left. registered, signal (+CSQ, 0-31 or 99), volte, network_time (UTC
    seconds, ticking; None: the network never told) and zone (quarters of an hour) are the network's. voice: False has
    no voice over USB, and says so. maker, model, firmware: what it calls itself; empty: as its make does.
    """

    def __init__(
        self,
        *,
        silent: bool = False,
        cable: Cable | None = None,
        pcm_cable: Cable | None = None,
        garble: float = 0.0,
        slow: float = 0.0,
        noise: float = 0.0,
        sim: str = "READY",
        pin: str = "1234",
        puk: str = "12345678",
        registered: bool = True,
        signal: int = 17,
        volte: bool = True,
        network_time: float | None = None,
        zone: int = 36,
        voice: bool = True,
        maker: str = "",
        model: str = "",
        firmware: str = "",
        imei: str = "001010123456784",
        iccid: str = "8988100000000000001F",
        **bugs: Any,
    ) -> None:
        super().__init__(**bugs)
        self._changed: Callable[[str], None] = nothing
        self.silent, self.slow, self.noise = silent, slow, noise
        self.cable, self.pcm_cable = cable or Cable(garble=garble), pcm_cable or Cable()
        self.pin, self.tries, self.puk, self.puk_tries = pin, PIN_TRIES, puk, PUK_TRIES
        self._sim, self.pin_wanted = sim, sim in ("SIM PIN", "SIM PUK")
        self._registered, self._signal, self.volte, self.zone, self.voice = registered, signal, volte, zone, voice
        self.network_time = network_time
        self.maker, self.model, self.firmware, self.imei, self.iccid = maker, model, firmware, imei, iccid

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
        self.pin_wanted |= state in ("SIM PIN", "SIM PUK")
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

    def start_sim(self) -> None:
        """Power comes: a SIM with a PIN is locked again."""
        if self._sim == "READY" and self.pin_wanted:
            self._sim = "SIM PIN"

    def enter_pin(self, pin: str) -> bool:
        """Three tries; then the SIM wants its PUK."""
        if pin == self.pin:
            self.tries, self.sim = PIN_TRIES, "READY"
            return True
        self.tries -= 1
        if not self.tries:
            self.sim = "SIM PUK"
        return False

    def enter_puk(self, puk: str, pin: str) -> bool:
        """Ten tries for the PUK, with a new PIN; then the SIM is waste."""
        if puk == self.puk and self.puk_tries:
            self.pin, self.tries, self.puk_tries, self.sim = pin, PIN_TRIES, PUK_TRIES, "READY"
            return True
        self.puk_tries = max(0, self.puk_tries - 1)
        return False
