"""What a V.253 modem is asked before it is trusted with a call: who it is, and how it carries sound. Scripts only."""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

from hw.at import Reply
from hw.atport import Ask, Pause, Say
from hw.coding import Coding
from hw.errors import UnexpectedReply
from hw.modems.analog import COUNTRY_CODES, AnalogModel, codings, identified, too_old
from hw.v253 import done

FIRST = ("ATZ", "ATE0")  # a modem that refuses these is none
THEN = ("ATV1", "ATX4", "ATM0")  # words, dial tone and busy heeded, its own speaker off
WHO = ("ATI0", "ATI3", "AT+GMI", "AT+GMM")
LAYOUTS = ("AT+VSM={id},8000", "AT+VSM={id},8000,0,0")


@dataclass(frozen=True, slots=True)
class Setup:
    """What the booth's settings say; `model` None is to be found out."""

    model: AnalogModel | None
    country: str
    jack: bool  # the agent talks on a telephone at the modem's own jack


@dataclass(frozen=True, slots=True)
class Voice:
    """What the modem turned out to be; without a coding it has no voice, and `why` says so."""

    model: AnalogModel
    title: str
    coding: Coding | None = None
    choose: str = ""  # the command that sets the coding
    why: str = ""


def greet(setup: Setup) -> Generator[Ask | Say | Pause, Reply, Voice]:
    """Set it up from the beginning. UnexpectedReply when it is no modem."""
    pace = setup.model.pace if setup.model else AnalogModel("", "", "", frozenset()).pace
    for command in FIRST:
        if not done((yield Ask(command, pace.reply))):
            raise UnexpectedReply(f"the modem refuses {command}")
    for command in THEN:
        yield Ask(command, pace.reply)
    said: list[str] = []
    for command in WHO:
        reply = yield Ask(command, pace.reply)
        said += reply.lines if done(reply) else ()
    voice = Voice(setup.model or identified(said), "")
    voice = replace(voice, title=voice.model.title)
    voice = yield from _voice(voice)
    code = COUNTRY_CODES.get(setup.country)
    for command in ((f"AT+GCI={code}",) if code else ()) + voice.model.greeting:
        yield Ask(command, pace.reply)
    return voice


def _voice(voice: Voice) -> Generator[Ask | Say | Pause, Reply, Voice]:
    """Whether and how it carries sound."""
    model, patience = voice.model, voice.model.pace.reply
    if model.firmware:
        old = too_old(model, (yield Ask("ATI7", patience)).lines)
        if old:
            return replace(voice, why=f"firmware {old} does not take the line: a newer one is needed")
    classes = yield Ask("AT+FCLASS=?", patience)
    if "8" not in re.findall(r"\d+(?:\.\d)?", " ".join(classes.lines)):
        return replace(voice, why="the modem has no voice mode (+FCLASS lacks 8)")
    if not done((yield Ask("AT+FCLASS=8", patience))):
        return replace(voice, why="the modem refuses voice mode: a clone, or bad firmware")
    rows = (yield Ask("AT+VSM=?", patience)).lines
    for coding, choose in choices(rows, model):
        if done((yield Ask(choose, patience))):
            yield Ask("AT+FCLASS=0", patience)
            return replace(voice, coding=coding, choose=choose)
    yield Ask("AT+FCLASS=0", patience)
    return replace(voice, why="the modem offers no sound that we understand")


def choices(rows: tuple[str, ...], model: AnalogModel) -> Iterator[tuple[Coding, str]]:
    """Codings and the commands that choose them, best first; the model's own layout before the others'."""
    layouts = (model.coding, *(one for one in LAYOUTS if one != model.coding))
    for number, coding in codings(rows, model):
        for layout in layouts:
            yield coding, layout.format(id=number)
