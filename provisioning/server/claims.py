"""Claims: a number belongs to one booth for a moment, so that two agents do not call the same customer at once.

What is known of the number comes with the grant, out of the same transaction: whoever let the number go before has told
what came of it, so a booth that holds a number knows all that was told of it, however slow its long-poll is.
"""

import time
from collections.abc import Callable
from http import HTTPStatus

from sqlalchemy import Double, bindparam, case, select, update
from sqlalchemy.sql.dml import ReturningInsert

from firmware import wire
from provisioning.server.booths import Booth
from provisioning.server.database import Database
from provisioning.server.facts import of_number
from provisioning.server.refusals import Refused
from provisioning.server.schema import booth, claim

LONGEST = 600.0  # seconds; whoever needs a number for longer claims it again
LONGEST_NUMBER = 100


class Claims:
    """Leases that end by themselves: a booth that fell silent blocks nobody for long. Blocking.

    They wait for no disk. A power cut may take those of the last second; what was dialled under them stands in the facts,
    which are on disk before a booth lets its number go.
    """

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database, self._now = database, now
        self._lease = _lease(database)

    def ask(self, one: Booth, wish: wire.Claim) -> wire.Claimed:
        """Take or prolong the lease of a number; or say who has it. Raises Refused."""
        if not 0 < len(wish.number) <= LONGEST_NUMBER or not wish.seconds >= 0:
            raise Refused(HTTPStatus.BAD_REQUEST, "claim", "a claim needs a number, and seconds from 0 up")
        now = self._now()
        if wish.seconds == 0:
            return self._let_go(one, wish.number, now)
        wanted = {"number": wish.number, "booth": one.id, "fence": 1, "expires": now + min(wish.seconds, LONGEST)}
        with self._database.write(durable=False, alone=False) as connection:
            granted = connection.execute(self._lease, wanted | {"now": now}).one_or_none()
            if granted is not None:
                return wire.Claimed(
                    granted=True,
                    expires=granted.expires,
                    fence=granted.fence,
                    seconds=granted.expires - now,
                    facts=of_number(connection, wish.number),
                )
            held = connection.execute(_HELD, {"number": wish.number}).one()
        return wire.Claimed(
            granted=False, expires=held.expires, fence=held.fence, holder=held.name, seconds=held.expires - now
        )

    def _let_go(self, one: Booth, number: str, now: float) -> wire.Claimed:
        """End a lease of this booth's. The row stays, for its fence must go on growing."""
        ours = (claim.c.number == number) & (claim.c.booth == one.id) & (claim.c.expires > now)
        with self._database.write(durable=False, alone=False) as connection:
            connection.execute(update(claim).where(ours).values(expires=now))
        return wire.Claimed(granted=False, expires=now, fence=0)


def _lease(database: Database) -> ReturningInsert[int, float]:
    """One statement, so that of two booths exactly one wins. The fence grows with each new holder, never within a lease."""
    insert = database.insert(claim).values({name: bindparam(name) for name in ("number", "booth", "fence", "expires")})
    same, over = claim.c.booth == insert.excluded.booth, claim.c.expires <= bindparam("now", type_=Double)
    return insert.on_conflict_do_update(
        index_elements=["number"],
        set_={
            "booth": insert.excluded.booth,
            "expires": insert.excluded.expires,
            "fence": claim.c.fence + case((same & ~over, 0), else_=1),
        },
        where=same | over,
    ).returning(claim.c.fence, claim.c.expires)


_HELD = (
    select(claim.c.expires, claim.c.fence, booth.c.name)
    .join(booth, booth.c.id == claim.c.booth)
    .where(claim.c.number == bindparam("number"))
)
