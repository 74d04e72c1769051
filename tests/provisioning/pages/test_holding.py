"""Legal holds on the pages, and the retention that respects them: what is held is never deleted, on either side."""

import json
import uuid
from itertools import permutations

import pytest
from obstore.exceptions import NotFoundError

from firmware.known import DAY, FactKind
from firmware.legalhold import Held
from firmware.results import load
from firmware.syncing.downlink import understood
from provisioning.server.keeping import holds
from provisioning.server.keeping.retention import Retention, counted

KEY = "+81312345601"
WHY = "裁判所の命令 第12号"


@pytest.fixture
def one(office):
    return office.booth("1")


@pytest.fixture
def kept(office, one):
    """Calls with a recording each, so many days old."""

    def make(days=400.0, code="REF", **record):
        call_id = office.call(one, at=office.now - days * DAY, code=code, **record)
        office.recording(one, call_id, seconds=1.0, answer=0.2)
        return call_id

    return make


def retention(office, days=365.0):
    return Retention(office.parts.database, office.parts.archive, load(), days)


def run(office, days=365.0):
    """Delete all that may go; how many did."""
    job = retention(office, days)
    return sum(job.delete(due, office.now) for due in job.due(office.now))


def plays(sv, call_id):
    return sv.get(f"/recordings/{call_id}.opus").status_code == 200


def hold(sv, page, reason=WHY, what="hold"):
    return sv.post(f"{page}/{what}", {"reason": reason}, on=f"{page}/{what}")


def test_what_is_over_goes_and_leaves_a_trace(office, kept, sv):
    old, young = kept(), kept(days=300.0)
    assert run(office) == 1
    assert (plays(sv, old), plays(sv, young)) == (False, True)
    row = office.row("SELECT erased, erased_why, bytes, sha256, seconds FROM recording WHERE erased IS NOT NULL")
    assert (row.erased, row.erased_why, row.bytes, row.seconds) == (office.now, "REF after 365 days", 0, 1.0)
    said = sv.words(sv.get(f"/calls/{old}"))
    assert "削除済み" in said
    assert "REF after 365 days" in said
    assert run(office) == 0  # once is enough


def test_a_hold_on_a_call_keeps_its_recording_until_it_is_released(office, kept, sv):
    call_id = kept()
    page = f"/calls/{call_id}"
    assert "この通話を保全" in sv.words(sv.get(page))
    assert hold(sv, page).headers["location"] == f"{page}?done=held"
    said = sv.words(sv.get(page))
    for part in ("保全中：録音は削除されません", "佐藤", WHY, "保全を解除"):
        assert part in said
    assert run(office) == 0
    assert plays(sv, call_id)
    assert hold(sv, page, "和解が成立したため", "release").headers["location"] == f"{page}?done=released"
    assert "保全中" not in sv.words(sv.get(page))
    assert run(office) == 1
    assert not plays(sv, call_id)


def test_a_hold_on_a_number_keeps_every_call_with_it(office, kept, sv):
    mine, other = kept(), kept(number={"key": "+81312345602", "shown": "03-1234-5602"})
    page = f"/numbers/{KEY}"
    hold(sv, page)
    later = kept(days=380.0)  # it comes in while the hold stands
    assert run(office) == 1
    assert [plays(sv, call) for call in (mine, later, other)] == [True, True, False]
    said = sv.words(sv.get(f"/calls/{mine}"))
    assert "番号に対する保全" in said
    assert "この通話を保全" in said  # it may be held by itself as well
    assert sv.get(f"/calls/{mine}/release").status_code == 404  # that is done where it was set
    hold(sv, page, "和解が成立したため", "release")
    assert run(office) == 2


def test_a_memo_goes_with_its_call(office, one, kept, sv):
    memo = str(uuid.uuid4())
    marks = [{"name": f"memo {memo}", "seconds": 3.0, "at": None, "boot": "b", "monotonic": 9.0}]
    call_id = kept(marks=marks)
    office.recording(one, memo, seconds=1.0, answer=0.0, call=call_id)
    hold(sv, f"/calls/{call_id}")
    assert run(office) == 0
    hold(sv, f"/calls/{call_id}", "和解が成立したため", "release")
    assert run(office) == 2


def test_a_hold_that_comes_while_retention_runs_is_heeded(office, kept, sv):
    call_id = kept()
    job = retention(office)
    (due,) = job.due(office.now)
    hold(sv, f"/calls/{call_id}")
    assert not job.delete(due, office.now)
    assert plays(sv, call_id)
    (due,) = job.due(office.now)
    assert due.held
    assert [*counted([due])] == [("REF", 365.0, 0, 0, 1)]


def test_what_a_crash_left_is_removed_by_the_next_run(office, kept, sv):
    """The server died between the row and the files."""
    call_id = kept()
    with office.parts.database.write() as connection:
        connection.exec_driver_sql("UPDATE recording SET erased = 1.0, erased_why = 'REF after 365 days'")
    assert "削除済み" in sv.words(sv.get(f"/calls/{call_id}"))
    assert retention(office).finish() == 1
    assert not plays(sv, call_id)
    assert retention(office).finish() == 0
    with pytest.raises((FileNotFoundError, NotFoundError)):
        office.parts.archive.head(f"{call_id}.opus")


def test_a_code_may_say_its_own_days_and_without_any_rule_nothing_goes(office, kept):
    kept(code="SALE"), kept(code="NOANS", days=40.0)
    assert retention(office, None).due(office.now) == []
    own = [code for code in load() if code.code != "NOANS"]
    own += [type(own[0])(**{**vars_of(code), "archive": 30}) for code in load() if code.code == "NOANS"]
    job = Retention(office.parts.database, office.parts.archive, own, None)
    assert [due.code for due in job.due(office.now)] == ["NOANS"]


def vars_of(code):
    return {name: getattr(code, name) for name in code.__slots__}


def test_what_is_on_its_way_or_has_no_result_is_no_ones_prey(office, one):
    call_id = office.call(one, at=office.now - 900 * DAY, code=None)
    office.recording(one, call_id, state="partial")
    assert run(office) == 0
    lost = str(uuid.uuid4())  # its call has not come in
    office.recording(one, lost, seconds=1.0, taken=office.now - 500 * DAY)
    assert run(office) == 1


def test_a_hold_wants_a_reason_a_log_in_and_a_form_of_this_session(office, kept, sv, browser):
    page = f"/calls/{kept()}"
    answer = hold(sv, page, "OK")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert hold(sv, page, what="release").status_code == 404  # nothing is held
    stranger = browser(name="")
    assert stranger.client.post(f"{page}/hold", data={"reason": WHY}).status_code == 403
    assert sv.client.post(f"{page}/hold", data={"reason": WHY, "csrf": "x"}).status_code == 403
    assert sv.get(f"/calls/{uuid.uuid4()}/hold").status_code == 404
    assert sv.get("/numbers/+81312345699/hold").status_code == 404
    with office.parts.database.read() as connection:
        assert holds.held(connection).calls == frozenset()


def test_pressed_twice_is_held_once_and_released_in_two_tabs_is_released_once(office, kept, sv):
    page = f"/numbers/{KEY}"
    kept()
    hold(sv, page), hold(sv, page)
    with office.parts.database.read() as connection:
        (standing,) = holds.of_number(connection, KEY)
    first = holds.release(standing, "佐藤", "和解が成立したため", office.now)
    office.parts.facts.add(first)
    office.parts.facts.add(first)
    assert office.row("SELECT count(*) AS n FROM fact WHERE kind = 'legal-release'").n == 1
    assert hold(sv, page, "和解が成立したため", "release").status_code == 404


def test_every_booth_hears_of_it_and_none_can_say_it(office, one, kept, sv):
    call_id = kept()
    cursor = office.parts.facts.after("").cursor
    hold(sv, f"/calls/{call_id}")
    (news,) = office.parts.facts.after(cursor).facts
    told = json.loads(bytes(news))
    assert (told["kind"], told["call"], told["number"], told["agent"]) == ("legal-hold", call_id, KEY, "佐藤")
    for kind in (FactKind.LEGAL_HOLD, FactKind.LEGAL_RELEASE):
        forged = office.fact(one, kind.value, KEY, call=call_id)
        assert office.row(f"SELECT count(*) AS n FROM fact WHERE id = '{forged}'").n == 0


def test_what_a_booth_hears_of_a_hold_is_what_the_server_holds(office, kept, sv):
    """The news as it goes over the wire, read by the booth's own code, in whatever order it comes."""
    call_id, other = kept(), kept(number={"key": "+81312345602", "shown": "03-1234-5602"})
    cursor = office.parts.facts.after("").cursor
    hold(sv, f"/calls/{call_id}"), hold(sv, "/numbers/+81312345602")
    hold(sv, f"/calls/{call_id}", "和解が成立したため", "release")
    heard = [*understood(office.parts.facts.after(cursor).facts)]
    assert len(heard) == 3
    for order in permutations(heard):
        booth = Held.by(order)
        assert not booth.covers(call_id, KEY)
        assert booth.covers(other, "+81312345602")
    with office.parts.database.read() as connection:
        assert holds.held(connection) == Held.by(heard)
