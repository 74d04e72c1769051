"""A telephone line on an AT voice modem: one worker owns the port, lists of calls are the truth, notices are hints."""

from time import monotonic

from hw import hub, usb, wiring
from hw.contracts import Audio, Handset, Post
from hw.errors import WiringError
from hw.events import GONE, Event, Fault, LineLost, LineReady
from hw.finding import Finder, Place
from hw.linesound import LineSound, NoCarrier, carrier
from hw.modems.family import Family
from hw.modems.generic import GENERIC, ODD
from hw.modems.huawei import HUAWEI
from hw.modems.quectel import QUECTEL, QUECTEL_UAC
from hw.modems.simcom import A7670, SIM800, SIM7600
from hw.ownedline import OwnedLine
from hw.phone import Phone
from hw.rescue import Remedy, Rescue
from hw.serialport import SerialPort
from hw.worker import Bell

FAMILIES = {family.name: family for family in (QUECTEL, QUECTEL_UAC, SIM7600, A7670, SIM800, HUAWEI, GENERIC, ODD)}
MUTE = frozenset({Fault.SILENT, Fault.GARBLED})  # of the faults that end a session, those in which the modem is there
AUTO = "auto"


def family_named(name: str) -> Family:
    """The table of a family of modems; WiringError for one that nobody wrote."""
    try:
        return FAMILIES[name]
    except KeyError:
        raise WiringError(f"no such modem family: {name} (known: {', '.join(FAMILIES)})") from None


def _card(name: str) -> Handset:
    return wiring.open_handset("pyaudio", input=name, output=name)


class GsmLine(OwnedLine):
    """Fulfils `contracts.Line`: `port` takes AT commands, `audio` carries the sound.

    `port` is a path, "auto" for the modem that is plugged in (`imei` or `usb`, its socket, say which of several), or a
    Finder. `audio` is a port, or for families whose sound is analog or UAC a sound card (by its name, or one that has
    yet to be opened); without it nothing is heard. Found modems bring their family and audio along.
    """

    def __init__(
        self,
        port: str | Finder = AUTO,
        audio: str | Handset = "",
        family: str | Family = "",
        imei: str = "",
        usb: str = "",
    ) -> None:
        super().__init__("gsm line")
        self._given = family if isinstance(family, Family) else family_named(family) if family else None
        self._card = None if isinstance(audio, str) else audio
        name = audio if isinstance(audio, str) else ""
        if isinstance(port, Finder):
            self._finder: Finder | None = port
        else:
            self._finder = Finder(self._given.name if self._given else "", imei, usb, name) if port == AUTO else None
        self._place = Place("" if self._finder else str(port), name, self._given.name if self._given else "quectel")
        self._audio = LineSound(NoCarrier())
        self._rescue = Rescue(self._given.pace.rescue) if self._given else Rescue()

    @property
    def audio(self) -> Audio:
        """Both directions of the talk; silent while there is no call."""
        return self._audio

    def telephone(self, post: Post, bell: Bell) -> Phone:
        """Where the modem is may have changed since the last time; a silent one gets the remedy that is due."""
        place = self._finder() if self._finder else self._place
        family = self._given or family_named(place.family)
        self._audio.carrier = carrier(family.sound, self._card or place.audio, _card)
        remedy = self._rescue.remedy(monotonic())
        if remedy is Remedy.POWER:
            hub.power_cycle(usb.socket_of(place.port))

        def tell(event: Event) -> None:
            self._note(event)
            post(event)

        reset = family.reset if remedy is Remedy.RESET else ""
        return Phone(SerialPort(place.port, bell), family, self._audio, tell, remedy=reset)

    def _note(self, event: Event) -> None:
        """What an event says of a modem that may need rescue."""
        if isinstance(event, LineLost) and event.fault in MUTE:
            self._rescue.silent(monotonic())
        elif isinstance(event, LineReady) or (isinstance(event, LineLost) and event.fault not in GONE):
            self._rescue.ready()
