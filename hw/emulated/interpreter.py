"""Obeys command lines. What a make understands comes from its tables; what it knows and does it finds here."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hw.emulated.circumstances import Circumstances
from hw.emulated.command import Command, commands
from hw.emulated.exchange import Exchange, Progress
from hw.emulated.session import (
    NO_SIM,
    NOT_SUPPORTED,
    PHONE_LOCKED,
    PIN_WANTED,
    PUK_WANTED,
    SIM_BUSY,
    RefusedError,
    Session,
)

CELL = '"1A2B","0123ABCD",7'
LOCKS = {"NOT INSERTED": NO_SIM, "SIM PIN": PIN_WANTED, "SIM PUK": PUK_WANTED, "PH-SIM PIN": PHONE_LOCKED}
# Kept for old times' sake: OK, and nothing happens.
IGNORED = {"&C", "&D", "&W", "L", "M", "S0", "S3", "S4", "S7", "X"}


@dataclass
class Answer:
    """Blocks of lines, one for each command that said something, then the final result.

    That is a word of V.250, the number of a +CME ERROR, or nothing. `dialled`: a call has begun. `moves`: a
    call begins, goes on or ends by it. `wedges`: this is the
    last answer; `unsaid`: and it is not even given. `resets`: the modem goes away and comes back.
    """

    blocks: list[list[str]] = field(default_factory=list)
    final: str | int = "OK"
    dialled: bool = False
    moves: bool = False
    wedges: bool = False
    unsaid: bool = False
    resets: bool = False


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What a make understands: commands and what obeys them, what it only keeps, what `=?` shows of a command."""

    commands: Mapping[str, "Handler"]
    tests: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()


class Interpreter:
    """Obeys lines; what it needs to know it is given, what it does it does to the exchange and the session.

    The rest is what a modem remembers of its life since it was plugged in: `active_since` (monotonic, None when nobody
    talks), `pcm_cycles` (how often sound was turned off again), `got_to` (how far the last call came) and such.
    """

    def __init__(self, around: Circumstances, exchange: Exchange, session: Session, tables: Tables) -> None:
        self.around, self.exchange, self.session = around, exchange, session
        self.answer = Answer()
        self.began = 0.0  # monotonic: power came
        self.sim_wakes = False  # right after power-on
        self.sim_ready_since = 0.0
        self.active_since: float | None = None
        self.talked = 0  # seconds, of the last call
        self.got_to = "idle"  # how far the last call came
        self.last_cause = 0
        self.last_tone = 0.0
        self.sound_wanted = False  # by a command of its own, for this call
        self.sound_refused = False
        self.pcm_cycles = 0
        self._tables = tables

    def obey(self, line: str) -> Answer | None:
        """The answer to a line, None if the line was noise. Commands are obeyed until one fails."""
        asked = commands(line)
        if asked is None:
            return None
        self.answer = Answer()
        try:
            for command in asked:
                if block := self._obey(command):
                    self.answer.blocks.append(block)
        except RefusedError as refusal:
            self.answer.final = refusal.code
        return self.answer

    def knows(self, name: str) -> bool:
        """Whether this make has a command of this name."""
        return name in self._tables.commands or name in self.session.settings

    def _obey(self, command: Command) -> list[str]:
        name, tables = command.name, self._tables
        if name in self.around.lacks:
            raise RefusedError(NOT_SUPPORTED)
        if command.how == "=?" and name in tables.tests:
            return [f"{name}: {tables.tests[name]}"]
        if name in tables.commands:
            known = command.how == "=?" and name not in self.session.settings
            return [] if known else tables.commands[name](self, command)
        if name in self.session.settings:
            return self.session.keep(command)
        if name in self.session.named:
            return self.session.keep_named(command)
        if name in IGNORED or name in tables.ignored:
            return []
        raise RefusedError(NOT_SUPPORTED)

    def follow(self, progress: Progress) -> None:
        """Remember how far the present call is."""
        if progress.state == "idle":
            self.talked = int(time.monotonic() - self.active_since) if self.active_since is not None else 0
            self.active_since, self.last_cause = None, progress.cause
            self.silence()
        else:
            self.got_to = progress.state
            if progress.state == "talking" and self.active_since is None:
                self.active_since = time.monotonic()

    def silence(self) -> None:
        """The sound of a call is turned off, by command or with the call."""
        self.pcm_cycles += self.sound_wanted
        self.sound_wanted = self.sound_refused = False

    # What several commands need.

    @property
    def served(self) -> bool:
        """Whether calls can come and go."""
        radio = self.session.values.get("+CFUN", "1").startswith("1")
        return radio and self.around.registered and self.around.sim == "READY"

    def need_sim(self) -> None:
        """Raises RefusedError when the SIM is missing, locked or busy."""
        lacking = LOCKS.get(self.around.sim)
        if lacking is not None:
            raise RefusedError(lacking)
        if self.sim_wakes:
            raise RefusedError(SIM_BUSY)

    def registration(self, name: str) -> str:
        """Registered or searching, and where, if asked to say so."""
        if not self.served:
            return "2" if self.around.sim == "READY" else "0"
        if name == "+CIREG":
            return f"1,{int(self.around.volte)}"
        return f"1,{CELL}" if self.session.values[name] == "2" else "1"


Handler = Callable[[Interpreter, Command], list[str]]
