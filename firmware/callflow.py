"""The life of one call, as a table. No clock, no I/O, no hardware."""

from enum import Enum, auto


class State(Enum):
    """Where the booth is; `shared` names of the design, with two of our own: ARMED and WHY."""

    LIST = auto()
    KEYING = auto()
    PREVIEW = auto()
    WHY = auto()  # the guard explains a customer without a dial
    BLOCKED = auto()
    ARMED = auto()  # cleared to call, handset still down: lift within ten seconds
    DIALLING = auto()
    ALERTING = auto()
    TALKING = auto()
    WRAP_UP = auto()
    RINGING_IN = auto()
    OUT_OF_ORDER = auto()
    MENU = auto()
    PIN_ENTRY = auto()
