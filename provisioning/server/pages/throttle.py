"""Brakes on guessing: after some tries that failed, the next one must wait, for ever longer.

Tries are counted in the database, so that neither another process nor a restart gives somebody more of them.
"""

import hashlib
import hmac
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from provisioning.server.database import Database
from provisioning.server.schema import log_in_try

FIRST, LONGEST = 30.0, 900.0  # seconds
FORGOTTEN = 3600.0  # seconds after which a name starts afresh


@dataclass(frozen=True, slots=True)
class Throttle:
    """Counts the tries of each name of one kind (an account, an address); `free` of them cost nothing. Blocking."""

    database: Database
    secret: bytes  # names are not kept, only what this makes of them
    kind: str
    free: int

    def wait(self, name: str, *, now: float) -> float:
        """Seconds that `name` must wait; 0 lets it try, and counts the try as failed until `succeeded` says better."""
        whose = self._whose(name)
        with self.database.write(durable=False) as connection:
            connection.execute(delete(log_in_try).where(log_in_try.c.latest < now - FORGOTTEN))
            count, latest = _tries(connection, whose)
            over = count - self.free
            # The power grows no further than it matters, for a float has an end.
            pause = min(LONGEST, FIRST * 2.0 ** min(over, 10)) if over >= 0 else 0.0
            left = latest + pause - now
            if left <= 0:
                row = {"whose": whose, "tries": count + 1, "latest": now}
                statement = self.database.insert(log_in_try).values(row)
                connection.execute(statement.on_conflict_do_update(index_elements=["whose"], set_=row))
        return max(0.0, left)

    def succeeded(self, name: str) -> None:
        """Forget the tries of `name`."""
        with self.database.write(durable=False) as connection:
            connection.execute(delete(log_in_try).where(log_in_try.c.whose == self._whose(name)))

    def forgive(self, name: str) -> None:
        """The latest try of `name` was a good one; those before it still count."""
        with self.database.write(durable=False) as connection:
            ours = log_in_try.c.whose == self._whose(name)
            connection.execute(update(log_in_try).where(ours).values(tries=log_in_try.c.tries - 1))

    def _whose(self, name: str) -> str:
        return hmac.new(self.secret, f"{self.kind} {name}".encode(), hashlib.sha256).hexdigest()


def _tries(connection: Connection, whose: str) -> tuple[int, float]:
    """How many there were, and when the latest."""
    row = connection.execute(select(log_in_try).where(log_in_try.c.whose == whose)).one_or_none()
    return (row.tries, row.latest) if row is not None else (0, 0.0)
