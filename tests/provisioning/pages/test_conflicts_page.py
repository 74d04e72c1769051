"""Calls that two booths made to one customer while one of them was out of reach: found, told, marked, and nothing else."""

import time
import uuid

import msgspec
import pytest
from sqlalchemy import insert

from provisioning.server.pages.splits import MOST, SPAN, conflicts
from provisioning.server.schema import call, fact

KEY, OTHER = "+81312345601", "+81312345602"
NOW, MINUTE, DAY = 1795325520.0, 60.0, 86400.0
SAID = {"verdict": "ALLOW", "reason": "FREE", "until": None, "never": False, "overridable": False}


class Floor:
    """Booths that dial, each telling call and attempt."""

    def __init__(self, office):
        self.office, self.booths = office, {name: office.booth(name) for name in "123"}

    def dial(self, booth, at, *, claim="offline", evidence=(), facts=("attempt",), number=KEY, **record):
        """A call `at` seconds before now; its id."""
        one, call_id = self.booths[booth], str(uuid.uuid4())
        for kind in facts:
            self.office.fact(one, kind, number, at=NOW - at, call=call_id)
        digits = {"key": number, "shown": number.replace("+81", "0"), "dialled": number, "kind": "ORDINARY"}
        said = SAID | {"considered": [], "evidence": list(evidence), "claim": claim} | record.pop("decision", {})
        return self.office.call(one, at=NOW - at, call_id=call_id, number=digits, decision=said, **record)

    def pairs(self):
        """What is found: the two calls' ids, in their order."""
        with self.office.parts.database.read() as connection:
            return [(one.earlier.id, one.later.id) for one in conflicts(connection, NOW - SPAN)]

    def reasons(self):
        with self.office.parts.database.read() as connection:
            return [one.decision.reason.name for one in conflicts(connection, NOW - SPAN)]


@pytest.fixture
def floor(office):
    return Floor(office)


def test_two_booths_out_of_reach_and_one_customer(floor, sv):
    first = floor.dial("1", 20 * MINUTE, code="REF", talk=151.0)
    later = floor.dial("2", 8 * MINUTE, code="SALE", talk=30.0, by="NEAR")
    assert floor.pairs() == [(first, later)]
    said = sv.words(sv.get("/conflicts"))
    for part in ("ブース1 · OP07", "ブース2 · OP07", "2:31", "0:30", "サーバー圏外", "12分前", "未確認 1 件"):
        assert part in said, part
    assert f'href="/calls/{first}"' in sv.get("/conflicts").text
    assert f'href="/calls/{later}"' in sv.get("/conflicts").text
    english = sv.words(sv.get("/conflicts?lang=en"))
    for part in ("Booth 1 · OP07", "they hung up", "we hung up", "12 min ago", "out of reach of the server"):
        assert part in english, part


def test_every_page_counts_those_that_nobody_has_seen(floor, sv):
    floor.dial("1", 20 * MINUTE)
    floor.dial("2", 8 * MINUTE)
    floor.dial("1", 40 * DAY, number=OTHER)
    floor.dial("2", 40 * DAY - MINUTE, number=OTHER)
    assert len(floor.pairs()) == 2
    assert "1 件 未確認（過去30日）" in sv.words(sv.get("/booths"))
    assert "未確認（過去30日）" not in sv.words(sv.get("/log-in"))


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        (("offline", "offline"), True),
        (("offline", "granted"), True),  # the first came in after the second was dialled
        (("granted", "offline"), True),
        (("offline", ""), True),
        (("granted", "granted"), False),
        (("alone", "alone"), False),
    ],
)
def test_one_of_the_two_was_out_of_reach(floor, claims, found):
    first, later = floor.dial("1", 20 * MINUTE, claim=claims[0]), floor.dial("2", 8 * MINUTE, claim=claims[1])
    assert floor.pairs() == ([(first, later)] if found else [])


@pytest.mark.parametrize(
    ("facts", "ago", "reason"),
    [
        (("attempt",), 29 * MINUTE, "CALLED_RECENTLY"),
        (("attempt",), 31 * MINUTE, None),
        (("attempt", "contact"), 59 * MINUTE, "CALLED_RECENTLY"),
        (("attempt", "refusal"), 30 * DAY, "REFUSED"),
        (("attempt", "do-not-call"), 30 * DAY, "DO_NOT_CALL"),
        (("attempt", "final"), 30 * DAY, "DEAD_NUMBER"),
        (("attempt", "void"), MINUTE, None),
    ],
)
def test_it_is_what_the_guard_would_have_refused(floor, facts, ago, reason):
    floor.dial("1", ago + MINUTE, facts=facts)
    floor.dial("2", MINUTE)
    assert floor.reasons() == ([reason] if reason else [])


def test_one_booth_by_itself_and_other_numbers_are_none(floor):
    floor.dial("1", 20 * MINUTE)
    floor.dial("1", 8 * MINUTE)
    floor.dial("2", 8 * MINUTE, number=OTHER)
    floor.dial("2", 7 * MINUTE, incoming=True, decision={"verdict": "ALLOW"})
    floor.dial("3", 7 * MINUTE, emergency=True)
    assert floor.pairs() == []


def test_what_the_later_booth_knew_is_none(floor, office):
    known = office.fact(
        floor.booths["1"], "attempt", KEY, at=NOW - 20 * MINUTE, call=floor.dial("1", 20 * MINUTE, facts=())
    )
    floor.dial("2", 8 * MINUTE, evidence=[known])
    assert floor.pairs() == []


def test_what_the_server_had_told_in_time_is_none(floor, office):
    """The later booth has laxer rules than those that the page goes by; it was in touch and knew."""
    office.now = NOW - 20 * MINUTE
    floor.dial("1", 20 * MINUTE)
    office.now = NOW
    floor.dial("2", 8 * MINUTE, claim="granted")
    assert floor.pairs() == []


def test_a_supervisors_word_lets_the_window_pass_but_no_refusal(floor):
    floor.dial("1", 20 * MINUTE)
    floor.dial("2", 8 * MINUTE, decision={"reason": "OVERRIDDEN"})
    assert floor.pairs() == []
    floor.dial("1", 20 * MINUTE, facts=("attempt", "refusal"), number=OTHER)
    floor.dial("2", 8 * MINUTE, decision={"reason": "OVERRIDDEN"}, number=OTHER)
    assert floor.reasons() == ["REFUSED"]


def test_a_callback_that_the_later_booth_had_agreed_is_none(floor, office):
    office.fact(floor.booths["2"], "callback", KEY, at=NOW - DAY, due=NOW - 9 * MINUTE)
    floor.dial("1", 20 * MINUTE)
    floor.dial("2", 8 * MINUTE)
    assert floor.pairs() == []


def test_three_booths_are_two_pairs(floor):
    first, second, third = (floor.dial(name, ago * MINUTE) for name, ago in (("1", 25), ("2", 15), ("3", 5)))
    assert floor.pairs() == [(second, third), (first, second)]


def test_two_in_the_same_second_are_one_pair(floor):
    pair = sorted(floor.dial(name, MINUTE) for name in "12")
    assert floor.pairs() == [tuple(pair)]


def test_a_call_without_a_date_or_with_a_strange_record_spoils_nothing(floor):
    floor.dial("1", 20 * MINUTE)
    floor.dial("2", 8 * MINUTE, begun={"at": None, "boot": "b", "monotonic": 1.0})
    assert floor.pairs() == []
    floor.dial("3", 7 * MINUTE, evidence=[{"newer": 1}])
    assert len(floor.pairs()) == 1


def marks(page):
    """The forms' addresses on a page."""
    return [part.partition('"')[0] for part in page.text.split('action="')[1:] if part.startswith("/conflicts/")]


def test_a_pair_is_marked_as_seen_with_a_note_and_back(floor, sv, browser):
    floor.dial("1", 20 * MINUTE)
    floor.dial("2", 8 * MINUTE)
    (form,) = marks(sv.get("/conflicts"))
    assert form.endswith("/seen")
    answer = sv.post(form, {"note": "  お詫びの電話をした <b> "}, on="/conflicts")
    assert (answer.status_code, answer.headers["location"]) == (303, "/conflicts?done=seen")
    page = sv.get(answer.headers["location"])
    said = sv.words(page)
    for part in ("確認済みにしました", "未確認 0 件", "お詫びの電話をした <b>", "14:32 佐藤"):
        assert part in said, part
    assert "<b>" not in page.text
    assert "未確認（過去30日）" not in said
    sv.post(form, {"note": "another"}, on="/conflicts")
    assert "another" not in sv.get("/conflicts").text  # the first note stays
    (undo,) = marks(page)
    assert sv.post(undo, on="/conflicts").headers["location"] == "/conflicts?done=unseen"
    assert "未確認 1 件" in sv.words(sv.get("/conflicts"))
    assert browser(name="").get("/conflicts").status_code == 303


def test_only_a_pair_is_marked_and_only_by_our_own_form(floor, sv, new_id):
    first, later, own = floor.dial("1", 20 * MINUTE), floor.dial("2", 8 * MINUTE), floor.dial("1", 2 * DAY)
    assert sv.client.post(f"/conflicts/{first}/{later}/seen", data={"csrf": "no"}).status_code == 403
    for one, other in ((first, new_id()), (first, own), (first, first)):
        answer = sv.post(f"/conflicts/{one}/{other}/seen", on="/conflicts")
        assert answer.status_code == 404
        assert "その組み合わせの通話はありません" in sv.words(answer)


def test_many_are_leafed_through(floor, sv):
    for n in range(30):
        number = f"+813123456{n + 10:02}"
        floor.dial("1", 20 * MINUTE + n, number=number)
        floor.dial("2", 8 * MINUTE + n, number=number)
    first = sv.get("/conflicts")
    assert (len(marks(first)), "/conflicts?page=2" in first.text) == (25, True)
    second = sv.get("/conflicts?page=2")
    assert (len(marks(second)), "/conflicts?page=1" in second.text) == (5, True)
    assert not set(marks(first)) & set(marks(second))
    for odd in ("99", "0", "-1", "x", "٣"):
        assert sv.get(f"/conflicts?page={odd}").status_code == 200


def test_an_office_that_was_never_apart(floor, sv):
    floor.dial("1", 20 * MINUTE, claim="granted")
    assert "二重発信はありません" in sv.words(sv.get("/conflicts"))


@pytest.mark.slow
@pytest.mark.parametrize("numbers", [20_000, 400])
def test_a_hundred_thousand_calls_and_five_hundred_apart(floor, office, sv, numbers):
    """Whether every number was called five times or 250 times. The time is printed."""
    calls, facts = [], []
    for n in range(100_000):
        at, one, name = NOW - n * 60.0, floor.booths["123"[n % 3]], str(uuid.UUID(int=n + 1))
        key = f"+813{n % numbers:08}"
        apart = n % 200 == 7
        record = {"decision": SAID | {"considered": ["FREE"] * 16, "evidence": []}, "filler": "x" * 2000}
        calls.append({
            "id": name, "booth": one.id, "at": at, "moment": at, "agent": "OP07", "number": key, "shown": key,
            "answered": False, "claim": "offline" if apart else "granted", "version": 1, "taken": at + 3600 * apart,
            "record": msgspec.json.encode(record).decode(),
        })  # fmt: skip
        facts.append({
            "id": f"f{n}", "kind": "attempt", "number": key, "at": at, "booth": one.name, "sender": one.id, "agent": "",
            "call": name, "raw": "{}", "taken": at + 3600 * apart,
        })  # fmt: skip
        if n % 400 == 6:  # another booth calls the customer of the next one, who is out of reach, five minutes later
            later = {"number": f"+813{(n + 1) % numbers:08}", "at": at + 300}
            calls[-1].update(later, moment=at + 300, taken=at + 300)
            facts[-1].update(later, taken=at + 300)
    with office.parts.database.write() as connection:
        connection.execute(insert(call), calls)
        connection.execute(insert(fact), facts)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        page = sv.get("/conflicts")
        took.append(time.perf_counter() - began)
    found = len(floor.pairs())
    print(f"{numbers} numbers: {found} conflicts of {MOST} calls apart, page in {1000 * sorted(took)[2]:.0f} ms")
    assert page.status_code == 200
    assert found >= 200
