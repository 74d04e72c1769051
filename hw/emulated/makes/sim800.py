"""SIMCom SIM800 (2G) on a UART: it finds the speed by itself, and its voice is analog, by a sound card."""

from hw.emulated.command import Command
from hw.emulated.exchange import Progress
from hw.emulated.interpreter import Handler, Interpreter, Tables
from hw.emulated.make import COMMANDS as COMMON
from hw.emulated.make import Make, result, sim_news
from hw.emulated.makes.simcom import call_news, tries
from hw.emulated.session import SETTINGS as KEPT
from hw.emulated.session import Setting
from hw.emulated.simcard import iccid

TELLS_BUSY = ("3", "4")  # values of X


def _information(modem: Interpreter, _: Command) -> list[str]:
    return [f"{modem.around.model} R14.18"]


def _results(modem: Interpreter, command: Command) -> list[str]:
    """X: which results there are."""
    modem.session.values["X"] = command.text or "0"
    return []


def _news(modem: Interpreter, call: Progress) -> list[str]:
    if call.tone:
        return [f"+DTMF: {call.tone}"] if modem.session.on("+DDET") else []
    lines = []
    if modem.session.on("+MORING") and not call.incoming and call.state in ("alerting", "talking"):
        lines.append("MO RING" if call.state == "alerting" else "MO CONNECTED")
    words = result(modem, call)
    if words == ["BUSY"] and modem.session.values.get("X", "4") not in TELLS_BUSY:
        words = ["NO CARRIER"]
    return lines + call_news(modem, call) + words


def _changes(modem: Interpreter, what: str) -> list[str]:
    clock = modem.around.clock(local=False)
    if what == "signal" and modem.session.values["+EXUNSOL"] == "SQ,1":
        return [f"+CSQN: {modem.around.signal},0"]
    if what == "time" and modem.session.on("+CLTS") and clock is not None:
        date, hour, zone = clock[:10].replace("/", ","), clock[11:19].replace(":", ","), clock[-3:]
        return [f'*PSUTTZ: {date},{hour},"{zone}",0', "DST: 0"]
    return sim_news(modem, what)


COMMANDS: dict[str, Handler] = {
    **COMMON,
    "I": _information,
    "X": _results,
    "+CCID": iccid(""),
    "+ICCID": iccid("+ICCID: "),
    "+SPIC": tries,
}
SETTINGS = {
    **KEPT,
    "+CLCC": Setting("0", "(0-1)"),
    "+CLTS": Setting("0", "(0,1)"),
    "+CMIC": Setting("0,10", "(0-3),(0-15)"),
    "+CSCLK": Setting("0", "(0-2)"),
    "+DDET": Setting("0", "(0,1),(0-65535),(0,1),(0,1)"),
    "+ECHO": Setting("0,0,0,0", "(0-3),(0-65535),(0-65535),(0-65535),(0,1)"),
    "+EXUNSOL": Setting("", "(SQ),(0,1)"),
    "+IPR": Setting("0", "(0,1200,2400,4800,9600,19200,38400,57600,115200,230400,460800)"),
    "+MORING": Setting("0", "(0,1)"),
}

SIM800 = Make(
    maker="SIMCOM_Ltd",
    model="SIMCOM_SIM800L",
    firmware="Revision:1418B05SIM800L24",
    tables=Tables(commands=COMMANDS),
    settings=SETTINGS,
    news=_news,
    changes=_changes,
    voice="card",
    boot=("RDY", "+CFUN: 1", "+CPIN: {sim}", "Call Ready", "SMS Ready"),
    noise=("UNDER-VOLTAGE WARNNING", "+CMTE: 1"),
    options={"autobaud": True, "clcc_row": "empty name", "unserved": "NO DIALTONE"},
)
