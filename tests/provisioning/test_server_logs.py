"""No name, number, word or secret reaches a log, whatever is asked and whatever fails."""

import io
import json
import logging
import uuid
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from firmware import wire
from provisioning import cli
from provisioning.server import database, schema
from provisioning.server.operations import logs
from provisioning.server.pages import app, passwords

MARKS = {
    "name": "印印太郎",
    "number": "+81312345699",
    "shown": "03-1234-5699",
    "word": "印印の合言葉",
    "note": "印印メモ",
}
DIGITS = ("1234-5699", "312345699")
PASSWORD = "Correct印印Horse"


@pytest.fixture
def written():
    """Everything that is logged, in both styles, down to DEBUG of our own; what the root logger had comes back."""
    streams = io.StringIO(), io.StringIO()
    root, before = logging.getLogger(), logging.getLogger().level
    handlers = [logging.StreamHandler(stream) for stream in streams]
    for handler, formatter in zip(handlers, (logs.Lines(), logs.Plain()), strict=True):
        handler.setFormatter(formatter)
        root.addHandler(handler)
    for name in ("provisioning", "firmware"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.setLevel(logging.INFO)
    yield streams
    root.setLevel(before)
    for handler in handlers:
        root.removeHandler(handler)
    for name in ("provisioning", "firmware"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def discreet(text):
    """None of what people said or are called, however it is written."""
    for mark in (*MARKS.values(), "印印", *DIGITS, PASSWORD, "correct horse"):
        for form in (mark, quote(mark), mark.encode("unicode_escape").decode(), repr(mark.encode())[2:-1]):
            assert form.lower() not in text.lower(), form
    return True


def record(call, **more):
    customer = {"name": MARKS["name"], "reading": MARKS["word"], "list": {"name": MARKS["note"]}}
    number = {"key": MARKS["number"], "shown": MARKS["shown"]}
    result = {"code": "SALE", "version": 1, "note": MARKS["note"]}
    return {
        "version": 1,
        "id": str(call),
        "agent": MARKS["name"],
        "number": number,
        "customer": customer,
        "result": result,
    } | more


def test_nothing_that_booths_say_reaches_the_log(server, booth, deck, part, written):
    call_id = uuid.uuid4()
    one, stranger = booth(), booth()
    name = MARKS["name"]
    fact = {"id": str(uuid.uuid4()), "kind": "called", "number": MARKS["number"], "at": 1e9, "booth": name}
    one.tell(
        fact | {"agent": name, "note": MARKS["note"]}, {"id": name}, fact | {"kind": "lift", "id": name, "agent": ""}
    )
    bad = [record(call_id), record(name), record(call_id, version=9), record(uuid.uuid4(), talk=name), name]
    one.post(wire.CALLS, wire.Calls(calls=tuple(map(part, bad))), wire.Taken)
    stranger.post(wire.CALLS, wire.Calls(calls=(part(record(call_id)),)), wire.Taken)
    one.post(wire.SHIFTS, wire.Shifts(shifts=(part({"id": name, "kind": name, "agent": name}),)), wire.Taken)
    status = {"software": name, "pending_calls": 0, "pending_recordings": 0, "oldest": None, "free_bytes": 0}
    one.post(wire.STATUS, wire.Status(**status, faults=(name,)), wire.Wanted)
    one.post(wire.CLAIMS, wire.Claim(number=MARKS["number"]), wire.Claimed)
    whole = deck.journal(call_id)
    assert one.patch(call_id, 0, whole, whole, digest=bytes(32)).status == 422
    assert one.upload(call_id, whole).status == 204
    assert one.upload(uuid.uuid4(), whole).status == 204  # another call's: it cannot be opened
    for method, path, body in [
        ("POST", wire.CALLS, f'{{"version": 1, "calls": "{name}"'.encode()),
        ("POST", wire.CALLS, json.dumps({"version": name}).encode()),
        ("POST", wire.FACTS, MARKS["number"].encode("utf-16")),
        ("GET", f"{wire.LISTS}/{quote(name)}", b""),
        ("GET", f"{wire.FACTS}?cursor={quote(name)}&wait={quote(name)}", b""),
        ("HEAD", f"{wire.RECORDINGS}/{quote(MARKS['number'])}", b""),
        ("GET", f"/{quote(name)}?q={quote(MARKS['number'])}", b""),
    ]:
        assert one.ask(method, path, body).status < 500
    assert (
        one.plain("POST", wire.ENROL, wire.encode(wire.Enrol(secret=MARKS["word"], key=name, name=name))).status == 400
    )
    assert (
        one.plain("POST", wire.CALLS, name.encode(), {"Booth-Id": quote(name), "Authorization": quote(name)}).status
        < 500
    )
    server.parts.recordings.settle(30)
    with server.parts.database.write() as connection:  # our own fault, in the middle of a write
        connection.exec_driver_sql("ALTER TABLE shift RENAME TO gone")
    try:
        answer = one.ask(
            "POST", wire.SHIFTS, wire.encode(wire.Shifts(shifts=(part({"id": "1", "kind": name, "agent": name}),)))
        )
        assert answer.status in {500, 503}
    finally:
        with server.parts.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO shift")
    lines, plain = (stream.getvalue() for stream in written)
    assert discreet(lines)
    assert discreet(plain)
    events = [json.loads(line) for line in lines.splitlines()]
    assert all({"time", "level", "logger", "message", "process"} <= event.keys() for event in events)
    assert [event for event in events if event.get("call") == str(call_id) and event["booth"] == one.id]


@pytest.fixture
def desk(server):
    """Somebody at the pages, with a name and a password that are not to be told."""
    made = ["server", "init", "--data", str(server.parts.directory / "other"), "--announce"]
    assert cli.main(made) == 0
    with server.parts.database.write() as connection:
        row = {"name": MARKS["name"], "password": passwords.hashed(PASSWORD), "language": "ja", "created": 0.0}
        connection.execute(insert(schema.administrator).values(row))
    with httpx.Client(base_url=server.pages_url, timeout=30) as client:
        yield client


def csrf(page):
    return page.text.partition('name="csrf" value="')[2].partition('"')[0]


def test_nothing_that_people_key_in_reaches_the_log(booth, desk, written, call_id, part):
    one = booth(MARKS["name"])
    one.post(wire.CALLS, wire.Calls(calls=(part(record(call_id)),)), wire.Taken)
    for password in (PASSWORD + "x", PASSWORD):
        form = {"csrf": csrf(desk.get("/log-in")), "name": MARKS["name"], "password": password, "next": "/"}
        answer = desk.post("/log-in", data=form)
    assert answer.status_code == 303
    form = {"csrf": csrf(desk.get("/account"))} | dict.fromkeys(
        ("name", "note", "password", "new", "again", "reason", "q"), MARKS["word"]
    )
    ids = {
        "booth": one.id,
        "call": str(call_id),
        "number": MARKS["number"],
        "list": MARKS["name"],
        "recording": str(call_id),
    }
    ids |= {"earlier": str(call_id), "later": MARKS["name"], "token:int": "7"}
    filled = {
        path: "/".join(
            quote(ids.get(piece.strip("{}"), piece.replace("{recording}", str(call_id)))) for piece in path.split("/")
        )
        for path in (*app.PAGES, *app.FORMS)
    }
    for path in app.PAGES:
        assert desk.get(filled[path], params={"q": MARKS["name"], "number": MARKS["shown"]}).status_code < 500, path
    sheet = f"name,number\n{MARKS['name']},{MARKS['shown']}\n{MARKS['word']},none\n".encode()
    for path in app.FORMS:
        if path not in {"/log-out", "/booths/{booth}/revoke"}:
            answer = desk.post(filled[path], data=form, files={"file": (f"{MARKS['name']}.csv", sheet, "text/csv")})
            assert answer.status_code < 500, path
    assert (
        desk.post(
            "/lists", content=MARKS["name"].encode(), headers={"content-type": "multipart/form-data; boundary=x"}
        ).status_code
        < 500
    )
    assert desk.get(f"/{quote(MARKS['name'])}?{quote(MARKS['number'])}").status_code == 404
    for stream in written:
        assert discreet(stream.getvalue())
        assert "account" in stream.getvalue()


def test_what_a_database_says_of_rows_is_not_repeated(postgresql, written):
    """PostgreSQL quotes the whole row that breaks a rule."""
    url = postgresql.new()
    store, log = database.Database(url), logging.getLogger("provisioning.test")
    try:
        with store.write() as connection:
            connection.exec_driver_sql("ALTER TABLE administrator ADD CHECK (created > 5)")
        row = {"name": MARKS["name"], "password": PASSWORD, "language": "ja", "created": 1.0}
        with pytest.raises(SQLAlchemyError) as broken, store.write() as connection:
            connection.execute(insert(schema.administrator).values(row))
        assert MARKS["name"] in str(broken.value.__cause__)  # or else this test would show nothing
        log.error("it went wrong", exc_info=broken.value)
        never = f"Task exception was never retrieved\nfuture: <Task exception={broken.value!r}>"
        logging.getLogger("asyncio").error(never, exc_info=broken.value)
        logging.getLogger("uvicorn.error").warning("Odd request: %s", broken.value.__cause__)
    finally:
        store.close()
        postgresql.drop(url)
    lines, plain = (stream.getvalue() for stream in written)
    assert discreet(lines)
    assert discreet(plain)
    event = json.loads(lines.splitlines()[0])
    assert event["error"] == ["sqlalchemy.exc.IntegrityError", "psycopg.errors.CheckViolation"]
    assert any("test_server_logs.py" in place for place in event["at"])
    assert "it went wrong" in plain
