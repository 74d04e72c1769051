"""Hand dialling: digits as they are keyed, compared with the list at every one of them."""

from firmware import numbers
from firmware.calls import Calls
from firmware.customers import Customer
from firmware.gate import Target
from firmware.redial import Decision
from firmware.screens.scene import KeyingBody, Match

LONGEST = 20  # digits: 15 of E.164, an access code and a prefix


class Keying:
    """The digits keyed so far, in normal and in emergency keying."""

    def __init__(self, calls: Calls, country: str, area_code: str, *, confirmed: bool) -> None:
        self._calls, self._country, self._area_code = calls, country, area_code
        self._confirmed = confirmed  # this line is known to reach the emergency services
        self._digits = self._below = ""
        self._matches: tuple[Customer, ...] = ()
        self._warning: Decision | None = None
        self._emergency = False
        self._expected: Customer | None = None
        self.previous: Customer | None = None

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
        """Show why one more key is wanted."""
        self._warning = decision

    @property
    def warned(self) -> bool:
        """Whether one more key is wanted, and the screen says so."""
        return self._warning is not None

    @property
    def is_emergency_number(self) -> bool:
        """Whether the digits are an emergency number of the booth's country."""
        return numbers.is_emergency(self._digits, self._country)

    def target(self) -> Target | None:
        """Whom the digits call; None before the first digit. What is no number comes as one that the guard refuses."""
        if not self._digits:
            return None
        number = numbers.keyed(self._digits, self._country, self._area_code)
        return Target(number, None if self.is_emergency_number else self._calls.by_number(number.key))

    @property
    def first_match(self) -> Customer | None:
        """The customer whose details the agent may open."""
        return self._matches[0] if self._matches else None

    def body(self) -> KeyingBody:
        """What the screen shows."""
        return KeyingBody(
            digits=self._digits,
            shown=numbers.group(self._digits, self._country),
            matches=self._matches,
            match=self._match(),
            emergency=self._emergency,
            emergency_number=self.is_emergency_number,
            confirmed=self._confirmed,
            warning=self._warning,
        )

    def _keep(self, digits: str) -> None:
        self._digits, self._warning = digits, None
        search = digits and not self._emergency
        self._matches = self._calls.matching(digits, limit=3) if search else ()

    def _match(self) -> Match:
        if not self._digits or self._emergency or self.is_emergency_number:
            return Match("none")
        if self._matches:
            return self._matched(self._matches[0])
        near = self._near()
        return Match("near", near) if near else Match("off-list")

    def _matched(self, customer: Customer) -> Match:
        previous = self.previous is not None and customer.id == self.previous.id
        return Match("previous" if previous else "customer", customer)

    def _near(self) -> Customer | None:
        """The shown customer, when exactly one digit differs from what was keyed so far."""
        shown = self._expected
        if shown is None or len(self._digits) > len(shown.number.dialled):
            return None
        pairs = zip(self._digits, shown.number.dialled, strict=False)
        return shown if sum(keyed != wanted for keyed, wanted in pairs) == 1 else None
