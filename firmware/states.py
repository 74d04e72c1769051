"""Where the booth can be, and what it can be told to do: the words of the call flow."""

from enum import Enum, auto


class State(Enum):
    """Where the booth is."""

    LIST = auto()
    KEYING = auto()
    PREVIEW = auto()
    WHY = auto()  # the guard explains a customer without a dial
    BLOCKED = auto()
    ARMED = auto()  # cleared to call, handset still down: lift within ten seconds
    DIALLING = auto()
    ALERTING = auto()
    TALKING = auto()
    COMPLAINT = auto()  # talking, marked as a complaint: ending it asks once more
    END_ASKED = auto()  # a complaint, and D was pressed once
    HOOK_HELD = auto()  # a complaint, and the handset is down: the line is held for five seconds
    WRAP_UP = auto()
    RINGING_IN = auto()
    ANSWERING = auto()  # we have taken the call, and the line has yet to say so
    OUT_OF_ORDER = auto()
    MENU = auto()
    PIN_ENTRY = auto()


class Do(Enum):
    """What the booth is to do next."""

    ASK = auto()  # the guard: may the shown or keyed number be called now?
    ASK_LIFTED = auto()  # the handset came up: dial at once if an emergency number is keyed
    DIAL = auto()
    HANG_UP = auto()
    ANSWER = auto()
    RING = auto()
    MISS = auto()
    MISS_SECOND = auto()  # somebody called while another call was on
    START_RECORDING = auto()
    KEEP_RECORDING = auto()
    END_CALL = auto()
    FINISH_UNANSWERED = auto()
    PAD = auto()
    SCRIPT_NEXT = auto()
    SCRIPT_BACK = auto()
    MUTE = auto()
    HOLD = auto()
    HOLD_LINE = auto()
    UNHOLD = auto()
    TONE_MODE = auto()
    LOUDER = auto()
    SOFTER = auto()
    UP = auto()
    DOWN = auto()
    PAGE_UP = auto()
    NEXT_DUE = auto()
    NEXT_CUSTOMER = auto()
    OPEN_PREVIEW = auto()
    OPEN_MATCH = auto()
    TURN_PAGE = auto()
    KEY_DIGIT = auto()
    KEY_FIRST = auto()
    ERASE = auto()
    ERASE_ALL = auto()
    EXPLAIN = auto()
    TELL_SOURCE = auto()
    SCROLL_UP = auto()
    SCROLL_DOWN = auto()
    ASK_OVERRIDE = auto()
    OPEN_WRAP_UP = auto()
    WRAP_KEY = auto()
    SAVE = auto()
    WHOM = auto()
    MEMO = auto()
    OPEN_PIN = auto()
    PIN_KEY = auto()
    PIN_ERASE = auto()
    PIN_DONE = auto()
    OPEN_MENU = auto()
    MENU_KEY = auto()
    MENU_CHOOSE = auto()
    MENU_UP = auto()
    MENU_DOWN = auto()
    MENU_BACK = auto()
    OPEN_EMERGENCY = auto()
    CLOSE_EMERGENCY = auto()
    ONLY_EMERGENCY = auto()
    SAY_NOT_LIFTED = auto()
    NOTE_FAULT = auto()
    REOPEN = auto()
