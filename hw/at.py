r"""One conversation with an AT modem, without any I/O.

Bytes go in, replies and notices come out; who moves the bytes, and how long to wait, is somebody else's business.

>>> talk = Dialogue()
>>> talk.ask("AT+CSQ")
b'AT+CSQ\r'
>>> list(talk.hear(b"\r\n+CSQ: 17,99\r\n\r\nRING\r\n\r\nOK\r\n"))
[Notice(line='RING'), Reply(command='AT+CSQ', final='OK', lines=('+CSQ: 17,99',))]
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hw.errors import MisuseError

LINE_END = re.compile(r"[\r\n]")
NO_ASCII = bytes(range(0x7F, 0x100))  # no modem says these on purpose
LONGEST_LINE = 1024  # the longest honest line is a list of supported bands, about 300 characters
MARKER = "AT"  # asks nothing, so its answer is an OK with nothing before it

FINAL = re.compile(r"OK|ERROR|\+CM[ES] ERROR:.*|COMMAND NOT SUPPORT|TOO MANY PARAMETERS")
FINAL_OF_CALL = re.compile(rf"{FINAL.pattern}|NO CARRIER|BUSY|NO ANSWER|NO DIAL ?TONE|CONNECT( .*)?|VCON")
CALLING = re.compile(r"AT(.*;)?[DA]", re.DOTALL)  # ATD<number>; and ATA, also behind other commands on the same line
PLAIN = re.compile(
    r"AT(I\d*|\+(CG|G)(MI|MM|MR|SN)|\+CIMI|\+CEER|\+C?I?CCID)"
)  # their answers carry no name before a colon
NEWS = re.compile(  # lines without a name before a colon that come unasked
    r"RING|NO CARRIER|BUSY|NO ANSWER|NO DIAL ?TONE|RDY|PB DONE|(Call|SMS) Ready|(NORMAL )?POWER(ED)? DOWN"
    r"|VOICE CALL: ?(BEGIN|END).*|MISSED_CALL:.*|MO (RING|CONNECTED)|(UNDER|OVER)-VOLTAGE .*|CONNECT( .*)?|HANGUP: ?\d+"
)
NAMED = re.compile(r"([+^*%$#][A-Z][A-Z0-9]*) ?:.*", re.DOTALL)
GLUED = re.compile(r"(OK|ERROR)(?=[+^][A-Z]+:)")  # `ERROR+CNUM:` has been seen
UNASKED_REGISTRATION = re.compile(r'\+C(G|E)?REG: ?\d+(,("|[0-9A-Fa-f]{4}).*)?')  # <stat>[,<area>..]: no <n> before it

# Names that also come unasked: they answer a question only if it was the reading kind (`?` or bare).
ALSO_NEWS = frozenset(
    {"+QPCMV", "+CREG", "+CEREG", "+CGREG", "+CLCC", "+CSQ", "+CPIN", "+QIND", "+CTZE", "+CTZV"}
    | {"^RSSI", "^MODE", "^SIMST", "^SRVST", "^ORIG", "^CONF", "^CONN", "^CEND", "+CCWA", "+CLIP", "+CRING"}
)


@dataclass(frozen=True, slots=True)
class Reply:
    """The complete answer to one command."""

    command: str
    final: str
    lines: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the modem did as it was told."""
        return self.final == "OK"


@dataclass(frozen=True, slots=True)
class Notice:
    """A line that nobody asked for."""

    line: str


def answers(line: str, command: str) -> bool:
    """Whether `line` is information that `command` asks for, rather than news that came in between.

    >>> answers("+CREG: 0,1", "AT+CREG?"), answers('+CREG: 1,"1A2B","03"', "AT+CREG?")
    (True, False)
    """
    named = NAMED.fullmatch(line)
    if not named:
        return bool(PLAIN.fullmatch(command)) and not NEWS.fullmatch(line)
    name = named[1]
    if not re.search(rf"(^AT|;){re.escape(name)}(?![A-Z0-9])", command):
        return False
    if UNASKED_REGISTRATION.fullmatch(line):
        return False
    return name not in ALSO_NEWS or "=" not in command


class Dialogue:
    """Sorts what a modem says into replies and notices.

    After `give_up` it is adrift: the late answer may still come, so nothing may be asked but the MARKER, and only a
    clean OK to that brings it back. The caller should let the port fall quiet before asking it.
    """

    def __init__(self) -> None:
        self._unread = ""
        self._overlong = False
        self._asked: str | None = None
        self._lines: list[str] = []
        self._forgotten: str | None = None
        self.garbage = 0  # bytes and lines without a meaning since the last complete reply or marker

    @property
    def asked(self) -> str | None:
        """The question that is still unanswered."""
        return self._asked

    @property
    def adrift(self) -> bool:
        """Whether a late answer may still come."""
        return self._forgotten is not None

    def ask(self, command: str) -> bytes:
        """The bytes to send for `command`; only one question at a time."""
        if self._asked is not None:
            raise MisuseError("the last question is still unanswered")
        if self.adrift and command != MARKER:
            raise MisuseError("adrift: only the marker may be asked")
        if not command.isascii() or not command.isprintable():
            raise MisuseError("a command is one line of ASCII")
        self._asked, self._lines = command, []
        if command == MARKER:  # what it babbled before tells nothing of how it answers this
            self.garbage = 0
        return command.encode("ascii") + b"\r"

    def give_up(self) -> tuple[str, ...]:
        """Forget the question: its time has run out. What was heard of the answer may be all of it (Wavecom's +CPIN)."""
        heard = tuple(self._lines) if self._asked is not None else ()
        self._forgotten = self._forgotten or self._asked or MARKER
        self._asked, self._lines = None, []
        return heard

    def hear(self, data: bytes) -> Iterator[Reply | Notice]:
        """Everything that `data` completes."""
        self.garbage += len(data) - len(data.translate(None, NO_ASCII))
        text = self._unread + data.decode("ascii", "replace").replace("\0", "")
        *whole, rest = LINE_END.split(text)
        if whole and self._overlong:
            whole[0], self._overlong = "", False
        self._overlong |= len(rest) > LONGEST_LINE
        self._unread = "" if self._overlong else rest
        for line in whole:
            if len(line) <= LONGEST_LINE:
                yield from self._part(line.strip(" "))

    def _part(self, line: str) -> Iterator[Reply | Notice]:
        if self._asked is not None and (glued := GLUED.match(line)):
            yield from self._sort(glued[0])
            line = line[glued.end() :]
        if line and line != self._asked:  # the second is an echo
            yield from self._sort(line)

    def _sort(self, line: str) -> Iterator[Reply | Notice]:
        if self._forgotten is not None:
            yield from self._sort_adrift(line, self._forgotten)
        elif self._asked is None:
            yield self._notice(line)
        elif (FINAL_OF_CALL if CALLING.match(self._asked) else FINAL).fullmatch(line):
            reply = Reply(self._asked, line, tuple(self._lines))
            self._asked, self.garbage = None, 0
            yield reply
        elif answers(line, self._asked):
            self._lines.append(line)
        else:
            yield self._notice(line)

    def _notice(self, line: str) -> Notice:
        self.garbage += not (NAMED.fullmatch(line) or NEWS.fullmatch(line) or FINAL.fullmatch(line))
        return Notice(line)

    def _sort_adrift(self, line: str, forgotten: str) -> Iterator[Reply | Notice]:
        """The late answer is dropped; an OK that follows its lines, or any other result, is the late one's too."""
        if not FINAL.fullmatch(line):
            if answers(line, forgotten):
                self._lines.append(line)
            else:
                yield self._notice(line)
        elif self._asked is not None and line == "OK" and not self._lines:
            self._asked, self._forgotten, self.garbage = None, None, 0
            yield Reply(MARKER, line)
        else:
            self._lines = []
