"""The call list under the agent's finger: which customer is shown, and what is known of them."""

from firmware.calls import Call, Calls
from firmware.clock import Clock
from firmware.customers import CallList, Customer
from firmware.gate import Gate, Target
from firmware.outcomes import NoCustomer
from firmware.rulebook import InForce
from firmware.screens.scene import BlockedBody, ListBody, PreviewBody

ROWS = 5  # on the larger LCD
PLACE = "list-position"


class Browsing:
    """Remembers list and position across restarts."""

    def __init__(self, calls: Calls, gate: Gate, clock: Clock, script: tuple[str, ...], law: InForce) -> None:
        self._calls, self._gate, self._clock, self._script, self._law = calls, gate, clock, script, law
        self._target: Target | None = None  # in PREVIEW, WHY and BLOCKED
        self.page, self.scroll, self.full, self.warned = 1, 0, False, False
        self.notice = ""
        self._list, self._position = 0, 0
        self.choose_list(int(calls.recall("list") or 0))
        self._position = min(int(calls.recall(PLACE) or 0), max(self._size - 1, 0))

    def choose_list(self, chosen: int) -> None:
        """Work through list `chosen` (its id), or the first there is when that one is gone."""
        known = [entry.id for entry in self._calls.lists()]
        self._list = chosen if chosen in known else (known[0] if known else 0)
        self._position = 0
        self._calls.remember("list", str(self._list))

    def replaced(self, old: int, new: int) -> None:
        """List `old` has been put away and `new` has come in its place; 0 stands for none.

        The agent goes on with the customer who was shown, if the new list has them too.
        """
        if self._list not in (old, 0):
            return
        shown, position = self.chosen, self._position
        self.choose_list(new)
        same = self._calls.by_number(shown.number.key, prefer=new) if shown else None
        self.go(self._calls.position(same.id) if same and same.list_id == self._list else position if new else 0)
        self.notice = "list-changed"

    def move(self, by: int) -> None:
        """Go `by` rows down (or up); the ends of the list are walls."""
        self.go(self._position + by)

    def go(self, position: int) -> None:
        """Show the customer at `position`, counted from 0."""
        self._position = max(0, min(position, self._size - 1))
        self._calls.remember(PLACE, str(self._position))
        self.notice = ""

    def next_due(self) -> NoCustomer | None:
        """Go to the next customer who may be called; NoCustomer when nobody is left."""
        found = self._calls.next_due(self._list, self._position, self._clock.now())
        if found is None:
            self.notice = "no-more-customers"
            return NoCustomer()
        self.go(found)
        return self.preview()

    def follow(self, customer: Customer) -> None:
        """Have the list go on after `customer`, who is being called; one of another list moves nothing."""
        if customer.list_id == self._list:
            self.go(self._calls.position(customer.id))

    @property
    def chosen(self) -> Customer | None:
        """The customer that the list shows as chosen."""
        rows = self._calls.customers(self._list, self._position, 1) if self._list else ()
        return rows[0] if rows else None

    @property
    def target(self) -> Target | None:
        """Whom PREVIEW, WHY or BLOCKED is about."""
        return self._target

    def preview(self, customer: Customer | None = None) -> NoCustomer | None:
        """Open the details of `customer`, or of the chosen one."""
        customer = customer or self.chosen
        if customer is None:
            self.notice = "no-customer"
            return NoCustomer()
        self.look_at(Target(customer.number, customer))
        return None

    def look_at(self, target: Target) -> None:
        """Make `target` what PREVIEW, WHY and BLOCKED are about, from their first page."""
        self._target = target
        self.page, self.scroll, self.full, self.warned = 1, 0, False, False

    def turn(self, page: int) -> None:
        """Open page 1 to 4 of the preview; other digits do nothing."""
        if 1 <= page <= 4:
            self.page, self.scroll = page, 0

    def roll(self, by: int) -> None:
        """Scroll; the screen's own drawing stops at the last line."""
        self.scroll = max(0, self.scroll + by)

    def toggle_source(self) -> None:
        """Tell the rule's legal source, or no longer."""
        self.full = not self.full

    def list_body(self, owed: Call | None) -> ListBody:
        """What LIST shows."""
        here, size = self._current, self._size
        position = max(0, min(self._position, size - 1))  # the list may have become shorter meanwhile
        first = max(0, min(position - ROWS // 2, size - ROWS))
        rows = self._calls.customers(self._list, first, ROWS) if here else ()
        return ListBody(here, rows, position - first, first, owed, self.notice)

    def preview_body(self) -> PreviewBody:
        """What PREVIEW shows; only customers have one."""
        target = self._target
        if target is None or target.customer is None:
            raise LookupError("nobody to preview")
        return PreviewBody(
            customer=self._calls.customer(target.customer.id) or target.customer,
            history=self._calls.history(target.number.key),
            decision=self._gate.decide(target),
            script=self._script,
            opening=self._law.book.opening,
            page=self.page,
            scroll=self.scroll,
            same_name=self._calls.same_name(target.customer),
            warned=self.warned,
        )

    def blocked_body(self) -> BlockedBody:
        """What BLOCKED and WHY show: the guard's word of this moment."""
        target = self._target
        if target is None:
            raise LookupError("nobody to explain")
        return BlockedBody(target.number, target.customer, self._gate.decide(target), self.full, self.scroll)

    @property
    def _size(self) -> int:
        return self._calls.size(self._list) if self._list else 0

    @property
    def _current(self) -> CallList | None:
        return next((entry for entry in self._calls.lists() if entry.id == self._list), None)
