"""What booths keep back because the server refused it: told by them, and offered once more at a supervisor's wish."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from firmware import wire
from provisioning.server.schema import booth

MOST = 20  # reasons that are kept of one booth
LONGEST = 400  # characters of each part of one


def columns(status: wire.Status) -> Mapping[str, object]:
    """What a booth's row says of it."""
    reasons = [
        {"kind": _short(one.kind), "id": _short(one.id), "reason": _short(one.reason), "since": one.since}
        for one in status.reasons[:MOST]
    ]
    return {"kept_back": max(0, min(status.kept_back, 2**31 - 1)), "reasons": reasons}


def _short(text: str) -> str:
    return text.replace("\0", " ")[:LONGEST]


def reasons(row: Sequence[Mapping[str, Any]]) -> tuple[wire.KeptBack, ...]:
    """The same read again from the row."""
    return tuple(msgspec.convert(one, wire.KeptBack) for one in row)


def wish(connection: Connection, booth_id: str) -> float:
    """When a supervisor last wished for another try; 0: never."""
    return connection.scalar(select(booth.c.retry).where(booth.c.id == booth_id)) or 0.0


def retry(connection: Connection, booth_id: str, now: float) -> None:
    """The booth is to offer everything once more, with its next contact."""
    connection.execute(update(booth).where(booth.c.id == booth_id).values(retry=now))
