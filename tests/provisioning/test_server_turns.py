"""Many booths with the backlog of weeks: a few are served at a time, and nobody who brings little waits for them."""

import asyncio
import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from firmware import wire
from provisioning.server.refusals import Refused
from provisioning.server.turns import LARGE, LATEST, PLACES, Turns


def test_so_many_at_once_so_many_wait_and_the_others_come_again():
    turns, at_work, most, later = Turns(2, places=3), 0, 0, []

    async def come(leave):
        nonlocal at_work, most
        try:
            async with turns.taken():
                at_work, most = at_work + 1, max(most, at_work + 1)
                await leave.wait()
                at_work -= 1
        except Refused as problem:
            later.append((problem.status, problem.error, int(problem.headers["Retry-After"])))

    async def day():
        leave = asyncio.Event()
        tasks = [asyncio.create_task(come(leave)) for _ in range(9)]
        while len(later) < 4:
            await asyncio.wait(tasks, timeout=0.01)
        assert (at_work, turns.here) == (2, 5)
        tasks[2].cancel()  # one who waits hangs up: its place is free
        await asyncio.wait([tasks[2]])
        assert turns.here == 4
        leave.set()
        await asyncio.wait(tasks)
        assert (at_work, turns.here) == (0, 0)
        await come(leave)

    asyncio.run(day())
    assert most == 2
    assert len(later) == turns.sent_away == 4
    assert {one[:2] for one in later} == {(503, wire.QUEUE)}
    assert all(1 <= one[2] <= LATEST for one in later)


def test_the_more_are_away_the_later_they_are_asked_back_but_within_reason():
    async def day():
        turns, asked = Turns(1, places=0), []
        turns._takes = 2.0
        async with turns.taken():
            for _ in range(200):
                with pytest.raises(Refused) as caught:
                    async with turns.taken():
                        pass
                asked.append(int(caught.value.headers["Retry-After"]))
        return asked

    asked = asyncio.run(day())
    assert asked == sorted(asked)
    assert asked[0] <= 4
    assert asked[-1] == LATEST


def page(part):
    """A hundred calls as a booth tells them, of some years ago."""
    return tuple(
        part({"version": 1, "id": str(uuid.uuid4()), "agent": "07", "number": {"key": "x"}, "padding": "x" * 300})
        for _ in range(100)
    )


def test_a_backlog_waits_and_a_single_call_does_not(server, booth, part):
    """The server's writing is held up; whoever then brings much, beyond those who may wait, is sent away at once."""
    if not server.parts.database.sqlite:
        pytest.skip("writers of PostgreSQL do not wait for each other")
    phones = [booth(f"Booth {n}") for n in range(PLACES + 4)]
    bodies = [wire.encode(wire.Calls(calls=page(part))) for _ in phones]
    assert min(map(len, bodies)) > LARGE
    for phone in phones:
        phone.ask("GET", wire.LISTS)
    answers, enough = [], threading.Event()

    def bring(phone, body):
        answer = phone.ask("POST", wire.CALLS, body)
        answers.append(answer)
        if answer.status == 503 and sum(one.status == 503 for one in answers) >= 2:
            enough.set()
        return answer

    with ThreadPoolExecutor(len(phones)) as pool:
        with server.parts.database.write():
            jobs = [pool.submit(bring, *one) for one in zip(phones, bodies, strict=True)]
            assert enough.wait(30)
            assert phones[0].hear(wait=0).cursor  # who only asks is answered
        done = [job.result() for job in jobs]
    sent_away = [one for one in done if one.status == 503]
    assert sorted(one.status for one in done) == [200] * (PLACES + 2) + [503] * 2
    assert {one.error for one in sent_away} == {wire.QUEUE}
    assert all(1 <= int(one.headers["Retry-After"]) <= LATEST for one in sent_away)
    single = json.loads(bodies[-1])["calls"][0]
    assert phones[-1].post(wire.CALLS, wire.Calls(calls=(part(single),)), wire.Taken).ids == (single["id"],)
