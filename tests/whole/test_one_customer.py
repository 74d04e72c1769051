"""Two booths, a second apart, on one customer: with real daemons and a real server, never two dials."""

import uuid

import pytest

from firmware import mailbox, numbers, wake
from firmware.calls import Call, Calls
from firmware.claims import Claims
from firmware.clock import Clock
from firmware.customers import Customer
from firmware.gate import Gate, Target
from firmware.known import Hold, Rules
from firmware.redial import Reason, Verdict
from firmware.registers import Registers
from firmware.rulebook import InForce, Rulebook
from tests.whole import proxy

pytestmark = pytest.mark.slow


NUMBER = numbers.parse("03-1234-5601")
TARGET = Target(NUMBER, Customer(1, 1, 1, "川口", "", NUMBER))


class Booth:
    """A booth without a telephone: its books, its claims and its guard, and sync beside it."""

    def __init__(self, data, name):
        clock = Clock("system")
        self.books, self.data = Calls(data / "booth.db", name, clock), data
        self.claims = Claims(self.books.store, clock, data)
        law = InForce(Rulebook(Rules(sample_allowed=True)))
        self.gate, self.clock = Gate(self.books, clock, law, self.claims, Registers(data)), clock

    def in_touch(self):
        return mailbox.report(self.books.store).fresh(self.clock.stamp())

    def standing(self):
        """How the claim stands; "" without one."""
        row = self.books.store.row("SELECT state FROM claim WHERE number = ?", NUMBER.key)
        return row["state"] if row else ""

    def dial(self):
        """The telephone is handed the number: what the books then say."""
        self.books.begin(Call(str(uuid.uuid4()), NUMBER, None), None, "07", "off-list")
        wake.Bell(self.data, wake.SYNC).ring()


@pytest.fixture
def line(central):
    made = proxy.Proxy(int(central.server.api_url.rpartition(":")[2]))
    yield made
    made.close()


@pytest.fixture
def booths(central, branch, line, until):
    """Two booths in touch with the server; the first by a line whose connections can be stopped one by one."""
    one, two = branch("one"), branch("two")
    central.enrol(one.directory, central.token("1").replace(central.server.api_url, f"https://127.0.0.1:{line.port}"))
    central.enrol(two.directory, central.token("2"))
    made = [Booth(place.directory, name) for place, name in ((one, "1"), (two, "2"))]
    for booth in made:
        central.sync(booth.data, "--patience", "60")
    until(lambda: all(booth.in_touch() for booth in made))
    until(lambda: len(central.rows("SELECT id FROM booth WHERE software IS NOT NULL AND free_bytes IS NOT NULL")) == 2)
    yield made
    for booth in made:
        booth.books.close()


def test_the_second_does_not_get_the_number_before_the_server_knows_of_the_first_dial(central, booths, line, until):
    one, two = booths
    line.freeze()  # what goes up and what comes down stands still; the claim goes by a connection of its own
    one.claims.want(NUMBER)
    until(lambda: one.standing() == "granted")
    assert one.gate.settle(TARGET) is Hold.GRANTED
    assert one.gate.decide(TARGET).verdict is Verdict.ALLOW
    one.dial()
    one.claims.want(None)

    two.claims.want(NUMBER)
    until(lambda: two.standing() in {"granted", "held"})
    assert (two.gate.settle(TARGET), two.gate.decide(TARGET).reason) == (Hold.HELD, Reason.CLAIMED)
    assert central.rows("SELECT id FROM fact") == []

    line.thaw()
    until(lambda: not one.standing())  # the uplink is through, and it is let go
    two.claims.want(None)
    two.claims.want(NUMBER)
    until(lambda: two.standing() == "granted")
    decision = two.gate.decide(TARGET)
    assert (decision.verdict, decision.reason) == (Verdict.BLOCK, Reason.CALLED_RECENTLY)
    assert [fact.booth for fact in decision.evidence] == ["1"]
