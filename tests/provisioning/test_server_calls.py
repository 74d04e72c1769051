"""Calls, shifts and call lists between booths and server."""

import json
import threading
import time
import uuid

import pytest
from sqlalchemy import delete, insert, select, update

from firmware import calls, clock, wire
from firmware.numbers import parse
from firmware.redial import Decision, Reason, Verdict
from firmware.results import load
from hw.events import Cause, Party
from provisioning.server import schema
from provisioning.server.bell import Topic
from provisioning.server.booths import Booth
from provisioning.server.lists import AT_ONCE


def record(**other):
    """As firmware.record makes it, as far as the server looks at it."""
    return {
        "version": 1,
        "id": str(uuid.uuid4()),
        "booth": "Booth 1",
        "agent": "OP07",
        "reason": "",
        "emergency": False,
        "incoming": False,
        "number": {"key": "+81312345601", "shown": "03-1234-5601", "dialled": "0312345601", "kind": "ORDINARY"},
        "customer": {
            "id": 7,
            "name": "川口 一郎",
            "reading": "カワグチ イチロウ",
            "row": 3,
            "list": {"id": 1, "name": "春の案内", "sample": False, "uuid": "c0ffee00-0000-4000-8000-000000000000"},
        },
        "decision": {"verdict": "ALLOW", "reason": "FREE", "until": None},
        "begun": {"at": 1_790_000_000.5, "boot": "b", "monotonic": 5.0},
        "answered": True,
        "cause": "NORMAL",
        "by": "FAR",
        "talk": 151.0,
        "marks": [],
        "recording": None,
        "result": {"version": 1, "code": "REF", "due": None, "whom": "", "note": "強く断り"},
        "earlier_results": [],
        "facts": [],
    } | other


def tell(one, part, *records):
    return one.post(wire.CALLS, wire.Calls(calls=tuple(map(part, records))), wire.Taken)


@pytest.fixture
def kept(server):
    """The row of a call."""

    def find(call_id):
        with server.parts.database.read() as connection:
            return connection.execute(select(schema.call).where(schema.call.c.id == call_id)).one_or_none()

    return find


def test_a_call_is_kept_whole_and_in_columns(booth, part, kept):
    one, told = booth(), record(weather={"of": ["tomorrow", 1]})
    assert tell(one, part, told).ids == (told["id"],)
    row = kept(told["id"])
    assert json.loads(row.record) == told
    assert (row.booth, row.agent, row.number, row.shown) == (one.id, "OP07", "+81312345601", "03-1234-5601")
    assert (row.customer, row.reading, row.list_name, row.list_row) == ("川口 一郎", "カワグチ イチロウ", "春の案内", 3)
    assert row.list == "c0ffee00-0000-4000-8000-000000000000"
    assert (row.result, row.cause, row.party, row.talk, row.note) == ("REF", "NORMAL", "FAR", 151.0, "強く断り")
    assert (row.at, row.moment, row.version, row.answered) == (1_790_000_000.5, 1_790_000_000.5, 1, True)
    assert (row.verdict, row.reason, row.overridden) == ("ALLOW", "FREE", False)


def test_what_a_real_booth_records_is_understood(tmp_path, booth, part, kept):
    """The booth's own memory makes the record; nothing of it may be misread here."""
    now = clock.Clock()
    store = calls.Calls(tmp_path / "booth.db", "Booth 1", now)
    number = parse("0312345601")
    call = calls.Call(str(uuid.uuid4()), number, None)
    allowed = Decision(Verdict.ALLOW, Reason.OVERRIDDEN)
    store.begin(call, allowed, "OP07", "asked to be called")
    store.answered(call.id)
    memo = str(uuid.uuid4())
    store.mark(call.id, f"memo {memo}", 3.0)
    store.ended(call.id, Cause.NORMAL, Party.FAR, 12.5)
    code = next(iter(load()))
    store.finish(call.id, code, note="「よろしく」")
    told = store.record(call.id)
    store.close()
    assert tell(booth(), part, told).ids == (call.id,)
    row = kept(call.id)
    assert (row.number, row.shown, row.why) == (number.key, number.shown, "asked to be called")
    assert (row.result, row.note, row.talk, row.overridden) == (code.code, "「よろしく」", 12.5, True)
    assert (row.cause, row.party, row.customer, row.list) == ("NORMAL", "FAR", "", "")
    assert row.moment == (row.at if row.at is not None else row.taken)


def test_how_certain_a_booth_is_is_kept_and_what_older_booths_do_not_tell_is_sure(booth, part, kept):
    one, old = booth(), record()
    new = record(estimated=True, sure=False, hidden="PAYPHONE", incoming=True)
    tell(one, part, old, new)
    for told, expected in ((old, (False, True, "")), (new, (True, False, "PAYPHONE"))):
        row = kept(told["id"])
        assert (row.estimated, row.sure, row.hidden) == expected


def test_the_same_again_and_an_older_result_change_nothing(booth, part, kept):
    one, told = booth(), record()
    second = told | {"result": told["result"] | {"version": 2, "code": "CBK", "due": 1_790_100_000.0}}
    tell(one, part, second)
    before = kept(told["id"])
    for again in (second, told):
        assert tell(one, part, again).ids == (told["id"],)
    assert kept(told["id"]) == before
    assert (before.result, before.due) == ("CBK", 1_790_100_000.0)


def test_a_later_result_takes_the_place_of_an_earlier_one(booth, part, kept):
    one, told = booth(), record(result=None)
    tell(one, part, told)
    assert (kept(told["id"]).version, kept(told["id"]).result) == (0, None)
    for version, code in ((1, "REF"), (3, "SUC")):
        result = {"version": version, "code": code, "due": None, "whom": "", "note": ""}
        tell(one, part, told | {"result": result})
        assert (kept(told["id"]).version, kept(told["id"]).result) == (version, code)


def test_a_call_of_unknown_time_is_dated_later(booth, part, kept):
    one, told = booth(), record(begun={"at": None})
    tell(one, part, told)
    row = kept(told["id"])
    assert row.at is None
    assert row.moment == row.taken
    tell(one, part, told | {"begun": {"at": 1_790_000_000.0}})
    assert (kept(told["id"]).at, kept(told["id"]).moment) == (1_790_000_000.0, 1_790_000_000.0)


def test_nobody_rewrites_another_booths_call(booth, part, kept):
    one, other, told = booth(), booth(), record()
    tell(one, part, told)
    taken = tell(other, part, told | {"result": told["result"] | {"version": 9}})
    assert "another booth" in taken.refused[told["id"]]
    assert kept(told["id"]).version == 1


@pytest.mark.parametrize(
    "broken",
    [
        7,
        {},
        record(id="no uuid"),
        record(id=str(uuid.uuid4()).upper()),
        record(version=2),
        record(number=None),
        record(talk="long"),
        record(result={"version": -1, "code": "REF"}),
        record(result={"version": 2**40, "code": "REF"}),
        record(customer={"row": 2**70}),
        record(agent="\0"),
        record(marks=["x" * 300_000]),
    ],
)
def test_one_broken_record_holds_up_no_other(booth, part, kept, broken):
    one, good = booth(), record()
    taken = tell(one, part, broken, good)
    assert taken.ids == (good["id"],)
    assert len(taken.refused) == 1
    assert kept(good["id"]) is not None


def test_a_record_of_tomorrow_is_refused_in_words(booth, part):
    told = record(version=2)
    assert "version 2" in tell(booth(), part, told).refused[told["id"]]


def test_a_memo_is_known_by_its_call_whichever_comes_first(server, booth, part, deck):
    one = booth()
    early, late = uuid.uuid4(), uuid.uuid4()
    told = record(marks=[{"name": f"memo {early}", "seconds": 1.0}, {"name": f"memo {late}"}, {"name": "memo ../x"}])
    assert one.upload(early, deck.journal(early, 1)).status == 204
    tell(one, part, told)
    assert one.upload(late, deck.journal(late, 1)).status == 204
    row = schema.recording
    with server.parts.database.read() as connection:
        found = connection.execute(select(row.c.call).where(row.c.id.in_([str(early), str(late)]))).scalars().all()
    assert found == [told["id"], told["id"]]


def test_shifts_are_kept_once(server, booth, part):
    one = booth()
    shift = {"id": str(uuid.uuid4()), "kind": "break-begins", "agent": "OP07", "code": "B1", "at": None, "more": 1}
    for _ in range(2):
        taken = one.post(wire.SHIFTS, wire.Shifts(shifts=(part(shift), part(7))), wire.Taken)
        assert (taken.ids, list(taken.refused)) == ((shift["id"],), ["#1"])
    with server.parts.database.read() as connection:
        row = connection.execute(select(schema.shift).where(schema.shift.c.id == shift["id"])).one()
    assert (row.kind, row.agent, row.code, row.at, row.booth) == ("break-begins", "OP07", "B1", None, one.id)
    assert json.loads(row.raw) == shift


# Lists


@pytest.fixture
def assign(server):
    """Makes a list and gives it to booths."""

    def make(rows, *booths, name="春の案内"):
        list_id = str(uuid.uuid4())
        with server.parts.database.write() as connection:
            connection.execute(insert(schema.call_list).values(id=list_id, name=name, created=time.time()))
            if rows:
                connection.execute(insert(schema.list_row), [row | {"list": list_id} for row in rows])
            for one in booths:
                connection.execute(insert(schema.assignment).values(list=list_id, booth=one.id))
        return list_id

    return make


def rows(count):
    numbers = {"numbers": ["03-1234-5601", "090-1234-5602"], "keys": ["+81312345601", "+819012345602"]}
    return [{"row": at + 2, "name": f"顧客 {at}", "reading": "コ", **numbers, "note": '"'} for at in range(count)]


def named(one):
    return one.lists().lists


def test_a_booth_is_given_its_own_lists_only(booth, assign):
    one, other = booth(), booth()
    first, second = assign(rows(2), one), assign([], one, other)
    assert [each.id for each in named(one)] == [first, second]
    assert [each.id for each in named(other)] == [second]
    assert other.ask("GET", f"{wire.LISTS}/{first}").error == "list"


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 7])
def test_a_list_comes_whole(booth, assign, count):
    one = booth()
    list_id = assign(rows(count), one, name='春の"案内"')
    answer = one.ask("GET", f"{wire.LISTS}/{list_id}")
    whole = wire.decode(answer.body, wire.ListRows)
    assert (whole.id, whole.name, whole.revision, whole.sample) == (list_id, '春の"案内"', 1, False)
    assert [row.row for row in whole.rows] == [at + 2 for at in range(count)]
    assert all(row.numbers == ("03-1234-5601", "090-1234-5602") and row.note == '"' for row in whole.rows)


def test_a_list_that_changes_meanwhile_cannot_be_taken_for_a_whole(server, booth, assign):
    one = booth()
    list_id = assign(rows(AT_ONCE + 1), one)
    lists = server.parts.lists
    pieces = lists.whole(lists.head(Booth(one.id, one.name), list_id))
    said = next(pieces) + next(pieces)
    with server.parts.database.write() as connection:
        connection.execute(update(schema.call_list).where(schema.call_list.c.id == list_id).values(revision=2))
    with pytest.raises(wire.WireError):
        wire.decode(said + b"".join(pieces), wire.ListRows)


def test_a_list_that_was_put_away_is_gone(server, booth, assign):
    one = booth()
    list_id = assign(rows(1), one)
    with server.parts.database.write() as connection:
        connection.execute(update(schema.call_list).where(schema.call_list.c.id == list_id).values(removed=1.0))
    assert named(one) == ()
    assert one.ask("GET", f"{wire.LISTS}/{list_id}").status == 404


def test_an_assignment_that_is_taken_back_is_gone(server, booth, assign):
    one = booth()
    assign(rows(1), one)
    with server.parts.database.write() as connection:
        connection.execute(delete(schema.assignment).where(schema.assignment.c.booth == one.id))
    assert named(one) == ()


def test_a_change_of_lists_between_two_questions_is_told_at_once(booth, assign):
    one = booth()
    cursor, before = one.latest(), one.lists().tag
    assign(rows(1), one)
    answer = one.ask("GET", f"{wire.FACTS}?cursor={cursor}&lists={before}&wait=40")  # longer than a test may take
    news = wire.decode(answer.body, wire.News)
    assert before != news.lists == one.lists().tag


def test_a_change_of_another_booths_lists_ends_no_wait(server, booth, assign):
    one, other = booth(), booth()
    cursor, begun = one.latest(), time.monotonic()
    ringing = threading.Timer(0.1, lambda: (assign(rows(1), other), server.parts.bell.ring(Topic.LISTS)))
    ringing.start()
    news = one.hear(cursor, wait=0.6)
    ringing.join()
    assert time.monotonic() - begun >= 0.6
    assert (news.facts, news.lists) == ((), one.lists().tag)
