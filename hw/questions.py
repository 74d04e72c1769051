"""What a GSM line asks its modem besides calling: greeting, health, list of calls, tones. Scripts without I/O."""

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

from hw import readings
from hw.at import Reply
from hw.atport import Ask, Pause
from hw.errors import ModemTimeout, UnexpectedReply
from hw.events import Fault
from hw.modems.family import Family
from hw.readings import CallRow

T = TypeVar("T")
Question = Generator[Ask | Pause, Reply, T]

SIM_ABSENT = frozenset({10, 13})  # not inserted, failure
SIM_LOCKED = frozenset({5, 6, 7, 11, 12, 16, 17, 18})  # PIN or PUK of SIM or telephone


@dataclass(frozen=True, slots=True)
class Health:
    """What SIM, network and voice are up to."""

    fault: Fault | None = None
    detail: str = ""
    waking: bool = False  # the SIM says neither yes nor no: so soon after power-on that is no fault
    operator: str = ""
    bars: int | None = None
    utc: float | None = None


def greet(family: Family) -> Question[str]:
    """Make a modem ready that may know nothing of us; its model."""
    model = ""
    for step in family.greeting:
        reply = yield Ask(step.command, step.patience)
        if not reply.ok and step.otherwise:
            reply = yield Ask(step.otherwise, step.patience)
        if not reply.ok and step.fatal:
            # The port answers other things, so it is alive; but no such modem.
            raise UnexpectedReply(f"{step.command}: {reply.final}") if reply.final else ModemTimeout(step.command)
        if step.command == family.model and reply.lines:
            model = reply.lines[0].removeprefix("+CGMM:").strip(' "')
    return model or family.name


def examine(family: Family) -> Question[Health]:
    """Look at the SIM, then the network, then voice: the first fault is what a technician has to cure first."""
    pin = yield Ask(family.sim, family.pace.reply)
    health = _sim(pin)
    if health.fault or health.waking:
        return health
    registered = False
    for command in family.registrations:
        reply = yield Ask(command, family.pace.reply)
        registered |= _registered(reply)
    if not registered:
        return Health(Fault.NO_NETWORK)
    voice = yield Ask(family.voice, family.pace.reply)
    if not voice.ok:
        return Health(Fault.NO_VOICE, voice.final)
    csq = yield Ask(family.signal, family.pace.reply)
    cops = yield Ask(family.operator, family.pace.reply)
    utc = yield from clock(family)
    signal = _read(csq, readings.signal)
    return Health(operator=_read(cops, readings.operator) or "", bars=signal.bars if signal else None, utc=utc)


def clock(family: Family) -> Question[float | None]:
    """The network's time, from the first source that has it."""
    for command in family.clocks:
        utc = _read((yield Ask(command, family.pace.reply)), readings.network_time)
        if utc is not None:
            return utc
    return None


def calls(family: Family) -> Question[list[CallRow] | None]:
    """The list of calls; None when the modem refused or one row made no sense: then nothing is known."""
    reply = yield Ask(family.calls, family.pace.reply)
    if not reply.ok:
        return None
    try:
        return [readings.clcc(line) for line in reply.lines]
    except UnexpectedReply:
        return None


def reason(family: Family) -> Question[str]:
    """The modem's own words for why the last call ended. Makers differ: for the log only, digits taken out."""
    reply = yield Ask(family.reason, family.pace.reply)
    text = reply.lines[0].partition(":")[2].strip() if reply.ok and reply.lines else ""
    return re.sub(r"\d{5,}", "…", text)


def tone(family: Family, digit: str) -> Question[None]:
    """One tone, by the first command that the modem understands."""
    for command in family.tones:
        reply = yield Ask(command.format(digit=digit), family.pace.reply)
        if reply.ok:
            break
    yield Pause(family.pace.tone)


def _sim(reply: Reply) -> Health:
    word = _read(reply, readings.pin) or ""
    code = readings.cme(reply.final)
    if word == "READY":
        return Health()
    if word == "NOT INSERTED" or code in SIM_ABSENT:
        return Health(Fault.NO_SIM, word or reply.final)
    if code in SIM_LOCKED or (word and word != "NOT READY"):
        return Health(Fault.SIM_LOCKED, word or reply.final)
    return Health(waking=True, detail=word or reply.final)


def _registered(reply: Reply) -> bool:
    status = _read(reply, lambda line: readings.registration(line, asked=True))
    return status is not None and status.registered


def _read(reply: Reply, reader: Callable[[str], T]) -> T | None:
    """What the first line means; None when it is missing or makes no sense."""
    try:
        return reader(reply.lines[0]) if reply.ok and reply.lines else None
    except UnexpectedReply:
        return None
