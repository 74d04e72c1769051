"""What was found on this machine, before anybody judges it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hw.checkup import Checkup, Contact
from hw.finding import Found
from hw.modems.known import Kind
from hw.usb import Card


@dataclass(frozen=True, slots=True)
class Patient:
    """One modem: what is known of the device (None: only a port was named), the port asked, what it said."""

    found: Found | None
    port: str  # empty: there was none to ask
    checkup: Checkup | None
    ours: bool = True  # whether the booth's line is to use it, as far as device.toml tells

    @property
    def name(self) -> str:
        """What to call it."""
        if self.found and self.found.known and self.found.known.kind is not Kind.ADAPTER:
            return self.found.known.name
        said = self.checkup
        told = " ".join(filter(None, (said.maker, said.model))) if said and said.contact is Contact.ANSWERS else ""
        return told or (self.found.name if self.found else self.port)

    @property
    def where(self) -> str:
        """Where to find it among others."""
        return self.found.device.path if self.found else self.port


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was looked at; `cards` None: they were not."""

    patients: tuple[Patient, ...]
    cards: tuple[Card, ...] | None = None
    sound: Mapping[str, object] = field(default_factory=dict)  # what the booth counted in the last calls
    settings: str = ""  # what is wrong with device.toml
    choosing: bool = False  # device.toml leaves it to us which modem to use
    kept_back: tuple[str, ...] = ()  # why the server will not have what the booth keeps back, for each such thing
