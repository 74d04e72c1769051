"""Huawei voice sticks (E1550, E173 and their kin): ^ORIG, ^CONF, ^CONN, ^CEND, and voice on the second port."""

from hw.emulated.calling import TONES, send_tone
from hw.emulated.command import Command
from hw.emulated.exchange import Progress
from hw.emulated.interpreter import Handler, Interpreter, Tables
from hw.emulated.make import COMMANDS as COMMON
from hw.emulated.make import Make, result
from hw.emulated.session import NOT_ALLOWED, NOT_SUPPORTED, WRONG_PARAMETERS, RefusedError, Setting
from hw.emulated.session import SETTINGS as KEPT
from hw.emulated.simcard import iccid, need_card

SIM_STATES = {"READY": 1, "NOT INSERTED": 255}  # of ^SYSINFO and ^SIMST; 0 in all others
CLIENT_END, RELEASED = 29, 25  # end_status


def _has_voice(modem: Interpreter, _: Command) -> list[str]:
    if not modem.around.voice:
        raise RefusedError(NOT_SUPPORTED)
    return ["^CVOICE:0,8000,16,20"]


def _start_sound(modem: Interpreter, command: Command) -> list[str]:
    if not modem.around.voice:
        raise RefusedError(NOT_SUPPORTED)
    if command.arguments != ["2"]:
        raise RefusedError(WRONG_PARAMETERS)
    modem.sound_wanted = modem.exchange.state not in ("idle", "ringing")
    return []


def _tone(modem: Interpreter, command: Command) -> list[str]:
    """^DTMF=index,tone: of several tones only the first is sent, and OK is said."""
    index, tones, *_ = [*command.arguments, "", ""]
    if not index.isdigit() or not tones or tones[0] not in TONES[:12]:
        raise RefusedError(WRONG_PARAMETERS)
    if int(index) - modem.around.data_call not in [call.index for call in modem.exchange.calls]:
        raise RefusedError(NOT_ALLOWED)
    send_tone(modem, tones[0])
    return []


def _tries(modem: Interpreter, _: Command) -> list[str]:
    need_card(modem)
    around = modem.around
    now = {"SIM PIN": around.tries, "SIM PUK": around.puk_tries}.get(around.sim, "")
    return [f"^CPIN: {around.sim},{now},{around.puk_tries},{around.tries},10,3"]


def _system(modem: Interpreter, _: Command) -> list[str]:
    return [f"^SYSINFO:{2 if modem.served else 0},3,0,5,{SIM_STATES.get(modem.around.sim, 0)},,4"]


def _ports(_: Interpreter, __: Command) -> list[str]:
    return ["^GETPORTMODE: TYPE: WCDMA: huawei,MDM:0,DIAG:1,PCUI:2"]


def _network_time(modem: Interpreter, _: Command) -> list[str]:
    clock = modem.around.clock(local=True)
    if clock is None:
        raise RefusedError(NOT_ALLOWED)
    return [f"^NWTIME: {clock[2:]},00"]


def _information(modem: Interpreter, _: Command) -> list[str]:
    around = modem.around
    told = {"Manufacturer": around.maker, "Model": around.model, "Revision": around.firmware, "IMEI": around.imei}
    return [*(f"{name}: {what}" for name, what in told.items()), "+GCAP: +CGSM,+DS,+ES"]


def _news(modem: Interpreter, call: Progress) -> list[str]:
    index = call.index + modem.around.data_call
    if call.tone:
        return [f"^DDTMF:{call.tone}"] if modem.session.values["^DDTMFCFG"] == "0,1" else []
    if call.state == "idle":
        return _end(modem, call, index)
    if call.state == "alerting" and modem.around.no_conf:
        return []
    if call.state == "talking" and modem.around.mute_firmware:
        return []
    told = {"dialling": f"^ORIG:{index},0", "alerting": f"^CONF:{index}", "talking": f"^CONN:{index},0"}
    return _asked(modem, [told[call.state]] if call.state in told else [])


def _end(modem: Interpreter, call: Progress, index: int) -> list[str]:
    around, before_answer = modem.around, modem.got_to in ("dialling", "alerting")
    if around.early_chup_no_cend and call.ended_here and modem.got_to == "dialling":
        return []
    status = around.cend_status if around.cend_status >= 0 else CLIENT_END if call.ended_here else RELEASED
    cause = f",{call.cause}"
    if around.cend == "short" or (call.ended_here and before_answer):
        cause = ""
    elif around.cend == "empty cause":
        cause = ","
    talked = 0 if call.second else modem.talked
    words = result(modem, call) if around.cend_twice else []
    return words + _asked(modem, [f"^CEND:{index},{talked},{status}{cause}"])


def _asked(modem: Interpreter, lines: list[str]) -> list[str]:
    return lines if modem.session.on("^CURC") else []


def _changes(modem: Interpreter, what: str) -> list[str]:
    served = 2 if modem.served else 0
    told = {
        "signal": [f"^RSSI:{modem.around.signal}"],
        "sim": [f"^SIMST:{SIM_STATES.get(modem.around.sim, 0)}", f"^SRVST:{served}"],
        "registration": [f"^SRVST:{served}", f"^MODE:{5 if modem.served else 0},{4 if modem.served else 0}"],
    }
    return _asked(modem, told.get(what, []))


COMMANDS: dict[str, Handler] = {
    **{name: handler for name, handler in COMMON.items() if name not in ("+VTS", "+CPINR")},
    "I": _information,
    "^CPIN": _tries,
    "^CVOICE": _has_voice,
    "^DDSETEX": _start_sound,
    "^DTMF": _tone,
    "^GETPORTMODE": _ports,
    "^ICCID": iccid("^ICCID: "),
    "^NWTIME": _network_time,
    "^SYSINFO": _system,
}
SETTINGS = {
    **KEPT,
    "^CURC": Setting("1", "(0,1)"),
    "^DDTMFCFG": Setting("0,0", "(0,1),(0,1)"),
    "^U2DIAG": Setting("0", "(0,1,255,256,276)"),
}

HUAWEI = Make(
    maker="huawei",
    model="E1550",
    firmware="11.609.20.00.00",
    flawed={"mute_firmware": "21.157.41.00.00"},
    tables=Tables(commands=COMMANDS),
    settings=SETTINGS,
    news=_news,
    changes=_changes,
    carries=lambda modem: modem.sound_wanted and not modem.around.mute_firmware,
    noise=(
        "^RSSI:{signal}",
        "^BOOT:20952548,0,0,0,72",
        "^MODE:5,4",
        "^DSFLOWRPT:00000082,00000000,00000000,0000000000000000,0000000000000000,0003E800,0003E800",
    ),
    options={"ath_ignored": True, "wordy_errors": True, "noise": 20.0},
)
