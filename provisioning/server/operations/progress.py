"""How far long work is: a line that changes on a terminal, and a new line now and then elsewhere."""

import sys
from time import monotonic
from typing import TextIO

ON_TERMINAL, ELSEWHERE = 0.2, 10.0  # seconds between two words


class Progress:
    """Says on the error output what is being done and how much of it; nothing at all about work that is soon done."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stderr if out is None else out
        self._terminal = self._out.isatty()
        self._last, self._shown = monotonic(), False

    def __call__(self, what: str, done: int, whole: int = 0) -> None:
        """`done` things of `whole`, if that is known."""
        now = monotonic()
        if now - self._last < (ON_TERMINAL if self._terminal else ELSEWHERE):
            return
        self._last, self._shown = now, True
        said = f"{what}: {done}" + (f" of {whole}" if whole else "")
        self._out.write(f"\r\033[K{said}" if self._terminal else f"{said}\n")
        self._out.flush()

    def over(self) -> None:
        """Clear the line."""
        if self._terminal and self._shown:
            self._out.write("\r\033[K")
            self._out.flush()
