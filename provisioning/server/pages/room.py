"""How much of the quotas is used, for the page of the booths."""

from dataclasses import dataclass

from sqlalchemy import Connection

from firmware.text.catalogue import Text
from provisioning.server.operations import quotas
from provisioning.server.operations.quotas import GIGABYTE, Limits

NEARLY = 0.9  # of a quota: then people should know


@dataclass(frozen=True, slots=True)
class Room:
    """What is used and what may be."""

    limits: Limits
    whole: int
    days: dict[str, int]  # by booth

    @classmethod
    def seen(cls, connection: Connection, now: float) -> "Room":
        """As it is now."""
        return cls(quotas.limits(connection), quotas.whole(connection), quotas.of_day(connection, now))

    def said(self, text: Text) -> str:
        """All recordings together."""
        return text("Recordings: {used} of {most} GB", used=_size(self.whole), most=_size(self.limits.archive))

    @property
    def scarce(self) -> bool:
        """Whether there is hardly any room left for recordings."""
        return self.whole >= NEARLY * self.limits.archive

    def warning(self, booth: str, text: Text) -> str:
        """Of one booth that has sent nearly as much as it may; empty for the others."""
        used = self.days.get(booth, 0)
        if used < NEARLY * self.limits.booth_day:
            return ""
        return text("Sent {used} of {most} GB in 24 hours", used=_size(used), most=_size(self.limits.booth_day))


def _size(count: int) -> str:
    """In gigabytes.

    >>> _size(2_000_000_000_000), _size(65_000_000), _size(12_300_000_000)
    ('2000', '0.07', '12.3')
    """
    size = count / GIGABYTE
    return f"{size:.0f}" if size >= 100 else f"{size:.1f}" if size >= 10 else f"{size:.2f}".rstrip("0").rstrip(".")
