"""A modem to try with bare hands."""

import os
import re
import select
import time

import pytest

from hw.emulated.exchange import Exchange, FarEnd
from hw.emulated.gsm import GsmModem
from hw.emulated.speech import Tone

CUSTOMER = "0312345601"
FINAL = r"\r\n(OK|ERROR|NO CARRIER|BUSY|\+CME ERROR: [^\r]*)\r\n"


class Host:
    """A serial port in the hands of a test."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.said = b""

    def send(self, text):
        os.write(self.fd, text.encode())

    def until(self, pattern, patience=30.0):
        """All that the modem said up to the end of `pattern`, which is taken off the input."""
        end = time.monotonic() + patience
        while not (found := re.search(pattern.encode(), self.said)):
            left = end - time.monotonic()
            assert left > 0, f"no {pattern} in {self.said}"
            if select.select([self.fd], [], [], left)[0]:
                self.said += os.read(self.fd, 4096)
        before, self.said = self.said[: found.end()], self.said[found.end() :]
        return before.decode(errors="replace")  # a garbled line says anything

    def ask(self, command):
        """The lines of the answer, the final result last."""
        self.send(command + "\r")
        return self.answer()

    def answer(self):
        """The lines of the answer that comes now."""
        return [line for line in self.until(FINAL).split("\r\n") if line]

    def quiet(self, seconds):
        """Nothing is said for so long."""
        return not self.said and not select.select([self.fd], [], [], seconds)[0]

    def close(self):
        """Let go of the port; harmless when that is done."""
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


@pytest.fixture
def connect():
    """What opens a port of a modem, by its path."""
    hosts = []

    def connect(path):
        hosts.append(Host(path))
        return hosts[-1]

    yield connect
    for host in hosts:
        host.close()


@pytest.fixture
def exchange():
    """An exchange with a customer who answers soon, and is a tone of 1000 Hz."""
    with Exchange() as exchange:
        exchange.book[CUSTOMER] = FarEnd(answers_after=0.15, voice=Tone(1000))
        yield exchange


@pytest.fixture
def bring(exchange, tmp_path, connect):
    """What plugs in any modem: the modem, and its AT port without echo."""
    modems = []

    def bring(make, **options):
        modem = GsmModem(make, exchange, tmp_path, **options)
        modems.append(modem)
        modem.plug()
        host = connect(modem.at)
        if modem.autobaud:
            host.send("AT\r")
            modem.wait_for("AT")
        host.ask("ATE0")
        return modem, host

    yield bring
    for modem in modems:
        modem.close()


@pytest.fixture
def modem(exchange, tmp_path):
    """An EC25, plugged in."""
    with GsmModem("quectel", exchange, tmp_path) as modem:
        yield modem


@pytest.fixture
def host(modem, connect):
    """The AT port of `modem`, without echo."""
    host = connect(modem.at)
    host.ask("ATE0")
    return host


@pytest.fixture
def sound(modem, connect):
    """The voice port of `modem`."""
    return connect(modem.pcm)
