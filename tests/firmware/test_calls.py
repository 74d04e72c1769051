"""The booth's memory: what it was asked to keep is kept, and facts are never lost."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from firmware import calls as calls_module
from firmware import customers
from firmware.calls import Badge, Call, Calls
from firmware.clock import RELEASED, Clock
from firmware.known import Fact, FactKind
from firmware.numbers import Kind, Number
from firmware.redial import Decision, Reason, Verdict
from firmware.results import Result, Results
from firmware.results import load as load_results
from hw.errors import MisuseError
from hw.events import Cause, Hidden, Party

MORNING = RELEASED + 40 * 86400
FREE = Decision(Verdict.ALLOW, Reason.FREE, considered=(Reason.REFUSED, Reason.CALLED_RECENTLY))


class Watch:
    """A system clock and a monotonic one that move when told."""

    def __init__(self, utc: float = MORNING) -> None:
        self.utc, self.ticks = utc, 100.0

    def go(self, seconds: float) -> None:
        self.utc += seconds
        self.ticks += seconds

    def clock(self, trust: str = "system", boot: str = "boot-1") -> Clock:
        return Clock(
            trust, system=lambda: self.utc, monotonic=lambda: self.ticks, synchronised=lambda: False, boot=boot
        )


def number(last: int, prefix: str = "") -> Number:
    digits = f"03123456{last:02d}"
    return Number(f"{prefix}{digits}", f"+81{digits[1:]}", f"03-1234-56{last:02d}", Kind.ORDINARY, prefix, sample=True)


def entry(row: int, name: str, *numbers: Number) -> SimpleNamespace:
    return SimpleNamespace(row=row, name=name, reading="カナ", numbers=numbers, identifier="4-1", note="")


CODES = load_results()


def coded(code: str, codes: Results = CODES) -> Result:
    found = codes.by_code(code)
    assert found is not None
    return found


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def calls(tmp_path: Path, watch: Watch) -> Iterator[Calls]:
    memory = Calls(tmp_path / "booth.db", "3", watch.clock())
    yield memory
    memory.close()


@pytest.fixture
def people(calls: Calls) -> int:
    return calls.add_list(
        "春のご案内",
        [
            entry(2, "青木 花子", number(1)),
            entry(3, "石川 一郎", number(2), number(3)),
            entry(5, "青木 花子", number(4, "186")),
            entry(6, "上田 次郎", number(5)),
        ],
        sample=True,
    )


def new_call(calls: Calls, customer: int, **more: object) -> Call:
    chosen = calls.customer(customer)
    assert chosen is not None
    return Call(str(uuid.uuid4()), chosen.number, chosen, **more)


def whole_call(calls: Calls, customer: int, code: str, **more: object) -> Call:
    call, said = new_call(calls, customer), coded(code)
    calls.begin(call, FREE, "07")
    if said.contact:
        calls.answered(call.id)
    calls.ended(call.id, Cause.NORMAL, Party.NEAR, 12.5)
    calls.finish(call.id, said, **more)
    return calls.call(call.id)


def test_a_list_is_read_back_as_it_came(calls: Calls, people: int) -> None:
    (loaded,) = calls.lists()
    assert (loaded.id, loaded.name, loaded.sample, loaded.done, loaded.total) == (people, "春のご案内", True, 0, 4)
    first, second = calls.customers(people, 0, 2)
    assert (first.row, first.name, first.number, first.badge) == (2, "青木 花子", number(1), Badge("new"))
    assert (second.number, second.others, second.identifier) == (number(2), (number(3),), "4-1")
    assert calls.customers(people, 3, 5) == (calls.customer(4),)
    assert (calls.position(second.id), calls.size(people), calls.customer(99)) == (1, 4, None)


def test_a_removed_list_is_out_of_sight_until_it_is_restored(calls: Calls, people: int) -> None:
    calls.remove_list(people)
    assert calls.lists() == calls.matching("0312") == ()
    assert calls.by_number(number(1).key) is None
    assert calls.customer(1) is not None
    calls.restore_list(people)
    calls.rename(people, "秋")
    assert calls.lists()[0].name == "秋"


def test_an_entry_without_a_number_takes_the_whole_list_back(calls: Calls) -> None:
    with pytest.raises(ValueError, match="row 3"):
        calls.add_list("broken", [entry(2, "a", number(1)), entry(3, "b")])
    assert calls.lists() == ()


@pytest.mark.usefixtures("people")
def test_keyed_digits_find_customers_by_any_number_and_past_a_prefix(calls: Calls) -> None:
    assert [found.id for found in calls.matching("0312345603")] == [2]
    assert [found.id for found in calls.matching("1860312345603")] == [2]
    assert [found.id for found in calls.matching("0312345604")] == [3]
    assert [found.id for found in calls.matching("031")] == [1, 2, 3]
    assert [found.id for found in calls.matching("031", limit=9)] == [1, 2, 3, 4]
    assert calls.matching("032") == calls.matching("") == calls.matching("186") == ()


def test_a_number_has_its_customer_in_the_preferred_or_the_newest_list(calls: Calls, people: int) -> None:
    newer = calls.add_list("newer", [entry(2, "同じ番号", number(1))])
    assert calls.by_number(number(1).key).list_id == newer
    assert calls.by_number(number(1).key, prefer=people).list_id == people
    assert calls.by_number(number(3).key).id == 2
    assert calls.by_number("+81399999999") is None


@pytest.mark.usefixtures("people")
def test_same_name_counts_the_others_in_the_list(calls: Calls) -> None:
    calls.add_list("another", [entry(2, "青木 花子", number(9))])
    assert [calls.same_name(calls.customer(row)) for row in (1, 2, 3)] == [1, 0, 1]


@pytest.mark.usefixtures("people")
def test_a_call_is_on_disk_at_every_step(calls: Calls, watch: Watch) -> None:
    call = new_call(calls, 1)
    calls.begin(call, FREE, "07")
    assert calls.call(call.id).id == call.id
    assert [fact.kind for fact in calls.facts(number(1).key)] == [FactKind.ATTEMPT]
    watch.go(8)
    calls.answered(call.id)
    calls.mark(call.id, "promise-3", 1.5)
    watch.go(30)
    calls.ended(call.id, Cause.NORMAL, Party.FAR, 30.0, {"segments": 15})
    owed = calls.owed()
    assert (owed.id, owed.answered, owed.talk, owed.cause, owed.by) == (call.id, True, 30.0, Cause.NORMAL, Party.FAR)
    assert calls.pending() == (0, None)
    calls.finish(call.id, coded("WARM"), whom="self", clear="later", note="紙を送る")
    assert calls.owed() is None
    assert calls.pending() == (1, watch.utc)
    record = json.loads(json.dumps(calls.record(call.id)))
    assert (record["booth"], record["agent"], record["cause"], record["by"]) == ("3", "07", "NORMAL", "FAR")
    assert [mark["name"] for mark in record["marks"]] == ["answered", "promise-3", "ended"]
    assert record["decision"]["considered"] == ["REFUSED", "CALLED_RECENTLY"]
    assert (record["result"]["code"], record["result"]["whom"], record["result"]["clear"]) == ("WARM", "self", "later")
    assert (record["customer"]["name"], record["number"]["key"]) == ("青木 花子", number(1).key)
    assert (record["begun"]["at"], record["recording"]) == (MORNING, {"segments": 15})


@pytest.mark.usefixtures("people")
def test_what_is_only_likely_is_kept_as_such(calls: Calls) -> None:
    call = new_call(calls, 1)
    calls.begin(call, FREE, "07")
    calls.answered(call.id, estimated=True)
    calls.answered(call.id)  # a second one counts no more
    calls.ended(call.id, Cause.NORMAL, Party.FAR, 30.0, sure=False)
    kept, record = calls.call(call.id), json.loads(json.dumps(calls.record(call.id)))
    assert (kept.estimated, kept.sure) == (record["estimated"], record["sure"]) == (True, False)
    assert calls.history(number(1).key)[0].estimated
    other = new_call(calls, 2)
    calls.begin(other, FREE, "07")
    calls.answered(other.id)
    calls.ended(other.id, Cause.NORMAL, Party.NEAR, 30.0)
    record = calls.record(other.id)
    assert (record["estimated"], record["sure"], record["hidden"]) == (False, True, None)


@pytest.mark.parametrize("hidden", [*Hidden, None])
def test_why_a_caller_showed_no_number_is_kept(calls: Calls, hidden: Hidden | None) -> None:
    nobody = Number("", "", "", Kind.INVALID)
    call = Call(str(uuid.uuid4()), nobody, None, incoming=True, hidden=hidden)
    calls.begin(call, None, "07", "incoming")
    calls.ended(call.id, Cause.BUSY, Party.LINE, 0.0)
    assert calls.call(call.id).hidden is hidden
    assert calls.record(call.id)["hidden"] == (hidden.name if hidden else None)
    assert calls.pending()[0] == 1


def test_a_call_to_nobody_on_a_list_needs_a_reason(calls: Calls) -> None:
    stray = Call(str(uuid.uuid4()), number(9), None)
    with pytest.raises(Exception, match="CHECK constraint failed"):
        calls.begin(stray, FREE, "07")
    assert calls.facts(number(9).key) == ()  # neither the call nor its attempt
    calls.begin(stray, FREE, "07", "asked for by telephone")
    assert calls.record(stray.id)["reason"] == "asked for by telephone"
    assert calls.record(stray.id)["customer"] is None


def test_an_emergency_leaves_no_fact_and_owes_nothing(calls: Calls) -> None:
    call = Call(str(uuid.uuid4()), Number("119", "119", "119", Kind.EMERGENCY), None, emergency=True)
    calls.begin(call, None, "")
    calls.answered(call.id)
    calls.ended(call.id, Cause.NORMAL, Party.FAR, 60.0)
    assert calls.facts("119") == ()
    assert calls.owed() is None
    assert calls.pending()[0] == 1


def test_only_an_incoming_call_that_was_taken_owes_a_result(calls: Calls) -> None:
    missed = Call(str(uuid.uuid4()), number(1), None, incoming=True)
    calls.begin(missed, None, "")
    calls.ended(missed.id, Cause.NO_ANSWER, Party.FAR, 0.0)
    assert (calls.owed(), calls.pending()[0], calls.facts(number(1).key)) == (None, 1, ())
    taken = replace(missed, id=str(uuid.uuid4()))
    calls.begin(taken, None, "07")
    calls.answered(taken.id)
    calls.ended(taken.id, Cause.NORMAL, Party.FAR, 4.0)
    assert calls.owed().id == taken.id


def test_a_call_whose_beginning_was_not_written_is_passed_over(calls: Calls) -> None:
    unknown = str(uuid.uuid4())
    calls.answered(unknown)
    calls.mark(unknown, "help", 1.0)
    calls.ended(unknown, Cause.NORMAL, Party.NEAR, 3.0)
    calls.recorded(unknown, {})
    for ask in (calls.call, calls.record, lambda call: calls.finish(call, coded("WARM"))):
        with pytest.raises(MisuseError):
            ask(unknown)


@pytest.mark.usefixtures("people")
def test_a_result_for_a_call_that_lasts_is_our_mistake(calls: Calls) -> None:
    call = new_call(calls, 1)
    calls.begin(call, FREE, "07")
    with pytest.raises(MisuseError):
        calls.finish(call.id, coded("WARM"))


@pytest.mark.usefixtures("people")
def test_ends_and_answers_count_once(calls: Calls) -> None:
    call = new_call(calls, 1)
    calls.begin(call, FREE, "07")
    for talk in (0.0, 1.0):
        calls.answered(call.id)
        calls.ended(call.id, Cause.NORMAL, Party.FAR, talk)
    assert [mark["name"] for mark in calls.record(call.id)["marks"]] == ["answered", "ended"]
    assert calls.call(call.id).talk == 0.0


@pytest.mark.usefixtures("people")
def test_the_same_result_twice_is_one_and_another_later_adds(calls: Calls) -> None:
    call = whole_call(calls, 1, "REF")
    before = calls.record(call.id)
    calls.finish(call.id, coded("REF"))
    assert calls.record(call.id) == before
    calls.finish(call.id, coded("WARM"))
    after = calls.record(call.id)
    assert (after["result"]["code"], after["result"]["version"]) == ("WARM", 2)
    assert [entry["code"] for entry in after["earlier_results"]] == ["REF"]
    kinds = [fact.kind for fact in calls.facts(number(1).key)]
    assert kinds.count(FactKind.REFUSAL) == 1
    assert calls.customer(1).badge == Badge("refused")  # no later result takes a refusal back
    assert calls.pending()[0] == 1  # one call, though two versions of it wait


@pytest.mark.usefixtures("people")
def test_calls_left_open_are_lost_and_owe_their_result(calls: Calls) -> None:
    calls.begin(new_call(calls, 1), FREE, "07")
    second = new_call(calls, 2)
    calls.begin(second, FREE, "07")
    calls.answered(second.id)
    lost = calls.close_lost()
    assert [(call.cause, call.by, call.answered) for call in lost] == [
        (Cause.LOST, Party.LINE, False),
        (Cause.LOST, Party.LINE, True),
    ]
    assert calls.close_lost() == ()
    calls.recorded(second.id, {"segments": 3}, talk=6.0)
    assert calls.call(second.id).talk == 6.0
    assert calls.owed().id == lost[0].id
    calls.finish(lost[0].id, coded("NETERR"))
    assert calls.owed().id == second.id


@pytest.mark.parametrize(
    ("code", "badge"),
    [
        ("WARM", Badge("called", MORNING + 7 * 86400)),
        ("REF", Badge("refused")),
        ("DNC", Badge("refused")),
        ("SALE", Badge("done")),
        ("DEAD", Badge("dead")),
        ("NOANS", Badge("noanswer", 1)),
        ("ABS", Badge("absent", 1)),
        ("GACHA0", Badge("gacha", MORNING + 7 * 86400)),
    ],
)
@pytest.mark.usefixtures("people")
def test_a_row_shows_what_the_last_result_means(calls: Calls, code: str, badge: Badge) -> None:
    assert whole_call(calls, 1, code).customer.badge == badge


def test_a_callback_is_shown_and_comes_up_when_it_is_due(calls: Calls, people: int, watch: Watch) -> None:
    whole_call(calls, 1, "CB", due=watch.utc + 1800)
    assert calls.customer(1).badge == Badge("callback", watch.utc + 1800)
    assert [fact.due for fact in calls.facts(number(1).key) if fact.kind is FactKind.CALLBACK] == [watch.utc + 1800]
    assert calls.next_due(people, 3, watch.utc) == 1
    assert calls.next_due(people, 3, watch.utc + 1800) == 0
    assert calls.next_due(people, 3, None) == 1  # with the time unknown nothing with a time comes up


@pytest.mark.usefixtures("people")
def test_unanswered_calls_are_counted_on_the_row(calls: Calls) -> None:
    for count in (1, 2, 3):
        assert whole_call(calls, 1, "NOANS").customer.badge == Badge("noanswer", count)
    assert whole_call(calls, 1, "ABS").customer.badge == Badge("absent", 1)


def test_three_hang_ups_are_a_refusal_on_the_row_and_for_next(calls: Calls, people: int, watch: Watch) -> None:
    for _ in range(3):
        whole_call(calls, 1, "GACHA0")
    assert calls.customer(1).badge == Badge("refused")
    assert calls.next_due(people, 3, watch.utc + 365 * 86400) == 1


def test_next_goes_round_and_leaves_out_the_final_and_the_refused(calls: Calls, people: int, watch: Watch) -> None:
    assert [calls.next_due(people, after, watch.utc) for after in (-1, 0, 2, 3)] == [0, 1, 3, 0]
    whole_call(calls, 2, "SALE")
    assert calls.next_due(people, 0, watch.utc) == 2
    calls.add_fact(Fact("f1", FactKind.REFUSAL, number(4).key, watch.utc, "8", "21", result="REF"))
    assert calls.next_due(people, 0, watch.utc) == 3
    calls.add_fact(Fact("f2", FactKind.LIFT, number(4).key, watch.utc + 1, "server", "SV"))
    assert calls.next_due(people, 0, watch.utc) == 2
    for customer in (1, 3, 4):
        whole_call(calls, customer, "SALE")
    assert calls.next_due(people, 0, watch.utc) is None
    assert calls.lists()[0].done == 4


@pytest.mark.usefixtures("people")
def test_another_booths_refusal_shows_on_every_row_with_the_number(calls: Calls) -> None:
    twin = calls.add_list("twin", [entry(2, "同じ", number(1))])
    calls.add_fact(Fact("f1", FactKind.REFUSAL, number(1).key, None, "8", "21"))
    assert calls.customer(1).badge == calls.customers(twin, 0, 1)[0].badge == Badge("refused")


@pytest.mark.usefixtures("people")
def test_a_row_of_a_number_that_is_dead_elsewhere_says_so(calls: Calls) -> None:
    calls.add_fact(Fact("f1", FactKind.FINAL, number(1).key, MORNING, "8", "21", result="DEAD"))
    assert calls.customer(1).badge == Badge("dead")


def test_nothing_asked_on_a_key_press_scans_a_table(calls: Calls) -> None:
    """No question that is asked on a key press walks through a table."""
    many = calls.add_list("many", [entry(row + 2, f"名前{row}", number(row % 100)) for row in range(3000)])
    plans = [
        tuple(step["detail"] for step in calls._store.rows(f"EXPLAIN QUERY PLAN {question}", *values))
        for question, values in (
            (customers._PAGE, (many, 0, 5)),
            (customers._NEXT, (many, 0, 3000, 0, 20)),
            (customers._MATCHING, ("031", "031~", 3)),
            (customers._BY_NUMBER, ("+81", None)),
            (customers._SAME_NAME, (many, "名前1", 1)),
            (customers._DOUBTFUL, ("+81",)),
            (calls_module._OWED, ()),
        )
    ]
    scans = [step for plan in plans for step in plan if step.startswith("SCAN")]
    assert scans == ["SCAN c USING INDEX call_owed"]  # an index of what is owed, empty but for one call
    assert len(calls.customers(many, 1500, 5)) == 5
