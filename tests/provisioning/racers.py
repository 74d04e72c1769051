"""What several processes do at once to one database. Functions that another process can be told to run."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from sqlalchemy import select, update

from firmware import wire
from provisioning.server.bell import Bell
from provisioning.server.booths import Booth
from provisioning.server.claims import Claims
from provisioning.server.database import Database
from provisioning.server.facts import Facts
from provisioning.server.schema import server_note

COUNT = "count"


def increments(url, threads, each, alone):
    """Read a number, write one that is larger by one; `threads` at once, `each` of them so many times."""
    with closing(Database(url)) as store, ThreadPoolExecutor(threads) as pool:

        def work(_):
            for _ in range(each):
                with store.write(alone=alone) as connection:
                    now = int(connection.scalar(select(server_note.c.value).where(server_note.c.key == COUNT)))
                    connection.execute(update(server_note).where(server_note.c.key == COUNT).values(value=str(now + 1)))

        list(pool.map(work, range(threads)))


def tell(url, booth, threads, each):
    """Tell facts, one at a time in each of `threads`; their ids."""
    with closing(Database(url)) as store, ThreadPoolExecutor(threads) as pool:
        log = Facts(store, Bell())

        def work(_):
            told = [fact() for _ in range(each)]
            for one in told:
                assert log.take(booth, [json.dumps(one).encode()]).refused == {}
            return [one["id"] for one in told]

        return [name for names in pool.map(work, range(threads)) for name in names]


def fact():
    """As a booth tells it."""
    told = {"id": str(uuid.uuid4()), "kind": "attempt", "number": "+81312345601"}
    return told | {"at": 1.5, "booth": "Booth 1", "agent": "OP07"}


def claims(url, booths, numbers):
    """Each booth, on a thread of its own, asks for all numbers; which ones it got."""
    with closing(Database(url)) as store, ThreadPoolExecutor(len(booths)) as pool:
        asked = Claims(store)

        def work(booth):
            wishes = [wire.Claim(number=number, seconds=600) for number in numbers]
            return [wish.number for wish in wishes if asked.ask(Booth(booth, booth), wish).granted]

        return list(pool.map(work, booths))
