"""One life of an AT port, from plug to plug: lines in, answers and notices out, each when the bugs allow it."""

import time
from collections.abc import Callable
from functools import partial

from hw.emulated.circumstances import Circumstances
from hw.emulated.exchange import Progress
from hw.emulated.interpreter import Answer, Interpreter
from hw.emulated.port import Port
from hw.emulated.wording import NUMERIC, reply, result, said

LONGEST_LINE = 4096
CURES = frozenset({"AT+CFUN=1,1", "AT+CRESET"})  # the second only where it is known


class Dialogue:
    """All of it runs on the port's thread.

    `heard` is told every line; `obeyed` every answer before it is given, `None` for the first word of a modem that was
    deaf until then; `restart` is called when the modem is to start afresh.
    """

    def __init__(
        self,
        around: Circumstances,
        port: Port,
        interpreter: Interpreter,
        *,
        heard: Callable[[str], None],
        obeyed: Callable[[Answer | None], None],
        restart: Callable[[], None],
    ) -> None:
        self._around, self._port, self._interpreter = around, port, interpreter
        self._session, self._exchange = interpreter.session, interpreter.exchange
        self._heard, self._obeyed, self._restart = heard, obeyed, restart
        self.deaf = around.autobaud
        self._unread = self._withheld = ""
        self._busy = False
        self._held: Answer | None = None
        self._ok_due = 0.0

    def hear(self, data: bytes) -> None:
        """What came from the host."""
        if self._held is not None and self._held.dialled and (self._session.on("+COLP") or self._ok_due):
            self._exchange.release()  # any character aborts a dial that waits for its answer
            return
        if self._session.echo and not (self._around.silent or self._around.wedged or self.deaf):
            self._port.write(data)
        self._unread = (self._unread + data.decode("latin-1"))[-LONGEST_LINE:]
        self._work_off()

    def say(self, *lines: str) -> None:
        """Lines that nobody asked for."""
        self.send("".join(said(line, self._session, self._around) for line in lines))

    def send(self, text: str) -> None:
        """Text as it is, unless the modem has lost its tongue."""
        if text and not self._around.silent and self._around.wedged not in ("all", "dead"):
            self._around.cable.tell("<", text)
            self._port.write(text.encode("latin-1", "replace"))

    def let_go(self, progress: Progress, news: list[str]) -> None:
        """Give the final result that was kept back until something happened, which `news` has told just now."""
        held, state = self._held, progress.state
        if held is None:
            return
        dialled = held.dialled and not progress.second
        if dialled and state != "idle" and (self._ok_due or (self._session.on("+COLP") and state != "talking")):
            return
        self._held, self._busy, self._ok_due = None, False, 0.0
        if not (dialled and state == "idle"):
            self._reply(held)
        elif not NUMERIC.keys() & news:
            self.send(result("NO CARRIER", self._session))
        self._work_off()

    def _work_off(self) -> None:
        while not self._busy and "\r" in self._unread:
            line, _, self._unread = self._unread.partition("\r")
            self._take(line.strip())

    def _take(self, line: str) -> None:
        if not line:
            return
        self._around.cable.tell(">", line)
        self._heard(line)
        if self._ignores(line.upper()):
            return
        late, self._withheld = self._withheld, ""
        self.send(late)
        if self._around.slow and line.upper().startswith(self._around.slow_on):
            self._busy = True
            self._port.at(time.monotonic() + self._around.slow, partial(self._answer_late, line))
        else:
            self._answer(line)

    def _ignores(self, line: str) -> bool:
        """Whether the modem is deaf to a line, or becomes so by it."""
        around = self._around
        if self.deaf:
            self.deaf = "AT" not in line
            if not self.deaf:
                self._obeyed(None)
            return True
        if (
            around.wedged in ("commands", "all")
            and line in CURES
            and self._interpreter.knows(line[2:].partition("=")[0])
        ):
            self._restart()
        elif around.wedges_on and line.startswith(around.wedges_on):
            around.wedged = around.wedged or "commands"
        return bool(around.silent or around.wedged)

    def _answer_late(self, line: str) -> None:
        self._busy = False
        self._answer(line)
        self._work_off()

    def _answer(self, line: str) -> None:
        around, answer = self._around, self._interpreter.obey(line)
        if answer is None:
            return
        self._obeyed(answer)
        late = answer.dialled and (around.dial_ok_after or self._session.on("+COLP"))
        if late or (answer.moves and around.early_urc):
            self._hold(answer)
        elif around.withholds and line.upper().startswith(around.withholds):
            self._withheld = reply(answer, self._session, around)
        elif not answer.unsaid:
            self._reply(answer)
        if answer.wedges:
            around.wedged = "commands"
        if answer.resets:
            self._restart()

    def _hold(self, answer: Answer) -> None:
        self._held, self._busy = answer, True
        if answer.dialled and self._around.dial_ok_after:
            self._ok_due = time.monotonic() + self._around.dial_ok_after
            self._port.at(self._ok_due, partial(self._ok, answer))

    def _ok(self, answer: Answer) -> None:
        self._ok_due = 0.0
        if self._held is answer:
            self._held, self._busy = None, False
            self._reply(answer)
            self._work_off()

    def _reply(self, answer: Answer) -> None:
        self.send(reply(answer, self._session, self._around))
