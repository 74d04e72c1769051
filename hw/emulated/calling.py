"""Commands about calls, as 27.007 and V.250 have them."""

import re
import time

from hw.emulated.command import Command
from hw.emulated.exchange import Progress
from hw.emulated.interpreter import Handler, Interpreter
from hw.emulated.session import NO_SERVICE, NOT_ALLOWED, NOT_SUPPORTED, WRONG_PARAMETERS, RefusedError

# 3GPP TS 22.101 10.1.1: placed as emergency calls even without a SIM.
EMERGENCY = {"000", "08", "110", "112", "118", "119", "911", "999"}
DIALLABLE = re.compile(r"\+?[0-9*#ABCD]+[IiGg]*")
TONES = "0123456789*#ABCD"
STAT = {"talking": 0, "held": 1, "dialling": 2, "alerting": 3, "ringing": 4, "waiting": 5, "idle": 6}  # of +CLCC
CPAS = {"idle": 0, "ringing": 3}  # and 4 in all other states
VALIDITY = {"": 0, "withheld": 1, "unavailable": 2, "payphone": 3}  # of +CLIP
CEER = {
    1: "No route/Unassigned number",
    16: "Normal call clearing",
    17: "User busy",
    19: "No answer from user",
    21: "Call rejected",
}


def type_of(number: str | None) -> int:
    """Type of address: 145 international, 128 unknown because withheld, 129 all others."""
    if not number:
        return 128
    return 145 if number.startswith("+") else 129


def shown(call: Progress) -> str:
    """A caller's number, which may be empty, and its type."""
    return f'"{call.number or ""}",{type_of(call.number)}'


def dial(modem: Interpreter, command: Command) -> list[str]:
    """D: a call with `;`, a data call without, a request to the network with * or # first."""
    number = re.sub(r"[ \-]", "", command.text).removeprefix("T").removeprefix("P")
    if not DIALLABLE.fullmatch(number):
        raise RefusedError(WRONG_PARAMETERS)
    number = number.rstrip("IiGg")
    if command.how == "data":
        modem.answer.final = "NO CARRIER"
    elif number[0] in "*#":
        pass  # a request to the network about its services: done, and no call
    else:
        _call(modem, number)
    return []


def _call(modem: Interpreter, number: str) -> None:
    if number not in EMERGENCY:
        modem.need_sim()
        if not modem.served:
            modem.answer.final = modem.around.unserved
            return
    if time.monotonic() < modem.began + modem.around.calls_fail_for:
        raise RefusedError(NO_SERVICE)
    modem.answer.dialled = modem.answer.moves = modem.exchange.dial(number)
    if not modem.answer.dialled:
        raise RefusedError(NOT_ALLOWED)
    if modem.around.volte_drops:
        modem.exchange.hang_up()


def answer(modem: Interpreter, _: Command) -> list[str]:
    """A: take the call that rings."""
    modem.answer.moves = modem.exchange.answer()
    if not modem.answer.moves:
        modem.answer.final = "NO CARRIER"
    return []


def hang_up(modem: Interpreter, command: Command) -> list[str]:
    """H and +CHUP: end, cancel or reject the present call."""
    if command.name == "H" and (modem.session.values.get("+CVHU") == "1" or modem.around.ath_ignored):
        return []  # 27.007: +CVHU=1 has ATH ignored, but an OK given
    modem.answer.moves = modem.exchange.release()
    return []


def calls(modem: Interpreter, command: Command) -> list[str]:
    """+CLCC: all calls there are. As a setting, with `=`, only some makes know it."""
    if command.how:
        if not modem.around.clcc_urc or command.name not in modem.session.settings:
            raise RefusedError(NOT_SUPPORTED)
        return modem.session.keep(command)
    data = ['+CLCC: 1,0,0,1,0,"",128'] if modem.around.data_call else []
    return data + [row(modem, call) for call in modem.exchange.calls]


def row(modem: Interpreter, call: Progress) -> str:
    """A call as +CLCC lists it."""
    number, index = call.number or "", call.index + modem.around.data_call
    short = f"+CLCC: {index},{int(call.incoming)},{STAT[call.state]},0,0"
    kind, name = type_of(call.number), modem.around.alpha
    return {
        "no number": short,
        "empty number": f'{short},"",{kind}',
        "empty name": f'{short},"{number}",{kind},"{name}"',
        "empty name and validity": f'{short},"{number}",{kind},"{name}",,{VALIDITY[call.hidden]}',
    }.get(modem.around.clcc_row, f'{short},"{number}",{kind}' + (f',"{name}"' if name else ""))


def multiparty(modem: Interpreter, command: Command) -> list[str]:
    """+CHLD: 0 refuses who waits, 1 ends the present call and takes them, 2 holds it and takes them, 1x ends call x."""
    what, exchange = (command.arguments or [""])[0], modem.exchange
    if command.how == "=?":
        return ["+CHLD: (0,1,1x,2,2x,3)"]
    if what == "0":
        modem.answer.moves = exchange.release_second()
    elif what == "1":
        taken = len(exchange.calls) > 1 and exchange.switch()
        modem.answer.moves = exchange.release_second() if taken else exchange.release()
    elif re.fullmatch(r"2\d?", what) and exchange.switch():
        modem.answer.moves = True
    elif re.fullmatch(r"1\d", what):
        _end_one(modem, int(what[1]) - modem.around.data_call)
    else:
        raise RefusedError(NOT_ALLOWED)
    return []


def _end_one(modem: Interpreter, index: int) -> None:
    if modem.around.chld_wedges and modem.exchange.state == "dialling":
        modem.answer.wedges = modem.answer.unsaid = True
        return
    found = [call for call in modem.exchange.calls if call.index == index]
    if not found:
        raise RefusedError(NOT_ALLOWED)
    modem.answer.moves = modem.exchange.release_second() if found[0].second else modem.exchange.release()


def tones(modem: Interpreter, command: Command) -> list[str]:
    """+VTS: tones for the far end."""
    asked = (command.arguments or [""])[0].upper()
    if not asked or set(asked) - set(TONES):
        raise RefusedError(WRONG_PARAMETERS)
    for tone in asked:
        send_tone(modem, tone)
    return []


def send_tone(modem: Interpreter, tone: str) -> None:
    """One tone; raises RefusedError when nobody is there to hear it."""
    now = time.monotonic()
    swallowed = now - modem.last_tone < modem.around.tone_gap
    modem.last_tone = now
    if modem.exchange.state != "talking" or not (swallowed or modem.exchange.key(tone)):
        raise RefusedError(NOT_ALLOWED)


def activity(modem: Interpreter, _: Command) -> list[str]:
    """+CPAS."""
    return [f"+CPAS: {CPAS.get(modem.exchange.state, 4)}"]


def last_release(modem: Interpreter, _: Command) -> list[str]:
    """+CEER: why the last call ended, in words."""
    return [f"+CEER: {CEER.get(modem.last_cause, 'No cause information available')}"]


COMMANDS: dict[str, Handler] = {
    "A": answer,
    "D": dial,
    "H": hang_up,
    "+CEER": last_release,
    "+CHLD": multiparty,
    "+CHUP": hang_up,
    "+CLCC": calls,
    "+CPAS": activity,
    "+VTS": tones,
}
