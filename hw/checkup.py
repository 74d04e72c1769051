"""What can be learned of a modem by asking: who it is, its SIM, the network, and whether it can carry a voice.

Only questions are asked; nothing is dialled, no PIN is tried, and no setting is made but that of the echo.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeVar

from hw import readings
from hw.at import Reply
from hw.errors import HardwareError, ModemTimeout, UnexpectedReply
from hw.gsm import FAMILIES
from hw.interview import Interview, Listener, PortForbiddenError, PortInUseError
from hw.modems.analog import GENERIC as V253
from hw.modems.analog import MODELS, too_old
from hw.modems.family import Family, Flaw
from hw.modems.generic import GENERIC
from hw.modems.known import Kind, family_said
from hw.questions import SIM_ABSENT, SIM_LOCKED

T = TypeVar("T")
Part = Callable[[Interview, "Checkup"], "Checkup"]
TOO_OLD = Flaw("", "firmware too old to take the line; its maker has a newer one", voiceless=True)
PUK_LOCKS = frozenset({12, 18})
BUSY = "NOT READY"  # the SIM will say more in a moment
WAITS = 3  # seconds that a SIM which is not ready is given
MORE: tuple[str, ...] = (
    *("ATI3", "ATI7", "AT+GCAP", "AT+CLAC", "AT+CLCC=?", "AT+CPAS", "AT+FCLASS=?", "AT+VSM=?", "AT+VLS=?"),
    *("AT+QPCMV?", 'AT+QCFG="ims"', "AT+CPCMREG=?", "AT+CEVOLTE?", "AT^CVOICE?"),
)
"""What else a stranger is asked for its transcript."""


class Contact(Enum):
    """Whether it could be spoken to."""

    ANSWERS = "answers"
    IN_USE = "in use"
    FORBIDDEN = "forbidden"
    SILENT = "silent"
    GARBLED = "garbled"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What was learned; None or empty: it did not say, or was not asked."""

    contact: Contact = Contact.ANSWERS
    kind: Kind | None = None
    family: str = ""
    maker: str = ""
    model: str = ""
    firmware: str = ""
    imei: str = field(default="", repr=False)
    sim: str = ""  # what +CPIN? says; "ERROR" when it refuses to say
    tries: int | None = None  # left for the SIM's PIN
    status: int | None = None  # of the registration, by 27.007: 1 home, 2 searching, 3 denied, 5 roaming
    operator: str = ""
    access: int | None = None  # radio by 27.007: 0 GSM, 2 UTRAN, 7 E-UTRAN (LTE)
    signal: readings.Signal | None = None
    voice: bool | None = None
    volte: bool | None = None
    flaw: Flaw | None = None  # what its firmware is known for

    @property
    def registered(self) -> bool:
        """Whether a network has taken it."""
        return self.status is not None and readings.Registration(self.status).registered


def examine(
    port: str, families: tuple[str, ...] = (), *, heard: Listener = lambda _: None, more: bool = False
) -> Checkup:
    """Ask the modem behind a port; `families` are those it may be. Faults are part of what is learned.

    Takes a second or two when all is well, some seconds when it does not answer. `heard` is told every line either way;
    `more`: ask a stranger everything that its maker's support may want to see, too.
    """
    found = Checkup(family=families[0] if families else "")
    try:
        with Interview(port, heard) as modem:
            found = _identity(modem, found, families)
            for part in PARTS[found.kind]:
                found = part(modem, found)
            for command in MORE if more else ():
                modem.ask(command)
    except HardwareError as problem:
        return replace(found, contact=_contact(problem))
    return found


def _contact(problem: HardwareError) -> Contact:
    by_type = (
        (PortInUseError, Contact.IN_USE),
        (PortForbiddenError, Contact.FORBIDDEN),
        (ModemTimeout, Contact.SILENT),
        (UnexpectedReply, Contact.GARBLED),
    )
    return next((contact for kind, contact in by_type if isinstance(problem, kind)), Contact.ABSENT)


def _identity(modem: Interview, found: Checkup, families: tuple[str, ...]) -> Checkup:
    said = {command: modem.ask(command) for command in ("ATI", "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN")}
    words = {command: [line for line in reply.lines if line] for command, reply in said.items() if reply.ok}
    everything = "\n".join(line for lines in words.values() for line in lines)
    told = family_said(everything)
    family = told[0] if told and (told[0] in families or not families) else next(iter(families), "")
    if not family and words.get("AT+CGMI"):
        family = GENERIC.name
    kind = told[1] if told else _kind(family)
    imei = re.search(r"\d{14,16}", " ".join(words.get("AT+CGSN", ())))
    firmware = _plain(words, "AT+CGMR")
    flaws = FAMILIES[family].flaws if family in FAMILIES else ()
    return replace(
        found,
        kind=kind,
        family=family,
        maker=_plain(words, "AT+CGMI"),
        model=_plain(words, "AT+CGMM") or _plain(words, "ATI"),
        firmware=firmware,
        imei=imei[0] if imei else "",
        flaw=next((flaw for flaw in flaws if re.search(flaw.firmware, firmware, re.MULTILINE)), None),
    )


def _kind(family: str) -> Kind | None:
    if not family:
        return None
    return Kind.GSM if family in FAMILIES else Kind.ANALOG


def _plain(words: dict[str, list[str]], command: str) -> str:
    """The first line of an answer, without the name and quotes that some put around it."""
    first = next(iter(words.get(command, ())), "")
    return re.sub(r"^\+?[A-Z]+: *", "", first).strip(' "')


def _sim(modem: Interview, found: Checkup) -> Checkup:
    family = _family(found)
    word = _sim_word(modem.ask(family.sim))
    for _ in range(WAITS):
        if word == BUSY:
            modem.pause(1.0)
            word = _sim_word(modem.ask(family.sim))
    found = replace(found, sim=word)
    if word in {"SIM PIN", "SIM PUK"}:
        tries = (_read(modem.ask(command), readings.pin_tries) for command in family.tries)
        found = replace(found, tries=next((count for count in tries if count is not None), None))
    return found


def _sim_word(reply: Reply) -> str:
    code = readings.cme(reply.final)
    word = _read(reply, readings.pin)
    if word or code is None:
        return word or "ERROR"
    if code in SIM_ABSENT:
        return "NOT INSERTED"
    if code in PUK_LOCKS:
        return "SIM PUK"
    return "SIM PIN" if code in SIM_LOCKED else BUSY


def _network(modem: Interview, found: Checkup) -> Checkup:
    family = _family(found)
    answers = [_read(modem.ask(command), _registration) for command in family.registrations]
    statuses = [answer.status for answer in answers if answer]
    best = sorted(statuses, key=lambda status: (not readings.Registration(status).registered, status != 3))
    cops = _read(modem.ask(family.operator), lambda line: readings.fields(line, "+COPS")) or []
    return replace(
        found,
        status=best[0] if best else None,
        operator=cops[2] if len(cops) > 2 else "",
        access=int(cops[3]) if len(cops) > 3 and cops[3].isdigit() else None,
        signal=_read(modem.ask(family.signal), readings.signal),
    )


def _registration(line: str) -> readings.Registration:
    return readings.registration(line, asked=True)


def _voice(modem: Interview, found: Checkup) -> Checkup:
    family = _family(found)
    sound = family.sound
    voice = sound.has_voice(modem.ask(sound.asked)) if sound.asked else None
    volte = VOLTE.get(family.name)
    return replace(found, voice=voice, volte=_read(modem.ask(volte[0]), volte[1]) if volte else None)


def _ims(line: str) -> bool | None:
    """`+QCFG: "ims",<configured>,<state>`: state 1 is ready."""
    values = readings.fields(line, "+QCFG")
    return values[2] == "1" if len(values) > 2 else None


def _cevolte(line: str) -> bool | None:
    """`+CEVOLTE: 1,1` is on. Anything else proves nothing: calls by VoLTE have been made without it."""
    return True if readings.fields(line, "+CEVOLTE")[-1] == "1" else None


def _v253(modem: Interview, found: Checkup) -> Checkup:
    about = [line for command in ("ATI3", "ATI7") for line in modem.ask(command).lines]
    classes = re.findall(r"\d+(?:\.\d)?", " ".join(modem.ask("AT+FCLASS=?").lines))
    old = too_old(MODELS.get(found.family, V253), about)
    return replace(found, voice="8" in classes, firmware=found.firmware or old, flaw=TOO_OLD if old else None)


def _stranger(modem: Interview, found: Checkup) -> Checkup:
    """It has told nobody who it is: voice by V.253, perhaps?"""
    asked = _v253(modem, found)
    return replace(asked, kind=Kind.ANALOG, family=V253.name) if asked.voice else asked


def _family(found: Checkup) -> Family:
    return FAMILIES.get(found.family, GENERIC)


def _read(reply: Reply, reader: Callable[[str], T | None]) -> T | None:
    """What the first line means that has a meaning."""
    for line in reply.lines if reply.ok else ():
        try:
            return reader(line)
        except UnexpectedReply:
            continue
    return None


PARTS: dict[Kind | None, tuple[Part, ...]] = {
    Kind.GSM: (_sim, _network, _voice),
    Kind.ANALOG: (_v253,),
    None: (_stranger,),
}
VOLTE: dict[str, tuple[str, Callable[[str], bool | None]]] = {
    "quectel": ('AT+QCFG="ims"', _ims),
    "quectel-uac": ('AT+QCFG="ims"', _ims),
    "sim7600": ("AT+CEVOLTE?", _cevolte),
    "a7670": ("AT+CEVOLTE?", _cevolte),
}
