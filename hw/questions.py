"""What a GSM line asks its modem besides calling: greeting, health, list of calls, tones. Scripts without I/O."""

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TypeVar

from hw import callrows, readings
from hw.at import Reply
from hw.atport import Ask, Pause
from hw.callrows import CallRow
from hw.errors import ModemTimeout, UnexpectedReply
from hw.events import Fault, SimLocked
from hw.modems.family import Family, Flaw

T = TypeVar("T")
Question = Generator[Ask | Pause, Reply, T]
FIRMWARE = frozenset({"AT+CGMR", "ATI"})

SIM_ABSENT = frozenset({10, 13})  # not inserted, failure
LOCKED = re.compile(r"(SIM|PH-[A-Z-]+) (PIN|PUK)2?|BLOCKED")  # 27.007 8.3; what else is said is noise
SIM_LOCKED = frozenset({5, 6, 7, 11, 12, 16, 17, 18})  # PIN or PUK of SIM or telephone


@dataclass(frozen=True, slots=True)
class Health:
    """What SIM, network and voice are up to."""

    fault: Fault | None = None
    detail: str = ""
    lock: SimLocked | None = None
    waking: bool = False  # the SIM says neither yes nor no: so soon after power-on that is no fault
    operator: str = ""
    bars: int | None = None
    utc: float | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What a modem says of itself."""

    model: str
    flaw: Flaw | None = None  # what its firmware is known for


def greet(family: Family) -> Question[Identity]:
    """Make a modem ready that may know nothing of us."""
    said: dict[str, str] = {}
    for step in family.greeting:
        reply = yield Ask(step.command, step.patience)
        if not reply.ok and step.otherwise:
            reply = yield Ask(step.otherwise, step.patience)
        if not reply.ok and step.fatal:
            # The port answers other things, so it is alive; but no such modem.
            raise UnexpectedReply(f"{step.command}: {reply.final}") if reply.final else ModemTimeout(step.command)
        said[step.command] = "\n".join(reply.lines)
    model = said.get(family.model, "").partition("\n")[0].removeprefix("+CGMM:").strip(' "')
    firmware = "\n".join(said[command] for command in FIRMWARE & said.keys())
    flaws = (flaw for flaw in family.flaws if re.search(flaw.firmware, firmware, re.MULTILINE))
    return Identity(model or family.name, next(flaws, None))


def examine(family: Family) -> Question[Health]:
    """Look at the SIM, then the network, then voice: the first fault is what a technician has to cure first."""
    pin = yield Ask(family.sim, family.pace.reply)
    health = _sim(pin)
    if health.fault is Fault.SIM_LOCKED:
        return replace(health, lock=(yield from lock(family, health.detail)))
    if health.fault or health.waking:
        return health
    registered = False
    for command in family.registrations:
        reply = yield Ask(command, family.pace.reply)
        registered |= _registered(reply)
    if not registered:
        return Health(Fault.NO_NETWORK)
    sound = family.sound
    if sound.asked:
        voice = yield Ask(sound.asked, family.pace.reply)
        if not sound.has_voice(voice):
            return Health(Fault.NO_VOICE, voice.final)
    csq = yield Ask(family.signal, family.pace.reply)
    cops = yield Ask(family.operator, family.pace.reply)
    utc = yield from clock(family)
    signal = _read(csq, readings.signal)
    return Health(operator=_read(cops, readings.operator) or "", bars=signal.bars if signal else None, utc=utc)


def lock(family: Family, word: str) -> Question[SimLocked]:
    """What a locked SIM wants, and how often a wrong answer is forgiven: read before anything is tried."""
    serial = yield from _first(family.iccid, family, readings.iccid)
    tries = yield from _first(family.tries, family, readings.pin_tries)
    return SimLocked(serial or "", tries, word not in {"SIM PIN", "+CME ERROR: 11"})


def clock(family: Family) -> Question[float | None]:
    """The network's time, from the first source that has it."""
    return (yield from _first(family.clocks, family, readings.network_time))


def _first(commands: tuple[str, ...], family: Family, reader: Callable[[str], T | None]) -> Question[T | None]:
    """The first answer that makes sense."""
    for command in commands:
        found = _read((yield Ask(command, family.pace.reply)), reader)
        if found is not None:
            return found
    return None


def calls(family: Family) -> Question[list[CallRow] | None]:
    """The list of calls; None when the modem refused or one row made no sense: then nothing is known."""
    reply = yield Ask(family.calls, family.pace.reply)
    if not reply.ok:
        return None
    try:
        return [callrows.clcc(line) for line in reply.lines]
    except UnexpectedReply:
        return None


def reason(family: Family) -> Question[str]:
    """The modem's own words for why the last call ended. Makers differ: for the log only, digits taken out."""
    reply = yield Ask(family.reason, family.pace.reply)
    text = reply.lines[0].partition(":")[2].strip() if reply.ok and reply.lines else ""
    return re.sub(r"\d{5,}", "…", text)


def tone(family: Family, digit: str, index: int | None) -> Question[bool]:
    """One tone, by the first command that the modem understands; whether there was one."""
    sent = False
    for command in family.tones:
        reply = yield Ask(command.format(digit=digit, index=index or 1), family.pace.reply)
        if sent := reply.ok:
            break
    yield Pause(family.pace.tone)
    return sent


def _sim(reply: Reply) -> Health:
    if not reply.final and reply.lines:
        reply = replace(reply, final="OK")  # Wavecom answers this one without an OK
    word = _read(reply, readings.pin) or ""
    code = readings.cme(reply.final)
    if word == "READY":
        return Health()
    if word == "NOT INSERTED":
        return Health(Fault.NO_SIM, word)
    if code in SIM_ABSENT:  # right after power-on it may say so of a SIM that is only slow
        return Health(Fault.NO_SIM, reply.final, waking=True)
    if code in SIM_LOCKED or LOCKED.fullmatch(word):
        return Health(Fault.SIM_LOCKED, word or reply.final)
    return Health(waking=True, detail=word or reply.final)


def _registered(reply: Reply) -> bool:
    status = _read(reply, lambda line: readings.registration(line, asked=True))
    return status is not None and status.registered


def _read(reply: Reply, reader: Callable[[str], T | None]) -> T | None:
    """What the first line means; None when it is missing or makes no sense."""
    try:
        return reader(reply.lines[0]) if reply.ok and reply.lines else None
    except UnexpectedReply:
        return None
