"""The words of the screens: what every reason, fault, notice, outcome, cause and menu item is called."""

from typing import NamedTuple

from firmware.redial import Reason
from firmware.text.catalogue import mark
from hw.events import Cause, Fault, Party


class Why(NamedTuple):
    """What the guard's reason means to an agent."""

    said: str  # one line; {ago} is when the newest evidence was
    brief: str  # in 20 columns
    rule: str  # the rule in one sentence
    source: str = ""  # where the rule stands; "" for a rule of this house


HOUSE_RULE = mark("House rule")
SPECIFIED_ACT = mark("Act on Specified Commercial Transactions (Japan), art. 17")
NUMBER_PLAN = mark("Numbering plan (Japan)")

REASONS: dict[Reason, Why] = {
    Reason.FREE: Why(mark("May be called"), mark("May be called"), mark("No rule stands against this call.")),
    Reason.EMERGENCY: Why(
        mark("Emergency number: always free"),
        mark("Emergency: free"),
        mark("An emergency number is dialled at any time, past every rule."),
    ),
    Reason.SERVICE_NUMBER: Why(
        mark("Public service number: free"),
        mark("Service no.: free"),
        mark("Public service numbers pass the redial guard."),
    ),
    Reason.INVALID_NUMBER: Why(
        mark("This is not a telephone number"),
        mark("Not a phone number"),
        mark("Check the digits: no such number can exist."),
        NUMBER_PLAN,
    ),
    Reason.BARRED_CLASS: Why(
        mark("Numbers of this class are barred"),
        mark("Class is barred"),
        mark("Premium-rate, international and machine numbers are not called from this booth."),
    ),
    Reason.SAMPLE_NUMBER: Why(
        mark("An example number: not for a real line"),
        mark("Example number"),
        mark("The sample list is for practice. Its numbers are never dialled on a real line."),
    ),
    Reason.DO_NOT_CALL: Why(
        mark("Asked {ago} never to be called"),
        mark("Do not call"),
        mark("Whoever asks not to be called is not called again, for any product or list."),
        SPECIFIED_ACT,
    ),
    Reason.REFUSED: Why(
        mark("This customer refused {ago}"),
        mark("Refused"),
        mark("Whoever has refused the offer is not asked again."),
        SPECIFIED_ACT,
    ),
    Reason.DEAD_NUMBER: Why(
        mark("Nobody is reached at this number"),
        mark("Dead number"),
        mark("The number is out of service, has changed, or is a fax."),
    ),
    Reason.TIME_UNKNOWN: Why(
        mark("Time unknown: key the time"),
        mark("Time unknown"),
        mark("Without the time no window can be checked. A supervisor keys it: menu, 9."),
    ),
    Reason.CALLED_RECENTLY: Why(
        mark("This customer was called {ago}"),
        mark("Called {ago}"),
        mark("A number rests between two calls, so that nobody is called twice by mistake."),
    ),
    Reason.CLAIMED: Why(
        mark("Another booth is about to call"),
        mark("Other booth calling"),
        mark("A number belongs to one booth at a time, so that no two agents call one customer at once."),
    ),
    Reason.RESULT_OWED: Why(
        mark("Key the last call's result first"),
        mark("Key result first"),
        mark("Every call gets its result before the next one."),
    ),
    Reason.OFF_LIST: Why(
        mark("Nobody on the list has this number"),
        mark("Not on the list"),
        mark("A number off the list wants one more key, in case it is misdialled."),
    ),
    Reason.TOLL_FREE: Why(
        mark("Toll-free: a business desk"),
        mark("Toll-free number"),
        mark("Toll-free numbers reach business desks, seldom a customer."),
    ),
    Reason.SHARED_COST: Why(
        mark("This call costs extra"),
        mark("Costs extra"),
        mark("The caller pays a surcharge that flat rates do not cover."),
    ),
    Reason.UNCERTAIN: Why(
        mark("In no range known to be allocated"),
        mark("Unknown range"),
        mark("The number is possible, but lies in no known range. Check the digits."),
        NUMBER_PLAN,
    ),
    Reason.OVERRIDDEN: Why(
        mark("A supervisor let this call pass"),
        mark("Supervisor let pass"),
        mark("A supervisor lifted the redial window for one call."),
    ),
}


class Trouble(NamedTuple):
    """What a line's fault means, and what to do."""

    said: str
    brief: str
    advice: str


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
}

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
    "call-lost": mark("A call was cut off: key its result"),
    "card-full": mark("Card full: calls are not recorded"),
    "recording-failed": mark("The last call was not recorded"),
    "audio-failed": mark("No sound: check the handset"),
    "line-back": mark("Line ready again"),
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
        "recording-failed",
        "audio-failed",
        "clock-refused",
    }
)
"""Notices that want something of the agent."""

OUTCOMES: dict[str, str] = {
    "on-break": mark("On a break"),
    "break-over": mark("Back from the break"),
    "language-set": mark("Language changed"),
    "audio-running": mark("Speak, hear yourself"),
    "audio-ok": mark("Sound is all right"),
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
    {"audio-failed", "imported-with-rejects", "import-failed", "no-supervisor-pin", "refused", "card-full"}
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

STATUS: dict[str, str] = {
    "sync": mark("Not synced"),
    "server": mark("Server"),
    "contact": mark("Last contact"),
    "pending-since": mark("Waiting since"),
    "pending": mark("Waiting for sync"),
    "card": mark("Card"),
    "modem": mark("Modem"),
    "sim": mark("SIM"),
    "network": mark("Network"),
    "signal": mark("Signal"),
    "version": mark("Version"),
    "booth": mark("Booth"),
    "agent": mark("Agent"),
    "clock": mark("Clock"),
    "line": mark("Line"),
    "list": mark("Call list"),
    "recordings": mark("Recordings"),
}
SYNC_ERRORS: dict[str, str] = {
    "server-down": mark("out of reach"),
    "server-silent": mark("does not answer"),
    "server-busy": mark("is overloaded"),
    "server-full": mark("has no room"),
    "server-broken": mark("in trouble"),
    "tls": mark("no secure line"),
    "wrong-pin": mark("not our server"),
    "unknown-version": mark("other version"),
    "not-known": mark("booth not known"),
    "revoked": mark("booth is revoked"),
    "refused": mark("refused a record"),
    "card": mark("card not writable"),
}
"""Why sync gets no further, by firmware.syncing.faults' codes."""
STATUS_VALUES: dict[str, str] = SYNC_ERRORS | {
    "unheard": mark("not heard for long"),
    "yes": mark("yes"),
    "no": mark("no"),
    "ok": mark("all right"),
    "never": mark("never"),
    "unknown": mark("unknown"),
    "ready": mark("ready"),
    "none": mark("none"),
    "full": mark("full"),
    "keyed": mark("keyed by hand"),
    "network": mark("from the network"),
    "system": mark("from the system"),
    "synchronised": mark("synchronised"),
}

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
PURPOSES: dict[str, str] = {
    "override": mark("Let one call pass the redial window"),
    "log-in": mark("Log in to this booth"),
    "clock": mark("Set the time"),
    "supervisor": mark("Supervisor's menu"),
}
