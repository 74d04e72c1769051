"""Commands about the SIM."""

import time

from hw.emulated.circumstances import PIN_TRIES, PUK_TRIES
from hw.emulated.command import Command
from hw.emulated.interpreter import Handler, Interpreter
from hw.emulated.session import (
    NO_SIM,
    NOT_ALLOWED,
    PUK_WANTED,
    SIM_FAILED,
    WRONG_PARAMETERS,
    WRONG_PASSWORD,
    RefusedError,
)

IMSI = "001010123456789"  # of the test network 001 01
OWN_NUMBER = "09012345600"
VERIFY = "0020000100"  # ISO 7816-4 VERIFY without a PIN: only the counter is told


def pin(modem: Interpreter, command: Command) -> list[str]:
    """+CPIN: what the SIM waits for; with `=` the PIN, or the PUK and a new PIN."""
    around = modem.around
    if command.how == "=":
        return _open(modem, command.arguments)
    if modem.sim_wakes:
        if isinstance(around.sim_busy_says, int):
            raise RefusedError(around.sim_busy_says)
        return [f"+CPIN: {around.sim_busy_says}"]
    if around.sim == "NOT INSERTED":
        raise RefusedError(NO_SIM)
    if around.cpin_no_ok:
        modem.answer.final = ""
    return [f"+CPIN: {around.sim}"]


def _open(modem: Interpreter, codes: list[str]) -> list[str]:
    around = modem.around
    if around.sim not in ("SIM PIN", "SIM PUK"):
        raise RefusedError(NOT_ALLOWED)
    if around.sim == "SIM PUK":
        if len(codes) < 2:
            raise RefusedError(PUK_WANTED)
        opened = around.enter_puk(codes[0], codes[1])
    else:
        opened = around.enter_pin((codes or [""])[0])
    if not opened:
        raise RefusedError(WRONG_PASSWORD)
    modem.sim_ready_since = time.monotonic()
    return []


def lock(modem: Interpreter, command: Command) -> list[str]:
    """+CLCK="SC",2: whether the SIM has a PIN; 0 takes it off and 1 puts it on, with the PIN."""
    what, mode, code, *_ = [*command.arguments, "", "", ""]
    if command.how != "=" or what.upper() != "SC" or mode not in ("0", "1", "2"):
        raise RefusedError(WRONG_PARAMETERS)
    modem.need_sim()
    if mode == "2":
        return [f"+CLCK: {int(modem.around.pin_wanted)}"]
    if not modem.around.enter_pin(code):
        raise RefusedError(WRONG_PASSWORD)
    modem.around.pin_wanted = mode == "1"
    return []


def subscriber(modem: Interpreter, command: Command) -> list[str]:
    """+CIMI and +CNUM, which an opened SIM tells, though not at once."""
    modem.need_sim()
    if time.monotonic() < modem.sim_ready_since + modem.around.sim_data_late:
        raise RefusedError(SIM_FAILED)
    if command.name == "+CIMI":
        return [IMSI]
    return [("ERROR" if modem.around.glued_cnum else "") + f'+CNUM: ,"{OWN_NUMBER}",129']


def need_card(modem: Interpreter) -> None:
    """Raises RefusedError without a SIM, were it locked or not."""
    if modem.around.sim == "NOT INSERTED":
        raise RefusedError(NO_SIM)


def iccid(prefix: str) -> Handler:
    """A command that tells the SIM's own number, locked or not, after `prefix`."""

    def handler(modem: Interpreter, _: Command) -> list[str]:
        need_card(modem)
        return [f"{prefix}{modem.around.iccid}"]

    return handler


def tries(modem: Interpreter, _: Command) -> list[str]:
    """+CPINR (27.007 8.65): one line for each code."""
    need_card(modem)
    left = {"SIM PIN": (modem.around.tries, PIN_TRIES), "SIM PUK": (modem.around.puk_tries, PUK_TRIES)}
    left |= {"SIM PIN2": (PIN_TRIES, PIN_TRIES), "SIM PUK2": (PUK_TRIES, PUK_TRIES)}
    return [f"+CPINR: {code},{now},{most}" for code, (now, most) in left.items()]


def raw(modem: Interpreter, command: Command) -> list[str]:
    """+CSIM: only the question how many tries are left is understood; any other gets 6D00, no such instruction."""
    need_card(modem)
    length, data, *_ = [*command.arguments, "", ""]
    if command.how != "=" or not length.isdigit() or int(length) != len(data):
        raise RefusedError(WRONG_PARAMETERS)
    left = modem.around.tries if modem.around.sim != "SIM PUK" else 0
    word = "6D00" if data != VERIFY else f"63C{left}" if left else "6983"
    return [f'+CSIM: 4,"{word}"']


COMMANDS: dict[str, Handler] = {
    "+CIMI": subscriber,
    "+CLCK": lock,
    "+CNUM": subscriber,
    "+CPIN": pin,
    "+CPINR": tries,
    "+CSIM": raw,
}
