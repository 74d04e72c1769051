"""What was typed after AT: one line may hold several commands (V.250)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

EXTENDED = re.compile(r"([+^$][A-Z0-9]+)\s*(=\?|=|\?)?")
BASIC = re.compile(r"(&?[A-Z])(\d*)(\?)?")
REGISTER = re.compile(r"(S\d+)(=|\?)(\d*)")


@dataclass(frozen=True)
class Command:
    """One command: `name` in capitals (`+CSQ`, `E`, `D`), how it is asked (``""`` `?` `=?` `=`) and its arguments."""

    name: str
    how: str = ""
    text: str = ""

    @property
    def arguments(self) -> list[str]:
        """The text cut at its commas, outside quotes; quotes taken off."""
        return [piece.strip().removeprefix('"').removesuffix('"') for piece in _pieces(self.text, ",")]


def commands(line: str) -> list[Command] | None:
    """The commands of a line as it came, [] for a bare AT; None when it is no command line at all.

    >>> [c.name for c in commands('AT+QPCMV=0;+QPCMV=1,0;D0312345601;')]
    ['+QPCMV', '+QPCMV', 'D']
    """
    start = line.upper().find("AT")
    return None if start < 0 else list(_commands(line[start + 2 :].strip()))


def _commands(rest: str) -> Iterator[Command]:
    while rest := rest.lstrip(" ;"):
        if rest[0] in "Dd":
            number, semicolon, rest = rest[1:].partition(";")
            yield Command("D", "voice" if semicolon else "data", number.strip())
        elif rest[0] in "+^$":
            extended, rest = _first(rest, ";")
            yield _extended(extended)
        else:
            command, rest = _basic(rest)
            yield command


def _extended(text: str) -> Command:
    found = EXTENDED.match(text.upper())
    if found is None:
        return Command(text)
    return Command(found[1], found[2] or "", text[found.end() :].strip())


def _basic(rest: str) -> tuple[Command, str]:
    register = REGISTER.match(rest.upper())
    if register is not None:
        return Command(*register.groups()), rest[register.end() :]
    found = BASIC.match(rest.upper())
    if found is None:
        return Command(rest), ""
    return Command(found[1], found[3] or "", found[2]), rest[found.end() :]


def _first(text: str, mark: str) -> tuple[str, str]:
    """What stands before the first `mark` outside quotes, and what stands after it."""
    quoted = False
    for at, letter in enumerate(text):
        quoted ^= letter == '"'
        if letter == mark and not quoted:
            return text[:at], text[at + 1 :]
    return text, ""


def _pieces(text: str, mark: str) -> Iterator[str]:
    while text:
        piece, text = _first(text, mark)
        yield piece
