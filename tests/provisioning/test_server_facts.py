"""Facts from all booths, in one order, heard by all within a moment; and claims."""

import json
import sqlite3
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DatabaseError

from firmware import wire
from firmware.known import FactKind
from provisioning.server import database, facts, schema
from provisioning.server.bell import Bell
from provisioning.server.booths import Booth
from provisioning.server.claims import LONGEST, Claims
from provisioning.server.facts import Facts

NUMBER = "+81312345601"


def fact(kind="attempt", number=NUMBER, **other):
    """As a booth tells it."""
    told = {"id": str(uuid.uuid4()), "kind": kind, "number": number, "at": 1.5, "booth": "Booth 1", "agent": "OP07"}
    return told | other


def heard(news):
    return [json.loads(bytes(raw)) for raw in news.facts]


def mine(one, wanted, cursor=""):
    """Those facts of `wanted` (ids) that a booth hears, in order; to the very end."""
    found = []
    while (news := one.hear(cursor)).facts:
        found += [told["id"] for told in heard(news)]
        cursor = news.cursor
    return [name for name in found if name in wanted]


def made(url):
    """A database with two booths in it, and no server."""
    store = database.Database(url)
    store.upgrade()
    with store.write() as connection:
        for name in "AB":
            connection.execute(insert(schema.booth).values(id=name, name=f"Booth {name}", key=b"", enrolled=0.0))
    return store


@pytest.fixture
def store(database_url):
    store = made(database_url)
    yield store
    store.close()


@pytest.fixture
def log(store):
    """Its facts."""
    log = Facts(store, Bell())
    log.prepare()
    return log


def test_a_fact_reaches_every_booth_and_its_own(booth):
    one, other = booth(), booth()
    told = fact("refusal", call=str(uuid.uuid4()), result="REF")
    assert one.tell(told).ids == (told["id"],)
    for listener in (one, other):
        assert told["id"] in mine(listener, {told["id"]})


def test_the_same_again_changes_nothing(booth):
    one = booth()
    told = fact()
    for _ in range(3):
        assert one.tell(told, told).ids == (told["id"], told["id"])
    assert mine(one, {told["id"]}) == [told["id"]]


def test_a_newer_booths_fields_survive(booth):
    one, other = booth(), booth()
    cursor = other.latest()
    told = fact("a kind of tomorrow", note="「メモ」", weight={"kilos": [1, 2.5, None]})
    one.tell(told)
    found = [each for each in heard(other.hear(cursor)) if each["id"] == told["id"]]
    assert [{**each, "seq": 0} for each in found] == [told | {"seq": 0}]


@pytest.mark.parametrize("kind", [FactKind.LIFT, FactKind.CONSENT])
def test_a_booth_may_not_open_a_number(booth, kind):
    one = booth()
    opens, good = fact(kind.value), fact()
    taken = one.tell(opens, good)
    assert taken.ids == (good["id"],)
    assert "on the server" in taken.refused[opens["id"]]
    assert not mine(one, {opens["id"]})


def test_whatever_makes_the_guard_stricter_is_taken_from_any_booth(booth):
    one, other = booth(), booth()
    told = [fact(kind.value) for kind in (FactKind.REFUSAL, FactKind.DO_NOT_CALL, FactKind.FINAL, FactKind.WITHDRAWAL)]
    wanted = [each["id"] for each in told]
    assert one.tell(*told).ids == tuple(wanted)
    assert mine(other, set(wanted)) == wanted


@pytest.mark.parametrize(
    "broken",
    [7, [], {}, {"id": "x"}, fact(number=""), fact(kind=""), fact(note="x" * 9000), fact(note="\0"), fact(at="soon")],
)
def test_one_broken_fact_holds_up_no_other(booth, broken):
    one = booth()
    good = fact()
    taken = one.tell(broken, good)
    assert taken.ids == (good["id"],)
    assert list(taken.refused) == [broken["id"] if isinstance(broken, dict) and "id" in broken else "#0"]


def test_a_supervisors_lift_is_heard(server, booth):
    one = booth()
    cursor = one.latest()
    lift = wire.Fact(**fact("lift", booth=facts.HERE, agent="sato", note="心変わりの連絡あり"))
    server.parts.facts.add(lift)
    assert mine(one, {lift.id}, cursor) == [lift.id]


def test_many_facts_come_in_portions_and_in_order(booth):
    one = booth()
    cursor = one.latest()
    told = [fact() for _ in range(facts.MOST + 20)]
    one.tell(*told)
    first = one.hear(cursor)
    assert len(first.facts) == facts.MOST
    assert mine(one, {each["id"] for each in told}, cursor) == [each["id"] for each in told]


def test_a_fact_is_heard_by_another_booth_within_a_second(booth):
    listener, teller = booth(), booth()
    cursor = listener.latest()
    came, asked = {}, threading.Event()
    target = f"{wire.FACTS}?cursor={cursor}&lists={listener.lists().tag}&wait=20"

    def listen():
        headers = listener.signed("GET", target)
        asked.set()
        answer = listener.plain("GET", target, headers=headers, patience=30)
        came["at"], came["news"] = time.monotonic(), wire.decode(answer.body, wire.News)

    thread = threading.Thread(target=listen)
    thread.start()
    assert asked.wait(10)
    told = fact("refusal")
    body = wire.encode(wire.Facts(facts=()))
    teller.ask("POST", wire.FACTS, body)  # gives the listener the time of one request to begin to wait
    begun = time.monotonic()
    teller.tell(told)
    thread.join(30)
    assert [each["id"] for each in heard(came["news"])] == [told["id"]]
    assert came["at"] - begun < 1.0


def test_a_long_poll_ends_by_itself(booth):
    one = booth()
    cursor = one.latest()
    begun = time.monotonic()
    news = one.hear(cursor, wait=0.3)
    assert (news.facts, news.cursor) == ((), cursor)
    assert 0.25 < time.monotonic() - begun < 5


def test_a_reader_misses_nothing_while_many_write(booth):
    """What eight booths tell at once is heard once each, by one who asks again and again."""
    booths = [booth() for _ in range(8)]
    told = {one: [fact() for _ in range(25)] for one in booths}
    wanted = {each["id"] for those in told.values() for each in those}
    reader, cursor, found = booth(), booths[0].latest(), []
    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(lambda one=one: [one.tell(each) for each in told[one]]) for one in booths]
        while len(found) < len(wanted):
            news = reader.hear(cursor, wait=5)
            assert news.facts, "nothing more comes"
            found += [each["id"] for each in heard(news) if each["id"] in wanted]
            cursor = news.cursor
    assert all(one.result() for one in done)
    assert len(found) == len(set(found))
    assert set(found) == wanted


def test_after_a_restore_booths_begin_anew(log):
    raws = [wire.encode(wire.Fact(**fact())) for _ in range(3)]
    log.take("A", raws)
    ahead = log.after("").cursor
    log.begin_epoch()
    news = log.after(ahead)
    assert news.reset
    assert not news.facts
    again = log.after(news.cursor)
    assert not again.reset
    assert len(again.facts) == 3


def test_a_backup_is_noticed_by_the_first_booth_that_knows_more(log):
    log.take("A", [wire.encode(wire.Fact(**fact()))])
    epoch, _, seq = log.after("").cursor.rpartition(":")
    news = log.after(f"{epoch}:{int(seq) + 1}")
    assert news.reset
    assert not news.cursor.startswith(epoch)
    assert log.after(f"{epoch}:1").reset  # the other booths hear of it too


def test_two_booths_that_notice_a_backup_at_once_begin_one_epoch(log):
    before = log.after("").cursor.partition(":")[0]
    with ThreadPoolExecutor(4) as pool:
        begun = list(pool.map(lambda _: log.after(f"{before}:7").cursor, range(4)))
    assert len(set(begun)) == 1
    assert not begun[0].startswith(before)


@pytest.mark.parametrize("cursor", ["x", "x:1", ":", "::", "x:-1", "x:1:1", "é:1", "x:" + "9" * 30])
def test_a_cursor_of_elsewhere_begins_anew(log, cursor):
    assert log.after(cursor).reset


@pytest.mark.parametrize("statement", [update(schema.fact).values(note="changed"), delete(schema.fact)])
def test_the_database_itself_keeps_facts(store, log, statement):
    log.take("A", [wire.encode(wire.Fact(**fact()))])
    with pytest.raises(DatabaseError, match="only ever added"), store.write() as connection:
        connection.execute(statement)
    assert len(log.after("").facts) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_not_even_replace_slips_past(store, log):
    log.take("A", [json.dumps(fact()).encode()])
    with pytest.raises(DatabaseError, match="only ever added"), store.write() as connection:
        connection.exec_driver_sql("REPLACE INTO fact SELECT * FROM fact")
    assert len(log.after("").facts) == 1


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_a_fact_holds_it_is_taken_or_refused(kept, data):
    text = st.text(max_size=8)
    value = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
    told = data.draw(
        st.fixed_dictionaries(
            {"id": text, "kind": text, "number": text, "at": value, "booth": text, "agent": text},
            optional={"due": value, "note": value, "call": value, "more": st.lists(value, max_size=2)},
        )
    )
    part = json.dumps(told).encode()
    taken = kept.take("A", [part])
    assert len(taken.ids) + len(taken.refused) == 1


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept(request, tmp_path_factory):
    """Facts for many examples."""
    file = tmp_path_factory.mktemp("facts") / "server.db"
    store = made(request.getfixturevalue("postgresql").new() if request.param == "postgresql" else f"sqlite:///{file}")
    log = Facts(store, Bell())
    log.prepare()
    yield log
    store.close()


# Claims


class Clock:
    """A clock in a test's hands."""

    def __init__(self):
        self.at = 1000.0

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def claims(store, clock):
    return Claims(store, clock)


A, B = Booth("A", "Booth A"), Booth("B", "Booth B")


def test_a_claimed_number_is_nobody_elses(claims):
    mine = claims.ask(A, wire.Claim(number=NUMBER, seconds=60))
    other = claims.ask(B, wire.Claim(number=NUMBER, seconds=60))
    assert (mine.granted, mine.expires) == (True, 1060.0)
    assert (other.granted, other.holder, other.expires) == (False, "Booth A", 1060.0)
    assert claims.ask(B, wire.Claim(number="+81312345602")).granted


def test_a_claim_ends_by_itself_and_the_fence_grows(claims, clock):
    first = claims.ask(A, wire.Claim(number=NUMBER, seconds=60))
    clock.at += 59.9
    assert not claims.ask(B, wire.Claim(number=NUMBER)).granted
    clock.at += 0.1
    second = claims.ask(B, wire.Claim(number=NUMBER, seconds=60))
    assert second.granted
    assert second.fence > first.fence
    assert not claims.ask(A, wire.Claim(number=NUMBER)).granted


def test_whoever_has_it_may_prolong_it_under_the_same_fence(claims, clock):
    first = claims.ask(A, wire.Claim(number=NUMBER, seconds=60))
    clock.at += 30
    again = claims.ask(A, wire.Claim(number=NUMBER, seconds=60))
    assert (again.granted, again.expires, again.fence) == (True, 1090.0, first.fence)
    clock.at += 3600
    assert claims.ask(A, wire.Claim(number=NUMBER)).fence > first.fence  # somebody might have had it in between


def test_whoever_lets_go_frees_the_number_at_once(claims):
    first = claims.ask(A, wire.Claim(number=NUMBER, seconds=60))
    assert first.seconds == 60
    assert claims.ask(B, wire.Claim(number=NUMBER)).seconds == 60
    claims.ask(B, wire.Claim(number=NUMBER, seconds=0))  # not B's to let go
    assert not claims.ask(B, wire.Claim(number=NUMBER)).granted
    assert not claims.ask(A, wire.Claim(number=NUMBER, seconds=0)).granted
    second = claims.ask(B, wire.Claim(number=NUMBER))
    assert (second.granted, second.fence) == (True, first.fence + 1)


def test_with_a_claim_comes_what_is_known_of_the_number_and_of_no_other(claims, log, part):
    told = [fact(note=str(n)) for n in range(facts.MOST + 3)]
    log.take("A", [part(one) for one in (*told, fact(number="+81312345602"))])
    mine = claims.ask(A, wire.Claim(number=NUMBER))
    assert [one["id"] for one in heard(mine)] == [one["id"] for one in told[3:]]  # the newest, oldest first
    assert [one["seq"] for one in heard(mine)] == sorted(one["seq"] for one in heard(mine))
    assert claims.ask(B, wire.Claim(number=NUMBER)).facts == ()  # it is not B's to call
    assert claims.ask(A, wire.Claim(number=NUMBER, seconds=0)).facts == ()


def test_nobody_claims_for_ever(claims):
    assert claims.ask(A, wire.Claim(number=NUMBER, seconds=1e12)).expires == 1000.0 + LONGEST


@pytest.mark.parametrize("wish", [{"number": ""}, {"number": "1" * 101}, {"number": "1", "seconds": -1}])
def test_a_claim_must_be_one(booth, wish):
    answer = booth().ask("POST", wire.CLAIMS, wire.encode(wire.Claim(**wish)))
    assert (answer.status, answer.error) == (400, "claim")


def test_booths_that_race_never_both_win(booth):
    booths = [booth(f"Booth {number}") for number in range(4)]
    numbers = [f"+8131234{number:04}" for number in range(15)]

    def race(one):
        return [one.post(wire.CLAIMS, wire.Claim(number=number), wire.Claimed).granted for number in numbers]

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(race, booths))
    assert [sum(those) for those in zip(*won, strict=True)] == [1] * len(numbers)


# The database under them


def test_no_write_is_lost(store):
    """With SQLite's defaults most of these are lost without an error."""
    with store.write() as connection:
        connection.execute(insert(schema.server_note).values(key="count", value="0"))
    note = schema.server_note

    def count(_):
        with store.write() as connection:
            now = int(connection.scalar(select(note.c.value).where(note.c.key == "count")))
            connection.execute(update(note).where(note.c.key == "count").values(value=str(now + 1)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(200)))
    with store.read() as connection:
        assert connection.scalar(select(note.c.value).where(note.c.key == "count")) == "200"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_another_process_may_write_too(store, tmp_path):
    other = sqlite3.connect(tmp_path / "server.db", timeout=10, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO server_note VALUES ('theirs', '1')")
    ours = threading.Thread(target=lambda: _put(store, "ours"))
    ours.start()
    other.execute("COMMIT")
    other.close()
    ours.join(10)
    with store.read() as connection:
        assert set(connection.scalars(select(schema.server_note.c.key))) >= {"theirs", "ours"}


def _put(store, key):
    with store.write() as connection:
        connection.execute(insert(schema.server_note).values(key=key, value="1"))
