"""What a Quectel EC25 answers to each command."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from hw.emulated.circumstances import Circumstances
from hw.emulated.command import Command, commands
from hw.emulated.exchange import Exchange
from hw.emulated.session import (
    NAMED,
    NO_SIM,
    NOT_ALLOWED,
    NOT_SUPPORTED,
    PIN_WANTED,
    PUK_WANTED,
    SETTINGS,
    SIM_BUSY,
    WRONG_PARAMETERS,
    WRONG_PASSWORD,
    RefusedError,
    Session,
)

FIRMWARE = "EUXGAR08A05M1"
IMSI = "001010123456789"  # of the test network 001 01
ICCID = "8988100000000000001F"
OWN_NUMBER = "09012345600"
CELL = '"1A2B","0123ABCD",7'
# 3GPP TS 22.101 10.1.1: placed as emergency calls even without a SIM.
EMERGENCY = {"000", "08", "110", "112", "118", "119", "911", "999"}
DIALLABLE = re.compile(r"\+?[0-9*#ABCD]+[IiGg]*")
TONES = "0123456789*#ABCD"
STAT = {"dialling": 2, "alerting": 3, "talking": 0, "ringing": 4}  # of +CLCC
CEER = {
    1: "No route/Unassigned number",
    16: "Normal call clearing",
    17: "User busy",
    19: "No answer from user",
    21: "Call rejected",
}
# Kept for old times' sake: OK, and nothing happens.
IGNORED = {"&C", "&D", "&W", "L", "M", "S0", "S3", "S4", "S7", "X"}
CPAS = {"idle": 0, "ringing": 3}  # and 4 in all other states


@dataclass
class Answer:
    """Blocks of lines, one for each command that said something, then the final result.

    That is a word of V.250 or the number of a +CME ERROR. `dialled`: a call has begun.
    """

    blocks: list[list[str]] = field(default_factory=list)
    final: str | int = "OK"
    dialled: bool = False


def type_of(number: str | None) -> int:
    """Type of address: 145 international, 128 unknown because withheld, 129 all others."""
    if not number:
        return 128
    return 145 if number.startswith("+") else 129


class Interpreter:
    """Obeys command lines; what it needs to know it is given, what it does it does to the exchange and the session."""

    def __init__(self, around: Circumstances, exchange: Exchange, session: Session) -> None:
        self._around, self._exchange, self._session = around, exchange, session
        self.sim_wakes = False  # right after power-on
        self.last_cause = 0

    def obey(self, line: str) -> Answer | None:
        """The answer to a line, None if the line was noise. Commands are obeyed until one fails."""
        asked = commands(line)
        if asked is None:
            return None
        answer = Answer()
        try:
            for command in asked:
                if block := self._obey(command, answer):
                    answer.blocks.append(block)
        except RefusedError as refusal:
            answer.final = refusal.code
        return answer

    def _obey(self, command: Command, answer: Answer) -> list[str]:
        if command.name == "D":
            return self._dial(command, answer)
        if command.name == "A" and not self._exchange.answer():
            answer.final = "NO CARRIER"
        handler = self._ANSWERS.get(command.name)
        if handler is not None:
            known = command.how == "=?" and command.name not in SETTINGS
            return [] if known else handler(self, command)
        if command.name in SETTINGS:
            return self._session.keep(command)
        if command.name in NAMED:
            return self._named(command)
        if command.name in IGNORED:
            return []
        raise RefusedError(NOT_SUPPORTED)

    def _named(self, command: Command) -> list[str]:
        if command.arguments[:1] == ["ccinfo"] and not self._around.ccinfo:
            raise RefusedError(WRONG_PARAMETERS)
        return self._session.keep_named(command)

    # Calls.

    def _dial(self, command: Command, answer: Answer) -> list[str]:
        number = re.sub(r"[ \-]", "", command.text).removeprefix("T").removeprefix("P")
        if not DIALLABLE.fullmatch(number):
            raise RefusedError(WRONG_PARAMETERS)
        number = number.rstrip("IiGg")
        if command.how == "data":
            answer.final = "NO CARRIER"
        elif number[0] in "*#":
            pass  # a request to the network about its services: done, and no call
        else:
            self._call(number, answer)
        return []

    def _call(self, number: str, answer: Answer) -> None:
        if number not in EMERGENCY:
            self._need_sim()
            if not self._around.registered:
                answer.final = "NO CARRIER"
                return
        answer.dialled = self._exchange.dial(number)
        if not answer.dialled:
            raise RefusedError(NOT_ALLOWED)

    def _hang_up(self, command: Command) -> list[str]:
        if command.name == "H" and self._session.values["+CVHU"] == "1":
            return []  # 27.007: +CVHU=1 has ATH ignored, but an OK given
        cause = command.arguments[:1]
        self._exchange.release(int(cause[0]) if command.name == "+QHUP" and cause and cause[0].isdigit() else 16)
        return []

    def _calls(self, _: Command) -> list[str]:
        listed = ['+CLCC: 1,0,0,1,0,"",128'] if self._around.data_call else []
        state, number = self._exchange.state, self._exchange.number
        if state != "idle":
            shown = (
                f'{len(listed) + 1},{int(self._exchange.incoming)},{STAT[state]},0,0,"{number or ""}",{type_of(number)}'
            )
            listed.append(f"+CLCC: {shown}")
        return listed

    def _tones(self, command: Command) -> list[str]:
        tones = (command.arguments or [""])[0].upper()
        if not tones or set(tones) - set(TONES):
            raise RefusedError(WRONG_PARAMETERS)
        for tone in tones:
            if not self._exchange.key(tone):
                raise RefusedError(NOT_ALLOWED)
        return []

    def _voice(self, command: Command) -> list[str]:
        if not self._around.voice:
            raise RefusedError(NOT_SUPPORTED)
        kept = self._session.keep(command)
        if command.how == "=" and command.arguments == ["0"]:
            self._session.values["+QPCMV"] = "0,0"
        return kept

    # SIM and network.

    def _need_sim(self) -> None:
        lacking = {"NOT INSERTED": NO_SIM, "SIM PIN": PIN_WANTED, "SIM PUK": PUK_WANTED}.get(self._around.sim)
        if lacking is not None:
            raise RefusedError(lacking)
        if self.sim_wakes:
            raise RefusedError(SIM_BUSY)

    def _pin(self, command: Command) -> list[str]:
        if command.how == "=":
            if self._around.sim != "SIM PIN":
                raise RefusedError(NOT_ALLOWED)
            if not self._around.enter_pin((command.arguments or [""])[0]):
                raise RefusedError(WRONG_PASSWORD)
            return []
        if self.sim_wakes:
            raise RefusedError(SIM_BUSY)
        if self._around.sim == "NOT INSERTED":
            raise RefusedError(NO_SIM)
        return [f"+CPIN: {self._around.sim}"]

    def _of_sim(self, command: Command) -> list[str]:
        self._need_sim()
        return [{"+CIMI": IMSI, "+QCCID": f"+QCCID: {ICCID}", "+CNUM": f'+CNUM: ,"{OWN_NUMBER}",129'}[command.name]]

    def _pin_tries(self, _: Command) -> list[str]:
        return [f'+QPINC: "SC",{self._around.tries},10', '+QPINC: "P2",3,10']

    def _registration(self, command: Command) -> list[str]:
        if command.how == "?":
            verbosity = self._session.values[command.name]
            return [f"{command.name}: {verbosity},{self.registration(command.name)}"]
        return self._session.keep(command)

    def registration(self, name: str) -> str:
        """Registered or searching, and where, if asked to say so."""
        if not self.served:
            return "2" if self._around.sim == "READY" else "0"
        return f"1,{CELL}" if self._session.values[name] == "2" else "1"

    @property
    def served(self) -> bool:
        """Whether calls can come and go."""
        return self._around.registered and self._around.sim == "READY"

    def _operator(self, command: Command) -> list[str]:
        if command.how == "?":
            return ['+COPS: 0,0,"BOOTHNET",7' if self.served else "+COPS: 0"]
        if command.how != "=" or command.arguments[:1] not in (["0"], ["3"]):
            raise RefusedError(WRONG_PARAMETERS)
        return []

    def _signal(self, _: Command) -> list[str]:
        return [f"+CSQ: {self._around.signal},99"]

    def _network_time(self, command: Command) -> list[str]:
        """+QLTS gives GMT, and local time only to =2; the zone is the same in both."""
        clock = self._around.clock(local=command.arguments[:1] == ["2"])
        return ['+QLTS: ""' if clock is None else f'+QLTS: "{clock},0"']

    def _clock(self, command: Command) -> list[str]:
        """The modem's own clock: it runs from 1980 until the network sets it, to local time only with +CTZU=3."""
        if command.how != "?":
            raise RefusedError(NOT_SUPPORTED)
        clock = self._around.clock(local=self._session.values["+CTZU"] == "3")
        return ['+CCLK: "80/01/06,00:00:42+00"' if clock is None else f'+CCLK: "{clock[2:]}"']

    # The modem itself.

    def _switch(self, command: Command) -> list[str]:
        on = command.text not in ("", "0")
        if command.name == "E":
            self._session.echo = on
        elif command.name == "V":
            self._session.verbose = on
        else:
            self._session.quiet = on
        return []

    def _identity(self, command: Command) -> list[str]:
        model, firmware = self._around.model, self._around.model + FIRMWARE
        answers = {"MI": ["Quectel"], "MM": [model], "MR": [firmware], "SN": [self._around.imei]}
        return answers.get(command.name[-2:], ["Quectel", model, f"Revision: {firmware}"])

    def _reset(self, _: Command) -> list[str]:
        fresh = Session()
        self._session.echo, self._session.verbose, self._session.quiet = True, True, False
        self._session.values.update(fresh.values)
        return []

    def _activity(self, _: Command) -> list[str]:
        return [f"+CPAS: {CPAS.get(self._exchange.state, 4)}"]

    def _last_release(self, _: Command) -> list[str]:
        return [f"+CEER: {CEER.get(self.last_cause, 'No cause information available')}"]

    def _answered(self, _: Command) -> list[str]:
        return []

    _ANSWERS: ClassVar[dict[str, Callable[["Interpreter", Command], list[str]]]] = {
        "&F": _reset,
        "A": _answered,
        "E": _switch,
        "H": _hang_up,
        "I": _identity,
        "Q": _switch,
        "V": _switch,
        "Z": _reset,
        "+CCLK": _clock,
        "+CEER": _last_release,
        "+CEREG": _registration,
        "+CGMI": _identity,
        "+CGMM": _identity,
        "+CGMR": _identity,
        "+CGSN": _identity,
        "+CHUP": _hang_up,
        "+CIMI": _of_sim,
        "+CLCC": _calls,
        "+CNUM": _of_sim,
        "+COPS": _operator,
        "+CPAS": _activity,
        "+CPIN": _pin,
        "+CREG": _registration,
        "+CSQ": _signal,
        "+GMI": _identity,
        "+GMM": _identity,
        "+GMR": _identity,
        "+GSN": _identity,
        "+QCCID": _of_sim,
        "+QHUP": _hang_up,
        "+QLTS": _network_time,
        "+QPCMV": _voice,
        "+QPINC": _pin_tries,
        "+QVTS": _tones,
        "+VTS": _tones,
    }
