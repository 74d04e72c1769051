"""A telephone line on a V.253 analog voice modem, with its sound through the same serial port.

How it dials: the line is taken, the digits are dialled with `;` behind them, so that the modem comes back at once, and
full duplex begins straight away. The agent hears ring-back, announcements and the first word as on any telephone; a
modem left to judge by itself (dial without `;`) is deaf until it believes in an answer, seconds late. Where a modem
refuses the `;`, it is left to judge. What became of the call is told by its codes and by our own ear (`hw.cadence`),
whichever comes first; an answer is therefore `estimated`, and an end by the far side not `sure`.

Where full duplex is missing, or with `handset="jack"`, the agent talks on a telephone at the modem's own jack, and the
line's sound is for the record only.
"""

from typing import Literal

from hw.analogphone import AnalogPhone
from hw.cadence import COUNTRIES
from hw.contracts import Audio, Post
from hw.errors import WiringError
from hw.finding import Finder
from hw.modems.analog import MODELS, AnalogModel
from hw.modems.known import Kind
from hw.ownedline import OwnedLine
from hw.voicesetup import Setup
from hw.voicesound import VoiceSound
from hw.voicewire import VoiceWire
from hw.worker import Bell

AUTO = "auto"


class VoiceModem(OwnedLine):
    """Fulfils `contracts.Line`: `port` takes commands and carries the sound.

    `port` is a path, "auto" for the modem that is plugged in (`usb`, its socket, says which of several), or a Finder.
    `model` is a name of `hw.modems.analog.MODELS` or "auto"; `country` (JP, US, EU) says which tones to expect. With
    NO_NETWORK (no dial tone) the line is watched, and with NO_VOICE it can at least be dialled on.
    """

    def __init__(
        self,
        port: str | Finder = AUTO,
        model: str | AnalogModel = AUTO,
        country: str = "JP",
        handset: Literal["path", "jack"] = "path",
        usb: str = "",
    ) -> None:
        if isinstance(model, str) and model != AUTO and model not in MODELS:
            raise WiringError(f"no such model of analog modem: {model} (known: auto, {', '.join(MODELS)})")
        if country not in COUNTRIES:
            raise WiringError(f"no tones are known for {country} (known: {', '.join(COUNTRIES)})")
        if handset not in ("path", "jack"):
            raise WiringError(f"handset is path or jack, not {handset}")
        super().__init__("analog line")
        chosen = MODELS.get(model) if isinstance(model, str) else model
        self._port = Finder(usb=usb, kind=Kind.ANALOG) if port == AUTO else port
        self._setup = Setup(chosen, country, jack=handset == "jack")
        self._sound = VoiceSound()

    @property
    def audio(self) -> Audio:
        """Both directions of the talk; silent while there is no call."""
        return self._sound

    def telephone(self, post: Post, bell: Bell) -> AnalogPhone:
        """Where the modem is may have changed since the last time."""
        port = self._port if isinstance(self._port, str) else self._port().port
        self._sound.wake = bell.ring
        return AnalogPhone(self._setup, VoiceWire(port, bell), self._sound, post)
