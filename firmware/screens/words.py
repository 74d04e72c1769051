"""The words of the screens: what every fault, notice, outcome, cause and menu item is called."""

from typing import NamedTuple

from firmware.sim import Trouble as SimTrouble
from firmware.text.catalogue import mark
from hw.events import Cause, Fault, Hidden, Party


class Trouble(NamedTuple):
    """What a line's fault means, and what to do."""

    said: str
    brief: str
    advice: str


class Whose(NamedTuple):
    """Whose PIN is asked for, in full and in 20 columns."""

    said: str
    brief: str


FAULTS: dict[Fault, Trouble] = {
    Fault.ABSENT: Trouble(
        mark("No modem found"),
        mark("No modem"),
        mark("Plug the modem into the booth and wait ten seconds. If it is in, try another USB port."),
    ),
    Fault.UNPLUGGED: Trouble(
        mark("The modem was unplugged"),
        mark("Modem unplugged"),
        mark("Plug the modem in again. The booth goes on by itself."),
    ),
    Fault.SILENT: Trouble(
        mark("The modem does not answer"),
        mark("Modem is silent"),
        mark("Unplug the modem, wait five seconds and plug it in again. If it stays silent, change it."),
    ),
    Fault.GARBLED: Trouble(
        mark("The modem answers nonsense"),
        mark("Modem is garbled"),
        mark("Unplug the modem and plug it in again. Check that it is a model this booth knows."),
    ),
    Fault.NO_SIM: Trouble(
        mark("No SIM card"),
        mark("No SIM card"),
        mark("Put the SIM card in with the gold side down, then plug the modem in again."),
    ),
    Fault.SIM_LOCKED: Trouble(
        mark("The SIM card is locked"),
        mark("SIM is locked"),
        mark("Call the technician: the SIM's PIN must be entered or switched off."),
    ),
    Fault.NO_NETWORK: Trouble(
        mark("No network"),
        mark("No network"),
        mark("Check the aerial and move the modem nearer to a window. The contract may have ended."),
    ),
    Fault.NO_VOICE: Trouble(
        mark("The modem has no voice"),
        mark("Modem has no voice"),
        mark("This modem carries data only. Call the technician for one that carries voice."),
    ),
    Fault.RESTARTING: Trouble(
        mark("The modem is restarting"),
        mark("Modem is restarting"),
        mark("Wait half a minute. The booth goes on by itself."),
    ),
}

SIM_TROUBLES: dict[SimTrouble, Trouble] = {
    "": Trouble(
        mark("The SIM card wants its PIN"),
        mark("SIM wants its PIN"),
        mark("Press A and key the SIM's PIN. To have the booth give it by itself, write it into device.toml."),
    ),
    "checking": Trouble(
        mark("The SIM card is being unlocked"),
        mark("Unlocking SIM"),
        mark("The PIN has been given to the SIM card. Wait a moment."),
    ),
    "wrong": Trouble(
        mark("Wrong PIN for the SIM card"),
        mark("Wrong SIM PIN"),
        mark("See which PIN belongs to this SIM card, then press A and key it."),
    ),
    "stored-wrong": Trouble(
        mark("The stored PIN is not this SIM's"),
        mark("Stored PIN is wrong"),
        mark(
            "The PIN in device.toml was wrong for this SIM card and is not given again. Press A and key the right one."
        ),
    ),
    "few": Trouble(
        mark("Too few tries for the SIM's PIN"),
        mark("SIM: too few tries"),
        mark(
            "The booth takes no PIN now: the last try must not be lost. Put the SIM card into a telephone, key its PIN"
            " there, and put it back."
        ),
    ),
    "puk": Trouble(
        mark("The SIM card wants its PUK"),
        mark("SIM wants its PUK"),
        mark("The PIN was wrong too often. Put the SIM card into a telephone and key the PUK from the contract there."),
    ),
}
"""What a locked SIM is in for, by firmware.sim.Trouble."""

OPENING: dict[str, str] = {
    "company": mark("the company's name"),
    "agent": mark("your own name"),
    "goods": mark("what is on offer"),
    "purpose": mark("what you call for"),
    "return-number": mark("a number to call back"),
    "minutes": mark("may I have so many minutes?"),
    "free-to-hang-up": mark("they may hang up at any time"),
    "recording": mark("that the call is recorded"),
}
"""What is said first, by rulepack.ITEMS."""

NOTICES: dict[str, str] = {
    "saved": mark("Saved"),
    "aborted": mark("Call aborted"),
    "no-answer": mark("No answer"),
    "busy": mark("Line busy"),
    "call-failed": mark("The call could not be placed"),
    "missed": mark("Incoming call missed"),
    "refused-call": mark("Incoming call refused"),
    "unlogged": mark("Log in first: hold *, then 1"),
    "logged-in": mark("Logged in"),
    "logged-out": mark("Logged out"),
    "armed-timeout": mark("Handset not lifted: not dialled"),
    "lift-handset": mark("Lift the handset"),
    "replace-handset": mark("Put the handset down"),
    "list-imported": mark("List imported"),
    "list-changed": mark("List changed"),
    "no-more-customers": mark("No more customers to call"),
    "no-customer": mark("No customer to show"),
    "result-owed": mark("Key the last call's result first"),
    "overridden": mark("Supervisor: one call may pass"),
    "clock-set": mark("Time set"),
    "clock-refused": mark("That time lies before the last record"),
    "clock-far": mark("Far from the last record: key it again"),
    "call-lost": mark("A call was cut off: key its result"),
    "card-full": mark("Card full: calls are not recorded"),
    "card-soon": mark("Card soon full: tell the supervisor"),
    "recording-failed": mark("The last call was not recorded"),
    "audio-failed": mark("No sound: check the handset"),
    "line-back": mark("Line ready again"),
    "sim-opened": mark("SIM open; PIN forgotten at power-off"),
}
WARNING_NOTICES = frozenset(
    {
        "call-failed",
        "missed",
        "unlogged",
        "armed-timeout",
        "replace-handset",
        "no-more-customers",
        "no-customer",
        "result-owed",
        "call-lost",
        "card-full",
        "card-soon",
        "recording-failed",
        "audio-failed",
        "clock-refused",
        "clock-far",
    }
)
"""Notices that want something of the agent."""

OUTCOMES: dict[str, str] = {
    "on-break": mark("On a break"),
    "break-over": mark("Back from the break"),
    "language-set": mark("Language changed"),
    "audio-tone": mark("Listen: three tones"),
    "audio-speak": mark("Speak, hear yourself"),
    "audio-ok": mark("Sound is all right"),
    "audio-echo": mark("All right, with echo"),
    "audio-loop": mark("Tone back, no voice"),
    "audio-silent": mark("Nothing was heard"),
    "audio-quiet": mark("Voice too quiet"),
    "audio-clipped": mark("Voice too loud"),
    "audio-failed": mark("No sound in handset"),
    "imported": mark("List imported"),
    "imported-with-rejects": mark("Some rows rejected"),
    "import-failed": mark("File cannot be read"),
    "no-supervisor-pin": mark("No supervisor PIN"),
    "no-log-in": mark("No log-in needed"),
    "card-full": mark("Card full: not saved"),
    "refused": mark("Not allowed"),
}
WARNING_OUTCOMES = frozenset(
    {"audio-loop", "audio-silent", "audio-quiet", "audio-clipped"}
    | {"audio-failed", "imported-with-rejects", "import-failed", "no-supervisor-pin", "refused", "card-full"}
)
"""Outcomes that are not what was wanted."""

CAUSES: dict[Cause, str] = {
    Cause.NORMAL: mark("ended"),
    Cause.BUSY: mark("busy"),
    Cause.NO_ANSWER: mark("no answer"),
    Cause.DEAD_NUMBER: mark("not in service"),
    Cause.REJECTED: mark("rejected"),
    Cause.NETWORK: mark("network trouble"),
    Cause.FAILED: mark("not placed"),
    Cause.LOST: mark("line lost"),
}
HIDDEN: dict[Hidden | None, str] = {
    Hidden.WITHHELD: mark("Number withheld"),
    Hidden.UNAVAILABLE: mark("Number not available"),
    Hidden.PAYPHONE: mark("Pay phone"),
    None: mark("Number not told"),
}
"""Why a caller shows no number."""
PARTIES: dict[Party, str] = {
    Party.NEAR: mark("we hung up"),
    Party.FAR: mark("they hung up"),
    Party.LINE: mark("line dropped"),
}

MENU: dict[str, str] = {
    "log": mark("Log in or out"),
    "breaks": mark("Breaks"),
    "status": mark("Status"),
    "volume": mark("Volume"),
    "language": mark("Language"),
    "audio": mark("Sound test"),
    "lists": mark("Call lists"),
    "usb": mark("USB import"),
    "supervisor": mark("Supervisor"),
}
"""The menu's items, in the order of their keys."""

BREAKS: dict[str, str] = {
    "lunch": mark("Lunch"),
    "rest": mark("Rest"),
    "meeting": mark("Meeting"),
    "training": mark("Training"),
    "other": mark("Other"),
}
VOLUMES: dict[str, str] = {"louder": mark("Louder"), "softer": mark("Softer")}
LANGUAGES = {"ja": ("日本語", "ニホンゴ"), "en": ("English", "English")}
"""Each in its own words, in full and in kana: whoever cannot read the present language must find theirs."""

BADGES: dict[str, str] = {
    "new": mark("new"),
    "callback": mark("CB {due}"),
    "absent": mark("absent {count}"),
    "noanswer": mark("rang {count}"),
    "gacha": mark("hung {wait}"),
    "refused": mark("refused"),
    "done": mark("done"),
    "called": mark("rest {wait}"),
    "dead": mark("dead"),
}

SPOKEN_TO: dict[str, str] = {
    "self": mark("customer"),
    "family": mark("family"),
    "reception": mark("reception"),
    "other": mark("other"),
}
CLEARS: dict[str, str] = {
    "yes": mark("clear yes"),
    "no": mark("clear no"),
    "later": mark("thinking"),
    "not-asked": mark("not asked"),
}
"""Answers to "was the answer clear?", in the order of their keys 1 to 4; SPOKEN_TO likewise."""

OVERRIDE_REASONS: dict[str, str] = {
    "1": mark("Customer asked"),
    "2": mark("Another person there"),
    "3": mark("Last call cut off"),
    "4": mark("The list was wrong"),
    "5": mark("Supervisor decided"),
}
"""By key; firmware.pinpad knows what each is called in the books."""

DIAL_REASONS: dict[str, str] = {
    "2": mark("Asked for it by mail or a form"),
    "3": mark("Returning a missed call"),
    "4": mark("Told by the customer"),
    "5": mark("Colleague or supplier"),
    "6": mark("Another reason"),
}
"""Why a number is dialled that is on no list, by key; firmware.keying knows what each is called in the books."""
DIAL_REASONS_BRIEF = (mark("2:mail 3:missed call"), mark("4:told 5:staff 6:oth"))
"""The same in two lines of 20 columns."""

WHENS: tuple[str, ...] = (
    mark("in 30 min"),
    mark("in 1 h"),
    mark("in 2 h"),
    mark("this afternoon"),
    mark("tomorrow same time"),
    mark("next weekday 10:00"),
    mark("next week same time"),
    mark("key the date"),
    mark("key the time"),
)

TICKS = (mark("who we are"), mark("minutes"), mark("may hang up"))
"""The three things to say first; keys 2, 4 and 6."""
MARKS: dict[str, tuple[str, str]] = {
    "refusal": ("7", mark("refusal")),
    "bad-moment": ("8", mark("bad moment")),
    "complaint": ("9", mark("complaint")),
    "help": ("0", mark("SV called")),
    "identity": ("#", mark("identity")),
}

EMERGENCY_SERVICES: dict[str, str] = {
    "110": mark("Police"),
    "118": mark("Coast guard"),
    "119": mark("Fire / ambulance"),
}
WHENS_BRIEF = (mark("1:30m 2:1h 3:2h 4:PM"), mark("5:1d 6:10h 7:7d 8/9"))
"""The same nine keys in two lines of 20 columns."""
PAGES = (mark("Profile"), mark("History"), mark("Script"), mark("Notes"))
PINS: dict[str, Whose] = {
    "supervisor": Whose(mark("Supervisor's PIN"), mark("SV PIN")),
    "agent": Whose(mark("Agent's PIN"), mark("Your PIN")),
    "sim": Whose(mark("The SIM card's PIN"), mark("SIM PIN")),
}
PURPOSES: dict[str, str] = {
    "override": mark("Let one call pass the redial window"),
    "log-in": mark("Log in to this booth"),
    "clock": mark("Set the time"),
    "supervisor": mark("Supervisor's menu"),
    "sim": mark("Unlock the SIM card. The PIN is kept until power-off."),
}
