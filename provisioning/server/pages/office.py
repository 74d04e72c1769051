"""What all pages share."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from obstore.store import ObjectStore

from firmware.results import Result
from provisioning.server.bell import Bell
from provisioning.server.booths import Booths
from provisioning.server.database import Database
from provisioning.server.facts import Facts
from provisioning.server.pages.splits import Tally
from provisioning.server.pages.throttle import Throttle
from provisioning.server.pages.uploads import Uploads

Live = Callable[[UUID], Iterable[bytes]]
"""What is here so far of a recording that is on its way, as an Ogg Opus file, each time the same; nothing if nothing plays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """One office: its books, its recordings, its zone and its clock."""

    database: Database
    archive: ObjectStore
    bell: Bell
    booths: Booths
    facts: Facts
    uploads: Uploads
    live: Live
    enrolment: Callable[[str], str]  # a token's secret → the string that a booth is given
    secret: bytes  # what forms before the log-in are sealed with
    zone: str
    results: Mapping[str, Result]  # by code, in the order of their keys
    now: Callable[[], float]
    accounts: Throttle
    addresses: Throttle
    conflicts: Tally = field(default_factory=Tally)
