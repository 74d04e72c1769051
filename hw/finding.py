"""Which modem is where: by VID:PID and interface number, confirmed where needed by what the modem says of itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hw.errors import HardwareError, WiringError
from hw.interview import Interview
from hw.modems.known import BY_IDENT, Kind, Known, Role, family_said
from hw.usb import DEV, SYSFS, Card, UsbDevice, devices

USUAL = (Role.MODEM, Role.PCM, Role.AT)  # the ports of a Huawei stick, in their order, where nobody knows better
IMEI = re.compile(r"\b(\d{14,16})\b")
ALL_OF_IMEI = 15
ENDS_OF_IMEI = 4  # digits that are enough to tell two modems apart


@dataclass(frozen=True, slots=True)
class Found:
    """One device that is, or may be, a modem; ports are paths below /dev."""

    device: UsbDevice
    known: Known | None
    ports: Mapping[Role, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()  # ports of which nobody knows what they are for

    @property
    def kind(self) -> Kind | None:
        """What it is to a booth, as far as its numbers tell."""
        return self.known.kind if self.known else None

    @property
    def card(self) -> Card | None:
        """Its own sound card (UAC)."""
        return next(iter(self.device.cards), None)

    @property
    def at(self) -> str:
        """Where it takes commands; empty when that port is not there."""
        return self.ports.get(Role.AT, "")

    @property
    def families(self) -> tuple[str, ...]:
        """What it may be, the likeliest first."""
        if self.known is None:
            return ()
        return (self.known.carded,) if self.known.carded and self.card else self.known.families

    @property
    def name(self) -> str:
        """What to call it."""
        return self.known.name if self.known else self.device.product or f"USB device {self.device.ident}"


@dataclass(frozen=True, slots=True)
class Place:
    """What a line driver wants to know; `audio` is a port, part of a sound card's name, or empty."""

    port: str
    audio: str
    family: str


def find(sysfs: Path = SYSFS, dev: Path = DEV) -> list[Found]:
    """All known modems, disguised ones too, and all other devices with a serial port. Nothing is opened."""
    found = []
    for device in devices(sysfs):
        known = BY_IDENT.get(device.ident)
        if known or device.ttys:
            roles = _roles(device, known)
            ports = {role: str(dev / tty) for tty, role in roles.items()}
            others = tuple(str(dev / tty) for tty in device.ttys if tty not in roles)
            found.append(Found(device, known, ports, others))
    return found


def _roles(device: UsbDevice, known: Known | None) -> dict[str, Role]:
    """What its serial ports are for, by their names."""
    if known is None:
        return {}
    if known.roles:
        by_number = {device.tty(number): role for number, role in known.roles.items()}
        return {tty: role for tty, role in by_number.items() if tty}
    if known.families == ("huawei",) and len(device.ttys) >= len(USUAL):
        return dict(zip(device.ttys, USUAL, strict=False))
    return {}


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds the modem of `[line] port = "auto"`: call it at every open, for numbers move when a modem is plugged in.

    What is given narrows it down: `family`, `usb` (the socket, such as "1-1.2", or a hub above it), `imei` (or at least
    its last four digits). `audio` overrides what is found. `kind` is what the driver can serve.
    """

    family: str = ""
    imei: str = ""
    usb: str = ""
    audio: str = ""
    kind: Kind = Kind.GSM
    sysfs: Path = SYSFS
    dev: Path = DEV

    def __post_init__(self) -> None:
        if self.imei and not re.fullmatch(rf"\d{{{ENDS_OF_IMEI},{ALL_OF_IMEI}}}", self.imei):
            raise WiringError("line: imei must be the modem's 15 digits, or at least the last four of them")

    def __call__(self) -> Place:
        """Where it is now. WiringError says why there is none, or which there are and what to write."""
        found = [one for one in find(self.sysfs, self.dev) if self._in_socket(one)]
        candidates = [one for one in found if one.kind is self.kind and one.at]
        if self.imei:
            candidates = [one for one in candidates if (_imei(one.at) or "").endswith(self.imei)]
        if len(candidates) == 1:
            return self._place(candidates[0])
        if candidates:
            raise WiringError(_several(candidates))
        stranger = None if self.imei else self._stranger(found)
        if stranger:
            return stranger
        raise WiringError(self._none(found))

    def _in_socket(self, one: Found) -> bool:
        return not self.usb or re.fullmatch(rf"{re.escape(self.usb)}([.:].*)?", one.device.path) is not None

    def _place(self, one: Found) -> Place:
        family = self.family or self._family(one)
        if self.audio:
            return Place(one.at, self.audio, family)
        if one.card and one.known and family == one.known.carded:
            return Place(one.at, one.card.alsa, family)
        if one.known and Role.PCM in one.known.roles.values() and Role.PCM not in one.ports:
            raise WiringError(f"{one.name}: its port for the voice is not there; it may still come")
        return Place(one.at, one.ports.get(Role.PCM, ""), family)

    def _family(self, one: Found) -> str:
        if len(one.families) == 1:
            return one.families[0]
        said = family_said(_words(one.at))
        return said[0] if said and said[0] in one.families else one.families[0]

    def _stranger(self, found: list[Found]) -> Place | None:
        """The first port of an unknown modem or a serial adapter behind which something of our kind answers."""
        for one in found:
            if one.kind in {None, Kind.ADAPTER, self.kind}:
                for port in (*one.ports.values(), *one.others):
                    said = family_said(_words(port))
                    if said and said[1] is self.kind:
                        return Place(port, self.audio, self.family or said[0])
        return None

    def _none(self, found: list[Found]) -> str:
        for one in found:
            if one.kind is Kind.DISGUISED and one.known:
                return f"{one.name}: {one.known.note}"
        for one in found:
            if one.kind is self.kind and not one.device.ttys:
                return f"{one.name}: it has no serial port (yet); no driver of the kernel has taken it"
        which = ", ".join(f"{one.name} in {one.device.path}" for one in found)
        if self.imei:
            return f"no modem whose IMEI ends in {self.imei[-ENDS_OF_IMEI:]} is plugged in; there is {which or 'none'}"
        where = f" in USB socket {self.usb}" if self.usb else ""
        other = f"; there is {which}, which is none or does not answer" if which else ""
        return f"no modem is plugged in{where}{other}"


def _several(candidates: list[Found]) -> str:
    which = "; ".join(f'usb = "{one.device.path}" for {one.name}' for one in candidates)
    return f"several modems are plugged in; under [line] of device.toml, write {which}"


def _imei(port: str) -> str | None:
    """The IMEI of a modem; None when it does not say. A port in use cannot be asked."""
    try:
        with Interview(port) as modem:
            said = IMEI.search("\n".join(modem.ask("AT+CGSN").lines))
            return said[1] if said else None
    except HardwareError:
        return None


def _words(port: str) -> str:
    """What a modem says of itself; nothing when it does not answer."""
    try:
        with Interview(port) as modem:
            return "\n".join(line for command in ("ATI", "AT+CGMI", "AT+CGMM") for line in modem.ask(command).lines)
    except HardwareError:
        return ""
