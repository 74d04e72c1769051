"""What each of the guard's reasons is called: in a line, in twenty columns, its rule, and when it ends."""

from typing import NamedTuple

from firmware.redial import Reason
from firmware.text.catalogue import mark


class Why(NamedTuple):
    """What the guard's reason means to an agent."""

    said: str  # one line; {ago} is when the newest evidence was
    brief: str  # in 20 columns
    rule: str  # the rule in one sentence
    source: str = ""  # where the rule stands; "" for a rule of this house
    when: str = ""  # when the number may be called, where no clock tells it


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
        when=mark("Never callable"),
    ),
    Reason.BARRED_CLASS: Why(
        mark("Numbers of this class are barred"),
        mark("Class is barred"),
        mark("Premium-rate, international and machine numbers are not called from this booth."),
        when=mark("Never callable from this booth"),
    ),
    Reason.SAMPLE_NUMBER: Why(
        mark("An example number: not for a real line"),
        mark("Example number"),
        mark("The sample list is for practice. Its numbers are never dialled on a real line."),
        when=mark("Never callable on a real line"),
    ),
    Reason.NUMBER_HIDDEN: Why(
        mark("Our number must be shown"),
        mark("Number is hidden"),
        mark("A call that hides our number is not made."),
        when=mark("Callable without the prefix that hides it"),
    ),
    Reason.DO_NOT_CALL: Why(
        mark("Asked {ago} never to be called"),
        mark("Do not call"),
        mark("Whoever asks not to be called is not called again, for any product or list."),
        SPECIFIED_ACT,
        when=mark("Not callable until lifted on the server"),
    ),
    Reason.REFUSED: Why(
        mark("This customer refused {ago}"),
        mark("Refused"),
        mark("Whoever has refused the offer is not asked again."),
        SPECIFIED_ACT,
        when=mark("Not callable until lifted on the server"),
    ),
    Reason.DEAD_NUMBER: Why(
        mark("Nobody is reached at this number"),
        mark("Dead number"),
        mark("The number is out of service, has changed, or is a fax."),
        when=mark("Never callable"),
    ),
    Reason.ON_HOLD: Why(
        mark("Held back until a supervisor decides"),
        mark("Held back"),
        mark("After an emergency at the customer's nobody calls before a supervisor allows it."),
        when=mark("Not callable until lifted on the server"),
    ),
    Reason.REGISTERED: Why(
        mark("On a do-not-call register"),
        mark("On a DNC register"),
        mark("A number on a do-not-call register is called only with its owner's consent."),
        when=mark("Callable once a consent is recorded on the server"),
    ),
    Reason.REGISTER_STALE: Why(
        mark("The do-not-call register is missing or too old"),
        mark("DNC register is old"),
        mark("Whether a number is on the register must be known before it is called."),
        when=mark("Callable once the register is renewed"),
    ),
    Reason.NO_CONSENT: Why(
        mark("No consent to be called"),
        mark("No consent"),
        mark("The law allows this call only with prior consent."),
        when=mark("Callable once a consent is recorded on the server"),
    ),
    Reason.TIME_UNKNOWN: Why(
        mark("Time unknown: key the time"),
        mark("Time unknown"),
        mark("Without the time no window can be checked. A supervisor keys it: menu, 9."),
        when=mark("Callable once the time is known"),
    ),
    Reason.OUTSIDE_HOURS: Why(
        mark("Outside calling hours where the customer is"),
        mark("Outside hours"),
        mark("Calls are made only in the permitted hours, by the clock where the customer is."),
    ),
    Reason.TOO_OFTEN: Why(
        mark("Called as often as the law allows"),
        mark("Called too often"),
        mark("The law limits how often one person is called within a span of time."),
    ),
    Reason.AFTER_TALK: Why(
        mark("Spoken to {ago}: some days of rest are due"),
        mark("Spoken {ago}"),
        mark("After a conversation the law wants some days of rest."),
    ),
    Reason.AFTER_ABANDONED: Why(
        mark("A call was dropped {ago}"),
        mark("Dropped {ago}"),
        mark("After a call that was dropped before a word was said, the number rests."),
    ),
    Reason.CALLED_RECENTLY: Why(
        mark("This customer was called {ago}"),
        mark("Called {ago}"),
        mark("A number rests between two calls, so that nobody is called twice by mistake."),
        when=mark("Nobody knows when: the earlier call has no date"),
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
        when=mark("Callable once that result is keyed"),
    ),
    Reason.CAMPAIGN_FULL: Why(
        mark("Dialled as often as the campaign allows"),
        mark("Campaign limit"),
        mark("A campaign dials nobody more often than its own limit."),
        when=mark("Not callable in this campaign"),
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
    Reason.COMPLETED: Why(
        mark("The booth has completed this number"),
        mark("Number completed"),
        mark("The zero or the area code was left out. See whether the number is right before it is dialled."),
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

WHEN_BRIEF: dict[str, str] = {
    "Never callable": mark("Never callable"),
    "Never callable from this booth": mark("Never callable"),
    "Never callable on a real line": mark("Never callable"),
    "Not callable until lifted on the server": mark("Never callable"),
    "Not callable in this campaign": mark("Not in campaign"),
    "Callable without the prefix that hides it": mark("Key it without 184"),
    "Callable once a consent is recorded on the server": mark("After consent"),
    "Callable once the register is renewed": mark("After new register"),
    "Callable once the time is known": mark("Key the time first"),
    "Callable once that result is keyed": mark("Key result first"),
    "Nobody knows when: the earlier call has no date": mark("No date known"),
    "Not open within a month": mark("Not this month"),
}
"""When a number may be called, where no clock tells it, in 20 columns."""
