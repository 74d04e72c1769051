"""What a family of GSM/LTE voice modems understands, as data: the driver has no branch per vendor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hw import readings


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
    sound: float = 1.5  # an emergency call shall not wait longer than this for its audio
    poll: float = 2.0  # between two lists of calls while there is a call
    recheck: float = 0.3  # between two lists when something hints at a change
    idle: float = 10.0  # of silence before the modem is asked whether it lives
    ping: float = 1.5
    check: float = 3.0  # between two looks at SIM and network while something is amiss
    refresh: float = 30.0  # the same while all is well; also how often the signal is read
    sim: float = 10.0  # a SIM may be busy that long after power-on
    tone: float = 0.15  # between two tones; closer ones are swallowed by answering machines


@dataclass(frozen=True, slots=True)
class Family:
    """One row per family; `{number}` and `{digit}` are filled in."""

    name: str
    greeting: tuple[Step, ...]
    call_news: Mapping[str, Callable[[str], readings.CallRow | None]]  # name of a notice: its reader
    voice: str  # refused by a modem without voice over USB
    sound_on: tuple[str, ...]  # at every dial and answer; the last one starts the stream
    sound_off: tuple[str, ...]
    flow: str  # name of the notice that stops and restarts our writing
    tone_heard: str  # name of the notice of a tone from the far end
    tones: tuple[str, ...]  # tried in this order until one is understood
    clocks: tuple[str, ...]  # likewise
    sound_rate: int = 921600  # nominal speed of the audio port
    model: str = "AT+CGMM"
    sim: str = "AT+CPIN?"
    registrations: tuple[str, ...] = ("AT+CREG?", "AT+CEREG?")
    operator: str = "AT+COPS?"
    signal: str = "AT+CSQ"
    calls: str = "AT+CLCC"
    dial: str = "ATD{number};"
    answer: str = "ATA"
    hang_up: tuple[str, ...] = ("AT+CHUP", "ATH")
    reason: str = "AT+CEER"  # free text, for the log only
    pace: Pace = field(default_factory=Pace)
