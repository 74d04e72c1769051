"""Modems that are known by their USB numbers: which family, and what each interface is for.

Sources: ModemManager's port tables for Quectel and SIMCom, chan_dongle's for Huawei, usb_modeswitch's data (20191128)
for sticks that first pretend to be a CD-ROM, the kernel's cdc-acm table for analog modems. VID:PID tells the maker; which
of several families it is, where that matters, the modem says itself (`family_said`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from hw.modems.analog import GENERIC as V253
from hw.modems.analog import identified


class Role(Enum):
    """What an interface is for."""

    AT = "at"  # commands, and news of calls
    MODEM = "modem"  # dial-up data; takes commands, too, but news do not come here
    PCM = "pcm"  # the voice
    NMEA = "nmea"  # positions
    DIAG = "diag"
    NETWORK = "network"


class Kind(Enum):
    """What a device is to a booth."""

    GSM = "gsm"
    ANALOG = "analog"
    ADAPTER = "adapter"  # a serial adapter: any modem may be behind it
    DISGUISED = "disguised"  # it shows itself as a CD-ROM until it is told to be a modem


@dataclass(frozen=True, slots=True)
class Known:
    """One VID:PID. `families` are those it may be, the likeliest first; `note` is what its owner should know."""

    vid: str
    pid: str
    name: str
    kind: Kind
    families: tuple[str, ...] = ()
    roles: Mapping[int, Role] = field(default_factory=dict)  # by interface number; empty: not known
    carded: str = ""  # the family when the device shows a sound card
    note: str = ""

    @property
    def ident(self) -> str:
        """VID:PID as everybody writes it."""
        return f"{self.vid}:{self.pid}"


QUECTEL_ROLES = {0: Role.DIAG, 1: Role.PCM, 2: Role.AT, 3: Role.MODEM, 4: Role.NETWORK}  # PCM shares the NMEA port
SIMCOM_ROLES = {0: Role.DIAG, 1: Role.NMEA, 2: Role.AT, 3: Role.MODEM, 4: Role.PCM, 5: Role.NETWORK}
ACM_ROLES = {0: Role.AT}  # the voice comes through the same port
ONE_PORT = {0: Role.AT}
RESETS = (
    "in this USB composition it resets during calls: have AT+CUSBPIDSWITCH=9001,1,1 sent to it once; it comes back as"
    " 1e0e:9001 after some 8 seconds"
)
SWITCH = "it still shows itself as a CD-ROM: install usb-modeswitch (apt install usb-modeswitch), then plug it in again"
ONLY_2G = "if it is a SIM800 or SIM900: they know only 2G, which Japan has not, so there it serves for trials alone"


def _quectel(pid: str, name: str) -> Known:
    return Known("2c7c", pid, name, Kind.GSM, ("quectel",), QUECTEL_ROLES, carded="quectel-uac")


def _simcom(pid: str, note: str = "") -> Known:
    roles = SIMCOM_ROLES if pid == "9001" else {}
    return Known("1e0e", pid, "SIMCom SIM7600 or A7670", Kind.GSM, ("sim7600", "a7670"), roles, note=note)


def _huawei(pid: str, at: int = 0, pcm: int = 0) -> Known:
    """An AT and a PCM interface as chan_dongle knows them; both 0: nobody has written them down."""
    roles = {at: Role.AT, pcm: Role.PCM} if at else {}
    return Known("12d1", pid, "Huawei voice stick", Kind.GSM, ("huawei",), roles)


def _disguised(pid: str, becomes: str) -> Known:
    return Known("12d1", pid, f"Huawei stick (becomes {becomes})", Kind.DISGUISED, ("huawei",), note=SWITCH)


def _analog(vid: str, pid: str, name: str, family: str, note: str = "") -> Known:
    return Known(vid, pid, name, Kind.ANALOG, (family,), ACM_ROLES, note=note)


def _adapter(vid: str, pid: str, name: str) -> Known:
    return Known(vid, pid, name, Kind.ADAPTER, (), ONE_PORT, note=ONLY_2G)


KNOWN: tuple[Known, ...] = (
    _quectel("0121", "Quectel EC21"),
    _quectel("0125", "Quectel EC20, EC25 or EG25-G"),
    _quectel("0191", "Quectel EG91"),
    _quectel("0195", "Quectel EG95"),
    _quectel("0306", "Quectel EG06 or EP06"),
    _simcom("9001"),
    _simcom("9011", RESETS),
    _simcom("1025", RESETS.replace("resets during calls", "has other ports")),
    _huawei("1001", at=2, pcm=1),
    _huawei("140c", at=3, pcm=2),
    _huawei("1436", at=4, pcm=3),
    _huawei("14ac", at=4, pcm=3),
    _huawei("1506", at=3, pcm=2),
    *map(_huawei, ("1404", "1406", "140b", "1412", "1417", "141b", "1429", "1432", "1433", "150c", "1511", "1465")),
    *map(_huawei, ("14a8", "14aa", "14c9", *(f"1c{last:02x}" for last in range(0x05, 0x11) if last != 0x0B))),
    _disguised("1446", "140c, 1506 or the like"),
    _disguised("1520", "1465"),
    _disguised("14b5", "14a8 or 14aa"),
    _disguised("1c0b", "1c05 to 1c10"),
    _disguised("14d1", "14c9"),
    _analog("0baf", "0303", "USRobotics USR5637", "usr5637", "its firmware must be 1.2.23 or newer (ATI7)"),
    _analog("0572", "1321", "Conexant CX93010", "conexant"),
    _analog("0572", "1324", "Conexant RD02-D400", "conexant"),
    _analog("0572", "1328", "Conexant modem", "conexant"),
    _analog("0572", "1329", "Conexant HUC56S", "conexant"),
    _analog("0572", "1340", "Conexant CX93010-2x", "conexant"),
    _analog("0572", "1349", "StarTech USB56KEMH2", "startech"),
    _analog("0803", "3095", "Zoom 3095", "zoom3095"),
    _adapter("1a86", "7523", "CH340 serial adapter"),
    _adapter("10c4", "ea60", "CP2102 serial adapter"),
)
"""A Huawei 1c0b is the disguise itself, so it is not among the modems 1c05 to 1c10."""

BY_IDENT: Mapping[str, Known] = {one.ident: one for one in KNOWN}

SAID: tuple[tuple[str, str], ...] = (
    (r"A76\d\d", "a7670"),
    (r"SIM7[56]\d\d", "sim7600"),
    (r"SIM[89]\d\d", "sim800"),
    (r"Quectel", "quectel"),
    (r"huawei", "huawei"),
    (r"K3565", "odd"),
)
"""What is found in the answers to ATI, AT+CGMI and AT+CGMM, and the GSM family that says so."""


def family_said(words: str) -> tuple[str, Kind] | None:
    r"""The family that a modem's own words speak of; None when they tell nothing.

    >>> family_said("SIMCOM INCORPORATED\nSIMCOM_SIM7600G-H")
    ('sim7600', <Kind.GSM: 'gsm'>)
    >>> family_said("Philips")
    """
    for pattern, family in SAID:
        if re.search(pattern, words, re.IGNORECASE):
            return family, Kind.GSM
    model = identified([words])
    return None if model is V253 else (model.name, Kind.ANALOG)
