"""Commands about the modem itself."""

from hw.emulated.command import Command
from hw.emulated.interpreter import Handler, Interpreter
from hw.emulated.session import WRONG_PARAMETERS, RefusedError


def switch(modem: Interpreter, command: Command) -> list[str]:
    """E, V and Q: echo, words, silence."""
    on = command.text not in ("", "0")
    if command.name == "E":
        modem.session.echo = on
    elif command.name == "V":
        modem.session.verbose = on
    else:
        modem.session.quiet = on
    return []


def identity(modem: Interpreter, command: Command) -> list[str]:
    """I, +CGMI, +CGMM, +CGMR, +CGSN and their short forms."""
    around = modem.around
    told = {"MI": [around.maker], "MM": [around.model], "MR": [around.firmware], "SN": [around.imei]}
    return told.get(command.name[-2:], [around.maker, around.model, f"Revision: {around.firmware}"])


def reset(modem: Interpreter, _: Command) -> list[str]:
    """Z and &F: all settings as after power-on."""
    modem.session.reset()
    return []


def power(modem: Interpreter, command: Command) -> list[str]:
    """+CFUN: 0 and 4 turn the radio off, `=1,1` starts the modem afresh, USB and all."""
    if command.how == "?":
        return [f"+CFUN: {modem.session.values['+CFUN']}"]
    if command.how == "=" and command.arguments[1:] == ["1"]:
        return restart(modem, command)
    if command.how == "=" and command.arguments not in (["0"], ["1"], ["4"]):
        raise RefusedError(WRONG_PARAMETERS)
    told = modem.session.keep(command)
    if not modem.served:
        modem.exchange.hang_up()
    return told


def restart(modem: Interpreter, _: Command) -> list[str]:
    """Start afresh: OK, then the ports go, and come back."""
    modem.answer.resets = True
    return []


COMMANDS: dict[str, Handler] = {
    "&F": reset,
    "E": switch,
    "I": identity,
    "Q": switch,
    "V": switch,
    "Z": reset,
    "+CFUN": power,
    "+CGMI": identity,
    "+CGMM": identity,
    "+CGMR": identity,
    "+CGSN": identity,
    "+GMI": identity,
    "+GMM": identity,
    "+GMR": identity,
    "+GSN": identity,
}
