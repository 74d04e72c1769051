"""Hand dialling: digits as they are keyed, compared at every one of them with the shown customer and with the lists."""

from firmware import emergency, numbers
from firmware.calls import Calls
from firmware.customers import Customer
from firmware.gate import Target
from firmware.numbers import Kind, Number
from firmware.redial import Decision, Reason
from firmware.screens.scene import KeyingBody, Match
from firmware.slips import one_off, parting

LONGEST = 20  # digits: 15 of E.164, an access code and a prefix
ROWS = 3  # customers shown below the digits
WHOLE = 9  # digits from which on they may be somebody's number with a slip of the finger
REASONS = {
    "2": "off-list-asked",
    "3": "off-list-missed",
    "4": "off-list-told",
    "5": "off-list-staff",
    "6": "off-list-other",
}
"""Why a number is dialled that is on no list, by the key that says so: what the books call it.

No emergency number of any country begins with one of these keys: whoever keys one while the question stands must get it.
"""
HELP = frozenset("019")
"""What every emergency number begins with."""


class Keying:
    """The digits keyed so far, in normal and in emergency keying."""

    def __init__(self, calls: Calls, country: str, area_code: str, *, confirmed: bool) -> None:
        self._calls, self._country, self._area_code = calls, country, area_code
        self._confirmed = confirmed  # this line is known to reach the emergency services
        self._digits = self._below = ""
        self._matches: tuple[Customer, ...] = ()
        self._match = Match("none")
        self._warning: Decision | None = None
        self._emergency = False
        self._expected: Customer | None = None
        self.previous: Customer | None = None
        self._reason = ""

    def start(self, expected: Customer | None) -> None:
        """Begin anew; `expected` is the customer the screen was showing."""
        self._expected, self._emergency = expected, False
        self.erase_all()

    def start_emergency(self) -> None:
        """Begin anew above any screen, for an emergency number alone."""
        self.only_emergency()
        self.erase_all()

    def only_emergency(self) -> None:
        """Go on with the digits there are, for an emergency number alone."""
        self._below, self._emergency = self._digits, True
        self._keep(self._digits)

    def end_emergency(self) -> None:
        """Go back to the digits that lay below."""
        self._emergency = False
        self._keep(self._below)

    def add(self, digit: str) -> None:
        """Take one more of the twelve keys."""
        self._keep((self._digits + digit)[:LONGEST])

    def erase(self) -> None:
        """Take the last one back."""
        self._keep(self._digits[:-1])

    def erase_all(self) -> None:
        """Take all of them back."""
        self._keep("")

    def warn(self, decision: Decision) -> None:
        """Show why one more key is wanted; for a number off the lists it is the key of a reason."""
        self._warning, self._reason = decision, ""
        self._compare()

    def give_reason(self, key: str) -> bool:
        """Take the key of a reason; whether it is one. What an emergency number begins with begins anew."""
        self._reason = REASONS.get(key, "")
        if key in HELP:
            self._keep(key)
        return bool(self._reason)

    def take_reason(self) -> str:
        """The reason that was given, for one question to the guard; "" without one."""
        reason, self._reason = self._reason, ""
        return reason

    @property
    def reason_wanted(self) -> bool:
        """Whether the digits are whole and the next key is to say why they are dialled."""
        return self._warning is not None and self._warning.reason is Reason.OFF_LIST

    @property
    def warned(self) -> bool:
        """Whether the screen has said why one more key is wanted, and that key is all that is missing."""
        return self._warning is not None and (not self.reason_wanted or bool(self._reason))

    @property
    def is_emergency_number(self) -> bool:
        """Whether the digits are an emergency number of the booth's country."""
        return numbers.is_emergency(self._digits, self._country)

    def target(self) -> Target | None:
        """Whom the digits call; None before the first digit. What is no number comes as one that the guard refuses."""
        if not self._digits:
            return None
        number = numbers.keyed(self._digits, self._country, self._area_code)
        return Target(number, self._owner(number))

    @property
    def first_match(self) -> Customer | None:
        """The customer whose details the agent may open."""
        return self._match.customer or (self._matches[0] if self._matches else None)

    def body(self) -> KeyingBody:
        """What the screen shows."""
        return KeyingBody(
            digits=self._digits,
            shown=numbers.group(self._digits, self._country),
            matches=self._matches,
            match=self._match,
            emergency=self._emergency,
            emergency_number=self.is_emergency_number,
            confirmed=self._confirmed,
            warning=self._warning,
        )

    def _keep(self, digits: str) -> None:
        self._digits, self._warning, self._reason = digits, None, ""
        self._compare()

    def _compare(self) -> None:
        """Ask the lists, once for each key: the screen is drawn far more often."""
        self._matches, self._match = (), Match("none")
        if not self._digits or self._emergency or self.is_emergency_number:
            return
        parting = self._parting(self._expected)
        found = self._calls.matching(self._digits, limit=ROWS)
        first = (self._expected,) if self._expected and parting is None else ()
        self._matches = (*first, *(one for one in found if one not in first))[:ROWS]
        number = numbers.keyed(self._digits, self._country, self._area_code)
        match = self._matched(number, parting)
        harmless = number.kind is Kind.SERVICE or emergency.begins(self._digits, self._country)
        if not harmless or match.kind not in {"wrong", "near", "off-list"}:
            self._match = match

    def _matched(self, number: Number, parting: int | None) -> Match:
        shown, owner = self._expected, self._owner(number)
        if owner is not None:
            other = shown is not None and owner.id != shown.id
            return self._known(owner) or (Match("other", owner, parting) if other else Match("customer", owner))
        if shown and self._slipped(shown):
            return Match("near", shown, parting)
        if shown and parting is not None and self._unfinished(number, shown):
            return Match("wrong", shown, parting)
        if self._matches and not self.reason_wanted:
            only = self._known(self._matches[0]) if len(self._matches) == 1 else None
            return only or Match("customer", self._matches[0])
        near = self._calls.misdialled(self._digits) if len(self._digits) >= WHOLE else None
        return Match("near", near, self._parting(near)) if near else Match("off-list")

    def _unfinished(self, number: Number, shown: Customer) -> bool:
        """Whether more digits may be to come: it is not whole, or the shown customer's but for a slip and the rest of it."""
        if self.reason_wanted:
            return False
        size = len(self._digits)
        heads = {wanted[:length] for wanted in _wanted(shown) for length in (size - 1, size, size + 1)}
        begun = self._matches or number.kind is Kind.INVALID or number.completed
        return bool(begun) or any(one_off(self._digits, head) for head in heads)

    def _known(self, customer: Customer) -> Match | None:
        """The last one called, who is seldom meant again."""
        previous = self.previous is not None and customer.id == self.previous.id
        return Match("previous", customer) if previous else None

    def _owner(self, number: Number) -> Customer | None:
        """Whose number was keyed: the shown customer's before anyone else's."""
        if number.kind in {Kind.EMERGENCY, Kind.INVALID}:
            return None
        shown = self._expected
        if shown is not None and number.key in {one.key for one in (shown.number, *shown.others)}:
            return shown
        return self._calls.by_number(number.key, shown.list_id if shown else None)

    def _slipped(self, customer: Customer) -> bool:
        """Whether one slip of the finger lies between; a last digit that is missing is yet to come, until A was pressed."""
        if self._parting(customer) is None and not self.reason_wanted:
            return False
        forms = {self._digits, emergency.split_prefix(self._digits, self._country)[1]}
        return any(one_off(keyed, wanted) for keyed in forms for wanted in _wanted(customer))

    def _parting(self, customer: Customer | None) -> int | None:
        """Where the digits part from the customer's numbers; None while they do not."""
        if customer is None:
            return None
        prefix, rest = emergency.split_prefix(self._digits, self._country)
        places = [parting(rest, wanted) for wanted in _wanted(customer)]
        known = [place for place in places if place is not None]
        return len(prefix) + max(known) if len(known) == len(places) else None


def _wanted(customer: Customer) -> tuple[str, ...]:
    """The customer's numbers as they are keyed, without a prefix."""
    return tuple(one.dialled.removeprefix(one.prefix) for one in (customer.number, *customer.others))
