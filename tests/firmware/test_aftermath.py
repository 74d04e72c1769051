"""What a result leaves behind in the books: facts that stay, numbers that are struck, customers who come up no more."""

import uuid
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import refusal, results
from firmware.calls import Badge, Call, Calls
from firmware.clock import RELEASED, Clock
from firmware.known import ABANDONED, TALK, FactKind, Rules
from firmware.numbers import Kind, Number
from firmware.redial import Reason, Verdict, decide
from hw.events import Alerting, Answered, CallEnded, Cause, Party

CODES = results.load()
MORNING = RELEASED + 40 * 86400
HOUR, DAY = 3600.0, 86400.0
BARRING = (FactKind.REFUSAL, FactKind.DO_NOT_CALL)
ANSWERS = ("", "yes", "no", "later", "not-asked")


def number(last):
    digits = f"03123456{last:02d}"
    return Number(digits, f"+81{digits[1:]}", f"03-1234-56{last:02d}", Kind.ORDINARY)


def entry(row, *numbers, name=""):
    return SimpleNamespace(row=row, name=name or f"N{row}", reading="", numbers=numbers, identifier="", note="")


class Office:
    """One booth's books and a clock that moves when told."""

    def __init__(self):
        self.now = MORNING
        self.books = Calls(":memory:", "3", self.clock())
        people = [
            entry(1, number(1), number(2)),
            entry(2, number(1)),
            entry(3, number(3)),
            entry(4, number(4), number(5)),
        ]
        self.list = self.books.add_list("spring", people)

    def clock(self):
        return Clock("system", system=lambda: self.now, monotonic=lambda: self.now, synchronised=lambda: True)

    def close(self):
        self.books.close()

    def call(self, customer=1, to=None, by=Party.FAR, talk=20.0, *, answered=True):
        """A call that has ended; its result is still to be keyed."""
        chosen = self.books.customer(customer)
        made = Call(str(uuid.uuid4()), to or chosen.number, chosen)
        self.books.begin(made, None, "07")
        if answered:
            self.books.answered(made.id)
        self.books.ended(made.id, Cause.NORMAL, by, talk)
        return made

    def finish(self, code, customer=1, to=None, **said):
        """A whole call with its result."""
        made = self.call(customer, to)
        self.books.finish(made.id, CODES.by_code(code), **said)
        return made

    def facts(self, last=1):
        return self.books.facts(number(last).key)

    def notes(self, kind, last=1):
        return [fact.note for fact in self.facts(last) if fact.kind is kind]


@pytest.fixture
def office():
    made = Office()
    yield made
    made.close()


# A refusal that was once keyed stays.


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(tuple(CODES)), st.sampled_from(ANSWERS), st.booleans()), max_size=8))
def test_nothing_keyed_later_takes_a_refusal_back(keyed):
    with closing(Office()) as office:
        made, barring = office.call(), set()
        for result, clear, same in keyed:
            made = made if same else office.call()
            office.now += 60
            office.books.finish(made.id, result, clear=clear)
            now = {fact for fact in office.facts() if fact.kind in BARRING}
            assert barring <= now
            barring = now
            said = any(fact.kind is FactKind.REFUSAL for fact in barring)
            assert (refusal.refused(office.facts(), Rules()) is not None) >= said
            for kind in BARRING:
                held = {fact.id for fact in refusal.standing(office.facts(), kind)}
                assert held == {fact.id for fact in barring if fact.kind is kind}
            if barring:
                assert decide(number(1), office.facts(), now=office.now + 400 * DAY).verdict is Verdict.BLOCK


@pytest.mark.parametrize("after", ["NOANS", "VM", "BUSY", "NETERR", "SALE", "WARM"])
@pytest.mark.parametrize("code", ["REF", "REFT", "DNC", "CLAIM"])
def test_a_result_without_contact_erases_nothing(office, code, after):
    made = office.finish(code)
    office.books.finish(made.id, CODES.by_code(after))
    decision = decide(number(1), office.facts(), now=MORNING + DAY)
    assert decision.reason is (Reason.DO_NOT_CALL if code == "DNC" else Reason.REFUSED)
    assert office.books.next_due(office.list, 3, MORNING + 400 * DAY) == 2  # nor do the rows with this number come up


# A clear no is a refusal at once.


@pytest.mark.parametrize("code", ["HOT", "WARM", "CB", "INB"])
def test_a_clear_no_suppresses_at_once_and_nobody_calls_back(office, code):
    office.finish(code, clear="no", due=MORNING + HOUR)
    assert office.notes(FactKind.REFUSAL) == [""]
    assert office.notes(FactKind.CALLBACK) == []
    assert office.books.customer(1).badge == Badge("refused")
    assert office.books.lists()[0].done == 1
    assert decide(number(1), office.facts(), now=MORNING + 400 * DAY).reason is Reason.REFUSED


@pytest.mark.parametrize("clear", ["", "yes", "later", "not-asked"])
def test_any_other_answer_suppresses_nothing(office, clear):
    office.finish("WARM", clear=clear)
    assert office.notes(FactKind.REFUSAL) == []


# Who was gone at once.


@pytest.mark.parametrize(
    ("code", "by", "talk", "note"),
    [
        ("BADT", Party.NEAR, 1.9, ABANDONED),
        ("CB", Party.NEAR, 0.0, ABANDONED),
        ("BADT", Party.NEAR, 2.0, ""),
        ("BADT", Party.FAR, 1.0, ""),
        ("BADT", Party.LINE, 1.0, ""),
        ("WARM", Party.NEAR, 1.0, TALK),
    ],
)
def test_a_call_that_we_ended_before_a_word_is_one_that_we_dropped(office, code, by, talk, note):
    made = office.call(by=by, talk=talk)
    office.books.finish(made.id, CODES.by_code(code))
    assert office.notes(FactKind.CONTACT) == [note]


def test_where_no_human_answered_nobody_was_dropped(office):
    made = office.call(by=Party.NEAR, talk=1.0)
    office.books.finish(made.id, CODES.by_code("VM"))
    assert office.notes(FactKind.CONTACT) == []
    unanswered = office.call(by=Party.NEAR, talk=0.0, answered=False)
    office.books.finish(unanswered.id, CODES.by_code("BADT"))
    assert office.notes(FactKind.CONTACT) == [""]
    came_in = Call(str(uuid.uuid4()), number(3), None, incoming=True)
    office.books.begin(came_in, None, "07", "incoming")
    office.books.answered(came_in.id)
    office.books.ended(came_in.id, Cause.NORMAL, Party.NEAR, 1.0)
    office.books.finish(came_in.id, CODES.by_code("INB"))
    assert office.notes(FactKind.CONTACT, 3) == [""]


# Numbers that are not this record's.


def test_a_wrong_number_is_dialled_for_that_record_no_more_and_for_another_it_is(office):
    office.finish("WRONG", customer=2)
    struck, other = office.books.customer(2), office.books.customer(1)
    assert (struck.number.kind, struck.number.shown) == (Kind.INVALID, "03-1234-5601")
    assert struck.badge == Badge("done")
    assert decide(struck.number, office.facts(), now=MORNING + 30 * DAY).reason is Reason.INVALID_NUMBER
    assert decide(other.number, office.facts(), now=MORNING + 30 * DAY).reason is Reason.FREE
    assert [one.id for one in office.books.matching("0312345601")] == [1]
    assert office.books.by_number(number(1).key).id == 1
    assert office.books.next_due(office.list, 0, MORNING + 30 * DAY) == 2


def test_a_record_goes_on_with_its_other_number(office):
    office.finish("WRONG")
    left = office.books.customer(1)
    assert (left.number, [one.kind for one in left.others], left.badge) == (number(2), [Kind.INVALID], Badge("new"))
    assert office.books.next_due(office.list, 3, MORNING) == 0
    office.finish("DEAD", to=number(2))
    assert office.books.customer(1).number == number(2)  # nothing better is left: the dead one is shown, and barred
    assert office.books.customer(1).badge == Badge("dead")
    assert office.books.next_due(office.list, 3, MORNING) == 1


@pytest.mark.parametrize("code", ["DEAD", "MOVED", "FAX"])
def test_a_dead_number_steps_behind_the_others_and_bars_itself_everywhere(office, code):
    office.finish(code, customer=4)
    left = office.books.customer(4)
    assert (left.number, left.others, left.badge) == (number(5), (number(4),), Badge("new"))
    assert office.notes(FactKind.FINAL, 4) == [""]
    office.finish(code, customer=4)
    assert (office.books.customer(4).badge, office.books.customer(4).number) == (Badge("dead"), number(5))


def test_who_rejects_our_calls_is_not_tried_on_another_number(office):
    office.finish("REJCLI", customer=4)
    assert office.books.customer(4).badge == Badge("refused")
    assert office.books.next_due(office.list, 2, MORNING) == 0


def test_a_record_that_nobody_is_behind_is_called_on_none_of_its_numbers(office):
    office.finish("DECE")
    gone = office.books.customer(1)
    assert {one.kind for one in (gone.number, *gone.others)} == {Kind.INVALID}
    assert office.books.next_due(office.list, 3, MORNING) == 1  # another record with that number


def test_an_emergency_there_waits_for_a_supervisor(office):
    office.finish("EMERG", customer=3)
    assert decide(number(3), office.facts(3), now=MORNING + 90 * DAY).reason is Reason.ON_HOLD


def test_any_number_may_be_struck_after_any_other(office):
    many = office.books.add_list("many", [entry(9, *map(number, range(10, 16)))])
    (made,) = office.books.customers(many, 0, 1)
    for code, last in [("DEAD", 12), ("WRONG", 10), ("DEAD", 12), ("FAX", 11), ("WRONG", 15), ("WRONG", 12)]:
        office.finish(code, customer=made.id, to=number(last))
    left = office.books.customer(made.id)
    assert (left.number, left.others[0]) == (number(13), number(14))
    assert sorted(one.key for one in (left.number, *left.others)) == [number(last).key for last in range(10, 16)]
    assert {one.shown[-2:] for one in left.others if one.kind is Kind.INVALID} == {"10", "12", "15"}


# When they come up again.


def test_so_many_absences_and_the_customer_comes_up_no_more(office):
    for _ in range(4):
        office.finish("ABS", customer=3)
        office.now += DAY
        assert office.books.next_due(office.list, 1, office.now) == 2
    office.finish("ABS", customer=3)
    assert office.books.customer(3).badge == Badge("absent", 5)
    assert office.books.next_due(office.list, 1, office.now + 99 * DAY) == 3
    assert decide(number(3), office.facts(3), now=office.now + 9 * DAY).reason is Reason.FREE  # a human may


def test_so_many_are_counted_on_the_number_and_in_the_list(office):
    for customer in (1, 2):
        office.finish("BADT", customer=customer, to=number(1))
    assert office.books.next_due(office.list, 0, office.now + 99 * DAY) == 2
    assert office.books.next_due(office.list, 3, office.now + 99 * DAY) == 0  # had had one when it was called
    another = office.books.add_list("summer", [entry(1, number(1))])
    (made,) = office.books.customers(another, 0, 1)
    office.finish("BADT", customer=made.id)
    assert office.books.next_due(another, 0, office.now + 99 * DAY) == 0


def test_after_a_network_failure_at_once_and_after_a_second_later(office):
    office.finish("NETERR", customer=3)
    assert office.books.next_due(office.list, 1, office.now + 1) == 2
    office.finish("NETERR", customer=3)
    assert office.books.next_due(office.list, 1, office.now + 1790) == 3
    assert office.books.next_due(office.list, 1, office.now + 1810) == 2
    office.finish("NOANS", customer=3)
    office.finish("NETERR", customer=3)
    assert office.books.next_due(office.list, 1, office.now + 1) == 2


def test_with_the_time_unknown_no_time_is_made_up():
    books = Calls(":memory:", "3", Clock("network", synchronised=lambda: False))
    made = books.customers(books.add_list("spring", [entry(1, number(1))]), 0, 1)[0]
    call = Call(str(uuid.uuid4()), made.number, made)
    books.begin(call, None, "07")
    books.ended(call.id, Cause.NO_ANSWER, Party.LINE, 0.0)
    books.finish(call.id, CODES.by_code("NOANS"))
    assert books.customer(made.id).badge == Badge("noanswer", 1)
    books.close()


# In a booth.

ENDED = CallEnded(Cause.NORMAL, Party.FAR)


def facts_in(stage, key="+81312345601"):
    with closing(stage.books()) as books:
        return books.facts(key)


@pytest.mark.parametrize(("keys", "product"), [("9", ""), ("7", "water"), ("042", "water"), ("043", "")])
def test_a_complaint_bars_every_product_and_a_refusal_the_one_that_was_offered(stage, keys, product):
    stage.product = "water"
    stage.play("A", Alerting(), Answered(), ENDED, keys, "A")
    barring = [fact for fact in facts_in(stage) if fact.kind in BARRING]
    assert [fact.product for fact in barring] == [product]


def test_hung_up_by_us_in_the_first_second(stage):
    stage.play("A", Alerting(), Answered(), "D", CallEnded(Cause.NORMAL, Party.NEAR), "016", "A", "A")
    assert ABANDONED in {fact.note for fact in facts_in(stage) if fact.kind is FactKind.CONTACT}


def test_a_clear_no_keyed_in_wrap_up_is_the_guards_refusal_at_once(stage):
    played = stage.play("A", Alerting(), Answered(), ENDED, "2", "2", "A", "D", "0312345601", "A")
    assert any(getattr(scene.body, "refused", False) for scene in played.scenes)
    assert played.last.body.decision.reason is Reason.REFUSED


def test_an_abort_without_a_code_for_it_asks_the_agent(stage, tmp_path, monkeypatch):
    codes = tmp_path / "codes.toml"
    codes.write_text(results.OURS.read_text(encoding="utf-8").replace("\nsuggest", "\n# suggest"), encoding="utf-8")
    monkeypatch.setattr(results, "OURS", codes)
    played = stage.play("A", Alerting(), "D", CallEnded(Cause.NORMAL, Party.NEAR))
    assert played.last.body.owed is not None


def test_what_a_code_is_called_later_changes_no_history(office):
    made = office.finish("REF")
    renamed = results.Results([replace(result, code=f"X{result.key}") for result in CODES])
    assert renamed.by_code("REF") is None
    assert office.books.history(number(1).key)[0].result == "REF"
    assert office.books.record(made.id)["result"]["code"] == "REF"
    assert decide(number(1), office.facts(), now=MORNING + DAY).reason is Reason.REFUSED
