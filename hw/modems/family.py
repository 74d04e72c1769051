"""What a family of GSM/LTE voice modems understands, as data: the driver has no branch per vendor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from hw import callrows
from hw.at import Reply


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the greeting."""

    command: str
    fatal: bool = False  # a modem that refuses this is no such modem
    otherwise: str = ""  # asked instead when the modem refuses `command`
    patience: float = 3.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait, in seconds."""

    reply: float = 3.0
    dial: float = 90.0  # to the final result of ATD; the network may take that long
    answer: float = 20.0
    sound: float = 1.5  # an emergency call shall not wait longer than this for its audio,
    stream: float = 5.0  # but once it is placed nothing is lost by waiting
    settle: float = 6.0  # a modem that has just been plugged in may refuse to dial for so long
    poll: float = 2.0  # between two lists of calls while there is a call
    recheck: float = 0.3  # between two lists when something hints at a change
    idle: float = 10.0  # of silence before the modem is asked whether it lives
    ping: float = 1.5
    check: float = 3.0  # between two looks at SIM and network while something is amiss
    refresh: float = 30.0  # the same while all is well; also how often the signal is read
    sim: float = 10.0  # a SIM may be busy that long after power-on
    rescue: float = 60.0  # of silence until a modem is reset, and then until its power is switched
    tone: float = 0.15  # between two tones; closer ones are swallowed by answering machines


@dataclass(frozen=True, slots=True)
class Sound:
    """How the voices of a call travel.

    `via`: "port" is raw PCM on a serial port of the modem's own; "card" a sound card, the modem's (UAC) or one that is
    wired to its analog pins. `start` is sent `when` the dial begins, when the call is `placed` (the OK of ATD or ATA) or
    once it is `active`; `tries` times at most, `again` seconds apart. A start that succeeds only at a later try is the
    one early sign of a modem whose sound goes bad: `cure` is sent once it is idle.
    """

    via: Literal["port", "card"] = "port"
    before: tuple[str, ...] = ()  # the dial: what a call before may have left on would not start again
    start: str = ""
    when: Literal["dial", "placed", "active"] = "dial"
    after: float = 0.0  # seconds between that moment and the start
    tries: int = 1
    again: float = 0.5
    stop: tuple[str, ...] = ()
    cure: str = ""
    flow: str = ""  # name of the notice that stops and restarts our writing
    rate: int = 921600  # nominal speed of the audio port
    asked: str = ""  # whether there is voice at all; no question: taken for granted
    has_voice: Callable[[Reply], bool] = field(default=lambda reply: reply.ok)


@dataclass(frozen=True, slots=True)
class Flaw:
    """A firmware that is known for a fault: `firmware` is searched in the answer to +CGMR (and ATI)."""

    firmware: str
    advice: str
    voiceless: bool = False  # calls connect, and nothing is ever heard


@dataclass(frozen=True, slots=True)
class Family:
    """One row per family; `{number}`, `{digit}` and `{index}` (of the call) are filled in."""

    name: str
    greeting: tuple[Step, ...]
    call_news: Mapping[str, Callable[[str], callrows.CallRow | None]]  # name of a notice: its reader
    sound: Sound
    tone_heard: str = ""  # name of the notice of a tone from the far end
    tones: tuple[str, ...] = ('AT+VTS="{digit}"', "AT+VTS={digit}")  # tried until one is understood; then in-band
    clocks: tuple[str, ...] = ("AT+CCLK?",)  # likewise
    tries: tuple[str, ...] = ("AT+CPINR", 'AT+CSIM=10,"0020000100"')  # likewise, for the SIM's counter
    iccid: tuple[str, ...] = ("AT+CCID", "AT+ICCID")  # likewise
    warnings: Mapping[str, str] = field(default_factory=dict)  # name of a notice: what it means
    health_news: tuple[str, ...] = ()  # names besides +CREG, +CEREG and +CPIN that speak of SIM or network
    flaws: tuple[Flaw, ...] = ()
    model: str = "AT+CGMM"
    sim: str = "AT+CPIN?"
    registrations: tuple[str, ...] = ("AT+CREG?", "AT+CEREG?")
    operator: str = "AT+COPS?"
    signal: str = "AT+CSQ"
    calls: str = "AT+CLCC"
    dial: str = "ATD{number};"
    dial_is_answered: bool = True  # False: not a word comes until the far end answers, and lists may have no calls
    placed: tuple[str, ...] = ()  # asked once per call when it is placed
    answer: str = "ATA"
    hang_up: tuple[str, ...] = ("AT+CHUP", "ATH")
    refuse_second: str = "AT+CHLD=0"  # busy to whoever waits (27.007, 7.13); empty: the modem must not be asked
    reset: str = "AT+CFUN=1,1"  # drops USB as well
    reason: str = "AT+CEER"  # free text, for the log only
    pace: Pace = field(default_factory=Pace)


def greeting(*own: Step) -> tuple[Step, ...]:
    """What every family is told, its own steps before the last, which asks the network and may take long."""
    return (
        Step("ATE0", patience=1.0),  # the first word: remains of an earlier one may stand before it in the modem's ear
        Step("ATE0", fatal=True, patience=1.0),  # a modem that lives answers it at once
        Step("ATV1"),
        Step("AT+CMEE=1", fatal=True),
        Step("AT+CGMI"),
        Step("AT+CGMM"),
        Step("AT+CGMR"),
        Step("AT+CGSN"),
        Step("AT+COPS=3,0"),  # only the format of the name; =0,0 would start a new search
        Step("AT+CREG=2"),
        Step("AT+CLIP=1"),
        Step("AT+CRC=1"),
        Step("AT+CVHU=0"),  # else ATH may say OK and leave the call
        Step("AT+COLP=0"),  # with 1, the OK of ATD comes only when answered
        *own,
        Step("AT+CTZU=1"),
        Step("AT+CTZR=1"),
        Step("AT+CCWA=0,0,1", patience=10.0),  # asks the network; a booth has one line
    )
