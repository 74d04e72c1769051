r"""One conversation with a V.253 voice modem, without any I/O: commands and answers, codes, and the stream of sound.

A modem that streams takes no commands; its sound begins right behind the line CONNECT and ends with DLE ETX, after
which it owes one more OK. Like `hw.at.Dialogue`, this knows nothing of time.

>>> talk = VoiceDialogue()
>>> talk.ask("AT+VTR")
b'AT+VTR\r'
>>> list(talk.hear(b"\r\nCONNECT\r\n\x80\x81\x10b"))
[Reply(command='AT+VTR', final='CONNECT', lines=()), b'\x80\x81', Code(letter='b')]
"""

import re
from collections.abc import Iterator

from hw.at import LONGEST_LINE, MARKER, Notice, Reply
from hw.dle import ETX, Code, Unshield
from hw.errors import MisuseError

HALT = "(end of the stream)"  # stands for the command in the reply to a stream's end
STREAMS = ("AT+VTR", "AT+VRX")

FINAL = re.compile(r"OK|ERROR|VCON|\+CM[ES] ERROR:.*")
FINAL_OF_STREAM = re.compile(rf"{FINAL.pattern}|CONNECT( .*)?|NO CARRIER")
FINAL_OF_DIAL = re.compile(rf"{FINAL_OF_STREAM.pattern}|VOICE|BUSY|NO ANSWER|NO DIAL ?TONE")
DIALLING = re.compile(r"AT.*D[TP]")
NEWS = re.compile(
    r"RING( ?[A-Z0-9])?|RINGING|RIN?GBACK|(DATE|TIME|NMBR|NAME|MESG|DDN_NMBR|DRON|DROF|CALLER NUMBER|ERRM)\s*[=:].*"
    r"|CIDS.*|NO CARRIER|BUSY|NO ANSWER|NO DIAL ?TONE"
)
RING = b"\r\nRING\r\n"
DONE = frozenset({"OK", "VCON"})


class VoiceDialogue:
    """Sorts what a V.253 modem says: replies, notices, codes and sound (as bytes, without the shielding).

    After `give_up` it is adrift, as an `hw.at.Dialogue` is: only the MARKER may be asked, and its clean OK ends that.
    """

    def __init__(self) -> None:
        self._unshield = Unshield()
        self._unread = ""
        self._asked: str | None = None
        self._lines: list[str] = []
        self._forgotten: str | None = None
        self._tail = b""
        self._cut_line = False  # the LF of CONNECT CR LF has yet to come
        self.streaming = False
        self.owing = False  # a stream ended unasked, and its OK has yet to come
        self.garbage = 0

    @property
    def asked(self) -> str | None:
        """The question that is still unanswered."""
        return self._asked

    @property
    def adrift(self) -> bool:
        """Whether a late answer may still come."""
        return self._forgotten is not None

    def ask(self, command: str) -> bytes:
        """The bytes to send for `command`; one question at a time, and none while it streams."""
        if self._asked is not None or self.streaming:
            raise MisuseError("the modem cannot take a command now")
        if self.adrift and command != MARKER:
            raise MisuseError("adrift: only the marker may be asked")
        if _final(command).fullmatch(self._unread.strip()):
            self._unread = ""  # a result whose line end was lost; the next line would make it the answer to this
        self._asked, self._lines = command, []
        return command.encode("ascii") + b"\r"

    def halt(self) -> None:
        """The stream's end has been asked for: the reply comes after DLE ETX."""
        if self._asked is not None or not self.streaming:
            raise MisuseError("there is no stream to end")
        self._asked, self._lines = HALT, []

    def forgive(self) -> None:
        """Wait no more for what the modem owes."""
        self.owing = False

    def give_up(self) -> None:
        """Forget the question, and any stream: its time has run out."""
        self._forgotten = self._forgotten or self._asked or MARKER
        self._asked, self._lines, self.streaming, self.owing = None, [], False, False

    def hear(self, data: bytes) -> Iterator[Reply | Notice | Code | bytes]:
        """Everything that `data` completes."""
        for piece in self._unshield.hear(data):
            if isinstance(piece, bytes):
                yield from self._take(piece)
                continue
            if piece.letter == ETX:
                if not self.streaming:  # the end of what is over tells nothing
                    continue
                self.streaming, self.owing = False, self._asked != HALT
            yield piece

    def _take(self, data: bytes) -> Iterator[Reply | Notice | bytes]:
        while data:
            if self.streaming:
                if self._cut_line:
                    self._cut_line = False
                    data = data.removeprefix(b"\n")
                if data:
                    yield data
                    yield from self._rings(data)
                return
            end = data.find(b"\n") + 1 or len(data)
            line, data = data[:end], data[end:]
            yield from self._read(line)
            self._cut_line = self.streaming and not line.endswith(b"\n")

    def _rings(self, data: bytes) -> Iterator[Notice]:
        """A modem that streams without having taken the line tells of rings in plain words, amid the sound."""
        text, self._tail = self._tail + data, (self._tail + data)[1 - len(RING) :]
        for _ in range(text.count(RING)):
            yield Notice("RING")

    def _read(self, data: bytes) -> Iterator[Reply | Notice]:
        self.garbage += sum(byte > 0x7E for byte in data)
        text = self._unread + data.decode("ascii", "replace").replace("\0", "")
        *whole, rest = re.split(r"[\r\n]", text)
        self._unread = rest[-LONGEST_LINE:]
        for line in map(str.strip, whole):
            if line and line != self._asked:  # the second is an echo
                yield from self._sort(line)

    def _sort(self, line: str) -> Iterator[Reply | Notice]:
        if self._forgotten is not None:
            yield from self._sort_adrift(line)
        elif self.owing and FINAL_OF_DIAL.fullmatch(line):
            self.owing = False
        elif self._asked is None:
            yield self._notice(line)
        elif _final(self._asked).fullmatch(line):
            yield self._reply(line)
        elif NEWS.fullmatch(line):
            yield Notice(line)
        else:
            self._lines.append(line)

    def _reply(self, line: str) -> Reply:
        reply = Reply(self._asked or "", line, tuple(self._lines))
        self.streaming = line.startswith("CONNECT") and reply.command in STREAMS
        self._asked, self.garbage = None, 0
        return reply

    def _notice(self, line: str) -> Notice:
        self.garbage += not (NEWS.fullmatch(line) or FINAL.fullmatch(line))
        return Notice(line)

    def _sort_adrift(self, line: str) -> Iterator[Reply | Notice]:
        """The late answer is dropped; an OK that follows its lines, or any other result, is the late one's too."""
        if NEWS.fullmatch(line):
            yield Notice(line)
        elif not FINAL_OF_DIAL.fullmatch(line):
            self._lines.append(line)
        elif self._asked is not None and line == "OK" and not self._lines:
            self._asked, self._forgotten, self.garbage = None, None, 0
            yield Reply(MARKER, line)
        else:
            self._lines = []


def done(reply: Reply) -> bool:
    """Whether the modem did as it was told; VCON is the OK of some in voice mode."""
    return reply.final in DONE


def _final(command: str) -> re.Pattern[str]:
    if DIALLING.match(command):
        return FINAL_OF_DIAL
    return FINAL_OF_STREAM if command in STREAMS else FINAL
