"""Quectel EC25: voice on the NMEA port or by a USB sound card, +QIND: "ccinfo" and ^DSCI."""

from dataclasses import replace

from hw.emulated.calling import STAT, hang_up, tones, type_of
from hw.emulated.command import Command
from hw.emulated.exchange import Progress
from hw.emulated.interpreter import Handler, Interpreter, Tables
from hw.emulated.make import LTE, LTE_COMMANDS, Make, result, sim_news
from hw.emulated.network import quectel_clock
from hw.emulated.session import NOT_SUPPORTED, WRONG_PARAMETERS, RefusedError, Setting
from hw.emulated.simcard import iccid

DSCI = {"dialling": 2, "talking": 3, "ringing": 4, "waiting": 5, "idle": 6, "alerting": 7, "held": 1}


def _voice(modem: Interpreter, command: Command) -> list[str]:
    if not modem.around.voice:
        raise RefusedError(NOT_SUPPORTED)
    kept = modem.session.keep(command)
    if command.how == "=" and command.arguments == ["0"]:
        modem.session.values["+QPCMV"] = "0,0"
    return kept


def _hang_up(modem: Interpreter, command: Command) -> list[str]:
    cause = (command.arguments or [""])[0]
    modem.answer.wedges = modem.around.qhup_wedges
    modem.answer.moves = modem.exchange.release(int(cause) if cause.isdigit() else 16)
    return []


def _tries(modem: Interpreter, _: Command) -> list[str]:
    return [f'+QPINC: "SC",{modem.around.tries},{modem.around.puk_tries}', '+QPINC: "P2",3,10']


def _network_time(modem: Interpreter, command: Command) -> list[str]:
    """+QLTS gives GMT, and local time only to =2; the zone is the same in both."""
    clock = modem.around.clock(local=command.arguments[:1] == ["2"])
    return ['+QLTS: ""' if clock is None else f'+QLTS: "{clock},0"']


def _configure(modem: Interpreter, command: Command) -> list[str]:
    if [argument.lower() for argument in command.arguments] == ["ims"]:
        return [f'+QCFG: "ims",0,{int(modem.around.volte)}']
    return modem.session.keep_named(command)


def _indications(modem: Interpreter, command: Command) -> list[str]:
    if command.arguments[:1] == ["ccinfo"] and not modem.around.ccinfo:
        raise RefusedError(WRONG_PARAMETERS)
    return modem.session.keep_named(command)


def _news(modem: Interpreter, call: Progress) -> list[str]:
    if call.tone:
        return [f"+QTONEDET: {ord(call.tone)}"] if modem.session.on("+QTONEDET") else []
    if call.state == "idle" and modem.around.forgets_pcm:
        modem.session.values["+QPCMV"] = "0,0"
    number, kind = call.number or "", type_of(call.number)
    index, incoming = call.index + modem.around.data_call, int(call.incoming)
    lines = []
    if modem.around.ccinfo and modem.session.indicates("ccinfo"):
        stat = -1 if call.state == "idle" else STAT[call.state]
        lines.append(f'+QIND: "ccinfo",{index},{incoming},{stat},0,0,"{number}",{kind}')
    if modem.session.on("^DSCI"):
        lines.append(f"^DSCI: {index},{incoming},{DSCI[call.state]},0,{number},{kind}")
    return lines + result(modem, call)


def _changes(modem: Interpreter, what: str) -> list[str]:
    if what == "signal" and modem.session.indicates("csq"):
        return [f'+QIND: "csq",{modem.around.signal},99']
    inserted = int(modem.around.sim != "NOT INSERTED")
    swapped = [f"+QSIMSTAT: 1,{inserted}"] if what == "sim" and modem.session.on("+QSIMSTAT") else []
    return swapped + sim_news(modem, what)


COMMANDS: dict[str, Handler] = {
    **LTE_COMMANDS,
    "+QCCID": iccid("+QCCID: "),
    "+QCFG": _configure,
    "+QHUP": _hang_up,
    "+QINDCFG": _indications,
    "+CCLK": quectel_clock,
    "+QLTS": _network_time,
    "+QPCMV": _voice,
    "+QPINC": _tries,
    "+QVTS": tones,
    "+CHUP": hang_up,
}
SETTINGS = {
    **LTE,
    "+QAUDMOD": Setting("0", "(0-3)"),
    "+QMIC": Setting("20577,14567", "(0-65535),(0-65535)"),
    "+QPCMV": Setting("0,0", "(0,1),(0-2)"),
    "+QRXGAIN": Setting("20577", "(0-65535)"),
    "+QSIMDET": Setting("0,0", "(0,1),(0,1)"),
    "+QSIMSTAT": Setting("0", "(0,1)"),
    "+QTONEDET": Setting("0", "(0,1)"),
    "^DSCI": Setting("0", "(0,1)"),
}
# Settings with a name of their own: AT+QINDCFG="ccinfo",1,0
NAMED = {
    "+QCFG": {"ims": "0,1", "usbcfg": "0x2C7C,0x0125,1,1,1,1,1,0,0"},
    "+QGPSCFG": {"outport": '"usbnmea"'},
    "+QINDCFG": {"all": "1", "csq": "0", "smsfull": "0", "ring": "1", "smsincoming": "1", "act": "0", "ccinfo": "0"},
}

QUECTEL = Make(
    maker="Quectel",
    model="EC25",
    firmware="{model}EUXGAR08A05M1",
    tables=Tables(commands=COMMANDS),
    settings=SETTINGS,
    named=NAMED,
    news=_news,
    changes=_changes,
    rings=lambda modem: modem.session.indicates("ring"),
    carries=lambda modem: modem.session.values["+QPCMV"] == "1,0",
    flow=True,
)
QUECTEL_UAC = replace(
    QUECTEL,
    named={**NAMED, "+QCFG": {"ims": "0,1", "usbcfg": "0x2C7C,0x0125,1,1,1,1,1,1,1"}},
    voice="card",
    flow=False,
    carries=lambda modem: modem.session.values["+QPCMV"] == "1,2",
)
