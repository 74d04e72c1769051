"""Soft keys: what A, B, C and D are called, at full length and in 20 columns."""

from firmware.text.catalogue import mark

CALL = mark("Call")
CALL_ANYWAY = mark("Call anyway")
DETAILS = mark("Details")
BACK = mark("Back")
CANCEL = mark("Cancel")
ERASE = mark("Erase")
END = mark("End")
END_NOW = mark("End now")
GO_ON = mark("Go on")
NEXT_CUSTOMER = mark("Next")
NEXT_PAGE = mark("Next page")
CHOOSE_BRANCH = mark("Branch")
MUTE = mark("Mute")
UNMUTE = mark("Unmute")
TONES = mark("Tones")
TONES_OFF = mark("Tones off")
LOUDER = mark("Louder")
SOFTER = mark("Softer")
SAVE_NEXT = mark("Save, next")
ACCEPT = mark("Accept")
MEMO = mark("Memo")
MEMO_STOP = mark("Stop")
WHOM = mark("Spoke to")
LATER = mark("Later")
DONE = mark("Done")
ANSWER = mark("Answer")
REFUSE = mark("Refuse")
TRY_NOW = mark("Try now")
KEY_PIN = mark("Key PIN")
MENU_KEY = mark("Menu")
MENU_HOLD = mark("hold: menu")
CHOOSE = mark("Choose")
KEY_RESULT = mark("Key result")
UP, DOWN = "▲", "▼"  # moving, the same in every language

SHORT = {
    CALL_ANYWAY: "Call",
    DETAILS: "Inf",
    CANCEL: "Esc",
    ERASE: "Del",
    END_NOW: "End",
    NEXT_PAGE: "Pg",
    CHOOSE_BRANCH: "Br",
    UNMUTE: "Talk",
    TONES: "Tone",
    TONES_OFF: "Mark",
    LOUDER: "Vol+",
    SOFTER: "Vol-",
    SAVE_NEXT: "OK",
    ACCEPT: "OK",
    MEMO_STOP: "End",
    WHOM: "Who",
    LATER: "Ltr",
    "customer": "Cus",
    "family": "Fam",
    "reception": "Rec",
    "other": "Oth",
    TRY_NOW: "Try",
    KEY_PIN: "PIN",
    CHOOSE: "OK",
    KEY_RESULT: "Result",
}
"""English soft keys that are too long for 20 columns. (Kana ones are short in their catalogue.)"""
