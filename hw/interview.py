"""A short talk with whatever is behind a serial port: one question at a time, on the caller's own thread.

For finding and examining modems, not for calls. It asks and never sets anything, but for the echo, which it turns off.
"""

import errno
import re
from collections.abc import Callable
from types import TracebackType
from typing import Self

from hw.at import NAMED, NEWS, Reply
from hw.atport import Ask, AtPort, Pause, Script
from hw.errors import PortLost
from hw.serialport import SerialPort
from hw.worker import Bell

FIRST = 1.0  # seconds for the first word: a modem that lives answers it at once
PATIENCE = 2.0
PING = 1.0
Listener = Callable[[str], None]


class PortInUseError(PortLost):
    """Another program has the port: the booth, as a rule."""


class PortForbiddenError(PortLost):
    """This user may not open the port."""


class Interview:
    """Owns the port from `with` to its end; may raise any HardwareError, at the latest some seconds after a question.

    `heard` is told every line: `> AT+CSQ` to the modem, `< +CSQ: 17,99` from it.
    """

    def __init__(self, path: str, heard: Listener = lambda _line: None) -> None:
        self.path = path
        self._heard = heard
        self._bell = Bell()
        self._port = AtPort(SerialPort(path, self._bell), self._notice, PING)
        self._aside: list[str] | None = None

    def __enter__(self) -> Self:
        try:
            self._port.open()
            if not self.ask("ATE0", FIRST).ok:  # some find their speed by the first word, and lose it
                self.ask("ATE0", FIRST)
        except PortLost as problem:
            self.close()
            raise _plainly(self.path, problem) from problem
        except BaseException:  # goes on as it is: only, the port is not kept
            self.close()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _it: BaseException | None, _where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the port; harmless when that is done."""
        self._port.close()
        self._bell.close()

    def ask(self, command: str, patience: float = PATIENCE) -> Reply:
        """The answer to a question; final "" when none came in time, although the modem lives.

        Lines that no rule of AT ascribes to the question, but that are no news either, count as its answer: what
        modems say to AT+FCLASS=? or AT+CLAC carries no name.
        """
        answer: list[Reply] = []
        aside: list[str] = []
        self._aside = aside
        self._heard(f"> {command}")

        def script() -> Script:
            answer.append((yield Ask(command, patience)))

        self._port.run(script())
        while not answer:
            self._port.listen()
        self._aside = None
        (reply,) = answer
        for line in (*reply.lines, *filter(None, [reply.final or "(no answer)"])):
            self._heard(f"< {line}")
        return Reply(command, reply.final, (*reply.lines, *aside))

    def pause(self, seconds: float) -> None:
        """Wait, and hear what the modem says meanwhile."""

        def script() -> Script:
            yield Pause(seconds)

        self._port.run(script())
        while self._port.busy:
            self._port.listen()

    def _notice(self, line: str) -> None:
        self._heard(f"< {line}")
        if self._aside is not None and not (NAMED.fullmatch(line) or NEWS.fullmatch(line)):
            self._aside.append(line)


def _plainly(path: str, problem: PortLost) -> PortLost:
    """The same error, by what is to be done about it."""
    cause = problem.__cause__
    number = cause.errno if isinstance(cause, OSError) else None
    if number in {errno.EAGAIN, errno.EBUSY}:
        return PortInUseError(f"{path} is in use")
    if number in {errno.EACCES, errno.EPERM}:
        return PortForbiddenError(f"{path} may not be opened by this user")
    return problem


def masked(line: str) -> str:
    """A line without telephone numbers, IMEI, IMSI or ICCID: digits in a row, five or more, become x.

    Single spaces and hyphens do not break a row, dots do: versions stay. 56000 alone stays, too, for that is what many
    analog modems answer when they are asked who they are.

    >>> masked('+CLIP: "+819012345601",145'), masked("LE20B05SIM7600G22"), masked("11.609.20.00.00"), masked("56000")
    ('+CLIP: "+xxxxxxxxxxxx",145', 'LE20B05SIM7600G22', '11.609.20.00.00', '56000')
    >>> masked("090-1234-5601 or 8981 1000 0012 3456 784")
    'xxx-xxxx-xxxx or xxxx xxxx xxxx xxxx xxx'
    """
    if line.removeprefix("< ") == "56000":
        return line
    return NUMBERS.sub(lambda run: re.sub(r"\d", "x", run[0]), line)


NUMBERS = re.compile(r"\d{5,}|\d{2,}(?:[ -]\d{2,}){2,}")
