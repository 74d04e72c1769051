"""Whatever is written to an emulated modem, it answers the next sensible word."""

import random

import pytest

from hw.emulated.makes import MAKES

NAMES = ["D", "A", "H", "E0", "V1", "Q0", "Z", "I", "X", "S0", "&F", ""]
ARGUMENTS = [
    "",
    "=",
    "?",
    "=?",
    "=0",
    "=1",
    '="',
    '=","',
    "=1,2,3,4",
    '="SC",2',
    '=10,"0020000100"',
    "=11",
    "=99",
    "=2",
]
ARGUMENTS += ["=x", "=1,", '="ccinfo",', '="outport"', '="ims"', "=1,#", "=\xff", "0312345601;", ";;", "=0;D;"]


def nonsense(make, seed):
    """A line that a careless or garbled host might send."""
    chance = random.Random(seed)
    made = MAKES[make]
    names = [*NAMES, *made.tables.commands, *made.settings, *made.named]
    names = [name for name in names if name not in ("+CRESET", "+CFUN")]  # it would go away
    line = "AT" + "".join(chance.choice(names) + chance.choice(ARGUMENTS) for _ in range(chance.randint(1, 3)))
    if chance.random() < 0.2:
        at = chance.randrange(len(line))
        line = line[:at] + chr(chance.randrange(256)) + line[at + 1 :]
    return line.replace("\r", "")


@pytest.mark.parametrize("make", MAKES)
def test_nonsense_does_no_harm(bring, exchange, make):
    modem, host = bring(make)
    for seed in range(300):
        host.send(nonsense(make, seed) + "\r")
        if seed % 20 == 19:
            host.send("AT&F\rATE0V1Q0\rAT+CHUP\r")
            host.send(f'AT+CSIM=10,"00{seed:08d}"\r')
            host.until(r"6D00|ERROR\r\n|SUPPORT")
            host.said = b""
    exchange.release()
    host.send("AT&F\rATE0\rAT+CGMM\r")
    host.until(modem.model)
