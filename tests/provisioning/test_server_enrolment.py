"""Who may talk to the server: tokens, keys, signatures, nonces and counters."""

import base64
import json
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from firmware import wire
from provisioning.server import schema, tokens
from provisioning.server.run import Server
from provisioning.server.signatures import WINDOW, Window


def secret(server, lasts=60.0):
    with server.parts.database.write() as connection:
        return tokens.new(connection, "Booth 9", time.time(), lasts)


def token(server, secret):
    return tokens.text(secret, server.api_url, server.parts.pins)


def test_a_token_makes_one_booth_known(server, phone):
    one = phone(server.new_token("Booth 1"), name="whatever the box says")
    told = wire.decode(one.enrol().body, wire.Enrolled)
    assert told.name == "Booth 1"
    assert told.recipients[0].startswith("age1")
    assert told.pins == tuple(one.token.pin.split(","))
    assert abs(told.time - time.time()) < 60
    assert one.ask("GET", wire.LISTS).status == 200


def test_only_a_hash_of_the_secret_is_kept(server):
    shown = secret(server)
    with server.parts.database.read() as connection:
        kept = repr([connection.execute(table.select()).all() for table in schema.metadata.sorted_tables])
    assert tokens.hashed(shown) in kept
    assert shown not in kept


def test_a_spent_token_is_refused_to_another_booth(server, phone):
    text = server.new_token("Booth 2")
    assert phone(text).enrol().status == 200
    other = phone(text).enrol()
    assert (other.status, other.error) == (403, "token-spent")


def test_an_answer_that_was_lost_is_given_again(server, phone):
    one = phone(server.new_token("Booth 3"))
    first, again = one.enrol(), one.enrol()
    assert again.status == 200
    assert wire.decode(first.body, wire.Enrolled).booth == wire.decode(again.body, wire.Enrolled).booth


@pytest.mark.parametrize("same_key", [True, False])
def test_of_two_at_once_one_booth_is_made(server, phone, same_key):
    text = server.new_token("Booth 4")
    phones = [phone(text) for _ in range(6)]
    if same_key:
        for one in phones:
            one.key = phones[0].key
    answers = []
    threads = [threading.Thread(target=lambda one=one: answers.append(one.enrol())) for one in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    made = [wire.decode(answer.body, wire.Enrolled).booth for answer in answers if answer.status == 200]
    assert len(set(made)) == 1
    assert len(made) == (6 if same_key else 1)


def test_an_old_token_is_refused(server, phone):
    answer = phone(token(server, secret(server, lasts=-1.0))).enrol()
    assert (answer.status, answer.error) == (403, "token-expired")


def test_a_token_that_was_taken_back_is_refused(server, phone):
    shown = secret(server)
    with server.parts.database.write() as connection:
        newest = tokens.every(connection, time.time())[0]
        assert tokens.revoke(connection, newest.id, time.time())
        assert not tokens.revoke(connection, newest.id + 1, time.time())
    answer = phone(token(server, shown)).enrol()
    assert (answer.status, answer.error) == (403, "token-revoked")


def test_a_stranger_is_refused(server, phone):
    answer = phone(token(server, "made-up")).enrol()
    assert (answer.status, answer.error) == (403, "token")


@pytest.mark.parametrize("key", ["", "AAAA", "not base64!", base64.b64encode(bytes(33)).decode()])
def test_a_key_must_be_one(server, phone, key):
    one = phone(server.new_token("Booth 5"))
    wish = wire.Enrol(secret=one.token.secret, key=key, name="")
    answer = one.plain("POST", wire.ENROL, wire.encode(wish))
    assert (answer.status, answer.error) == (400, "key")
    assert one.enrol().status == 200  # the token is not spent by that


def test_a_request_must_be_signed(booth):
    answer = booth().plain("GET", wire.LISTS)
    assert (answer.status, answer.error) == (401, "unsigned")


def test_an_unknown_booth_is_refused(booth):
    answer = booth().ask("GET", wire.LISTS, booth="00000000-0000-4000-8000-000000000000")
    assert (answer.status, answer.error) == (403, "unknown-booth")


def test_nobody_can_speak_for_another(booth):
    one, other = booth(), booth()
    answer = one.ask("GET", wire.LISTS, booth=other.id)
    assert (answer.status, answer.error) == (401, "signature")


def test_what_was_changed_on_its_way_is_refused(booth):
    one = booth()
    body = wire.encode(wire.Claim(number="+81312345601"))
    headers = one.signed("POST", wire.CLAIMS, body)
    changed = one.plain("POST", wire.CLAIMS, body.replace(b"01", b"02"), headers)
    assert (changed.status, changed.error) == (401, "signature")
    elsewhere = one.plain("POST", wire.STATUS, body, headers)
    assert (elsewhere.status, elsewhere.error) == (401, "signature")


@pytest.mark.parametrize("header", [wire.OFFSET, wire.LENGTH, wire.COMPLETE, wire.DIGEST])
def test_upload_headers_are_signed_too(booth, call_id, header):
    one = booth()
    target = f"{wire.RECORDINGS}/{call_id}"
    headers = one.signed("PATCH", target, b"x", {wire.OFFSET: "0", wire.COMPLETE: "?0"})
    answer = one.plain("PATCH", target, b"x", headers | {header: "7"})
    assert (answer.status, answer.error) == (401, "signature")


def test_the_query_is_signed_too(booth):
    one = booth()
    headers = one.signed("GET", f"{wire.FACTS}?cursor=&wait=0")
    answer = one.plain("GET", f"{wire.FACTS}?cursor=a:1&wait=0", headers=headers)
    assert (answer.status, answer.error) == (401, "signature")


def test_a_replayed_request_is_refused(booth):
    one = booth()
    headers = one.signed("GET", wire.LISTS)
    assert one.plain("GET", wire.LISTS, headers=headers).status == 200
    again = one.plain("GET", wire.LISTS, headers=headers)
    assert (again.status, again.error) == (401, "counter")


def test_a_forgery_uses_up_no_counter(booth):
    one = booth()
    headers = one.signed("GET", wire.LISTS, counter=500)
    forged = headers | {wire.SIGNATURE: base64.b64encode(Ed25519PrivateKey.generate().sign(b"")).decode()}
    assert one.plain("GET", wire.LISTS, headers=forged).error == "signature"
    assert one.plain("GET", wire.LISTS, headers=headers).status == 200


def test_requests_may_overtake_each_other_but_not_for_ever(booth):
    one = booth()
    assert one.ask("GET", wire.LISTS, counter=WINDOW + 10).status == 200
    assert one.ask("GET", wire.LISTS, counter=11).status == 200
    old = one.ask("GET", wire.LISTS, counter=10)
    assert (old.status, old.error) == (401, "counter")


@pytest.mark.parametrize("counter", ["", "0", "-1", "1.5", "x", "9" * 19, "9" * 40, "１"])
def test_a_counter_must_be_one(booth, counter):
    one = booth()
    headers = one.signed("GET", wire.LISTS)
    answer = one.plain("GET", wire.LISTS, headers=headers | {wire.COUNTER: counter.encode("utf-8")})
    assert (answer.status, answer.error) == (401, "counter")


@pytest.mark.parametrize("signature", ["", "AAAA", "not base64!", "é"])
def test_a_signature_must_be_one(booth, signature):
    one = booth()
    headers = one.signed("GET", wire.LISTS) | {wire.SIGNATURE: signature.encode("utf-8")}
    assert one.plain("GET", wire.LISTS, headers=headers).error == "signature"


def test_a_wrong_nonce_tells_to_fetch_the_right_one(booth):
    answer = booth().ask("GET", wire.LISTS, nonce="yesterday's")
    assert (answer.status, answer.error) == (401, "nonce")


def test_what_was_recorded_before_a_restart_is_refused_after_it(tmp_path, phone):
    server = Server(tmp_path)
    server.start()
    one = phone(server.new_token("Booth"))
    one.enrol()
    old = one.signed("GET", wire.LISTS)
    port = int(server.api_url.rpartition(":")[2])
    server.stop()
    again = Server(tmp_path, api_port=port)
    again.start()
    try:
        answer = one.plain("GET", wire.LISTS, headers=old)
        assert (answer.status, answer.error) == (401, "nonce")
        one.nonce = ""
        assert one.ask("GET", wire.LISTS, counter=1).status == 200  # the window begins anew with the nonce
    finally:
        again.stop()


def test_a_revoked_booth_is_refused_at_once_and_may_come_back(server, booth):
    one = booth()
    server.parts.booths.revoke(one.id)
    answer = one.ask("GET", wire.LISTS)
    assert (answer.status, answer.error) == (403, "revoked")
    assert b"supervisor" in answer.body
    server.parts.booths.revoke(one.id, revoked=False)
    assert one.ask("GET", wire.LISTS).status == 200


def test_a_revoked_booth_cannot_come_back_by_its_token(server, phone):
    one = phone(server.new_token("Booth"))
    one.enrol()
    server.parts.booths.revoke(one.id)
    assert one.enrol().status == 200  # it learns nothing that it did not know
    assert one.ask("GET", wire.LISTS).error == "revoked"


def test_a_booth_says_how_it_is(server, booth):
    one = booth("Booth 7")
    status = wire.Status(
        software="26.11.0",
        pending_calls=3,
        pending_recordings=-1,
        oldest=None,
        free_bytes=2**63,
        faults=("card-full",),
        pending_bytes=3_200_000_000,
        pace=-1.0,
        opens=5400.0,
    )
    answer = one.ask("POST", wire.STATUS, wire.encode(status))
    wanted = wire.decode(answer.body, wire.Wanted)
    assert (wanted.name, wanted.pins) == ("Booth 7", server.parts.pins)
    with server.parts.database.read() as connection:
        row = connection.execute(select(schema.booth).where(schema.booth.c.id == one.id)).one()
    assert (row.software, row.pending_calls, row.pending_recordings) == ("26.11.0", 3, 0)
    assert row.faults == ["card-full"]
    assert abs(row.seen - time.time()) < 60
    assert (row.pending_bytes, row.pace, row.opens - row.seen) == (3_200_000_000, 0.0, pytest.approx(5400.0))


def test_a_booth_of_an_older_version_tells_less(server, booth):
    one = booth("Booth 8")
    older = {"software": "26.11.0", "pending_calls": 0, "pending_recordings": 2, "oldest": None, "free_bytes": 9}
    assert one.ask("POST", wire.STATUS, json.dumps(older | {"version": 1}).encode()).status == 200
    with server.parts.database.read() as connection:
        row = connection.execute(select(schema.booth).where(schema.booth.c.id == one.id)).one()
    assert (row.pending_recordings, row.pending_bytes, row.pace, row.opens) == (2, 0, 0.0, None)


POSTS = [wire.CALLS, wire.FACTS, wire.SHIFTS, wire.STATUS, wire.CLAIMS, wire.ENROL]


@pytest.mark.parametrize("path", POSTS)
def test_an_unknown_version_is_refused_in_words(booth, path):
    answer = booth().ask("POST", path, b'{"version": 2}')
    assert (answer.status, answer.error) == (426, "version")
    assert b"version 2 of the protocol is not known" in answer.body


def test_nothing_is_answered_but_in_words_of_the_wire(booth):
    one = booth()
    assert one.plain("GET", "/").error == "path"
    assert one.plain("DELETE", wire.CALLS).error == "path"
    assert one.ask("GET", f"{wire.LISTS}/x").error == "list"
    assert one.ask("HEAD", f"{wire.RECORDINGS}/x").status == 404
    assert one.ask("GET", f"{wire.FACTS}?wait=x").error == "wait"


def test_a_body_has_an_end(booth):
    one = booth()
    headers = one.signed("POST", wire.FACTS) | {"Content-Length": str(wire.LONGEST_BODY + 1)}
    answer = one.plain("POST", wire.FACTS, headers=headers)
    assert (answer.status, answer.error) == (413, "size")


def test_the_body_of_a_stranger_is_not_read(booth):
    one = booth()
    headers = {wire.BOOTH: "nobody", wire.SERVER_NONCE: one.nonce or one.signed("GET", "/")[wire.SERVER_NONCE]}
    answer = one.plain("POST", wire.FACTS, b"", headers | {"Content-Length": "1000000"})
    assert answer.error == "unknown-booth"  # although not one byte of it has come


@settings(max_examples=30, deadline=None)
@given(path=st.sampled_from(POSTS), body=st.binary(max_size=60))
def test_no_body_breaks_the_server(shared, path, body):
    answer = shared.ask("POST", path, body)
    assert answer.status == 400
    assert answer.error == "message"


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"version":1,"facts":' + b"[" * 100_000, b'{"version":1,"facts":[{"x":"\xff"}]}']
)
def test_no_depth_breaks_the_server(booth, body):
    answer = booth().ask("POST", wire.FACTS, body)
    assert answer.status == (200 if b"x" in body else 400)


@given(st.lists(st.integers(1, 3 * WINDOW), max_size=60))
def test_the_window_takes_every_counter_at_most_once(counters):
    window, taken = Window(), set()
    for counter in counters:
        late = taken and counter <= max(taken) - WINDOW
        assert window.take(counter) == (counter not in taken and not late)
        if counter not in taken and not late:
            taken.add(counter)
