"""PIN entry: a supervisor's for an override or the clock, an agent's for logging in, the SIM card's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from firmware.pin import Tries, verify
from firmware.screens.scene import PinBody
from firmware.settings import NO_PIN, Agent
from firmware.sim import SimPin, is_sim_pin
from firmware.tables import Secret

Purpose = Literal["override", "log-in", "clock", "supervisor", "sim"]
Asking = Literal["pin", "reason", "agent", "date", "time"]
LENGTHS = {"agent": 4, "pin": 10, "date": 8, "time": 4, "reason": 1}
SIM_LENGTH = 8
REASONS = {"1": "asked", "2": "other-person", "3": "cut-off", "4": "data-wrong", "5": "supervisor"}
"""Why a supervisor lets a call pass the redial window."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What the PIN was for, now allowed."""

    purpose: Purpose
    reason: str = ""  # override: one of REASONS' values
    agent: str = ""  # log-in: the agent's id
    utc: float | None = None  # clock: what was keyed
    pin: Secret = NO_PIN  # sim: what is to be given to it


class PinPad:
    """One PIN entry at a time. `tries` are each agent's by id, and the supervisor's under "", counted by the clock `now`."""

    def __init__(
        self,
        supervisor: str,
        agents: tuple[Agent, ...],
        zone: str,
        tries: Mapping[str, Tries],
        now: Callable[[], float],
        *,
        sim: SimPin,
    ) -> None:
        self._sim = sim
        self._supervisor, self._agents, self._zone = supervisor, {agent.id: agent for agent in agents}, ZoneInfo(zone)
        self._tries, self._now = tries, now
        self.open("supervisor")

    def open(self, purpose: Purpose) -> None:
        """Begin anew."""
        self._purpose, self._digits, self._agent, self._date, self._wrong = purpose, "", "", "", False
        self._asking: Asking = "agent" if purpose == "log-in" else "pin"

    @property
    def purpose(self) -> Purpose:
        """What the PIN is for."""
        return self._purpose

    def add(self, digit: str) -> None:
        """One more digit."""
        self._digits = (self._digits + digit)[: SIM_LENGTH if self._purpose == "sim" else LENGTHS[self._asking]]
        self._wrong = False

    def erase(self) -> None:
        """Take the last digit back."""
        self._digits = self._digits[:-1]

    def done(self) -> Granted | None:
        """A was pressed: what is granted, or None while something is wrong or still missing."""
        steps = {
            "agent": self._agent_done,
            "pin": self._pin_done,
            "reason": self._reason_done,
            "date": self._date_done,
            "time": self._time_done,
        }
        digits, self._digits = self._digits, ""
        if self._purpose == "sim":
            return self._sim_done(digits)
        return steps[self._asking](digits)

    def body(self) -> PinBody:
        """What the screen shows."""
        if self._purpose == "sim":
            return self._sim_body()
        open_text = self._asking != "pin"
        return PinBody(
            whose="agent" if self._purpose == "log-in" else "supervisor",
            purpose=self._purpose,
            dots=len(self._digits),
            tries=self._counted.left(self._now()),
            wrong=self._wrong,
            asking=self._asking,
            keyed=self._digits if open_text else "",
            locked=self._counted.locked(self._now()) if self._asking == "pin" else 0.0,
        )

    def _sim_body(self) -> PinBody:
        trouble = self._sim.trouble if not self._sim.keyable else ""
        return PinBody("sim", "sim", len(self._digits), self._sim.left, wrong=self._wrong, trouble=trouble)

    def _sim_done(self, digits: str) -> Granted | None:
        """The SIM has the last word on its PIN; one that cannot be any must not cost a try."""
        if self._sim.lock is None:
            return Granted("sim")  # somebody or something else has opened it meanwhile
        self._wrong = not is_sim_pin(digits)
        return Granted("sim", pin=Secret(digits)) if not self._wrong and self._sim.key(digits) else None

    @property
    def _counted(self) -> Tries:
        """The tries of whoever's PIN is asked for."""
        return self._tries[self._agent if self._purpose == "log-in" else ""]

    def _agent_done(self, digits: str) -> Granted | None:
        agent = self._agents.get(digits)
        if agent is None:
            self._wrong = True
            return None
        self._agent = agent.id
        if not agent.pin:
            return Granted("log-in", agent=agent.id)
        self._asking = "pin"
        return None

    def _pin_done(self, digits: str) -> Granted | None:
        hashed = self._agents[self._agent].pin if self._purpose == "log-in" else self._supervisor
        if self._counted.locked(self._now()):
            return None
        if not hashed or not verify(digits, hashed):
            self._wrong = True
            self._counted.failed(self._now())
            return None
        self._counted.succeeded()
        if self._purpose == "log-in":
            return Granted("log-in", agent=self._agent)
        self._asking = "reason" if self._purpose == "override" else "date"
        return None

    def _reason_done(self, digits: str) -> Granted | None:
        self._wrong = digits not in REASONS
        return None if self._wrong else Granted("override", reason=REASONS[digits])

    def _date_done(self, digits: str) -> Granted | None:
        self._wrong = self._read(digits, "0000") is None
        if not self._wrong:
            self._date, self._asking = digits, "time"
        return None

    def _time_done(self, digits: str) -> Granted | None:
        moment = self._read(self._date, digits)
        self._wrong = moment is None
        return None if moment is None else Granted("clock", utc=moment.timestamp())

    def _read(self, date: str, time: str) -> datetime | None:
        """`YYYYMMDD` and `HHMM` in the booth's zone; strptime alone would take shorter ones."""
        if len(date) != LENGTHS["date"] or len(time) != LENGTHS["time"]:
            return None
        try:
            return datetime.strptime(date + time, "%Y%m%d%H%M").replace(tzinfo=self._zone)
        except ValueError:
            return None
