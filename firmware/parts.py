"""The rooms of one running booth, put together once by __main__.py and handed to those that move and show them."""

from dataclasses import dataclass, field

from firmware.browsing import Browsing
from firmware.calls import Call, Calls
from firmware.clock import Clock
from firmware.conversation import Conversation
from firmware.echoes import Echoes
from firmware.gate import Gate
from firmware.hardware import Hardware
from firmware.keying import Keying
from firmware.liaison import Liaison
from firmware.memo import Memo
from firmware.menu import Menu
from firmware.pinpad import PinPad
from firmware.reconnect import Reconnect
from firmware.results import Results
from firmware.rulebook import InForce
from firmware.settings import Settings
from firmware.sim import SimPin
from firmware.soundtest import SoundTest
from firmware.upkeep import Upkeep
from firmware.vault import Vault
from firmware.wrapup import WrapUp
from hw.events import LineLost


@dataclass(slots=True)
class Condition:
    """What is true of the booth at the moment besides the call flow's state."""

    language: str
    agent: str = ""
    break_code: str = ""
    lifted: bool = False
    model: str = ""
    operator: str = ""
    signal: int | None = None
    fault: LineLost | None = None
    impaired: str = ""  # why the line, which works, does not work as it should
    fault_since: float | None = None  # UTC seconds
    back_by: float = 0.0  # monotonic: until then a modem that restarts may be away
    ringing: Call | None = None
    owed: Call | None = None  # the call whose result is to be keyed
    echoes: Echoes = field(default_factory=Echoes)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that booth.py moves; each knows only what it was made with."""

    settings: Settings
    hardware: Hardware
    clock: Clock
    calls: Calls
    results: Results
    vault: Vault
    gate: Gate
    browsing: Browsing
    keying: Keying
    conversation: Conversation
    wrapup: WrapUp
    pinpad: PinPad
    menu: Menu
    memo: Memo
    soundtest: SoundTest
    liaison: Liaison
    condition: Condition
    law: InForce
    sim: SimPin
    upkeep: Upkeep
    reconnect: Reconnect = field(default_factory=Reconnect)
