"""SIMCom SIM7600 and A7670: voice on a port of its own while AT+CPCMREG says so, and notices without a call's number."""

import time
from dataclasses import replace

from hw.emulated.calling import row
from hw.emulated.command import Command
from hw.emulated.exchange import Progress
from hw.emulated.identity import restart
from hw.emulated.interpreter import Handler, Interpreter, Tables
from hw.emulated.make import LTE, LTE_COMMANDS, Make, result, sim_news
from hw.emulated.session import NOT_ALLOWED, NOT_SUPPORTED, WRONG_PARAMETERS, RefusedError, Setting
from hw.emulated.simcard import iccid, need_card


def _voice(modem: Interpreter, command: Command) -> list[str]:
    if not modem.around.voice:
        raise RefusedError(NOT_SUPPORTED)
    if command.how == "=?":
        return ["+CPCMREG: (0-1)"]
    if command.how == "?":
        return [f"+CPCMREG: {int(modem.sound_wanted)}"]
    if command.arguments == ["1"]:
        _start_sound(modem)
    elif command.arguments in (["0"], ["0", "1"]):
        modem.silence()
    else:
        raise RefusedError(WRONG_PARAMETERS)
    return []


def _start_sound(modem: Interpreter) -> None:
    if modem.active_since is None or time.monotonic() < modem.active_since + modem.around.pcm_settle:
        raise RefusedError(NOT_ALLOWED)
    if modem.around.wears_out and modem.pcm_cycles and not modem.sound_refused:
        modem.sound_refused = True
        raise RefusedError(NOT_ALLOWED)
    modem.sound_wanted = True


def tries(modem: Interpreter, _: Command) -> list[str]:
    """+SPIC: tries left for PIN, PIN2, PUK and PUK2."""
    need_card(modem)
    return [f"+SPIC: {modem.around.tries},3,{modem.around.puk_tries},10"]


def _information(modem: Interpreter, _: Command) -> list[str]:
    around = modem.around
    told = {"Manufacturer": around.maker, "Model": around.model, "Revision": around.firmware.removeprefix("+CGMR: ")}
    return [*(f"{name}: {what}" for name, what in told.items()), f"IMEI: {around.imei}", "+GCAP: +CGSM"]


def call_news(modem: Interpreter, call: Progress) -> list[str]:
    """+CLCC as a notice, with 6 for a call that ended."""
    return [row(modem, call)] if modem.session.on("+CLCC") and modem.around.clcc_urc else []


def _news(modem: Interpreter, call: Progress) -> list[str]:
    if call.tone:
        return [f"\r+RXDTMF: {call.tone}"] if modem.session.on("+DDET") else []
    lines = call_news(modem, call)
    if call.state == "talking":
        lines.append("VOICE CALL: BEGIN")
    if call.state == "idle":
        talked = modem.got_to == "talking" and not call.second
        lines.append(
            f"VOICE CALL: END: {modem.talked:06d}" if talked and not modem.around.vague_end else "VOICE CALL: END"
        )
        if call.incoming and not call.ended_here and not talked:
            lines.append(f"MISSED_CALL: {_time_of_day(modem)} {call.number or ''}".rstrip())
    return lines + result(modem, call)


def _time_of_day(modem: Interpreter) -> str:
    hour, minute = map(int, (modem.around.clock(local=True) or "1980/01/06,00:00:42+00")[11:16].split(":"))
    return f"{hour % 12 or 12:02d}:{minute:02d}{'AM' if hour < 12 else 'PM'}"


def _changes(modem: Interpreter, what: str) -> list[str]:
    if what == "signal" and modem.session.on("+AUTOCSQ"):
        return [f"+CSQ: {modem.around.signal},99"]
    return sim_news(modem, what)


COMMANDS: dict[str, Handler] = {
    **LTE_COMMANDS,
    "I": _information,
    "+CCID": iccid("+CCID: "),
    "+CICCID": iccid("+ICCID: "),
    "+CPCMREG": _voice,
    "+CRESET": restart,
    "+SIMCOMATI": _information,
    "+SPIC": tries,
}
SETTINGS = {
    **LTE,
    "+AUTOCSQ": Setting("0,0", "(0,1),(0,1)"),
    "+CEVOLTE": Setting("1,1", "(1),(0,1)"),
    "+CLCC": Setting("0", "(0-1)"),
    "+CMICGAIN": Setting("3", "(0-8)"),
    "+CNSMOD": Setting("0", "(0,1)"),
    "+COUTGAIN": Setting("4", "(0-8)"),
    "+CPCMFRM": Setting("0", "(0)"),  # 16 kHz is not emulated
    "+CPCMREG": Setting("0", "(0-1)"),
    "+CSCLK": Setting("0", "(0,1)"),
    "+CSDVC": Setting("1", "(1,3)"),
    "+DDET": Setting("0", "(0,1)"),
}

SIM7600 = Make(
    maker="SIMCOM INCORPORATED",
    model="SIMCOM_SIM7600G-H",
    firmware="+CGMR: LE20B05SIM7600G22",
    tables=Tables(commands=COMMANDS),
    settings=SETTINGS,
    news=_news,
    changes=_changes,
    carries=lambda modem: modem.sound_wanted,
    boot=("RDY", "+CPIN: {sim}", "SMS DONE", "PB DONE"),
)
A7670 = replace(
    SIM7600,
    maker="INCORPORATED",
    model="A7670E-FASE",
    firmware="+CGMR: A011B07A7670M7",
    flawed={"volte_drops": "+CGMR: A011B01A7670M7"},
    boot=("*ATREADY: 1", "+CPIN: {sim}", "SMS DONE", "PB DONE"),
)
