"""Commands about the network: registration, operator, signal and time."""

from hw.emulated.command import Command
from hw.emulated.interpreter import Handler, Interpreter
from hw.emulated.session import NOT_SUPPORTED, WRONG_PARAMETERS, RefusedError

NO_CLOCK = "80/01/06,00:00:42+00"


def registration(modem: Interpreter, command: Command) -> list[str]:
    """+CREG, +CEREG and +CIREG (whether voice over LTE is registered)."""
    if command.how == "?":
        return [f"{command.name}: {modem.session.values[command.name]},{modem.registration(command.name)}"]
    return modem.session.keep(command)


def operator(modem: Interpreter, command: Command) -> list[str]:
    """+COPS."""
    if command.how == "?":
        return ['+COPS: 0,0,"BOOTHNET",7' if modem.served else "+COPS: 0"]
    if command.how != "=" or command.arguments[:1] not in (["0"], ["3"]):
        raise RefusedError(WRONG_PARAMETERS)
    return []


def signal(modem: Interpreter, _: Command) -> list[str]:
    """+CSQ."""
    return [f"+CSQ: {modem.around.signal},99"]


def clock(modem: Interpreter, command: Command) -> list[str]:
    """+CCLK, the modem's own clock: it runs from 1980 until the network sets it, to local time (27.007, 8.15)."""
    return _clock(modem, command, local=True)


def quectel_clock(modem: Interpreter, command: Command) -> list[str]:
    """The same; here it is GMT, and local time only with +CTZU=3."""
    return _clock(modem, command, local=modem.session.values["+CTZU"] == "3")


def _clock(modem: Interpreter, command: Command, *, local: bool) -> list[str]:
    if command.how != "?":
        raise RefusedError(NOT_SUPPORTED)
    now = modem.around.clock(local=local)
    return [f'+CCLK: "{NO_CLOCK}"' if now is None else f'+CCLK: "{now[2:]}"']


def time_news(modem: Interpreter) -> list[str]:
    """What +CTZR has it tell when the network gives the time."""
    now, reports = modem.around.clock(local=True), modem.session.values.get("+CTZR", "0")
    if now is None or reports == "0":
        return []
    zone = f'"{now[-3:]}"'
    return [f"+CTZV: {zone}" if reports == "1" else f'+CTZE: {zone},0,"{now[:-3]}"']


COMMANDS: dict[str, Handler] = {
    "+CCLK": clock,
    "+COPS": operator,
    "+CREG": registration,
    "+CSQ": signal,
}
LTE_COMMANDS: dict[str, Handler] = {
    "+CEREG": registration,
    "+CIREG": registration,
}
